"""Interception of aiobotocore, and so of aioboto3: as of botocore, with answers that can be awaited."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from types import ModuleType
from typing import Any, Self

from pytest_smfake.patches import Replace
from pytest_smfake.protocol.active import ActiveFake, active, answering
from pytest_smfake.protocol.http import BrokenConnection, Request, Response
from pytest_smfake.protocol.wire import answer, is_runtime
from pytest_smfake.service.calls import origin
from pytest_smfake.service.stand_ins import isolated, network_unreachable

from . import botocore as transport
from . import credentials
from .botocore import connection_error, envelope, request_body, timeouts
from .guard import Route, blocked, is_loopback, route_of


def patch_classes(replace_: Replace) -> None:
    """Patch the classes of aiobotocore, which is imported already, so that the fake answers its clients."""
    import aiobotocore.endpoint
    import aiobotocore.httpsession
    import aiobotocore.retries.bucket
    import aiobotocore.session
    import aiobotocore.signers
    import aiobotocore.waiter

    replace_(aiobotocore.httpsession.AIOHTTPSession, "send", _send)
    replace_(aiobotocore.signers.AioRequestSigner, "sign", _sign)
    replace_(aiobotocore.signers.AioRequestSigner, "get_auth_instance", _get_auth_instance)
    replace_(aiobotocore.retries.bucket.AsyncTokenBucket, "acquire", _acquire)
    for module, name in ((aiobotocore.endpoint, "AnyioEndpoint"), (aiobotocore.waiter, "AnyioWaiter")):
        replace_(module, "asyncio", _virtual_asyncio)
        if hasattr(module, name):  # since 3.9
            replace_(getattr(module, name), "_sleep", _sleep_method)
    sessions = sys.modules.get("aiobotocore.httpxsession")
    if sessions is not None and sessions.httpx is not None:  # its second backend, where httpx is installed
        replace_(sessions.HttpxSession, "send", _send)
    replace_(aiobotocore.session.AioSession, "get_credentials", _get_credentials)


def _send(original: Any) -> Any:
    async def send(session: Any, request: Any) -> Any:
        fake = answering()
        if fake is None:
            return await original(session, request)
        seen = envelope(request)
        if (model := isolated.get()) is not None:
            from botocore.exceptions import EndpointConnectionError

            raise EndpointConnectionError(endpoint_url=request.url) from network_unreachable(model)
        match route_of(seen, fake):
            case Route.ORIGINAL:
                return await original(session, request)
            case Route.FAKE:
                return await _faked(session, request, seen, fake)
        if "moto.core.models" in sys.modules:
            request.body = await _body(request)  # moto cannot await a body
            if (moto := transport.moto_response(request)) is not None:
                return _aio_response(session, request, moto)
        if is_loopback(seen.host):
            return await original(session, request)
        raise blocked(*transport.signing.get(), seen.host)

    return send


async def _faked(session: Any, request: Any, seen: Request, fake: ActiveFake) -> Any:
    connect_timeout, read_timeout = timeouts(session, request)
    whole = replace(seen, body=await _body(request), read_timeout=read_timeout)

    def ask() -> Response:
        return answer(whole, fake, lambda: transport.moto_response(request))

    try:
        # Code of the test, such as a stand-in, can take real time. It must not block the event loop.
        if is_runtime(whole) or fake.service.faults.block():
            whole = replace(whole, sent_from=origin())  # the stack of the new thread does not show the caller
            response = await _in_thread(session, ask)
        else:
            response = ask()
    except BrokenConnection as error:
        # aiobotocore reports a reset connection as one that could not be opened: measured with 3.10 on aiohttp 3.14.
        how = "connection-refused" if error.how == "connection-reset" and not _is_httpx(session) else error.how
        raised, seconds = connection_error(how, request, connect_timeout, read_timeout)
        await _sleep(seconds, anyio=_is_httpx(session))
        raise raised from None
    if not request.stream_output and response.is_cut_short:
        raise connection_error("cut-short", request, connect_timeout, read_timeout)[0]
    return _aio_response(session, request, response)


async def _body(request: Any) -> bytes:
    if inspect.iscoroutinefunction(getattr(request.body, "read", None)):
        return bytes(await request.body.read())
    return request_body(request)


def _is_httpx(session: Any) -> bool:
    return type(session).__name__ == "HttpxSession"


async def _in_thread(session: Any, ask: Callable[[], Response]) -> Response:
    if not _is_httpx(session):
        return await asyncio.to_thread(ask)
    import anyio.to_thread

    response: Response = await anyio.to_thread.run_sync(ask)
    return response


class _Stream:
    """The stream from which aiobotocore reads a body, if its backend is aiohttp."""

    def __init__(self, url: str, body: bytes) -> None:
        self.url = url
        self.content = self
        self._left = BytesIO(body)
        self._length = len(body)

    async def read(self, amt: int = -1) -> bytes:
        return self._left.read(amt)

    def at_eof(self) -> bool:
        return self._left.tell() == self._length

    def close(self) -> None:
        self._left.close()

    async def __aenter__(self) -> Self:  # older versions enter it in place of their own body
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.close()


def _aio_response(session: Any, request: Any, response: Response) -> Any:
    from aiobotocore.awsrequest import AioAWSResponse

    headers = {name.lower(): value for name, value in response.headers.items()}
    if not _is_httpx(session):
        return AioAWSResponse(request.url, response.status, headers, _Stream(request.url, response.body))
    from aiobotocore.awsrequest import HttpxAWSResponse

    httpx = sys.modules["aiobotocore.httpxsession"].httpx
    raw = httpx.Response(response.status, stream=httpx.ByteStream(response.body), request=httpx.Request(request.method, request.url))
    return HttpxAWSResponse(request.url, response.status, headers, raw)


def _sign(original: Any) -> Any:
    async def sign(signer: Any, operation_name: str, request: Any, *args: Any, **kwargs: Any) -> Any:
        transport.note_signing(str(signer._service_id), operation_name, asynchronous=True)
        return await original(signer, operation_name, request, *args, **kwargs)

    return sign


def _get_auth_instance(original: Any) -> Any:
    async def get_auth_instance(signer: Any, *args: Any, request_credentials: Any = None, **kwargs: Any) -> Any:
        if (fake := active()) is not None:
            request_credentials = _awaitable(credentials.signing_credentials(request_credentials or signer._credentials, fake))
        return await original(signer, *args, request_credentials=request_credentials, **kwargs)

    return get_auth_instance


def _get_credentials(original: Any) -> Any:
    async def get_credentials(session: Any) -> Any:
        fake = active()
        return await original(session) if fake is None else _awaitable(credentials.credentials_of(session, fake))

    return get_credentials


def _awaitable(found: Any) -> Any:
    from aiobotocore.credentials import AioCredentials

    if isinstance(found, credentials.NoCredentials):
        return _NoCredentials()
    if found is None or isinstance(found, AioCredentials):
        return found
    return AioCredentials(found.access_key, found.secret_key, found.token, found.method)


class _NoCredentials:
    async def get_frozen_credentials(self) -> None:
        """Return None; see `credentials.NoCredentials`."""


def _virtual_asyncio(original: Any) -> Any:
    module = ModuleType("asyncio")
    vars(module).update(vars(original) | {"sleep": _sleep})
    return module


def _sleep_method(original: Any) -> Any:
    async def sleep(self: Any, seconds: float) -> None:
        if active() is None:
            await original(self, seconds)
        else:
            await _sleep(seconds, anyio=True)

    return sleep


async def _sleep(seconds: float, *, anyio: bool = False) -> None:
    """Sleep on the clock of the active fake, or in real time with `real_sleep`. Other tasks can run in both cases."""
    fake = active()
    if fake is not None and not fake.real_sleep:
        fake.clock.advance(seconds)
        seconds = 0
    if anyio:
        from anyio import sleep as pause
    else:
        pause = asyncio.sleep
    await pause(seconds)


def _acquire(original: Any) -> Any:
    """Return an `acquire` for the token bucket of adaptive retries that waits on the fake's clock."""
    from botocore.exceptions import CapacityNotAvailableError

    async def acquire(bucket: Any, amount: int = 1, block: bool = True) -> Any:
        fake = active()
        if not block or fake is None or fake.real_sleep:
            return await original(bucket, amount, block)
        while True:
            try:
                return await original(bucket, amount, block=False)
            except CapacityNotAvailableError:
                # The bucket reads real time: moving its last timestamp back has the effect of waiting.
                missing = bucket._sleep_amount(amount)
                bucket._last_timestamp -= missing
                fake.clock.advance(missing)

    return acquire
