"""Options and ini settings, each in a run of its own, and what they do to a report."""

from __future__ import annotations

import pytest

from pytest_smfake.plugin.configuration import environment_of

pytestmark = pytest.mark.usefixtures("alone")


on_workers = pytest.mark.parametrize("run", ["plain", pytest.param("-n 2", marks=pytest.mark.once)], indirect=True)
"""Runs a test in one process, and under xdist."""


@pytest.fixture
def run(request, pytester):
    how = getattr(request, "param", "plain")
    extra = [] if how == "plain" else ["-p", "xdist", *how.split()]

    def run(ini: str, source: str, *arguments: str):
        pytester.makepyprojecttoml("[tool.pytest.ini_options]\nstrict_markers = true\n" + ini)
        pytester.makepyfile(source)
        # What changes the environment needs a process of its own.
        start = pytester.runpytest_subprocess if extra or "bare" in request.fixturenames else pytester.runpytest_inprocess
        return start(*extra, *arguments)

    return run


def test_edition_by_ini(run):
    run("smfake_edition = 'sdk'", "def test_it(smfake): assert smfake.edition == 'sdk'").assert_outcomes(passed=1)


def test_edition_by_option_wins(run):
    result = run("smfake_edition = 'sdk'", "def test_it(smfake): assert smfake.edition == 'page'", "--smfake-edition=page")
    result.assert_outcomes(passed=1)


@on_workers
def test_all_settings(run):
    ini = """
        smfake_region = 'eu-west-1'
        smfake_account = '111122223333'
        smfake_rules = ['CreateModel/Containers:max = 15', 'CreateModel/ExecutionRoleArn:required = off', 'CreateModel/PrimaryContainer:required = true']
        smfake_limits = ['models = 5', 'models@us-east-1 = 1']
        smfake_allow = ['minio.internal:9000']
        smfake_real_sleep = true
    """
    source = """
        def test_it(smfake):
            assert (smfake.region, smfake.account) == ("eu-west-1", "111122223333")
            assert smfake.catalogue.overrides == {
                "CreateModel/Containers:max": 15, "CreateModel/ExecutionRoleArn:required": None, "CreateModel/PrimaryContainer:required": True
            }
            assert smfake.allow == ("minio.internal:9000",)
            assert smfake.real_sleep is True
            smfake.at(region="us-east-1").add_model()
            try:
                smfake.at(region="us-east-1").add_model(ModelName="b")
            except ValueError as error:
                assert "is 1 Models" in str(error)
            else:
                raise AssertionError
    """
    run(ini.replace("        ", ""), source).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("ini", "option", "sentence"),
    [
        ("", "--smfake-edition=new", "*--smfake-edition: 'new' is not an edition; there are: page, sdk*"),
        ("smfake_edition = 'new'", "", "*smfake_edition: 'new' is not an edition; there are: page, sdk*"),
        ("smfake_region = 'nowhere'", "", "*smfake_region: 'nowhere' is not the name of a region*"),
        ("smfake_account = '1'", "", "*smfake_account: '1' is not an account id, which is a string of 12 digits*"),
        ("smfake_limits = ['models']", "", "*smfake_limits: 'models' is not of the form NAME = VALUE*"),
        ("smfake_limits = ['model = 5']", "", "*smfake_limits: 'model' is not a limit; did you mean 'models'?; there are: models*"),
        ("smfake_limits = ['models = many']", "", "*a whole number of at least 0, not 'many'*"),
        (
            "smfake_rules = ['CreateModel/Container:max = 5']",
            "",
            "*'CreateModel/Container:max' is not a rule; near it: CreateModel/Containers:max*",
        ),
        ("smfake_rules = ['CreateModels/Containers:max = 5']", "", "*'CreateModels' is not a SageMaker operation*near it: CreateModel*"),
        ("smfake_real_sleep = 'maybe'", "", "*smfake_real_sleep: 'maybe' is neither true nor false"),
        ("smfake_env = '2'", "", "*smfake_env: '2' is neither true nor false"),
        (
            f"smfake_limits = ['models = {'9' * 5000}']",
            "",
            "*smfake_limits: a limit on models is a whole number of at least 0, not '9*[.][.][.] (5002 characters)",
        ),
        (
            f"smfake_rules = ['CreateModel/Containers:max = {'9' * 5000}']",
            "",
            "*smfake_rules: rule CreateModel/Containers:max: '9*[.][.][.] (5002 characters) is not a bound*",
        ),
        ("smfake_audit = 'maybe'", "", "*smfake_audit or --smfake-audit: unknown mode 'maybe'; expected one of: off, warn, error"),
        ("smfake_rules = ['5 = 5']", "", "*'5' is not the id of a rule; one looks like*"),
    ],
)
def test_wrong_settings_end_the_run_before_it_starts(run, ini, option, sentence):
    result = run(ini, "def test_it(): pass", *option.split())
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([sentence])
    assert "INTERNALERROR" not in result.stderr.str() + result.stdout.str()


