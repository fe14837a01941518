"""A run of the contract from its first call to its last: what has to be known before, and what is to be done after."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any, Self

from pytest_smfake.cases import silences
from pytest_smfake.rules.catalogue import catalogue
from pytest_smfake.rules.inputs import check_place, write_whole
from pytest_smfake.rules.ledger import LEDGER_FORMAT, LEDGER_VERSION, Ledger, plain, read
from pytest_smfake.rules.rule import EDITIONS, Edition
from pytest_smfake.service.arns import arn

from .boundaries import CHECKED_OPERATIONS, MISSING_TEXTS
from .check import Check, Difference
from .report import Result
from .run import checks
from .targets.aws import AwsTarget
from .targets.names import UNTAGGED
from .targets.recording import Recorder
from .targets.target import Target, UnprovedError


class Session:
    """A run on some targets.

    Args:
        edition: whose rules the boundary cases are about.
        targets: where it runs.
        record: a file to record the answers to.
        ledger: a ledger to add to what the real service passed.
        stale: run only the checks whose evidence in the ledger is older than that many days, or is not there.

    Raises:
        ValueError: what was asked for cannot be; the sentence says why.
    """

    def __init__(
        self,
        edition: Edition,
        targets: Sequence[Target],
        *,
        record: Path | None = None,
        ledger: Path | None = None,
        stale: int | None = None,
    ) -> None:
        self._edition = edition
        self.targets = targets
        self._record = record
        self._ledger = ledger
        self._recorder: Recorder | None = None
        self.begun = False
        """Whether anything may have been sent."""
        self.interrupted = False
        """Whether a signal came while what is left was removed and counted."""
        if record is not None and len(targets) != 1:
            raise ValueError(f"a recording is made of one target, not of {len(targets)}")
        if ledger is not None and not any(isinstance(target, AwsTarget) and target.is_service for target in targets):
            raise ValueError("a ledger is written by a run against the real service alone: the target aws, at its own endpoint")
        if stale is not None and (ledger is None or stale < 0):
            text = f"{stale} days of {'no ledger' if ledger is None else ledger} are not"
            raise ValueError(f"evidence is stale by a ledger and a number of days, of 0 or more; {text}")
        for path in filter(None, (record, ledger)):
            check_place(path)
        self._stale = stale
        self._known = read(ledger) if ledger is not None and ledger.exists() else Ledger()

    def wants(self, check: Check) -> bool:
        """Whether a check is to be run: where stale evidence alone is asked for, one whose evidence is not."""
        return self._stale is None or self._known.is_stale(check.id, self._stale)

    def begin(self, checks: Sequence[Check]) -> list[str]:
        """See that the targets can be reached, and whose account it is; return what is going to happen, in lines for a person to read.

        Raises:
            PreflightError: the run is refused; nothing was sent to SageMaker.
        """
        lines = []
        for target in self.targets:
            target.preflight()
            if isinstance(target, AwsTarget):
                target.survey()
                lines += [f"{target.name}: {line}" for line in target.plan(checks, self._edition)]
        self.begun = True
        if self._record is not None:
            self._recorder = Recorder(self.targets[0], self._edition)
        return lines

    def _residue(self, target: Target) -> list[str]:
        """End a run on a target, and return what is left there."""
        try:
            return target.finish()
        except KeyboardInterrupt:
            self.interrupted = True
            return target.known_left()

    def end(self, results: Sequence[Result]) -> tuple[list[str], bool]:
        """Count what is left, write what was asked for, and return lines about it, and whether nothing is left, cut short or lost."""
        lines: list[str] = []
        clean = True
        for target in self.targets:
            residue = self._residue(target)
            clean = clean and not (residue or target.unproved or target.stopped)
            lines += _shortfall(target)
            if isinstance(target, AwsTarget):
                lines.append(f"{target.name}: {target.sent} calls were sent; {len(residue)} models of run {target.run} are left")
            if not target.hurried:  # else it was told at once
                lines += left_lines(target, residue)
        # What is left is known by now, whatever becomes of files.
        for path, write in ((self._ledger, self._write_ledger), (self._record, self._write_recording)):
            if path is None:
                continue
            try:
                lines += write(path, results)
            except KeyboardInterrupt:
                self.interrupted = True
                lines.append(f"{path} was not written: the run was interrupted")
            except Exception as error:  # noqa: BLE001  # it is told, and the run fails
                clean = False
                lines.append(f"{path} was not written: {getattr(error, 'strerror', None) or error}")
        return lines, clean

    def _write_ledger(self, path: Path, results: Sequence[Result]) -> Iterator[str]:
        """Write the ledger, and yield what was entered."""
        for target in self.targets:
            if isinstance(target, AwsTarget):
                own = [result for result in results if result.target == target.name]
                yield f"{target.name}: {add_to_ledger(path, target, own, self._edition)} checks were entered in {path}"

    def _write_recording(self, path: Path, _: Sequence[Result]) -> Iterator[str]:
        """Write the recording, and yield where it is."""
        if self._recorder is not None:
            self._recorder.write(path)
            yield f"recorded: {path}"


def _shortfall(target: Target) -> list[str]:
    """Return lines about checks that came to no result: one for each reason."""
    lines = [f"{target.name}: stopped: {target.stopped}"] if target.stopped else []
    reasons: dict[str, list[str]] = {}
    for check, why in target.unproved.items():
        reasons.setdefault(why, []).append(check)
    return lines + [f"{target.name}: no result of {', '.join(found)}: {why}" for why, found in reasons.items() if why != target.stopped]


def add_to_ledger(path: Path, target: AwsTarget, results: Iterable[Result], edition: Edition) -> int:
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
    silent = {silence.rule.id for operation in CHECKED_OPERATIONS for silence in silences(operation, edition=edition)}
    known = {rule.id: rule for operation in CHECKED_OPERATIONS for rule in catalogue(edition).rules(operation) if rule.id not in silent}
    verified = {}
    for rule_id, one in known.items():
        found = [entry for entry in of_rule[rule_id] if entry is not None]
        if found and len(found) == len(of_rule[rule_id]):
            oldest = min(found, key=lambda entry: str(entry["date"]))
            verified[rule_id] = {"bound": plain(one.bound)} | {name: oldest[name] for name in ("date", "region", "botocore")}
    return verified


@dataclass(slots=True)
class Residue:
    """What is there under the name of a run.

    Attributes:
        own: the names of the models that are the run's beyond doubt.
        passed_over: why others are left alone, by their names.
        deleted, gone: those of the run's own that were deleted, and that somebody else had deleted before.
        failed: why others of the run's own are left, or why it cannot be told whose they are, by their names.
    """

    own: list[str] = field(default_factory=list)
    passed_over: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def find_residue(target: AwsTarget) -> Residue:
    """Return what is there under the name of a target's run. A model is the run's by its name and its tag, not by one of them.

    Raises:
        UnprovedError: the service does not tell what there is.
        Difference: likewise.
    """
    residue = Residue()
    for name in target.census():
        try:
            why = _why_not(target, name)
        except UnprovedError as error:
            residue.failed[name] = str(error)
            continue
        if why is None:
            residue.own.append(name)
        else:
            residue.passed_over[name] = why
    return residue


def _why_not(target: AwsTarget, name: str) -> str | None:
    """Return why a model may be another's, None where it is the run's."""
    request = {"ResourceArn": arn(target.region, target.settings.account, f"model/{name}")}
    try:
        tags = {tag["Key"]: tag["Value"] for page in target.pages("ListTags", request) for tag in page["Tags"]}
    except Difference as difference:
        return f"its tags cannot be read: {difference.actual}"
    if target.run_tag not in tags:
        return None if name == target.name_of(UNTAGGED) else f"it bears no tag {target.run_tag}"
    value = tags[target.run_tag]
    return None if value == target.run else f"its tag {target.run_tag} is {value!r}"


def remove_residue(target: AwsTarget, residue: Residue) -> None:
    """Delete what is the run's, each whatever comes of the others, and keep what came of it."""
    for name in residue.own:
        try:
            reply = target.send("DeleteModel", {"ModelName": name})
        except UnprovedError as error:
            residue.failed[name] = str(error)
            continue
        if reply.code is None:
            residue.deleted.append(name)
        elif reply.message.startswith(MISSING_TEXTS):
            residue.gone.append(name)
        else:
            residue.failed[name] = reply.verdict


