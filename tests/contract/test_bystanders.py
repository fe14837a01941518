"""Test that a run never touches models of other users of an account, even if the service accepts wrong requests."""

from __future__ import annotations

import copy
import dataclasses
import json

import pytest
from moto import mock_aws

from pytest_smfake import FakeSageMaker
from pytest_smfake.cases import cases
from pytest_smfake.cli import main
from pytest_smfake.contract import boundaries, checks
from pytest_smfake.contract.boundaries import CHECKED_OPERATIONS, case_for
from pytest_smfake.contract.run import run_check
from pytest_smfake.contract.targets.emulators import aws_target
from pytest_smfake.contract.targets.names import CHANGING, NAMING_MEMBERS, UnsafeRequestError, belongs, check_request, json_leaves, new_run
from pytest_smfake.contract.targets.target import UnprovedError
from pytest_smfake.rules.catalogue import catalogue

ACCOUNT = "123456789012"
TOLD = {"account": ACCOUNT, "region": "us-east-1", "prefix": "ci", "rate": 1_000_000}
USABLE = {"role": f"arn:aws:iam::{ACCOUNT}:role/SageMaker", "image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1"}
EDITIONS = ("page", "sdk")
RULES = [rule.id for edition in EDITIONS for operation in CHECKED_OPERATIONS for rule in catalogue(edition).rules(operation)]
LONG = {"prefix": "p" * 30}
GOV = {"region": "us-gov-west-1", "role": f"arn:aws-us-gov:iam::{ACCOUNT}:role/SageMaker"}


def names_in(request):
    """Return the names in a request as text, and the resources of its ARNs."""
    sent = [request.get(member) for member in set(NAMING_MEMBERS.values())] if isinstance(request, dict) else [request]
    texts = [str(leaf) for value in sent for leaf in json_leaves(value)]
    return {*texts, *(text.rpartition("/")[2] for text in texts), *(text.rpartition(":")[2] for text in texts)}


def every_name():
    """Return every name in a check of either edition, with the names of the cases and with names of another run."""
    other = aws_target(TOLD | USABLE | {"run": new_run()})
    found = {"a", "null", "None", "true", "-", "ci", "nobody", other.name_of("nobody"), other.name_of("untagged"), "-" * 64}
    for edition in EDITIONS:
        for operation in CHECKED_OPERATIONS:
            for case in cases(operation, edition=edition):
                changed = case_for(case.id, operation, edition, other)
                for request in (case.request, changed.request, *(step for _, step in case.first)):
                    found |= names_in(request)
    return sorted(found - {"", "-1"})  # "-1" is sent as a number of the wrong type: no model can have this name


NAMES = every_name()


@pytest.fixture
def populate():
    """Create a model of another user for each name that a fake accepts, and return a function that shows whether one has changed."""

    def populate(fake, *more):
        possible = [name for name in (*NAMES, *more) if not fake.catalogue.validate("DeleteModel", {"ModelName": name})]
        for number, name in enumerate(possible):
            fake.add_model(ModelName=name, Tags=[{"Key": "team", "Value": str(number)}, {"Key": "a", "Value": ""}])
        return theirs(fake, possible)

    return populate


def theirs(fake, names):
    return {name: (copy.deepcopy(dict(fake.models[name])), dict(fake.models[name].tags), fake.models[name].created) for name in names}


def lax(rules=RULES):
    return FakeSageMaker(rules=dict.fromkeys(rules))


# A service that accepts more can have more names of other users, and executes more requests that it should reject.
WEAK = [rule for rule in RULES if rule.rpartition(":")[2] not in ("required", "type")]


@pytest.mark.once
@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("usable", [{}, USABLE], ids=["without a role", "with a role"])
@pytest.mark.parametrize("rules", [(), WEAK, RULES], ids=["honest", "without bounds", "without rules"])
def test_a_full_run_changes_nothing_of_others(populate, edition, usable, rules):
    target = aws_target(TOLD | usable)
    with mock_aws(), lax(rules) as fake:
        # The most similar names of other users: they start as names of the run, but continue without a hyphen.
        near = (f"{target.name_of()}x", f"{target.name_of()}0-a", target.name_of()[:-1], target.name_of().upper())
        before = populate(fake, *near)
        for check in checks(edition=edition):
            target.stopped, target._in_a_row = "", 0  # so that the run continues with each check
            try:
                run_check(check, target)
            except (UnprovedError, KeyError, IndexError):
                assert rules, check.id  # a fake without rules fails on requests that rules would reject
        target.stopped, target._in_a_row = "", 0
        left = target.finish()
        assert theirs(fake, before) == before
        others = set(before)
        assert {str(name) for name in fake.models} - others == set()
        changing = [call for call in fake.calls if call.operation in CHANGING]
        assert len(changing) > 200
        named = {name for call in changing for name in names_in(call.parameters)}
        assert not named & others
        # A service without rules fails on a number in place of a name; it is not known whether it created a model.
        assert set(left) <= ({"-1"} if rules else set())
        assert len(others) > (40 if rules else 10)


