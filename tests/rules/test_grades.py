"""How rules that no schema states are known: what is observed was seen of the same operation, and what is only assumed is off."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from pytest_smfake import Catalogue, FakeSageMaker
from pytest_smfake.rules.coded import coded_rules
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.service.service import OPERATIONS

TESTS = Path(__file__).parent.parent
ANSWERS = runpy.run_path(str(TESTS / "test_answers.py"))
OBSERVED = runpy.run_path(str(TESTS / "test_observed.py"))

ASSUMED = {
    "AddTags/Tags:in-all",
    "CreateEndpointConfig/ProductionVariants[]:capacity",
    "CreateEndpointConfig/ProductionVariants[].ModelName:model-or-role",
    "CreateModel/Containers[].ContainerHostname:unique",
    "CreateModel:container-required",  # in edition sdk
    "CreateModel:image-or-package",
    "CreateModel:package-region",
}
"""The rules of 0.1.0 that stay on although they are only assumed. Others that are added are off."""


def graded(evidence):
    """Return the ids of the coded rules that have a grade in an edition, or where they are asked for, and those editions."""
    found = {}
    for coded in coded_rules():
        editions = [edition for edition in coded.editions or EDITIONS if coded.in_(edition).evidence == evidence]
        if editions:
            found[coded.rule.id] = (coded, editions)
    return found


def broken_by_an_answer(entry, edition, rules):
    """Return the ids of the rules that the request of an entry of answers.json breaks."""
    settings = {"region": entry.get("region", "us-east-1"), "edition": edition} | ANSWERS["SETTINGS"].get(entry["id"], {})
    with FakeSageMaker(**settings | {"rules": settings.get("rules", {}) | rules}) as fake:
        ANSWERS["BEFORE"].get(entry["id"], lambda _: None)(fake)
        for what in entry.get("before", ()):
            ANSWERS["step"](fake, what)
        ANSWERS["call"](fake, entry.get("then", entry["operation"]), entry["request"])
        error = fake.calls[-1].error
        return {violation.rule.id for violation in error.violations} if error else set()


def broken_by_an_observation(name, edition, rules):
    """Return the ids of the rules that the request of an entry of observed.json breaks."""
    settings, operation, request = OBSERVED["REPRODUCED"][name]
    settings = {"region": "us-east-2", "edition": edition} | settings
    with mock_aws(), FakeSageMaker(**settings | {"rules": settings.get("rules", {}) | rules}) as fake:
        OBSERVED["PREPARED"].get(name, lambda _: None)(fake)
        service = "sagemaker-runtime" if operation == "invoke_endpoint" else "sagemaker"
        with pytest.raises(ClientError):
            getattr(fake.client(service, config=Config(parameter_validation=False)), operation)(**request)
        return {violation.rule.id for violation in fake.calls[-1].error.violations}


def proofs(coded, edition):
    """Yield for each observed answer of a rule's operation, those of the rule's source first, the rules that its request breaks."""
    rules = {} if edition in coded.editions else {coded.rule.id: coded.rule.bound}
    operation, source = coded.rule.operation, coded.rule.source
    for entry in sorted(OBSERVED["OBSERVED"].values(), key=lambda entry: entry["source"] not in source):
        if entry["operation"] == operation and entry["id"] in OBSERVED["REPRODUCED"]:
            yield broken_by_an_observation(entry["id"], edition, rules)
    for entry in sorted(ANSWERS["ANSWERS"].values(), key=lambda entry: entry["source"] not in source):
        reproduced = entry["id"] not in ANSWERS["WAITING"] and entry["id"] not in ANSWERS["FACTS"]
        if reproduced and entry["operation"] == operation and entry["grade"] == "observed" and "accepted" not in entry:
            yield broken_by_an_answer(entry, edition, rules)


@pytest.mark.filterwarnings("ignore::pytest_smfake.NothingRanWarning")
@pytest.mark.parametrize("rule", graded("observed"))
def test_what_is_observed_was_seen_of_the_same_operation(rule):
    coded, editions = graded("observed")[rule]
    assert any(rule in broken for edition in editions for broken in proofs(coded, edition))


def test_what_is_only_assumed_is_off():
    on = {rule for rule, (coded, editions) in graded("assumed").items() if set(editions) & set(coded.editions)}
    assert on == ASSUMED


TAGGED = [name for name in OPERATIONS if Catalogue().get(f"{name}/Tags:type")]


def test_which_operations_give_tags():
    assert set(TAGGED) == {"AddTags", "CreateModel", "CreateEndpointConfig", "CreateEndpoint", "CreateTransformJob"}


@pytest.mark.parametrize(
    ("rule", "page", "sdk", "source"),
    [
        ("CreateModel:container-required", "documented", "assumed", "CreateModel page, introduction"),
        ("CreateModel:package-region", "assumed", "assumed", "of DescribeModelPackage: aws/amazon-sagemaker-examples#1444"),
        *(
            (f"{name}/Tags:unique-keys", "documented", "documented", "botocore service-2.json, Tag.Key; text observed of")
            for name in TAGGED
        ),
    ],
)
def test_grades_of_single_rules(rule, page, sdk, source):
    for edition, evidence in (("page", page), ("sdk", sdk)):
        found = Catalogue(edition).rule(rule)
        assert found.evidence == evidence
        assert found.source.startswith(source)


def test_the_text_of_a_rule_known_from_documentation_is_the_package_s_own():
    [found] = Catalogue().validate(
        "CreateModel",
        {
            "ModelName": "a",
            "ExecutionRoleArn": "arn:aws:iam::123456789012:role/r",
            "Containers": [{"Image": "i"}, {"Image": "i"}],
            "InferenceExecutionConfig": {"Mode": "Direct"},
        },
    )
    assert found.rule.id == "CreateModel/Containers[].ContainerHostname:direct"
    assert found.text == "Specify ContainerHostname for every container of a model whose InferenceExecutionConfig has Mode Direct."
