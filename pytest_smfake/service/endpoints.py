"""Endpoint configurations and endpoints: their operations, what runs on an endpoint, and how its status changes."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pytest_smfake.rules.coded import SIDES, Body, Setup, State, Step
from pytest_smfake.rules.containers import containers
from pytest_smfake.rules.endpoint_configs import VARIANT_LISTS, endpoint_config_not_taken, variants
from pytest_smfake.rules.endpoints import CAUSES, endpoint_not_taken
from pytest_smfake.rules.rule import Where
from pytest_smfake.rules.service_model import operation_model

from .arns import arn
from .context import Answer, Context
from .errors import ServiceError
from .limits import SERVERLESS_MEMORY, Quota, instances
from .models import MODEL, Model
from .records import add, describe
from .resources import Kind, Resource, Scope, World
from .stand_ins import name_of_container, unhealthy


class EndpointConfig(Resource):
    """An endpoint configuration: a read-only mapping of its request, with `name`, `arn`, `created` and `tags`."""

    __slots__ = ()


def create_endpoint_config(request: dict[str, Any], context: Context) -> Answer:
    """Create an endpoint configuration. The order of the preconditions is assumed: the name, the models, the others, the limit."""
    world = context.world
    context.refuse_taken(world[ENDPOINT_CONFIG], request["EndpointConfigName"])
    for _, variant in variants(request):
        if "ModelName" in variant:
            world[MODEL].find(variant["ModelName"])
    return add(ENDPOINT_CONFIG, request, context)


def describe_endpoint_config(request: dict[str, Any], context: Context) -> Answer:
    """Describe an endpoint configuration. The default of the weight is documented; that the answer has it is assumed."""
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


@dataclass(frozen=True, slots=True)
class Variant:
    """A deployed production variant.

    Attributes:
        config: the variant in the endpoint configuration.
        model: its model at the time of the deployment; None if it hosts inference components, or if the model was deleted before.
        weight: its share of the traffic.
        count: its number of instances; None if it is serverless.
        serverless: its current serverless configuration; None if it has instances.
    """

    config: dict[str, Any]
    model: Model | None
    weight: float
    count: int | None
    serverless: dict[str, Any] | None

    @property
    def name(self) -> str:
        """The name of the variant."""
        return str(self.config["VariantName"])

    def instances(self) -> dict[str, int]:
        """Return the number of its instances by their type: those that count against limits."""
        return dict.fromkeys(types_of(self.config), self.count) if self.count else {}


def types_of(variant: Mapping[str, Any]) -> list[str]:
    """Return the types of the instances that a variant holds, first the one that it runs on.

    A variant with InstancePools holds quota of the type of every pool (observed: xbill9/sagemaker-gemma README); as many instances of
    each as it runs is assumed. It runs on the pool that comes first by priority, since instances of every type are there in this fake.
    """
    pools = sorted(variant.get("InstancePools") or (), key=lambda pool: pool["Priority"])
    return [variant["InstanceType"]] if variant.get("InstanceType") else [pool["InstanceType"] for pool in pools]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed endpoint configuration. It keeps the configuration and models even if they are deleted."""

    config: EndpointConfig
    variants: tuple[Variant, ...]
    shadows: tuple[Variant, ...]
    begun: float

    def instances(self) -> Counter[str]:
        """Return the number of instances by their type."""
        found: Counter[str] = Counter()
        for variant in (*self.variants, *self.shadows):
            found.update(variant.instances())
        return found

    def variant(self, name: str) -> Variant | None:
        """Return the production variant of a name, or None."""
        return next((variant for variant in self.variants if variant.name == name), None)

    def retaining(self, other: Deployment, excluded: set[str]) -> Deployment:
        """Return this deployment with the variant properties of another one, except for the excluded ones."""

        def kept(variant: Variant) -> Variant:
            old = other.variant(variant.name)
            if old is None:
                return variant
            weight = variant.weight if "DesiredWeight" in excluded else old.weight
            counted = variant.count is not None and old.count is not None and "DesiredInstanceCount" not in excluded
            count = old.count if counted else variant.count
            return replace(variant, weight=weight, count=count)

        return replace(self, variants=tuple(map(kept, self.variants)))


@dataclass(frozen=True, slots=True, eq=False)
class Transition:
    """A creation, update or deletion in progress; `adds` is False if its instances replace the running ones."""

    status: str
    deployment: Deployment | None
    adds: bool = True


