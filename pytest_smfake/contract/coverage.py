"""The honest denominator: of how many rules of the catalogue a run says anything, and what."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING

from pytest_smfake.cases import limit_rules, unobservable_rules
from pytest_smfake.contract.suite.boundaries import CHECKED_OPERATIONS
from pytest_smfake.rules.catalogue import catalogue
from pytest_smfake.rules.rule import EDITIONS, Edition, Rule

from .report import RuleFacts, Standing

if TYPE_CHECKING:
    from .report import Report


def describe_rules(edition: Edition, cited: Collection[str] = ()) -> list[RuleFacts]:
    """Return what a report says of the rules of the operations on models, and of the account's limits on them.

    Args:
        edition: whose rules.
        cited: ids of rules that checks are about. One that another edition alone has, since checks of both were run, comes last.

    Example:
        >>> containers = next(rule for rule in describe_rules("page") if rule["id"] == "CreateModel/Containers:max")
        >>> containers["page"], containers["sdk"]
        ('5', '15')
    """
    rules = {facts["id"]: facts for operation in CHECKED_OPERATIONS for facts in _of(operation, edition)}
    if not rules.keys() >= set(cited):
        others = (facts for other in EDITIONS for operation in CHECKED_OPERATIONS for facts in _of(operation, other))
        rules |= {facts["id"]: facts for facts in others if facts["id"] in set(cited) - rules.keys()}
    return list(rules.values())


def _of(operation: str, edition: Edition) -> list[RuleFacts]:
    silent = {one.rule.id: one.reason for one in unobservable_rules(operation, edition=edition)}
    bounds = {name: {rule.id: _shown(rule) for rule in catalogue(name).rules(operation)} for name in EDITIONS}
    limits = limit_rules(operation)
    for limit in limits:  # it is the account's, whatever the edition
        for name in EDITIONS:
            bounds[name][limit.id] = "the account's"
    return [
        {
            "id": rule.id,
            "page": bounds["page"].get(rule.id),
            "sdk": bounds["sdk"].get(rule.id),
            "evidence": rule.evidence,
            "source": rule.source,
            "silent": silent.get(rule.id, ""),
        }
        for rule in (*catalogue(edition).rules(operation), *limits)
    ]


def _shown(rule: Rule) -> str:
    if isinstance(rule.bound, tuple):
        return ", ".join(map(str, rule.bound))
    return "in force" if rule.bound is True else str(rule.bound)


def standings(report: Report, target: str) -> Counter[Standing]:
    """Return how many of the observable rules stand how on a target; together they are all observable rules.

    Example:
        >>> from pytest_smfake.contract import FakeTarget, run_contract
        >>> found = standings(run_contract(FakeTarget(), select=["CreateModel/ModelName:*"]), "fake")
        >>> found["proved"], found["failed"]
        (5, 0)
    """
    outcomes = {result.check: result.outcome for result in report.results if result.target == target}
    of_rule: defaultdict[str | None, set[str]] = defaultdict(set)
    for check in report.checks:
        of_rule[check["rule"]].add(outcomes.get(check["id"], "not run"))
    return Counter(_standing(of_rule[rule["id"]]) for rule in report.rules if not rule["silent"])


def _standing(outcomes: set[str]) -> Standing:
    """Return where a rule stands of whose checks these came."""
    if "failed" in outcomes:
        return "failed"
    if "outdated" in outcomes:
        return "outdated"
    if "passed" in outcomes:
        return "proved" if outcomes == {"passed"} else "in part"
    return "skipped" if "skipped" in outcomes else "not run"
