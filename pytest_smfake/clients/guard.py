"""The guard below every client: while a fake is active no AWS name is looked up, tunnelled to, or greeted with a TLS handshake.

What is refused is a `NetworkBlockedError`, a RuntimeError: clients wrap an OSError, and try again.
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
"""Domains of AWS: suffixes and dual-stack suffixes of the partitions, and where sign-in hands out credentials.
Source: botocore 1.43, partitions.json and endpoint-rule-set-1.json of the service signin. Amazon owns `aws` as a whole; `api.aws`
and `on.aws`, the addresses of Lambda functions, are in it."""

_BELOW = tuple(f".{suffix}" for suffix in AWS_SUFFIXES)
_DOMAINS = frozenset(AWS_SUFFIXES) - {"aws"}  # a machine of a local network may be called that
_PORTS = {"http": "80", "https": "443"}

NAME_LOOKED_UP = "looked up"
PROXY = "reached through a proxy"
KEPT_CONNECTION = "called over a connection from before"
GREETED = "greeted with a TLS handshake"


def aws_name(host: object) -> str:
    """Return a name of AWS, in lower case and without a dot at its end; an empty string for anything else.

    Args:
        host: what a resolver takes: a string, bytes, None.

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
        except UnicodeError:  # no resolver takes it
            return ""
    name = host.lower().rstrip(".")
    return name if name.endswith(_BELOW) or name in _DOMAINS else ""


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


class Way(Enum):
    """Where a request goes."""

    ON = "on, as if no fake were active"
    FAKE = "to the fake"
    ELSEWHERE = "to another mock, or nowhere"


def way(request: Request, fake: ActiveFake) -> Way:
    """Return where a request goes while a fake is active."""
    if urlsplit(request.url).netloc in servers or (fake.allow and _is_allowed(request, fake)):
        return Way.ON
    return Way.FAKE if is_sagemaker(request) else Way.ELSEWHERE


def _is_allowed(request: Request, fake: ActiveFake) -> bool:
    """Whether a fake lets calls reach a host: by its name, or its name and port, in letters of either case."""
    parts = urlsplit(request.url)
    host = (parts.hostname or "").lower()
    netloc = f"{host}:{parts.port or {'http': 80}.get(parts.scheme, 443)}"
    return any(fnmatchcase(name, pattern.lower()) for pattern in fake.allow for name in (host, netloc))


def check_host(host: object, port: object, how: str) -> None:
    """Refuse a name of AWS while a fake is active, unless it allows the host.

    Raises:
        NetworkBlockedError: that is so.
    """
    name = aws_name(host)
    if name and (fake := active()) is not None and not _is_name_allowed(name, port, fake):
        raise refused(f"{name} was not {how}", name)


def _is_name_allowed(name: str, port: object, fake: ActiveFake) -> bool:
    number = port.decode("latin-1") if isinstance(port, bytes) else str(port or "")
    netloc = f"{name}:{_PORTS.get(number.lower(), number)}"
    if netloc in servers:
        return True
    for pattern in map(str.lower, fake.allow):
        # Who looks up a name without a port may go on to the one that is allowed.
        host = pattern.partition(":")[0] if netloc.endswith(":") else pattern
        if fnmatchcase(name, host) or fnmatchcase(netloc, pattern):
            return True
    return False


MakeSocket = Callable[[Any], Any]

_TARGET = re.compile(r"(?:(?P<scheme>[A-Za-z]+)://)?(?:[^/?#]*@)?(?P<host>[^/?#@:]*)(?::(?P<port>\d*))?")


def guard_network(replace: Replace) -> None:
    """Guard what Python brings along, and urllib3."""
    from botocore.awsrequest import AWSHTTPSConnection

    replace(_socket, "getaddrinfo", _getaddrinfo)  # what that of `socket` calls, also where others have imported it by name
    for name in ("gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
        replace(socket, name, _gethostby)
    # pytest-socket puts a subclass in the place of `socket.socket` for a test.
    class_ = next((owner for owner in socket.socket.__mro__ if owner.__module__ == "socket"), socket.socket)
    for name, index in (("connect", 0), ("connect_ex", 0), ("bind", 0), ("sendto", -1), ("sendmsg", 3)):
        if hasattr(class_, name):  # sendmsg: not on Windows
            replace(class_, name, _addressed(index))
    replace(ssl.SSLContext, "wrap_socket", _wrap(4))
    replace(ssl.SSLContext, "wrap_bio", _wrap(3))
    for owner in AWSHTTPSConnection.__mro__:  # urllib3's classes and http.client's, whatever a cassette of VCR puts in their places
        if "connect" in vars(owner):
            replace(owner, "connect", _connect)
        if owner.__module__ == "http.client":
            replace(owner, "putrequest", _putrequest)


def guard_resolver(replace: Replace) -> None:
    """Guard the look-up of `socket` itself where it is somebody else's, which need not come down to the one that is guarded."""
    if getattr(socket.getaddrinfo, "__globals__", None) is not vars(socket):
        replace(socket, "getaddrinfo", _getaddrinfo)


LIBRARIES = ("aiohttp", "httpcore", "socks")
"""What is guarded once it is imported; `socks` is PySocks."""


def guard_library(replace: Replace, library: Any) -> None:
    """Guard a library of those that bring their own code for proxies, and keep connections."""
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
                    if hasattr(owner, method):  # without socksio and h2 there are stubs in the places of two
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


def _addressed(index: int, how: str = NAME_LOOKED_UP) -> MakeSocket:
    """Guard a method of a socket that takes an address among its arguments: names are looked up below Python."""

    def make(original: Any) -> Any:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            address = args[index] if len(args) > index else None
            if isinstance(address, tuple | list) and len(address) > 1:
                check_host(address[0], address[1], how)
            return original(self, *args, **kwargs)

        return method

    return make


def _wrap(index: int) -> MakeSocket:
    """Guard TLS: whoever resolved the name, or tunnels to it, no request goes out before the handshake."""

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
    """Check where a proxy is asked to go: by the whole URL, or by CONNECT."""
    match = _TARGET.match(target.decode("latin-1") if isinstance(target, bytes) else target)
    if match is not None and (match["scheme"] or method in ("CONNECT", b"CONNECT")):
        check_host(match["host"], match["port"] or match["scheme"], PROXY)


def _check_kept(peer: Callable[[], Any], host: object, port: object) -> None:
    """Check a request on a connection that is open. One that ends on this machine goes nowhere."""
    try:
        address = peer()
    except OSError:  # the connection is gone, which the client will see
        return
    if isinstance(address, tuple) and not is_loopback(str(address[0])):
        check_host(host, port, KEPT_CONNECTION)


def _connect_socks(original: Any) -> Any:
    guarded = _addressed(0, PROXY)(original)

    def connect(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return guarded(self, *args, **kwargs)
        except NetworkBlockedError:
            self.close()  # as it does by itself when it fails; its `create_connection` leaves it open
            raise

    return connect


def _create_connection(original: Any) -> Any:
    def create_connection(pool: Any, origin: Any) -> Any:
        if hasattr(pool, "_proxy_url") or getattr(pool, "_proxy", None) is not None:
            check_host(origin.host, origin.port, PROXY)
        return original(pool, origin)

    return create_connection


def _handle_request(original: Any) -> Any:
    def handle_request(connection: Any, request: Any) -> Any:  # what it returns may have to be awaited, by its caller
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