class Endpoint(Resource):
    """An endpoint: a read-only mapping of its CreateEndpoint request.

    Attributes:
        name, arn, created, tags: as for every resource.
        status: `Creating`, `Updating`, `InService`, `Failed` or `Deleting`.
        failure_reason: the reason why the last creation or update failed, else None.
        modified: the time of its last change, in seconds since the epoch.
        deployment: the running deployment; None until it is in service.
        transition: the creation, update or deletion in progress, else None.
    """

    __slots__ = ("choices", "deployment", "failure_reason", "transition", "update")

    def __init__(self, name: str, request: dict[str, Any], arn: str, created: float, deployment: Deployment) -> None:
        super().__init__(name, request, arn, created)
        self.failure_reason: str | None = None
        self.deployment: Deployment | None = None
        self.transition: Transition | None = Transition("Creating", deployment)
        self.update: dict[str, Any] | None = request.get("DeploymentConfig")
        # Seeded by its ARN: each run of a test has the same choices.
        self.choices = random.Random(arn)  # noqa: S311  # distributes traffic, protects nothing

    @property
    def status(self) -> str:
        """Its current status."""
        if self.transition is not None:
            return self.transition.status
        return "Failed" if self.deployment is None else "InService"

    @property
    def config_name(self) -> str:
        """The name of the running endpoint configuration; during the creation, of the one to be deployed."""
        deployment = self.deployment or (self.transition.deployment if self.transition else None)
        return deployment.config.name if deployment is not None else str(self["EndpointConfigName"])

    @property
    def variants(self) -> dict[str, dict[str, Any]]:
        """By name of each running variant, its weight, number of instances and name of the model."""
        return {
            variant.name: {"weight": variant.weight, "count": variant.count, "model": variant.model.name if variant.model else None}
            for variant in (self.deployment.variants if self.deployment else ())
        }

    def instances(self) -> Counter[str]:
        """Return its instances by their type: during an update those of both fleets (documented), none if it failed (assumed)."""
        found: Counter[str] = Counter()
        coming = self.transition.deployment if self.transition else None
        if self.deployment is not None and (coming is None or (self.transition and self.transition.adds)):
            found += self.deployment.instances()
        return found + coming.instances() if coming else found

    def lasts(self) -> bool:
        """Return whether it exists until somebody deletes it."""
        return self.status != "Deleting"

    def begin(self, transition: Transition, at: float) -> None:
        """Begin an update or deletion. An update clears the failure reason of the one before.

        Observed: aws-controllers-k8s/sagemaker-controller#7.
        """
        if transition.status == "Updating":
            self.failure_reason = None
        self.transition = transition
        self.modified = at

    def finish(self, at: float, reason: str | None) -> None:
        """End the creation or update in progress; with a failure reason the previous deployment goes on running (reported).

        An endpoint whose update failed stays in service and shows the reason: hashicorp/terraform-provider-aws#39099.
        """
        if reason is None and self.transition is not None:
            self.deployment = self.transition.deployment
        self.failure_reason = reason
        self.transition = None
        self.modified = at


def instance_demand(deployment: Deployment) -> dict[str, int]:
    """Return the number of instances that a deployment needs, by limit."""
    return {instances(instance_type, "endpoint"): count for instance_type, count in deployment.instances().items()}


def reason_of(cause: str, variant: Variant, scope: Scope, number: int = 1) -> str:
    """Return the FailureReason of a cause.

    Args:
        cause: a name in `CAUSES`.
        variant: the variant that fails.
        scope: its account and region.
        number: the container that fails, counted from 1.
    """
    model: Mapping[str, Any] = variant.model if variant.model is not None else {}
    defined = [container for _, container in containers(model)]
    container = defined[number - 1] if defined else {}
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    # What the variant does not have is made up: a variant for inference components has no model, so no role and no image.
    return CAUSES[cause].text.format(
        variant=variant.name,
        role=model.get("ExecutionRoleArn") or scope.role_arn,
        image=container.get("Image") or container.get("ModelPackageName") or scope.image,
        container=name_of_container(container, number, len(defined) or 1),
        number=number,
        url=container.get("ModelDataUrl") or source.get("S3Uri") or scope.model_data_url,
        model=arn(scope.region, scope.account, f"model/{variant.config.get('ModelName', 'model')}"),
    )[:1024]


