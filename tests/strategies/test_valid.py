"""Requests that keep every rule, and values of single members."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pytest_smfake import Catalogue, FakeSageMaker, strategies, validate
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.rules.service_model import service_model
from pytest_smfake.service.service import OPERATIONS

from .conftest import least

ROLE = "arn:aws:iam::123456789012:role/a"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a"
NEEDS_POOLS = pytest.mark.skipif(
    "InstancePools" not in service_model().shape_for("ProductionVariant").members,
    reason="the installed botocore does not know InstancePools",
)


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_requests_keep_every_rule(operation, edition):
    @settings(max_examples=30, phases=[Phase.generate])
    @given(strategies.requests(operation, edition=edition))
    def check(request):
        assert validate(operation, request, edition=edition) == []

    check()


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_client_may_send_them(edition):
    @settings(max_examples=60)
    @given(strategies.create_model_requests(edition=edition))
    def check(request):
        with FakeSageMaker(edition=edition) as fake:
            fake.client().create_model(**request)
            assert dict(fake.models[request["ModelName"]]) == request

    check()


def test_the_simplest_request():
    assert least(strategies.create_model_requests()) == {"ModelName": "a", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}}
    assert least(strategies.create_model_requests(edition="sdk")) == {"ModelName": "a", "PrimaryContainer": {"Image": IMAGE}}
    three = least(strategies.create_model_requests(), lambda request: len(request.get("Containers", ())) >= 3)
    assert three == {"ModelName": "a", "ExecutionRoleArn": ROLE, "Containers": [{"Image": IMAGE}] * 3}
    hyphen = least(strategies.create_model_requests(), lambda request: "-" in request["ModelName"])
    assert len(hyphen["ModelName"]) == 3
    assert list(hyphen) == ["ModelName", "PrimaryContainer", "ExecutionRoleArn"]


@pytest.mark.parametrize(
    ("strategy", "simplest"),
    [
        (strategies.model_names(), "a"),
        (strategies.role_arns(), ROLE),
        (strategies.role_arns(account="111122223333"), "arn:aws:iam::111122223333:role/a"),
        (strategies.image_uris(), IMAGE),
        (strategies.model_data_urls(), "s3://bucket/a"),
        (strategies.model_package_names(), "a"),
        (strategies.container_hostnames(), "a"),
        (strategies.environments(), {}),
        (strategies.tags(), []),
        (strategies.vpc_configs(), {"SecurityGroupIds": ["sg-a"], "Subnets": ["subnet-a"]}),
        (strategies.vpc_configs(Subnets=["subnet-1"]), {"SecurityGroupIds": ["sg-a"], "Subnets": ["subnet-1"]}),
        (strategies.container_definitions(), {"Image": IMAGE}),
        (strategies.container_definitions(omit={"Image"}), {"ModelPackageName": "a"}),
        (
            strategies.container_definitions(edition="sdk", Image="other"),
            {"Image": "other", "ImageConfig": {"RepositoryAccessMode": "Vpc"}},
        ),
        (strategies.values("CreateModel", "EnableNetworkIsolation"), False),
        (strategies.values("ListModels", "MaxResults"), 1),
        (strategies.values("InvokeEndpoint", "Body"), b""),
        (strategies.values("CreateEndpointConfig", "ProductionVariants[].InitialVariantWeight"), 0.0),
    ],
)
def test_the_simplest_values(strategy, simplest):
    assert least(strategy) == simplest


@pytest.mark.parametrize(
    "path", ["ModelName", "ExecutionRoleArn", "Tags", "Tags[].Key", "PrimaryContainer.Environment", "VpcConfig.Subnets"]
)
def test_values_reach_their_bounds(path):
    seen = []

    @settings(max_examples=1000, phases=[Phase.generate])
    @given(strategies.values("CreateModel", path))
    def draw(value):
        seen.append(len(value))

    draw()
    for edge in {min(seen), min(seen) + 1, max(seen) - 1, max(seen)}:
        assert seen.count(edge) > 50
    from pytest_smfake.generate.requests import maker

    assert (min(seen), max(seen)) == maker("page", "CreateModel").member(path).sizes


class TestPins:
    def test_a_value_and_a_strategy(self):
        @settings(max_examples=20)
        @given(strategies.create_model_requests(ModelName="churn", Tags=st.just([{"Key": "k", "Value": "v"}]), omit={"VpcConfig"}))
        def check(request):
            assert request["ModelName"] == "churn"
            assert request["Tags"] == [{"Key": "k", "Value": "v"}]
            assert "VpcConfig" not in request
            assert validate("CreateModel", request) == []

        check()

    @pytest.mark.parametrize(
        "pins",
        [
            {"Containers": [{"Image": IMAGE}] * 2},
            {"PrimaryContainer": {"Image": IMAGE}},
            {"PrimaryContainer": strategies.container_definitions(Mode="MultiModel")},
            {"omit": {"PrimaryContainer"}},
            {"omit": {"Containers"}},
            {"InferenceExecutionConfig": {"Mode": "Direct"}},
            {"EnableNetworkIsolation": True, "Tags": []},
        ],
        ids=repr,
    )
    def test_what_is_not_pinned_follows(self, pins):
        @settings(max_examples=40)
        @given(strategies.create_model_requests(**pins))
        def check(request):
            assert validate("CreateModel", request) == []

        check()

    @pytest.mark.parametrize(
        ("operation", "pins"),
        [
            ("CreateEndpointConfig", {"omit": {"ExecutionRoleArn"}}),
            (
                "CreateEndpointConfig",
                {
                    "ProductionVariants": [
                        {"VariantName": "v", "ModelName": "m", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
                    ]
                },
            ),
            ("CreateEndpointConfig", {"EnableNetworkIsolation": True, "Tags": []}),
            ("CreateTransformJob", {"MaxPayloadInMB": 60}),
            ("CreateTransformJob", {"MaxConcurrentTransforms": 60}),
            ("CreateModel", {"PrimaryContainer": {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/semantic-segmentation:1"}}),
        ],
        ids=repr,
    )
    def test_the_rules_between_members_hold_around_pins(self, operation, pins):
        @settings(max_examples=80, phases=[Phase.generate])
        @given(strategies.requests(operation, **pins))
        def check(request):
            assert validate(operation, request) == []

        check()

    @pytest.mark.parametrize(
        ("pins", "there"),
        [
            ({"ManagedInstanceScaling": {"MinInstanceCount": 0}}, ("ModelName", False)),
            ({"ModelName": "m", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}, ("InstanceType", False)),
            pytest.param({"omit": {"InstanceType"}}, ("InstancePools", True), marks=NEEDS_POOLS),
            pytest.param({"omit": ["ServerlessConfig", "InstancePools"]}, ("InitialInstanceCount", True), marks=NEEDS_POOLS),
        ],
        ids=repr,
    )
    def test_variants(self, pins, there):
        name, expected = there
        variant = least(strategies.values("CreateEndpointConfig", "ProductionVariants[]", **pins))
        assert (name in variant) is expected

    def test_an_image_for_the_access_that_is_pinned(self):
        access = {"RepositoryAccessMode": "Platform"}
        strategy = strategies.container_definitions(edition="sdk", ImageConfig=access)

        @settings(max_examples=60, phases=[Phase.generate])
        @given(strategy)
        def check(container):
            request = {"ModelName": "a", "PrimaryContainer": container}
            assert container["ImageConfig"] == access
            assert validate("CreateModel", request, edition="sdk") == []

        check()

    def test_a_required_member_can_be_left_out(self):
        request = least(strategies.create_model_requests(omit={"ModelName"}))
        assert list(request) == ["PrimaryContainer", "ExecutionRoleArn"]
        assert "PrimaryContainer" not in least(strategies.create_model_requests(omit={"PrimaryContainer", "Containers"}))

    def test_what_is_pinned_is_not_changed(self):
        pins = {"PrimaryContainer": {"Image": IMAGE}}
        for _ in range(3):
            least(strategies.create_model_requests(**pins), lambda request: request["PrimaryContainer"].update(Mode="x") or True)
        assert pins == {"PrimaryContainer": {"Image": IMAGE}}

    def test_region_and_account(self):
        strategy = strategies.create_model_requests(region="eu-west-1", account="111122223333")

        @settings(max_examples=60)
        @given(strategy)
        def check(request):
            with FakeSageMaker(region="eu-west-1") as fake:
                fake.client().create_model(**request)

        check()
        assert least(strategy)["PrimaryContainer"]["Image"] == "111122223333.dkr.ecr.eu-west-1.amazonaws.com/a"


@pytest.mark.parametrize(
    "rules",
    [
        {"CreateModel/ModelName:max": 3, "CreateModel/ModelName:min": 2, "CreateModel/ModelName:pattern": "[a-f0-9]+"},
        {"CreateModel/Tags:min": 2, "CreateModel/Tags:max": 4, "CreateModel/Tags[].Key:max": 1},
        {"CreateModel:one-container-form": None, "CreateModel:image-and-package": None, "CreateModel/Tags:unique-keys": None},
        {"CreateModel/VpcConfig:required": True, "CreateModel:environment-bytes": 400},
        {"CreateModel/PrimaryContainer.ModelPackageName:required": True},
        {"CreateModel/ModelName:enum": ["a", "b"], "CreateModel/ModelName:max": None},
    ],
    ids=lambda rules: next(iter(rules)),
)
def test_a_rule_that_changes_changes_the_strategy(rules):
    catalogue = Catalogue("page", rules)

    @settings(max_examples=60)
    @given(strategies.create_model_requests(rules=rules))
    def check(request):
        assert catalogue.validate("CreateModel", request) == []

    check()


class TestWrongArguments:
    @pytest.mark.parametrize(
        ("call", "sentence"),
        [
            (
                lambda: strategies.create_model_requests(Name="x"),
                r"CreateModel has no member 'Name'; did you mean 'ModelName'\?; its members are: ModelName, Primary",
            ),
            (lambda: strategies.create_model_requests(omit={"Tag"}), "has no member 'Tag'"),
            (lambda: strategies.create_model_requests(omit="Tags"), "omit='Tags' is not a set of members"),
            (lambda: strategies.create_model_requests(omit={"Tags"}, Tags=[]), "Tags: a member cannot both be omitted and have a value"),
            (lambda: strategies.create_model_requests(edition="new"), "'new' is not an edition"),
            (lambda: strategies.create_model_requests(rules={"CreateModel/Nam:max": 1}), "is not a rule"),
            (lambda: strategies.requests("CreateModle"), "near it: CreateModel"),
            (lambda: strategies.values("CreateModel", "Name"), "CreateModel has no member 'Name'; near it: ModelName"),
            (
                lambda: strategies.values("CreateModel", "VpcConfig", Subnet=[]),
                "no member 'Subnet'; its members are: SecurityGroupIds, Subnets",
            ),
            (lambda: strategies.values("CreateModel", "ModelName", omit={"a"}), "no member 'a'; its members are: none"),
            (lambda: strategies.values("CreateModel", "Tags", rules={"CreateModel/Tags[].Key:enum": ["a"]}), None),
        ],
    )
    def test_it(self, call, sentence):
        if sentence is None:
            with pytest.raises(ValueError, match=r"Tags\[\].Key has not 2 different values"):
                least(call(), lambda tags: len(tags) > 1)
        else:
            with pytest.raises(ValueError, match=sentence):
                call()

    def test_no_hypothesis(self, monkeypatch):
        import sys
        from importlib import reload

        monkeypatch.setitem(sys.modules, "hypothesis", None)
        with pytest.raises(ImportError, match=r"needs Hypothesis: pip install 'pytest-smfake\[hypothesis\]'"):
            reload(strategies)


def test_documented_ways_of_use_need_no_health_check_suppressed(pytester):
    pytester.makepyfile("""
        from hypothesis import given, settings
        from pytest_smfake import FakeSageMaker
        from pytest_smfake.strategies import create_model_requests, invalid_create_model_requests

        settings.register_profile("plain", settings(database=None))
        settings.load_profile("plain")

        @given(create_model_requests())
        def test_with(request):
            with FakeSageMaker() as fake:
                fake.client().create_model(**request)
                assert list(fake.models) == [request["ModelName"]]

        @given(request=create_model_requests(edition="sdk"))
        def test_factory(smfake_factory, request):
            with smfake_factory(edition="sdk") as fake:
                fake.client().create_model(**request)
                assert list(fake.models) == [request["ModelName"]]

        @given(invalid_create_model_requests())
        def test_invalid(record):
            assert not record.verdict.accepted
    """)
    # A process of its own: of this one, which has run thousands of tests, old versions count garbage collection as time of an example.
    pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(passed=3)


def test_the_first_draw_loads_what_the_first_call_would_load():
    code = """
        import sys
        from hypothesis import given, settings
        from pytest_smfake.strategies import create_model_requests

        @settings(max_examples=1, database=None)
        @given(create_model_requests())
        def example(request):
            before = set(sys.modules)
            assert "boto3" in before
            from pytest_smfake import FakeSageMaker
            from pytest_smfake.clients.cache import _kept
            from pytest_smfake.clients.cache import _read
            kept, read = len(_kept), len(_read)
            with FakeSageMaker() as fake:
                fake.client().create_model(**request)
            assert (kept, read) == (len(_kept), len(_read)) != (0, 0)
            assert not {name for name in set(sys.modules) - before if name.startswith(("boto", "pytest_smfake"))}

        example()
    """
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(code)], check=True)
