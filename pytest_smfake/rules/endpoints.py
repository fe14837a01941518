"""Preconditions of the operations on endpoints, what a region lacks, and the causes why an endpoint fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .coded import SIDES, Account, Body, Breaches, Setup, State, Step, not_taken, precondition, register
from .containers import containers, is_of_marketplace
from .endpoint_configs import (
    CONFIG,
    MULTI_MODEL,
    ONE_GIGABYTE,
    ONE_INSTANCE,
    PIPELINE,
    SERVERLESS_PAGE,
    SHADOW_PAGE,
    SHADOWS,
    VARIANTS,
    has_in_container,
    instance_types,
    models_of,
    state_of_model,
    variants,
)
from .rule import Evidence, Rule
from .tags import tagged

UPDATE = "UpdateEndpoint"

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
        for instance_type in instance_types(variant):
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


def _second_config(setup: Setup, **members: Any) -> tuple[tuple[Step, ...], Step, Body]:
    """Return the calls before an update, the creation of a second configuration, and the update to it; the first one has the members."""
    model, (creation, config), *others = setup.needs(UPDATE)
    name = f"{config['EndpointConfigName']}-2"
    second = (creation, config | {"EndpointConfigName": name})
    return (model, (creation, config | members), *others), second, setup.make(UPDATE) | {"EndpointConfigName": name}


@precondition(
    UPDATE, "EndpointName", "running-config-found", "observed", "hashicorp/terraform-provider-aws#40048, #42843 and #49020 (GitHub)"
)
def running_config_found(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse to update an endpoint whose present configuration was deleted."""
    name = request["EndpointName"]
    running = account.running(name)
    if running is not None and account.find("EndpointConfig", running[1]["EndpointConfigName"]) is None:
        yield ("EndpointName",), name, f'Could not find endpoint configuration "{running[0]}".'


@running_config_found.examples
def _running_configs(_: Rule, setup: Setup) -> Iterator[State]:
    for side, label in zip(SIDES, ("kept", "deleted"), strict=True):
        first, second, request = _second_config(setup)
        gone = (("DeleteEndpointConfig", {"EndpointConfigName": first[1][1]["EndpointConfigName"]}),) if label == "deleted" else ()
        how = f"an endpoint whose present configuration was {label}"
        yield State(side, label, how, request, ("EndpointName",), (*first, second, *gone))


