"""Batch transform jobs in SageMaker. Ordinary boto3 code."""

from __future__ import annotations

import boto3
from botocore.exceptions import WaiterError

from .settings import Settings


class JobFailedError(Exception):
    """A transform job failed; the text is the service's reason."""


def score(settings: Settings, job: str, source: str, target: str, region: str) -> None:
    """Score every CSV object under a prefix, keep its first column as an id, and wait until that is done."""
    client = boto3.client("sagemaker", region_name=region)
    client.create_transform_job(
        TransformJobName=job,
        ModelName=settings.name,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": target, "Accept": "text/csv", "AssembleWith": "Line"},
        TransformResources={"InstanceType": settings.instance_type, "InstanceCount": settings.instance_count},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
    )
    try:
        client.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName=job)
    except WaiterError as error:
        raise JobFailedError(client.describe_transform_job(TransformJobName=job)["FailureReason"]) from error
