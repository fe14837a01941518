"""A run of the contract from its first call to its last: what has to be known before, and what is to be done after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_smfake.spec.rules import Edition

from . import ledger
from .aws import AwsTarget
from .check import Check
from .recording import Recorder
from .report import Result
from .target import Target


class Session:
    """A run on some targets.

    Args:
        edition: whose rules the boundary cases are about.
        targets: where it runs.
        record: a file to record the answers to.
        ledger: a ledger to add to what the real service passed.

    Raises:
        ValueError: what was asked for cannot be; the sentence says why.
    """

    def __init__(self, edition: Edition, targets: Sequence[Target], *, record: Path | None = None, ledger: Path | None = None) -> None:
        self._edition = edition
        self._targets = targets
        self._record = record
        self._ledger = ledger
        self._recorder: Recorder | None = None
        self.begun = False
        """Whether anything may have been sent."""
        if record is not None and len(targets) != 1:
            raise ValueError(f"a recording is made of one target, not of {len(targets)}")
        if ledger is not None and not any(isinstance(target, AwsTarget) and target.is_service for target in targets):
            raise ValueError("a ledger is written by a run against the real service alone: the target aws, at its own endpoint")

    def begin(self, checks: Sequence[Check]) -> list[str]:
        """Look whose account it is, and return what is going to happen, in lines for a person to read.

        Raises:
            PreflightError: the run is refused; nothing was sent to SageMaker.
        """
        lines = []
        for target in self._targets:
            if isinstance(target, AwsTarget):
                target.preflight()
                lines += [f"{target.name}: {line}" for line in target.plan(checks)]
        self.begun = True
        if self._record is not None:
            self._recorder = Recorder(self._targets[0], self._edition)
        return lines

    def end(self, results: Sequence[Result], rules: Mapping[str, str | None]) -> tuple[list[str], bool]:
        """Count what is left, write what was asked for, and return lines about it, and whether nothing is left.

        Args:
            results: what came of the checks.
            rules: the rule that each check is about, by the check's id.
        """
        lines, clean = [], True
        for target in self._targets:
            residue = target.finish()
            if isinstance(target, AwsTarget):
                lines.append(f"{target.name}: {target.sent} calls were sent; {len(residue)} models of run {target.run} are left")
            if residue:
                clean = False
                lines.append(f"{target.name}: left are {', '.join(residue)}. Remove them: smfake cleanup --run={target.run}")
            if self._ledger is not None and isinstance(target, AwsTarget):
                own = [result for result in results if result.target == target.name]
                passed = ledger.write(self._ledger, target, own, rules, self._edition)
                lines.append(f"{target.name}: {passed} checks were entered in {self._ledger}")
        if self._record is not None and self._recorder is not None:
            self._recorder.write(self._record)
            lines.append(f"recorded: {self._record}")
        return lines, clean