@on_workers
def test_a_misspelled_region_is_warned_of_once(run, request):
    result = run("smfake_region = 'eu-wets-1'", "def test_it(smfake): assert smfake.region == 'eu-wets-1'\ndef test_two(smfake): pass")
    result.assert_outcomes(passed=2)
    assert result.stdout.str().count("UnlistedRegionWarning: smfake_region: 'eu-wets-1'") == 1
    result.stdout.fnmatch_lines(["*UnlistedRegionWarning: smfake_region: 'eu-wets-1' is not a region that the*; near it: eu-west-1"])


def test_a_misspelled_region_where_warnings_are_errors(pytester):
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\nsmfake_region = 'eu-wets-1'\nfilterwarnings = 'error'")
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*smfake_region: 'eu-wets-1' is not a region that the installed botocore lists; near it: eu-west-1"])


def test_the_header_says_what_differs_from_the_defaults_and_nothing_else(pytester):
    pytester.runpytest().stdout.no_fnmatch_line("smfake:*")
    pytester.runpytest("--smfake-edition=sdk").stdout.fnmatch_lines(["smfake: edition sdk; botocore *"])
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\nsmfake_rules = ['CreateModel/Containers:max = 15']\nsmfake_allow = ['a', 'b']")
    pytester.runpytest().stdout.fnmatch_lines(["smfake: allow a, b; rules CreateModel/Containers:max; botocore *"])


REJECTED = """
    def test_it(smfake, smfake_client):
        request = smfake.request(PrimaryContainer=None, Containers=[{"Image": smfake.image}] * 6)
        smfake_client.create_model(**request)
"""


@on_workers
def test_a_failure_says_which_edition_would_take_the_request(run):
    result = run("", REJECTED)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*1 validation error detected:*at 'containers' failed to satisfy constraint: Member must have length less than or equal to 5",
            "CreateModel/Containers:max (documented: CreateModel page, Containers) refused [[]*... (* characters), sent from *.py:3",
            "  it is 5 in edition page and is 15 in edition sdk; to go by that edition: --smfake-edition=sdk",
            "  to override it: rules={'CreateModel/Containers:max': 15}, a keyword of the smfake marker and of FakeSageMaker",
        ]
    )


@on_workers
def test_a_failure_tells_what_befell_stand_ins_and_jobs(run):
    source = """
    import pytest

    def broken(*_):
        raise KeyError("score")

    @pytest.mark.filterwarnings("ignore::pytest_smfake.NothingRanWarning")
    def test_it(smfake, smfake_client):
        smfake.add_endpoint("churn")
        smfake_client.create_transform_job(
            TransformJobName="job",
            ModelName="churn",
            TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}}},
            TransformOutput={"S3OutputPath": "s3://bucket/out"},
            TransformResources={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        )
        with smfake.stand_in("churn", broken):
            smfake.client("sagemaker-runtime").invoke_endpoint(EndpointName="churn", Body=b"")
    """
    result = run("", source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*The stand-in for 'churn' raised KeyError('score'), at *.py:4",
            "*Transform job 'job' is Completed: no stand-in plays model 'churn'; add one: fake.stand_in('churn', predict)",
        ]
    )


def test_a_failure_of_the_sdk_edition(run):
    source = """
    def test_it(smfake, smfake_client):
        smfake_client.create_model(**smfake.request(PrimaryContainer={"Image": "docker.io/mine:1"}))
    """
    result = run("smfake_edition = 'sdk'", source)
    result.stdout.fnmatch_lines(["CreateModel:ecr-image (*) refused 'docker.io/mine:1', sent from *", "*does not exist in edition page*"])


@pytest.mark.parametrize(
    "call",
    [
        "describe_model(ModelName='-')",
        "create_model(**smfake.request(ModelName='-'))",
        "create_model(**smfake.request(PrimaryContainer=None, Containers=[{'Image': smfake.image}] * 16))",
        "describe_model(ModelName='nope')",
    ],
)
def test_no_advice_where_both_editions_reject(run, call):
    result = run("", f"def test_it(smfake, smfake_client): smfake_client.{call}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*refused*, sent from *.py:1*"])
    result.stdout.no_fnmatch_line("*to go by that edition*")


