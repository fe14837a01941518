"""Interception of botocore: patches of its classes that hold while a fake is active.

They are class-level, so that every client is answered, whenever it was made, and each answers at the HTTP layer, so that
retries, waiters, paginators, event hooks and error parsing stay botocore's own.
"""

from __future__ import annotations

import errno
import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import replace
from fnmatch import fnmatchcase
from io import BytesIO
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from pytest_smfake.service.errors import NetworkBlockedError
from pytest_smfake.service.isolation import isolated, refusal

from . import credentials, waiting
from .active import ActiveFake, fakes
from .exchange import BrokenConnection, Request, Response
from .wire import answer, is_sagemaker

_undo: list[Callable[[], None]] = []
_lock = threading.RLock()
_signing: ContextVar[tuple[str, str]] = ContextVar("smfake_signing", default=("an AWS service", "an unknown operation"))
"""Service and operation of the request being sent, which the request itself does not always tell."""


def activate(fake: ActiveFake) -> None:
    """Let a fake answer, until `deactivate`.

    Raises:
        RuntimeError: it is active already, or another is in another thread.
    """
    with _lock:
        if fake in fakes:
            raise RuntimeError(f"{fake!r} is active already")
        here = threading.get_ident()
        if fakes and fakes[-1].thread != here:
            raise RuntimeError(f"{fakes[-1]!r} is active in another thread; all threads of a process share one active fake")
        fake.thread = here
        if not fakes:
            _patch()
        fakes.append(fake)


def deactivate(fake: ActiveFake) -> None:
    """Let a fake answer no more; when the last one goes, botocore is as it was."""
    with _lock:
        fakes.remove(fake)
        if not fakes:
            while _undo:
                _undo.pop()()


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    original = getattr(owner, name)
    setattr(owner, name, make(original))
    _undo.append(lambda: setattr(owner, name, original))


def _patch() -> None:
    import botocore.endpoint
    import botocore.httpsession
    import botocore.retries.bucket
    import botocore.retries.quota
    import botocore.session
    import botocore.signers
    import botocore.waiter

    _replace(botocore.httpsession.URLLib3Session, "send", _send)
    _replace(botocore.signers.RequestSigner, "sign", _sign)
    _replace(botocore.signers.RequestSigner, "get_auth_instance", _get_auth_instance)
    _replace(botocore.session.Session, "get_credentials", _get_credentials)
    for module in (botocore.endpoint, botocore.waiter):
        _replace(module, "time", waiting.virtual_time)
    _replace(botocore.retries.bucket.TokenBucket, "acquire", waiting.acquire_token)
    _replace(botocore.retries.quota.RetryQuota, "acquire", waiting.acquire_quota)
    _patch_moto()


def _send(original: Any) -> Any:
    def send(session: Any, request: Any) -> Any:
        fake = fakes[-1]
        seen = _envelope(request)
        if (model := isolated.get()) is not None:
            from botocore.exceptions import EndpointConnectionError

            raise EndpointConnectionError(endpoint_url=request.url) from refusal(model)
        if _is_allowed(seen, fake.allow):
            return original(session, request)
        if is_sagemaker(seen):
            connect_timeout, read_timeout = _timeouts(session, request)
            whole = replace(seen, body=_body(request), read_timeout=read_timeout)
            try:
                response = answer(whole, fake.service, fake.home, lambda: _moto_response(request))
            except BrokenConnection as broken:
                raise _error_for(broken.how, request, connect_timeout, read_timeout) from None
            return _aws_response(request, response)
        moto = _moto_answer(request)
        if moto is not None:
            return moto
        if _is_loopback(seen.host):
            return original(session, request)
        service, operation = _signing.get()
        raise NetworkBlockedError(
            f"{service} {operation} to {seen.host} was not sent: while a FakeSageMaker is active no AWS call leaves the process. "
            f"Answer it with moto (mock_aws), or allow the host: allow=[{seen.host!r}]"
        )

    return send


def _envelope(request: Any) -> Request:
    """Return a request without its body, which may be a stream that can be read only once."""
    headers = {name.lower(): value.decode("latin-1") if isinstance(value, bytes) else str(value) for name, value in request.headers.items()}
    return Request(request.method, request.url, headers, b"")


def _body(request: Any) -> bytes:
    body = request.body
    if hasattr(body, "read"):
        body = body.read()
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body or b"")


