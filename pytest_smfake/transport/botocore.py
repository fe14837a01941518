"""Interception of botocore: patches of its classes that hold while a fake is active.

They are class-level, so that every client is answered, whenever it was made, and each answers at the HTTP layer, so that
retries, waiters, paginators, event hooks and error parsing stay botocore's own.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from io import BytesIO
from typing import Any

from pytest_smfake.service.isolation import isolated, refusal

from . import credentials, waiting
from .active import ActiveFake, fakes
from .exchange import BrokenConnection, Request, Response
from .importing import OnImport
from .sending import Way, blocked, body_of, broken, envelope, is_loopback, timeouts, way
from .wire import answer, is_sagemaker

_undo: list[Callable[[], None]] = []
_lock = threading.RLock()
signing: ContextVar[tuple[str, str]] = ContextVar("smfake_signing", default=("an AWS service", "an unknown operation"))
"""Service and operation of the request being sent, which the request itself does not always tell."""
SERVICES = ("SageMaker", "SageMaker Runtime")
"""What is answered, as botocore's service models name it."""
_asynchronous: ContextVar[bool] = ContextVar("smfake_asynchronous", default=False)
"""Whether the client that is sending is one of aiobotocore."""


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
    _replace(botocore.session.Session, "__init__", _init)
    _patch_moto()
    _patch_aiobotocore()
    importing = OnImport("requests.sessions", _patch_requests)
    importing.start()
    _undo.append(importing.stop)


def _patch_requests(sessions: Any) -> None:
    from . import plain

    plain.patch(_replace, sessions)


def _patch_aiobotocore() -> None:
    """Patch aiobotocore, once it is imported; it is never imported for this."""
    sessions = sys.modules.get("aiobotocore.session")
    if sessions is not None and not hasattr(sessions.AioSession.get_credentials, "smfake"):
        from . import aio

        aio.patch(_replace)
        sessions.AioSession.get_credentials.smfake = True


def _init(original: Any) -> Any:
    def init(session: Any, *args: Any, **kwargs: Any) -> None:
        _patch_aiobotocore()  # a session of aiobotocore is one of botocore's, too, and the first that there is of it
        original(session, *args, **kwargs)

    return init


def _send(original: Any) -> Any:
    minds_length = not any(isinstance(names, tuple) and "enforce_content_length" in names for names in original.__code__.co_consts)
    # Newer versions of botocore tell urllib3 to take a body that is shorter than announced; for older ones the connection broke.

    def send(session: Any, request: Any) -> Any:
        fake = fakes[-1]
        seen = envelope(request)
        if (model := isolated.get()) is not None:
            from botocore.exceptions import EndpointConnectionError

            raise EndpointConnectionError(endpoint_url=request.url) from refusal(model)
        match way(seen, fake):
            case Way.ON:
                return original(session, request)
            case Way.FAKE:
                connect_timeout, read_timeout = timeouts(session, request)
                whole = Request(seen.method, seen.url, seen.headers, body_of(request), read_timeout)
                try:
                    response = answer(whole, fake, lambda: moto_response(request))
                except BrokenConnection as error:
                    raised, seconds = broken(error.how, request, connect_timeout, read_timeout)
                    waiting.sleep(seconds)
                    raise raised from None
                if minds_length and not request.stream_output and response.is_cut_short:
                    raise broken("cut-short", request, connect_timeout, read_timeout)[0]
                return _aws_response(request, response)
        moto = _moto_answer(request)
        if moto is not None:
            return moto
        if is_loopback(seen.host):
            return original(session, request)
        raise blocked(*signing.get(), seen.host)

    return send


class _Raw(BytesIO):
    """What botocore reads a body from."""

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
    """Remember what is being sent."""
    _patch_moto()
    signing.set((service, operation))
    _asynchronous.set(asynchronous)


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
            # A `before-send` handler runs even if another has answered: moto's must not touch its own store. Its answers
            # cannot be awaited: for aiobotocore they are made into some that can.
            ours = signing.get()[0] in SERVICES or is_sagemaker(envelope(request))
            return None if ours or _asynchronous.get() else original(self, event_name, request, **kwargs)

        call.smfake_original = original  # type: ignore[attr-defined]
        return call

    _replace(stubber.BotocoreStubber, "__call__", make)


def moto_response(request: Any) -> Response | None:
    """Return moto's answer to a botocore request, or None where it is not active or has none."""
    answered = _moto_answer(request)
    return None if answered is None else Response(answered.status_code, dict(answered.headers), answered.content)


def pass_on(request: Request) -> Response | None:
    """Return moto's answer to a request that came over a server in this process."""
    if not fakes or "moto.core.models" not in sys.modules:
        return None
    from botocore.awsrequest import AWSPreparedRequest

    url = f"https://api.sagemaker.{request.scope[1] or fakes[-1].home.region}.amazonaws.com/"
    return moto_response(AWSPreparedRequest(request.method, url, dict(request.headers), request.body, stream_output=False))


def _moto_answer(request: Any) -> Any:
    """Return moto's answer as botocore has it."""
    models = sys.modules.get("moto.core.models")
    if models is None:
        return None
    _patch_moto()
    stubber = models.botocore_stubber
    try:
        return vars(type(stubber))["__call__"].smfake_original(stubber, "before-send", request)
    except NotImplementedError:
        return None
