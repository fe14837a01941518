"""What a failing test prints: no frames of the clients or of this package, and an entry for each refused call."""

from __future__ import annotations

import re
import sys

import pytest

from pytest_smfake import Catalogue, FakeSageMaker
from pytest_smfake.protocol.history import MOST_FAKES, history
from pytest_smfake.rules.catalogue import catalogue

pytestmark = pytest.mark.usefixtures("alone", "loaded")

DEPLOY = """
    import boto3

    def deploy(name, role):
        client = boto3.client("sagemaker", region_name="us-east-1")
        return client.create_model(ModelName=name, PrimaryContainer={"Image": "i"}, ExecutionRoleArn=role)["ModelArn"]
"""
TEST = """
    from deploy import deploy

    def test_it(smfake):
        deploy("churn_2026_11", smfake.role_arn)
"""
ENTRY = "CreateModel/ModelName:pattern (documented: CreateModel page, ModelName) refused 'churn_2026_11', sent from deploy.py:5"
FRAMES = re.compile(r"(site-packages|botocore/|boto3/|pytest_smfake/)[\w./]*\.py:\d+")


@pytest.fixture
def fail(pytester, monkeypatch):
    """Run a test that fails, beside code that it tests; return what is printed."""

    def fail(source: str, *options: str, subprocess: bool = False, passed: int = 0) -> str:
        monkeypatch.syspath_prepend(pytester.path)
        pytester.makepyfile(deploy=DEPLOY)
        pytester.makepyfile(test_it=source)
        result = (pytester.runpytest_subprocess if subprocess else pytester.runpytest_inprocess)(*options)
        result.assert_outcomes(failed=1, passed=passed)
        return result.stdout.str()

    yield fail
    sys.modules.pop("deploy", None)


@pytest.mark.parametrize(("style", "most"), [("auto", 30), ("short", 15), ("long", 40)])
def test_a_refused_call_reads_in_ten_seconds(fail, style, most):
    printed = fail(TEST, f"--tb={style}")
    report = printed.partition("= FAILURES =")[2].partition("= short test summary info =")[0].splitlines()[1:-1]
    assert len(report) <= most
    assert not FRAMES.search(printed)
    assert ENTRY in report
    assert "  to override it: rules={'CreateModel/ModelName:pattern': None}, a keyword of the smfake marker and of FakeSageMaker" in report


def test_the_fake_s_own_image_in_another_region(fail):
    printed = fail("""
        import boto3

        def test_it(smfake):
            boto3.client("sagemaker", region_name="us-west-2").create_model(**smfake.request())
    """)
    assert "CreateModel:image-region (observed: " in printed
    assert "  it is the image of us-east-1; for calls to us-west-2: smfake.at(region='us-west-2').image" in printed


def test_one_line_names_the_line_that_sent_it(fail):
    assert re.search(r"/deploy\.py:5: botocore\.exceptions\.ClientError: An error occurred", fail(TEST, "--tb=line"))


@pytest.mark.parametrize("option", ["--full-trace", "--tb=native"])
def test_all_frames_on_request(fail, option):
    assert "botocore/client.py" in fail(TEST, option).replace("\\", "/")


def test_the_marks_are_taken_away_again(fail):
    import botocore.client

    fail(TEST)
    assert "__tracebackhide__" not in vars(botocore.client)
    assert not any("__tracebackhide__" in vars(module) for name, module in sys.modules.items() if name.startswith("pytest_smfake"))


def test_chained_exceptions_have_none_of_those_frames_either(fail):
    printed = fail("""
    from deploy import deploy

    def test_it(smfake):
        try:
            deploy("churn_2026_11", smfake.role_arn)
        except Exception as error:
            smfake.fail("CreateModel", "read-timeout", optional=True)
            try:
                deploy("churn", smfake.role_arn)
            finally:
                raise RuntimeError("not deployed") from error
    """)
    assert "The above exception was the direct cause" in printed
    assert not FRAMES.search(printed)
    assert ENTRY in printed


