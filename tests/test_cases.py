"""Boundary cases against the validator; against an oracle of its own: tests/proof."""

from __future__ import annotations

import re

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_smfake import Catalogue, FakeSageMaker, validate
from pytest_smfake.cases import cases, unobservable_rules
from pytest_smfake.rules.catalogue import catalogue
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.service.service import OPERATIONS

EVERY = [pytest.param(operation, edition, id=f"{operation}-{edition}") for operation in OPERATIONS for edition in EDITIONS]


def test_no_region_or_account():
    with pytest.raises(ValueError, match=r"cases\(\) needs a region and an account, got region=None, account='123456789012'"):
        cases(region=None)
    with pytest.raises(ValueError, match="rules=5 is not a dict"):
        cases(rules=5)


def by_id(operation="CreateModel", **keywords):
    return {case.id: case for case in cases(operation, **keywords)}


NO_ROOM = ("CreateEndpointConfig/ShadowProductionVariants:max", "CreateEndpointConfig/ShadowProductionVariants[].ServerlessConfig")
"""How the ids begin of rules that no valid request just keeps: there can be one shadow variant, which has instances."""


@pytest.mark.parametrize(("operation", "edition"), EVERY)
def test_each_rule_has_a_case_on_both_sides(operation, edition):
    found = cases(operation, edition=edition)
    assert len({case.id for case in found}) == len(found)
    silent = {one.rule.id for one in unobservable_rules(operation, edition=edition)}
    rules = {rule.id for rule in catalogue(edition).rules(operation)}
    without = rules - {case.rule.id for case in found if case.side == "inside"}
    assert without == {rule_id for rule_id in rules if rule_id.startswith(NO_ROOM)}
    outside = {case.rule.id for case in found if case.side == "outside"}
    assert rules - outside == silent
    assert not outside & silent
    for case in found:
        assert re.fullmatch(r"[\w:+\-.\[\]\\/]+", case.id, re.ASCII)  # what pytest's -k takes
        assert case.id.startswith(f"{case.rule.id}-")
        assert case.operation == operation


@pytest.mark.parametrize(("operation", "edition"), EVERY)
def test_a_case_breaks_its_rule_alone(operation, edition):
    for case in cases(operation, edition=edition):
        found = sorted({violation.rule.id for violation in validate(operation, case.request, edition=edition)})
        stateful = case.rule.kind in ("condition", "limit")
        assert found == ([] if stateful else list(case.verdict.rules)), case.id


def test_ids_that_others_rely_on():
    found = by_id()
    assert len(found["CreateModel/ModelName:max-63"].request["ModelName"]) == 63
    assert len(found["CreateModel/ModelName:max-64"].request["ModelName"]) == 64
    assert found["CreateModel/ModelName:max-64"].verdict.code == "ValidationException"
    assert found["CreateModel/ModelName:max-64"].path == "ModelName"
    assert "ModelName" not in found["CreateModel/ModelName:required-missing"].request
    assert found["CreateModel/ModelName:required-null"].request["ModelName"] is None
    assert found["CreateModel/ModelName:type-integer"].verdict.code == "SerializationException"
    assert found["CreateModel/Tags[]:required-null"].path == "Tags[1]"
    assert found["CreateModel/PrimaryContainer.Environment[key]:max-1025"].path == "PrimaryContainer.Environment['a']"
    assert found["CreateModel:environment-bytes-32769"].side == "outside"
    assert found["CreateModel/ModelName:not-taken-taken"].first[0][0] == "CreateModel"
    assert found["CreateModel:limit-models-2"].limits == {"models": 1}
    assert found["CreateModel:limit-models-2"].verdict.code == "ResourceLimitExceeded"
    assert str(found["CreateModel/ModelName:max-64"]) == "CreateModel/ModelName:max-64"
    assert repr(found["CreateModel/ModelName:max-63"]) == "<Case CreateModel/ModelName:max-63: the greatest that is allowed>"


@pytest.mark.parametrize(("operation", "edition"), EVERY)
def test_outside_is_just_outside(operation, edition):
    for case in cases(operation, edition=edition):
        if case.rule.keyword in ("max", "min"):
            label = case.id.removeprefix(f"{case.rule.id}-").replace("minus-", "-")
            beyond = 1 if case.rule.keyword == "max" else -1
            if case.side == "outside":
                assert int(label) == case.rule.bound + beyond, case.id
            elif case.rule.keyword == "max":
                assert int(label) == case.rule.bound, case.id


def test_the_same_each_time():
    assert [(case.id, case.request) for case in cases()] == [(case.id, case.request) for case in cases()]


