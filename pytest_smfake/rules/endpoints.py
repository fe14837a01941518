"""Preconditions of the operations on endpoints."""

from __future__ import annotations

from .coded import not_taken, register
from .tags import tagged

tagged("CreateEndpoint")
endpoint_not_taken = register(not_taken("Endpoint", "observed", "aws/sagemaker-python-sdk#101 (GitHub)"))
