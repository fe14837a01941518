"""Endpoints: their statuses on the clock, what describes them, and the limits on instances."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from botocore.exceptions import WaiterError

from pytest_smfake import FakeSageMaker, validate
from pytest_smfake.rules.endpoints import CAUSES
from pytest_smfake.rules.service_model import service_model
from pytest_smfake.service.endpoints import resolved_image

from .conftest import ONE, error_of

ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/churn"
LIMIT = "ml.m5.xlarge for endpoint usage"
HAS_POOLS = "InstancePools" in service_model().shape_for("ProductionVariant").members


def config(client, name, **variant):
    client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[ONE | variant])


def status(client, name="churn"):
    return client.describe_endpoint(EndpointName=name)["EndpointStatus"]


def test_an_endpoint_is_in_service_at_the_first_look(smfake, smfake_client):
    smfake.add_model(ModelName="churn")
    config(smfake_client, "churn")
    arn = smfake_client.create_endpoint(EndpointName="churn", EndpointConfigName="churn")["EndpointArn"]
    assert arn == ARN
    described = smfake_client.describe_endpoint(EndpointName="churn")
    assert described["EndpointStatus"] == "InService"
    (variant,) = described["ProductionVariants"]
    assert variant.pop("DeployedImages")[0]["SpecifiedImage"] == smfake.image
    assert variant == {
        "VariantName": "AllTraffic",
        "CurrentWeight": 1.0,
        "DesiredWeight": 1.0,
        "CurrentInstanceCount": 1,
        "DesiredInstanceCount": 1,
    }
    assert "FailureReason" not in described
    assert validate("DescribeEndpoint.response", smfake.calls[-1].response) == []
    assert smfake.endpoints["churn"].variants == {"AllTraffic": {"weight": 1.0, "count": 1, "model": "churn"}}


def test_a_waiter_follows_the_clock_and_takes_no_time(smfake, smfake_client):
    smfake.endpoints.take(seconds=600)
    smfake.add_endpoint("churn")
    assert status(smfake_client) == "Creating"
    assert "ProductionVariants" not in smfake_client.describe_endpoint(EndpointName="churn")
    began, before = time.monotonic(), smfake.clock.now()
    smfake_client.get_waiter("endpoint_in_service").wait(EndpointName="churn")
    assert time.monotonic() - began < 60  # of the 600 s that the clock of the fake went on by
    assert smfake.clock.now() - before >= 600
    described = smfake_client.describe_endpoint(EndpointName="churn")
    assert (described["LastModifiedTime"] - described["CreationTime"]).total_seconds() == pytest.approx(600, abs=1)
    smfake_client.delete_endpoint(EndpointName="churn")
    assert status(smfake_client) == "Deleting"
    smfake_client.get_waiter("endpoint_deleted").wait(EndpointName="churn")
    assert "churn" not in smfake.endpoints


def test_an_endpoint_is_gone_at_the_first_look(smfake, smfake_client):
    smfake.add_endpoint("churn")
    smfake_client.delete_endpoint(EndpointName="churn")
    said = f'ValidationException: Could not find endpoint "{ARN}".'
    for call in (smfake_client.describe_endpoint, smfake_client.delete_endpoint):
        assert error_of(call, EndpointName="churn") == said
    assert error_of(smfake_client.update_endpoint, EndpointName="churn", EndpointConfigName="churn") == said


def test_the_name_is_taken_and_the_configuration_missing(smfake, smfake_client):
    smfake.add_endpoint("churn")
    assert error_of(smfake_client.create_endpoint, EndpointName="churn", EndpointConfigName="churn") == (
        f'ValidationException: Cannot create already existing endpoint "{ARN}".'
    )
    for call in (smfake_client.create_endpoint, smfake_client.update_endpoint):
        name = "other" if call == smfake_client.create_endpoint else "churn"
        assert error_of(call, EndpointName=name, EndpointConfigName="nope") == (
            'ValidationException: Could not find endpoint configuration "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/nope".'
        )


def test_what_an_endpoint_runs_can_be_deleted(smfake, smfake_client, runtime):
    smfake.add_endpoint("churn")
    smfake.stand_in("churn", lambda body, *_: body)
    smfake_client.delete_model(ModelName="churn")
    smfake_client.delete_endpoint_config(EndpointConfigName="churn")
    assert status(smfake_client) == "InService"
    assert runtime.invoke_endpoint(EndpointName="churn", Body=b"x")["Body"].read() == b"x"


def test_an_endpoint_whose_model_is_gone_fails(smfake, smfake_client):
    smfake.add_endpoint("churn")
    config(smfake_client, "new")
    smfake_client.delete_model(ModelName="churn")
    said = 'Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/churn".'
    smfake_client.create_endpoint(EndpointName="b", EndpointConfigName="churn")
    described = smfake_client.describe_endpoint(EndpointName="b")
    assert (described["EndpointStatus"], described["FailureReason"]) == ("Failed", said)
    smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="new")
    described = smfake_client.describe_endpoint(EndpointName="churn")
    assert (described["EndpointStatus"], described["EndpointConfigName"], described["FailureReason"]) == ("InService", "churn", said)


def test_an_update_needs_the_configuration_that_runs(smfake, smfake_client):
    smfake.add_endpoint("churn")
    config(smfake_client, "new")
    smfake_client.delete_endpoint_config(EndpointConfigName="churn")
    assert error_of(smfake_client.update_endpoint, EndpointName="churn", EndpointConfigName="new") == (
        'ValidationException: Could not find endpoint configuration "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/churn".'
    )
    config(smfake_client, "churn")  # another one of the name
    smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="new")
    smfake_client.delete_endpoint_config(EndpointConfigName="churn")
    smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="new")


def test_statuses(smfake, smfake_client):
    seen = []
    smfake.endpoints.take(seconds=60)
    smfake.add_endpoint("churn")
    seen.append(status(smfake_client))
    smfake.clock.advance(60)
    seen.append(status(smfake_client))
    smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="churn")
    seen.append(status(smfake_client))
    smfake.endpoints.fail("churn", cause="capacity")
    seen.append(status(smfake_client))
    smfake_client.update_endpoint_weights_and_capacities(
        EndpointName="churn", DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    )
    seen.append(status(smfake_client))
    smfake.clock.advance(60)
    smfake_client.delete_endpoint(EndpointName="churn")
    seen.append(status(smfake_client))
    smfake.clock.advance(60)
    smfake.endpoints.fail("churn", cause="capacity")
    smfake_client.create_endpoint(EndpointName="churn", EndpointConfigName="churn")
    smfake.clock.advance(60)
    seen.append(status(smfake_client))
    assert seen == ["Creating", "InService", "Updating", "InService", "Updating", "Deleting", "Failed"]
    others = set(service_model().shape_for("EndpointStatus").enum) - set(seen)
    assert others == {"OutOfService", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"}


def test_pending_deployment(smfake, smfake_client):
    def pending():
        found = smfake_client.describe_endpoint(EndpointName="churn")
        assert validate("DescribeEndpoint.response", smfake.calls[-1].response) == []
        return found, found.get("PendingDeploymentSummary")

    def stages(variants):
        return [[stage["Status"] for stage in variant.get("VariantStatus", ())] for variant in variants]

    smfake.endpoints.take(seconds=60)
    smfake.add_endpoint("churn", count=2)
    described, coming = pending()
    assert "ProductionVariants" not in described
    assert (coming["EndpointConfigName"], coming["StartTime"]) == ("churn", described["CreationTime"])
    (variant,) = coming["ProductionVariants"]
    assert variant["VariantStatus"] == [
        {
            "Status": "Creating",
            "StatusMessage": "Creating inference resources for the production variant.",
            "StartTime": described["CreationTime"],
        }
    ]
    assert (variant["VariantName"], variant["InstanceType"], variant["DesiredInstanceCount"]) == ("AllTraffic", "ml.m5.xlarge", 2)
    smfake.clock.advance(60)
    described, coming = pending()
    assert (coming, stages(described["ProductionVariants"])) == (None, [[]])
    config(smfake_client, "new", InitialInstanceCount=3)
    smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="new")
    described, coming = pending()
    assert (described["EndpointConfigName"], coming["EndpointConfigName"]) == ("churn", "new")
    assert coming["StartTime"] == described["LastModifiedTime"]
    assert (stages(described["ProductionVariants"]), stages(coming["ProductionVariants"])) == ([[]], [["Creating"]])
    smfake.clock.advance(60)
    change = {"VariantName": "AllTraffic", "DesiredInstanceCount": 1}
    smfake_client.update_endpoint_weights_and_capacities(EndpointName="churn", DesiredWeightsAndCapacities=[change])
    described, coming = pending()
    assert (coming, stages(described["ProductionVariants"])) == (None, [["Updating"]])  # with the configuration that it has
    smfake.clock.advance(60)
    smfake_client.delete_endpoint(EndpointName="churn")
    described, coming = pending()
    assert (coming, stages(described["ProductionVariants"])) == (None, [["Deleting"]])


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("{}/model:1", "{}/model"),
        ("{}/model", "{}/model"),
        ("{}/team/model:v1.2-cpu", "{}/team/model"),
        ("{}/model@sha256:" + "0" * 64, None),
        ("{}/model:1@sha256:" + "0" * 64, None),
    ],
)
def test_resolved_images(image, repository):
    registry, found = "123456789012.dkr.ecr.us-east-1.amazonaws.com", []
    for name in ("a", "b"):
        with FakeSageMaker() as fake:
            fake.add_model(ModelName=name, PrimaryContainer={"Image": image.format(registry)})
            fake.add_endpoint(name, model=name)
            (variant,) = fake.client().describe_endpoint(EndpointName=name)["ProductionVariants"]
            found.append(variant["DeployedImages"][0])
    resolved, again = (one["ResolvedImage"] for one in found)
    assert resolved == again
    assert found[0]["SpecifiedImage"] == image.format(registry)
    if repository is None:
        assert resolved == image.format(registry)
    else:
        assert re.fullmatch(re.escape(repository.format(registry)) + "@sha256:[0-9a-f]{64}", resolved)


def test_other_images_have_other_digests():
    registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    digests = {resolved_image(f"{registry}/{image}").partition("@")[2] for image in ("a:1", "a:2", "b:1", "a", "a:latest")}
    assert len(digests) == 4  # no tag is the tag latest
    assert "@" not in resolved_image("localhost:5000/a").partition("@")[0]
    assert resolved_image("localhost:5000/a").startswith("localhost:5000/a@sha256:")


def test_an_update_shows_what_runs_and_what_is_to_come(smfake, smfake_client):
    smfake.add_endpoint("churn")
    config(smfake_client, "new", InitialInstanceCount=3)
    smfake.endpoints.take(seconds=60)
    smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="new")
    described = smfake_client.describe_endpoint(EndpointName="churn")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("Updating", "churn")
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == "new"
    assert validate("DescribeEndpoint.response", smfake.calls[-1].response) == []
    busy = f'ValidationException: Cannot update in-progress endpoint "{ARN}".'
    assert error_of(smfake_client.delete_endpoint, EndpointName="churn") == busy
    assert error_of(smfake_client.update_endpoint, EndpointName="churn", EndpointConfigName="new") == busy
    smfake.clock.advance(60)
    described = smfake_client.describe_endpoint(EndpointName="churn")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", "new")
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 3
    assert "PendingDeploymentSummary" not in described


@pytest.mark.parametrize(
    ("arguments", "weight", "count"),
    [
        ({}, 1.0, 2),
        ({"RetainAllVariantProperties": True}, 0.5, 4),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredInstanceCount"}],
            },
            0.5,
            2,
        ),
    ],
)
def test_an_update_can_retain_variant_properties(smfake, smfake_client, arguments, weight, count):
    smfake.add_endpoint("churn")
    change = {"VariantName": "AllTraffic", "DesiredWeight": 0.5, "DesiredInstanceCount": 4}
    smfake_client.update_endpoint_weights_and_capacities(EndpointName="churn", DesiredWeightsAndCapacities=[change])
    config(smfake_client, "new", InitialInstanceCount=2)
    smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="new", **arguments)
    assert smfake.endpoints["churn"].variants["AllTraffic"] == {"weight": weight, "count": count, "model": "churn"}


def test_weights_and_capacities(smfake, smfake_client):
    smfake.add_endpoint("churn")
    smfake.endpoints.take(seconds=60)
    change = {"VariantName": "AllTraffic", "DesiredWeight": 2.0, "DesiredInstanceCount": 4}
    assert smfake_client.update_endpoint_weights_and_capacities(EndpointName="churn", DesiredWeightsAndCapacities=[change])
    described = smfake_client.describe_endpoint(EndpointName="churn")
    assert described["EndpointStatus"] == "Updating"
    (variant,) = described["ProductionVariants"]
    assert (variant["CurrentWeight"], variant["DesiredWeight"]) == (1.0, 2.0)
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 4)
    smfake.clock.advance(60)
    assert smfake.endpoints["churn"].variants["AllTraffic"] == {"weight": 2.0, "count": 4, "model": "churn"}
    said = error_of(
        smfake_client.update_endpoint_weights_and_capacities,
        EndpointName="churn",
        DesiredWeightsAndCapacities=[{"VariantName": "nope"}],
    )
    assert said == f'ValidationException: Could not find variant "nope" in endpoint "{ARN}".'


def test_a_serverless_endpoint(smfake, smfake_client):
    smfake.add_model(ModelName="churn")
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    variant = {"VariantName": "v", "ModelName": "churn", "ServerlessConfig": serverless}
    smfake_client.create_endpoint_config(EndpointConfigName="s", ProductionVariants=[variant])
    with smfake.limit("Memory size in MB per serverless endpoint", 1024):
        said = error_of(smfake_client.create_endpoint, EndpointName="s", EndpointConfigName="s")
    assert said.startswith(
        "ResourceLimitExceeded: The account-level service limit 'Memory size in MB per serverless endpoint' is 1024 MBs, with current "
        "utilization of 0 MBs and a request delta of 2048 MBs."
    )
    smfake_client.create_endpoint(EndpointName="s", EndpointConfigName="s")
    change = {"VariantName": "v", "ServerlessUpdateConfig": {"MaxConcurrency": 9}}
    smfake_client.update_endpoint_weights_and_capacities(EndpointName="s", DesiredWeightsAndCapacities=[change])
    (described,) = smfake_client.describe_endpoint(EndpointName="s")["ProductionVariants"]
    assert described["CurrentServerlessConfig"] == serverless | {"MaxConcurrency": 9}
    assert "CurrentInstanceCount" not in described
    assert smfake.endpoints["s"].variants == {"v": {"weight": 1.0, "count": None, "model": "churn"}}


def test_a_description_takes_over_what_the_configuration_says(smfake, smfake_client):
    smfake.add_model(ModelName="churn")
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 10,
        "DestinationS3Uri": "s3://b",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    output = {"OutputConfig": {"S3OutputPath": "s3://b"}}
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}}
    smfake_client.create_endpoint_config(
        EndpointConfigName="c",
        ProductionVariants=[ONE | {"RoutingConfig": {"RoutingStrategy": "RANDOM"}}],
        DataCaptureConfig=capture,
        AsyncInferenceConfig=output,
    )
    smfake_client.create_endpoint(EndpointName="c", EndpointConfigName="c", DeploymentConfig=policy)
    described = smfake_client.describe_endpoint(EndpointName="c")
    assert described["DataCaptureConfig"] == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 10,
        "DestinationS3Uri": "s3://b",
        "KmsKeyId": "",
    }
    assert described["AsyncInferenceConfig"] == output
    assert described["LastDeploymentConfig"] == policy
    assert described["ProductionVariants"][0]["RoutingConfig"] == {"RoutingStrategy": "RANDOM"}
    assert validate("DescribeEndpoint.response", smfake.calls[-1].response) == []


def test_a_description_has_the_shadow_variants(smfake, smfake_client):
    smfake.add_model(ModelName="churn")
    shadows = [ONE | {"VariantName": "shadow"}]
    smfake_client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[ONE], ShadowProductionVariants=shadows)
    smfake_client.create_endpoint(EndpointName="c", EndpointConfigName="c")
    described = smfake_client.describe_endpoint(EndpointName="c")
    assert [variant["VariantName"] for variant in described["ShadowProductionVariants"]] == ["shadow"]
    assert validate("DescribeEndpoint.response", smfake.calls[-1].response) == []


class TestFailing:
    def test_the_next_creation(self, smfake, smfake_client):
        smfake.endpoints.fail("churn", reason="no capacity")
        smfake.add_endpoint("churn")
        described = smfake_client.describe_endpoint(EndpointName="churn")
        assert (described["EndpointStatus"], described["FailureReason"]) == ("Failed", "no capacity")
        with pytest.raises(WaiterError, match="Failed"):
            smfake_client.get_waiter("endpoint_in_service").wait(EndpointName="churn")
        assert error_of(smfake_client.update_endpoint, EndpointName="churn", EndpointConfigName="churn") == (
            f'ValidationException: Cannot update failed endpoint "{ARN}".'
        )
        smfake_client.delete_endpoint(EndpointName="churn")
        smfake_client.create_endpoint(EndpointName="churn", EndpointConfigName="churn")
        assert status(smfake_client) == "InService"

    def test_the_creation_that_is_going_on(self, smfake, smfake_client):
        smfake.endpoints.take(seconds=600)
        smfake.add_endpoint("churn")
        smfake.endpoints.fail("churn", reason="no capacity")
        assert status(smfake_client) == "Failed"
        smfake.clock.advance(600)
        assert status(smfake_client) == "Failed"

    def test_an_update_leaves_what_ran_before(self, smfake, smfake_client):
        smfake.add_endpoint("churn")
        config(smfake_client, "new", InitialInstanceCount=3)
        smfake.endpoints.fail("churn", reason="no capacity")
        smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="new")
        described = smfake_client.describe_endpoint(EndpointName="churn")
        assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", "churn")
        assert described["FailureReason"] == "no capacity"
        assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 1
        smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="new")
        described = smfake_client.describe_endpoint(EndpointName="churn")
        assert described["EndpointConfigName"] == "new"
        assert "FailureReason" not in described

    def test_the_reason_goes_when_the_next_update_begins(self, smfake, smfake_client):
        smfake.add_endpoint("churn")
        change = {"VariantName": "AllTraffic", "DesiredInstanceCount": 2}
        smfake.endpoints.take(seconds=60)
        for call, arguments in (
            (smfake_client.update_endpoint, {"EndpointConfigName": "churn"}),
            (smfake_client.update_endpoint_weights_and_capacities, {"DesiredWeightsAndCapacities": [change]}),
        ):
            smfake.endpoints.fail("churn", reason="no capacity")
            smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="churn")
            smfake.clock.advance(60)
            assert smfake_client.describe_endpoint(EndpointName="churn")["FailureReason"] == "no capacity"
            call(EndpointName="churn", **arguments)
            assert "FailureReason" not in smfake_client.describe_endpoint(EndpointName="churn")
            smfake.clock.advance(60)
        smfake.endpoints.fail("churn", reason="no capacity")
        smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="churn")
        smfake.clock.advance(60)
        smfake_client.delete_endpoint(EndpointName="churn")
        assert smfake_client.describe_endpoint(EndpointName="churn")["FailureReason"] == "no capacity"

    @pytest.mark.parametrize(
        ("cause", "text"),
        {
            "image-not-found": "Please make sure all images included in the model for the production variant AllTraffic exist, and that the "
            "execution role used to create the model has permissions to access them.",
            "image-missing": "The image '{image}' does not exist.",
            "image-denied": "The role '{role}' does not have BatchGetImage permission for the image: '{image}'.",
            "capacity": "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using a "
            "different ML instance type or after some time.",
            "download-failed": 'Failed to download model data for container "container_1" from URL: "s3://mine/model.tar.gz". Please ensure '
            "that there is an object located at the URL and that the role passed to CreateModel has permissions to download the object.",
            "extract-failed": 'Failed to extract model data archive for container "container_1" from URL "s3://mine/model.tar.gz". Please '
            "ensure that the object located at the URL is a gzip compressed tar archive.",
            "archive-too-large": "The model data archive is too large. Please reduce the size of the model data archive or move to an "
            "instance type with more memory.",
            "ping-failed": "The front container for production variant AllTraffic did not pass the ping health check. Please check "
            "CloudWatch logs for this endpoint.",
            "ping-failed-neuron": "The customer:front container,hardware:neuron for production variant AllTraffic did not pass the ping "
            "health check. Please check CloudWatch logs for this endpoint.",
            "model-missing": 'Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/churn".',
        }.items(),
        ids=lambda value: value if " " not in value else "",
    )
    def test_causes(self, smfake, smfake_client, cause, text):
        container = {"Image": smfake.image, "ModelDataUrl": "s3://mine/model.tar.gz", "ContainerHostname": "front"}
        smfake.add_model(ModelName="churn", PrimaryContainer=container)
        expected = text.format(image=smfake.image, role=smfake.role_arn)
        smfake.endpoints.fail("churn", cause=cause)
        smfake.add_endpoint("churn", model="churn")
        described = smfake_client.describe_endpoint(EndpointName="churn")
        assert (described["EndpointStatus"], described["FailureReason"]) == ("Failed", expected)
        smfake.endpoints.take(seconds=60)
        smfake.add_endpoint("other", model="churn")
        smfake.endpoints.fail("other", cause=cause)  # the one that is going on
        assert smfake.endpoints["other"].failure_reason == expected

    def test_every_cause_is_tested_and_in_the_docs(self):
        (tested,) = [mark.args[1] for mark in self.test_causes.pytestmark if mark.name == "parametrize"]
        assert [cause for cause, _ in tested] == list(CAUSES)
        docs = (Path(__file__).parents[2] / "docs" / "endpoints.md").read_text("utf-8")
        for name, cause in CAUSES.items():
            assert f"| `{name}` |" in docs
            assert cause.source

    def test_a_cause_of_a_model_without_what_the_text_names(self, smfake):
        smfake.add_model(ModelName="bare", PrimaryContainer={"Image": smfake.image})
        smfake.endpoints.fail("bare", cause="download-failed")
        smfake.add_endpoint("bare", model="bare")
        assert 'from URL: "s3://sagemaker-us-east-1-123456789012/model.tar.gz"' in smfake.endpoints["bare"].failure_reason

    @pytest.mark.parametrize("cause", CAUSES)
    def test_a_cause_of_an_endpoint_without_models(self, smfake, smfake_client, cause):
        variant = {"VariantName": "v", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1}
        smfake_client.create_endpoint_config(EndpointConfigName="c", ExecutionRoleArn=smfake.role_arn, ProductionVariants=[variant])
        smfake.endpoints.fail("components", cause=cause)
        smfake_client.create_endpoint(EndpointName="components", EndpointConfigName="c")
        reason = smfake_client.describe_endpoint(EndpointName="components")["FailureReason"]
        assert "None" not in reason
        assert ("{image}" in CAUSES[cause].text) == (smfake.image in reason)
        assert ("{role}" in CAUSES[cause].text) == (smfake.role_arn in reason)

    def test_neuron_hardware(self, smfake):
        smfake.stand_in("churn", lambda body, *_: body, ping=lambda: False)
        smfake.add_endpoint("churn", instance_type="ml.inf1.xlarge")
        assert smfake.endpoints["churn"].failure_reason == (
            "The customer:primary container,hardware:neuron for production variant AllTraffic did not pass the ping health check. Please "
            "check CloudWatch logs for this endpoint."
        )

    def test_a_cause_that_is_none(self, smfake):
        said = r"^'image-notfound' is not a cause of failure; near it: image-not-found; there are: image-not-found, image-missing, "
        with pytest.raises(ValueError, match=said):
            smfake.endpoints.fail("a", cause="image-notfound")
        with pytest.raises(ValueError, match=r"^\[\] is not a cause of failure; near it: none; "):
            smfake.endpoints.fail("a", cause=[])
        with pytest.raises(ValueError, match=r"^give reason= or cause=, not both: reason='why', cause='capacity'$"):
            smfake.endpoints.fail("a", reason="why", cause="capacity")
        with pytest.raises(ValueError, match="1 to 1024 characters, got None; or give a cause: image-not-found, "):
            smfake.endpoints.fail("a")

    @pytest.mark.parametrize(("name", "reason"), [("a_b", "why"), ("a", ""), ("a", "x" * 1025), ("a", None)])
    def test_wrong_arguments(self, smfake, name, reason):
        with pytest.raises(ValueError, match="is not a valid name of an endpoint|1 to 1024 characters"):
            smfake.endpoints.fail(name, reason=reason)

    def test_a_role_that_may_not_pull_the_image(self, smfake, smfake_client):
        with smfake.deny("ecr:BatchGetImage", resource="*/model:*"):
            smfake.add_endpoint("churn")
        assert smfake_client.describe_endpoint(EndpointName="churn")["FailureReason"] == (
            f"The role '{smfake.role_arn}' does not have BatchGetImage permission for the image: '{smfake.image}'."
        )
        smfake.add_endpoint("other")
        assert status(smfake_client, "other") == "InService"

    def test_an_action_that_nothing_looks_at(self, smfake):
        with pytest.raises(
            ValueError, match="'s3:GetObject' is not an action that can be denied; there are: iam:PassRole, ecr:BatchGetImage"
        ):
            smfake.deny("s3:GetObject")


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_nothing_takes_less_than_no_time(smfake, seconds):
    for resources in (smfake.endpoints, smfake.transform_jobs):
        with pytest.raises(ValueError, match="at least 0 seconds"):
            resources.take(seconds=seconds)


class TestInstanceLimits:
    TEXT = (
        "ResourceLimitExceeded: The account-level service limit 'ml.m5.xlarge for endpoint usage' is 2 Instances, with current utilization "
        "of {} Instances and a request delta of {} Instances. Please use AWS Service Quotas to request an increase for this quota. If AWS "
        "Service Quotas is not available, contact AWS support to request an increase for this quota."
    )

    def test_creations(self, smfake, smfake_client):
        smfake.limit(LIMIT, 2)
        smfake.add_endpoint("a")
        config(smfake_client, "two", ModelName="a", InitialInstanceCount=2)
        assert error_of(smfake_client.create_endpoint, EndpointName="b", EndpointConfigName="two") == self.TEXT.format(1, 2)
        assert "b" not in smfake.endpoints
        smfake.add_endpoint("c", model="a", instance_type="ml.m5.large", count=9)
        smfake_client.delete_endpoint(EndpointName="a")
        smfake_client.create_endpoint(EndpointName="b", EndpointConfigName="two")

    def test_variants_of_one_type_are_added_up(self, smfake, smfake_client):
        smfake.limit(LIMIT, 2)
        smfake.add_model(ModelName="churn")
        variants = [ONE | {"VariantName": name} for name in "abc"]
        smfake_client.create_endpoint_config(EndpointConfigName="three", ProductionVariants=variants)
        assert error_of(smfake_client.create_endpoint, EndpointName="b", EndpointConfigName="three") == self.TEXT.format(0, 3)

    def test_an_update_holds_both_fleets(self, smfake, smfake_client):
        smfake.add_endpoint("churn", count=1)
        config(smfake_client, "two", InitialInstanceCount=2)
        with smfake.limit(LIMIT, 2):
            said = error_of(smfake_client.update_endpoint, EndpointName="churn", EndpointConfigName="two")
        assert said == self.TEXT.format(1, 2)
        smfake.endpoints.take(seconds=60)
        smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="two")
        config(smfake_client, "one")
        with smfake.limit(LIMIT, 2):
            assert error_of(smfake_client.create_endpoint, EndpointName="b", EndpointConfigName="one") == self.TEXT.format(3, 1)
            smfake.clock.advance(60)
            assert error_of(smfake_client.create_endpoint, EndpointName="b", EndpointConfigName="one") == self.TEXT.format(2, 1)

    def test_only_what_is_added_counts(self, smfake, smfake_client):
        smfake.add_endpoint("churn", count=2)
        smfake.limit(LIMIT, 2)
        change = {"VariantName": "AllTraffic", "DesiredInstanceCount": 3}
        said = error_of(smfake_client.update_endpoint_weights_and_capacities, EndpointName="churn", DesiredWeightsAndCapacities=[change])
        assert said == self.TEXT.format(2, 1)
        fewer = [change | {"DesiredInstanceCount": 1}]
        smfake_client.update_endpoint_weights_and_capacities(EndpointName="churn", DesiredWeightsAndCapacities=fewer)

    def test_a_failed_endpoint_holds_none(self, smfake, smfake_client):
        smfake.limit(LIMIT, 1)
        smfake.endpoints.fail("churn", reason="no")
        smfake.add_endpoint("churn")
        smfake.add_endpoint("other")
        assert status(smfake_client, "other") == "InService"

    def test_made_up_use(self, smfake, smfake_client):
        smfake.add_model(ModelName="churn")
        config(smfake_client, "two", InitialInstanceCount=2)
        with smfake.limit(LIMIT, 2, used=1):
            assert error_of(smfake_client.create_endpoint, EndpointName="p", EndpointConfigName="two") == self.TEXT.format(1, 2)

    @pytest.mark.skipif(not HAS_POOLS, reason="the installed botocore does not know InstancePools")
    def test_every_pool_counts_and_the_first_one_runs(self, smfake, smfake_client):
        smfake.add_model(ModelName="churn")
        pools = [{"InstanceType": "ml.m5.large", "Priority": 2}, {"InstanceType": "ml.m5.xlarge", "Priority": 1}]
        variant = {"VariantName": "v", "ModelName": "churn", "InstancePools": pools, "InitialInstanceCount": 2}
        smfake_client.create_endpoint_config(EndpointConfigName="p", ProductionVariants=[variant])
        for held in ("ml.m5.large", "ml.m5.xlarge"):
            with smfake.limit(f"{held} for endpoint usage", 2, used=1):
                assert error_of(smfake_client.create_endpoint, EndpointName="p", EndpointConfigName="p") == (
                    self.TEXT.format(1, 2).replace("ml.m5.xlarge", held)
                )
        smfake_client.create_endpoint(EndpointName="p", EndpointConfigName="p")
        (described,) = smfake_client.describe_endpoint(EndpointName="p")["ProductionVariants"]
        assert described["InstancePools"] == [{"InstanceType": "ml.m5.xlarge", "CurrentInstanceCount": 2}]
        with smfake.limit("ml.m5.large for endpoint usage", 3):
            said = error_of(smfake_client.update_endpoint, EndpointName="p", EndpointConfigName="p")
            assert "is 3 Instances, with current utilization of 2 Instances and a request delta of 2 Instances" in said
            change = [{"VariantName": "v", "DesiredInstanceCount": 4}]
            said = error_of(smfake_client.update_endpoint_weights_and_capacities, EndpointName="p", DesiredWeightsAndCapacities=change)
            assert "'ml.m5.large for endpoint usage' is 3 Instances, with current utilization of 2 Instances" in said

    def test_from_the_start_and_in_one_region(self):
        with FakeSageMaker(limits={f"{LIMIT}@eu-west-1": 0}) as fake:
            fake.add_endpoint("churn")
            with pytest.raises(ValueError, match="is 0 Instances"):
                FakeSageMaker(limits={LIMIT: 0}).add_endpoint("churn")

    def test_the_number_of_endpoints(self, smfake, smfake_client):
        smfake.add_endpoint("churn")
        smfake.limit("endpoints", 1)
        said = error_of(smfake_client.create_endpoint, EndpointName="b", EndpointConfigName="churn")
        assert said.startswith("ResourceLimitExceeded: The account-level service limit 'Total number of endpoints' is 1 Endpoints")


class TestList:
    def test_sorting_and_filters(self, smfake, smfake_client):
        for name in ("b", "a", "c"):
            smfake.clock.advance(10)
            if name == "c":
                smfake.endpoints.fail(name, reason="no")
            smfake.add_endpoint(name)

        def names(**arguments):
            return "".join(entry["EndpointName"] for entry in smfake_client.list_endpoints(**arguments)["Endpoints"])

        assert names() == "cab"
        assert names(SortBy="Name") == "cba"
        assert names(SortBy="Status", SortOrder="Ascending") == "cba"
        assert names(StatusEquals="Failed") == "c"
        assert names(NameContains="b") == "b"
        moment = smfake.endpoints["a"].modified
        assert names(LastModifiedTimeAfter=moment) in ("ca", "c")  # the client sends whole seconds
        assert smfake_client.list_endpoints(MaxResults=1, NameContains="a")["Endpoints"] == []
        pages = smfake_client.get_paginator("list_endpoints").paginate(SortBy="Status", PaginationConfig={"PageSize": 2})
        assert [entry["EndpointName"] for page in pages for entry in page["Endpoints"]] == ["a", "b", "c"]
        assert validate("ListEndpoints.response", smfake.calls[-1].response) == []

    def test_tags(self, smfake, smfake_client):
        smfake.add_endpoint("churn")
        smfake_client.add_tags(ResourceArn=ARN, Tags=[{"Key": "a", "Value": "1"}])
        assert smfake.endpoints["churn"].tags == {"a": "1"}
        assert error_of(smfake_client.list_tags, ResourceArn=ARN.replace("churn", "x")) == "ValidationException: Resource does not exist"


def test_an_unknown_endpoint_is_named_with_those_there_are(smfake):
    smfake.add_endpoint("churn")
    with pytest.raises(KeyError, match=r"no endpoint 'other' in us-east-1, account 123456789012; endpoints: churn"):
        smfake.endpoints["other"]
    assert repr(smfake.endpoints) == "<endpoints of us-east-1 123456789012: churn>"
    assert repr(smfake.endpoints["churn"]).startswith(f"<Endpoint {ARN} ")


def test_reset_forgets_what_was_to_happen(smfake):
    smfake.endpoints.take(seconds=60)
    smfake.endpoints.fail("churn", reason="no")
    smfake.add_endpoint("churn")
    smfake.reset()
    smfake.add_endpoint("churn")
    assert smfake.endpoints["churn"].status == "InService"


@pytest.mark.parametrize(
    "seconds",
    [-1, float("nan"), float("inf"), 10**5000, "1", True, None],
    ids=lambda value: str(value)[:9] if value != 10**5000 else "large",
)
def test_what_is_no_time(smfake, seconds):
    for kind in (smfake.endpoints, smfake.transform_jobs):
        with pytest.raises(ValueError, match=r"^a duration is at least 0 seconds( and at most 10000000000)?, not "):
            kind.take(seconds=seconds)


SERVERLESS = {"VariantName": "AllTraffic", "ModelName": "churn", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}


def test_a_serverless_variant_retains_no_number_of_instances(smfake, smfake_client):
    smfake.add_endpoint("churn", count=2)
    smfake_client.create_endpoint_config(EndpointConfigName="serverless", ProductionVariants=[SERVERLESS])
    smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="serverless", RetainAllVariantProperties=True)
    (variant,) = smfake_client.describe_endpoint(EndpointName="churn")["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == SERVERLESS["ServerlessConfig"]
    assert "CurrentInstanceCount" not in variant
    assert smfake.endpoints["churn"].variants["AllTraffic"].get("count") is None


@pytest.mark.parametrize(("given", "shown"), [({}, (True, "Started")), ({"EnableCapture": False}, (False, "Stopped"))])
def test_data_is_captured_unless_it_is_said_not_to_be(smfake, smfake_client, given, shown):
    smfake.add_model(ModelName="churn")
    capture = {"CaptureOptions": [{"CaptureMode": "Input"}], "DestinationS3Uri": "s3://bucket/", "InitialSamplingPercentage": 50} | given
    variant = {"VariantName": "AllTraffic", "ModelName": "churn", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    smfake_client.create_endpoint_config(EndpointConfigName="churn", ProductionVariants=[variant], DataCaptureConfig=capture)
    smfake_client.create_endpoint(EndpointName="churn", EndpointConfigName="churn")
    described = smfake_client.describe_endpoint(EndpointName="churn")["DataCaptureConfig"]
    assert (described["EnableCapture"], described["CaptureStatus"]) == shown
