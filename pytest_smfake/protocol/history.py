"""The fakes that a test entered, whose refusals are in the report if it fails. pytest loads this at each start."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_smfake.service.calls import Calls

    from .active import ActiveFake

MOST_FAKES = 10
"""Maximum number of remembered fakes, the latest: each holds its resources, and each example of Hypothesis may make one."""


class History:
    """The fakes that were active at `begin`, and the latest that were entered until `end`. Outside of that, none is kept alive."""

    def __init__(self) -> None:
        self._fakes: deque[ActiveFake] = deque(maxlen=0)
        self._calls_before: dict[ActiveFake, tuple[Calls, int]] = {}
        self._last_example = False

    def begin(self, fakes: Iterable[ActiveFake], *, last_example: bool) -> None:
        """Remember each fake that is entered from now on, and forget earlier ones.

        Args:
            fakes: the fakes that are active already, such as that of a module-scoped fixture.
            last_example: whether the test runs once for each example of Hypothesis: only the fakes of the last example are kept.
        """
        self._fakes = deque(fakes, maxlen=MOST_FAKES)
        self._calls_before = {fake: (fake.service.calls, len(fake.service.calls)) for fake in self._fakes}
        self._last_example = last_example

    def end(self) -> None:
        """Forget all fakes."""
        self._fakes = deque(maxlen=0)
        self._calls_before = {}

    def calls_before(self, fake: ActiveFake) -> int:
        """Return how many calls in the log of a fake arrived before `begin`; 0 after a reset, which clears the log."""
        calls, count = self._calls_before.get(fake, (None, 0))
        return count if calls is fake.service.calls else 0

    def add(self, fake: ActiveFake, *, outermost: bool) -> None:
        """Remember a fake. `outermost`: whether no other fake was active when it was entered."""
        if self._last_example and outermost:
            self._fakes.clear()
        if fake in self._fakes:
            self._fakes.remove(fake)
        self._fakes.append(fake)

    def __iter__(self) -> Iterator[ActiveFake]:
        return iter(list(self._fakes))


history = History()
