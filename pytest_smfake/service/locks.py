"""Locks that a forked process does not inherit held: each is taken before a fork, and released on both sides after it."""

from __future__ import annotations

import os
import threading
from itertools import count
from weakref import WeakValueDictionary

FORK_SECONDS = 1.0
"""Seconds to wait before a fork for a lock that is held; after that the child gets what it protects as it is, in the middle of a change."""

_serials = count()
_locks: WeakValueDictionary[int, threading.Lock] = WeakValueDictionary()
_taken: list[threading.Lock] = []


def lock() -> threading.Lock:
    """Return a new lock that is free in a forked process, whoever held it."""
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
    """In the child there is one thread, which holds none of them: what was not taken was held by another."""
    _taken.clear()
    for found in _all():
        if found.locked():
            found.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_take, after_in_parent=_release, after_in_child=_release_all)
