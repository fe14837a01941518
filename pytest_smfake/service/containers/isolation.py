"""Network isolation: what runs in it opens no socket."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pytest_smfake.patches import Patches
from pytest_smfake.service.locks import lock

isolated: ContextVar[str | None] = ContextVar("smfake_isolated", default=None)
"""The name of the model whose stand-in is being called in isolation, else None."""


_lock = lock()
_patches = Patches()
_running: set[object] = set()
"""One object for each call that runs in isolation."""


@contextmanager
def isolation(model: str) -> Iterator[None]:
    """Refuse network sockets within the block, in this thread and in tasks begun by it."""
    token, running = isolated.set(model), object()
    try:
        with _lock:
            _running.add(running)
            _patches.replace(socket.socket, "__init__", _guarded)
        yield
    finally:
        with _lock:
            _running.discard(running)
            _settle()
        isolated.reset(token)


def mend() -> None:
    """Put the sockets back where a patch of somebody else brought back those of an isolation that is over."""
    if not _running and _patches.are_in_place():
        with _lock:
            _settle()


def _settle() -> None:
    if not _running:
        _patches.restore()


def refusal(model: str) -> OSError:
    """Return the error that a socket opened in isolation meets."""
    text = f"Network is unreachable: model {model!r} has EnableNetworkIsolation, its container makes no network calls"
    return OSError(errno.ENETUNREACH, text)


def _guarded(original: Any) -> Any:
    def init(self: socket.socket, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:  # noqa: A002  # its name
        model = isolated.get()
        # A socket made of a file descriptor is one that is there already, such as a pair's.
        if model is not None and fileno is None and family in (-1, socket.AF_INET, socket.AF_INET6):
            raise refusal(model)
        original(self, family, type, proto, fileno)

    return init
