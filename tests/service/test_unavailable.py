"""What a region lacks, since a test says so."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from pytest_smfake.rules.service_model import service_model
from pytest_smfake.service.permissions import FEATURES

VARIANT = {"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": "ml.inf2.8xlarge", "InitialInstanceCount": 1}


@pytest.fixture
def configure(smfake):
    smfake.add_model(ModelName="m")
    smfake.at(region="us-west-2").add_model(ModelName="m")

    def create(name, region="us-east-1", **variant):
        client = smfake.client(region_name=region)
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[VARIANT | variant])

    return create


def test_nothing_by_default(configure):
    configure("c")


def test_a_type_of_one_region(smfake, configure):
    lacking = smfake.unavailable("ml.inf2.8xlarge", region="us-east-1")
    with pytest.raises(ClientError, match="Instance type ml.inf2.8xlarge is not supported for the chosen region"):
        configure("c")
    configure("c", region="us-west-2")
    configure("d", InstanceType="ml.inf2.xlarge")
    lacking.stop()
    configure("c")


@pytest.mark.skipif(
    "InstancePools" not in service_model().shape_for("ProductionVariant").members, reason="the installed botocore has no InstancePools"
)
def test_a_pool_of_a_type(smfake, configure):
    pools = [{"InstanceType": "ml.g5.xlarge", "Priority": 1}, {"InstanceType": "ml.inf2.8xlarge", "Priority": 2}]
    with smfake.unavailable("ml.inf2.8xlarge"), pytest.raises(ClientError, match="Instance type ml.inf2.8xlarge is not supported"):
        smfake.client().create_endpoint_config(
            EndpointConfigName="c",
            ProductionVariants=[{"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstancePools": pools}],
        )


def test_serverless_inference(smfake, smfake_client):
    smfake.add_model(ModelName="m")
    serverless = {"VariantName": "v", "ModelName": "m", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
    smfake_client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[serverless])
    with smfake.unavailable("serverless-inference"), pytest.raises(ClientError, match="endpoint features are not supported"):
        smfake_client.create_endpoint(EndpointName="e", EndpointConfigName="c")
    smfake_client.create_endpoint(EndpointName="e", EndpointConfigName="c")


def test_the_refusal_names_the_rule_that_the_test_can_lift(smfake, configure):
    smfake.unavailable("ml.inf2.8xlarge")
    with pytest.raises(ClientError):
        configure("c")
    (violation,) = smfake.calls[-1].error.violations
    assert violation.rule.id == "CreateEndpointConfig/ProductionVariants[].InstanceType:available"


@pytest.mark.parametrize("thing", ["ml.inf9.8xlarge", "async", 5, ""])
def test_an_unknown_thing(smfake, thing):
    with pytest.raises(
        ValueError, match=r"is neither an instance type of endpoints nor a feature; near it: .*; the features are: "
    ) as caught:
        smfake.unavailable(thing)
    assert ", ".join(FEATURES) in str(caught.value)


def test_a_region_that_cannot_be(smfake):
    with pytest.raises(ValueError, match="'mars' is not the name of a region"):
        smfake.unavailable("ml.inf2.8xlarge", region="mars")


def test_over_the_server(smfake_server):
    fake = smfake_server.fake
    fake.add_model(ModelName="m")
    with fake.unavailable("ml.inf2.8xlarge"), pytest.raises(ValueError, match="is not supported for the chosen region"):
        fake.add_endpoint("e", model="m", instance_type="ml.inf2.8xlarge")
    fake.add_endpoint("e", model="m", instance_type="ml.inf2.8xlarge")
