"""Rules between members, which no schema states. They are looked at once every constraint holds.

Each is a function that yields where a request breaks it, with its evidence and the editions that have it.
What the service says is quoted where it was observed or reported; a text graded `assumed` is our own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .rule import EDITIONS, Edition, Evidence, Rule

Where = tuple[str | int, ...]
Breaches = Iterator[tuple[Where, Any, str]]
"""For each breach: where it is, the value there, and the service's text."""

PAGE = "CreateModel page"
CONTAINER = "botocore service-2.json, ContainerDefinition"
PRIVATE_LOG = "a public log, no stable address"


@dataclass(frozen=True, slots=True)
class CrossField:
    """A cross-field rule and the function that finds its breaches, given the request and the rule's bound, which may be overridden."""

    rule: Rule
    editions: tuple[Edition, ...]
    breaches: Callable[[dict[str, Any], Any], Breaches]

    @property
    def member(self) -> str:
        """The member of the request without which the rule cannot be broken; empty for a rule about no single one."""
        return self.rule.path.partition(".")[0].removesuffix("[]")


CROSS_FIELD: list[CrossField] = []


def cross_field(
    operation: str, path: str, keyword: str, evidence: Evidence, source: str, *, bound: Any = True, editions: tuple[Edition, ...] = EDITIONS
) -> Callable[[Callable[[dict[str, Any], Any], Breaches]], Callable[[dict[str, Any], Any], Breaches]]:
    """Register a rule of an operation: the decorated function yields where a request breaks it."""
    place = f"{operation}/{path}" if path else operation
    rule = Rule(f"{place}:{keyword}", operation, path, keyword, bound, "cross-field", evidence, source)

    def register(breaches: Callable[[dict[str, Any], Any], Breaches]) -> Callable[[dict[str, Any], Any], Breaches]:
        CROSS_FIELD.append(CrossField(rule, editions, breaches))
        return breaches

    return register


def containers(request: Mapping[str, Any], *, empty: bool = False) -> list[tuple[Where, dict[str, Any]]]:
    """Return every container of a CreateModel request with its place; a primary one that is empty if asked."""
    found: list[tuple[Where, dict[str, Any]]] = []
    if (primary := request.get("PrimaryContainer")) or (empty and primary == {}):
        found.append((("PrimaryContainer",), primary))
    if pipeline := request.get("Containers"):
        found += [(("Containers", index), container) for index, container in enumerate(pipeline)]
    return found


@cross_field("CreateModel", "", "container-required", "documented", f"{PAGE}, introduction; text assumed")
def _container_required(request: dict[str, Any], bound: Any) -> Breaches:
    if request.get("PrimaryContainer") is None and not request.get("Containers"):
        yield ("PrimaryContainer",), None, "A model needs a container: specify either PrimaryContainer or Containers."


@cross_field("CreateModel", "", "one-container-form", "reported", f"{PRIVATE_LOG}; text assumed")
def _one_container_form(request: dict[str, Any], bound: Any) -> Breaches:
    if request.get("PrimaryContainer") is not None and request.get("Containers"):
        yield ("Containers",), request["Containers"], "Specify either PrimaryContainer or Containers, not both."


_IMAGE_OR_PACKAGE = "Specify one of either Image and Model Data URL or ModelPackageName in container definition."


@cross_field("CreateModel", "", "image-or-package", "assumed", f"{CONTAINER}; text reported of image-and-package")
def _image_or_package(request: dict[str, Any], bound: Any) -> Breaches:
    for where, container in containers(request, empty=True):
        if container.get("Image") is None and container.get("ModelPackageName") is None:
            yield (*where, "Image"), None, _IMAGE_OR_PACKAGE


@cross_field("CreateModel", "", "image-and-package", "contested", f"{PRIVATE_LOG}; the SDK's model allows both")
def _image_and_package(request: dict[str, Any], bound: Any) -> Breaches:
    for where, container in containers(request):
        if container.get("Image") is not None and container.get("ModelPackageName") is not None:
            yield (*where, "ModelPackageName"), container["ModelPackageName"], _IMAGE_OR_PACKAGE


def _duplicate_keys(request: dict[str, Any], bound: Any) -> Breaches:
    seen: set[str] = set()
    for index, tag in enumerate(request.get("Tags") or ()):
        if tag.get("Key") in seen:
            yield ("Tags", index, "Key"), tag["Key"], "Duplicate tag key"
            return
        seen.update(filter(None, [tag.get("Key")]))


def tagged(operation: str) -> None:
    """Let an operation that gives tags refuse a key that is there twice."""
    source = "aws/sagemaker-python-sdk#3608 (GitHub), observed of CreateTrialComponent"
    cross_field(operation, "Tags", "unique-keys", "assumed", source)(_duplicate_keys)


