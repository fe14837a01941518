"""What a run of the contract found, as data: outcomes, gathered, written to a file, read back with distrust, and shown as a table."""

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

from pytest_smfake.cases import silences
from pytest_smfake.generate.states import limit_rules
from pytest_smfake.rules import inputs as look
from pytest_smfake.rules.catalogue import catalogue
from pytest_smfake.rules.inputs import Look, write_whole
from pytest_smfake.rules.rule import EDITIONS, Edition, Evidence, Rule
from pytest_smfake.service.service import KINDS

from .boundaries import CHECKED_OPERATIONS
from .check import CAPABILITIES

if TYPE_CHECKING:
    from .check import Check

Outcome = Literal["passed", "failed", "outdated", "skipped"]
CoverageState = Literal["proved", "in part", "failed", "outdated", "skipped", "not run"]

OUTCOMES: Mapping[Outcome, str] = {
    "passed": "the target does what the sentence says",
    "failed": "the target does something else",
    "outdated": "the target does something else, and is right: the documented page is behind the service",
    "skipped": "the target lacks what the check needs",
}
"""What can come of a check on a target. A check that a target has no result of was not run there."""

MARKS: Mapping[str, str] = {"passed": "\u2713", "failed": "\u2717", "outdated": "\u2248", "skipped": "\u2013", "not run": "\u00b7"}
"""The sign of each outcome in tables."""

COVERAGE_STATES: Mapping[CoverageState, str] = {
    "proved": "every check of the rule passed",
    "in part": "those of its checks that could be run passed, the others were skipped or not run",
    "failed": "a check of the rule failed",
    "outdated": "the documented page is behind the service",
    "skipped": "the target lacks what all its checks need",
    "not run": "none of its checks was run",
}
"""Where an observable rule stands on a target."""

EVIDENCE: Mapping[Evidence, str] = {
    "documented": "the API's documented page says so",
    "modelled": "the SDK's service model says so",
    "observed": "a real answer was seen that shows it",
    "reported": "others tell so",
    "verified": "a run of this contract against the service proved it",
    "contested": "sources disagree",
    "assumed": "nothing is known, and it fits what is known best",
}
"""What each grade of evidence means."""


REDACTED: Mapping[bool, str] = {
    True: "redacted: tokens such as {account} stand for what tells whose account it is",
    False: "not redacted: answers are shown as they came",
}
"""Whether a report is redacted, in words."""


class CheckFacts(TypedDict):
    """What a report says of a check: see `Check`."""

    id: str
    sentence: str
    group: str
    rule: str | None
    evidence: Evidence
    source: str
    needs: list[str]


