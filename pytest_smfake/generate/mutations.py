"""Mutations: how each rule of a request is broken alone, at which place, and why some cannot be; and the verdict on such a request."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pytest_smfake.rules.coded import CrossField, Example, Precondition, coded_rule
from pytest_smfake.rules.inputs import with_article
from pytest_smfake.rules.java_regex import is_vacuous
from pytest_smfake.rules.rule import Key, Rule, Where

from .requests import Maker
from .strings import RANGES
from .tree import STEP, Choices, MemberPath, Node, NodeValues, copy


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""Stands for no value at all: what a member that was left out has."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change of a value that breaks a constraint.

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
    """Return the mutations that break a constraint of a member; cases use the first."""
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
        return Mutation(name, f"{with_article(name)} in the place of {with_article(node.kind)}", lambda _, __: copy(value))

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
    """Return every place of a member in a request, in order; the key and the value of an entry share one place.

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
    """Return the value of a member at a place: the key itself for the keys of a map."""
    return str(where[-1]) if path.endswith("[key]") else value_at(request, where)


def put(request: Any, where: Where, value: Any, *, key: bool = False) -> Any:
    """Put a value at a place of a request, and return the request; if the place is the whole request, return the value.

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


def formatted(where: Where) -> str:
    """Return a place as a Python expression.

    Example:
        >>> formatted(("PrimaryContainer", "Environment", Key("A"))), formatted(("Tags", 0, "Key"))
        ("PrimaryContainer.Environment['A']", 'Tags[0].Key')
    """
    steps = [f"[{str(part)!r}]" if isinstance(part, Key) else f"[{part}]" if isinstance(part, int) else f".{part}" for part in where]
    return "".join(steps).removeprefix(".")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accepted, or rejected with a code and the rules that are broken.

    Attributes:
        code: the error's, such as `ValidationException`; None where the request is accepted.
        rules: the ids of the rules, each once, sorted.

    Example:
        >>> Verdict().accepted, Verdict("ValidationException", ("CreateModel/ModelName:max",)).accepted
        (True, False)
    """

    code: str | None = None
    rules: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the request is accepted."""
        return self.code is None


def rejection(rule: Rule) -> Verdict:
    """Return the verdict on a request that breaks one rule."""
    code = "SerializationException" if rule.keyword == "type" else "ValidationException"
    if rule.kind == "limit":
        code = "ResourceLimitExceeded"
    elif rule.kind == "condition":
        coded = coded_rule(rule)
        code = coded.code if isinstance(coded, Precondition) else code
    return Verdict(code, (rule.id,))


def examples(rule: Rule) -> list[Example]:
    """Return the examples of a rule between members.

    Raises:
        LookupError: it has none, or not one of each side.
    """
    coded = coded_rule(rule)
    found = coded.examples if isinstance(coded, CrossField) else []
    if {example.side for example in found} != {"inside", "outside"}:
        raise LookupError(f"rule {rule.id} needs an example of each side: add some with its decorators .inside and .outside")
    return found


@dataclass(frozen=True, slots=True)
class BrokenRequest:
    """A request, changed at one place.

    Attributes:
        request: the request, changed.
        where: the place.
        before, after: the value there; `MISSING` where there was none, or is none any more.
        how: what was done, in words.
    """

    request: Any
    where: Where
    before: Any
    after: Any
    how: str


def break_constraint(
    maker: Maker, rule: Rule, mutation: Mutation, choices: Choices, given: Mapping[str, Any] | None = None, omit: Collection[str] = ()
) -> BrokenRequest:
    """Return a request that breaks a constraint, at one of the places where the member is."""
    request = maker.request(choices, wanted=MemberPath(rule.path), given=given, omit=omit)
    fixed = {*(given or ()), *omit}
    there = places(request, rule.path)
    where = there[choices.number(0, len(there) - 1)]
    if rule.path.endswith("[]"):
        where = _beside(maker, request, where, rule, fixed)
    key = rule.path.endswith("[key]")
    before = copy(member_at(request, where, rule.path))
    after = mutation.change(choices, before)
    request = put(request, where, copy(after), key=key)
    if mutation.needs_repair:
        maker.repair(request, MemberPath(rule.path), fixed)
        after = copy(value_at(request, where))
    return BrokenRequest(request, where, before, after, mutation.how)


def _beside(maker: Maker, request: Any, where: Where, rule: Rule, fixed: Collection[str]) -> Where:
    """Return the place of the second item if the list can have two, so that the changed item stands beside a valid one."""
    node = maker.root.find(rule.path.removesuffix("[]"))
    items = value_at(request, where[:-1])
    if len(items) == 1 < node.sizes[1]:
        items[:] = node.sized(2, items)
        maker.repair(request, MemberPath(rule.path), fixed)
        return *where[:-1], 1
    return where


def apply_example(
    maker: Maker, rule: Rule, example: Example, choices: Choices, given: Mapping[str, Any] | None = None, omit: Collection[str] = ()
) -> BrokenRequest:
    """Return a request, changed by an example of a rule between members."""
    request = maker.request(choices, wanted=MemberPath(example.needs), given=given, omit=omit)
    before = copy(request)
    where = example.apply(request, NodeValues(maker.root, rule.bound, choices))
    return BrokenRequest(request, where, value_at(before, where), copy(value_at(request, where)), example.how)


def breakers(maker: Maker, rule: Rule) -> list[Mutation] | list[Example] | Unobservable:
    """Return the mutations or examples that break a rule of a request, or why no request breaks it alone."""
    if rule.is_constraint:
        return mutations(maker.root.find(rule.path), rule)
    return [example for example in examples(rule) if example.side == "outside"]


def broken_request(
    maker: Maker,
    rule: Rule,
    breaker: Mutation | Example,
    choices: Choices,
    given: Mapping[str, Any] | None = None,
    omit: Collection[str] = (),
) -> BrokenRequest:
    """Return a request that breaks a rule."""
    if isinstance(breaker, Mutation):
        return break_constraint(maker, rule, breaker, choices, given, omit)
    return apply_example(maker, rule, breaker, choices, given, omit)


def is_alone(maker: Maker, rule: Rule, change: BrokenRequest) -> bool:
    """Whether the validator finds one rule broken and no other."""
    return {violation.rule.id for violation in maker.catalogue.validate(maker.operation, change.request)} == {rule.id}
