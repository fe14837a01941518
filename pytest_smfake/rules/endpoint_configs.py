"""Rules between members of CreateEndpointConfig, and its preconditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from .coded import SIDES, Account, Body, Breaches, Repair, Setup, Side, State, Values, cross_field, not_taken, precondition, register
from .containers import containers
from .rule import Evidence, Rule, Where
from .tags import tagged

CONFIG = "CreateEndpointConfig"
CONFIG_INPUT = "CreateEndpointConfigInput"
PRODUCTION_VARIANT = "botocore service-2.json, ProductionVariant"
GUIDE = "docs.aws.amazon.com/sagemaker/latest/dg"
SERVERLESS_PAGE = f"{GUIDE}/serverless-endpoints.html"
SHADOW_PAGE = f"{GUIDE}/shadow-tests-exclusions.html"
VARIANTS = "ProductionVariants[]"
SHADOWS = "ShadowProductionVariants"
VARIANT_LISTS = ("ProductionVariants", SHADOWS)
CAPACITIES = ("InstanceType", "InstancePools", "ServerlessConfig")
INSTANCES = ("InstanceType", "InitialInstanceCount")


def variants(request: Mapping[str, Any]) -> Iterator[tuple[Where, dict[str, Any]]]:
    """Yield every variant of a CreateEndpointConfig request with its place."""
    for member in VARIANT_LISTS:
        for index, variant in enumerate(request.get(member) or ()):
            yield (member, index), variant


def _family(instance_type: str | None) -> str:
    """Return the family of an instance type, such as `g5` of `ml.g5.xlarge`."""
    return (instance_type or "").removeprefix("ml.").partition(".")[0]


def instance_types(variant: Mapping[str, Any]) -> list[str]:
    """Return the instance types that a variant names, those of its pools included."""
    pools = [pool.get("InstanceType") for pool in variant.get("InstancePools") or ()]
    return [found for found in (variant.get("InstanceType"), *pools) if found is not None]


def _is_serverless(variant: Mapping[str, Any]) -> bool:
    return variant.get("ServerlessConfig") is not None


def _scales_to_zero(variant: Mapping[str, Any]) -> bool:
    return bool((variant.get("ManagedInstanceScaling") or {}).get("MinInstanceCount") == 0)


def _free(request: Body, repair: Repair) -> Iterator[Body]:
    """Yield the variants of a request that a repair may change."""
    for where, variant in variants(request):
        if where[0] not in repair.fixed:
            yield variant


def _give_instances(variant: Body, values: Values) -> None:
    """Let a variant of a request have instances instead of any other capacity."""
    for name in CAPACITIES:
        variant.pop(name, None)
    variant |= {name: values.least(f"{VARIANTS}.{name}") for name in INSTANCES}


@cross_field(CONFIG, f"{VARIANTS}.VariantName", "unique", "reported", "mlflow/mlflow#6486 (GitHub); text assumed")
def unique_variants(request: Body, _: Any) -> Breaches:
    """Refuse two variants of one name."""
    seen: set[str] = set()
    for where, variant in variants(request):
        name = variant.get("VariantName")
        if name in seen:
            yield (*where, "VariantName"), name, f"Variant name {name} is used by more than one variant."
            return
        seen.update(filter(None, [name]))


@unique_variants.repair(CONFIG_INPUT)
def _rename_variants(request: Body, repair: Repair) -> None:
    found = [variant for _, variant in variants(request)]
    names = repair.distinct(f"{VARIANTS}.VariantName", (variant["VariantName"] for variant in found))
    for variant, name in zip(found, names, strict=True):
        variant["VariantName"] = name


def _pair(request: Body, values: Values) -> list[Body]:
    """Return the production variants, two at least, with different names and with instances."""
    request.pop(SHADOWS, None)
    pair: list[Body] = request["ProductionVariants"]
    if _is_serverless(pair[0]):
        _give_instances(pair[0], values)
    if len(pair) < 2:
        pair.append({**pair[0], "VariantName": values.distinct(f"{VARIANTS}.VariantName", [pair[0]["VariantName"]] * 2)[1]})
    return pair


def _named(request: Body, values: Values, same: bool) -> Where:
    pair = _pair(request, values)
    if same:
        pair[-1]["VariantName"] = pair[0]["VariantName"]
    return "ProductionVariants", len(pair) - 1, "VariantName"


unique_variants.inside("different", "two variants with different names")(partial(_named, same=False))
unique_variants.outside("same", "a variant with the name of another")(partial(_named, same=True))


@cross_field(CONFIG, VARIANTS, "capacity", "assumed", f"{PRODUCTION_VARIANT}: instances of a type, pools of them, or serverless")
def capacity(request: Body, _: Any) -> Breaches:
    """Refuse a variant without a capacity, with two forms of it, or with a type of instances and no number."""
    for where, variant in variants(request):
        name, given = variant.get("VariantName"), [form for form in CAPACITIES if form in variant]
        if len(given) != 1:
            yield where, variant, f"Specify exactly one of InstanceType, InstancePools and ServerlessConfig for variant {name}."
        elif given == ["InstanceType"] and "InitialInstanceCount" not in variant:
            yield (*where, "InitialInstanceCount"), None, f"Specify InitialInstanceCount for variant {name}."


capacity.one_of("ProductionVariant", CAPACITIES)


@capacity.repair("ProductionVariant")
def _give_capacity(variant: Body, repair: Repair) -> None:
    if not variant.keys() & set(CAPACITIES) and (free := [name for name in CAPACITIES if name not in repair.fixed]):
        variant[free[0]] = repair.least(free[0])
    repair.only_one(variant, CAPACITIES)
    if "InstanceType" in variant and "InitialInstanceCount" not in variant and "InitialInstanceCount" not in repair.fixed:
        variant["InitialInstanceCount"] = repair.least("InitialInstanceCount")


def _sole(request: Body, values: Values, forms: tuple[str, ...], **changes: Any) -> Body:
    """Leave one variant, with these members of its capacity and no others, and other changes; return it."""
    variant: Body = request["ProductionVariants"][0]
    request["ProductionVariants"] = [variant]
    for name in (SHADOWS, "DataCaptureConfig"):
        request.pop(name, None)
    for name in (*CAPACITIES, "InitialInstanceCount", "VolumeSizeInGB"):
        variant.pop(name, None)
    variant |= {name: values.least(f"{VARIANTS}.{name}") for name in forms} | changes
    return variant


def _capacities(request: Body, values: Values, forms: tuple[str, ...], place: tuple[str, ...] = ()) -> Where:
    _sole(request, values, forms)
    return "ProductionVariants", 0, *place


capacity.inside("serverless", "a variant with ServerlessConfig alone")(partial(_capacities, forms=("ServerlessConfig",)))
capacity.outside("none", "a variant with no form of capacity")(partial(_capacities, forms=()))
capacity.outside("two", "a variant with InstanceType and ServerlessConfig")(partial(_capacities, forms=(*INSTANCES, "ServerlessConfig")))
capacity.outside("uncounted", "a variant with InstanceType and no InitialInstanceCount")(
    partial(_capacities, forms=("InstanceType",), place=("InitialInstanceCount",))
)


@cross_field(
    CONFIG, f"{VARIANTS}.ModelName", "model-or-role", "assumed", f"{PRODUCTION_VARIANT}.ModelName: absent for inference components"
)
def model_or_role(request: Body, _: Any) -> Breaches:
    """Refuse a variant without a model in a configuration without a role."""
    for where, variant in variants(request):
        if "ModelName" not in variant and "ExecutionRoleArn" not in request:
            text = f"Specify ModelName for variant {variant.get('VariantName')}, or ExecutionRoleArn for inference components."
            yield (*where, "ModelName"), None, text


@model_or_role.repair(CONFIG_INPUT)
def _give_models_or_role(request: Body, repair: Repair) -> None:
    if "ExecutionRoleArn" in request:
        return
    no_role = "ExecutionRoleArn" in repair.fixed
    for variant in _free(request, repair):
        if no_role:  # a variant with a model cannot have it
            variant.pop("ManagedInstanceScaling", None)
        if "ManagedInstanceScaling" not in variant:
            variant.setdefault("ModelName", repair.least(f"{VARIANTS}.ModelName"))
    if not no_role and any("ModelName" not in variant for _, variant in variants(request)):
        request["ExecutionRoleArn"] = repair.least("ExecutionRoleArn")


def _without_model(request: Body, _: Values, role: bool) -> Where:
    request["ProductionVariants"][0].pop("ModelName", None)
    if not role:
        request.pop("ExecutionRoleArn", None)
    return "ProductionVariants", 0, "ModelName"


model_or_role.inside("role", "a variant without a model, in a configuration with a role", "ExecutionRoleArn")(
    partial(_without_model, role=True)
)
model_or_role.outside("neither", "a variant without a model, in a configuration without a role")(partial(_without_model, role=False))


# What only a configuration for inference components has, whose variants name no model.


def _of_models(request: Body, values: Values, model: bool) -> Body:
    """Let the first variant name a model, or none name one; return the first."""
    request.pop("EnableNetworkIsolation", None)
    first: Body = request["ProductionVariants"][0]
    first.pop("ManagedInstanceScaling", None)
    if model:
        first.setdefault("ModelName", values.least(f"{VARIANTS}.ModelName"))
        return first
    for _, variant in variants(request):
        variant.pop("ModelName", None)
    request.setdefault("ExecutionRoleArn", values.least("ExecutionRoleArn"))
    return first


def _scaling(request: Body, values: Values, least: int, model: bool) -> Where:
    _of_models(request, values, model)["ManagedInstanceScaling"] = {"Status": "ENABLED", "MinInstanceCount": least}
    return "ProductionVariants", 0, "ManagedInstanceScaling", "MinInstanceCount"


def _drop_model_or_scaling(variant: Body, repair: Repair) -> None:
    if "ModelName" in variant and "ManagedInstanceScaling" in variant:
        if not repair.stays("ModelName"):
            del variant["ModelName"]
        elif "ManagedInstanceScaling" not in repair.fixed:
            del variant["ManagedInstanceScaling"]


SCALING = f"{VARIANTS}.ManagedInstanceScaling"


@cross_field(CONFIG, SCALING, "inference-components", "observed", "hashicorp/terraform-provider-aws#45926 (GitHub), of MinInstanceCount 0")
def no_model_at_zero(request: Body, _: Any) -> Breaches:
    """Refuse to scale a variant with a model down to no instance."""
    for where, variant in variants(request):
        if "ModelName" in variant and _scales_to_zero(variant):
            text = "ManagedInstanceScaling is only supported for inference component endpoints."
            yield (*where, "ManagedInstanceScaling"), variant["ManagedInstanceScaling"], text


no_model_at_zero.repair("ProductionVariant")(_drop_model_or_scaling)
no_model_at_zero.inside("components", "a variant without a model, scaled down to no instance")(partial(_scaling, least=0, model=False))
no_model_at_zero.outside("0", "a model that is scaled down to no instance")(partial(_scaling, least=0, model=True))


@cross_field(CONFIG, SCALING, "scaling-with-model", "observed", "DIAGNijmegen/rse-grand-challenge#4659 (GitHub)", since="2026-04")
def no_scaling_of_models(request: Body, _: Any) -> Breaches:
    """Refuse managed scaling of a variant with a model; down to no instance is refused with another text."""
    for where, variant in variants(request):
        scaling = variant.get("ManagedInstanceScaling") or {}
        if "ModelName" in variant and scaling.get("Status") == "ENABLED" and not _scales_to_zero(variant):
            text = "ManagedInstanceScaling is not supported with the given EndpointConfig setup."
            yield (*where, "ManagedInstanceScaling"), scaling, text


no_scaling_of_models.repair("ProductionVariant")(_drop_model_or_scaling)
no_scaling_of_models.inside("components", "managed scaling of a variant without a model")(partial(_scaling, least=1, model=False))
no_scaling_of_models.outside("model", "managed scaling of a variant with a model")(partial(_scaling, least=1, model=True))


@cross_field(
    CONFIG, "EnableNetworkIsolation", "isolation-with-model", "reported", "hashicorp/terraform-provider-aws#48738 (GitHub); text assumed"
)
def no_isolation_of_models(request: Body, _: Any) -> Breaches:
    """Refuse to isolate the endpoint of a variant with a model."""
    named = [variant.get("VariantName") for _, variant in variants(request) if "ModelName" in variant]
    if named and request.get("EnableNetworkIsolation") is True:
        text = f"EnableNetworkIsolation cannot be combined with ModelName of variant {named[0]}: it is for inference components."
        yield ("EnableNetworkIsolation",), True, text


@no_isolation_of_models.repair(CONFIG_INPUT)
def _drop_isolation_or_models(request: Body, repair: Repair) -> None:
    if request.get("EnableNetworkIsolation") is True and any("ModelName" in variant for _, variant in variants(request)):
        if not repair.stays("EnableNetworkIsolation"):
            del request["EnableNetworkIsolation"]
        elif "ExecutionRoleArn" in request or "ExecutionRoleArn" not in repair.fixed:
            for variant in _free(request, repair):
                variant.pop("ModelName", None)
            request.setdefault("ExecutionRoleArn", repair.least("ExecutionRoleArn"))


def _isolated(request: Body, values: Values, model: bool) -> Where:
    _of_models(request, values, model)
    request["EnableNetworkIsolation"] = True
    return ("EnableNetworkIsolation",)


no_isolation_of_models.inside("components", "an isolated endpoint for inference components")(partial(_isolated, model=False))
no_isolation_of_models.outside("model", "an isolated endpoint of a model")(partial(_isolated, model=True))

# Instances with storage of their own.

OWN_STORAGE = ("g5", "g6", "p5", "trn1")


def _has_own_storage(instance_type: str | None) -> bool:
    """Whether the instances of a type have storage of their own: there is a d in the family's name, or it is one of those without."""
    return "d" in _family(instance_type) or _family(instance_type).startswith(OWN_STORAGE)


