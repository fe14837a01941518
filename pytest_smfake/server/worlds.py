"""The fake over HTTP: one server with many worlds, each under its own path."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from pytest_smfake.clients import botocore as transport
from pytest_smfake.protocol.active import ActiveFake, servers
from pytest_smfake.protocol.http import BrokenConnection, Request, Response
from pytest_smfake.protocol.wire import answer, is_sagemaker
from pytest_smfake.service.errors import ServiceError
from pytest_smfake.service.faults import InjectedError

from .connections import HttpServer

if TYPE_CHECKING:
    from pytest_smfake.service.calls import Call

logger = logging.getLogger("pytest_smfake.server")

DEFAULT = "default"
"""The world of requests whose path names none."""
ADMIN = "/_smfake"
"""The reserved path of the admin API."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""The pattern of a world's name."""

_PATH = re.compile(rf"/worlds/(?P<name>{NAME.pattern})(?P<rest>/[^?]*)?(?P<query>\?.*)?", re.DOTALL)
_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{0,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{0,5})?")


class Server:
    """An HTTP/1.1 server with threads, running within a `with` block.

    Args:
        host: the address to listen on.
        port: the port; 0 for any free one.
        log: a function that gets an entry of the access log, a dict, for each request.
        host_names: host names that clients may use, beside `localhost` and IP addresses.

    Attributes:
        worlds: the fakes by the names of their worlds; `default` answers requests whose path names no world.
        admin: the function that answers requests to the admin API; None if the server has none.

    Raises:
        OSError: the server cannot listen on the address.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        log: Callable[[dict[str, Any]], None] | None = None,
        host_names: Collection[str] = (),
    ) -> None:
        self.worlds: dict[str, ActiveFake] = {}
        self.admin: Callable[[Request], Response] | None = None
        self._log = log
        self._host_names = tuple(name.lower() for name in ("localhost", host, *host_names))
        self._http = HttpServer(host, port, self._answer, self._refused)
        self._thread = threading.Thread(target=self._http.serve, name="smfake-server-accept", daemon=True)
        self._addresses: set[str] = set()

    def __enter__(self) -> Self:
        self._http.prepare()
        self._thread.start()
        self._addresses = {self.url.removeprefix("http://"), f"localhost:{self.port}"}
        servers.update(self._addresses)
        return self

    def __exit__(self, *exc: object) -> None:
        servers.difference_update(self._addresses)
        self._http.stop()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return int(self._http.bind_addr[1])

    @property
    def url(self) -> str:
        """The URL of the default world."""
        host = str(self._http.bind_addr[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def url_of(self, world: str) -> str:
        """Return the URL of a world."""
        return self.url if world == DEFAULT else f"{self.url}/worlds/{world}"

    @contextmanager
    def serving(self, world: str, fake: ActiveFake) -> Iterator[str]:
        """Make a fake answer as a world within the block, and yield the world's URL."""
        self.worlds[world] = fake
        try:
            yield self.url_of(world)
        finally:
            del self.worlds[world]

    def _answer(self, request: Request, client: str) -> Response:
        started = time.perf_counter()
        entry: dict[str, Any] = {"time": time.time(), "client": client, "method": request.method, "path": _path(request)}
        try:
            response = self._route(request, entry)
            self._note(entry, response.status, response.call, started)
            return response
        except BrokenConnection as broken:
            self._note(entry, 0, broken.call, started)
            raise
        except Exception as error:
            # An error of test code, such as a predicate of a fault, or of this package: its details are logged, and never sent.
            logger.exception("%s %s failed", request.method, request.url)
            self._note(entry, 500, None, started)
            return problem(500, "InternalFailure", f"{type(error).__name__} in the fake: see the log of pytest_smfake.server")

    def _refused(self, client: str, status: int, text: str) -> None:
        """Log a malformed request."""
        now = time.perf_counter()
        self._note({"time": time.time(), "client": client, "method": None, "path": None, "error": text}, status, None, now)

    def _route(self, request: Request, entry: dict[str, Any]) -> Response:
        host = request.headers.get("host", "localhost")
        if not _HOST.fullmatch(host):
            return problem(400, "MalformedHttpRequestException", "The Host header is not a host name")
        if not self._is_own(host):
            text = f"This server is not named {host}: smfake serve --host-name adds host names that clients may use"
            return problem(421, "MisdirectedRequest", text)
        target = request.url.removeprefix(f"http://{host}")
        path = entry["path"] = target.partition("?")[0]
        if path == "/health":
            return plain_json(200, {"status": "ok", "worlds": len(self.worlds)})
        if path == ADMIN or path.startswith(f"{ADMIN}/"):
            if self.admin is None:
                return problem(404, "NotFound", "This server has no admin API; smfake serve --admin has one")
            return self.admin(request)
        return self._in_world(request, host, target, entry)

    def _is_own(self, host: str) -> bool:
        """Return whether a host name is the server's. Other names are refused, so that no web page gets in by DNS rebinding."""
        name = urlsplit(f"http://{host}").hostname or ""
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return any(name == own or name.endswith(f".{own}") for own in self._host_names)
        return True  # an IP address cannot be rebound

    def _in_world(self, request: Request, host: str, target: str, entry: dict[str, Any]) -> Response:
        name = DEFAULT
        if match := _PATH.fullmatch(target):
            name = match["name"]
            target, sent = (match["rest"] or "/") + (match["query"] or ""), target
            request = replace(request, url=f"http://{host}{target}", target=sent)
        if "x-amz-target" in request.headers and (path := target.partition("?")[0]) not in ("", "/"):
            text = f"{path} is not the path of a world: the default world is at /, and others are at /worlds/NAME/"
            return problem(404, "NoSuchWorld", text)
        entry["world"] = name
        fake = self.worlds.get(name)
        if fake is None:
            text = f"There is no world {name!r} on this server: it was never made, or the test that used it is over"
            return problem(404, "NoSuchWorld", text)
        if not is_sagemaker(request):
            return foreign(request)
        return answer(request, fake, lambda: transport.pass_on(request))

    def _note(self, entry: dict[str, Any], status: int, call: Call | None, started: float) -> None:
        if self._log is None:
            return
        entry |= {"status": status, "ms": round((time.perf_counter() - started) * 1000, 3)}
        if call is not None:
            entry |= {"operation": call.operation, "verdict": verdict(call), "code": call.error.code if call.error else None}
            entry |= {"region": call.region, "account": call.account, "attempt": call.attempts}
        with contextlib.suppress(OSError):  # a reader of the log that went away
            self._log(entry)


