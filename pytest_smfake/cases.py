"""Boundary cases: for each rule a request that just keeps it, and one that breaks it alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .generate.mutations import (
    Unobservable,
    Verdict,
    apply_example,
    break_constraint,
    examples,
    formatted,
    member_at,
    mutations,
    places,
    put,
    rejection,
)
from .generate.requests import ACCOUNT, REGION, Maker, maker_of
from .generate.tree import LEAST, MemberPath, Node
from .rules.catalogue import Catalogue
from .rules.coded import Body, Precondition, Side, State, Step, coded_rule
from .rules.inputs import check_account
from .rules.rule import Edition, Evidence, Rule
from .rules.service_model import check_region, noun_of
from .service.arns import arn
from .service.limits import SERVERLESS_MEMORY
from .service.resources import Kind
from .service.service import KINDS

__all__ = ["Case", "UnobservableRule", "Verdict", "cases", "unobservable_rules"]


@dataclass(frozen=True, slots=True)
class Case:
    """A request that just keeps one rule, or breaks that one alone. It is the same each time.

    Attributes:
        id: `CreateModel/ModelName:max-64`; it is stable, and holds only characters that pytest's `-k` takes.
        rule: the rule. For a limit of the account, which is in no catalogue, one such as `CreateModel:limit-models`.
        side: `inside`, which keeps the rule, or `outside`, which breaks it.
        operation: such as `CreateModel`.
        request: the parameters, as JSON has them.
        path: the place that decides: `Tags[0].Key`; empty for the request as a whole.
        how: how the request was made, in words.
        verdict: what to expect. Of an inside case, that no rule is broken: whether the service then carries out the call
            depends on what else is there, such as the model that is described.
        first: for a condition or limit, the calls that have to be made before: operations with their requests, in order.
        limits: for a limit, the limits of the account, by the keys of `FakeSageMaker.limit`.
        objects: for a condition that looks at S3, the addresses of the objects that have to be there, and no others.
        unavailable: for a precondition about the region, the instance types and features that it has to lack (`fake.unavailable`).
    """

    id: str
    rule: Rule
    side: Side
    operation: str
    request: Any
    path: str
    how: str
    verdict: Verdict
    first: tuple[Step, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    objects: tuple[str, ...] | None = None
    unavailable: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.id

    def __repr__(self) -> str:
        return f"<Case {self.id}: {self.how}>"


@dataclass(frozen=True, slots=True)
class UnobservableRule:
    """A rule that no request breaks alone, so that no outside case exists.

    Attributes:
        rule: the rule.
        kind: `vacuous`, or `message-only` where only the text of the answer tells whether the rule is there.
        reason: why, in words.
    """

    rule: Rule
    kind: str
    reason: str


def cases(
    operation: str = "CreateModel",
    *,
    edition: Edition = "page",
    rules: Mapping[str, Any] | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    **members: Any,
) -> list[Case]:
    """Return the boundary cases of an operation, in the order of its rules.

    Args:
        operation: any operation that takes members, such as `CreateModel`.
        edition: `page` or `sdk`.
        rules: overrides by rule id: a rule that changes, changes its cases; one that is off has none.
        region: the region that ARNs and images name, where it matters that of the call.
        account: the account that they name, likewise.
        members: values for members of every request but where the case is about them, such as an `ExecutionRoleArn` that exists.

    Raises:
        ValueError: an unknown operation, edition, rule or member, or a region or account that cannot be.

    Example:
        >>> from pytest_smfake.cases import cases
        >>> [str(case) for case in cases("DescribeModel") if case.rule.keyword == "max"]
        ['DescribeModel/ModelName:max-63', 'DescribeModel/ModelName:max-64']
    """
    if region is None or account is None:
        raise ValueError(f"cases() needs a region and an account, got region={region!r}, account={account!r}")
    check_region(region)
    check_account(account)
    Catalogue(edition, rules)  # refuses what cannot be a rule

    def maker(name: str) -> Maker:
        return maker_of(name, edition, _of(rules, name), region, account)

    def simplest(name: str) -> Any:
        return maker(name).request(LEAST, given=members if name == operation else {})

    own = maker(operation)
    own.check_members(members)
    return list(_cases(own, _Setup(region, account, simplest), members))


def unobservable_rules(
    operation: str = "CreateModel", *, edition: Edition = "page", rules: Mapping[str, Any] | None = None
) -> list[UnobservableRule]:
    """Return the rules that no request breaks alone, each with the reason.

    Example:
        >>> from pytest_smfake.cases import unobservable_rules
        >>> [(one.rule.id, one.kind) for one in unobservable_rules("DescribeModel")]
        [('DescribeModel/ModelName:min', 'vacuous')]
    """
    maker = maker_of(operation, edition, rules)
    found = []
    for rule in maker.catalogue.rules(operation):
        if rule.is_constraint and isinstance(unobservable := mutations(maker.root.find(rule.path), rule), Unobservable):
            found.append(UnobservableRule(rule, unobservable.kind, unobservable.reason))
        elif rule.kind == "cross-field":
            made = list(_cross_field(maker, rule, {}))
            if not any(isinstance(one, Case) and one.side == "outside" for one in made):
                found.append(next(one for one in made if isinstance(one, UnobservableRule)))
    return found


def _cases(maker: Maker, setup: _Setup, members: dict[str, Any]) -> Iterator[Case]:
    for rule in maker.catalogue.rules(maker.operation):
        if rule.is_constraint:
            yield from _constraint(maker, rule, members)
        elif rule.kind == "condition":
            yield from map(partial(_case, rule), _states(rule, setup))
        else:
            yield from (made for made in _cross_field(maker, rule, members) if isinstance(made, Case))
    for rule in limit_rules(maker.operation):
        yield from map(partial(_case, rule), limit_states(rule, setup))


@dataclass(frozen=True, slots=True)
class _Setup:
    """Makes the calls of a `State` (`pytest_smfake.rules.coded.Setup`), of the kinds of resources that fakes keep."""

    region: str
    account: str
    make: Callable[[str], Body]

    def needs(self, operation: str) -> tuple[Step, ...]:
        """Return the calls that an operation needs before, each with its simplest request, which all name the same resources."""
        kind = _kind_of(operation)
        own = () if kind is None or operation == f"Create{kind.noun}" else (kind,)
        return tuple((f"Create{needed.noun}", self.make(f"Create{needed.noun}")) for needed in (*(kind.needs if kind else ()), *own))

    def arn(self, resource: str, region: str = "") -> str:
        """Return the ARN of a resource of SageMaker, such as `model/churn`."""
        return arn(region or self.region, self.account, resource)


def _kind_of(operation: str) -> Kind[Any] | None:
    """Return the kind of resource that an operation is about; None if fakes keep none."""
    return next((kind for kind in KINDS if operation in kind.operations or noun_of(operation) == kind.noun), None)


def _states(rule: Rule, setup: _Setup) -> Iterator[State]:
    """Return the states at both sides of a precondition.

    Raises:
        LookupError: it has none.
    """
    coded = coded_rule(rule)
    if not isinstance(coded, Precondition) or coded.states is None:
        raise LookupError(f"rule {rule.id} needs states at both sides: add them with its decorator .examples")
    return coded.states(rule, setup)


def _limits_of(operation: str) -> Iterator[str]:
    """Yield the limits that an operation can meet: its kind's number, instances, memory of serverless endpoints."""
    kind = _kind_of(operation)
    if kind is not None:
        creates = operation == f"Create{kind.noun}"
        if creates and kind.plural in kind.quotas:
            yield kind.plural
        if kind.instance_types and operation in kind.asks:
            yield "instances"
        if creates and SERVERLESS_MEMORY in kind.quotas:
            yield "serverless-memory"