@pytest.mark.parametrize(
    "source",
    [
        """
    from deploy import deploy
    from pytest_smfake import FakeSageMaker

    def test_it():
        with FakeSageMaker() as fake:
            deploy("churn_2026_11", fake.role_arn)
    """,
        """
    from deploy import deploy
    from pytest_smfake import FakeSageMaker

    def attempt():
        with FakeSageMaker() as fake:
            try:
                deploy("churn_2026_11", fake.role_arn)
            except Exception:
                return False
        return True

    def test_it():
        assert attempt()
    """,
        """
    import unittest
    from deploy import deploy
    from pytest_smfake import FakeSageMaker

    @FakeSageMaker()
    class TestIt(unittest.TestCase):
        def test_it(self):
            deploy("churn_2026_11", "arn:aws:iam::123456789012:role/deploy")
    """,
        """
    from concurrent.futures import ThreadPoolExecutor
    from deploy import deploy

    def test_it(smfake):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(deploy, "churn_2026_11", smfake.role_arn).result()
    """,
        """
    import pytest
    from deploy import deploy

    @pytest.fixture(autouse=True)
    def deployed(smfake):
        with pytest.raises(Exception, match="churn_2026_11"):
            deploy("churn_2026_11", smfake.role_arn)

    def test_it():
        assert False
    """,
    ],
    ids=["with", "before", "unittest", "thread", "fixture"],
)
def test_wherever_the_fake_stands(fail, source):
    printed = fail(source)
    assert ENTRY in printed
    assert not FRAMES.search(printed)


def test_of_hypothesis_the_failing_example_alone(fail):
    printed = fail("""
    from deploy import deploy
    from hypothesis import given, settings, strategies
    from pytest_smfake import FakeSageMaker

    @settings(deadline=None, database=None)
    @given(strategies.integers(0, 50))
    def test_it(number):
        with FakeSageMaker() as fake:
            deploy(f"churn_2026_{number}" if number > 10 else f"churn-{number}", fake.role_arn)
    """)
    assert re.findall(r"refused '(churn.*)'", printed) == ["churn_2026_11"]


@pytest.mark.once
def test_the_same_on_workers(fail, monkeypatch):
    monkeypatch.setenv("PYTEST_PLUGINS", "pytest_smfake.plugin,xdist")
    printed = fail(TEST, "-n", "2", subprocess=True)
    assert ENTRY in printed
    assert not FRAMES.search(printed)


def test_calls_that_are_refused_alike_share_an_entry_and_there_are_ten(fail):
    lines = "\n".join(f"        with raises(Exception): client.describe_model(ModelName='m{number}')" for number in range(13))
    printed = fail(f"""
    from pytest import raises

    def test_it(smfake):
        client = smfake.client()
{lines}
        for name in ["a", "b", "c"]:
            with raises(Exception):
                client.describe_model(ModelName=name)
        assert False
    """)
    entries = [line for line in printed.splitlines() if "was refused" in line]
    assert "4 other refusals before these: see fake.calls" in printed
    assert len(entries) == 10
    assert entries[0].startswith('DescribeModel was refused, sent from test_it.py:9: ValidationException: Could not find model "arn:')
    assert entries[-1].endswith('model/c". (and 2 other calls alike)')


def test_several_rules_that_one_call_breaks_are_one_entry(fail):
    printed = fail("""
    def test_it(smfake):
        smfake.client().create_model(ModelName="_" * 200, PrimaryContainer={"Image": "i"}, ExecutionRoleArn="arn:aws:iam::1:role/short")
    """)
    assert re.search(r"ModelName:max .* refused '_+\.\.\. \(202 characters\), sent from test_it\.py:2\n", printed)
    assert "_" * 200 in printed  # in the service's own words
    assert printed.count("sent from") == 1
    assert printed.count("in the same call") == 2


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("limit('models', 0)", "ResourceLimitExceeded"),
        ("deny('sagemaker:CreateModel')", "AccessDeniedException"),
        ("deny('iam:PassRole', resource='*/SageMaker*')", "AccessDeniedException"),
    ],
)
def test_what_a_test_put_in_force_is_named_as_the_test_would_write_it(fail, line, code):
    printed = fail(f"""
    def test_it(smfake):
        smfake.{line}
        smfake.client().create_model(**smfake.request())
    """)
    assert f"{line} refused CreateModel, sent from test_it.py:3: {code}" in printed.splitlines()
    section = printed.partition("- smfake -")[2]
    assert "account-level" not in section
    assert "not authorized" not in section


def test_a_refusal_that_was_caught_is_told_apart_from_the_one_that_failed_the_test(fail):
    printed = fail("""
    import pytest
    from deploy import deploy

    def test_it(smfake):
        with pytest.raises(Exception):
            deploy("churn_1", smfake.role_arn)
        with pytest.raises(Exception):
            smfake.client().create_model(ModelName="x" * 64, PrimaryContainer={"Image": "i"}, ExecutionRoleArn=smfake.role_arn)
        deploy("churn_2026_11", smfake.role_arn)
    """)
    assert [line for line in printed.splitlines() if "caught before: " in line] == [
        f"caught before: CreateModel/ModelName:max (documented: CreateModel page, ModelName) refused '{'x' * 64}', sent from test_it.py:8"
    ]
    assert f"{ENTRY} (and 1 other call alike)" in printed
    assert printed.count("to override it") == 1


