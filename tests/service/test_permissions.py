"""Denials: whose call they meet, on what, and in which words."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

WHO = "User: arn:aws:iam::123456789012:user/smfake is not authorized to perform: "
HERE = "arn:aws:sagemaker:us-east-1:123456789012"
TAG = [{"Key": "team", "Value": "growth"}]


def refusal(call, **request) -> str | None:
    """Return the text with which access is denied, None where it is not."""
    try:
        call(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDeniedException":
            return error.response["Error"]["Message"]
    return None


def test_the_operation_by_what_it_is_about(smfake, smfake_client):
    smfake.add_endpoint("churn")
    variant = {"VariantName": "v", "ModelName": "churn", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    config = {"EndpointConfigName": "c", "ProductionVariants": [variant]}
    weights = {"EndpointName": "churn", "DesiredWeightsAndCapacities": [{"VariantName": "AllTraffic"}]}
    project = {"ProjectName": "p"}
    runtime = smfake.client("sagemaker-runtime")
    cases = [
        ("CreateModel", smfake_client.create_model, smfake.request(ModelName="m"), f"{HERE}:model/m"),
        ("CreateEndpointConfig", smfake_client.create_endpoint_config, config, f"{HERE}:endpoint-config/c"),
        ("UpdateEndpointWeightsAndCapacities", smfake_client.update_endpoint_weights_and_capacities, weights, f"{HERE}:endpoint/churn"),
        ("AddTags", smfake_client.add_tags, {"ResourceArn": f"{HERE}:model/churn", "Tags": TAG}, f"{HERE}:model/churn"),
        ("ListModels", smfake_client.list_models, {}, None),
        ("ListEndpoints", smfake_client.list_endpoints, {}, None),
        ("ListTags", smfake_client.list_tags, {"ResourceArn": f"{HERE}:model/churn"}, f"{HERE}:model/churn"),
        ("ListDomains", smfake_client.list_domains, {}, f"{HERE}:domain/*"),
        ("Search", smfake_client.search, {"Resource": "TrainingJob"}, "*"),
        ("DescribeProject", smfake_client.describe_project, project, f"{HERE}:project/p"),
        ("InvokeEndpoint", runtime.invoke_endpoint, {"EndpointName": "churn", "Body": b""}, f"{HERE}:endpoint/churn"),
    ]
    for operation, call, request, resource in cases:
        denial = smfake.deny(f"sagemaker:{operation}")
        because = f"because no identity-based policy allows the sagemaker:{operation} action"
        on = f" on resource: {resource}" if resource else ""
        assert refusal(call, **request) == f"{WHO}sagemaker:{operation}{on} {because}"
        assert denial.hits == 1
        denial.stop()
        assert refusal(call, **request) is None


def test_tags_and_the_role_of_a_creation(smfake, smfake_client):
    with smfake.deny("sagemaker:AddTags"):
        assert refusal(smfake_client.create_model, **smfake.request(ModelName="a")) is None
        said = refusal(smfake_client.create_model, **smfake.request(ModelName="b", Tags=TAG))
    assert said.startswith(f"{WHO}sagemaker:AddTags on resource: {HERE}:model/b because")
    with smfake.deny("iam:PassRole", resource="*/Admin"):
        assert refusal(smfake_client.create_model, **smfake.request(ModelName="c")) is None
        admin = "arn:aws:iam::123456789012:role/Admin"
        said = refusal(smfake_client.create_model, **smfake.request(ModelName="d", ExecutionRoleArn=admin))
    assert said.startswith(f"{WHO}iam:PassRole on resource: {admin} because")
    assert list(smfake.models) == ["a", "c"]


@pytest.mark.parametrize("kind", ["endpoint", "endpoint-config"])
def test_an_endpoint_and_its_configuration(smfake, smfake_client, kind):
    smfake.add_endpoint("churn")
    other = {"EndpointName": "churn", "EndpointConfigName": "next"}
    variant = {"VariantName": "AllTraffic", "ModelName": "churn", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    smfake_client.create_endpoint_config(EndpointConfigName="next", ProductionVariants=[variant])
    for operation, request in [("CreateEndpoint", other | {"EndpointName": "new"}), ("UpdateEndpoint", other)]:
        resource = f"{HERE}:endpoint-config/next" if kind == "endpoint-config" else f"{HERE}:endpoint/{request['EndpointName']}"
        call = smfake_client.create_endpoint if operation == "CreateEndpoint" else smfake_client.update_endpoint
        with smfake.deny(f"sagemaker:{operation}", resource=resource) as denial:
            said = refusal(call, **request)
        assert (
            said
            == f"{WHO}sagemaker:{operation} on resource: {resource} because no identity-based policy allows the sagemaker:{operation} action"
        )
        assert denial.hits == 1
    # Denied on anything, the endpoint comes first.
    with smfake.deny("sagemaker:UpdateEndpoint"):
        assert f"on resource: {HERE}:endpoint/churn because" in refusal(smfake_client.update_endpoint, **other)
    with smfake.deny("sagemaker:UpdateEndpoint", resource=f"{HERE}:endpoint-config/another"):
        assert refusal(smfake_client.update_endpoint, **other) is None


def test_a_fault_of_a_list_names_no_resource_either(smfake, smfake_client):
    smfake.fail("ListModels", "AccessDeniedException")
    assert refusal(smfake_client.list_models).startswith(f"{WHO}sagemaker:ListModels because no identity-based policy")


def test_a_pattern_of_many_stars_is_matched_at_once(smfake, smfake_client):
    smfake.deny("sagemaker:CreateModel", resource="*" * 2000 + "a*" * 500 + "!")
    assert refusal(smfake_client.create_model, **smfake.request(ModelName="a" * 63)) is None


def test_a_mistake_in_the_request_comes_first(smfake, smfake_client):
    smfake.deny("sagemaker:CreateModel")
    assert refusal(smfake_client.create_model, **smfake.request(ModelName="-")) is None


@pytest.mark.parametrize(
    ("policy", "end"),
    [
        ("identity-based policy", "because no identity-based policy allows the sagemaker:ListModels action"),
        ("permissions boundary", "because no permissions boundary allows the sagemaker:ListModels action"),
        ("service control policy", "with an explicit deny in a service control policy"),
        ("explicit deny in an identity-based policy", "with an explicit deny in an identity-based policy"),
        ("explicit deny in a permissions boundary", "with an explicit deny in a permissions boundary"),
        ("explicit deny", "with an explicit deny"),
    ],
)
def test_what_denies(smfake, smfake_client, policy, end):
    smfake.deny("sagemaker:ListModels", policy=policy, principal="arn:aws:iam::123456789012:role/ops")
    assert refusal(smfake_client.list_models) == (
        f"User: arn:aws:iam::123456789012:role/ops is not authorized to perform: sagemaker:ListModels {end}"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("sagemaker:CreateModell",), "'sagemaker:CreateModell' is not an action that can be denied; .* sagemaker:CreateModel,"),
        (
            ("s3:GetObject",),
            "'s3:GetObject' is not an action that can be denied; there are: iam:PassRole, ecr:BatchGetImage, sts:AssumeRole,",
        ),
        (("CreatEndpoint",), "'CreatEndpoint' is not an action that can be denied; .* sagemaker:CreateEndpoint,"),
        (
            (["sagemaker:CreateModel"],),
            r"action must be one action as a string, such as 'sagemaker:CreateModel'; got \['sagemaker:CreateModel'\]",
        ),
        ((None,), "; got None"),
    ],
    ids=str,
)
def test_what_cannot_be_denied(smfake, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        smfake.deny(*arguments)


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"resource": 7}, r"resource=7 is not an ARN such as .*; \* stands for any characters"),
        (
            {"resource": "model/churn"},
            r"resource='model/churn' is not an ARN such as arn:aws:sagemaker:us-east-1:123456789012:model/churn; ",
        ),
        ({"principal": 7}, "principal=7 is not the ARN of a caller"),
        ({"policy": ["explicit deny"]}, r"unknown policy \['explicit deny'\]; expected one of: identity-based policy, explicit deny in an"),
    ],
    ids=str,
)
def test_arguments_that_cannot_be(smfake, keywords, sentence):
    with pytest.raises(ValueError, match=sentence):
        smfake.deny("sagemaker:CreateModel", **keywords)


def test_what_cannot_deny(smfake):
    with pytest.raises(ValueError, match="unknown policy 'mood'; expected one of: identity-based policy, .*permissions boundary, "):
        smfake.deny("sagemaker:CreateModel", policy="mood")
