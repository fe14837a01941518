"""Where a call comes from: the line of the code under test that sent it."""

from __future__ import annotations

import sys
import sysconfig
from functools import cache
from types import FrameType

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
