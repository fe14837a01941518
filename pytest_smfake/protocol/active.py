"""The fakes that are active."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from asyncio import Task
    from types import FrameType

    from pytest_smfake.service.clock import Clock
    from pytest_smfake.service.resources import Scope
    from pytest_smfake.service.service import Service

    from .signatures import Signatures


class Entry:
    """The point where a fake was entered.

    Attributes:
        thread: the id of the thread.
        task: the asyncio task, or None.
        frame: the frame of the `with` statement, or None if it is unknown.
        outer: the fake that was active in the same context before.
    """

    __slots__ = ("frame", "outer", "task", "thread")

    def __init__(self, thread: int, task: Task[Any] | None, frame: FrameType | None, outer: ActiveFake | None) -> None:
        self.thread = thread
        self.task = task
        self.frame = frame
        self.outer = outer


class ActiveFake(Protocol):
    """The attributes of a fake that interception needs. `quotas` holds the capacity that retry quotas had before the fake."""

    service: Service
    home: Scope
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
"""The active fakes. The last, innermost one answers."""

in_context: ContextVar[ActiveFake | None] = ContextVar("smfake_in_context", default=None)
"""The fake that was entered last in this context: by this task, or by the task that started it."""

servers: set[str] = set()
"""`host:port` of each server that answers with a fake and is known to this process. Requests to it are not intercepted."""


def active() -> ActiveFake | None:
    """Return the innermost active fake of the process, from any thread or task; None if there is none."""
    try:
        return fakes[-1]
    except IndexError:
        return None


def answering() -> ActiveFake | None:
    """Return the fake that answers calls made here; None if none is active.

    Raises:
        RuntimeError: another task that is still running entered the active fake, and this task has none or another one.
    """
    fake = active()
    if fake is None or fake.entry is None or fake.entry.task is None or in_context.get() is fake:
        return fake
    task = fake.entry.task
    if task.done() or task is running_task():
        return fake
    own, running = in_context.get(), running_task()
    if own is None and (running is None or running.get_loop() is not task.get_loop()) and len(_running_tasks()) == 1:
        return fake  # a thread, such as an executor's, which has no context from asyncio
    belongs = "no fake of its own" if own is None else repr(own) if own in fakes else f"{own!r}, which has ended"
    raise RuntimeError(
        f"this call was not sent: the active fake is {fake!r}, entered by {task.get_name()}, which is still running, and the call comes "
        f"from a task with {belongs}; tasks that run at the same time must share one fake, entered before they start"
    )


def _running_tasks() -> set[Any]:
    """Return the unfinished tasks that entered an active fake."""
    tasks = (fake.entry.task for fake in list(fakes) if fake.entry is not None)
    return {task for task in tasks if task is not None and not task.done()}


def running_task() -> Task[Any] | None:
    """Return the asyncio task that is running in this thread, or None. Never imports asyncio."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        task: Task[Any] | None = asyncio.current_task()
    except RuntimeError:  # no loop is running in this thread
        return None
    return task
