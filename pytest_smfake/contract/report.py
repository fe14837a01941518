"""Collect the results of a run in a report, write, read and check it, count the rules that it covers, and compare two reports."""

from __future__ import annotations

import json
import platform
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from pytest_smfake.cases import limit_rules, unobservable_rules
from pytest_smfake.rules import inputs as look
from pytest_smfake.rules.catalogue import catalogue
from pytest_smfake.rules.inputs import Look, write_whole
from pytest_smfake.rules.rule import EDITIONS, Edition, Evidence, Rule

from .boundaries import CHECKED_OPERATIONS, HOSTED_OPERATIONS, checked_rules
from .check import CAPABILITIES

if TYPE_CHECKING:
    from .check import Check

Outcome = Literal["passed", "failed", "outdated", "skipped"]
CoverageState = Literal["proved", "in part", "failed", "outdated", "skipped", "not run"]

OUTCOMES: Mapping[Outcome, str] = {
    "passed": "the target behaves as the sentence says",
    "failed": "the target behaves differently",
    "outdated": "the target behaves differently and is right: the documented page is behind the service",
    "skipped": "the target lacks a capability that the check needs",
}
"""The outcomes of a check on a target, with their meaning. A check without a result on a target was not run there."""

MARKS: Mapping[str, str] = {"passed": "\u2713", "failed": "\u2717", "outdated": "\u2248", "skipped": "\u2013", "not run": "\u00b7"}
"""The symbol of each outcome in tables."""

COVERAGE_STATES: Mapping[CoverageState, str] = {
    "proved": "every check of the rule passed",
    "in part": "some checks of the rule passed, the others were skipped or not run",
    "failed": "a check of the rule failed",
    "outdated": "the documented page is behind the service",
    "skipped": "every check of the rule was skipped or not run",
    "not run": "no check of the rule was run",
}
"""The coverage of an observable rule on a target: the result of all its checks together."""

EVIDENCE: Mapping[Evidence, str] = {
    "documented": "the documented page of the API says so",
    "modelled": "the SDK's service model says so",
    "observed": "a published response of the service shows it",
    "reported": "other projects or users report it",
    "verified": "a run of this contract against the service proved it",
    "contested": "sources disagree",
    "assumed": "no source is known; it agrees best with the known facts",
}
"""The grades of evidence, with their meaning."""


REDACTED: Mapping[bool, str] = {
    True: "redacted: tokens such as {account} replace values that identify an account",
    False: "not redacted: responses are shown unchanged",
}
"""The sentence of a report about redaction, by whether it is redacted."""


class CheckFacts(TypedDict):
    """Hold the facts about a check in a report: see `Check`."""

    id: str
    sentence: str
    group: str
    rule: str | None
    evidence: Evidence
    source: str
    needs: list[str]


class RuleFacts(TypedDict):
    """Hold the facts about a rule in a report.

    `page` and `sdk` are its bounds in the two editions, or None if an edition does not have the rule. `silent` is the reason
    why no request can show whether a service keeps the rule; it is empty for an observable rule.
    """

    id: str
    page: str | None
    sdk: str | None
    evidence: Evidence
    source: str
    silent: str


@dataclass(frozen=True, slots=True)
class Result:
    """Hold the result of one check on one target.

    Attributes:
        check: the id of the check.
        target: the name of the target.
        outcome: `passed`, `failed`, `outdated` (the documented page is behind the service), or `skipped` (the target lacks a
            capability that the check needs).
        reason: the reason why the check was skipped or was expected to fail.
        expected, actual: for `failed` and `outdated` the expected and the actual behaviour, in words.
        request: for `failed` and `outdated` the request as JSON; None if it was not a single request.
        seconds: the duration.
    """

    check: str
    target: str
    outcome: Outcome
    reason: str = ""
    expected: str | None = None
    actual: str | None = None
    request: str | None = None
    seconds: float = 0.0


def describe_check(check: Check) -> CheckFacts:
    """Return the facts about a check for a report."""
    return {
        "id": check.id,
        "sentence": check.sentence,
        "group": check.group,
        "rule": check.rule,
        "evidence": check.evidence,
        "source": check.source,
        "needs": list(check.needs),
    }


