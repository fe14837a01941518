"""How the server reads what comes in: quicker than cheroot does by itself, which then takes it apart."""

from __future__ import annotations

import math
import socket
from io import BytesIO
from typing import Any

from cheroot.errors import MaxSizeExceeded
from cheroot.server import HeaderReader, HTTPRequest


class Reader:
    """Reads a socket with a buffer; cheroot's own is written in Python throughout, and takes a fifth of the time of a request."""

    closed = False
    bytes_read = 0

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = b""

    def has_data(self) -> bool:
        """Whether there is something to read at once."""
        return bool(self._buffer)

    def readline(self, size: int | None = -1) -> bytes:
        """Return a line with its end, up to `size` bytes of it, or what there is before the connection closes."""
        bound = math.inf if size is None or size < 0 else size
        while (end := self._buffer.find(b"\n") + 1) == 0 and len(self._buffer) < bound and self._fill():
            pass
        return self._take(int(min(end or len(self._buffer), bound)))

    def read(self, size: int) -> bytes:
        """Return that many bytes, or as many as there are before the connection closes."""
        pieces = [self._take(size)]
        missing = size - len(pieces[0])
        while missing > 0 and self._fill():
            pieces.append(self._take(missing))
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def head(self, bound: int) -> bytes:
        """Return what there is up to an empty line, and that line, or what there is before the connection closes.

        Raises:
            MaxSizeExceeded: there is no empty line within the bound.
        """
        while not self._buffer.startswith(b"\r\n") and b"\r\n\r\n" not in self._buffer and len(self._buffer) <= bound and self._fill():
            pass
        if self._buffer.startswith(b"\r\n"):
            return self._take(2)
        found = self._buffer.find(b"\r\n\r\n")
        size = len(self._buffer) if found < 0 else found + 4
        if size > bound:
            raise MaxSizeExceeded
        return self._take(size)

    def _fill(self) -> bool:
        piece = self._socket.recv(64 * 1024)
        self._buffer += piece
        return bool(piece)

    def _take(self, size: int) -> bytes:
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def close(self) -> None:
        """Read no more."""
        self.closed = True
        self._buffer = b""


class _Head(HeaderReader):  # type: ignore[misc]
    """Reads all headers at once; where the first line is the continuation of none, cheroot 11.1 stumbles over a name of its own."""

    def __call__(self, rfile: Any, hdict: Any = None) -> Any:
        """Read the headers of a request.

        Raises:
            ValueError: they are malformed.
        """
        try:
            return super().__call__(BytesIO(rfile.rfile.head(rfile.maxlen)), hdict)
        except UnboundLocalError:
            raise ValueError("The first header continues none") from None


class HeadRequest(HTTPRequest):  # type: ignore[misc]
    """A request whose headers are read with care."""

    header_reader = _Head()
