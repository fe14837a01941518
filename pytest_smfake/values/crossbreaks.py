"""Recipes for the rules between members of CreateModel, and for those on tags."""

from __future__ import annotations

from .places import Where
from .recipes import Kit, Request, names, recipe

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
