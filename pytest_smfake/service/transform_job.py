"""A transform job: what it reads, runs and writes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Protocol

from pytest_smfake.service.containers.serving import ContainerError, Step, serve

from .batch import MAX_PAYLOAD, Plan, TransformError, transform
from .resources import Model, Resource

COMPLETED, FAILED, IN_PROGRESS, STOPPING, STOPPED = "Completed", "Failed", "InProgress", "Stopping", "Stopped"


class Objects(Protocol):
    """Where input comes from and output goes to: S3, by address."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the address of every object under a prefix."""

    def read(self, address: str) -> bytes:
        """Return an object."""

    def write(self, address: str, body: bytes) -> None:
        """Store an object."""


class TransformJob(Resource):
    """A transform job: a read-only mapping of its CreateTransformJob request.

    Attributes:
        name, arn, created, tags: as of every resource.
        status: `InProgress`, `Completed`, `Failed`, `Stopping` or `Stopped`.
        failure_reason: why it failed, else None.
        note: what happened, in more words than the service has: why it failed, or why it ran nothing; else None.
        ended: when it ended, in seconds since the epoch, else None.
        written: the addresses of what it wrote.
    """

    __slots__ = ("ended", "failure_reason", "model", "modified", "note", "status", "written")

    def __init__(self, name: str, request: dict[str, Any], arn: str, created: float, model: Model) -> None:
        super().__init__(name, request, arn, created)
        self.model = model
        self.status = IN_PROGRESS
        self.failure_reason: str | None = None
        self.note: str | None = None
        self.ended: float | None = None
        self.modified = created
        self.written: list[str] = []

    def instances(self) -> Counter[str]:
        """Return the instances it holds by their type: none once it has ended."""
        if self.ended is not None:
            return Counter()
        resources = self._request["TransformResources"]
        return Counter({resources["InstanceType"]: resources["InstanceCount"]})

    def lasts(self) -> bool:
        """Whether it runs; a job that is over is a record, which nobody can delete."""
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
        """Yield the address of each input, and its name under the output path.

        The name is what follows the last `/` of the prefix: documented as the corresponding subfolder, and seen so in
        aws/amazon-sagemaker-examples#347. A manifest's names follow its own prefix.

        Raises:
            TransformError: the manifest cannot be read.
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

    def run(self, way: list[Step], objects: Objects) -> tuple[str, str | None, str | None]:
        """Transform every input, and return status, reason and note; an object that fails leaves no output (documented)."""
        plan = Plan.of(self._request)
        target = self._request["TransformOutput"]["S3OutputPath"].rstrip("/")
        failures: list[tuple[str, str]] = []
        try:
            inputs = list(self.inputs(objects))
        except TransformError as error:
            return FAILED, CLIENT_ERROR, str(error)
        for address, name in inputs:
            try:
                made = transform(objects.read(address), plan, self._invoke(way))
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

    def _invoke(self, way: list[Step]) -> Any:
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
                    answer = serve(
                        self.model,
                        way,
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


# The first is observed (aws/deep-learning-containers#586), the second is assumed after it; the third is observed
# (aws/amazon-sagemaker-examples#852).
ALGORITHM_ERROR = "AlgorithmError: See job logs for more information"
CLIENT_ERROR = "ClientError: See job logs for more information"
PING_ERROR = (
    "AlgorithmError: Model container failed to respond to ping. Please ensure /ping endpoint is implemented and responds with an "
    "HTTP 200 status code"
)
