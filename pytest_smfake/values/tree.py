"""The members of a request as a tree, each of which can make its own value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_smfake.spec.rules import Rule

from .choices import LEAST, Choices, size
from .forms import FORMS, RANGES, SCALARS, UNBOUNDED
from .shapes import copy, inner, within
from .text import Text

if TYPE_CHECKING:
    from botocore.model import Shape

DIFFERENT = 3
"""How many items of a list, or entries of a map, are made one by one; the others repeat them."""


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
        """Return the bound of a rule in force, or the default."""
        rule = self.rules.get(keyword)
        return default if rule is None else rule.bound

    def find(self, path: str) -> Node:
        """Return the member of a path that exists."""
        if path == self.path:
            return self
        return next(member for member in self.members.values() if within(path, member.path)).find(path)

    def least_most(self) -> tuple[Any, Any]:
        """Return the bounds of size, or of a number, with the greatest that is made where no rule bounds it."""
        least = self.bound("min", 0)
        if self.kind in RANGES:
            return least, min(self.bound("max", max(RANGES[self.kind], least)), max(RANGES[self.kind], least))
        return least, self.bound("max", least + UNBOUNDED[self.kind])

    @cached_property
    def text(self) -> Text:
        """The strings of this member."""
        least, most = self.least_most()
        # Twice the bound and one more: a string that is too long may be far too long.
        place = self.all
        forms = [form.replace("us-east-1", place.region).replace("123456789012", place.account) for form in FORMS.get(self.shape, ())]
        return Text(self.bound("pattern"), 2 * max(least, most) + 2, forms)

    @cached_property
    def sizes(self) -> tuple[int, int]:
        """The least and the greatest size of a value that keeps every rule."""
        least, most = self.least_most()
        if self.kind != "string":
            return least, most
        bounds = self.text.near(least, least, most), self.text.near(most, least, most)
        if bounds[0] is None or bounds[1] is None:
            raise ValueError(f"no string of {least} to {most} characters was found that matches {self.bound('pattern')} ({self.path})")
        return bounds[0], bounds[1]

    def make(self, choices: Choices, must: str = "", given: Any = None, omit: Collection[str] = ()) -> Any:
        """Return a value that keeps every rule about this member and those inside it, those between members included.

        Args:
            choices: what chooses wherever there is a choice.
            must: the path of a member that has to be there, in the first item or entry where there are several.
            given: what of it is fixed: the members of a structure that have a value, or a value as a whole.
            omit: the members of a structure that are left out.
        """
        made = self._make(choices, must, given, omit)
        if settle := SETTLERS.get(self.shape):
            fixed = {*(given if isinstance(given, dict) else ()), *omit}
            settle(made, Settling(self, must, fixed))
        return made

    def _make(self, choices: Choices, must: str, given: Any, omit: Collection[str]) -> Any:
        if self.kind == "structure":
            return self._structure(choices, must, given or {}, omit)
        inside = must if must != self.path and within(must, self.path) else ""
        if given is not None and (not inside or self.kind in SCALARS):
            return given
        if self.kind == "list":
            return self._list(choices, inside, given)
        return self._map(choices, inside, given or {}) if self.kind == "map" else self.scalar(choices)

    def _structure(self, choices: Choices, must: str, given: dict[str, Any], omit: Collection[str]) -> dict[str, Any]:
        optional = [name for name, member in self.members.items() if "required" not in member.rules and name not in omit]
        present = choices.number(0, (1 << len(optional)) - 1) if optional else 0
        left_out = {*omit, *(name for bit, name in enumerate(optional) if not present >> bit & 1)}
        made = {}
        for name, member in self.members.items():
            inside = within(must, member.path)
            if name in given and not inside:
                made[name] = given[name]
            elif inside or name in given or name not in left_out:
                made[name] = member.make(choices, must, given.get(name))
        return made

    def _list(self, choices: Choices, must: str, given: list[Any] | None) -> list[Any]:
        item = self.members["[]"]
        if given:
            return [item.make(choices, must, given[0]), *given[1:]]
        count = max(size(choices, *self.sizes), 1 if must else 0)
        different = [item.make(choices, "" if index else must) for index in range(min(count, DIFFERENT))]
        return [copy(different[index % DIFFERENT]) for index in range(count)]

    def _map(self, choices: Choices, must: str, given: dict[str, Any]) -> dict[str, Any]:
        if given:
            return given
        key, value = self.members["[key]"], self.members["[value]"]
        count = max(size(choices, *self.sizes), 1 if must else 0)
        keys = [key.make(choices) for _ in range(min(count, DIFFERENT))]
        values = [value.make(choices, "" if index else must) for index in range(min(count, DIFFERENT))]
        different = distinct((keys[index % DIFFERENT] for index in range(count)), key)
        return {name: copy(values[index % DIFFERENT]) for index, name in enumerate(different)}

    def scalar(self, choices: Choices) -> Any:
        """Return a scalar that keeps its rules."""
        if self.kind == "boolean":
            return bool(choices.number(0, 1))
        if "enum" in self.rules:
            return self.allowed[choices.number(0, len(self.allowed) - 1)]
        least, most = self.sizes
        if self.kind == "string":
            length = size(choices, least, most, self._simplest)
            return self.string(length, choices.picks())
        number = size(choices, least, most)
        if self.kind == "blob":
            return bytes(number)
        return float(number) if self.kind in ("float", "double") else number

    @cached_property
    def allowed(self) -> list[str]:
        """The values that an enum allows and no other rule refuses."""
        least, most = self.least_most()
        allowed = [text for text in self.rules["enum"].bound if least <= len(text) <= most and self.text.matches(text)]
        if not allowed:
            raise ValueError(f"no value that the rules of {self.path} allow was found")
        return allowed

    @cached_property
    def _simplest(self) -> int:
        return self.text.simplest(*self.sizes)

    def sized(self, size: int, before: Any) -> Any:
        """Return a value of a size, or a number: a list or map is what there was before, cut off or gone on with."""
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

    def string(self, length: int, picks: bytes = b"") -> str:
        """Return a string of the length nearest to this one, within bounds, that keeps the rules."""
        length = min(max(length, self.sizes[0]), self.sizes[1])
        near = self.text.near(length, *self.sizes)
        return self.text.make(length if near is None else near, picks)


def distinct(texts: Iterable[str], node: Node) -> list[str]:
    """Return the texts, each that an earlier one has said already changed at its end.

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


