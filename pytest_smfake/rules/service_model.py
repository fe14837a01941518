"""The service model of the installed botocore, loaded once per process."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from .inputs import did_you_mean, near, shown

if TYPE_CHECKING:
    from botocore.loaders import Loader
    from botocore.model import OperationModel, ServiceModel, Shape

SERVICE = "sagemaker"
RUNTIME = "sagemaker-runtime"
RESPONSE = ".response"
"""Suffix by which the catalogue names the output of an operation: `CreateModel.response`."""


@cache
def loader() -> Loader:
    """Return the loader that every part of this package shares, boto3's own where it has one: a second load of a model costs 66 ms."""
    import botocore.session

    default = getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)
    session = botocore.session.Session() if default is None else default._session
    found: Loader = session.get_component("data_loader")
    return found


@cache
def service_model() -> ServiceModel:
    """Return botocore's model of SageMaker."""
    return _model(SERVICE)


@cache
def runtime_model() -> ServiceModel:
    """Return botocore's model of the service that answers predictions."""
    return _model(RUNTIME)


def _model(service: str) -> ServiceModel:
    from botocore.model import ServiceModel

    return ServiceModel(loader().load_service_model(service, "service-2"), service_name=service)


@cache
def error_names(model: ServiceModel) -> frozenset[str]:
    """Return the errors that a service models: clients read their text from `Message`, with a capital, that of others from `message`."""
    return frozenset(shape.name for shape in model.error_shapes)


@cache
def operation_names() -> frozenset[str]:
    """Return the name of every modelled SageMaker operation."""
    return frozenset(service_model().operation_names)


def is_operation(name: str) -> bool:
    """Whether an operation of SageMaker, or of its runtime, has this name."""
    return name in operation_names() or name in runtime_model().operation_names


def operation_model(name: str) -> OperationModel:
    """Return botocore's model of an operation, of SageMaker or of its runtime.

    Raises:
        ValueError: the operation is not modelled.
    """
    if name in operation_names():
        return service_model().operation_model(name)
    if name in runtime_model().operation_names:
        return runtime_model().operation_model(name)
    raise ValueError(unknown_operation(name))


def shape_of(operation: str) -> Shape | None:
    """Return the input shape of `CreateModel`, or the output shape of `CreateModel.response`.

    None stands for an operation that takes, or returns, nothing.

    Raises:
        ValueError: the operation is not modelled.
    """
    if not isinstance(operation, str):
        raise ValueError(f"{shown(operation)} is not an operation of SageMaker, such as 'CreateModel'")
    model = operation_model(operation.removesuffix(RESPONSE))
    return model.output_shape if operation.endswith(RESPONSE) else model.input_shape


def noun_of(operation: str) -> str:
    """Return what an operation is about: `TrainingJob` of `CreateTrainingJob`."""
    return re.sub("^[A-Z][a-z]+", "", operation)


def words(noun: str, joint: str) -> str:
    """Return the words of a name in lower case: `training-job`."""
    return re.sub("(?<!^)([A-Z])", rf"{joint}\1", noun).lower()


def enum_of(shape: str) -> tuple[str, ...]:
    """Return the values that a string shape of SageMaker can have."""
    return tuple(service_model().shape_for(shape).enum)


def check_members(operation: str, request: Mapping[str, Any]) -> None:
    """Refuse a request with a member, at any depth, that the operation has not: the service reads past it, which nobody means.

    Raises:
        ValueError: there is one; the sentence names the nearest and all that there are.
    """
    shape = shape_of(operation)
    for way, known in _unknown(shape, request, "") if shape is not None else ():
        holder, _, name = way.rpartition(".")
        what = f"{operation}'s {holder}" if holder else operation
        raise ValueError(f"{what} has no member {name!r}{did_you_mean(name, known)}; its members are: {', '.join(known)}")


def _unknown(shape: Shape, value: Any, way: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the way to each unknown member, and the members that there are in its place; values of a wrong type are left alone."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, item in value.items():
            if name in shape.members:
                yield from _unknown(shape.members[name], item, f"{way}.{name}" if way else name)
            else:
                yield (f"{way}.{name}" if way else str(name)), tuple(shape.members)
    elif shape.type_name == "list" and isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _unknown(shape.member, item, f"{way}[{index}]")
    elif shape.type_name == "map" and isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unknown(shape.value, item, f"{way}[{key!r}]")


def unknown_operation(name: str) -> str:
    """Return the sentence for an operation that botocore does not know, with the nearest names."""
    import difflib

    near = difflib.get_close_matches(name[:100], operation_names(), n=3) or ["CreateModel"]
    return f"{shown(name)} is not a SageMaker operation of the installed botocore; near it: {', '.join(near)}"


COMMON_REGIONS = frozenset(
    {
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "eu-south-1"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-east-1"),
    }
)
"""Regions that every version of botocore lists. To check one of them, botocore need not be loaded."""


class UnlistedRegionWarning(UserWarning):
    """The installed botocore does not list the region: most likely it is misspelled."""


@cache
def listed_regions() -> frozenset[str]:
    """Return every region of every partition that the installed botocore lists."""
    partitions = loader().load_data("partitions")["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"])


def check_region(region: str | None, stacklevel: int = 3) -> None:
    """Check the name of a region; warn if the installed botocore does not list it.

    Args:
        region: the name; None passes.
        stacklevel: as in `warnings.warn`; by default the warning names the line that called the caller.

    Raises:
        ValueError: no region can have this name.
    """
    if region is None or (isinstance(region, str) and region in COMMON_REGIONS):
        return
    if not isinstance(region, str) or not re.fullmatch(r"[a-z][a-z0-9-]{0,62}[0-9]", region):
        raise ValueError(f"{shown(region)} is not the name of a region; one looks like us-east-1")
    known = listed_regions()
    if region not in known:
        swapped = [other for other in sorted(known) if sorted(other) == sorted(region)]  # the likeliest mistake, before others
        nearest = ", ".join(swapped[:1] or near(region, known, count=1)) or "none"
        text = f"{region!r} is not a region that the installed botocore lists; near it: {nearest}"
        warnings.warn(UnlistedRegionWarning(text), stacklevel=stacklevel)
