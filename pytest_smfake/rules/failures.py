"""What a call can fail with: the errors of each operation, and what can befall its connection and its answer."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from typing import Literal

from .inputs import near, shown
from .rule import Evidence
from .service_model import is_operation, operation_model, runtime_model, service_model

ANY = "*"
"""Stands for every operation."""

Form = Literal["error", "status", "connection", "damage"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One way to fail.

    Attributes:
        code: the error code on the wire, or the name of what is no error: `connection-reset`, `503`, `empty-body`.
        form: `error`, an error with a code; `status`, an HTTP status without a body; `connection`, no answer at all; `damage`,
            an answer whose body is damaged.
        status: the HTTP status, 0 for a connection, and for a damaged body, which keeps its own.
        text: the text in the service's words, empty where none is known.
        evidence: how text and status are known; the less certain of the two.
        source: where from.
        aliases: other documented names for it.
    """

    code: str
    form: Form
    status: int
    text: str
    evidence: Evidence
    source: str
    aliases: tuple[str, ...] = ()


DOCUMENTED = "Common Errors of the API reference, 2026"
EARLIER = "Common Errors of the API reference, 2018 to 2020"
DISPUTED = f"{DOCUMENTED}: 403; {EARLIER}: 400, which is what the one such error seen has (aws/amazon-sagemaker-operator-for-k8s#99)"
SIBLINGS = "JSON services beside SageMaker: aws/aws-sdk-php#1780, where the clock is ahead aws/aws-sdk-go#2194"
BOTOCORE = "botocore, which names the error after the status where a 5xx has no body: parsers.py"


def _error(
    code: str, status: int, text: str = "", *, evidence: Evidence = "assumed", source: str = DOCUMENTED, aliases: tuple[str, ...] = ()
) -> Failure:
    return Failure(code, "error", status, text, evidence, source, aliases)


COMMON = (
    _error("AccessDeniedException", 400, source=DISPUTED),
    _error("ExpiredTokenException", 400, "The security token included in the request is expired", source=DISPUTED),
    _error("IncompleteSignature", 400, source=DISPUTED),
    _error("InternalFailure", 500, evidence="observed", source="aws/amazon-sagemaker-examples#3764: the message is empty"),
    _error("MalformedHttpRequestException", 400),
    _error("NotAuthorized", 401),
    _error("OptInRequired", 403),
    _error("RequestAbortedException", 400),
    _error("RequestEntityTooLargeException", 413),
    _error("RequestTimeoutException", 408),
    _error("ServiceUnavailable", 503),
    _error("ThrottlingException", 400, "Rate exceeded", evidence="observed", source="aws/aws-sdk#486"),
    _error(
        "UnknownOperationException",
        404,
        "The requested operation is not supported in the called region.",
        evidence="documented",
        source=f"{DOCUMENTED}; the text is observed: hashicorp/terraform-provider-aws#27258",
    ),
    _error(
        "UnrecognizedClientException",
        400,
        "The security token included in the request is invalid.",
        evidence="observed",
        source="aws/amazon-sagemaker-operator-for-k8s#99",
        aliases=("InvalidClientTokenId",),
    ),
    _error(
        "ValidationException",
        400,
        source="the name on the wire is observed, the documented one is ValidationError",
        aliases=("ValidationError",),
    ),
    _error("InvalidSignatureException", 400, evidence="reported", source=SIBLINGS, aliases=("RequestExpired", "clock-skew")),
    _error(
        "MissingAuthenticationTokenException",
        403,
        "Missing Authentication Token",
        evidence="observed",
        source="aws/amazon-sagemaker-examples#290, of the runtime",
        aliases=("MissingAuthenticationToken",),
    ),
)
"""The errors that every operation is documented to have, and two of those documented earlier, which are still seen. Where no
text is known it is empty, as the one of InternalFailure is."""

FORMER = (
    *(
        _error(code, status, source=EARLIER)
        for code, status in {
            "InvalidAction": 400,
            "InvalidParameterCombination": 400,
            "InvalidParameterValue": 400,
            "InvalidQueryParameter": 400,
            "MalformedQueryString": 404,
            "MissingAction": 400,
            "MissingParameter": 400,
        }.items()
    ),
)
"""Errors that were documented for every operation once."""

