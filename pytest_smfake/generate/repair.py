"""How a value is made to keep the rules between members: what is missing is added, what is too much is dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_smfake.rules.models import ECR_IMAGE

from .tree import LEAST, SETTLERS, Node, Settling, distinct

Container = dict[str, Any]


def settles(*shapes: str) -> Callable[[Callable[[Any, Settling], None]], Callable[[Any, Settling], None]]:
    """Register the settler of shapes of the SDK's model."""

    def register(settler: Callable[[Any, Settling], None]) -> Callable[[Any, Settling], None]:
        SETTLERS.update(dict.fromkeys(shapes, settler))
        return settler

    return register


def only_one(value: dict[str, Any], names: tuple[str, ...], settling: Settling) -> None:
    """Drop all but one of the members: one that has to stay, else the first that is there."""
    there = sorted((name for name in names if name in value), key=lambda name: not settling.stays(name))
    for name in there[1:]:
        if name not in settling.fixed:
            del value[name]


@settles("TagList")
def tags(value: list[dict[str, str]], settling: Settling) -> None:
    """Give each tag a key of its own."""
    operation = next(iter(settling.node.all.by_id)).partition(":")[0].partition("/")[0]
    if settling.bound(f"{operation}/Tags:unique-keys") and value:
        keys = distinct((tag["Key"] for tag in value), settling.node.members["[]"].members["Key"])
        for tag, key in zip(value, keys, strict=True):
            tag["Key"] = key


@settles("ContainerDefinition")
def container(value: Container, settling: Settling) -> None:
    """Give a container either an image or a model package, and an image outside ECR the access that it needs."""
    if settling.bound("CreateModel:image-and-package"):
        only_one(value, ("Image", "ModelPackageName"), settling)
    if settling.bound("CreateModel:image-or-package") and not value.keys() & {"Image", "ModelPackageName"}:
        name = "Image" if "Image" not in settling.fixed else "ModelPackageName"
        if name not in settling.fixed:
            value[name] = settling.least(name)
    mode = value.get("ImageConfig", {}).get("RepositoryAccessMode")
    if settling.bound("CreateModel:ecr-image") and "Image" in value and mode != "Vpc" and not ECR_IMAGE.fullmatch(value["Image"]):
        if not settling.stays("ImageConfig"):
            value["ImageConfig"] = value.get("ImageConfig", {}) | {"RepositoryAccessMode": "Vpc"}
        elif "Image" not in settling.fixed:
            value["Image"] = settling.least("Image")
    package = value.get("ModelPackageName", "")
    if settling.bound("CreateModel:package-region") and package.startswith("arn:") and "ModelPackageName" not in settling.fixed:
        # The first form that is long enough names the region of the simplest ARN.
        value["ModelPackageName"] = settling.node.members["ModelPackageName"].string(len(package))
    if "Environment" in value and "Environment" not in settling.fixed:
        _environments([value["Environment"]], settling.node.members["Environment"], settling)


def containers(request: dict[str, Any]) -> list[Container]:
    """Return every container of a CreateModel request."""
    return _of(request, "PrimaryContainer") + _of(request, "Containers")


def _of(request: dict[str, Any], name: str) -> list[Container]:
    found = request.get(name, [])
    return [found] if isinstance(found, dict) else found


@settles("CreateModelInput")
def create_model(request: dict[str, Any], settling: Settling) -> None:
    """Give a model its containers in one form, with hostnames that tell them apart, and no more than may be in all."""
    if settling.bound("CreateModel:one-container-form") and request.get("Containers"):
        only_one(request, ("Containers", "PrimaryContainer"), settling)
    if settling.bound("CreateModel:container-required") and not any(containers(request)):
        for name in ("PrimaryContainer", "Containers"):
            if name not in settling.fixed:
                made = settling.least(name)
                request[name] = made if name == "PrimaryContainer" else [settling.node.find("Containers[]").make(LEAST)]
                break
    if request.get("Containers"):
        if "Containers" not in settling.fixed:
            _pipeline(request, settling)
        elif "InferenceExecutionConfig" not in settling.fixed and not all("ContainerHostname" in one for one in request["Containers"]):
            request.pop("InferenceExecutionConfig", None)  # which may ask for hostnames
    _isolation(request, settling)
    free = [one for name in ("PrimaryContainer", "Containers") if name not in settling.fixed for one in _of(request, name)]
    _environments(
        [one["Environment"] for one in free if "Environment" in one], settling.node.find("PrimaryContainer.Environment"), settling
    )


def _pipeline(request: dict[str, Any], settling: Settling) -> None:
    pipeline, host, where = request["Containers"], "ContainerHostname", "CreateModel/Containers[].ContainerHostname"
    direct = settling.bound(f"{where}:direct") and request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct"
    node = settling.node.find(f"Containers[].{host}")
    named = [one for one in pipeline if host in one]
    if direct or (named and settling.bound(f"{where}:all-or-none")):
        for one in pipeline:
            one.setdefault(host, node.make(LEAST))
    named = [one for one in pipeline if host in one]
    if settling.bound(f"{where}:unique"):
        for one, name in zip(named, distinct((one[host] for one in named), node), strict=True):
            one[host] = name
    if settling.bound("CreateModel/Containers[].Mode:one-multi-model"):
        for one in [one for one in pipeline if one.get("Mode") == "MultiModel"][1:]:
            del one["Mode"]


def _isolation(request: dict[str, Any], settling: Settling) -> None:
    rule = "CreateModel/EnableNetworkIsolation:semantic-segmentation"
    if not settling.bound(rule) or not request.get("EnableNetworkIsolation") or "EnableNetworkIsolation" in settling.fixed:
        return
    if any("semantic-segmentation" in one.get("Image", "") for one in containers(request)):
        request["EnableNetworkIsolation"] = False


ROOM = 3 * 4 * 1024
"""Bytes that environments leave free where one of their entries is going to be changed."""


def _environments(environments: list[dict[str, str]], node: Node, settling: Settling) -> None:
    """Cut entries down to their share of the bytes that environments may hold, but for the very first if it leaves half of them."""
    most = settling.bound("CreateModel:environment-bytes")
    sizes = [_bytes(*entry) for environment in environments for entry in environment.items()]
    left = 0 if most is None else max(most - (ROOM if ".Environment" in settling.aim.path else 0), most // 2)
    if most is None or sum(sizes) <= left:
        return
    kept = int(sizes[0] <= left // 2)
    share = (left - sum(sizes[:kept])) // max(len(sizes) - kept, 1)
    for environment in environments:
        entries = [*environment.items()][:kept] + _cut([*environment.items()][kept:], node, share)
        kept = 0
        environment.clear()
        for key, value in zip(distinct((key for key, _ in entries), node.members["[key]"]), (value for _, value in entries), strict=True):
            if left >= _bytes(key, value):
                environment[key] = value
                left -= _bytes(key, value)


def _bytes(key: str, value: str) -> int:
    return len(key.encode()) + len(value.encode())


def _cut(entries: list[tuple[str, str]], node: Node, share: int) -> list[tuple[str, str]]:
    key_node, value_node = node.members["[key]"], node.members["[value]"]
    cut = []
    for key, value in entries:
        shorter = key if len(key.encode()) <= share // 2 else key_node.string(share // 2)
        left = share - len(shorter.encode())
        cut.append((shorter, value if len(value.encode()) <= left else value_node.string(left)))
    return cut


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
