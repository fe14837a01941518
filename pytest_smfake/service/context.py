"""What an operation works with."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from pytest_smfake.rules.catalogue import Catalogue
from pytest_smfake.rules.coded import Precondition, coded_rules
from pytest_smfake.rules.rule import Violation
from pytest_smfake.service.containers.stand_ins import StandIns

from .clock import Clock, Schedule
from .dependencies import Dependencies
from .errors import ServiceError
from .limits import Limits
from .permissions import Denials
from .resources import Collection, Resource, World

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

    @property
    def region(self) -> str:
        """The region of the call."""
        return self.world.place.region

    def find(self, noun: str, name: str) -> Resource | None:
        """Return a resource, such as a `Model`; None if there is none of the name."""
        collection = next(found for found in self.world.collections() if found.kind.noun == noun)
        resource: Resource | None = collection.by_name.get(name)
        return resource

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a resource; none if it does not exist."""
        resource = self.world.at(arn)
        return {} if resource is None else resource.tags

    def has_objects(self, uri: str) -> bool:
        """Whether S3 holds an object under an address."""
        return next(self.hosting.dependencies.s3(self.world.place).keys(uri), None) is not None

    def preconditions(self, operation: str, *, services: bool = False) -> list[tuple[Precondition, Any]]:
        """Return the active preconditions of an operation that ask other services, or those that ask none, each with its bound."""
        return [
            (coded, rule.bound)
            for coded in coded_rules(operation)
            if isinstance(coded, Precondition) and coded.check and bool(coded.service) is services
            if (rule := self.catalogue.get(coded.rule.id))
        ]

    def check(self, operation: str, request: dict[str, Any], *, services: bool = False) -> None:
        """Refuse a request that breaks a precondition of its operation.

        Args:
            operation: the operation.
            request: its request.
            services: whether to check the preconditions that ask other services, which must not be done under the lock, or the others.

        Raises:
            ServiceError: with the text of the first precondition that is broken.
        """
        for coded, bound in self.preconditions(operation, services=services):
            assert coded.check is not None  # noqa: S101  # the others are left out
            for where, value, text in coded.check(request, self, bound):
                raise self._breach(coded, where, value, text)

    def _breach(self, coded: Precondition, where: tuple[str | int, ...], value: Any, text: str) -> ServiceError:
        rule = self.catalogue.rule(coded.rule.id)
        return ServiceError(coded.code, text, violations=[Violation(rule, where, value, text=text)])

    def refuse_taken(self, collection: Collection[Any], name: str) -> None:
        """Refuse a name that a resource has already.

        Raises:
            ServiceError: in the words observed of models (astronomer/astronomer-providers#1055), endpoints
                (aws/sagemaker-python-sdk#101) and endpoint configurations (awslabs/spot-tagging-bot-for-digital-assets#2).
        """
        kind = collection.kind
        if name in collection and self.catalogue.get(kind.taken.rule.id):
            text = kind.taken_text.format(label=kind.label, arn=collection.arn(name))
            raise self._breach(kind.taken, (kind.member,), name, text)
