"""Turn boundary cases into checks: for each rule, requests that keep it and requests that break only this rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_smfake.cases import Case, cases
from pytest_smfake.generate.requests import ACCOUNT
from pytest_smfake.rules.catalogue import catalogue
from pytest_smfake.rules.inputs import with_article
from pytest_smfake.rules.messages import Clause, message, parse
from pytest_smfake.rules.rule import Edition, Rule

from .check import Check, Difference, expect_accepted
from .targets.names import NAMING_MEMBERS, PREFIX_ROOM, own_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from .check import Reply
    from .targets.target import Target

CHECKED_OPERATIONS = ("CreateModel", "DescribeModel", "ListModels", "DeleteModel", "AddTags", "ListTags", "DeleteTags")
"""The operations on models; their rules are part of the contract."""

HOSTED_OPERATIONS = ("CreateEndpointConfig", "CreateEndpoint", "UpdateEndpoint", "CreateTransformJob")
"""Operations on endpoints and transform jobs. Those of their rules that no schema states are part of the contract, on targets that may keep
what a check creates; rules that a setting of the fake switches on, or that look at S3, are not."""

LOOKED_UP = re.compile(r"ExecutionRoleArn|Image|ModelDataUrl|ModelPackageName|ModelDataSource|VpcConfig|InferenceSpecification|MultiModel")
"""Members that name a resource of another service; the real service checks that it exists."""
MISSING_TEXTS = ("Could not find", "Resource does not exist")
"""Starts of messages about a missing resource; such an error says nothing about the rule."""
BAD_TOKEN = ("Invalid NextToken", "Invalid Token", "Invalid token", "Invalid pagination token")
"""Starts of messages about the token of a page; the checks send tokens that the service did not create."""
ABSENT = ("ResourceNotFound", "ResourceNotFoundException", "NotImplemented")
"""Error codes about a missing resource; the fake of this package answers the last one for resources of other services."""


@cache
def boundary_checks(edition: Edition) -> tuple[Check, ...]:
    """Return a check for each boundary case of the operations on models, and for the cases of coded rules of `HOSTED_OPERATIONS`.

    Cases that first need a tagged model are in `BEHAVIOURS`.
    """
    found = (case for operation in CHECKED_OPERATIONS for case in cases(operation, edition=edition))
    on_models = [case for case in found if case.operation == "CreateModel" or not case.first]
    return tuple(_check(case, edition) for case in (*on_models, *_hosted(edition)))


def _hosted(edition: Edition) -> Iterator[Case]:
    """Yield the cases of the coded rules of `HOSTED_OPERATIONS` that need nothing but calls before them."""
    for operation in HOSTED_OPERATIONS:
        for case in cases(operation, edition=edition):
            if case.rule.kind in ("cross-field", "condition") and case.objects is None and not case.unavailable:
                yield case


@cache
def checked_rules(edition: Edition) -> tuple[Rule, ...]:
    """Return the rules that the contract is about: those of the operations on models, and those that `_hosted` has cases of."""
    on_models = [rule for operation in CHECKED_OPERATIONS for rule in catalogue(edition).rules(operation)]
    return (*on_models, *{case.rule.id: case.rule for case in _hosted(edition)}.values())


def _check(case: Case, edition: Edition) -> Check:
    rule = case.rule
    return Check(
        id=case.id,
        sentence=case_sentence(case),
        group=case.operation,
        evidence=rule.evidence,
        source=rule.source,
        run=_run(case.id, case.operation, edition),
        needs=tuple(_needs(case)),
        rule=rule.id,
    )


def case_sentence(case: Case) -> str:
    """Return a sentence that says whether the operation accepts or rejects the request of a case.

    Example:
        >>> from pytest_smfake.cases import cases
        >>> [case_sentence(case) for case in cases() if case.rule.id == "CreateModel/Containers:max"]
        ['CreateModel accepts 5 Containers, the maximum.', 'CreateModel rejects 6 Containers (maximum 5).']
    """
    does = "accepts" if case.side == "inside" else "rejects"
    code = "" if case.verdict.code in (None, "ValidationException") else f", with {case.verdict.code}"
    what = _constrained(case) if case.rule.is_constraint else case.how + (f", at {case.path}" if case.path else "")
    return f"{case.operation} {does} {what}{code}."


def _constrained(case: Case) -> str:
    """Return a noun phrase for the request of a case about a constraint of one member."""
    rule, inside = case.rule, case.side == "inside"
    path, label = rule.path or "the request", case.id.removeprefix(f"{rule.id}-")
    match rule.keyword:
        case "max" | "min":
            size = label.replace("minus-", "-")
            bound = "maximum" if rule.keyword == "max" else "minimum"
            if inside:
                return _sized(rule, path, size) + (
                    f", the {bound}" if size == str(rule.bound) else ", the smallest size that its pattern accepts"
                )
            return f"{_sized(rule, path, size)} ({bound} {rule.bound})"
        case "required":
            return f"a request with {path}" if inside else f"a request without {path}" if label == "missing" else f"null as {path}"
        case "type":
            return f"{with_article(label)} as {path}" + ("" if inside else f", which must be {with_article(rule.kind)}")
        case "enum":
            return f"one of the values of {path}" if inside else f"a {path} that is not one of its values"
        case _:
            return f"a {path} that matches its pattern" if inside else f"a {path} with a character that its pattern does not allow"


def _sized(rule: Rule, path: str, size: str) -> str:
    """Return a member with its size, in the unit of its type."""
    if rule.kind == "string":
        return f"{path} of {size} character{'s' * (size != '1')}"
    return {"list": f"{size} {path}", "map": f"{size} entries in {path}"}.get(rule.kind, f"{path} {size}")


def _needs(case: Case) -> Iterator[str]:
    if case.operation in HOSTED_OPERATIONS:
        yield from ("hosting", "creation", "unchecked")
        return
    inside = case.operation == "CreateModel" and case.side == "inside"
    if inside or any(operation == "CreateModel" for operation, _ in case.first):
        yield "creation"
    if inside and (LOOKED_UP.search(case.rule.path) or case.rule.kind in ("cross-field", "condition")):
        yield "unchecked"
    about_name = case.path == NAMING_MEMBERS[case.operation] and case.operation != "ListModels"  # ListModels changes nothing
    if about_name and case.rule.keyword == "min" and 0 < len(case.request[case.path]) < PREFIX_ROOM:
        yield "any-name"
    if case.limits:
        yield "alone"
        yield "limits"


def _run(case_id: str, operation: str, edition: Edition) -> Callable[[Target], None]:
    def run(target: Target) -> None:
        case = case_for(case_id, operation, edition, target)
        with ExitStack() as stack:
            for first, request in case.first:
                expect_accepted(target.send(first, request), request)
            for key, bound in case.limits.items():
                stack.enter_context(target.limit(key, bound))
            reply = target.send(operation, case.request)
            if case.side == "inside":
                _kept(case, edition, reply)
            else:
                _broken(case, edition, reply)

    return run


def case_for(case_id: str, operation: str, edition: Edition, target: Target) -> Case:
    """Return a boundary case for a target. If other people use the account, the case names only models of the run."""
    case = _cases(operation, edition, target.region, target.account, target.members(operation))[case_id]
    return case if target.supports("any-name") else own_case(case, target)


@cache
def _cases(operation: str, edition: Edition, region: str, account: str | None, members: tuple[tuple[str, Any], ...]) -> dict[str, Case]:
    """Return the cases of an operation by id, with the region, account and members of a target."""
    found = cases(operation, edition=edition, region=region, account=account or ACCOUNT, **dict(members))
    return {case.id: case for case in found}


def _kept(case: Case, edition: Edition, reply: Reply) -> None:
    """Check that a request that keeps the rule passes validation.

    Operations other than CreateModel may name a missing model: that error shows that no rule was violated.
    """
    if case.operation == "CreateModel":
        passes, expected = reply.code is None, "CreateModel is accepted"
    else:
        passes, expected = _looked_up(case, reply), f"no rule of {case.operation} is violated"
    if not passes:
        raise Difference(expected, reply.verdict, case.request, outdated=_is_outdated(case, edition, reply))


def _looked_up(case: Case, reply: Reply) -> bool:
    """Whether a reply shows that the request passed validation: a success, or an error about a missing model or an invalid token."""
    if reply.code is None or reply.code in ABSENT:
        return True
    if "NextToken" in case.request and reply.message.startswith(BAD_TOKEN):
        return reply.code in ("ValidationException", "InvalidToken")  # moto answers InvalidToken
    return reply.code == "ValidationException" and reply.message.startswith(MISSING_TEXTS)


def _broken(case: Case, edition: Edition, reply: Reply) -> None:
    """Check that a request that breaks the rule is rejected for this reason only."""
    code, words = case.verdict.code, None
    if case.rule.is_constraint and case.rule.keyword != "type":
        (violation,) = catalogue(edition).validate(case.operation, case.request)
        words = message([violation])
    # What a precondition needs was created before, so that nothing else can be missing.
    prepared = case.rule.kind == "condition" and bool(case.first)
    matches = (prepared or not reply.message.startswith(MISSING_TEXTS)) if words is None else _agree(reply.message, words)
    if reply.code != code or not matches:
        expected = f"{case.operation} is rejected with {code}" + (f": {words}" if words else "")
        raise Difference(expected, reply.verdict, case.request, outdated=_is_outdated(case, edition, reply))


def _is_outdated(case: Case, edition: Edition, reply: Reply) -> bool:
    """Whether an unexpected reply is the one that the SDK's model predicts."""
    if edition == "sdk" or not case.rule.is_constraint:
        return False
    violations = catalogue("sdk").validate(case.operation, case.request)
    if not violations:
        return reply.code is None
    return reply.code == "ValidationException" and _agree(reply.message, message(violations))


def _agree(actual: str, expected: str) -> bool:
    """Whether two messages name the same violations; the text of a pattern may differ."""
    try:
        return [_without_pattern(one) for one in parse(actual)] == [_without_pattern(one) for one in parse(expected)]
    except ValueError:  # not a message about violated rules
        return False


def _without_pattern(clause: Clause) -> Clause:
    return replace(clause, constraints=tuple((keyword, None if keyword == "pattern" else bound) for keyword, bound in clause.constraints))
