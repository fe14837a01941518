"""Context: what an operation gets beside its request, and the other services that it may call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pytest_smfake.rules.catalogue import Catalogue
from pytest_smfake.rules.messages import message
from pytest_smfake.rules.rule import Violation

from .clock import Clock, Schedule
from .errors import ServiceError
from .limits import Limits
from .permissions import Denials, Unavailabilities
from .resources import Collection, Resource, Scope, World
from .stand_ins import StandIns

Answer = Any
"""The result of an operation: the response's members, or None for an empty body. It may also be a function that returns one of
these; it is called after the lock is released, since it runs code of the test or calls another service."""


class Dependencies:
    """The other AWS services that SageMaker calls for its caller.

    Args:
        client: a function that returns a boto3 client of a service, such as `s3`, for the account and region of a call.
    """

    def __init__(self, client: Callable[[str, Scope], Any]) -> None:
        self._client = client

    def s3(self, scope: Scope) -> S3:
        """Return the objects of S3 that a call in that scope can access."""
        return S3(self._client("s3", scope))


class S3:
    """The objects of S3 by their addresses, such as `s3://bucket/key`.

    Args:
        client: a boto3 client. While a fake is active moto answers it, or a host that `allow` names.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the address of every object whose address begins with the prefix; none if there is no such bucket."""
        bucket, key = split_address(prefix)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        try:
            for page in pages:
                for entry in page.get("Contents", ()):
                    if not entry["Key"].endswith("/"):  # an empty object, which the console creates for a folder
                        yield f"s3://{bucket}/{entry['Key']}"
        except self._client.exceptions.NoSuchBucket:
            return

    def read(self, address: str) -> bytes:
        """Return the body of an object."""
        bucket, key = split_address(address)
        body: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def write(self, address: str, body: bytes) -> None:
        """Store an object."""
        bucket, key = split_address(address)
        self._client.put_object(Bucket=bucket, Key=key, Body=body)


def split_address(address: str) -> tuple[str, str]:
    """Return bucket and key of an S3 address.

    Example:
        >>> split_address("s3://bucket/some/key")
        ('bucket', 'some/key')
    """
    parts = urlsplit(address, allow_fragments=False)
    query = f"?{parts.query}" if parts.query else ""
    return parts.netloc, parts.path.removeprefix("/") + query


@dataclass(frozen=True, slots=True)
class Hosting:
    """The parts of the service that all its worlds share.

    Attributes:
        schedule: the later actions.
        stand_ins: the stand-ins for containers.
        denials: the denied permissions.
        unavailable: the instance types and features that regions lack.
        lock: held while an operation reads and changes the resources.
        dependencies: the other AWS services.
    """

    schedule: Schedule
    stand_ins: StandIns
    denials: Denials
    unavailable: Unavailabilities
    lock: threading.Lock
    dependencies: Dependencies


@dataclass(frozen=True, slots=True)
class Context:
    """The arguments of an operation other than its request."""

    world: World
    catalogue: Catalogue
    limits: Limits
    clock: Clock
    hosting: Hosting

    def now(self) -> float:
        """Return the time in seconds since the epoch, rounded to milliseconds like the service's timestamps."""
        return round(self.clock.now(), 3)

    @property
    def region(self) -> str:
        """The region of the call."""
        return self.world.scope.region

    @property
    def account(self) -> str:
        """The account of the call."""
        return self.world.scope.account

    def find(self, noun: str, name: str) -> Resource | None:
        """Return a resource, such as a `Model`; None if there is none of the name."""
        collection = next(found for found in self.world.collections() if found.kind.noun == noun)
        resource: Resource | None = collection.by_name.get(name)
        return resource

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a resource; none if it does not exist."""
        resource = self.world.at(arn)
        return {} if resource is None else resource.tags

    def lacks(self, thing: str) -> bool:
        """Whether the region lacks an instance type or a feature."""
        return self.hosting.unavailable.hold(thing, self.region)

    def running(self, endpoint: str) -> tuple[str, Mapping[str, Any]] | None:
        """Return ARN and request of the configuration that an endpoint runs, also of one that was deleted; None if it runs none."""
        deployment = getattr(self.find("Endpoint", endpoint), "deployment", None)
        return None if deployment is None else (deployment.config.arn, deployment.config)

    def has_objects(self, uri: str) -> bool:
        """Whether S3 holds an object under an address."""
        return next(self.hosting.dependencies.s3(self.world.scope).keys(uri), None) is not None

    def check(self, operation: str, request: dict[str, Any], *, services: bool = False) -> None:
        """Refuse a request that breaks a precondition of its operation.

        Args:
            operation: the operation.
            request: its request.
            services: whether to check the preconditions that ask other services, which must not be done under the lock, or the others.

        Raises:
            ServiceError: with the text of the first precondition that is broken.
        """
        for coded, violation in self.catalogue.broken(operation, request, self, services=services):
            raise ServiceError(coded.code, message([violation]), violations=[violation])

    def refuse_taken(self, collection: Collection[Any], name: str) -> None:
        """Raise a ServiceError if the collection has a resource of this name already.

        Raises:
            ServiceError: with the text observed of models (astronomer/astronomer-providers#1055), endpoints
                (aws/sagemaker-python-sdk#101) and endpoint configurations (awslabs/spot-tagging-bot-for-digital-assets#2).
        """
        kind = collection.kind
        rule = self.catalogue.get(kind.taken.rule.id)
        if rule is not None and name in collection:
            text = kind.taken_text.format(label=kind.label, arn=collection.arn(name))
            raise ServiceError(kind.taken.code, text, violations=[Violation(rule, (kind.member,), name, text=text)])