def test_no_advice_where_the_test_passes(run):
    source = REJECTED.replace(
        "        smfake_client.create_model(**request)",
        "        try: smfake_client.create_model(**request)\n        except Exception: pass",
    )
    result = run("", source, "-rA")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*refused*")


BARE = """
    import boto3

    CLIENT = boto3.client("sagemaker")

    def test_it(smfake):
        CLIENT.create_model(**smfake.request())
        assert len(smfake.models) == 1
"""


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """An environment without region and credentials."""
    import os

    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


@on_workers
def test_clients_at_import_time_in_a_bare_environment(bare, run):
    result = run("", BARE)
    assert result.ret != 0  # under xdist each worker reports the error
    result.stdout.fnmatch_lines(["*NoRegionError*", "*The ini setting smfake_env = true sets a dummy region and keys before collection."])
    run("smfake_env = true", BARE).assert_outcomes(passed=1)


def test_the_same_in_a_conftest(bare, run, pytester):
    pytester.makeconftest("import boto3; CLIENT = boto3.client('sagemaker')")
    run("smfake_env = true", BARE).assert_outcomes(passed=1)


def test_a_client_without_region_in_a_test(bare, run):
    result = run("", "import boto3\ndef test_it(smfake): boto3.client('sagemaker')")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*The ini setting smfake_env = true*"])


def test_smfake_env_leaves_what_is_set(bare, run, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    source = """
        import os
        assert os.environ["AWS_DEFAULT_REGION"] == os.environ["AWS_REGION"] == "eu-west-1"
        assert os.environ["AWS_ACCESS_KEY_ID"] == os.environ["AWS_SECRET_ACCESS_KEY"] == "mine"
        def test_it(): pass
    """
    run("smfake_env = true", source).assert_outcomes(passed=1)


KEYS = {"AWS_ACCESS_KEY_ID": "smfake", "AWS_SECRET_ACCESS_KEY": "smfake"}
MINE = {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "mine"}


@pytest.mark.parametrize(
    ("environ", "region", "added"),
    [
        ({}, "", {"AWS_DEFAULT_REGION": "us-east-1"} | KEYS),
        ({}, "eu-west-1", {"AWS_DEFAULT_REGION": "eu-west-1"} | KEYS),
        ({"AWS_DEFAULT_REGION": "us-west-2"}, "", KEYS),
        ({"AWS_DEFAULT_REGION": "us-west-2"}, "eu-west-1", KEYS),
        ({"AWS_REGION": "us-west-2"}, "", {"AWS_DEFAULT_REGION": "us-west-2"} | KEYS),
        ({"AWS_REGION": "us-west-2"}, "eu-west-1", {"AWS_DEFAULT_REGION": "eu-west-1"} | KEYS),
        ({"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "sa-east-1"}, "eu-west-1", KEYS),
        ({"AWS_PROFILE": "p"}, "", {}),
        ({"AWS_PROFILE": "p"}, "eu-west-1", {"AWS_DEFAULT_REGION": "eu-west-1"}),
        ({"AWS_DEFAULT_PROFILE": "p"}, "", {}),
        ({"AWS_PROFILE": "p", "AWS_REGION": "us-west-2"}, "", {"AWS_DEFAULT_REGION": "us-west-2"}),
        ({"AWS_PROFILE": "p", "AWS_DEFAULT_REGION": "us-west-2"}, "eu-west-1", {}),
        (MINE, "", {"AWS_DEFAULT_REGION": "us-east-1"}),
        (MINE | {"AWS_PROFILE": "p"}, "eu-west-1", {"AWS_DEFAULT_REGION": "eu-west-1"}),
    ],
    ids=str,
)
def test_what_smfake_env_adds(environ, region, added):
    assert environment_of(environ, region) == added


@on_workers
def test_smfake_env_and_smfake_region_agree(bare, run):
    source = """
    import boto3

    CLIENT = boto3.client("sagemaker")

    def test_it(smfake):
        CLIENT.create_model(**smfake.request(ModelName="churn"))
        assert smfake.models["churn"].arn.startswith("arn:aws:sagemaker:eu-west-1:")
    """
    run("smfake_env = true\nsmfake_region = 'eu-west-1'", source).assert_outcomes(passed=1)
