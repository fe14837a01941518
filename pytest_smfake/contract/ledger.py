"""The ledger: which checks the real service passed, and when. Only a run against it can write one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .aws import AwsTarget
from .report import Result

FORMAT = "pytest-smfake contract ledger"
VERSION = 1


def write(path: Path, target: AwsTarget, results: Iterable[Result], rules: Mapping[str, str | None], edition: str) -> int:
    """Add what the real service passed to a ledger, and return how many checks that were. A check that failed loses its entry.

    Args:
        path: the ledger; made where there is none.
        target: the target of the run.
        results: what came of the checks.
        rules: the rule that each check is about, by the check's id.
        edition: whose rules the boundary cases were about.

    Raises:
        ValueError: the target is not the real service, or the file is no ledger.
    """
    if not isinstance(target, AwsTarget) or not target.is_service:
        raise ValueError(f"{target.name} is not the real service: nothing but a run against that can write a ledger")
    entries = read(path) if path.exists() else {}
    account = hashlib.sha256(target.settings.account.encode()).hexdigest()[:16]
    facts = {
        "date": datetime.now(UTC).date().isoformat(),
        "region": target.region,
        "botocore": version("botocore"),
        "edition": edition,
        "account": account,
    }
    passed = 0
    for result in results:
        if result.outcome == "passed":
            entries[result.check] = {"rule": rules.get(result.check)} | facts
            passed += 1
        elif result.outcome != "skipped":
            entries.pop(result.check, None)
    data = {"format": FORMAT, "version": VERSION, "entries": dict(sorted(entries.items()))}
    path.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    return passed


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Return the entries of a ledger, by the ids of the checks.

    Raises:
        ValueError: the file is no ledger, or one of another version.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"the ledger {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{path} is not a ledger: it holds no JSON") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"{path} is not a ledger of contract runs")
    if data.get("version") != VERSION:
        raise ValueError(f"{path} is a ledger of version {data.get('version')!r}; this package reads version {VERSION}")
    return dict(data["entries"])


def is_stale(entry: Mapping[str, Any] | None, days: int) -> bool:
    """Whether evidence is older than that many days, or is not there."""
    return entry is None or date.fromisoformat(entry["date"]) < datetime.now(UTC).date() - timedelta(days=days)
