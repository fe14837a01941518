"""Pages of a list, and the tokens that lead from one to the next."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from .errors import ServiceError


def cut(keys: Sequence[Any], *, size: int, after: Any | None, descending: bool) -> tuple[list[Any], bool]:
    """Return a page of sorted keys, and whether more follow; `after` is the last key of the page before.

    A key need not be there any more: a page starts after where it stood.
    """
    if descending:
        end = len(keys) if after is None else bisect_left(keys, after)
        return list(reversed(keys[max(0, end - size) : end])), end > size
    start = 0 if after is None else bisect_right(keys, after)
    return list(keys[start : start + size]), start + size < len(keys)


def encode_token(scope: Sequence[Any], position: Any) -> str:
    """Return the token for the page after `position`; `scope` says which list it belongs to."""
    text = json.dumps([*scope, position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode_token(token: str, scope: Sequence[Any]) -> Any:
    """Return the position that a token holds.

    Raises:
        ServiceError: `ValidationException` where the token was not made for this list. That a bad token is an error is what
            the service's other lists do; the text is assumed.
    """
    try:
        *found, position = json.loads(base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error):  # not base64, not JSON, not a list
        found, position = [], None
    if found != json.loads(json.dumps(scope)):
        raise ServiceError("ValidationException", f"Invalid NextToken: {token}")
    return position
