"""The service model of the installed botocore, loaded once per process."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.model import ServiceModel, Shape
    from botocore.session import Session

SERVICE = "sagemaker"
RESPONSE = ".response"
"""Suffix by which the catalogue names the output of an operation: `CreateModel.response`."""


@cache
def botocore_session() -> Session:
    """Return the session whose loader every part of this package shares (a second load costs 66 ms)."""
    import botocore.session

    return botocore.session.Session()


@cache
def service_model() -> ServiceModel:
    """Return botocore's model of SageMaker."""
    return botocore_session().get_service_model(SERVICE)


@cache
def operation_names() -> frozenset[str]:
    """Return the name of every modelled SageMaker operation."""
    return frozenset(service_model().operation_names)


def shape_of(operation: str) -> Shape | None:
    """Return the input shape of `CreateModel`, or the output shape of `CreateModel.response`.

    None stands for an operation that takes, or returns, nothing.

    Raises:
        ValueError: the operation is not modelled.
    """
    name = operation.removesuffix(RESPONSE)
    if name not in operation_names():
        raise ValueError(unknown_operation(name))
    model = service_model().operation_model(name)
    return model.output_shape if operation.endswith(RESPONSE) else model.input_shape


def unknown_operation(name: str) -> str:
    """Return the sentence for an operation that botocore does not know, with the nearest names."""
    import difflib

    near = difflib.get_close_matches(name, operation_names(), n=3) or ["CreateModel"]
    return f"{name!r} is not a SageMaker operation of the installed botocore; near it: {', '.join(near)}"
