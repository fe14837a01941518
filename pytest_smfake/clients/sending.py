"""What is done with a request that a client is about to send: answered, let through, passed to another mock, or refused."""

from __future__ import annotations

import errno
import math
from collections.abc import Iterator, Mapping
from enum import Enum
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from pytest_smfake.protocol.active import ActiveFake, servers
from pytest_smfake.protocol.http import Request
from pytest_smfake.protocol.json11 import is_sagemaker
from pytest_smfake.service.errors import NetworkBlockedError


class Way(Enum):
    """Where a request goes."""

    ON = "on, as if no fake were active"
    FAKE = "to the fake"
    ELSEWHERE = "to another mock, or nowhere"


def way(request: Request, fake: ActiveFake) -> Way:
    """Return where a request goes while a fake is active."""
    if urlsplit(request.url).netloc in servers or (fake.allow and is_allowed(request, fake)):
        return Way.ON
    return Way.FAKE if is_sagemaker(request) else Way.ELSEWHERE


def is_allowed(request: Request, fake: ActiveFake) -> bool:
    """Whether a fake lets calls reach a host: by its name, or its name and port, in letters of either case."""
    parts = urlsplit(request.url)
    host = (parts.hostname or "").lower()
    netloc = f"{host}:{parts.port or {'http': 80}.get(parts.scheme, 443)}"
    return any(fnmatchcase(name, pattern.lower()) for pattern in fake.allow for name in (host, netloc))


class _Headers(Mapping[str, str]):
    """Headers of botocore or requests, looked up one by one: few are asked for, and to copy them all is what would take most time here."""

    def __init__(self, headers: Any) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        return _text(self._headers[name])

    def get(self, name: str, default: Any = None) -> Any:
        value = self._headers.get(name)
        return default if value is None else _text(value)

    def __contains__(self, name: object) -> bool:
        return name in self._headers

    def __iter__(self) -> Iterator[str]:
        return (name.lower() for name in self._headers)

    def __len__(self) -> int:
        return len(self._headers)


def _text(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def envelope(request: Any) -> Request:
    """Return a botocore or requests request without its body, which may be a stream that can be read only once."""
    return Request(request.method, request.url, _Headers(request.headers), b"")


def body_of(request: Any) -> bytes:
    """Return the body of a botocore or requests request; a stream is read."""
    body = request.body
    if hasattr(body, "read"):
        body = body.read()
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body or b"")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name, not an address
        return False


def blocked(service: str, operation: str, host: str) -> NetworkBlockedError:
    """Return the error for a call that would have left the process."""
    return refused(f"{service} {operation} to {host} was not sent", host)


def refused(what: str, host: str) -> NetworkBlockedError:
    """Return the error for what was not done, since an AWS call would have left the process."""
    return NetworkBlockedError(
        f"{what}: while a FakeSageMaker is active no AWS call leaves the process. "
        f"Answer it with moto (mock_aws), or allow the host: allow=[{host!r}]"
    )


def timeouts(session: Any, request: Any) -> tuple[float, float]:
    """Return how many seconds a client of botocore waits for a connection, and for an answer."""
    # Newer versions of botocore let a request have its own.
    own = session._get_request_timeout(request) if hasattr(session, "_get_request_timeout") else None
    timeout = own or session._timeout
    if isinstance(timeout, int | float):
        return timeout, timeout
    # urllib3, aiohttp and httpx each have names of their own for them.
    connect = next((getattr(timeout, name) for name in ("connect_timeout", "sock_connect", "connect") if hasattr(timeout, name)), None)
    read = next((getattr(timeout, name) for name in ("read_timeout", "sock_read", "read") if hasattr(timeout, name)), None)
    return (math.inf if connect is None else connect), (math.inf if read is None else read)


def broken(how: str, request: Any, connect_timeout: float, read_timeout: float) -> tuple[Exception, float]:
    """Return botocore's error for a broken connection, as it is where urllib3 breaks, and for how long the client waits for it."""
    from botocore import exceptions
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProtocolError, ReadTimeoutError

    url: Any = request.url
    if how == "connection-refused":
        refused = NewConnectionError(url, "Failed to establish a new connection: [Errno 111] Connection refused")
        return exceptions.EndpointConnectionError(endpoint_url=url, error=refused), 0.0
    if how == "connection-reset":
        reset = ProtocolError("Connection aborted.", ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))
        return exceptions.ConnectionClosedError(endpoint_url=url, request=request, error=reset), 0.0
    if how == "cut-short":
        short = ProtocolError("Connection broken: the body is shorter than its Content-Length")
        return exceptions.ConnectionClosedError(endpoint_url=url, request=request, error=short), 0.0
    if how == "connect-timeout":
        late = ConnectTimeoutError(url, f"Connection to {urlsplit(url).hostname} timed out. (connect timeout={connect_timeout})")
        return exceptions.ConnectTimeoutError(endpoint_url=url, error=late), connect_timeout
    silent = ReadTimeoutError(url, url, f"Read timed out. (read timeout={read_timeout})")
    return exceptions.ReadTimeoutError(endpoint_url=url, error=silent), read_timeout
