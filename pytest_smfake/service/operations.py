"""The operations that this fake implements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import endpoint_configs, endpoints, invoke, models, tags, transform_jobs
from .context import Answer, Context

OPERATIONS: dict[str, Callable[[dict[str, Any], Context], Answer]] = {
    "CreateModel": models.create_model,
    "DescribeModel": models.describe_model,
    "ListModels": models.list_models,
    "DeleteModel": models.delete_model,
    "CreateEndpointConfig": endpoint_configs.create_endpoint_config,
    "DescribeEndpointConfig": endpoint_configs.describe_endpoint_config,
    "ListEndpointConfigs": endpoint_configs.list_endpoint_configs,
    "DeleteEndpointConfig": endpoint_configs.delete_endpoint_config,
    "CreateEndpoint": endpoints.create_endpoint,
    "DescribeEndpoint": endpoints.describe_endpoint,
    "ListEndpoints": endpoints.list_endpoints,
    "UpdateEndpoint": endpoints.update_endpoint,
    "UpdateEndpointWeightsAndCapacities": endpoints.update_endpoint_weights_and_capacities,
    "DeleteEndpoint": endpoints.delete_endpoint,
    "CreateTransformJob": transform_jobs.create_transform_job,
    "DescribeTransformJob": transform_jobs.describe_transform_job,
    "ListTransformJobs": transform_jobs.list_transform_jobs,
    "StopTransformJob": transform_jobs.stop_transform_job,
    "InvokeEndpoint": invoke.invoke_endpoint,
    "AddTags": tags.add_tags,
    "ListTags": tags.list_tags,
    "DeleteTags": tags.delete_tags,
}
"""Every operation that this fake implements: those of SageMaker, and InvokeEndpoint of its runtime."""


def keeps(operation: str, request: Any) -> bool:
    """Whether the fake implements an operation; those on tags it implements for the resources that it keeps."""
    if operation not in OPERATIONS:
        return False
    return not operation.endswith("Tags") or tags.slug_of(request["ResourceArn"]) in tags.TAGGED