def limit_rules(operation: str) -> list[Rule]:
    """Return a rule for each limit that an operation can meet. Its bound is that of the cases, 2 instances or 1 of the rest."""
    documented = operation == "CreateModel"
    source = "CreateModel page, ResourceLimitExceeded" if documented else f"botocore service-2.json, errors of {operation}"
    bounds = {"instances": 2, "serverless-memory": 1024}
    evidence: Evidence = "documented" if documented else "modelled"
    return [
        Rule(f"{operation}:limit-{name}", operation, "", f"limit-{name}", bounds.get(name, 1), "limit", evidence, source)
        for name in _limits_of(operation)
    ]


def limit_states(rule: Rule, setup: _Setup) -> Iterator[State]:
    """Yield a call that just keeps a limit and one that exceeds it."""
    operation, name, kind = rule.operation, rule.keyword.removeprefix("limit-"), _kind_of(rule.operation)
    if kind is None or name not in kind.at_limits:
        return _second_of(operation, name, setup)
    return kind.at_limits[name](operation, setup)


def _second_of(operation: str, limit: str, setup: _Setup) -> Iterator[State]:
    member = f"{noun_of(operation)}Name"
    first, one = setup.needs(operation), setup.make(operation)
    other = setup.make(operation) | {member: f"{one[member]}-2"}
    yield State("inside", "1", f"the first of the {limit}", one, (member,), first, {limit: 1})
    how = f"the second of the {limit}, of which there may be one"
    yield State("outside", "2", how, other, (member,), (*first, (operation, one)), {limit: 1})