def _is_allowed(request: Request, allow: tuple[str, ...]) -> bool:
    netloc = urlsplit(request.url).netloc
    return any(fnmatchcase(name, pattern) for pattern in allow for name in (request.host, netloc))


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name, not an address
        return False


class _Raw(BytesIO):
    """What botocore reads a body from."""

    def stream(self, amt: int = -1, decode_content: bool = False) -> Iterator[bytes]:
        yield self.read()


def _timeouts(session: Any, request: Any) -> tuple[float, float]:
    """Return how many seconds a client waits for a connection, and for an answer."""
    # Newer versions of botocore let a request have its own.
    own = session._get_request_timeout(request) if hasattr(session, "_get_request_timeout") else None
    timeout = own or session._timeout
    if isinstance(timeout, int | float):
        return timeout, timeout
    connect, read = (math.inf if part is None else part for part in (timeout.connect_timeout, timeout.read_timeout))
    return connect, read


def _error_for(how: str, request: Any, connect_timeout: float, read_timeout: float) -> Exception:
    """Return botocore's error for a broken connection, as it is where urllib3 breaks, once its time is over."""
    from botocore import exceptions
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProtocolError, ReadTimeoutError

    url: Any = request.url
    error: Exception
    if how == "connection-refused":
        refused = NewConnectionError(url, "Failed to establish a new connection: [Errno 111] Connection refused")
        error = exceptions.EndpointConnectionError(endpoint_url=url, error=refused)
    elif how == "connection-reset":
        reset = ProtocolError("Connection aborted.", ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))
        error = exceptions.ConnectionClosedError(endpoint_url=url, request=request, error=reset)
    elif how == "connect-timeout":
        waiting.sleep(connect_timeout)
        late = ConnectTimeoutError(url, f"Connection to {urlsplit(url).hostname} timed out. (connect timeout={connect_timeout})")
        error = exceptions.ConnectTimeoutError(endpoint_url=url, error=late)
    else:
        waiting.sleep(read_timeout)
        silent = ReadTimeoutError(url, url, f"Read timed out. (read timeout={read_timeout})")
        error = exceptions.ReadTimeoutError(endpoint_url=url, error=silent)
    return error


def _aws_response(request: Any, response: Response) -> Any:
    from botocore.awsrequest import AWSResponse

    return AWSResponse(request.url, response.status, response.headers, _Raw(response.body))


def _sign(original: Any) -> Any:
    def sign(signer: Any, operation_name: str, request: Any, *args: Any, **kwargs: Any) -> Any:
        _patch_moto()
        _signing.set((str(signer._service_id), operation_name))
        return original(signer, operation_name, request, *args, **kwargs)

    return sign


def _get_auth_instance(original: Any) -> Any:
    def get_auth_instance(signer: Any, *args: Any, request_credentials: Any = None, **kwargs: Any) -> Any:
        found = request_credentials or signer._credentials
        if found is None or getattr(found, "method", "explicit") not in credentials.KEPT:
            request_credentials = credentials.dummy(fakes[-1].account)
        return original(signer, *args, request_credentials=request_credentials, **kwargs)

    return get_auth_instance


def _get_credentials(original: Any) -> Any:
    def get_credentials(session: Any) -> Any:
        return credentials.credentials_of(session, fakes[-1].account)

    return get_credentials


def _patch_moto() -> None:
    """Make moto leave SageMaker to the fake, once moto is imported; it is never imported for this."""
    stubber = sys.modules.get("moto.core.botocore_stubber")
    if stubber is None or hasattr(stubber.BotocoreStubber.__call__, "smfake_original"):
        return

    def make(original: Any) -> Any:
        def call(self: Any, event_name: str, request: Any, **kwargs: Any) -> Any:
            # A `before-send` handler runs even if another has answered: moto's must not touch its own store.
            return None if is_sagemaker(_envelope(request)) else original(self, event_name, request, **kwargs)

        call.smfake_original = original  # type: ignore[attr-defined]
        return call

    _replace(stubber.BotocoreStubber, "__call__", make)


def _moto_response(request: Any) -> Response | None:
    answered = _moto_answer(request)
    return None if answered is None else Response(answered.status_code, dict(answered.headers), answered.content)


def _moto_answer(request: Any) -> Any:
    """Return moto's answer, or None where it is not active or has none."""
    models = sys.modules.get("moto.core.models")
    if models is None:
        return None
    _patch_moto()
    stubber = models.botocore_stubber
    try:
        return vars(type(stubber))["__call__"].smfake_original(stubber, "before-send", request)
    except NotImplementedError:
        return None
