"""Every constraint of the operations on endpoints, predictions and transform jobs, on both sides of its bound.

The values are made from the catalogue: each rule gets a request that has the member, with a value just inside and one just
outside its bound. Only texts that keep a pattern are written by hand.
"""

from __future__ import annotations

import copy
import re

import pytest

from pytest_smfake import Catalogue, message
from pytest_smfake.rules.service_model import shape_of
from pytest_smfake.service.service import OPERATIONS

CATALOGUE = Catalogue()
HOSTING = [name for name in OPERATIONS if re.search("Endpoint|TransformJob", name)]
TEXTS = {
    # A text that keeps each pattern and can be made longer at its end, and one that breaks it within every other bound.
    "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}": ("a", "a-"),
    "^[a-zA-Z0-9](-*[a-zA-Z0-9])*": ("a", "-a"),
    "(https|s3)://([^/])/?(.*)": ("s3://b", "s4://b"),
    "[a-zA-Z0-9:/_-]*": ("k", "k k"),
    r"[a-zA-Z0-9](-*[a-zA-Z0-9])*\/[a-zA-Z0-9](-*[a-zA-Z0-9.])*": ("text/csv", "text"),
    r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)": ("k", "k!"),
    r"arn:aws[a-z\-]*:sns:[a-z0-9\-]*:[0-9]{12}:[a-zA-Z0-9_.-]+": ("arn:aws:sns:us-east-1:123456789012:t", "arn:aws:sns:us-east-1:1:t"),
    ".*": ("x", "x\ny"),
    r"[a-zA-Z0-9](-*[a-zA-Z0-9])*\/[a-zA-Z0-9](-*[a-zA-Z0-9+.])*": ("text/csv", "text"),
    r"[\s\S]+": ("x", None),
    "(https|s3)://([^/]+)/?(.*)": ("s3://bucket/key", "bucket/key"),
    r"^arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$": (
        "arn:aws:iam::123456789012:role/r",
        "arn:aws:iam::1234567890:role/rrr",
    ),
    "[-0-9a-zA-Z]+": ("sg-1", "sg_1"),
    "[a-zA-Z0-9-]+": ("a", "_"),
    r"(?!\s*$).+": ("alarm", " "),
    "[a-zA-Z_][a-zA-Z0-9_]{0,1023}": ("KEY", "1"),
    r"[\S\s]*": ("x", None),
    "[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*": ("a", "a--a"),
    "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}": ("a", "a-"),
    r"[a-zA-Z0-9\-]+": ("a", "_"),
    r"\p{ASCII}*": ("text/csv", "ä"),
    r"\A\S[\p{Print}]*\z": ("model.tar.gz", " model"),
    r"^[a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?$": ("a", "-"),
    "^(NEW_SESSION)$|^[a-zA-Z0-9](-*[a-zA-Z0-9])*$": ("a", "NEW_SESSIO"),
}
"""None: nothing within the other bounds breaks it."""
OF_SOME_BOTOCORE = {
    # Patterns that not every supported botocore has; the first of the three is of 1.38 to 1.40.
    r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:ml-reservation/.*": (
        "arn:aws:sagemaker:us-east-1:123456789012:ml-reservation/a",
        "arn:aws:sagemaker:us-east-1:123:ml-reservation/a",
    ),
    r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:[a-z0-9\-]{1,14}/.*": (
        "arn:aws:sagemaker:us-east-1:123456789012:training-plan/a",
        "arn:aws:sagemaker:us-east-1:123:training-plan/a",
    ),
    r"mig-[0-9]+g\.[0-9]+gb([+-][a-z0-9.]+)*": ("mig-1g.5gb-a", "mig-1g"),
}


def bounds(operation: str, path: str) -> dict[str, object]:
    return {rule.keyword: rule.bound for rule in CATALOGUE.rules(operation) if rule.path == path}


def sized(text: str, length: int) -> str:
    return text[:length] if len(text) > length else text + text[-1] * (length - len(text))


def sample(operation: str, path: str, shape) -> object:  # noqa: PLR0911  # one return for each type
    """Return a value of a member, with whatever it needs."""
    stated = bounds(operation, path)
    match shape.type_name:
        case "structure":
            required = shape.metadata.get("required", [])
            return {name: sample(operation, f"{path}.{name}" if path else name, shape.members[name]) for name in required}
        case "list":
            return [sample(operation, f"{path}[]", shape.member)] * max(1, stated.get("min", 1))
        case "map":
            return {sample(operation, f"{path}[key]", shape.key): sample(operation, f"{path}[value]", shape.value)}
        case "boolean":
            return True
        case "blob":
            return b"x"
        case "string":
            if "enum" in stated:
                return stated["enum"][0]
            text = (TEXTS | OF_SOME_BOTOCORE)[stated["pattern"]][0] if "pattern" in stated else "x"
            return sized(text, max(len(text), stated.get("min", 0)))
        case _:
            return max(1, stated.get("min", 1))


def steps(path: str) -> list[str]:
    return re.findall(r"\[\w*\]|[^.\[\]]+", path)


