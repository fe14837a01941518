"""The clock of a fake, and what is to happen later on it."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from contextvars import ContextVar

from pytest_smfake.rules.inputs import seconds_of

from .locks import lock

LATEST = 253402300799
"""The last second of the year 9999, in seconds since the epoch: the last that a date of Python can hold."""


real_sleep: ContextVar[Callable[[float], None] | None] = ContextVar("real_sleep", default=None)
"""How a delay takes real time, `time.sleep` by default; on a server it lets others be answered meanwhile."""


class Clock:
    """Real time plus what a test, or a sleep on the virtual clock, has advanced it by.

    `time.time` is read at each call, so that freezegun and time-machine stay in charge.

    Example:
        >>> clock = Clock()
        >>> before = clock.now()
        >>> clock.advance(3600)
        >>> clock.now() - before >= 3600
        True
    """

    def __init__(self) -> None:
        self._offset = 0.0

    def now(self) -> float:
        """Return the time in seconds since the epoch, which no date beyond the year 9999 can hold."""
        return min(time.time() + self._offset, LATEST)

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Args:
            seconds: how far, at least 0.

        Raises:
            ValueError: a negative number, none, or so many that no date can hold the time.
        """
        wanted = self._offset + seconds_of(seconds, "a clock advances by")
        if time.time() + wanted > LATEST:
            raise ValueError(f"a clock goes to the end of the year 9999 at most, which {seconds:g} more seconds are beyond")
        self._offset = wanted

    def pass_by(self, seconds: float) -> None:
        """Move the clock forward by what a call takes, which is answered whatever the clock says."""
        self._offset += seconds

    def __repr__(self) -> str:
        return f"<Clock {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(self.now()))}, advanced by {self._offset:g} s>"


Action = Callable[[float], None]
"""Called with the time that it was due, in seconds since the epoch."""


class Schedule:
    """Actions by the time they are due. Nothing runs by itself: each look at the service runs what has become due."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._items: list[tuple[float, int, Action]] = []
        self._serial = 0
        self._lock = lock()

    def add(self, seconds: float, action: Action) -> None:
        """Let an action happen that many seconds from now."""
        with self._lock:
            self._serial += 1
            heapq.heappush(self._items, (self._clock.now() + seconds, self._serial, action))

    def run(self) -> None:
        """Run what is due, in order. No lock is held while an action runs: it may call code of the test."""
        while self._items:
            with self._lock:
                if not self._items or self._items[0][0] > self._clock.now():
                    return
                due, _, action = heapq.heappop(self._items)
            action(due)