class RuleFacts(TypedDict):
    """What a report says of a rule.

    `page` and `sdk` are its bounds in the two editions, None where an edition lacks it; `silent` says why no request can show
    that the rule is kept, and is empty for an observable rule.
    """

    id: str
    page: str | None
    sdk: str | None
    evidence: Evidence
    source: str
    silent: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check on one target.

    Attributes:
        check: the id of the check.
        target: the name of the target.
        outcome: `passed`, `failed`, `outdated` where the documented page is behind the service, or `skipped` where the target
            lacks what the check needs.
        reason: why it was skipped, or why it was expected to fail.
        expected, actual, request: of one that failed or is outdated, in words; the request as JSON, None where it was no single one.
        seconds: how long it took.
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
    """Return what a report says of a check itself."""
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
    """A run of the contract.

    Attributes:
        created: when it was made, in ISO 8601, UTC.
        versions: of Python, pytest-smfake, boto3, botocore and, where it was a target, moto.
        edition: whose rules the boundary cases were about.
        targets: the names of the targets, in order.
        rules: the rules of the operations that the contract is about, whether they were checked or not.
        checks: what each check is: id, sentence, group, rule, evidence, source, needs.
        results: at most one for each target and check, in their order; a check without one was not run on the target.
        redacted: whether tokens stand for what tells whose account it is.

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
        """Return the report of a run that has just ended, its results in the order of the targets and checks."""
        known = ("pytest-smfake", "boto3", "botocore", *(["moto"] if any(name.startswith("moto") for name in targets) else []))
        versions = {"python": platform.python_version(), **{name: version(name) for name in known}}
        rank = {check["id"]: number for number, check in enumerate(checks)}
        ordered = sorted(results, key=lambda result: (targets.index(result.target), rank[result.check]))
        created = datetime.now(UTC).isoformat(timespec="seconds")
        rules = describe_rules(edition, {check["rule"] for check in checks if check["rule"]})
        return cls(created, versions, edition, list(targets), rules, list(checks), ordered, redacted)

    @property
    def failed(self) -> list[Result]:
        """The differences."""
        return [result for result in self.results if result.outcome == "failed"]

    def counts(self, target: str) -> Counter[str]:
        """Return how many checks of a target passed, failed, are outdated, were skipped and were not run."""
        counts: Counter[str] = Counter(result.outcome for result in self.results if result.target == target)
        counts["not run"] = len(self.checks) - counts.total()
        return counts

    def skipped(self, target: str) -> Counter[str]:
        """Return why checks of a target were skipped, and how many for each reason."""
        return Counter(result.reason for result in self.results if result.target == target and result.outcome == "skipped")

    def to_json(self) -> str:
        """Return the report as JSON, which `read` reads."""
        head = {"format": REPORT_FORMAT, "version": REPORT_VERSION, "outcomes": OUTCOMES, "evidence": EVIDENCE}
        return json.dumps(head | asdict(self), indent=1, ensure_ascii=False) + "\n"

    def to_html(self) -> str:
        """Return the report as one page that needs nothing else."""
        from .render import html_page

        return html_page(self)

    def to_markdown(self) -> str:
        """Return a summary in Markdown, for the page of a CI job."""
        from .render import markdown

        return markdown(self)

    def write(self, path: Path) -> None:
        """Write the report to a file; its suffix says in which form: `.json`, `.html` or `.md`.

        Raises:
            ValueError: another suffix.
            OSError: the file cannot be written; what was there before is still there.
        """
        forms: Mapping[str, Callable[[], str]] = {".json": self.to_json, ".html": self.to_html, ".md": self.to_markdown}
        if path.suffix not in forms:
            raise ValueError(f"{path.name!r} ends in none of: {', '.join(forms)}")
        write_whole(path, forms[path.suffix]())

    def __str__(self) -> str:
        """Return a table: for each group of checks what came of them on each target, and how many rules that proves."""
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
    """Return how many passed of those that ran, and how many others there are."""
    ran = sum(counts[outcome] for outcome in ("passed", "failed", "outdated"))
    others = {"outdated": counts["outdated"], "skipped": counts["skipped"], "not run": checks - ran - counts["skipped"]}
    return ", ".join([f"{counts['passed']}/{ran}", *(f"{number} {name}" for name, number in others.items() if number)])


def read_report(path: Path) -> Report:
    """Read a report that was written as JSON.

    Raises:
        ValueError: the file is no report, one of another version, or one that was changed or cut short; the sentence says where.
    """
    data = report_data(path)
    return Report(**data | {"results": [Result(**result) for result in data["results"]]})


REPORT_FORMAT = "pytest-smfake contract report"
REPORT_VERSION = 2
LEGENDS = ("outcomes", "evidence")
"""Members that explain the others to a reader."""


def report_data(path: Path) -> dict[str, Any]:
    """Return the members of a report, each looked at.

    Raises:
        ValueError: see `pytest_smfake.contract.report.read`.
    """
    data = look.document(path, "report", (REPORT_FORMAT, REPORT_VERSION), REPORT, LEGENDS)
    try:
        _agreement(data)
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


def _agreement(data: dict[str, Any]) -> None:
    """See that what the parts of a report say of each other is so."""
    rules = _unlike("rules", [rule["id"] for rule in data["rules"]])
    checks = _unlike("checks", [check["id"] for check in data["checks"]])
    targets = _unlike("targets", data["targets"])
    for number, check in enumerate(data["checks"]):
        if check["rule"] is not None and check["rule"] not in rules:
            raise ValueError(f"checks[{number}] is about {check['rule']!r}, which is none of its rules")
    _unlike("results", [f"{result['check']} on {result['target']}" for result in data["results"]])
    for number, result in enumerate(data["results"]):
        place = f"results[{number}]"
        if result["check"] not in checks:
            raise ValueError(f"{place} is of {result['check']!r}, which is none of its checks")
        if result["target"] not in targets:
            raise ValueError(f"{place} is of {result['target']!r}, which is none of its targets")
        if result["outcome"] in ("failed", "outdated") and (result["expected"] is None or result["actual"] is None):
            raise ValueError(f"{place} is {result['outcome']}, and does not say what was expected and what came")
        if result["outcome"] == "skipped" and not result["reason"]:
            raise ValueError(f"{place} is skipped without a reason")


def _unlike(place: str, names: list[str]) -> set[str]:
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name in seen:
            raise ValueError(f"{place}[{number}] is another {name!r}")
        seen.add(name)
    return seen


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
    silent = {silence.rule.id: silence.reason for silence in silences(operation, edition=edition)}
    bounds = {name: {rule.id: _shown(rule) for rule in catalogue(name).rules(operation)} for name in EDITIONS}
    limits = limit_rules(operation, KINDS)
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


def rule_coverage(report: Report, target: str) -> Counter[CoverageState]:
    """Return how many of the observable rules stand how on a target; together they are all observable rules.

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
    return Counter(_standing(of_rule[rule["id"]]) for rule in report.rules if not rule["silent"])


def _standing(outcomes: set[str]) -> CoverageState:
    """Return where a rule stands of whose checks these came."""
    if "failed" in outcomes:
        return "failed"
    if "outdated" in outcomes:
        return "outdated"
    if "passed" in outcomes:
        return "proved" if outcomes == {"passed"} else "in part"
    return "skipped" if "skipped" in outcomes else "not run"


ChangeKind = Literal["worse", "better", "new", "gone", "other"]
CHANGE_KINDS: dict[ChangeKind, str] = {
    "worse": "failed now, and did not before",
    "better": "passed now, and did not before",
    "other": "came out in another way",
    "new": "run now, and not before",
    "gone": "run before, and not now",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A check that came out in another way than before; None stands for one that was not run.

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
        """What kind of change it is. One that fails as soon as it is run is worse, too."""
        if self.after == "failed":
            return "worse"
        if self.before is None or self.after is None:
            return "new" if self.before is None else "gone"
        return "better" if self.after == "passed" else "other"


def compare(before: Report, after: Report) -> list[Change]:
    """Return what came out in another way in the second report, in its order, and then what it lacks."""
    old, new = ({(result.target, result.check): result.outcome for result in report.results} for report in (before, after))
    return [
        Change(check, target, old.get((target, check)), new.get((target, check)))
        for target, check in {**new, **old}
        if old.get((target, check)) != new.get((target, check))
    ]


def circumstances(before: Report, after: Report) -> Iterator[str]:
    """Yield what else two reports differ in, which may be why checks came out in another way, and the rules proved."""
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
    """Return in one line how many changes of each kind there are."""
    counts = Counter(change.kind for change in changes)
    return ", ".join(f"{counts[kind]} {what}" for kind, what in CHANGE_KINDS.items() if counts[kind]) or "nothing changed"
