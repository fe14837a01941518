"""`smfake serve` as a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from pytest_smfake.cli import main
from pytest_smfake.server.command import LOG_LINES, AccessLog

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:1"


@contextmanager
def serving(*arguments: str):
    """Run `smfake serve`; yield the process, the port and the lines that it printed until it was ready."""
    command = [sys.executable, "-m", "pytest_smfake.cli", "serve", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = []
            while not lines or "ready" not in lines[-1]:
                line = process.stdout.readline()
                assert line, process.stderr.read()
                lines.append(line.strip())
            yield process, int(re.search(r":(\d+) ", lines[-1])[1]), lines
        finally:
            process.kill()


def create(connection: http.client.HTTPConnection, name: str) -> int:
    body = json.dumps({"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}})
    connection.request("POST", "/", body, {"X-Amz-Target": "SageMaker.CreateModel", "Content-Type": "application/x-amz-json-1.1"})
    response = connection.getresponse()
    response.read()
    return response.status


def test_it_says_when_it_is_ready_and_logs_each_request(tmp_path):
    options = ["--port", "0", "--limit", "models=1", "--rule", "CreateModel/ModelName:pattern=off", "--edition", "sdk", "--calls", "5"]
    with serving(*options) as (process, port, lines):
        assert lines == [f"smfake ready: http://127.0.0.1:{port} (edition sdk)"]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        assert [create(connection, "a_b"), create(connection, "c")] == [200, 400]
        connection.request("GET", "/_smfake/state")
        response = connection.getresponse()
        assert (response.status, "smfake serve --admin has one" in response.read().decode()) == (404, True)
        connection.close()
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=20)
    assert (process.returncode, output) == (0, "smfake stopped\n")
    log = [json.loads(line) for line in errors.splitlines()]
    assert [(entry["status"], entry.get("operation"), entry.get("verdict"), entry.get("code")) for entry in log] == [
        (200, "CreateModel", "accepted", None),
        (400, "CreateModel", "rejected", "ResourceLimitExceeded"),
        (404, None, None, None),
    ]
    assert all(entry["ms"] >= 0 and entry["client"] == "127.0.0.1" for entry in log)


@contextmanager
def answering_slowly(*arguments: str):
    """Run `smfake serve`, and yield its process while it makes an answer that takes ten minutes."""
    with serving("--port", "0", "--admin", "--token", "token", *arguments) as (process, port, _):
        admin = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        told = json.dumps({"operation": "CreateModel", "seconds": 600, "real": True})
        admin.request("POST", "/_smfake/worlds/default/delays", told, {"Authorization": "Bearer token"})
        assert b"delay" in admin.getresponse().read()
        with socket.create_connection(("127.0.0.1", port)) as waiting:
            waiting.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: SageMaker.CreateModel\r\nContent-Length: 2\r\n\r\n{}")
            time.sleep(0.2)
            yield process
        admin.close()


def test_a_signal_ends_it_whatever_a_delay_says():
    with answering_slowly() as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def test_a_second_signal_ends_it_at_once(tmp_path):
    with answering_slowly("--state", str(tmp_path / "state.json")) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert not (tmp_path / "state.json").exists()


def test_a_closed_output_is_told_at_the_start():
    command = f"{shlex.quote(sys.executable)} -m pytest_smfake.cli serve --port 0 >&-"
    done = subprocess.run(["/bin/sh", "-c", command], check=False, stderr=subprocess.PIPE, text=True, timeout=60)
    said = "smfake: standard output is closed, so that the URL of the server could not be printed\n"
    assert (done.returncode, done.stderr) == (2, said)


def test_the_log_is_an_object_a_line_under_parallel_clients():
    with serving("--port", "0") as (process, port, _):

        def ask():
            for _ in range(50):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                connection.request("GET", "/health")
                assert b"ok" in connection.getresponse().read()
                connection.close()

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert [json.loads(line)["path"] for line in errors.splitlines()] == ["/health"] * 400


def test_a_log_that_nobody_reads_holds_up_none():
    log = AccessLog(stream := Stuck())
    for number in range(LOG_LINES + 100):
        log({"number": number})
    stream.read.set()
    log.close()
    numbers = [entry["number"] for entry in map(json.loads, stream.lines) if "number" in entry]
    left_out = [entry["left_out"] for entry in map(json.loads, stream.lines) if "left_out" in entry]
    assert numbers[0] == 0
    assert len(numbers) + sum(left_out) == LOG_LINES + 100
    assert 98 <= sum(left_out) <= 100


class Stuck:
    """A stream that takes nothing until somebody reads."""

    def __init__(self):
        self.read = threading.Event()
        self.lines = []

    def write(self, text):
        self.read.wait(30)
        self.lines += text.splitlines()

    def flush(self):
        """Nothing waits."""


def test_a_server_whose_standard_error_is_closed_answers():
    script = f"exec {sys.executable} -m pytest_smfake.cli serve --port 0 2>&-"
    with subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE, text=True) as process:
        port = int(re.search(r":(\d+) ", process.stdout.readline())[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/health")
        assert connection.getresponse().read() == b'{"status": "ok", "worlds": 1}'
        connection.close()
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "smfake stopped\n"


def test_a_state_is_written_where_a_link_leads(tmp_path):
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    with serving("--port", "0", "--state", str(tmp_path / "link.json"), "--log", "none") as (process, _, _):
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    assert (tmp_path / "link.json").is_symlink()
    assert "worlds" in json.loads((tmp_path / "real.json").read_text("utf-8"))


def test_stopped_under_load_everything_that_was_answered_is_in_the_last_state(tmp_path):
    state = tmp_path / "state.json"
    answered: list[str] = []
    enough = threading.Event()

    def load(port: int, client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            for number in range(100_000):
                name = f"m-{client}-{number}"
                if create(connection, name) == 200:
                    answered.append(name)
                if len(answered) > 400:
                    enough.set()
        except (OSError, http.client.HTTPException):
            pass  # the server has stopped
        finally:
            connection.close()

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = str(probe.getsockname()[1])
    with serving("--port", free, "--admin", "--state", str(state), "--log", "none") as (process, port, lines):
        assert re.fullmatch(r"smfake admin token: \S{32}", lines[0])
        threads = [threading.Thread(target=load, args=(port, client)) for client in range(8)]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        for thread in threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in threads)
        (place,) = json.loads(state.read_text("utf-8"))["worlds"]["default"]["places"]
        kept = [model["name"] for model in place["models"]]
        assert len(kept) == len(set(kept))
        assert set(answered) <= set(kept)
        assert len(kept) - len(answered) <= 8  # an answer that was on its way for each client
        # The port is free again: a server can be started on it at once, and no second one beside it.
        with serving("--port", str(port)) as (again, same, _):
            assert same == port
            command = [sys.executable, "-m", "pytest_smfake.cli", "serve", "--port", str(port)]
            second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
            assert (second.returncode, f"cannot listen on 127.0.0.1 port {port}" in second.stderr) == (2, True)
            again.send_signal(signal.SIGINT)
            assert again.wait(timeout=20) == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--limit", "models"], "--limit: 'models' is not of the form NAME = VALUE"),
        (["--limit", "model=3"], "'model' is not a limit; did you mean 'models'?; there are: models"),
        (["--rule", "CreateModel/Nothing:max=3"], "CreateModel/Nothing:max"),
        (["--key", "onlyid"], "--key must be ID:SECRET or ID:SECRET:ACCOUNT, got 'onlyid'"),
        (["--key", "a:b:12"], "account of 'a' must be a string of 12 digits, got '12'"),
        (["--port", "70000"], "--port must be from 0 to 65535, got 70000"),
        (["--calls", "0"], "--calls must be at least 1, got 0"),
        (["--token", "x"], "--token needs --admin, which offers the admin API"),
        (["--region", "nowhere"], "'nowhere' is not the name of a region"),
        (["--limit", f"models={'9' * 5000}"], "a limit on models is a whole number of at least 0, not '999"),
        (["--state", "/nowhere/at/all.json"], "--state: /nowhere/at/all.json cannot be written: /nowhere/at is not a directory"),
        (["--state", "/dev/full"], "--state: /dev/full is no regular file, such as can be replaced by another"),
        (["--state", "/proc/state.json"], "--state: /proc/state.json cannot be written: /proc: "),
        (["--host-name", ""], "--host-name must be a host name such as build-7, without scheme, port or *, got ''"),
        (["--host-name", "build-7:80"], "--host-name must be a host name such as build-7, without scheme, port or *, got 'build-7:80'"),
        (["--state", "."], "--state: . is a directory, not a file to write to"),
        (["--host", "256.1.1.1"], "--host '256.1.1.1' is not an address of this machine"),
    ],
)
def test_options_that_cannot_be(arguments, text, capsys):
    assert main(["serve", *arguments]) == 2
    assert text in capsys.readouterr().err


def test_keys_are_verified_over_the_wire():
    boto3 = pytest.importorskip("boto3")
    with serving("--port", "0", "--auth", "strict", "--key", "AKIAX:s3cr3t:111122223333", "--log", "none") as (_, port, _lines):
        url = f"http://127.0.0.1:{port}"

        def client(secret):
            return boto3.client(
                "sagemaker", region_name="us-east-1", endpoint_url=url, aws_access_key_id="AKIAX", aws_secret_access_key=secret
            )

        request = {"ModelName": "a", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}}
        assert ":111122223333:" in client("s3cr3t").create_model(**request)["ModelArn"]
        with pytest.raises(client("x").exceptions.ClientError, match="InvalidSignatureException"):
            client("x").create_model(**request)
    assert os.environ.get("AWS_ENDPOINT_URL") is None
