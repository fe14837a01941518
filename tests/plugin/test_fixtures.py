"""Fixtures, marker and factory, in runs of their own."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from pytest_smfake import FakeSageMaker

pytestmark = pytest.mark.usefixtures("alone")

CREATE = """
    import boto3
    import pytest

    def create(fake, name="churn", **overrides):
        client = boto3.client("sagemaker", region_name="us-east-1")
        return client.create_model(**fake.request(ModelName=name, **overrides))
"""


on_workers = pytest.mark.parametrize("run", ["plain", pytest.param("-n 2", marks=pytest.mark.once)], indirect=True)
"""Runs a test in one process, and under xdist."""


@pytest.fixture
def run(request, pytester):
    """Run a suite in one process and under xdist."""
    how = getattr(request, "param", "plain")
    extra = [] if how == "plain" else ["-p", "xdist", *how.split()]
    pytester.makeconftest("")

    def run(source: str, *arguments: str):
        pytester.makepyfile(CREATE + source)
        start = pytester.runpytest_subprocess if extra else pytester.runpytest_inprocess
        return start(*extra, *arguments)

    return run


@on_workers
def test_fixtures(run):
    run("""
    def test_one(smfake, smfake_client):
        create(smfake)
        assert smfake_client.describe_model(ModelName="churn")
        assert "churn" in smfake.models

    def test_two(smfake):
        assert len(smfake.models) == 0
    """).assert_outcomes(passed=2)


@on_workers
def test_a_marker_alone_activates_the_fake(run):
    run("""
    from pytest_smfake import FakeSageMaker

    @pytest.fixture
    def early():
        return create(FakeSageMaker())

    @pytest.mark.smfake(account="111122223333")
    def test_marked(early):
        assert ":111122223333:" in early["ModelArn"]

    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.smfake), 2])
    def test_half_marked(x, request):
        assert ("smfake" in request.fixturenames) is (x == 1)
    """).assert_outcomes(passed=3)


def test_the_nearest_marker_wins_and_outer_ones_fill_in(run):
    run("""
    pytestmark = pytest.mark.smfake(account="111122223333", edition="sdk", rules={"CreateModel/Containers:max": 7}, limits={"models": 1})

    @pytest.mark.smfake(edition="page", rules={"CreateModel/Tags:max": 1})
    class TestIt:
        @pytest.mark.smfake(account="222233334444")
        def test_it(self, smfake):
            assert smfake.account == "222233334444"
            assert smfake.edition == "page"
            assert smfake.catalogue.overrides == {"CreateModel/Containers:max": 7, "CreateModel/Tags:max": 1}
            with pytest.raises(ValueError):
                smfake.add_model(ModelName="a")
                smfake.add_model(ModelName="b")
    """).assert_outcomes(passed=1)


@on_workers
def test_unittest_classes(run):
    run("""
    import unittest

    @pytest.mark.smfake(limits={"models": 1})
    class TestIt(unittest.TestCase):
        def setUp(self):
            from pytest_smfake import FakeSageMaker
            create(FakeSageMaker())

        def test_it(self):
            client = boto3.client("sagemaker", region_name="us-east-1")
            with self.assertRaises(client.exceptions.ResourceLimitExceeded):
                client.create_model(ModelName="b", ExecutionRoleArn="arn:aws:iam::123456789012:role/r", PrimaryContainer={"Image": "i"})

    @pytest.mark.usefixtures("smfake")
    class TestOther(unittest.TestCase):
        def test_it(self):
            assert boto3.client("sagemaker", region_name="us-east-1").list_models()["Models"] == []
    """).assert_outcomes(passed=2)


@on_workers
def test_the_factory(run):
    run("""
    @pytest.mark.smfake(account="111122223333")
    def test_marked(smfake_factory):
        for _ in range(2):
            with smfake_factory() as fake:
                assert ":111122223333:" in create(fake)["ModelArn"]

    def test_unmarked(smfake_factory):
        with smfake_factory(edition="sdk") as fake:
            assert fake.account == "123456789012"
            assert fake.edition == "sdk"

    @pytest.fixture(scope="session")
    def outside(smfake_factory):
        return smfake_factory()

    def test_outside(outside):
        with outside as fake:
            create(fake)
    """).assert_outcomes(passed=3)


def test_the_factory_under_hypothesis(run):
    run("""
    from hypothesis import given, strategies

    @pytest.mark.smfake(account="111122223333")
    @given(strategies.integers(0, 9))
    def test_examples(smfake_factory, number):
        with smfake_factory() as fake:
            request = fake.request(ModelName=f"m{number}")
            assert fake.client().create_model(**request)["ModelArn"] == f"arn:aws:sagemaker:us-east-1:111122223333:model/m{number}"
    """).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        ("limits={'model': 5}", "*'model' is not a limit; did you mean 'models'?; there are: models*"),
        ("limit=5", "*the smfake marker takes no limit=5; did you mean 'limits'?; its keywords are: region, account,*"),
        ("zzz=5", "*the smfake marker takes no zzz=5; its keywords are: region, account,*"),
        ("clock=1", "*smfake marker: clock must be a Clock, such as the attribute clock of another fake, got 1"),
        ("limits={'models': 10**5000}", "*smfake marker: a limit on models is a whole number *, not a number of about 5000 digits"),
        ("faults=[{'operation': 'CreateModel', 'code': '503', 'tims': 2}]", "*fail() takes no tims=2; did you mean 'times'?"),
        ("'page'", "*the smfake marker takes keywords only, not ('page',)*"),
        ("edition='new'", "*'new' is not an edition; there are: page, sdk*"),
        ("rules={'CreateModel/Containers:max': 'many'}", "*'many' is not a bound that it can have; right would be a number of at least 0*"),
        ("rules=5", "*smfake marker: rules=5 is not a dict*"),
    ],
)
def test_wrong_marker_keywords(run, marker, sentence):
    result = run(f"""
    @pytest.mark.smfake({marker})
    def test_wrong():
        pass

    @pytest.mark.smfake({marker})
    def test_wrong_factory(smfake_factory):
        pass

    def test_right(smfake):
        pass
    """)
    result.assert_outcomes(passed=1, errors=2)
    # One line each, and no more: with the file, and the line of the marker.
    lines = [line for line in result.stdout.lines if not line.startswith("[gw")]  # with xdist the worker is named, too
    heads = [index for index, line in enumerate(lines) if "ERROR at setup of" in line]
    assert sorted(lines[index + 1].split(": ")[0] for index in heads) == sorted(
        f"test_wrong_marker_keywords.py:{line}" for line in told_at(result)
    )
    for index in heads:
        pytest.LineMatcher([lines[index + 1]]).fnmatch_lines([sentence])
        assert lines[index + 2].startswith(("___", "==="))


def told_at(result) -> list[int]:
    """Return the lines of the source that bear a marker."""
    source = next(path for path in Path.cwd().glob("test_*.py")).read_text("utf-8").splitlines()
    return [number for number, line in enumerate(source, 1) if "mark.smfake(" in line]


def test_the_line_of_a_marker(pytester):
    pytester.makepyfile("""
    import pytest

    pytestmark = [
        pytest.mark.usefixtures("tmp_path"),
        pytest.mark.smfake(edition="page"),
    ]

    @pytest.mark.parametrize(
        "number",
        [
            1,
            pytest.param(2, marks=pytest.mark.smfake(acount="1")),
        ],
    )
    @pytest.mark.smfake(account="111122223333")
    def test_parameter(number): pass

    @pytest.mark.usefixtures("tmp_path")
    @pytest.mark.smfake(account="111122223333")
    @pytest.mark.smfake(
        account="111122223333",
        limit=5,
    )
    class TestClass:
        @pytest.mark.smfake(region="eu-west-1")
        def test_method(self): pass
    """)
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(["test_the_line_of_a_marker.py:12: the smfake marker takes no acount='1'; did you mean 'account'[?]; *"])
    result.stdout.fnmatch_lines(["test_the_line_of_a_marker.py:20: the smfake marker takes no limit=5; did you mean 'limits'[?]; *"])


def test_a_marker_that_a_hook_has_added(pytester):
    pytester.makeconftest("""
    import pytest

    def pytest_collection_modifyitems(items):
        for item in items:
            item.add_marker(pytest.mark.smfake(regoin="x"))
    """)
    pytester.makepyfile("def test_it(smfake): pass")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["test_a_marker_that_a_hook_has_added.py:1: the smfake marker takes no regoin='x'; did you mean 'region'[?]*"]
    )


def test_a_misspelled_region_is_a_warning_at_the_test(pytester):
    pytester.makepyfile("""
    import pytest

    @pytest.mark.smfake(region="eu-wets-1")
    def test_it(smfake):
        assert smfake.region == "eu-wets-1"
    """)
    result = pytester.runpytest("-Walways::pytest_smfake.UnlistedRegionWarning")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "*test_a_misspelled_region_is_a_warning_at_the_test.py:3: UnlistedRegionWarning: 'eu-wets-1' is not a region that the*; near it: eu-west-1"
        ]
    )
    result = pytester.runpytest("-Werror::pytest_smfake.UnlistedRegionWarning")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["test_a_misspelled_region_is_a_warning_at_the_test.py:3: smfake marker: 'eu-wets-1' is not a region that *"]
    )


@pytest.mark.parametrize(
    ("fixture", "module", "sentence"),
    [
        ("smfake_moto", "moto", "smfake_moto needs moto: pip install 'pytest-smfake[moto]'"),
        ("smfake_faker", "faker", "smfake_faker needs Faker: pip install 'pytest-smfake[faker]'"),
    ],
)
def test_a_missing_extra_is_told_once(pytester, fixture, module, sentence):
    # In a process of its own: what this one has imported does not count.
    pytester.makepyfile(f"""
    import sys

    sys.modules[{module!r}] = None

    def test_it({fixture}): pass
    """)
    result = pytester.runpytest_subprocess("-p", "no:faker", "-p", "no:cacheprovider", "--no-header")
    result.assert_outcomes(errors=1)
    assert [line for line in result.stdout.lines if fixture in line and "ERROR" not in line] == [sentence]
    assert "During handling" not in result.stdout.str()


@on_workers
def test_moto(run):
    run("""
    def test_it(smfake_moto):
        create(smfake_moto)
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="bucket")
        assert boto3.client("sagemaker", region_name="us-east-1").list_endpoints()["Endpoints"] == []
    """).assert_outcomes(passed=1)


def test_moto_missing(run):
    result = run("""
    import sys

    def test_it(monkeypatch, request):
        monkeypatch.setitem(sys.modules, "moto", None)
        request.getfixturevalue("smfake_moto")
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["smfake_moto needs moto: pip install 'pytest-smfake[[]moto[]]'"])


