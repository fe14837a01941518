"""Add the contract to pytest: options, hooks, the fixture `smfake_target`, and the results of contract tests. PYTEST_DONT_REWRITE."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from . import Check, Target
    from .session import Session

REPORT_SUFFIXES = (".json", ".html", ".md")
"""The suffixes of the files that a report can be written to."""

AWS = {
    "account": "the id of the account that the credentials must belong to",
    "region": "the region to run in",
    "prefix": "the start of the names of models",
    "role": "the ARN of the role of the models; needs the image",
    "image": "the image of the models; needs the role",
    "rate": "the maximum number of calls per second, retries included (4)",
}
"""The options of the target aws, with their help texts."""
ENDPOINTS = "let the target aws use AWS_ENDPOINT_URL and similar settings; such a run proves nothing about the real service"
TARGETS = "the target of the checks: fake (default), moto, endpoint=URL, recording=FILE, aws; repeat it for a column each"
CHECK_OPTION = "run only these contract checks; * matches any characters"
RECORD = "record the responses of the target to a file, redacted"
REDACT = "put tokens into reports in place of accounts, names, roles, keys, addresses and other values that identify an account"
LEDGER_OPTION = "add the checks that the real service passed to a ledger"
STALE = "run only the checks whose evidence in the ledger is missing or older than this number of days"
REPORT_OPTION = f"write a report to a file: {', '.join(REPORT_SUFFIXES)}"
DRY_RUN = "list the requests to the target aws in order, with operation and name, and send none"
POLICY = "print the IAM policy that the run needs on the target aws, and send nothing"
VERBOSE = "show every difference, not one example of each group"


class ContractHooks:
    """Declare the hooks that other plugins and conftest files can implement."""

    @pytest.hookspec
    def pytest_smfake_targets(self, config: pytest.Config) -> Mapping[str, Callable[[str], Target]]:  # type: ignore[empty-body]
        """Return further kinds of targets, by the name that `--smfake-target` accepts.

        Each value is a function that takes the text after `=`, or "" without one, and returns a `pytest_smfake.contract.Target`. It
        raises ValueError, with a sentence that says what is expected, if the text is wrong.
        """


PROPERTY = "smfake_contract"
"""The name of the property in which a contract test stores its result as JSON."""
WORST_FIRST = ("failed", "outdated", "passed", "skipped")
"""The order of outcomes: if a check ran twice on a target, such as in two classes, the first of these counts."""


def properties(check: Mapping[str, Any], result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the properties of a contract test: its result as JSON, and single values by which JUnit files can be filtered.

    Example:
        >>> properties({"id": "a/b", "rule": None, "evidence": "assumed"}, {"target": "fake", "outcome": "passed"})[1:4]
        [('smfake_check', 'a/b'), ('smfake_rule', ''), ('smfake_evidence', 'assumed')]
    """
    return [
        (PROPERTY, json.dumps([check, result])),
        ("smfake_check", check["id"]),
        ("smfake_rule", check["rule"] or ""),
        ("smfake_evidence", check["evidence"]),
        ("smfake_target", result["target"]),
        ("smfake_outcome", result["outcome"]),
    ]


def check_path(path: Path) -> None:
    """Check that a report can be written to a path, before a long run begins.

    Raises:
        ValueError: the suffix is unknown, or the path cannot be written.
    """
    from pytest_smfake.rules.inputs import check_place

    if path.suffix not in REPORT_SUFFIXES:
        raise ValueError(f"{path.name!r} has an unknown suffix; expected one of: {', '.join(REPORT_SUFFIXES)}")
    check_place(path)


