"""Define a check of the contract, the reply of a target to a call, and comparisons that raise `Difference`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_smfake.rules.rule import Evidence

if TYPE_CHECKING:
    from pytest_smfake.contract.targets.target import Target

RunCheck = Callable[["Target"], None]

CAPABILITIES: Mapping[str, str] = {
    "creation": "the target accepts the role and image, so that a model can be created",
    "unchecked": "roles, images, artifacts and subnets in a request need not exist",
    "any-name": "any name or ARN may be sent, even one that is too short to contain the id of the run",
    "alone": "the account has only models that the check created, so that whole lists can be compared",
    "regions": "a second region can be reached",
    "limits": "the limit on models can be set",
    "faults": "faults can be injected into calls",
    "hosting": "endpoint configurations, endpoints and transform jobs can be created and left where they are",
}
"""The capabilities of a target that a check can need, each with its meaning. None is named after a vendor."""


class Difference(AssertionError):  # noqa: N818  # a finding about the target, not an error of the check
    """Report that a target behaves differently from the sentence of a check.

    Attributes:
        expected, actual: the expected and the actual behaviour, in words.
        request: the request that showed the difference; None if it was not a single request.
        outdated: whether the target follows the SDK's model where the documented page says something else.
    """

    def __init__(self, expected: str, actual: str, request: Any = None, *, outdated: bool = False) -> None:
        super().__init__(f"expected: {expected}\nactual: {actual}" + (f"\nrequest: {as_text(request)}" if request is not None else ""))
        self.expected = expected
        self.actual = actual
        self.request = request
        self.outdated = outdated


@dataclass(frozen=True, slots=True)
class Check:
    """Describe one check of the contract and run it.

    Attributes:
        id: the stable, public id: `create/same-name`, or the id of a boundary case, `CreateModel/ModelName:max-64`.
        sentence: the behaviour that the check expects, in one sentence.
        group: the row of the check in tables: `create`, `list`, or the operation of a boundary case.
        evidence: how this behaviour of SageMaker is known.
        source: the document or report that shows it.
        run: checks a target; raises `Difference` if it behaves differently.
        needs: the capabilities that the target must have, from `CAPABILITIES`.
        rule: the id of the rule in the catalogue that the check is about; None if there is none.

    Example:
        >>> from pytest_smfake.contract import checks
        >>> checks(select=["create/same-name"])[0].sentence
        'A second model of the same name is rejected, and the first stays as it is.'
    """

    id: str
    sentence: str
    group: str
    evidence: Evidence
    source: str
    run: RunCheck
    needs: tuple[str, ...] = ()
    rule: str | None = None

    @property
    def creates(self) -> bool:
        """Whether the check creates models. The other checks can run in an account in which nothing may be created."""
        return "creation" in self.needs

    def __repr__(self) -> str:
        return f"<Check {self.id}>"


def expect_equal(what: str, actual: Any, expected: Any, request: Any = None) -> None:
    """Compare a value with the expected value.

    Args:
        what: the noun for the value in the text of the difference, such as `the order`.
        actual: the value.
        expected: the expected value.
        request: the request, for the report.

    Raises:
        Difference: the values are not equal.
    """
    if actual != expected:
        raise Difference(f"{what} is {as_text(expected)}", f"it is {as_text(actual)}", request)


def expect_accepted(reply: Reply, request: Any = None) -> Any:
    """Return the members of a successful reply.

    Raises:
        Difference: the call was rejected.
    """
    if reply.code is not None or reply.status != 200:
        raise Difference(f"{reply.operation} is accepted", reply.verdict, request)
    return reply.members


def expect_rejected(reply: Reply, code: str, text: str | None = None, request: Any = None) -> None:
    """Check that a call was rejected with this error.

    Args:
        reply: the reply.
        code: the expected error code.
        text: the expected message, or its start if `text` ends in `...`; None accepts any message.
        request: the request, for the report.

    Raises:
        Difference: the call was accepted, or rejected with another code or message.
    """
    expected = f"{reply.operation} is rejected with {code}" + (f": {text}" if text is not None else "")
    matches = text is None or (reply.message.startswith(text[:-3]) if text.endswith("...") else reply.message == text)
    if reply.code != code or not matches:
        raise Difference(expected, reply.verdict, request)


def as_text(value: Any, width: int = 2000) -> str:
    """Return a value as text for a report: JSON, cut after `width` characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= width else f"{text[:width]}... ({len(text)} characters)"


def one_line(text: str, width: int) -> str:
    r"""Return a text on one line, cut to `width` characters.

    Example:
        >>> one_line("a line and\nanother", 12)
        'a line an...'
    """
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 3]}..."


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold the reply of a target to one call.

    Attributes:
        operation: the operation that was called.
        status: the HTTP status.
        headers: the response headers, with names in lower case.
        body: the response body.
        code: the error code; None after a success.
        message: the error message; empty after a success.
        members: the output members after a success, as botocore parses them.
    """

    operation: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    code: str | None
    message: str
    members: dict[str, Any]

    @property
    def verdict(self) -> str:
        """The result of the call in words: accepted or rejected, with status, code and message."""
        if self.code is None:
            return f"accepted, {self.status}: {as_text(self.members, 300)}"
        # botocore uses the status as the code if the error has none.
        code = "" if self.code == str(self.status) else f" {self.code}"
        return f"rejected, {self.status}{code}: {self.message}"


def sent_body(request: Any) -> bytes:
    """Return the request body: the parameters as JSON; bytes are returned unchanged."""
    if isinstance(request, bytes):
        return request
    return json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogatepass")
