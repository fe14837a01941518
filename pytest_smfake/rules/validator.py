"""The validator: each shape compiled once into a closure that reads the catalogue's bounds, and what rules between members get to see.

The way of a check: a structure looks up each member that a request gives; a scalar that passes its one quick test
costs nothing more. Only what fails is explained, rule by rule.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .java_regex import matcher
from .messages import MOST_VIOLATIONS, echo
from .rule import OVERRIDE, Key, Rule, Violation, Where

if TYPE_CHECKING:
    from botocore.model import ListShape, MapShape, Shape, StructureShape

Bounds = Mapping[str, Rule]
"""The rules of one member by keyword."""

_RANGES = {"integer": 2**31, "long": 2**63}
_LARGEST = {"float": 3.4028234663852886e38, "double": sys.float_info.max, "timestamp": sys.float_info.max}
"""The largest number of Java's types. A larger one is taken for a wrong type (assumed): as JSON has no infinity, no answer can hold it."""


@dataclass(slots=True)
class Findings:
    """What a check found.

    Attributes:
        violations: the rules broken, `MOST` at the most.
        left_out: how many further errors the service would count.
        wrong: the values of a wrong type, `MOST` at the most. They hide all other violations.
        ignored: where a member stands that the service reads past: one that it does not know, or a null.
    """

    violations: list[Violation] = field(default_factory=list)
    left_out: int = 0
    wrong: list[Violation] = field(default_factory=list)
    ignored: list[Where] = field(default_factory=list)

    def takes(self) -> bool:
        """Whether another violation is told; one that is not is counted."""
        if len(self.violations) < MOST_VIOLATIONS:
            return True
        self.left_out += 1
        return False

    @property
    def is_full(self) -> bool:
        """Whether violations are counted alone: a value that breaks several rules counts once then, so that counting is fast."""
        return len(self.violations) >= MOST_VIOLATIONS


ShapeCheck = Callable[[Any, Where, Findings], None]
Quick = Callable[[Any], object]
"""A test that is truthy for a value without fault and falsy where it takes a closer look."""


def compile_check(shape: Shape, rules: Mapping[str, Bounds]) -> ShapeCheck:
    """Return the check of a request, or response, whose rules are given by member path."""
    return _Compiler(rules).node(shape, "")[0]


