"""Begin and end a run of the contract: check targets, write ledger and recording, find and delete left models, handle signals."""

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

from pytest_smfake.cases import unobservable_rules
from pytest_smfake.rules.inputs import check_place, write_whole
from pytest_smfake.rules.ledger import LEDGER_FORMAT, LEDGER_VERSION, Ledger, plain, read
from pytest_smfake.rules.rule import EDITIONS, Edition
from pytest_smfake.service.arns import arn

from .boundaries import CHECKED_OPERATIONS, MISSING_TEXTS, checked_rules
from .check import Check, Difference
from .report import Result
from .run import checks
from .targets.aws import AwsTarget
from .targets.names import UNTAGGED
from .targets.recording import Recorder
from .targets.target import Target, UnprovedError


class Session:
    """Begin and end a run on some targets.

    Args:
        edition: the edition whose rules the boundary cases test.
        targets: the targets.
        record: a file to record the responses of the target to.
        ledger: a ledger to add the checks to that the real service passed.
        stale: a number of days: only checks run whose evidence in the ledger is missing or older.

    Raises:
        ValueError: the arguments contradict each other, or a file cannot be written.
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
        """Whether the run has begun, so that requests may have been sent."""
        self.interrupted = False
        """Whether a signal arrived while the run ended."""
        if record is not None and len(targets) != 1:
            raise ValueError(f"a recording needs exactly one target, got {len(targets)}")
        if ledger is not None and not any(isinstance(target, AwsTarget) and target.is_service for target in targets):
            raise ValueError("only a run against the real service can write a ledger: the target aws, without configured endpoints")
        if stale is not None and (ledger is None or stale < 0):
            given = "no ledger was given" if ledger is None else f"got {stale} days"
            raise ValueError(f"the option for stale evidence needs a ledger and 0 or more days; {given}")
        for path in filter(None, (record, ledger)):
            check_place(path)
        self._stale = stale
        self._known = read(ledger) if ledger is not None and ledger.exists() else Ledger()

    def wants(self, check: Check) -> bool:
        """Whether a check is to run. If `stale` is given, only a check whose evidence is missing or stale."""
        return self._stale is None or self._known.is_stale(check.id, self._stale)

    def begin(self, checks: Sequence[Check]) -> list[str]:
        """Check that the targets can be reached and, of the target aws, the account. Return lines that describe the plan of the run.

        Raises:
            PreflightError: the run must not begin; nothing was created.
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
        """End a run on a target and return the names of the models that are left."""
        try:
            return target.finish()
        except KeyboardInterrupt:
            self.interrupted = True
            return target.known_left()

    def end(self, results: Sequence[Result]) -> tuple[list[str], bool]:
        """Count left models and write the files. Return lines about it, and whether the run was complete and left nothing."""
        lines: list[str] = []
        clean = True
        for target in self.targets:
            residue = self._residue(target)
            clean = clean and not (residue or target.unproved or target.stopped)
            lines += _shortfall(target)
            if isinstance(target, AwsTarget):
                lines.append(f"{target.name}: {target.sent} calls were sent; {len(residue)} models of run {target.run} are left")
            if not target.aborted:  # else the second signal printed them
                lines += left_lines(target, residue)
        # Files come last, so that an error in one cannot hide the left models.
        for path, write in ((self._ledger, self._write_ledger), (self._record, self._write_recording)):
            if path is None:
                continue
            try:
                lines += write(path, results)
            except KeyboardInterrupt:
                self.interrupted = True
                lines.append(f"{path} was not written: the run was interrupted")
            except Exception as error:  # noqa: BLE001  # reported in a line, and the run fails
                clean = False
                lines.append(f"{path} was not written: {getattr(error, 'strerror', None) or error}")
        return lines, clean

    def _write_ledger(self, path: Path, results: Sequence[Result]) -> Iterator[str]:
        """Write the ledger and yield lines about the entries."""
        for target in self.targets:
            if isinstance(target, AwsTarget):
                own = [result for result in results if result.target == target.name]
                yield f"{target.name}: {add_to_ledger(path, target, own, self._edition)} checks were entered in {path}"

    def _write_recording(self, path: Path, _: Sequence[Result]) -> Iterator[str]:
        """Write the recording and yield a line with its path."""
        if self._recorder is not None:
            self._recorder.write(path)
            yield f"recorded: {path}"


def _shortfall(target: Target) -> list[str]:
    """Return lines about checks without a result, one for each reason."""
    lines = [f"{target.name}: stopped: {target.stopped}"] if target.stopped else []
    reasons: dict[str, list[str]] = {}
    for check, why in target.unproved.items():
        reasons.setdefault(why, []).append(check)
    return lines + [f"{target.name}: no result of {', '.join(found)}: {why}" for why, found in reasons.items() if why != target.stopped]