def test_calls_that_went_to_another_region(fail):
    printed = fail("""
    import pytest

    @pytest.mark.smfake(region="us-west-2")
    def test_it(smfake):
        for _ in range(2):
            smfake.client(region_name="eu-west-1").list_models()
        smfake.client().list_models()
        assert False
    """)
    sentence = "2 calls went to eu-west-1; the fake's own region (region=) is us-west-2. Its resources: fake.at(region='eu-west-1')"
    assert sentence in printed.splitlines()


def test_calls_that_went_to_another_account(fail):
    printed = fail("""
    def test_it(smfake):
        smfake.client(account="111122223333").list_models()
        smfake.client(account="111122223333", region_name="eu-west-1").list_models()
        assert False
    """)
    own = "the fake's own are 123456789012 and us-east-1. Its resources: fake.at("
    assert f"1 call went to account 111122223333 in us-east-1; {own}account='111122223333')" in printed
    assert f"1 call went to account 111122223333 in eu-west-1; {own}account='111122223333', region='eu-west-1')" in printed


def test_a_fake_of_a_fixture_of_wider_scope(fail, pytester):
    printed = fail(
        """
    import pytest
    from pytest_smfake import FakeSageMaker

    @pytest.fixture(scope="module")
    def fake():
        with FakeSageMaker() as fake:
            fake.client(region_name="eu-west-1").list_models()
            yield fake

    def test_before(fake):
        with pytest.raises(Exception):
            fake.client().describe_model(ModelName="before")

    def test_it(fake):
        with pytest.raises(Exception):
            fake.client().describe_model(ModelName="within")
        assert False
    """,
        passed=1,
    )
    assert "1 call went to eu-west-1" in printed
    assert "within" in printed.partition("- smfake -")[2]
    assert "before" not in printed.partition("- smfake -")[2]


def test_of_two_fakes_that_say_the_same_it_is_said_once(fail):
    printed = fail("""
    from deploy import deploy
    from pytest_smfake import FakeSageMaker

    def test_it():
        for _ in range(2):
            with FakeSageMaker() as fake:
                try:
                    deploy("churn_2026_11", fake.role_arn)
                except Exception:
                    pass
        assert False
    """)
    assert printed.count(ENTRY) == 1


def test_a_fake_of_wider_scope_that_each_test_resets(fail):
    source = """
    import pytest
    from pytest_smfake import FakeSageMaker

    @pytest.fixture(scope="module")
    def wide():
        with FakeSageMaker() as fake:
            yield fake

    def test_first(wide):
        for _ in range(3):
            wide.client().list_models()

    def test_second(wide):
        wide.reset()
        wide.client().describe_model(ModelName="-")
    """
    assert "DescribeModel/ModelName:pattern (assumed: CreateModel page, ModelName) refused '-', sent from test_it.py:" in fail(
        source, passed=1
    )


def test_hypothesis_with_a_fixture_of_function_scope(fail):
    printed = fail(
        """
    from hypothesis import given, strategies

    @given(number=strategies.integers())
    def test_it(smfake, number):
        pass
    """,
        "-p",
        "_hypothesis_pytestplugin",
        subprocess=True,
    )
    assert "FailedHealthCheck" in printed
    assert "    with smfake_factory() as fake:" in printed


def test_a_client_without_a_region_that_the_code_tells_of_in_words_of_its_own(fail, monkeypatch, tmp_path):
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    printed = fail("""
    import boto3

    def test_it(smfake):
        try:
            boto3.client("sagemaker")
        except Exception:
            raise RuntimeError("cannot deploy") from None
    """)
    assert "A client was made without a region" in printed


def test_each_rule_can_be_overridden_as_an_entry_says():
    for edition in ("page", "sdk"):
        for operation in ("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "CreateTransformJob", "AddTags", "InvokeEndpoint"):
            for rule in catalogue(edition).rules(operation):
                assert Catalogue(edition, {rule.id: None}).get(rule.id) is None


def test_fakes_are_kept_alive_for_a_failing_test_alone():
    history.begin([], last_example=False)
    try:
        for _ in range(MOST_FAKES + 2):
            with FakeSageMaker() as fake:
                pass
        with fake:
            assert [*history].count(fake) == 1
        assert len([*history]) == MOST_FAKES
        history.end()
        with FakeSageMaker():
            assert [*history] == []
    finally:
        history.end()
