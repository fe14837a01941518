"""Test the requests and the IAM policy of a run, which are listed offline before the run."""

from __future__ import annotations

import json
import re

import pytest
from moto import mock_aws

from pytest_smfake import FakeSageMaker
from pytest_smfake.cli import main
from pytest_smfake.contract import checks
from pytest_smfake.contract.run import run_checks
from pytest_smfake.contract.session import Session
from pytest_smfake.contract.targets.aws import AwsSettings, plan_lines, policy, rehearse
from pytest_smfake.contract.targets.emulators import aws_target
from pytest_smfake.contract.targets.names import NAMING_MEMBERS

pytestmark = pytest.mark.once

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMaker"
TOLD = {"account": ACCOUNT, "region": "us-east-1", "prefix": "ci", "rate": 1_000_000}
USABLE = {"role": ROLE, "image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1"}
LINE = [f"--aws-{name}={value}" for name, value in TOLD.items()]
WITH_ROLE = [f"--aws-{name}={value}" for name, value in USABLE.items()]


@pytest.fixture
def offline(monkeypatch):
    """Remove credentials, and fail if a test looks for them or creates a client."""

    def refuse(*_, **__):
        pytest.fail("something looks for credentials, or for a service")

    monkeypatch.setattr("botocore.session.Session.get_credentials", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)


def named(call):
    value = call.parameters.get(NAMING_MEMBERS[call.operation]) if isinstance(call.parameters, dict) else call.parameters
    return value if isinstance(value, str) else None


@pytest.mark.parametrize("edition", ["page", "sdk"])
@pytest.mark.parametrize("usable", [{}, USABLE], ids=["without a role", "with a role"])
def test_the_list_is_what_a_run_sends(edition, usable):
    target = aws_target(TOLD | usable)
    log = rehearse(target, checks(edition=edition), edition).log
    with mock_aws(), FakeSageMaker(edition=edition) as fake:
        fake.add_model(ModelName="ci-production")
        session = Session(edition, [target])
        plan = session.begin(checks(edition=edition))
        session.end(run_checks(checks(edition=edition), [target], edition).results)
        calls = list(fake.calls)
    assert [planned.operation for planned in log] == [call.operation for call in calls]
    assert [
        (planned.name, named(call))
        for planned, call in zip(log, calls, strict=True)
        if named(call) and planned.name != json.dumps(named(call), ensure_ascii=False)[1:-1]
    ] == []
    assert f"{len(log)} requests" in plan[1]
    assert target.sent == len(log)


def test_more_pages_are_announced_where_others_have_many_models():
    target = aws_target(TOLD | USABLE)
    select = checks(["list/*", "create/response"])
    with mock_aws(), FakeSageMaker() as fake:
        for number in range(250):
            fake.add_model(ModelName=f"theirs-{number}")
        session = Session("page", [target])
        session.begin(select)
        _, clean = session.end(run_checks(select, [target], "page").results)
    assert (target.listing, clean) == (3, True)
    assert target.budget.announced - 10 <= target.sent <= target.budget.announced
    assert target.sent > len(rehearse(target, select, "page").log) + 10


def test_a_dry_run_sends_nothing(offline, capsys):
    assert main(["contract", "--target=aws", *LINE, *WITH_ROLE, "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["0", "GetCallerIdentity"]
    assert [int(line.split()[0]) for line in lines] == list(range(len(lines)))
    assert len(lines) > 600
    (run,) = {found for line in lines for found in re.findall("ci-([0-9a-z]{12})", line)}
    assert lines[1].split()[1:3] == lines[-1].split()[1:3] == ["ListModels", f"ci-{run}"]
    assert any(line.split()[1:] == ["DescribeModel", f"ci-{run}-nobody", "describe/missing"] for line in lines)
    assert any(line.split()[1:] == ["DeleteModel", "-1", "DeleteModel/ModelName:type-integer"] for line in lines)


def test_names_are_listed_as_they_are_sent():
    target = aws_target(TOLD)
    log = rehearse(target, checks(["errors/*", "AddTags/ResourceArn:pattern-outside", "CreateModel:type-list"]), "page").log
    names = {planned.check: planned.name for planned in log}
    assert names["errors/no-json"] == '{"ModelName": '
    assert names["errors/wrong-type"] == f'["{target.name_of()}"]'
    assert names["AddTags/ResourceArn:pattern-outside"] == f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/{target.name_of()}-a\\n"
    assert names["CreateModel:type-list"] == "[]"
    assert all("\n" not in line for line in plan_lines(log))


def statements(capsys, *arguments):
    assert main(["contract", "--target=aws", *LINE, *arguments, "--print-policy"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["Version"] == "2012-10-17"
    assert all(statement["Effect"] == "Allow" for statement in document["Statement"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


MODELS = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/ci-*"
CHANGING = {f"sagemaker:{operation}" for operation in ("CreateModel", "DeleteModel", "AddTags", "DeleteTags")}


def test_the_policy(offline, capsys):
    found = statements(capsys, *WITH_ROLE)
    assert list(found) == ["ModelsOfTheRun", "WhichModelsThereAre", "RoleOfTheModels"]
    assert found["ModelsOfTheRun"]["Resource"] == MODELS
    assert set(found["ModelsOfTheRun"]["Action"]) == CHANGING | {"sagemaker:DescribeModel", "sagemaker:ListTags"}
    assert (found["WhichModelsThereAre"]["Action"], found["WhichModelsThereAre"]["Resource"]) == (["sagemaker:ListModels"], "*")
    assert found["RoleOfTheModels"] == {
        "Sid": "RoleOfTheModels",
        "Effect": "Allow",
        "Action": ["iam:PassRole"],
        "Resource": ROLE,
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }


def test_the_policy_is_the_least(offline, capsys):
    assert "RoleOfTheModels" not in statements(capsys)
    found = statements(capsys, "--check=describe/missing")
    assert found["ModelsOfTheRun"]["Action"] == ["sagemaker:DescribeModel"]
    found = statements(capsys, *WITH_ROLE, "--check=create/response")
    assert found["ModelsOfTheRun"]["Action"] == [f"sagemaker:{name}" for name in ("AddTags", "CreateModel", "DeleteModel", "ListTags")]


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eu-west-1", "aws")])
def test_the_partition_of_the_policy(region, partition):
    document = policy(AwsSettings(ACCOUNT, region, "ci"), ["DeleteModel"])
    assert document["Statement"][0]["Resource"] == f"arn:{partition}:sagemaker:{region}:{ACCOUNT}:model/ci-*"


@pytest.mark.parametrize("option", ["--dry-run", "--print-policy"])
@pytest.mark.parametrize("targets", [[], ["--target=moto"], ["--target=aws", "--target=fake"]], ids=["fake", "moto", "two"])
def test_they_are_about_the_target_aws(option, targets, capsys):
    assert main(["contract", *LINE, *targets, option]) == 4
    assert capsys.readouterr().err == f"smfake: {option} needs the target aws as the only one: add --target aws\n"
