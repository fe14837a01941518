"""How each constraint is broken alone, where in a request that is, and why some cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pytest_smfake.rules.inputs import a
from pytest_smfake.rules.java_regex import is_vacuous
from pytest_smfake.rules.rule import Key, Rule, Where

from .strings import RANGES
from .tree import STEP, Choices, Node, copy


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""Stands for no value at all: what a member that was left out has."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A way to break a rule.

    Attributes:
        label: what tells it from others in the id of a case: the length, the type, `missing`.
        how: what is done, in words.
        change: returns the value to put in the place of one that keeps the rule.
        needs_repair: whether the request has to be repaired afterwards, since the value holds more items than before.
    """

    label: str
    how: str
    change: Callable[[Choices, Any], Any]
    needs_repair: bool = False


@dataclass(frozen=True, slots=True)
class Unobservable:
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
TYPE_NAMES = {bool: "boolean", int: "integer", float: "float", str: "string", list: "list", dict: "structure"}


def mutations(node: Node, rule: Rule) -> list[Mutation] | Unobservable:
    """Return the mutations to break a constraint of a member, the one for the table of cases first."""
    if rule.keyword in ("max", "min", "pattern") and "enum" in node.rules:
        return Unobservable("message-only", "what breaks it is none of the values that there are, too")
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


def _required(node: Node) -> list[Mutation]:
    null = Mutation("null", "null in the place of a value", lambda _, __: None)
    if node.path.endswith("]"):
        return [null]
    return [Mutation("missing", "the member is left out", lambda _, __: MISSING), null]


def _type(node: Node) -> list[Mutation] | Unobservable:
    if node.path.endswith("[key]"):
        return Unobservable("vacuous", "in JSON every key is a string")

    def wrong(value: Any) -> Mutation:
        name = TYPE_NAMES[type(value)]
        return Mutation(name, f"{a(name)} in the place of {a(node.kind)}", lambda _, __: copy(value))

    return [wrong(value) for value in WRONG[node.kind]]


def _enum(node: Node, rule: Rule) -> list[Mutation] | Unobservable:
    first = node.allowed[0]
    least, most = node.least_most()
    strange = (first.lower(), first.upper(), f"{first}x", f" {first}", f"{first[:-1]}x", "")
    others = [text for text in strange if text not in rule.bound and least <= len(text) <= most and node.text.matches(text)]
    if not others:
        return Unobservable("message-only", "what is none of the values breaks another rule, too")

    def other(choices: Choices, _: Any) -> str:
        return others[choices.number(0, len(others) - 1)]

    return [Mutation("outside", "none of the values that there are", other)]


def _pattern(node: Node, rule: Rule) -> list[Mutation] | Unobservable:
    least, most = node.least_most()
    if is_vacuous(rule.bound):
        return Unobservable("vacuous", "the pattern cannot be translated from Java, and is not enforced")
    if node.text.broken(least, most) is None:
        if node.text.broken(0, max(most, 1)) is None:
            return Unobservable("vacuous", "the pattern takes every string")
        return Unobservable("message-only", f"what the pattern refuses is shorter than min {least}, too")
    return [Mutation("outside", "a character that the pattern refuses", lambda choices, _: node.text.broken(least, most, choices.picks()))]


