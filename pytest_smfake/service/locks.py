"""Locks that are free in a forked process: each is acquired before a fork, and released in parent and child after it."""

from __future__ import annotations

import os
import threading
from itertools import count
from weakref import WeakValueDictionary

FORK_SECONDS = 1.0
"""Seconds to wait before a fork for a lock that is held. After that the child may get data in the middle of a change."""

_serials = count()
_locks: WeakValueDictionary[int, threading.Lock] = WeakValueDictionary()
_taken: list[threading.Lock] = []


def lock() -> threading.Lock:
    """Return a new lock that is free in a forked process, even if another thread held it."""
    made = threading.Lock()
    _locks[next(_serials)] = made
    return made


def _all() -> list[threading.Lock]:
    return [found for reference in _locks.valuerefs() if (found := reference()) is not None]


def _take() -> None:
    _taken.extend(found for found in _all() if found.acquire(timeout=FORK_SECONDS))


def _release() -> None:
    while _taken:
        _taken.pop().release()


def _release_all() -> None:
    """Release every lock in the child: its only thread holds none, so another thread of the parent held it."""
    _taken.clear()
    for found in _all():
        if found.locked():
            found.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_take, after_in_parent=_release, after_in_child=_release_all)
