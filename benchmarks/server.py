"""The server, measured: side by side with moto's in one run, and under 50,000 requests with faults on.

The first is part of `python -m benchmarks`, the second is `python -m benchmarks.server [--load N]`.

Load is sent to loopback alone, bounded in count. Both servers are processes of their own, and get the same bytes from the same client:
a process that writes prepared requests to sockets and reads the answers, so that the client costs as little as it can.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import random
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from .measure import Figure

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:1"
SCOPE = "AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/sagemaker/aws4_request"
HEAD = (
    "POST / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: identity\r\nX-Amz-Target: SageMaker.{operation}\r\n"
    "Content-Type: application/x-amz-json-1.1\r\nUser-Agent: Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux#6.1.0\r\n"
    f"X-Amz-Date: 20261123T175216Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential={SCOPE}, "
    "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
    "Signature=2cbf8f7da37d0a30ff9c2550c9555fdb36295ce8ae578d4e28d73b6d848808de\r\n"
    "Content-Length: {length}\r\n\r\n"
)


def message(operation: str, body: dict) -> bytes:
    """Return a request as bytes."""
    data = json.dumps(body).encode()
    return HEAD.format(operation=operation, length=len(data)).encode() + data


def creation(name: str) -> dict:
    """Return the body of a CreateModel request."""
    return {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE, "Environment": {"A": "1"}}}


class Connection:
    """A keep-alive connection that counts as a client."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self._file = self._socket.makefile("rb")

    def send(self, data: bytes) -> tuple[int, bytes]:
        """Send a request and return status and body; status 0 where the connection broke."""
        try:
            self._socket.sendall(data)
            line = self._file.readline()
            if not line:
                raise ConnectionError
            length, closing = 0, False
            while (header := self._file.readline()) not in (b"\r\n", b""):
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
                elif name.lower() == b"connection":
                    closing = value.strip().lower() == b"close"
            body = self._file.read(length)
            if closing:
                self._reopen()
            return int(line.split()[1]), body
        except OSError:
            self._reopen()
            return 0, b""

    def _reopen(self) -> None:
        self.close()
        self._open()

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._socket.close()


