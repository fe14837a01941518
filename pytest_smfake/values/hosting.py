"""How requests for endpoint configurations and transform jobs are made to hold the rules between members."""

from __future__ import annotations

from typing import Any

from .choices import LEAST
from .distinct import distinct
from .settling import only_one, settles
from .tree import Settling

VARIANT = "CreateEndpointConfig/ProductionVariants[]"
CAPACITY = ("InstanceType", "InstancePools", "ServerlessConfig")


@settles("ProductionVariant")
def variant(value: dict[str, Any], settling: Settling) -> None:
    """Give a variant one form of capacity, and no instances scaled to zero under a model."""
    if settling.bound(f"{VARIANT}:capacity"):
        if not value.keys() & set(CAPACITY) and (free := [name for name in CAPACITY if name not in settling.fixed]):
            value[free[0]] = settling.least(free[0])
        only_one(value, CAPACITY, settling)
        if "InstanceType" in value and "InitialInstanceCount" not in value and "InitialInstanceCount" not in settling.fixed:
            value["InitialInstanceCount"] = settling.least("InitialInstanceCount")
    zero = value.get("ManagedInstanceScaling", {}).get("MinInstanceCount") == 0
    if zero and "ModelName" in value and settling.bound(f"{VARIANT}.ManagedInstanceScaling:inference-components"):
        if not settling.stays("ModelName"):
            del value["ModelName"]
        elif "ManagedInstanceScaling" not in settling.fixed:
            value["ManagedInstanceScaling"] = value["ManagedInstanceScaling"] | {"MinInstanceCount": 1}


@settles("CreateEndpointConfigInput")
def create_endpoint_config(request: dict[str, Any], settling: Settling) -> None:
    """Give each variant a name of its own, and a model, or the configuration a role."""
    lists = [name for name in ("ProductionVariants", "ShadowProductionVariants") if name in request]
    variants = [one for name in lists for one in request[name]]
    changed = [one for name in lists if name not in settling.fixed for one in request[name]]
    if settling.bound(f"{VARIANT}.VariantName:unique"):
        names = distinct((one["VariantName"] for one in variants), settling.node.find("ProductionVariants[].VariantName"))
        for one, name in zip(variants, names, strict=True):
            one["VariantName"] = name
    if settling.bound(f"{VARIANT}.ModelName:model-or-role") and "ExecutionRoleArn" not in request:
        for one in changed:
            zero = one.get("ManagedInstanceScaling", {}).get("MinInstanceCount") == 0
            if zero and "ExecutionRoleArn" in settling.fixed:  # there can be no role, and no model under zero instances
                one["ManagedInstanceScaling"] = one["ManagedInstanceScaling"] | {"MinInstanceCount": 1}
            if "ModelName" not in one and (not zero or "ExecutionRoleArn" in settling.fixed):
                one["ModelName"] = settling.node.find("ProductionVariants[].ModelName").make(LEAST)
        if any("ModelName" not in one for one in variants) and "ExecutionRoleArn" not in settling.fixed:
            request["ExecutionRoleArn"] = settling.least("ExecutionRoleArn")


@settles("CreateTransformJobRequest")
def create_transform_job(request: dict[str, Any], settling: Settling) -> None:
    """Bound the payload of all concurrent transforms together."""
    most = settling.bound("CreateTransformJob/MaxPayloadInMB:payload-in-all")
    payload, concurrent = request.get("MaxPayloadInMB", 0), max(request.get("MaxConcurrentTransforms", 1), 1)
    if most is None or payload * concurrent <= most:
        return
    if "MaxPayloadInMB" not in settling.fixed:
        request["MaxPayloadInMB"] = min(payload, most // concurrent)
    elif "MaxConcurrentTransforms" not in settling.fixed:
        request["MaxConcurrentTransforms"] = most // payload
