"""Rules between members of CreateModel, and its preconditions.

The service's text is quoted where it was observed or reported; a text graded `assumed` is our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .coded import SIDES, Account, Body, Breaches, Repair, Setup, State, Values, cross_field, not_taken, precondition, register
from .rule import Rule, Where
from .tags import tagged

PAGE = "CreateModel page"
CONTAINER = "botocore service-2.json, ContainerDefinition"
PRIVATE_LOG = "a public log, no stable address"
MODEL_INPUT = "CreateModelInput"


def containers(request: Mapping[str, Any], *, empty: bool = False) -> list[tuple[Where, dict[str, Any]]]:
    """Return every container of a CreateModel request with its place; a primary one that is empty if asked."""
    found: list[tuple[Where, dict[str, Any]]] = []
    if (primary := request.get("PrimaryContainer")) or (empty and primary == {}):
        found.append((("PrimaryContainer",), primary))
    if pipeline := request.get("Containers"):
        found += [(("Containers", index), container) for index, container in enumerate(pipeline)]
    return found


def _container(request: Body, values: Values) -> tuple[Where, Body]:
    """Return the first container, and where it is; make one if there is none."""
    if request.get("Containers"):
        return ("Containers", 0), request["Containers"][0]
    return ("PrimaryContainer",), request.setdefault("PrimaryContainer", values.least("PrimaryContainer"))


# Which containers a model has.


@cross_field("CreateModel", "", "container-required", "documented", f"{PAGE}, introduction; text assumed")
def container_required(request: Body, _: Any) -> Breaches:
    """Refuse a model without a container."""
    if request.get("PrimaryContainer") is None and not request.get("Containers"):
        yield ("PrimaryContainer",), None, "A model needs a container: specify either PrimaryContainer or Containers."


container_required.in_edition["sdk"] = ("assumed", f"{PAGE}, introduction, which the SDK's model does not repeat; text assumed")


@container_required.repair(MODEL_INPUT)
def _add_container(request: Body, repair: Repair) -> None:
    if request.get("PrimaryContainer") is None and not request.get("Containers"):
        for name in ("PrimaryContainer", "Containers"):
            if name not in repair.fixed:
                request[name] = repair.least(name) if name == "PrimaryContainer" else [repair.least("Containers[]")]
                break


@container_required.inside("given", "a primary container", "PrimaryContainer")
def _given(_: Body, __: Values) -> Where:
    return ("PrimaryContainer",)


@container_required.outside("missing", "no container at all")
def _no_container(request: Body, _: Values) -> Where:
    request.pop("Containers", None)
    request.pop("PrimaryContainer", None)
    return ("PrimaryContainer",)


@cross_field("CreateModel", "", "one-container-form", "reported", f"{PRIVATE_LOG}; text assumed")
def one_container_form(request: Body, _: Any) -> Breaches:
    """Refuse a model with both forms of containers."""
    if request.get("PrimaryContainer") is not None and request.get("Containers"):
        yield ("Containers",), request["Containers"], "Specify either PrimaryContainer or Containers, not both."


one_container_form.one_of(MODEL_INPUT, ("PrimaryContainer", "Containers"))


@one_container_form.repair(MODEL_INPUT)
def _drop_form(request: Body, repair: Repair) -> None:
    if request.get("Containers"):
        repair.only_one(request, ("Containers", "PrimaryContainer"))


@one_container_form.inside("containers", "Containers without PrimaryContainer", "Containers[]")
def _containers_alone(_: Body, __: Values) -> Where:
    return ("Containers",)


@one_container_form.outside("both", "PrimaryContainer beside Containers", "Containers[]")
def _both_forms(request: Body, values: Values) -> Where:
    request["PrimaryContainer"] = values.least("PrimaryContainer")
    return ("PrimaryContainer",)


# What a container holds.

_IMAGE_OR_PACKAGE = "Specify one of either Image and Model Data URL or ModelPackageName in container definition."


@cross_field("CreateModel", "", "image-or-package", "assumed", f"{CONTAINER}; text reported of image-and-package")
def image_or_package(request: Body, _: Any) -> Breaches:
    """Refuse a container with neither an image nor a model package."""
    for where, container in containers(request, empty=True):
        if container.get("Image") is None and container.get("ModelPackageName") is None:
            yield (*where, "Image"), None, _IMAGE_OR_PACKAGE


@image_or_package.repair("ContainerDefinition")
def _add_image(container: Body, repair: Repair) -> None:
    if not container.keys() & {"Image", "ModelPackageName"}:
        name = "Image" if "Image" not in repair.fixed else "ModelPackageName"
        if name not in repair.fixed:
            container[name] = repair.least(name)


@image_or_package.inside("image", "a container with an image", "PrimaryContainer.Image")
def _image(_: Body, __: Values) -> Where:
    return "PrimaryContainer", "Image"


@image_or_package.outside("neither", "a container with neither Image nor ModelPackageName")
def _no_image(request: Body, values: Values) -> Where:
    where, container = _container(request, values)
    container.pop("Image", None)
    container.pop("ModelPackageName", None)
    return *where, "Image"


@cross_field("CreateModel", "", "image-and-package", "contested", f"{PRIVATE_LOG}; the SDK's model allows both")
def image_and_package(request: Body, _: Any) -> Breaches:
    """Refuse a container with both an image and a model package."""
    for where, container in containers(request):
        if container.get("Image") is not None and container.get("ModelPackageName") is not None:
            yield (*where, "ModelPackageName"), container["ModelPackageName"], _IMAGE_OR_PACKAGE


image_and_package.one_of("ContainerDefinition", ("Image", "ModelPackageName"))


@image_and_package.repair("ContainerDefinition")
def _drop_package(container: Body, repair: Repair) -> None:
    repair.only_one(container, ("Image", "ModelPackageName"))


@image_and_package.inside("package", "a container with a model package", "PrimaryContainer.ModelPackageName")
def _package(_: Body, __: Values) -> Where:
    return "PrimaryContainer", "ModelPackageName"


@image_and_package.outside("both", "a container with Image and ModelPackageName")
def _image_beside_package(request: Body, values: Values) -> Where:
    where, container = _container(request, values)
    for name in ("Image", "ModelPackageName"):
        container.setdefault(name, values.least(f"PrimaryContainer.{name}"))
    return *where, "ModelPackageName"


# Hostnames of the containers of a pipeline.

HOSTNAME = "Containers[].ContainerHostname"


def _hostnames(request: Body) -> list[str | None]:
    return [container.get("ContainerHostname") for container in request.get("Containers") or ()]


def _name_all(request: Body, repair: Repair) -> None:
    """Give a hostname to each container that has none."""
    if "Containers" not in repair.fixed:
        for container in request["Containers"]:
            container.setdefault("ContainerHostname", repair.least(HOSTNAME))
    elif "InferenceExecutionConfig" not in repair.fixed:
        request.pop("InferenceExecutionConfig", None)  # which may ask for hostnames


def _pair(request: Body, values: Values) -> list[Body]:
    """Return the containers of a pipeline, two at least."""
    pipeline: list[Body] = request["Containers"]
    if len(pipeline) < 2:
        pipeline.append(values.least("Containers[]"))
    return pipeline


def _named_pair(request: Body, values: Values) -> list[Body]:
    """Return the containers of a pipeline, two at least, each with a hostname of its own."""
    pipeline = _pair(request, values)
    for container, name in zip(pipeline, values.distinct(HOSTNAME, [values.least(HOSTNAME)] * len(pipeline)), strict=True):
        container["ContainerHostname"] = name
    return pipeline


@cross_field("CreateModel", HOSTNAME, "all-or-none", "documented", f"{CONTAINER}.ContainerHostname; text assumed")
def all_or_no_hostname(request: Body, _: Any) -> Breaches:
    """Refuse a pipeline in which some containers have a hostname and others have none."""
    hostnames = _hostnames(request)
    if None in hostnames and any(hostnames):
        yield (
            ("Containers", hostnames.index(None), "ContainerHostname"),
            None,
            "ContainerHostname must be specified for every container of the inference pipeline or for none of them.",
        )


@all_or_no_hostname.repair(MODEL_INPUT)
def _name_the_others(request: Body, repair: Repair) -> None:
    hostnames = _hostnames(request)
    if None in hostnames and any(hostnames):
        _name_all(request, repair)


@all_or_no_hostname.inside("all", "a hostname for each of two containers", "Containers[]")
def _all_hostnames(request: Body, values: Values) -> Where:
    _named_pair(request, values)
    return "Containers", 1, "ContainerHostname"


@all_or_no_hostname.outside("some", "a container without a hostname beside one that has one", "Containers[]")
def _some_hostnames(request: Body, values: Values) -> Where:
    pipeline = _named_pair(request, values)
    del pipeline[-1]["ContainerHostname"]
    return "Containers", len(pipeline) - 1, "ContainerHostname"


@cross_field(
    "CreateModel",
    HOSTNAME,
    "direct",
    "documented",
    "awsdocs/amazon-sagemaker-developer-guide doc_source/multi-container-endpoints.md; text assumed",
)
def hostnames_for_direct(request: Body, _: Any) -> Breaches:
    """Refuse direct invocation of containers without hostnames."""
    hostnames = _hostnames(request)
    if (request.get("InferenceExecutionConfig") or {}).get("Mode") == "Direct" and hostnames and not any(hostnames):
        yield (
            ("Containers", 0, "ContainerHostname"),
            None,
            "Specify ContainerHostname for every container of a model whose InferenceExecutionConfig has Mode Direct.",
        )


@hostnames_for_direct.repair(MODEL_INPUT)
def _name_for_direct(request: Body, repair: Repair) -> None:
    if request.get("Containers") and request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct" and None in _hostnames(request):
        _name_all(request, repair)


@hostnames_for_direct.inside("named", "direct invocation of containers with hostnames", "Containers[]")
def _direct(request: Body, values: Values) -> Where:
    _named_pair(request, values)
    request["InferenceExecutionConfig"] = {"Mode": "Direct"}
    return "Containers", 0, "ContainerHostname"


@hostnames_for_direct.outside("nameless", "direct invocation of containers without hostnames", "Containers[]")
def _direct_nameless(request: Body, values: Values) -> Where:
    for container in _pair(request, values):
        container.pop("ContainerHostname", None)
    request["InferenceExecutionConfig"] = {"Mode": "Direct"}
    return "Containers", 0, "ContainerHostname"


# After the two that add hostnames, which its repair makes different.
@cross_field("CreateModel", HOSTNAME, "unique", "assumed", "a hostname addresses one container")
def unique_hostnames(request: Body, _: Any) -> Breaches:
    """Refuse a pipeline in which two containers have the same hostname."""
    hostnames = _hostnames(request)
    for index, name in enumerate(hostnames):
        if name is not None and name in hostnames[:index]:
            yield ("Containers", index, "ContainerHostname"), name, f"ContainerHostname {name} is used by more than one container."
            return


@unique_hostnames.repair(MODEL_INPUT)
def _rename_hosts(request: Body, repair: Repair) -> None:
    if "Containers" not in repair.fixed:
        named = [container for container in request.get("Containers", ()) if "ContainerHostname" in container]
        names = repair.distinct(HOSTNAME, (container["ContainerHostname"] for container in named))
        for container, name in zip(named, names, strict=True):
            container["ContainerHostname"] = name


@unique_hostnames.inside("different", "two containers with different hostnames", "Containers[]")
def _other_hostname(request: Body, values: Values) -> Where:
    _named_pair(request, values)
    return "Containers", 1, "ContainerHostname"


@unique_hostnames.outside("same", "a container with the hostname of another", "Containers[]")
def _same_hostname(request: Body, values: Values) -> Where:
    pipeline = _named_pair(request, values)
    pipeline[-1]["ContainerHostname"] = pipeline[0]["ContainerHostname"]
    return "Containers", len(pipeline) - 1, "ContainerHostname"


# Modes, isolation, images, environments.


@cross_field("CreateModel", "Containers[].Mode", "one-multi-model", "observed", "OElesin/sagemaker-autopilot-step-functions#10 (GitHub)")
def one_multi_model(request: Body, _: Any) -> Breaches:
    """Refuse a pipeline with two containers in MultiModel mode."""
    multi = [index for index, container in enumerate(request.get("Containers") or ()) if container.get("Mode") == "MultiModel"]
    if len(multi) > 1:
        text = "More than one container in MultiModel mode is not supported with inference pipeline."
        yield ("Containers", multi[1], "Mode"), "MultiModel", text


@one_multi_model.repair(MODEL_INPUT)
def _drop_modes(request: Body, repair: Repair) -> None:
    if "Containers" not in repair.fixed:
        for container in [one for one in request.get("Containers", ()) if one.get("Mode") == "MultiModel"][1:]:
            del container["Mode"]


def _modes(request: Body, values: Values, multi: int) -> Where:
    pipeline = _pair(request, values)
    for container in pipeline:
        container.pop("Mode", None)
    for container in pipeline[:multi]:
        container["Mode"] = "MultiModel"
    if any("ContainerHostname" in container for container in pipeline):
        _named_pair(request, values)
    return "Containers", multi - 1, "Mode"


@one_multi_model.inside("1", "one container of two in MultiModel mode", "Containers[]")
def _one_multi(request: Body, values: Values) -> Where:
    return _modes(request, values, 1)


@one_multi_model.outside("2", "two containers in MultiModel mode", "Containers[]")
def _two_multi(request: Body, values: Values) -> Where:
    return _modes(request, values, 2)


_REPOSITORY = re.compile(r"(?:[^/]*/)?(?:.*/)?([^/:@]+)(?:[:@].*)?")


@cross_field(
    "CreateModel",
    "EnableNetworkIsolation",
    "semantic-segmentation",
    "documented",
    f"{PAGE}, EnableNetworkIsolation; recognised by the repository's name, text assumed",
    editions=("page",),
)
def no_isolated_segmentation(request: Body, _: Any) -> Breaches:
    """Refuse network isolation of the Semantic Segmentation built-in algorithm."""
    if request.get("EnableNetworkIsolation") is True:
        for where, container in containers(request):
            repository = _REPOSITORY.fullmatch(container.get("Image") or "")
            if repository and repository[1] == "semantic-segmentation":
                text = "The Semantic Segmentation built-in algorithm does not support network isolation."
                yield (*where, "Image"), container["Image"], text


@no_isolated_segmentation.repair(MODEL_INPUT)
def _connect(request: Body, repair: Repair) -> None:
    if "EnableNetworkIsolation" not in repair.fixed and any(no_isolated_segmentation.check(request, None)):
        request["EnableNetworkIsolation"] = False


def _segmentation(request: Body, values: Values, *, isolated: bool) -> Where:
    where, container = _container(request, values)
    container.pop("ModelPackageName", None)
    registry = values.least("PrimaryContainer.Image").rpartition("/")[0]
    container["Image"] = f"{registry}/semantic-segmentation:1"
    request["EnableNetworkIsolation"] = isolated
    return *where, "Image"


@no_isolated_segmentation.inside("connected", "the Semantic Segmentation built-in, not isolated")
def _connected(request: Body, values: Values) -> Where:
    return _segmentation(request, values, isolated=False)


@no_isolated_segmentation.outside("isolated", "the Semantic Segmentation built-in, isolated")
def _isolated(request: Body, values: Values) -> Where:
    return _segmentation(request, values, isolated=True)


ECR_IMAGE = re.compile(r"\d{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.[a-z0-9.-]+/.+", re.ASCII)
"""An image in a registry of ECR."""
OUTSIDE_ECR = "registry.example.com/a:1"


def _is_out_of_reach(container: Mapping[str, Any]) -> bool:
    image, mode = container.get("Image"), (container.get("ImageConfig") or {}).get("RepositoryAccessMode")
    return image is not None and mode != "Vpc" and not ECR_IMAGE.fullmatch(image)


@cross_field("CreateModel", "", "ecr-image", "observed", "aws/sagemaker-python-sdk#4700 (GitHub)", editions=("sdk",))
def ecr_image(request: Body, _: Any) -> Breaches:
    """Refuse an image outside ECR that is not reached through the VPC."""
    for where, container in containers(request):
        if _is_out_of_reach(container):
            text = f'Using non-ECR image "{container["Image"]}" without Vpc repository access mode is not supported.'
            yield (*where, "Image"), container["Image"], text


@ecr_image.repair("ContainerDefinition")
def _give_access(container: Body, repair: Repair) -> None:
    if _is_out_of_reach(container):
        if not repair.stays("ImageConfig"):
            container["ImageConfig"] = container.get("ImageConfig", {}) | {"RepositoryAccessMode": "Vpc"}
        elif "Image" not in repair.fixed:
            container["Image"] = repair.least("Image")


@ecr_image.inside("vpc", "an image outside ECR, with repository access through the VPC")
def _image_with_access(request: Body, values: Values) -> Where:
    where = _image_elsewhere(request, values)
    _container(request, values)[1]["ImageConfig"] = {"RepositoryAccessMode": "Vpc"}
    return where


@ecr_image.outside("elsewhere", "an image outside ECR, with no access to its registry")
def _image_elsewhere(request: Body, values: Values) -> Where:
    where, container = _container(request, values)
    container.pop("ModelPackageName", None)
    container.pop("ImageConfig", None)
    container["Image"] = OUTSIDE_ECR
    return *where, "Image"


@cross_field("CreateModel", "", "environment-bytes", "documented", f"{CONTAINER}.Environment; text assumed", bound=32 * 1024)
def environment_bytes(request: Body, bound: int) -> Breaches:
    """Refuse environments whose keys and values hold too many bytes together."""
    sizes = {
        (*where, "Environment"): sum(_bytes(*entry) for entry in environment.items())
        for where, container in containers(request)
        if (environment := container.get("Environment"))
    }
    total = sum(sizes.values())
    if total > bound:
        text = f"The Environment maps of a model may hold {bound} bytes of keys and values in all, and hold {total}."
        yield max(sizes, key=lambda where: sizes[where]), total, text


def _bytes(key: str, value: str) -> int:
    return len(key.encode()) + len(value.encode())


@environment_bytes.repair("ContainerDefinition")
def _cut_environment(container: Body, repair: Repair) -> None:
    if "Environment" in container and "Environment" not in repair.fixed:
        _cut([container["Environment"]], "Environment", repair)


@environment_bytes.repair(MODEL_INPUT)
def _cut_environments(request: Body, repair: Repair) -> None:
    free = [one for where, one in containers(request) if where[0] not in repair.fixed]
    _cut([one["Environment"] for one in free if "Environment" in one], "PrimaryContainer.Environment", repair)


SPARE_BYTES = 3 * 4 * 1024
"""Bytes that environments leave free where one of their entries is going to be changed."""


def _cut(environments: list[dict[str, str]], path: str, repair: Repair) -> None:
    """Cut entries down to their share of the bytes, but for the very first if it leaves half of them."""
    sizes = [_bytes(*entry) for environment in environments for entry in environment.items()]
    left = max(repair.bound - (SPARE_BYTES if ".Environment" in repair.wanted else 0), repair.bound // 2)
    if sum(sizes) <= left:
        return
    kept = int(sizes[0] <= left // 2)
    share = (left - sum(sizes[:kept])) // max(len(sizes) - kept, 1)
    for environment in environments:
        entries = [*environment.items()]
        entries[kept:] = [_cut_entry(key, value, path, repair, share) for key, value in entries[kept:]]
        kept = 0
        environment.clear()
        keys = repair.distinct(f"{path}[key]", (key for key, _ in entries))
        for key, value in zip(keys, (value for _, value in entries), strict=True):
            if left >= _bytes(key, value):
                environment[key] = value
                left -= _bytes(key, value)


def _cut_entry(key: str, value: str, path: str, repair: Repair, share: int) -> tuple[str, str]:
    shorter = key if len(key.encode()) <= share // 2 else repair.string(f"{path}[key]", share // 2)
    left = share - len(shorter.encode())
    return shorter, value if len(value.encode()) <= left else repair.string(f"{path}[value]", left)


def _fill(request: Body, values: Values, total: int) -> Where:
    for _, container in containers(request, empty=True):
        container.pop("Environment", None)
    where, container = _container(request, values)
    path = "PrimaryContainer.Environment"
    longest = values.most(f"{path}[value]")
    environment = values.sized(path, -(-total // longest) + 1, {})
    left = total - sum(len(key) for key in environment)
    for key in environment:
        environment[key] = values.string(f"{path}[value]", min(left, longest))
        left -= len(environment[key])
    container["Environment"] = environment
    return *where, "Environment"


@environment_bytes.inside("{bound}", "as many bytes in environments as may be")
def _bytes_inside(request: Body, values: Values) -> Where:
    return _fill(request, values, values.bound)


@environment_bytes.outside("{beyond}", "a byte more in environments than may be")
def _bytes_outside(request: Body, values: Values) -> Where:
    return _fill(request, values, values.bound + 1 + values.number(0, 99))


tagged("CreateModel")

# Preconditions.

model_not_taken = register(not_taken("Model", "observed", "astronomer/astronomer-providers#1055 (GitHub)"))


@precondition("CreateModel", "", "package-region", "assumed", "of DescribeModelPackage: aws/amazon-sagemaker-examples#1444 (GitHub)")
def package_region(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse a model package of another region than the call's."""
    for where, container in containers(request):
        parts = container.get("ModelPackageName", "").split(":")
        if len(parts) > 3 and parts[3] != account.region:
            text = f"ARN should be scoped to correct region: {account.region}"
            yield (*where, "ModelPackageName"), container["ModelPackageName"], text


@package_region.repair("ContainerDefinition")
def _move_package(container: Body, repair: Repair) -> None:
    package = container.get("ModelPackageName", "")
    if package.startswith("arn:") and "ModelPackageName" not in repair.fixed:
        # The first example of an ARN that is long enough names the region of the request.
        container["ModelPackageName"] = repair.string("ModelPackageName", len(package))


@package_region.examples
def _packages(_: Rule, setup: Setup) -> Iterator[State]:
    elsewhere = "us-west-2" if setup.region != "us-west-2" else "us-east-1"
    for side, region in zip(SIDES, (setup.region, elsewhere), strict=True):
        label = "here" if region == setup.region else "elsewhere"
        request = setup.make("CreateModel")
        request["PrimaryContainer"] = {"ModelPackageName": setup.arn("model-package/a/1", region)}
        yield State(side, label, f"a model package of {region}", request, ("PrimaryContainer", "ModelPackageName"))
