"""How each constraint is broken, alone; and why one that cannot be broken alone cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pytest_smfake.spec.patterns import is_vacuous
from pytest_smfake.spec.rules import Rule

from .choices import Choices
from .forms import RANGES
from .shapes import copy
from .tree import Node


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""Stands for no value at all: what a member that was left out has."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to break a rule.

    Attributes:
        label: what tells it from others in the id of a case: the length, the type, `missing`.
        how: what is done, in words.
        change: returns the value to put in the place of one that keeps the rule.
        settles: whether the request has to be settled again, since the value holds more items than before.
    """

    label: str
    how: str
    change: Callable[[Choices, Any], Any]
    settles: bool = False


@dataclass(frozen=True, slots=True)
class Silent:
    """Why no request breaks a rule alone.

    Attributes:
        kind: `vacuous`: nothing breaks it; `message-only`: what breaks it breaks another rule about the same member too, so
            that only the text of the answer tells whether it is there.
        reason: why, in words.
    """

    kind: Literal["vacuous", "message-only"]
    reason: str


WRONG: dict[str, tuple[Any, ...]] = {
    "string": (1, True, 1.5, [], {}),
    "boolean": ("true", 1, [], {}),
    "integer": ("1", 1.5, True, [], {}),
    "long": ("1", 1.5, True, [], {}),
    "float": ("1.5", True, [], {}),
    "double": ("1.5", True, [], {}),
    "timestamp": ("2026-11-24", True, [], {}),
    "blob": (1, True, [], {}),
    "structure": ([], "{}", 1, True),
    "list": ({}, "[]", 1, True),
    "map": ([], "{}", 1, True),
}
"""For each type values of other types, as JSON has them; that a number is not taken for a timestamp's text is assumed."""
NAMES = {bool: "boolean", int: "integer", float: "float", str: "string", list: "list", dict: "structure"}


def ways(node: Node, rule: Rule) -> list[Way] | Silent:
    """Return the ways to break a constraint of a member, the one for the table of cases first."""
    if rule.keyword in ("max", "min", "pattern") and "enum" in node.rules:
        return Silent("message-only", "what breaks it is none of the values that there are, too")
    match rule.keyword:
        case "required":
            return _required(node)
        case "type":
            return _type(node)
        case "enum":
            return _enum(node, rule)
        case "pattern":
            return _pattern(node, rule)
        case _:
            measures = {"string": _length, "list": _count, "map": _count, "blob": _count}
            return measures.get(node.kind, _number)(node, rule)


def _required(node: Node) -> list[Way]:
    null = Way("null", "null in the place of a value", lambda _, __: None)
    if node.path.endswith("]"):
        return [null]
    return [Way("missing", "the member is left out", lambda _, __: MISSING), null]


def _type(node: Node) -> list[Way] | Silent:
    if node.path.endswith("[key]"):
        return Silent("vacuous", "in JSON every key is a string")

    def wrong(value: Any) -> Way:
        name = NAMES[type(value)]
        return Way(name, f"a {name} in the place of a {node.kind}", lambda _, __: copy(value))

    return [wrong(value) for value in WRONG[node.kind]]


def _enum(node: Node, rule: Rule) -> list[Way] | Silent:
    first = node.allowed[0]
    least, most = node.least_most()
    strange = (first.lower(), first.upper(), f"{first}x", f" {first}", f"{first[:-1]}x", "")
    others = [text for text in strange if text not in rule.bound and least <= len(text) <= most and node.text.matches(text)]
    if not others:
        return Silent("message-only", "what is none of the values breaks another rule, too")

    def other(choices: Choices, _: Any) -> str:
        return others[choices.number(0, len(others) - 1)]

    return [Way("outside", "none of the values that there are", other)]


def _pattern(node: Node, rule: Rule) -> list[Way] | Silent:
    least, most = node.least_most()
    if is_vacuous(rule.bound):
        return Silent("vacuous", "the pattern cannot be translated from Java, and is not enforced")
    if node.text.broken(least, most) is None:
        if node.text.broken(0, max(most, 1)) is None:
            return Silent("vacuous", "the pattern takes every string")
        return Silent("message-only", f"what the pattern refuses is shorter than min {least}, too")
    return [Way("outside", "a character that the pattern refuses", lambda choices, _: node.text.broken(least, most, choices.picks()))]


def _length(node: Node, rule: Rule) -> list[Way] | Silent:
    text, bound = node.text, rule.bound
    if rule.keyword == "min" and bound <= 0:
        return Silent("vacuous", "no string is shorter than 0")
    longer = range(bound + 1, text.cap + 1) if rule.keyword == "max" else range(bound - 1, -1, -1)
    # A few next to the bound, and a few far away; to try them all would make a string of each, which can be long.
    lengths = [*longer[:8], *longer[8 :: max(97, len(longer) // 16)]]
    first = next((length for length in lengths if text.fits(length)), None)
    if first is None:
        side = "longer" if rule.keyword == "max" else "shorter"
        return Silent("message-only", f"the pattern refuses every string that is {side}, too")

    def broken(choices: Choices, _: Any) -> str:
        length = lengths[choices.number(0, len(lengths) - 1)]
        return text.make(length if text.fits(length) else first, choices.picks())

    what = "longer than the greatest" if rule.keyword == "max" else "shorter than the least"
    return [Way(str(first), f"a string {what} length, which the pattern takes", broken)]


def _count(node: Node, rule: Rule) -> list[Way] | Silent:
    bound = rule.bound
    if rule.keyword == "min" and bound <= 0:
        return Silent("vacuous", "nothing holds fewer than 0")
    count = bound + 1 if rule.keyword == "max" else bound - 1
    noun = {"list": "items", "map": "entries", "blob": "bytes"}[node.kind]

    def broken(choices: Choices, before: Any) -> Any:
        number = choices.number(count, count + 9) if rule.keyword == "max" else count - choices.number(0, count)
        return node.sized(number, before)

    return [Way(str(count), f"{'more' if rule.keyword == 'max' else 'fewer'} {noun} than may be", broken, settles=True)]


def _number(node: Node, rule: Rule) -> list[Way] | Silent:
    bound, reach = rule.bound, RANGES[node.kind]
    real = node.kind in ("float", "double")
    if not real and not -reach < bound < reach:
        return Silent("vacuous", f"no {node.kind} is beyond it")
    step = 1 if rule.keyword == "max" else -1

    def broken(choices: Choices, _: Any) -> float:
        number = bound + step * (1 + choices.number(0, 1000 if real else min(reach - abs(bound), 1000)))
        return float(number) if real else number

    return [Way(str(bound + step).replace("-", "minus-"), f"a number {'above' if step > 0 else 'below'} the bound", broken)]