def test_without_plugin_autoload(pytester, monkeypatch):
    monkeypatch.delenv("PYTEST_PLUGINS")
    pytester.makepyfile(
        CREATE
        + """
    def test_it(smfake):
        create(smfake)
    """
    )
    pytester.runpytest_subprocess("-p", "pytest_smfake.plugin").assert_outcomes(passed=1)
    pytester.runpytest_subprocess().assert_outcomes(errors=1)


def test_named_in_pytest_plugins_as_well(pytester, monkeypatch):
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    monkeypatch.delenv("PYTEST_PLUGINS")
    pytester.makeconftest("pytest_plugins = ['pytest_smfake.plugin']")
    pytester.makepyfile("def test_it(smfake): pass")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_fixtures_and_marker_are_documented(pytester):
    fixtures = pytester.runpytest("--fixtures", "-p", "no:cacheprovider").stdout.str()
    for name in ("smfake", "smfake_client", "smfake_factory", "smfake_moto"):
        assert f"\n{name} " in fixtures
    pytester.runpytest("--markers").stdout.fnmatch_lines(
        [f"@pytest.mark.smfake({', '.join(inspect.signature(FakeSageMaker).parameters)}): *"]
    )
    pytester.runpytest("--help").stdout.fnmatch_lines(["*--smfake-edition=page|sdk*", "*smfake_limits (linelist)*"])
