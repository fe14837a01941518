"""The contract's part of the pytest plugin: options, hooks, the fixture `smfake_target`. Wiring only. PYTEST_DONT_REWRITE."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .options import AWS, CHECK_OPTION, ENDPOINTS, LEDGER_OPTION, RECORD, REDACT, REPORT_OPTION, STALE, TARGETS
from .results import Results, check_path

if TYPE_CHECKING:
    from . import Check, Target
    from .session import Session

CONTRACT = Path(__file__).parent / "test_contract.py"

state_key = pytest.StashKey["ContractState"]()


class ContractState:
    """What a run knows of its contract tests.

    Args:
        config: the run's.
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
        """Return the file that an option names, None where it names none."""
        text = self._config.getoption(option)
        return self._path(text) if text else None

    def listen(self, session: Session) -> None:
        """Let SIGTERM end the run as SIGINT does, from now until pytest ends; what outlives this process is to be left clean by both."""
        if any(target.is_elsewhere for target in session.targets):
            from pytest_smfake.contract.targets.residue import Signals

            signals = Signals(session.targets)
            signals.__enter__()
            self._config.add_cleanup(signals.__exit__)

    def target(self, name: str) -> Target:
        """Return the target that a text names, the same one for the whole run.

        Raises:
            ValueError: there is none; the sentence says what would be right.
        """
        if name not in self._targets:
            from pytest_smfake.contract.targets.emulators import target_of

            from .run import redact_if_asked

            added = self._config.hook.pytest_smfake_targets(config=self._config)
            more = {kind: make for kinds in added for kind, make in kinds.items()}
            told = {key: self._config.getoption(f"--smfake-aws-{key}") or self._config.getini(f"smfake_aws_{key}") for key in AWS}
            told["configured_endpoints"] = self._config.getoption("--smfake-aws-configured-endpoints")
            target = self._targets[name] = target_of(name, self.edition, aws=told, more=more)
            redact_if_asked(target, self._config, self._place(name))
        return self._targets[name]

    def _place(self, name: str) -> str:
        return str(self.names.index(name) + 1)

    def labels(self, names: list[str]) -> list[str]:
        """Return how reports, and the ids of tests, name targets."""
        if not self._config.getoption("--smfake-redact"):
            return names
        from .run import label_of

        return [label_of(name, self._place(name)) for name in names]


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
    """Add the hooks of this plugin."""
    from . import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Check the options; a wrong one ends the run before it starts."""
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
                raise ValueError(f"each target has to be named once, not {state.names!r}")
            state.session = Session(state.edition, targets, record=record, ledger=ledger, stale=stale)
            if config.getoption("numprocesses", None) and any(name == "aws" or record for name in state.names):
                raise ValueError("the real service, and a recording, take a run in one process: without -n")
        except ValueError as error:
            raise pytest.UsageError(f"smfake contract: {error}") from None
    if not hasattr(config, "workerinput"):
        names = state.labels(config.getoption("--smfake-target"))
        redacted, every = config.getoption("--smfake-redact"), config.getoption("verbose") > 0
        results = Results(state.edition, state.paths, names, asked, state.session, redacted=redacted, every=every)
        config.pluginmanager.register(results, "smfake-results")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the checks whose evidence is fresh, where stale evidence alone is asked for."""
    contract = config.stash[state_key].session
    fresh = [item for item in items if contract is not None and (check := _check(item)) is not None and not contract.wants(check)]
    if fresh:
        items[:] = [item for item in items if item not in fresh]
        config.hook.pytest_deselected(items=fresh)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say what is going to happen to a real account, once it is known that it is the right one."""
    state = session.config.stash[state_key]
    contract = state.session
    chosen = _checks(session.items)
    used = chosen or any("smfake_target" in getattr(item, "fixturenames", ()) for item in session.items)
    if contract is not None and used and not session.config.option.collectonly:
        state.listen(contract)
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
    """Return the check that a test is about."""
    check: Any = item.callspec.params.get("check") if hasattr(item, "callspec") else None
    return check if hasattr(check, "sentence") else None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Collect the contract where `--pyargs pytest_smfake.contract` asks for it and the project's own python_files do not."""
    if file_path == CONTRACT and not any(fnmatchcase(file_path.name, pattern) for pattern in parent.config.getini("python_files")):
        return pytest.Module.from_parent(parent, path=file_path)
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `smfake_target` on each of them."""
    if "smfake_target" in metafunc.fixturenames:
        state = metafunc.config.stash[state_key]
        metafunc.parametrize("smfake_target", state.names, ids=state.labels(state.names), indirect=True)


@pytest.fixture
def smfake_target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """Yield where a contract check runs, what `--smfake-target` names (function scope)."""
    with request.config.stash[state_key].target(request.param) as target:
        yield target
