"""Examples for the rules between members: requests that just keep, or just break, one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from .mutations import Where
from .tree import LEAST, Choices, Node, copy, distinct

Side = Literal["inside", "outside"]
SIDES: tuple[Side, Side] = ("inside", "outside")
Request = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kit:
    """What a recipe works with.

    Attributes:
        root: the tree of the request.
        bound: the rule's.
        choices: what chooses.
    """

    root: Node
    bound: Any
    choices: Choices

    def least(self, path: str) -> Any:
        """Return the simplest value of a member."""
        return self.root.find(path).make(LEAST)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a request that keeps a rule is changed into one that just keeps it, or that breaks it alone.

    Attributes:
        side: `inside` or `outside`.
        label: what tells it from others in the id of a case; `{bound}` and `{beyond}` stand for the bound and one more.
        how: what is done, in words.
        must: the member that the request has to have before.
        apply: changes the request, and returns where.
    """

    side: Side
    label: str
    how: str
    must: str
    apply: Callable[[Request, Kit], Where]


RECIPES: dict[str, list[Recipe]] = {}
"""The recipes by the id of the rule; for rules that several operations have, by what follows the slash."""


def recipes(rule_id: str) -> list[Recipe]:
    """Return the recipes for a rule between members.

    Raises:
        LookupError: nobody wrote one.
    """
    found = RECIPES.get(rule_id) or RECIPES.get(rule_id.partition("/")[2])
    if not found:
        raise LookupError(f"there is no recipe for {rule_id}: write one in crossbreaks.py or hostingbreaks.py")
    return found


def recipe(
    rule_id: str, side: Side, label: str, how: str, must: str = ""
) -> Callable[[Callable[[Request, Kit], Where]], Callable[[Request, Kit], Where]]:
    """Register a recipe."""

    def register(apply: Callable[[Request, Kit], Where]) -> Callable[[Request, Kit], Where]:
        RECIPES.setdefault(rule_id, []).append(Recipe(side, label, how, must, apply))
        return apply

    return register


def names(node: Node, count: int) -> list[str]:
    """Return different strings of a member, the simplest that there are."""
    return distinct([node.make(LEAST)] * count, node)


UNIQUE = "Tags:unique-keys"


@recipe(UNIQUE, "inside", "different", "two tags, whose keys differ in case alone", "Tags")
def _other_key(request: Request, kit: Kit) -> Where:
    tag = kit.least("Tags[]")
    request["Tags"] = [tag, tag | {"Key": tag["Key"].swapcase()}]
    return "Tags", 1, "Key"


@recipe(UNIQUE, "outside", "same", "a tag with the key of another", "Tags[]")
def _same_key(request: Request, kit: Kit) -> Where:
    tags = request["Tags"]
    most = kit.root.find("Tags").least_most()[1]
    value = kit.root.find("Tags[].Value").make(kit.choices)
    request["Tags"] = [*tags[: most - 1], {"Key": tags[0]["Key"], "Value": value}]
    return "Tags", len(request["Tags"]) - 1, "Key"


@recipe("CreateModel:container-required", "inside", "given", "a primary container", "PrimaryContainer")
def _given(request: Request, kit: Kit) -> Where:
    return ("PrimaryContainer",)


@recipe("CreateModel:container-required", "outside", "missing", "no container at all")
def _no_container(request: Request, kit: Kit) -> Where:
    request.pop("Containers", None)
    request.pop("PrimaryContainer", None)
    return ("PrimaryContainer",)


FORM = "CreateModel:one-container-form"


@recipe(FORM, "inside", "containers", "Containers without PrimaryContainer", "Containers[]")
def _containers_alone(request: Request, kit: Kit) -> Where:
    return ("Containers",)


@recipe(FORM, "outside", "both", "PrimaryContainer beside Containers", "Containers[]")
def _both_forms(request: Request, kit: Kit) -> Where:
    request["PrimaryContainer"] = kit.least("PrimaryContainer")
    return ("PrimaryContainer",)


