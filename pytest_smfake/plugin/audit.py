"""The audit: every SageMaker request of a test run is observed in botocore, checked against the rules, and reported at the end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import wraps
from typing import Any, Literal

import pytest

from pytest_smfake.patches import OnImport, Patches
from pytest_smfake.protocol.active import active
from pytest_smfake.rules.catalogue import Catalogue, other_edition
from pytest_smfake.rules.messages import message
from pytest_smfake.rules.rule import Edition
from pytest_smfake.rules.service_model import RUNTIME, SERVICE, is_operation

MOST_SENDERS = 3
"""Maximum number of tests or fixtures that are named for each rule."""
VALUE_WIDTH, SENTENCE_WIDTH = 60, 300
"""Maximum characters of a value, and of a whole text of the service."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that a request breaks, the text of the service, and the other edition's bound if that would accept the request."""

    rule: str
    evidence: str
    text: str
    other_edition: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A checked request: who sent it, and why the service would refuse it. `refusals` is empty for a valid one."""

    place: str
    phase: str
    operation: str
    refusals: Sequence[Refusal]

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Checked:
        """Return a request that another process checked, from its dict."""
        return cls(**{**entry, "refusals": tuple(Refusal(**refusal) for refusal in entry["refusals"])})


def refusals(operation: str, request: Any, rules: Catalogue) -> Iterator[Refusal]:
    """Yield the rules of a catalogue that a request breaks, each once. `request` is None if it could not be parsed."""
    if request is None:
        yield Refusal(f"{operation}:json", "assumed", "SerializationException, without a message: the body is not valid JSON")
        return
    reported = set()
    for violation in rules.validate(operation, request):
        if violation.rule.id in reported:
            continue
        reported.add(violation.rule.id)
        echo = violation.echo if violation.echo is None else _shortened(violation.echo, VALUE_WIDTH)
        text = message([replace(violation, echo=echo)]).removeprefix("1 validation error detected: ")
        there = other_edition(violation, rules.edition)
        yield Refusal(violation.rule.id, violation.rule.evidence, _shortened(text, SENTENCE_WIDTH), there.text if there else None)


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def outside(checked: Iterable[Checked]) -> list[Checked]:
    """Return the refused requests that failed no test."""
    return [request for request in checked if request.refusals and request.phase != "test"]


def failure_lines(checked: Sequence[Checked], edition: Edition) -> Iterator[str]:
    """Yield the lines of a test's failure, from all requests that it sent."""
    refused = [request for request in checked if request.refusals]
    sent = _number(len(checked), "request")
    yield f"smfake audit: the service would refuse {len(refused)} of {sent} that this test sent (edition {edition})"
    for request in refused:
        for refusal in request.refusals:
            yield f"{request.operation}: {refusal.text}"
            yield f"  {_rule(refusal)}" + (f", which {refusal.other_edition}" if refusal.other_edition else "")


