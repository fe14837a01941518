"""Rules between members of CreateTransformJob, and its preconditions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .coded import SIDES, Account, Body, Breaches, Repair, Setup, State, Values, cross_field, not_taken, precondition, register
from .containers import containers
from .rule import Rule, Where
from .tags import tagged

JOB = "CreateTransformJob"


@cross_field(
    JOB,
    "MaxPayloadInMB",
    "payload-in-all",
    "documented",
    "botocore service-2.json, CreateTransformJobRequest.MaxPayloadInMB; text assumed",
    bound=100,
)
def payload_in_all(request: Body, bound: int) -> Breaches:
    """Refuse more payload in all concurrent transforms than there may be."""
    payload, concurrent = request.get("MaxPayloadInMB", 0), max(request.get("MaxConcurrentTransforms", 1), 1)
    if payload * concurrent > bound:
        times = " times MaxConcurrentTransforms" if concurrent > 1 else ""
        text = f"MaxPayloadInMB{times} is {payload * concurrent}, and cannot exceed {bound} MB."
        yield ("MaxPayloadInMB",), payload, text


@payload_in_all.repair("CreateTransformJobRequest")
def _cut_payload(request: Body, repair: Repair) -> None:
    payload, concurrent = request.get("MaxPayloadInMB", 0), max(request.get("MaxConcurrentTransforms", 1), 1)
    if payload * concurrent > repair.bound:
        if "MaxPayloadInMB" not in repair.fixed:
            request["MaxPayloadInMB"] = min(payload, repair.bound // concurrent)
        elif "MaxConcurrentTransforms" not in repair.fixed:
            request["MaxConcurrentTransforms"] = repair.bound // payload


@payload_in_all.inside("{bound}", "as much payload in all concurrent transforms as may be")
def _payload(request: Body, values: Values) -> Where:
    request |= {"MaxPayloadInMB": values.bound, "MaxConcurrentTransforms": 1}
    return ("MaxPayloadInMB",)


@payload_in_all.outside("{beyond}", "more payload in all concurrent transforms than may be")
def _too_much_payload(request: Body, values: Values) -> Where:
    concurrent = 1 + values.number(0, 9)
    request |= {"MaxPayloadInMB": values.bound // concurrent + 1, "MaxConcurrentTransforms": concurrent}
    return ("MaxPayloadInMB",)


tagged(JOB)


@precondition(
    JOB, "ModelName", "no-model-data-source", "observed", "aws/sagemaker-python-sdk#4777 and #5160 (GitHub), the start of the text"
)
def no_model_data_source(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse a transform job of a model with ModelDataSource."""
    model = account.find("Model", request["ModelName"]) or {}
    if any(container.get("ModelDataSource") is not None for _, container in containers(model)):
        text = "SageMaker Batch currently doesn't support Model entity with container definitions which use ModelDataSource attribute"
        yield ("ModelName",), request["ModelName"], text


@no_model_data_source.examples
def _models(_: Rule, setup: Setup) -> Iterator[State]:
    source = {"S3DataSource": {"S3Uri": "s3://bucket/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}}
    data: tuple[tuple[str, Any], ...] = (("ModelDataUrl", "s3://bucket/model.tar.gz"), ("ModelDataSource", source))
    for side, (label, value) in zip(SIDES, data, strict=True):
        ((creation, model),) = setup.needs(JOB)
        container = {"Image": model["PrimaryContainer"]["Image"], label: value}
        request, first = setup.make(JOB), ((creation, model | {"PrimaryContainer": container}),)
        yield State(side, label, f"a model with {label}", request, ("ModelName",), first, objects=(input_of(request),))


INPUT = ("TransformInput", "DataSource", "S3DataSource", "S3Uri")


def input_of(request: Body) -> str:
    """Return the address of the input of a transform job."""
    uri: str = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    return uri


@precondition(JOB, ".".join(INPUT), "objects-found", "observed", "aws/amazon-sagemaker-examples#2414 (GitHub)", service="s3")
def objects_found(request: Body, account: Account, _: Any) -> Breaches:
    """Refuse a transform job of whose input S3 holds nothing."""
    uri = input_of(request)
    if not account.has_objects(uri):
        role, bucket = (account.find("Model", request["ModelName"]) or {}).get("ExecutionRoleArn"), uri.split("/")[2]
        text = (
            f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in the '
            f'selected region ({account.region}), that objects exist under that S3 prefix, and that the role "{role}" has '
            f'"s3:ListBucket" permissions on bucket "{bucket}".'
        )
        yield INPUT, uri, text


@objects_found.examples
def _objects(_: Rule, setup: Setup) -> Iterator[State]:
    for side, label in zip(SIDES, ("object", "none"), strict=True):
        request = setup.make(JOB)
        request["TransformInput"]["DataSource"]["S3DataSource"]["S3DataType"] = "S3Prefix"
        objects = (input_of(request),) if label == "object" else ()
        yield State(side, label, f"{len(objects)} objects where the input is", request, INPUT, setup.needs(JOB), objects=objects)


transform_job_not_taken = register(
    not_taken(
        "TransformJob",
        "reported",
        "text reported of a processing job, a public log; that names are never free again: aws/amazon-sagemaker-examples#633 (GitHub)",
        code="ResourceInUse",
        objects=lambda request: (input_of(request),),
    )
)
