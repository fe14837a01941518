"""The rules of an edition: the SDK's model, the page laid over it, the rules between members, and overrides."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from . import endpoint_configs, endpoints, ledger, models, tags, transform_jobs  # noqa: F401  # their rules are registered when they are defined
from .coded import coded_rules
from .inputs import LARGEST, shown
from .java_regex import compile_pattern
from .rule import CONSTRAINTS, ID, OVERRIDE, Edition, Evidence, Rule
from .service_model import RESPONSE, is_operation, shape_of, unknown_operation

if TYPE_CHECKING:
    from botocore.model import Shape

NUMBERS = ("integer", "long", "float", "double")
KEYWORDS: Mapping[str, tuple[str, ...]] = {
    "string": ("max", "min", "pattern", "enum"),
    "blob": ("max", "min"),
    "list": ("max", "min"),
    "map": ("max", "min"),
    **dict.fromkeys(NUMBERS, ("max", "min")),
}
"""The bounds that a member of each type can have."""


@cache
def page() -> dict[str, Any]:
    """Return the facts of the CreateModel page, as `page.toml` holds them."""
    return tomllib.loads(resources.files(__package__).joinpath("page.toml").read_text("utf-8"))


@cache
def edition_rules(edition: Edition, operation: str) -> dict[str, Rule]:
    """Return the rules of an operation, or of its response, by id."""
    shape = shape_of(operation)
    rules = {rule.id: rule for rule in _modelled(operation, shape)} if shape is not None else {}
    if edition == "page":
        rules = _with_page(rules, operation, shape)
    for coded in coded_rules(operation):
        if edition in coded.editions:
            rules[coded.rule.id] = coded.in_(edition)
    return ledger.shipped().verify(rules)


def _modelled(operation: str, shape: Shape) -> Iterator[Rule]:
    """Yield the rules of the SDK's model, depth first; a shape that holds itself is entered once."""
    for path, member, required, parents in members(shape):
        evidence: Evidence = "modelled"
        source = f"botocore service-2.json, {member.name}"
        if required is not None:
            holder = parents[-1] if parents else shape.name
            null = path.endswith(("[]", "[value]"))  # the model is silent on nulls in lists and maps
            yield _rule(operation, path, "required", True, member, "assumed" if null else evidence, f"botocore service-2.json, {holder}")
        yield _rule(operation, path, "type", member.type_name, member, evidence, source)
        for keyword in KEYWORDS.get(member.type_name, ()):
            bound = member.metadata.get(keyword)
            if bound is not None and bound != []:
                bound = tuple(bound) if keyword == "enum" else bound
                yield _rule(operation, path, keyword, bound, member, evidence, source)


def members(shape: Shape) -> Iterator[tuple[str, Shape, bool | None, tuple[str, ...]]]:
    """Yield path, shape, whether it must be there (True) or may be absent (None), and the shapes around it, for every member."""

    def walk(path: str, node: Shape, required: bool | None, parents: tuple[str, ...]) -> Iterator[Any]:
        yield path, node, required, parents
        if node.name in parents:
            return
        inner = (*parents, node.name)
        if node.type_name == "structure":
            needed: list[str] = node.metadata.get("required", [])
            for name, child in node.members.items():
                yield from walk(f"{path}.{name}" if path else name, child, True if name in needed else None, inner)
        elif node.type_name == "list":
            yield from walk(f"{path}[]", node.member, True, inner)
        elif node.type_name == "map":
            yield from walk(f"{path}[key]", node.key, None, inner)
            yield from walk(f"{path}[value]", node.value, True, inner)

    yield from walk("", shape, None, ())


def _rule(operation: str, path: str, keyword: str, bound: Any, member: Shape, evidence: Evidence, source: str) -> Rule:
    return Rule(_id(operation, path, keyword), operation, path, keyword, bound, member.type_name, evidence, source)


def _id(operation: str, path: str, keyword: str) -> str:
    return f"{operation}/{path}:{keyword}" if path else f"{operation}:{keyword}"


@cache
def _page_shapes() -> dict[str, dict[str, Any]]:
    """Return the page's facts by the name that the SDK's model gives the member's shape."""
    shapes = {}
    for section, operation in (("request", "CreateModel"), ("response", f"CreateModel{RESPONSE}")):
        shape = shape_of(operation)
        for name, facts in page()[section].items():
            shapes[shape.members[name].name] = facts  # type: ignore[union-attr]  # CreateModel takes and returns structures
    return shapes


