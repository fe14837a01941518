"""The operations on transform jobs."""

from __future__ import annotations

import warnings
from typing import Any

from pytest_smfake.rules.preconditions import NOT_TAKEN, TRANSFORM_INPUT
from pytest_smfake.rules.rule import Violation
from pytest_smfake.service.containers.serving import Step, steps, unhealthy

from .batch import TransformError, compile_path
from .context import Answer, Context
from .errors import NetworkBlockedError, ServiceError, not_implemented
from .paging import list_page
from .quotas import instances
from .resources import TRANSFORM_JOB
from .transform_job import COMPLETED, FAILED, IN_PROGRESS, PING_ERROR, STOPPED, Objects, TransformJob

SPLIT_TYPES = ("None", "Line")


class NothingRanWarning(UserWarning):
    """A transform job was recorded and completed, but ran nothing: no stand-in, or no S3 to read from."""


def create_transform_job(request: dict[str, Any], context: Context) -> Answer:
    """Keep a job and begin to run it. The order of the conditions is assumed: the name, the model, the role, the limit, the input."""
    job = _admit(request, context)
    way = _way(job, context)

    def begin() -> Answer:
        objects = _objects(context)
        note = _look_for_input(job, objects, context) if way else _without_stand_in(job)
        with context.hosting.lock:
            _admit(request, context)  # another call may have been faster
            context.world.transform_jobs.add(job)
        seconds = context.world.transform_jobs.seconds
        context.hosting.agenda.add(seconds, lambda at: _run(job, objects, note, round(at, 3), context))
        return {"TransformJobArn": job.arn}

    return begin


def _admit(request: dict[str, Any], context: Context) -> TransformJob:
    jobs, name = context.world.transform_jobs, request["TransformJobName"]
    rule = NOT_TAKEN[TRANSFORM_JOB.slug]
    if name in jobs and context.catalogue.get(rule.id):
        text = f"Job name must be unique within an AWS account and region, and a job with this name already exists ({jobs.arn(name)})"
        violation = Violation(context.catalogue.rule(rule.id), (TRANSFORM_JOB.member,), name, text=text)
        raise ServiceError("ResourceInUse", text, violations=[violation])
    model = context.world.models.find(request["ModelName"])
    role = model.get("ExecutionRoleArn", "")
    if context.hosting.denials.forbid("sts:AssumeRole", role):
        # Observed: awslabs/predictive-maintenance-using-machine-learning#3.
        text = (
            f"Could not assume role {role}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to "
            "assume the role."
        )
        raise ServiceError("ValidationException", text)
    _check_supported(request)
    resources = request["TransformResources"]
    context.limits.check(instances(resources["InstanceType"], "transform job"), context.world, resources["InstanceCount"])
    return TransformJob(name, request, jobs.arn(name), context.now(), model)


def _check_supported(request: dict[str, Any]) -> None:
    """Refuse what this fake does not do, and filters that nobody can read."""
    split = request["TransformInput"].get("SplitType", "None")
    if split not in SPLIT_TYPES:
        raise not_implemented(f"SplitType {split}", f"There are: {', '.join(SPLIT_TYPES)}")
    data_type = request["TransformInput"]["DataSource"]["S3DataSource"]["S3DataType"]
    if data_type not in ("S3Prefix", "ManifestFile"):
        # That AugmentedManifestFile is not compatible is documented (TransformS3DataSource); the text is assumed.
        raise ServiceError("ValidationException", f"S3DataType {data_type} is not supported for a transform job.")
    for member in ("InputFilter", "OutputFilter"):
        try:
            compile_path((request.get("DataProcessing") or {}).get(member, "$"))
        except ValueError as error:
            raise ServiceError("ValidationException", f"{member}: {error}") from None  # the text is assumed


def _way(job: TransformJob, context: Context) -> list[Step]:
    try:
        return steps(job.model, context.hosting.stand_ins, context.world.place)
    except ServiceError:  # nothing plays a container: the job is recorded and completes empty
        return []


def _objects(context: Context) -> Objects:
    objects: Objects = context.hosting.s3(context.world.place)
    return objects


def _without_stand_in(job: TransformJob) -> str:
    return f"no stand-in plays model {job.model.name!r}; add one: fake.stand_in({job.model.name!r}, predict)"