def caused(cause: str, scope: Scope) -> Callable[[Deployment], str]:
    """Return the function that returns the FailureReason of a cause for a deployment: that of its first production variant."""
    return lambda deployment: reason_of(cause, deployment.variants[0], scope)


def failure_reason(deployment: Deployment, context: Context) -> str | None:
    """Return the FailureReason of a deployment; None if it has its models, their images can be pulled and their containers are healthy."""
    hosting, scope = context.hosting, context.world.scope
    for variant in (*deployment.variants, *deployment.shadows):
        if variant.model is None and "ModelName" in variant.config:
            return reason_of("model-missing", variant, scope)
    for variant in deployment.variants:
        if variant.model is None:
            continue
        for number, (_, container) in enumerate(containers(variant.model), 1):
            if "Image" in container and hosting.denials.is_denied("ecr:BatchGetImage", container["Image"]):
                return reason_of("image-denied", variant, scope, number)
        if number := unhealthy(variant.model, hosting.stand_ins, scope):
            neuron = any(held.startswith(NEURON) for held in variant.instances())
            return reason_of("ping-failed-neuron" if neuron else "ping-failed", variant, scope, number)
    return None


NEURON = ("ml.inf", "ml.trn")
"""The beginnings of the names of instance types with Neuron hardware: Inferentia as in the source of the text, Trainium assumed."""
SHARED = ("RoutingConfig", "ManagedInstanceScaling")
"""Members of a variant that a description copies from the configuration."""


def create_endpoint(request: dict[str, Any], context: Context) -> Answer:
    """Begin to create an endpoint. The order of the preconditions is assumed: the name, the configuration and models, the limits."""
    world, name = context.world, request["EndpointName"]
    context.refuse_taken(world[ENDPOINT], name)
    deployment = _deployment(request["EndpointConfigName"], context)
    context.check("CreateEndpoint", request)
    context.limits.check(ENDPOINT.plural, world)
    _check_limits(deployment, context)
    endpoint = world[ENDPOINT].add(Endpoint(name, request, world[ENDPOINT].arn(name), context.now(), deployment))
    _finish_later(endpoint, context)
    return {"EndpointArn": endpoint.arn}


def update_endpoint(request: dict[str, Any], context: Context) -> Answer:
    """Begin to update an endpoint. Until the end, the instances of old and new fleet both count (documented: a new fleet)."""
    endpoint, current = _in_service(request["EndpointName"], context)
    deployment = _deployment(request["EndpointConfigName"], context)
    context.check("UpdateEndpoint", request)
    if request.get("RetainAllVariantProperties"):
        excluded = {entry["VariantPropertyType"] for entry in request.get("ExcludeRetainedVariantProperties") or ()}
        deployment = deployment.retaining(current, excluded)
    _check_limits(deployment, context)
    if not request.get("RetainDeploymentConfig"):
        endpoint.update = request.get("DeploymentConfig")
    endpoint.begin(Transition("Updating", deployment), context.now())
    _finish_later(endpoint, context)
    return {"EndpointArn": endpoint.arn}


def update_endpoint_weights_and_capacities(request: dict[str, Any], context: Context) -> Answer:
    """Begin to change weights and instance counts. Only added instances count against the limits (assumed)."""
    endpoint, current = _in_service(request["EndpointName"], context)
    changes = {change["VariantName"]: change for change in request["DesiredWeightsAndCapacities"]}
    for name in changes:
        if current.variant(name) is None:
            # The text is assumed.
            raise ServiceError("ValidationException", f'Could not find variant "{name}" in endpoint "{endpoint.arn}".')
    variants = tuple(_resized(variant, changes.get(variant.name, {})) for variant in current.variants)
    resized = replace(current, variants=variants, begun=context.now())
    held = instance_demand(current)
    for key, count in instance_demand(resized).items():
        if count > held.get(key, 0):
            context.limits.check(key, context.world, count - held.get(key, 0))
    endpoint.begin(Transition("Updating", resized, adds=False), context.now())
    _finish_later(endpoint, context)
    return {"EndpointArn": endpoint.arn}


