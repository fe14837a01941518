"""The validator: each shape compiled once into a closure that reads the catalogue's bounds.

The way of a check: a structure looks up each member that a request gives; a scalar that passes its one quick test
costs nothing more. Only what fails is explained, rule by rule.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .messages import echo
from .patterns import matcher
from .rules import OVERRIDE, Key, Rule, Violation

if TYPE_CHECKING:
    from botocore.model import ListShape, MapShape, Shape, StructureShape

Where = tuple[str | int, ...]
Bounds = Mapping[str, Rule]
"""The rules of one member by keyword."""

_RANGES = {"integer": 2**31, "long": 2**63}


@dataclass(slots=True)
class Findings:
    """What a check found.

    Attributes:
        violations: the rules broken.
        ignored: where a member stands that the service reads past: one that it does not know, or a null.
    """

    violations: list[Violation] = field(default_factory=list)
    ignored: list[Where] = field(default_factory=list)


Check = Callable[[Any, Where, Findings], None]
Quick = Callable[[Any], object]
"""A test that is truthy for a value without fault and falsy where it takes a closer look."""


def compile_check(shape: Shape, rules: Mapping[str, Bounds]) -> Check:
    """Return the check of a request, or response, whose rules are given by member path."""
    return _Compiler(rules).node(shape, "")[0]


class _Compiler:
    def __init__(self, rules: Mapping[str, Bounds]) -> None:
        self.rules = rules
        self.open: set[str] = set()
        self.reentered: set[str] = set()
        self.recursive: dict[str, Check] = {}

    def node(self, shape: Shape, path: str) -> tuple[Check, Quick | None]:
        """Return the check of the member at `path`, and a quick test where it is a scalar."""
        bounds = self.rules.get(path, {})
        kind = shape.type_name
        if kind not in ("structure", "list", "map"):
            quick = _quick(kind, bounds)
            return _scalar(kind, bounds, quick), quick
        name = shape.name
        if name in self.open:  # a shape that holds itself: the check under way, once it is made, serves here too
            self.reentered.add(name)
            return self.later(name), None
        self.open.add(name)
        check: Check = getattr(self, kind)(shape, path, bounds)
        self.open.remove(name)
        if name in self.reentered:
            self.recursive[name] = check
        return check, None

    def later(self, name: str) -> Check:
        def check(value: Any, where: Where, found: Findings) -> None:
            self.recursive[name](value, where, found)

        return check

    def structure(self, shape: StructureShape, path: str, bounds: Bounds) -> Check:
        members: dict[str, Check] = {}
        quick: dict[str, Quick] = {}
        required: list[tuple[str, Rule]] = []
        for name, member in shape.members.items():
            member_path = f"{path}.{name}" if path else name
            members[name], test = self.node(member, member_path)
            if test is not None:
                quick[name] = test
            if rule := self.rules.get(member_path, {}).get("required"):
                required.append((name, rule))
        type_rule = bounds.get("type")

        def check(value: Any, where: Where, found: Findings) -> None:
            if type(value) is not dict:
                _wrong_type(type_rule, value, where, found)
                return
            for name, item in value.items():
                test = quick.get(name)
                if test is not None and test(item):
                    continue
                member = members.get(name)
                if member is None or item is None:
                    found.ignored.append((*where, name))
                else:
                    member(item, (*where, name), found)
            for name, rule in required:
                if value.get(name) is None:
                    found.violations.append(Violation(rule, (*where, name), None))

        return check

    def list(self, shape: ListShape, path: str, bounds: Bounds) -> Check:
        item_path = f"{path}[]"
        item_check, quick = self.node(shape.member, item_path)
        entry = _entry(self.rules.get(item_path, {})) if quick else ()
        null = self.rules.get(item_path, {}).get("required")
        type_rule, sizes = bounds.get("type"), _sizes(bounds)

        def check(value: Any, where: Where, found: Findings) -> None:
            if type(value) is not list:
                _wrong_type(type_rule, value, where, found)
                return
            _measure(sizes, value, where, found, shape)
            for index, item in enumerate(value):
                if item is None:
                    if null is not None:
                        echoed = echo(value, shape) if quick else None
                        found.violations.append(Violation(null, (*where, index), None, echoed, (null,) if quick else ()))
                elif quick is None:
                    item_check(item, (*where, index), found)
                elif not quick(item):
                    _entries(item_check, item, (*where, index), found, entry, value, shape)

        return check

    def map(self, shape: MapShape, path: str, bounds: Bounds) -> Check:
        key_path, value_path = f"{path}[key]", f"{path}[value]"
        key_check, key_quick = self.node(shape.key, key_path)
        value_check, value_quick = self.node(shape.value, value_path)
        key_entry, value_entry = _entry(self.rules.get(key_path, {})), _entry(self.rules.get(value_path, {}))
        null = self.rules.get(value_path, {}).get("required")
        type_rule, sizes = bounds.get("type"), _sizes(bounds)

        def check(value: Any, where: Where, found: Findings) -> None:
            if type(value) is not dict:
                _wrong_type(type_rule, value, where, found)
                return
            _measure(sizes, value, where, found, shape)
            for key, item in value.items():
                if key_quick is not None and not key_quick(key):
                    _entries(key_check, key, (*where, Key(key)), found, key_entry, value, shape)
                if item is None:
                    if null is not None:
                        found.violations.append(Violation(null, (*where, Key(key)), None, echo(value, shape), (null,)))
                elif value_quick is None:
                    value_check(item, (*where, Key(key)), found)
                elif not value_quick(item):
                    _entries(value_check, item, (*where, Key(key)), found, value_entry, value, shape)

        return check


def _wrong_type(rule: Rule | None, value: Any, where: Where, found: Findings) -> None:
    if rule is not None:
        found.violations.append(Violation(rule, where, value))


def _entry(bounds: Bounds) -> tuple[Rule, ...]:
    """Return the rules that the service prints together for a broken entry, in its order (observed): max, min, pattern."""
    return tuple(bounds[keyword] for keyword in ("max", "min", "pattern", "enum") if keyword in bounds)


def _entries(check: Check, item: Any, where: Where, found: Findings, entry: tuple[Rule, ...], holder: Any, shape: Shape) -> None:
    """Explain a scalar inside a list or map: the message echoes its holder and prints all constraints of an entry."""
    inner = Findings()
    check(item, where, inner)
    for violation in inner.violations:
        is_type = violation.rule.keyword == "type"
        found.violations.append(violation if is_type else replace(violation, echo=echo(holder, shape), entry=entry))


def _sizes(bounds: Bounds) -> tuple[Rule, ...]:
    return tuple(bounds[keyword] for keyword in ("max", "min") if keyword in bounds)


def _measure(sizes: tuple[Rule, ...], value: Any, where: Where, found: Findings, shape: Shape) -> None:
    size = len(value)
    for rule in sizes:
        if size > rule.bound if rule.keyword == "max" else size < rule.bound:
            found.violations.append(Violation(rule, where, value, echo(value, shape)))


def is_of(kind: str) -> Quick:
    """Return the test for the JSON type of a scalar. Java's integers have a range; a bool is no number."""
    if kind == "boolean":
        return lambda value: type(value) is bool
    if limit := _RANGES.get(kind):
        return lambda value: type(value) is int and -limit <= value < limit
    if kind in ("float", "double", "timestamp"):
        return lambda value: type(value) is float or type(value) is int
    if kind == "blob":
        return lambda value: type(value) is bytes or type(value) is str
    return lambda value: type(value) is str