def _length(node: Node, rule: Rule) -> list[Mutation] | Unobservable:
    text, bound = node.text, rule.bound
    if rule.keyword == "min" and bound <= 0:
        return Unobservable("vacuous", "no string is shorter than 0")
    longer = range(bound + 1, text.cap + 1) if rule.keyword == "max" else range(bound - 1, -1, -1)
    # A few next to the bound, and a few far away; to try them all would make a string of each, which can be long.
    lengths = [*longer[:8], *longer[8 :: max(97, len(longer) // 16)]]
    first = next((length for length in lengths if text.fits(length)), None)
    if first is None:
        side = "longer" if rule.keyword == "max" else "shorter"
        return Unobservable("message-only", f"the pattern refuses every string that is {side}, too")

    def broken(choices: Choices, _: Any) -> str:
        length = lengths[choices.number(0, len(lengths) - 1)]
        return text.make(length if text.fits(length) else first, choices.picks())

    what = "longer than the greatest" if rule.keyword == "max" else "shorter than the least"
    return [Mutation(str(first), f"a string {what} length, which the pattern takes", broken)]


def _count(node: Node, rule: Rule) -> list[Mutation] | Unobservable:
    bound = rule.bound
    if rule.keyword == "min" and bound <= 0:
        return Unobservable("vacuous", "nothing holds fewer than 0")
    count = bound + 1 if rule.keyword == "max" else bound - 1
    noun = {"list": "items", "map": "entries", "blob": "bytes"}[node.kind]

    def broken(choices: Choices, before: Any) -> Any:
        number = choices.number(count, count + 9) if rule.keyword == "max" else count - choices.number(0, count)
        return node.sized(number, before)

    return [Mutation(str(count), f"{'more' if rule.keyword == 'max' else 'fewer'} {noun} than may be", broken, needs_repair=True)]


def _number(node: Node, rule: Rule) -> list[Mutation] | Unobservable:
    bound, reach = rule.bound, RANGES[node.kind]
    real = node.kind in ("float", "double")
    if not real and not -reach < bound < reach:
        return Unobservable("vacuous", f"no {node.kind} is beyond it")
    step = 1 if rule.keyword == "max" else -1

    def broken(choices: Choices, _: Any) -> float:
        number = bound + step * (1 + choices.number(0, 1000 if real else min(reach - abs(bound), 1000)))
        return float(number) if real else number

    return [Mutation(str(bound + step).replace("-", "minus-"), f"a number {'above' if step > 0 else 'below'} the bound", broken)]


def places(request: Any, path: str) -> list[Where]:
    """Return every way to a member that is there, in order; to the key and to the value of an entry leads the same one.

    Example:
        >>> places({"Tags": [{"Key": "a"}, {"Key": "b"}]}, "Tags[].Key")
        [('Tags', 0, 'Key'), ('Tags', 1, 'Key')]
    """
    return list(_places(request, STEP.findall(path), ()))


def _places(value: Any, steps: list[str], where: Where) -> Iterator[Where]:
    if not steps:
        yield where
        return
    step, *rest = steps
    inner: list[tuple[str | int, Any]]
    if step == "[]":
        inner = [*enumerate(value)] if isinstance(value, list) else []
    elif step in ("[key]", "[value]"):
        inner = [(Key(name), item) for name, item in value.items()] if isinstance(value, dict) else []
    else:
        inner = [(step, value[step])] if isinstance(value, dict) and step in value else []
    for part, item in inner:
        yield from _places(item, rest, (*where, part))


def value_at(request: Any, where: Where) -> Any:
    """Return the value at a place, MISSING where there is none."""
    for part in where:
        try:
            request = request[part]
        except (KeyError, IndexError):
            return MISSING
    return request


def member_at(request: Any, where: Where, path: str) -> Any:
    """Return the value of a member at a place, which for the keys of a map is the key."""
    return str(where[-1]) if path.endswith("[key]") else value_at(request, where)


def put(request: Any, where: Where, value: Any, *, key: bool = False) -> Any:
    """Return the request with a value at a place: it is changed itself, unless the place is the whole of it.

    Args:
        request: the request.
        where: the place.
        value: what to put there; MISSING takes out what is there.
        key: whether the value is a new key for the entry.
    """
    if not where:
        return value
    *way, last = where
    holder = value_at(request, tuple(way))
    if key:
        entries = [(value if name == last else name, item) for name, item in holder.items()]
        holder.clear()
        holder.update(entries)
    elif value is MISSING:
        del holder[last]
    else:
        holder[last] = value
    return request


def spelled(where: Where) -> str:
    """Return a place as Python spells it.

    Example:
        >>> spelled(("PrimaryContainer", "Environment", Key("A"))), spelled(("Tags", 0, "Key"))
        ("PrimaryContainer.Environment['A']", 'Tags[0].Key')
    """
    steps = [f"[{str(part)!r}]" if isinstance(part, Key) else f"[{part}]" if isinstance(part, int) else f".{part}" for part in where]
    return "".join(steps).removeprefix(".")