def describe_endpoint(request: dict[str, Any], context: Context) -> Answer:
    """Describe an endpoint.

    The pending deployment is shown while it is created, or updated with a new configuration (documented: PendingDeploymentSummary).
    That its variants are absent until it is in service is assumed.
    """
    endpoint = context.world[ENDPOINT].find(request["EndpointName"])
    transition, running = endpoint.transition, endpoint.deployment
    answer = ENDPOINT.described(endpoint, operation_model("DescribeEndpoint").output_shape) | {"EndpointConfigName": endpoint.config_name}
    if endpoint.update is not None:
        answer["LastDeploymentConfig"] = endpoint.update
    coming = transition.deployment if transition is not None else None
    if running is not None:
        stays = transition is not None and not transition.adds
        stage = _stage(transition.status, endpoint.modified) if transition is not None and stays else {}
        answer |= _described(running, coming if stays else None, stage)
        config = running.config
        answer |= {name: config[name] for name in ("AsyncInferenceConfig", "ExplainerConfig", "MetricsConfig") if name in config}
        if capture := config.get("DataCaptureConfig"):
            answer["DataCaptureConfig"] = _capture(capture)
    if coming is not None and transition is not None and transition.adds:
        answer["PendingDeploymentSummary"] = _pending(coming)
    return answer


VARIANT_STAGES = {
    "Creating": "Creating inference resources for the production variant.",
    "Updating": "Updating capacity for the production variant.",
    "Deleting": "Terminating inference resources for the production variant.",
}
"""The stages of a deployment that a VariantStatus tells in this fake, with the sentences that document them (ProductionVariantStatus).

That the service tells them at these times, and in these words, is assumed."""


def _stage(status: str, begun: float) -> dict[str, Any]:
    return {"VariantStatus": [{"Status": status, "StatusMessage": VARIANT_STAGES[status], "StartTime": begun}]}


def _pending(coming: Deployment) -> dict[str, Any]:
    """Return a PendingDeploymentSummary. Its variants have two members that those of a running deployment do not have."""
    described = _described(coming, None, _stage("Creating", coming.begun))
    for member, deployed in zip(VARIANT_LISTS, (coming.variants, coming.shadows), strict=True):
        for summary, variant in zip(described.get(member, ()), deployed, strict=True):
            summary |= {name: variant.config[name] for name in ("InstanceType", "AcceleratorType") if name in variant.config}
    return {"EndpointConfigName": coming.config.name, "StartTime": coming.begun} | described


def delete_endpoint(request: dict[str, Any], context: Context) -> Answer:
    """Begin to delete an endpoint; refused while it is created, updated or deleted."""
    endpoints = context.world[ENDPOINT]
    endpoint = endpoints.find(request["EndpointName"])
    _refuse_in_progress(endpoint)
    deleting = Transition("Deleting", endpoint.deployment, adds=False)
    endpoint.begin(deleting, context.now())

    def drop(_: float) -> None:
        with context.hosting.lock:
            if endpoints.by_name.get(endpoint.name) is endpoint and endpoint.transition is deleting:
                endpoints.remove(endpoint.name)

    context.hosting.schedule.add(endpoints.seconds, drop)


def _deployment(config_name: str, context: Context) -> Deployment:
    """Return a new deployment of an endpoint configuration.

    Raises:
        ServiceError: the configuration does not exist. A model that does not exist any more lets the deployment fail later; this is
            reported of a creation (aws/amazon-sagemaker-examples#3432), and assumed of an update.
    """
    config = context.world[ENDPOINT_CONFIG].find(config_name)
    production, shadow = (tuple(_variant(variant, context) for variant in config.get(member) or ()) for member in VARIANT_LISTS)
    return Deployment(config, production, shadow, context.now())


def _variant(config: dict[str, Any], context: Context) -> Variant:
    model = context.world[MODEL].by_name.get(config.get("ModelName", ""))
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
    for key, count in instance_demand(deployment).items():
        context.limits.check(key, context.world, count)


def _in_service(name: str, context: Context) -> tuple[Endpoint, Deployment]:
    endpoint = context.world[ENDPOINT].find(name)
    _refuse_in_progress(endpoint)
    if endpoint.deployment is None:
        # DescribeEndpoint's status documents that a failed endpoint can only be deleted; the text is assumed.
        raise ServiceError("ValidationException", f'Cannot update failed endpoint "{endpoint.arn}".')
    return endpoint, endpoint.deployment


