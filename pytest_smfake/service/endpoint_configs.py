"""The operations on endpoint configurations."""

from __future__ import annotations

from typing import Any

from pytest_smfake.rules.endpoint_configs import VARIANT_LISTS, endpoint_config_not_taken, variants

from .context import Answer, Context
from .limits import Quota
from .models import MODEL
from .records import add, describe
from .resources import Kind, Resource


class EndpointConfig(Resource):
    """An endpoint configuration: a read-only mapping of its request, with `name`, `arn`, `created` and `tags`."""

    __slots__ = ()


def create_endpoint_config(request: dict[str, Any], context: Context) -> Answer:
    """Keep an endpoint configuration. The order of its preconditions is assumed: the name, the models, the others, the limit."""
    world = context.world
    context.refuse_taken(world[ENDPOINT_CONFIG], request["EndpointConfigName"])
    for _, variant in variants(request):
        if "ModelName" in variant:
            world[MODEL].find(variant["ModelName"])
    return add(ENDPOINT_CONFIG, request, context)


def describe_endpoint_config(request: dict[str, Any], context: Context) -> Answer:
    """Return an endpoint configuration. The weight's default is documented; that it is filled in here is assumed."""
    answer = describe(ENDPOINT_CONFIG, request, context)
    for member in VARIANT_LISTS:
        if found := answer.pop(member, None):
            answer[member] = [{"InitialVariantWeight": 1.0} | variant for variant in found]
    answer.setdefault("EnableNetworkIsolation", False)
    return answer


# The text is observed: aws/amazon-sagemaker-examples#2339. The quota's name and unit are assumed.
ENDPOINT_CONFIG = Kind(
    noun="EndpointConfig",
    label="endpoint configuration",
    holds=EndpointConfig,
    missing='Could not find endpoint configuration "{arn}".',
    taken=endpoint_config_not_taken,
    needs=(MODEL,),
    quotas={"endpoint-configs": Quota("Total number of endpoint configurations", "Endpoint Configurations", 1000)},
    operations={"CreateEndpointConfig": create_endpoint_config, "DescribeEndpointConfig": describe_endpoint_config},
)