@cross_field(
    CONFIG,
    f"{VARIANTS}.VolumeSizeInGB",
    "own-storage",
    "observed",
    "autogluon/autogluon-cloud#50 (GitHub), of g4dn; of other families aws/sagemaker-python-sdk#3870 and #4828 (GitHub)",
)
def no_volume_beside_own_storage(request: Body, _: Any) -> Breaches:
    """Refuse the size of a volume for instances that have storage of their own."""
    for where, variant in variants(request):
        own = next(filter(_has_own_storage, instance_types(variant)), None)
        if "VolumeSizeInGB" in variant and own is not None:
            text = f"VolumeSize parameter is not allowed for the selected Instance type {own}"
            yield (*where, "VolumeSizeInGB"), variant["VolumeSizeInGB"], text


@no_volume_beside_own_storage.repair("ProductionVariant")
def _drop_volume(variant: Body, repair: Repair) -> None:
    if "VolumeSizeInGB" in variant and any(map(_has_own_storage, instance_types(variant))):
        if not repair.stays("VolumeSizeInGB") or "InstancePools" in variant:
            del variant["VolumeSizeInGB"]
        elif "InstanceType" not in repair.fixed:
            variant["InstanceType"] = repair.least("InstanceType")


def _volume(request: Body, values: Values, instance_type: str) -> Where:
    _sole(request, values, (*INSTANCES, "VolumeSizeInGB"), InstanceType=instance_type)
    return "ProductionVariants", 0, "VolumeSizeInGB"


