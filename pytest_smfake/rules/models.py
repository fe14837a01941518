"""Rules between members of CreateModel, and its preconditions.

The service's text is quoted where it was observed or reported; a text graded `assumed` is our own.
"""

from __future__ import annotations

import re
from typing import Any

from .coded import Body, Breaches, Repair, Values, cross_field, not_taken, register
from .containers import CONTAINER, MODEL_INPUT, PRIVATE_LOG, containers, first_container
from .rule import Where
from .tags import tagged

PAGE = "CreateModel page"


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


@cross_field("CreateModel", "", "one-container-form", "reported", f"{PRIVATE_LOG}; text assumed", only_with=("Containers",))
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
    direct = (request.get("InferenceExecutionConfig") or {}).get("Mode") == "Direct"
    if len(multi) > 1 and not direct:
        text = "More than one container in MultiModel mode is not supported with inference pipeline."
        yield ("Containers", multi[1], "Mode"), "MultiModel", text


@one_multi_model.repair(MODEL_INPUT)
def _drop_modes(request: Body, repair: Repair) -> None:
    if "Containers" not in repair.fixed:
        for container in [one for one in request.get("Containers", ()) if one.get("Mode") == "MultiModel"][1:]:
            del container["Mode"]


def _modes(request: Body, values: Values, multi: int) -> Where:
    pipeline = _pair(request, values)
    request.pop("InferenceExecutionConfig", None)  # containers that are invoked directly are no pipeline
    for container in pipeline:
        container.pop("Mode", None)
    for container in pipeline[:multi]:
        container["Mode"] = "MultiModel"
        container.pop("ModelDataSource", None)  # which such a container cannot have
    if any("ContainerHostname" in container for container in pipeline):
        _named_pair(request, values)
    return "Containers", multi - 1, "Mode"


@one_multi_model.inside("1", "one container of two in MultiModel mode", "Containers[]")
def _one_multi(request: Body, values: Values) -> Where:
    return _modes(request, values, 1)


@one_multi_model.outside("2", "two containers in MultiModel mode", "Containers[]")
def _two_multi(request: Body, values: Values) -> Where:
    return _modes(request, values, 2)


_REPOSITORY = re.compile(r"(?:(?P<registry>[^/]*)/)?(?P<repository>[^:@]+)(?:[:@].*)?")
"""An image: its registry, and its repository, which may have slashes."""
_BUILT_IN = "811284229777"
"""An account of AWS whose registry has built-in algorithms."""


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
            image = _REPOSITORY.fullmatch(container.get("Image") or "")
            if image and image["repository"] == "semantic-segmentation" and (image["registry"] or "")[:12] != _account_of(request):
                text = "The Semantic Segmentation built-in algorithm does not support network isolation."
                yield (*where, "Image"), container["Image"], text


def _account_of(request: Body) -> str:
    """Return the account of the role, whose own images are no built-in algorithms."""
    return f"{request.get('ExecutionRoleArn')}::::".split(":")[4]


@no_isolated_segmentation.repair(MODEL_INPUT)
def _connect(request: Body, repair: Repair) -> None:
    if "EnableNetworkIsolation" not in repair.fixed and any(no_isolated_segmentation.check(request, None)):
        request["EnableNetworkIsolation"] = False


def _segmentation(request: Body, values: Values, *, isolated: bool) -> Where:
    where, container = first_container(request, values)
    container.pop("ModelPackageName", None)
    container["Image"] = f"{_BUILT_IN}.dkr.ecr.{values.region}.amazonaws.com/semantic-segmentation:1"
    request["EnableNetworkIsolation"] = isolated
    return *where, "Image"


@no_isolated_segmentation.inside("connected", "the Semantic Segmentation built-in, not isolated")
def _connected(request: Body, values: Values) -> Where:
    return _segmentation(request, values, isolated=False)


@no_isolated_segmentation.outside("isolated", "the Semantic Segmentation built-in, isolated")
def _isolated(request: Body, values: Values) -> Where:
    return _segmentation(request, values, isolated=True)


tagged("CreateModel")

# Preconditions.

model_not_taken = register(not_taken("Model", "observed", "astronomer/astronomer-providers#1055 (GitHub)"))