def summary_lines(checked: Sequence[Checked], mode: str, edition: Edition) -> Iterator[str]:
    """Yield the lines of the summary: the refusals by rule, and a last line with totals."""
    by_rule: dict[str, list[tuple[Checked, Refusal]]] = {}
    for request in sorted(checked, key=lambda request: request.place):
        for refusal in request.refusals:
            by_rule.setdefault(refusal.rule, []).append((request, refusal))
    for _, found in sorted(by_rule.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        first = found[0][1]
        yield f"{_rule(first)}: {_counted([request for request, _ in found])}"
        yield f"  {first.text}"
        if passing := [refusal.other_edition for _, refusal in found if refusal.other_edition]:
            some = "" if len(passing) == len(found) else f"; {len(passing)} of the {len(found)} requests would pass there"
            yield f"  The rule {passing[0]}{some}."
        places = list(dict.fromkeys(_place(request) for request, _ in found))
        yield from (f"    {place}" for place in places[:MOST_SENDERS])
        if len(places) > MOST_SENDERS:
            yield f"    and {len(places) - MOST_SENDERS} more"
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
    """Return the number of requests, and of the tests that sent them, as text."""
    tests = {request.place for request in checked if request.phase != "elsewhere"}
    outside = sum(request.phase == "elsewhere" for request in checked)
    apart = f", and {outside} of them outside of tests" if outside else ""
    return f"{_number(len(checked), 'request')} of {_number(len(tests), 'test')}{apart}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


Sent = bytes | dict[str, Any]
"""An observed request: the bytes of its body, or the members of a request to the runtime, which are not all in the body."""

_SERIALIZER_MODULE = "botocore.serialize"


class Watch:
    """Observes each SageMaker request that botocore serialises, until it is stopped.

    Every request is serialised once, also if it is sent again: after botocore's own validation of
    parameters, and before the events by which mocks answer (`before-call` of the Stubber, `before-send` of moto). The patched classes
    serve clients that were made earlier too, and aiobotocore. Requests to an active `FakeSageMaker` are left out: it checks them
    itself.

    botocore is patched when other code imports it. It is never imported here.

    Args:
        seen: a function that gets the operation and the request.
    """

    def __init__(self, seen: Callable[[str, Sent], None]) -> None:
        self._seen = seen
        self._patches = Patches()
        self._running = False
        self._on_import = OnImport(_SERIALIZER_MODULE, self._patch)

    def start(self) -> None:
        """Start observing."""
        self._running = True
        self._on_import.start()

    def stop(self) -> None:
        """Stop observing, and restore botocore."""
        self._running = False
        self._on_import.stop()
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


def _parsed(request: Sent) -> Any:
    """Return the JSON value of a request, or None if the service could not parse it."""
    from pytest_smfake.protocol.wire import decode
    from pytest_smfake.service.errors import ServiceError

    try:
        return decode(request) if isinstance(request, bytes) else request
    except ServiceError:
        return None


def _members(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a request to the runtime. A stream as body counts as empty, since it can be read only once."""
    body = parameters.get("Body")
    return {**parameters, "Body": b""} if body is not None and not isinstance(body, bytes | str) else dict(parameters)


MODES = ("off", "warn", "error")
KEY = "smfake_audit"
"""The key of results on reports, and in the output of a worker of xdist, which take them to the controller."""


def start(config: pytest.Config, mode: str, edition: Edition, rules: Mapping[str, Any]) -> None:
    """Audit a test run until its end.

    Raises:
        pytest.UsageError: an unknown mode.
    """
    if mode not in MODES:
        raise pytest.UsageError(f"smfake_audit or --smfake-audit: unknown mode {mode!r}; expected one of: {', '.join(MODES)}")
    audit = Audit(mode, edition, rules)
    audit.watch.start()
    config.add_cleanup(audit.watch.stop)
    config.pluginmanager.register(audit, "smfake_audit")


@dataclass(frozen=True, slots=True, eq=False)
class Sender:
    """What sends requests at a time.

    Attributes:
        name: the id of a test, or another name: `session fixture 'model'`, `collection of tests/test_a.py`.
        phase: `test`, from the set-up of a test to the end of its call; `teardown` of a test; or `elsewhere`.
    """

    name: str
    phase: Literal["test", "teardown", "elsewhere"]


class Audit:
    """The pytest plugin that is registered if the audit is on.

    Args:
        mode: `warn` prints a summary at the end, `error` also fails the tests.
        edition: edition of the rules.
        rules: overrides by rule id.
    """

    def __init__(self, mode: str, edition: Edition, rules: Mapping[str, Any]) -> None:
        self.mode = mode
        self.edition: Edition = edition
        self._catalogue = Catalogue(edition, rules)
        self.watch = Watch(self._see)
        self._senders = [Sender("the run, outside of collection and tests", "elsewhere")]
        self._seen: list[tuple[Sender, str, Sent]] = []
        self._unreported: list[Checked] = []
        self._of_test: list[Checked] = []
        self._reported: list[Checked] = []

    def _see(self, operation: str, sent: Sent) -> None:
        # Checked later, so that the code under test does not wait.
        self._seen.append((self._senders[-1], operation, sent))

    def _check(self) -> None:
        seen, self._seen = self._seen, []
        for sender, operation, sent in seen:
            # The test suite can have a service model with operations that botocore's lacks, which have no rules.
            if is_operation(operation):
                checked = Checked(sender.name, sender.phase, operation, tuple(refusals(operation, _parsed(sent), self._catalogue)))
                self._unreported.append(checked)
                self._of_test.append(checked)

    def _take_unreported(self) -> list[dict[str, Any]]:
        self._check()
        unreported, self._unreported = self._unreported, []
        return [asdict(checked) for checked in unreported]

    @contextmanager
    def _sending(self, sender: Sender) -> Iterator[None]:
        self._senders.append(sender)
        try:
            yield
        finally:
            self._end(sender)

    def _end(self, sender: Sender) -> None:
        if self._senders[-1] is sender:
            self._senders.pop()

    def pytest_report_header(self) -> str:
        """Return a line that says that the audit is on."""
        return f"smfake: audit {self.mode}"

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Attribute requests during the import of a test file to its collection."""
        with self._sending(Sender(f"collection of {collector.nodeid or 'the session'}", "elsewhere")):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Attribute requests in a test and its function-scoped fixtures to the test."""
        self._of_test = []
        with self._sending(Sender(item.nodeid, "test")):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None]:
        """Fail a passed test that sent a request which the service would refuse."""
        yield
        if self.mode != "error":
            return
        self._check()
        own = [checked for checked in self._of_test if checked.phase == "test"]
        if any(checked.refusals for checked in own):
            pytest.fail("\n".join(failure_lines(own, self.edition)), pytrace=False)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Attribute requests after the call of a test to its teardown."""
        with self._sending(Sender(item.nodeid, "teardown")):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Generator[None, object, object]:
        """Attribute requests in set-up and teardown of a shared fixture to the fixture, not to the test that runs then."""
        if fixturedef.scope == "function":
            return (yield)
        of = f" of {request.node.nodeid}" if request.node.nodeid not in ("", ".") else ""
        sender = Sender(f"{fixturedef.scope} fixture {fixturedef.argname!r}{of}", "elsewhere")
        # Finalizers run in reverse order: these two surround those that the fixture adds in between.
        request.addfinalizer(lambda: self._end(sender))
        with self._sending(sender):
            result = yield
        request.addfinalizer(lambda: self._senders.append(sender))
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add results to the last report of a test, which xdist sends to the controller."""
        report = yield
        if call.when == "teardown" and (found := self._take_unreported()):
            vars(report)[KEY] = found
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the results in a report, from this process or a worker."""
        self._reported += map(Checked.read, vars(report).get(KEY, ()))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Collect the results of a worker of xdist that are outside of tests."""
        self._reported += map(Checked.read, getattr(node, "workeroutput", {}).get(KEY, ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Report results outside of tests. In mode `error`, fail the run for refused requests that failed no test."""
        found = self._take_unreported()
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[KEY] = found
            return
        self._reported += map(Checked.read, found)
        if self.mode == "error" and session.exitstatus == pytest.ExitCode.OK and outside(self._reported):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the summary."""
        terminalreporter.section("smfake audit")
        for line in summary_lines(self._reported, self.mode, self.edition):
            terminalreporter.write_line(line)
