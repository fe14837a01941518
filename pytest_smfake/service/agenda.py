"""What is to happen later, on the clock of a fake."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from .clock import Clock
from .locks import lock

Action = Callable[[float], None]
"""Called with the time that it was due, in seconds since the epoch."""


class Agenda:
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
