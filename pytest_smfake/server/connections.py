"""Connections of the server: one thread reads from all of them, and other threads answer complete requests.

So a connection that sends or reads slowly occupies no thread.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import queue
import select
import selectors
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable

from pytest_smfake.protocol.http import (
    BrokenConnection,
    Head,
    MalformedError,
    Parser,
    Request,
    Response,
    malformed_response,
    response_bytes,
)
from pytest_smfake.service.clock import real_sleep

log = logging.getLogger("pytest_smfake.server")

IDLE = 60.0
"""Seconds after which a connection without a request is closed."""
PATIENCE = 30.0
"""Maximum seconds for a client to send a complete request, or to read an answer."""
UNANSWERED = 120.0
"""Maximum seconds for which an injected read timeout keeps a connection open; SDKs wait 60 s for an answer by default."""
STAY = 0.005
"""Seconds that a thread waits for the next request of its connection before it hands the connection back, which takes time too."""
DRAIN = 64 * 1024 * 1024
"""Bytes of a too large body that are read and discarded, so that its client can read the answer."""
LINGER = 1.0
"""Seconds without new bytes after which discarding ends."""
THREADS = 1000
"""Maximum number of requests that are answered at the same time. An answer can be slow on purpose."""
TURNS = 1
"""Number of answers that are computed at the same time: more would only delay each other in one interpreter."""
SLOW = 0.01
"""Seconds after which an answer counts as slow on purpose, and gives its turn to another."""
ENDING = 4.0
"""Maximum seconds that a stopping server waits for unfinished answers."""
SIZE = 256 * 1024
"""Bytes that are received at once."""
ENDS_EARLY = (400, "The request ends early")

Refused = Callable[[str, int, str], None]
"""Logs a malformed request: the client's address, and the status and text of the answer."""
Respond = Callable[[Request, str], Response]
"""Answers a request from a client's address; raises `BrokenConnection` for an injected failure of the connection."""