@dataclass(frozen=True, slots=True)
class Report:
    """Hold the results of a run of the contract.

    Attributes:
        created: the time of the report, in ISO 8601, UTC.
        versions: the versions of Python, pytest-smfake, boto3, botocore and, if it was a target, moto.
        edition: the edition whose rules the boundary cases test.
        targets: the names of the targets, in order.
        rules: all rules of the operations of the contract, checked or not.
        checks: the facts about each check: id, sentence, group, rule, evidence, source, needs.
        results: at most one result for each target and check, in their order; a check without a result was not run on the target.
        redacted: whether tokens replace values that identify an account.

    Example:
        >>> from pytest_smfake.contract import FakeTarget, run_contract
        >>> print(run_contract(FakeTarget(), select=["delete/*", "limits/*"]))
                      fake
        delete        2/2
        limits        1/1
        in all        3/3
        rules proved  0 of ...
    """

    created: str
    versions: dict[str, str]
    edition: Edition
    targets: list[str]
    rules: list[RuleFacts]
    checks: list[CheckFacts]
    results: list[Result]
    redacted: bool = False

    @classmethod
    def now(
        cls,
        edition: Edition,
        targets: Sequence[str],
        checks: Sequence[CheckFacts],
        results: Iterable[Result],
        *,
        redacted: bool = False,
    ) -> Report:
        """Return the report of a run that has just ended, with its results in the order of targets and checks."""
        known = ("pytest-smfake", "boto3", "botocore", *(["moto"] if any(name.startswith("moto") for name in targets) else []))
        versions = {"python": platform.python_version(), **{name: version(name) for name in known}}
        rank = {check["id"]: number for number, check in enumerate(checks)}
        ordered = sorted(results, key=lambda result: (targets.index(result.target), rank[result.check]))
        created = datetime.now(UTC).isoformat(timespec="seconds")
        rules = describe_rules(edition, {check["rule"] for check in checks if check["rule"]})
        return cls(created, versions, edition, list(targets), rules, list(checks), ordered, redacted)

    @property
    def failed(self) -> list[Result]:
        """The results with the outcome `failed`: the differences."""
        return [result for result in self.results if result.outcome == "failed"]

    def counts(self, target: str) -> Counter[str]:
        """Return the number of checks of a target by outcome, and under `not run` those without a result."""
        counts: Counter[str] = Counter(result.outcome for result in self.results if result.target == target)
        counts["not run"] = len(self.checks) - counts.total()
        return counts

    def skipped(self, target: str) -> Counter[str]:
        """Return the reasons for skipped checks of a target, with the number of checks for each."""
        return Counter(result.reason for result in self.results if result.target == target and result.outcome == "skipped")

    def to_json(self) -> str:
        """Return the report as JSON; `pytest_smfake.contract.read` reads it from a file."""
        head = {"format": REPORT_FORMAT, "version": REPORT_VERSION, "outcomes": OUTCOMES, "evidence": EVIDENCE}
        return json.dumps(head | asdict(self), indent=1, ensure_ascii=False) + "\n"

    def to_html(self) -> str:
        """Return the report as one HTML page that needs no other file."""
        from .render import html_page

        return html_page(self)

    def to_markdown(self) -> str:
        """Return a summary in Markdown, for the page of a CI job."""
        from .render import markdown

        return markdown(self)

    def write(self, path: Path) -> None:
        """Write the report to a file in the format of its suffix: `.json`, `.html` or `.md`.

        Raises:
            ValueError: the path has another suffix.
            OSError: the file cannot be written; an older file at the path is unchanged.
        """
        formats: Mapping[str, Callable[[], str]] = {".json": self.to_json, ".html": self.to_html, ".md": self.to_markdown}
        if path.suffix not in formats:
            raise ValueError(f"{path.name!r} has an unknown suffix; expected one of: {', '.join(formats)}")
        write_whole(path, formats[path.suffix]())

    def __str__(self) -> str:
        """Return a table: the results of each group of checks on each target, and the number of rules that they prove."""
        group_of = {check["id"]: check["group"] for check in self.checks}
        counts: Counter[tuple[str, str, str]] = Counter()
        for result in self.results:
            counts[group_of[result.check], result.target, result.outcome] += 1
        rows = [["", *self.targets]]
        for group, checks in Counter(group_of.values()).items():
            in_group = [Counter({str(outcome): counts[group, target, outcome] for outcome in OUTCOMES}) for target in self.targets]
            rows.append([group, *(_sum(found, checks) for found in in_group)])
        rows.append(["in all", *(_sum(self.counts(target), len(self.checks)) for target in self.targets)])
        proved = {target: rule_coverage(self, target) for target in self.targets}
        rows.append(["rules proved", *(f"{found['proved']} of {found.total()}" for found in proved.values())])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, *([REDACTED[True]] if self.redacted else [])])


def _sum(counts: Mapping[str, int], checks: int) -> str:
    """Return the number of passed checks out of those that ran, and the numbers of other outcomes."""
    ran = sum(counts[outcome] for outcome in ("passed", "failed", "outdated"))
    others = {"outdated": counts["outdated"], "skipped": counts["skipped"], "not run": checks - ran - counts["skipped"]}
    return ", ".join([f"{counts['passed']}/{ran}", *(f"{number} {name}" for name, number in others.items() if number)])


