"""Nothing of others is touched, and nothing is left: the gate before each request, what a run left, and signals that end one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from pytest_smfake.contract.check import Difference
from pytest_smfake.contract.suite.boundaries import MISSING_TEXTS
from pytest_smfake.service.arns import arn

from .names import UNTAGGED, leaves
from .target import Target, UnprovedError, UnsafeRequestError, belongs

if TYPE_CHECKING:
    from .aws import AwsTarget

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


@dataclass(slots=True)
class Residue:
    """What is there under the name of a run.

    Attributes:
        own: the names of the models that are the run's beyond doubt.
        passed_over: why others are left alone, by their names.
        deleted, gone: those of the run's own that were deleted, and that somebody else had deleted before.
        failed: why others of the run's own are left, or why it cannot be told whose they are, by their names.
    """

    own: list[str] = field(default_factory=list)
    passed_over: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def find(target: AwsTarget) -> Residue:
    """Return what is there under the name of a target's run. A model is the run's by its name and its tag, not by one of them.

    Raises:
        UnprovedError: the service does not tell what there is.
        Difference: likewise.
    """
    residue = Residue()
    for name in target.census():
        try:
            why = _why_not(target, name)
        except UnprovedError as error:
            residue.failed[name] = str(error)
            continue
        if why is None:
            residue.own.append(name)
        else:
            residue.passed_over[name] = why
    return residue


def _why_not(target: AwsTarget, name: str) -> str | None:
    """Return why a model may be another's, None where it is the run's."""
    request = {"ResourceArn": arn(target.region, target.settings.account, f"model/{name}")}
    try:
        tags = {tag["Key"]: tag["Value"] for page in target.pages("ListTags", request) for tag in page["Tags"]}
    except Difference as difference:
        return f"its tags cannot be read: {difference.actual}"
    if target.run_tag not in tags:
        return None if name == target.name_of(UNTAGGED) else f"it bears no tag {target.run_tag}"
    value = tags[target.run_tag]
    return None if value == target.run else f"its tag {target.run_tag} is {value!r}"


def remove(target: AwsTarget, residue: Residue) -> None:
    """Delete what is the run's, each whatever comes of the others, and keep what came of it."""
    for name in residue.own:
        try:
            reply = target.send("DeleteModel", {"ModelName": name})
        except UnprovedError as error:
            residue.failed[name] = str(error)
            continue
        if reply.code is None:
            residue.deleted.append(name)
        elif reply.message.startswith(MISSING_TEXTS):
            residue.gone.append(name)
        else:
            residue.failed[name] = reply.verdict


SIGNALS = (signal.SIGINT, signal.SIGTERM)


def left_lines(target: Target, left: Sequence[str]) -> list[str]:
    """Return lines about what a run left on a target, and how it is removed."""
    from .aws import AwsTarget

    if not left:
        return []
    hint = f". Remove them: smfake cleanup --run={target.run}" if isinstance(target, AwsTarget) else ""
    return [f"{target.name}: left are {', '.join(left)}{hint}"]


class Signals:
    """Within a block, both signals raise KeyboardInterrupt; one that was ignored before still is.

    Args:
        targets: where the run is.
    """

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets
        self._before: dict[signal.Signals, Any] = {}
        self.count = 0
        """How many signals came."""

    def __enter__(self) -> Self:
        # Only the main thread can; elsewhere, signals are not ours to take.
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._strike)
        return self

    def __exit__(self, *exc: object) -> None:
        while self._before:
            number, before = self._before.popitem()
            signal.signal(number, before)

    def _strike(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.count += 1
        if self.count == 2:
            for target in self._targets:
                target.hurried = True
                lines = left_lines(target, target.known_left()) or [f"{target.name}: nothing is known to be left"]
                with contextlib.suppress(OSError):
                    os.write(2, "".join(f"{line}\n" for line in lines).encode())  # also where somebody holds sys.stderr
        raise KeyboardInterrupt
