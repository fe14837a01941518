"""What a failing test should know: requests that only one edition rejects, failures that struck, and what befell stand-ins and jobs."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .spec.otherwise import otherwise

if TYPE_CHECKING:
    from .fake import FakeSageMaker


def advice(fake: FakeSageMaker) -> Iterator[str]:
    """Yield what a failure report says of a fake. It never goes over the wire: what a client sees are the service's words."""
    yield from _editions(fake)
    for number, call in enumerate(fake.calls, 1):
        for fault in call.faults:
            yield f"{fault.label} struck call {number}, {call.operation} in {call.region}, {_attempts(call.attempts)}"
    for stand_in in fake.service.stand_ins.ever:
        for error in stand_in.errors:
            place = traceback.extract_tb(error.__traceback__)[-1]
            yield f"The stand-in for {stand_in.key!r} raised {error!r}, at {place.filename}:{place.lineno}"
    for world in fake.service.store.worlds():
        for job in world.transform_jobs.by_name.values():
            if job.note is not None:
                yield f"Transform job {job.name!r} is {job.status}: {job.note}"


def _attempts(number: int) -> str:
    return f"{number} attempt{'s' * (number > 1)}"


def _editions(fake: FakeSageMaker) -> Iterator[str]:
    """Yield a line for each rule that rejected a request and that the other edition states differently."""
    told = set()
    for call in fake.calls:
        for violation in call.error.violations if call.error else ():
            rule_id = violation.rule.id
            if rule_id not in told and (there := otherwise(violation, fake.edition)):
                yield (
                    f"{call.operation} was rejected by {rule_id}, which {there.text}. To go by the other: "
                    f"--smfake-edition={there.edition}, or rules={{{rule_id!r}: {there.bound!r}}}"
                )
            told.add(rule_id)
