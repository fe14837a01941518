"""The hooks and fixtures of the pytest plugin: options, marker, header, failure report. Heavy imports are done on first use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_smfake.clients.credentials import variables
from pytest_smfake.protocol.history import history
from pytest_smfake.settings import DEFAULTS

from .configuration import MARKER, boolean_ini, differing, environment_of, failed, fake_for, ini_key, ini_settings, settings_for

if TYPE_CHECKING:
    from pytest_smfake.fake import FakeSageMaker
    from pytest_smfake.server.fixture import RemoteFake, ServedFake

NO_REGION = """\
A client was made without a region: pass region_name=, or set AWS_DEFAULT_REGION; boto3 does not read AWS_REGION.
The ini setting smfake_env = true sets a dummy region and keys before collection."""
FACTORY = """\
`smfake` is one fake for all examples. For a new fake in each example, use the fixture smfake_factory, and write in the test:
    with smfake_factory() as fake:"""

pytest_plugins = ["pytest_smfake.contract.plugin"]

item_key = pytest.StashKey[pytest.Item | None]()
remotes_key = pytest.StashKey[list["RemoteFake"]]()
fixture_key = pytest.StashKey["FakeSageMaker"]()
fakes_key = pytest.StashKey[list["FakeSageMaker"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini settings."""
    group = parser.getgroup("smfake", "fake SageMaker")
    group.addoption(
        "--smfake-edition", default=None, metavar="page|sdk", help="rules of the documented page (default) or of the SDK's model alone"
    )
    group.addoption(
        "--smfake-server",
        default=None,
        metavar="URL",
        help="make smfake_server use a running `smfake serve --admin`; its token: http://TOKEN@HOST:PORT, or SMFAKE_TOKEN",
    )
    group.addoption(
        "--smfake-audit",
        default=None,
        metavar="off|warn|error",
        help="check every SageMaker request that tests send, whoever answers it: report at the end (warn), or fail the tests too (error)",
    )
    parser.addini("smfake_audit", "check every SageMaker request, whoever answers it: off, warn or error", default="off")
    parser.addini("smfake_edition", "edition of the rules: page or sdk", default=DEFAULTS["edition"])
    parser.addini("smfake_region", "region of calls that name none, and of smfake_env (default: us-east-1)", default="")
    parser.addini("smfake_account", "account of credentials that name none", default=DEFAULTS["account"])
    parser.addini("smfake_rules", "rules to override, one on each line: ID = BOUND (off: switched off)", type="linelist", default=[])
    parser.addini("smfake_limits", "account limits, one on each line: models = 5, or models@eu-west-1 = 5", type="linelist", default=[])
    parser.addini("smfake_allow", "hosts that AWS calls may reach while a fake is active", type="linelist", default=[])
    parser.addini("smfake_real_sleep", "make retries and waiters sleep in real time", type="bool", default=False)
    parser.addini("smfake_env", "set a dummy region and keys before collection, if none exist", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Read and check the settings. An invalid one ends the run before it starts."""
    config.addinivalue_line("markers", MARKER)
    settings = config.stash[ini_key] = ini_settings(config)
    if (address := config.getoption("--smfake-server")) is not None:
        _check_address(address)
    config.stash[item_key] = None
    mode = config.getoption("--smfake-audit")
    if (mode := config.getini("smfake_audit") if mode is None else mode) != "off":
        from pytest_smfake.plugin.audit import start

        start(config, mode, settings["edition"], settings["rules"])


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set dummy variables before a conftest can import code that makes clients."""
    if boolean_ini(early_config, "smfake_env"):
        import os

        os.environ.update(environment_of(os.environ, early_config.getini("smfake_region")))


def _check_address(address: str) -> None:
    from pytest_smfake.server.fixture import check_address

    try:
        check_address(address)
    except ValueError as error:
        raise pytest.UsageError(f"--smfake-server: {error}") from None


def pytest_report_header(config: pytest.Config) -> str | None:
    """Return a line with the settings that differ from their defaults, or None."""
    if not (found := differing(config.stash[ini_key])):
        return None
    from importlib.metadata import version

    return f"smfake: {'; '.join(found)}; botocore {version('botocore')}"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Add the fixture `smfake` to tests that have the marker."""
    if isinstance(item, pytest.Function) and "smfake" not in item.fixturenames and item.get_closest_marker("smfake"):
        # A new list: the parameter sets of a function share one list, and can have different markers.
        item.fixturenames = ["smfake", *item.fixturenames]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Note the running test for the session-scoped factory; after the test, clean up what is left of its fakes."""
    item.config.stash[item_key] = item
    active = sys.modules.get("pytest_smfake.protocol.active")  # it is loaded with the first fake
    history.begin(active.fakes if active is not None else (), last_example=getattr(getattr(item, "obj", None), "is_hypothesis_test", False))
    variables.note()
    try:
        return (yield)
    finally:
        item.config.stash[item_key] = None
        item.stash[fakes_key] = []
        history.end()
        _tidy(item)


def _tidy(item: pytest.Item) -> None:
    """End fakes that an interrupt left active, and remove their patches and variables if other code put them back."""
    activation = sys.modules.get("pytest_smfake.clients.activation")
    if activation is not None:
        fake = item.stash.get(fixture_key, None)
        if fake is not None and fake.entry is not None:
            fake._leave()
        activation.end_abandoned()
        activation.apply_active_fakes()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Fail a passed test that injected a fault which was never triggered."""
    if "pytest_smfake.fake" in sys.modules:
        from . import failure_report  # noqa: F401  # imported before the test, which could patch functions that imports need
    yield
    unused = []
    fakes: list[FakeSageMaker | RemoteFake] = [*item.stash.get(fakes_key, []), *item.stash.get(remotes_key, [])]
    for fake in fakes:
        try:
            fake.verify_faults()
        except AssertionError as error:
            unused.append(str(error))
    if unused:
        pytest.fail("\n".join(unused), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add a section about the fakes of the test to a failure's report, and hide frames of clients and this package."""
    fakes = {cast("FakeSageMaker", fake): history.calls_before(fake) for fake in history}
    if fakes and (call.excinfo is not None or _is_of_unittest(item)):
        from .failure_report import frames_hidden

        with frames_hidden():
            report = yield
    else:
        report = yield
    if report.failed:
        # The test may have patched functions that this needs, and its exceptions may run any code: keep the report in any case.
        try:
            report.sections = _sections(item, call, report, fakes)
        except (Exception, *ENDINGS) as error:  # noqa: BLE001
            report.sections.append(("smfake", f"The section about the fakes could not be made: {type(error).__name__}"))
    return report


ENDINGS = (pytest.fail.Exception, pytest.skip.Exception)
"""Exceptions of pytest that are no subclass of `Exception`; mocks of a test may raise them too."""


def _sections(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, fakes: Mapping[FakeSageMaker, int]
) -> list[tuple[str, str]]:
    """Return the sections of a failure's report, with one about the fakes of the test."""
    error = None if call.excinfo is None else call.excinfo.value
    sections = list(report.sections)
    if fakes and _hides_output(error):
        sections = [section for section in sections if not section[0].startswith("Captured ")]
    elif fakes and (error is not None or _is_of_unittest(item)):
        from .failure_report import advice

        if lines := advice(fakes, chain_of(error), item.config.rootpath):
            sections.append(("smfake", "\n".join(lines)))
    hints = () if error is None else _hints(item, error)
    return [*sections, *(("smfake", text) for text in hints)]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Add a hint to a collection error from code that makes clients at import time."""
    report = yield
    if report.failed and "NoRegionError" in str(report.longrepr):
        report.sections.append(("smfake", NO_REGION))
    return report


def _hides_output(error: BaseException | None) -> bool:
    """Return whether the test failed by a sweep, whose many runs would flood the report with their output."""
    sweeps = sys.modules.get("pytest_smfake.sweeps")
    return sweeps is not None and isinstance(error, sweeps.SweepError) and not error.shows_output


def _is_of_unittest(item: pytest.Item) -> bool:
    """Return whether a test is of unittest: pytest adds its exception only while it makes the report."""
    unittest, cls = sys.modules.get("unittest"), getattr(item, "cls", None)
    return unittest is not None and isinstance(cls, type) and issubclass(cls, unittest.TestCase)


def _hints(item: pytest.Item, error: BaseException) -> Iterator[str]:
    """Yield hints about common failures that are no errors of the service, from anywhere in the chain of exceptions."""
    names = {type(one).__name__ for one in chain_of(error)}
    if "NoRegionError" in names:
        yield NO_REGION
    if "FailedHealthCheck" in names and "smfake" in getattr(item, "fixturenames", ()):
        yield FACTORY


def chain_of(error: BaseException | None) -> list[BaseException]:
    """Return an exception with its causes and contexts, also those hidden by `from None` and those in exception groups."""
    chain: list[BaseException] = [] if error is None else [error]
    known = set(map(id, chain))  # by id, since exceptions may define their own comparison
    for one in chain:
        group = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        for other in (one.__cause__, one.__context__, *group):
            if other is not None and id(other) not in known:
                known.add(id(other))
                chain.append(other)
    return chain


def _new_fake(config: pytest.Config, item: pytest.Item | None) -> FakeSageMaker:
    fake = fake_for(config, item)
    if item is not None:
        item.stash[fixture_key] = fake
        item.stash.setdefault(fakes_key, []).append(fake)
    return fake


@pytest.fixture
def smfake(request: pytest.FixtureRequest) -> Iterator[FakeSageMaker]:
    """Yield the active fake, which answers every SageMaker call of the test (function scope)."""
    with _new_fake(request.config, request.node) as fake:
        yield fake
        fake.service.faults.clear()  # the test has run, and unused faults were reported


@pytest.fixture
def smfake_client(smfake: FakeSageMaker) -> Any:
    """Return a boto3 client for SageMaker, answered by `smfake` (function scope)."""
    return smfake.client()


@pytest.fixture(scope="session")
def smfake_factory(request: pytest.FixtureRequest) -> Callable[..., FakeSageMaker]:
    """Make a fake, not yet active, with the settings of the test that is running (session scope).

    For Hypothesis, whose examples each need a new fake: `with smfake_factory() as fake:` inside the test. Keywords are
    those of `FakeSageMaker` and override markers.
    """
    from pytest_smfake.fake import FakeSageMaker, load

    config = request.config
    load()

    def make(**keywords: Any) -> FakeSageMaker:
        item = config.stash[item_key]
        fake = FakeSageMaker(**settings_for(config, item) | keywords)
        if item is not None:
            item.stash[fakes_key] = [fake]
        return fake

    return make


@pytest.fixture
def smfake_faker(request: pytest.FixtureRequest) -> Any:
    """Return a Faker with `SageMakerProvider`, seeded with the test's id (function scope; needs the faker extra).

    Each test gets different values, the same in each run.
    """
    try:
        from faker import Faker
    except ImportError:
        raise failed("smfake_faker needs Faker: pip install 'pytest-smfake[faker]'") from None
    from pytest_smfake.faker import SageMakerProvider

    # A new instance: the one of Faker's own fixture is shared by the session.
    faker = Faker()
    faker.add_provider(SageMakerProvider)
    faker.seed_instance(request.node.nodeid)
    return faker


@pytest.fixture
def smfake_moto(smfake: FakeSageMaker) -> Iterator[FakeSageMaker]:
    """Yield the active fake, with moto's `mock_aws` for every other service (function scope; needs the moto extra)."""
    try:
        from moto import mock_aws
    except ImportError:
        raise failed("smfake_moto needs moto: pip install 'pytest-smfake[moto]'") from None
    # Without moto's dummy keys, which would count as keys that the test set.
    with mock_aws(config={"core": {"mock_credentials": False}}):
        yield smfake


@pytest.fixture
def smfake_server(request: pytest.FixtureRequest) -> Iterator[ServedFake]:
    """Yield the fake with a URL, for clients of any language: `.url`, `.env`, `.fake` (function scope).

    The fake is that of `smfake`, behind a server in a thread of this process; with --smfake-server, a new world on that server.
    """
    from pytest_smfake.server.fixture import served

    yield from served(request, settings_for(request.config, request.node), request.node.stash.setdefault(remotes_key, []))
