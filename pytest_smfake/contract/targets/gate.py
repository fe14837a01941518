"""The last line of defence in a real account: what may be sent there at all."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pytest_smfake.service.arns import arn

from .names import leaves
from .stops import UnsafeRequestError
from .target import belongs

if TYPE_CHECKING:
    from .target import Target

READING = frozenset({"DescribeModel", "ListModels", "ListTags"})
"""The operations that change nothing."""
CHANGING = frozenset({"CreateModel", "DeleteModel", "AddTags", "DeleteTags"})
"""The operations that a run may call, beside those."""
_NAMES = {"modelname": False, "resourcearn": True}
"""The members that name something, in lower case: a service may be lax about that, too; and whether they hold an ARN."""
_CUT_SHORT = re.compile(r'\s*(\{\s*("[A-Za-z]*"?\s*:?\s*)?)?')
"""A body that ends before any value."""


class _Members(list[tuple[str, Any]]):
    """The members of an object, a name that comes twice among them twice."""


def check_request(target: Target, operation: str, body: bytes, region: str) -> None:
    """See that a request names nothing but what the run created, or could create.

    Args:
        target: the target, whose `name_of` says how its names begin.
        operation: such as `DeleteModel`.
        body: what is going to be sent.
        region: where to.

    Raises:
        UnsafeRequestError: it names something else, or it cannot be told what it names; nothing was sent.
    """
    if region != target.region:
        raise _unsafe(target, operation, f"it goes to {region}, and the run is held to {target.region}")
    if operation in READING:
        return
    if operation not in CHANGING:
        raise _unsafe(target, operation, "it is none of the operations on models")
    for value, is_arn in _names_in(target, operation, body):
        if not _is_own(target, value, is_arn):
            raise _unsafe(target, operation, f"it names {str(value)[:120]!r}, and names of the run begin with {target.name_of()!r}")


def _names_in(target: Target, operation: str, body: bytes) -> list[tuple[Any, bool]]:
    """Return all that a body might name, each with whether it stands where an ARN belongs."""
    try:
        text = body.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise _unsafe(target, operation, "its body is not UTF-8") from None
    try:
        members = json.loads(text, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        if _CUT_SHORT.fullmatch(text):
            return []
        raise _unsafe(target, operation, "its body is no JSON, and holds values") from None
    if not isinstance(members, _Members):
        return [(leaf, False) for leaf in leaves(members)]
    named = [(value, _NAMES[name.lower()]) for name, value in members if name.lower() in _NAMES]
    return [(leaf, is_arn) for value, is_arn in named for leaf in leaves(value)]


def _is_own(target: Target, value: Any, is_arn: bool) -> bool:
    """Whether a value names the run's own: a text that begins so, or a number below zero, which no name looks like."""
    if isinstance(value, str):
        start = arn(target.region, target.account or "", "model/") if is_arn else ""
        return value.startswith(start) and belongs(value.removeprefix(start), target.name_of())
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0


def _unsafe(target: Target, operation: str, why: str) -> UnsafeRequestError:
    return UnsafeRequestError(f"{target.name}: {operation} was not sent: {why}. Whatever sent it is wrong")