def test_the_simplest_request():
    assert by_id()["CreateModel:type-structure"].request == {
        "ModelName": "a",
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/a",
        "PrimaryContainer": {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/a"},
    }


def test_a_rule_that_changes_changes_its_cases():
    found = by_id(rules={"CreateModel/ModelName:max": 10, "CreateModel/Containers:max": None, "CreateModel:environment-bytes": 100})
    assert {"CreateModel/ModelName:max-10", "CreateModel/ModelName:max-11", "CreateModel:environment-bytes-101"} <= set(found)
    assert not any(case_id.startswith("CreateModel/Containers:max") for case_id in found)
    required = {"CreateModel/VpcConfig:required": True}
    found = by_id(rules=required)
    assert all("VpcConfig" in case.request for case in found.values() if case.verdict.accepted)
    assert "CreateModel/VpcConfig:required-missing" in found


@pytest.mark.parametrize(
    "rules",
    [
        {"CreateModel/ModelName:pattern": "[a-f]+", "CreateModel/ModelName:max": 9},
        {"CreateModel/PrimaryContainer.Image:enum": ["123456789012.dkr.ecr.us-east-1.amazonaws.com/b"]},
        {"CreateModel/Tags:max": 3, "CreateModel/Tags:min": 2, "CreateModel/Tags[].Key:max": 2},
        {"CreateModel:image-and-package": None, "CreateModel:one-container-form": None},
        {"CreateModel/Containers:max": 1},
        {"CreateModel/ExecutionRoleArn:required": None, "CreateModel:container-required": None},
    ],
    ids=lambda rules: next(iter(rules)),
)
@pytest.mark.parametrize("edition", EDITIONS)
def test_overrides_keep_cases_exact(rules, edition):
    catalogue_ = Catalogue(edition, rules)
    for case in cases("CreateModel", edition=edition, rules=rules):
        if case.rule.kind not in ("condition", "limit"):
            assert sorted({violation.rule.id for violation in catalogue_.validate("CreateModel", case.request)}) == list(
                case.verdict.rules
            ), case.id


def test_members_that_every_request_has():
    role = "arn:aws:iam::111122223333:role/real"
    for case in cases("CreateModel", ExecutionRoleArn=role):
        if isinstance(case.request, dict) and case.rule.path != "ExecutionRoleArn":
            assert case.request["ExecutionRoleArn"] == role
    elsewhere = cases("CreateModel", region="eu-west-1", account="111122223333")
    images = [
        case.request["PrimaryContainer"]["Image"]
        for case in elsewhere
        if case.rule.path == "ModelName" and "PrimaryContainer" in case.request
    ]
    assert set(images) == {"111122223333.dkr.ecr.eu-west-1.amazonaws.com/a"}


def test_wrong_arguments():
    with pytest.raises(
        ValueError, match=r"CreateModel has no member 'Name'; did you mean 'ModelName'\?; its members are: ModelName, PrimaryContainer"
    ):
        cases("CreateModel", Name="x")
    with pytest.raises(ValueError, match="near it: CreateModel"):
        cases("CreateModle")
    with pytest.raises(ValueError, match="is not an edition"):
        cases(edition="new")


@pytest.fixture(params=EDITIONS)
def fake(request):
    with FakeSageMaker(edition=request.param) as fake:
        yield fake


def sent(client, case):
    """Return the code by which a client is refused, None where it is not."""
    try:
        client.create_model(**case.request)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def test_a_client_is_told_the_same(fake):
    client = fake.client(config=Config(parameter_validation=False))
    for case in cases("CreateModel", edition=fake.edition):
        if case.rule.keyword in ("type", "required") and case.side == "outside":
            continue  # a client does not send them as they are
        fake.reset()
        for key, bound in case.limits.items():
            fake.limit(key, bound)
        for _, request in case.first:
            client.create_model(**request)
        assert sent(client, case) == case.verdict.code, case.id
        error = fake.calls[-1].error
        # A limit is in no catalogue: nothing but the code tells of it.
        broken = {violation.rule.id for violation in error.violations} if error and case.rule.kind != "limit" else set()
        assert broken == set(case.verdict.rules if case.rule.kind != "limit" else ()), case.id


def test_any_id_selects_its_case(pytester):
    pytester.makepyfile("""
        import pytest
        from pytest_smfake.cases import cases

        @pytest.mark.parametrize("case", cases("CreateModel"), ids=str)
        def test_it(case):
            assert case.id in CHOSEN
    """)
    every = [case.id for case in cases("CreateModel")]
    chosen = list(dict.fromkeys([*every[::40], every[-1]]))
    pytester.makeconftest(f"import builtins; builtins.CHOSEN = {[case for case in every if any(part in case for part in chosen)]!r}")
    result = pytester.runpytest_inprocess("-q", "-k", " or ".join(chosen))
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] >= len(chosen)
    assert "failed" not in outcomes


@pytest.mark.parametrize(
    ("place", "text"), [({"account": "1"}, "'1' is not an account id"), ({"region": ""}, "'' is not the name of a region")]
)
def test_places_that_cannot_be(place, text):
    with pytest.raises(ValueError, match=text):
        cases(**place)


@pytest.mark.parametrize(
    ("region", "image", "role"),
    [
        ("us-west-2", "123456789012.dkr.ecr.us-west-2.amazonaws.com/a", "arn:aws:iam::123456789012:role/a"),
        ("cn-north-1", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a", "arn:aws-cn:iam::123456789012:role/a"),
        ("us-gov-west-1", "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/a", "arn:aws-us-gov:iam::123456789012:role/a"),
    ],
)
def test_images_and_arns_of_a_region(region, image, role):
    case = next(case for case in cases("CreateModel", region=region) if case.id == "CreateModel/ModelName:max-63")
    assert (case.request["PrimaryContainer"]["Image"], case.request["ExecutionRoleArn"]) == (image, role)
    package = next(case for case in cases("CreateModel", region=region) if case.id == "CreateModel:package-region-here")
    assert package.request["PrimaryContainer"]["ModelPackageName"].startswith(f"{role.partition(':iam')[0]}:sagemaker:{region}:")