def add_to_ledger(path: Path, target: AwsTarget, results: Iterable[Result], edition: Edition) -> int:
    """Add the checks that the real service passed to a ledger and return their number. The entry of a failed check is removed.

    Args:
        path: the ledger; created if it does not exist.
        target: the target of the run.
        results: the results of the checks.
        edition: the edition whose rules the boundary cases test.

    Raises:
        ValueError: the target is not the real service, or the file is not a ledger.
    """
    if not isinstance(target, AwsTarget) or not target.is_service:
        raise ValueError(f"{target.name} is not the real service: only a run against the real service can write a ledger")
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
    # For both editions, so that a run of one edition does not remove the rules that runs of the other verified.
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
    """Return the observable rules of an edition for which every check has an entry, with the facts of the oldest entry."""
    of_rule = defaultdict(list)
    for check in checks(edition=edition):
        of_rule[check.rule].append(entries.get(check.id))
    unobservable = {one.rule.id for operation in CHECKED_OPERATIONS for one in unobservable_rules(operation, edition=edition)}
    known = {rule.id: rule for rule in checked_rules(edition) if rule.id not in unobservable}
    verified = {}
    for rule_id, one in known.items():
        found = [entry for entry in of_rule[rule_id] if entry is not None]
        if found and len(found) == len(of_rule[rule_id]):
            oldest = min(found, key=lambda entry: str(entry["date"]))
            verified[rule_id] = {"bound": plain(one.bound)} | {name: oldest[name] for name in ("date", "region", "botocore")}
    return verified


@dataclass(slots=True)
class Residue:
    """Hold the models whose names start with the name of a run.

    Attributes:
        own: the names of models that belong to the run, by name and tag.
        passed_over: reasons, by name, why other models are not touched.
        deleted: the names of own models that were deleted.
        gone: the names of own models that no longer existed.
        failed: reasons, by name, why own models are left, or why it is not known whether a model belongs to the run.
    """

    own: list[str] = field(default_factory=list)
    passed_over: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def find_residue(target: AwsTarget) -> Residue:
    """Return the models with the name of a target's run. A model belongs to the run only if its name and its tag both match.

    Raises:
        UnprovedError: the models cannot be listed.
        Difference: the list of models is malformed.
    """
    residue = Residue()
    for name in target.census():
        try:
            why = _reason_to_keep(target, name)
        except UnprovedError as error:
            residue.failed[name] = str(error)
            continue
        if why is None:
            residue.own.append(name)
        else:
            residue.passed_over[name] = why
    return residue


def _reason_to_keep(target: AwsTarget, name: str) -> str | None:
    """Return the reason why a model may not belong to the run, None if it does."""
    request = {"ResourceArn": arn(target.region, target.settings.account, f"model/{name}")}
    try:
        tags = {tag["Key"]: tag["Value"] for page in target.pages("ListTags", request) for tag in page["Tags"]}
    except Difference as difference:
        return f"its tags cannot be read: {difference.actual}"
    if target.run_tag not in tags:
        return None if name == target.name_of(UNTAGGED) else f"it has no tag {target.run_tag}"
    value = tags[target.run_tag]
    return None if value == target.run else f"its tag {target.run_tag} is {value!r}"


def remove_residue(target: AwsTarget, residue: Residue) -> None:
    """Delete the models of the run and record the result of each; an error does not stop the others."""
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
    """Return lines with the models that a run left on a target, and the command that removes them."""
    if not left:
        return []
    hint = f". Remove them: smfake cleanup --run={target.run}" if isinstance(target, AwsTarget) else ""
    return [f"{target.name}: models left: {', '.join(left)}{hint}"]


class Signals:
    """Raise KeyboardInterrupt for SIGINT and SIGTERM within a block. A signal that was ignored before stays ignored.

    Args:
        targets: the targets of the run.
    """

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets
        self._before: dict[signal.Signals, Any] = {}
        self.count = 0
        """The number of signals so far."""

    def __enter__(self) -> Self:
        # Only the main thread may set signal handlers.
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *exc: object) -> None:
        while self._before:
            number, before = self._before.popitem()
            signal.signal(number, before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.count += 1
        if self.count == 2:
            for target in self._targets:
                target.aborted = True
                lines = left_lines(target, target.known_left()) or [f"{target.name}: no model is known to be left"]
                with contextlib.suppress(OSError):
                    os.write(2, "".join(f"{line}\n" for line in lines).encode())  # works even if sys.stderr is locked
        raise KeyboardInterrupt
