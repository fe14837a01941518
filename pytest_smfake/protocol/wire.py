"""Requests to calls and results to responses: AWS JSON 1.1 of SageMaker, and REST with JSON of its runtime."""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Callable
from email.utils import formatdate
from functools import cache, lru_cache
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from pytest_smfake.rules.catalogue import Catalogue
from pytest_smfake.rules.service_model import RESPONSE, error_names, operation_names, runtime_model, service_model, shape_of
from pytest_smfake.service.calls import Call, origin
from pytest_smfake.service.errors import ServiceError
from pytest_smfake.service.faults import NOTHING, InjectedError, Injection
from pytest_smfake.service.invoke import BODY, too_large
from pytest_smfake.service.resources import Scope

from .active import ActiveFake
from .http import MAX_BODY, BrokenConnection, Request, Response

TARGET = "SageMaker."
CONTENT_TYPE = "application/x-amz-json-1.1"
CONTENT_TYPES = (CONTENT_TYPE, "application/x-amz-json-1.0", "application/json")
"""Content types that are read as JSON. Any other one gives an unknown operation, as observed of Kinesis (mhart/kinesalite, index.js),
which reads only the first. The other two are read here for the convenience of code without an SDK."""

_API_HOST = re.compile(
    r"(?:[\w-]+\.)?api(?:-fips)?\.sagemaker\.(?P<region>[\w-]+)\.|(?:[\w-]+\.)?sagemaker(?:-fips)?\.(?P<dual>[\w-]+)\.api\."
)


def is_sagemaker(request: Request) -> bool:
    """Return whether a request is for SageMaker or its runtime, at any host."""
    if (target := request.headers.get("x-amz-target")) is not None:
        return target.startswith(TARGET)
    if is_runtime(request):
        return True
    # Other SageMaker services sign with the same service name, but have other paths.
    return urlsplit(request.url).path in ("", "/") and (request.scope[2] == "sagemaker" or bool(_API_HOST.match(request.host)))


def answer(request: Request, fake: ActiveFake, forward: Callable[[], Response | None]) -> Response:
    """Answer a request to SageMaker and log the call.

    Args:
        request: the request.
        fake: the fake that answers.
        forward: passes a request that the fake does not implement to another mock; returns that mock's response, or None if there
            is no such mock.

    Raises:
        BrokenConnection: an injected failure of the connection.
    """
    key, region, _ = request.scope
    service, caller = fake.service, fake.signatures.caller(key)
    place = Scope(caller.account or fake.home.account, region or _region_of(request.host) or fake.home.region)
    call = Call(None, request.body, place.region, place.account, service.clock.now(), principal=caller.principal)
    call = service.calls.arrive(call, request.headers.get("amz-sdk-invocation-id"))
    to_runtime, identity = is_runtime(request), request_id()
    call.request_id = identity
    met: Injection = NOTHING
    response = None
    try:
        if to_runtime:
            call.operation, parameters = _decode_invocation(request, service.catalogue)
            call.members = parameters
            met = service.faults.arrive(call, request.read_timeout)
        else:
            call.operation = _operation(request)
            met = service.faults.arrive(call, request.read_timeout)
            call.body = body = decompressed(request)
            parameters = decode(body)
        # Verified after the body is read and before it is checked: observed of Kinesis (mhart/kinesalite, index.js).
        fake.signatures.verify(request)
        service.check(call.operation, parameters)
        met.at("access")
        service.denials.authorize(call.operation, parameters, place, caller.principal)
        met.at("condition")
        if not service.keeps(call.operation, parameters):
            service.check_size(call.operation, parameters, place)
            response = forward()
        call.passed_on = response is not None
        if response is None:
            call.response = service.execute(call.operation, parameters, place)
    except ServiceError as error:
        # Without the traceback, whose frames would keep the request and its body in memory as long as the call is in the log.
        call.error = (_runtime_error(error, identity) if to_runtime else error).with_traceback(None)
    injected = met.answered()
    if call.error is not None or injected is not None:
        call.sent_from = request.sent_from or origin()
    if injected is not None and injected.failure.form != "damage":
        call.error, call.response, response = injected, None, None
    if response is None:
        first, last = {"x-amzn-RequestId": identity}, {"Date": _date(int(service.clock.now()))}
        response = _error_response(call, call.error, first, last) if isinstance(call.error, InjectedError) else None
        response = response or (_encode_invocation(call, first, last) if to_runtime else _encode(call, first, last))
    if injected is not None and injected.failure.form == "damage":
        response = damaged(response, injected.code)
    return Response(response.status, response.headers, response.body, call)


