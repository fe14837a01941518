"""Rules between members of the operations on endpoints and transform jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .models import Breaches, Where, cross_field

CONFIG = "CreateEndpointConfig"
VARIANT_SOURCE = "botocore service-2.json, ProductionVariant"


def variants(request: dict[str, Any]) -> Iterator[tuple[Where, dict[str, Any]]]:
    """Yield every variant of a CreateEndpointConfig request with its place."""
    for member in ("ProductionVariants", "ShadowProductionVariants"):
        for index, variant in enumerate(request.get(member) or ()):
            yield (member, index), variant


@cross_field(CONFIG, "ProductionVariants[].VariantName", "unique", "reported", "mlflow/mlflow#6486 (GitHub); text assumed")
def _unique_names(request: dict[str, Any], bound: Any) -> Breaches:
    seen: set[str] = set()
    for where, variant in variants(request):
        name = variant.get("VariantName")
        if name in seen:
            yield (*where, "VariantName"), name, f"Variant name {name} is used by more than one variant."
            return
        seen.update(filter(None, [name]))


@cross_field(CONFIG, "ProductionVariants[]", "capacity", "assumed", f"{VARIANT_SOURCE}: instances of a type, pools of them, or serverless")
def _capacity(request: dict[str, Any], bound: Any) -> Breaches:
    for where, variant in variants(request):
        name, forms = (
            variant.get("VariantName"),
            [form for form in ("InstanceType", "InstancePools", "ServerlessConfig") if form in variant],
        )
        if len(forms) != 1:
            text = f"Specify exactly one of InstanceType, InstancePools and ServerlessConfig for variant {name}."
            yield where, variant, text
        elif forms == ["InstanceType"] and "InitialInstanceCount" not in variant:
            yield (*where, "InitialInstanceCount"), None, f"Specify InitialInstanceCount for variant {name}."


@cross_field(
    CONFIG, "ProductionVariants[].ModelName", "model-or-role", "assumed", f"{VARIANT_SOURCE}.ModelName: absent for inference components"
)
def _model_or_role(request: dict[str, Any], bound: Any) -> Breaches:
    for where, variant in variants(request):
        if "ModelName" not in variant and "ExecutionRoleArn" not in request:
            text = f"Specify ModelName for variant {variant.get('VariantName')}, or ExecutionRoleArn for inference components."
            yield (*where, "ModelName"), None, text


@cross_field(
    CONFIG,
    "ProductionVariants[].ManagedInstanceScaling",
    "inference-components",
    "observed",
    "hashicorp/terraform-provider-aws#45926 (GitHub), of MinInstanceCount 0; that other minima pass is assumed",
)
def _scaling_to_zero(request: dict[str, Any], bound: Any) -> Breaches:
    for where, variant in variants(request):
        scaling = variant.get("ManagedInstanceScaling") or {}
        if "ModelName" in variant and scaling.get("MinInstanceCount") == 0:
            text = "ManagedInstanceScaling is only supported for inference component endpoints."
            yield (*where, "ManagedInstanceScaling"), scaling, text


@cross_field(
    "CreateTransformJob",
    "MaxPayloadInMB",
    "payload-in-all",
    "documented",
    "botocore service-2.json, CreateTransformJobRequest.MaxPayloadInMB; text assumed",
    bound=100,
)
def _payload_in_all(request: dict[str, Any], bound: Any) -> Breaches:
    payload, concurrent = request.get("MaxPayloadInMB", 0), request.get("MaxConcurrentTransforms", 1)
    if payload * max(concurrent, 1) > bound:
        text = f"MaxPayloadInMB times MaxConcurrentTransforms is {payload * concurrent}, and cannot exceed {bound} MB."
        yield ("MaxPayloadInMB",), payload, text