no_volume_beside_own_storage.inside("c5", "the size of a volume for instances without other storage")(
    partial(_volume, instance_type="ml.c5.xlarge")
)
for _type in ("c5d", "g5", "trn1"):
    no_volume_beside_own_storage.outside(_type, f"the size of a volume for {_type} instances")(
        partial(_volume, instance_type=f"ml.{_type}.2xlarge")
    )

# Serverless variants.

SERVERLESS = f"{VARIANTS}.ServerlessConfig"
SERVERLESS_SHAPE = "ProductionVariantServerlessConfig"


def _serverless_configs(request: Mapping[str, Any]) -> Iterator[tuple[Where, Body]]:
    yield from (
        ((*where, "ServerlessConfig"), variant["ServerlessConfig"]) for where, variant in variants(request) if _is_serverless(variant)
    )


def _sole_serverless(request: Body, values: Values, **config: int) -> Where:
    """Leave one variant, a serverless one with changes of its configuration; return the place of that, or of the first that is changed."""
    _sole(request, values, ("ServerlessConfig",))["ServerlessConfig"] |= config
    return ("ProductionVariants", 0, "ServerlessConfig", *list(config)[:1])


@cross_field(
    CONFIG,
    f"{SERVERLESS}.ProvisionedConcurrency",
    "at-most-max",
    "documented",
    f"botocore service-2.json, {SERVERLESS_SHAPE}.ProvisionedConcurrency; text assumed",
)
def provisioned_at_most_max(request: Body, _: Any) -> Breaches:
    """Refuse more provisioned concurrency than there may be concurrency at all."""
    for where, config in _serverless_configs(request):
        provisioned, most = config.get("ProvisionedConcurrency", 0), config.get("MaxConcurrency")
        if most is not None and provisioned > most:
            text = f"ProvisionedConcurrency of ServerlessConfig is {provisioned}, and cannot be greater than MaxConcurrency, {most}."
            yield (*where, "ProvisionedConcurrency"), provisioned, text