def _container(request: Request, kit: Kit) -> tuple[Where, Request]:
    """Return the first container, and where it is."""
    if request.get("Containers"):
        return ("Containers", 0), request["Containers"][0]
    return ("PrimaryContainer",), request.setdefault("PrimaryContainer", kit.least("PrimaryContainer"))


@recipe("CreateModel:image-or-package", "inside", "image", "a container with an image", "PrimaryContainer.Image")
def _image(request: Request, kit: Kit) -> Where:
    return "PrimaryContainer", "Image"


@recipe("CreateModel:image-or-package", "outside", "neither", "a container with neither Image nor ModelPackageName")
def _no_image(request: Request, kit: Kit) -> Where:
    where, container = _container(request, kit)
    container.pop("Image", None)
    container.pop("ModelPackageName", None)
    return *where, "Image"


PACKAGE = "PrimaryContainer.ModelPackageName"


@recipe("CreateModel:image-and-package", "inside", "package", "a container with a model package", PACKAGE)
def _package(request: Request, kit: Kit) -> Where:
    return "PrimaryContainer", "ModelPackageName"


@recipe("CreateModel:image-and-package", "outside", "both", "a container with Image and ModelPackageName")
def _image_and_package(request: Request, kit: Kit) -> Where:
    where, container = _container(request, kit)
    for name in ("Image", "ModelPackageName"):
        container.setdefault(name, kit.least(f"PrimaryContainer.{name}"))
    return *where, "ModelPackageName"


HOST = "CreateModel/Containers[].ContainerHostname"


def _pair(request: Request, kit: Kit) -> list[Request]:
    """Return the containers of a pipeline, two at least."""
    pipeline: list[Request] = request["Containers"]
    if len(pipeline) < 2:
        pipeline.append(kit.least("Containers[]"))
    return pipeline


def _name(pipeline: list[Request], kit: Kit) -> None:
    hosts = names(kit.root.find("Containers[].ContainerHostname"), len(pipeline))
    for container, name in zip(pipeline, hosts, strict=True):
        container["ContainerHostname"] = name


@recipe(f"{HOST}:all-or-none", "inside", "all", "a hostname for each of two containers", "Containers[]")
@recipe(f"{HOST}:unique", "inside", "different", "two containers with different hostnames", "Containers[]")
def _hostnames(request: Request, kit: Kit) -> Where:
    _name(_pair(request, kit), kit)
    return "Containers", 1, "ContainerHostname"


@recipe(f"{HOST}:all-or-none", "outside", "some", "a container without a hostname beside one that has one", "Containers[]")
def _some_hostnames(request: Request, kit: Kit) -> Where:
    pipeline = _pair(request, kit)
    _name(pipeline, kit)
    del pipeline[-1]["ContainerHostname"]
    return "Containers", len(pipeline) - 1, "ContainerHostname"


@recipe(f"{HOST}:unique", "outside", "same", "a container with the hostname of another", "Containers[]")
def _same_hostname(request: Request, kit: Kit) -> Where:
    pipeline = _pair(request, kit)
    _name(pipeline, kit)
    pipeline[-1]["ContainerHostname"] = pipeline[0]["ContainerHostname"]
    return "Containers", len(pipeline) - 1, "ContainerHostname"


@recipe(f"{HOST}:direct", "inside", "named", "direct invocation of containers with hostnames", "Containers[]")
def _direct(request: Request, kit: Kit) -> Where:
    _name(_pair(request, kit), kit)
    request["InferenceExecutionConfig"] = {"Mode": "Direct"}
    return "Containers", 0, "ContainerHostname"


