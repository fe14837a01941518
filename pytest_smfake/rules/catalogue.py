"""The catalogue: every active rule, the validator that reads them, and what the other edition says of a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any

from .coded import CrossField, Precondition, coded_rules, names_in
from .editions import edition_rules, overridden, parts_of, unknown_rule
from .inputs import shown
from .rule import EDITIONS, Edition, Rule, Violation, Where
from .service_model import RESPONSE, check_region, shape_of
from .validator import Findings, ShapeCheck, compile_check, matches, well_typed, without_nulls


class Catalogue:
    """The rules of one edition, with overrides.

    Args:
        edition: `page`, the SDK's model with the documented page laid over it, or `sdk`, the model alone.
        rules: bounds by rule id that replace the edition's; None switches a rule off.

    Raises:
        ValueError: an edition or rule that does not exist, or a bound of the wrong type; the sentence names what would be right.

    Example:
        >>> from pytest_smfake import Catalogue
        >>> fifteen = Catalogue("page", {"CreateModel/Containers:max": 15})
        >>> fifteen.rule("CreateModel/Containers:max").bound
        15
    """

    def __init__(self, edition: Edition = "page", rules: Mapping[str, Any] | None = None) -> None:
        if edition not in EDITIONS:
            raise ValueError(f"{edition!r} is not an edition; there are: {', '.join(EDITIONS)}")
        self.edition: Edition = edition
        if rules is not None and not (isinstance(rules, Mapping) and all(isinstance(name, str) for name in rules)):
            raise ValueError(f"rules={shown(rules)} is not a dict, such as {{'CreateModel/Containers:max': 15}}")
        self.overrides = dict(rules or {})
        self._rules: dict[str, dict[str, Rule]] = {}
        self._checks: dict[str, ShapeCheck | None] = {}
        # The cross-field rules of each operation in their order, those with the same `only_with` together.
        self._between: dict[str, list[tuple[frozenset[str], list[tuple[CrossField, Rule]]]]] = {}
        self._preconditions: dict[tuple[str, bool], tuple[tuple[Precondition, Rule], ...]] = {}
        self._lax: set[str] = set()
        """The operations that let a wrong type, or a null, pass."""
        for rule_id, bound in self.overrides.items():
            parts = parts_of(rule_id)
            self._operation_rules(parts["operation"])
            if parts["keyword"] in ("type", "required") and not bound:
                self._lax.add(parts["operation"])

    def __repr__(self) -> str:
        overridden = f", {len(self.overrides)} overridden" if self.overrides else ""
        return f"<Catalogue {self.edition}{overridden}>"

    def rules(self, operation: str) -> tuple[Rule, ...]:
        """Return the rules of `CreateModel`, or of `CreateModel.response`, in the order of the model's members.

        Raises:
            ValueError: the operation is not modelled.
        """
        return tuple(self._operation_rules(operation).values())

    def rule(self, rule_id: str) -> Rule:
        """Return one rule.

        Raises:
            ValueError: the edition has no such rule; the sentence names the nearest ids.
        """
        rules = self._operation_rules(parts_of(rule_id)["operation"])
        if rule_id not in rules:
            raise ValueError(unknown_rule(rule_id, rules))
        return rules[rule_id]

    def get(self, rule_id: str) -> Rule | None:
        """Return a rule, or None where the edition lacks it or an override switched it off."""
        return self._operation_rules(rule_id.partition("/")[0].partition(":")[0]).get(rule_id)

    def preconditions(self, operation: str, *, services: bool) -> tuple[tuple[Precondition, Rule], ...]:
        """Return the preconditions of an operation that ask other services, or those that ask none, each with its rule here."""
        key = operation, services
        if key not in self._preconditions:
            rules = self._operation_rules(operation)
            self._preconditions[key] = tuple(
                (coded, rules[coded.rule.id])
                for coded in coded_rules(operation)
                if isinstance(coded, Precondition) and coded.check and bool(coded.service) is services and coded.rule.id in rules
            )
        return self._preconditions[key]

    def broken(
        self, operation: str, request: Any, account: Any, *, services: bool = False, regional: bool = False
    ) -> Iterator[tuple[Precondition, Violation]]:
        """Yield the preconditions that a request breaks in a state, each with the violation.

        Args:
            operation: the operation.
            request: its request, which keeps the rules that need no state.
            account: the state, as of `Account`.
            services: whether to check the preconditions that ask other services, or the others.
            regional: whether to check only those that read nothing of the state but the region.
        """
        preconditions = self.preconditions(operation, services=services)
        names = names_in(request) if preconditions else set()
        for coded, rule in preconditions:
            if coded.check is None or (regional and not coded.regional) or (coded.only_with and coded.only_with.isdisjoint(names)):
                continue
            for where, value, text in coded.check(request, account, rule.bound):
                yield coded, Violation(rule, where, value, text=text)

    def find(self, operation: str, request: Any) -> Findings:
        """Return all that a request breaks, and the places that the service reads past.

        Values of the wrong type hide everything else, and constraints hide the cross-field rules: the service looks
        at them in that order and answers at the first stage that fails.
        """
        check = self._check(operation)
        found = Findings()
        if check is None:
            return found
        check(request, (), found)
        if found.wrong:
            found.violations, found.left_out = found.wrong, 0
        if found.violations:
            if len(found.violations) > 1:
                found.violations.sort(key=self._order(operation, request))
        else:
            found.violations.extend(self._cross_field(operation, request, found))
        return found

    def validate(self, operation: str, request: Any, *, region: str | None = None) -> list[Violation]:
        """Return the violations of a request (see `find`), also of rules about a region if one is given; an empty list if it is valid."""
        found = self.find(operation, request)
        if region is not None and not found.violations:
            if found.ignored:
                request = without_nulls(request, found.ignored)
            found.violations += [violation for _, violation in self.broken(operation, request, _Region(region), regional=True)]
        return found.violations

    def _cross_field(self, operation: str, request: Any, found: Findings) -> Iterator[Violation]:
        if operation not in self._between:
            rules = self._operation_rules(operation)
            mine = (coded for coded in coded_rules(operation) if isinstance(coded, CrossField) and coded.rule.id in rules)
            self._between[operation] = [
                (only_with, [(coded, rules[coded.rule.id]) for coded in group])
                for only_with, group in groupby(mine, attrgetter("only_with"))
            ]
        between = self._between[operation]
        if not between:
            return
        if operation in self._lax:
            request = well_typed(request, shape_of(operation))  # what is no longer refused must not be looked into either
        elif found.ignored:
            request = without_nulls(request, found.ignored)
        names = names_in(request)
        for only_with, group in between:
            if only_with and only_with.isdisjoint(names):
                continue
            for cross_field, rule in group:
                for where, value, text in cross_field.check(request, rule.bound):
                    yield Violation(rule, where, value, text=text)

    def _check(self, operation: str) -> ShapeCheck | None:
        if operation not in self._checks:
            shape = shape_of(operation)
            by_path: dict[str, dict[str, Rule]] = {}
            for rule in self._operation_rules(operation).values():
                if rule.is_constraint:
                    by_path.setdefault(rule.path, {})[rule.keyword] = rule
            self._checks[operation] = None if shape is None else compile_check(shape, by_path)
        return self._checks[operation]

    def _operation_rules(self, operation: str) -> dict[str, Rule]:
        if operation not in self._rules:
            rules = edition_rules(self.edition, operation)
            mine = {rule_id: bound for rule_id, bound in self.overrides.items() if parts_of(rule_id)["operation"] == operation}
            self._rules[operation] = overridden(rules, operation, mine) if mine else rules
        return self._rules[operation]

    def _order(self, operation: str, request: Any) -> Callable[[Violation], list[int]]:
        """Return the key that sorts violations by the model's order of members, items and entries in theirs."""
        shape = shape_of(operation)
        ranks: dict[int, dict[str, int]] = {}

        def key(violation: Violation) -> list[int]:
            return _position(shape, request, violation.where, ranks)

        return key