@pytest.mark.parametrize("told", [TOLD, TOLD | LONG, TOLD | GOV], ids=["short", "long", "gov"])
@pytest.mark.parametrize("edition", EDITIONS)
def test_a_case_of_another_name_breaks_the_same_rule_alone(edition, told):
    target = aws_target(USABLE | told)
    rules = catalogue(edition)
    changed = 0
    for operation in CHECKED_OPERATIONS:
        plain = {case.id: case for case in cases(operation, edition=edition, region=target.region, account=ACCOUNT)}
        for check in (check for check in checks(edition=edition) if check.id in plain and target.why_not(check) is None):
            before, after = plain[check.id], case_for(check.id, operation, edition, target)
            broken = [[violation.rule.id for violation in rules.validate(operation, case.request)] for case in (before, after)]
            assert broken[0] == broken[1], check.id
            assert dataclasses.replace(after, request=before.request) == before or after.first, check.id
            changed += before.request != after.request
            if isinstance(after.request, dict) and operation in CHANGING:
                value = after.request.get(NAMING_MEMBERS[operation])
                if before.path == NAMING_MEMBERS[operation] and isinstance(value, str) and before.rule.keyword == "max":
                    assert len(value) == len(before.request[NAMING_MEMBERS[operation]]), check.id
    assert changed > 200


def test_what_cannot_be_asked_safely_is_skipped_with_a_reason():
    target = aws_target(TOLD | USABLE)
    skipped = {check.id for check in checks() if "any-name" in check.needs}
    assert skipped == {
        "CreateModel/ModelName:min-1",
        "DescribeModel/ModelName:min-1",
        "DeleteModel/ModelName:min-1",
        "AddTags/ResourceArn:min-33",
        "ListTags/ResourceArn:min-33",
        "DeleteTags/ResourceArn:min-33",
    }
    reasons = {run_check(check, target).reason for check in checks() if check.id in skipped}
    assert reasons == {"the name or ARN is too short for the prefix and the id of the run, and could belong to another model"}


RUN = "4k9zq0vw2bt3"
OWN = f"ci-{RUN}"
MODEL = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/"


def refused(operation, request, region="us-east-1"):
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    try:
        check_request(aws_target(TOLD | {"run": RUN}), operation, body, region)
    except UnsafeRequestError as error:
        return str(error)
    return None


