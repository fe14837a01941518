"""An error that the service answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_smfake.rules.messages import message
from pytest_smfake.rules.rule import Violation


class ServiceError(Exception):
    """An error response: code, text and HTTP status, with the violations that led to it.

    It is raised by operations and encoded by the transport; a client sees it as its own error class. `members` are what it
    has beside code and text, such as a model error's OriginalStatusCode. An empty code stands for an error that names none.
    `because` names what a test put in force that led to it, as the test would write it; it never goes over the wire.
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


def rejected(violations: Sequence[Violation], left_out: int = 0) -> ServiceError:
    """Return the error by which the service rejects a request with these violations, and others that it only counts."""
    code = "SerializationException" if violations[0].rule.keyword == "type" else "ValidationException"
    return ServiceError(code, message(violations, left_out), violations=violations)


def not_implemented(what: str, remedy: str = "With moto active (mock_aws) the call would be passed on to it") -> ServiceError:
    """Return the error for what this fake does not do. It is no answer of the service, and says so."""
    # 501 is the one 5xx status that no SDK retries.
    return ServiceError("NotImplemented", f"{what} is not implemented by pytest-smfake. {remedy}.", status=501)


class NetworkBlockedError(RuntimeError):
    """An AWS call that would have left the process while a fake was active."""
