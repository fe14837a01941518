"""The way to the real service from end to end, on loopback: `smfake contract --target aws` against this package's server, and moto's STS."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

import pytest
from moto.server import ThreadedMotoServer

from pytest_smfake import FakeSageMaker
from pytest_smfake.contract import checks, read
from pytest_smfake.server.worlds import DEFAULT, Server

ACCOUNT = "123456789012"
TOLD = ("--aws-account", ACCOUNT, "--aws-region", "us-east-1", "--aws-prefix", "ci", "--aws-rate", "100000")
USABLE = ("--aws-role", f"arn:aws:iam::{ACCOUNT}:role/SageMaker", "--aws-image", f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1")
OURS = ("--aws-configured-endpoints",)
BYSTANDER = "ci-production"
MOMENTS = int(os.environ.get("SMFAKE_MOMENTS", "6"))
"""How many runs are killed; one environment of tox asks for 20."""
CROWD = [f"{start}-{number}" for start in ("ci", "theirs", "ci-training-prod") for number in range(100)]


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
    fake.after_each = lambda: None
    with Server(log=lambda _: fake.after_each()) as server, server.serving(DEFAULT, fake):
        fake.url = server.url
        yield fake


@pytest.fixture
def start(sts, service):
    """Start `smfake` as a process of its own, whose endpoints are on loopback."""
    keys = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "smfake"}
    variables = os.environ | keys | {"AWS_ENDPOINT_URL_STS": sts, "AWS_ENDPOINT_URL_SAGEMAKER": service.url}

    def start(
        command: str, *arguments: str, module: str = "pytest_smfake.cli", env: Mapping[str, str] = MappingProxyType({})
    ) -> subprocess.Popen[str]:
        line = [sys.executable, "-m", module, command, *arguments]
        return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables | env)

    return start


@pytest.fixture
def start_pytest(start, tmp_path, monkeypatch, alone):
    """Start pytest as a process of its own, likewise."""
    monkeypatch.chdir(tmp_path)
    variables = {name: os.environ[name] for name in ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_PLUGINS")}
    return partial(start, module="pytest", env=variables)


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
    run = re.search(r"run ([0-9a-z]{12}):", text)[1]
    assert code == 0, text
    assert f"account {ACCOUNT}, region us-east-1, run {run}: every name starts with ci-{run}" in text
    assert re.search(rf"[0-9]+ of {len(checks())} checks, [0-9]+ requests, at most [0-9]+ with retries, 100000 per second at most", text)
    assert re.search(r"[0-9]+ rules can be proved; [0-9]+ checks create and delete models, which are free of charge", text)
    announced, sent = (int(re.search(pattern, text)[1]) for pattern in (r"([0-9]+) requests, at most", r"([0-9]+) calls were sent"))
    assert announced == sent
    assert f"0 models of run {run} are left" in text
    assert list(service.models) == [BYSTANDER]
    created = [call for call in service.calls if call.operation == "CreateModel" and call.error is None]
    assert len(created) > 100
    assert all(call.parameters["ModelName"].startswith(f"ci-{run}") for call in created)


def test_without_a_role_nothing_is_created(smfake, service):
    code, text = smfake("contract", "--target", "aws", *TOLD, *OURS)
    assert (code, "nothing is created, unless the service accepts a wrong request" in text) == (0, True), text
    assert [call for call in service.calls if call.operation == "CreateModel" and call.error is None] == []
    assert len([call for call in service.calls if call.error is not None]) > 300


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--aws-account", "999999999999", "--aws-role", "arn:aws:iam::999999999999:role/SageMaker"),
            f"smfake: the credentials belong to account {ACCOUNT}, expected 999999999999; ",
        ),
        (("--aws-region", "mars"), "smfake: the target aws needs region: a region such as us-east-1; got 'mars'"),
        (
            ("--ledger", "ledger.json"),
            "smfake: only a run against the real service can write a ledger: the target aws, without configured endpoints",
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
    for _ in range(2):  # within the check, and at the end
        service.fail("DeleteModel", "AccessDeniedException")
    code, text = smfake("contract", "--target", "aws", *TOLD, *USABLE, *OURS, "--check", "create/response")
    left = re.search(r"smfake cleanup --run=([0-9a-z]{12})", text)
    assert left, text
    assert (code, len(service.models)) == (1, 2)
    code, text = smfake("cleanup", *TOLD, *OURS, "--run", left[1])
    assert (code, f"1 models of run {left[1]} were deleted, 0 are left" in text) == (0, True), text
    assert list(service.models) == [BYSTANDER]


def test_credentials_that_expire_in_the_middle(smfake, service, tmp_path):
    service.fail("DescribeModel", "ExpiredTokenException")
    report = tmp_path / "report.json"
    code, text = smfake("contract", "--target", "aws", *TOLD, *USABLE, *OURS, "--report", str(report))
    assert code == 1
    assert text.count("the credentials are not, or no longer, accepted") == 1
    assert read(report).counts("aws")["failed"] == 0
    assert read(report).counts("aws")["not run"] > 800
    assert list(service.models) == [BYSTANDER]


def snapshot(service):
    return {name: (dict(model), dict(model.tags), model.created) for name, model in service.models.items()}


@pytest.fixture
def crowd(service):
    """What others have in the account."""
    for number, name in enumerate(CROWD):
        service.add_model(ModelName=name, Tags=[{"Key": "team", "Value": str(number)}])
    return snapshot(service)


def send_signal(process, how, service, *, after):
    """Send it in the thread that answers: this one may get no turn before the run is over."""

    def after_each():
        if after():
            service.after_each = lambda: None
            process.send_signal(how)

    service.after_each = after_each


@pytest.mark.parametrize("seed", range(MOMENTS))
def test_killed_at_a_random_moment(start, smfake, service, crowd, tmp_path, seed):
    """After SIGINT and SIGTERM what was created is deleted, and what else there may be is told; `smfake cleanup` does it all after SIGKILL."""
    how = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[seed % 3]
    moment = random.Random(seed).randrange(5, 600)
    report = tmp_path / "report.json"
    process = start("contract", "--target", "aws", *TOLD, *USABLE, *OURS, "--report", str(report))
    plan = process.stdout.readline()
    run = re.search(r"run ([0-9a-z]{12}):", plan)[1]
    last = len(service.calls) + moment
    send_signal(process, how, service, after=lambda: len(service.calls) >= last)
    out, err = process.communicate(timeout=120)
    others = crowd.keys()
    left = [name for name in service.models if name not in others]
    if how != signal.SIGKILL:
        # A model whose creation was on its way may have come after it was looked for.
        assert (process.returncode, err) == (2, "smfake: interrupted\n")
        assert len(left) <= 1
        assert read(report).counts("aws")["not run"] > 0
        assert left == [] or f"aws: models left: {left[0]}. Remove them: smfake cleanup --run={run}" in out
    code, text = smfake("cleanup", *TOLD, *OURS, "--run", run)
    assert (code, f"{len(left)} models of run {run} were deleted, 0 are left" in text) == (0, True), text
    assert snapshot(service) == crowd


def test_pytest_cleans_up_on_sigterm(start_pytest, service, crowd):
    process = start_pytest(
        "--pyargs",
        "pytest_smfake.contract",
        "--smfake-target=aws",
        *(f"--smfake-{option[2:]}" if option.startswith("--") else option for option in (*TOLD, *USABLE, *OURS)),
    )
    send_signal(process, signal.SIGTERM, service, after=lambda: sum(call.operation == "CreateModel" for call in list(service.calls)) >= 20)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 2, out
    assert "0 models of run" in out
    assert snapshot(service) == crowd