def request_with(operation: str, path: str, change) -> object:
    """Return a request that has a member; `change` gets its value, and returns another, or `...` for none."""
    return _with(operation, "", shape_of(operation), steps(path), None, change)


def _with(operation, path, shape, way, value, change):
    value = sample(operation, path, shape) if value is None else value
    if not way:
        return change(value)
    step, *rest = way
    if step == "[]":
        inner = _with(operation, f"{path}[]", shape.member, rest, value[0], change)
        return [copy.deepcopy(inner) for _ in value] if inner is not ... else []
    if step in ("[key]", "[value]"):
        ((key, item),) = value.items()
        if step == "[key]":
            return {_with(operation, f"{path}[key]", shape.key, rest, key, change): item}
        return {key: _with(operation, f"{path}[value]", shape.value, rest, item, change)}
    inner_path = f"{path}.{step}" if path else step
    inner = _with(operation, inner_path, shape.members[step], rest, value.get(step), change)
    left = {name: item for name, item in value.items() if name != step}
    return left if inner is ... else left | {step: inner}


WRONG = {"structure": [], "list": {}, "map": [], "boolean": "true", "string": 1, "blob": 1, "timestamp": "now"}


def sides(rule):  # noqa: PLR0911  # one return for each keyword
    """Return what turns a valid value into one just inside the bound, and into one just outside; None where there is none."""
    bound, grows = rule.bound, rule.keyword == "max"
    outside = bound + (1 if grows else -1) if rule.keyword in ("max", "min") else None
    match rule.keyword, rule.kind:
        case "required", _:
            return lambda value: value, None if rule.path.endswith("]") or not rule.path else lambda _: ...
        case "type", _:
            # A key of a JSON object can only be a string.
            return lambda value: value, None if rule.path.endswith("[key]") else lambda _: WRONG.get(rule.kind, "1")
        case (("max" | "min"), "string" | "blob"):
            return (lambda value: _resized(value, bound)), (lambda value: _resized(value, outside)) if outside >= 0 else None
        case (("max" | "min"), "list"):
            return (lambda value: _items(value, bound)), (lambda value: _items(value, outside)) if outside >= 0 else None
        case (("max" | "min"), "map"):
            return (lambda value: _entries(value, bound)), (lambda value: _entries(value, outside)) if outside >= 0 else None
        case (("max" | "min"), _):
            return lambda _: bound, lambda _: outside
        case "enum", _:
            return lambda _: bound[-1], lambda _: "Nothing"
        case "pattern", _:
            inside, outside = (TEXTS | OF_SOME_BOTOCORE)[bound]
            return (lambda _: inside if len(inside) >= least(rule) else sized(inside, least(rule))), outside and (lambda _: outside)
    raise AssertionError(rule)


def least(rule) -> int:
    return bounds(rule.operation, rule.path).get("min", 0)


def _resized(value, length):
    return value[:0] + (value + value[-1:] * length)[:length] if isinstance(value, bytes) else sized(value, length)


def _items(value, count):
    return [copy.deepcopy(value[0]) for _ in range(count)]


def _entries(value, count):
    ((key, item),) = value.items()
    return {f"{key}{index}": item for index in range(count)}


RULES = [rule for operation in HOSTING for rule in CATALOGUE.rules(operation) if rule.is_constraint]
OUTSIDE = [rule for rule in RULES if sides(rule)[1] is not None]
NOTHING_OUTSIDE = {"required", "min", "pattern", "type"}


def found(rule, change):
    request = request_with(rule.operation, rule.path, change)
    return [violation for violation in CATALOGUE.validate(rule.operation, request) if violation.rule.is_constraint]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_just_inside(rule):
    violations = found(rule, sides(rule)[0])
    # A text of the longest length can break a pattern that allows fewer characters, and lists of scalars need no distinct items.
    assert rule.id not in [violation.rule.id for violation in violations]
    if rule.keyword not in ("max", "min"):
        assert violations == []


@pytest.mark.parametrize("rule", OUTSIDE, ids=lambda rule: rule.id)
def test_just_outside(rule):
    violations = found(rule, sides(rule)[1])
    assert rule.id in [violation.rule.id for violation in violations]
    assert {violation.rule.path for violation in violations} <= {rule.path, *others(rule)}
    assert message(violations).startswith(("1 validation error", "2 validation errors")) or rule.keyword == "type" or "[]" in rule.path


def others(rule) -> set[str]:
    """Return the members that follow from a change of another: what a list holds when it is longer, or a map's keys."""
    return {one.path for one in RULES if one.operation == rule.operation and one.path.startswith(rule.path)}


def test_what_has_no_outside_is_explained():
    for rule in RULES:
        if rule not in OUTSIDE:
            assert rule.keyword in NOTHING_OUTSIDE, rule.id
            assert rule.keyword != "min" or rule.bound == 0, rule.id


def test_every_pattern_is_used():
    used = {rule.bound for rule in RULES if rule.keyword == "pattern"}
    assert set(TEXTS) == used - set(OF_SOME_BOTOCORE)
