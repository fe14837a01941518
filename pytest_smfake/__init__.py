"""A pytest plugin with a strict in-process fake of Amazon SageMaker's CreateModel. PYTEST_DONT_REWRITE."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .fake import FakeSageMaker as FakeSageMaker
    from .protocol.signatures import AccessKey as AccessKey
    from .rules.catalogue import Catalogue as Catalogue
    from .rules.catalogue import validate as validate
    from .rules.messages import message as message
    from .rules.messages import parse as parse
    from .rules.rule import Rule as Rule
    from .rules.rule import Violation as Violation
    from .rules.service_model import UnlistedRegionWarning as UnlistedRegionWarning
    from .service.calls import Call as Call
    from .service.calls import Calls as Calls
    from .service.clock import Clock as Clock
    from .service.endpoints import Endpoint as Endpoint
    from .service.endpoints import EndpointConfig as EndpointConfig
    from .service.errors import NetworkBlockedError as NetworkBlockedError
    from .service.errors import ServiceError as ServiceError
    from .service.faults import Delay as Delay
    from .service.faults import Fault as Fault
    from .service.faults import Throttle as Throttle
    from .service.faults import UnusedFaultError as UnusedFaultError
    from .service.faults import probability as probability
    from .service.limits import Limit as Limit
    from .service.models import Model as Model
    from .service.permissions import Denial as Denial
    from .service.stand_ins import Invocation as Invocation
    from .service.stand_ins import StandIn as StandIn
    from .service.transform_jobs import NothingRanWarning as NothingRanWarning
    from .service.transform_jobs import TransformJob as TransformJob
    from .sweeps import Run as Run
    from .sweeps import Sweep as Sweep
    from .sweeps import sweep as sweep


class Unrewritten:
    """Makes Python, not pytest, import the modules of this package within a `with` block: Python's compiled files are used.

    pytest compiles each module of a plugin itself, to rewrite its asserts, and stores the result only in writable directories.
    """

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the spec of a module of this package from Python's own finder; None for other modules."""
        return PathFinder.find_spec(name, path, target) if name.startswith("pytest_smfake.") else None

    def __enter__(self) -> None:
        sys.meta_path.insert(0, self)

    def __exit__(self, *exc: object) -> None:
        sys.meta_path.remove(self)


with Unrewritten():
    from .clients import credentials as _  # noqa: F401  # notes the keys in the environment, before a mock changes them


# Imported on first access: a test run that does not use the plugin must not import botocore.
_HOMES = {
    "AccessKey": "protocol.signatures",
    "Call": "service.calls",
    "Calls": "service.calls",
    "Catalogue": "rules.catalogue",
    "Clock": "service.clock",
    "Delay": "service.faults",
    "Denial": "service.permissions",
    "Endpoint": "service.endpoints",
    "EndpointConfig": "service.endpoints",
    "FakeSageMaker": "fake",
    "Fault": "service.faults",
    "Invocation": "service.stand_ins",
    "Limit": "service.limits",
    "Model": "service.models",
    "NetworkBlockedError": "service.errors",
    "NothingRanWarning": "service.transform_jobs",
    "Rule": "rules.rule",
    "Run": "sweeps",
    "ServiceError": "service.errors",
    "StandIn": "service.stand_ins",
    "Sweep": "sweeps",
    "Throttle": "service.faults",
    "TransformJob": "service.transform_jobs",
    "UnlistedRegionWarning": "rules.service_model",
    "UnusedFaultError": "service.faults",
    "Violation": "rules.rule",
    "message": "rules.messages",
    "parse": "rules.messages",
    "probability": "service.faults",
    "sweep": "sweeps",
    "validate": "rules.catalogue",
}
__all__ = [
    "AccessKey",
    "Call",
    "Calls",
    "Catalogue",
    "Clock",
    "Delay",
    "Denial",
    "Endpoint",
    "EndpointConfig",
    "FakeSageMaker",
    "Fault",
    "Invocation",
    "Limit",
    "Model",
    "NetworkBlockedError",
    "NothingRanWarning",
    "Rule",
    "Run",
    "ServiceError",
    "StandIn",
    "Sweep",
    "Throttle",
    "TransformJob",
    "UnlistedRegionWarning",
    "UnusedFaultError",
    "Violation",
    "message",
    "parse",
    "probability",
    "sweep",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
