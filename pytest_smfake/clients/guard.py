"""Where requests may go while a fake is active. Below all clients, no AWS host is resolved, reached by proxy, or greeted by TLS.

A refusal is a `NetworkBlockedError`, a RuntimeError: an OSError would be wrapped by clients, and retried.
"""

from __future__ import annotations

import _socket
import re
import socket
import ssl
from collections.abc import Callable
from enum import Enum
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from pytest_smfake.patches import Replace
from pytest_smfake.protocol.active import ActiveFake, active, servers
from pytest_smfake.protocol.http import Request
from pytest_smfake.protocol.wire import is_sagemaker
from pytest_smfake.service.errors import NetworkBlockedError

AWS_SUFFIXES = (
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "api.amazonwebservices.com.cn",
    "api.amazonwebservices.eu",
    "c2s.ic.gov",
    "api.aws.ic.gov",
    "sc2s.sgov.gov",
    "api.aws.scloud",
    "cloud.adc-e.uk",
    "api.cloud-aws.adc-e.uk",
    "csp.hci.ic.gov",
    "api.aws.hci.ic.gov",
    "aws",
    "signin.aws.amazon.com",
    "signin.amazonaws.cn",
    "signin.amazonaws-us-gov.com",
    "signin-fips.amazonaws-us-gov.com",
    "signin.amazonaws-eusc.eu",
    "signin.c2shome.ic.gov",
    "signin.sc2shome.sgov.gov",
    "signin.csphome.adc-e.uk",
    "signin.csphome.hci.ic.gov",
)
"""Domains of AWS: suffixes and dual-stack suffixes of the partitions, and the hosts of the sign-in service, which issues credentials.
Source: botocore 1.43, partitions.json and endpoint-rule-set-1.json of the service signin. Amazon owns all of `aws`, with `api.aws` and
`on.aws`, the domain of Lambda function URLs."""

_BELOW = tuple(f".{suffix}" for suffix in AWS_SUFFIXES)
_DOMAINS = frozenset(AWS_SUFFIXES) - {"aws"}  # a machine of a local network may have this name
_PORTS = {"http": "80", "https": "443"}

NAME_LOOKED_UP = "looked up"
PROXY = "reached through a proxy"
KEPT_CONNECTION = "called over a connection from before"
GREETED = "greeted with a TLS handshake"


def aws_name(host: object) -> str:
    """Return an AWS host name in lower case, without a dot at its end; an empty string for any other host.

    Args:
        host: a host as resolvers take it: a string, bytes, or None.

    Example:
        >>> aws_name("S3.AmazonAWS.com.")
        's3.amazonaws.com'
        >>> aws_name("notamazonaws.com")
        ''
    """
    if not isinstance(host, str):
        if not isinstance(host, bytes | bytearray):
            return ""
        host = host.decode("latin-1")
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:  # not a valid host name for any resolver
            return ""
    name = host.lower().rstrip(".")
    return name if name.endswith(_BELOW) or name in _DOMAINS else ""


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name, not an address
        return False


def blocked(service: str, operation: str, host: str) -> NetworkBlockedError:
    """Return the error for a call that would have left the process."""
    return refused(f"{service} {operation} to {host} was not sent", host)


def refused(action: str, host: str) -> NetworkBlockedError:
    """Return the error for an action that was not done, because it would send an AWS call out of the process."""
    return NetworkBlockedError(
        f"{action}: while a FakeSageMaker is active no AWS call leaves the process. "
        f"Answer it with moto (mock_aws), or allow the host: allow=[{host!r}]"
    )


class Route(Enum):
    """The destination of a request."""

    ORIGINAL = "the original function, as if no fake were active"
    FAKE = "the fake"
    OTHER_MOCK = "another mock, such as moto; refused if there is none"


def route_of(request: Request, fake: ActiveFake) -> Route:
    """Return the destination of a request while a fake is active."""
    if urlsplit(request.url).netloc in servers or (fake.allow and _is_allowed(request, fake)):
        return Route.ORIGINAL
    return Route.FAKE if is_sagemaker(request) else Route.OTHER_MOCK


