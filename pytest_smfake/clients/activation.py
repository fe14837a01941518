"""Entering and leaving a fake: what is replaced meanwhile is put back in any order of events, and on any error."""

from __future__ import annotations

import atexit
import dis
import gc
import inspect
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType, MethodType

from pytest_smfake.protocol.active import ActiveFake, Entry, active, fakes, history, in_context, running_task
from pytest_smfake.service.containers import stand_ins

from . import botocore
from .credentials import variables, wanted

_lock = threading.RLock()
LOCK_SECONDS = 1.0
"""Seconds after which a thread goes on without the lock: an interrupt can hit its holder just before it would release it."""
_served: list[str] = []
"""The accounts of fakes in other processes whose keys are in the environment."""
_SUSPENDED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_WITH = {dis.opmap[name] for name in ("BEFORE_WITH",) if name in dis.opmap}
"""The instruction of a `with` statement that enters; of newer Pythons it is not known."""


def check_entry(fake: ActiveFake, caller: FrameType) -> None:
    """See that a fake can be entered here; abandoned ones are ended first.

    Args:
        fake: the fake.
        caller: whose code enters it.

    Raises:
        RuntimeError: it is active already, or another is in another thread.
    """
    end_abandoned(caller)
    if fake in fakes:
        raise RuntimeError(f"{fake!r} is active already")
    _refuse_other_thread(active())


def _refuse_other_thread(other: ActiveFake | None) -> None:
    entry = None if other is None else other.entry
    # One of a thread that has ended is in nobody's way.
    if entry is not None and entry.thread != threading.get_ident() and entry.thread in sys._current_frames():
        raise RuntimeError(f"{other!r} is active in another thread; all threads of a process share one active fake")


def activate(fake: ActiveFake, caller: FrameType) -> None:
    """Let a fake that passed `check_entry` answer, until `deactivate`, which is to follow an error halfway, too.

    Args:
        fake: the fake.
        caller: whose code enters it.

    Raises:
        RuntimeError: another thread was faster.
    """
    fake.entry = Entry(threading.get_ident(), running_task(), caller if _is_with(caller) else None, in_context.get())
    fakes.append(fake)
    _refuse_other_thread(fakes[0])
    in_context.set(fake)
    history.add(fake, outermost=len(fakes) == 1)
    apply_active_fakes()
    _apply_at_exit()


def deactivate(fake: ActiveFake) -> None:
    """Let a fake answer no more; when the last one goes, all is as it was. It may be called again, and after an error halfway."""
    if fake in fakes:
        fakes.remove(fake)
    if in_context.get() is fake:
        outer = fake.entry.outer if fake.entry is not None else None
        in_context.set(outer if outer in fakes else None)
    apply_active_fakes()
    fake.entry = None


def end_abandoned(caller: FrameType | None = None) -> list[ActiveFake]:
    """End the fakes whose `with` statement is gone, as after an interrupt at the very call of `__exit__`, and return them."""
    found = [fake for fake in fakes if _is_abandoned(fake, caller)]
    for fake in found:
        fake._leave()
    return found


@contextmanager
def keys_set_aside(account: str) -> Iterator[None]:
    """Put dummy keys of an account into the environment, and replace nothing else: for a fake in another process."""
    _served.append(account)
    try:
        apply_active_fakes()
        yield
    finally:
        _served.remove(account)
        apply_active_fakes()


def apply_active_fakes() -> None:
    """Replace, set aside and put back what the fakes that are active now ask for, whatever others did to it meanwhile.

    It may be called at any time, and an error halfway is mended by the next call.
    """
    held = _lock.acquire(timeout=LOCK_SECONDS)
    try:
        stand_ins.mend()
        innermost = active()
        if innermost is not None:
            variables.cover(wanted(innermost.account))
            botocore.patch_clients()
        else:
            botocore.unpatch_clients()
            if _served:
                variables.cover(wanted(_served[-1]))
            else:
                variables.restore()
    finally:
        if held:
            _lock.release()


def _begin_child() -> None:
    global _lock  # noqa: PLW0603  # its holder is a thread that a forked process does not have
    _lock = threading.RLock()
    for fake in fakes:
        if fake.entry is not None:
            fake.entry.thread, fake.entry.task = threading.get_ident(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_child)


@cache
def _apply_at_exit() -> None:
    atexit.register(apply_active_fakes)


def _is_with(frame: FrameType) -> bool:
    """Whether a `with` statement of this code is entering, and not a function, such as one of an `ExitStack`, that returns at once."""
    return frame.f_code.co_code[frame.f_lasti] in _WITH and not frame.f_code.co_flags & _SUSPENDED


def _is_abandoned(fake: ActiveFake, caller: FrameType | None) -> bool:
    """Whether the `with` statement that entered a fake is gone: its code runs no more, or is the caller, who may have gone on."""
    frame = fake.entry.frame if fake.entry is not None else None
    if frame is None or (frame is not caller and any(frame in _stack(newest) for newest in sys._current_frames().values())):
        return False
    # As long as its block runs, the statement holds the method that it will call.
    return not any(isinstance(holder, MethodType) and holder.__name__ == "__exit__" for holder in gc.get_referrers(fake))


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
