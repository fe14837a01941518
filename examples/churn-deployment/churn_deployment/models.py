"""Models in SageMaker: create, look, prune. Ordinary boto3 code."""

from __future__ import annotations

import boto3
from botocore.exceptions import ClientError

from .settings import Settings


class QuotaReachedError(Exception):
    """The account may have no more models."""


class NameTakenError(Exception):
    """The name belongs to a model with another image, artifact or environment."""


def deploy(settings: Settings, region: str) -> str:
    """Create the model and return its ARN; one that exists already and is the same is left as it is."""
    client = boto3.client("sagemaker", region_name=region)
    try:
        return client.create_model(**settings.request())["ModelArn"]
    except client.exceptions.ResourceLimitExceeded as error:
        raise QuotaReachedError(f"{settings.name} was not created; prune old versions first") from error
    except ClientError as error:
        # The service has no error code of its own for a name that is taken.
        if "already existing" not in error.response["Error"]["Message"]:
            raise
    existing = client.describe_model(ModelName=settings.name)
    wanted = settings.request()["PrimaryContainer"]
    if any(existing["PrimaryContainer"].get(member) != value for member, value in wanted.items()):
        raise NameTakenError(settings.name)
    return existing["ModelArn"]


def versions(prefix: str, region: str) -> list[str]:
    """Return the names of all models that start with a prefix, newest first."""
    pages = boto3.client("sagemaker", region_name=region).get_paginator("list_models").paginate(NameContains=prefix)
    names = [model["ModelName"] for page in pages for model in page["Models"]]
    return [name for name in names if name.startswith(prefix)]


def prune(prefix: str, keep: int, region: str) -> list[str]:
    """Delete all but the newest versions, and return the names of those that are gone."""
    client = boto3.client("sagemaker", region_name=region)
    old = versions(prefix, region)[keep:]
    for name in old:
        client.delete_model(ModelName=name)
    return old