def _is_allowed(request: Request, fake: ActiveFake) -> bool:
    """Return whether `allow` of a fake contains a host, by name, or by name and port. Letter case does not matter."""
    parts = urlsplit(request.url)
    host = (parts.hostname or "").lower()
    netloc = f"{host}:{parts.port or {'http': 80}.get(parts.scheme, 443)}"
    return any(fnmatchcase(name, pattern.lower()) for pattern in fake.allow for name in (host, netloc))


def check_host(host: object, port: object, how: str) -> None:
    """Refuse an AWS host while a fake is active, unless the fake allows it.

    Args:
        host: the destination's host, as resolvers take it.
        port: its port, or None.
        how: the refused action, for the error's text.

    Raises:
        NetworkBlockedError: the host is refused.
    """
    name = aws_name(host)
    if name and (fake := active()) is not None and not _is_host_allowed(name, port, fake):
        raise refused(f"{name} was not {how}", name)


def _is_host_allowed(name: str, port: object, fake: ActiveFake) -> bool:
    number = port.decode("latin-1") if isinstance(port, bytes) else str(port or "")
    netloc = f"{name}:{_PORTS.get(number.lower(), number)}"
    if netloc in servers:
        return True
    for pattern in map(str.lower, fake.allow):
        # A look-up without a port may precede a connection to the allowed port.
        host = pattern.partition(":")[0] if netloc.endswith(":") else pattern
        if fnmatchcase(name, host) or fnmatchcase(netloc, pattern):
            return True
    return False


Make = Callable[[Any], Any]

_TARGET = re.compile(r"(?:(?P<scheme>[A-Za-z]+)://)?(?:[^/?#]*@)?(?P<host>[^/?#@:]*)(?::(?P<port>\d*))?")


