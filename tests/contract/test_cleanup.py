"""Test the ids of runs, the models that `smfake cleanup` deletes, and signals."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from moto import mock_aws

from pytest_smfake import FakeSageMaker
from pytest_smfake.cli import main
from pytest_smfake.contract import FakeTarget, checks
from pytest_smfake.contract.run import run_checks
from pytest_smfake.contract.session import Session, Signals, find_residue
from pytest_smfake.contract.targets.aws import AwsTarget
from pytest_smfake.contract.targets.emulators import aws_target
from pytest_smfake.contract.targets.names import LETTERS, is_run, new_run
from pytest_smfake.contract.targets.target import UnprovedError

pytestmark = pytest.mark.once

ACCOUNT = "123456789012"
RUN = "4k9zq0vw2bt3"
TOLD = {"account": ACCOUNT, "region": "us-east-1", "prefix": "ci", "rate": 1_000_000}
USABLE = {"role": f"arn:aws:iam::{ACCOUNT}:role/SageMaker", "image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1"}
LINE = [f"--aws-{name}={value}" for name, value in TOLD.items()]


@pytest.fixture
def service():
    with mock_aws(), FakeSageMaker() as fake:
        yield fake


def test_ids_are_of_a_form_that_nothing_else_has():
    runs = {new_run() for _ in range(1000)}
    assert len(runs) == 1000
    assert all(map(is_run, runs))
    run = next(iter(runs))
    for place, letter in enumerate(run):
        others = [run[:place] + other + run[place + 1 :] for other in LETTERS if other != letter]
        assert not any(map(is_run, others))
    swapped = {run[:place] + run[place + 1] + run[place] + run[place + 2 :] for place in range(10)} - {run}
    assert not any(map(is_run, swapped))
    assert FakeTarget().run == "alone"
    assert is_run(aws_target(TOLD).run)


NO_IDS = [
    "training",
    "production01",
    "",
    "20261126T010",
    RUN[:-1],
    f"{RUN}-a",
    RUN.upper(),
    f"{RUN}\n",
    "4k9zq0vw2bt8",
    "bcdfghjkmnpq",
    "*",
]


@pytest.mark.parametrize("text", NO_IDS)
def test_an_id_that_no_run_has_is_refused(service, capsys, text):
    service.add_model(ModelName=f"ci-{text}".strip("-\n*"))
    assert main(["cleanup", *LINE, f"--run={text}"]) == 4
    assert capsys.readouterr().err == (
        f"smfake: {text!r} is not the id of a run: use the 12 lower-case letters and digits that the run printed, such as {RUN}\n"
    )
    assert len(service.calls) == 0


def tag(value):
    return [{"Key": "smfake-run", "Value": value}]


@pytest.fixture
def left(service):
    """Create models that a run left, and models of other users with similar names."""
    service.add_model(ModelName=f"ci-{RUN}", Tags=tag(RUN))
    service.add_model(ModelName=f"ci-{RUN}-a", Tags=tag(RUN))
    service.add_model(ModelName=f"ci-{RUN}-untagged", Tags=[{"Key": "team", "Value": "growth"}])
    service.add_model(ModelName=f"ci-{RUN}-prod", Tags=[{"Key": "team", "Value": "growth"}])
    service.add_model(ModelName=f"ci-{RUN}-other", Tags=tag("another"))
    service.add_model(ModelName=f"ci-{RUN}x", Tags=tag(RUN))
    service.add_model(ModelName=f"my-ci-{RUN}", Tags=tag(RUN))
    service.add_model(ModelName="ci-training-prod", Tags=tag("training"))
    return service


OWN = [f"ci-{RUN}", f"ci-{RUN}-a", f"ci-{RUN}-untagged"]
OTHERS = [f"ci-{RUN}-prod", f"ci-{RUN}-other", f"ci-{RUN}x", f"my-ci-{RUN}", "ci-training-prod"]
PASSED_OVER = {
    f"passed over: ci-{RUN}-prod, since it has no tag smfake-run",
    f"passed over: ci-{RUN}-other, since its tag smfake-run is 'another'",
}


def test_cleanup_takes_what_bears_name_and_tag(left, capsys):
    assert main(["cleanup", *LINE, f"--run={RUN}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line for line in lines if line.startswith("deleted: ")} == {f"deleted: {name}" for name in OWN}
    assert {line for line in lines if line.startswith("passed over: ")} == PASSED_OVER
    assert lines[-1] == f"3 models of run {RUN} were deleted, 0 are left, 2 passed over"
    assert list(left.models) == OTHERS


def test_a_dry_run_of_cleanup_deletes_nothing(left, capsys):
    assert main(["cleanup", *LINE, f"--run={RUN}", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line for line in lines if line.startswith("would be deleted: ")} == {f"would be deleted: {name}" for name in OWN}
    assert set(lines) >= PASSED_OVER
    assert lines[-1] == f"3 models of run {RUN} would be deleted, 2 passed over"
    assert list(left.models) == [*OWN, *OTHERS]
    assert {call.operation for call in left.calls} == {"ListModels", "ListTags"}


def test_nothing_is_left_of_a_run_that_was_killed_in_each_check(service):
    """All models of a run have names and tags that cleanup recognizes."""
    target = aws_target(TOLD | USABLE)
    seen = set()
    for check in checks():
        if check.creates and target.why_not(check) is None:
            target.end = lambda: None  # as if the process was killed before a deletion
            run_checks([check], [target], "page")
            del target.end
            residue = find_residue(target)
            assert residue.passed_over == {}, check.id
            assert residue.own == list(service.models)[::-1], check.id
            seen |= set(residue.own)
            target.end()
    assert len(service.models) == 0
    assert target.name_of("untagged") in seen


def test_cleanup_that_is_not_allowed(left, capsys):
    left.deny("sagemaker:DeleteModel")
    assert main(["cleanup", *LINE, f"--run={RUN}"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert {line.partition(", since a permission is missing; ")[0] for line in lines if "left: " in line} == {
        f"left: {name}" for name in OWN
    }
    assert lines[-1] == f"0 models of run {RUN} were deleted, 3 are left, 2 passed over"
    assert list(left.models) == [*OWN, *OTHERS]


def test_cleanup_goes_on_where_one_model_is_denied_and_one_gone(left, capsys, monkeypatch):
    original = AwsTarget.send

    def send(self, operation, request, **keywords):
        if operation == "DeleteModel" and request["ModelName"] == OWN[0]:
            raise UnprovedError("a permission is missing (DeleteModel)")
        if operation == "DeleteModel" and request["ModelName"] == OWN[1]:
            original(self, operation, request, **keywords)  # another user deletes the model first
        return original(self, operation, request, **keywords)

    monkeypatch.setattr(AwsTarget, "send", send)
    assert main(["cleanup", *LINE, f"--run={RUN}"]) == 1
    lines = capsys.readouterr().out.splitlines()
    told = {f"deleted: {OWN[2]}", f"already gone: {OWN[1]}", f"left: {OWN[0]}, since a permission is missing (DeleteModel)"}
    assert set(lines) >= told | PASSED_OVER
    assert lines[-1] == f"1 models of run {RUN} were deleted, 1 are left, 2 passed over"
    assert list(left.models) == [OWN[0], *OTHERS]


def test_a_model_whose_tags_may_not_be_read_may_be_the_run_s(left, capsys):
    left.fail("ListTags", "AccessDeniedException")
    assert main(["cleanup", *LINE, f"--run={RUN}"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"3 models of run {RUN} were deleted, 1 are left, 1 passed over")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_a_run_clean_up_and_the_second_tells_what_is_left(service, number, capfd):
    target = aws_target(TOLD | USABLE)
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    with Signals([target]) as signals:
        target.preflight()
        target.__enter__()
        target.send("CreateModel", target.request())
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        assert (signals.count, target.aborted, capfd.readouterr().err) == (1, False, "")
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        sent = len(service.calls)
        name = target.name_of()
        assert capfd.readouterr().err == f"aws: models left: {name}. Remove them: smfake cleanup --run={target.run}\n"
        target.__exit__()
        assert target.finish() == [name]
        assert len(service.calls) == sent
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before
    assert list(service.models) == [name]


def test_a_signal_at_the_end_of_a_run_is_not_lost(service, monkeypatch):
    target = aws_target(TOLD | USABLE)
    session = Session("page", [target])
    session.begin(checks(["create/response"]))

    def finish():
        raise KeyboardInterrupt

    monkeypatch.setattr(target, "finish", finish)
    target._left = [("us-east-1", target.name_of())]
    lines, clean = session.end([])
    assert (session.interrupted, clean) == (True, False)
    assert lines[-1] == f"aws: models left: {target.name_of()}. Remove them: smfake cleanup --run={target.run}"


def test_signals_are_left_alone_in_other_threads_and_where_they_are_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Signals([]):
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    found = []

    def look():
        with Signals([]):
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [before]
