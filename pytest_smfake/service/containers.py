"""Containers: a Python function, a WSGI app, or an ASGI app on its own event loop, called like a container of SageMaker."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import os
import threading
import warnings
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .locks import lock

if TYPE_CHECKING:
    from .stand_ins import Invocation

OK = 200
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
DEFAULT_CONTENT_TYPE = "application/octet-stream"


class ContainerReply(NamedTuple):
    """The reply of a container; its status is 0 if it did not answer in time."""

    status: int
    body: bytes
    content_type: str = DEFAULT_CONTENT_TYPE
    custom_attributes: str | None = None


class Container(Protocol):
    """The interface of everything that plays a container."""

    def ping(self) -> bool:
        """Return whether it is healthy: `GET /ping` answers 200."""

    def invoke(self, body: bytes, content_type: str, accept: str, invocation: Invocation) -> ContainerReply:
        """Answer `POST /invocations`."""

    def close(self) -> None:
        """Release its resources."""


def container_of(predict: Any, ping: Callable[[], object] | None) -> Container:
    """Return a container for a function or app. The number of positional parameters decides: 4 for a function, 3 for ASGI, 2 for WSGI.

    Raises:
        TypeError: it is neither a function, nor an ASGI app, nor a WSGI app.
    """
    forms = (
        "a function (body, content_type, accept, context) -> bytes or (bytes, content type), "
        "a WSGI app (environ, start_response), or an ASGI app (scope, receive, send)"
    )
    if not callable(predict):
        raise TypeError(f"a stand-in is {forms}, not {predict!r}")
    try:
        signature = inspect.signature(predict)
    except (TypeError, ValueError):  # a callable written in C may have no signature
        signature = inspect.signature(print)
    if _takes(signature, 4) and not inspect.iscoroutinefunction(predict):
        return Function(predict, ping)
    if ping is not None:
        raise TypeError("only a function takes ping=; an app answers GET /ping itself")
    is_async = inspect.iscoroutinefunction(predict) or inspect.iscoroutinefunction(type(predict).__call__)
    if is_async and _takes(signature, 3):
        return Asgi(predict)
    if not is_async and _takes(signature, 2):
        return Wsgi(predict)
    raise TypeError(f"a stand-in is {forms}; {predict!r} takes {signature}")


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


class Function:
    """A Python function; it is healthy unless `ping` returns something false."""

    def __init__(self, predict: Callable[..., Any], ping: Callable[[], object] | None) -> None:
        self._predict = predict
        self._ping = ping

    def ping(self) -> bool:
        """Return whether the `ping` function returns something true; True if there is none."""
        return self._ping is None or bool(self._ping())

    def invoke(self, body: bytes, content_type: str, accept: str, invocation: Invocation) -> ContainerReply:
        """Call the function. If it returns bytes alone, their content type is the type that the caller accepts, if it names one."""
        result = self._predict(body, content_type, accept, invocation)
        returned = accept if accept and "*" not in accept and "," not in accept else DEFAULT_CONTENT_TYPE
        if isinstance(result, tuple) and len(result) == 2:
            result, returned = result
        if not isinstance(result, bytes) or not isinstance(returned, str):
            raise TypeError(f"a stand-in returns bytes, or bytes and their content type, not {result!r}")
        return ContainerReply(OK, result, returned)

    def close(self) -> None:
        """Do nothing: it has no resources."""


def request_headers(body: bytes, content_type: str, accept: str, invocation: Invocation) -> dict[str, str]:
    """Return the headers of `POST /invocations`."""
    headers = {"Content-Type": content_type, "Accept": accept, "Content-Length": str(len(body))}
    optional = {
        ATTRIBUTES: invocation.custom_attributes,
        "X-Amzn-SageMaker-Inference-Id": invocation.inference_id,
        "X-Amzn-SageMaker-Target-Model": invocation.target_model,
    }
    return headers | {name: value for name, value in optional.items() if value is not None}


def reply_of(status: int, headers: Mapping[str, str], body: bytes) -> ContainerReply:
    """Return the reply for the response of an app; header names are in lower case."""
    return ContainerReply(status, body, headers.get("content-type", DEFAULT_CONTENT_TYPE), headers.get(ATTRIBUTES.lower()))


class Wsgi:
    """A WSGI app; `environ["smfake.invocation"]` holds the Invocation."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app = app

    def ping(self) -> bool:
        """Return whether `GET /ping` answers 200."""
        return self._request("GET", "/ping", {}, b"", None)[0] == OK

    def invoke(self, body: bytes, content_type: str, accept: str, invocation: Invocation) -> ContainerReply:
        """Send `POST /invocations`."""
        headers = request_headers(body, content_type, accept, invocation)
        return reply_of(*self._request("POST", "/invocations", headers, body, invocation))

    def _request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, invocation: Invocation | None
    ) -> tuple[int, dict[str, str], bytes]:
        from wsgiref.util import setup_testing_defaults

        environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "SERVER_PORT": "8080", "wsgi.input": BytesIO(body)}
        for name, value in headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        environ["smfake.invocation"] = invocation
        setup_testing_defaults(environ)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            started[:] = [(status, headers)]
            return written.append

        chunks = self._app(environ, start_response)
        try:
            written.extend(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, answered = started[0]
        return int(status.split()[0]), {name.lower(): value for name, value in answered}, b"".join(written)

    def close(self) -> None:
        """Do nothing: it has no resources."""


SHUTDOWN_SECONDS = 5.0
"""The seconds of real time within which an app must shut down."""
VERSIONS = {"version": "3.0", "spec_version": "2.3"}


class Asgi:
    """An ASGI app; `scope["state"]["invocation"]` holds the Invocation. Its lifespan begins with the first request."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self._lock = lock()
        self._state: dict[str, Any] = {}
        self._ending = asyncio.Event()
        self._lifespan: asyncio.Future[BaseException | None] | None = None

    def ping(self) -> bool:
        """Return whether `GET /ping` answers 200."""
        return self._request("GET", "/ping", {}, b"", None)[0] == OK

    def invoke(self, body: bytes, content_type: str, accept: str, invocation: Invocation) -> ContainerReply:
        """Send `POST /invocations`."""
        headers = request_headers(body, content_type, accept, invocation)
        return reply_of(*self._request("POST", "/invocations", headers, body, invocation))

    def close(self) -> None:
        """End the app's lifespan and its event loop. If the app does not shut down in time, warn and abandon it.

        Raises:
            RuntimeError: the app failed at its shutdown or before it.
        """
        loop, lifespan, ending = self._loop, self._lifespan, self._ending
        if loop is None or self._process != os.getpid():  # a forked process does not have the thread of the loop
            return
        try:
            if (error := self._run(loop, _shut_down(lifespan, ending), SHUTDOWN_SECONDS)) is not None:
                raise RuntimeError(f"the ASGI app {self._app!r} failed at its shutdown: {error!r}") from error
        except TimeoutError:
            text = f"the ASGI app {self._app!r} did not shut down within {SHUTDOWN_SECONDS:g} s, and is left to itself"
            warnings.warn(text, RuntimeWarning, stacklevel=2)
        finally:
            self._loop = None  # the next request starts a new loop
            loop.call_soon_threadsafe(loop.stop)

    def _request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, invocation: Invocation | None
    ) -> tuple[int, dict[str, str], bytes]:
        scope = {
            "type": "http",
            "asgi": VERSIONS,
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in {"Host": "localhost:8080", **headers}.items()],
            "client": ("127.0.0.1", 8080),
            "server": ("127.0.0.1", 8080),
        }
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                self._loop, self._process = _new_loop(), os.getpid()
                self._ending, self._state = asyncio.Event(), {}
                self._run(self._loop, self._start_up())
            loop = self._loop
        result: tuple[int, dict[str, str], bytes] = self._run(loop, self._answer(scope, body, invocation))
        return result

    async def _answer(self, scope: dict[str, Any], body: bytes, invocation: Invocation | None) -> tuple[int, dict[str, str], bytes]:
        scope["state"] = self._state | {"invocation": invocation}
        incoming = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return incoming.pop() if incoming else {"type": "http.disconnect"}

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        await self._app(scope, receive, send)
        start = next(event for event in sent if event["type"] == "http.response.start")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start.get("headers") or ()}
        return start["status"], headers, b"".join(event.get("body", b"") for event in sent if event["type"] == "http.response.body")

    async def _start_up(self) -> None:
        """Begin the app's lifespan. An app that does not support lifespan runs without (ASGI specification, lifespan protocol)."""
        started: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        ending = self._ending
        asked = [False]

        async def receive() -> dict[str, Any]:
            if not asked[0]:
                asked[0] = True
                return {"type": "lifespan.startup"}
            await ending.wait()
            return {"type": "lifespan.shutdown"}

        async def send(event: dict[str, Any]) -> None:
            if event["type"].startswith("lifespan.startup") and not started.done():
                started.set_result(event.get("message", "startup failed") if event["type"].endswith("failed") else None)

        async def live() -> BaseException | None:
            try:
                await self._app({"type": "lifespan", "asgi": VERSIONS, "state": self._state}, receive, send)
            except BaseException as error:  # noqa: BLE001  # no exception of an app may end the loop or the process
                if started.done():
                    return error
                self._state.clear()  # by the specification an exception before the startup is complete means that lifespan is not supported
            if not started.done():
                started.set_result(None)
            return None

        self._lifespan = asyncio.ensure_future(live())
        if (failure := await started) is not None:
            raise RuntimeError(failure)

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], seconds: float | None = None) -> Any:
        """Run a coroutine on the loop, in the context of the caller, and wait for its result for at most that many seconds."""
        done: Future[Any] = Future()

        async def run() -> None:
            try:
                done.set_result(await coroutine)
            except BaseException as error:  # noqa: BLE001  # handed to the caller, who waits
                done.set_exception(error)

        tasks: list[asyncio.Task[None]] = []
        loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(run())), context=contextvars.copy_context())
        return done.result(seconds)


async def _shut_down(lifespan: asyncio.Future[BaseException | None] | None, ending: asyncio.Event) -> BaseException | None:
    ending.set()
    return None if lifespan is None else await lifespan


def _new_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()

    def run() -> None:
        loop.run_forever()
        loop.close()

    threading.Thread(target=run, name="smfake-asgi", daemon=True).start()
    return loop
