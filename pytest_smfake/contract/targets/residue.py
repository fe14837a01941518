"""What a run left in an account, told from similar names and removed, and signals that end a run."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from pytest_smfake.contract.check import Difference
from pytest_smfake.contract.suite.boundaries import MISSING
from pytest_smfake.service.arns import arn

from .names import UNTAGGED
from .stops import UnprovedError
from .target import Target

if TYPE_CHECKING:
    from .aws import AwsTarget


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


def find(target: AwsTarget) -> Residue:
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


def remove(target: AwsTarget, residue: Residue) -> None:
    """Delete what is the run's, each whatever comes of the others, and keep what came of it."""
    for name in residue.own:
        try:
            reply = target.send("DeleteModel", {"ModelName": name})
        except UnprovedError as error:
            residue.failed[name] = str(error)
            continue
        if reply.code is None:
            residue.deleted.append(name)
        elif reply.message.startswith(MISSING):
            residue.gone.append(name)
        else:
            residue.failed[name] = reply.verdict


SIGNALS = (signal.SIGINT, signal.SIGTERM)


def left_lines(target: Target, left: Sequence[str]) -> list[str]:
    """Return lines about what a run left on a target, and how it is removed."""
    from .aws import AwsTarget

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
