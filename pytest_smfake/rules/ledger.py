"""Ledgers: which checks of the contract the real service passed, and which rules that verifies. Only a run against it writes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from . import inputs as documents
from .rule import EDITIONS, Rule

LEDGER_FORMAT = "pytest-smfake contract ledger"
LEDGER_VERSION = 1


SEEN: Mapping[str, documents.Look] = {"date": documents.day, "region": documents.name, "botocore": documents.name}
"""What an entry says of the run in which something was seen."""
LEDGER: Mapping[str, documents.Look] = {
    "entries": documents.map_of(
        documents.object_of({"rule": documents.text_or_null, **SEEN, "edition": documents.one_of(EDITIONS), "account": documents.name})
    ),
    "rules": documents.map_of(documents.object_of({"bound": documents.printable, **SEEN})),
}


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the real service passed.

    Attributes:
        entries: for each check, by its id: `rule`, `date`, `region`, `botocore` (its version), `edition`, and `account`, a hash.
        rules: for each rule all of whose checks passed, by its id: `bound`, and `date` (the oldest of its checks), `region`, `botocore`.
    """

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)

    def is_stale(self, check: str, days: int) -> bool:
        """Whether the evidence of a check is older than that many days, or is not there."""
        entry = self.entries.get(check)
        return entry is None or date.fromisoformat(entry["date"]) < datetime.now(UTC).date() - timedelta(days=days)

    def verify(self, rules: Mapping[str, Rule]) -> dict[str, Rule]:
        """Return rules, those with the bound that the service was seen to keep graded `verified`."""
        return {rule_id: self._graded(rule) for rule_id, rule in rules.items()}

    def _graded(self, rule: Rule) -> Rule:
        entry = self.rules.get(rule.id)
        if entry is None or entry["bound"] != plain(rule.bound):
            return rule
        source = f"{rule.source}; a run of {entry['date']} in {entry['region']}, botocore {entry['botocore']}"
        return replace(rule, evidence="verified", source=source)


def plain(bound: Any) -> Any:
    """Return a rule's bound as JSON has it."""
    return list(bound) if isinstance(bound, tuple) else bound


def read(path: Path | Traversable) -> Ledger:
    """Return a ledger from its file.

    Raises:
        ValueError: the file is no ledger, one of another version, or was changed; the sentence says which and where.
    """
    data = documents.document(path, "ledger", (LEDGER_FORMAT, LEDGER_VERSION), LEDGER)
    return Ledger(data["entries"], data["rules"])


@cache
def shipped() -> Ledger:
    """Return the ledger of this package: what its own runs against the real service showed."""
    return read(resources.files(__package__).joinpath("ledger.json"))
