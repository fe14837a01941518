"""The clock of a fake, and the schedule of later actions."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from contextvars import ContextVar

from pytest_smfake.rules.inputs import seconds_of

from .locks import lock

LATEST = 253402300799
"""The last second of the year 9999 in seconds since the epoch; Python has no later date."""


real_sleep: ContextVar[Callable[[float], None] | None] = ContextVar("real_sleep", default=None)
"""The function by which a delay takes real time, `time.sleep` by default. A server sets one that does not block other requests."""


class Clock:
    """Real time plus an offset, which `advance()` and the sleeps of clients increase.

    `time.time` is called each time, so that freezegun and time-machine work.

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
        """Return the time in seconds since the epoch, at most the end of the year 9999."""
        return min(time.time() + self._offset, LATEST)

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Args:
            seconds: the number of seconds, at least 0.

        Raises:
            ValueError: not a number of at least 0, or the clock would go past the end of the year 9999.
        """
        wanted = self._offset + seconds_of(seconds, "a clock advances by")
        if time.time() + wanted > LATEST:
            raise ValueError(f"a clock cannot go past the end of the year 9999, so it cannot advance by {seconds:g} seconds")
        self._offset = wanted

    def pass_by(self, seconds: float) -> None:
        """Move the clock forward by the duration of a call. Other than `advance`, it never raises."""
        self._offset += seconds

    def __repr__(self) -> str:
        return f"<Clock {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(self.now()))}, advanced by {self._offset:g} s>"


Action = Callable[[float], None]
"""A function that is called with the time at which it was due, in seconds since the epoch."""


class Schedule:
    """Actions in the order in which they are due. No thread runs them: each call and each access to the resources runs the due ones."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._items: list[tuple[float, int, Action]] = []
        self._serial = 0
        self._lock = lock()

    def add(self, seconds: float, action: Action) -> None:
        """Schedule an action that many seconds from now."""
        with self._lock:
            self._serial += 1
            heapq.heappush(self._items, (self._clock.now() + seconds, self._serial, action))

    def run(self) -> None:
        """Run the due actions in order. No lock is held while an action runs, since it may call code of the test."""
        while self._items:
            with self._lock:
                if not self._items or self._items[0][0] > self._clock.now():
                    return
                due, _, action = heapq.heappop(self._items)
            action(due)
