"""The operations on endpoints, and why an endpoint cannot come into service."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_smfake.rules.models import containers
from pytest_smfake.service.containers.serving import unhealthy

from .context import Answer, Context
from .endpoint import Deployment, Endpoint, UnderWay, Variant, demand
from .endpoint_configs import VARIANT_LISTS
from .errors import ServiceError
from .paging import list_page
from .quotas import ENDPOINTS, SERVERLESS_MEMORY


def failure_of(deployment: Deployment, context: Context) -> str | None:
    """Return the FailureReason of a deployment, None where its images can be pulled and its containers are healthy."""
    hosting = context.hosting
    for variant in deployment.variants:
        if variant.model is None:
            continue
        role = variant.model.get("ExecutionRoleArn")
        for _, container in containers(variant.model):
            if "Image" in container and hosting.denials.forbid("ecr:BatchGetImage", container["Image"]):
                # Observed: aws/sagemaker-python-sdk#2002.
                return f"The role '{role}' does not have BatchGetImage permission for the image: '{container['Image']}'."
        if name := unhealthy(variant.model, hosting.stand_ins, context.world.place):
            # Observed of the primary container: aws/amazon-sagemaker-examples#1113; with another name assumed.
            return (
                f"The {name} container for production variant {variant.name} did not pass the ping health check. Please check "
                "CloudWatch logs for this endpoint."
            )
    return None


SHARED = ("RoutingConfig", "ManagedInstanceScaling")
"""Members of a variant that a description takes from the configuration as they are."""


def create_endpoint(request: dict[str, Any], context: Context) -> Answer:
    """Keep an endpoint and begin to create it. The order of the conditions is assumed: the name, what it names, the limits."""
    world, name = context.world, request["EndpointName"]
    context.refuse_taken(world.endpoints, name)
    deployment = _deployment(request["EndpointConfigName"], context)
    context.limits.check(ENDPOINTS, world)
    _check_limits(deployment, context)
    endpoint = world.endpoints.add(Endpoint(name, request, world.endpoints.arn(name), context.now(), deployment))
    _settle_later(endpoint, context)
    return {"EndpointArn": endpoint.arn}


def update_endpoint(request: dict[str, Any], context: Context) -> Answer:
    """Begin to replace what runs. Its instances count beside those that run until they are gone (documented: a new fleet)."""
    endpoint, current = _in_service(request["EndpointName"], context)
    deployment = _deployment(request["EndpointConfigName"], context)
    if request.get("RetainAllVariantProperties"):
        excluded = {entry["VariantPropertyType"] for entry in request.get("ExcludeRetainedVariantProperties") or ()}
        deployment = deployment.retaining(current, excluded)
    _check_limits(deployment, context)
    if not request.get("RetainDeploymentConfig"):
        endpoint.update = request.get("DeploymentConfig")
    endpoint.begin(UnderWay("Updating", deployment), context.now())
    _settle_later(endpoint, context)
    return {"EndpointArn": endpoint.arn}


def update_endpoint_weights_and_capacities(request: dict[str, Any], context: Context) -> Answer:
    """Begin to change weights and numbers of instances; only what is added counts against the limits (assumed)."""
    endpoint, current = _in_service(request["EndpointName"], context)
    changes = {change["VariantName"]: change for change in request["DesiredWeightsAndCapacities"]}
    for name in changes:
        if current.variant(name) is None:
            # The text is assumed.
            raise ServiceError("ValidationException", f'Could not find variant "{name}" in endpoint "{endpoint.arn}".')
    variants = tuple(_resized(variant, changes.get(variant.name, {})) for variant in current.variants)
    resized = replace(current, variants=variants, begun=context.now())
    held = demand(current)
    for key, count in demand(resized).items():
        if count > held.get(key, 0):
            context.limits.check(key, context.world, count - held.get(key, 0))
    endpoint.begin(UnderWay("Updating", resized, adds=False), context.now())
    _settle_later(endpoint, context)
    return {"EndpointArn": endpoint.arn}


def describe_endpoint(request: dict[str, Any], context: Context) -> Answer:
    """Return an endpoint. What runs is absent until it is in service; what is to come is there while it comes (assumed)."""
    endpoint = context.world.endpoints.find(request["EndpointName"])
    under_way, running = endpoint.under_way, endpoint.deployment
    answer: dict[str, Any] = {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.config_name,
        "EndpointStatus": endpoint.status,
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
    }
    if endpoint.failure_reason is not None:
        answer["FailureReason"] = endpoint.failure_reason
    if endpoint.update is not None:
        answer["LastDeploymentConfig"] = endpoint.update
    coming = under_way.deployment if under_way is not None else None
    if running is not None:
        resizing = coming if under_way is not None and not under_way.adds else None
        answer |= _described(running, resizing)
        config = running.config
        answer |= {name: config[name] for name in ("AsyncInferenceConfig", "ExplainerConfig", "MetricsConfig") if name in config}
        if capture := config.get("DataCaptureConfig"):
            answer["DataCaptureConfig"] = _capture(capture)
        if coming is not None and resizing is None:
            pending = {"EndpointConfigName": coming.config.name, "StartTime": coming.begun}
            answer["PendingDeploymentSummary"] = pending | _described(coming, None)
    return answer


def list_endpoints(request: dict[str, Any], context: Context) -> Answer:
    """Return a page of endpoints."""
    endpoints, token = list_page("ListEndpoints", context.world.endpoints, request)
    summaries = [
        {
            "EndpointName": endpoint.name,
            "EndpointArn": endpoint.arn,
            "CreationTime": endpoint.created,
            "LastModifiedTime": endpoint.modified,
            "EndpointStatus": endpoint.status,
        }
        for endpoint in endpoints
    ]
    return {"Endpoints": summaries} | token


def delete_endpoint(request: dict[str, Any], context: Context) -> Answer:
    """Begin to delete an endpoint; one that is being created, updated or deleted cannot be."""
    endpoints = context.world.endpoints
    endpoint = endpoints.find(request["EndpointName"])
    _refuse_in_progress(endpoint)
    deleting = UnderWay("Deleting", endpoint.deployment, adds=False)
    endpoint.begin(deleting, context.now())

    def drop(_: float) -> None:
        with context.hosting.lock:
            if endpoints.by_name.get(endpoint.name) is endpoint and endpoint.under_way is deleting:
                endpoints.remove(endpoint.name)

    context.hosting.agenda.add(endpoints.seconds, drop)


def _deployment(config_name: str, context: Context) -> Deployment:
    """Return what a configuration deploys now.

    Raises:
        ServiceError: the configuration is gone, or a model that it names (that the latter is looked at again is assumed).
    """
    config = context.world.endpoint_configs.find(config_name)
    production, shadow = (tuple(_variant(variant, context) for variant in config.get(member) or ()) for member in VARIANT_LISTS)
    return Deployment(config, production, shadow, context.now())


def _variant(config: dict[str, Any], context: Context) -> Variant:
    model = context.world.models.find(config["ModelName"]) if "ModelName" in config else None
    serverless = config.get("ServerlessConfig")
    count = None if serverless else config.get("InitialInstanceCount", 1)
    return Variant(config, model, config.get("InitialVariantWeight", 1.0), count, serverless)


def _resized(variant: Variant, change: dict[str, Any]) -> Variant:
    serverless = variant.serverless
    if serverless is not None:
        serverless = serverless | change.get("ServerlessUpdateConfig", {})
    count = variant.count if variant.count is None else change.get("DesiredInstanceCount", variant.count)
    return replace(variant, weight=change.get("DesiredWeight", variant.weight), count=count, serverless=serverless)


def _check_limits(deployment: Deployment, context: Context) -> None:
    for variant in deployment.variants:
        if variant.serverless:
            context.limits.check(SERVERLESS_MEMORY, context.world, variant.serverless["MemorySizeInMB"])
    for key, count in demand(deployment).items():
        context.limits.check(key, context.world, count)


def _in_service(name: str, context: Context) -> tuple[Endpoint, Deployment]:
    endpoint = context.world.endpoints.find(name)
    _refuse_in_progress(endpoint)
    if endpoint.deployment is None:
        # That nothing but deletion is possible is documented of DescribeEndpoint's status; the text is assumed.
        raise ServiceError("ValidationException", f'Cannot update failed endpoint "{endpoint.arn}".')
    return endpoint, endpoint.deployment


def _refuse_in_progress(endpoint: Endpoint) -> None:
    if endpoint.under_way is not None:
        # Reported: aws/amazon-sagemaker-operator-for-k8s matches the start, and others quote it with the ARN.
        raise ServiceError("ValidationException", f'Cannot update in-progress endpoint "{endpoint.arn}".')


def _settle_later(endpoint: Endpoint, context: Context) -> None:
    """Put the end of a creation or update on the agenda; it finds out whether the containers are healthy."""
    under_way, lock, failing = endpoint.under_way, context.hosting.lock, context.world.failing

    def settle(at: float) -> None:
        if endpoint.under_way is not under_way or under_way is None or under_way.deployment is None:
            return  # it was failed on purpose before its time
        reason = failing.pop(endpoint.name, None) or failure_of(under_way.deployment, context)
        with lock:
            if endpoint.under_way is under_way:
                endpoint.settle(round(at, 3), reason)

    context.hosting.agenda.add(context.world.endpoints.seconds, settle)


def _described(deployment: Deployment, desired: Deployment | None) -> dict[str, Any]:
    answer = {}
    for member, variants in zip(VARIANT_LISTS, (deployment.variants, deployment.shadows), strict=True):
        if variants:
            wanted = {variant.name: variant for variant in desired.variants} if desired and member == VARIANT_LISTS[0] else {}
            answer[member] = [_summary(variant, wanted.get(variant.name, variant), deployment.begun) for variant in variants]
    return answer


def _summary(variant: Variant, desired: Variant, resolved: float) -> dict[str, Any]:
    summary: dict[str, Any] = {"VariantName": variant.name}
    if variant.model is not None:
        images = [container["Image"] for _, container in containers(variant.model) if "Image" in container]
        summary["DeployedImages"] = [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": resolved} for image in images]
    summary |= {"CurrentWeight": variant.weight, "DesiredWeight": desired.weight}
    if variant.serverless is not None:
        summary |= {"CurrentServerlessConfig": variant.serverless, "DesiredServerlessConfig": desired.serverless}
    else:
        summary |= {"CurrentInstanceCount": variant.count, "DesiredInstanceCount": desired.count}
    return summary | {name: variant.config[name] for name in SHARED if name in variant.config}


def _capture(config: dict[str, Any]) -> dict[str, Any]:
    enabled = config.get("EnableCapture", False)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
