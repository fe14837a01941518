"""The rules that CONTRIBUTING.md shows, run by `test_contributing.py` in a process of its own, since a rule that is defined stays."""

from __future__ import annotations

import re
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from moto import mock_aws

from pytest_smfake import FakeSageMaker, validate
from pytest_smfake.cases import cases
from pytest_smfake.rules.coded import precondition
from pytest_smfake.strategies import invalid_requests, requests

TEXT = (Path(__file__).parent.parent.parent / "CONTRIBUTING.md").read_text("utf-8")
BETWEEN, PRECONDITION = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
exec(BETWEEN + PRECONDITION)  # noqa: S102  # the project's own text
SUBNETS, PIPELINE = {"CreateModel/VpcConfig:three-subnets": 3}, {"CreateTransformJob/ModelName:no-pipeline": True}


def of(operation, rules):
    return [pytest.param(case, id=str(case)) for case in cases(operation, rules=rules) if case.rule.id in rules]


@pytest.mark.parametrize("case", of("CreateModel", SUBNETS))
def test_the_rule_has_cases(case):
    found = [violation.rule.id for violation in validate("CreateModel", case.request, rules=SUBNETS)]
    assert found == list(case.verdict.rules)
    assert case.id == f"CreateModel/VpcConfig:three-subnets-{3 if case.side == 'inside' else 4}"


@given(requests("CreateModel", rules=SUBNETS))
def test_requests_keep_the_rule(request):
    assert validate("CreateModel", request, rules=SUBNETS) == []


@given(invalid_requests("CreateModel", rule="CreateModel/VpcConfig:three-subnets", rules=SUBNETS))
def test_invalid_requests_break_the_rule(drawn):
    assert [violation.rule.id for violation in validate("CreateModel", drawn.request, rules=SUBNETS)] == list(SUBNETS)


@pytest.mark.parametrize("case", of("CreateTransformJob", PIPELINE))
@pytest.mark.filterwarnings("ignore::pytest_smfake.NothingRanWarning")
def test_the_precondition_has_cases(case):
    with FakeSageMaker(rules=PIPELINE) as fake:
        client = fake.client()
        for operation, request in case.first:
            assert operation == "CreateModel"
            client.create_model(**request)
        if case.verdict.accepted:
            client.create_transform_job(**case.request)
        else:
            with pytest.raises(ClientError, match="is a pipeline") as caught:
                client.create_transform_job(**case.request)
            assert caught.value.response["Error"]["Code"] == case.verdict.code


def test_both_sides_are_there():
    sides = [[case.values[0].side for case in found] for found in (of("CreateModel", SUBNETS), of("CreateTransformJob", PIPELINE))]
    assert sides == [["inside", "outside"], ["inside", "outside"]]


ARTIFACT = {"CreateModel/PrimaryContainer.ModelDataUrl:artifact-found": True}


@precondition("CreateModel", "PrimaryContainer.ModelDataUrl", "artifact-found", "assumed", "made up", editions=(), service="s3")
def artifact_found(request, account, bound):
    url = request["PrimaryContainer"].get("ModelDataUrl")
    if url and not account.has_objects(url):
        yield ("PrimaryContainer", "ModelDataUrl"), url, f"There is no {url}."


def test_a_precondition_may_ask_another_service():
    with mock_aws(), FakeSageMaker(rules=ARTIFACT) as fake:
        s3, client = boto3.client("s3", region_name="us-east-1"), fake.client()
        s3.create_bucket(Bucket="models")
        request = fake.request(PrimaryContainer={"Image": fake.image, "ModelDataUrl": "s3://models/a.tar.gz"})
        with pytest.raises(ClientError, match=r"There is no s3://models/a.tar.gz\."):
            client.create_model(**request)
        assert not fake.models
        s3.put_object(Bucket="models", Key="a.tar.gz", Body=b"")
        client.create_model(**request)
        assert list(fake.models) == [request["ModelName"]]
        with pytest.raises(ClientError, match="already existing"):
            client.create_model(**request)
