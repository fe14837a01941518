"""Answers that prove nothing, and what ends a run early."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .reply import Reply

CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
"""Codes that are about the credentials: no later request can fare better."""
DENIALS = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
"""Codes of a permission that lacks."""
THROTTLES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Codes that ask for patience, when retries have spent it. Source: botocore's retries, whose list it is."""
IN_A_ROW = 3
"""How many answers in a row prove nothing before going on is pointless."""
SERVER_ERROR = 500

_ADVICE: Mapping[str, str] = {
    "credentials": "the credentials are not, or no longer, accepted",
    "denial": "a permission is missing; `smfake contract --print-policy` prints those that the run needs",
    "throttle": "the service throttles, also after all retries",
    "failure": "the service fails, also after all retries",
}


class UnprovedError(Exception):
    """An answer says nothing about a rule, so that its check neither passed nor failed: it counts as not run."""


class StoppedError(UnprovedError):
    """A run cannot go on; the sentence says why."""


class UnsafeRequestError(RuntimeError):
    """A request could have reached something that the run did not create, and was not sent: a defect of a check."""


def kind_of(reply: Reply) -> str | None:
    """Return why an answer of a service proves nothing, None for one that proves something."""
    if reply.code in CREDENTIALS:
        return "credentials"
    if reply.code in DENIALS:
        return "denial"
    if reply.code in THROTTLES:
        return "throttle"
    return "failure" if reply.status >= SERVER_ERROR else None


def sentence(kind: str, verdict: str) -> str:
    """Return what such an answer means, and the answer."""
    return f"{_ADVICE[kind]} ({verdict})"
