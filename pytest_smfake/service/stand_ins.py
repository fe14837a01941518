"""Stand-ins: the functions and apps of a test that play the containers of models, isolated from the network if the model says so."""

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
from pytest_smfake.rules.containers import containers
from pytest_smfake.rules.inputs import seconds_of, shown

from .containers import DEFAULT_CONTENT_TYPE, OK, Container, ContainerReply, container_of
from .errors import ServiceError, not_implemented
from .faults import Register, Stoppable
from .locks import lock
from .resources import Scope

if TYPE_CHECKING:
    from .models import Model

isolated: ContextVar[str | None] = ContextVar("smfake_isolated", default=None)
"""The name of the model whose stand-in runs in isolation now, else None."""


_lock = lock()
_patches = Patches()
_running: set[object] = set()
"""One object for each call that runs in isolation now."""


@contextmanager
def isolation(model: str) -> Iterator[None]:
    """Refuse to open network sockets within the block, in this thread and in tasks that it starts."""
    token, running = isolated.set(model), object()
    try:
        with _lock:
            _running.add(running)
            _patches.replace(socket.socket, "__init__", _guarded)
        yield
    finally:
        with _lock:
            _running.discard(running)
            _restore_unless_running()
        isolated.reset(token)


def restore_sockets() -> None:
    """Restore `socket.socket` if other code put back the patch of an isolation that has ended."""
    if not _running and _patches.are_in_place():
        with _lock:
            _restore_unless_running()


def _restore_unless_running() -> None:
    if not _running:
        _patches.restore()


def network_unreachable(model: str) -> OSError:
    """Return the error for a socket that a stand-in opens in isolation."""
    text = f"Network is unreachable: model {model!r} has EnableNetworkIsolation, its container makes no network calls"
    return OSError(errno.ENETUNREACH, text)


def _guarded(original: Any) -> Any:
    def init(self: socket.socket, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:  # noqa: A002  # its name
        model = isolated.get()
        # A socket made from a file descriptor exists already, such as one of a socket pair.
        if model is not None and fileno is None and family in (-1, socket.AF_INET, socket.AF_INET6):
            raise network_unreachable(model)
        original(self, family, type, proto, fileno)

    return init


SERVER_ERROR = 500
ANY_TYPE = "*/*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """The container that a stand-in plays in a call, and the call. A function gets it as its last argument, an app in its scope or environ.

    Attributes:
        model: the name of the model.
        container: the name of the container: its hostname, `primary` for the only one, else `container-1` and so on.
        image: the image of the container; None if it has a model package.
        model_data_url: the artifact of the container, or None.
        environment: the environment variables of the container; those of a transform job override them.
        region, account: the region and account of the model.
        endpoint, variant: the endpoint and variant that were invoked; None in a transform job.
        transform_job: the name of the transform job; None on an endpoint.
        target_model: the artifact that the caller of a multi-model container asks for.
        custom_attributes, inference_id: the values that the caller sent.
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
class StandIn(Stoppable):
    """An active stand-in, until `stop()` or the end of its `with` block; then the stand-in before it is active again.

    Attributes:
        key: the model, image or model package that it plays.
        errors: the exceptions that it raised so far.
        timeout: the seconds after which a call has timed out; None waits without limit.
    """

    key: str
    container: Container = field(repr=False)
    timeout: float | None = None
    errors: list[Exception] = field(default_factory=list)

    def ping(self) -> bool:
        """Return whether it is healthy; an exception means that it is not."""
        try:
            return bool(self._bounded(self.container.ping))
        except Exception as error:  # noqa: BLE001  # code of the test; the endpoint's FailureReason reports it
            self.errors.append(error)
            return False

    def invoke(self, body: bytes, content_type: str, accept: str, invocation: Invocation, isolate: bool) -> ContainerReply:
        """Return its reply. An exception becomes a reply with the exception's text and status (`status_code` or `code`, else 500)."""

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
            except Exception:  # noqa: BLE001  # an exception whose text cannot be read becomes a reply, too
                status, text = None, shown(error)
            replied = status if isinstance(status, int) and 400 <= status < 600 else SERVER_ERROR
            return ContainerReply(replied, text.encode("utf-8", "backslashreplace"), "text/plain")
        return reply

    def _bounded(self, call: Callable[[], Any]) -> Any:
        """Call a function and return its result. If it does not return within the timeout, its thread is abandoned."""
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

    def release(self) -> None:
        """Close the container."""
        self.container.close()


class _HangingError(Exception):
    """A stand-in did not answer in time."""


class StandIns:
    """The stand-ins of a fake, the latest first."""

    def __init__(self) -> None:
        self._stand_ins: Register[StandIn] = Register()
        self.added: list[StandIn] = []
        """Every stand-in that was added, for the exceptions that they raised."""

    def add(self, key: str, predict: Any, *, ping: Callable[[], object] | None, timeout: float | None) -> StandIn:
        """Add a stand-in; see `FakeSageMaker.stand_in`."""
        if not isinstance(key, str) or not key or key != key.strip():
            raise ValueError(f"a stand-in plays a model, an image or a model package, named by a string without outer spaces; got {key!r}")
        if timeout is not None:
            seconds_of(timeout, "a stand-in's timeout is", zero=False)
        if ping is not None and not callable(ping):
            raise TypeError(f"a stand-in's ping is a function without parameters, not {ping!r}")
        stand_in = StandIn(key, container_of(predict, ping), timeout)
        self.added.append(stand_in)
        return self._stand_ins.add(stand_in)

    def close(self) -> None:
        """Close every stand-in. A stand-in that is called later starts again.

        Raises:
            RuntimeError: an app failed at its shutdown. The others are closed nevertheless.
        """
        if self._stand_ins:
            with ExitStack() as stack:
                for stand_in in self._stand_ins:
                    stack.callback(stand_in.container.close)

    def find(self, *keys: str | None) -> StandIn | None:
        """Return the latest stand-in for the first key that has one."""
        for key in keys:
            for stand_in in self._stand_ins:
                if stand_in.key == key:
                    return stand_in
        return None


class ContainerError(Exception):
    """A container answered with an error.

    Attributes:
        container: the name of the container.
        reply: its reply.
    """

    def __init__(self, container: str, reply: ContainerReply) -> None:
        super().__init__(f"{container} answered {reply.status}")
        self.container = container
        self.reply = reply

    @property
    def text(self) -> str:
        """The text of its reply."""
        return self.reply.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class ContainerStep:
    """A stand-in to call, and the container that it plays, or the model as a whole."""

    stand_in: StandIn
    invocation: dict[str, Any]


def is_direct(model: Model) -> bool:
    """Return whether each call of the model names the container to invoke."""
    return bool((model.get("InferenceExecutionConfig") or {}).get("Mode") == "Direct")


def is_multi_model(model: Model) -> bool:
    """Return whether a container of the model hosts many artifacts."""
    return any(container.get("Mode") == "MultiModel" for _, container in containers(model))


def container_steps(model: Model, stand_ins: StandIns, scope: Scope, hostname: str | None = None) -> list[ContainerStep]:
    """Return the steps of a call: the containers in series, or the container of a hostname.

    A stand-in for the model plays the model as a whole; else each container needs a stand-in for its image or model package.

    Raises:
        ServiceError: a container has no stand-in; the text says how to add one.
    """
    defined = [container for _, container in containers(model)]
    named = [(name_of_container(container, index, len(defined)), container) for index, container in enumerate(defined, 1)]
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
                f"The answer of container {name} of model {model.name}",
                f"Add a stand-in: fake.stand_in({model.name!r}, predict), or one for {image or package!r}",
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
                    "region": scope.region,
                    "account": scope.account,
                },
            )
        )
    return found