@recipe(f"{HOST}:direct", "outside", "nameless", "direct invocation of containers without hostnames", "Containers[]")
def _direct_nameless(request: Request, kit: Kit) -> Where:
    for container in _pair(request, kit):
        container.pop("ContainerHostname", None)
    request["InferenceExecutionConfig"] = {"Mode": "Direct"}
    return "Containers", 0, "ContainerHostname"


MODES = "CreateModel/Containers[].Mode:one-multi-model"


def _modes(request: Request, kit: Kit, multi: int) -> Where:
    pipeline = _pair(request, kit)
    for container in pipeline:
        container.pop("Mode", None)
    for container in pipeline[:multi]:
        container["Mode"] = "MultiModel"
    if any("ContainerHostname" in container for container in pipeline):
        _name(pipeline, kit)
    return "Containers", multi - 1, "Mode"


@recipe(MODES, "inside", "1", "one container of two in MultiModel mode", "Containers[]")
def _one_multi(request: Request, kit: Kit) -> Where:
    return _modes(request, kit, 1)


@recipe(MODES, "outside", "2", "two containers in MultiModel mode", "Containers[]")
def _two_multi(request: Request, kit: Kit) -> Where:
    return _modes(request, kit, 2)


SEGMENTATION = "CreateModel/EnableNetworkIsolation:semantic-segmentation"


def _segmentation(request: Request, kit: Kit, *, isolated: bool) -> Where:
    where, container = _container(request, kit)
    container.pop("ModelPackageName", None)
    registry = kit.least("PrimaryContainer.Image").rpartition("/")[0]
    container["Image"] = f"{registry}/semantic-segmentation:1"
    request["EnableNetworkIsolation"] = isolated
    return *where, "Image"


@recipe(SEGMENTATION, "inside", "connected", "the Semantic Segmentation built-in, not isolated")
def _connected(request: Request, kit: Kit) -> Where:
    return _segmentation(request, kit, isolated=False)


@recipe(SEGMENTATION, "outside", "isolated", "the Semantic Segmentation built-in, isolated")
def _isolated(request: Request, kit: Kit) -> Where:
    return _segmentation(request, kit, isolated=True)


ELSEWHERE = "registry.example.com/a:1"


@recipe("CreateModel:ecr-image", "inside", "vpc", "an image outside ECR, with repository access through the VPC")
def _image_with_access(request: Request, kit: Kit) -> Where:
    where = _image_elsewhere(request, kit)
    _container(request, kit)[1]["ImageConfig"] = {"RepositoryAccessMode": "Vpc"}
    return where


@recipe("CreateModel:ecr-image", "outside", "elsewhere", "an image outside ECR, with no access to its registry")
def _image_elsewhere(request: Request, kit: Kit) -> Where:
    where, container = _container(request, kit)
    container.pop("ModelPackageName", None)
    container.pop("ImageConfig", None)
    container["Image"] = ELSEWHERE
    return *where, "Image"


BYTES = "CreateModel:environment-bytes"


def _bytes(request: Request, kit: Kit, total: int) -> Where:
    for container in (*request.get("Containers", ()), request.get("PrimaryContainer", {})):
        container.pop("Environment", None)
    where, container = _container(request, kit)
    node = kit.root.find("PrimaryContainer.Environment")
    longest = node.members["[value]"].sizes[1]
    environment = node.sized(-(-total // longest) + 1, {})
    left = total - sum(len(key) for key in environment)
    for key in environment:
        environment[key] = node.members["[value]"].string(min(left, longest))
        left -= len(environment[key])
    container["Environment"] = environment
    return *where, "Environment"


@recipe(BYTES, "inside", "{bound}", "as many bytes in environments as may be")
def _bytes_inside(request: Request, kit: Kit) -> Where:
    return _bytes(request, kit, kit.bound)


@recipe(BYTES, "outside", "{beyond}", "a byte more in environments than may be")
def _bytes_outside(request: Request, kit: Kit) -> Where:
    return _bytes(request, kit, kit.bound + 1 + kit.choices.number(0, 99))


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
