"""Interception of botocore: patches of its classes while a fake is active.

Patches of classes reach every client, whenever it was made. They answer at the HTTP layer, so that retries, waiters, paginators,
event hooks and error parsing remain botocore's own.
"""

from __future__ import annotations

import errno
import math
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from pytest_smfake.patches import OnImport, Patches
from pytest_smfake.protocol.active import active, answering
from pytest_smfake.protocol.http import BrokenConnection, Request, Response
from pytest_smfake.protocol.wire import answer, is_sagemaker
from pytest_smfake.service.stand_ins import isolated, network_unreachable

from . import cache, credentials, guard, sleeps
from .credentials import variables
from .guard import Route, blocked, is_loopback, route_of

patches = Patches()
"""The attributes that are replaced while any fake is active."""
signing: ContextVar[tuple[str, str]] = ContextVar("smfake_signing", default=("an AWS service", "an unknown operation"))
"""Service and operation of the request that is signed and sent now. The request itself does not always name them."""
SERVICES = ("SageMaker", "SageMaker Runtime")
"""The service ids, in botocore's service models, of the services that the fake answers."""
_asynchronous: ContextVar[bool] = ContextVar("smfake_asynchronous", default=False)
"""Whether the request that is sent now is from a client of aiobotocore."""


def patch_clients() -> None:
    """Patch botocore, and other libraries that send requests: now if they are imported, else on their import."""
    import botocore.waiter

    patches.resume()
    if not patches.knows(botocore.waiter, "time"):
        guard.guard_network(patches.replace)
        _patch_botocore()  # replaces `botocore.waiter.time` last
    guard.guard_resolver(patches.replace)
    _patch_moto()
    _patch_aiobotocore()
    for on_import in _on_import:
        on_import.start()


def _patch_botocore() -> None:
    import botocore.endpoint
    import botocore.httpsession
    import botocore.loaders
    import botocore.retries.bucket
    import botocore.retries.quota
    import botocore.session
    import botocore.signers
    import botocore.waiter

    replace = patches.replace
    replace(botocore.httpsession.URLLib3Session, "send", _send)
    replace(botocore.signers.RequestSigner, "sign", _sign)
    replace(botocore.signers.RequestSigner, "get_auth_instance", _get_auth_instance)
    replace(botocore.session.Session, "get_credentials", _get_credentials)
    replace(botocore.session.Session, "get_scoped_config", _get_scoped_config)
    replace(botocore.session.Session, "__init__", _init)
    replace(botocore.loaders.JSONFileLoader, "load_file", cache.load_file)
    replace(botocore.loaders.Loader, "load_service_model", cache.load_service_model)
    replace(botocore.retries.bucket.TokenBucket, "acquire", sleeps.acquire_token)
    replace(botocore.retries.quota.RetryQuota, "acquire", sleeps.acquire_quota)
    for module in (botocore.endpoint, botocore.waiter):
        replace(module, "time", sleeps.virtual_time)


def unpatch_clients() -> None:
    """Restore everything that `patch_clients` replaced. It can be called at any time, again, and after it has raised an error."""
    for on_import in _on_import:
        on_import.stop()
    patches.restore()


def _guard_library(library: Any) -> None:
    guard.guard_library(patches.replace, library)


def _patch_http_library(library: Any) -> None:
    from . import requests

    requests.patch_library(patches.replace, library)


HTTP_LIBRARIES = ("requests.adapters", "responses", "requests_mock.adapter")
"""The modules that `requests.py` patches on their import."""


def _patch_sleeps(module: Any) -> None:
    sleeps.patch_module(patches.replace, module)


def _patch_undo(module: Any) -> None:
    """Patch functions that restore the environment: credentials are covered again, so that no program started then gets them."""
    for owner, name in (("_patch_dict", "_unpatch_dict"), ("MonkeyPatch", "undo")):
        if hasattr(getattr(module, owner, None), name):
            patches.replace(getattr(module, owner), name, _undo)


def _undo(original: Any) -> Any:
    def undo(holder: Any) -> Any:
        result = original(holder)
        fake = active()
        if fake is not None:
            variables.keep(credentials.wanted(fake.account))
        return result

    return undo