@dataclass(frozen=True, slots=True)
class _Region:
    """The state that rules about a region look at (`pytest_smfake.rules.coded.Account`): the region alone."""

    region: str

    @property
    def account(self) -> str:
        raise LookupError("only the region is known")

    def find(self, noun: str, name: str) -> None:
        raise LookupError(f"{noun} {name}: only the region is known")

    def tags(self, arn: str) -> dict[str, str]:
        raise LookupError(f"tags of {arn}: only the region is known")

    def running(self, endpoint: str) -> None:
        raise LookupError(f"{endpoint}: only the region is known")

    def lacks(self, thing: str) -> bool:
        raise LookupError(f"{thing}: only the region is known")

    def has_objects(self, uri: str) -> bool:
        raise LookupError(f"{uri}: only the region is known")


@cache
def catalogue(edition: Edition) -> Catalogue:
    """Return the catalogue of an edition without overrides, shared by all who ask, since compiling takes time."""
    return Catalogue(edition)


def validate(
    operation: str, request: Any, *, edition: Edition = "page", rules: Mapping[str, Any] | None = None, region: str | None = None
) -> list[Violation]:
    """Return the violations of a SageMaker request, without a fake, in the service's order, the first 1,000; an empty list if it is valid.

    Args:
        operation: any operation of the installed botocore, such as `CreateModel`; `CreateModel.response` checks an answer.
        request: the parameters as JSON has them: dict, list, str, int, float, bool, None. Timestamps are epoch seconds.
        edition: `page` or `sdk`.
        rules: overrides by rule id.
        region: the region of the call, for rules about where an image or a model package must be; without one they do not apply.

    Raises:
        ValueError: an unknown operation, edition or rule, or a region that cannot be.

    Example:
        >>> from pytest_smfake import validate
        >>> [violation.rule.id for violation in validate("CreateModel", {"ModelName": "churn"})]
        ['CreateModel/ExecutionRoleArn:required']
    """
    check_region(region)
    return (Catalogue(edition, rules) if rules else catalogue(edition)).validate(operation, request, region=region)