def _refuse_in_progress(endpoint: Endpoint) -> None:
    if endpoint.transition is not None:
        # Reported: aws/amazon-sagemaker-operator-for-k8s matches the start, and others quote it with the ARN.
        raise ServiceError("ValidationException", f'Cannot update in-progress endpoint "{endpoint.arn}".')


def _finish_later(endpoint: Endpoint, context: Context) -> None:
    """Schedule the end of a creation or update; it then checks whether the containers are healthy."""
    transition, lock, failing = endpoint.transition, context.hosting.lock, context.world[ENDPOINT].failing

    def finish(at: float) -> None:
        if endpoint.transition is not transition or transition is None or transition.deployment is None:
            return  # a test let it fail before
        told = failing.pop(endpoint.name, None)
        reason = told(transition.deployment) if told else failure_reason(transition.deployment, context)
        with lock:
            if endpoint.transition is transition:
                endpoint.finish(round(at, 3), reason)

    context.hosting.schedule.add(context.world[ENDPOINT].seconds, finish)


def _described(deployment: Deployment, desired: Deployment | None, stage: dict[str, Any]) -> dict[str, Any]:
    answer = {}
    for member, deployed in zip(VARIANT_LISTS, (deployment.variants, deployment.shadows), strict=True):
        if deployed:
            wanted = {variant.name: variant for variant in desired.variants} if desired and member == VARIANT_LISTS[0] else {}
            answer[member] = [_summary(variant, wanted.get(variant.name, variant), deployment.begun) | stage for variant in deployed]
    return answer


def _summary(variant: Variant, desired: Variant, resolved: float) -> dict[str, Any]:
    summary: dict[str, Any] = {"VariantName": variant.name}
    if variant.model is not None:
        images = [container["Image"] for _, container in containers(variant.model) if "Image" in container]
        summary["DeployedImages"] = [
            {"SpecifiedImage": image, "ResolvedImage": resolved_image(image), "ResolutionTime": resolved} for image in images
        ]
    summary |= {"CurrentWeight": variant.weight, "DesiredWeight": desired.weight}
    if variant.serverless is not None:
        summary |= {"CurrentServerlessConfig": variant.serverless, "DesiredServerlessConfig": desired.serverless}
    else:
        summary |= {"CurrentInstanceCount": variant.count, "DesiredInstanceCount": desired.count}
    if variant.config.get("InstancePools"):
        # Observed: the pool that runs, alone (xbill9/sagemaker-gemma docs/articles/evidence/deploy-steps-us-east-2.txt).
        summary["InstancePools"] = [{"InstanceType": types_of(variant.config)[0], "CurrentInstanceCount": variant.count}]
    return summary | {name: variant.config[name] for name in SHARED if name in variant.config}


def resolved_image(image: str) -> str:
    """Return the path of an image with its digest, as documented of DeployedImage. The digest is made up, and the same for the same image.

    Example:
        >>> resolved_image("123456789012.dkr.ecr.us-east-1.amazonaws.com/my-image:1")[:67]
        '123456789012.dkr.ecr.us-east-1.amazonaws.com/my-image@sha256:62ee07'
        >>> resolved_image("my-image@sha256:0") == "my-image@sha256:0"
        True
    """
    if "@" in image:
        return image
    repository, _, tag = image.rpartition(":")
    if not repository or "/" in tag:
        repository, tag = image, "latest"
    return f"{repository}@sha256:{hashlib.sha256(f'{repository}:{tag}'.encode()).hexdigest()}"


def _capture(config: dict[str, Any]) -> dict[str, Any]:
    enabled = config.get("EnableCapture", True)  # documented: it defaults to enabled
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }


def _of_config(request: Mapping[str, Any], world: World) -> Iterator[tuple[str, int]]:
    yield from _of_variants(world[ENDPOINT_CONFIG].by_name.get(request.get("EndpointConfigName", "")) or {})


def _of_creation(request: Mapping[str, Any], world: World) -> Iterator[tuple[str, int]]:
    yield from _of_config(request, world)
    yield ENDPOINT.plural, 1


def _of_capacities(request: Mapping[str, Any], world: World) -> Iterator[tuple[str, int]]:
    endpoint = world[ENDPOINT].by_name.get(request.get("EndpointName", ""))
    if endpoint is not None and endpoint.deployment is not None:
        yield from _added(endpoint.deployment, request)


