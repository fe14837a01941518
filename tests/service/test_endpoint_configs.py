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
    assert error_of(smfake_client.create_endpoint_config, EndpointConfigName="c", ProductionVariants=[SERVERLESS]) == (
        "ValidationException: The network isolation is not supported for serverless endpoint. Please disable the network isolation."
    )


SERVERLESS = {"VariantName": "v", "ModelName": "churn", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}
ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1"
MULTI_MODEL = {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": "s3://bucket/models/"}
PAIR = [{"Image": IMAGE, "ContainerHostname": "a"}, {"Image": IMAGE, "ContainerHostname": "b"}]
VPC = {"SecurityGroupIds": ["sg-0"], "Subnets": ["subnet-0"]}


@pytest.mark.parametrize(
    ("model", "refusal"),
    [
        ({"VpcConfig": VPC}, "ServerlessConfig cannot be combined with VpcConfig of model churn."),
        ({"Containers": [MULTI_MODEL]}, "ServerlessConfig cannot be combined with Mode MultiModel of model churn."),
        ({"Containers": PAIR}, "ServerlessConfig cannot be combined with the inference pipeline in Containers of churn."),
        ({"Containers": PAIR, "InferenceExecutionConfig": {"Mode": "Direct"}}, None),
        ({"Containers": PAIR[:1]}, None),
    ],
)
def test_the_models_of_serverless_variants(smfake, smfake_client, model, refusal):
    container = {} if "Containers" in model else {"PrimaryContainer": {"Image": IMAGE}}
    smfake_client.create_model(ModelName="churn", ExecutionRoleArn=ROLE, **container, **model)
    request = {"EndpointConfigName": "c", "ProductionVariants": [SERVERLESS]}
    if refusal is None:
        smfake_client.create_endpoint_config(**request)
    else:
        assert error_of(smfake_client.create_endpoint_config, **request) == f"ValidationException: {refusal}"
    smfake_client.create_endpoint_config(EndpointConfigName="instances", ProductionVariants=[ONE])


@pytest.mark.parametrize(
    ("package", "is_of_marketplace"),
    [
        ("arn:aws:sagemaker:us-east-1:594846645681:model-package/bought", True),
        ("arn:aws:sagemaker:us-east-1:594846645681:model-package/shared/1", False),
        ("arn:aws:sagemaker:us-east-1:123456789012:model-package/own", False),
        ("own", False),
    ],
)
def test_no_asynchronous_inference_of_a_package_of_the_marketplace(smfake, smfake_client, package, is_of_marketplace):
    smfake.add_model(ModelName="churn", PrimaryContainer={"ModelPackageName": package}, EnableNetworkIsolation=True)
    request = {"ProductionVariants": [ONE], "AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://bucket/out"}}}
    if is_of_marketplace:
        assert error_of(smfake_client.create_endpoint_config, EndpointConfigName="c", **request) == (
            "ValidationException: Marketplace images are not supported when specifying an AsyncInferenceConfig."
        )
    else:
        smfake_client.create_endpoint_config(EndpointConfigName="c", **request)


GPU_TYPES = "CreateEndpointConfig/ProductionVariants[].InstanceType:multi-model-type"


@pytest.mark.parametrize("instance_type", ["ml.g4dn.xlarge", "ml.g5.2xlarge", "ml.p3.2xlarge", "ml.m5.xlarge"])
def test_a_multi_model_endpoint_has_gpus_unless_the_year_is_asked_for(instance_type):
    request = {"EndpointConfigName": "c", "ProductionVariants": [ONE | {"InstanceType": instance_type}]}
    for rules in ({}, {GPU_TYPES: True}):
        with FakeSageMaker(rules=rules) as fake:
            fake.add_model(ModelName="churn", PrimaryContainer=MULTI_MODEL)
            if rules and instance_type != "ml.m5.xlarge":
                assert error_of(fake.client().create_endpoint_config, **request) == (
                    f"ValidationException: MultiModel mode is not supported for instance type {instance_type}."
                )
            else:
                fake.client().create_endpoint_config(**request)


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
