"""Requests that break one rule, and say which."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import strategies as st

from pytest_smfake.generate.invalid import Verdict, breakers, broken_request, is_alone, rejection
from pytest_smfake.generate.mutations import Mutation, Unobservable, spelled
from pytest_smfake.generate.requests import ACCOUNT, REGION, Maker, maker_of
from pytest_smfake.generate.strings import DRAWN_BYTES
from pytest_smfake.generate.tree import LEAST
from pytest_smfake.rules.coded import Example
from pytest_smfake.rules.rule import Edition, Rule

from .valid import Drawn, check_given, pinned

Breakable = dict[str, tuple[Rule, list[Mutation] | list[Example]]]
"""Rules that can be broken alone, with the mutations to do it, by their ids."""


@dataclass(frozen=True, slots=True)
class InvalidRequest:
    """A request that breaks one rule.

    Attributes:
        operation: such as `CreateModel`.
        request: the parameters, as JSON has them; a list or a scalar where the type of the whole is wrong.
        rule: the rule that it breaks, and the only one.
        path: where: `Tags[0].Key`; empty for the request as a whole.
        before: the value that was there when the request was still valid; `MISSING` where there was none.
        after: the value that is there now; `MISSING` where there is none any more. Of the keys of a map these are keys.
        how: what was done, in words.
        verdict: what to expect.
    """

    operation: str
    request: Any
    rule: Rule
    path: str
    before: Any
    after: Any
    how: str
    verdict: Verdict

    def __repr__(self) -> str:
        before, after = (reprlib.repr(value) for value in (self.before, self.after))
        size = f" ({len(self.after)})" if isinstance(self.after, str | bytes | list | dict) else ""
        what = f"{self.rule.id} at {self.path or 'the request'}: {self.how}; {before} -> {after}{size}"
        return f"<InvalidRequest {what}; request={_without_megabytes(self.request)!r}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002  # by which Hypothesis, as IPython, prints
        printer.text(repr(self))


def _without_megabytes(request: Any) -> Any:
    if not isinstance(request, dict):
        return request
    return {
        name: reprlib.repr(value) if isinstance(value, bytes) and len(value) > DRAWN_BYTES else value for name, value in request.items()
    }


def invalid_create_model_requests(
    *,
    rule: str | None = None,
    edition: Edition = "page",
    rules: Mapping[str, Any] | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    omit: Collection[str] = (),
    **members: Any,
) -> st.SearchStrategy[InvalidRequest]:
    """Return a strategy for CreateModel requests that break one rule each, and no other.

    A record shrinks to the first rule, the first way to break it, and otherwise as `create_model_requests` does.

    Args:
        rule: the id of the rule to break; any by default. Conditions and limits need the state of the account: see
            `pytest_smfake.cases`.
        edition, rules, region, account, omit, members: as of `create_model_requests`.

    Raises:
        ValueError: an unknown edition, rule or member, or a rule that no request breaks alone, with the reason.

    Example:
        >>> from hypothesis import find
        >>> from pytest_smfake.strategies import invalid_create_model_requests
        >>> found = find(invalid_create_model_requests(rule="CreateModel/ModelName:max"), lambda record: True)
        >>> found.path, found.before, found.after == "a" * 64, found.how
        ('ModelName', 'a', True, 'a string longer than the greatest length, which the pattern takes')
    """
    return invalid_requests("CreateModel", rule=rule, edition=edition, rules=rules, region=region, account=account, omit=omit, **members)


def invalid_requests(
    operation: str,
    *,
    rule: str | None = None,
    edition: Edition = "page",
    rules: Mapping[str, Any] | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    omit: Collection[str] = (),
    **members: Any,
) -> st.SearchStrategy[InvalidRequest]:
    """Return a strategy for requests of an operation that break one rule each; see `invalid_create_model_requests`.

    Raises:
        ValueError: an unknown operation, edition, rule or member, or a rule that no request breaks alone, with the reason.

    Example:
        >>> from hypothesis import find
        >>> find(invalid_requests("ListModels", rule="ListModels/MaxResults:max"), lambda record: True).request
        {'MaxResults': 101}
    """
    maker = maker_of(operation, edition, rules, region, account)
    check_given(maker, members, omit)
    if rule is not None:
        chosen = {rule: (maker.catalogue.rule(rule), _breakers(maker, maker.catalogue.rule(rule)))}
    elif rules or members or omit:
        chosen = _alone(maker, frozenset(members), frozenset(omit))
    else:
        chosen = _shared(edition, operation)
    return _invalid(maker, tuple(chosen.values()), members, frozenset(omit))


@st.composite
def _invalid(
    draw: st.DrawFn,
    maker: Maker,
    breakable: tuple[tuple[Rule, list[Mutation] | list[Example]], ...],
    members: Mapping[str, Any],
    omit: frozenset[str],
) -> InvalidRequest:
    choices = Drawn(draw)
    rule, mutations = breakable[choices.bits(16) % len(breakable)]  # each as often as any other
    mutation = mutations[choices.number(0, len(mutations) - 1)]
    change = broken_request(maker, rule, mutation, choices, pinned(draw, members), omit)
    path, verdict = spelled(change.where), rejection(rule)
    return InvalidRequest(maker.operation, change.request, rule, path, change.before, change.after, change.how, verdict)


def _breakers(maker: Maker, rule: Rule) -> list[Mutation] | list[Example]:
    if rule.kind == "condition":
        raise ValueError(f"{rule.id} needs the state of the account: pytest_smfake.cases says what has to be there first")
    if rule.operation != maker.operation:
        raise ValueError(f"{rule.id} is no rule of {maker.operation}")
    found = breakers(maker, rule)
    if isinstance(found, Unobservable):
        raise ValueError(f"no request breaks {rule.id} alone: {found.reason}")
    return found


def _alone(maker: Maker, pinned_names: frozenset[str], omit: frozenset[str]) -> Breakable:
    found: Breakable = {}
    for rule in maker.catalogue.rules(maker.operation):
        top = rule.path.partition(".")[0].partition("[")[0]
        if rule.kind == "condition" or top in pinned_names or top in omit or isinstance(mutations := breakers(maker, rule), Unobservable):
            continue
        if all(is_alone(maker, rule, broken_request(maker, rule, mutation, LEAST)) for mutation in mutations):
            found[rule.id] = rule, mutations
    return found


@cache
def _shared(edition: Edition, operation: str) -> Breakable:
    return _alone(maker_of(operation, edition, None), frozenset(), frozenset())
