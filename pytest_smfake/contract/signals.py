"""Signals that end a run: the first lets it clean up, the second tells what is left and ends it at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any, Self

from .target import Target

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
