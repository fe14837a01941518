"""The fakes of a test, wherever they were made: if it fails, it is told what they refused."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_smfake.protocol.active import ActiveFake
    from pytest_smfake.service.calls import Calls

MOST_FAKES = 10
"""Fakes that are remembered at the most, the latest: each holds a world, and an example of Hypothesis may make one."""


class History:
    """The fakes that were active at `begin`, and the latest that were entered until `end`; at other times none is kept alive."""

    def __init__(self) -> None:
        self._fakes: deque[ActiveFake] = deque(maxlen=0)
        self._calls_before: dict[ActiveFake, tuple[Calls, int]] = {}
        self._last_example = False

    def begin(self, fakes: Iterable[ActiveFake], *, last_example: bool) -> None:
        """Remember each fake that is entered from now on, and forget those before.

        Args:
            fakes: those that are active already, such as that of a fixture of wider scope.
            last_example: whether the code runs once for each example, so that only what is entered last, and within it, is of use.
        """
        self._fakes = deque(fakes, maxlen=MOST_FAKES)
        self._calls_before = {fake: (fake.service.calls, len(fake.service.calls)) for fake in self._fakes}
        self._last_example = last_example

    def end(self) -> None:
        """Remember none any more."""
        self._fakes = deque(maxlen=0)
        self._calls_before = {}

    def calls_before(self, fake: ActiveFake) -> int:
        """Return how many of the calls that a fake keeps arrived before `begin`; none after a reset, with which it began anew."""
        calls, count = self._calls_before.get(fake, (None, 0))
        return count if calls is fake.service.calls else 0

    def add(self, fake: ActiveFake, *, outermost: bool) -> None:
        """Remember a fake, which is entered within another unless it is the outermost."""
        if self._last_example and outermost:
            self._fakes.clear()
        if fake in self._fakes:
            self._fakes.remove(fake)
        self._fakes.append(fake)

    def __iter__(self) -> Iterator[ActiveFake]:
        return iter(list(self._fakes))


history = History()
