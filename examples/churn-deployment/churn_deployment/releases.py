"""Releases of a model: create a version, note its approval, and delete the version that it replaces. Ordinary boto3 code."""

from __future__ import annotations

from contextlib import suppress

import boto3
from botocore.exceptions import ClientError

from .settings import Settings


def release_at_first(settings: Settings, approval: str, replaced: str, region: str) -> None:
    """Release a version, as it was first written. It has two mistakes, which `tests/test_releases.py` lets a sweep find."""
    client = boto3.client("sagemaker", region_name=region)
    arn = client.create_model(**settings.request())["ModelArn"]
    # When this fails, a model without an approval stays behind.
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "approval", "Value": approval}])
    # Meant for a version that is gone already; every other failure passes unseen, too.
    with suppress(ClientError):
        client.delete_model(ModelName=replaced)


def release(settings: Settings, approval: str, replaced: str, region: str) -> None:
    """Release a version: there is no model without an approval, and what cannot be deleted is told."""
    client = boto3.client("sagemaker", region_name=region)
    arn = client.create_model(**settings.request())["ModelArn"]
    try:
        client.add_tags(ResourceArn=arn, Tags=[{"Key": "approval", "Value": approval}])
    except Exception:
        client.delete_model(ModelName=settings.name)
        raise
    try:
        client.delete_model(ModelName=replaced)
    except ClientError as error:
        # The service has no error code of its own for a model that is not there.
        if "Could not find model" not in error.response["Error"]["Message"]:
            raise
