"""What changed from one report to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .coverage import standings
from .report import Outcome, Report

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
            counts = [standings(report, target) for report in (before, after)]
            old, new = (f"{count['proved']} of {count.total()}" for count in counts)
            yield f"rules proved, {target}: {old}" + (f" -> {new}" if old != new else "")


def tally(changes: list[Change]) -> str:
    """Return in one line how many changes of each kind there are."""
    counts = Counter(change.kind for change in changes)
    return ", ".join(f"{counts[kind]} {what}" for kind, what in CHANGE_KINDS.items() if counts[kind]) or "nothing changed"