class _Compiler:
    def __init__(self, rules: Mapping[str, Bounds]) -> None:
        self.rules = rules
        self.open: set[str] = set()
        self.reentered: set[str] = set()
        self.recursive: dict[str, ShapeCheck] = {}

    def node(self, shape: Shape, path: str) -> tuple[ShapeCheck, Quick | None]:
        """Return the check of the member at `path`, and a quick test where it is a scalar."""
        bounds = self.rules.get(path, {})
        kind = shape.type_name
        if kind not in ("structure", "list", "map"):
            quick = _quick(kind, bounds)
            return _scalar(kind, bounds, quick), quick
        name = shape.name
        if name in self.open:  # a shape that holds itself: the check under way, once it is made, serves here too
            self.reentered.add(name)
            return self.later(name, dict if kind != "list" else list, bounds.get("type")), None
        self.open.add(name)
        check: ShapeCheck = getattr(self, kind)(shape, path, bounds)
        self.open.remove(name)
        if name in self.reentered:
            self.recursive[name] = check
        return check, None

    def later(self, name: str, kind: type, type_rule: Rule | None) -> ShapeCheck:
        def check(value: Any, where: Where, found: Findings) -> None:
            if type(value) is not kind:
                _wrong_type(type_rule, value, where, found)
            else:
                self.recursive[name](value, where, found)

        return check

    def structure(self, shape: StructureShape, path: str, bounds: Bounds) -> ShapeCheck:
        members: dict[str, ShapeCheck] = {}
        quick: dict[str, Quick] = {}
        is_type: dict[str, Quick] = {}
        required: list[tuple[str, Rule]] = []
        for name, member in shape.members.items():
            member_path = f"{path}.{name}" if path else name
            members[name], test = self.node(member, member_path)
            if test is not None:
                quick[name], is_type[name] = test, is_of(member.type_name)
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
                elif test is not None and found.is_full and is_type[name](item):
                    found.left_out += 1
                else:
                    member(item, (*where, name), found)
            for name, rule in required:
                if value.get(name) is None and found.takes():
                    found.violations.append(Violation(rule, (*where, name), None))

        return check

    def list(self, shape: ListShape, path: str, bounds: Bounds) -> ShapeCheck:
        item_path = f"{path}[]"
        item_check, quick = self.node(shape.member, item_path)
        entry = _entry(self.rules.get(item_path, {})) if quick else ()
        is_type = is_of(shape.member.type_name)
        null = self.rules.get(item_path, {}).get("required")
        type_rule, sizes = bounds.get("type"), _sizes(bounds)

        def check(value: Any, where: Where, found: Findings) -> None:
            if type(value) is not list:
                _wrong_type(type_rule, value, where, found)
                return
            _measure(sizes, value, where, found, shape)
            holder = _Holder(value, shape)
            for index, item in enumerate(value):
                if item is None:
                    if null is not None and quick is not None:
                        holder.explain(Violation(null, (*where, index), None), (null,), found)
                    elif null is not None and found.takes():
                        found.violations.append(Violation(null, (*where, index), None))
                elif quick is None:
                    item_check(item, (*where, index), found)
                elif not quick(item):
                    holder.check(item_check, is_type, item, (*where, index), entry, found)

        return check

    def map(self, shape: MapShape, path: str, bounds: Bounds) -> ShapeCheck:
        key_path, value_path = f"{path}[key]", f"{path}[value]"
        key_check, key_quick = self.node(shape.key, key_path)
        value_check, value_quick = self.node(shape.value, value_path)
        key_entry, value_entry = _entry(self.rules.get(key_path, {})), _entry(self.rules.get(value_path, {}))
        is_type = is_of(shape.value.type_name)
        null = self.rules.get(value_path, {}).get("required")
        type_rule, sizes = bounds.get("type"), _sizes(bounds)

        def check(value: Any, where: Where, found: Findings) -> None:
            if type(value) is not dict:
                _wrong_type(type_rule, value, where, found)
                return
            _measure(sizes, value, where, found, shape)
            holder = _Holder(value, shape)
            for key, item in value.items():
                if key_quick is not None and not key_quick(key):
                    holder.check(key_check, is_of("string"), key, (*where, Key(key)), key_entry, found)
                if item is None:
                    if null is not None:
                        holder.explain(Violation(null, (*where, Key(key)), None), (null,), found)
                elif value_quick is None:
                    value_check(item, (*where, Key(key)), found)
                elif not value_quick(item):
                    holder.check(value_check, is_type, item, (*where, Key(key)), value_entry, found)

        return check


def _wrong_type(rule: Rule | None, value: Any, where: Where, found: Findings) -> None:
    if rule is not None and len(found.wrong) < MOST_VIOLATIONS:
        found.wrong.append(Violation(rule, where, value))


def _entry(bounds: Bounds) -> tuple[Rule, ...]:
    """Return the rules that the service prints together for a broken entry, in its order (observed): max, min, pattern."""
    return tuple(bounds[keyword] for keyword in ("max", "min", "pattern", "enum") if keyword in bounds)


class _Holder:
    """A list or map whose scalars break rules: the message echoes it as a whole, once for all that break the same ones."""

    __slots__ = ("echoed", "shape", "told", "value")

    def __init__(self, value: Any, shape: Shape) -> None:
        self.value = value
        self.shape = shape
        self.echoed: str | None = None
        self.told: set[tuple[Rule, ...]] = set()

    def check(self, check: ShapeCheck, is_type: Quick, item: Any, where: Where, entry: tuple[Rule, ...], found: Findings) -> None:
        """Explain what is wrong with a scalar; all constraints of an entry are printed together."""
        if found.is_full and entry in self.told and is_type(item):  # then it is part of an error that is counted already
            return
        inner = Findings()
        check(item, where, inner)
        found.wrong += inner.wrong[: MOST_VIOLATIONS - len(found.wrong)]
        for violation in inner.violations:
            self.explain(violation, entry, found)

    def explain(self, violation: Violation, entry: tuple[Rule, ...], found: Findings) -> None:
        """Add a violation with what the service echoes for it."""
        is_told = entry in self.told
        self.told.add(entry)
        if (found.is_full and is_told) or not found.takes():
            return
        if self.echoed is None:
            self.echoed = echo(self.value, self.shape)
        found.violations.append(replace(violation, echo=self.echoed, entry=entry))


