"""What a run of the contract found, as data: outcomes, gathered, written to a file, read back with distrust, and shown as a table."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from pytest_smfake.rules import inputs as look
from pytest_smfake.rules.inputs import Look, write_whole
from pytest_smfake.rules.rule import EDITIONS, Edition, Evidence

from .check import CAPABILITIES

if TYPE_CHECKING:
    from .check import Check

Outcome = Literal["passed", "failed", "outdated", "skipped"]
Standing = Literal["proved", "in part", "failed", "outdated", "skipped", "not run"]

OUTCOMES: Mapping[Outcome, str] = {
    "passed": "the target does what the sentence says",
    "failed": "the target does something else",
    "outdated": "the target does something else, and is right: the documented page is behind the service",
    "skipped": "the target lacks what the check needs",
}
"""What can come of a check on a target. A check that a target has no result of was not run there."""

MARKS: Mapping[str, str] = {"passed": "\u2713", "failed": "\u2717", "outdated": "\u2248", "skipped": "\u2013", "not run": "\u00b7"}
"""The sign of each outcome in tables."""

STANDINGS: Mapping[Standing, str] = {
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
        from .coverage import describe_rules

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
        from .html import page

        return page(self)

    def to_markdown(self) -> str:
        """Return a summary in Markdown, for the page of a CI job."""
        from .text import markdown

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
        from .coverage import standings

        group_of = {check["id"]: check["group"] for check in self.checks}
        counts: Counter[tuple[str, str, str]] = Counter()
        for result in self.results:
            counts[group_of[result.check], result.target, result.outcome] += 1
        rows = [["", *self.targets]]
        for group, checks in Counter(group_of.values()).items():
            in_group = [Counter({str(outcome): counts[group, target, outcome] for outcome in OUTCOMES}) for target in self.targets]
            rows.append([group, *(_sum(found, checks) for found in in_group)])
        rows.append(["in all", *(_sum(self.counts(target), len(self.checks)) for target in self.targets)])
        proved = {target: standings(self, target) for target in self.targets}
        rows.append(["rules proved", *(f"{found['proved']} of {found.total()}" for found in proved.values())])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, *([REDACTED[True]] if self.redacted else [])])


def _sum(counts: Mapping[str, int], checks: int) -> str:
    """Return how many passed of those that ran, and how many others there are."""
    ran = sum(counts[outcome] for outcome in ("passed", "failed", "outdated"))
    others = {"outdated": counts["outdated"], "skipped": counts["skipped"], "not run": checks - ran - counts["skipped"]}
    return ", ".join([f"{counts['passed']}/{ran}", *(f"{number} {name}" for name, number in others.items() if number)])


def read(path: Path) -> Report:
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
