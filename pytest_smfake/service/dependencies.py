"""Other services that SageMaker reads and writes for its caller, through ordinary clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from .resources import Place


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
