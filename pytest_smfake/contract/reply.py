"""What a target answered to one call, and what it was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .check import shown


@dataclass(frozen=True, slots=True)
class Reply:
    """What a target answered to one call.

    Attributes:
        operation: the operation that was called.
        status: the HTTP status.
        headers: the response's headers, their names in lower case.
        body: the response's body.
        code: the error code, None for a success.
        message: the error's text, empty for a success.
        members: the members of a success, as botocore reads them.
    """

    operation: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    code: str | None
    message: str
    members: dict[str, Any]

    @property
    def verdict(self) -> str:
        """What happened, in words."""
        if self.code is None:
            return f"accepted, {self.status}: {shown(self.members, 300)}"
        # A client names an error without a code by its status.
        code = "" if self.code == str(self.status) else f" {self.code}"
        return f"rejected, {self.status}{code}: {self.message}"


def body_of(request: Any) -> bytes:
    """Return the body of a request: JSON of its parameters, or the bytes that it is."""
    if isinstance(request, bytes):
        return request
    return json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogatepass")
