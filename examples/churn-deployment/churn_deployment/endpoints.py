"""Endpoints in SageMaker: roll a version out, predict, take everything down. Ordinary boto3 code."""

from __future__ import annotations

from contextlib import ExitStack

import boto3
from botocore.exceptions import ClientError, WaiterError

from .settings import Settings


class RolloutError(Exception):
    """A version was not rolled out; nothing of it is left, and what ran before still runs."""


def roll_out(settings: Settings, endpoint: str, region: str) -> None:
    """Create or update an endpoint with a new version of the model, and wait until it serves.

    Three calls make an endpoint. When a later one fails, what the earlier ones made is removed.
    """
    client = boto3.client("sagemaker", region_name=region)
    with ExitStack() as undo:
        try:
            client.create_model(**settings.request())
            undo.callback(client.delete_model, ModelName=settings.name)
            client.create_endpoint_config(**settings.config_request())
            undo.callback(client.delete_endpoint_config, EndpointConfigName=settings.name)
            if _exists(endpoint, region):
                client.update_endpoint(EndpointName=endpoint, EndpointConfigName=settings.name)
            else:
                client.create_endpoint(EndpointName=endpoint, EndpointConfigName=settings.name, Tags=settings.tag_list)
                undo.callback(client.delete_endpoint, EndpointName=endpoint)
            _wait(endpoint, settings.name, region)
        except (ClientError, WaiterError) as error:
            raise RolloutError(f"{settings.name} was not rolled out to {endpoint}: {error}") from error
        undo.pop_all()


def _wait(endpoint: str, config: str, region: str) -> None:
    """Wait until an endpoint serves a configuration; one whose update failed is in service, with what ran before."""
    client = boto3.client("sagemaker", region_name=region)
    try:
        client.get_waiter("endpoint_in_service").wait(EndpointName=endpoint)
    except WaiterError as error:
        raise RolloutError(client.describe_endpoint(EndpointName=endpoint)["FailureReason"]) from error
    found = client.describe_endpoint(EndpointName=endpoint)
    if found["EndpointConfigName"] != config:
        raise RolloutError(found["FailureReason"])


def _exists(endpoint: str, region: str) -> bool:
    try:
        boto3.client("sagemaker", region_name=region).describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if "Could not find" not in error.response["Error"]["Message"]:
            raise
        return False
    return True


def predict(endpoint: str, rows: list[list[float]], region: str) -> list[float]:
    """Return the score of each row."""
    body = "\n".join(",".join(map(str, row)) for row in rows)
    client = boto3.client("sagemaker-runtime", region_name=region)
    answer = client.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType="text/csv", Accept="text/csv")
    return [float(line) for line in answer["Body"].read().decode().splitlines()]


def take_down(endpoint: str, region: str) -> None:
    """Delete an endpoint with its configuration and models, and wait until it is gone."""
    client = boto3.client("sagemaker", region_name=region)
    config = client.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    variants = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    client.delete_endpoint(EndpointName=endpoint)
    client.get_waiter("endpoint_deleted").wait(EndpointName=endpoint)
    client.delete_endpoint_config(EndpointConfigName=config)
    for variant in variants:
        client.delete_model(ModelName=variant["ModelName"])
