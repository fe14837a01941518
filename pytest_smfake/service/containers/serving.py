"""What a model answers, through its stand-ins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_smfake.rules.models import containers
from pytest_smfake.service.errors import ServiceError, not_implemented
from pytest_smfake.service.resources import Place

from .programs import DEFAULT_CONTENT_TYPE, OK, ContainerReply
from .stand_ins import Invocation, StandIn, StandIns

if TYPE_CHECKING:
    from pytest_smfake.service.models import Model

ANY_TYPE = "*/*"


class ContainerError(Exception):
    """A container answered with an error.

    Attributes:
        container: its name.
        reply: what it answered.
    """

    def __init__(self, container: str, reply: ContainerReply) -> None:
        super().__init__(f"{container} answered {reply.status}")
        self.container = container
        self.reply = reply

    @property
    def text(self) -> str:
        """What it said."""
        return self.reply.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class ContainerStep:
    """A container of a model, or the model as a whole, and what plays it."""

    stand_in: StandIn
    invocation: dict[str, Any]


def is_direct(model: Model) -> bool:
    """Whether each call of the model names the container that it is for."""
    return bool((model.get("InferenceExecutionConfig") or {}).get("Mode") == "Direct")


def is_multi_model(model: Model) -> bool:
    """Whether a container of the model hosts many artifacts."""
    return any(container.get("Mode") == "MultiModel" for _, container in containers(model))


def steps(model: Model, stand_ins: StandIns, place: Place, hostname: str | None = None) -> list[ContainerStep]:
    """Return what a call goes through: the containers in series, or the one of a hostname.

    A stand-in for the model plays it as a whole; else each container needs one for its image, or model package.

    Raises:
        ServiceError: nothing plays a container; the text says how to add what does.
    """
    defined = [container for _, container in containers(model)]
    named = [(_name(container, index, len(defined)), container) for index, container in enumerate(defined, 1)]
    if hostname is not None:
        named = [(name, container) for name, container in named if container.get("ContainerHostname") == hostname]
    whole = stand_ins.find(model.name)
    if whole is not None:
        named = named[:1]
    found = []
    for name, container in named:
        image, package = container.get("Image"), container.get("ModelPackageName")
        stand_in = whole or stand_ins.find(image, package)
        if stand_in is None:
            raise not_implemented(
                f"What container {name} of model {model.name} answers",
                f"Say it with a stand-in: fake.stand_in({model.name!r}, predict), or one for {image or package!r}",
            )
        found.append(
            ContainerStep(
                stand_in,
                {
                    "model": model.name,
                    "container": name,
                    "image": image,
                    "model_data_url": container.get("ModelDataUrl"),
                    "environment": container.get("Environment") or {},
                    "region": place.region,
                    "account": place.account,
                },
            )
        )
    return found


def _name(container: dict[str, Any], index: int, count: int) -> str:
    """Return a container's name; that of the only one is observed, the others without a hostname are assumed."""
    return container.get("ContainerHostname") or ("primary" if count == 1 else f"container-{index}")


def serve(
    model: Model, way: list[ContainerStep], body: bytes, content_type: str | None, accept: str | None, **facts: Any
) -> ContainerReply:
    """Send a body through the containers, each of which gets what the one before it answered.

    Args:
        model: the model.
        way: its steps.
        body: what the first is sent.
        content_type: its type.
        accept: what is accepted of the last, which alone is told (assumed).
        facts: what else `Invocation` tells.

    Raises:
        ContainerError: one of them failed.
    """
    isolate = model.get("EnableNetworkIsolation") is True
    reply = ContainerReply(OK, body, content_type or DEFAULT_CONTENT_TYPE)
    environment = facts.pop("environment", {})
    for step in way:
        own = step.invocation | {"environment": step.invocation["environment"] | environment}
        wanted = (accept or ANY_TYPE) if step is way[-1] else ANY_TYPE
        reply = step.stand_in.invoke(reply.body, reply.content_type, wanted, Invocation(**own, **facts), isolate)
        if not 200 <= reply.status < 300:
            raise ContainerError(own["container"], reply)
    return reply


def unhealthy(model: Model, stand_ins: StandIns, place: Place) -> str | None:
    """Return the name of the first container that does not pass its ping, None where all do or nothing plays them."""
    try:
        way = steps(model, stand_ins, place)
    except ServiceError:  # nothing to ask; a call will say so
        return None
    return next((step.invocation["container"] for step in way if not step.stand_in.ping()), None)
