"""Hypothesis strategies for requests, valid ones and invalid ones, and state machines that send them.

All arguments are keywords. Keywords in boto3's CamelCase pin a member to a value, or to what a strategy draws; `omit` leaves
members out. Everything is made from the catalogue: `rules=` overrides a rule, and the strategies with it.
"""

from .machines import ModelComparison, ModelLifecycle
from .requests import (
    InvalidRequest,
    container_definitions,
    container_hostnames,
    create_model_requests,
    environments,
    image_uris,
    invalid_create_model_requests,
    invalid_requests,
    model_data_urls,
    model_names,
    model_package_names,
    requests,
    role_arns,
    tags,
    values,
    vpc_configs,
)

try:
    import hypothesis as _hypothesis  # noqa: F401
except ImportError as error:
    raise ImportError("pytest_smfake.strategies needs Hypothesis: pip install 'pytest-smfake[hypothesis]'") from error


__all__ = [
    "InvalidRequest",
    "ModelComparison",
    "ModelLifecycle",
    "container_definitions",
    "container_hostnames",
    "create_model_requests",
    "environments",
    "image_uris",
    "invalid_create_model_requests",
    "invalid_requests",
    "model_data_urls",
    "model_names",
    "model_package_names",
    "requests",
    "role_arns",
    "tags",
    "values",
    "vpc_configs",
]
