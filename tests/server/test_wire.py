"""HTTP/1.1 as clients speak it: keep-alive, pipelines, chunks, slow and broken connections, and faults on the socket itself."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_smfake import FakeSageMaker
from pytest_smfake.protocol.active import servers
from pytest_smfake.protocol.wire import MAX_BODY
from pytest_smfake.server import connections as connection
from pytest_smfake.server.worlds import Server

# The helpers of conftest.py, which is not a module that can be imported.
CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: SageMaker.ListModels\r\nTransfer-Encoding: chunked\r\n\r\n"
HEADERS = "Host: localhost\r\nContent-Type: application/x-amz-json-1.1\r\n"


def http(body=b"{}", target="ListModels", path="/", more="", length=None, version="1.1"):
    size = len(body) if length is None else length
    head = f"POST {path} HTTP/{version}\r\n{HEADERS}X-Amz-Target: SageMaker.{target}\r\n{more}"
    return (head + (f"Content-Length: {size}\r\n" if size >= 0 else "") + "\r\n").encode() + body


def create(name, fake):
    return http(json.dumps(fake.request(ModelName=name)).encode(), "CreateModel")


def test_keep_alive_and_a_call_for_each_request(raw, fake, log):
    for name in ("a", "b", "c"):
        raw.send(create(name, fake))
        status, headers, body = raw.receive()
        assert status == 200
        assert json.loads(body)["ModelArn"].endswith(f"model/{name}")
        assert headers["content-type"] == "application/x-amz-json-1.1"
        assert headers["x-amzn-requestid"]
        assert headers["date"].endswith(" GMT")
        assert "connection" not in headers
    assert list(fake.models) == ["a", "b", "c"]
    assert [(entry["operation"], entry["verdict"], entry["status"], entry["world"]) for entry in log] == [
        ("CreateModel", "accepted", 200, "default")
    ] * 3


def test_pipelined_requests_are_answered_in_order(raw, fake):
    raw.send(b"".join(create(f"m{number}", fake) for number in range(20)) + http())
    arns = [json.loads(raw.receive()[2]) for _ in range(20)]
    assert [arn["ModelArn"].rpartition("/")[2] for arn in arns] == [f"m{number}" for number in range(20)]
    assert len(json.loads(raw.receive()[2])["Models"]) == 10


@pytest.mark.parametrize("sizes", [[1], [7, 3], [100]])
def test_chunked_bodies(sizes, raw, fake):
    body = json.dumps(fake.request(ModelName="chunked")).encode()
    pieces, start = [], 0
    while start < len(body):
        size = sizes[len(pieces) % len(sizes)]
        piece = body[start : start + size]
        pieces.append(f"{len(piece):x};a=b\r\n".encode() + piece + b"\r\n")
        start += size
    raw.send(http(b"", "CreateModel", more="Transfer-Encoding: chunked\r\n", length=-1), *pieces, b"0\r\nX-Trailer: a\r\n\r\n", http())
    assert raw.receive()[0] == 200
    assert json.loads(raw.receive()[2])["Models"][0]["ModelName"] == "chunked"


def test_a_packed_body_and_expect(raw, fake):
    packed = gzip.compress(json.dumps(fake.request(ModelName="packed")).encode())
    raw.send(http(b"", "CreateModel", more="Content-Encoding: gzip\r\nExpect: 100-continue\r\n", length=len(packed)))
    assert raw.receive()[0] == 100
    raw.send(packed)
    assert raw.receive()[0] == 200
    assert list(fake.models) == ["packed"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_bound(chunked, raw, fake):
    body = b" " * (MAX_BODY + 300_000)
    if chunked:
        raw.send(http(b"", more="Transfer-Encoding: chunked\r\n", length=-1), f"{len(body):x}\r\n".encode(), body, b"\r\n0\r\n\r\n")
    else:
        raw.send(http(body))
    status, headers, answer = raw.receive()
    assert (status, headers["x-amzn-errortype"], headers["connection"]) == (413, "RequestEntityTooLargeException", "close")
    assert json.loads(answer)["__type"] == "RequestEntityTooLargeException"
    assert raw.receive()[0] == 0
    assert fake.calls[-1].error.status == 413


def test_old_http_and_head(connect):
    raw = connect()
    raw.send(http(version="1.0"))
    assert (raw.receive()[0], raw.receive()[0]) == (200, 0)
    raw = connect()
    raw.send(http(version="1.0", more="Connection: Keep-Alive\r\n"))
    assert raw.receive()[1]["connection"] == "Keep-Alive"
    raw = connect()
    raw.send(b"HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert raw.file.readline().startswith(b"HTTP/1.1 200")
    while raw.file.readline().strip():
        pass
    status, headers, body = raw.receive()
    assert (status, headers["connection"], json.loads(body)) == (200, "close", {"status": "ok", "worlds": 1})


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"POST / HTTP/9.9\r\n\r\n", 505),
        (b"post / HTTP/1.1\r\n\r\n", 400),
        (b"POST nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n Host: localhost\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1_0\r\n\r\n0123456789", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: zip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 413),
        (b"POST /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0, 0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length : 0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nX: a\nContent-Length: 0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\nHost: localhost\n\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n", 400),
        (b"POST /\0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 400),
        (b"POST http://elsewhere/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 400),
        (b"POST http:/// HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 400),
        (b"POST  / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 400),
        (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\n", 505),
        (CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"2 2\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"2\r\n{}0\r\n\r\n", 400),
        (CHUNKED + b"fffffffff\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"2\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"2;a=\0\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"2\r\n{}\r\n0\r\nno trailer\r\n\r\n", 400),
        (CHUNKED + b"1\r\n \r\n" * 400_000 + b"0\r\n\r\n", 400),
        (CHUNKED + b"2;" + b"x" * 100_000 + b"\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"2\r\n{}\r\n0\r\n" + b"x: y\r\n" * 100_000 + b"\r\n", 400),
    ],
)
@pytest.mark.parametrize("arrival", ["at once", "in pieces", "after a request", "before a request"])
def test_requests_that_are_none(request_, status, arrival, raw, fake):
    if arrival == "after a request":
        raw.send(http() + request_)
        assert raw.receive()[0] == 200
    elif arrival == "in pieces":
        size = max(1, len(request_) // 50)
        raw.send(*(request_[start : start + size] for start in range(0, len(request_), size)))
    else:
        raw.send(request_ + (create("smuggled", fake) if arrival == "before a request" else b""))
    assert raw.receive()[0] == status
    raw.socket.shutdown(socket.SHUT_WR)
    assert raw.receive()[0] == 0
    assert fake.models == {}


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: [x\r\nContent-Length: 0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x/worlds/w2\r\nContent-Length: 0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n", 421),
        (b"POST / HTTP/1.1\r\nHost: localhost.evil.example\r\nContent-Length: 0\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 404),
        (b"GET /_smfake/state HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    ],
)
def test_requests_that_go_nowhere(request_, status, raw, fake):
    """They are whole, so that the connection is kept."""
    raw.send(request_ + http())
    assert raw.receive()[0] == status
    assert raw.receive()[0] == 200
    assert fake.models == {}


def test_a_body_that_ends_early_is_no_request(connect, fake):
    whole = create("a", fake)
    raw = connect()
    raw.send(whole[:-1])
    raw.socket.shutdown(socket.SHUT_WR)
    assert raw.receive()[0] == 400
    assert fake.models == {}
    assert len(fake.calls) == 0


def test_slow_and_half_open_connections_hold_up_no_other(connect, fake):
    whole = create("late", fake)
    slow = [connect() for _ in range(80)]
    for number, raw in enumerate(slow):
        raw.send(whole[: number * (len(whole) - 1) // 80])  # each has stopped somewhere else
    started = time.monotonic()
    quick = connect()
    for number in range(20):
        quick.send(create(f"quick-{number}", fake))
        assert quick.receive()[0] == 200
    assert time.monotonic() - started < connection.PATIENCE / 2
    slow[40].send(whole[40 * (len(whole) - 1) // 80 :])
    assert slow[40].receive()[0] == 200
    assert len(fake.models) == 21


def test_what_is_refused_is_no_beginning_of_another_request(raw, fake):
    """What follows a request that can be read in two ways is read in none."""
    raw.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 900\r\n\r\n" + create("smuggled", fake))
    assert raw.receive()[0] == 400
    assert raw.receive()[0] == 0
    assert list(fake.models) == []


@pytest.mark.parametrize("path", ["/worlds", "/worlds/", "/WORLDS/w", "/worlds/w/worlds/default/", "/health/", "/_smfakeX", "/x"])
def test_a_path_that_is_no_world_s_is_answered_by_none(path, server, raw, fake):
    with server.serving("w", FakeSageMaker()):
        raw.send(http(path=path))
        status, _, body = raw.receive()
    assert (status, json.loads(body)["__type"]) == (404, "NoSuchWorld")
    assert len(fake.calls) == 0


def test_what_is_no_request_is_in_the_access_log(raw, log):
    raw.send(b"nonsense\r\n\r\n")
    assert raw.receive()[0] == 400
    assert [(entry["method"], entry["status"], entry["error"]) for entry in log] == [(None, 400, "The request line is malformed")]


def test_answers_that_are_slow_on_purpose_hold_up_none(connect, fake):
    fake.delay("CreateModel", 2, times=None, real=True)
    slow = [connect() for _ in range(300)]
    for number, raw in enumerate(slow):
        raw.send(create(f"m-{number}", fake))
    quick = connect()
    quick.send(http())
    assert quick.receive()[0] == 200
    assert len(fake.models) < 300
    for raw in slow:
        assert raw.receive()[0] == 200
    assert len(fake.models) == 300


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:80", "192.0.2.1", "api.localhost", "build-7", "a.build-7"]
)
def test_names_that_are_the_server_s(host, fake):
    request_ = http().replace(b"Host: localhost", f"Host: {host}".encode())
    with (
        Server(host_names=["build-7"]) as server,
        server.serving("default", fake),
        socket.create_connection(("127.0.0.1", server.port)) as sock,
    ):
        sock.sendall(request_)
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")


def test_the_path_is_that_of_the_request_line(server, raw, fake):
    other = FakeSageMaker()
    with server.serving("other", other):
        raw.send(create("a", fake).replace(b"POST / ", b"POST http://localhost/worlds/other/ "))
        assert raw.receive()[0] == 200
    assert (list(fake.models), list(other.models)) == ([], ["a"])


def test_more_slow_connections_than_threads_hold_up_no_other(connect, fake):
    whole = create("late", fake)
    slow = [connect() for _ in range(400)]
    for raw in slow:
        raw.send(whole[:-1])
    quick = connect()
    quick.send(create("quick", fake))
    assert quick.receive()[0] == 200
    slow[-1].send(whole[-1:])
    assert slow[-1].receive()[0] == 200
    assert list(fake.models) == ["quick", "late"]


def test_who_reads_no_answers_is_asked_for_no_requests(connect, fake):
    for number in range(100):
        fake.add_model(ModelName=f"{'m' * 50}-{number}")
    deaf = connect()
    deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.socket.settimeout(0.5)
    asked = http(b'{"MaxResults": 100}')

    def ask_for_ever():
        while True:
            deaf.send(asked)

    with pytest.raises(TimeoutError):
        ask_for_ever()
    assert len(fake.calls) < 5000
    quick = connect()
    quick.send(http())
    assert quick.receive()[0] == 200


def test_a_request_that_comes_in_small_pieces_has_one_deadline(connect, monkeypatch):
    monkeypatch.setattr(connection, "PATIENCE", 0.5)
    raw = connect()
    raw.socket.settimeout(0.1)
    answered = b""
    for _ in range(100):
        with contextlib.suppress(TimeoutError):
            raw.send(b"a")
            answered = raw.socket.recv(100)
        if answered:
            break
    assert answered.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("s3", "head_bucket", {"Bucket": "bucket"}),
        ("s3", "list_objects_v2", {"Bucket": "bucket"}),
        ("sts", "get_caller_identity", {}),
        ("iam", "list_roles", {}),
        ("ec2", "describe_vpcs", {}),
        ("route53", "list_hosted_zones", {}),
        ("cloudfront", "list_distributions", {}),
        ("dynamodb", "list_tables", {}),
        ("lambda", "list_functions", {}),
        ("ecr", "describe_repositories", {}),
    ],
)
def test_another_service_is_refused_as_its_client_reads_it(service, operation, arguments, server):
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    client = boto3.client(service, endpoint_url=server.url, **keys, config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**arguments)
    client.close()
    error = caught.value.response["Error"]
    if operation == "head_bucket":  # the answer to HEAD has no body
        assert error["Code"] == "404"
    else:
        assert (error["Code"], error["Message"]) == ("UnknownOperationException", "This server answers for SageMaker and its runtime only")


def test_a_slow_request_is_given_up(connect, monkeypatch):
    monkeypatch.setattr(connection, "PATIENCE", 0.2)
    raw = connect()
    raw.send(b"POST / HTTP/1.1\r\nHo")
    assert raw.receive()[0] == 408
    assert raw.receive()[0] == 0


def test_a_connection_that_is_reset_on_purpose(raw, fake):
    fake.fail("CreateModel", "connection-reset", effect="after")
    raw.send(create("a", fake))
    with pytest.raises(ConnectionResetError):
        raw.receive()
    assert list(fake.models) == ["a"]


@pytest.mark.parametrize("kind", ["connection-refused", "connect-timeout"])
def test_what_is_over_once_connected_is_a_reset(kind, raw, fake):
    fake.fail("ListModels", kind)
    raw.send(http())
    with pytest.raises(ConnectionResetError):
        raw.receive()


def test_silence_lasts_until_the_client_gives_up(connect, fake, log):
    fault = fake.fail("ListModels", "read-timeout")
    raw = connect()
    raw.socket.settimeout(0.2)
    raw.send(http())
    with pytest.raises(TimeoutError):
        raw.receive()
    raw.close()
    assert fault.hits == 1
    other = connect()
    other.send(http())
    assert other.receive()[0] == 200
    assert [entry["status"] for entry in log] == [0, 200]


def test_silence_is_bounded_and_ends_with_the_server(fake, monkeypatch, connect):
    monkeypatch.setattr(connection, "UNANSWERED", 0.2)
    fake.fail("ListModels", "read-timeout")
    raw = connect()
    raw.send(http())
    assert raw.receive()[0] == 0


@pytest.mark.parametrize(("kind", "sent"), [("truncated-body", True), ("empty-body", False)])
def test_a_damaged_body_has_the_length_that_was_announced(kind, sent, raw, fake):
    fake.fail("CreateModel", kind)
    raw.send(create("a", fake))
    status, headers, body = raw.receive()
    assert status == 200
    assert len(body) < int(headers["content-length"])
    assert bool(body) is sent
    assert list(fake.models) == ["a"]


def test_a_status_and_a_page(connect, fake):
    fake.fail("ListModels", "503")
    fake.fail("ListModels", "non-json-body")
    raw = connect()
    raw.send(http(), http())
    assert raw.receive()[::2] == (503, b"")
    status, headers, body = raw.receive()
    assert (status, headers["content-type"]) == (200, "text/html")
    assert body.startswith(b"<!DOCTYPE html>")


def test_a_delay_moves_the_clock_and_the_date(raw, fake):
    fake.delay("ListModels", 3600)
    before = fake.clock.now()
    started = time.monotonic()
    raw.send(http())
    date = raw.receive()[1]["date"]
    assert time.monotonic() - started < 60
    assert fake.clock.now() - before >= 3600
    assert date == time.strftime(
        "%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.mktime(time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone)
    )
    assert abs(time.mktime(time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone - fake.clock.now()) < 60


def test_worlds_have_paths(server, connect):
    one, two = FakeSageMaker(), FakeSageMaker(account="111122223333")
    raw = connect()
    with server.serving("one", one) as url, server.serving("two", two):
        assert url == f"{server.url}/worlds/one"
        for path in ("/worlds/one", "/worlds/two/", "/worlds/two?x=1"):
            raw.send(http(json.dumps(one.request(ModelName=f"m{len(path)}")).encode(), "CreateModel", path=path))
            assert raw.receive()[0] == 200
        assert (list(one.models), list(two.models)) == (["m11"], ["m12", "m15"])
    raw.send(http(path="/worlds/one"))
    status, headers, body = raw.receive()
    assert (status, headers["x-amzn-errortype"]) == (404, "NoSuchWorld")
    assert "There is no world 'one' on this server" in json.loads(body)["message"]


def test_a_predicate_that_raises_is_an_error_of_its_own(fake):
    with Server() as server, server.serving("default", fake):
        fake.fail("ListModels", "503", when=lambda _: 1 / 0, optional=True)
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(http())
            answer = sock.recv(65536)
    assert answer.startswith(b"HTTP/1.1 500")
    assert b"ZeroDivisionError in the fake" in answer
    assert b"Traceback" not in answer


def test_a_server_that_stops_leaves_nothing(fake):
    before = set(threading.enumerate())
    with Server() as server, server.serving("default", fake):
        assert servers >= {f"127.0.0.1:{server.port}"}
        port = server.port
        sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        for sock in sockets:
            sock.sendall(http())
            assert sock.recv(65536).startswith(b"HTTP/1.1 200")
    assert set(threading.enumerate()) == before
    assert not any(name.endswith(f":{port}") for name in servers)
    assert [sock.recv(10) for sock in sockets] == [b""] * 5
    for sock in sockets:
        sock.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
