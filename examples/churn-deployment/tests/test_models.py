"""The deployment code, unchanged, against a fake SageMaker."""

import dataclasses

import pytest
from botocore.exceptions import ClientError
from churn_deployment.models import NameTakenError, QuotaReachedError, deploy, prune, versions

REGION = "us-east-1"


def test_deploy_creates_the_model(smfake, settings):
    arn = deploy(settings, REGION)
    model = smfake.models["churn-1"]
    assert model.arn == arn
    assert model["PrimaryContainer"]["Environment"] == {"THRESHOLD": "0.5"}
    assert model.tags == {"team": "growth"}


def test_deploying_twice_changes_nothing(smfake, settings):
    assert deploy(settings, REGION) == deploy(settings, REGION)
    assert smfake.calls.operations == ["CreateModel", "CreateModel", "DescribeModel"]
    assert len(smfake.models) == 1


@pytest.mark.parametrize("change", [{"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:2"}, {"environment": {}}])
def test_another_model_of_the_same_name(settings, change):
    deploy(settings, REGION)
    with pytest.raises(NameTakenError, match="churn-1"):
        deploy(dataclasses.replace(settings, **change), REGION)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": "c" * 64}, "at 'modelName' failed to satisfy constraint: Member must have length less than or equal to 63"),
        ({"name": "churn_1"}, "at 'modelName' failed to satisfy constraint: Member must satisfy regular expression pattern"),
        (
            {"role": "arn:aws:iam::123:role/SageMaker"},
            "1 validation error detected: Value 'arn:aws:iam::123:role/SageMaker' at 'executionRoleArn'",
        ),
        ({"artifact": "model.tar.gz"}, "at 'primaryContainer.modelDataUrl' failed to satisfy constraint"),
        ({"environment": {"A-B": "1"}}, "Map keys must satisfy constraint"),
        ({"tags": {"team": "growth!"}}, "at 'tags.1.member.value' failed to satisfy constraint"),
        ({"tags": {f"key-{index}": "" for index in range(51)}}, "Member must have length less than or equal to 50"),
    ],
)
def test_mistakes_surface_here_and_not_in_production(smfake, settings, change, reason):
    with pytest.raises(ClientError) as caught:
        deploy(dataclasses.replace(settings, **change), REGION)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert reason in str(caught.value)
    assert len(smfake.models) == 0


@pytest.mark.smfake(limits={"models": 1})
def test_the_quota(smfake, settings):
    deploy(settings, REGION)
    with pytest.raises(QuotaReachedError, match="churn-2 was not created; prune old versions first"):
        deploy(dataclasses.replace(settings, name="churn-2"), REGION)
    assert prune("churn-", 0, REGION) == ["churn-1"]
    deploy(dataclasses.replace(settings, name="churn-2"), REGION)


def test_prune_keeps_the_newest(smfake, settings):
    for version in range(25):
        deploy(dataclasses.replace(settings, name=f"churn-{version}"), REGION)
        smfake.clock.advance(3600)
    smfake.add_model(ModelName="other-churn-1")
    assert len(prune("churn-", 3, REGION)) == 22
    assert versions("churn-", REGION) == ["churn-24", "churn-23", "churn-22"]
    assert "other-churn-1" in smfake.models


def test_regions_are_apart(smfake, settings):
    elsewhere = dataclasses.replace(settings, image=smfake.at(region="eu-west-1").image)
    assert deploy(settings, REGION) != deploy(elsewhere, "eu-west-1")
    assert list(smfake.at(region="eu-west-1").models) == ["churn-1"]


PIPELINE = {"PrimaryContainer": None, "InferenceExecutionConfig": {"Mode": "Serial"}}


def test_six_containers_are_too_many_by_the_documented_page(smfake, smfake_client):
    with pytest.raises(ClientError, match="at 'containers' failed to satisfy constraint: Member must have length less than or equal to 5"):
        smfake_client.create_model(**smfake.request(**PIPELINE, Containers=[{"Image": smfake.image}] * 6))


@pytest.mark.smfake(edition="sdk")
def test_six_containers_are_fine_by_the_sdk(smfake, smfake_client):
    smfake_client.create_model(**smfake.request(**PIPELINE, Containers=[{"Image": smfake.image}] * 6))
