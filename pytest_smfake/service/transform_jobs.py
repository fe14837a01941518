"""Transform jobs: their input and output, how they run, and their operations."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from pytest_smfake.rules.coded import SIDES, Setup, State
from pytest_smfake.rules.service_model import enum_of, operation_model
from pytest_smfake.rules.transform_jobs import input_of, objects_found, transform_job_not_taken

from .batch import MAX_PAYLOAD, Plan, TransformError, compile_path, transform
from .context import Answer, Context
from .errors import NetworkBlockedError, ServiceError
from .limits import instances
from .models import MODEL, Model
from .resources import Kind, Resource, World
from .stand_ins import ContainerError, ContainerStep, container_steps, invoke_containers, unhealthy

COMPLETED, FAILED, IN_PROGRESS, STOPPING, STOPPED = "Completed", "Failed", "InProgress", "Stopping", "Stopped"


class Objects(Protocol):
    """The storage of input and output: the objects of S3 by their addresses."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the address of every object whose address begins with the prefix."""

    def read(self, address: str) -> bytes:
        """Return the body of an object."""

    def write(self, address: str, body: bytes) -> None:
        """Store an object."""


class TransformJob(Resource):
    """A transform job: a read-only mapping of its CreateTransformJob request.

    Attributes:
        name, arn, created, tags: as for every resource.
        status: `InProgress`, `Completed`, `Failed`, `Stopping` or `Stopped`.
        failure_reason: the reason why it failed, else None.
        note: a longer explanation than the service gives of why it failed or ran nothing, else None.
        ended: the time when it ended, in seconds since the epoch, else None.
        written: the addresses of the objects that it wrote.
    """

    __slots__ = ("ended", "failure_reason", "model", "note", "status", "written")

    def __init__(self, name: str, request: dict[str, Any], arn: str, created: float, model: Model) -> None:
        super().__init__(name, request, arn, created)
        self.model = model
        self.status = IN_PROGRESS
        self.failure_reason: str | None = None
        self.note: str | None = None
        self.ended: float | None = None
        self.written: list[str] = []

    def instances(self) -> Counter[str]:
        """Return its instances by their type: none after its end."""
        if self.ended is not None:
            return Counter()
        resources = self._request["TransformResources"]
        return Counter({resources["InstanceType"]: resources["InstanceCount"]})

    def lasts(self) -> bool:
        """Return whether it is running. A job that has ended costs nothing, and nobody can delete it."""
        return self.status == "InProgress"

    def begin_stop(self, at: float) -> None:
        """Begin to stop."""
        self.status = STOPPING
        self.modified = at

    def end(self, at: float, status: str, reason: str | None = None, note: str | None = None) -> None:
        """End the job."""
        self.status = status
        self.ended = self.modified = at
        self.failure_reason, self.note = reason, note

    def inputs(self, objects: Objects) -> Iterator[tuple[str, str]]:
        """Yield the address of each input object, and its name below the output path.

        The name is the rest of the address after the last `/` of the prefix (documented as the corresponding subfolder, observed in
        aws/amazon-sagemaker-examples#347). For a manifest it is the relative key.

        Raises:
            TransformError: the manifest cannot be parsed.
        """
        source = self._request["TransformInput"]["DataSource"]["S3DataSource"]
        uri = source["S3Uri"]
        if source["S3DataType"] == "S3Prefix":
            folder = uri.rpartition("/")[0] + "/"
            for address in objects.keys(uri):
                yield address, address.removeprefix(folder)
            return
        try:
            head, *names = json.loads(objects.read(uri))
            prefix = head["prefix"]
            parts = [str(name) for name in names]
        except (ValueError, TypeError, KeyError, IndexError):
            text = f'{uri} is not a manifest, which looks like [{{"prefix": "s3://bucket/folder/"}}, "relative/key", ...]'
            raise TransformError(text) from None
        for name in parts:
            yield prefix + name, name.removeprefix("/")

    def run(self, steps: list[ContainerStep], objects: Objects) -> tuple[str, str | None, str | None]:
        """Transform every input object, and return status, failure reason and note. An object that fails has no output (documented)."""
        plan = Plan.of(self._request)
        target = self._request["TransformOutput"]["S3OutputPath"].rstrip("/")
        failures: list[tuple[str, str]] = []
        try:
            inputs = list(self.inputs(objects))
        except TransformError as error:
            return FAILED, CLIENT_ERROR, str(error)
        for address, name in inputs:
            try:
                made = transform(objects.read(address), plan, self._invoke(steps))
            except TransformError as error:
                failures.append((CLIENT_ERROR, f"{address}: {error}"))
            except ContainerError as error:
                kind = CLIENT_ERROR if 400 <= error.reply.status < 500 else ALGORITHM_ERROR
                failures.append((kind, f"{address}: {error}: {error.text}"))
            else:
                output = f"{target}/{name}.out"
                objects.write(output, made)
                self.written.append(output)
        if failures:
            return FAILED, failures[0][0], "\n".join(note for _, note in failures)
        return COMPLETED, None, None

    def _invoke(self, steps: list[ContainerStep]) -> Any:
        request = self._request
        source, target = request["TransformInput"], request["TransformOutput"]
        most = request.get("MaxPayloadInMB", MAX_PAYLOAD)
        # Documented: developer guide, "Custom Inference Code with Batch Transform".
        environment = {
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(most),
            "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD" if request.get("BatchStrategy") == "SingleRecord" else "MULTI_RECORD",
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(request.get("MaxConcurrentTransforms", 1)),
        } | request.get("Environment", {})
        retries = (request.get("ModelClientConfig") or {}).get("InvocationsMaxRetries", 0)

        def invoke(payload: bytes) -> bytes:
            for attempt in range(retries + 1):
                try:
                    answer = invoke_containers(
                        self.model,
                        steps,
                        payload,
                        source.get("ContentType"),
                        target.get("Accept"),
                        transform_job=self.name,
                        environment=environment,
                    )
                except ContainerError as error:
                    if attempt == retries or error.reply.status < 500:
                        raise
                else:
                    return answer.body
            raise AssertionError("unreachable: the last attempt returns or raises")

        return invoke


