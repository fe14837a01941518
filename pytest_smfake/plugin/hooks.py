"""The hooks and fixtures of the pytest plugin: options, marker, header, failure report. Nothing heavy is imported until it is used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_smfake.clients.credentials import variables
from pytest_smfake.protocol.active import fakes as active_fakes
from pytest_smfake.protocol.active import history
from pytest_smfake.settings import DEFAULTS

from .configuration import MARKER, differing, environment_of, failed, fake_for, ini_key, of_ini, settings_for, truth

if TYPE_CHECKING:
    from pytest_smfake.fake import FakeSageMaker
    from pytest_smfake.server.fixture import RemoteFake, ServedFake

NO_REGION = """\
A client was made where no region is set: give it one (region_name=), or set AWS_DEFAULT_REGION; boto3 does not read AWS_REGION.
The ini setting smfake_env = true sets a dummy region and keys before collection."""
FACTORY = """\
`smfake` is one fake for all examples. For one each, ask for smfake_factory in its place, and write in the test:
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
        help="let smfake_server take worlds on a running `smfake serve --admin`; its token: http://TOKEN@HOST:PORT, or SMFAKE_TOKEN",
    )
    group.addoption(
        "--smfake-audit",
        default=None,
        metavar="off|warn|error",
        help="check every SageMaker request that tests send, whoever answers it; tell at the end (warn), or fail the tests too (error)",
    )
    parser.addini("smfake_audit", "check every SageMaker request, whoever answers it: off, warn or error", default="off")
    parser.addini("smfake_edition", "edition of the rules: page or sdk", default=DEFAULTS["edition"])
    parser.addini("smfake_region", "region of a call that names none, and of smfake_env (default: us-east-1)", default="")
    parser.addini("smfake_account", "account of credentials that name none", default=DEFAULTS["account"])
    parser.addini("smfake_rules", "rules to override, one a line: ID = BOUND (off: switched off)", type="linelist", default=[])
    parser.addini("smfake_limits", "account limits, one a line: models = 5, or models@eu-west-1 = 5", type="linelist", default=[])
    parser.addini("smfake_allow", "hosts that AWS calls may reach while a fake is active", type="linelist", default=[])
    parser.addini("smfake_real_sleep", "let retries and waiters really sleep", type="bool", default=False)
    parser.addini("smfake_env", "set a dummy region and keys before collection where none exist", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Read and check the settings; a wrong one ends the run before it starts."""
    config.addinivalue_line("markers", MARKER)
    settings = config.stash[ini_key] = of_ini(config)
    if (address := config.getoption("--smfake-server")) is not None:
        _check_address(address)
    config.stash[item_key] = None
    mode = config.getoption("--smfake-audit")
    if (mode := config.getini("smfake_audit") if mode is None else mode) != "off":
        from pytest_smfake.audit import start

        start(config, mode, settings["edition"], settings["rules"])


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set dummy variables before a conftest can import code that makes clients."""
    if truth(early_config, "smfake_env"):
        import os

        os.environ.update(environment_of(os.environ, early_config.getini("smfake_region")))


def _check_address(address: str) -> None:
    from pytest_smfake.server.fixture import check_address

    try:
        check_address(address)
    except ValueError as error:
        raise pytest.UsageError(f"--smfake-server: {error}") from None


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say in one line which settings differ from their defaults; nothing where none does."""
    if not (found := differing(config.stash[ini_key])):
        return None
    from importlib.metadata import version

    return f"smfake: {'; '.join(found)}; botocore {version('botocore')}"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let the marker alone activate a fake."""
    if isinstance(item, pytest.Function) and "smfake" not in item.fixturenames and item.get_closest_marker("smfake"):
        # A list of its own: pytest shares one among the parameters of a function, which may be marked one by one.
        item.fixturenames = ["smfake", *item.fixturenames]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Tell the session-scoped factory which test is running; see afterwards that nothing of a fake is left."""
    item.config.stash[item_key] = item
    history.begin(active_fakes, last_example=getattr(getattr(item, "obj", None), "is_hypothesis_test", False))
    variables.note()
    try:
        return (yield)
    finally:
        item.config.stash[item_key] = None
        item.stash[fakes_key] = []
        history.end()
        _tidy(item)


def _tidy(item: pytest.Item) -> None:
    """End what an interrupt kept from ending, and put back what patches that outlived a fake brought back."""
    activation = sys.modules.get("pytest_smfake.clients.activation")
    if activation is not None:
        fake = item.stash.get(fixture_key, None)
        if fake is not None and fake.entry is not None:
            fake._leave()
        activation.end_abandoned()
        activation.apply_active_fakes()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Fail a test that put a failure in force which never struck; one that has failed already is left alone."""
    if "pytest_smfake.fake" in sys.modules:
        from . import failure_report  # noqa: F401  # loaded before the test can replace what an import needs
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
    """Add to a failure what the fakes of the test know of it, and leave the frames between the test and them out of its traceback."""
    fakes = {cast("FakeSageMaker", fake): history.calls_before(fake) for fake in history}
    if fakes and (call.excinfo is not None or _is_of_unittest(item)):
        from .failure_report import frames_hidden

        with frames_hidden():
            report = yield
    else:
        report = yield
    if report.failed:
        # A test may have replaced whatever this needs, and an exception of it may do anything: its report is not lost by that.
        try:
            report.sections = _sections(item, call, report, fakes)
        except (Exception, *ENDINGS) as error:  # noqa: BLE001
            report.sections.append(("smfake", f"What is known of this failure could not be told: {type(error).__name__}"))
    return report


ENDINGS = (pytest.fail.Exception, pytest.skip.Exception)
"""What pytest raises to end a test, which are no `Exception`: a replacement that a test made may raise them, too."""


def _sections(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, fakes: Mapping[FakeSageMaker, int]
) -> list[tuple[str, str]]:
    """Return the sections of the report of a failure, with what the fakes of the test know of it."""
    error = None if call.excinfo is None else call.excinfo.value
    sections = list(report.sections)
    if fakes and _hides_output(error):
        sections = [section for section in sections if not section[0].startswith("Captured ")]
    elif fakes and (error is not None or _is_of_unittest(item)):
        from .failure_report import advice

        if lines := advice(fakes, chain_of(error), item.config.rootpath):
            sections.append(("smfake", "\n".join(lines)))
    remedies = () if error is None else _remedies(item, error)
    return [*sections, *(("smfake", text) for text in remedies)]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Add to an error of collection how code that makes clients at import time can be collected."""
    report = yield
    if report.failed and "NoRegionError" in str(report.longrepr):
        report.sections.append(("smfake", NO_REGION))
    return report


def _hides_output(error: BaseException | None) -> bool:
    """Whether a test failed by a sweep, of whose many runs nobody reads all that they printed."""
    sweeps = sys.modules.get("pytest_smfake.sweeps")
    return sweeps is not None and isinstance(error, sweeps.SweepError) and not error.shows_output


def _is_of_unittest(item: pytest.Item) -> bool:
    """Whether a test belongs to unittest, whose exceptions pytest brings in only while it makes the report."""
    unittest, cls = sys.modules.get("unittest"), getattr(item, "cls", None)
    return unittest is not None and isinstance(cls, type) and issubclass(cls, unittest.TestCase)


def _remedies(item: pytest.Item, error: BaseException) -> Iterator[str]:
    """Yield what helps against a failure that is none of the service's, whatever was raised in its place."""
    names = {type(one).__name__ for one in chain_of(error)}
    if "NoRegionError" in names:
        yield NO_REGION
    if "FailedHealthCheck" in names and "smfake" in getattr(item, "fixturenames", ()):
        yield FACTORY


def chain_of(error: BaseException | None) -> list[BaseException]:
    """Return an exception and all that led to it, also where `from None` hides that, or a group holds several."""
    chain: list[BaseException] = [] if error is None else [error]
    known = set(map(id, chain))  # exceptions may compare in ways of their own
    for one in chain:
        group = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        for led in (one.__cause__, one.__context__, *group):
            if led is not None and id(led) not in known:
                known.add(id(led))
                chain.append(led)
    return chain


def _new_fake(config: pytest.Config, item: pytest.Item | None) -> FakeSageMaker:
    fake = fake_for(config, item)
    if item is not None:
        item.stash[fixture_key] = fake
        item.stash.setdefault(fakes_key, []).append(fake)
    return fake


@pytest.fixture
def smfake(request: pytest.FixtureRequest) -> Iterator[FakeSageMaker]:
    """Yield the active fake: every SageMaker call of the test is answered by it (function scope)."""
    with _new_fake(request.config, request.node) as fake:
        yield fake
        fake.service.faults.clear()  # the test has run, and was told of those that never struck


@pytest.fixture
def smfake_client(smfake: FakeSageMaker) -> Any:
    """Return a boto3 client for SageMaker, answered by `smfake` (function scope)."""
    return smfake.client()


@pytest.fixture(scope="session")
def smfake_factory(request: pytest.FixtureRequest) -> Callable[..., FakeSageMaker]:
    """Make a fake, not yet active, with the settings of the test that is running (session scope).

    For Hypothesis, whose examples each need a world: `with smfake_factory() as fake:` inside the test. Keywords are
    those of `FakeSageMaker` and win over markers.
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

    It makes the same values in each run, and others in each test.
    """
    try:
        from faker import Faker
    except ImportError:
        raise failed("smfake_faker needs Faker: pip install 'pytest-smfake[faker]'") from None
    from pytest_smfake.faker import SageMakerProvider

    # One of its own: the instance of Faker's own fixture lives as long as the session.
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
    # The fake's dummy keys stay: moto's own would be read as keys that the test gave.
    with mock_aws(config={"core": {"mock_credentials": False}}):
        yield smfake


@pytest.fixture
def smfake_server(request: pytest.FixtureRequest) -> Iterator[ServedFake]:
    """Yield the fake at an address, for clients of any language: `.url`, `.env`, `.fake` (function scope; needs the server extra).

    The fake is that of `smfake`, answered by a server on a thread of this process; with --smfake-server a world of that server.
    """
    from pytest_smfake.server.fixture import served

    yield from served(request, settings_for(request.config, request.node), request.node.stash.setdefault(remotes_key, []))
