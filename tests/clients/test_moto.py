"""Together with moto: each SageMaker call is answered once, by the fake; moto answers the rest."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from contextlib import ExitStack

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.sagemaker.models import sagemaker_backends

from pytest_smfake import FakeSageMaker, NetworkBlockedError


def new_client(service: str = "sagemaker"):
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


BEFORE = new_client()


def check(fake: FakeSageMaker, client) -> None:
    """Create and describe a model, and see that moto has nothing of it."""
    count = len(fake.calls)
    client.create_model(**fake.request(ModelName="churn"))
    client.describe_model(ModelName="churn")
    assert fake.calls.operations[count:] == ["CreateModel", "DescribeModel"]
    client.delete_model(ModelName="churn")
    for account in sagemaker_backends.values():
        for backend in account.values():
            assert backend._models == {}


@pytest.mark.parametrize("order", ["fake in moto", "moto in fake"])
def test_around_and_inside(order):
    with ExitStack() as stack:
        if order == "fake in moto":
            stack.enter_context(mock_aws())
        fake = stack.enter_context(FakeSageMaker())
        if order == "moto in fake":
            stack.enter_context(mock_aws())
        for client in (BEFORE, fake.client(), new_client()):
            check(fake, client)
        s3 = new_client("s3")
        s3.create_bucket(Bucket="bucket")
        assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["bucket"]


def test_decorators():
    seen = []

    @mock_aws
    def moto_inside(fake):
        check(fake, new_client())
        seen.append("inside")

    @mock_aws
    def moto_outside():
        with FakeSageMaker() as fake:
            check(fake, new_client())
            seen.append("outside")

    with FakeSageMaker() as fake:
        moto_inside(fake)
    moto_outside()
    assert seen == ["inside", "outside"]


def test_moto_before_and_after():
    with mock_aws():
        new_client().create_model(ModelName="moto", ExecutionRoleArn="arn:aws:iam::123456789012:role/r", PrimaryContainer={"Image": "i"})
        with FakeSageMaker() as fake:
            assert fake.client().list_models()["Models"] == []
        assert [model["ModelName"] for model in new_client().list_models()["Models"]] == ["moto"]


def test_nested_mocks(smfake_moto):
    with mock_aws():
        check(smfake_moto, new_client())
    check(smfake_moto, smfake_moto.client())
    new_client("sts").get_caller_identity()


def test_other_operations_are_validated_and_passed_on(smfake_moto):
    client = smfake_moto.client()
    assert client.list_notebook_instances()["NotebookInstances"] == []
    assert smfake_moto.calls[-1].passed_on
    assert "passed on to moto" in repr(smfake_moto.calls[-1])
    with pytest.raises(ClientError, match="Value '_' at 'notebookInstanceName' failed to satisfy constraint"):
        client.create_notebook_instance(NotebookInstanceName="_", InstanceType="ml.t2.medium", RoleArn=smfake_moto.role_arn)


def test_what_moto_does_not_implement_either(smfake_moto):
    with pytest.raises(ClientError, match="ListWorkteams is not implemented by pytest-smfake"):
        smfake_moto.client().list_workteams()


def test_tags_of_other_resources_are_passed_on(smfake_moto):
    client = smfake_moto.client()
    client.create_experiment(ExperimentName="tuning")
    arn = client.describe_experiment(ExperimentName="tuning")["ExperimentArn"]
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    assert smfake_moto.calls[-1].passed_on
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_client_that_moto_does_not_know_is_answered_by_it(smfake):
    before = smfake.client("sqs")
    with mock_aws():
        assert before.list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
    with pytest.raises(NetworkBlockedError):
        before.list_queues()


def test_an_assumed_role_of_another_account(smfake_moto):
    role = new_client("sts").assume_role(RoleArn="arn:aws:iam::111122223333:role/deploy", RoleSessionName="deploy")["Credentials"]
    client = boto3.client(
        "sagemaker",
        region_name="us-east-1",
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )
    assert ":111122223333:" in client.create_model(**smfake_moto.request())["ModelArn"]


TAGS = [{"Key": f"k{index}", "Value": ""} for index in range(51)]


@pytest.mark.parametrize(
    "overrides", [{"ModelName": "m" * 64}, {"Tags": TAGS}, {"PrimaryContainer": None}, {"ExecutionRoleArn": None}, {"ModelName": "_"}, {}]
)
def test_what_moto_takes_and_the_fake_does_not(overrides):
    """The README's table: the last case is a second model of the same name."""
    fake = FakeSageMaker()
    request = fake.request(**overrides)
    with mock_aws():
        lax = boto3.client("sagemaker", region_name="us-east-1", config=Config(parameter_validation=False))
        for _ in range(1 if overrides else 2):
            lax.create_model(**request)
    with fake:
        client = fake.client(config=Config(parameter_validation=False))
        if not overrides:
            client.create_model(**request)
        with pytest.raises(ClientError):
            client.create_model(**request)


def test_moto_is_as_before():
    before = vars(BotocoreStubber)["__call__"]
    with FakeSageMaker():
        assert vars(BotocoreStubber)["__call__"] is not before
    assert vars(BotocoreStubber)["__call__"] is before


def test_moto_imported_while_the_fake_is_active():
    script = """
        import sys
        from pytest_smfake import FakeSageMaker
        with FakeSageMaker() as fake:
            assert "moto" not in sys.modules
            fake.client().create_model(**fake.request(ModelName="before"))
            from moto import mock_aws
            with mock_aws():
                import boto3
                client = boto3.client("sagemaker", region_name="us-east-1")
                client.create_model(**fake.request(ModelName="inside"))
                assert boto3.client("s3", region_name="us-east-1").list_buckets()["Buckets"] == []
                from moto.sagemaker.models import sagemaker_backends
                assert sagemaker_backends["123456789012"]["us-east-1"]._models == {}
            assert list(fake.models) == ["before", "inside"]
            assert fake.calls.operations == ["CreateModel"] * 2
        from moto.core.botocore_stubber import BotocoreStubber
        assert BotocoreStubber.__call__.__module__ == "moto.core.botocore_stubber"
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
