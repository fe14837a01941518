"""A run of the contract from its first call to its last: what has to be known before, and what is to be done after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_smfake.contract.targets.aws import AwsTarget
from pytest_smfake.contract.targets.recording import Recorder
from pytest_smfake.contract.targets.residue import left_lines
from pytest_smfake.contract.targets.target import Target
from pytest_smfake.rules.inputs import check_place
from pytest_smfake.rules.ledger import Ledger, read
from pytest_smfake.rules.rule import Edition

from . import ledger as writing
from .check import Check
from .report import Result


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
                yield f"{target.name}: {writing.write(path, target, own, self._edition)} checks were entered in {path}"

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