def _path(request: Request) -> str:
    """Return the path of a request, independent of its Host header."""
    return "/" + request.url.removeprefix("http://").partition("?")[0].partition("/")[2]


def verdict(call: Call) -> str:
    """Return the outcome of a call: passed on, accepted, failed on purpose, or rejected."""
    if call.passed_on:
        return "passed on"
    if call.error is None:
        return "accepted"
    return "failed on purpose" if isinstance(call.error, InjectedError) else "rejected"


def plain_json(status: int, body: Any) -> Response:
    """Return a JSON response of the server itself."""
    content = json.dumps(body, default=_text).encode("utf-8")
    return Response(status, {"Content-Type": "application/json", "Content-Length": str(len(content))}, content)


def problem(status: int, code: str, text: str) -> Response:
    """Return an error of the server itself, in a format that every SDK reads."""
    response = plain_json(status, {"__type": code, "message": text})
    return replace(response, headers=response.headers | {"x-amzn-ErrorType": code})


def foreign(request: Request) -> Response:
    """Return the refusal of a call to another service, in its protocol: XML for S3, EC2 and the query protocol."""
    code, text = "UnknownOperationException", "This server answers for SageMaker and its runtime only"
    error = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>"
    service = request.scope[2]
    if service == "ec2":
        body = f"<Response><Errors>{error}</Errors><RequestID>smfake</RequestID></Response>"
    elif request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        body = f"<ErrorResponse>{error}<RequestId>smfake</RequestId></ErrorResponse>"
    elif service in ("s3", "s3-object-lambda", "route53", "cloudfront"):
        body = error
    else:
        return problem(404, code, text)
    content = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()
    return Response(404, {"Content-Type": "text/xml", "Content-Length": str(len(content))}, content)


def _text(value: Any) -> Any:
    """Return a JSON value for an object that JSON has no type for: base64 for bytes of a prediction, a dict for an error."""
    import base64

    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, ServiceError):
        return {"code": value.code, "message": value.text, "status": value.status}
    raise TypeError(f"{value!r} cannot be written as JSON")
