"""What a run of the contract found: read, written, compared, and shown as a table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from .check import Check

FORMAT = "pytest-smfake contract report"
VERSION = 1
Outcome = Literal["passed", "failed", "skipped", "outdated"]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check on one target.

    Attributes:
        check: the id of the check.
        target: the name of the target.
        outcome: `passed`, `failed`, or `skipped` where the target lacks what the check needs.
        reason: why it was skipped.
        expected, actual, request: of one that failed, in words; the request as JSON, None where it was no single one.
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


def describe_check(check: Check) -> dict[str, Any]:
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
        versions: of pytest-smfake, botocore and, where it was a target, moto.
        edition: whose rules the boundary cases were about.
        targets: the names of the targets, in order.
        checks: what each check is: id, sentence, group, rule, evidence, source, needs.
        results: one for each check and target.
    """

    created: str
    versions: dict[str, str]
    edition: str
    targets: list[str]
    checks: list[dict[str, Any]]
    results: list[Result]

    @classmethod
    def now(cls, edition: str, targets: Sequence[str], checks: Sequence[dict[str, Any]], results: Sequence[Result]) -> Report:
        """Return the report of a run that has just ended."""
        known = ("pytest-smfake", "boto3", "botocore", *(["moto"] if any(name.startswith("moto") for name in targets) else []))
        versions = {name: version(name) for name in known}
        return cls(datetime.now(UTC).isoformat(timespec="seconds"), versions, edition, list(targets), list(checks), list(results))

    @property
    def failed(self) -> list[Result]:
        """The differences."""
        return [result for result in self.results if result.outcome == "failed"]

    def counts(self, target: str) -> Counter[str]:
        """Return how many checks of a target passed, failed and were skipped."""
        return Counter(result.outcome for result in self.results if result.target == target)

    def to_json(self) -> str:
        """Return the report as JSON, which `read` reads."""
        return json.dumps({"format": FORMAT, "version": VERSION} | asdict(self), indent=1, ensure_ascii=False) + "\n"

    def write(self, path: Path) -> None:
        """Write the report to a file; its suffix says in which form."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.to_json(), "utf-8")

    def __str__(self) -> str:
        """Return a table: for each group of checks what came of them on each target."""
        groups = list(dict.fromkeys(check["group"] for check in self.checks))
        group_of = {check["id"]: check["group"] for check in self.checks}
        counts: Counter[tuple[str, str, str]] = Counter()
        for result in self.results:
            counts[group_of[result.check], result.target, result.outcome] += 1
        rows = [["", *self.targets]]
        for group in groups:
            rows.append([group, *(_cell(counts, group, target) for target in self.targets)])
        rows.append(["in all", *(_sum(self.counts(target)) for target in self.targets)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _cell(counts: Counter[tuple[str, str, str]], group: str, target: str) -> str:
    return _sum(Counter({outcome: counts[group, target, outcome] for outcome in get_args(Outcome)}))


def _sum(counts: Counter[str]) -> str:
    ran = counts["passed"] + counts["failed"]
    text = f"{counts['passed']}/{ran}"
    return text + (f", {counts['skipped']} skipped" if counts["skipped"] else "")


def read(path: Path) -> Report:
    """Read a report.

    Raises:
        ValueError: the file is no report, or one of another version; the sentence says which.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{path} is not a report: it holds no JSON") from None
    if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
        raise ValueError(f"{path} is not a report of a contract run")
    found = data.pop("version", None)
    if found != VERSION:
        raise ValueError(f"{path} is a report of version {found!r}; this package reads version {VERSION}")
    try:
        results = [Result(**result) for result in data.pop("results")]
        report = Report(**data, results=results)
        known = {check["id"] for check in report.checks}
        odd = next((result for result in results if result.check not in known or result.target not in report.targets), None)
        if odd is not None or any(result.outcome not in get_args(Outcome) for result in results):
            raise ValueError(f"it has a result of {odd.check if odd else 'an unknown outcome'!r}")
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is a report that was changed or cut short: {error}") from None
    return report


@dataclass(frozen=True, slots=True)
class Change:
    """A check that came out in another way than before; None stands for one that was not run."""

    check: str
    target: str
    before: Outcome | None
    after: Outcome | None


def compare(before: Report, after: Report) -> list[Change]:
    """Return what came out in another way in the second report, in its order."""
    old, new = ({(result.target, result.check): result.outcome for result in report.results} for report in (before, after))
    return [
        Change(check, target, old.get((target, check)), new.get((target, check)))
        for target, check in {**new, **old}
        if old.get((target, check)) != new.get((target, check))
    ]