def read_report(path: Path) -> Report:
    """Read a report from a JSON file. It is also `pytest_smfake.contract.read`.

    Raises:
        ValueError: the file is not a report, has another version, or was changed or truncated; the error names the place.
    """
    data = report_data(path)
    return Report(**data | {"results": [Result(**result) for result in data["results"]]})


REPORT_FORMAT = "pytest-smfake contract report"
REPORT_VERSION = 2
LEGENDS = ("outcomes", "evidence")
"""Members that explain the words of the other members to a reader; they are not read back."""


def report_data(path: Path) -> dict[str, Any]:
    """Return the members of a report file after checking each.

    Raises:
        ValueError: see `read_report`.
    """
    data = look.document(path, "report", (REPORT_FORMAT, REPORT_VERSION), REPORT, LEGENDS)
    try:
        _check_references(data)
    except ValueError as error:
        raise look.changed(path, "report", error) from None
    return data


RULE: Mapping[str, Look] = {
    "id": look.name,
    "page": look.text_or_null,
    "sdk": look.text_or_null,
    "evidence": look.one_of(EVIDENCE),
    "source": look.name,
    "silent": look.text,
}
CHECK: Mapping[str, Look] = {
    "id": look.name,
    "sentence": look.name,
    "group": look.name,
    "rule": look.text_or_null,
    "evidence": look.one_of(EVIDENCE),
    "source": look.name,
    "needs": look.list_of(look.one_of(CAPABILITIES)),
}
RESULT: Mapping[str, Look] = {
    "check": look.name,
    "target": look.name,
    "outcome": look.one_of(OUTCOMES),
    "reason": look.text,
    "expected": look.text_or_null,
    "actual": look.text_or_null,
    "request": look.text_or_null,
    "seconds": look.seconds,
}
REPORT: Mapping[str, Look] = {
    "created": look.moment,
    "versions": look.map_of(look.name),
    "edition": look.one_of(EDITIONS),
    "targets": look.list_of(look.name, least=1),
    "rules": look.list_of(look.object_of(RULE)),
    "checks": look.list_of(look.object_of(CHECK)),
    "results": look.list_of(look.object_of(RESULT)),
    "redacted": look.boolean,
}


def _check_references(data: dict[str, Any]) -> None:
    """Check that ids in a report are unique, and that results and checks refer to entries of the report."""
    rules = _check_unique("rules", [rule["id"] for rule in data["rules"]])
    checks = _check_unique("checks", [check["id"] for check in data["checks"]])
    targets = _check_unique("targets", data["targets"])
    for number, check in enumerate(data["checks"]):
        if check["rule"] is not None and check["rule"] not in rules:
            raise ValueError(f"checks[{number}] has the rule {check['rule']!r}, which is not in rules")
    _check_unique("results", [f"{result['check']} on {result['target']}" for result in data["results"]])
    for number, result in enumerate(data["results"]):
        place = f"results[{number}]"
        if result["check"] not in checks:
            raise ValueError(f"{place} has the check {result['check']!r}, which is not in checks")
        if result["target"] not in targets:
            raise ValueError(f"{place} has the target {result['target']!r}, which is not in targets")
        if result["outcome"] in ("failed", "outdated") and (result["expected"] is None or result["actual"] is None):
            raise ValueError(f"{place} is {result['outcome']} and needs both expected and actual")
        if result["outcome"] == "skipped" and not result["reason"]:
            raise ValueError(f"{place} is skipped without a reason")


def _check_unique(place: str, names: list[str]) -> set[str]:
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name in seen:
            raise ValueError(f"{place}[{number}] repeats {name!r}")
        seen.add(name)
    return seen


def describe_rules(edition: Edition, cited: Collection[str] = ()) -> list[RuleFacts]:
    """Return the facts about the rules of the operations on models, and about the account's limits on models.

    Args:
        edition: the edition of the rules.
        cited: ids of the rules of the checks. If only the other edition has such a rule, it is added at the end.

    Example:
        >>> containers = next(rule for rule in describe_rules("page") if rule["id"] == "CreateModel/Containers:max")
        >>> containers["page"], containers["sdk"]
        ('5', '15')
    """
    rules = {facts["id"]: facts for facts in _all_facts(edition)}
    if not rules.keys() >= set(cited):
        others = (facts for other in EDITIONS for facts in _all_facts(other))
        rules |= {facts["id"]: facts for facts in others if facts["id"] in set(cited) - rules.keys()}
    return list(rules.values())


def _all_facts(edition: Edition) -> Iterator[RuleFacts]:
    """Yield the facts about the rules that the contract is about."""
    checked = {rule.id for rule in checked_rules(edition)}
    for operation in (*CHECKED_OPERATIONS, *HOSTED_OPERATIONS):
        for facts in _rule_facts(operation, edition):
            if facts["id"] in checked or operation in CHECKED_OPERATIONS:
                yield facts