def client(port: int, number: int, requests: int, latencies: multiprocessing.Queue) -> None:
    """Create, describe and delete models, and report how long each request took."""
    connection = Connection(port)
    took = []
    for index in range(requests // 3):
        name = f"m-{number}-{index}"
        for data in (
            message("CreateModel", creation(name)),
            message("DescribeModel", {"ModelName": name}),
            message("DeleteModel", {"ModelName": name}),
        ):
            started = time.perf_counter()
            status, _ = connection.send(data)
            took.append(time.perf_counter() - started)
            if status != 200:
                raise RuntimeError(f"status {status}")
    connection.close()
    latencies.put(took)


def throughput(port: int, clients: int, requests: int) -> dict[str, float]:
    """Return requests a second and latencies in milliseconds of that many clients, each a process of its own."""
    latencies: multiprocessing.Queue = multiprocessing.Queue()
    processes = [multiprocessing.Process(target=client, args=(port, number, requests // clients, latencies)) for number in range(clients)]
    started = time.perf_counter()
    for process in processes:
        process.start()
    took = sorted(value for _ in processes for value in latencies.get())
    elapsed = time.perf_counter() - started
    for process in processes:
        process.join()
    return {"rps": len(took) / elapsed, "p50": statistics.median(took) * 1000, "p99": took[int(len(took) * 0.99)] * 1000}


class Ours:
    """`smfake serve` in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "pytest_smfake.cli", "serve", "--port", "0", "--log", "none", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while "ready" not in (line := self.process.stdout.readline()):
            pass
        self.port = int(re.search(r":(\d+) ", line)[1])

    def memory(self) -> int:
        """Return resident memory in KiB."""
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def stop(self) -> None:
        """Stop it and wait."""
        self.process.terminate()
        self.process.wait(30)


class Moto(Ours):
    """moto's server in a process of its own."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-c", "from moto.server import main; main()", "-p", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
            if self.process.poll() is not None:
                break
        self.stop()
        raise RuntimeError("moto's server did not start: it needs pip install 'moto[server]'")


def figures(requests: int = 6000) -> list[Figure]:
    """Measure throughput of both servers, in turn and three times over; moto's gets a fifth of the requests."""
    moto = Moto()
    ours = Ours()
    try:
        return [_figure(ours, moto, requests, clients) for clients in (1, 8)]
    finally:
        ours.stop()
        moto.stop()


def _figure(ours: Ours, moto: Ours, requests: int, clients: int) -> Figure:
    for server in (ours, moto):  # what is loaded once is loaded now
        throughput(server.port, clients, clients * 30)
    ratios, details = [], {}
    for round_ in range(3):
        found = {
            name: throughput(server.port, clients, count)
            for name, server, count in (("smfake", ours, requests), ("moto", moto, requests // 5))
        }
        ratios.append(found["smfake"]["rps"] / found["moto"]["rps"])
        details[f"round {round_ + 1}"] = {name: {key: round(value, 2) for key, value in one.items()} for name, one in found.items()}
    what = f"server, {clients} keep-alive client{'s' if clients > 1 else ''}, requests a second, to `moto_server`"
    return Figure(what, statistics.median(ratios), 10, least=True, spread=(min(ratios), max(ratios)), details=details)


def under_faults(requests: int, connections: int = 32) -> None:
    """Send requests from many connections with faults on; see that no model is lost or doubled, and that memory is flat."""
    server = Ours("--admin", "--token", "t")
    try:
        load(server, requests, connections)
    finally:
        server.stop()


def load(server: Ours, requests: int, connections: int) -> None:
    """Send the load, and print what came of it."""

    def admin(method: str, path: str, body: object = None) -> dict:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        headers = {"Authorization": "Bearer t"}
        connection.request(method, f"/_smfake/worlds/default/{path}", None if body is None else json.dumps(body), headers)
        answer = json.load(connection.getresponse())
        connection.close()
        return answer

    admin("POST", "throttles", {"rate": 3000, "burst": 1000})
    for code, after, effect in (
        ("InternalFailure", 7, None),
        ("503", 11, None),
        ("ResourceLimitExceeded", 13, None),
        ("connection-reset", 17, "before"),
    ):
        for number in range(200):  # a sequence: each waits until the one before it is used up, and lets some pass
            keywords = {"operation": "CreateModel", "code": code, "after": after + number % 5, "optional": True}
            admin("POST", "faults", keywords | ({"effect": effect} if effect else {}))
    admin("POST", "delays", {"operation": "DescribeModel", "seconds": 0.001, "times": 5000})
    expected: list[set[str]] = [set() for _ in range(connections)]
    took: list[float] = []
    statuses: dict[int, int] = {}
    memory: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> None:
        draw, connection, mine = random.Random(number), Connection(server.port), expected[number]
        own: list[float] = []
        seen: dict[int, int] = {}
        for index in range(requests // connections):
            name = f"m-{number}-{index}"
            roll = draw.random()
            operation, body = "CreateModel", creation(name)
            if mine and roll < 0.45:
                name = next(iter(mine))
                operation, body = "DeleteModel", {"ModelName": name}
            elif mine and roll < 0.55:
                operation, body = "DescribeModel", {"ModelName": next(iter(mine))}
            started = time.perf_counter()
            status, _ = connection.send(message(operation, body))
            own.append(time.perf_counter() - started)
            seen[status] = seen.get(status, 0) + 1
            if status == 200 and operation == "CreateModel":
                mine.add(name)
            elif status == 200 and operation == "DeleteModel":
                mine.discard(name)
        connection.close()
        with lock:
            took.extend(own)
            for status, count in seen.items():
                statuses[status] = statuses.get(status, 0) + count

    threads = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        memory.append(server.memory())
        time.sleep(0.5)
    elapsed = time.perf_counter() - started
    (place,) = admin("GET", "state")["places"]
    kept = [model["name"] for model in place["models"]]
    alive = set().union(*expected)
    took.sort()
    calls = len(admin("GET", "calls?count=100000")["calls"])
    middle, worst = statistics.median(took) * 1000, took[int(len(took) * 0.99)] * 1000
    print(f"{len(took)} requests from {connections} connections in {elapsed:.1f} s: {len(took) / elapsed:.0f} requests/s")
    print(f"latency p50 {middle:.2f} ms, p99 {worst:.2f} ms, longest {took[-1] * 1000:.0f} ms")
    print(f"statuses {dict(sorted(statuses.items()))} (0: a connection broken on purpose)")
    lost, unexpected, double = len(alive - set(kept)), len(set(kept) - alive), len(kept) - len(set(kept))
    print(f"models lost {lost}, unexpected {unexpected}, double {double}, kept {len(kept)}")
    print(f"memory in MiB over time {[round(value / 1024) for value in memory[:: max(1, len(memory) // 10)]]}; calls in the log {calls}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--load", type=int, default=50_000, help="requests with faults on")
    under_faults(parser.parse_args().load)
