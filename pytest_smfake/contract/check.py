"""What a check is: one sentence of the contract, and code that holds a target to it by what the target answers."""

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
    "creation": "a model can be created: the target takes its role and image",
    "unchecked": "what a request names of other services (roles, images, artifacts, subnets) need not exist",
    "any-name": "a name or ARN can be any, also one that is too short to say whose it is",
    "alone": "the account holds nothing but what the check creates, so that whole lists can be compared",
    "regions": "a second region can be reached",
    "limits": "the limit on models can be set",
    "faults": "calls can be made to fail",
}
"""What a check can need of a target; each is documented here, and none is named after a vendor."""


class Difference(AssertionError):  # noqa: N818  # it is what was found, not an error of the check
    """A target did not do what a check says.

    Attributes:
        expected, actual: in words.
        request: the request that showed it, None where it was no single one.
        outdated: whether the target did what the SDK's model says where the page says something else.
    """

    def __init__(self, expected: str, actual: str, request: Any = None, *, outdated: bool = False) -> None:
        super().__init__(f"expected: {expected}\nactual: {actual}" + (f"\nrequest: {as_text(request)}" if request is not None else ""))
        self.expected = expected
        self.actual = actual
        self.request = request
        self.outdated = outdated


@dataclass(frozen=True, slots=True)
class Check:
    """One sentence of the contract.

    Attributes:
        id: stable and public: `create/same-name`, or the id of a boundary case, `CreateModel/ModelName:max-64`.
        sentence: what a service that passes does.
        group: what it is about, for tables: `create`, `list`, or the operation of a case.
        evidence: how it is known that SageMaker does so.
        source: where from.
        run: holds a target to it; raises `Difference`.
        needs: what it needs of a target, from `CAPABILITIES`.
        rule: the id of the rule of the catalogue that it is about, None for a behaviour.

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
        """Whether it creates anything; the others can be run against an account in which nothing may be created."""
        return "creation" in self.needs

    def __repr__(self) -> str:
        return f"<Check {self.id}>"


def expect_equal(what: str, actual: Any, expected: Any, request: Any = None) -> None:
    """Compare a value with what a check expects of it.

    Raises:
        Difference: they are not equal.
    """
    if actual != expected:
        raise Difference(f"{what} is {as_text(expected)}", f"it is {as_text(actual)}", request)


def expect_accepted(reply: Reply, request: Any = None) -> Any:
    """Return what a call answered.

    Raises:
        Difference: it was rejected.
    """
    if reply.code is not None or reply.status != 200:
        raise Difference(f"{reply.operation} is accepted", reply.verdict, request)
    return reply.members


def expect_rejected(reply: Reply, code: str, text: str | None = None, request: Any = None) -> None:
    """Look at how a call was rejected.

    Args:
        reply: the answer.
        code: the error code that it should have.
        text: its text, or the start of it if it ends in `...`; None for any.
        request: the request, for the report.

    Raises:
        Difference: it was accepted, or rejected with another code or text.
    """
    expected = f"{reply.operation} is rejected with {code}" + (f": {text}" if text is not None else "")
    matches = text is None or (reply.message.startswith(text[:-3]) if text.endswith("...") else reply.message == text)
    if reply.code != code or not matches:
        raise Difference(expected, reply.verdict, request)


def as_text(value: Any, width: int = 2000) -> str:
    """Return a value as a report shows it."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= width else f"{text[:width]}... ({len(text)} characters)"


def one_line(text: str, width: int) -> str:
    r"""Return a text on one line, cut where it is longer than so many characters.

    Example:
        >>> one_line("a line and\nanother", 12)
        'a line an...'
    """
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 3]}..."


@dataclass(frozen=True, slots=True)
class Reply:
    """What a target answered to one call.

    Attributes:
        operation: the operation that was called.
        status: the HTTP status.
        headers: the response's headers, their names in lower case.
        body: the response's body.
        code: the error code, None for a success.
        message: the error's text, empty for a success.
        members: the members of a success, as botocore reads them.
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
        """What happened, in words."""
        if self.code is None:
            return f"accepted, {self.status}: {as_text(self.members, 300)}"
        # A client names an error without a code by its status.
        code = "" if self.code == str(self.status) else f" {self.code}"
        return f"rejected, {self.status}{code}: {self.message}"


def request_body(request: Any) -> bytes:
    """Return the body of a request: JSON of its parameters, or the bytes that it is."""
    if isinstance(request, bytes):
        return request
    return json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogatepass")