@provisioned_at_most_max.repair(SERVERLESS_SHAPE)
def _even_concurrency(config: Body, repair: Repair) -> None:
    provisioned, most = config.get("ProvisionedConcurrency", 0), config.get("MaxConcurrency", 0)
    if provisioned > most:
        if "MaxConcurrency" not in repair.fixed and not repair.wanted.endswith(".MaxConcurrency"):
            config["MaxConcurrency"] = provisioned
        elif "ProvisionedConcurrency" not in repair.fixed:
            config["ProvisionedConcurrency"] = most


provisioned_at_most_max.inside("all", "as much provisioned concurrency as there may be at all")(
    partial(_sole_serverless, ProvisionedConcurrency=5, MaxConcurrency=5)
)
provisioned_at_most_max.outside("more", "more provisioned concurrency than there may be at all")(
    partial(_sole_serverless, ProvisionedConcurrency=5, MaxConcurrency=4)
)


@cross_field(CONFIG, SERVERLESS, "alone", "reported", f"aws/aws-cdk#35557 (GitHub); also {SERVERLESS_PAGE}; text assumed")
def serverless_alone(request: Body, _: Any) -> Breaches:
    """Refuse a serverless variant beside another production variant."""
    found = request.get("ProductionVariants") or ()
    serverless = [index for index, variant in enumerate(found) if _is_serverless(variant)]
    if serverless and len(found) > 1:
        variant = found[serverless[0]]
        text = f"ServerlessConfig of variant {variant.get('VariantName')} cannot be combined with other ProductionVariants."
        yield ("ProductionVariants", serverless[0], "ServerlessConfig"), variant["ServerlessConfig"], text