# Failure reasons: the first is observed (aws/deep-learning-containers#586), the second is assumed by analogy, the third is observed
# (aws/amazon-sagemaker-examples#852).
ALGORITHM_ERROR = "AlgorithmError: See job logs for more information"
CLIENT_ERROR = "ClientError: See job logs for more information"
PING_ERROR = (
    "AlgorithmError: Model container failed to respond to ping. Please ensure /ping endpoint is implemented and responds with an "
    "HTTP 200 status code"
)

SPLIT_TYPES = ("None", "Line")
"""The values of SplitType that this fake can apply. The service has more, and jobs with these fail here if they have a stand-in."""


class NothingRanWarning(UserWarning):
    """A transform job completed without running anything: it has no stand-in, or S3 cannot be reached."""


def create_transform_job(request: dict[str, Any], context: Context) -> Answer:
    """Create a job and begin to run it. The order of the preconditions is assumed: name, model, role, limit, input."""
    job = _admit(request, context)
    steps = _steps(job, context)

    def begin() -> Answer:
        objects = _objects(context)
        note = _check_input(job, objects, context) if steps else _without_stand_in(job)
        with context.hosting.lock:
            _admit(request, context)  # another call may have created a job of this name meanwhile
            context.world[TRANSFORM_JOB].add(job)
        seconds = context.world[TRANSFORM_JOB].seconds
        context.hosting.schedule.add(seconds, lambda at: _run(job, objects, note, round(at, 3), context))
        return {"TransformJobArn": job.arn}

    return begin


def _admit(request: dict[str, Any], context: Context) -> TransformJob:
    jobs, name = context.world[TRANSFORM_JOB], request["TransformJobName"]
    context.refuse_taken(jobs, name)
    model = context.world[MODEL].find(request["ModelName"])
    role = model.get("ExecutionRoleArn", "")
    if context.hosting.denials.is_denied("sts:AssumeRole", role):
        # Observed: awslabs/predictive-maintenance-using-machine-learning#3.
        text = (
            f"Could not assume role {role}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to "
            "assume the role."
        )
        raise ServiceError("ValidationException", text)
    _check_supported(request)
    context.check("CreateTransformJob", request)
    resources = request["TransformResources"]
    context.limits.check(instances(resources["InstanceType"], "transform job"), context.world, resources["InstanceCount"])
    return TransformJob(name, request, jobs.arn(name), context.now(), model)


def _check_supported(request: dict[str, Any]) -> None:
    """Refuse a kind of input that is documented not to be supported, and filters that are not a valid JSONPath."""
    data_type = request["TransformInput"]["DataSource"]["S3DataSource"]["S3DataType"]
    if data_type not in ("S3Prefix", "ManifestFile"):
        # Documented: AugmentedManifestFile is not compatible (TransformS3DataSource). The text is assumed.
        raise ServiceError("ValidationException", f"S3DataType {data_type} is not supported for a transform job.")
    for member in ("InputFilter", "OutputFilter"):
        try:
            compile_path((request.get("DataProcessing") or {}).get(member, "$"))
        except ValueError as error:
            raise ServiceError("ValidationException", f"{member}: {error}") from None  # the text is assumed


def _steps(job: TransformJob, context: Context) -> list[ContainerStep]:
    try:
        return container_steps(job.model, context.hosting.stand_ins, context.world.scope)
    except ServiceError:  # a container has no stand-in: the job completes without output
        return []


def _objects(context: Context) -> Objects:
    objects: Objects = context.hosting.dependencies.s3(context.world.scope)
    return objects


def _without_stand_in(job: TransformJob) -> str:
    return f"no stand-in plays model {job.model.name!r}; add one: fake.stand_in({job.model.name!r}, predict)"


def _check_input(job: TransformJob, objects: Objects, context: Context) -> str | None:
    """Check that there is an input object. Return a note if S3 cannot be reached, so that nothing can run, else None.

    Raises:
        ServiceError: there is no object with the prefix.
    """
    try:
        if context.catalogue.get(objects_found.rule.id):
            context.check("CreateTransformJob", dict(job), services=True)
        else:
            next(objects.keys(input_of(dict(job))), None)
    except NetworkBlockedError as error:
        return f"S3 was not reached: {error}"
    return None


