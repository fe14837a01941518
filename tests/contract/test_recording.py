"""Test recordings: their data, what is redacted, and that a replay answers as the target did."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from urllib.parse import unquote

import pytest

from pytest_smfake import FakeSageMaker
from pytest_smfake.contract import EndpointTarget, FakeTarget, MotoTarget, Reply, checks, run_contract
from pytest_smfake.contract.targets.emulators import aws_target
from pytest_smfake.contract.targets.recording import Recorder, RecordingTarget
from pytest_smfake.contract.targets.target import UnprovedError
from pytest_smfake.server.worlds import DEFAULT, Server

pytestmark = pytest.mark.once


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
    assert skipped == {check.id for check in checks() if {"limits", "faults", "hosting"} & set(check.needs)}
    assert report.counts(name)["passed"] == len(checks()) - len(skipped)


def test_differences_are_played_back(tmp_path):
    path = tmp_path / "moto.json"
    live = recorded(MotoTarget(), path, ["CreateModel/*:m*", "ListModels/*", "tags/*", "create/*"])
    assert outcomes(run_contract(RecordingTarget(str(path)), select=list(outcomes(live)))) == outcomes(live)
    assert len(live.failed) > 50


def outcomes(report):
    return {result.check: result.outcome for result in report.results}


ACCOUNT = "998877665544"
BYSTANDERS = ("jane-doe-fraud", "Model", "length", "Could", "modelName", "acme", "AKIAJANESECRETKEY123", "churn-998877665544")
SECRETS = (
    ACCOUNT,
    "jane",
    "acme",
    "hidden",
    "Bookkeeping",
    "4711",
    "churn",
    "AKIA",
    "9988-7766",
)
TOLD = {"account": ACCOUNT, "region": "eu-central-1", "prefix": "acmejane", "rate": 1e6}
USABLE = {
    "role": f"arn:aws:iam::{ACCOUNT}:role/hidden-path/BookkeepingRole",
    "image": f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com/hidden-repository:jane",
}


@pytest.fixture(scope="module", params=[USABLE, {}], ids=["role", "no-role"])
def of_aws(request, tmp_path_factory):
    """Return the results of a run, its recording, and its target."""
    path = tmp_path_factory.mktemp("aws") / "aws.json"
    with pytest.MonkeyPatch.context() as patch, FakeSageMaker(account=ACCOUNT, region="eu-central-1") as fake:
        for number, name in enumerate(BYSTANDERS):
            tags = [{"Key": "Owner", "Value": f"jane.doe+{number}@acme.example"}, {"Key": "CostCenter", "Value": "4711-hidden"}]
            fake.add_model(ModelName=name, Tags=tags, ExecutionRoleArn=USABLE["role"])
        patch.setattr("pytest_smfake.contract.targets.aws.check_credentials", lambda *_: None)  # the STS of moto has only one account
        target = aws_target(TOLD | request.param)
        recorder = Recorder(target, "page")
        report = run_contract(target)
        with target:
            target.check = "by-hand"
            list(target.pages("ListModels", {"MaxResults": 3}))
            target.send("DescribeModel", {"ModelName": "jane-doe-fraud"})
            target.send("ListTags", {"ResourceArn": f"arn:aws:sagemaker:eu-central-1:{ACCOUNT}:model/jane-doe-fraud"})
            denied = f"arn:aws:sts::{ACCOUNT}:assumed-role/Bookkeeping/jane@acme.example"
            with fake.deny("sagemaker:ListModels", principal=denied), pytest.raises(UnprovedError):
                target.send("ListModels", {})
        target.finish()
        recorder.write(path)
    return report, path, target


class TestAws:
    """Return a target aws that the fake answers, in an account with models of other users."""

    def test_it_plays_back_with_the_outcome_of_every_check(self, of_aws):
        live, path, _ = of_aws
        report = run_contract(RecordingTarget(str(path)))
        assert outcomes(report) == outcomes(live)
        assert live.failed == []
        assert len(live.results) - live.counts("aws")["skipped"] > 400

    def test_nothing_in_it_tells_whose_it_was(self, of_aws):
        _, path, target = of_aws
        text = path.read_text("utf-8")
        for form in (text, text.replace("\\", ""), unquote(text), json.dumps(json.loads(text), ensure_ascii=False)):
            for secret in (*SECRETS, target.run):
                assert secret.lower() not in form.lower(), secret

    def test_the_models_of_others_are_as_many_and_in_their_order(self, of_aws):
        *_, path, _ = of_aws
        calls = json.loads(path.read_text("utf-8"))["checks"]["by-hand"]
        pages = [call["body"]["json"] for call in calls if call["operation"] == "ListModels" and call["status"] == 200]
        assert [len(page["Models"]) for page in pages[:2]] == [3, 3]
        names = [model["ModelName"] for page in pages for model in page["Models"]]
        assert len(set(names)) == len(names) >= len(BYSTANDERS) - 1
        assert all(model["ModelArn"].endswith(f":{{account}}:model/{model['ModelName']}") for page in pages for model in page["Models"])
        assert calls[0]["request"] == {"MaxResults": 3}
        assert calls[-1]["status"] != 200  # the list of left models is not recorded, since no check sends it
        assert [call["request"].get("NextToken") for call in calls[1:3]] == [page["NextToken"] for page in pages[:2]]
        described = next(call for call in calls if call["operation"] == "DescribeModel")
        assert described["body"]["json"]["ModelName"] in names
        assert "User: arn:aws:sts::{account}:assumed-role/{name-" in path.read_text("utf-8")

    def test_the_tag_of_the_run_is_no_part_of_what_a_check_sent(self, of_aws):
        _, path, _ = of_aws
        calls = [call for calls in json.loads(path.read_text("utf-8"))["checks"].values() for call in calls]
        assert not any("smfake-run" in str(call["request"]) for call in calls)


def test_a_name_in_a_text_before_the_list_that_tells_it(tmp_path):
    target = FakeTarget()
    recorder = Recorder(target, "page")
    for status, body in ((400, {"message": "fraud is not there any more"}), (200, {"Models": [{"ModelName": "fraud"}]})):
        target.check = f"by-hand-{status}"
        for listener in target.listeners:
            code = None if status == 200 else "ValidationException"
            listener({}, target.region, Reply("ListModels", status, {}, json.dumps(body).encode(), code, "", {}))
    recorder.write(tmp_path / "it.json")
    checks = json.loads((tmp_path / "it.json").read_text())["checks"]
    token = checks["by-hand-200"][0]["body"]["json"]["Models"][0]["ModelName"]
    assert checks["by-hand-400"][0]["body"]["json"]["message"].startswith(f"{token} is not there")


def test_tags_that_showed_late_are_played_back(tmp_path, monkeypatch):
    monkeypatch.setattr("pytest_smfake.contract.targets.aws.time.sleep", lambda _: None)
    monkeypatch.setattr("pytest_smfake.contract.targets.aws.check_credentials", lambda *_: None)
    with FakeSageMaker(account=ACCOUNT, region="eu-central-1"):
        target = aws_target(TOLD | USABLE)
        recorder = Recorder(target, "page")
        answers = iter([{"Tags": []}] * 2)

        def call(client, operation):
            code, message, members = type(target)._call(target, client, operation)
            if operation == "ListTags" and (late_answer := next(answers, None)) is not None:
                target._response = SimpleNamespace(status_code=200, headers={}, content=json.dumps(late_answer).encode())
                return None, "", late_answer
            return code, message, members

        monkeypatch.setattr(target, "_call", call)
        live = run_contract(target, select=["tags/of-creation"])
        recorder.write(tmp_path / "late.json")
    assert live.failed == []
    calls = json.loads((tmp_path / "late.json").read_text())["checks"]["tags/of-creation"]
    assert [call["operation"] for call in calls] == ["CreateModel", "ListTags", "ListTags", "ListTags"]
    assert run_contract(RecordingTarget(str(tmp_path / "late.json")), select=["tags/of-creation"]).failed == []


def test_a_check_that_is_not_in_it_is_skipped(tmp_path):
    path = tmp_path / "some.json"
    recorded(FakeTarget(), path, ["create/response"])
    report = run_contract(RecordingTarget(str(path)), select=["create/response", "create/headers"])
    assert [(result.outcome, result.reason) for result in report.results] == [
        ("passed", ""),
        ("skipped", "the recording does not contain it"),
    ]


class TestMismatch:
    """If a check makes another call than the recorded one, it fails, and the run continues."""

    SELECT = ("create/response", "create/same-name", "describe/echo")

    @pytest.fixture
    def played(self, tmp_path):
        """Replay a changed recording of some checks."""

        def play(change):
            path = tmp_path / "old.json"
            recorded(FakeTarget(), path, self.SELECT)
            data = json.loads(path.read_text())
            change(data["checks"])
            path.write_text(json.dumps(data))
            report = run_contract(RecordingTarget(str(path)), select=self.SELECT)
            assert len(report.results) == 3
            return report.failed

        return play

    def test_of_another_request(self, played):
        (failed,) = played(lambda calls: calls["create/same-name"][2]["request"].update(ModelName="another"))
        assert failed.check == "create/same-name"
        assert failed.expected.startswith("the recorded call: CreateModel {")
        assert failed.expected.endswith("; make a new recording")
        assert '"ModelName": "another"' in failed.expected
        assert failed.actual.startswith("CreateModel {")
        assert '"ModelName": "{name}"' in failed.actual

    def test_of_another_operation(self, played):
        (failed,) = played(lambda calls: calls["create/same-name"].pop(1))
        assert failed.expected.startswith("the recorded call: CreateModel {")
        assert failed.actual == 'DescribeModel {"ModelName": "{name}"}'

    def test_of_another_region(self, played):
        (failed,) = played(lambda calls: calls["describe/echo"][1].update(elsewhere=True))
        assert failed.expected.startswith('the recorded call: DescribeModel in the other region {"ModelName": "{name}"}; ')

    def test_where_nothing_more_was_recorded(self, played):
        (failed,) = played(lambda calls: calls["describe/echo"].pop())
        assert failed.expected == "the recorded call: only 1 call of describe/echo; make a new recording"

    def test_all_of_them(self, played):
        assert len(played(lambda calls: [one.clear() for one in calls.values()])) == 3


def test_where_the_page_is_behind_is_played_back_as_it_was(tmp_path):
    for rules, service in ((None, False), ({"CreateModel/Containers:max": 15}, False)):
        path = tmp_path / "it.json"
        live = recorded(FakeTarget(rules=rules), path, ["CreateModel/Containers:max*"])
        assert outcomes(run_contract(RecordingTarget(str(path)), select=["CreateModel/Containers:max*"])) == outcomes(live)
        assert RecordingTarget(str(path)).is_service is service


@pytest.mark.parametrize("account", ["123456789012", "998877665544"])
def test_an_endpoint_whose_account_is_not_known(tmp_path, account):
    path = tmp_path / "endpoint.json"
    fake = FakeSageMaker(account=account)
    with Server() as server, server.serving(DEFAULT, fake):
        live = recorded(EndpointTarget(server.url), path, ["create/*", "tags/*", "list/by-time"])
    assert "998877665544" not in path.read_text()
    assert outcomes(run_contract(RecordingTarget(str(path)), select=["create/*", "tags/*", "list/by-time"])) == outcomes(live)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"format": "pytest-smfake contract rec', "is not a recording: its JSON is cut short in line 1"),
        ("[]", "is not a recording of a contract run"),
        ('{"format": "pytest-smfake contract report", "version": 1}', "is not a recording of a contract run"),
        (
            '{"format": "pytest-smfake contract recording", "version": 1}',
            "is a recording of version 1; this package reads version 2",
        ),
        (
            '{"format": "pytest-smfake contract recording", "version": 2, "name_length": 9, "region": "us-east-1"}',
            "that was changed or cut short: the recording has no 'edition'",
        ),
    ],
)
def test_files_that_are_no_recording(tmp_path, text, sentence):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        RecordingTarget(str(path))


def test_recordings_that_were_changed(tmp_path):
    path = tmp_path / "it.json"
    recorded(FakeTarget(), path, ["create/response"])
    whole = json.loads(path.read_text())
    call = whole["checks"]["create/response"][0]
    for change, sentence in (
        ({"own": {}}, "own has no 'account'"),
        ({"region": 1}, "region is 1, not a text"),
        ({"name_length": True}, "name_length is true, not a whole number from 1 to 63"),
        ({"lacks": {"limits": 1}}, "lacks.limits is 1, not a text"),
        ({"checks": {"a": {}}}, "checks.a is {}, not a list"),
        ({"checks": {"a": ["b"]}}, 'checks.a[0] is "b", not an object'),
        ({"checks": {"a": [{"operation": "CreateModel"}]}}, "checks.a[0] has no 'elsewhere'"),
        ({"checks": {"a": [call | {"body": {}}]}}, "checks.a[0].body is {}, not an object with either 'text' or 'json'"),
        ({"checks": {"a": [call | {"body": {"text": 1}}]}}, "checks.a[0].body.text is 1, not a text"),
        ({"checks": {"a": [call | {"headers": {"a": 1}}]}}, "checks.a[0].headers.a is 1, not a text"),
        (
            {"checks": {"a": [call | {"operation": "Nothing"}]}},
            'checks.a[0].operation is "Nothing", not one of: CreateModel, DescribeModel',
        ),
    ):
        path.write_text(json.dumps(whole | change))
        with pytest.raises(ValueError, match=f"is a recording that was changed or cut short: {re.escape(sentence)}"):
            RecordingTarget(str(path))
