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
class Inputs:
    """What an example works with.

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
class Example:
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
    apply: Callable[[Request, Inputs], Where]


EXAMPLES: dict[str, list[Example]] = {}
"""The examples by the id of the rule; for rules that several operations have, by what follows the slash."""


def examples(rule_id: str) -> list[Example]:
    """Return the examples for a rule between members.

    Raises:
        LookupError: nobody wrote one.
    """
    found = EXAMPLES.get(rule_id) or EXAMPLES.get(rule_id.partition("/")[2])
    if not found:
        raise LookupError(f"there is no example for {rule_id}: write one in examples.py")
    return found


def example(
    rule_id: str, side: Side, label: str, how: str, must: str = ""
) -> Callable[[Callable[[Request, Inputs], Where]], Callable[[Request, Inputs], Where]]:
    """Register an example."""

    def register(apply: Callable[[Request, Inputs], Where]) -> Callable[[Request, Inputs], Where]:
        EXAMPLES.setdefault(rule_id, []).append(Example(side, label, how, must, apply))
        return apply

    return register


def names(node: Node, count: int) -> list[str]:
    """Return different strings of a member, the simplest that there are."""
    return distinct([node.make(LEAST)] * count, node)


UNIQUE = "Tags:unique-keys"


@example(UNIQUE, "inside", "different", "two tags, whose keys differ in case alone", "Tags")
def _other_key(request: Request, inputs: Inputs) -> Where:
    tag = inputs.least("Tags[]")
    request["Tags"] = [tag, tag | {"Key": tag["Key"].swapcase()}]
    return "Tags", 1, "Key"


@example(UNIQUE, "outside", "same", "a tag with the key of another", "Tags[]")
def _same_key(request: Request, inputs: Inputs) -> Where:
    tags = request["Tags"]
    most = inputs.root.find("Tags").least_most()[1]
    value = inputs.root.find("Tags[].Value").make(inputs.choices)
    request["Tags"] = [*tags[: most - 1], {"Key": tags[0]["Key"], "Value": value}]
    return "Tags", len(request["Tags"]) - 1, "Key"


@example("CreateModel:container-required", "inside", "given", "a primary container", "PrimaryContainer")
def _given(request: Request, inputs: Inputs) -> Where:
    return ("PrimaryContainer",)


@example("CreateModel:container-required", "outside", "missing", "no container at all")
def _no_container(request: Request, inputs: Inputs) -> Where:
    request.pop("Containers", None)
    request.pop("PrimaryContainer", None)
    return ("PrimaryContainer",)


CONTAINER_FORM = "CreateModel:one-container-form"


@example(CONTAINER_FORM, "inside", "containers", "Containers without PrimaryContainer", "Containers[]")
def _containers_alone(request: Request, inputs: Inputs) -> Where:
    return ("Containers",)


@example(CONTAINER_FORM, "outside", "both", "PrimaryContainer beside Containers", "Containers[]")
def _both_forms(request: Request, inputs: Inputs) -> Where:
    request["PrimaryContainer"] = inputs.least("PrimaryContainer")
    return ("PrimaryContainer",)


def _container(request: Request, inputs: Inputs) -> tuple[Where, Request]:
    """Return the first container, and where it is."""
    if request.get("Containers"):
        return ("Containers", 0), request["Containers"][0]
    return ("PrimaryContainer",), request.setdefault("PrimaryContainer", inputs.least("PrimaryContainer"))


@example("CreateModel:image-or-package", "inside", "image", "a container with an image", "PrimaryContainer.Image")
def _image(request: Request, inputs: Inputs) -> Where:
    return "PrimaryContainer", "Image"


@example("CreateModel:image-or-package", "outside", "neither", "a container with neither Image nor ModelPackageName")
def _no_image(request: Request, inputs: Inputs) -> Where:
    where, container = _container(request, inputs)
    container.pop("Image", None)
    container.pop("ModelPackageName", None)
    return *where, "Image"


PACKAGE = "PrimaryContainer.ModelPackageName"


@example("CreateModel:image-and-package", "inside", "package", "a container with a model package", PACKAGE)
def _package(request: Request, inputs: Inputs) -> Where:
    return "PrimaryContainer", "ModelPackageName"


@example("CreateModel:image-and-package", "outside", "both", "a container with Image and ModelPackageName")
def _image_and_package(request: Request, inputs: Inputs) -> Where:
    where, container = _container(request, inputs)
    for name in ("Image", "ModelPackageName"):
        container.setdefault(name, inputs.least(f"PrimaryContainer.{name}"))
    return *where, "ModelPackageName"


HOST = "CreateModel/Containers[].ContainerHostname"


def _pair(request: Request, inputs: Inputs) -> list[Request]:
    """Return the containers of a pipeline, two at least."""
    pipeline: list[Request] = request["Containers"]
    if len(pipeline) < 2:
        pipeline.append(inputs.least("Containers[]"))
    return pipeline


def _name(pipeline: list[Request], inputs: Inputs) -> None:
    hosts = names(inputs.root.find("Containers[].ContainerHostname"), len(pipeline))
    for container, name in zip(pipeline, hosts, strict=True):
        container["ContainerHostname"] = name


@example(f"{HOST}:all-or-none", "inside", "all", "a hostname for each of two containers", "Containers[]")
@example(f"{HOST}:unique", "inside", "different", "two containers with different hostnames", "Containers[]")
def _hostnames(request: Request, inputs: Inputs) -> Where:
    _name(_pair(request, inputs), inputs)
    return "Containers", 1, "ContainerHostname"


@example(f"{HOST}:all-or-none", "outside", "some", "a container without a hostname beside one that has one", "Containers[]")
def _some_hostnames(request: Request, inputs: Inputs) -> Where:
    pipeline = _pair(request, inputs)
    _name(pipeline, inputs)
    del pipeline[-1]["ContainerHostname"]
    return "Containers", len(pipeline) - 1, "ContainerHostname"


@example(f"{HOST}:unique", "outside", "same", "a container with the hostname of another", "Containers[]")
def _same_hostname(request: Request, inputs: Inputs) -> Where:
    pipeline = _pair(request, inputs)
    _name(pipeline, inputs)
    pipeline[-1]["ContainerHostname"] = pipeline[0]["ContainerHostname"]
    return "Containers", len(pipeline) - 1, "ContainerHostname"


@example(f"{HOST}:direct", "inside", "named", "direct invocation of containers with hostnames", "Containers[]")
def _direct(request: Request, inputs: Inputs) -> Where:
    _name(_pair(request, inputs), inputs)
    request["InferenceExecutionConfig"] = {"Mode": "Direct"}
    return "Containers", 0, "ContainerHostname"


@example(f"{HOST}:direct", "outside", "nameless", "direct invocation of containers without hostnames", "Containers[]")
def _direct_nameless(request: Request, inputs: Inputs) -> Where:
    for container in _pair(request, inputs):
        container.pop("ContainerHostname", None)
    request["InferenceExecutionConfig"] = {"Mode": "Direct"}
    return "Containers", 0, "ContainerHostname"


MULTI_MODEL = "CreateModel/Containers[].Mode:one-multi-model"


def _modes(request: Request, inputs: Inputs, multi: int) -> Where:
    pipeline = _pair(request, inputs)
    for container in pipeline:
        container.pop("Mode", None)
    for container in pipeline[:multi]:
        container["Mode"] = "MultiModel"
    if any("ContainerHostname" in container for container in pipeline):
        _name(pipeline, inputs)
    return "Containers", multi - 1, "Mode"


@example(MULTI_MODEL, "inside", "1", "one container of two in MultiModel mode", "Containers[]")
def _one_multi(request: Request, inputs: Inputs) -> Where:
    return _modes(request, inputs, 1)


@example(MULTI_MODEL, "outside", "2", "two containers in MultiModel mode", "Containers[]")
def _two_multi(request: Request, inputs: Inputs) -> Where:
    return _modes(request, inputs, 2)


SEGMENTATION = "CreateModel/EnableNetworkIsolation:semantic-segmentation"


def _segmentation(request: Request, inputs: Inputs, *, isolated: bool) -> Where:
    where, container = _container(request, inputs)
    container.pop("ModelPackageName", None)
    registry = inputs.least("PrimaryContainer.Image").rpartition("/")[0]
    container["Image"] = f"{registry}/semantic-segmentation:1"
    request["EnableNetworkIsolation"] = isolated
    return *where, "Image"


@example(SEGMENTATION, "inside", "connected", "the Semantic Segmentation built-in, not isolated")
def _connected(request: Request, inputs: Inputs) -> Where:
    return _segmentation(request, inputs, isolated=False)


@example(SEGMENTATION, "outside", "isolated", "the Semantic Segmentation built-in, isolated")
def _isolated(request: Request, inputs: Inputs) -> Where:
    return _segmentation(request, inputs, isolated=True)


OUTSIDE_ECR = "registry.example.com/a:1"


@example("CreateModel:ecr-image", "inside", "vpc", "an image outside ECR, with repository access through the VPC")
def _image_with_access(request: Request, inputs: Inputs) -> Where:
    where = _image_elsewhere(request, inputs)
    _container(request, inputs)[1]["ImageConfig"] = {"RepositoryAccessMode": "Vpc"}
    return where


@example("CreateModel:ecr-image", "outside", "elsewhere", "an image outside ECR, with no access to its registry")
def _image_elsewhere(request: Request, inputs: Inputs) -> Where:
    where, container = _container(request, inputs)
    container.pop("ModelPackageName", None)
    container.pop("ImageConfig", None)
    container["Image"] = OUTSIDE_ECR
    return *where, "Image"


BYTES = "CreateModel:environment-bytes"


def _bytes(request: Request, inputs: Inputs, total: int) -> Where:
    for container in (*request.get("Containers", ()), request.get("PrimaryContainer", {})):
        container.pop("Environment", None)
    where, container = _container(request, inputs)
    node = inputs.root.find("PrimaryContainer.Environment")
    longest = node.members["[value]"].sizes[1]
    environment = node.sized(-(-total // longest) + 1, {})
    left = total - sum(len(key) for key in environment)
    for key in environment:
        environment[key] = node.members["[value]"].string(min(left, longest))
        left -= len(environment[key])
    container["Environment"] = environment
    return *where, "Environment"


@example(BYTES, "inside", "{bound}", "as many bytes in environments as may be")
def _bytes_inside(request: Request, inputs: Inputs) -> Where:
    return _bytes(request, inputs, inputs.bound)


@example(BYTES, "outside", "{beyond}", "a byte more in environments than may be")
def _bytes_outside(request: Request, inputs: Inputs) -> Where:
    return _bytes(request, inputs, inputs.bound + 1 + inputs.choices.number(0, 99))


VARIANT = "CreateEndpointConfig/ProductionVariants[]"
LIST = "ProductionVariants[]"


def _variants(request: Request, inputs: Inputs) -> list[Request]:
    variants: list[Request] = request["ProductionVariants"]
    if len(variants) < 2:
        taken = [one["VariantName"] for one in (*variants, *request.get("ShadowProductionVariants", ()))]
        free = names(inputs.root.find(f"{LIST}.VariantName"), len(taken) + 1)
        name = next(name for name in free if name not in taken)
        # It takes after the first, but for what a variant with a model cannot have.
        variants.append(copy(variants[0]) | {"VariantName": name})
    return variants


@example(f"{VARIANT}.VariantName:unique", "inside", "different", "two variants with different names")
def _other_variant(request: Request, inputs: Inputs) -> Where:
    _variants(request, inputs)
    return "ProductionVariants", 1, "VariantName"


@example(f"{VARIANT}.VariantName:unique", "outside", "same", "a variant with the name of another")
def _same_variant(request: Request, inputs: Inputs) -> Where:
    variants = _variants(request, inputs)
    variants[-1]["VariantName"] = variants[0]["VariantName"]
    return "ProductionVariants", len(variants) - 1, "VariantName"


def _bare(request: Request) -> Request:
    variant: Request = request["ProductionVariants"][0]
    for name in ("InstanceType", "InitialInstanceCount", "InstancePools", "ServerlessConfig"):
        variant.pop(name, None)
    return variant


@example(f"{VARIANT}:capacity", "inside", "serverless", "a variant with ServerlessConfig alone")
def _serverless(request: Request, inputs: Inputs) -> Where:
    _bare(request)["ServerlessConfig"] = inputs.least(f"{LIST}.ServerlessConfig")
    return "ProductionVariants", 0


@example(f"{VARIANT}:capacity", "outside", "none", "a variant with no form of capacity")
def _no_capacity(request: Request, inputs: Inputs) -> Where:
    _bare(request)
    return "ProductionVariants", 0


@example(f"{VARIANT}:capacity", "outside", "two", "a variant with InstanceType and ServerlessConfig")
def _two_capacities(request: Request, inputs: Inputs) -> Where:
    variant = _bare(request)
    for name in ("InstanceType", "InitialInstanceCount", "ServerlessConfig"):
        variant[name] = inputs.least(f"{LIST}.{name}")
    return "ProductionVariants", 0


@example(f"{VARIANT}:capacity", "outside", "uncounted", "a variant with InstanceType and no InitialInstanceCount")
def _uncounted(request: Request, inputs: Inputs) -> Where:
    _bare(request)["InstanceType"] = inputs.least(f"{LIST}.InstanceType")
    return "ProductionVariants", 0, "InitialInstanceCount"


@example(
    f"{VARIANT}.ModelName:model-or-role", "inside", "role", "a variant without a model, in a configuration with a role", "ExecutionRoleArn"
)
def _role(request: Request, inputs: Inputs) -> Where:
    request["ProductionVariants"][0].pop("ModelName", None)
    return "ProductionVariants", 0, "ModelName"


@example(f"{VARIANT}.ModelName:model-or-role", "outside", "neither", "a variant without a model, in a configuration without a role")
def _no_role(request: Request, inputs: Inputs) -> Where:
    request["ProductionVariants"][0].pop("ModelName", None)
    request.pop("ExecutionRoleArn", None)
    return "ProductionVariants", 0, "ModelName"


def _scaling(request: Request, inputs: Inputs, least: int) -> Where:
    variant = request["ProductionVariants"][0]
    variant.setdefault("ModelName", inputs.least(f"{LIST}.ModelName"))
    variant["ManagedInstanceScaling"] = variant.get("ManagedInstanceScaling", {}) | {"MinInstanceCount": least}
    return "ProductionVariants", 0, "ManagedInstanceScaling", "MinInstanceCount"


@example(f"{VARIANT}.ManagedInstanceScaling:inference-components", "inside", "1", "a model that is scaled down to one instance")
def _to_one(request: Request, inputs: Inputs) -> Where:
    return _scaling(request, inputs, 1)


@example(f"{VARIANT}.ManagedInstanceScaling:inference-components", "outside", "0", "a model that is scaled down to no instance")
def _to_zero(request: Request, inputs: Inputs) -> Where:
    return _scaling(request, inputs, 0)


PAYLOAD = "CreateTransformJob/MaxPayloadInMB:payload-in-all"


@example(PAYLOAD, "inside", "{bound}", "as much payload in all concurrent transforms as may be")
def _payload(request: Request, inputs: Inputs) -> Where:
    request |= {"MaxPayloadInMB": inputs.bound, "MaxConcurrentTransforms": 1}
    return ("MaxPayloadInMB",)


@example(PAYLOAD, "outside", "{beyond}", "more payload in all concurrent transforms than may be")
def _too_much_payload(request: Request, inputs: Inputs) -> Where:
    concurrent = 1 + inputs.choices.number(0, 9)
    request |= {"MaxPayloadInMB": inputs.bound // concurrent + 1, "MaxConcurrentTransforms": concurrent}
    return ("MaxPayloadInMB",)
