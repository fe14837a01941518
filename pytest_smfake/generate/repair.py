"""How a value is made to keep the rules between members: what is missing is added, what is too much is dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_smfake.rules.models import ECR_IMAGE

from .tree import LEAST, REPAIRS, Node, Repair, distinct

ContainerDict = dict[str, Any]


def repairs(*shapes: str) -> Callable[[Callable[[Any, Repair], None]], Callable[[Any, Repair], None]]:
    """Register the repair of shapes of the SDK's model."""

    def register(repair: Callable[[Any, Repair], None]) -> Callable[[Any, Repair], None]:
        REPAIRS.update(dict.fromkeys(shapes, repair))
        return repair

    return register


def only_one(value: dict[str, Any], names: tuple[str, ...], repair: Repair) -> None:
    """Drop all but one of the members: one that has to stay, else the first that is there."""
    there = sorted((name for name in names if name in value), key=lambda name: not repair.stays(name))
    for name in there[1:]:
        if name not in repair.fixed:
            del value[name]


@repairs("TagList")
def tags(value: list[dict[str, str]], repair: Repair) -> None:
    """Give each tag a key of its own."""
    operation = next(iter(repair.node.all.by_id)).partition(":")[0].partition("/")[0]
    if repair.bound(f"{operation}/Tags:unique-keys") and value:
        keys = distinct((tag["Key"] for tag in value), repair.node.members["[]"].members["Key"])
        for tag, key in zip(value, keys, strict=True):
            tag["Key"] = key


@repairs("ContainerDefinition")
def container(value: ContainerDict, repair: Repair) -> None:
    """Give a container either an image or a model package, and an image outside ECR the access that it needs."""
    if repair.bound("CreateModel:image-and-package"):
        only_one(value, ("Image", "ModelPackageName"), repair)
    if repair.bound("CreateModel:image-or-package") and not value.keys() & {"Image", "ModelPackageName"}:
        name = "Image" if "Image" not in repair.fixed else "ModelPackageName"
        if name not in repair.fixed:
            value[name] = repair.least(name)
    mode = value.get("ImageConfig", {}).get("RepositoryAccessMode")
    if repair.bound("CreateModel:ecr-image") and "Image" in value and mode != "Vpc" and not ECR_IMAGE.fullmatch(value["Image"]):
        if not repair.stays("ImageConfig"):
            value["ImageConfig"] = value.get("ImageConfig", {}) | {"RepositoryAccessMode": "Vpc"}
        elif "Image" not in repair.fixed:
            value["Image"] = repair.least("Image")
    package = value.get("ModelPackageName", "")
    if repair.bound("CreateModel:package-region") and package.startswith("arn:") and "ModelPackageName" not in repair.fixed:
        # The first form that is long enough names the region of the simplest ARN.
        value["ModelPackageName"] = repair.node.members["ModelPackageName"].string(len(package))
    if "Environment" in value and "Environment" not in repair.fixed:
        _environments([value["Environment"]], repair.node.members["Environment"], repair)


def containers(request: dict[str, Any]) -> list[ContainerDict]:
    """Return every container of a CreateModel request."""
    return _of(request, "PrimaryContainer") + _of(request, "Containers")


def _of(request: dict[str, Any], name: str) -> list[ContainerDict]:
    found = request.get(name, [])
    return [found] if isinstance(found, dict) else found


@repairs("CreateModelInput")
def create_model(request: dict[str, Any], repair: Repair) -> None:
    """Give a model its containers in one form, with hostnames that tell them apart, and no more than may be in all."""
    if repair.bound("CreateModel:one-container-form") and request.get("Containers"):
        only_one(request, ("Containers", "PrimaryContainer"), repair)
    if repair.bound("CreateModel:container-required") and not any(containers(request)):
        for name in ("PrimaryContainer", "Containers"):
            if name not in repair.fixed:
                made = repair.least(name)
                request[name] = made if name == "PrimaryContainer" else [repair.node.find("Containers[]").make(LEAST)]
                break
    if request.get("Containers"):
        if "Containers" not in repair.fixed:
            _pipeline(request, repair)
        elif "InferenceExecutionConfig" not in repair.fixed and not all("ContainerHostname" in one for one in request["Containers"]):
            request.pop("InferenceExecutionConfig", None)  # which may ask for hostnames
    _isolation(request, repair)
    free = [one for name in ("PrimaryContainer", "Containers") if name not in repair.fixed for one in _of(request, name)]
    _environments([one["Environment"] for one in free if "Environment" in one], repair.node.find("PrimaryContainer.Environment"), repair)


