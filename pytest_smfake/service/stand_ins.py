"""Stand-ins: what of the test plays a container, for as long as it says so, and kept off the network."""

from __future__ import annotations

import contextvars
import errno
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_smfake.patches import Patches
from pytest_smfake.rules.inputs import seconds_of, shown
from pytest_smfake.rules.models import containers

from .containers import DEFAULT_CONTENT_TYPE, OK, Container, ContainerReply, container_of
from .errors import ServiceError, not_implemented
from .faults import InForce, Register
from .locks import lock
from .resources import Place

if TYPE_CHECKING:
    from .models import Model

isolated: ContextVar[str | None] = ContextVar("smfake_isolated", default=None)
"""The name of the model whose stand-in is being called in isolation, else None."""


_lock = lock()
_patches = Patches()
_running: set[object] = set()
"""One object for each call that runs in isolation."""


@contextmanager
def isolation(model: str) -> Iterator[None]:
    """Refuse network sockets within the block, in this thread and in tasks begun by it."""
    token, running = isolated.set(model), object()
    try:
        with _lock:
            _running.add(running)
            _patches.replace(socket.socket, "__init__", _guarded)
        yield
    finally:
        with _lock:
            _running.discard(running)
            _settle()
        isolated.reset(token)


def mend() -> None:
    """Put the sockets back where a patch of somebody else brought back those of an isolation that is over."""
    if not _running and _patches.are_in_place():
        with _lock:
            _settle()


def _settle() -> None:
    if not _running:
        _patches.restore()


def refusal(model: str) -> OSError:
    """Return the error that a socket opened in isolation meets."""
    text = f"Network is unreachable: model {model!r} has EnableNetworkIsolation, its container makes no network calls"
    return OSError(errno.ENETUNREACH, text)


def _guarded(original: Any) -> Any:
    def init(self: socket.socket, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:  # noqa: A002  # its name
        model = isolated.get()
        # A socket made of a file descriptor is one that is there already, such as a pair's.
        if model is not None and fileno is None and family in (-1, socket.AF_INET, socket.AF_INET6):
            raise refusal(model)
        original(self, family, type, proto, fileno)

    return init


SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What a stand-in plays in one call: the last argument of a function, and at hand in an app.

    Attributes:
        model: the model's name.
        container: the container's name: its hostname, `primary` for the only one, else `container-1` and so on.
        image: its image, None where a model package brings it.
        model_data_url: its artifact, None where there is none.
        environment: its environment variables; those of a transform job are laid over the model's.
        region, account: where the model is.
        endpoint, variant: what was invoked; None in a transform job.
        transform_job: the job's name; None on an endpoint.
        target_model: the artifact asked for, of a multi-model container.
        custom_attributes, inference_id: as the caller sent them.
    """

    model: str
    container: str
    image: str | None
    model_data_url: str | None
    environment: Mapping[str, str]
    region: str
    account: str
    endpoint: str | None = None
    variant: str | None = None
    transform_job: str | None = None
    target_model: str | None = None
    custom_attributes: str | None = None
    inference_id: str | None = None


@dataclass(eq=False)
class StandIn(InForce):
    """A stand-in, until `stop()` or the end of its `with` block; then the one before it plays again.

    Attributes:
        key: the model, image or model package that it plays.
        errors: what it raised so far.
        timeout: seconds after which a call counts as hanging; None waits for ever.
    """

    key: str
    container: Container = field(repr=False)
    timeout: float | None = None
    errors: list[Exception] = field(default_factory=list)

    def ping(self) -> bool:
        """Whether it is healthy; an exception says no."""
        try:
            return bool(self._bounded(self.container.ping))
        except Exception as error:  # noqa: BLE001  # code of the test; the endpoint's FailureReason tells of it
            self.errors.append(error)
            return False

    def invoke(self, body: bytes, content_type: str, accept: str, invocation: Invocation, isolate: bool) -> ContainerReply:
        """Let it answer; an exception is a reply too, with its status (`status_code` or `code`, else 500) and text."""

        def call() -> ContainerReply:
            with isolation(invocation.model) if isolate else nullcontext():
                return self.container.invoke(body, content_type, accept, invocation)

        try:
            reply: ContainerReply = self._bounded(call)
        except _HangingError:
            text = (
                f"Your invocation timed out while waiting for a response from container {invocation.container}. Review the latency "
                "metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
            )
            # Observed: RamVegiraju/SageMaker-Deployment#3.
            return ContainerReply(0, text.encode())
        except Exception as error:  # noqa: BLE001  # code of the test; its client sees a ModelError
            self.errors.append(error)
            try:
                status = getattr(error, "status_code", None) or getattr(error, "code", None)
                text = str(getattr(error, "detail", None) or getattr(error, "description", None) or error) or repr(error)
            except Exception:  # noqa: BLE001  # an exception that cannot even be printed is an answer, too
                status, text = None, shown(error)
            said = status if isinstance(status, int) and 400 <= status < 600 else SERVER_ERROR
            return ContainerReply(said, text.encode("utf-8", "backslashreplace"), "text/plain")
        return reply

    def _bounded(self, call: Callable[[], Any]) -> Any:
        """Make a call, and wait for it as long as the timeout says; one that hangs is left to itself."""
        if self.timeout is None:
            return call()
        outcome: list[tuple[Any, BaseException | None]] = []

        def run() -> None:
            try:
                outcome.append((call(), None))
            except BaseException as error:  # noqa: BLE001  # handed to the caller, who waits
                outcome.append((None, error))

        thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), name="smfake-stand-in", daemon=True)
        thread.start()
        thread.join(self.timeout)
        if not outcome:
            raise _HangingError
        result, error = outcome[0]
        if error is not None:
            raise error
        return result

    def ended(self) -> None:
        """Let go of what the container holds."""
        self.container.close()


class _HangingError(Exception):
    """A stand-in did not answer in time."""


class StandIns:
    """The stand-ins of a fake, the latest first."""

    def __init__(self) -> None:
        self._stand_ins: Register[StandIn] = Register()
        self.ever: list[StandIn] = []
        """Every stand-in that there was, for the errors that they raised."""

    def add(self, key: str, predict: Any, *, ping: Callable[[], object] | None, timeout: float | None) -> StandIn:
        """Add a stand-in; see `FakeSageMaker.stand_in`."""
        if not isinstance(key, str) or not key or key != key.strip():
            raise ValueError(f"a stand-in plays a model, an image or a model package, each a string; {key!r} is none")
        if timeout is not None:
            seconds_of(timeout, "a stand-in's timeout is", zero=False)
        if ping is not None and not callable(ping):
            raise TypeError(f"a stand-in's ping is a function without parameters, not {ping!r}")
        stand_in = StandIn(key, container_of(predict, ping), timeout)
        self.ever.append(stand_in)
        return self._stand_ins.add(stand_in)

    def close(self) -> None:
        """Let go of what every stand-in holds; one that is called again begins anew.

        Raises:
            RuntimeError: an app failed at its shutdown; the others were closed all the same.
        """
        if self._stand_ins:
            with ExitStack() as stack:
                for stand_in in self._stand_ins:
                    stack.callback(stand_in.container.close)

    def find(self, *keys: str | None) -> StandIn | None:
        """Return the latest stand-in for the first of the keys that has one."""
        for key in keys:
            for stand_in in self._stand_ins:
                if stand_in.key == key:
                    return stand_in
        return None


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
