"""What a run of the contract found, as data: gathered, written to a file, read back, and shown as a table."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_smfake.spec.documents import write_whole
from pytest_smfake.spec.rules import Edition

from .outcomes import EVIDENCE, OUTCOMES, REDACTED, CheckFacts, Outcome, RuleFacts
from .reading import FORMAT, VERSION, report_data

if TYPE_CHECKING:
    from .check import Check


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
        from .denominator import describe_rules

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
        head = {"format": FORMAT, "version": VERSION, "outcomes": OUTCOMES, "evidence": EVIDENCE}
        return json.dumps(head | asdict(self), indent=1, ensure_ascii=False) + "\n"

    def to_html(self) -> str:
        """Return the report as one page that needs nothing else."""
        from .page import page

        return page(self)

    def to_markdown(self) -> str:
        """Return a summary in Markdown, for the page of a CI job."""
        from .markdown import markdown

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
        from .denominator import standings

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
