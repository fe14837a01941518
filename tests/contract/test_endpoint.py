"""An endpoint as a target: one that answers, and addresses at which nobody does, or somebody else."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pytest_smfake import FakeSageMaker
from pytest_smfake.cli import main
from pytest_smfake.transport.server import DEFAULT, Server


@pytest.fixture
def stranger(request):
    """The address of an HTTP server that answers every POST in its own way."""
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


@pytest.mark.parametrize("stranger", [(200, b"<html>"), (405, b"<html>"), (404, b"[]")], indirect=True, ids=["200", "405", "list"])
def test_somebody_else_answers(stranger, capsys):
    assert main(["contract", f"--target=endpoint={stranger}", "--check=create/*"]) == 4
    text = capsys.readouterr()
    assert text.out == ""
    assert text.err.startswith(f"smfake: what answers at {stranger} is not SageMaker: ")
    assert text.err.count("\n") == 1


def test_the_same_under_pytest(pytester, alone):
    result = pytester.runpytest(
        "--pyargs", "pytest_smfake.contract", "--smfake-target=endpoint=http://127.0.0.1:9", "--smfake-check=create/response"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["*smfake contract: the endpoint http://127.0.0.1:9 cannot be reached: *"])