class Results:
    """Collect the results of a run. Registered as a plugin in the process that receives test reports: under xdist the controller.

    Args:
        edition: the edition whose rules the boundary cases test.
        paths: the files for the report.
        targets: the names of the targets in the order of their columns; other targets follow by name.
        asked: ids of the checks to run; `*` matches any characters. By default all checks. The report counts those that did not run.
        session: the session of the run, which has to be ended.
        redacted: whether the results are redacted.
        every: whether to show every difference, not an example of each group.
    """

    def __init__(
        self,
        edition: Any,
        paths: list[Path],
        targets: Sequence[str] = (),
        asked: Sequence[str] = (),
        session: Session | None = None,
        *,
        redacted: bool = False,
        every: bool = False,
    ) -> None:
        self._edition = edition
        self._paths = paths
        self._targets = targets
        self._asked = asked
        self._checks: dict[str, Any] = {}
        self._results: dict[tuple[str, str], dict[str, Any]] = {}
        self._lines: list[str] = []
        self._session = session
        self._redacted = redacted
        self._every = every

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the result of a contract test. If the check ran before on the target, the worse result counts."""
        if report.when == "call" and report.outcome in ("passed", "failed", "skipped"):
            for name, value in report.user_properties:
                if name == PROPERTY:
                    check, result = json.loads(str(value))
                    self._checks[check["id"]] = check
                    key = check["id"], result["target"]
                    found = [result, *([self._results[key]] if key in self._results else [])]
                    self._results[key] = min(found, key=lambda one: WORST_FIRST.index(one["outcome"]))

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """End the session and write the reports. If models are left or a file cannot be written, the run fails."""
        ended = self._end(session)
        if not self._results:
            self._lines = [f"no report, since no contract check has a result: {path}" for path in self._paths]
            self._lines += ended
            return
        from .render import findings

        report = self._report()
        self._lines = [*findings(report, every=self._every), str(report), *ended]
        for path in self._paths:
            try:
                report.write(path)
            except OSError as error:
                self._lines.append(f"the report could not be written to {path}: {error.strerror}")
                session.exitstatus = session.exitstatus or pytest.ExitCode.USAGE_ERROR
            else:
                self._lines.append(f"report: {path}")

    def _end(self, session: pytest.Session) -> list[str]:
        """End the run on its targets and return lines about it. If models are left behind, the run fails."""
        if self._session is None or not self._session.begun:
            return []
        from . import Result

        lines, clean = self._session.end([Result(**result) for result in self._results.values()])
        if not clean:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        return lines

    def _report(self) -> Any:
        """Return the report with the checks in the order of the contract; under xdist results arrive in any order."""
        from . import Report, Result, checks
        from .report import describe_check

        every = {check.id: describe_check(check) for check in checks(self._asked, self._edition)}
        ordered = [*every.values(), *(check for name, check in sorted(self._checks.items()) if name not in every)]
        names = {target for _, target in self._results}
        targets = [name for name in self._targets if name in names]
        targets += sorted(names - set(targets))
        results = [Result(**result) for result in self._results.values()]
        return Report.now(self._edition, targets, ordered, results, redacted=self._redacted)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Iterator[None]:
        """Print the differences, the table, and the paths of reports. pytest's own sections leave these failures out."""
        failed = terminalreporter.stats.get("failed", [])
        others = [report for report in failed if ("smfake_outcome", "failed") not in map(tuple, report.user_properties)]
        if failed:
            terminalreporter.stats["failed"] = others
        try:
            yield
        finally:
            if failed:
                terminalreporter.stats["failed"] = failed  # pytest counts them
        if self._lines:
            terminalreporter.section("smfake contract")
            for line in self._lines:
                terminalreporter.write_line(line)


CONTRACT = Path(__file__).parent / "test_contract.py"

state_key = pytest.StashKey["ContractState"]()