def _with_page(rules: dict[str, Rule], operation: str, shape: Shape | None) -> dict[str, Rule]:
    """Lay the page over the modelled rules: it wins wherever it speaks.

    The page speaks of CreateModel. Where another operation has a member of the same shape, the page's bounds are
    taken to hold there too, graded `assumed`: a name that CreateModel takes must be one that DescribeModel takes.
    """
    source = page()["source"]["title"]
    result = dict(rules)
    own = operation.removesuffix(RESPONSE) == "CreateModel"
    section = page()["response" if operation.endswith(RESPONSE) else "request"] if own else {}
    for path, member, _, _ in members(shape) if shape is not None else ():
        documented = path in section
        facts = section.get(path) or _page_shapes().get(member.name)
        if facts is None:
            continue
        origin = f"{source}, {facts['heading']}"
        for keyword in KEYWORDS.get(member.type_name, ()):
            if keyword in facts:
                evidence: Evidence = "documented" if documented else "assumed"
                result[_id(operation, path, keyword)] = _rule(operation, path, keyword, facts[keyword], member, evidence, origin)
        if documented and "required" in facts:
            rule_id = _id(operation, path, "required")
            result.pop(rule_id, None)
            if facts["required"]:
                result[rule_id] = _rule(operation, path, "required", True, member, "documented", origin)
    return _sorted(result, shape)


def _sorted(rules: dict[str, Rule], shape: Shape | None) -> dict[str, Rule]:
    """Return rules in the order of the model's members, and at each in the order in which the service reports them."""
    places = {path: index for index, (path, *_) in enumerate(members(shape))} if shape is not None else {}

    def key(rule: Rule) -> tuple[int, int]:
        return places.get(rule.path, len(places)), CONSTRAINTS.index(rule.keyword) if rule.is_constraint else len(CONSTRAINTS)

    return {rule.id: rule for rule in sorted(rules.values(), key=key)}


def overridden(rules: dict[str, Rule], operation: str, overrides: Mapping[str, Any]) -> dict[str, Rule]:
    """Return the rules with overrides laid over them.

    Raises:
        ValueError: an override of a rule that cannot exist, or with a bound that it cannot have.
    """
    shape = shape_of(operation)
    shapes = {path: member for path, member, _, _ in members(shape)} if shape is not None else {}
    elsewhere = {coded.rule.id: coded.rule for coded in coded_rules(operation)}
    result = dict(rules)
    for rule_id, bound in overrides.items():
        parts = parts_of(rule_id)
        path, keyword = parts["path"] or "", parts["keyword"]
        known = rules.get(rule_id) or elsewhere.get(rule_id)
        member = shapes.get(path)
        if known is None and (member is None or keyword not in ("required", *KEYWORDS.get(member.type_name, ()))):
            raise ValueError(unknown_rule(rule_id, rules))
        if bound is None or (bound is False and keyword == "required"):
            result.pop(rule_id, None)
            continue
        _check_bound(rule_id, keyword, bound, known)
        fixed = tuple(bound) if keyword == "enum" else bound
        if known is not None:
            result[rule_id] = replace(known, bound=fixed, evidence="assumed", source=OVERRIDE)
        elif member is not None:
            result[rule_id] = _rule(operation, path, keyword, fixed, member, "assumed", OVERRIDE)
    return _sorted(result, shape)


def _check_bound(rule_id: str, keyword: str, bound: Any, known: Rule | None) -> None:
    """Refuse a bound that the keyword cannot have."""
    wanted = {"required": "True, or None for off", "pattern": "a regular expression", "enum": "a list of strings"}.get(keyword)
    match keyword:
        case "max" | "min":
            fits, wanted = (
                isinstance(bound, int | float) and not isinstance(bound, bool) and 0 <= bound <= LARGEST,
                "a number of at least 0",
            )
        case "pattern":
            fits = isinstance(bound, str)
        case "enum":
            fits = isinstance(bound, list | tuple) and bool(bound) and all(isinstance(item, str) for item in bound)
        case "type":
            fits, wanted = known is not None and bound == known.bound, "None: the type itself cannot be changed, only left unchecked"
        case _:
            like = type(known.bound) if known is not None else bool
            fits = type(bound) is like and bound is not False and not (like is int and bound < 0)
            wanted = "a whole number, or None for off" if like is int else "True, or None for off"
    if not fits:
        raise ValueError(f"rule {rule_id}: {shown(bound)} is not a bound that it can have; right would be {wanted}")
    if keyword == "pattern":
        compile_pattern(bound, trusted=False)


def parts_of(rule_id: str) -> dict[str, Any]:
    """Return operation, path and keyword of a rule's id.

    Raises:
        ValueError: it is not of that form.
    """
    match = ID.fullmatch(rule_id)
    if match is None:
        raise ValueError(f"{rule_id!r} is not the id of a rule; one looks like CreateModel/Containers[].Image:max")
    return match.groupdict()


def unknown_rule(rule_id: str, rules: Mapping[str, Rule]) -> str:
    """Return the sentence for a rule that does not exist, with the nearest ids."""
    operation = parts_of(rule_id)["operation"].removesuffix(RESPONSE)
    if not is_operation(operation):
        return unknown_operation(operation)
    if off := next((coded.rule for coded in coded_rules(operation) if coded.rule.id == rule_id), None):
        return f"{rule_id!r} is off in this edition; rules={{{rule_id!r}: {off.bound!r}}} switches it on"
    near = difflib.get_close_matches(rule_id, rules, n=3, cutoff=0.3)
    hint = f"near it: {', '.join(near)}; " if near else ""
    return f"{rule_id!r} is not a rule; {hint}`smfake rules {operation}` lists them all"
