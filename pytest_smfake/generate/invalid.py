"""Requests that break one rule, and what the service says of each, without its words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_smfake.rules.coded import CrossField, Example, Precondition, coded_rule
from pytest_smfake.rules.rule import Rule, Where

from .mutations import Mutation, Unobservable, member_at, mutations, places, put, value_at
from .requests import Maker
from .tree import Choices, MemberPath, NodeValues, copy


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
    """A request that was changed at one place.

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
    """Return a place beside a sound item where a list has room for one, so that the list is not as good as empty."""
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
    """Return a request made by an example for a rule between members."""
    request = maker.request(choices, wanted=MemberPath(example.needs), given=given, omit=omit)
    before = copy(request)
    where = example.apply(request, NodeValues(maker.root, rule.bound, choices))
    return BrokenRequest(request, where, value_at(before, where), copy(value_at(request, where)), example.how)


def breakers(maker: Maker, rule: Rule) -> list[Mutation] | list[Example] | Unobservable:
    """Return the mutations, or examples, by which a rule that needs no state is broken, or why nothing breaks it alone."""
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