BROKEN = (
    *(Failure(str(status), "status", status, "", "observed", f"boto/boto3#2847; {BOTOCORE}") for status in (500,)),
    *(Failure(str(status), "status", status, "", "assumed", BOTOCORE) for status in (502, 503, 504)),
    *(
        Failure(code, "connection", 0, "", "assumed", "what befalls a connection; the client's own error is raised")
        for code in ("connection-refused", "connect-timeout", "connection-reset", "read-timeout")
    ),
    *(
        Failure(code, "damage", 0, "", "assumed", "what a proxy, or a connection that closes early, makes of an answer")
        for code in ("empty-body", "truncated-body", "non-json-body")
    ),
)
"""What is no error of the service's, but happens to calls of it."""

UNREACHED = ("connection-refused", "connect-timeout")
"""Failures that keep a call from reaching the service, so that they cannot come after its effect."""


@cache
def modelled(operation: str) -> tuple[Failure, ...]:
    """Return the errors that the installed botocore models for an operation; none are modelled for all of them, `*`."""
    if operation == ANY:
        return ()
    return tuple(
        _error(
            shape.name,
            shape.metadata.get("error", {}).get("httpStatusCode", 400),
            evidence="modelled",
            source=f"botocore's model of {operation}",
            aliases=tuple(common.code for common in COMMON if shape.name in common.aliases),
        )
        for shape in operation_model(operation).error_shapes
    )


@cache
def documented(operation: str) -> tuple[Failure, ...]:
    """Return the errors that an operation is documented to have: those modelled for it, then the common ones.

    Example:
        >>> [failure.code for failure in documented("CreateModel")][:2]
        ['ResourceLimitExceeded', 'AccessDeniedException']
    """
    own = modelled(operation)
    names = {failure.code for failure in own}
    return own + tuple(failure for failure in COMMON if failure.code not in names and not names.intersection(failure.aliases))


def known(operation: str) -> tuple[Failure, ...]:
    """Return everything that can befall a call of an operation."""
    names = {failure.code for failure in documented(operation)}
    return (*documented(operation), *(failure for failure in FORMER if failure.code not in names), *BROKEN)


def failure(operation: str, code: str, *, unmodelled: bool = False) -> Failure:
    """Return what a code, or one of its documented names, stands for in an operation.

    Args:
        operation: the operation, or `*` for every one.
        code: an error code, or the name of what befalls a connection or an answer.
        unmodelled: whether a code may be one that nobody knows.

    Raises:
        ValueError: there is no such operation, or no such failure of it; the sentence lists those that there are.
    """
    if not isinstance(unmodelled, bool):
        raise ValueError(f"unmodelled={shown(unmodelled)} is not True or False")
    if operation != ANY and not (isinstance(operation, str) and is_operation(operation)):
        names = sorted({*service_model().operation_names, *runtime_model().operation_names})
        nearest = difflib.get_close_matches(str(operation)[:100], names, n=3, cutoff=0.3) or ["CreateModel"]
        raise ValueError(f"{shown(operation)} is not an operation of SageMaker, nor '*' for all; near it: {', '.join(nearest)}")
    if not isinstance(code, str) or not code:
        raise ValueError(f"{shown(code)} is not an error code, which is a string such as 'ResourceLimitExceeded'")
    choices = known(operation)
    found = next((choice for choice in choices if code == choice.code), None) or next(
        (choice for choice in choices if code in choice.aliases), None
    )
    if found is not None:
        return found
    if unmodelled:
        return _error(code, 400, source="asked for as unmodelled")
    legal = [choice.code for choice in choices]
    nearest = near(code, [*legal, *(alias for choice in choices for alias in choice.aliases)])
    beginning = f"{shown(code)} is not a failure of {operation}; "
    if nearest:
        beginning += f"near it: {', '.join(nearest)}; "
    raise ValueError(f"{beginning}there are: {', '.join(legal)}. For a code that is not among them: unmodelled=True")
