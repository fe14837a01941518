"""The tree of the members of a request: each node makes values of its member, by the choices of a generator."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

from pytest_smfake.rules import coded
from pytest_smfake.rules.rule import Rule
from pytest_smfake.service.arns import DNS_SUFFIXES, partition_of

from .strings import DRAWN_BYTES, RANGES, SCALARS, UNBOUNDED, VALUE_HINTS, Text

if TYPE_CHECKING:
    from botocore.model import Shape


def distinct(texts: Iterable[str], node: Node) -> list[str]:
    """Return the texts, with each that repeats an earlier one changed at its end.

    Raises:
        ValueError: the member has not so many different values.
    """
    seen: dict[str, None] = {}
    for text in texts:
        seen[text if text not in seen else _other(text, node, seen)] = None
    return list(seen)


def _other(text: str, node: Node, seen: Mapping[str, None]) -> str:
    if "enum" in node.rules:
        candidates: Iterable[str] = node.allowed
    else:
        _, most = node.sizes
        numbers = map(str, range(len(seen), 10 * len(seen) + 100))
        candidates = (f"{text[: max(len(text) - len(number), 1)]}{number}"[-most:] for number in numbers)
    for other in candidates:
        if other not in seen and ("enum" in node.rules or node.text.matches(other)):
            return other
    raise ValueError(f"{node.path} has not {len(seen) + 1} different values")


EDGES = 8
"""How many times as often a size is one of its bounds, or next to one, as it is chosen among all that there are."""


class Choices(Protocol):
    """A source of choices: Hypothesis, a random number generator, or one that always takes the least."""

    def number(self, least: int, most: int) -> int:
        """Return a whole number within bounds, both included."""

    def bits(self, count: int) -> int:
        """Return a random number of a count of bits."""

    def picks(self) -> bytes:
        """Return a few bytes, which choose the characters of a string."""

    def part(self, node: Node) -> Any:
        """Return a value of a member, chosen as a unit, so that a shrinker can remove or simplify it as a whole."""


class Least:
    """A source of choices that always takes the least, so that the value is the simplest, and the same each time."""

    def number(self, least: int, most: int) -> int:  # noqa: ARG002  # the protocol's
        """Return the least."""
        return least

    def bits(self, count: int) -> int:  # noqa: ARG002  # likewise
        """Return no bit."""
        return 0

    def picks(self) -> bytes:
        """Return nothing."""
        return b""

    def part(self, node: Node) -> Any:
        """Return the simplest value of a member."""
        return node.make(self)


LEAST = Least()


def size(choices: Choices, least: int, most: int, simplest: int | None = None) -> int:
    """Choose a length, a count or a number, eight times in nine one of its bounds or next to one.

    One number chooses, and a smaller one chooses what is no larger, so that a shrinker can go down step by step. 0 stands for the
    simplest, which is the least unless another is given; from there it goes up, and on from the least.
    """
    if least == most:
        return least
    first = least if simplest is None else simplest
    edges, copies, total = _edges(least, most, first)
    width = total.bit_length() + 8
    chosen = choices.bits(width) * total >> width
    for edge in edges:
        if chosen <= edge:
            break
        if chosen <= edge + copies:
            chosen = edge
            break
        chosen -= copies
    return least + (first - least + chosen) % (most - least + 1)


@lru_cache(maxsize=4096)
def _edges(least: int, most: int, first: int) -> tuple[list[int], int, int]:
    """Return the distances from the first size to each bound and its neighbour, how often each is counted, and the total."""
    count = most - least + 1
    edges = sorted({(size - first) % count for size in (least, min(least + 1, most), max(most - 1, least), most)})
    copies = EDGES * count // 4
    return edges, copies, count + copies * len(edges)


STEP = re.compile(r"\[key\]|\[value\]|\[\]|\w+")
"""A step of a path."""


class MemberPath:
    """The path of a member that a request has to have, in the first item or entry of lists and maps.

    Args:
        path: the member's path; empty for none.

    Example:
        >>> wanted = MemberPath("Tags[].Key")
        >>> wanted.at("Tags"), wanted.at("Tags[].Key"), wanted.beyond("Tags[].Key"), wanted.at("VpcConfig")
        (True, True, False, False)
    """

    __slots__ = ("_beyond", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._beyond = frozenset(path[: step.start()].removesuffix(".") for step in STEP.finditer(path))

    def at(self, path: str) -> bool:
        """Whether a path is this one, or leads to it."""
        return path == self.path or path in self._beyond

    def beyond(self, path: str) -> bool:
        """Whether a path leads to this one, and is not it."""
        return path in self._beyond


NO_MEMBER = MemberPath("")


def within(path: str, outer: str) -> bool:
    """Whether a path is `outer`, or leads to something inside it.

    Example:
        >>> within("Tags[].Key", "Tags"), within("Tags", "Tags"), within("TagsX", "Tags"), within("", "Tags")
        (True, True, False, False)
    """
    return path == outer or (path.startswith(outer) and (not outer or path[len(outer)] in ".["))


def copy(value: Any) -> Any:
    """Return a copy of a value as JSON has it."""
    if type(value) is dict:
        return {name: copy(item) for name, item in value.items()}
    return [copy(item) for item in value] if type(value) is list else value


def inner(shape: Any) -> dict[str, Shape]:
    """Return the shapes inside a shape: the members of a structure by name, `[]` of a list, `[key]` and `[value]` of a map."""
    if shape.type_name == "map":
        return {"[key]": shape.key, "[value]": shape.value}
    return {"[]": shape.member} if shape.type_name == "list" else dict(shape.members)


DIFFERENT_ITEMS = 2
"""How many items of a list, or entries of a map, are made one by one; the others repeat them."""
FEW_MEMBERS = 5
"""How many optional members a structure of few has; such a structure is small, so that more of them are there."""


class Node:
    """One member, with the rules about it by keyword.

    Attributes:
        path: as in the ids of rules: `PrimaryContainer.Environment[key]`.
        kind: the botocore type.
        members: of a structure, by name; of a list `[]`; of a map `[key]` and `[value]`.
    """

    def __init__(self, shape: Shape, path: str, rules: Rules, parents: tuple[str, ...] = ()) -> None:
        self.path = path
        self.kind: str = shape.type_name
        self.shape = shape.name
        self.all = rules
        self.rules = rules.by_path.get(path, {})
        self.members: dict[str, Node] = {}
        if self.kind in SCALARS or shape.name in parents:
            return
        for name, member in inner(shape).items():
            place = f"{path}{name}" if name.startswith("[") else f"{path}.{name}" if path else name
            self.members[name] = Node(member, place, rules, (*parents, shape.name))

    def __repr__(self) -> str:
        return f"<Node {self.path or 'request'}: {self.kind}>"

    def bound(self, keyword: str, default: Any = None) -> Any:
        """Return the bound of an active rule, or the default."""
        rule = self.rules.get(keyword)
        return default if rule is None else rule.bound

    def find(self, path: str) -> Node:
        """Return the node of a path inside this one."""
        if path == self.path:
            return self
        return next(member for member in self.members.values() if within(path, member.path)).find(path)

    def walk(self) -> Iterator[Node]:
        """Yield this member and every one inside it."""
        yield self
        for member in self.members.values():
            yield from member.walk()

    def least_most(self) -> tuple[Any, Any]:
        """Return the bounds of the size, or number; where no rule gives the upper one, a default."""
        least = self.bound("min", 0)
        if self.kind in RANGES:
            return least, min(self.bound("max", max(RANGES[self.kind], least)), max(RANGES[self.kind], least))
        return least, self.bound("max", least + UNBOUNDED[self.kind])

    @cached_property
    def text(self) -> Text:
        """The strings of this member."""
        region, account, partition = self.all.region, self.all.account, partition_of(self.all.region)
        suffix = DNS_SUFFIXES.get(partition, "amazonaws.com").replace(".", r"\.")
        hints = [
            hint.replace("us-east-1", region)
            .replace("123456789012", account)
            .replace("arn:aws:", f"arn:{partition}:")
            .replace(r"amazonaws\.com", suffix)
            for hint in VALUE_HINTS.get(self.shape, ())
        ]
        cap = 2 * max(self.least_most()) + 2  # a string that is too long may be twice as long as may be
        return Text(self.bound("pattern"), cap, hints)

    @cached_property
    def sizes(self) -> tuple[int, int]:
        """The least and the greatest size of a valid value."""
        least, most = self.least_most()
        if self.kind != "string":
            return least, most
        bounds = self.text.near(least, least, most), self.text.near(most, least, most)
        if bounds[0] is None or bounds[1] is None:
            raise ValueError(f"no string of {least} to {most} characters was found that matches {self.bound('pattern')} ({self.path})")
        return bounds[0], bounds[1]

    def make(self, choices: Choices, wanted: MemberPath = NO_MEMBER, given: Any = None, omit: Collection[str] = ()) -> Any:
        """Return a value that keeps every rule of this member and of its members, also the rules between them.

        Args:
            choices: what chooses wherever there is a choice.
            wanted: a member that has to be there.
            given: what of it is fixed: the members of a structure that have a value, or a value as a whole.
            omit: the members of a structure that are left out.
        """
        made = self._make(choices, wanted, given, omit)
        self.repair(made, wanted, {*(given if isinstance(given, dict) else ()), *omit})
        return made

    def repair(self, value: Any, wanted: MemberPath, fixed: Collection[str]) -> None:
        """Make a value keep the rules between its members, without a change to members that are fixed."""
        for function, bound in self.all.repairs.get(self.shape, ()):
            function(value, NodeRepair(self, bound, wanted, fixed))

    def made(self, choices: Choices, wanted: MemberPath, given: Any = None) -> Any:
        """Return a value as `make` does; a structure that nothing is said about is chosen as a unit."""
        apart = self.kind == "structure" and given is None and not wanted.at(self.path)
        return choices.part(self) if apart else self.make(choices, wanted, given)

    def _make(self, choices: Choices, wanted: MemberPath, given: Any, omit: Collection[str]) -> Any:
        if self.kind == "structure":
            return self._structure(choices, wanted, given or {}, omit)
        if given is not None and (not wanted.beyond(self.path) or self.kind in SCALARS):
            return given
        if self.kind == "list":
            return self._list(choices, wanted, given)
        return self._map(choices, wanted, given or {}) if self.kind == "map" else self.scalar(choices)

    def _structure(self, choices: Choices, wanted: MemberPath, given: dict[str, Any], omit: Collection[str]) -> dict[str, Any]:
        either = self._either(given, wanted, omit)
        chosen = either[choices.number(0, len(either) - 1)] if either else None
        left_out = {*omit, *self._absent(choices), *either} - {chosen}
        made = {}
        picks = None
        for index, (name, member) in enumerate(self.members.items()):
            is_wanted = wanted.at(member.path)
            if name in given and not is_wanted:
                made[name] = given[name]
            elif not (is_wanted or name in given or name not in left_out):
                continue
            elif member.kind == "string" and "enum" not in member.rules and name not in given:
                # The strings of a structure share the bytes that choose their characters, each from another byte on.
                picks = choices.picks() if picks is None else picks
                turn = index % (len(picks) or 1)
                made[name] = member.text_of(choices, picks[turn:] + picks[:turn])
            else:
                not_empty = name == chosen and member.kind == "list"
                made[name] = member.made(choices, MemberPath(f"{member.path}[]") if not_empty else wanted, given.get(name))
        for name in either:  # an empty list is as good as none
            if name != chosen and self.members[name].kind == "list" and not self.members[name].sizes[0] and choices.number(0, 4) == 4:
                made[name] = []
        return made

    def _either(self, given: Collection[str], wanted: MemberPath, omit: Collection[str]) -> list[str]:
        """Return the alternatives of which one is to be chosen; none if one is given, wanted or required."""
        there = [name for name in self.all.alternatives.get(self.shape, ()) if name in self.members]
        decided = any(name in given or wanted.at(self.members[name].path) or "required" in self.members[name].rules for name in there)
        return [] if decided else [name for name in there if name not in omit]

    def _absent(self, choices: Choices) -> Iterator[str]:
        """Yield the optional members to leave out: one in four if there are few, every second if there are many."""
        optional = [name for name, member in self.members.items() if "required" not in member.rules]
        bits = choices.bits(3 * len(optional)) if optional else 0
        away = 2 if len(optional) <= FEW_MEMBERS else 4
        yield from (name for index, name in enumerate(optional) if (bits >> 3 * index) & 7 < away)

    def _count(self, choices: Choices, wanted: MemberPath) -> int:
        count = size(choices, *self.sizes)
        return max(count, 1) if wanted.beyond(self.path) else count

    def _list(self, choices: Choices, wanted: MemberPath, given: list[Any] | None) -> list[Any]:
        item = self.members["[]"]
        if given:
            return [item.make(choices, wanted, given[0]), *given[1:]]
        count = self._count(choices, wanted)
        different = [item.made(choices, NO_MEMBER if index else wanted) for index in range(min(count, DIFFERENT_ITEMS))]
        return [copy(different[index % DIFFERENT_ITEMS]) for index in range(count)]

    def _map(self, choices: Choices, wanted: MemberPath, given: dict[str, Any]) -> dict[str, Any]:
        if given:
            return given
        key, value = self.members["[key]"], self.members["[value]"]
        count = self._count(choices, wanted)
        keys = [key.make(choices, NO_MEMBER if index else wanted) for index in range(min(count, DIFFERENT_ITEMS))]
        values = [value.make(choices, NO_MEMBER if index else wanted) for index in range(min(count, DIFFERENT_ITEMS))]
        different = distinct((keys[index % DIFFERENT_ITEMS] for index in range(count)), key)
        return {name: copy(values[index % DIFFERENT_ITEMS]) for index, name in enumerate(different)}

    def scalar(self, choices: Choices) -> Any:
        """Return a scalar that keeps its rules."""
        if self.kind == "boolean":
            return bool(choices.number(0, 1))
        if "enum" in self.rules:
            return self.allowed[choices.number(0, len(self.allowed) - 1)]
        if self.kind == "string":
            return self.text_of(choices, choices.picks())
        least, most = self.sizes
        if self.kind == "blob":
            return bytes(size(choices, least, max(least, min(most, DRAWN_BYTES))))
        if self.kind in ("float", "double"):  # whole steps from the least, whose bounds need not be whole
            return float(min(least + size(choices, 0, ceil(most - least)), most))
        return size(choices, least, most)

    @cached_property
    def allowed(self) -> list[str]:
        """The values of the enum that no other rule refuses."""
        least, most = self.least_most()
        allowed = [text for text in self.rules["enum"].bound if least <= len(text) <= most and self.text.matches(text)]
        if not allowed:
            raise ValueError(f"no value that the rules of {self.path} allow was found")
        return allowed

    @cached_property
    def _simplest(self) -> int:
        return self.text.simplest(*self.sizes)

    def sized(self, size: int, before: Any) -> Any:
        """Return a value of a size, or a number; a list or map repeats or cuts `before`."""
        if self.kind == "string":
            return before if "enum" in self.rules else self.string(size)
        if self.kind == "blob":
            return bytes(size)
        if self.kind == "list":
            known = before or [self.members["[]"].make(LEAST)]
            return [copy(known[index % len(known)]) for index in range(size)]
        if self.kind == "map":
            key, value = self.members["[key]"], self.members["[value]"]
            keys = distinct([*before, *[key.make(LEAST)] * (size - len(before))], key)[:size]
            return {name: before[name] if name in before else value.make(LEAST) for name in keys}
        return float(size) if self.kind in ("float", "double") else size

    def text_of(self, choices: Choices, picks: bytes) -> str:
        """Return a string of a chosen length, of characters that the bytes choose."""
        return self.string(size(choices, *self.sizes, self._simplest), picks)

    def string(self, wanted: int, picks: bytes = b"") -> str:
        """Return a string of the length nearest to this one, within bounds, that keeps the rules."""
        wanted = min(max(wanted, self.sizes[0]), self.sizes[1])
        near = self.text.near(wanted, *self.sizes)
        return self.text.make(wanted if near is None else near, picks)


class Rules:
    """The rules of an operation, by the member's path and by id, and the region and account that ARNs name."""

    def __init__(self, rules: tuple[Rule, ...], region: str, account: str) -> None:
        self.region = region
        self.account = account
        self.by_id = {rule.id: rule for rule in rules}
        self.by_path: dict[str, dict[str, Rule]] = {}
        self.repairs: dict[str, list[tuple[Callable[[Any, coded.Repair], None], Any]]] = {}
        """By the name of a shape the repairs of its values, each with the bound of its rule."""
        self.alternatives: dict[str, tuple[str, ...]] = {}
        """By the name of a shape the members of which a value has one."""
        for rule in rules:
            if rule.is_constraint:
                self.by_path.setdefault(rule.path, {})[rule.keyword] = rule
        for one in coded.coded_rules(rules[0].operation) if rules else ():
            if one.rule.id in self.by_id:
                self.alternatives.update(one.alternatives)
                for shape, function in one.repairs.items():
                    self.repairs.setdefault(shape, []).append((function, self.by_id[one.rule.id].bound))


