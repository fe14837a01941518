"""The audit of a run: every request is seen where botocore serialises it, checked against the catalogue, and told at the end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import wraps
from typing import Any, Literal

import pytest

from pytest_smfake.patches import OnImport, Patches
from pytest_smfake.protocol.active import active
from pytest_smfake.rules.catalogue import Catalogue, otherwise
from pytest_smfake.rules.messages import message
from pytest_smfake.rules.rule import Edition
from pytest_smfake.rules.service_model import RUNTIME, SERVICE, is_operation

SHOWN = 3
"""How many of the places that break a rule are named."""
VALUE_WIDTH, SENTENCE_WIDTH = 60, 300
"""Characters past which a value, and a whole sentence of the service, are cut."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that the service would refuse a request by, its sentence, and what the other edition says where it would not."""

    rule: str
    evidence: str
    text: str
    otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A request that was checked: where it was sent, and why the service would refuse it; `refusals` is empty for a sound one."""

    place: str
    phase: str
    operation: str
    refusals: Sequence[Refusal]

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Checked:
        """Return what was checked elsewhere, from the dict that it travelled as."""
        return cls(**{**entry, "refusals": tuple(Refusal(**refusal) for refusal in entry["refusals"])})


def refusals(operation: str, request: Any, rules: Catalogue) -> Iterator[Refusal]:
    """Yield the rules of a catalogue that a request breaks, each once; `request` is None where it could not be read."""
    if request is None:
        yield Refusal(
            f"{operation}:json", "assumed", "SerializationException, without a message: the body is no JSON that the service reads"
        )
        return
    told = set()
    for violation in rules.validate(operation, request):
        if violation.rule.id in told:
            continue
        told.add(violation.rule.id)
        echo = violation.echo if violation.echo is None else _shortened(violation.echo, VALUE_WIDTH)
        text = message([replace(violation, echo=echo)]).removeprefix("1 validation error detected: ")
        there = otherwise(violation, rules.edition)
        yield Refusal(violation.rule.id, violation.rule.evidence, _shortened(text, SENTENCE_WIDTH), there.text if there else None)


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def outside(checked: Iterable[Checked]) -> list[Checked]:
    """Return the refused requests that no test was failed for."""
    return [request for request in checked if request.refusals and request.phase != "test"]


def failure_lines(checked: Sequence[Checked], edition: Edition) -> Iterator[str]:
    """Yield the lines by which a test fails, of all that it sent."""
    refused = [request for request in checked if request.refusals]
    sent = _number(len(checked), "request")
    yield f"smfake audit: the service would refuse {len(refused)} of {sent} that this test sent (edition {edition})"
    for request in refused:
        for refusal in request.refusals:
            yield f"{request.operation}: {refusal.text}"
            yield f"  {_rule(refusal)}" + (f", which {refusal.otherwise}" if refusal.otherwise else "")


def summary_lines(checked: Sequence[Checked], mode: str, edition: Edition) -> Iterator[str]:
    """Yield the lines of the summary: what was refused, rule by rule, and a last line with totals."""
    by_rule: dict[str, list[tuple[Checked, Refusal]]] = {}
    for request in sorted(checked, key=lambda request: request.place):
        for refusal in request.refusals:
            by_rule.setdefault(refusal.rule, []).append((request, refusal))
    for _, found in sorted(by_rule.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        first = found[0][1]
        yield f"{_rule(first)}: {_counted([request for request, _ in found])}"
        yield f"  {first.text}"
        if passing := [refusal.otherwise for _, refusal in found if refusal.otherwise]:
            some = "" if len(passing) == len(found) else f"; {len(passing)} of the {len(found)} requests would pass there"
            yield f"  The rule {passing[0]}{some}."
        places = list(dict.fromkeys(_place(request) for request, _ in found))
        yield from (f"    {place}" for place in places[:SHOWN])
        if len(places) > SHOWN:
            yield f"    and {len(places) - SHOWN} more"
    refused = [request for request in checked if request.refusals]
    if mode == "error" and (late := outside(checked)):
        yield f"The run fails for {_number(len(late), 'refused request')} that no test sent before the end of its call."
    if checked:
        yield f"Checked {_counted(checked)} (edition {edition}); the service would refuse {_counted(refused)}."
    else:
        yield "No SageMaker request was seen, outside of an active FakeSageMaker, which checks its own."


def _rule(refusal: Refusal) -> str:
    return f"{refusal.rule} ({refusal.evidence})"


def _place(request: Checked) -> str:
    return f"{request.place}, in its teardown" if request.phase == "teardown" else request.place


def _counted(checked: Sequence[Checked]) -> str:
    """Return how many requests there are and how many tests sent them."""
    tests = {request.place for request in checked if request.phase != "elsewhere"}
    outside = sum(request.phase == "elsewhere" for request in checked)
    apart = f", and {outside} of them outside of tests" if outside else ""
    return f"{_number(len(checked), 'request')} of {_number(len(tests), 'test')}{apart}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


Sent = bytes | dict[str, Any]
"""A request as it is seen: the body as the wire has it, or, to the runtime, whose members are not all in the body, the members."""

_SERIALIZER_MODULE = "botocore.serialize"


class Watch:
    """Tells of each request where botocore has serialised it, until it is stopped.

    That is the one place that every request passes once, whoever answers and however often it is sent again: it is past
    botocore's own validation of parameters, and ahead of the events by which others answer (`before-call` of its Stubber,
    `before-send` of moto). The classes are patched, so that clients made earlier are seen too, and those of aiobotocore, which
    serialises with the same classes. Requests inside an active `FakeSageMaker` are left out: it checks them itself.

    botocore is patched when the code under test imports it, and never imported for this.

    Args:
        seen: is told the operation and what is sent.
    """

    def __init__(self, seen: Callable[[str, Sent], None]) -> None:
        self._seen = seen
        self._patches = Patches()
        self._running = False
        self._importing = OnImport(_SERIALIZER_MODULE, self._patch)

    def start(self) -> None:
        """Watch from now on."""
        self._running = True
        self._importing.start()

    def stop(self) -> None:
        """Leave botocore as it was."""
        self._running = False
        self._importing.stop()
        self._patches.restore()

    def _patch(self, module: Any) -> None:
        for owner in (module.JSONSerializer, module.BaseRestSerializer):
            self._patches.replace(owner, "serialize_to_request", self._observed)

    def _observed(self, original: Any) -> Any:
        @wraps(original)
        def serialize_to_request(serializer: Any, parameters: Mapping[str, Any], operation_model: Any) -> Any:
            request = original(serializer, parameters, operation_model)
            service = operation_model.service_model.service_name
            if self._running and service in (SERVICE, RUNTIME) and active() is None:
                self._seen(operation_model.name, request["body"] if service == SERVICE else _members(parameters))
            return request

        return serialize_to_request


def _parsed(sent: Sent) -> Any:
    """Return a request as JSON has it; None where the service could not read it."""
    from pytest_smfake.protocol.wire import decode
    from pytest_smfake.service.errors import ServiceError

    try:
        return decode(sent) if isinstance(sent, bytes) else sent
    except ServiceError:
        return None


def _members(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a request to the runtime. A body that is a stream can be read only once, and not by us: it counts as empty."""
    body = parameters.get("Body")
    return {**parameters, "Body": b""} if body is not None and not isinstance(body, bytes | str) else dict(parameters)


