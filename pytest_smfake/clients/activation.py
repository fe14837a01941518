"""Enter and leave fakes: patches and variables are restored in any order of exits, and after any error."""

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

from pytest_smfake.protocol.active import ActiveFake, Entry, active, fakes, in_context, running_task
from pytest_smfake.protocol.history import history
from pytest_smfake.service import stand_ins

from . import botocore
from .credentials import variables, wanted

_lock = threading.RLock()
LOCK_SECONDS = 1.0
"""Seconds after which a thread continues without the lock: an interrupt can stop its holder just before the release."""
_remote_accounts: list[str] = []
"""The accounts of fakes in other processes whose dummy keys are in the environment."""
_SUSPENDED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_WITH = {dis.opmap[name] for name in ("BEFORE_WITH",) if name in dis.opmap}
"""The bytecode instruction by which a `with` statement calls `__enter__`. Python 3.14 has no such instruction."""


def check_entry(fake: ActiveFake, caller: FrameType) -> None:
    """Check that a fake can be entered here. Abandoned fakes are ended first.

    Args:
        fake: the fake.
        caller: the frame whose code enters it.

    Raises:
        RuntimeError: the fake is active already, or another fake is active in another thread.
    """
    end_abandoned(caller)
    if fake in fakes:
        raise RuntimeError(f"{fake!r} is active already")
    _refuse_other_thread(active())


def _refuse_other_thread(other: ActiveFake | None) -> None:
    entry = None if other is None else other.entry
    # A fake of a thread that has ended does no harm.
    if entry is not None and entry.thread != threading.get_ident() and entry.thread in sys._current_frames():
        raise RuntimeError(f"{other!r} is active in another thread; all threads of a process share one active fake")


def activate(fake: ActiveFake, caller: FrameType) -> None:
    """Make a fake answer calls until `deactivate`. Call `check_entry` before, and `deactivate` after an error of this function too.

    Args:
        fake: the fake.
        caller: the frame whose code enters it.

    Raises:
        RuntimeError: another thread entered a fake at the same time.
    """
    fake.entry = Entry(threading.get_ident(), running_task(), caller if _is_with(caller) else None, in_context.get())
    fakes.append(fake)
    _refuse_other_thread(fakes[0])
    in_context.set(fake)
    history.add(fake, outermost=len(fakes) == 1)
    apply_active_fakes()
    _apply_at_exit()


def deactivate(fake: ActiveFake) -> None:
    """Stop a fake from answering; after the last fake, restore everything. It can be called again, also after it has raised an error."""
    if fake in fakes:
        fakes.remove(fake)
    if in_context.get() is fake:
        outer = fake.entry.outer if fake.entry is not None else None
        in_context.set(outer if outer in fakes else None)
    apply_active_fakes()
    fake.entry = None


def end_abandoned(caller: FrameType | None = None) -> list[ActiveFake]:
    """End and return the fakes whose `with` statement no longer runs, such as after an interrupt during the call of `__exit__`."""
    found = [fake for fake in fakes if _is_abandoned(fake, caller)]
    for fake in found:
        fake._leave()
    return found


@contextmanager
def keys_set_aside(account: str) -> Iterator[None]:
    """Put dummy keys of an account into the environment for a fake in another process. Nothing is patched."""
    _remote_accounts.append(account)
    try:
        apply_active_fakes()
        yield
    finally:
        _remote_accounts.remove(account)
        apply_active_fakes()


def apply_active_fakes() -> None:
    """Patch clients and cover variables as the active fakes need it now; without an active fake, restore both.

    Other code may have changed them meanwhile. It can be called at any time; after an error, the next call completes the work.
    """
    held = _lock.acquire(timeout=LOCK_SECONDS)
    try:
        stand_ins.restore_sockets()
        innermost = active()
        if innermost is not None:
            variables.cover(wanted(innermost.account))
            botocore.patch_clients()
        else:
            botocore.unpatch_clients()
            if _remote_accounts:
                variables.cover(wanted(_remote_accounts[-1]))
            else:
                variables.restore()
    finally:
        if held:
            _lock.release()


def _begin_child() -> None:
    global _lock  # noqa: PLW0603  # a forked process lacks the thread that holds it
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
    """Return whether this code is at a `with` statement. False for a function that calls `__enter__` itself, such as `ExitStack`'s."""
    return frame.f_code.co_code[frame.f_lasti] in _WITH and not frame.f_code.co_flags & _SUSPENDED


def _is_abandoned(fake: ActiveFake, caller: FrameType | None) -> bool:
    """Return whether the `with` statement that entered a fake has ended: its code no longer runs, or the caller has left the block."""
    frame = fake.entry.frame if fake.entry is not None else None
    if frame is None or (frame is not caller and any(frame in _stack(newest) for newest in sys._current_frames().values())):
        return False
    # While the block runs, the statement holds a reference to the `__exit__` that it will call.
    return not any(isinstance(holder, MethodType) and holder.__name__ == "__exit__" for holder in gc.get_referrers(fake))


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
