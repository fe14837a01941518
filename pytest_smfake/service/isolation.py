"""Network isolation: what runs in it opens no socket."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

isolated: ContextVar[str | None] = ContextVar("smfake_isolated", default=None)
"""The name of the model whose stand-in is being called in isolation, else None."""


@contextmanager
def isolation(model: str) -> Iterator[None]:
    """Refuse network sockets within the block, in this thread and in tasks begun by it."""
    token = isolated.set(model)
    try:
        with _guard:
            yield
    finally:
        isolated.reset(token)


def refusal(model: str) -> OSError:
    """Return the error that a socket opened in isolation meets."""
    text = f"Network is unreachable: model {model!r} has EnableNetworkIsolation, its container makes no network calls"
    return OSError(errno.ENETUNREACH, text)


class _Guard:
    """A patch of `socket.socket` that holds while at least one call runs in isolation; it looks at the calls in isolation alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls = 0
        self._original: Any = None

    def __enter__(self) -> None:
        with self._lock:
            self._calls += 1
            if self._calls == 1:
                self._original = socket.socket.__init__
                socket.socket.__init__ = _guarded(self._original)  # type: ignore[method-assign]

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self._calls -= 1
            if self._calls == 0:
                socket.socket.__init__ = self._original  # type: ignore[method-assign]


_guard = _Guard()


def _guarded(original: Any) -> Any:
    def init(self: socket.socket, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:  # noqa: A002  # its name
        model = isolated.get()
        # A socket made of a file descriptor is one that is there already, such as a pair's.
        if model is not None and fileno is None and family in (-1, socket.AF_INET, socket.AF_INET6):
            raise refusal(model)
        original(self, family, type, proto, fileno)

    return init
