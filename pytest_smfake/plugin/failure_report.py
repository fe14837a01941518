"""The section about the fakes in the report of a failing test (refusals, triggered faults), and the frames to hide."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_smfake.rules.catalogue import other_edition
from pytest_smfake.rules.inputs import counted, shown
from pytest_smfake.service.calls import CLIENTS
from pytest_smfake.service.faults import InjectedError

if TYPE_CHECKING:
    from pytest_smfake.fake import FakeSageMaker
    from pytest_smfake.service.calls import Call

MOST_REFUSALS = 10
"""Maximum number of reported refusals, the latest, and of violations of each, the first."""
HIDDEN = "__tracebackhide__"
"""The variable that makes pytest hide a frame."""


@contextmanager
def frames_hidden() -> Iterator[None]:
    """Hide frames of the clients and of this package in tracebacks that pytest formats within the block.

    If no frame would be left, pytest says so. With --full-trace it shows all.
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
    """Return the lines of a failure report about fakes. Clients never see them: errors have the service's own texts.

    Args:
        fakes: the fakes in the order of their entry, each with the number of its calls before the test.
        chain: the exception of the test, with its causes and contexts.
        root: the directory that paths are relative to.
    """
    raised = {_request_id(error) for error in chain} - {None}
    lines = [line for fake, before in fakes.items() for line in _about(fake, fake.calls[before:], raised, root)]
    return list(dict.fromkeys(lines))  # equal lines of two fakes, once


def _request_id(error: BaseException) -> str | None:
    """Return the request id in an error of botocore, or None for another error."""
    response = vars(error).get("response")  # via vars(), so that no property runs
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
            yield f"{fault.label} was triggered by call {number}, {where}, {counted(call.attempts, 'attempt')}"
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
    """Yield the lines about each refused call. Calls from one line with the same reason share the entry of the latest.

    If one refusal is in the test's exception, the others were caught by the test, and are reported briefly.
    """
    alike: dict[tuple[object, ...], list[Call]] = {}
    for call in calls:
        error = call.error
        if error is not None and not isinstance(error, InjectedError):
            rules = tuple(violation.rule.id for violation in error.violations)
            key = (call.operation, call.sent_from, error.code, error.because, rules)
            alike[key] = [*alike.pop(key, []), call]  # at the position of the latest
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
        if there := other_edition(violation, fake.edition):
            yield f"  it {there.text}; to go by that edition: --smfake-edition={there.edition}"
        if call.region and call.region != fake.region and violation.value == fake.image:
            yield f"  it is the image of {fake.region}; for calls to {call.region}: smfake.at(region={call.region!r}).image"
        bound = there.bound if there else None
        yield f"  to override it: rules={{{rule.id!r}: {bound!r}}}, a keyword of the smfake marker and of FakeSageMaker"
    if len(error.violations) > MOST_REFUSALS:
        yield f"  and {counted(len(error.violations) - MOST_REFUSALS, 'other violation')}: see the violations of the call's error"
    if error.because:
        yield f"{error.because} refused {call.operation}{sent_from}: {error.code}"
    elif not error.violations:
        yield f"{call.operation} was refused{sent_from}: {': '.join(filter(None, (error.code or str(error.status), error.text)))}"


def _elsewhere(fake: FakeSageMaker) -> Iterator[str]:
    """Yield a line for each other region and account than the fake's own that received calls."""
    scopes = [(call.region, call.account) for call in fake.calls if (call.region, call.account) != (fake.region, fake.account)]
    for region, account in dict.fromkeys(scopes):
        count = counted(scopes.count((region, account)), "call")
        if account == fake.account:
            yield f"{count} went to {region}; the fake's own region (region=) is {fake.region}. Its resources: fake.at(region={region!r})"
        else:
            scope = f"account={account!r}" + (f", region={region!r}" if region != fake.region else "")
            own = f"the fake's own are {fake.account} and {fake.region}"
            yield f"{count} went to account {account} in {region}; {own}. Its resources: fake.at({scope})"


def _sent_from(call: Call, root: Path) -> str:
    """Return the end of a sentence that names the line which sent a call; empty if unknown."""
    if not call.sent_from:
        return ""
    path = Path(call.sent_from)
    return f", sent from {path.relative_to(root) if path.is_relative_to(root) else path}"
