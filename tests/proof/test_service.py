"""The way to the real service from end to end, on loopback: `smfake contract --target aws` against this package's server, and moto's STS."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest
from moto.server import ThreadedMotoServer

from pytest_smfake import FakeSageMaker
from pytest_smfake.contract import checks
from pytest_smfake.transport.server import DEFAULT, Server

ACCOUNT = "123456789012"
TOLD = ("--aws-account", ACCOUNT, "--aws-region", "us-east-1", "--aws-prefix", "ci", "--aws-rate", "100000")
USABLE = ("--aws-role", f"arn:aws:iam::{ACCOUNT}:role/SageMaker", "--aws-image", f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1")
OURS = ("--aws-configured-endpoints",)
BYSTANDER = "ci-production"


@pytest.fixture(scope="module")
def sts():
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def service(request):
    """A SageMaker at an address, not active in this process, in which somebody else has a model."""
    fake = FakeSageMaker(rules=getattr(request, "param", {}))
    fake.add_model(ModelName=BYSTANDER)
    with Server() as server, server.serving(DEFAULT, fake):
        fake.url = server.url
        yield fake


@pytest.fixture
def start(sts, service):
    """Start `smfake` as a process of its own, whose endpoints are on loopback."""
    keys = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "smfake"}
    env = os.environ | keys | {"AWS_ENDPOINT_URL_STS": sts, "AWS_ENDPOINT_URL_SAGEMAKER": service.url}

    def start(command: str, *arguments: str) -> subprocess.Popen[str]:
        line = [sys.executable, "-m", "pytest_smfake.cli", command, *arguments]
        return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)

    return start


@pytest.fixture
def smfake(start):
    """Run `smfake` to its end; return its exit code and what it printed."""

    def run(command: str, *arguments: str) -> tuple[int, str]:
        process = start(command, *arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out + err

    return run


def test_everything_is_checked_counted_and_removed(smfake, service):
    code, text = smfake("contract", "--target", "aws", *TOLD, *USABLE, *OURS)
    run = re.search(r"run ([a-z]{8}):", text)[1]
    assert code == 0, text
    assert f"account {ACCOUNT}, region us-east-1, run {run}: every name begins with ci-{run}" in text
    assert re.search(rf"[0-9]+ of {len(checks())} checks, about [0-9]+ calls, 100000 a second at the most", text)
    assert re.search(r"[0-9]+ rules to be proved; [0-9]+ checks create models, which cost nothing by themselves, and delete them", text)
    budget, sent = (int(re.search(pattern, text)[1]) for pattern in (r"about ([0-9]+) calls", r"([0-9]+) calls were sent"))
    assert 0.5 * budget < sent < 2 * budget
    assert f"0 models of run {run} are left" in text
    assert list(service.models) == [BYSTANDER]
    created = [call for call in service.calls if call.operation == "CreateModel" and call.error is None]
    assert len(created) > 100
    assert all(call.parameters["ModelName"].startswith(f"ci-{run}") for call in created)


def test_without_a_role_nothing_is_created(smfake, service):
    code, text = smfake("contract", "--target", "aws", *TOLD, *OURS)
    assert (code, "nothing is created, unless the service accepts what it should reject" in text) == (0, True), text
    assert [call for call in service.calls if call.operation == "CreateModel" and call.error is None] == []
    assert len([call for call in service.calls if call.error is not None]) > 300


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--aws-account", "999999999999"),
            f"smfake: the credentials are of account {ACCOUNT}, and not of 999999999999, which is expected; ",
        ),
        (("--aws-region", "mars"), "smfake: the target aws needs region: a region such as us-east-1; 'mars' is none"),
        (
            ("--ledger", "ledger.json"),
            "smfake: a ledger is written by a run against the real service alone: the target aws, at its own endpoint",
        ),
    ],
    ids=["account", "region", "ledger"],
)
def test_refused_in_a_sentence_and_nothing_is_sent(smfake, service, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    before = len(service.calls)
    code, text = smfake("contract", "--target", "aws", *TOLD, *USABLE, *OURS, *arguments)
    assert (code, len(service.calls) - before, text.count("\n")) == (4, 0, 1), text
    assert text.startswith(sentence)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("service", [dict.fromkeys(["CreateModel/ModelName:max", "DeleteModel/ModelName:max"])], indirect=True, ids=["lax"])
def test_what_the_service_accepts_wrongly_is_a_finding_and_removed(smfake, service):
    code, text = smfake("contract", "--target", "aws", *TOLD, *USABLE, *OURS, "--check", "CreateModel/ModelName:max-64")
    assert (code, "actual: accepted, 200" in text, list(service.models)) == (1, True, [BYSTANDER]), text


def test_what_is_left_is_told_and_can_be_removed(smfake, service):
    service.fail("CreateModel", "connection-reset", effect="after", attempts=1)
    code, text = smfake("contract", "--target", "aws", *TOLD, *USABLE, *OURS, "--check", "create/response")
    left = re.search(r"smfake cleanup --run=([a-z]{8})", text)
    assert left, text
    assert (code, len(service.models)) == (1, 2)
    code, text = smfake("cleanup", *TOLD, *OURS, "--run", left[1])
    assert (code, f"1 models of run {left[1]} were deleted, 0 are left" in text) == (0, True), text
    assert list(service.models) == [BYSTANDER]


@pytest.mark.parametrize("seed", range(10))
def test_interrupted_at_a_random_moment(start, smfake, service, seed):
    """After Ctrl-C what was created is deleted, and what else there may be is told; after a process that is killed, `smfake cleanup` does it all."""
    moment = random.Random(seed).randrange(2, 200)
    how = (signal.SIGINT, signal.SIGKILL)[seed % 2]
    process = start(
        "contract", "--target", "aws", *TOLD, *USABLE, *OURS, "--check", "create/*", "--check", "CreateModel/*", "--check", "tags/*"
    )
    plan = process.stdout.readline()
    run = re.search(r"run ([a-z]{8}):", plan)[1]
    before = len(service.calls)
    while len(service.calls) < before + moment and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    if how == signal.SIGINT:
        # A model whose answer was on its way is not known to be ours; it is told, and left to `smfake cleanup`.
        left = [f"aws: {name} is left. Remove it: smfake cleanup --run={run}\n" for name in service.models if name != BYSTANDER]
        assert (process.returncode, err) == (2, "".join([*left, "smfake: interrupted\n"]))
        assert len(left) <= 1
    code, text = smfake("cleanup", *TOLD, *OURS, "--run", run)
    assert (code, f"of run {run} were deleted, 0 are left" in text) == (0, True), text
    assert list(service.models) == [BYSTANDER]
