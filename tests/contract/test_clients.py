"""Test clients that a test of the user gets from the target aws."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pytest_smfake import FakeSageMaker
from pytest_smfake.contract.session import find_residue
from pytest_smfake.contract.targets.emulators import aws_target
from pytest_smfake.contract.targets.names import UnsafeRequestError

ACCOUNT = "123456789012"
TOLD = {"account": ACCOUNT, "region": "us-east-1", "prefix": "ci", "rate": 1_000_000}
USABLE = {"role": f"arn:aws:iam::{ACCOUNT}:role/SageMaker", "image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1"}


@pytest.fixture
def service():
    with mock_aws(), FakeSageMaker() as fake:
        yield fake


@pytest.fixture
def target(service):
    return aws_target(TOLD | USABLE)


@pytest.mark.parametrize("make", ["client", "new_client"])
def test_a_client_of_another_region_is_refused(service, target, make):
    client = getattr(target, make)("eu-west-1")
    with pytest.raises(UnsafeRequestError, match="it goes to eu-west-1, but the run may only use us-east-1"), target:
        client.create_model(**target.request())
    assert len(service.calls) == 0


@pytest.mark.parametrize("make", ["client", "new_client"])
def test_what_a_client_creates_is_tagged_found_and_deleted(service, target, make):
    with target:
        client = getattr(target, make)("us-east-1")
        client.create_model(**target.request())
        assert service.models[target.name_of()].tags == {"smfake-run": target.run}
        assert find_residue(target).own == [target.name_of()]
    assert len(service.models) == 0
    assert target.created() == []


def test_what_a_client_creates_outside_of_a_test_is_deleted_at_the_end(service, target):
    target.client().create_model(**target.request())
    assert target.finish() == []
    assert len(service.models) == 0


def test_what_a_client_deletes_or_is_refused_is_not_deleted_again(service, target):
    with target:
        client = target.client()
        client.create_model(**target.request())
        client.delete_model(ModelName=target.name_of())
        with pytest.raises(ClientError, match="ValidationException"):
            client.create_model(**target.request(ExecutionRoleArn="x" * 20))
        assert target.created() == []
    assert [call.operation for call in service.calls] == ["CreateModel", "DeleteModel", "CreateModel"]


def test_what_a_client_may_have_created_is_deleted(service, target):
    service.fail("CreateModel", "connection-reset", effect="after")
    with pytest.raises(Exception, match="Connection"), target:
        target.client().create_model(**target.request())
    assert len(service.models) == 0