@serverless_alone.repair(CONFIG_INPUT)
def _separate_serverless(request: Body, repair: Repair) -> None:
    found: list[Body] = request.get("ProductionVariants") or []
    if len(found) > 1 and any(map(_is_serverless, found)) and "ProductionVariants" not in repair.fixed:
        if repair.wanted.startswith(SERVERLESS):
            del found[1:]
        else:
            for variant in filter(_is_serverless, found):
                _give_instances(variant, repair)


def _serverless_beside(request: Body, values: Values) -> Where:
    pair = _pair(request, values)
    where = _sole_serverless(request, values)
    request["ProductionVariants"] = pair
    return where


serverless_alone.inside("alone", "a serverless variant and no other")(_sole_serverless)
serverless_alone.outside("beside", "a serverless variant beside one with instances")(_serverless_beside)


def _captures(request: Mapping[str, Any]) -> bool:
    capture = request.get("DataCaptureConfig")
    return capture is not None and capture.get("EnableCapture") is not False


@cross_field(CONFIG, "DataCaptureConfig", "serverless", "documented", f"{SERVERLESS_PAGE}; text assumed")
def no_capture_of_serverless(request: Body, _: Any) -> Breaches:
    """Refuse to capture the data of a serverless variant."""
    serverless = [variant.get("VariantName") for _, variant in variants(request) if _is_serverless(variant)]
    if serverless and _captures(request):
        text = f"DataCaptureConfig cannot be combined with ServerlessConfig of variant {serverless[0]}."
        yield ("DataCaptureConfig",), request["DataCaptureConfig"], text


@no_capture_of_serverless.repair(CONFIG_INPUT)
def _drop_capture(request: Body, repair: Repair) -> None:
    if _captures(request) and any(_is_serverless(variant) for _, variant in variants(request)):
        if not repair.stays("DataCaptureConfig"):
            del request["DataCaptureConfig"]
        else:
            for variant in filter(_is_serverless, _free(request, repair)):
                _give_instances(variant, repair)


def _captured(request: Body, values: Values, forms: tuple[str, ...]) -> Where:
    _sole(request, values, forms)
    request["DataCaptureConfig"] = values.least("DataCaptureConfig") | {"EnableCapture": True}
    return ("DataCaptureConfig",)


