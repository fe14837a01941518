"""Interception of `requests`, for code that posts signed JSON without an SDK. It works inside requests-mock, `responses` and moto."""

from __future__ import annotations

import errno
import math
import sys
from dataclasses import replace
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from pytest_smfake.patches import Replace
from pytest_smfake.protocol.active import ActiveFake, active, answering
from pytest_smfake.protocol.http import BrokenConnection, Request, Response
from pytest_smfake.protocol.wire import answer

from . import botocore as transport
from . import sleeps
from .botocore import envelope, request_body
from .guard import Route, route_of


def patch_library(replace_: Replace, library: Any) -> None:
    """Patch one of the libraries, so that the fake answers its SageMaker requests.

    Mocks replace methods of sessions (requests-mock) and the adapter's `send` (responses), and restore them in any order. So the fake
    answers below all of them, where the adapter asks for a connection, and mocks pass on SageMaker requests that match no mock.
    """
    match library.__name__:
        case "requests.adapters":
            # Versions up to 2.32.1 have only get_connection, which takes the URL.
            name = "get_connection_with_tls_context"
            replace_(library.HTTPAdapter, name if hasattr(library.HTTPAdapter, name) else "get_connection", _get_connection)
        case "responses":
            replace_(library.RequestsMock, "_find_match", _find_match)
        case "requests_mock.adapter":
            replace_(library.Adapter, "send", _send_mocked)


def _get_connection(original: Any) -> Any:
    def get_connection(adapter: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        fake = answering()
        seen = envelope(request) if hasattr(request, "headers") else Request("POST", request, {}, b"")
        if fake is None or route_of(seen, fake) is not Route.FAKE:
            return original(adapter, request, *args, **kwargs)
        return _Pool(fake, seen.url)

    return get_connection


class _Pool:
    """A replacement for urllib3's connection pool whose requests the fake answers."""

    def __init__(self, fake: ActiveFake, url: str) -> None:
        self._fake = fake
        self._url = url

    def urlopen(self, *, method: str, body: Any, headers: Any, timeout: Any, **_: Any) -> Any:
        from urllib3 import HTTPResponse

        started = timeout.clone()  # a total timeout counts from here
        started.start_connect()
        read = math.inf if started.read_timeout is None else float(started.read_timeout)
        sent = SimpleNamespace(method=method, url=self._url, headers=headers, body=body)
        whole = replace(envelope(sent), body=request_body(sent), read_timeout=read)
        try:
            response: Response = answer(whole, self._fake, lambda: transport.pass_on(whole))
        except BrokenConnection as broken:
            raise self._error(broken.how, started.connect_timeout, read) from None
        return HTTPResponse(BytesIO(response.body), response.headers, response.status, preload_content=False)

    def _error(self, how: str, connect: float | None, read: float) -> Exception:
        """Return urllib3's error for a broken connection, after the wait that leads to it."""
        from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

        pool: Any = self
        if how == "connect-timeout":
            sleeps.sleep(connect or math.inf)
            late = ConnectTimeoutError(pool, f"Connection to {self._url} timed out. (connect timeout={connect})")
            return MaxRetryError(pool, self._url, late)
        if how == "read-timeout":
            sleeps.sleep(read)
            return ReadTimeoutError(pool, self._url, f"Read timed out. (read timeout={read})")
        if how == "connection-refused":
            refused = NewConnectionError(pool, f"Failed to establish a new connection: [Errno {errno.ECONNREFUSED}] Connection refused")
            return MaxRetryError(pool, self._url, refused)
        return ProtocolError("Connection aborted.", ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))


def _is_for_fake(request: Any) -> bool:
    fake = active()
    return fake is not None and route_of(envelope(request), fake) is Route.FAKE


def _find_match(original: Any) -> Any:
    """Return a `_find_match` of `responses` that passes SageMaker requests on: mocks of the test match first, moto's do not."""

    def find_match(mock: Any, request: Any) -> Any:
        models = sys.modules.get("moto.core.models")
        is_moto = models is not None and mock is models.responses_mock
        match, reasons = (None, []) if is_moto and _is_for_fake(request) else original(mock, request)
        if match is None and _is_for_fake(request):
            return sys.modules["responses"].PassthroughResponse(request.method, request.url), []
        return match, reasons

    return find_match


def _send_mocked(original: Any) -> Any:
    """Return a `send` of requests-mock that passes SageMaker requests on, if no mock of the test matches."""

    def send(mocked: Any, request: Any, **kwargs: Any) -> Any:
        from requests.adapters import HTTPAdapter
        from requests_mock.exceptions import NoMockAddress

        try:
            return original(mocked, request, **kwargs)
        except NoMockAddress:
            if not _is_for_fake(request):
                raise
        return HTTPAdapter().send(request, **kwargs)

    return send