def differences(left: Catalogue, right: Catalogue, operation: str) -> list[tuple[str, Rule | None, Rule | None]]:
    """Return the rules of an operation, and of its response, that two catalogues state differently, None where one lacks it."""
    found = []
    for name in (operation, operation + RESPONSE):
        mine, other = ({rule.id: rule for rule in side.rules(name)} for side in (left, right))
        for rule_id in {**mine, **other}:
            a, b = mine.get(rule_id), other.get(rule_id)
            if (a and a.bound) != (b and b.bound):
                found.append((rule_id, a, b))
    return found


def _position(shape: Any, value: Any, where: Where, ranks: dict[int, dict[str, int]]) -> list[int]:
    """Return where a value stands in the model's order. `ranks` keeps the order of each map that was met, which can be long."""
    position = []
    for part in where:
        if shape.type_name == "structure":
            position.append(list(shape.members).index(part))
            shape = shape.members[part]
        elif shape.type_name == "map":
            if id(value) not in ranks:
                ranks[id(value)] = {str(name): rank for rank, name in enumerate(value)}  # a key that is no text is told of, too
            position.append(ranks[id(value)][str(part)])
            shape = shape.value
        else:
            position.append(int(part))
            shape = shape.member
        value = value.get(part) if isinstance(value, dict) else None if value is None else value[part]
    return position


@dataclass(frozen=True, slots=True)
class OtherEdition:
    """How the other edition states a rule.

    Attributes:
        edition: the other edition.
        bound: the rule's bound there; None where that edition has no such rule.
        text: both bounds in words: `is 5 in edition page and is 15 in edition sdk`.
    """

    edition: Edition
    bound: Any
    text: str


def other_edition(violation: Violation, edition: Edition) -> OtherEdition | None:
    """Return how the other edition states a broken rule, if it would let the value pass; else None.

    Example:
        >>> from pytest_smfake import validate
        >>> role = "arn:aws:iam::123456789012:role/deploy"
        >>> [six] = validate("CreateModel", {"ModelName": "a", "ExecutionRoleArn": role, "Containers": [{"Image": "img"}] * 6})
        >>> other_edition(six, "page").text
        'is 5 in edition page and is 15 in edition sdk'
    """
    rule = violation.rule
    other = next(name for name in EDITIONS if name != edition)
    twin = catalogue(other).get(rule.id)
    if twin is not None and (twin.bound == rule.bound or not _passes(violation.value, twin)):
        return None
    there = f"is {twin.bound!r}" if twin else "does not exist"
    return OtherEdition(other, twin.bound if twin else None, f"is {rule.bound!r} in edition {edition} and {there} in edition {other}")


def _passes(value: object, rule: Rule) -> bool:
    """Whether a value passes a rule, as far as a look at it alone can tell; two patterns can differ in text and mean the same."""
    if rule.keyword == "pattern" and isinstance(value, str):
        return bool(matches(rule)(value))
    if rule.keyword in ("max", "min") and isinstance(value, str | list | dict):
        return bool(len(value) <= rule.bound if rule.keyword == "max" else len(value) >= rule.bound)
    return False
