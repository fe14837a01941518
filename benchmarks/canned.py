"""The floor: botocore answering itself."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse

HEADERS = {"x-amzn-RequestId": "0", "Date": "Tue, 24 Nov 2026 10:00:00 GMT", "Content-Type": "application/x-amz-json-1.1"}
ARN = b'{"ModelArn":"arn:aws:sagemaker:us-east-1:123456789012:model/churn"}'


class Raw(BytesIO):
    """What botocore reads a body from."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Yield it in one piece."""
        yield self.read()


def canned(request: Any, **_: Any) -> AWSResponse:
    """Answer CreateModel, as a handler of `before-send`."""
    return AWSResponse(request.url, 200, HEADERS | {"Content-Length": str(len(ARN))}, Raw(ARN))