class TestGate:
    @pytest.mark.parametrize("operation", ["CreateModel", "DeleteModel"])
    @pytest.mark.parametrize(
        "value",
        [
            "a",
            "",
            "a" * 63,
            "-",
            "a!",
            f"{OWN}x",
            OWN[:-1],
            f" {OWN}",
            OWN.upper(),
            f"x{OWN}",
            0,
            1,
            1.5,
            True,
            ["a"],
            [OWN, "a"],
            {"a": OWN},
        ],
        ids=repr,
    )
    def test_names_that_are_not_the_run_s(self, operation, value):
        for member in ("ModelName", "modelName", "MODELNAME"):
            assert refused(operation, {member: value}).startswith(f"aws: {operation} was not sent: it names ")

    @pytest.mark.parametrize("operation", ["CreateModel", "DeleteModel"])
    @pytest.mark.parametrize("value", [OWN, f"{OWN}-a", f"{OWN}-!", f"{OWN}-" + "a" * 99, None, -1, [], {}, [OWN], [None]], ids=repr)
    def test_names_that_are_the_run_s_or_none(self, operation, value):
        assert refused(operation, {"ModelName": value, "Containers": [{"Image": "a"}]}) is None
        assert refused(operation, {}) is None
        assert refused(operation, []) is None

    @pytest.mark.parametrize("operation", ["AddTags", "DeleteTags"])
    @pytest.mark.parametrize(
        "value",
        [
            f"{MODEL}a",
            f"{MODEL}{OWN}x",
            OWN,
            f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model/{OWN}",
            f"arn:aws:sagemaker:us-east-1:999999999999:model/{OWN}",
            f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/{OWN}",
            f"arn:aws-cn:sagemaker:us-east-1:{ACCOUNT}:model/{OWN}",
            1,
            [f"{MODEL}a"],
        ],
    )
    def test_arns_that_are_not_the_run_s(self, operation, value):
        assert "it names" in refused(operation, {"ResourceArn": value})

    @pytest.mark.parametrize("operation", ["AddTags", "DeleteTags"])
    @pytest.mark.parametrize("value", [f"{MODEL}{OWN}", f"{MODEL}{OWN}-a\n", None, -1, [f"{MODEL}{OWN}"]])
    def test_arns_that_are_the_run_s_or_none(self, operation, value):
        assert refused(operation, {"ResourceArn": value, "TagKeys": ["a"]}) is None

    @pytest.mark.parametrize(
        "body",
        [
            b'{"ModelName": "a"',
            b'{"ModelName": a}',
            b'{"ModelName": "ci", "ModelName": "a"}',
            json.dumps({"ModelName": OWN}).encode()[:-1] + b', "ModelName": "a"}',
            b'{"ModelName": "a", "ModelName": null}',
            b'{"\\u004dodelName": "a"}',
            b'"a"',
            b'["a"]',
            '{"ModelName": "a"}'.encode("utf-16"),
            b"\xff",
            b"ModelName=a",
            b"[" * 100_000,
        ],
        ids=lambda body: repr(body[:40]),
    )
    def test_bodies_that_could_name_something(self, body):
        assert refused("DeleteModel", body) is not None

    @pytest.mark.parametrize("body", [b"", b"{", b'{"ModelName', b'{"ModelName": ', b"{}", b"[]", b"null"])
    def test_bodies_that_name_nothing(self, body):
        assert refused("DeleteModel", body) is None

    def test_other_regions_and_operations(self):
        assert refused("ListModels", {"NameContains": "a"}) is None
        assert "it goes to eu-west-1, but the run may only use us-east-1" in refused("ListModels", {}, "eu-west-1")
        assert "it is not an operation on models" in refused("DeleteEndpoint", {"EndpointName": OWN})
        # Under pytest the run continues, with the same result for each check.
        assert refused("DeleteEndpoint", {}).endswith("it is not an operation on models. The check or test that sent it is wrong")

    def test_nothing_is_sent_whichever_way_it_is_tried(self):
        target = aws_target(TOLD | USABLE)
        with mock_aws(), FakeSageMaker() as fake:
            fake.add_model(ModelName="a")
            with target:
                with pytest.raises(UnsafeRequestError, match="DeleteModel was not sent: it names 'a'"):
                    target.send("DeleteModel", {"ModelName": "a"})
                with pytest.raises(UnsafeRequestError, match="it goes to eu-west-1"):
                    target.send("DeleteModel", {"ModelName": target.name_of()}, region="eu-west-1")
                # A client that a test gets from the target has the same restriction.
                with pytest.raises(UnsafeRequestError, match="DeleteModel was not sent: it names 'a'"):
                    target.client().delete_model(ModelName="a")
            assert (len(fake.calls), list(fake.models), target.created()) == (0, ["a"], [])


def test_a_check_that_names_others_ends_the_run_before_it_begins(monkeypatch, capsys):
    monkeypatch.setattr(boundaries, "own_case", lambda case, _: case)  # cases then keep names that are not of the run
    told = [f"--aws-{name}={value}" for name, value in (TOLD | USABLE).items()]
    with mock_aws(), FakeSageMaker() as fake:
        fake.add_model(ModelName="a" * 63)
        assert main(["contract", "--target=aws", *told, "--check=DeleteModel/*"]) == 1
        assert (list(fake.models), {call.operation for call in fake.calls}) == (["a" * 63], {"ListModels"})
    error = capsys.readouterr().err
    assert error.startswith("smfake: aws: DeleteModel was not sent: it names '1', but names of the run start with 'ci-")
    assert error.count("\n") == 1


def test_a_client_of_the_target_asks_sts_first():
    target = aws_target(TOLD | {"account": "999999999999"})
    with mock_aws(), FakeSageMaker() as fake:
        with pytest.raises(ValueError, match="the credentials belong to account 123456789012, expected 999999999999"):
            target.client().list_models()
        with pytest.raises(ValueError, match="the credentials belong to account 123456789012"):
            target.send("ListModels", {})
        assert len(fake.calls) == 0


def test_what_belongs_to_a_run():
    assert belongs(OWN, OWN)
    assert not belongs("ci-training-prod", "ci-train")
