"""A run of the contract from its first call to its last: what has to be known before, and what is to be done after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_smfake.spec.ledger import Ledger, read
from pytest_smfake.spec.rules import Edition

from . import ledger as writing
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
        if stale is not None and (ledger is None or stale < 0):
            text = f"{stale} days of {'no ledger' if ledger is None else ledger} are not"
            raise ValueError(f"evidence is stale by a ledger and a number of days, of 0 or more; {text}")
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
        for target in self._targets:
            target.preflight()
            if isinstance(target, AwsTarget):
                lines += [f"{target.name}: {line}" for line in target.plan(checks)]
        self.begun = True
        if self._record is not None:
            self._recorder = Recorder(self._targets[0], self._edition)
        return lines

    def end(self, results: Sequence[Result]) -> tuple[list[str], bool]:
        """Count what is left, write what was asked for, and return lines about it, and whether nothing is left."""
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
                passed = writing.write(self._ledger, target, own, self._edition)
                lines.append(f"{target.name}: {passed} checks were entered in {self._ledger}")
        if self._record is not None and self._recorder is not None:
            self._recorder.write(self._record)
            lines.append(f"recorded: {self._record}")
        return lines, clean
