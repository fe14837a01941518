"""What a rule and a violation are."""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass
from typing import Any, Literal

Evidence = Literal["documented", "modelled", "observed", "reported", "verified", "contested", "assumed"]
Edition = Literal["page", "sdk"]
EDITIONS: tuple[Edition, ...] = ("page", "sdk")

OVERRIDE = "override"
"""The source of a rule that a user changed."""

CONSTRAINTS = ("required", "type", "max", "min", "pattern", "enum")
"""Keywords of the constraint stage, in the order in which the service reports them (length before pattern)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One statement of the specification that a request, or a response, can break.

    Attributes:
        id: `OPERATION/PATH:KEYWORD`, such as `CreateModel/Containers[].Image:max`; it holds only characters
            that pytest's `-k` takes.
        operation: `CreateModel`, or `CreateModel.response` for what the service returns.
        path: the member, in the SDK's case: `Containers[].Image`, `PrimaryContainer.Environment[key]`.
        keyword: `required`, `type`, `max`, `min`, `pattern`, `enum`, or the name of a cross-field rule.
        bound: an int for `max` and `min` (code points, items or the number itself), a str for `pattern`, a tuple
            for `enum`, the type's name for `type`, True for what has no measure.
        kind: the botocore type of the member: `string`, `list`, `map`, `structure`, `integer`, ...
        evidence: how the rule is known.
        source: where it is known from.
        since, until: the year, or year and month, from and up to which the service was seen to hold to the rule; empty if it was always so.
            A rule with an end is off unless `rules={id: bound}` asks for it; no verdict depends on the date.

    Example:
        >>> from pytest_smfake import Catalogue
        >>> Catalogue("page").rule("CreateModel/Containers:max").bound
        5
    """

    id: str
    operation: str
    path: str
    keyword: str
    bound: Any
    kind: str
    evidence: Evidence
    source: str
    since: str = ""
    until: str = ""

    @property
    def is_constraint(self) -> bool:
        """Whether the rule belongs to the constraint stage, whose violations share one message."""
        return self.keyword in CONSTRAINTS


Where = tuple[str | int, ...]
"""The way to a value in a request: member names, list indices from 0, map keys."""


class Key(str):
    """A key of a map within the way to a value: the service prints it as it is, unlike the name of a member."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule broken by a value at a place. The service's text is derived from it (`pytest_smfake.rules.messages`).

    Attributes:
        rule: the rule broken.
        where: the way to the value in the request: member names, list indices from 0, map keys.
        value: the value that breaks it; None where it is absent or null.
        echo: the value as the service prints it, None for null. For an entry of a map, or an item of a list of
            scalars, that is the whole map or list.
        entry: the constraints that the service prints together for such an entry; empty elsewhere.
        text: the service's text, for a cross-field rule; None for a constraint, whose text follows from the rest.

    Example:
        >>> from pytest_smfake import validate
        >>> [violation.rule.id for violation in validate("DescribeModel", {"ModelName": "-"})]
        ['DescribeModel/ModelName:pattern']
    """

    rule: Rule
    where: Where
    value: Any
    echo: str | None = None
    entry: tuple[Rule, ...] = ()
    text: str | None = None

    @property
    def path(self) -> str:
        """The place in the service's notation: `tags.1.member.key`, items counted from 1."""
        return ".".join(map(_step, self.where[:-1] if self.entry else self.where))

    def __repr__(self) -> str:
        return f"<Violation {self.rule.id} at {self.path or 'the request'}: {_brief(self.value)}>"


def _brief(value: Any) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # a number of more digits than Python prints
        return f"<{type(value).__name__} with a number too long to print>"


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"{part + 1}.member"
    return f"{part}.member" if isinstance(part, Key) else part[:1].lower() + part[1:]


ID = re.compile(r"(?P<operation>[A-Za-z0-9]+(?:\.response)?)(?:/(?P<path>[\w.\[\]]+))?:(?P<keyword>[\w-]+)", re.ASCII)
"""The grammar of a rule's id. A rule about no single member has no path: `CreateModel:one-container`."""
