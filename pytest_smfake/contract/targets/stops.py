"""What ends a run early: answers that prove nothing, and a budget of requests, retries counted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_smfake.contract.check import Reply

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


SHARE = 1.2
"""How many times the requests that were announced may be sent, so that there is room for retries."""
ROOM = 10
"""Attempts that a short run may send beyond what was announced."""
LAST = 6
"""Attempts that are kept for deleting, beside those that list what is left."""


class Budget:
    """Paces and counts attempts.

    Args:
        rate: attempts a second at the most.
    """

    def __init__(self, rate: float) -> None:
        self.sent = 0
        """How many attempts were made in all."""
        self.announced: int | None = None
        self.limit: int | None = None
        """How many attempts a run may make, None as long as nothing was announced."""
        self._spent = 0
        self._reserve = 0
        self._rate = rate
        self._next = 0.0

    def announce(self, requests: int, pages: int) -> None:
        """Bound what is sent from now on.

        Args:
            requests: how many a run is going to send, what was sent so far included.
            pages: how many of them list what is left at its end; they, and a few that delete, are kept for the end.
        """
        self.announced, self._spent = requests, self.sent
        self.limit = max(int(SHARE * requests), requests + ROOM)
        self._reserve = pages + LAST

    def take(self, *, of_run: bool, last: bool, deletes: bool = False) -> None:
        """Wait for the turn of an attempt, and count it.

        Args:
            of_run: whether it belongs to what was announced; attempts of other tests are counted apart.
            last: whether it deletes, or lists what is left.
            deletes: whether it deletes what the run created: that is never refused.

        Raises:
            StoppedError: the budget is spent.
        """
        if of_run and self.limit is not None:
            if not deletes and self._spent >= self.limit - (0 if last else self._reserve):
                raise StoppedError(
                    f"the budget of {self.limit} attempts is spent ({self.announced} requests were announced): "
                    "the service answers otherwise than it is documented to, or needs many retries"
                )
            self._spent += 1
        wait = self._next - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._next = time.monotonic() + 1 / self._rate
        self.sent += 1
