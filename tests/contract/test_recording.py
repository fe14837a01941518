"""Recordings: what they hold, what they do not, and that they answer as the target did."""

from __future__ import annotations

import json

import pytest

from pytest_smfake import FakeSageMaker
from pytest_smfake.contract import FakeTarget, MotoTarget, checks, run_contract
from pytest_smfake.contract.recording import Recorder, RecordingTarget


def recorded(target, path, select):
    recorder = Recorder(target, "page")
    report = run_contract(target, select=select)
    recorder.write(path)
    return report


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("recorded") / "fake.json"
    recorded(FakeTarget(), path, [])
    return path


def test_it_answers_as_the_target_did(whole):
    report = run_contract(RecordingTarget(str(whole)))
    assert report.failed == []
    (name,) = report.targets
    skipped = {result.check for result in report.results if result.outcome == "skipped"}
    assert skipped == {check.id for check in checks() if {"limits", "faults"} & set(check.needs)}
    assert report.counts(name)["passed"] == len(checks()) - len(skipped)


def test_differences_are_played_back(tmp_path):
    path = tmp_path / "moto.json"
    live = recorded(MotoTarget(), path, ["create/*", "list/*", "tags/*"])
    played = run_contract(RecordingTarget(str(path)), select=["create/*", "list/*", "tags/*"])
    assert [result.check for result in played.failed] == [result.check for result in live.failed]
    assert live.failed


def test_nothing_in_it_tells_whose_account_it_was(tmp_path):
    path = tmp_path / "private.json"
    target = FakeTarget()
    with FakeSageMaker(account="123456789012") as fake:
        fake.deny("sagemaker:ListModels", principal="arn:aws:sts::123456789012:assumed-role/Secret/someone")
        recorder = Recorder(target, "page")
        for select in (["list/pages"], ["create/response"]):
            run_contract(target, select=select)
        recorder.write(path)
    text = path.read_text()
    for secret in ("123456789012", "SageMakerExecutionRole", target.name_of(), "AKIA"):
        assert secret not in text
    data = json.loads(text)
    tokens = [entry for entry in data["checks"]["list/pages"] if "NextToken" in entry["request"]]
    assert tokens
    assert all('"NextToken": "{token-' in entry["request"] for entry in tokens)
    assert all(entry["headers"]["x-amzn-requestid"] == "{id}" for entries in data["checks"].values() for entry in entries)
    assert 'CreationTime":{time+' in text.replace("\\", "")


def test_a_principal_is_left_out(tmp_path):
    path = tmp_path / "denied.json"
    target = FakeTarget()
    recorder = Recorder(target, "page")
    target.check = "by-hand"
    with target:
        target.fake.deny("sagemaker:ListModels", principal="arn:aws:sts::123456789012:assumed-role/Secret/someone")
        target.send("ListModels", {})
    recorder.write(path)
    assert "User: {principal} is not authorized" in path.read_text()


def test_a_check_that_is_not_in_it_is_skipped(tmp_path):
    path = tmp_path / "some.json"
    recorded(FakeTarget(), path, ["create/response"])
    report = run_contract(RecordingTarget(str(path)), select=["create/response", "create/headers"])
    assert [(result.outcome, result.reason) for result in report.results] == [("passed", ""), ("skipped", "the recording does not hold it")]


def test_a_check_that_has_changed_since(tmp_path):
    path = tmp_path / "old.json"
    recorded(FakeTarget(), path, ["create/response"])
    data = json.loads(path.read_text())
    data["checks"]["create/response"][0]["request"] = '{"ModelName": "another"}'
    path.write_text(json.dumps(data))
    with pytest.raises(
        ValueError, match=r"create/response calls CreateModel, and the recording holds CreateModel {\"ModelName\": \"another\"}; it has to"
    ):
        run_contract(RecordingTarget(str(path)), select=["create/response"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"format": "pytest-smfake contract rec', "is not a recording, or was cut short: it holds no JSON"),
        ("[]", "is not a recording of a contract run"),
        ('{"format": "pytest-smfake contract report", "version": 1}', "is not a recording of a contract run"),
        ('{"format": "pytest-smfake contract recording", "version": 9}', "is a recording of version 9; this package reads version 1"),
        (
            '{"format": "pytest-smfake contract recording", "version": 1, "name_length": 9, "region": "us-east-1"}',
            "was changed: it has no other_region",
        ),
    ],
)
def test_files_that_are_no_recording(tmp_path, text, sentence):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        RecordingTarget(str(path))
