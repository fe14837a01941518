"""Requests that break one rule, and say which."""

from __future__ import annotations

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import Phase, given, settings

from pytest_smfake import FakeSageMaker, validate
from pytest_smfake.generate.mutations import MISSING
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.service.service import OPERATIONS
from pytest_smfake.strategies import InvalidRequest, invalid_create_model_requests, invalid_requests

from .conftest import least


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_rule_is_broken(operation, edition):
    @settings(max_examples=30, phases=[Phase.generate])
    @given(invalid_requests(operation, edition=edition))
    def check(record):
        assert {violation.rule.id for violation in validate(operation, record.request, edition=edition)} == {record.rule.id}
        assert record.verdict.rules == (record.rule.id,)
        assert record.operation == operation

    check()


@pytest.mark.parametrize(
    ("rule", "path", "before", "after"),
    [
        ("CreateModel/ModelName:max", "ModelName", "a", "a" * 64),
        ("CreateModel/ModelName:required", "ModelName", "a", MISSING),
        ("CreateModel/Tags:type", "Tags", [], {}),
        ("CreateModel/Tags[]:required", "Tags[1]", {"Key": "a1", "Value": ""}, None),
        ("CreateModel/Containers[].Mode:enum", "Containers[0].Mode", "SingleModel", "singlemodel"),
        ("CreateModel/VpcConfig.Subnets:min", "VpcConfig.Subnets", ["subnet-a"], []),
        ("CreateModel/PrimaryContainer.Environment[key]:max", "PrimaryContainer.Environment['a']", "a", "a" * 1025),
        ("CreateModel/Tags:unique-keys", "Tags[1].Key", MISSING, "a"),
        ("CreateModel:one-container-form", "PrimaryContainer", MISSING, {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/a"}),
        ("CreateModel:type", "", None, []),
    ],
)
def test_how_it_was_made(rule, path, before, after):
    record = least(invalid_create_model_requests(rule=rule))
    assert isinstance(record, InvalidRequest)
    assert (record.rule.id, record.path, record.after) == (rule, path, after)
    assert path == "" or record.before == before
    assert record.how
    assert repr(record).startswith(f"<InvalidRequest {rule} at {path or 'the request'}: {record.how}; ")


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_client_is_told_so(edition):
    @settings(max_examples=60, deadline=None)  # each example makes a client
    @given(invalid_create_model_requests(edition=edition))
    def check(record):
        if record.rule.keyword in ("type", "required"):
            return  # a client does not send them as they are
        with FakeSageMaker(edition=edition) as fake, pytest.raises(ClientError) as caught:
            fake.client(config=Config(parameter_validation=False)).create_model(**record.request)
        assert caught.value.response["Error"]["Code"] == record.verdict.code

    check()


def test_pins_and_overrides():
    @settings(max_examples=60)
    @given(invalid_create_model_requests(Tags=[{"Key": "k", "Value": "v"}], omit={"VpcConfig"}, rules={"CreateModel/ModelName:max": 5}))
    def check(record):
        found = {violation.rule.id for violation in validate("CreateModel", record.request, rules={"CreateModel/ModelName:max": 5})}
        assert found == {record.rule.id}
        if isinstance(record.request, dict):
            assert record.request["Tags"] == [{"Key": "k", "Value": "v"}]
            assert "VpcConfig" not in record.request

    check()


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("CreateModel/ExecutionRoleArn:min", "no request breaks CreateModel/ExecutionRoleArn:min alone: the pattern refuses every string"),
        ("CreateModel/ModelName:not-taken", "needs the state of the account"),
        ("DescribeModel/ModelName:max", "is no rule of CreateModel"),
        ("CreateModel/ModelNam:max", "near it: CreateModel/ModelName:max"),
    ],
)
def test_rules_that_cannot_be_asked_for(rule, sentence):
    with pytest.raises(ValueError, match=sentence):
        invalid_create_model_requests(rule=rule)
