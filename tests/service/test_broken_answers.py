"""Every failure as boto3 sees it: the same as what botocore's own code makes of that answer, sent over a real connection.

The other side of each comparison is a server on loopback that knows nothing of the package, and a client that no fake answers.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from types import SimpleNamespace

import boto3
import botocore.endpoint
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pytest_smfake import FakeSageMaker
from pytest_smfake.rules.failures import BROKEN, COMMON, FORMER, modelled

REQUEST = FakeSageMaker().request()
SUCCESS = json.dumps({"ModelArn": "arn:aws:sagemaker:us-east-1:123456789012:model/model"}).encode()
STATUS = {
    # As documented or observed; `COMMON` says where the sources disagree.
    "ResourceLimitExceeded": 400,
    "AccessDeniedException": 400,
    "ExpiredTokenException": 400,
    "IncompleteSignature": 400,
    "InternalFailure": 500,
    "MalformedHttpRequestException": 400,
    "NotAuthorized": 401,
    "OptInRequired": 403,
    "RequestAbortedException": 400,
    "RequestEntityTooLargeException": 413,
    "RequestTimeoutException": 408,
    "ServiceUnavailable": 503,
    "ThrottlingException": 400,
    "UnknownOperationException": 404,
    "UnrecognizedClientException": 400,
    "ValidationException": 400,
    "InvalidSignatureException": 400,
    "MissingAuthenticationTokenException": 403,
    "InvalidAction": 400,
    "InvalidParameterCombination": 400,
    "InvalidParameterValue": 400,
    "InvalidQueryParameter": 400,
    "MalformedQueryString": 404,
    "MissingAction": 400,
    "MissingParameter": 400,
}


def http(status: int, body: bytes, *, content_type: str = "application/x-amz-json-1.1", sent: bytes | None = None) -> bytes:
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + (body if sent is None else sent)


def error(code: str, status: int) -> bytes:
    return http(status, json.dumps({"__type": code, "message": "because"}).encode())


ANSWERS = {code: error(code, status) for code, status in STATUS.items()}
ANSWERS |= {str(status): http(status, b"") for status in (500, 502, 503, 504)}
ANSWERS |= {
    "empty-body": http(200, SUCCESS, sent=b""),
    "truncated-body": http(200, SUCCESS, sent=SUCCESS[: len(SUCCESS) // 2]),
    "non-json-body": http(200, b"<html>log in</html>", content_type="text/html"),
    "connection-reset": b"reset",
    "read-timeout": b"silence",
    "connection-refused": b"",
    "connect-timeout": b"",
}


class Server:
    """Answers every request in one way."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.answer = ANSWERS[kind]
        self.socket = socket.socket()
        self.others = []
        self.done = threading.Event()

    def __enter__(self):
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        if self.kind == "connection-refused":
            self.socket.close()
        elif self.kind == "connect-timeout":
            self.socket.listen(0)
            for _ in range(4):  # a full queue lets nobody in
                other = socket.socket()
                other.setblocking(False)
                other.connect_ex(self.socket.getsockname())
                self.others.append(other)
        else:
            self.socket.listen(16)
            self.thread = threading.Thread(target=self.serve)
            self.thread.start()
        return self

    def serve(self):
        while True:
            connection, _ = self.socket.accept()
            with connection:
                if self.done.is_set():
                    return
                seen = b""
                while b"\r\n\r\n" not in seen and (piece := connection.recv(65536)):
                    seen += piece
                if not seen:
                    continue  # a client that gave up before it was let in
                head, _, body = seen.partition(b"\r\n\r\n")
                length = int(next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")).split(b":")[1])
                while len(body) < length and (piece := connection.recv(65536)):
                    body += piece
                if self.answer == b"reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                elif self.answer == b"silence":
                    self.others.append(connection.dup())
                else:
                    connection.sendall(self.answer)

    def __exit__(self, *exc):
        self.done.set()
        if self.socket.fileno() >= 0 and self.kind != "connect-timeout":
            socket.create_connection(self.socket.getsockname()).close()
            self.thread.join(5)
        for other in [*self.others, self.socket]:
            other.close()


def seen_by(client) -> dict:
    """Return what the code under test sees of one call."""
    attempts = []
    client.meta.events.register("before-send.sagemaker", lambda **_: attempts.append(1))
    try:
        answer = client.create_model(**REQUEST)
    except ClientError as caught:
        metadata = caught.response["ResponseMetadata"]
        found = {"class": type(caught).__name__, "error": caught.response["Error"], "retries": metadata["RetryAttempts"]}
        found["status"] = metadata["HTTPStatusCode"]
    except BotoCoreError as caught:
        found = {"class": type(caught).__name__}
    else:
        metadata = answer.pop("ResponseMetadata")
        found = {"class": None, "answer": sorted(answer), "retries": metadata["RetryAttempts"], "status": metadata["HTTPStatusCode"]}
    return found | {"attempts": len(attempts)}


def client(mode: str, **more):
    config = Config(retries={"mode": mode}, read_timeout=0.05, connect_timeout=0.05)
    return boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b", config=config, **more)


def test_every_failure_is_compared():
    known = (*modelled("CreateModel"), *COMMON, *FORMER, *BROKEN)
    assert sorted(failure.code for failure in known) == sorted(ANSWERS)


@pytest.mark.parametrize("mode", ["legacy", "standard"])
@pytest.mark.parametrize("kind", ANSWERS)
def test_a_failure_is_seen_as_it_is_on_a_connection(kind, mode, monkeypatch):
    with monkeypatch.context() as patch, Server(kind) as server:
        patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))
        real = seen_by(client(mode, endpoint_url=server.url))
    with FakeSageMaker() as fake:
        fault = fake.fail("CreateModel", kind, message="because" if kind in STATUS else None)
        faked = seen_by(client(mode))
    assert faked == real
    assert fault.hits == 1
    assert fake.calls[0].attempts == real["attempts"]
    assert fake.calls[0].faults == [fault]