def _pipeline(request: dict[str, Any], repair: Repair) -> None:
    pipeline, host, where = request["Containers"], "ContainerHostname", "CreateModel/Containers[].ContainerHostname"
    direct = repair.bound(f"{where}:direct") and request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct"
    node = repair.node.find(f"Containers[].{host}")
    named = [one for one in pipeline if host in one]
    if direct or (named and repair.bound(f"{where}:all-or-none")):
        for one in pipeline:
            one.setdefault(host, node.make(LEAST))
    named = [one for one in pipeline if host in one]
    if repair.bound(f"{where}:unique"):
        for one, name in zip(named, distinct((one[host] for one in named), node), strict=True):
            one[host] = name
    if repair.bound("CreateModel/Containers[].Mode:one-multi-model"):
        for one in [one for one in pipeline if one.get("Mode") == "MultiModel"][1:]:
            del one["Mode"]


def _isolation(request: dict[str, Any], repair: Repair) -> None:
    rule = "CreateModel/EnableNetworkIsolation:semantic-segmentation"
    if not repair.bound(rule) or not request.get("EnableNetworkIsolation") or "EnableNetworkIsolation" in repair.fixed:
        return
    if any("semantic-segmentation" in one.get("Image", "") for one in containers(request)):
        request["EnableNetworkIsolation"] = False


SPARE_BYTES = 3 * 4 * 1024
"""Bytes that environments leave free where one of their entries is going to be changed."""


def _environments(environments: list[dict[str, str]], node: Node, repair: Repair) -> None:
    """Cut entries down to their share of the bytes that environments may hold, but for the very first if it leaves half of them."""
    most = repair.bound("CreateModel:environment-bytes")
    sizes = [_bytes(*entry) for environment in environments for entry in environment.items()]
    left = 0 if most is None else max(most - (SPARE_BYTES if ".Environment" in repair.aim.path else 0), most // 2)
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


@repairs("ProductionVariant")
def variant(value: dict[str, Any], repair: Repair) -> None:
    """Give a variant one form of capacity, and no instances scaled to zero under a model."""
    if repair.bound(f"{VARIANT}:capacity"):
        if not value.keys() & set(CAPACITY) and (free := [name for name in CAPACITY if name not in repair.fixed]):
            value[free[0]] = repair.least(free[0])
        only_one(value, CAPACITY, repair)
        if "InstanceType" in value and "InitialInstanceCount" not in value and "InitialInstanceCount" not in repair.fixed:
            value["InitialInstanceCount"] = repair.least("InitialInstanceCount")
    zero = value.get("ManagedInstanceScaling", {}).get("MinInstanceCount") == 0
    if zero and "ModelName" in value and repair.bound(f"{VARIANT}.ManagedInstanceScaling:inference-components"):
        if not repair.stays("ModelName"):
            del value["ModelName"]
        elif "ManagedInstanceScaling" not in repair.fixed:
            value["ManagedInstanceScaling"] = value["ManagedInstanceScaling"] | {"MinInstanceCount": 1}


@repairs("CreateEndpointConfigInput")
def create_endpoint_config(request: dict[str, Any], repair: Repair) -> None:
    """Give each variant a name of its own, and a model, or the configuration a role."""
    lists = [name for name in ("ProductionVariants", "ShadowProductionVariants") if name in request]
    variants = [one for name in lists for one in request[name]]
    changed = [one for name in lists if name not in repair.fixed for one in request[name]]
    if repair.bound(f"{VARIANT}.VariantName:unique"):
        names = distinct((one["VariantName"] for one in variants), repair.node.find("ProductionVariants[].VariantName"))
        for one, name in zip(variants, names, strict=True):
            one["VariantName"] = name
    if repair.bound(f"{VARIANT}.ModelName:model-or-role") and "ExecutionRoleArn" not in request:
        for one in changed:
            zero = one.get("ManagedInstanceScaling", {}).get("MinInstanceCount") == 0
            if zero and "ExecutionRoleArn" in repair.fixed:  # there can be no role, and no model under zero instances
                one["ManagedInstanceScaling"] = one["ManagedInstanceScaling"] | {"MinInstanceCount": 1}
            if "ModelName" not in one and (not zero or "ExecutionRoleArn" in repair.fixed):
                one["ModelName"] = repair.node.find("ProductionVariants[].ModelName").make(LEAST)
        if any("ModelName" not in one for one in variants) and "ExecutionRoleArn" not in repair.fixed:
            request["ExecutionRoleArn"] = repair.least("ExecutionRoleArn")


@repairs("CreateTransformJobRequest")
def create_transform_job(request: dict[str, Any], repair: Repair) -> None:
    """Bound the payload of all concurrent transforms together."""
    most = repair.bound("CreateTransformJob/MaxPayloadInMB:payload-in-all")
    payload, concurrent = request.get("MaxPayloadInMB", 0), max(request.get("MaxConcurrentTransforms", 1), 1)
    if most is None or payload * concurrent <= most:
        return
    if "MaxPayloadInMB" not in repair.fixed:
        request["MaxPayloadInMB"] = min(payload, most // concurrent)
    elif "MaxConcurrentTransforms" not in repair.fixed:
        request["MaxConcurrentTransforms"] = most // payload
