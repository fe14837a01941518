"""What a run against the real service is going to send, found out offline: the same checks, answered by the fake."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_smfake.contract.targets.aws import AwsTarget
from pytest_smfake.contract.targets.names import NAMING_MEMBERS
from pytest_smfake.fake import FakeSageMaker

from .check import body_of

if TYPE_CHECKING:
    from pytest_smfake.rules.rule import Edition

    from .check import Check


@dataclass(frozen=True, slots=True)
class Planned:
    """A request that a run is going to send.

    Attributes:
        check: the id of the check that sends it, empty where it lists the run's models before the first check and after the last.
        operation: such as `CreateModel`.
        name: the name or ARN in it as JSON has it, without quotes where it is a text; `-` where it names nothing.
    """

    check: str
    operation: str
    name: str


class Rehearsal(AwsTarget):
    """Plays the service offline, as it is documented, and keeps what is sent to it."""

    def __init__(self, target: AwsTarget, edition: Edition) -> None:
        super().__init__(target.settings, target.name, run=target.run)
        self._fake = FakeSageMaker(region=target.region, account=target.settings.account, edition=edition)
        self._is_known = True
        self.log: list[Planned] = []
        self.listings = 0
        """How many lists of the run's models are read to their last page."""

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Return a client that the fake answers."""
        return self._fake.client(region_name=region, **arguments)

    def outgoing(self, operation: str, request: Any) -> Any:
        """Keep a request, and return it as it is sent."""
        sent = super().outgoing(operation, request)
        self.log.append(Planned(self.check, operation, _name(operation, sent)))
        return sent

    def pages(self, operation: str, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list, and count the list."""
        self.listings += operation == "ListModels"
        return super().pages(operation, request)

    def run_through(self, checks: Sequence[Check], edition: Edition) -> None:
        """Do what a run does."""
        from .run import run_checks

        with self._fake:
            self.survey()
            run_checks(checks, [self], edition)
            self.finish()


def rehearse(target: AwsTarget, checks: Sequence[Check], edition: Edition) -> Rehearsal:
    """Return what a run of these checks sends to a service that is as documented; nothing leaves the process.

    Args:
        target: the target; nothing of it is changed.
        checks: the checks; those that it cannot run send nothing.
        edition: whose rules the boundary cases are about.
    """
    rehearsal = Rehearsal(target, edition)
    rehearsal.run_through(checks, edition)
    return rehearsal


def _name(operation: str, request: Any) -> str:
    if isinstance(request, bytes):
        return body_of(request).decode("utf-8", "replace")
    value = request.get(NAMING_MEMBERS[operation]) if isinstance(request, dict) else request
    if value is None:
        return "-"
    return json.dumps(value, ensure_ascii=False)[1:-1] if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def listed(log: Sequence[Planned]) -> Iterator[str]:
    """Yield a line for each request: its number, operation and name, and the check that sends it."""
    width = max(len(planned.operation) for planned in log)
    yield f"{0:5}  {'GetCallerIdentity':{max(width, 17)}}  of STS, before anything else"
    for number, planned in enumerate(log, 1):
        yield f"{number:5}  {planned.operation:{max(width, 17)}}  {planned.name}  {planned.check or '(which models of the run there are)'}"
