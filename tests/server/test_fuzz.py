"""Mutated requests of real SDKs, to the codec and over sockets: an HTTP error, a closed connection or a true answer, and nothing else."""

from __future__ import annotations

import json
import logging
import os
import random
import re
import socket
import threading
from pathlib import Path

import pytest

from pytest_smfake import FakeSageMaker
from pytest_smfake.protocol.http import Request
from pytest_smfake.protocol.wire import answer, is_sagemaker
from pytest_smfake.server.worlds import Server
from pytest_smfake.service.models import MODEL

REQUESTS = json.loads((Path(__file__).parent.parent / "protocol" / "requests.json").read_text("utf-8"))["requests"]
SEED = 20261124
MUTATIONS = int(os.environ.get("SMFAKE_MUTATIONS", "2000"))
"""How many of each; one environment of tox asks for 10,000."""
NAME = re.compile(rb"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")

TOKENS = [
    b"\r\n",
    b"\n",
    b"\x00",
    b"\xff",
    b"{",
    b"}",
    b"[",
    b'"',
    b"\\u",
    b"\\ud800",
    b"1e999",
    b"-",
    b":",
    b"null",
    b"NaN",
    b"%",
    b"%2F",
    b"../",
]
TOKENS += [
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
    b"Content-Encoding: gzip\r\n",
    b" " * 300,
]
TOKENS += [b"/worlds/x", b"/endpoints/a/invocations", b"/_smfake/state", b"HTTP/1.0", b"GET ", b"X-Amz-Target: SageMaker.DeleteModel\r\n"]


def as_bytes(captured: dict) -> bytes:
    lines = [f"{captured['method']} {captured['path']} {captured['http']}", *(f"{name}: {value}" for name, value in captured["headers"])]
    return "\r\n".join([*lines, "", ""]).encode() + captured["body"].encode()


def mutate(data: bytes, draw: random.Random) -> bytes:
    """Change, cut, double, move or insert a few bytes or tokens."""
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        place = draw.randrange(len(data) + 1)
        end = min(len(data), place + draw.choice((1, 1, 2, 5, 20, 200)))
        match draw.randrange(7):
            case 0:
                data = data[:place] + bytes([draw.randrange(256)]) + data[place + 1 :]
            case 1:
                data = data[:place] + data[end:]
            case 2:
                data = data[:place] + draw.choice(TOKENS) + data[place:]
            case 3:
                data = data[:place] + data[place:end] * 2 + data[end:]
            case 4:
                data = data[:place]
            case 5:
                other = draw.randrange(len(data) + 1)
                data = data[:place] + data[other : other + 30] + data[place:]
            case _:
                data = data[:place] + draw.choice(TOKENS) + data[end:]
    return data


def sound(fake: FakeSageMaker) -> None:
    """Look for what a request that was refused must not have left behind."""
    for world in fake.service.store.worlds():
        for name, model in world[MODEL].by_name.items():
            assert NAME.fullmatch(name.encode())
            assert model["ExecutionRoleArn"]
        assert sum(map(len, world.collections())) == len(world[MODEL])


def kept(fake: FakeSageMaker) -> int:
    return sum(len(world[MODEL]) for world in fake.service.store.worlds())


def test_the_codec():
    draw, fake = random.Random(SEED), FakeSageMaker()
    captured = list(REQUESTS.values())
    answered = {"accepted": 0, "rejected": 0, "not ours": 0}
    created = 0
    for number in range(MUTATIONS):
        chosen = draw.choice(captured)
        headers = {name.lower(): value for name, value in chosen["headers"]}
        body = chosen["body"].replace("lab-ok", f"{number:06}").encode()
        if draw.random() < 0.7:
            body = mutate(body, draw)
        for _ in range(draw.choice((0, 0, 1, 2))):
            name = draw.choice(list(headers))
            headers[name] = mutate(headers[name].encode("latin-1"), draw).decode("latin-1")
        request = Request(draw.choice(("POST", "POST", "POST", "GET")), "http://127.0.0.1:1/", headers, body)
        if not is_sagemaker(request):
            answered["not ours"] += 1
            continue
        response = answer(request, fake, lambda: None)
        assert (response.status == 200) is (response.call.error is None)
        if response.status == 200:
            answered["accepted"] += 1
            created += response.call.operation == "CreateModel"
            created -= response.call.operation == "DeleteModel"
        else:
            answered["rejected"] += 1
            assert json.loads(response.body)["__type"] == response.headers["x-amzn-ErrorType"]
            assert response.status in (400, 403, 404, 413, 501)
        assert response.headers["Content-Length"] == str(len(response.body))
        repr(response.call)
    sound(fake)
    assert kept(fake) == created
    assert min(answered.values()) > MUTATIONS // 200, answered


def test_the_server(caplog):
    caplog.set_level(logging.ERROR)
    draw, fake = random.Random(SEED + 1), FakeSageMaker()
    whole = [as_bytes(captured) for captured in REQUESTS.values()]
    statuses: dict[bytes, int] = {}
    log: list[dict] = []
    with Server(log=log.append) as server, server.serving("default", fake):
        for number in range(MUTATIONS):
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
                data = mutate(draw.choice(whole).replace(b"lab-ok", b"%06d" % number), draw)
                try:
                    client.sendall(data)
                    client.shutdown(socket.SHUT_WR)
                    answer = b""
                    while piece := client.recv(65536):
                        answer += piece
                except (ConnectionResetError, BrokenPipeError):
                    answer = b"closed"
            status = answer.split(b" ", 2)[1] if answer.startswith(b"HTTP/1.1 ") else answer
            assert status in (b"", b"closed") or status.isdigit(), (data, answer)
            assert not status.startswith(b"5") or status in (b"501", b"505"), (data, answer)
            assert b"Traceback" not in answer
            statuses[status] = statuses.get(status, 0) + 1
        assert [thread.name for thread in threading.enumerate() if thread.name == "smfake-server"] != []
    assert [record.getMessage() for record in caplog.records] == []
    sound(fake)
    done = [entry["operation"] for entry in log if entry["status"] == 200 and "operation" in entry]
    assert kept(fake) == done.count("CreateModel") - done.count("DeleteModel")
    assert {b"200", b"400", b"404"} <= statuses.keys(), statuses


@pytest.mark.parametrize("seed", range(5))
def test_noise(seed):
    draw, fake = random.Random(seed), FakeSageMaker()
    with Server() as server, server.serving("default", fake):
        for _ in range(40):
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
                try:
                    client.sendall(draw.randbytes(draw.randrange(1, 3000)))
                    client.shutdown(socket.SHUT_WR)
                    answer = client.recv(65536)
                except (ConnectionResetError, BrokenPipeError):
                    answer = b""
            assert answer == b"" or answer.startswith(b"HTTP/1.1 4") or answer.startswith(b"HTTP/1.1 5"), answer
    assert len(fake.calls) == 0
