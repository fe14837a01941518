"""Connections of the server: cheroot reads requests off them; a thread for each that is at work, so that a slow one holds up no other."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from cheroot.errors import MaxSizeExceeded
from cheroot.server import ChunkedRFile, Gateway, HTTPConnection, HTTPServer

from .exchange import BrokenConnection, Request, Response
from .reading import HeadRequest, Reader
from .threads import Pool
from .wire import MAX_BODY

log = logging.getLogger("pytest_smfake.server")

IDLE = 60.0
"""Seconds for which a connection without a request is kept."""
PATIENCE = 10.0
"""Seconds that a client may take over each piece of a request."""
SILENCE = 120.0
"""Seconds for which a read timeout on purpose stays silent at most; SDKs wait 60 s for an answer unless told otherwise."""
STAY = 0.005
"""Seconds that a thread waits for the next request of its connection before it lets go of it: handing over takes time, too."""
DRAIN = 64 * 1024 * 1024
"""Bytes of a body over its bound that are read and thrown away, so that its client gets to see the answer."""
LINGER = 1.0
"""Seconds that its client may stay silent meanwhile."""

Answer = Callable[[Request, str], Response]
"""Answers a request from an address; raises `BrokenConnection` where there is to be no answer."""


class HttpServer(HTTPServer):  # type: ignore[misc]  # cheroot is untyped for mypy
    """An HTTP/1.1 server that asks a function for its answers."""

    max_request_header_size = 64 * 1024
    request_queue_size = 128
    keep_alive_conn_limit = None
    expiration_interval = 0.1
    timeout = IDLE

    def __init__(self, host: str, port: int, answer: Answer) -> None:
        super().__init__((host, port), _Exchange)
        self.ConnectionClass = _Connection
        self.requests = Pool(self)
        self.answer = answer
        self.stopping = threading.Event()

    def stop(self) -> None:
        """Take no more requests, let those that are being answered be answered, and close everything."""
        self.stopping.set()
        super().stop()

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Log what cheroot has to say; nothing goes to the standard streams."""
        log.log(level, "%s", msg, exc_info=traceback)


class _Connection(HTTPConnection):  # type: ignore[misc]
    """A connection; its thread stays with it while requests come one after another."""

    RequestHandlerClass = HeadRequest
    gone = False

    def __init__(self, server: HttpServer, sock: socket.socket, *args: Any) -> None:
        super().__init__(server, sock, *args)
        self.rfile = Reader(sock)
        sock.settimeout(PATIENCE)

    def communicate(self) -> bool:
        """Answer requests until there is none for a moment; return whether the connection is kept."""
        while super().communicate():
            if self.server.stopping.is_set():
                return False
            if not self.rfile.has_data() and not _readable(self.socket, STAY):
                return True
        return False

    def close(self) -> None:
        """Close the connection, unless that has happened."""
        if not self.gone:
            super().close()

    def reset(self) -> None:
        """Break the connection off."""
        self.gone = True
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.socket.detach())

    def keep_silent(self) -> None:
        """Answer nothing, until the client gives up or the server stops."""
        end = time.monotonic() + SILENCE
        while time.monotonic() < end and not self.server.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                if _readable(self.socket, 0.05) and not self.socket.recv(1, socket.MSG_PEEK):
                    return


def _readable(sock: socket.socket, seconds: float) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


class _MalformedError(Exception):
    """A body that cannot be read."""


class _Exchange(Gateway):  # type: ignore[misc]
    """One request and its answer."""

    def respond(self) -> None:
        """Read the body, ask for the answer and send it in one piece."""
        connection: _Connection = self.req.conn
        self.req.sent_headers = True  # whatever happens, cheroot sends nothing of its own
        try:
            request, more = self._request()
        except _MalformedError as error:
            self.req.close_connection = True
            self.req.simple_response("400 Bad Request", str(error))
            return
        try:
            response = self.req.server.answer(request, connection.remote_addr)
        except BrokenConnection as error:
            self.req.close_connection = True
            if error.how == "read-timeout":
                connection.keep_silent()
            else:
                connection.reset()
            return
        # A body shorter than announced is a connection that closes early; moto announces nothing.
        announced = response.headers.setdefault("Content-Length", str(len(response.body)))
        if more or announced != str(len(response.body)) or self.req.server.stopping.is_set():
            self.req.close_connection = True
        self._send(response)
        if more:
            self._drain(more)

    def _request(self) -> tuple[Request, int]:
        """Return the request, and how much of its body is left unread since it is over the bound."""
        head = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self.req.inheaders.items()}
        length = head.get("content-length", "0").strip()
        if not (length.isascii() and length.isdigit()) or ("content-length" in head and "transfer-encoding" in head):
            raise _MalformedError("The length of the body cannot be told")
        more = 0
        if self.req.chunked_read:
            body, more = self._chunks()
        else:
            body = self.req.rfile.read(min(int(length), MAX_BODY + 1))
            more = max(0, int(length) - MAX_BODY - 1)
            if len(body) < min(int(length), MAX_BODY + 1):
                raise _MalformedError("The body ends early")
        target = self.req.uri.decode("latin-1")
        url = f"http://{head.get('host', 'localhost')}{target}"
        return Request(self.req.method.decode("latin-1"), url, head, body), more

    def _chunks(self) -> tuple[bytes, int]:
        reader = ChunkedRFile(self.req.conn.rfile, MAX_BODY + 64 * 1024)
        body = b""
        try:
            while len(body) <= MAX_BODY and (piece := reader.read(64 * 1024)):
                body += piece
            if len(body) > MAX_BODY:
                return body[: MAX_BODY + 1], DRAIN
            for _ in reader.read_trailer_lines():
                pass  # nothing that a client of AWS sends has a meaning here
        except (MaxSizeExceeded, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            return b" " * (MAX_BODY + 1), DRAIN
        except ValueError as error:
            raise _MalformedError(str(error)) from None
        return body, 0

    def _send(self, response: Response) -> None:
        phrase = HTTPStatus(response.status).phrase if response.status in HTTPStatus._value2member_map_ else ""
        lines = [f"HTTP/1.1 {response.status} {phrase}", *(f"{name}: {value}" for name, value in response.headers.items())]
        if self.req.close_connection:
            lines.append("Connection: close")
        elif self.req.response_protocol == "HTTP/1.0":
            lines.append("Connection: Keep-Alive")
        body = b"" if self.req.method == b"HEAD" else response.body
        self.req.conn.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body)

    def _drain(self, left: int) -> None:
        left = min(left, DRAIN)
        self.req.conn.socket.settimeout(LINGER)
        with contextlib.suppress(OSError):
            while left > 0 and (piece := self.req.conn.rfile.read(min(left, 64 * 1024))):
                left -= len(piece)
