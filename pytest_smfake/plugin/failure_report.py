"""What the report of a failing test says of its fakes: what each refused, and by which rule; and which frames it does not show."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_smfake.rules.catalogue import otherwise
from pytest_smfake.rules.inputs import counted, shown
from pytest_smfake.service.calls import CLIENTS
from pytest_smfake.service.faults import InjectedError

if TYPE_CHECKING:
    from pytest_smfake.fake import FakeSageMaker
    from pytest_smfake.service.calls import Call

MOST_REFUSALS = 10
"""Refusals that are told at the most, the latest, and violations of each of them, the first."""
HIDDEN = "__tracebackhide__"
"""The name by which pytest knows that frames are not to be shown."""


@contextmanager
def frames_hidden() -> Iterator[None]:
    """Let tracebacks that pytest formats within the block show no frames of the clients and of this package.

    Where that leaves none, pytest says so; with --full-trace it shows all.
    """
    modules = [module for name, module in list(sys.modules.items()) if isinstance(name, str) and name.partition(".")[0] in CLIENTS]
    spaces = [vars(module) for module in modules if type(module) is ModuleType and HIDDEN not in vars(module)]
    for space in spaces:
        space[HIDDEN] = True
    try:
        yield
    finally:
        for space in spaces:
            space.pop(HIDDEN, None)


def advice(fakes: Mapping[FakeSageMaker, int], chain: Iterable[BaseException], root: Path) -> list[str]:
    """Return the lines that a failure report has of fakes. They never go over the wire: what a client sees are the service's words.

    Args:
        fakes: the fakes, in the order in which they were entered, and how many calls of each came before the test.
        chain: the exception that the test failed with, and those that led to it.
        root: the directory that paths are told from.
    """
    raised = {_request_id(error) for error in chain} - {None}
    lines = [line for fake, before in fakes.items() for line in _about(fake, fake.calls[before:], raised, root)]
    return list(dict.fromkeys(lines))  # of two fakes that say the same, once


def _request_id(error: BaseException) -> str | None:
    """Return the id of the answer that an error of botocore's is about, None for another error."""
    response = vars(error).get("response")  # without a property's code
    metadata = response.get("ResponseMetadata") if isinstance(response, dict) else None
    request_id = metadata.get("RequestId") if isinstance(metadata, dict) else None
    return request_id if isinstance(request_id, str) else None


def _about(fake: FakeSageMaker, calls: list[Call], raised: Collection[str | None], root: Path) -> Iterator[str]:
    yield from _refusals(fake, calls, raised, root)
    yield from _elsewhere(fake)
    first = len(fake.calls) - len(calls) + 1
    for number, call in enumerate(calls, first):
        for fault in call.faults:
            where = f"{call.operation} in {call.region}{_sent_from(call, root)}"
            yield f"{fault.label} struck call {number}, {where}, {counted(call.attempts, 'attempt')}"
    for stand_in in fake.service.stand_ins.added:
        for error in stand_in.errors:
            place = "".join(f", at {frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-1:])
            yield f"The stand-in for {stand_in.key!r} raised {shown(error, 1000)}{place}"
    for world in fake.service.store.worlds():
        for collection in world.collections():
            for resource in collection.by_name.values():
                if resource.note is not None:
                    yield f"{collection.kind.label.capitalize()} {resource.name!r} is {resource.status}: {resource.note}"


def _refusals(fake: FakeSageMaker, calls: Iterable[Call], raised: Collection[str | None], root: Path) -> Iterator[str]:
    """Yield an entry for each refused call; those from one line that were refused for the same reason share that of the latest.

    Where a refusal made the test fail, the others were caught on the way, and are told in short.
    """
    alike: dict[tuple[object, ...], list[Call]] = {}
    for call in calls:
        error = call.error
        if error is not None and not isinstance(error, InjectedError):
            rules = tuple(violation.rule.id for violation in error.violations)
            key = (call.operation, call.sent_from, error.code, error.because, rules)
            alike[key] = [*alike.pop(key, []), call]  # where its latest is
    entries = list(alike.values())
    if len(entries) > MOST_REFUSALS:
        yield f"{counted(len(entries) - MOST_REFUSALS, 'other refusal')} before these: see fake.calls"
    for group in entries[-MOST_REFUSALS:]:
        latest = next((call for call in group if call.request_id in raised), group[-1])
        caught = bool(raised) and latest.request_id not in raised
        more = f" (and {counted(len(group) - 1, 'other call')} alike)" if len(group) > 1 else ""
        first, *hints = _refusal(latest, fake, root)
        yield f"{'caught before: ' if caught else ''}{first}{more}"
        yield from (line for line in hints if not caught or not line.startswith("  "))


def _refusal(call: Call, fake: FakeSageMaker, root: Path) -> Iterator[str]:
    error: Any = call.error
    sent_from = _sent_from(call, root)
    for violation in error.violations[:MOST_REFUSALS]:
        rule = violation.rule
        known = f"{rule.id} ({rule.evidence}: {rule.source})"
        what = f"refused {shown(violation.value)}" if violation.value is not None else f"refused {call.operation}"
        yield f"{known} {what}{sent_from}"
        sent_from = " in the same call"
        if there := otherwise(violation, fake.edition):
            yield f"  it {there.text}; to go by that edition: --smfake-edition={there.edition}"
        bound = there.bound if there else None
        yield f"  to override it: rules={{{rule.id!r}: {bound!r}}}, a keyword of the smfake marker and of FakeSageMaker"
    if len(error.violations) > MOST_REFUSALS:
        yield f"  and {counted(len(error.violations) - MOST_REFUSALS, 'other violation')}: see the violations of the call's error"
    if error.because:
        yield f"{error.because} refused {call.operation}{sent_from}: {error.code}"
    elif not error.violations:
        yield f"{call.operation} was refused{sent_from}: {': '.join(filter(None, (error.code or str(error.status), error.text)))}"


def _elsewhere(fake: FakeSageMaker) -> Iterator[str]:
    """Yield a line for each region and account that calls went to which is not the fake's own."""
    places = [(call.region, call.account) for call in fake.calls if (call.region, call.account) != (fake.region, fake.account)]
    for region, account in dict.fromkeys(places):
        count = counted(places.count((region, account)), "call")
        if account == fake.account:
            yield f"{count} went to {region}; the fake's own region (region=) is {fake.region}. What is there: fake.at(region={region!r})"
        else:
            place = f"account={account!r}" + (f", region={region!r}" if region != fake.region else "")
            own = f"the fake's own are {fake.account} and {fake.region}"
            yield f"{count} went to account {account} in {region}; {own}. What is there: fake.at({place})"


def _sent_from(call: Call, root: Path) -> str:
    """Return where a call was sent from, for the end of a sentence; empty where that is not known."""
    if not call.sent_from:
        return ""
    path = Path(call.sent_from)
    return f", sent from {path.relative_to(root) if path.is_relative_to(root) else path}"