UNDO_MODULES = ("unittest.mock", "_pytest.monkeypatch")
"""Modules that undo changes of the environment: `mock.patch.dict`, which moto uses too, and pytest's `monkeypatch`."""


_on_import = (
    OnImport(UNDO_MODULES, _patch_undo),
    OnImport(guard.LIBRARIES, _guard_library),
    OnImport(HTTP_LIBRARIES, _patch_http_library),
    OnImport(sleeps.MODULES, _patch_sleeps),
)


def _patch_aiobotocore() -> None:
    """Patch aiobotocore if it is imported. Never imports it."""
    owner = getattr(sys.modules.get("aiobotocore.session"), "AioSession", None)
    if owner is not None and not patches.knows(owner, "get_credentials"):  # `patch_classes` replaces it last
        from . import aiobotocore as aio

        aio.patch_classes(patches.replace)


def _init(original: Any) -> Any:
    def init(session: Any, *args: Any, **kwargs: Any) -> None:
        if active() is not None:
            patches.keep()
        _patch_aiobotocore()  # the first session of aiobotocore, a subclass, also comes here
        original(session, *args, **kwargs)

    return init


def _send(original: Any) -> Any:
    from botocore import __version__

    # Since 1.43.115 botocore makes urllib3 accept a body that is shorter than its Content-Length; before, it is a broken connection.
    enforces_length = tuple(map(int, __version__.split("."))) < (1, 43, 115)  # noqa: RUF048  # its versions are numbers

    def send(session: Any, request: Any) -> Any:
        fake = answering()
        if fake is None:
            return original(session, request)
        seen = envelope(request)
        if (model := isolated.get()) is not None:
            from botocore.exceptions import EndpointConnectionError

            raise EndpointConnectionError(endpoint_url=request.url) from network_unreachable(model)
        match route_of(seen, fake):
            case Route.ORIGINAL:
                return original(session, request)
            case Route.FAKE:
                connect_timeout, read_timeout = timeouts(session, request)
                whole = Request(seen.method, seen.url, seen.headers, request_body(request), read_timeout)
                try:
                    response = answer(whole, fake, lambda: moto_response(request))
                except BrokenConnection as error:
                    raised, seconds = connection_error(error.how, request, connect_timeout, read_timeout)
                    sleeps.sleep(seconds)
                    raise raised from None
                if enforces_length and not request.stream_output and response.is_cut_short:
                    raise connection_error("cut-short", request, connect_timeout, read_timeout)[0]
                return _aws_response(request, response)
        moto = _moto_answer(request)
        if moto is not None:
            return moto
        if is_loopback(seen.host):
            return original(session, request)
        raise blocked(*signing.get(), seen.host)

    return send


class _Headers(Mapping[str, str]):
    """Headers of botocore or requests, read one by one: few are needed, and a copy of all would take most of the time here."""

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
    """Return a request of botocore or requests without its body, which can be a stream that is readable only once."""
    return Request(request.method, request.url, _Headers(request.headers), b"")


def request_body(request: Any) -> bytes:
    """Return the body of a request of botocore or requests. A stream is read."""
    body = request.body
    if hasattr(body, "read"):
        body = body.read()
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body or b"")


def timeouts(session: Any, request: Any) -> tuple[float, float]:
    """Return the connect timeout and the read timeout of a botocore client in seconds."""
    # Newer versions of botocore have timeouts of single requests.
    own = session._get_request_timeout(request) if hasattr(session, "_get_request_timeout") else None
    timeout = own or session._timeout
    if isinstance(timeout, int | float):
        return timeout, timeout
    # urllib3, aiohttp and httpx name the two differently.
    connect = next((getattr(timeout, name) for name in ("connect_timeout", "sock_connect", "connect") if hasattr(timeout, name)), None)
    read = next((getattr(timeout, name) for name in ("read_timeout", "sock_read", "read") if hasattr(timeout, name)), None)
    return (math.inf if connect is None else connect), (math.inf if read is None else read)