class NodeValues:
    """Makes the values that an example works with (`pytest_smfake.rules.coded.Values`), by the tree of the request."""

    def __init__(self, node: Node, bound: Any, choices: Choices = LEAST) -> None:
        self.node = node
        self.bound = bound
        self.region = node.all.region
        self.choices = choices

    def _find(self, path: str) -> Node:
        here = self.node.path
        return self.node.find(f"{here}{path}" if path.startswith("[") or not here else f"{here}.{path}")

    def least(self, path: str) -> Any:
        """Return the simplest value of a member."""
        return self._find(path).make(LEAST)

    def chosen(self, path: str) -> Any:
        """Return a value of a member."""
        return self._find(path).make(self.choices)

    def number(self, least: int, most: int) -> int:
        """Return a number within bounds, both included."""
        return self.choices.number(least, most)

    def most(self, path: str) -> int:
        """Return the greatest size of a member."""
        return self._find(path).sizes[1]

    def string(self, path: str, length: int) -> str:
        """Return a string of about a length that keeps the rules of the member."""
        return self._find(path).string(length)

    def sized(self, path: str, size: int, before: Any) -> Any:
        """Return a list or map of a size: `before`, cut off or gone on with."""
        return self._find(path).sized(size, before)

    def distinct(self, path: str, texts: Iterable[str]) -> list[str]:
        """Return the texts, with each that repeats an earlier one changed at its end."""
        return distinct(texts, self._find(path))


class NodeRepair(NodeValues):
    """Makes the values that a repair works with (`pytest_smfake.rules.coded.Repair`), by the tree of the value."""

    def __init__(self, node: Node, bound: Any, wanted: MemberPath, fixed: Collection[str]) -> None:
        super().__init__(node, bound)
        self.member = wanted
        self.wanted = wanted.path
        self.fixed = fixed

    def stays(self, name: str) -> bool:
        """Whether a member has to be there."""
        member = self.node.members[name]
        return name in self.fixed or "required" in member.rules or self.member.at(member.path)

    def only_one(self, value: dict[str, Any], names: tuple[str, ...]) -> None:
        """Drop all but one of the members: keep one that has to stay, else the first that is there."""
        there = sorted((name for name in names if name in value), key=lambda name: not self.stays(name))
        for name in there[1:]:
            if name not in self.fixed:
                del value[name]
