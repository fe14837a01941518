"""Context: what an operation gets beside its request, and the other services that it may call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pytest_smfake.rules.catalogue import Catalogue
from pytest_smfake.rules.rule import Rule, Violation

from .clock import Clock, Schedule
from .errors import ServiceError, rejected
from .limits import Limits
from .permissions import Denials
from .resources import Collection, Place, World
from .stand_ins import StandIns

Answer = Any
"""What an operation returns: the response's members; None for an empty body; or a function to call for one of these once
the lock is released, since it runs code of the test or talks to another service."""


class Dependencies:
    """The other services of AWS that the service looks into for its caller.

    Args:
        client: returns an ordinary boto3 client of a service, such as `s3`, for the account and region of a call.
    """

    def __init__(self, client: Callable[[str, Place], Any]) -> None:
        self._client = client

    def s3(self, place: Place) -> S3:
        """Return the objects of S3, as a call of that place sees them."""
        return S3(self._client("s3", place))


class S3:
    """The objects of S3, by their addresses.

    Args:
        client: a boto3 client; while a fake is active it is answered by moto, or by what `allow` lets through.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the address of every object whose key begins as the address does; none where the bucket is not there."""
        bucket, key = split(prefix)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        try:
            for page in pages:
                for entry in page.get("Contents", ()):
                    if not entry["Key"].endswith("/"):  # a folder, as the console makes it
                        yield f"s3://{bucket}/{entry['Key']}"
        except self._client.exceptions.NoSuchBucket:
            return

    def read(self, address: str) -> bytes:
        """Return an object."""
        bucket, key = split(address)
        body: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def write(self, address: str, body: bytes) -> None:
        """Store an object."""
        bucket, key = split(address)
        self._client.put_object(Bucket=bucket, Key=key, Body=body)


def split(address: str) -> tuple[str, str]:
    """Return bucket and key of an address.

    Example:
        >>> split("s3://bucket/some/key")
        ('bucket', 'some/key')
    """
    parts = urlsplit(address, allow_fragments=False)
    query = f"?{parts.query}" if parts.query else ""
    return parts.netloc, parts.path.removeprefix("/") + query


@dataclass(frozen=True, slots=True)
class Hosting:
    """What hosting needs beside the store.

    Attributes:
        schedule: what is to happen later.
        stand_ins: what plays the containers.
        denials: what the role of a model may not do.
        lock: held while an operation reads and changes the store.
        dependencies: the other services that the service looks into.
    """

    schedule: Schedule
    stand_ins: StandIns
    denials: Denials
    lock: threading.Lock
    dependencies: Dependencies


@dataclass(frozen=True, slots=True)
class Context:
    """What an operation works with."""

    world: World
    catalogue: Catalogue
    limits: Limits
    clock: Clock
    hosting: Hosting

    def now(self) -> float:
        """Return the time in seconds since the epoch, in milliseconds as the service's timestamps are."""
        return round(self.clock.now(), 3)

    def breach(self, rule: Rule, where: tuple[str | int, ...], value: Any, text: str) -> ServiceError:
        """Return the error for a condition that does not hold."""
        current = self.catalogue.rule(rule.id)
        return rejected([Violation(current, where, value, text=text)])

    def refuse_taken(self, collection: Collection[Any], name: str) -> None:
        """Refuse a name that a resource has already.

        Raises:
            ServiceError: in the words observed of models (astronomer/astronomer-providers#1055), endpoints
                (aws/sagemaker-python-sdk#101) and endpoint configurations (awslabs/spot-tagging-bot-for-digital-assets#2).
        """
        kind = collection.kind
        if name in collection and self.catalogue.get(kind.taken.id):
            text = f'Cannot create already existing {kind.label} "{collection.arn(name)}".'
            raise self.breach(kind.taken, (kind.member,), name, text)
