"""Endpoint configurations, as a boto3 client sees them."""

from __future__ import annotations

import pytest

from pytest_smfake import FakeSageMaker, validate

from .conftest import ONE, error_of

ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/churn"


def test_create_and_describe(smfake, smfake_client):
    smfake.add_model(ModelName="churn")
    tags = [{"Key": "team", "Value": "ml"}]
    arn = smfake_client.create_endpoint_config(EndpointConfigName="churn", ProductionVariants=[ONE], Tags=tags)["EndpointConfigArn"]
    assert arn == ARN
    described = smfake_client.describe_endpoint_config(EndpointConfigName="churn")
    assert described["ProductionVariants"] == [ONE | {"InitialVariantWeight": 1.0}]
    assert described["EnableNetworkIsolation"] is False
    assert "Tags" not in described
    assert validate("DescribeEndpointConfig.response", smfake.calls[-1].response) == []
    config = smfake.endpoint_configs["churn"]
    assert (config.arn, config.tags, config["ProductionVariants"]) == (arn, {"team": "ml"}, [ONE])
    assert smfake_client.list_tags(ResourceArn=arn)["Tags"] == tags


def test_the_name_is_taken(smfake, smfake_client):
    smfake.add_endpoint("churn")
    assert error_of(smfake_client.create_endpoint_config, EndpointConfigName="churn", ProductionVariants=[ONE]) == (
        f'ValidationException: Cannot create already existing endpoint configuration "{ARN}".'
    )


def test_the_rule_that_a_name_be_free_can_be_lifted():
    with FakeSageMaker(rules={"CreateEndpointConfig/EndpointConfigName:not-taken": None}) as fake:
        fake.add_endpoint("churn")
        fake.client().create_endpoint_config(EndpointConfigName="churn", ProductionVariants=[ONE | {"InitialInstanceCount": 3}])
        assert fake.endpoint_configs["churn"]["ProductionVariants"][0]["InitialInstanceCount"] == 3


@pytest.mark.parametrize("member", ["ProductionVariants", "ShadowProductionVariants"])
def test_a_variant_names_a_model_that_exists(smfake, smfake_client, member):
    smfake.add_model(ModelName="churn")
    lists = {"ProductionVariants": [ONE]} | {member: [ONE | {"VariantName": "other", "ModelName": "nope"}]}
    assert error_of(smfake_client.create_endpoint_config, EndpointConfigName="churn", **lists) == (
        'ValidationException: Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/nope".'
    )
    assert len(smfake.endpoint_configs) == 0


def test_a_serverless_variant_takes_no_isolated_model(smfake, smfake_client):
    smfake.add_model(ModelName="churn", EnableNetworkIsolation=True)
    variant = {"VariantName": "v", "ModelName": "churn", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}
    assert error_of(smfake_client.create_endpoint_config, EndpointConfigName="c", ProductionVariants=[variant]) == (
        "ValidationException: The network isolation is not supported for serverless endpoint. Please disable the network isolation."
    )


def test_every_violation_is_in_one_message(smfake_client):
    variant = {"VariantName": "-", "ModelName": "x" * 64, "InstanceType": "ml.none", "InitialInstanceCount": 1}
    said = error_of(smfake_client.create_endpoint_config, EndpointConfigName="a_b", ProductionVariants=[variant])
    assert said.startswith("ValidationException: 4 validation errors detected: Value 'a_b' at 'endpointConfigName' failed")
    assert "at 'productionVariants.1.member.variantName'" in said
    assert "Value 'ml.none' at 'productionVariants.1.member.instanceType' failed to satisfy constraint: Member must satisfy enum" in said


def test_list_and_delete(smfake, smfake_client):
    smfake.add_model(ModelName="churn")
    for index in range(12):
        smfake_client.create_endpoint_config(EndpointConfigName=f"c{index}", ProductionVariants=[ONE])
    pages = list(smfake_client.get_paginator("list_endpoint_configs").paginate(SortBy="Name", SortOrder="Ascending"))
    assert [len(page["EndpointConfigs"]) for page in pages] == [10, 2]
    assert [entry["EndpointConfigName"] for entry in pages[1]["EndpointConfigs"]] == ["c8", "c9"]
    newest = smfake_client.list_endpoint_configs(MaxResults=1)["EndpointConfigs"]
    assert [entry["EndpointConfigName"] for entry in newest] == ["c11"]
    smfake_client.delete_endpoint_config(EndpointConfigName="c0")
    assert "c0" not in smfake.endpoint_configs
    assert error_of(smfake_client.delete_endpoint_config, EndpointConfigName="c0") == (
        f'ValidationException: Could not find endpoint configuration "{ARN[:-5]}c0".'
    )


def test_regions_and_accounts_are_apart(smfake):
    smfake.add_endpoint("churn")
    assert smfake.client(region_name="eu-west-1").list_endpoint_configs()["EndpointConfigs"] == []
    assert smfake.client(account="111122223333").list_endpoints()["Endpoints"] == []


def test_the_limit(smfake, smfake_client):
    smfake.add_endpoint("churn")
    with smfake.limit("endpoint-configs", 1):
        said = error_of(smfake_client.create_endpoint_config, EndpointConfigName="b", ProductionVariants=[ONE])
    assert said.startswith("ResourceLimitExceeded: The account-level service limit 'Total number of endpoint configurations' is 1 ")
