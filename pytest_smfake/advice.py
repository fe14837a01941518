"""What a failing test should know: requests that only one edition rejects, failures that struck, and what befell stand-ins and jobs."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .spec.catalogue import catalogue
from .spec.rules import EDITIONS

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
    other = next(edition for edition in EDITIONS if edition != fake.edition)
    told = set()
    for call in fake.calls:
        for violation in call.error.violations if call.error else ():
            rule = violation.rule
            twin = catalogue(other).get(rule.id)
            if rule.id in told or (twin is not None and twin.bound == rule.bound):
                continue
            told.add(rule.id)
            if _passes(violation.value, rule.keyword, twin):
                there = f"is {twin.bound!r}" if twin else "does not exist"
                override = twin.bound if twin else None
                yield (
                    f"{call.operation} was rejected by {rule.id}, which is {rule.bound!r} in edition {fake.edition} and {there} in "
                    f"edition {other}. To go by the other: --smfake-edition={other}, or rules={{{rule.id!r}: {override!r}}}"
                )


def _passes(value: object, keyword: str, twin: object) -> bool:
    """Whether the value would pass the other edition's rule; two patterns can differ in text and mean the same."""
    if twin is None:
        return True
    bound = getattr(twin, "bound", None)
    if keyword == "pattern" and isinstance(value, str) and isinstance(bound, str):
        from .spec.patterns import matcher

        return bool(matcher(bound)(value))
    if keyword in ("max", "min") and isinstance(bound, int) and isinstance(value, str | list | dict):
        return len(value) <= bound if keyword == "max" else len(value) >= bound
    return False
