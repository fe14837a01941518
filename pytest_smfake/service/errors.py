"""An error that the service answers with."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_smfake.spec.messages import message
from pytest_smfake.spec.rules import Violation


class ServiceError(Exception):
    """An error response: code, text and HTTP status, with the violations that led to it.

    It is raised by operations and encoded by the transport; a client sees it as its own error class.
    """

    def __init__(self, code: str, text: str = "", *, status: int = 400, violations: Sequence[Violation] = ()) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text
        self.status = status
        self.violations = tuple(violations)


def rejected(violations: Sequence[Violation]) -> ServiceError:
    """Return the error by which the service rejects a request with these violations."""
    code = "SerializationException" if violations[0].rule.keyword == "type" else "ValidationException"
    return ServiceError(code, message(violations), violations=violations)


def not_implemented(what: str) -> ServiceError:
    """Return the error for what this fake does not do. It is no answer of the service, and says so."""
    text = f"{what} is not implemented by pytest-smfake. With moto active (mock_aws) the call would be passed on to it."
    # 501 is the one 5xx status that no SDK retries.
    return ServiceError("NotImplemented", text, status=501)
