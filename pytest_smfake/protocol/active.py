"""Which fake answers."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from asyncio import Task
    from types import FrameType

    from pytest_smfake.service.calls import Calls
    from pytest_smfake.service.clock import Clock
    from pytest_smfake.service.resources import Place
    from pytest_smfake.service.service import Service

    from .signatures import Signatures


class Entry:
    """Where a fake was entered.

    Attributes:
        thread: the id of the thread.
        task: the task of asyncio, None outside of one.
        frame: the code whose `with` statement it is, None where that cannot be known.
        outer: the fake that was active in the same context before.
    """

    __slots__ = ("frame", "outer", "task", "thread")

    def __init__(self, thread: int, task: Task[Any] | None, frame: FrameType | None, outer: ActiveFake | None) -> None:
        self.thread = thread
        self.task = task
        self.frame = frame
        self.outer = outer


class ActiveFake(Protocol):
    """What interception needs to know of the fake that answers; `quotas` holds what retry quotas had left before it."""

    service: Service
    home: Place
    signatures: Signatures
    account: str
    credentials: bool
    allow: tuple[str, ...]
    clock: Clock
    real_sleep: bool
    quotas: dict[Any, int]
    entry: Entry | None

    def _leave(self) -> None: ...


fakes: list[ActiveFake] = []
"""The fakes that are active; the innermost, which is the last, answers."""

in_context: ContextVar[ActiveFake | None] = ContextVar("smfake_in_context", default=None)
"""The fake that was entered last in this context: by this task, or by the one that began it."""

servers: set[str] = set()
"""Host and port of each server of this process, or known to it, that answers with a fake: what is sent to one goes there."""


def active() -> ActiveFake | None:
    """Return the innermost active fake of the process, whoever entered it."""
    try:
        return fakes[-1]
    except IndexError:
        return None


def answering() -> ActiveFake | None:
    """Return the fake that answers a call that is made here; None where none is active.

    Raises:
        RuntimeError: a task that runs at the same time has entered another fake than the task of this call.
    """
    fake = active()
    if fake is None or fake.entry is None or fake.entry.task is None or in_context.get() is fake:
        return fake
    task = fake.entry.task
    if task.done() or task is running_task():
        return fake
    own, running = in_context.get(), running_task()
    if own is None and (running is None or running.get_loop() is not task.get_loop()) and len(_running_tasks()) == 1:
        return fake  # a thread, such as one of an executor, to which asyncio passes no context
    belongs = "no fake of its own" if own is None else repr(own) if own in fakes else f"{own!r}, which has ended"
    raise RuntimeError(
        f"this call was not sent: {fake!r}, entered by {task.get_name()}, which is still running, is the active fake, and the call comes "
        f"from a task with {belongs}; tasks that run at the same time share one fake, entered before they begin"
    )


def _running_tasks() -> set[Any]:
    """Return the tasks that entered an active fake and are not done."""
    tasks = (fake.entry.task for fake in list(fakes) if fake.entry is not None)
    return {task for task in tasks if task is not None and not task.done()}


def running_task() -> Task[Any] | None:
    """Return the task of asyncio that is running in this thread; asyncio is never imported for this."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        task: Task[Any] | None = asyncio.current_task()
    except RuntimeError:  # no loop is running in this thread
        return None
    return task


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