def connection_error(how: str, request: Any, connect_timeout: float, read_timeout: float) -> tuple[Exception, float]:
    """Return botocore's error for a broken connection, as if urllib3 raised it, and the seconds that the client waits for it."""
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
    unanswered = ReadTimeoutError(url, url, f"Read timed out. (read timeout={read_timeout})")
    return exceptions.ReadTimeoutError(endpoint_url=url, error=unanswered), read_timeout


class _Raw(BytesIO):
    """The stream from which botocore reads a body."""

    def stream(self, amt: int = -1, decode_content: bool = False) -> Iterator[bytes]:
        yield self.read()


def _aws_response(request: Any, response: Response) -> Any:
    from botocore.awsrequest import AWSResponse

    return AWSResponse(request.url, response.status, response.headers, _Raw(response.body))


def _sign(original: Any) -> Any:
    def sign(signer: Any, operation_name: str, request: Any, *args: Any, **kwargs: Any) -> Any:
        note_signing(str(signer._service_id), operation_name)
        return original(signer, operation_name, request, *args, **kwargs)

    return sign


def note_signing(service: str, operation: str, *, asynchronous: bool = False) -> None:
    """Remember service and operation of the request that is sent now."""
    _patch_moto()
    patches.keep()
    signing.set((service, operation))
    _asynchronous.set(asynchronous)


def _get_auth_instance(original: Any) -> Any:
    def get_auth_instance(signer: Any, *args: Any, request_credentials: Any = None, **kwargs: Any) -> Any:
        if (fake := active()) is not None:
            request_credentials = credentials.signing_credentials(request_credentials or signer._credentials, fake)
        return original(signer, *args, request_credentials=request_credentials, **kwargs)

    return get_auth_instance


def _get_credentials(original: Any) -> Any:
    def get_credentials(session: Any) -> Any:
        fake = active()
        return original(session) if fake is None else credentials.credentials_of(session, fake)

    return get_credentials


def _get_scoped_config(original: Any) -> Any:
    """Return a `get_scoped_config` that takes a missing profile as empty: a fake needs nothing from a profile."""
    from botocore.exceptions import ProfileNotFound

    def get_scoped_config(session: Any) -> Any:
        try:
            return original(session)
        except ProfileNotFound:
            if active() is None:
                raise
            return {}

    return get_scoped_config


def _patch_moto() -> None:
    """Make moto leave SageMaker requests to the fake, if moto is imported. Never imports it."""
    stubber = sys.modules.get("moto.core.botocore_stubber")
    if (owner := getattr(stubber, "BotocoreStubber", None)) is not None:  # None while another thread is importing it
        patches.replace(owner, "__call__", _moto_call)


def _moto_call(original: Any) -> Any:
    def call(self: Any, event_name: str, request: Any, **kwargs: Any) -> Any:
        # A `before-send` handler runs even if another has answered: moto must not change its own store. Its answers cannot be
        # awaited: for aiobotocore, `send` asks moto and converts the answer.
        if active() is not None and (_asynchronous.get() or signing.get()[0] in SERVICES or is_sagemaker(envelope(request))):
            return None
        return original(self, event_name, request, **kwargs)

    return call


def moto_response(request: Any) -> Response | None:
    """Return moto's answer to a botocore request, or None if moto is not active or has no answer."""
    answered = _moto_answer(request)
    return None if answered is None else Response(answered.status_code, dict(answered.headers), answered.content)


def pass_on(request: Request) -> Response | None:
    """Return moto's answer to a request that came through a server in this process, or None if there is none."""
    fake = active()
    if fake is None or "moto.core.models" not in sys.modules:
        return None
    from botocore.awsrequest import AWSPreparedRequest

    url = f"https://api.sagemaker.{request.scope[1] or fake.home.region}.amazonaws.com/"
    return moto_response(AWSPreparedRequest(request.method, url, dict(request.headers), request.body, stream_output=False))


def _moto_answer(request: Any) -> Any:
    """Return moto's answer as a response of botocore, or None."""
    models = sys.modules.get("moto.core.models")
    if models is None:
        return None
    stubber = models.botocore_stubber
    try:
        return patches.before(type(stubber), "__call__")(stubber, "before-send", request)
    except NotImplementedError:
        return None