no_capture_of_serverless.inside("instances", "captured data of a variant with instances")(partial(_captured, forms=INSTANCES))
no_capture_of_serverless.outside("serverless", "captured data of a serverless variant")(partial(_captured, forms=("ServerlessConfig",)))

# Shadow variants.


@cross_field(CONFIG, SHADOWS, "one-each", "documented", f"botocore service-2.json, {CONFIG_INPUT}.{SHADOWS}; text assumed")
def one_shadow_of_one(request: Body, _: Any) -> Breaches:
    """Refuse shadow variants unless there is one, of one production variant."""
    shadows, found = request.get(SHADOWS) or (), request.get("ProductionVariants") or ()
    if shadows and max(len(shadows), len(found)) > 1:
        member = "ProductionVariants" if len(found) > 1 else SHADOWS
        text = f"{SHADOWS} needs one variant there and one in ProductionVariants: there are {len(shadows)} and {len(found)}."
        yield (member,), request[member], text


@one_shadow_of_one.repair(CONFIG_INPUT)
def _cut_variants(request: Body, repair: Repair) -> None:
    if not request.get(SHADOWS) or not any(len(request.get(member) or ()) > 1 for member in VARIANT_LISTS):
        return
    counted = repair.wanted.removesuffix("[]")  # the list whose number of items is about to be wrong, or an item of it
    if SHADOWS not in repair.fixed and (counted == "ProductionVariants" or "ProductionVariants" in repair.fixed):
        del request[SHADOWS]
        return
    for member in VARIANT_LISTS:
        if member not in repair.fixed and member != counted:
            del request[member][1:]


def _shadow(request: Body, values: Values, count: int = 1, forms: tuple[str, ...] = INSTANCES, **changes: Any) -> Where:
    """Leave a count of production variants with instances, and a shadow variant with these members of its capacity, and other changes."""
    request.pop("AsyncInferenceConfig", None)
    last = dict(_sole(request, values, forms, **changes))
    variant = _sole(request, values, INSTANCES)
    last["VariantName"], *names = values.distinct(f"{VARIANTS}.VariantName", [variant["VariantName"]] * (count + 1))
    request |= {"ProductionVariants": [variant | {"VariantName": name} for name in names], SHADOWS: [last]}
    return (SHADOWS,)


one_shadow_of_one.inside("1", "a production variant with a shadow variant")(_shadow)
one_shadow_of_one.outside("2", "two production variants with a shadow variant")(partial(_shadow, count=2))


@cross_field(CONFIG, SHADOWS, "exclusions", "documented", f"{SHADOW_PAGE}; text assumed")
def no_excluded_shadows(request: Body, _: Any) -> Breaches:
    """Refuse shadow variants beside what shadow tests exclude: serverless variants, Inf1 instances, and asynchronous inference."""
    found: list[tuple[Where, Any]] = [*_serverless_configs(request)]
    found += [(("AsyncInferenceConfig",), config)] if (config := request.get("AsyncInferenceConfig")) is not None else []
    types = [((*where, "InstanceType"), variant.get("InstanceType")) for where, variant in variants(request)]
    found += [(where, instance_type) for where, instance_type in types if _family(instance_type) == "inf1"]
    for where, value in found if request.get(SHADOWS) else ():
        name = f"InstanceType {value}" if where[-1] == "InstanceType" else where[-1]
        yield where, value, f"{name} cannot be combined with {SHADOWS}."


@no_excluded_shadows.repair(CONFIG_INPUT)
def _drop_excluded(request: Body, repair: Repair) -> None:
    if not any(no_excluded_shadows.check(request, True)):
        return
    if not repair.stays(SHADOWS):
        del request[SHADOWS]
        return
    if "AsyncInferenceConfig" not in repair.fixed:
        request.pop("AsyncInferenceConfig", None)
    for variant in _free(request, repair):
        serverless = _is_serverless(variant) and not repair.wanted.startswith(f"{SHADOWS}[].ServerlessConfig")
        if serverless or _family(variant.get("InstanceType")) == "inf1":
            _give_instances(variant, repair)


def _async_shadow(request: Body, values: Values) -> Where:
    _shadow(request, values)
    request["AsyncInferenceConfig"] = values.least("AsyncInferenceConfig")
    return ("AsyncInferenceConfig",)


