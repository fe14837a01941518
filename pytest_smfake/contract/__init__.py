"""Check CreateModel and its related operations on the fake, on moto, on any endpoint, and on the real service."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_smfake.contract.targets.emulators import EndpointTarget as EndpointTarget
    from pytest_smfake.contract.targets.emulators import FakeTarget as FakeTarget
    from pytest_smfake.contract.targets.emulators import MotoTarget as MotoTarget
    from pytest_smfake.contract.targets.target import Target as Target

    from .check import CAPABILITIES as CAPABILITIES
    from .check import Check as Check
    from .check import Difference as Difference
    from .check import Reply as Reply
    from .report import Change as Change
    from .report import CheckFacts as CheckFacts
    from .report import Report as Report
    from .report import Result as Result
    from .report import RuleFacts as RuleFacts
    from .report import compare as compare
    from .report import read_report as read
    from .run import CreateModelContract as CreateModelContract
    from .run import checks as checks
    from .run import run_contract as run_contract

_HOMES = {
    "CAPABILITIES": "check",
    "Change": "report",
    "Check": "check",
    "CheckFacts": "report",
    "CreateModelContract": "run",
    "Difference": "check",
    "EndpointTarget": "targets.emulators",
    "FakeTarget": "targets.emulators",
    "MotoTarget": "targets.emulators",
    "Reply": "check",
    "Report": "report",
    "Result": "report",
    "RuleFacts": "report",
    "Target": "targets.target",
    "checks": "run",
    "compare": "report",
    "read": "report",
    "run_contract": "run",
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
    return getattr(import_module(f".{_HOMES[name]}", __name__), "read_report" if name == "read" else name)


def __dir__() -> list[str]:
    return __all__
