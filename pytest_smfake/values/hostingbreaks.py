"""Recipes for the rules between members of CreateEndpointConfig and CreateTransformJob."""

from __future__ import annotations

from .places import Where
from .recipes import Kit, Request, names, recipe
from .shapes import copy

VARIANT = "CreateEndpointConfig/ProductionVariants[]"
LIST = "ProductionVariants[]"


def _variants(request: Request, kit: Kit) -> list[Request]:
    variants: list[Request] = request["ProductionVariants"]
    if len(variants) < 2:
        taken = [one["VariantName"] for one in (*variants, *request.get("ShadowProductionVariants", ()))]
        free = names(kit.root.find(f"{LIST}.VariantName"), len(taken) + 1)
        name = next(name for name in free if name not in taken)
        # It takes after the first, but for what a variant with a model cannot have.
        variants.append(copy(variants[0]) | {"VariantName": name})
    return variants


@recipe(f"{VARIANT}.VariantName:unique", "inside", "different", "two variants with different names")
def _other_variant(request: Request, kit: Kit) -> Where:
    _variants(request, kit)
    return "ProductionVariants", 1, "VariantName"


@recipe(f"{VARIANT}.VariantName:unique", "outside", "same", "a variant with the name of another")
def _same_variant(request: Request, kit: Kit) -> Where:
    variants = _variants(request, kit)
    variants[-1]["VariantName"] = variants[0]["VariantName"]
    return "ProductionVariants", len(variants) - 1, "VariantName"


def _bare(request: Request) -> Request:
    variant: Request = request["ProductionVariants"][0]
    for name in ("InstanceType", "InitialInstanceCount", "InstancePools", "ServerlessConfig"):
        variant.pop(name, None)
    return variant


@recipe(f"{VARIANT}:capacity", "inside", "serverless", "a variant with ServerlessConfig alone")
def _serverless(request: Request, kit: Kit) -> Where:
    _bare(request)["ServerlessConfig"] = kit.least(f"{LIST}.ServerlessConfig")
    return "ProductionVariants", 0


@recipe(f"{VARIANT}:capacity", "outside", "none", "a variant with no form of capacity")
def _no_capacity(request: Request, kit: Kit) -> Where:
    _bare(request)
    return "ProductionVariants", 0


@recipe(f"{VARIANT}:capacity", "outside", "two", "a variant with InstanceType and ServerlessConfig")
def _two_capacities(request: Request, kit: Kit) -> Where:
    variant = _bare(request)
    for name in ("InstanceType", "InitialInstanceCount", "ServerlessConfig"):
        variant[name] = kit.least(f"{LIST}.{name}")
    return "ProductionVariants", 0


@recipe(f"{VARIANT}:capacity", "outside", "uncounted", "a variant with InstanceType and no InitialInstanceCount")
def _uncounted(request: Request, kit: Kit) -> Where:
    _bare(request)["InstanceType"] = kit.least(f"{LIST}.InstanceType")
    return "ProductionVariants", 0, "InitialInstanceCount"


@recipe(
    f"{VARIANT}.ModelName:model-or-role", "inside", "role", "a variant without a model, in a configuration with a role", "ExecutionRoleArn"
)
def _role(request: Request, kit: Kit) -> Where:
    request["ProductionVariants"][0].pop("ModelName", None)
    return "ProductionVariants", 0, "ModelName"


@recipe(f"{VARIANT}.ModelName:model-or-role", "outside", "neither", "a variant without a model, in a configuration without a role")
def _no_role(request: Request, kit: Kit) -> Where:
    request["ProductionVariants"][0].pop("ModelName", None)
    request.pop("ExecutionRoleArn", None)
    return "ProductionVariants", 0, "ModelName"


def _scaling(request: Request, kit: Kit, least: int) -> Where:
    variant = request["ProductionVariants"][0]
    variant.setdefault("ModelName", kit.least(f"{LIST}.ModelName"))
    variant["ManagedInstanceScaling"] = variant.get("ManagedInstanceScaling", {}) | {"MinInstanceCount": least}
    return "ProductionVariants", 0, "ManagedInstanceScaling", "MinInstanceCount"


@recipe(f"{VARIANT}.ManagedInstanceScaling:inference-components", "inside", "1", "a model that is scaled down to one instance")
def _to_one(request: Request, kit: Kit) -> Where:
    return _scaling(request, kit, 1)


@recipe(f"{VARIANT}.ManagedInstanceScaling:inference-components", "outside", "0", "a model that is scaled down to no instance")
def _to_zero(request: Request, kit: Kit) -> Where:
    return _scaling(request, kit, 0)


PAYLOAD = "CreateTransformJob/MaxPayloadInMB:payload-in-all"


@recipe(PAYLOAD, "inside", "{bound}", "as much payload in all concurrent transforms as may be")
def _payload(request: Request, kit: Kit) -> Where:
    request |= {"MaxPayloadInMB": kit.bound, "MaxConcurrentTransforms": 1}
    return ("MaxPayloadInMB",)


@recipe(PAYLOAD, "outside", "{beyond}", "more payload in all concurrent transforms than may be")
def _too_much_payload(request: Request, kit: Kit) -> Where:
    concurrent = 1 + kit.choices.number(0, 9)
    request |= {"MaxPayloadInMB": kit.bound // concurrent + 1, "MaxConcurrentTransforms": concurrent}
    return ("MaxPayloadInMB",)
