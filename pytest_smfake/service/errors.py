"""Errors that the service answers with, and the error for a blocked AWS call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_smfake.rules.messages import message
from pytest_smfake.rules.rule import Violation


class ServiceError(Exception):
    """An error response: code, text and HTTP status, with the violations that caused it.

    Operations raise it and the protocol encodes it; a client raises its own error class for it. `members` are its members other
    than code and text, such as a model error's OriginalStatusCode. The code is empty if the response has no code. `because` is the
    expression by which a test caused it, such as `limit('models', 5)`; it is not sent to the client.
    """

    def __init__(
        self,
        code: str,
        text: str = "",
        *,
        status: int = 400,
        violations: Sequence[Violation] = (),
        members: Mapping[str, Any] | None = None,
        because: str = "",
    ) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text
        self.status = status
        self.violations = tuple(violations)
        self.members = dict(members or {})
        self.because = because


def violation_error(violations: Sequence[Violation], left_out: int = 0) -> ServiceError:
    """Return the error response for violations; `left_out` is the number of further violations, which the text only counts."""
    code = "SerializationException" if violations[0].rule.keyword == "type" else "ValidationException"
    return ServiceError(code, message(violations, left_out), violations=violations)


def not_implemented(what: str, remedy: str = "With moto active (mock_aws) the call would be passed on to it") -> ServiceError:
    """Return the error for something that this fake does not implement. Its text says that it does not come from the service."""
    # 501 is the one 5xx status that no SDK retries.
    return ServiceError("NotImplemented", f"{what} is not implemented by pytest-smfake. {remedy}.", status=501)


class NetworkBlockedError(RuntimeError):
    """An AWS call would have left the process while a fake was active."""