def _sizes(bounds: Bounds) -> tuple[Rule, ...]:
    return tuple(bounds[keyword] for keyword in ("max", "min") if keyword in bounds)


def _measure(sizes: tuple[Rule, ...], value: Any, where: Where, found: Findings, shape: Shape) -> None:
    size = len(value)
    for rule in sizes:
        if (size > rule.bound if rule.keyword == "max" else size < rule.bound) and found.takes():
            found.violations.append(Violation(rule, where, value, echo(value, shape)))


def is_of(kind: str) -> Quick:
    """Return the test for the JSON type of a scalar. Java's integers have a range; a bool is no number."""
    if kind == "boolean":
        return lambda value: type(value) is bool
    if limit := _RANGES.get(kind):
        return lambda value: type(value) is int and -limit <= value < limit
    if largest := _LARGEST.get(kind):
        return lambda value: (type(value) is float or type(value) is int) and -largest <= value <= largest
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


def _scalar(kind: str, bounds: Bounds, quick: Quick) -> ShapeCheck:
    """Return the check that explains why a scalar fails, rule by rule in the service's order."""
    is_type, type_rule = is_of(kind), bounds.get("type")
    broken = [(rule, _broken(keyword, rule)) for keyword, rule in bounds.items() if keyword in ("max", "min", "enum", "pattern")]

    def check(value: Any, where: Where, found: Findings) -> None:
        if quick(value):
            return
        if not is_type(value):
            _wrong_type(type_rule, value, where, found)
            return
        for rule, is_broken in broken:
            if is_broken(value) and found.takes():
                found.violations.append(Violation(rule, where, value, echo(value)))

    return check


def _broken(keyword: str, rule: Rule) -> Quick:
    """Return the test that is truthy for a value which breaks a rule."""
    bound = rule.bound
    if keyword == "pattern":
        fits = matches(rule)
        return lambda value: not fits(value)
    if keyword == "enum":
        return lambda value: value not in bound
    if keyword == "max":
        return lambda value: _measured(value) > bound
    return lambda value: _measured(value) < bound


def _measured(value: Any) -> Any:
    return len(value) if isinstance(value, str | bytes) else value


def well_typed(value: Any, shape: Any) -> Any:
    """Return what of a value has the JSON type that its shape asks for; a structure comes back empty in the place of anything else."""
    kind = shape.type_name
    if kind == "list":
        return [well_typed(item, shape.member) for item in value if _has_type(item, shape.member)] if type(value) is list else []
    if kind == "map":
        entries = value.items() if type(value) is dict else ()
        return {key: well_typed(item, shape.value) for key, item in entries if _has_type(item, shape.value)}
    if kind == "structure":
        members = ((name, value[name], member) for name, member in shape.members.items() if type(value) is dict and name in value)
        return {name: well_typed(item, member) for name, item, member in members if _has_type(item, member)}
    return value


def without_nulls(request: Any, ignored: Iterable[tuple[str | int, ...]]) -> Any:
    """Return a request without the nulls among what the service reads past: such a member is as good as absent (assumed)."""
    request = deepcopy(request)
    for *way, last in ignored:
        holder = at(request, way)
        if holder[last] is None:
            del holder[last]
    return request


def at(request: Any, way: Iterable[str | int]) -> Any:
    """Return what stands at a place in a request."""
    for step in way:
        request = request[step]
    return request


def _has_type(value: Any, shape: Shape) -> bool:
    if shape.type_name in ("structure", "map"):
        return type(value) is dict
    return type(value) is list if shape.type_name == "list" else bool(is_of(shape.type_name)(value))
