"""Interception of `requests`: code that posts signed JSON without an SDK, also inside mocks of `responses`, moto's among them."""

from __future__ import annotations

import errno
import math
import sys
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from io import BytesIO
from typing import Any

from . import botocore as transport
from . import waiting
from .active import fakes
from .exchange import BrokenConnection, Response
from .sending import Way, body_of, envelope, way
from .wire import answer

Replace = Callable[[Any, str, Callable[[Any], Any]], None]

_sending: ContextVar[Any] = ContextVar("smfake_sending", default=None)
"""The request that a session is sending."""


def patch(replace_: Replace, sessions: Any) -> None:
    """Let the fake answer sessions of requests, given its module `requests.sessions`.

    Mocks replace the adapter's `send`; the session's methods are above it, so that mocks may come and go in any order.
    """

    def send_(original: Any) -> Any:
        def send(session: Any, request: Any, **kwargs: Any) -> Any:
            _patch_responses(replace_)
            token = _sending.set(request)
            try:
                return original(session, request, **kwargs)
            finally:
                _sending.reset(token)

        return send

    def get_adapter_(original: Any) -> Any:
        def get_adapter(session: Any, url: Any) -> Any:
            request = _sending.get()
            if request is not None and request.url == url and not _mocked() and _ours(request):
                return _adapter()
            return original(session, url)

        return get_adapter

    replace_(sessions.Session, "send", send_)
    replace_(sessions.Session, "get_adapter", get_adapter_)


def _ours(request: Any) -> bool:
    return way(envelope(request), fakes[-1]) is Way.FAKE


def _mocked() -> bool:
    from requests.adapters import HTTPAdapter

    return bool(HTTPAdapter.send.__module__ == "responses")


def _patch_responses(replace_: Replace) -> None:
    """Let the fake answer inside mocks of `responses`, once that is imported: after what a test put there, before moto."""
    library = sys.modules.get("responses")
    if library is None or hasattr(library.RequestsMock._find_match, "smfake"):
        return

    def make(original: Any) -> Any:
        def find_match(mock: Any, request: Any) -> Any:
            models = sys.modules.get("moto.core.models")
            is_moto = models is not None and mock is models.responses_mock
            match, reasons = (None, []) if is_moto and _ours(request) else original(mock, request)
            return (_match(library), []) if match is None and _ours(request) else (match, reasons)

        find_match.smfake = True  # type: ignore[attr-defined]
        return find_match

    replace_(library.RequestsMock, "_find_match", make)


def _match(library: Any) -> Any:
    class Match(library.BaseResponse):  # type: ignore[misc]
        """What `responses` finds for a request to SageMaker."""

        def get_response(self, request: Any) -> Any:
            return _raw(_answered(request, request.req_kwargs.get("timeout")))

    return Match("POST", "https://api.sagemaker.invalid/")


def _adapter() -> Any:
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):  # type: ignore[misc]
        """Sends to the fake."""

        def send(self, request: Any, stream: bool = False, timeout: Any = None, **kwargs: Any) -> Any:
            return self.build_response(request, _raw(_answered(request, timeout)))

    return Adapter()


def _raw(response: Response) -> Any:
    from urllib3 import HTTPResponse

    return HTTPResponse(BytesIO(response.body), response.headers, response.status, preload_content=False)


def _answered(request: Any, timeout: Any) -> Response:
    connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    whole = replace(envelope(request), body=body_of(request), read_timeout=math.inf if read is None else float(read))
    try:
        return answer(whole, fakes[-1], lambda: transport.pass_on(whole))
    except BrokenConnection as broken:
        raise _error(broken.how, request, connect, whole.read_timeout) from None


def _error(how: str, request: Any, connect: float | None, read: float) -> Any:
    """Return the error of requests for a broken connection, once its time is over."""
    from requests import exceptions
    from urllib3.exceptions import ProtocolError

    if how == "connect-timeout":
        waiting.sleep(connect or math.inf)
        return exceptions.ConnectTimeout(f"Connection to {request.url} timed out. (connect timeout={connect})", request=request)
    if how == "read-timeout":
        waiting.sleep(read)
        return exceptions.ReadTimeout(f"Read timed out. (read timeout={read})", request=request)
    if how == "connection-refused":
        return exceptions.ConnectionError(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), request=request)
    reset = ProtocolError("Connection aborted.", ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))
    return exceptions.ConnectionError(reset, request=request)
