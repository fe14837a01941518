"""Calls that reached a fake, the log of them, and the line of the code under test that sent a call."""

from __future__ import annotations

import json
import reprlib
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import FrameType
from typing import Any, overload

from .errors import ServiceError
from .locks import lock


@dataclass(slots=True)
class Call:
    """A call: all attempts of one invocation of a client.

    Attributes:
        operation: the operation, such as `CreateModel`; None if the request named no known operation.
        body: the request's body as it was sent.
        response: the members of the answer; None for an error, for an empty body, and for a call passed on to moto.
        error: the error that was answered, with `code`, `text`, `status` and `violations`; else None.
        region, account: the region and account that the call went to.
        time: the arrival of its first attempt on the fake's clock, in seconds since the epoch.
        attempts: the number of requests that the client sent for it.
        passed_on: True if it was passed on to moto.
        faults: the faults, delays and throttles that it triggered, in order.
        principal: the ARN of the caller if the access key has one in `keys`, else None.
        members: the parameters of a call of the runtime service, which sends them in path and headers; else None.
        request_id: the request id of its latest answer; empty before the first answer.
        sent_from: file and line of the code that sent it, such as `/project/deploy.py:26`, if it was answered with an error or
            triggered a fault; empty otherwise, and if that code runs in another process.
    """

    operation: str | None
    body: bytes = field(repr=False)
    region: str
    account: str
    time: float
    response: Any = None
    error: ServiceError | None = None
    attempts: int = 1
    passed_on: bool = False
    faults: list[Any] = field(default_factory=list)
    injection: Any = field(default=None, repr=False)
    principal: str | None = None
    members: dict[str, Any] | None = field(default=None, repr=False)
    request_id: str = field(default="", repr=False)
    sent_from: str = field(default="", repr=False)

    @property
    def parameters(self) -> Any:
        """The parameters as they were sent: a new copy at each access; None if the body cannot be read."""
        if self.members is not None:
            return dict(self.members)
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def __repr__(self) -> str:
        verdict = self.error or ("passed on to moto" if self.passed_on else reprlib.repr(self.response))
        retries = f", {self.attempts} attempts" if self.attempts > 1 else ""
        triggered = f" ({', '.join(fault.label for fault in self.faults)})" if self.faults else ""
        return f"<Call {self.operation} {reprlib.repr(self.parameters)} in {self.region}{retries} -> {verdict}{triggered}>"


class Calls(Sequence[Call]):
    """The log of calls: a read-only sequence in the order of arrival.

    Args:
        bound: the number of newest calls to keep; None keeps all.
    """

    def __init__(self, bound: int | None = None) -> None:
        self._bound = bound
        self._calls: list[Call] = []
        self._by_invocation: dict[str, Call] = {}
        self._invocations: dict[int, str] = {}
        self._dropped = 0
        self._lock = lock()

    def arrive(self, call: Call, invocation: str | None) -> Call:
        """Add a call and return it. For another attempt of the same invocation, count it and return the call of the first attempt."""
        with self._lock:
            first = self._by_invocation.get(invocation) if invocation else None
            if first is None:
                self._calls.append(call)
                if invocation:
                    self._by_invocation[invocation] = call
                    self._invocations[id(call)] = invocation
                if self._bound is not None and len(self._calls) >= self._bound * 5 // 4:
                    self._drop(len(self._calls) - self._bound)
                return call
            first.attempts += 1
            first.response = first.error = None
            return first

    def _drop(self, count: int) -> None:
        """Drop the oldest calls. Many are dropped at once, since deleting at the front of a list is slow."""
        for call in self._calls[:count]:
            self._by_invocation.pop(self._invocations.pop(id(call), ""), None)
        del self._calls[:count]
        self._dropped += count

    def snapshot(self) -> tuple[list[Call], int]:
        """Return the calls that are kept, and the number of older calls that were dropped."""
        with self._lock:
            extra = max(0, len(self._calls) - self._bound) if self._bound is not None else 0
            return self._calls[extra:], self._dropped + extra

    @property
    def operations(self) -> list[str | None]:
        """The operation of each call."""
        return [call.operation for call in self._calls]

    @overload
    def __getitem__(self, index: int) -> Call: ...
    @overload
    def __getitem__(self, index: slice) -> list[Call]: ...
    def __getitem__(self, index: int | slice) -> Call | list[Call]:
        return self._calls[index]

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls))

    def __len__(self) -> int:
        return len(self._calls)

    def __repr__(self) -> str:
        return "[" + ",\n ".join(map(repr, self._calls)) + "]"


CLIENTS = frozenset({"aioboto3", "aiobotocore", "boto3", "botocore", "pytest_smfake"})
"""The packages of clients: `origin` does not report their code."""
LOOPS = frozenset({"asyncio.base_events", "asyncio.events", "asyncio.runners"})
"""The modules that run an event loop: `origin` stops there, since their callers did not send the request of a task."""
_STANDARD_LIBRARY = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))


def origin() -> str:
    """Return file and line of the code that sends a request, such as `/project/deploy.py:26`; empty if unknown.

    This is the innermost frame of code that is not installed. If there is none, it is the innermost frame of an installed package that is
    not a client, such as an SDK. It is unknown for code on a thread of its own, such as a server, and if a client's coroutine is a task.
    """
    frame: FrameType | None = sys._getframe(1)
    installed = ""
    while frame is not None and frame.f_globals.get("__name__") not in LOOPS:
        if (name := frame.f_globals.get("__name__", "")) and name.partition(".")[0] not in CLIENTS:
            kind = _kind(frame.f_code.co_filename)
            if kind == "project":
                return f"{frame.f_code.co_filename}:{frame.f_lineno}"
            if kind == "installed" and not installed:
                installed = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return installed


@cache
def _kind(path: str) -> str:
    """Return the kind of a source file: `project`, `installed`, or `standard` for Python itself."""
    if "site-packages" in path or "dist-packages" in path:
        return "installed"
    return "standard" if path.startswith(_STANDARD_LIBRARY) or path.startswith("<frozen") else "project"