def _run(job: TransformJob, objects: Objects, note: str | None, at: float, context: Context) -> None:
    """Run a job at the scheduled time, unless it was stopped."""
    if job.status != IN_PROGRESS:
        return
    status, reason = COMPLETED, None
    if note is None and unhealthy(job.model, context.hosting.stand_ins, context.world.scope):
        status, reason, note = FAILED, PING_ERROR, "the stand-in did not pass its ping"
    elif note is None:
        status, reason, note = _result(job, objects, context)
    with context.hosting.lock:
        job.end(at, status, reason, note)
    if status == COMPLETED and note is not None:
        warnings.warn(NothingRanWarning(f"transform job {job.name!r} completed without running anything: {note}"), stacklevel=2)


def _result(job: TransformJob, objects: Objects, context: Context) -> tuple[str, str | None, str | None]:
    from botocore.exceptions import BotoCoreError, ClientError

    steps = _steps(job, context)
    if not steps:
        return COMPLETED, None, _without_stand_in(job)
    if (split := job["TransformInput"].get("SplitType", "None")) not in SPLIT_TYPES:
        note = f"pytest-smfake does not split records of SplitType {split}, so nothing was sent to the stand-in; use Line or None"
        return FAILED, CLIENT_ERROR, note
    try:
        return job.run(steps, objects)
    except (BotoCoreError, ClientError, NetworkBlockedError, TransformError) as error:
        # The service gives this reason if it may not read or write an object (assumed).
        return FAILED, f"ClientError: {error}"[:1024], str(error)


def describe_transform_job(request: dict[str, Any], context: Context) -> Answer:
    """Describe a job with defaults filled in (assumed; the values are the documented defaults)."""
    job = context.world[TRANSFORM_JOB].find(request["TransformJobName"])
    answer = TRANSFORM_JOB.described(job, operation_model("DescribeTransformJob").output_shape)
    answer["TransformInput"] = {"CompressionType": "None", "SplitType": "None"} | answer["TransformInput"]
    answer["TransformOutput"] = {"AssembleWith": "None"} | answer["TransformOutput"]
    answer["DataProcessing"] = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"} | answer.get("DataProcessing", {})
    ended = {} if job.ended is None else {"TransformEndTime": job.ended}
    return answer | {"TransformStartTime": job.created} | ended


def stop_transform_job(request: dict[str, Any], context: Context) -> Answer:
    """Begin to stop a job. It then stores no output (documented)."""
    name = request["TransformJobName"]
    job = context.world[TRANSFORM_JOB].by_name.get(name)
    # Both texts are reported: other projects match their beginnings, and a stub of Kenza-AI/sagify has the second one without a full stop.
    if job is None:
        raise ServiceError("ValidationException", f"Could not find job to update with name: {name}")
    if job.status != IN_PROGRESS:
        raise ServiceError("ValidationException", f"The request was rejected because the transform job is in status {job.status}")
    job.begin_stop(context.now())

    def stopped(at: float) -> None:
        with context.hosting.lock:
            job.end(round(at, 3), STOPPED)

    context.hosting.schedule.add(STOPPING_SECONDS if context.world[TRANSFORM_JOB].seconds else 0, stopped)


STOPPING_SECONDS = 30
"""The seconds on the fake's clock that a stop takes, if jobs take time (made up)."""


def _of_creation(request: Mapping[str, Any], _: World) -> Iterator[tuple[str, int]]:
    resources = request.get("TransformResources")
    if isinstance(resources, dict) and resources.get("InstanceType") in enum_of(TRANSFORM_JOB.instance_types):
        yield instances(resources["InstanceType"], TRANSFORM_JOB.label), resources.get("InstanceCount", 1)


def _at_instances(operation: str, setup: Setup) -> Iterator[State]:
    for side, count in zip(SIDES, (2, 3), strict=True):
        request = setup.make(operation)
        request["TransformResources"]["InstanceCount"] = count
        limits = {instances(request["TransformResources"]["InstanceType"], TRANSFORM_JOB.label): 2}
        how, where = f"{count} instances in all, of 2 that there may be", ("TransformResources", "InstanceCount")
        yield State(side, str(count), how, request, where, setup.needs(operation), limits, (input_of(request),))


# The text about a missing job is reported of processing jobs.
TRANSFORM_JOB: Kind[TransformJob] = Kind(
    noun="TransformJob",
    label="transform job",
    holds=TransformJob,
    missing="Could not find requested job with name: {name}",
    taken=transform_job_not_taken,
    taken_text="Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})",
    needs=(MODEL,),
    instance_types="TransformInstanceType",
    asks={"CreateTransformJob": _of_creation},
    at_limits={"instances": _at_instances},
    operations={
        "CreateTransformJob": create_transform_job,
        "DescribeTransformJob": describe_transform_job,
        "StopTransformJob": stop_transform_job,
    },
)
