"""Rules that no schema states: rules between members, and preconditions. Each owns its check, its repair and its examples.

A rule is the function that checks it, decorated; its repair and its examples are added by decorators of the rule:

    @cross_field("CreateModel", "", "one-container-form", "reported", "a source")
    def one_container_form(request, bound):
        if request.get("PrimaryContainer") is not None and request.get("Containers"):
            yield ("Containers",), request["Containers"], "The service's text."

    @one_container_form.repair("CreateModelInput")
    def _drop_one(request, repair): ...

    @one_container_form.inside("containers", "Containers without PrimaryContainer", "Containers[]")
    def _containers_alone(request, values): ...

    @one_container_form.outside("both", "PrimaryContainer beside Containers", "Containers[]")
    def _both(request, values): ...

A generator of requests is handed to repairs and examples as an argument, so that this folder imports nothing above it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypeVar, get_args

from .rule import EDITIONS, ID, Edition, Evidence, Rule, Where

Breaches = Iterator[tuple[Where, Any, str]]
"""For each breach: where it is, the value there, and the service's text."""
Body = dict[str, Any]
"""A request as JSON has it."""
Side = Literal["inside", "outside"]
SIDES: tuple[Side, Side] = ("inside", "outside")
Step = tuple[str, Body]
"""An operation and its request."""


class Values(Protocol):
    """Makes values of members. Paths are relative to the value at hand: the request, or the one that is repaired.

    Attributes:
        bound: the bound of the rule.
        region: the region that ARNs and images name.
    """

    bound: Any

    @property
    def region(self) -> str: ...  # noqa: D102  # see the class

    def least(self, path: str) -> Any:
        """Return the simplest value of a member."""

    def chosen(self, path: str) -> Any:
        """Return a value of a member, chosen by the generator."""

    def number(self, least: int, most: int) -> int:
        """Return a number within bounds, both included, chosen by the generator."""

    def most(self, path: str) -> int:
        """Return the greatest size of a member."""

    def string(self, path: str, length: int) -> str:
        """Return a string of about a length that keeps the rules of the member."""

    def sized(self, path: str, size: int, before: Any) -> Any:
        """Return a list or map of a size: `before`, cut off or gone on with."""

    def distinct(self, path: str, texts: Iterable[str]) -> list[str]:
        """Return the texts, with each that repeats an earlier one changed at its end."""


class Repair(Values, Protocol):
    """Makes a value keep a rule.

    Attributes:
        wanted: the path of a member of the request that has to stay; empty for none.
        fixed: the names of members of the value that have to stay as they are, present or absent.
    """

    wanted: str
    fixed: Collection[str]

    def stays(self, name: str) -> bool:
        """Whether a member has to be there."""

    def only_one(self, value: Body, names: tuple[str, ...]) -> None:
        """Drop all but one of the members: keep one that has to stay, else the first that is there."""


@dataclass(frozen=True, slots=True)
class Example:
    """A change that makes a request that keeps a rule just keep it, or break it alone.

    Attributes:
        side: `inside` or `outside`.
        label: tells it from others in the id of a case; `{bound}` and `{beyond}` stand for the bound and one more.
        how: the change in words.
        needs: the member that the request has to have before.
        apply: changes the request, and returns the place that decides.
    """

    side: Side
    label: str
    how: str
    needs: str
    apply: Callable[[Body, Values], Where]