class Rules:
    """The rules of an operation, by the member's path and by id, and the region and account that ARNs name."""

    def __init__(self, rules: tuple[Rule, ...], region: str, account: str) -> None:
        self.region = region
        self.account = account
        self.by_id = {rule.id: rule for rule in rules}
        self.by_path: dict[str, dict[str, Rule]] = {}
        for rule in rules:
            if rule.is_constraint:
                self.by_path.setdefault(rule.path, {})[rule.keyword] = rule


@dataclass(frozen=True, slots=True)
class Settling:
    """What a settler works with: it makes a value hold the rules between its members.

    Attributes:
        node: the member that the value is of.
        must: the path of a member that has to stay.
        fixed: the names of members that have to stay as they are, there or not.
    """

    node: Node
    must: str
    fixed: Collection[str]

    def bound(self, rule_id: str) -> Any:
        """Return the bound of a rule in force, None where it is not."""
        rule = self.node.all.by_id.get(rule_id)
        return None if rule is None else rule.bound

    def stays(self, name: str) -> bool:
        """Whether a member has to stay as it is."""
        return name in self.fixed or within(self.must, self.node.members[name].path)

    def least(self, name: str) -> Any:
        """Return the simplest value of a member."""
        return self.node.members[name].make(LEAST)


SETTLERS: dict[str, Callable[[Any, Settling], None]] = {}
"""For each shape between whose members there are rules the function that makes a value hold them."""
