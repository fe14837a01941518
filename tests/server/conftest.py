"""A fake behind a server of this process, and sockets to talk to it with."""

from __future__ import annotations

import json
import logging
import socket

import pytest

from pytest_smfake import FakeSageMaker

HEADERS = {"Host": "localhost", "X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}


class Raw:
    """A connection on which bytes are sent as they are."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.file = self.socket.makefile("rb")

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.socket.sendall(piece)

    def receive(self) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of a response; status 0 where the connection is closed instead."""
        line = self.file.readline()
        if not line:
            return 0, {}, b""
        headers = {}
        while (text := self.file.readline().strip()) != b"":
            name, _, value = text.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        return int(line.split()[1]), headers, self.file.read(int(headers.get("content-length", 0)))

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def http(body: bytes = b"{}", *, path: str = "/", method: str = "POST", length: int | None = -1, **headers: str | None) -> bytes:
    """Return a request as bytes."""
    merged = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    if length is not None:
        merged["Content-Length"] = str(len(body) if length < 0 else length)
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in merged.items() if value is not None)]
    return "\r\n".join([*lines, "", ""]).encode() + body


def create(name: str, fake: FakeSageMaker, **more: str | None) -> bytes:
    """Return a request that creates a model."""
    return http(json.dumps(fake.request(ModelName=name)).encode(), X_Amz_Target="SageMaker.CreateModel", **more)


@pytest.fixture
def log() -> list[dict]:
    return []


@pytest.fixture
def fake():
    """A fake that is not active: only the server reaches it."""
    return FakeSageMaker()


@pytest.fixture
def server(fake, log, caplog):
    from pytest_smfake.server.worlds import DEFAULT, Server

    with Server(log=log.append) as server, server.serving(DEFAULT, fake):
        yield server
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.fixture
def connect(server):
    """Open connections, which are closed in the end."""
    opened = []

    def connect() -> Raw:
        opened.append(Raw(server.port))
        return opened[-1]

    yield connect
    for raw in opened:
        raw.close()


@pytest.fixture
def raw(connect):
    return connect()
