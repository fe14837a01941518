"""The log of the calls that reached a fake, and the line of the code under test that sent each."""

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
    """One call: all attempts of one invocation of a client.

    Attributes:
        operation: `CreateModel`; None where the request named none that is known.
        body: the request's body as it was sent.
        response: what was answered, None for an error, for an empty body and for what was passed on to moto.
        error: the error answered, with `code`, `text`, `status` and `violations`; else None.
        region, account: the world that the call went to.
        time: when its first attempt arrived, on the fake's clock, in seconds since the epoch.
        attempts: how many requests the client sent for it.
        passed_on: whether it was passed on to moto.
        faults: what struck it on purpose, in order: faults, delays and throttles.
        principal: the ARN of who sent it, where its key is known by one; else None.
        members: the parameters of a call of the runtime, which sends them in path and headers; else None.
        request_id: the id that its latest answer bears; empty before there is one.
        sent_from: file and line of the code that sent it, such as `/project/deploy.py:26`, where it was answered with an error or
            failed on purpose; else empty, as where that code runs in another process.
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
        """The parameters as they were sent, read anew at each look; None where they cannot be read."""
        if self.members is not None:
            return dict(self.members)
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def __repr__(self) -> str:
        verdict = self.error or ("passed on to moto" if self.passed_on else reprlib.repr(self.response))
        retries = f", {self.attempts} attempts" if self.attempts > 1 else ""
        struck = f" ({', '.join(fault.label for fault in self.faults)})" if self.faults else ""
        return f"<Call {self.operation} {reprlib.repr(self.parameters)} in {self.region}{retries} -> {verdict}{struck}>"


class Calls(Sequence[Call]):
    """The calls in the order of their arrival; it reads like a list. With a bound the oldest make room for the newest."""

    def __init__(self, bound: int | None = None) -> None:
        self._bound = bound
        self._calls: list[Call] = []
        self._by_invocation: dict[str, Call] = {}
        self._invocations: dict[int, str] = {}
        self._dropped = 0
        self._lock = lock()

    def arrive(self, call: Call, invocation: str | None) -> Call:
        """Add a call and return it; for a further attempt of an invocation return the entry of the first."""
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
        """Forget the oldest calls: many at once, since the front of a list is slow to cut."""
        for call in self._calls[:count]:
            self._by_invocation.pop(self._invocations.pop(id(call), ""), None)
        del self._calls[:count]
        self._dropped += count

    def snapshot(self) -> tuple[list[Call], int]:
        """Return the calls that are kept, and how many older ones are not."""
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
"""The packages whose code stands between the code under test and the fake."""
LOOPS = frozenset({"asyncio.base_events", "asyncio.events", "asyncio.runners"})
"""The modules that run an event loop: what called them has not sent what a task of the loop sends."""
_STANDARD_LIBRARY = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))


def origin() -> str:
    """Return file and line of the code that is sending a request, such as `/project/deploy.py:26`; empty where none is known.

    That is the innermost code that is not installed, else the innermost of a package that is no client, such as an SDK. Code that runs
    on a thread of its own, as a server does, has neither; nor has a client's coroutine that is a task itself.
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
    """Return whose code a file holds: `project`, `installed` or, of Python itself, `standard`."""
    if "site-packages" in path or "dist-packages" in path:
        return "installed"
    return "standard" if path.startswith(_STANDARD_LIBRARY) or path.startswith("<frozen") else "project"
