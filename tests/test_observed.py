"""Real answers of the service, reproduced exactly.

`observed.json` holds every answer that was seen with an address: its text and its source. Each is reproduced here, through
a boto3 client, or waits for a part that this package does not have. Where the reporter redacted a value, `REDACTED` says
what stands there here; all else must be equal to the letter.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_smfake import FakeSageMaker

OBSERVED = {entry["id"]: entry for entry in json.loads((Path(__file__).parent / "observed.json").read_text("utf-8"))}
ROLE = "arn:aws:iam::123456789012:role/r"
IMAGE = "123456789012.dkr.ecr.us-east-2.amazonaws.com/model:1"


def model(**overrides):
    return {"ModelName": "model", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}} | overrides


def variant(**overrides):
    return {"EndpointConfigName": "a", "ProductionVariants": [{"VariantName": "v", "ModelName": "m"} | overrides]}


TRAINING_JOB = {
    "TrainingJobName": "a",
    "RoleArn": ROLE,
    "AlgorithmSpecification": {"TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket"},
    "StoppingCondition": {},
    "HyperParameters": {"sagemaker_requirements": '""', "batch_size": "32", "evaluation_steps": "null", "long": "x" * 257},
}
SPARKML = '{"input": [list_of_column_names_and_types_omitted_due_to_privacy], "output": {"type": "double", "name": "prediction"}}'

REDACTED = {
    # What a reporter left out, and what stands there in the request here.
    "cm-constraint-environment-value": (SPARKML, SPARKML + " " * 1024),
    "cm-nonecr": ("<My image>", "docker.io/mine:1"),
    "sib-ctj-hyperparameters-value-256": (", ... }", f", long={'x' * 257}}}"),
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
    "tc-duplicate-tag": ({}, "create_model", model(Tags=[{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}])),
}

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
    "denials on purpose": [
        "cec-accessdenied-scp",
        "ctj-accessdenied-explicit",
        "addtags-accessdenied-boundary",
        "createproject-passrole",
    ],
    "limits on instances and training jobs": ["limit-ctj-old"],
    "failures on purpose": ["throttle-listtransform-wire", "proto-internalfailure-empty", "proto-500-nontyped", "proto-unsupported-op"],
    "verified signatures": ["auth-unrecognized"],
    "the runtime service": ["auth-missing-runtime"],
    "endpoints and endpoint configurations": ["descec-notfound", "endpoint-role-no-batchget", "ctransform-role"],
    "nothing: it is about another service, whose form is taken over": ["proto-serialization-firehose", "proto-serialization-dynamo"],
    "nothing: ARNs keep the name's case since 2022": ["arn-lowercase"],
}


def test_every_observed_answer_is_reproduced_or_waits_for_something():
    waiting = [entry for entries in WAITS_FOR.values() for entry in entries]
    assert sorted([*REPRODUCED, *waiting]) == sorted(OBSERVED)


@pytest.mark.parametrize("name", REPRODUCED)
def test_observed(name):
    settings, operation, request = REPRODUCED[name]
    entry = OBSERVED[name]
    message = entry["message"].replace(*REDACTED.get(name, ("", "")))
    with FakeSageMaker(**{"region": "us-east-2"} | settings) as fake:
        if name == "cm-exists-2023":
            fake.add_model(**request)
        client = fake.client(config=Config(parameter_validation=False))
        with pytest.raises(ClientError) as caught:
            getattr(client, operation)(**request)
    assert caught.value.response["Error"] == {"Code": entry["code"], "Message": message}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == entry.get("http_status", 400)