def _of(rules: Mapping[str, Any] | None, operation: str) -> dict[str, Any]:
    return {rule_id: bound for rule_id, bound in (rules or {}).items() if rule_id.startswith((f"{operation}/", f"{operation}:"))}


def _case(rule: Rule, state: State) -> Case:
    verdict = Verdict() if state.side == "inside" else rejection(rule)
    path, label = formatted(state.where), f"{rule.id}-{state.label}"
    needed = (state.first, state.limits, state.objects, state.unavailable)
    return Case(label, rule, state.side, rule.operation, state.request, path, state.how, verdict, *needed)


def _constraint(maker: Maker, rule: Rule, members: dict[str, Any]) -> Iterator[Case]:
    node = maker.root.find(rule.path)
    wanted = MemberPath(rule.path)
    request = maker.request(LEAST, wanted=wanted, given=members)
    where = places(request, rule.path)[0]
    label, value = _kept(node, rule, member_at(request, where, rule.path))
    request = put(request, where, value, key=rule.path.endswith("[key]"))
    maker.repair(request, wanted, members)
    if not maker.catalogue.validate(maker.operation, request):  # else another rule leaves no room for it
        yield _case(rule, State("inside", label, KEPT[rule.keyword], request, where))
    broken_request = mutations(node, rule)
    if isinstance(broken_request, Unobservable):
        return
    for mutation in broken_request if rule.keyword == "required" else broken_request[:1]:
        change = break_constraint(maker, rule, mutation, LEAST, members)
        yield _case(rule, State("outside", mutation.label, mutation.how, change.request, change.where))


KEPT = {
    "required": "the member is given",
    "type": "a value of its type",
    "enum": "one of its values",
    "pattern": "a value that matches its pattern",
    "max": "the greatest that is allowed",
    "min": "the least that is allowed",
}
"""How a request just keeps a constraint, in words, by the keyword."""


def _kept(node: Node, rule: Rule, value: Any) -> tuple[str, Any]:
    """Return a label and the value that just keeps a rule, to replace any valid one."""
    match rule.keyword:
        case "required":
            return "given", value
        case "type":
            return node.kind, value
        case "enum":
            return "inside", rule.bound[-1]
        case "pattern":
            return "inside", node.string(40, bytes(number * 37 % 256 for number in range(40)))
        case _:
            bound = node.sizes[rule.keyword == "max"]
            return str(bound), node.sized(bound, value)


def _cross_field(maker: Maker, rule: Rule, members: dict[str, Any]) -> Iterator[Case | UnobservableRule]:
    for example in examples(rule):
        change = apply_example(maker, rule, example, LEAST, members)
        beyond = rule.bound + 1 if type(rule.bound) is int else None
        label = example.label.format(bound=rule.bound, beyond=beyond)
        case = _case(rule, State(example.side, label, example.how, change.request, change.where))
        others = {violation.rule.id for violation in maker.catalogue.validate(maker.operation, change.request)} - set(case.verdict.rules)
        if not others:
            yield case
        elif example.side == "outside":
            yield UnobservableRule(rule, "vacuous", f"what breaks it breaks {', '.join(sorted(others))} too, which comes first")
