"""How a stand-in is called: a Python function, a WSGI app or an ASGI app, each as a container that answers requests."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from .standins import Invocation

OK = 200
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
DEFAULT_CONTENT_TYPE = "application/octet-stream"


class Reply(NamedTuple):
    """What a container answers; status 0 where it did not answer in time."""

    status: int
    body: bytes
    content_type: str = DEFAULT_CONTENT_TYPE
    custom_attributes: str | None = None


class Container(Protocol):
    """Something that plays a container."""

    def ping(self) -> bool:
        """Whether it is healthy: `GET /ping` answers 200."""

    def invoke(self, body: bytes, content_type: str, accept: str, invocation: Invocation) -> Reply:
        """Answer `POST /invocations`."""

    def close(self) -> None:
        """Let go of what it holds."""


def container_of(predict: Any, ping: Callable[[], object] | None) -> Container:
    """Return the container that a stand-in plays; the form is told by the parameters that can be given by position.

    Raises:
        TypeError: it is of none of the three forms.
    """
    forms = (
        "a function (body, content_type, accept, context) -> bytes or (bytes, content type), "
        "a WSGI app (environ, start_response), or an ASGI app (scope, receive, send)"
    )
    if not callable(predict):
        raise TypeError(f"a stand-in is {forms}, not {predict!r}")
    try:
        signature = inspect.signature(predict)
    except (TypeError, ValueError):  # a callable of C, which does not tell
        signature = inspect.signature(print)
    if _takes(signature, 4) and not inspect.iscoroutinefunction(predict):
        return Function(predict, ping)
    if ping is not None:
        raise TypeError("only a function takes ping=; an app answers GET /ping itself")
    is_async = inspect.iscoroutinefunction(predict) or inspect.iscoroutinefunction(type(predict).__call__)
    if is_async and _takes(signature, 3):
        from .asgi import Asgi

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
    """A Python function; healthy unless its `ping` says otherwise."""

    def __init__(self, predict: Callable[..., Any], ping: Callable[[], object] | None) -> None:
        self._predict = predict
        self._ping = ping

    def ping(self) -> bool:
        """Whether the function for it, if any, returns something true."""
        return self._ping is None or bool(self._ping())

    def invoke(self, body: bytes, content_type: str, accept: str, invocation: Invocation) -> Reply:
        """Call the function. Bytes alone are of the type that the caller accepts, where it names one."""
        result = self._predict(body, content_type, accept, invocation)
        returned = accept if accept and "*" not in accept and "," not in accept else DEFAULT_CONTENT_TYPE
        if isinstance(result, tuple) and len(result) == 2:
            result, returned = result
        if not isinstance(result, bytes) or not isinstance(returned, str):
            raise TypeError(f"a stand-in returns bytes, or bytes and their content type, not {result!r}")
        return Reply(OK, result, returned)

    def close(self) -> None:
        """Nothing is held."""


def request_headers(body: bytes, content_type: str, accept: str, invocation: Invocation) -> dict[str, str]:
    """Return the headers of `POST /invocations`."""
    headers = {"Content-Type": content_type, "Accept": accept, "Content-Length": str(len(body))}
    optional = {
        ATTRIBUTES: invocation.custom_attributes,
        "X-Amzn-SageMaker-Inference-Id": invocation.inference_id,
        "X-Amzn-SageMaker-Target-Model": invocation.target_model,
    }
    return headers | {name: value for name, value in optional.items() if value is not None}


def reply_of(status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """Return the reply that an app's response is; header names are in lower case."""
    return Reply(status, body, headers.get("content-type", DEFAULT_CONTENT_TYPE), headers.get(ATTRIBUTES.lower()))


class Wsgi:
    """A WSGI app; `environ["smfake.invocation"]` tells it what it plays."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app = app

    def ping(self) -> bool:
        """Whether `GET /ping` answers 200."""
        return self._request("GET", "/ping", {}, b"", None)[0] == OK

    def invoke(self, body: bytes, content_type: str, accept: str, invocation: Invocation) -> Reply:
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
        """Nothing is held."""