MODES = ("off", "warn", "error")
KEY = "smfake_audit"
"""Name under which what was found travels, from a worker of xdist to its controller: on each report, and at the end of the worker."""


def start(config: pytest.Config, mode: str, edition: Edition, rules: Mapping[str, Any]) -> None:
    """Audit a run of pytest, until its end.

    Raises:
        pytest.UsageError: an unknown mode.
    """
    if mode not in MODES:
        raise pytest.UsageError(f"smfake_audit, or --smfake-audit: {mode!r} is not a mode; there are: {', '.join(MODES)}")
    audit = Audit(mode, edition, rules)
    audit.watch.start()
    config.add_cleanup(audit.watch.stop)
    config.pluginmanager.register(audit, "smfake_audit")


@dataclass(frozen=True, slots=True, eq=False)
class SentFrom:
    """What sends requests at a time.

    Attributes:
        name: the id of a test, or what else it is: `session fixture 'model'`, `collection of tests/test_a.py`.
        phase: `test`, from its set-up to the end of its call; `teardown` of a test; or `elsewhere`.
    """

    name: str
    phase: Literal["test", "teardown", "elsewhere"]


class Audit:
    """The plugin that is registered where the audit is on.

    Args:
        mode: `warn` prints what was found at the end, `error` also fails the tests.
        edition: edition of the rules.
        rules: overrides by rule id.
    """

    def __init__(self, mode: str, edition: Edition, rules: Mapping[str, Any]) -> None:
        self.mode = mode
        self.edition: Edition = edition
        self._catalogue = Catalogue(edition, rules)
        self.watch = Watch(self._see)
        self._places = [SentFrom("the run, outside of collection and tests", "elsewhere")]
        self._seen: list[tuple[SentFrom, str, Sent]] = []
        self._untold: list[Checked] = []
        self._of_test: list[Checked] = []
        self._told: list[Checked] = []

    def _see(self, operation: str, sent: Sent) -> None:
        # Checked later, so that the code under test is not kept waiting.
        self._seen.append((self._places[-1], operation, sent))

    def _check(self) -> None:
        seen, self._seen = self._seen, []
        for place, operation, sent in seen:
            # A service model of the suite's own can have operations that botocore's has not: nothing is known of them.
            if is_operation(operation):
                checked = Checked(place.name, place.phase, operation, tuple(refusals(operation, _parsed(sent), self._catalogue)))
                self._untold.append(checked)
                self._of_test.append(checked)

    def _tell(self) -> list[dict[str, Any]]:
        self._check()
        untold, self._untold = self._untold, []
        return [asdict(checked) for checked in untold]

    @contextmanager
    def _at(self, place: SentFrom) -> Iterator[None]:
        self._places.append(place)
        try:
            yield
        finally:
            self._leave(place)

    def _leave(self, place: SentFrom) -> None:
        if self._places[-1] is place:
            self._places.pop()

    def pytest_report_header(self) -> str:
        """Say that the audit is on."""
        return f"smfake: audit {self.mode}"

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Attribute what is sent while a file is imported."""
        with self._at(SentFrom(f"collection of {collector.nodeid or 'the session'}", "elsewhere")):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Attribute what is sent in a test and its own fixtures."""
        self._of_test = []
        with self._at(SentFrom(item.nodeid, "test")):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None]:
        """Fail a test that sent what the service would refuse; one that has failed already is left alone."""
        yield
        if self.mode != "error":
            return
        self._check()
        mine = [checked for checked in self._of_test if checked.phase == "test"]
        if any(checked.refusals for checked in mine):
            pytest.fail("\n".join(failure_lines(mine, self.edition)), pytrace=False)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Attribute what is sent after the call of a test."""
        with self._at(SentFrom(item.nodeid, "teardown")):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Generator[None, object, object]:
        """Attribute to a fixture that many tests share what its set-up and teardown send, not to the test that happens to be first."""
        if fixturedef.scope == "function":
            return (yield)
        of = f" of {request.node.nodeid}" if request.node.nodeid not in ("", ".") else ""
        place = SentFrom(f"{fixturedef.scope} fixture {fixturedef.argname!r}{of}", "elsewhere")
        # Finalizers run last in, first out: these two surround those that the fixture adds in between.
        request.addfinalizer(lambda: self._leave(place))
        with self._at(place):
            result = yield
        request.addfinalizer(lambda: self._places.append(place))
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put what was found on the last report of a test, which xdist hands to the controller."""
        report = yield
        if call.when == "teardown" and (told := self._tell()):
            vars(report)[KEY] = told
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect what was found, here or on a worker."""
        self._told += map(Checked.read, vars(report).get(KEY, ()))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Collect what a worker of xdist found outside of tests."""
        self._told += map(Checked.read, getattr(node, "workeroutput", {}).get(KEY, ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell what was found outside of tests; in mode `error`, fail the run for what no test could be failed for."""
        told = self._tell()
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[KEY] = told
            return
        self._told += map(Checked.read, told)
        if self.mode == "error" and session.exitstatus == pytest.ExitCode.OK and outside(self._told):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print what was found."""
        terminalreporter.section("smfake audit")
        for line in summary_lines(self._told, self.mode, self.edition):
            terminalreporter.write_line(line)