no_excluded_shadows.inside("instances", "a shadow variant with instances")(_shadow)
no_excluded_shadows.outside("serverless", "a serverless shadow variant")(partial(_shadow, forms=("ServerlessConfig",)))
no_excluded_shadows.outside("inf1", "a shadow variant with Inf1 instances")(partial(_shadow, InstanceType="ml.inf1.xlarge"))
no_excluded_shadows.outside("async", "a shadow variant of an asynchronous endpoint")(_async_shadow)

# Numbers of which only some are documented.


def _one_of(
    holder: str, shape: str, member: str, allowed: Sequence[int], find: Callable[[Body], Iterable[tuple[Where, Body]]], put: Any, wrong: int
) -> None:
    """Define the rule that a number is one of those that are documented: `find` yields what holds it, `put` makes a request with it."""

    @cross_field(CONFIG, f"{holder}.{member}", "values", "documented", f"botocore service-2.json, {shape}.{member}; text assumed")
    def one_of(request: Body, _: Any) -> Breaches:
        for where, config in find(request):
            if (number := config.get(member, allowed[0])) not in allowed:
                text = f"{member} of {where[-1]} is {number}, and has to be one of {', '.join(map(str, allowed))}."
                yield (*where, member), number, text

    @one_of.repair(shape)
    def _(config: Body, repair: Repair) -> None:
        if member in config and member not in repair.fixed:
            config[member] = min(allowed, key=lambda number: abs(number - config[member]))

    one_of.inside(str(allowed[1]), "one of the numbers that are documented")(partial(put, **{member: allowed[1]}))
    one_of.outside(str(wrong), "none of the numbers that are documented")(partial(put, **{member: wrong}))


def _metrics(request: Body, _: Values, **config: int) -> Where:
    request["MetricsConfig"] = config
    return "MetricsConfig", *config


_one_of(SERVERLESS, SERVERLESS_SHAPE, "MemorySizeInMB", range(1024, 6145, 1024), _serverless_configs, _sole_serverless, 1500)
_one_of(
    "MetricsConfig",
    "MetricsConfig",
    "MetricPublishFrequencyInSeconds",
    (10, 30, 60, 120, 180, 240, 300),
    lambda request: [(("MetricsConfig",), found)] if isinstance(found := request.get("MetricsConfig"), dict) else [],
    _metrics,
    7,
)

tagged("CreateEndpointConfig")

# Preconditions.

endpoint_config_not_taken = register(not_taken("EndpointConfig", "observed", "awslabs/spot-tagging-bot-for-digital-assets#2 (GitHub)"))

