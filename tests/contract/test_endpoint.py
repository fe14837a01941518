"""Test the target endpoint: with a server, without a server, and with a server of another kind."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pytest_smfake import FakeSageMaker
from pytest_smfake.cli import main
from pytest_smfake.contract import EndpointTarget, Target
from pytest_smfake.server.worlds import DEFAULT, Server


@pytest.fixture
def stranger(request):
    """Yield the address of an HTTP server that answers every POST in its own way."""
    status, body = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_one_that_answers(capsys):
    with Server() as server, server.serving(DEFAULT, FakeSageMaker()):
        assert main(["contract", f"--target=endpoint={server.url}", "--check=create/*"]) == 0
    assert "in all" in capsys.readouterr().out


def test_nobody_answers(capsys):
    assert main(["contract", "--target=endpoint=http://127.0.0.1:9", "--check=create/*"]) == 4
    text = capsys.readouterr()
    assert text.out == ""
    assert text.err == (
        'smfake: the endpoint http://127.0.0.1:9 cannot be reached: Could not connect to the endpoint URL: "http://127.0.0.1:9/"\n'
    )


@pytest.mark.parametrize(
    "stranger",
    [(200, b"<html>"), (405, b"<html>"), (404, b"[]"), (200, b"null"), (200, b"[" * 100_000)],
    indirect=True,
    ids=["200", "405", "list", "null", "nested"],
)
def test_somebody_else_answers(stranger, capsys):
    assert main(["contract", f"--target=endpoint={stranger}", "--check=create/*"]) == 4
    text = capsys.readouterr()
    assert text.out == ""
    assert text.err.startswith(f"smfake: the endpoint {stranger} does not answer as SageMaker: ")
    assert text.err.count("\n") == 1


def test_the_same_under_pytest(pytester, alone):
    result = pytester.runpytest(
        "--pyargs", "pytest_smfake.contract", "--smfake-target=endpoint=http://127.0.0.1:9", "--smfake-check=create/response"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["*smfake contract: the endpoint http://127.0.0.1:9 cannot be reached: *"])


@pytest.fixture
def served():
    """Yield a server with its own fake, which tests can inspect."""
    fake = FakeSageMaker()
    with Server() as server, server.serving(DEFAULT, fake):
        yield EndpointTarget(server.url, account=fake.account), fake


def test_a_creation_whose_answer_never_came_is_deleted(served, monkeypatch):
    target, fake = served
    original = target._call

    def interrupted(client, operation):
        original(client, operation)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(target, "_call", interrupted)
    with pytest.raises(KeyboardInterrupt), target:
        target.send("CreateModel", target.request())
    assert list(fake.models) == []
    assert target.finish() == []


def test_a_creation_without_an_answer_of_another_name_is_told_and_left_alone(served, monkeypatch):
    target, fake = served
    fake.add_model(ModelName="a")

    def interrupted(*_):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(target, "_call", interrupted)
    with pytest.raises(KeyboardInterrupt), target:
        target.send("CreateModel", target.request(ModelName="a"))
    assert list(fake.models) == ["a"]
    assert target.finish() == ["a"]


def test_what_cannot_be_deleted_is_told(served, capsys):
    target, fake = served
    fake.fail("DeleteModel", "AccessDeniedException", times=None)
    assert main(["contract", f"--target={target.name}", "--check=create/*"]) == 1
    printed = capsys.readouterr().out
    assert f"{target.name}: models left: " in printed
    assert [name for name in fake.models if name not in printed.partition("models left: ")[2].splitlines()[0].split(", ")] == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "InternalFailure"])
def test_a_model_that_cannot_be_looked_up_either_counts_as_left(code, served):
    target, fake = served
    fake.fail("DeleteModel", "AccessDeniedException", times=None)
    fake.fail("DescribeModel", code, times=None)
    with target:
        target.send("CreateModel", target.request())
    assert target.finish() == list(fake.models) == [target.name_of()]


def test_what_could_be_deleted_at_the_end_is_not_told(served):
    target, fake = served
    fault = fake.fail("DeleteModel", "AccessDeniedException")
    with target:
        target.send("CreateModel", target.request())
    assert len(fake.models) == 1
    assert (fault.hits, target.finish(), list(fake.models)) == (1, [], [])


def test_an_endpoint_that_answers_no_more_ends_the_run(capsys, monkeypatch):
    server = Server()
    server.__enter__()
    calls = []
    send = Target.send

    def counted(target, operation, request, *, region=None):
        calls.append(operation)
        if len(calls) == 5:
            server.__exit__(None, None, None)
        return send(target, operation, request, region=region)

    monkeypatch.setattr(Target, "send", counted)
    with server.serving(DEFAULT, FakeSageMaker()):
        assert main(["contract", f"--target=endpoint={server.url}", "--check=create/*", "--check=tags/*"]) == 1
    printed = capsys.readouterr().out
    assert "stopped: the endpoint no longer answers (" in printed
    assert "in all" in printed
