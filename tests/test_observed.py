"""Real answers of the service, reproduced exactly.

`observed.json` holds every answer that was seen with an address: its text and its source. Each is reproduced here, through
a boto3 client, or waits for a part that this package does not have. Where the reporter redacted a value, `REDACTED` says
what stands there here; all else must be equal to the letter.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from pytest_smfake import FakeSageMaker

OBSERVED = {entry["id"]: entry for entry in json.loads((Path(__file__).parent / "observed.json").read_text("utf-8"))}
ROLE = "arn:aws:iam::123456789012:role/r"
IMAGE = "123456789012.dkr.ecr.us-east-2.amazonaws.com/model:1"


def model(**overrides):
    return {"ModelName": "model", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}} | overrides


def variant(**overrides):
    return {"EndpointConfigName": "a", "ProductionVariants": [{"VariantName": "v", "ModelName": "m"} | overrides]}


def job(name, uri="s3://bucket/in/"):
    return {
        "TransformJobName": "job",
        "ModelName": name,
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}},
        "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
        "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
    }


def component_endpoint(fake):
    variant = {"VariantName": "v", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    role = {"ExecutionRoleArn": fake.role_arn}
    fake.client().create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant], **role)
    fake.client().create_endpoint(EndpointName="e", EndpointConfigName="c")


def hanging(fake):
    fake.add_endpoint(SPACY)
    fake.stand_in(SPACY, lambda *_: threading.Event().wait(5) or b"", timeout=0.01)


def unassumable(fake):
    fake.add_model(ModelName="m", ExecutionRoleArn=f"arn:aws:iam::123456789012:role/{PREDICTIVE}")
    fake.deny("sts:AssumeRole", resource=f"*:role/{PREDICTIVE}")


def no_objects(fake):
    fake.add_model(ModelName="m", ExecutionRoleArn=f"arn:aws:iam::123456789012:role/{BUILD}")
    fake.stand_in("m", lambda *_: b"")


SPACY = "spacy-ner-endpoint2022-04-27-20-26-17"
PREDICTIVE = "PredictiveMaintenance-NotebookInstanceExecutionRol-YVBYTBKPP92H"
BUILD = "ProdBuildSystemStack-ReleaseBuildRoleFB326D49-QK8LUA2UI1IC"
TEST_SET = "s3://sagemaker-us-west-2-123456789012/image-classification-full-training/test/"
BERT = "bert-sentiment-config"
SPACE = "arn:aws:sagemaker:us-east-1:123456789012:space/d-aq8p3i3mrfql/LLM-Project"
IMMERSION = "sagemaker-immersion-day-SageMakerExecutionRole-9zz8Vn2LZg9h"

TRAINING_JOB = {
    "TrainingJobName": "a",
    "RoleArn": ROLE,
    "AlgorithmSpecification": {"TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket"},
    "StoppingCondition": {},
    "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},  # older models require it
    "HyperParameters": {"sagemaker_requirements": '""', "batch_size": "32", "evaluation_steps": "null", "long": "x" * 257},
}
SPARKML = '{"input": [list_of_column_names_and_types_omitted_due_to_privacy], "output": {"type": "double", "name": "prediction"}}'

USER = "User: arn:aws:iam::123456789012:user/smfake"
REDACTED = {
    # What a reporter left out, and what stands there in the request here.
    "cm-constraint-environment-value": (SPARKML, SPARKML + " " * 1024),
    "cm-nonecr": ("<My image>", "docker.io/mine:1"),
    "sib-ctj-hyperparameters-value-256": (", ... }", f", long={'x' * 257}}}"),
    "ctransform-role": ("arn:aws:iam::XXX:", "arn:aws:iam::123456789012:"),
    "invoke-timeout": ("in account xx for", "in account 123456789012 for"),
    "endpoint-role-no-batchget": ("arn:aws:iam::9111xxxxxxxx:", "arn:aws:iam::911100000000:"),
    "ctj-accessdenied-explicit": ("is not authorized", f"{USER} is not authorized"),
    "addtags-accessdenied-boundary": ("sagemaker:AddTags on", f"{USER} is not authorized to perform: sagemaker:AddTags on"),
    "auth-missing-runtime": ('{"message": "Missing Authentication Token"}', "Missing Authentication Token"),
}
STATUS = {
    # Where the reporter does not tell it: as documented for the code, else 400.
    "proto-internalfailure-empty": 500,
    "proto-unsupported-op": 404,
}

REPRODUCED = {
    # Settings of the fake, operation, request.
    "cm-constraint-name-length-and-pattern": (
        {},
        "create_model",
        model(ModelName="{{ ti.xcom_pull(task_ids='model_training')['Training']['TrainingJobName'] }}"),
    ),
    "cm-constraint-environment-value": (
        {},
        "create_model",
        model(PrimaryContainer={"Image": IMAGE, "Environment": {"SAGEMAKER_SPARKML_SCHEMA": SPARKML + " " * 1024}}),
    ),
    "sib-ctj-hyperparameters-value-256": (
        # The bounds of that year.
        {"rules": {"CreateTrainingJob/HyperParameters[value]:max": 256, "CreateTrainingJob/HyperParameters[value]:pattern": None}},
        "create_training_job",
        TRAINING_JOB,
    ),
    "sib-cec-list-member-path": ({}, "create_endpoint_config", variant(ModelName="ENTER MODEL NAME")),
    "cm-exists-2023": ({}, "create_model", model(ModelName="provider-knn-model")),
    "cm-nonecr": ({"edition": "sdk"}, "create_model", model(PrimaryContainer={"Image": "docker.io/mine:1"})),
    "cm-mme-in-pipeline": (
        {},
        "create_model",
        {"ModelName": "m", "ExecutionRoleArn": ROLE, "Containers": [{"Image": IMAGE, "Mode": "MultiModel"}] * 2},
    ),
    "dmp-wrong-region": (
        {"region": "us-west-2"},
        "create_model",
        model(PrimaryContainer={"ModelPackageName": "arn:aws:sagemaker:us-east-1:123456789012:model-package/m"}),
    ),
    "lt-notexist": ({}, "list_tags", {"ResourceArn": "arn:aws:sagemaker:us-east-2:123456789012:model/nope"}),
    "descec-notfound": (
        {"region": "us-west-2"},
        "describe_endpoint_config",
        {"EndpointConfigName": "demo-xgb-churn-pred-model-monitor-2021-05-11-00-02-22"},
    ),
    "ctransform-role": ({}, "create_transform_job", job("m")),
    "cec-exists": (
        {"region": "cn-northwest-1"},
        "create_endpoint_config",
        variant(InstanceType="ml.m5.xlarge", InitialInstanceCount=1) | {"EndpointConfigName": BERT},
    ),
    "ce-exists": ({"region": "eu-west-1"}, "create_endpoint", {"EndpointName": "iris", "EndpointConfigName": "iris"}),
    "de-notfound": ({"region": "us-west-2"}, "delete_endpoint", {"EndpointName": "ipinsights-2021-05-11-00-23-29-162"}),
    "cec-scaling-to-zero": (
        {},
        "create_endpoint_config",
        variant(InstanceType="ml.m5.xlarge", InitialInstanceCount=1, ManagedInstanceScaling={"MinInstanceCount": 0}),
    ),
    "ctransform-no-objects": ({"region": "us-west-2"}, "create_transform_job", job("m", TEST_SET)),
    "invoke-notfound": ({}, "invoke_endpoint", {"EndpointName": "driving-endpoint", "Body": b""}),
    "invoke-not-multi-model": ({}, "invoke_endpoint", {"EndpointName": "wireframe2code", "Body": b"", "TargetModel": "m"}),
    "invoke-no-component": ({}, "invoke_endpoint", {"EndpointName": "e", "Body": b""}),
    "invoke-timeout": ({"region": "us-east-1"}, "invoke_endpoint", {"EndpointName": SPACY, "Body": b""}),
    "tc-duplicate-tag": ({}, "create_model", model(Tags=[{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}])),
    "cec-accessdenied-scp": (
        {"region": "us-west-2"},
        "create_endpoint_config",
        variant(InstanceType="ml.m5.xlarge", InitialInstanceCount=1)
        | {"EndpointConfigName": "meta-textgeneration-llama-2-7b-2024-07-22-18-13-51-081"},
    ),
    "ctj-accessdenied-explicit": (
        {"region": "us-east-1"},
        "create_training_job",
        TRAINING_JOB | {"TrainingJobName": "knn-2021-04-20-19-44-27-275", "HyperParameters": {}},
    ),
    "addtags-accessdenied-boundary": ({"region": "us-east-1"}, "add_tags", {"ResourceArn": SPACE, "Tags": [{"Key": "a", "Value": "1"}]}),
    # Of CreateProject, which passes a role that its request does not name; the text names no operation.
    "createproject-passrole": ({}, "create_model", model(ExecutionRoleArn=f"arn:aws:iam::123456789012:role/{IMMERSION}")),
    "throttle-listtransform-wire": ({}, "list_transform_jobs", {}),
    "proto-internalfailure-empty": ({}, "describe_pipeline", {"PipelineName": "p"}),
    "proto-500-nontyped": ({}, "create_training_job", TRAINING_JOB | {"HyperParameters": {}}),
    "proto-unsupported-op": ({}, "list_models", {}),
    "auth-unrecognized": ({}, "list_models", {}),
    "auth-missing-runtime": ({}, "invoke_endpoint", {"EndpointName": "e", "Body": b""}),
}

PREPARED = {
    # What is there before the request.
    "cm-exists-2023": lambda fake: fake.add_model(ModelName="provider-knn-model"),
    "ctransform-role": unassumable,
    "cec-exists": lambda fake: fake.add_endpoint(BERT),
    "ce-exists": lambda fake: fake.add_endpoint("iris"),
    "ctransform-no-objects": no_objects,
    "invoke-not-multi-model": lambda fake: fake.add_endpoint("wireframe2code"),
    "invoke-no-component": component_endpoint,
    "invoke-timeout": hanging,
    "cec-accessdenied-scp": lambda fake: fake.deny(
        "sagemaker:CreateEndpointConfig",
        policy="service control policy",
        principal="arn:aws:sts::123456789012:assumed-role/SageMaker-udacity-ProjectRole/SageMaker",
    ),
    "ctj-accessdenied-explicit": lambda fake: fake.deny("sagemaker:CreateTrainingJob", policy="explicit deny"),
    "addtags-accessdenied-boundary": lambda fake: fake.deny("sagemaker:AddTags", policy="permissions boundary"),
    "createproject-passrole": lambda fake: fake.deny(
        "iam:PassRole", principal=f"arn:aws:sts::123456789012:assumed-role/{IMMERSION}/SageMaker"
    ),
    "throttle-listtransform-wire": lambda fake: fake.fail("ListTransformJobs", "ThrottlingException"),
    "proto-internalfailure-empty": lambda fake: fake.fail("DescribePipeline", "InternalFailure"),
    "proto-500-nontyped": lambda fake: fake.fail("CreateTrainingJob", "500"),
    "proto-unsupported-op": lambda fake: fake.fail("ListModels", "UnknownOperationException"),
    "auth-unrecognized": lambda fake: fake.fail("ListModels", "UnrecognizedClientException"),
    "auth-missing-runtime": lambda fake: fake.fail("InvokeEndpoint", "MissingAuthenticationToken"),
}
FAILURE_REASONS = ("endpoint-role-no-batchget", "endpoint-ping", "transform-ping")
"""Told by a description, not by an error; each has a test of its own below."""

WAITS_FOR = {
    "a look into ECR": [
        "cm-ecr-invalid-2018",
        "cm-ecr-notfound",
        "cm-ecr-cannot-pull",
        "cm-ecr-no-grant-2026",
        "cm-manifest-oci",
        "cm-mme-label",
    ],
    "a look into S3": ["cm-modeldata-404"],
    "a look into the Marketplace": ["cm-marketplace-notsubscribed"],
    "nothing: the text has another ending by now": ["limit-ctj-old"],
    "nothing: it is about another service, whose form is taken over": ["proto-serialization-firehose", "proto-serialization-dynamo"],
    "nothing: ARNs keep the name's case since 2022": ["arn-lowercase"],
}


def test_every_observed_answer_is_reproduced_or_waits_for_something():
    waiting = [entry for entries in WAITS_FOR.values() for entry in entries]
    assert sorted([*REPRODUCED, *FAILURE_REASONS, *waiting]) == sorted(OBSERVED)


@pytest.mark.parametrize("name", REPRODUCED)
def test_observed(name):
    settings, operation, request = REPRODUCED[name]
    entry = OBSERVED[name]
    message = entry["message"].replace(*REDACTED.get(name, ("", "")))
    with mock_aws(), FakeSageMaker(**{"region": "us-east-2"} | settings) as fake:
        PREPARED.get(name, lambda _: None)(fake)
        service = "sagemaker-runtime" if operation == "invoke_endpoint" else "sagemaker"
        client = fake.client(service, config=Config(parameter_validation=False))
        with pytest.raises(ClientError) as caught:
            getattr(client, operation)(**request)
    assert caught.value.response["Error"] == {"Code": entry["code"], "Message": message}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == entry.get("http_status", STATUS.get(name, 400))


def observed_reason(name):
    return OBSERVED[name]["message"].replace(*REDACTED.get(name, ("", "")))


def test_a_role_that_may_not_pull_the_image(smfake, smfake_client):
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-inference:1.15.2-gpu"
    smfake.add_model(ModelName="m", PrimaryContainer={"Image": image}, ExecutionRoleArn="arn:aws:iam::911100000000:role/test-role")
    smfake.deny("ecr:BatchGetImage", resource=image)
    smfake.add_endpoint("e", model="m")
    described = smfake_client.describe_endpoint(EndpointName="e")
    assert (described["EndpointStatus"], described["FailureReason"]) == ("Failed", observed_reason("endpoint-role-no-batchget"))


def test_containers_that_do_not_answer_their_ping(smfake_moto):
    client = smfake_moto.client()
    s3 = smfake_moto.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="in/a", Body=b"")
    smfake_moto.stand_in("e", lambda *_: b"", ping=lambda: False)
    smfake_moto.add_endpoint("e")
    assert client.describe_endpoint(EndpointName="e")["FailureReason"] == observed_reason("endpoint-ping")
    client.create_transform_job(**job("e"))
    assert client.describe_transform_job(TransformJobName="job")["FailureReason"] == observed_reason("transform-ping")