def _look_for_input(job: TransformJob, objects: Objects, context: Context) -> str | None:
    """Look whether there is any input, and return why nothing can run, None where all is well.

    Raises:
        ServiceError: S3 has no such object.
    """
    uri = job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    try:
        if next(objects.keys(uri), None) is None and context.catalogue.get(TRANSFORM_INPUT.id):
            region, role, bucket = context.world.place.region, job.model.get("ExecutionRoleArn"), uri.split("/")[2]
            text = (
                f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in the '
                f'selected region ({region}), that objects exist under that S3 prefix, and that the role "{role}" has '
                f'"s3:ListBucket" permissions on bucket "{bucket}".'
            )
            where = ("TransformInput", "DataSource", "S3DataSource", "S3Uri")
            raise context.breach(TRANSFORM_INPUT, where, uri, text)
    except NetworkBlockedError as error:
        return f"S3 was not reached: {error}"
    return None


def _run(job: TransformJob, objects: Objects, note: str | None, at: float, context: Context) -> None:
    """Run a job whose time has come, unless it was stopped."""
    if job.status != IN_PROGRESS:
        return
    status, reason = COMPLETED, None
    if note is None and unhealthy(job.model, context.hosting.stand_ins, context.world.place):
        status, reason, note = FAILED, PING_ERROR, "the stand-in did not pass its ping"
    elif note is None:
        status, reason, note = _result(job, objects, context)
    with context.hosting.lock:
        job.end(at, status, reason, note)
    if status == COMPLETED and note is not None:
        warnings.warn(NothingRanWarning(f"transform job {job.name!r} completed without running anything: {note}"), stacklevel=2)


def _result(job: TransformJob, objects: Objects, context: Context) -> tuple[str, str | None, str | None]:
    from botocore.exceptions import BotoCoreError, ClientError

    way = _way(job, context)
    if not way:
        return COMPLETED, None, _without_stand_in(job)
    try:
        return job.run(way, objects)
    except (BotoCoreError, ClientError, NetworkBlockedError, TransformError) as error:
        # The service says that much of an object that it may not read or write (assumed).
        return FAILED, f"ClientError: {error}"[:1024], str(error)


def describe_transform_job(request: dict[str, Any], context: Context) -> Answer:
    """Return a job with its defaults filled in (assumed; the values are the documented defaults)."""
    job = context.world.transform_jobs.find(request["TransformJobName"])
    answer = dict(job)
    answer.pop("Tags", None)
    answer["TransformInput"] = {"CompressionType": "None", "SplitType": "None"} | answer["TransformInput"]
    answer["TransformOutput"] = {"AssembleWith": "None"} | answer["TransformOutput"]
    answer["DataProcessing"] = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"} | answer.get("DataProcessing", {})
    answer |= {
        "TransformJobArn": job.arn,
        "TransformJobStatus": job.status,
        "CreationTime": job.created,
        "TransformStartTime": job.created,
    }
    return answer | _ending(job)


def _ending(job: TransformJob) -> dict[str, Any]:
    ending: dict[str, Any] = {}
    if job.ended is not None:
        ending["TransformEndTime"] = job.ended
    if job.failure_reason is not None:
        ending["FailureReason"] = job.failure_reason
    return ending


def list_transform_jobs(request: dict[str, Any], context: Context) -> Answer:
    """Return a page of jobs."""
    jobs, token = list_page("ListTransformJobs", context.world.transform_jobs, request)
    summaries = [
        {
            "TransformJobName": job.name,
            "TransformJobArn": job.arn,
            "CreationTime": job.created,
            "LastModifiedTime": job.modified,
            "TransformJobStatus": job.status,
        }
        | _ending(job)
        for job in jobs
    ]
    return {"TransformJobSummaries": summaries} | token


def stop_transform_job(request: dict[str, Any], context: Context) -> Answer:
    """Begin to stop a job, which then stores no output (documented)."""
    name = request["TransformJobName"]
    job = context.world.transform_jobs.by_name.get(name)
    # Both texts are reported: other projects match their starts.
    if job is None:
        raise ServiceError("ValidationException", f"Could not find job to update with name: {name}")
    if job.status != IN_PROGRESS:
        raise ServiceError("ValidationException", f"The request was rejected because the transform job is in status {job.status}.")
    job.begin_stop(context.now())

    def stopped(at: float) -> None:
        with context.hosting.lock:
            job.end(round(at, 3), STOPPED)

    context.hosting.agenda.add(STOPPING_SECONDS if context.world.transform_jobs.seconds else 0, stopped)


STOPPING_SECONDS = 30
"""How long a job that takes time takes to stop, on the fake's clock (made up)."""