class Connection:
    """A connection to a client.

    Attributes:
        until: the time at which it is closed.
        unanswered: whether no answer is sent any more, because of an injected read timeout.
        closes: whether it is closed after the unsent bytes are sent.
        unsent: the bytes that still have to be sent.
        drains: how many bytes are read and discarded before it is closed, so that its client can read the answer.
    """

    def __init__(self, sock: socket.socket, client: str, refused: Refused) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = sock
        self.client = client
        self._refused = refused
        self.parser = Parser()
        self.unsent = b""
        self.until = time.monotonic() + IDLE
        self.unanswered = False
        self.closes = False
        self.drains = 0

    def receive(self) -> bool:
        """Receive available bytes. Return whether its client may send more."""
        try:
            data = self.socket.recv(SIZE)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        if not data:
            return False
        if self.drains:
            self.drains = max(0, self.drains - len(data))
            self.until = time.monotonic() + LINGER
            return self.drains > 0
        if self.unanswered:
            return True
        begins = not self.parser.started
        self.parser.feed(data)
        if begins:
            self.until = time.monotonic() + PATIENCE
        return True

    def send(self, data: bytes) -> None:
        """Send what the socket accepts at once, and keep the rest."""
        self.unsent += data
        self.flush()

    def flush(self) -> None:
        """Send more of the unsent bytes.

        Raises:
            OSError: the client has closed the connection.
        """
        if self.unsent:
            with contextlib.suppress(BlockingIOError, InterruptedError):
                self.unsent = self.unsent[self.socket.send(self.unsent) :]

    def reset(self) -> None:
        """Reset the connection."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def next(self) -> tuple[Head, bytes] | None:
        """Return the next complete request, or None. A malformed request is answered here."""
        try:
            found = self.parser.next()
        except MalformedError as error:
            self._refuse(error.status, str(error))
            return None
        if found is None and self.parser.expects:
            self.parser.expects = False
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return found

    def _refuse(self, status: int, text: str) -> None:
        self._refused(self.client, status, text)
        self.send(malformed_response(status, text))
        self.closes, self.drains, self.until = True, DRAIN, time.monotonic() + LINGER

    def give_up(self, status: int, text: str) -> None:
        """Answer an incomplete request that will not be completed."""
        if self.parser.started and not (self.closes or self.unanswered):
            self._refused(self.client, status, text)
            with contextlib.suppress(OSError):
                self.send(malformed_response(status, text))


class Turns:
    """Lets a limited number of threads run at a time, in the order in which they ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free = TURNS
        self._waiting: deque[threading.Lock] = deque()
        self._taken: dict[int, float] = {}

    def __enter__(self) -> None:
        turn = None
        with self._lock:
            if self._free:
                self._free -= 1
            else:
                turn = threading.Lock()
                turn.acquire()
                self._waiting.append(turn)
        if turn is not None:
            turn.acquire()  # until another thread hands its turn over; with a semaphore, that thread could take it back at once
        self._taken[threading.get_ident()] = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._give_back(threading.get_ident())

    def sleep(self, seconds: float) -> None:
        """Sleep without a turn, for an answer that is slow on purpose."""
        self._give_back(threading.get_ident())
        time.sleep(seconds)
        self.__enter__()

    def give_on(self, now: float) -> None:
        """Give the turns of slow threads to waiting ones."""
        for thread, since in list(self._taken.items()):
            if now - since > SLOW:
                self._give_back(thread)

    def _give_back(self, thread: int) -> None:
        with self._lock:
            if self._taken.pop(thread, None) is None:
                return
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class HttpServer:
    """An HTTP/1.1 server whose answers come from a function."""

    def __init__(self, host: str, port: int, answer: Respond, refused: Refused) -> None:
        self._wanted = (host, port)
        self._answer = answer
        self._refused = refused
        self._returned: deque[Connection] = deque()
        self._ready: queue.SimpleQueue[tuple[Connection, Head, bytes] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._turns = Turns()
        self._idle = 0
        self._threads: list[threading.Thread] = []
        self.stopping = threading.Event()
        self.bind_addr: tuple[str, int] = self._wanted

    def prepare(self) -> None:
        """Open the listening socket.

        Raises:
            OSError: the server cannot listen on the address.
        """
        host, port = self._wanted
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=128)
        self._selector = selectors.DefaultSelector()
        self._waking, self._woken = socket.socketpair()
        for sock in (self._listener, self._waking, self._woken):
            sock.setblocking(False)
        self.bind_addr = self._listener.getsockname()[:2]

    # The following methods run in the reading thread.

    def serve(self) -> None:
        """Read from all connections until the server stops."""
        listener = self._listener
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        looked = time.monotonic()
        while not self.stopping.is_set():
            for key, _ in self._selector.select(SLOW if self._idle < len(self._threads) else 0.1):
                if key.fileobj is listener:
                    self._accept(listener)
                elif key.fileobj is self._woken:
                    with contextlib.suppress(BlockingIOError):
                        self._woken.recv(4096)
                else:
                    self._guarded(self._advance, key.data)
            while self._returned:
                self._guarded(self._take_back, self._returned.popleft())
            now = time.monotonic()
            self._turns.give_on(now)
            if now - looked > 0.1:
                looked = now
                self._give_up(now)
        self._finish(listener)

    def _guarded(self, step: Callable[[Connection], None], connection: Connection) -> None:
        try:
            step(connection)
        except OSError:  # the client has closed the connection
            self._close(connection)
        except Exception:
            log.exception("A connection from %s failed", connection.client)
            self._close(connection)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(128):
            try:
                sock, address = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    self._make_room()
                return
            connection = Connection(sock, str(address[0]), self._refused)
            self._selector.register(sock, selectors.EVENT_READ, connection)

    def _make_room(self) -> None:
        """Close the connection that would be closed next, because the process cannot open more files."""
        waiting = [key.data for key in self._selector.get_map().values() if key.data is not None]
        if waiting:
            self._close(min(waiting, key=lambda connection: connection.until))

    def _advance(self, connection: Connection) -> None:
        """Read from or write to a connection that is ready."""
        connection.flush()
        if not connection.unsent and not connection.receive():
            connection.give_up(*ENDS_EARLY)
            self._close(connection)
            return
        self._proceed(connection)

    def _take_back(self, connection: Connection) -> None:
        """Read again from a connection that a thread has handed back."""
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._proceed(connection)

    def _proceed(self, connection: Connection) -> None:
        """Hand a complete request to a thread, or wait for its rest."""
        if not (connection.unsent or connection.closes or connection.unanswered):
            found = connection.next()
            if found is not None:
                self._selector.unregister(connection.socket)
                self._hand_over(connection, *found)
                return
        if connection.closes and not connection.unsent and not connection.drains:
            self._close(connection)
            return
        # As long as its client does not read answers, no more requests are read.
        self._selector.modify(connection.socket, selectors.EVENT_WRITE if connection.unsent else selectors.EVENT_READ, connection)

    def _give_up(self, now: float) -> None:
        late = [key.data for key in self._selector.get_map().values() if key.data is not None and key.data.until < now]
        for connection in late:
            connection.give_up(408, "The request takes too long")
            self._close(connection)

    def _close(self, connection: Connection) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(connection.socket)
        connection.socket.close()

    def _hand_over(self, connection: Connection, head: Head, body: bytes) -> None:
        with self._lock:
            self._idle -= 1
            if self._idle < 0 and len(self._threads) < THREADS:
                thread = threading.Thread(target=self._work, name="smfake-server", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._ready.put((connection, head, body))

    def _finish(self, listener: socket.socket) -> None:
        """Wait for unfinished answers, for a limited time, and close everything."""
        self._selector.unregister(listener)
        listener.close()
        end = time.monotonic() + ENDING
        with self._lock:
            threads = list(self._threads)
        for _ in threads:
            self._ready.put(None)
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        waiting = [key.data for key in self._selector.get_map().values() if key.data is not None]
        for connection in (*self._returned, *waiting):
            if connection.unsent and (left := end - time.monotonic()) > 0:
                with contextlib.suppress(OSError):
                    connection.socket.settimeout(left)
                    connection.socket.sendall(connection.unsent)
            connection.socket.close()
        self._selector.close()
        self._waking.close()
        self._woken.close()

    # The following methods run in the answering threads.

    def _work(self) -> None:
        real_sleep.set(self._turns.sleep)
        while True:
            with self._lock:
                self._idle += 1
            job = self._ready.get()
            if job is None:
                return
            connection, head, body = job
            try:
                kept = self._exchange(connection, head, body)
            except OSError:  # the client has closed the connection
                kept = False
            except Exception:
                log.exception("A connection from %s failed", connection.client)
                kept = False
            if kept:
                self._returned.append(connection)
                self._wake()
            else:
                connection.socket.close()

    def _exchange(self, connection: Connection, head: Head, body: bytes) -> bool:
        """Answer a request, and further ones that arrive soon. Return whether the connection is kept open."""
        found: tuple[Head, bytes] | None = (head, body)
        poll = select.poll()
        poll.register(connection.socket, select.POLLIN)
        while True:
            with self._turns:
                if found is None:
                    if not connection.receive():
                        connection.give_up(*ENDS_EARLY)
                        return False
                    found = connection.next()
                if found is not None and not self._respond(connection, *found):
                    return False
                if found is None or connection.unsent or connection.closes or connection.unanswered:
                    return True
                if self.stopping.is_set():
                    return False
                found = connection.next()
            if found is None and (connection.closes or not poll.poll(STAY * 1000)):
                return True

    def _respond(self, connection: Connection, head: Head, body: bytes) -> bool:
        """Answer one request. Return whether the connection is still open."""
        try:
            response = self._answer(head.request(body), connection.client)
        except BrokenConnection as error:
            if error.how != "read-timeout":
                connection.reset()
                return False
            connection.unanswered, connection.until = True, time.monotonic() + UNANSWERED
            return True
        # A body shorter than its Content-Length means that the connection closes early. Answers of moto have no Content-Length.
        announced = response.headers.setdefault("Content-Length", str(len(response.body)))
        keeps = head.keeps and not head.unread and announced == str(len(response.body)) and not self.stopping.is_set()
        connection.closes = not keeps
        if head.unread:
            connection.drains, connection.until = min(head.unread, DRAIN), time.monotonic() + LINGER
        else:
            connection.until = time.monotonic() + (IDLE if keeps else PATIENCE)
        connection.send(response_bytes(response, head, keeps=keeps))
        return bool(connection.unsent or connection.drains or keeps)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._waking.send(b"\0")

    def stop(self) -> None:
        """Accept no more requests, wait for unfinished answers, and close everything."""
        self.stopping.set()
        self._wake()
