"""Writing a ledger: which checks the real service passed, and when. Only a run against it can."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pytest_smfake.cases import unobservable_rules
from pytest_smfake.contract.suite.boundaries import CHECKED_OPERATIONS
from pytest_smfake.contract.targets.aws import AwsTarget
from pytest_smfake.rules.catalogue import catalogue
from pytest_smfake.rules.inputs import write_whole
from pytest_smfake.rules.ledger import LEDGER_FORMAT, LEDGER_VERSION, Ledger, plain, read
from pytest_smfake.rules.rule import EDITIONS, Edition

from .report import Result
from .run import checks


def write(path: Path, target: AwsTarget, results: Iterable[Result], edition: Edition) -> int:
    """Add what the real service passed to a ledger, and return how many checks that were. A check that failed loses its entry.

    Args:
        path: the ledger; made where there is none.
        target: the target of the run.
        results: what came of the checks.
        edition: whose rules the boundary cases were about.

    Raises:
        ValueError: the target is not the real service, or the file is no ledger.
    """
    if not isinstance(target, AwsTarget) or not target.is_service:
        raise ValueError(f"{target.name} is not the real service: nothing but a run against that can write a ledger")
    entries = (read(path) if path.exists() else Ledger()).entries
    facts = {
        "date": datetime.now(UTC).date().isoformat(),
        "region": target.region,
        "botocore": version("botocore"),
        "edition": edition,
        "account": hashlib.sha256(target.settings.account.encode()).hexdigest()[:16],
    }
    rules = {check.id: check.rule for check in checks(edition=edition)}
    passed = 0
    for result in results:
        if result.outcome == "passed":
            entries[result.check] = {"rule": rules.get(result.check)} | facts
            passed += 1
        elif result.outcome != "skipped":
            entries.pop(result.check, None)
    # Of both editions, so that a run of one takes nothing from what runs of the other showed.
    verified = {rule: facts for one in EDITIONS for rule, facts in _verified(entries, one).items()}
    data = {
        "format": LEDGER_FORMAT,
        "version": LEDGER_VERSION,
        "entries": dict(sorted(entries.items())),
        "rules": dict(sorted(verified.items())),
    }
    write_whole(path, json.dumps(data, indent=1) + "\n")
    return passed


def _verified(entries: Mapping[str, Mapping[str, Any]], edition: Edition) -> dict[str, dict[str, Any]]:
    """Return the rules all of whose checks have an entry, with the facts of the oldest one; none that no request can show to be kept."""
    of_rule = defaultdict(list)
    for check in checks(edition=edition):
        of_rule[check.rule].append(entries.get(check.id))
    silent = {one.rule.id for operation in CHECKED_OPERATIONS for one in unobservable_rules(operation, edition=edition)}
    known = {rule.id: rule for operation in CHECKED_OPERATIONS for rule in catalogue(edition).rules(operation) if rule.id not in silent}
    verified = {}
    for rule_id, one in known.items():
        found = [entry for entry in of_rule[rule_id] if entry is not None]
        if found and len(found) == len(of_rule[rule_id]):
            oldest = min(found, key=lambda entry: str(entry["date"]))
            verified[rule_id] = {"bound": plain(one.bound)} | {name: oldest[name] for name in ("date", "region", "botocore")}
    return verified