class ContractState:
    """Hold the options, targets and session of the contract tests of a run.

    Args:
        config: the configuration of the run.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._targets: dict[str, Target] = {}
        self.session: Session | None = None
        self.edition: Any = config.getoption("--smfake-edition") or config.getini("smfake_edition")
        self.names: list[str] = config.getoption("--smfake-target") or ["fake"]
        self.paths = [self._path(text) for text in config.getoption("--smfake-report")]

    def _path(self, text: str) -> Path:
        return self._config.invocation_params.dir / text

    def optional_path(self, option: str) -> Path | None:
        """Return the path in an option, None if the option is not set."""
        text = self._config.getoption(option)
        return self._path(text) if text else None

    def catch_signals(self, session: Session) -> None:
        """Let SIGTERM end the run as SIGINT does until pytest ends, if a target outlives this process and needs a clean-up."""
        if any(target.is_elsewhere for target in session.targets):
            from pytest_smfake.contract.session import Signals

            signals = Signals(session.targets)
            signals.__enter__()
            self._config.add_cleanup(signals.__exit__)

    def target(self, name: str) -> Target:
        """Return the target for a value of `--smfake-target`; the same object for the whole run.

        Raises:
            ValueError: there is no such target, or its argument is wrong.
        """
        if name not in self._targets:
            from pytest_smfake.contract.targets.emulators import target_of

            from .run import redact_if_asked

            added = self._config.hook.pytest_smfake_targets(config=self._config)
            more = {kind: make for kinds in added for kind, make in kinds.items()}
            settings = {key: self._config.getoption(f"--smfake-aws-{key}") or self._config.getini(f"smfake_aws_{key}") for key in AWS}
            settings["configured_endpoints"] = self._config.getoption("--smfake-aws-configured-endpoints")
            target = self._targets[name] = target_of(name, self.edition, aws=settings, more=more)
            redact_if_asked(target, self._config, self._label_suffix(name))
        return self._targets[name]

    def _label_suffix(self, name: str) -> str:
        return str(self.names.index(name) + 1)

    def labels(self, names: list[str]) -> list[str]:
        """Return the names of targets in reports and in the ids of tests."""
        if not self._config.getoption("--smfake-redact"):
            return names
        from .run import label_of

        return [label_of(name, self._label_suffix(name)) for name in names]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini settings."""
    group = parser.getgroup("smfake-contract", "contract of SageMaker's CreateModel")
    add = group.addoption
    add("--smfake-target", action="append", default=[], metavar="NAME[=ARGUMENT]", help=TARGETS)
    add("--smfake-check", action="append", default=[], metavar="ID", help=CHECK_OPTION)
    add("--smfake-report", action="append", default=[], metavar="PATH", help=REPORT_OPTION)
    add("--smfake-redact", action="store_true", help=REDACT)
    add("--smfake-record", metavar="PATH", help=RECORD)
    add("--smfake-ledger", metavar="PATH", help=LEDGER_OPTION)
    add("--smfake-stale", metavar="DAYS", type=int, help=STALE)
    for key, text in AWS.items():
        add(f"--smfake-aws-{key}", metavar=key.upper(), help=text)
        parser.addini(f"smfake_aws_{key}", text, default="")
    add("--smfake-aws-configured-endpoints", action="store_true", help=ENDPOINTS)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks of this plugin."""
    pluginmanager.add_hookspecs(ContractHooks)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Check the options; a wrong option ends the run before it starts."""
    state = config.stash[state_key] = ContractState(config)
    for path in state.paths:
        try:
            check_path(path)
        except ValueError as error:
            raise pytest.UsageError(f"--smfake-report: {error}") from None
    record, ledger = state.optional_path("--smfake-record"), state.optional_path("--smfake-ledger")
    asked, stale = config.getoption("--smfake-check"), config.getoption("--smfake-stale")
    if asked or record or ledger or stale is not None or config.getoption("--smfake-target"):
        from . import checks
        from .session import Session

        try:
            checks(asked, state.edition)
            targets = [state.target(name) for name in state.names]
            if len(set(state.names)) < len(state.names):
                raise ValueError(f"each target may be given only once, got {state.names!r}")
            state.session = Session(state.edition, targets, record=record, ledger=ledger, stale=stale)
            if config.getoption("numprocesses", None) and any(name == "aws" or record for name in state.names):
                raise ValueError("the target aws and recordings need a run in one process: remove -n")
        except ValueError as error:
            raise pytest.UsageError(f"smfake contract: {error}") from None
    if not hasattr(config, "workerinput"):
        names = state.labels(config.getoption("--smfake-target"))
        redacted, every = config.getoption("--smfake-redact"), config.getoption("verbose") > 0
        results = Results(state.edition, state.paths, names, asked, state.session, redacted=redacted, every=every)
        config.pluginmanager.register(results, "smfake-results")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--smfake-stale`, deselect the checks whose evidence is fresh."""
    contract = config.stash[state_key].session
    fresh = [item for item in items if contract is not None and (check := _check(item)) is not None and not contract.wants(check)]
    if fresh:
        items[:] = [item for item in items if item not in fresh]
        config.hook.pytest_deselected(items=fresh)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin the session: check the targets, and print the plan of a run in a real account."""
    state = session.config.stash[state_key]
    contract = state.session
    chosen = _checks(session.items)
    used = chosen or any("smfake_target" in getattr(item, "fixturenames", ()) for item in session.items)
    if contract is not None and used and not session.config.option.collectonly:
        state.catch_signals(contract)
        try:
            lines = contract.begin(chosen)
        except ValueError as error:
            pytest.exit(f"smfake contract: {error}", returncode=pytest.ExitCode.USAGE_ERROR)
        reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
        for line in lines if reporter is not None else ():
            reporter.write_line(line)


def _checks(items: list[pytest.Item]) -> list[Check]:
    """Return the checks among the tests, each once."""
    return list({check.id: check for check in map(_check, items) if check is not None}.values())


def _check(item: pytest.Item) -> Check | None:
    """Return the check of a test, None if it has none."""
    check: Any = item.callspec.params.get("check") if hasattr(item, "callspec") else None
    return check if hasattr(check, "sentence") else None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Collect the contract for `--pyargs pytest_smfake.contract`, also if the project's python_files does not match its file."""
    if file_path == CONTRACT and not any(fnmatchcase(file_path.name, pattern) for pattern in parent.config.getini("python_files")):
        return pytest.Module.from_parent(parent, path=file_path)
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that uses `smfake_target` once for each target."""
    if "smfake_target" in metafunc.fixturenames:
        state = metafunc.config.stash[state_key]
        metafunc.parametrize("smfake_target", state.names, ids=state.labels(state.names), indirect=True)


@pytest.fixture
def smfake_target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """Yield the target of a contract check, as `--smfake-target` says (function scope)."""
    with request.config.stash[state_key].target(request.param) as target:
        yield target