for _operation in ("CreateModel", "AddTags", "CreateEndpointConfig", "CreateEndpoint", "CreateTransformJob"):
    tagged(_operation)


def _hostnames(request: dict[str, Any]) -> list[str | None]:
    return [container.get("ContainerHostname") for container in request.get("Containers") or ()]


@cross_field("CreateModel", "Containers[].ContainerHostname", "all-or-none", "documented", f"{CONTAINER}.ContainerHostname; text assumed")
def _hostnames_all_or_none(request: dict[str, Any], bound: Any) -> Breaches:
    names = _hostnames(request)
    if None in names and any(names):
        yield (
            ("Containers", names.index(None), "ContainerHostname"),
            None,
            "ContainerHostname must be specified for every container of the inference pipeline or for none of them.",
        )


@cross_field("CreateModel", "Containers[].ContainerHostname", "unique", "assumed", "a hostname addresses one container")
def _hostnames_unique(request: dict[str, Any], bound: Any) -> Breaches:
    names = _hostnames(request)
    for index, name in enumerate(names):
        if name is not None and name in names[:index]:
            yield ("Containers", index, "ContainerHostname"), name, f"ContainerHostname {name} is used by more than one container."
            return


@cross_field(
    "CreateModel",
    "Containers[].ContainerHostname",
    "direct",
    "documented",
    "awsdocs/amazon-sagemaker-developer-guide doc_source/multi-container-endpoints.md; the documentation's sentence, not the wire's",
)
def _hostnames_direct(request: dict[str, Any], bound: Any) -> Breaches:
    names = _hostnames(request)
    if (request.get("InferenceExecutionConfig") or {}).get("Mode") == "Direct" and names and not any(names):
        yield (
            ("Containers", 0, "ContainerHostname"),
            None,
            "The `ContainerHostname` parameter is required for each container in a multi-container endpoint with direct invocation.",
        )


@cross_field(
    "CreateModel",
    "Containers[].Mode",
    "one-multi-model",
    "observed",
    "OElesin/sagemaker-autopilot-step-functions#10 (GitHub)",
)
def _one_multi_model(request: dict[str, Any], bound: Any) -> Breaches:
    multi = [index for index, container in enumerate(request.get("Containers") or ()) if container.get("Mode") == "MultiModel"]
    if len(multi) > 1:
        text = "More than one container in MultiModel mode is not supported with inference pipeline."
        yield ("Containers", multi[1], "Mode"), "MultiModel", text


_REPOSITORY = re.compile(r"(?:[^/]*/)?(?:.*/)?([^/:@]+)(?:[:@].*)?")


@cross_field(
    "CreateModel",
    "EnableNetworkIsolation",
    "semantic-segmentation",
    "documented",
    f"{PAGE}, EnableNetworkIsolation; recognised by the repository's name, text assumed",
    editions=("page",),
)
def _no_isolated_semantic_segmentation(request: dict[str, Any], bound: Any) -> Breaches:
    if request.get("EnableNetworkIsolation") is True:
        for where, container in containers(request):
            repository = _REPOSITORY.fullmatch(container.get("Image") or "")
            if repository and repository[1] == "semantic-segmentation":
                text = "The Semantic Segmentation built-in algorithm does not support network isolation."
                yield (*where, "Image"), container["Image"], text


ECR_IMAGE = re.compile(r"\d{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.[a-z0-9.-]+/.+", re.ASCII)
"""An image in a registry of ECR."""


@cross_field(
    "CreateModel",
    "",
    "ecr-image",
    "observed",
    "aws/sagemaker-python-sdk#4700 (GitHub)",
    editions=("sdk",),
)
def _ecr_image(request: dict[str, Any], bound: Any) -> Breaches:
    for where, container in containers(request):
        image = container.get("Image")
        mode = (container.get("ImageConfig") or {}).get("RepositoryAccessMode")
        if image is not None and mode != "Vpc" and not ECR_IMAGE.fullmatch(image):
            text = f'Using non-ECR image "{image}" without Vpc repository access mode is not supported.'
            yield (*where, "Image"), image, text


@cross_field("CreateModel", "", "environment-bytes", "documented", f"{CONTAINER}.Environment; text assumed", bound=32 * 1024)
def _environment_bytes(request: dict[str, Any], bound: Any) -> Breaches:
    sizes = {
        (*where, "Environment"): sum(len(key.encode()) + len(value.encode()) for key, value in environment.items())
        for where, container in containers(request)
        if (environment := container.get("Environment"))
    }
    total = sum(sizes.values())
    if total > bound:
        text = f"The Environment maps of a model may hold {bound} bytes of keys and values in all, and hold {total}."
        yield max(sizes, key=lambda where: sizes[where]), total, text
