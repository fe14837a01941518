"""The contract of CreateModel: one set of checks for the fake, for moto, for any endpoint, and for the real service."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .changes import Change as Change
    from .changes import compare as compare
    from .check import CAPABILITIES as CAPABILITIES
    from .check import Check as Check
    from .check import Difference as Difference
    from .outcomes import CheckFacts as CheckFacts
    from .outcomes import RuleFacts as RuleFacts
    from .reply import Reply as Reply
    from .report import Report as Report
    from .report import Result as Result
    from .report import read as read
    from .suite import CreateModelContract as CreateModelContract
    from .suite import checks as checks
    from .suite import run_contract as run_contract
    from .target import Target as Target
    from .targets import EndpointTarget as EndpointTarget
    from .targets import FakeTarget as FakeTarget
    from .targets import MotoTarget as MotoTarget

_HOMES = {
    "CAPABILITIES": "check",
    "Change": "changes",
    "Check": "check",
    "CheckFacts": "outcomes",
    "CreateModelContract": "suite",
    "Difference": "check",
    "EndpointTarget": "targets",
    "FakeTarget": "targets",
    "MotoTarget": "targets",
    "Reply": "reply",
    "Report": "report",
    "Result": "report",
    "RuleFacts": "outcomes",
    "Target": "target",
    "checks": "suite",
    "compare": "changes",
    "read": "report",
    "run_contract": "suite",
}
__all__ = [
    "CAPABILITIES",
    "Change",
    "Check",
    "CheckFacts",
    "CreateModelContract",
    "Difference",
    "EndpointTarget",
    "FakeTarget",
    "MotoTarget",
    "Reply",
    "Report",
    "Result",
    "RuleFacts",
    "Target",
    "checks",
    "compare",
    "read",
    "run_contract",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