def _quick(kind: str, bounds: Bounds) -> Quick:
    """Return the quick test of a scalar: right type and within every bound."""
    test = _string_test(bounds) if kind == "string" else _blob_test(bounds) if kind == "blob" else _number_test(kind, bounds)
    if "type" in bounds:
        return test
    is_type = is_of(kind)  # with the rule of the type switched off, a value of another type has no bound to keep
    return lambda value: value is not None and (not is_type(value) or test(value))


def _string_test(bounds: Bounds) -> Quick:
    most = bounds["max"].bound if "max" in bounds else float("inf")
    least = bounds["min"].bound if "min" in bounds else 0
    allowed = frozenset(bounds["enum"].bound) if "enum" in bounds else None
    fits = matches(bounds["pattern"], most) if "pattern" in bounds else None
    if fits is not None and allowed is None:
        return lambda value: type(value) is str and least <= len(value) <= most and fits(value)
    return lambda value: (
        type(value) is str and least <= len(value) <= most and (allowed is None or value in allowed) and (fits is None or fits(value))
    )


def matches(rule: Rule, most: float = sys.maxsize) -> Callable[[str], object]:
    """Return the matcher of a rule that is a pattern, for strings of up to `most` characters."""
    return matcher(rule.bound, trusted=rule.source != OVERRIDE, most=most)


def _blob_test(bounds: Bounds) -> Quick:
    is_type = is_of("blob")
    most = bounds["max"].bound if "max" in bounds else float("inf")
    least = bounds["min"].bound if "min" in bounds else 0
    return lambda value: is_type(value) and least <= len(value) <= most


def _number_test(kind: str, bounds: Bounds) -> Quick:
    is_type = is_of(kind)
    if not bounds.keys() & {"max", "min"}:
        return is_type
    most = bounds["max"].bound if "max" in bounds else float("inf")
    least = bounds["min"].bound if "min" in bounds else float("-inf")
    return lambda value: is_type(value) and least <= value <= most


def _scalar(kind: str, bounds: Bounds, quick: Quick) -> Check:
    """Return the check that explains why a scalar fails, rule by rule in the service's order."""
    is_type, type_rule = is_of(kind), bounds.get("type")

    def check(value: Any, where: Where, found: Findings) -> None:
        if quick(value):
            return
        if not is_type(value):
            _wrong_type(type_rule, value, where, found)
            return
        for keyword, rule in bounds.items():
            if _breaks(keyword, rule, value):
                found.violations.append(Violation(rule, where, value, echo(value)))

    return check


def _breaks(keyword: str, rule: Rule, value: Any) -> bool:
    measure = len(value) if isinstance(value, str | bytes) else value
    match keyword:
        case "max":
            return bool(measure > rule.bound)
        case "min":
            return bool(measure < rule.bound)
        case "enum":
            return value not in rule.bound
        case "pattern":
            return not matches(rule)(value)
    return False
