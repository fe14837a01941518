"""A pytest plugin with a strict in-process fake of Amazon SageMaker's CreateModel."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .fake import FakeSageMaker as FakeSageMaker
    from .service.calls import Call as Call
    from .service.calls import Calls as Calls
    from .service.clock import Clock as Clock
    from .service.errors import ServiceError as ServiceError
    from .service.limits import Limit as Limit
    from .service.store import Model as Model
    from .spec.catalogue import Catalogue as Catalogue
    from .spec.catalogue import validate as validate
    from .spec.messages import message as message
    from .spec.messages import parse as parse
    from .spec.rules import Rule as Rule
    from .spec.rules import Violation as Violation
    from .transport.botocore import NetworkBlockedError as NetworkBlockedError

# Loaded when asked for: a test run that does not use the plugin must not pay for botocore.
_HOMES = {
    "Call": "service.calls",
    "Calls": "service.calls",
    "Catalogue": "spec.catalogue",
    "Clock": "service.clock",
    "FakeSageMaker": "fake",
    "Limit": "service.limits",
    "Model": "service.store",
    "NetworkBlockedError": "transport.botocore",
    "Rule": "spec.rules",
    "ServiceError": "service.errors",
    "Violation": "spec.rules",
    "message": "spec.messages",
    "parse": "spec.messages",
    "validate": "spec.catalogue",
}
__all__ = [
    "Call",
    "Calls",
    "Catalogue",
    "Clock",
    "FakeSageMaker",
    "Limit",
    "Model",
    "NetworkBlockedError",
    "Rule",
    "ServiceError",
    "Violation",
    "message",
    "parse",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
