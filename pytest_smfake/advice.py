"""What the report of a failing test says of its fakes: what each refused, and by which rule; and which frames it does not show."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .service.encounters import InjectedError
from .spec.given import counted, shown
from .spec.otherwise import otherwise
from .transport.origin import CLIENTS

if TYPE_CHECKING:
    from .fake import FakeSageMaker
    from .service.calls import Call

MOST = 10
"""Refusals that are told at the most, the latest."""
HIDDEN = "__tracebackhide__"
"""The name by which pytest knows that frames are not to be shown."""


@contextmanager
def frames_hidden() -> Iterator[None]:
    """Let tracebacks that pytest formats within the block show no frames of the clients and of this package.

    Where that leaves none, pytest says so; with --full-trace it shows all.
    """
    modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] in CLIENTS]
    spaces = [vars(module) for module in modules if isinstance(module, ModuleType) and HIDDEN not in vars(module)]
    for space in spaces:
        space[HIDDEN] = True
    try:
        yield
    finally:
        for space in spaces:
            space.pop(HIDDEN, None)


def advice(fakes: Iterable[FakeSageMaker], root: Path) -> Iterator[str]:
    """Yield the lines that a failure report has of fakes. They never go over the wire: what a client sees are the service's words.

    Args:
        fakes: the fakes, in the order in which they were entered.
        root: the directory that paths are told from.
    """
    for fake in fakes:
        yield from _refusals(fake, root)
        yield from _regions(fake)
        for number, call in enumerate(fake.calls, 1):
            for fault in call.faults:
                where = f"{call.operation} in {call.region}{_sent_from(call, root)}"
                yield f"{fault.label} struck call {number}, {where}, {counted(call.attempts, 'attempt')}"
        for stand_in in fake.service.stand_ins.ever:
            for error in stand_in.errors:
                place = traceback.extract_tb(error.__traceback__)[-1]
                yield f"The stand-in for {stand_in.key!r} raised {error!r}, at {place.filename}:{place.lineno}"
        for world in fake.service.store.worlds():
            for job in world.transform_jobs.by_name.values():
                if job.note is not None:
                    yield f"Transform job {job.name!r} is {job.status}: {job.note}"


def _refusals(fake: FakeSageMaker, root: Path) -> Iterator[str]:
    """Yield an entry for each refused call; calls that were refused in the same way, from the same line, share one."""
    entries: dict[tuple[str, ...], int] = {}
    for call in fake.calls:
        if call.error is not None and not isinstance(call.error, InjectedError):
            entry = tuple(_refusal(call, fake, root))
            entries[entry] = entries.pop(entry, 0) + 1
    if len(entries) > MOST:
        yield f"{counted(len(entries) - MOST, 'other refusal')} before these: see fake.calls"
    explained: set[str] = set()
    for (first, *more), times in list(entries.items())[-MOST:]:
        yield f"{first}{f' ({times} times)' if times > 1 else ''}"
        yield from (line for line in more if line not in explained)
        explained.update(line for line in more if line.startswith("  "))


def _refusal(call: Call, fake: FakeSageMaker, root: Path) -> Iterator[str]:
    error: Any = call.error
    sent_from = _sent_from(call, root)
    for violation in error.violations:
        rule = violation.rule
        known = f"{rule.id} ({rule.evidence}: {rule.source})"
        what = f"refused {shown(violation.value)}" if violation.value is not None else f"refused {call.operation}"
        yield f"{known} {what}{sent_from}"
        sent_from = " in the same call"
        if there := otherwise(violation, fake.edition):
            yield f"  it {there.text}; to go by that edition: --smfake-edition={there.edition}"
        bound = there.bound if there else None
        yield f"  to override it: rules={{{rule.id!r}: {bound!r}}}, a keyword of the smfake marker and of FakeSageMaker"
    if not error.violations:
        yield f"{call.operation} was refused{sent_from}: {': '.join(filter(None, (error.code or str(error.status), error.text)))}"


def _regions(fake: FakeSageMaker) -> Iterator[str]:
    """Yield a line for each region that calls went to which is not the fake's own."""
    regions = [call.region for call in fake.calls if call.region != fake.region]
    for region in dict.fromkeys(regions):
        yield (
            f"{counted(regions.count(region), 'call')} went to {region}; the fake's own region (region=) is {fake.region}. "
            f"What is there: fake.at(region={region!r})"
        )


def _sent_from(call: Call, root: Path) -> str:
    """Return where a call was sent from, for the end of a sentence; empty where that is not known."""
    if not call.sent_from:
        return ""
    path = Path(call.sent_from)
    return f", sent from {path.relative_to(root) if path.is_relative_to(root) else path}"