@pytest.mark.parametrize(
    ("kind", "attempts"),
    [("ThrottlingException", 3), ("InternalFailure", 3), ("503", 3), ("connection-reset", 3), ("ResourceLimitExceeded", 1)],
)
def test_adaptive_retries(kind, attempts):
    # The rates of adaptive mode take real time on a real connection; what is retried is what standard mode retries.
    with FakeSageMaker() as fake:
        fake.fail("CreateModel", kind)
        assert seen_by(client("adaptive"))["attempts"] == attempts


@pytest.mark.parametrize("kind", sorted({"RequestExpired", "ValidationError", "InvalidClientTokenId", "MissingAuthenticationToken"}))
def test_documented_names_are_understood_and_the_wire_s_are_sent(kind, smfake):
    wire = {
        "RequestExpired": "InvalidSignatureException",
        "ValidationError": "ValidationException",
        "InvalidClientTokenId": "UnrecognizedClientException",
        "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    }
    smfake.fail("CreateModel", kind)
    assert seen_by(client("standard"))["error"]["Code"] == wire[kind]


async def seen_by_async(context) -> dict:
    """Return what asyncio code under test sees of one call."""
    attempts = []
    async with context as client:
        client.meta.events.register("before-send.sagemaker", lambda **_: attempts.append(1))
        try:
            answer = await client.create_model(**REQUEST)
        except ClientError as caught:
            metadata = caught.response["ResponseMetadata"]
            found = {"error": caught.response["Error"], "retries": metadata["RetryAttempts"], "status": metadata["HTTPStatusCode"]}
        except BotoCoreError as caught:
            found = {"class": type(caught).__name__}
        else:
            found = {"answer": sorted(answer), "retries": answer["ResponseMetadata"]["RetryAttempts"]}
    return found | {"attempts": len(attempts)}


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("ThrottlingException", "legacy"),
        *((kind, "standard") for kind in ("ResourceLimitExceeded", "ThrottlingException", *(failure.code for failure in BROKEN))),
    ],
)
def test_an_async_client_sees_the_same_as_on_a_connection(kind, mode, monkeypatch):
    session = pytest.importorskip("aiobotocore.session", reason="aiobotocore is not installed")

    async def no_sleep(_):
        pass

    def new(**more):
        config = Config(retries={"mode": mode}, read_timeout=0.05, connect_timeout=0.05)
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        return session.get_session().create_client("sagemaker", region_name="us-east-1", config=config, **keys, **more)

    with monkeypatch.context() as patch, Server(kind) as server:
        patch.setattr("aiobotocore.endpoint.asyncio", SimpleNamespace(**vars(asyncio) | {"sleep": no_sleep}))
        real = asyncio.run(seen_by_async(new(endpoint_url=server.url)))
    with FakeSageMaker() as fake:
        fault = fake.fail("CreateModel", kind, message="because" if kind in STATUS else None)
        faked = asyncio.run(seen_by_async(new()))
    assert faked == real
    assert fault.hits == 1
    assert fake.calls[0].attempts == real["attempts"]