@precondition(
    UPDATE,
    "EndpointConfigName",
    "async-kept",
    "observed",
    "aws/sagemaker-python-sdk#3124 (GitHub), where the text is cut off; its end is assumed",
)
def async_kept(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse a configuration without AsyncInferenceConfig for an endpoint that has it."""
    name, new = request["EndpointName"], request["EndpointConfigName"]
    running = account.running(name)
    coming = account.find("EndpointConfig", new) or {}
    if running is not None and running[1].get("AsyncInferenceConfig") is not None and coming.get("AsyncInferenceConfig") is None:
        text = (
            f"The AsyncInferenceConfig parameter cannot be removed from this endpoint {name}. To change the endpoint, create another one."
        )
        yield ("EndpointConfigName",), new, text


@async_kept.examples
def _async_configs(_: Rule, setup: Setup) -> Iterator[State]:
    for side, label in zip(SIDES, ("kept", "removed"), strict=True):
        members = {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://bucket/out"}}}
        first, (creation, config), request = _second_config(setup, **members)
        second = (creation, config | members if label == "kept" else config)
        yield State(side, label, f"AsyncInferenceConfig that is {label}", request, ("EndpointConfigName",), (*first, second))


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause why the creation or update of an endpoint fails.

    Attributes:
        text: the FailureReason, with the fields `{variant}`, `{model}`, `{role}`, `{image}`, `{container}`, `{url}` and `{number}`, which
            counts containers from 1.
        evidence, source: how the text is known, and where from.
    """

    text: str
    evidence: Evidence
    source: str


LOGS = "Please check CloudWatch logs for this endpoint."
CAUSES: Mapping[str, Cause] = {
    "image-not-found": Cause(
        "Please make sure all images included in the model for the production variant {variant} exist, and that the execution role used to "
        "create the model has permissions to access them.",
        "observed",
        "yuyasugano/terraform-sagemaker-sample-1#1, aws/amazon-sagemaker-examples#275 (GitHub)",
    ),
    "image-missing": Cause(
        "The image '{image}' does not exist.",
        "observed",
        "aws/sagemaker-tensorflow-training-toolkit#294 (GitHub), 2020; whether the service still says so is not known",
    ),
    "image-denied": Cause(
        "The role '{role}' does not have BatchGetImage permission for the image: '{image}'.",
        "observed",
        "aws/sagemaker-python-sdk#2002 (GitHub)",
    ),
    "capacity": Cause(
        "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using a different ML "
        "instance type or after some time.",
        "observed",
        "xbill9/sagemaker-gemma README (GitHub)",
    ),
    "download-failed": Cause(
        'Failed to download model data for container "container_{number}" from URL: "{url}". Please ensure that there is an object located '
        "at the URL and that the role passed to CreateModel has permissions to download the object.",
        "observed",
        "aws-solutions-library-samples/fraud-detection-using-machine-learning#9 (GitHub)",
    ),
    "extract-failed": Cause(
        'Failed to extract model data archive for container "container_{number}" from URL "{url}". Please ensure that the object located '
        "at the URL is a gzip compressed tar archive.",
        "observed",
        "aws/deep-learning-containers#569 (GitHub), up to the URL; the rest is assumed",
    ),
    "archive-too-large": Cause(
        "The model data archive is too large. Please reduce the size of the model data archive or move to an instance type with more "
        "memory.",
        "observed",
        "aws/sagemaker-python-sdk#879 (GitHub)",
    ),
    "ping-failed": Cause(
        "The {container} container for production variant {variant} did not pass the ping health check. " + LOGS,
        "observed",
        "aws/amazon-sagemaker-examples#1113 (GitHub), of the container primary; with another name assumed",
    ),
    "ping-failed-neuron": Cause(
        "The customer:{container} container,hardware:neuron for production variant {variant} did not pass the ping health check. " + LOGS,
        "observed",
        "aws-neuron/aws-neuron-sdk#457 (GitHub), the first sentence, of the container primary; the rest is assumed",
    ),
    "model-missing": Cause(
        'Could not find model "{model}".',
        "assumed",
        "that the endpoint fails is reported: aws/amazon-sagemaker-examples#3432 (GitHub); text as of DescribeModel",
    ),
}
"""The causes by name."""


# What cannot be invoked asynchronously.


@precondition(CONFIG, "AsyncInferenceConfig", "marketplace", "observed", "aws/sagemaker-python-sdk#3969 (GitHub), of one account")
def no_async_marketplace(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse asynchronous inference with a model package of AWS Marketplace."""
    config = request.get("AsyncInferenceConfig")
    if config is not None and any(
        is_of_marketplace(container, account) for _, _, model in models_of(request, account) for _, container in containers(model)
    ):
        yield ("AsyncInferenceConfig",), config, "Marketplace images are not supported when specifying an AsyncInferenceConfig."


@no_async_marketplace.examples
def _async_packages(_: Rule, setup: Setup) -> Iterator[State]:
    config = {"OutputConfig": {"S3OutputPath": "s3://bucket/out"}}
    other = "865070037744" if setup.account != "865070037744" else "594846645681"
    for side, name, owner in zip(SIDES, ("own", "marketplace"), (setup.account, other), strict=True):
        package = {"ModelPackageName": setup.arn("model-package/a").replace(setup.account, owner)}
        how = f"asynchronous inference of a model package of account {owner}"
        model = {"PrimaryContainer": package, "EnableNetworkIsolation": True}
        yield state_of_model(setup, side, name, how, ONE_INSTANCE, model, AsyncInferenceConfig=config)


# Which models do not go with serverless and shadow variants, beside those that their own module names.

KindOfModel = Callable[[Mapping[str, Any], Account], bool]
"""Tells whether a model is of a kind that is excluded."""


def _is_marketplace_model(model: Mapping[str, Any], account: Account) -> bool:
    return any(is_of_marketplace(container, account) for _, container in containers(model))


def _package(setup: Setup) -> Body:
    """Return the members of a model of AWS Marketplace."""
    other = "865070037744" if setup.account != "865070037744" else "594846645681"
    return {"PrimaryContainer": {"ModelPackageName": setup.arn("model-package/a").replace(setup.account, other)}}


@precondition(CONFIG, "", "serverless-marketplace", "documented", f"{SERVERLESS_PAGE}; text assumed", only_with=("ServerlessConfig",))
def no_serverless_marketplace(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse a serverless variant of a model package of AWS Marketplace."""
    for where, variant, model in models_of(request, account):
        if variant.get("ServerlessConfig") is not None and _is_marketplace_model(model, account):
            text = f"ServerlessConfig cannot be combined with the ModelPackageName of AWS Marketplace of model {variant['ModelName']}."
            yield (*where, "ModelName"), variant["ModelName"], text


@no_serverless_marketplace.examples
def _serverless_models(_: Rule, setup: Setup) -> Iterator[State]:
    yield state_of_model(setup, "inside", "plain", "a serverless variant of a plain model", ONE_GIGABYTE, {})
    how = "a serverless variant of a model package of AWS Marketplace"
    yield state_of_model(setup, "outside", "marketplace", how, ONE_GIGABYTE, _package(setup))


def _no_shadow_of(keyword: str, is_so: KindOfModel, text: str, model: Callable[[Setup], Body]) -> None:
    """Define the precondition that no model of a configuration with shadow variants is of a kind."""

    @precondition(CONFIG, SHADOWS, keyword, "documented", f"{SHADOW_PAGE}; text assumed", only_with=(SHADOWS,))
    def check(request: Body, account: Account, _: Any) -> Breaches:
        if request.get(SHADOWS):
            for where, variant, found in models_of(request, account):
                if is_so(found, account):
                    yield (*where, "ModelName"), variant["ModelName"], text.format(name=variant["ModelName"])

    @check.examples
    def states(_: Rule, setup: Setup) -> Iterator[State]:
        shadow = {"VariantName": "shadow", "ModelName": setup.make("CreateModel")["ModelName"], **ONE_INSTANCE}
        for side, label, members in zip(SIDES, ("plain", keyword), ({}, model(setup)), strict=True):
            yield state_of_model(setup, side, label, f"a shadow variant of a {label} model", ONE_INSTANCE, members, **{SHADOWS: [shadow]})


_no_shadow_of(
    "marketplace",
    _is_marketplace_model,
    "ShadowProductionVariants cannot be combined with the ModelPackageName of AWS Marketplace of model {name}.",
    _package,
)
_no_shadow_of(
    "multi-model",
    lambda model, _: has_in_container(model, "Mode", "MultiModel"),
    "ShadowProductionVariants cannot be combined with Mode MultiModel of model {name}.",
    lambda _: {"Container": MULTI_MODEL},
)
_no_shadow_of(
    "several-containers",
    lambda model, _: len(model.get("Containers") or ()) > 1,
    "ShadowProductionVariants cannot be combined with the Containers of model {name}.",
    lambda _: PIPELINE,
)
