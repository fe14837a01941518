"""Rules between members of CreateEndpointConfig, and its preconditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .coded import SIDES, Account, Body, Breaches, Repair, Setup, State, Values, cross_field, not_taken, precondition, register
from .rule import Rule, Where
from .tags import tagged

CONFIG = "CreateEndpointConfig"
CONFIG_INPUT = "CreateEndpointConfigInput"
PRODUCTION_VARIANT = "botocore service-2.json, ProductionVariant"
VARIANT_LISTS = ("ProductionVariants", "ShadowProductionVariants")
VARIANTS = "ProductionVariants[]"
CAPACITIES = ("InstanceType", "InstancePools", "ServerlessConfig")


def variants(request: Mapping[str, Any]) -> Iterator[tuple[Where, dict[str, Any]]]:
    """Yield every variant of a CreateEndpointConfig request with its place."""
    for member in VARIANT_LISTS:
        for index, variant in enumerate(request.get(member) or ()):
            yield (member, index), variant


def _scales_to_zero(variant: Mapping[str, Any]) -> bool:
    return bool((variant.get("ManagedInstanceScaling") or {}).get("MinInstanceCount") == 0)


def _scale_to_one(variant: Body) -> None:
    variant["ManagedInstanceScaling"] = variant["ManagedInstanceScaling"] | {"MinInstanceCount": 1}


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
    """Return the production variants, two at least, with different names."""
    pair: list[Body] = request["ProductionVariants"]
    if len(pair) < 2:
        taken = [variant["VariantName"] for _, variant in variants(request)]
        path = f"{VARIANTS}.VariantName"
        free = values.distinct(path, [values.least(path)] * (len(taken) + 1))
        pair.append({**pair[0], "VariantName": next(name for name in free if name not in taken)})
    return pair


@unique_variants.inside("different", "two variants with different names")
def _other_variant(request: Body, values: Values) -> Where:
    _pair(request, values)
    return "ProductionVariants", 1, "VariantName"


@unique_variants.outside("same", "a variant with the name of another")
def _same_variant(request: Body, values: Values) -> Where:
    pair = _pair(request, values)
    pair[-1]["VariantName"] = pair[0]["VariantName"]
    return "ProductionVariants", len(pair) - 1, "VariantName"


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


def _without_capacity(request: Body) -> Body:
    variant: Body = request["ProductionVariants"][0]
    for name in (*CAPACITIES, "InitialInstanceCount"):
        variant.pop(name, None)
    return variant


@capacity.inside("serverless", "a variant with ServerlessConfig alone")
def _serverless(request: Body, values: Values) -> Where:
    _without_capacity(request)["ServerlessConfig"] = values.least(f"{VARIANTS}.ServerlessConfig")
    return "ProductionVariants", 0


@capacity.outside("none", "a variant with no form of capacity")
def _no_capacity(request: Body, _: Values) -> Where:
    _without_capacity(request)
    return "ProductionVariants", 0


@capacity.outside("two", "a variant with InstanceType and ServerlessConfig")
def _two_capacities(request: Body, values: Values) -> Where:
    variant = _without_capacity(request)
    for name in ("InstanceType", "InitialInstanceCount", "ServerlessConfig"):
        variant[name] = values.least(f"{VARIANTS}.{name}")
    return "ProductionVariants", 0


@capacity.outside("uncounted", "a variant with InstanceType and no InitialInstanceCount")
def _uncounted(request: Body, values: Values) -> Where:
    _without_capacity(request)["InstanceType"] = values.least(f"{VARIANTS}.InstanceType")
    return "ProductionVariants", 0, "InitialInstanceCount"


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
    for where, variant in variants(request):
        if where[0] not in repair.fixed:
            if no_role and _scales_to_zero(variant):  # there can be no model under zero instances either
                _scale_to_one(variant)
            if not _scales_to_zero(variant):
                variant.setdefault("ModelName", repair.least(f"{VARIANTS}.ModelName"))
    if not no_role and any("ModelName" not in variant for _, variant in variants(request)):
        request["ExecutionRoleArn"] = repair.least("ExecutionRoleArn")


@model_or_role.inside("role", "a variant without a model, in a configuration with a role", "ExecutionRoleArn")
def _role(request: Body, _: Values) -> Where:
    request["ProductionVariants"][0].pop("ModelName", None)
    return "ProductionVariants", 0, "ModelName"


@model_or_role.outside("neither", "a variant without a model, in a configuration without a role")
def _no_role(request: Body, _: Values) -> Where:
    request["ProductionVariants"][0].pop("ModelName", None)
    request.pop("ExecutionRoleArn", None)
    return "ProductionVariants", 0, "ModelName"


@cross_field(
    CONFIG,
    f"{VARIANTS}.ManagedInstanceScaling",
    "inference-components",
    "observed",
    "hashicorp/terraform-provider-aws#45926 (GitHub), of MinInstanceCount 0; that other minima pass is assumed",
)
def no_model_at_zero(request: Body, _: Any) -> Breaches:
    """Refuse to scale a variant with a model down to no instance."""
    for where, variant in variants(request):
        if "ModelName" in variant and _scales_to_zero(variant):
            text = "ManagedInstanceScaling is only supported for inference component endpoints."
            yield (*where, "ManagedInstanceScaling"), variant["ManagedInstanceScaling"], text


@no_model_at_zero.repair("ProductionVariant")
def _drop_model_or_zero(variant: Body, repair: Repair) -> None:
    if "ModelName" in variant and _scales_to_zero(variant):
        if not repair.stays("ModelName"):
            del variant["ModelName"]
        elif "ManagedInstanceScaling" not in repair.fixed:
            _scale_to_one(variant)


def _scaling(request: Body, values: Values, least: int) -> Where:
    variant = request["ProductionVariants"][0]
    variant.setdefault("ModelName", values.least(f"{VARIANTS}.ModelName"))
    variant["ManagedInstanceScaling"] = variant.get("ManagedInstanceScaling", {}) | {"MinInstanceCount": least}
    return "ProductionVariants", 0, "ManagedInstanceScaling", "MinInstanceCount"


@no_model_at_zero.inside("1", "a model that is scaled down to one instance")
def _to_one(request: Body, values: Values) -> Where:
    return _scaling(request, values, 1)


@no_model_at_zero.outside("0", "a model that is scaled down to no instance")
def _to_zero(request: Body, values: Values) -> Where:
    return _scaling(request, values, 0)


tagged("CreateEndpointConfig")

# Preconditions.

endpoint_config_not_taken = register(not_taken("EndpointConfig", "observed", "awslabs/spot-tagging-bot-for-digital-assets#2 (GitHub)"))


@precondition(CONFIG, "", "serverless-isolation", "reported", "a public log, no stable address")
def no_isolated_serverless(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse a serverless variant of a model that is isolated from the network."""
    for where, variant in variants(request):
        name = variant.get("ModelName")
        model = account.find("Model", name) if "ServerlessConfig" in variant and name else None
        if model is not None and model.get("EnableNetworkIsolation") is True:
            text = "The network isolation is not supported for serverless endpoint. Please disable the network isolation."
            yield (*where, "ModelName"), name, text


@no_isolated_serverless.examples
def _models(_: Rule, setup: Setup) -> Iterator[State]:
    for side, label in zip(SIDES, ("connected", "isolated"), strict=True):
        model = setup.make("CreateModel") | {"EnableNetworkIsolation": label == "isolated"}
        request = setup.make(CONFIG)
        name = request["ProductionVariants"][0]["VariantName"]
        serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
        request["ProductionVariants"] = [{"VariantName": name, "ModelName": model["ModelName"], "ServerlessConfig": serverless}]
        where = ("ProductionVariants", 0, "ModelName")
        yield State(side, label, f"a serverless variant of a model that is {label}", request, where, (("CreateModel", model),))
