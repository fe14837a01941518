"""The operations on endpoint configurations."""

from __future__ import annotations

from typing import Any

from pytest_smfake.rules.preconditions import SERVERLESS_ISOLATION

from .context import Answer, Context
from .paging import list_page
from .quotas import ENDPOINT_CONFIGS
from .resources import EndpointConfig

VARIANT_LISTS = ("ProductionVariants", "ShadowProductionVariants")


def create_endpoint_config(request: dict[str, Any], context: Context) -> Answer:
    """Keep an endpoint configuration. The order of the conditions is assumed: the name, the models, the limit."""
    world, name = context.world, request["EndpointConfigName"]
    configs = world.endpoint_configs
    context.refuse_taken(configs, name)
    for member in VARIANT_LISTS:
        for index, variant in enumerate(request.get(member) or ()):
            if "ModelName" in variant:
                model = world.models.find(variant["ModelName"])
                isolated = model.get("EnableNetworkIsolation") is True
                if isolated and "ServerlessConfig" in variant and context.catalogue.get(SERVERLESS_ISOLATION.id):
                    text = "The network isolation is not supported for serverless endpoint. Please disable the network isolation."
                    raise context.breach(SERVERLESS_ISOLATION, (member, index, "ModelName"), model.name, text)
    context.limits.check(ENDPOINT_CONFIGS, world)
    config = configs.add(EndpointConfig(name, request, configs.arn(name), context.now()))
    return {"EndpointConfigArn": config.arn}


def describe_endpoint_config(request: dict[str, Any], context: Context) -> Answer:
    """Return an endpoint configuration. The weight's default is documented; that it is filled in here is assumed."""
    config = context.world.endpoint_configs.find(request["EndpointConfigName"])
    answer = dict(config)
    answer.pop("Tags", None)
    for member in VARIANT_LISTS:
        if variants := answer.pop(member, None):
            answer[member] = [{"InitialVariantWeight": 1.0} | variant for variant in variants]
    answer.setdefault("EnableNetworkIsolation", False)
    return answer | {"EndpointConfigArn": config.arn, "CreationTime": config.created}


def list_endpoint_configs(request: dict[str, Any], context: Context) -> Answer:
    """Return a page of endpoint configurations."""
    configs, token = list_page("ListEndpointConfigs", context.world.endpoint_configs, request)
    summaries = [{"EndpointConfigName": config.name, "EndpointConfigArn": config.arn, "CreationTime": config.created} for config in configs]
    return {"EndpointConfigs": summaries} | token


def delete_endpoint_config(request: dict[str, Any], context: Context) -> Answer:
    """Drop an endpoint configuration, also one that is in use; the service answers with an empty body."""
    configs = context.world.endpoint_configs
    configs.remove(configs.find(request["EndpointConfigName"]).name)
    return None
