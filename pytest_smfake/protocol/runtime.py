"""The runtime's form of REST with JSON: members in the path and in headers, the body as it is."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from pytest_smfake.rules.catalogue import Catalogue
from pytest_smfake.rules.service_model import RESPONSE, error_names, runtime_model, shape_of
from pytest_smfake.service.calls import Call
from pytest_smfake.service.errors import ServiceError
from pytest_smfake.service.invoke import BODY, too_large

from .http import Request, Response

RUNTIME_ACTIONS = {
    "invocations": "InvokeEndpoint",
    "async-invocations": "InvokeEndpointAsync",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
}
"""The operation by the last part of the path. Source: botocore, sagemaker-runtime service-2.json, requestUri."""

_PATH = re.compile(rf"/endpoints/(?P<name>[^/]*)/(?P<action>{'|'.join(RUNTIME_ACTIONS)})")
_HOST = re.compile(r"(?:[\w-]+\.)?runtime(?:-fips)?\.sagemaker\.")


def is_runtime(request: Request) -> bool:
    """Whether a request is for SageMaker's runtime, by its path and signature or host."""
    if "/endpoints/" not in request.url:
        return False
    return bool(_PATH.fullmatch(urlsplit(request.url).path)) and (request.scope[2] == "sagemaker" or bool(_HOST.match(request.host)))


@cache
def _headers(operation: str) -> dict[str, str]:
    """Return the members that an operation's request, or response, has in headers: their names there by their own."""
    shape = shape_of(operation)
    return {
        name: member.serialization["name"]
        for name, member in (shape.members.items() if shape is not None else ())
        if member.serialization.get("location") == "header"
    }


def decode(request: Request, catalogue: Catalogue) -> tuple[str, dict[str, Any]]:
    """Return operation and parameters of a request.

    Raises:
        ServiceError: the body is over its bound.
    """
    match = _PATH.fullmatch(urlsplit(request.url).path)
    if match is None:
        raise ValueError(f"{request.url!r} is no address of the runtime")
    operation = RUNTIME_ACTIONS[match["action"]]
    error = too_large(catalogue.get(BODY), request.body)
    if error is not None:
        raise error
    parameters: dict[str, Any] = {"EndpointName": unquote(match["name"]), "Body": request.body}
    for name, header in _headers(operation).items():
        if (value := request.headers.get(header.lower())) is not None:
            parameters[name] = value
    return operation, parameters


def translated(error: ServiceError, request_id: str) -> ServiceError:
    """Return an error as the runtime puts it: ValidationError is its name for what SageMaker calls ValidationException.

    That its constraint errors read the same is assumed.
    """
    if error.code not in ("ValidationException", "ValidationError"):
        return error
    text = error.text.replace("{request_id}", request_id)
    return ServiceError("ValidationError", text, status=error.status, violations=error.violations, members=error.members)


def encode(call: Call, headers: dict[str, str]) -> Response:
    """Return the response to a call."""
    if error := call.error:
        member = "Message" if error.code in error_names(runtime_model()) else "message"
        content = json.dumps(error.members | {member: error.text}, ensure_ascii=False).encode("utf-8")
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
        if error.code:
            headers["x-amzn-ErrorType"] = error.code
        return Response(error.status, headers, content)
    answer: dict[str, Any] = call.response
    body: bytes = answer["Body"]
    for name, header in _headers(f"{call.operation}{RESPONSE}").items():
        if name in answer:
            headers[header] = answer[name]
    headers["Content-Length"] = str(len(body))
    return Response(200, headers, body)