def _rule_facts(operation: str, edition: Edition) -> list[RuleFacts]:
    unobservable = {one.rule.id: one.reason for one in unobservable_rules(operation, edition=edition)}
    bounds = {name: {rule.id: _bound_text(rule) for rule in catalogue(name).rules(operation)} for name in EDITIONS}
    limits = limit_rules(operation)
    for limit in limits:  # a limit belongs to the account, in both editions
        for name in EDITIONS:
            bounds[name][limit.id] = "the account's"
    return [
        {
            "id": rule.id,
            "page": bounds["page"].get(rule.id),
            "sdk": bounds["sdk"].get(rule.id),
            "evidence": rule.evidence,
            "source": rule.source,
            "silent": unobservable.get(rule.id, ""),
        }
        for rule in (*catalogue(edition).rules(operation), *limits)
    ]


def _bound_text(rule: Rule) -> str:
    if isinstance(rule.bound, tuple):
        return ", ".join(map(str, rule.bound))
    return "active" if rule.bound is True else str(rule.bound)


def rule_coverage(report: Report, target: str) -> Counter[CoverageState]:
    """Return the number of observable rules in each state of coverage on a target. The numbers add up to all observable rules.

    Example:
        >>> from pytest_smfake.contract import FakeTarget, run_contract
        >>> found = rule_coverage(run_contract(FakeTarget(), select=["CreateModel/ModelName:*"]), "fake")
        >>> found["proved"], found["failed"]
        (5, 0)
    """
    outcomes = {result.check: result.outcome for result in report.results if result.target == target}
    of_rule: defaultdict[str | None, set[str]] = defaultdict(set)
    for check in report.checks:
        of_rule[check["rule"]].add(outcomes.get(check["id"], "not run"))
    return Counter(_coverage_state(of_rule[rule["id"]]) for rule in report.rules if not rule["silent"])


def _coverage_state(outcomes: set[str]) -> CoverageState:
    """Return the coverage of a rule from the outcomes of its checks."""
    if "failed" in outcomes:
        return "failed"
    if "outdated" in outcomes:
        return "outdated"
    if "passed" in outcomes:
        return "proved" if outcomes == {"passed"} else "in part"
    return "skipped" if "skipped" in outcomes else "not run"


ChangeKind = Literal["worse", "better", "new", "gone", "other"]
CHANGE_KINDS: dict[ChangeKind, str] = {
    "worse": "failed now, not before",
    "better": "passed now, not before",
    "other": "changed to another outcome",
    "new": "run now, not before",
    "gone": "run before, not now",
}


@dataclass(frozen=True, slots=True)
class Change:
    """Describe a check whose outcome changed; the outcome None means that it was not run.

    Example:
        >>> Change("create/same-name", "moto", "passed", "failed").kind
        'worse'
    """

    check: str
    target: str
    before: Outcome | None
    after: Outcome | None

    @property
    def kind(self) -> ChangeKind:
        """The kind of change. A check that fails in its first run is `worse`, too."""
        if self.after == "failed":
            return "worse"
        if self.before is None or self.after is None:
            return "new" if self.before is None else "gone"
        return "better" if self.after == "passed" else "other"


def compare(before: Report, after: Report) -> list[Change]:
    """Return the checks whose outcome differs, in the order of the second report; checks that only the first has come last."""
    old, new = ({(result.target, result.check): result.outcome for result in report.results} for report in (before, after))
    return [
        Change(check, target, old.get((target, check)), new.get((target, check)))
        for target, check in {**new, **old}
        if old.get((target, check)) != new.get((target, check))
    ]


def circumstances(before: Report, after: Report) -> Iterator[str]:
    """Yield lines about other differences of two reports that may explain changes (edition, versions), and about the rules proved."""
    if before.edition != after.edition:
        yield f"edition: {before.edition} -> {after.edition}"
    for name in {**before.versions, **after.versions}:
        old, new = (report.versions.get(name, "none") for report in (before, after))
        if old != new:
            yield f"{name}: {old} -> {new}"
    for target in after.targets:
        if target in before.targets:
            counts = [rule_coverage(report, target) for report in (before, after)]
            old, new = (f"{count['proved']} of {count.total()}" for count in counts)
            yield f"rules proved, {target}: {old}" + (f" -> {new}" if old != new else "")


def tally(changes: list[Change]) -> str:
    """Return a line with the number of changes of each kind."""
    counts = Counter(change.kind for change in changes)
    return ", ".join(f"{counts[kind]} {what}" for kind, what in CHANGE_KINDS.items() if counts[kind]) or "nothing changed"
