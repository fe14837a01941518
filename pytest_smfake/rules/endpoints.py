"""Preconditions of the operations on endpoints, and what a region lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .coded import SIDES, Account, Body, Breaches, Setup, State, not_taken, precondition, register
from .endpoint_configs import CONFIG, VARIANTS, variants
from .rule import Rule
from .tags import tagged

tagged("CreateEndpoint")
endpoint_not_taken = register(not_taken("Endpoint", "observed", "aws/sagemaker-python-sdk#101 (GitHub)"))


# What a region lacks (`fake.unavailable`).


@precondition(
    CONFIG,
    f"{VARIANTS}.InstanceType",
    "available",
    "observed",
    "aws/amazon-sagemaker-examples#4128 (GitHub), of us-east-1 in 2023-05; no region is assumed to lack a type",
)
def available_types(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse an instance type that the region lacks."""
    for where, variant in variants(request):
        pools = [pool.get("InstanceType") for pool in variant.get("InstancePools") or ()]
        for instance_type in filter(None, (variant.get("InstanceType"), *pools)):
            if account.lacks(instance_type):
                text = f"Instance type {instance_type} is not supported for the chosen region. Please choose some other instance type."
                yield (*where, "InstanceType"), instance_type, text


@available_types.examples
def _types(_: Rule, setup: Setup) -> Iterator[State]:
    request = setup.make(CONFIG)
    instance_type = request["ProductionVariants"][0]["InstanceType"]
    other = "ml.inf2.48xlarge" if instance_type != "ml.inf2.48xlarge" else "ml.inf2.xlarge"
    where = ("ProductionVariants", 0, "InstanceType")
    for side, label, thing in zip(SIDES, ("other", "lacking"), (other, instance_type), strict=True):
        how = f"instances of {instance_type}, in a region that lacks {thing}"
        yield State(side, label, how, setup.make(CONFIG), where, setup.needs(CONFIG), unavailable=(thing,))


@precondition(
    CONFIG,
    f"{VARIANTS}.ManagedInstanceScaling",
    "scale-to-zero-available",
    "observed",
    "stdapi-ai/stdapi.ai#43 (GitHub), of eu-west-3 in 2026-08; no region is assumed to lack the feature",
)
def scale_to_zero_available(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse to scale down to no instance in a region that lacks the feature."""
    for where, variant in variants(request):
        scaling = variant.get("ManagedInstanceScaling") or {}
        if scaling.get("MinInstanceCount") == 0 and account.lacks("scale-to-zero"):
            text = "Min instance count needs to be greater than 0 for enabled managed instance scaling"
            yield (*where, "ManagedInstanceScaling", "MinInstanceCount"), 0, text


@scale_to_zero_available.examples
def _scaled(_: Rule, setup: Setup) -> Iterator[State]:
    for side, least in zip(SIDES, (1, 0), strict=True):
        request = setup.make(CONFIG) | {"ExecutionRoleArn": f"arn:aws:iam::{setup.account}:role/components"}
        variant = request["ProductionVariants"][0]
        variant.pop("ModelName", None)
        variant["ManagedInstanceScaling"] = {"Status": "ENABLED", "MinInstanceCount": least, "MaxInstanceCount": 1}
        where = ("ProductionVariants", 0, "ManagedInstanceScaling", "MinInstanceCount")
        how = f"scaling down to {least} instances, in a region without scale to zero"
        yield State(side, str(least), how, request, where, unavailable=("scale-to-zero",))


def _features(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the features that a region can lack, of those that a configuration has."""
    if config.get("AsyncInferenceConfig"):
        yield "asynchronous-inference"
    if any(variant.get("ServerlessConfig") for _, variant in variants(config)):
        yield "serverless-inference"


@precondition(
    "CreateEndpoint",
    "EndpointConfigName",
    "features-available",
    "observed",
    "boto/boto3#4275 (GitHub), of asynchronous inference in eu-south-1 in 2024-09; of serverless inference the text is assumed",
)
def features_available(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse a configuration with a feature that the region lacks."""
    config = account.find("EndpointConfig", request["EndpointConfigName"])
    if config is not None and any(account.lacks(feature) for feature in _features(config)):
        text = "One or more endpoint features are not supported using this configuration"
        yield ("EndpointConfigName",), request["EndpointConfigName"], text


@features_available.examples
def _featured(_: Rule, setup: Setup) -> Iterator[State]:
    for side, thing in zip(SIDES, ("serverless-inference", "asynchronous-inference"), strict=True):
        model, (creation, config) = setup.needs("CreateEndpoint")
        config["AsyncInferenceConfig"] = {"OutputConfig": {"S3OutputPath": "s3://bucket/out"}}
        how = f"asynchronous inference, in a region without {thing}"
        request, first = setup.make("CreateEndpoint"), (model, (creation, config))
        yield State(side, thing, how, request, ("EndpointConfigName",), first, unavailable=(thing,))