def _of_variants(config: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the limits that the variants of an endpoint configuration count against: instances by their type, then serverless memory."""
    variants = [variant for member in ("ProductionVariants", "ShadowProductionVariants") for variant in config.get(member) or ()]
    found: Counter[str] = Counter()
    for variant in variants:
        found.update({instances(held, "endpoint"): variant.get("InitialInstanceCount", 1) for held in types_of(variant)})
    yield from found.items()
    for variant in variants:
        if serverless := variant.get("ServerlessConfig"):
            yield SERVERLESS_MEMORY, serverless["MemorySizeInMB"]


def _added(deployment: Deployment, request: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the instances that an update of capacities adds, most first; at least 1 of each type, so that a text can be made."""
    changes = {change["VariantName"]: change for change in request.get("DesiredWeightsAndCapacities") or ()}
    found: Counter[str] = Counter()
    for variant in deployment.variants:
        for held, count in variant.instances().items():
            found[instances(held, "endpoint")] += changes.get(variant.name, {}).get("DesiredInstanceCount", count) - count
    yield from ((key, max(1, count)) for key, count in found.most_common())


def _at_instances(operation: str, setup: Setup) -> Iterator[State]:
    for side, count in zip(SIDES, (2, 3), strict=True):
        request, first = setup.make(operation), setup.needs(operation)
        variant = first[1][1]["ProductionVariants"][0]
        where: Where = ("EndpointConfigName",)
        if operation == "CreateEndpoint":
            variant["InitialInstanceCount"] = count
        elif operation == "UpdateEndpoint":  # what runs counts beside what comes
            first, request = _with_update(first, request, count - 1)
        else:
            request["DesiredWeightsAndCapacities"] = [{"VariantName": variant["VariantName"], "DesiredInstanceCount": count}]
            where = ("DesiredWeightsAndCapacities", 0, "DesiredInstanceCount")
        limits = {instances(variant["InstanceType"], "endpoint"): 2}
        yield State(side, str(count), f"{count} instances in all, of 2 that there may be", request, where, first, limits)


def _with_update(first: tuple[Step, ...], request: Body, count: int) -> tuple[tuple[Step, ...], Body]:
    operation, config = first[1]
    name = f"{config['EndpointConfigName']}-2"
    variant = config["ProductionVariants"][0] | {"InitialInstanceCount": count}
    more = config | {"EndpointConfigName": name, "ProductionVariants": [variant]}
    return (*first, (operation, more)), request | {"EndpointConfigName": name}


def _at_memory(operation: str, setup: Setup) -> Iterator[State]:
    for side, size in zip(SIDES, (1024, 2048), strict=True):
        model, (creation, config) = setup.needs(operation)
        variant = {name: config["ProductionVariants"][0][name] for name in ("VariantName", "ModelName")}
        config["ProductionVariants"] = [variant | {"ServerlessConfig": {"MemorySizeInMB": size, "MaxConcurrency": 1}}]
        how = f"an endpoint with {size} MB of memory, of 1024 that it may have"
        first = (model, (creation, config))
        yield State(side, str(size), how, setup.make(operation), ("EndpointConfigName",), first, {SERVERLESS_MEMORY: 1024})


# The text is observed: aws/amazon-sagemaker-examples#2402. The quota's name and unit are assumed; those of the memory are reported.
ENDPOINT = Kind(
    noun="Endpoint",
    label="endpoint",
    holds=Endpoint,
    missing='Could not find endpoint "{arn}".',
    taken=endpoint_not_taken,
    needs=(MODEL, ENDPOINT_CONFIG),
    quotas={
        "endpoints": Quota("Total number of endpoints", "Endpoints", 100),
        SERVERLESS_MEMORY: Quota(SERVERLESS_MEMORY, "MBs", 3072, "reported", "of an account, about 2024: a public log, no stable address"),
    },
    instance_types="ProductionVariantInstanceType",
    asks={
        "CreateEndpoint": _of_creation,
        "UpdateEndpoint": _of_config,
        "UpdateEndpointWeightsAndCapacities": _of_capacities,
    },
    at_limits={"instances": _at_instances, "serverless-memory": _at_memory},
    operations={
        "CreateEndpoint": create_endpoint,
        "DescribeEndpoint": describe_endpoint,
        "UpdateEndpoint": update_endpoint,
        "UpdateEndpointWeightsAndCapacities": update_endpoint_weights_and_capacities,
        "DeleteEndpoint": delete_endpoint,
    },
)
