"""What a good client of `smfake serve` notices of a bad one: the 99th percentile of its times under each attack.

    python -m benchmarks.attacks

Not part of the table of ratios: it is about times, which are those of the machine.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: SageMaker.ListModels\r\nContent-Type: application/x-amz-json-1.1\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = HEAD + b"Content-Length: 2\r\n\r\n{}"
KILLER = json.dumps({"SchedulerConfig": {"PriorityClasses": [{"Name": "a" * 60 + "!", "Weight": 1}]}}).encode()
"""61 characters for a pattern that `re` takes years for."""
TAGS = json.dumps({"ModelName": "a", "Tags": [{"Key": "", "Value": "\0"}] * 180_000}).encode()


def slow(port: int) -> None:
    """Keep 400 connections that each send a byte now and then."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(400)]
    while True:
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.send(b"X")
        time.sleep(0.2)


def deaf(port: int) -> None:
    """Ask for ever on 50 connections, and read nothing."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
    for sock in sockets:
        sock.setblocking(False)
    while True:
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.send(WHOLE * 20)
        time.sleep(0.02)


def again(data: bytes) -> Callable[[int], None]:
    """Return an attack that sends something on a new connection again and again, and waits for the end of it."""

    def attack(port: int) -> None:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass

    return attack


def post(body: bytes, operation: str) -> bytes:
    """Return a request."""
    return HEAD.replace(b"ListModels", operation.encode()) + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


ATTACKS: dict[str, Callable[[int], None]] = {
    "400 slow connections": slow,
    "50 clients that do not read": deaf,
    "400,000 chunks of one byte": again(CHUNKED + b"1\r\n \r\n" * 400_000 + b"0\r\n\r\n"),
    "30 MB of chunk extensions": again(CHUNKED + b"2;" + b"x" * 30_000_000 + b"\r\n{}\r\n0\r\n\r\n"),
    "18 MB of trailers": again(CHUNKED + b"2\r\n{}\r\n0\r\n" + b"x: y\r\n" * 3_000_000 + b"\r\n"),
    "patterns that backtrack": again(post(KILLER, "CreateClusterSchedulerConfig")),
    "180,000 bad tags": again(post(TAGS, "CreateModel")),
    "noise": again(bytes(range(256)) * 1000),
}
"""What a bad client does until it is killed, which is the only end that these have."""


@contextlib.contextmanager
def serving() -> Iterator[int]:
    """Run a server of its own, and yield its port."""
    command = [sys.executable, "-m", "pytest_smfake.cli", "serve", "--port", "0", "--log", "none"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout else ""
        found = re.search(r":(\d+) ", line)
        if found is None:
            raise RuntimeError(f"the server did not start: {line!r}")
        yield int(found[1])
        process.send_signal(signal.SIGTERM)


def times(port: int, seconds: float) -> list[float]:
    """Return how long each request of a good client took, in milliseconds, of 100 a second at the most."""
    found = []
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.perf_counter()
        client.request("POST", "/", b"{}", {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"})
        if client.getresponse().read()[:1] != b"{":
            raise RuntimeError("a good client was refused")
        found.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.01)
    client.close()
    return sorted(found)


def main() -> None:
    """Print a table."""
    print("| attack | requests | median, ms | 99 %, ms | longest, ms |\n|---|---|---|---|---|")
    for name in ("none", *ATTACKS):
        with serving() as port:
            attacker = subprocess.Popen([sys.executable, "-m", "benchmarks.attacks", name, str(port)]) if name != "none" else None
            time.sleep(1)
            found = times(port, 5)
            if attacker is not None:
                attacker.kill()
                attacker.wait()
        print(
            f"| {name} | {len(found)} | {found[len(found) // 2]:.1f} | {found[len(found) * 99 // 100]:.1f} | {found[-1]:.1f} |", flush=True
        )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        ATTACKS[sys.argv[1]](int(sys.argv[2]))
    else:
        main()
