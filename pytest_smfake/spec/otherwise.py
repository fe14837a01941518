"""What the other edition says of a value that one edition rejects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .catalogue import catalogue
from .rules import EDITIONS, Edition, Rule, Violation
from .validate import matches


@dataclass(frozen=True, slots=True)
class Otherwise:
    """How the other edition states a rule.

    Attributes:
        edition: the other edition.
        bound: the rule's bound there; None where that edition has no such rule.
        text: both bounds in words: `is 5 in edition page and is 15 in edition sdk`.
    """

    edition: Edition
    bound: Any
    text: str


def otherwise(violation: Violation, edition: Edition) -> Otherwise | None:
    """Return how the other edition states a broken rule, if it would let the value pass; else None.

    Example:
        >>> from pytest_smfake import validate
        >>> role = "arn:aws:iam::123456789012:role/deploy"
        >>> [six] = validate("CreateModel", {"ModelName": "a", "ExecutionRoleArn": role, "Containers": [{"Image": "img"}] * 6})
        >>> otherwise(six, "page").text
        'is 5 in edition page and is 15 in edition sdk'
    """
    rule = violation.rule
    other = next(name for name in EDITIONS if name != edition)
    twin = catalogue(other).get(rule.id)
    if twin is not None and (twin.bound == rule.bound or not _passes(violation.value, twin)):
        return None
    there = f"is {twin.bound!r}" if twin else "does not exist"
    return Otherwise(other, twin.bound if twin else None, f"is {rule.bound!r} in edition {edition} and {there} in edition {other}")


def _passes(value: object, rule: Rule) -> bool:
    """Whether a value passes a rule, as far as a look at it alone can tell; two patterns can differ in text and mean the same."""
    if rule.keyword == "pattern" and isinstance(value, str):
        return bool(matches(rule)(value))
    if rule.keyword in ("max", "min") and isinstance(value, str | list | dict):
        return bool(len(value) <= rule.bound if rule.keyword == "max" else len(value) >= rule.bound)
    return False
