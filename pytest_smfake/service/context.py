"""What an operation works with."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from pytest_smfake.rules.catalogue import Catalogue
from pytest_smfake.rules.rule import Rule, Violation
from pytest_smfake.service.containers.stand_ins import StandIns

from .clock import Clock, Schedule
from .dependencies import Dependencies
from .errors import ServiceError, rejected
from .limits import Limits
from .permissions import Denials
from .resources import Collection, World

Answer = Any
"""What an operation returns: the response's members; None for an empty body; or a function to call for one of these once
the lock is released, since it runs code of the test or talks to another service."""


@dataclass(frozen=True, slots=True)
class Hosting:
    """What hosting needs beside the store.

    Attributes:
        schedule: what is to happen later.
        stand_ins: what plays the containers.
        denials: what the role of a model may not do.
        lock: held while an operation reads and changes the store.
        dependencies: the other services that the service looks into.
    """

    schedule: Schedule
    stand_ins: StandIns
    denials: Denials
    lock: threading.Lock
    dependencies: Dependencies


@dataclass(frozen=True, slots=True)
class Context:
    """What an operation works with."""

    world: World
    catalogue: Catalogue
    limits: Limits
    clock: Clock
    hosting: Hosting

    def now(self) -> float:
        """Return the time in seconds since the epoch, in milliseconds as the service's timestamps are."""
        return round(self.clock.now(), 3)

    def breach(self, rule: Rule, where: tuple[str | int, ...], value: Any, text: str) -> ServiceError:
        """Return the error for a condition that does not hold."""
        current = self.catalogue.rule(rule.id)
        return rejected([Violation(current, where, value, text=text)])

    def refuse_taken(self, collection: Collection[Any], name: str) -> None:
        """Refuse a name that a resource has already.

        Raises:
            ServiceError: in the words observed of models (astronomer/astronomer-providers#1055), endpoints
                (aws/sagemaker-python-sdk#101) and endpoint configurations (awslabs/spot-tagging-bot-for-digital-assets#2).
        """
        kind = collection.kind
        if name in collection and self.catalogue.get(kind.taken.id):
            text = f'Cannot create already existing {kind.label} "{collection.arn(name)}".'
            raise self.breach(kind.taken, (kind.member,), name, text)