def guard_network(replace: Replace) -> None:
    """Patch the socket, TLS and HTTP modules of Python, and urllib3, to refuse AWS hosts."""
    from botocore.awsrequest import AWSHTTPSConnection

    replace(_socket, "getaddrinfo", _getaddrinfo)  # `socket.getaddrinfo` calls it, also where other code imported that by name
    for name in ("gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
        replace(socket, name, _gethostby)
    # pytest-socket replaces `socket.socket` by a subclass for a test.
    class_ = next((owner for owner in socket.socket.__mro__ if owner.__module__ == "socket"), socket.socket)
    for name, index in (("connect", 0), ("connect_ex", 0), ("bind", 0), ("sendto", -1), ("sendmsg", 3)):
        if hasattr(class_, name):  # Windows has no sendmsg
            replace(class_, name, _addressed(index))
    replace(ssl.SSLContext, "wrap_socket", _wrap(4))
    replace(ssl.SSLContext, "wrap_bio", _wrap(3))
    for owner in AWSHTTPSConnection.__mro__:  # classes of urllib3 and http.client, also while VCR replaces them
        if "connect" in vars(owner):
            replace(owner, "connect", _connect)
        if owner.__module__ == "http.client":
            replace(owner, "putrequest", _putrequest)


def guard_resolver(replace: Replace) -> None:
    """Patch `socket.getaddrinfo` itself if other code replaced it: the replacement may never call the patched function."""
    if getattr(socket.getaddrinfo, "__globals__", None) is not vars(socket):
        replace(socket, "getaddrinfo", _getaddrinfo)


LIBRARIES = ("aiohttp", "httpcore", "socks")
"""Modules that are guarded on their import; `socks` is PySocks."""


def guard_library(replace: Replace, library: Any) -> None:
    """Patch one of `LIBRARIES`, which have their own code for proxies and keep connections open."""
    match library.__name__:
        case "aiohttp":
            replace(library.BaseConnector, "connect", _connect_aiohttp)
        case "socks":
            replace(library.socksocket, "connect", _connect_socks)
            replace(library.socksocket, "sendto", _addressed(-1, PROXY))
        case "httpcore":
            for prefix, handle in (("", "handle_request"), ("Async", "handle_async_request")):
                for name, method, make in (
                    ("ConnectionPool", "create_connection", _create_connection),
                    ("HTTPProxy", "create_connection", _create_connection),
                    ("SOCKSProxy", "create_connection", _create_connection),
                    ("HTTP11Connection", handle, _handle_request),
                    ("HTTP2Connection", handle, _handle_request),
                ):
                    owner = getattr(library, prefix + name)
                    if hasattr(owner, method):  # without socksio and h2, two of the classes are stubs
                        replace(owner, method, make)


def _getaddrinfo(original: Any) -> Any:
    def getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:  # noqa: A002  # its name
        check_host(host, port, NAME_LOOKED_UP)
        return original(host, port, family, type, proto, flags)

    return getaddrinfo


def _gethostby(original: Any) -> Any:
    def gethostby(host: Any, /) -> Any:
        check_host(host, None, NAME_LOOKED_UP)
        return original(host)

    return gethostby


def _addressed(index: int, how: str = NAME_LOOKED_UP) -> Make:
    """Return a factory that guards a socket method with an address argument, whose host the system resolves outside of Python."""

    def make(original: Any) -> Any:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            address = args[index] if len(args) > index else None
            if isinstance(address, tuple | list) and len(address) > 1:
                check_host(address[0], address[1], how)
            return original(self, *args, **kwargs)

        return method

    return make


def _wrap(index: int) -> Make:
    """Return a factory that guards TLS handshakes: no HTTPS request is sent before one, however its host was resolved."""

    def make(original: Any) -> Any:
        def wrap(context: Any, *args: Any, **kwargs: Any) -> Any:
            check_host(args[index] if len(args) > index else kwargs.get("server_hostname"), None, GREETED)
            return original(context, *args, **kwargs)

        return wrap

    return make


def _connect(original: Any) -> Any:
    def connect(connection: Any, *args: Any, **kwargs: Any) -> Any:
        check_host(connection._tunnel_host, connection._tunnel_port, PROXY)
        return original(connection, *args, **kwargs)

    return connect


def _putrequest(original: Any) -> Any:
    def putrequest(connection: Any, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
        check_host(connection._tunnel_host, connection._tunnel_port, PROXY)
        _check_target(method, url)
        if aws_name(connection.host) and isinstance(connection.sock, _socket.socket):
            _check_kept(connection.sock.getpeername, connection.host, connection.port)
        return original(connection, method, url, *args, **kwargs)

    return putrequest


def _check_target(method: Any, target: Any) -> None:
    """Check the host that a proxy is asked for, by a whole URL or by CONNECT."""
    match = _TARGET.match(target.decode("latin-1") if isinstance(target, bytes) else target)
    if match is not None and (match["scheme"] or method in ("CONNECT", b"CONNECT")):
        check_host(match["host"], match["port"] or match["scheme"], PROXY)


def _check_kept(peer: Callable[[], Any], host: object, port: object) -> None:
    """Check a request on an open connection. A connection to this machine is not refused."""
    try:
        address = peer()
    except OSError:  # the connection is closed; the client will notice
        return
    if isinstance(address, tuple) and not is_loopback(str(address[0])):
        check_host(host, port, KEPT_CONNECTION)


def _connect_socks(original: Any) -> Any:
    guarded = _addressed(0, PROXY)(original)

    def connect(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return guarded(self, *args, **kwargs)
        except NetworkBlockedError:
            self.close()  # as `connect` does after its own errors; `create_connection` of PySocks leaves it open
            raise

    return connect


def _create_connection(original: Any) -> Any:
    def create_connection(pool: Any, origin: Any) -> Any:
        if hasattr(pool, "_proxy_url") or getattr(pool, "_proxy", None) is not None:
            check_host(origin.host, origin.port, PROXY)
        return original(pool, origin)

    return create_connection


def _handle_request(original: Any) -> Any:
    def handle_request(connection: Any, request: Any) -> Any:  # the caller awaits the result of the asynchronous variant
        _check_target(request.method, request.url.target)
        host = request.url.host
        if aws_name(host):
            _check_kept(lambda: connection._network_stream.get_extra_info("server_addr"), host, request.url.port)
        return original(connection, request)

    return handle_request


def _connect_aiohttp(original: Any) -> Any:
    async def connect(connector: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        host, port = request.url.raw_host, request.url.port
        if request.proxy is not None:
            check_host(host, port, PROXY)
        connection = await original(connector, request, *args, **kwargs)
        if aws_name(host) and connection.transport is not None:
            try:
                _check_kept(lambda: connection.transport.get_extra_info("peername"), host, port)
            except NetworkBlockedError:
                connection.close()
                raise
        return connection

    return connect