SIGNALS = (signal.SIGINT, signal.SIGTERM)


def left_lines(target: Target, left: Sequence[str]) -> list[str]:
    """Return lines about what a run left on a target, and how it is removed."""
    if not left:
        return []
    hint = f". Remove them: smfake cleanup --run={target.run}" if isinstance(target, AwsTarget) else ""
    return [f"{target.name}: left are {', '.join(left)}{hint}"]


class Signals:
    """Within a block, both signals raise KeyboardInterrupt; one that was ignored before still is.

    Args:
        targets: where the run is.
    """

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets
        self._before: dict[signal.Signals, Any] = {}
        self.count = 0
        """How many signals came."""

    def __enter__(self) -> Self:
        # Only the main thread can; elsewhere, signals are not ours to take.
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._strike)
        return self

    def __exit__(self, *exc: object) -> None:
        while self._before:
            number, before = self._before.popitem()
            signal.signal(number, before)

    def _strike(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.count += 1
        if self.count == 2:
            for target in self._targets:
                target.hurried = True
                lines = left_lines(target, target.known_left()) or [f"{target.name}: nothing is known to be left"]
                with contextlib.suppress(OSError):
                    os.write(2, "".join(f"{line}\n" for line in lines).encode())  # also where somebody holds sys.stderr
        raise KeyboardInterrupt
