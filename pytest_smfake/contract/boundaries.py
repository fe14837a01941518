"""The boundary cases as checks: on both sides of every rule, a request that keeps it and one that breaks it alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_smfake.cases import Case, cases
from pytest_smfake.spec.catalogue import catalogue
from pytest_smfake.spec.messages import Clause, message, parse
from pytest_smfake.spec.rules import Edition
from pytest_smfake.values.requests import ACCOUNT

from .check import Check, Difference, accepted

if TYPE_CHECKING:
    from collections.abc import Callable

    from .target import Reply, Target

OPERATIONS = ("CreateModel", "DescribeModel", "ListModels", "DeleteModel", "AddTags", "ListTags", "DeleteTags")
"""The operations on models, whose rules are part of the contract."""

LOOKED_UP = re.compile(r"ExecutionRoleArn|Image|ModelDataUrl|ModelPackageName|ModelDataSource|VpcConfig|InferenceSpecification|MultiModel")
"""Members that name something of another service, which a real service looks up."""
INTERNAL_ERROR = 500
ROOM = 40
"""Characters of a name that can hold how the names of a target begin: a prefix of up to 30, a hyphen, and the id of a run."""
MISSING = ("Could not find", "Resource does not exist")
"""How texts begin that are about something that is not there, and so not about the rule."""


@cache
def boundary_checks(edition: Edition) -> tuple[Check, ...]:
    """Return a check for each boundary case of the operations on models; what needs a model with tags is a behaviour."""
    found = (case for operation in OPERATIONS for case in cases(operation, edition=edition))
    return tuple(_check(case, edition) for case in found if case.operation == "CreateModel" or not case.first)


def _check(case: Case, edition: Edition) -> Check:
    rule = case.rule
    outcome = "is accepted" if case.side == "inside" else f"is rejected with {case.verdict.code}"
    place = f", at {case.path}" if case.path else ""
    return Check(
        id=case.id,
        sentence=f"{case.operation}: {case.how}{place}: {outcome}.",
        group=case.operation,
        evidence=rule.evidence,
        source=rule.source,
        run=_run(case.id, case.operation, edition),
        needs=tuple(_needs(case)),
        rule=rule.id,
    )


def _needs(case: Case) -> Iterator[str]:
    inside = case.operation == "CreateModel" and case.side == "inside"
    if inside or any(operation == "CreateModel" for operation, _ in case.first):
        yield "creation"
    if inside and (LOOKED_UP.search(case.rule.path) or case.rule.kind in ("cross-field", "condition")):
        yield "unchecked"
    if inside and case.path == "ModelName" and len(case.request["ModelName"]) < ROOM:
        yield "any-name"
    if case.limits:
        yield "alone"
        yield "limits"


def _run(case_id: str, operation: str, edition: Edition) -> Callable[[Target], None]:
    def run(target: Target) -> None:
        case = _cases(operation, edition, target.region, target.account, target.members(operation))[case_id]
        with ExitStack() as stack:
            for first, request in case.first:
                accepted(target.send(first, request), request)
            for key, bound in case.limits.items():
                stack.enter_context(target.limit(key, bound))
            if case.side == "inside":
                _kept(case, edition, target.send(operation, _named(case, target)))
            else:
                _broken(case, edition, target.send(operation, case.request))

    return run


def _named(case: Case, target: Target) -> Any:
    """Return the request of a case; a name that is long enough begins as those of the target do."""
    name = case.request.get("ModelName") if case.operation == "CreateModel" else None
    if case.path != "ModelName" or name is None or len(name) < ROOM:
        return case.request
    start = target.name_of()
    return case.request | {"ModelName": start + name[len(start) :]}


@cache
def _cases(operation: str, edition: Edition, region: str, account: str | None, members: tuple[tuple[str, Any], ...]) -> dict[str, Case]:
    """Return the cases of an operation by their ids, made for a target."""
    found = cases(operation, edition=edition, region=region, account=account or ACCOUNT, **dict(members))
    return {case.id: case for case in found}


def _kept(case: Case, edition: Edition, reply: Reply) -> None:
    """See that a request that keeps the rule passes.

    Of other operations than CreateModel that no constraint is told: what they name need not be there.
    """
    if case.operation == "CreateModel":
        refused, expected = reply.code is not None, "CreateModel is accepted"
    else:
        refused = reply.code == "SerializationException" or "validation error" in reply.message or reply.status == INTERNAL_ERROR
        expected = f"no rule of {case.operation} is violated"
    if refused:
        raise Difference(expected, reply.verdict, case.request, outdated=_is_outdated(case, edition, reply))


def _broken(case: Case, edition: Edition, reply: Reply) -> None:
    """See that a request that breaks the rule is rejected for that alone."""
    code, words = case.verdict.code, None
    if case.rule.is_constraint and case.rule.keyword != "type":
        (violation,) = catalogue(edition).validate(case.operation, case.request)
        words = message([violation])
    told = not reply.message.startswith(MISSING) if words is None else _agree(reply.message, words)
    if reply.code != code or not told:
        expected = f"{case.operation} is rejected with {code}" + (f": {words}" if words else "")
        raise Difference(expected, reply.verdict, case.request, outdated=_is_outdated(case, edition, reply))


def _is_outdated(case: Case, edition: Edition, reply: Reply) -> bool:
    """Whether a reply that the page does not foresee is the one that the SDK's model foresees."""
    if edition == "sdk" or not case.rule.is_constraint:
        return False
    violations = catalogue("sdk").validate(case.operation, case.request)
    if not violations:
        return reply.code is None
    return reply.code == "ValidationException" and _agree(reply.message, message(violations))


def _agree(told: str, expected: str) -> bool:
    """Whether two messages tell the same; the text of a pattern may be another one."""
    try:
        return [_without_pattern(one) for one in parse(told)] == [_without_pattern(one) for one in parse(expected)]
    except ValueError:  # what was told is no message of this kind
        return False


def _without_pattern(told: Clause) -> Clause:
    return replace(told, constraints=tuple((keyword, None if keyword == "pattern" else bound) for keyword, bound in told.constraints))