ONE_INSTANCE = {"InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
ONE_GIGABYTE = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
PIPELINE: Body = {"Containers": []}
MULTI_MODEL = {"Mode": "MultiModel", "ModelDataUrl": "s3://bucket/models/"}
PREFIX = {"S3DataSource": {"S3Uri": "s3://bucket/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}}
LOG = "a public log, no stable address"
NOT_SERVERLESS = f"{SERVERLESS_PAGE}; text assumed"


def models_of(request: Body, account: Account) -> Iterator[tuple[Where, Body, Mapping[str, Any]]]:
    """Yield each variant of a model, with its place and the model."""
    for where, variant in variants(request):
        name = variant.get("ModelName")
        model = account.find("Model", name) if name else None
        if model is not None:
            yield where, variant, model


def state_of_model(setup: Setup, side: Side, label: str, how: str, variant: Body, model: Body, **more: Any) -> State:
    """Return a state of a configuration with one variant, of a model with some members: those of `Container` are of its container."""
    creation, request = setup.make("CreateModel"), setup.make(CONFIG)
    container = creation.pop("PrimaryContainer") | model.get("Container", {})
    creation |= {"Containers": [container] * 2} if model == PIPELINE else {"PrimaryContainer": container} | model
    creation.pop("Container", None)
    name = request["ProductionVariants"][0]["VariantName"]
    request |= {"ProductionVariants": [{"VariantName": name, "ModelName": creation["ModelName"], **variant}]} | more
    return State(side, label, how, request, ("ProductionVariants", 0, "ModelName"), (("CreateModel", creation),))


def _not_serverless(
    keyword: str, evidence: Evidence, source: str, text: str, is_so: Callable[[Mapping[str, Any]], Any], model: Body
) -> None:
    """Define the precondition that the model of a serverless variant is not of a kind: `is_so` tells it, such as of one with `model`."""

    @precondition(CONFIG, "", f"serverless-{keyword}", evidence, source)
    def check(request: Body, account: Account, _: Any) -> Breaches:
        for where, variant, found in models_of(request, account):
            if _is_serverless(variant) and is_so(found):
                yield (*where, "ModelName"), variant["ModelName"], text.format(name=variant["ModelName"])

    @check.examples
    def states(_: Rule, setup: Setup) -> Iterator[State]:
        yield state_of_model(setup, "inside", "plain", "a serverless variant of a plain model", ONE_GIGABYTE, {})
        yield state_of_model(setup, "outside", keyword, f"a serverless variant of a model with {keyword}", ONE_GIGABYTE, model)


def has_in_container(model: Mapping[str, Any], member: str, *values: Any) -> bool:
    """Whether a container of a model has a member, with one of the values if there are some."""
    found = [container[member] for _, container in containers(model) if container.get(member) is not None]
    return any(value in values for value in found) if values else bool(found)


def _is_pipeline(model: Mapping[str, Any]) -> bool:
    return len(model.get("Containers") or ()) > 1 and (model.get("InferenceExecutionConfig") or {}).get("Mode") != "Direct"


_not_serverless(
    *("isolation", "reported", LOG),
    text="The network isolation is not supported for serverless endpoint. Please disable the network isolation.",
    is_so=lambda model: model.get("EnableNetworkIsolation") is True,
    model={"EnableNetworkIsolation": True},
)
_not_serverless(
    *("vpc", "reported", f"aws/amazon-sagemaker-examples#3102 (GitHub); also {NOT_SERVERLESS}"),
    text="ServerlessConfig cannot be combined with VpcConfig of model {name}.",
    is_so=lambda model: model.get("VpcConfig"),
    model={"VpcConfig": {"SecurityGroupIds": ["sg-0"], "Subnets": ["subnet-0"]}},
)
_not_serverless(
    *("source", "reported", f"{LOG}; also botocore service-2.json, ContainerDefinition.ModelDataSource; text known to `ModelDataSourc`"),
    text="Model with containers that use ModelDataSource cannot be used with ServerlessConfig.",
    is_so=lambda model: has_in_container(model, "ModelDataSource"),
    model={"Container": {"ModelDataSource": PREFIX}},
)
_not_serverless(
    *("pipeline", "documented", NOT_SERVERLESS, "ServerlessConfig cannot be combined with the inference pipeline in Containers of {name}."),
    is_so=_is_pipeline,
    model=PIPELINE,
)
_not_serverless(
    *("registry", "documented", NOT_SERVERLESS, "ServerlessConfig cannot be combined with RepositoryAccessMode Vpc of model {name}."),
    is_so=lambda model: any((one.get("ImageConfig") or {}).get("RepositoryAccessMode") == "Vpc" for _, one in containers(model)),
    model={"Container": {"Image": "registry.example.com/a:1", "ImageConfig": {"RepositoryAccessMode": "Vpc"}}},
)
_not_serverless(
    *("multi-model", "documented", NOT_SERVERLESS, "ServerlessConfig cannot be combined with Mode MultiModel of model {name}."),
    is_so=lambda model: has_in_container(model, "Mode", "MultiModel"),
    model={"Container": MULTI_MODEL},
)
ON_GPUS = "aws/sagemaker-pytorch-inference-toolkit#129 (GitHub); also aws/sagemaker-python-sdk#1323 (GitHub)"


@precondition(CONFIG, f"{VARIANTS}.InstanceType", "multi-model-type", "observed", ON_GPUS, until="2022-10")
def no_multi_model_on_gpus(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse instances with GPUs for a model in MultiModel mode."""
    for where, variant, model in models_of(request, account):
        on_gpus = [found for found in instance_types(variant) if _family(found).startswith(("g", "p"))]
        if on_gpus and has_in_container(model, "Mode", "MultiModel"):
            yield (*where, "InstanceType"), on_gpus[0], f"MultiModel mode is not supported for instance type {on_gpus[0]}."


@no_multi_model_on_gpus.examples
def _on_types(_: Rule, setup: Setup) -> Iterator[State]:
    for side, name in zip(SIDES, ("m5", "g4dn"), strict=True):
        instances = {"InstanceType": f"ml.{name}.xlarge", "InitialInstanceCount": 1}
        yield state_of_model(setup, side, name, f"a model in MultiModel mode on {name} instances", instances, {"Container": MULTI_MODEL})