def name_of_container(container: Mapping[str, Any], index: int, count: int) -> str:
    """Return a container's name. `primary` for the only container is observed; other names without a hostname are assumed."""
    return container.get("ContainerHostname") or ("primary" if count == 1 else f"container-{index}")


def invoke_containers(
    model: Model, steps: list[ContainerStep], body: bytes, content_type: str | None, accept: str | None, **facts: Any
) -> ContainerReply:
    """Send a body through the containers in series: each container gets the reply of the container before it.

    Args:
        model: the model.
        steps: the steps of the call.
        body: the body for the first container.
        content_type: the content type of the body.
        accept: the Accept header for the last container; the others get none (assumed).
        facts: further attributes of `Invocation`.

    Raises:
        ContainerError: a container answered with an error.
    """
    isolate = model.get("EnableNetworkIsolation") is True
    reply = ContainerReply(OK, body, content_type or DEFAULT_CONTENT_TYPE)
    environment = facts.pop("environment", {})
    for step in steps:
        own = step.invocation | {"environment": step.invocation["environment"] | environment}
        wanted = (accept or ANY_TYPE) if step is steps[-1] else ANY_TYPE
        reply = step.stand_in.invoke(reply.body, reply.content_type, wanted, Invocation(**own, **facts), isolate)
        if not 200 <= reply.status < 300:
            raise ContainerError(own["container"], reply)
    return reply


def unhealthy(model: Model, stand_ins: StandIns, scope: Scope) -> int:
    """Return the number of the first container whose ping fails, from 1; 0 if no ping fails, or if a container has no stand-in."""
    try:
        steps = container_steps(model, stand_ins, scope)
    except ServiceError:  # no stand-in to ping; a call will raise the error
        return 0
    return next((number for number, step in enumerate(steps, 1) if not step.stand_in.ping()), 0)