# The order of the headers of an error is observed (aws/aws-sdk#486): RequestId, Content-Type, Content-Length, Date; that x-amzn-ErrorType
# follows, and that others have the same order, is assumed.


def _error_response(call: Call, error: InjectedError, first: dict[str, str], last: dict[str, str]) -> Response | None:
    """Return the response for an injected failure that is no error of the service; None for an error of the service."""
    if error.failure.form == "connection":
        raise BrokenConnection(error.code, call)
    return Response(error.status, first | {"Content-Length": "0"} | last, b"") if error.failure.form == "status" else None


def damaged(response: Response, how: str) -> Response:
    """Return a response with a damaged body, as after a connection that closed early, or from a proxy in between."""
    if how == "non-json-body":
        page = b"<!DOCTYPE html><html><body>Please log in to the network.</body></html>"
        return Response(response.status, response.headers | {"Content-Type": "text/html", "Content-Length": str(len(page))}, page)
    # The Content-Length is not changed: the connection closes early.
    return Response(response.status, response.headers, response.body[: len(response.body) // 2] if how == "truncated-body" else b"")


@lru_cache(maxsize=8)
def _date(seconds: int) -> str:
    """Return a time in the format of HTTP headers."""
    return formatdate(seconds, usegmt=True)


_RANDOM = random.Random()  # noqa: S311  # not for security; a separate generator, since tests seed the module's


def request_id() -> str:
    """Return a random request id."""
    digits = f"{_RANDOM.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _region_of(host: str) -> str:
    """Return the region in a host name of SageMaker; empty for any other host."""
    match = _API_HOST.match(host)
    return (match["region"] or match["dual"]) if match else ""


def _operation(request: Request) -> str:
    name = request.headers.get("x-amz-target", "").removeprefix(TARGET)
    kind = request.headers.get("content-type", CONTENT_TYPE)
    known = kind == CONTENT_TYPE or kind.partition(";")[0].strip().lower() in CONTENT_TYPES
    if name not in operation_names() or request.method != "POST" or not known:
        # Code and status are documented. That there is no message is observed of another service with this protocol.
        raise ServiceError("UnknownOperationException", status=404)
    return name


def decompressed(request: Request) -> bytes:
    """Return the decompressed body of a request.

    Raises:
        ServiceError: the body is too large, or is no valid gzip, or has another encoding (the last two are assumed).
    """
    body = request.body
    packed = request.headers.get("content-encoding", "").strip().lower()
    if packed in ("gzip", "x-gzip"):
        decompressor = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            body = decompressor.decompress(body, MAX_BODY + 1)  # no more, since a few bytes can expand to gigabytes
        except zlib.error:
            raise ServiceError("SerializationException") from None
        if not decompressor.eof and len(body) <= MAX_BODY:
            raise ServiceError("SerializationException")
    elif packed not in ("identity", ""):
        raise ServiceError("SerializationException", f"The content encoding '{packed}' is not supported")
    if len(body) > MAX_BODY:
        raise ServiceError("RequestEntityTooLargeException", f"The request body has more than {MAX_BODY} bytes", status=413)
    return body


def decode(body: bytes) -> Any:
    """Return the JSON value of a body.

    Raises:
        ServiceError: `SerializationException` if the body is not valid JSON. Python's `json` is less strict: it also accepts UTF-16,
            NaN, and lone surrogates.
    """
    try:
        text = body.decode("utf-8")
        value = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):  # bad UTF-8, bad JSON and lone surrogates are ValueErrors
        # Without a message, as observed of Firehose, which has the same protocol (pplu/aws-sdk-perl#237).
        raise ServiceError("SerializationException") from None
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def _encode(call: Call, first: dict[str, str], last: dict[str, str]) -> Response:
    status = 200
    body: dict[str, Any] | None = call.response
    if error := call.error:
        status = error.status
        last |= {"x-amzn-ErrorType": error.code}
        body = {"__type": error.code}
        if error.text:
            body["Message" if error.code in error_names(service_model()) else "message"] = error.text
    content = b"" if body is None else _ENCODER.encode(body).encode("utf-8")
    return Response(status, first | {"Content-Type": CONTENT_TYPE, "Content-Length": str(len(content))} | last, content)


_RUNTIME_ACTIONS = {
    "invocations": "InvokeEndpoint",
    "async-invocations": "InvokeEndpointAsync",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
}
"""The operation by the last part of the path. Source: botocore, sagemaker-runtime service-2.json, requestUri."""

_RUNTIME_PATH = re.compile(rf"/endpoints/(?P<name>[^/]*)/(?P<action>{'|'.join(_RUNTIME_ACTIONS)})")
_RUNTIME_HOST = re.compile(r"(?:[\w-]+\.)?runtime(?:-fips)?\.sagemaker\.")


def is_runtime(request: Request) -> bool:
    """Return whether a request is for SageMaker's runtime, by its path and its signature or host."""
    if "/endpoints/" not in request.url:
        return False
    return bool(_RUNTIME_PATH.fullmatch(urlsplit(request.url).path)) and (
        request.scope[2] == "sagemaker" or bool(_RUNTIME_HOST.match(request.host))
    )


@cache
def _header_members(operation: str) -> dict[str, str]:
    """Return the header names of the members that a request or response of the runtime has in headers, by member name."""
    shape = shape_of(operation)
    return {
        name: member.serialization["name"]
        for name, member in (shape.members.items() if shape is not None else ())
        if member.serialization.get("location") == "header"
    }


def _decode_invocation(request: Request, catalogue: Catalogue) -> tuple[str, dict[str, Any]]:
    """Return operation and parameters of a request to the runtime.

    Raises:
        ServiceError: the body is too large.
    """
    match = _RUNTIME_PATH.fullmatch(urlsplit(request.url).path)
    if match is None:
        raise ValueError(f"{request.url!r} is no URL of the runtime")
    operation = _RUNTIME_ACTIONS[match["action"]]
    error = too_large(catalogue.get(BODY), request.body)
    if error is not None:
        raise error
    parameters: dict[str, Any] = {"EndpointName": unquote(match["name"]), "Body": request.body}
    for name, header in _header_members(operation).items():
        if (value := request.headers.get(header.lower())) is not None:
            parameters[name] = value
    return operation, parameters


def _runtime_error(error: ServiceError, request_id: str) -> ServiceError:
    """Return an error of the service with the code that the runtime uses: ValidationError instead of ValidationException.

    That the texts of its constraint errors are the same is assumed.
    """
    if error.code not in ("ValidationException", "ValidationError"):
        return error
    text = error.text.replace("{request_id}", request_id)
    return ServiceError("ValidationError", text, status=error.status, violations=error.violations, members=error.members)


def _encode_invocation(call: Call, first: dict[str, str], last: dict[str, str]) -> Response:
    """Return the response to a call of the runtime. The members of an error are sorted (observed of a ModelError, see `invoke.py`)."""
    if error := call.error:
        member = "Message" if error.code in error_names(runtime_model()) else "message"
        content = json.dumps(dict(sorted((error.members | {member: error.text}).items())), ensure_ascii=False).encode("utf-8")
        last |= {"x-amzn-ErrorType": error.code} if error.code else {}
        return Response(error.status, first | {"Content-Type": "application/json", "Content-Length": str(len(content))} | last, content)
    answer: dict[str, Any] = call.response
    body: bytes = answer["Body"]
    members = {header: answer[name] for name, header in _header_members(f"{call.operation}{RESPONSE}").items() if name in answer}
    return Response(200, first | members | {"Content-Length": str(len(body))} | last, body)