@dataclass(frozen=True, slots=True)
class State:
    """A request, with the state in which it keeps or breaks a precondition or limit.

    Attributes:
        side, label, how: as of an `Example`.
        request: the request.
        where: the place that decides.
        first: the calls that have to be made before, in order.
        limits: the account's limits, by the keys of `FakeSageMaker.limit`.
        objects: the addresses of the objects that S3 has to hold, and no others; None where nobody looks at S3.
        unavailable: the instance types and features that the region has to lack.
    """

    side: Side
    label: str
    how: str
    request: Body
    where: Where
    first: tuple[Step, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    objects: tuple[str, ...] | None = None
    unavailable: tuple[str, ...] = ()


class Setup(Protocol):
    """Makes the calls of a `State`.

    Attributes:
        region, account: where they are made.
    """

    @property
    def region(self) -> str: ...  # noqa: D102  # see the class
    @property
    def account(self) -> str: ...  # noqa: D102

    def make(self, operation: str) -> Body:
        """Return the simplest request of an operation."""

    def needs(self, operation: str) -> tuple[Step, ...]:
        """Return the calls that an operation needs before, each with its simplest request, which all name the same resources."""

    def arn(self, resource: str, region: str = "") -> str:
        """Return the ARN of a resource of SageMaker, such as `model/churn`."""


class Account(Protocol):
    """The state that a precondition looks at: the resources of one account in one region, and other services."""

    @property
    def region(self) -> str:
        """The region of the call."""

    @property
    def account(self) -> str:
        """The account of the call."""

    def find(self, noun: str, name: str) -> Mapping[str, Any] | None:
        """Return the request that created a resource, such as that of a `Model`; None if there is none of the name."""

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a resource; none if it does not exist."""

    def lacks(self, thing: str) -> bool:
        """Whether the region lacks an instance type, or a feature such as `asynchronous-inference`."""

    def running(self, endpoint: str) -> tuple[str, Mapping[str, Any]] | None:
        """Return ARN and request of the configuration that an endpoint runs, also of one that was deleted; None if it runs none."""

    def has_objects(self, uri: str) -> bool:
        """Whether S3 holds an object under an address."""


@dataclass(eq=False, slots=True)
class CodedRule:
    """A rule whose check is a function.

    Attributes:
        rule: its statement.
        editions: the editions that have it; none for a rule that is off unless `rules={id: True}` asks for it.
        in_edition: by edition the evidence and source there, if they differ from the rule's.
        only_with: members of which a request that breaks the rule has one, itself or in a member of it; empty for a rule of any request.
            Others are not checked, which is faster.
        repairs: by the name of a shape the function that makes a value of it keep the rule.
        alternatives: by the name of a shape the members of which a value has one.
    """

    rule: Rule
    editions: tuple[Edition, ...]
    only_with: frozenset[str] = field(default=frozenset(), init=False)
    in_edition: dict[Edition, tuple[Evidence, str]] = field(default_factory=dict, init=False)
    repairs: dict[str, Callable[[Any, Repair], None]] = field(default_factory=dict, init=False)
    alternatives: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)

    def in_(self, edition: Edition) -> Rule:
        """Return the rule as an edition has it."""
        evidence, source = self.in_edition.get(edition, (self.rule.evidence, self.rule.source))
        return replace(self.rule, evidence=evidence, source=source)

    def repair(self, *shapes: str) -> Callable[[Callable[[Any, Repair], None]], Callable[[Any, Repair], None]]:
        """Add the repair: the decorated function changes a value of one of the shapes of the SDK's model so that it keeps the rule.

        Repairs of one shape run in the order in which their rules are defined, and only those of active rules. A shape can be that of
        several members: ProductionVariant is that of ProductionVariants and of ShadowProductionVariants.
        """

        def add(function: Callable[[Any, Repair], None]) -> Callable[[Any, Repair], None]:
            self.repairs.update(dict.fromkeys(shapes, function))
            return function

        return add

    def one_of(self, shape: str, names: tuple[str, ...]) -> None:
        """Let a generator choose which of some members a value of a shape has, where the rule allows only one."""
        self.alternatives[shape] = names


@dataclass(eq=False, slots=True)
class CrossField(CodedRule):
    """A rule between members of one request.

    Attributes:
        check: yields the breaches of a request, given the rule's bound, which may be overridden.
        examples: requests at both sides of the rule.
    """

    check: Callable[[Body, Any], Breaches]
    examples: list[Example] = field(default_factory=list, init=False)

    def inside(self, label: str, how: str, needs: str = "") -> Callable[[Callable[[Body, Values], Where]], Callable[[Body, Values], Where]]:
        """Add an example that just keeps the rule: see `Example`."""
        return self._example("inside", label, how, needs)

    def outside(
        self, label: str, how: str, needs: str = ""
    ) -> Callable[[Callable[[Body, Values], Where]], Callable[[Body, Values], Where]]:
        """Add an example that breaks the rule and no other: see `Example`."""
        return self._example("outside", label, how, needs)

    def _example(
        self, side: Side, label: str, how: str, needs: str
    ) -> Callable[[Callable[[Body, Values], Where]], Callable[[Body, Values], Where]]:
        def add(apply: Callable[[Body, Values], Where]) -> Callable[[Body, Values], Where]:
            self.examples.append(Example(side, label, how, needs, apply))
            return apply

        return add


@dataclass(eq=False, slots=True)
class Precondition(CodedRule):
    """A rule about the state of the account, which the service looks at after the request itself was found valid.

    Attributes:
        check: yields the breaches of a request, given the state and the rule's bound; None where the operation looks itself.
        code: the code of the error.
        service: the other service that the check asks, such as `s3`; empty if it looks at resources of SageMaker alone.
        regional: whether the check reads nothing of the state but the region, so that `validate(..., region=)` checks it, too.
        states: yields states at both sides of the rule.
    """

    check: Callable[[Body, Account, Any], Breaches] | None
    code: str = "ValidationException"
    service: str = ""
    regional: bool = False
    states: Callable[[Rule, Setup], Iterator[State]] | None = field(default=None, init=False)

    def examples(self, states: Callable[[Rule, Setup], Iterator[State]]) -> Callable[[Rule, Setup], Iterator[State]]:
        """Add the examples: the decorated function yields states at both sides of the rule."""
        self.states = states
        return states


Coded = TypeVar("Coded", bound=CodedRule)


def names_in(request: Body) -> set[str]:
    """Return the names of the members of a request, and of those of its members, and of the items of its lists."""
    names = set(request)
    for value in request.values():
        if type(value) is dict:
            names.update(value)
        elif type(value) is list:
            for item in value:
                if type(item) is dict:
                    names.update(item)
    return names


_CODED: dict[str, list[CodedRule]] = {}


def coded_rules(operation: str | None = None) -> list[CodedRule]:
    """Return the coded rules of an operation, or of all, in the order of their definition."""
    return list(_CODED.get(operation, ())) if operation else [rule for rules in _CODED.values() for rule in rules]


def coded_rule(rule: Rule) -> CodedRule:
    """Return the coded rule that states a rule, whatever its bound was changed to."""
    return next(one for one in _CODED[rule.operation] if one.rule.id == rule.id)


def register(coded: Coded) -> Coded:
    """Let catalogues that are made from now on hold a coded rule, and return it.

    Raises:
        ValueError: there is a rule of this id already.
    """
    if not isinstance(coded.editions, tuple) or not set(coded.editions) <= set(EDITIONS):
        raise ValueError(f"rule {coded.rule.id}: editions={coded.editions!r} is not a tuple of {', '.join(EDITIONS)}")
    rules = _CODED.setdefault(coded.rule.operation, [])
    if any(one.rule.id == coded.rule.id for one in rules):
        raise ValueError(f"there is a rule {coded.rule.id} already")
    rules.append(coded)
    return coded


def unregister(coded: CodedRule) -> None:
    """Take back `register`."""
    _CODED[coded.rule.operation].remove(coded)


def _rule(
    operation: str, path: str, keyword: str, bound: Any, kind: str, evidence: Evidence, source: str, since: str = "", until: str = ""
) -> Rule:
    if evidence not in get_args(Evidence):
        raise ValueError(f"unknown evidence {evidence!r}; expected one of: {', '.join(get_args(Evidence))}")
    place = f"{operation}/{path}" if path else operation
    if not ID.fullmatch(f"{place}:{keyword}"):
        raise ValueError(f"{place}:{keyword} cannot be the id of a rule; one looks like CreateModel/Containers[].Image:max")
    return Rule(f"{place}:{keyword}", operation, path, keyword, bound, kind, evidence, source, since, until)


def cross_field(
    operation: str,
    path: str,
    keyword: str,
    evidence: Evidence,
    source: str,
    *,
    bound: Any = True,
    editions: tuple[Edition, ...] = EDITIONS,
    since: str = "",
    until: str = "",
    only_with: Iterable[str] = (),
) -> Callable[[Callable[[Body, Any], Breaches]], CrossField]:
    """Define a rule between members: the decorated function yields where a request breaks it, and becomes the rule.

    Args:
        operation: such as `CreateModel`.
        path: the member that the rule is about; empty for a rule about no single one.
        keyword: names the rule, such as `one-container-form`.
        evidence: how the rule is known.
        source: where it is known from; says also where the text is only assumed.
        bound: an int that the check compares with, or True.
        editions: the editions that have it; none for a rule that is off unless asked for.
        since: from when the service was seen to hold to it, such as `2026-04`.
        until: up to when; a rule with an end is off unless asked for, whatever its editions.
        only_with: members without all of which no request breaks the rule, so that it need not be checked: see `CodedRule`.

    Raises:
        ValueError: there is a rule of this id already.
    """

    def define(check: Callable[[Body, Any], Breaches]) -> CrossField:
        rule = _rule(operation, path, keyword, bound, "cross-field", evidence, source, since, until)
        coded = CrossField(rule, () if until else editions, check)
        first = path.partition(".")[0].removesuffix("[]")
        coded.only_with = frozenset(only_with or filter(None, [first]))
        return register(coded)

    return define


def precondition(
    operation: str,
    path: str,
    keyword: str,
    evidence: Evidence,
    source: str,
    *,
    bound: Any = True,
    editions: tuple[Edition, ...] = EDITIONS,
    since: str = "",
    until: str = "",
    code: str = "ValidationException",
    service: str = "",
    regional: bool = False,
    only_with: Iterable[str] = (),
) -> Callable[[Callable[[Body, Account, Any], Breaches]], Precondition]:
    """Define a precondition: the decorated function yields where a request breaks it in a state, and becomes the rule.

    Args:
        operation: as of `cross_field`, like all up to `until`.
        path: likewise.
        keyword: likewise.
        evidence: likewise.
        source: likewise.
        bound: likewise.
        editions: likewise.
        since: likewise.
        until: likewise.
        code: the code of the error.
        service: the other service that the check asks, such as `s3`; it is asked last, while other calls go on.
        regional: whether the check reads nothing of the state but the region.
        only_with: as of `cross_field`; by default every request is checked.

    Raises:
        ValueError: there is a rule of this id already.
    """

    def define(check: Callable[[Body, Account, Any], Breaches]) -> Precondition:
        rule = _rule(operation, path, keyword, bound, "condition", evidence, source, since, until)
        coded = Precondition(rule, () if until else editions, check, code, service, regional)
        coded.only_with = frozenset(only_with)
        return register(coded)

    return define


def not_taken(
    noun: str,
    evidence: Evidence,
    source: str,
    *,
    code: str = "ValidationException",
    objects: Callable[[Body], tuple[str, ...] | None] = lambda _: None,
) -> Precondition:
    """Return the precondition that the name of a resource be free, for `register`, or for a kind of resource that registers it.

    Args:
        noun: the kind's, such as `Model`.
        evidence: as of `cross_field`.
        source: likewise.
        code: the code of the error.
        objects: returns the addresses of the objects in S3 that a request needs to succeed; None if it needs none.

    Example:
        >>> not_taken("Model", "observed", "a source").rule.id
        'CreateModel/ModelName:not-taken'
    """
    operation, member = f"Create{noun}", f"{noun}Name"
    coded = Precondition(_rule(operation, member, "not-taken", True, "condition", evidence, source), EDITIONS, None, code)

    @coded.examples
    def states(_: Rule, setup: Setup) -> Iterator[State]:
        first, request, other = setup.needs(operation), setup.make(operation), setup.make(operation)
        yield State("inside", "free", "a name that is free", request, (member,), first, objects=objects(request))
        taken = (*first, (operation, other))
        yield State("outside", "taken", "the name of one that exists", request, (member,), taken, objects=objects(request))

    return coded
