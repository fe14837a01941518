"""The threads of the server: one for each connection that is at work, so that a slow one holds up no other."""

from __future__ import annotations

import contextlib
import logging
import queue
import socket
import threading
import time
from typing import Any

logger = logging.getLogger("pytest_smfake.server")

THREADS = 256
"""Connections at work at the same time; further ones wait until one of these is done, or has been slow for too long."""


class Pool:
    """Threads, as many as connections are at work; the interface is cheroot's `ThreadPool`."""

    min = 1

    def __init__(self, server: Any) -> None:
        self._server = server
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._threads: list[threading.Thread] = []
        self._busy: set[Any] = set()

    def start(self) -> None:
        """Wait for the first connection."""

    def put(self, connection: Any) -> None:
        """Let a thread read and answer the next request of a connection."""
        with self._lock:
            self._idle -= 1
            if self._idle < 0 and len(self._threads) < THREADS:
                thread = threading.Thread(target=self._work, name="smfake-server", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._queue.put(connection)

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            connection = self._queue.get()
            if connection is None:
                return
            self._busy.add(connection)
            keep = False
            try:
                keep = connection.communicate()
            except Exception:
                logger.exception("The connection from port %s of %s failed", connection.remote_port, connection.remote_addr)
            finally:
                self._busy.discard(connection)
                if keep:
                    self._server.put_conn(connection)
                else:
                    connection.close()

    def stop(self, timeout: float) -> None:
        """Let every thread end; what takes longer than `timeout` seconds is cut off."""
        end = time.monotonic() + timeout
        with self._lock:
            threads = list(self._threads)
        for _ in threads:
            self._queue.put(None)
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        for connection in list(self._busy):
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RD)
        for thread in threads:
            thread.join()
