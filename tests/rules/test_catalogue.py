"""Editions, overrides, ids, evidence."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from pytest_smfake import Catalogue, validate
from pytest_smfake.rules.catalogue import catalogue, differences
from pytest_smfake.rules.coded import CrossField, Precondition, coded_rules, cross_field, unregister
from pytest_smfake.rules.editions import members, page
from pytest_smfake.rules.rule import EDITIONS, Evidence
from pytest_smfake.rules.service_model import shape_of
from pytest_smfake.service.service import OPERATIONS

PAGE = [("CreateModel", "request"), ("CreateModel.response", "response")]
REQUEST = {"ModelName": "a", "ExecutionRoleArn": "arn:aws:iam::123456789012:role/r", "PrimaryContainer": {"Image": "img"}}


def ids(violations) -> list[str]:
    return [violation.rule.id for violation in violations]


def test_where_the_editions_disagree():
    found = {rule_id: (a and a.bound, b and b.bound) for rule_id, a, b in differences(Catalogue("page"), Catalogue("sdk"), "CreateModel")}
    assert found["CreateModel/Containers:max"] == (5, 15)
    assert found["CreateModel/ExecutionRoleArn:required"] == (True, None)
    assert found["CreateModel:ecr-image"] == (None, True)
    assert found["CreateModel/EnableNetworkIsolation:semantic-segmentation"] == (True, None)
    assert {"CreateModel/ModelName:pattern", "CreateModel/ExecutionRoleArn:pattern"} <= set(found)
    assert "CreateModel/ModelName:max" not in found


LATER = {"CreateEndpointConfig/MetricsConfig.MetricPublishFrequencyInSeconds"}
"""The members with rules of ours that the lowest botocore does not know."""


def test_what_the_page_adds_concerns_members_of_the_installed_model():
    stated = {f"{operation}/{path}" for operation, section in PAGE for path in page()[section]}
    stated |= {
        f"{cross_field.rule.operation}/{cross_field.rule.path}" for cross_field in coded_rules() if isinstance(cross_field, CrossField)
    }
    there = {f"{operation}/{path}" for operation in [*OPERATIONS, *dict(PAGE)] for path, *_ in members(shape_of(operation))}
    assert stated - there <= LATER


def test_an_edition_does_not_differ_from_itself():
    assert [differences(Catalogue("sdk"), Catalogue("sdk"), name) for name in OPERATIONS] == [[]] * len(OPERATIONS)


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("operation", [*OPERATIONS, "CreateTrainingJob", "Search"])
def test_rules_are_named_graded_and_sourced(edition, operation):
    for name in (operation, f"{operation}.response"):
        rules = catalogue(edition).rules(name)
        assert len({rule.id for rule in rules}) == len(rules)
        for rule in rules:
            assert re.fullmatch(r"[\w:+\-.\[\]\\/]+", rule.id, re.ASCII), rule.id  # what pytest's -k takes
            assert rule.id == (f"{name}/{rule.path}:{rule.keyword}" if rule.path else f"{name}:{rule.keyword}")
            assert rule.evidence in get_args(Evidence)
            assert rule.source
            assert rule.operation == name
            assert catalogue(edition).rule(rule.id) is rule


def test_the_page_is_documented_for_its_own_operation_alone():
    assert catalogue("page").rule("CreateModel/ModelName:pattern").evidence == "documented"
    assert catalogue("page").rule("DescribeModel/ModelName:pattern").evidence == "assumed"
    assert catalogue("sdk").rule("DescribeModel/ModelName:pattern").evidence == "modelled"
    assert catalogue("page").rule("CreateModel.response/ModelArn:max").evidence == "documented"


def test_no_rule_is_verified_yet():
    rules = [rule for edition in EDITIONS for name in OPERATIONS for rule in catalogue(edition).rules(name)]
    assert {rule.evidence for rule in rules} == {"documented", "modelled", "observed", "reported", "contested", "assumed"}


class TestOverrides:
    def test_raise(self):
        six = REQUEST | {"PrimaryContainer": None, "Containers": [{"Image": "img"}] * 6}
        assert ids(validate("CreateModel", six)) == ["CreateModel/Containers:max"]
        assert validate("CreateModel", six, rules={"CreateModel/Containers:max": 15}) == []

    def test_lower_and_cite(self):
        (violation,) = validate("CreateModel", REQUEST | {"ModelName": "abc"}, rules={"CreateModel/ModelName:max": 2})
        assert violation.rule.bound == 2
        assert violation.rule.source == "override"

    def test_off(self):
        for off in (None, False):
            assert validate("CreateModel", REQUEST | {"ExecutionRoleArn": None}, rules={"CreateModel/ExecutionRoleArn:required": off}) == []
        assert Catalogue("page", {"CreateModel/ModelName:max": None}).get("CreateModel/ModelName:max") is None

    def test_off_for_a_type(self):
        off = {"CreateModel/ModelName:type": None}
        assert validate("CreateModel", REQUEST | {"ModelName": 3}, rules=off) == []
        assert ids(validate("CreateModel", REQUEST | {"ModelName": "-"}, rules=off)) == ["CreateModel/ModelName:pattern"]
        assert ids(validate("CreateModel", REQUEST | {"ModelName": None}, rules=off)) == ["CreateModel/ModelName:required"]
        for name, value in (("Tags", {}), ("VpcConfig", []), ("EnableNetworkIsolation", "x")):
            assert validate("CreateModel", REQUEST | {name: value}, rules={f"CreateModel/{name}:type": None}) == []

    def test_off_for_a_null_item(self):
        rules = {"CreateModel/Tags[]:required": None, "CreateModel/Tags:unique-keys": None}
        assert validate("CreateModel", REQUEST | {"Tags": [None]}, rules=rules) == []

    def test_an_optional_member_required(self):
        rules = {"CreateModel/PrimaryContainer.ModelDataUrl:required": True}
        assert ids(validate("CreateModel", REQUEST, rules=rules)) == ["CreateModel/PrimaryContainer.ModelDataUrl:required"]

    def test_a_bound_where_there_was_none(self):
        rules = {"CreateModel/PrimaryContainer.Image:enum": ["other"]}
        assert ids(validate("CreateModel", REQUEST, rules=rules)) == ["CreateModel/PrimaryContainer.Image:enum"]

    def test_the_other_edition_s_rule(self):
        rules = {"CreateModel/ExecutionRoleArn:required": True}
        found = Catalogue("sdk", rules).validate("CreateModel", {**REQUEST, "ExecutionRoleArn": None})
        assert ids(found) == list(rules)

    def test_the_bound_of_a_cross_field_rule(self):
        request = REQUEST | {"PrimaryContainer": {"Image": "img", "Environment": {"A": "12"}}}
        assert validate("CreateModel", request, rules={"CreateModel:environment-bytes": 3}) == []
        assert ids(validate("CreateModel", request, rules={"CreateModel:environment-bytes": 2})) == ["CreateModel:environment-bytes"]

    def test_the_shared_catalogue_is_untouched(self):
        Catalogue("page", {"CreateModel/Containers:max": 99})
        assert catalogue("page").rule("CreateModel/Containers:max").bound == 5

    @pytest.mark.parametrize(
        ("rule", "bound", "sentence"),
        [
            ("CreateModel/Containers:max", "5", "'5' is not a bound that it can have; right would be a number of at least 0"),
            ("CreateModel/Containers:max", -1, "-1 is not a bound"),
            ("CreateModel/Containers:max", True, "True is not a bound"),
            ("CreateModel/ModelName:pattern", 5, "right would be a regular expression"),
            ("CreateModel/ModelName:pattern", "(", "is not a Java regular expression"),
            ("CreateModel/ModelName:type", "list", "the type itself cannot be changed"),
            ("CreateModel/ModelName:required", 1, "right would be True, or None for off"),
            ("CreateModel/PrimaryContainer.Mode:enum", "SingleModel", "right would be a list of strings"),
            ("CreateModel:environment-bytes", "all", "right would be a whole number, or None for off"),
            ("CreateModel/Tags:unique-keys", 5, "right would be True, or None for off"),
            ("CreateModel/ModelNam:max", 5, "near it: CreateModel/ModelName:max"),
            ("CreateModel/EnableNetworkIsolation:max", 5, "is not a rule"),
            ("CreateModel/ModelName:maximum", 5, "is not a rule"),
            ("CreateModle/ModelName:max", 5, "'CreateModle' is not a SageMaker operation of the installed botocore; near it: CreateModel"),
            ("max", 5, "'max' is not the id of a rule; one looks like"),
        ],
    )
    def test_wrong_overrides(self, rule, bound, sentence):
        with pytest.raises(ValueError, match=re.escape(sentence)):
            Catalogue("page", {rule: bound})


def test_unknown_names():
    with pytest.raises(ValueError, match="'new' is not an edition; there are: page, sdk"):
        Catalogue("new")
    with pytest.raises(ValueError, match="near it: CreateModel/Containers:max"):
        Catalogue().rule("CreateModel/Container:max")
    with pytest.raises(ValueError, match="'CreateModels' is not a SageMaker operation"):
        validate("CreateModels", {})


def test_reprs():
    assert repr(Catalogue("sdk", {"CreateModel/Containers:max": 1})) == "<Catalogue sdk, 1 overridden>"
    assert repr(Catalogue()) == "<Catalogue page>"


def test_a_rule_of_no_edition_is_off_unless_asked_for():
    @cross_field("DescribeModel", "ModelName", "never", "assumed", "made up", editions=())
    def never(request, bound):
        yield ("ModelName",), request["ModelName"], "Never."

    try:
        assert validate("DescribeModel", {"ModelName": "a"}) == []
        (violation,) = validate("DescribeModel", {"ModelName": "a"}, rules={"DescribeModel/ModelName:never": True})
        assert (violation.rule.id, violation.text) == ("DescribeModel/ModelName:never", "Never.")
    finally:
        unregister(never)


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"evidence": "guess"}, "unknown evidence 'guess'; expected one of: documented, modelled, observed"),
        ({"keyword": "a b"}, "CreateModel:a b cannot be the id of a rule"),
        ({"editions": "page"}, "editions='page' is not a tuple of page, sdk"),
        ({"editions": ("pge",)}, r"editions=\('pge',\) is not a tuple of page, sdk"),
    ],
)
def test_a_rule_that_cannot_be(keywords, sentence):
    editions = {"editions": keywords.pop("editions")} if "editions" in keywords else {}
    given = {"operation": "CreateModel", "path": "", "keyword": "made-up", "evidence": "assumed", "source": "made up"} | keywords
    with pytest.raises(ValueError, match=sentence):
        cross_field(*given.values(), **editions)(lambda *_: iter(()))


def test_a_rule_that_is_off_says_so():
    with pytest.raises(
        ValueError, match=r"'CreateModel:ecr-image' is off in this edition; rules=\{'CreateModel:ecr-image': True\} switches it on"
    ):
        Catalogue("page").rule("CreateModel:ecr-image")


def test_a_rule_is_defined_once():
    with pytest.raises(ValueError, match=r"there is a rule CreateModel:container-required already"):
        cross_field("CreateModel", "", "container-required", "assumed", "made up")(lambda *_: iter(()))


@pytest.mark.parametrize("coded", coded_rules(), ids=lambda coded: coded.rule.id)
def test_each_rule_owns_its_check_repair_and_examples(coded):
    from pytest_smfake.rules.editions import members
    from pytest_smfake.rules.service_model import service_model, shape_of

    shape = shape_of(coded.rule.operation)
    assert shape is not None
    known = {path for path, *_ in members(shape)}
    # The lowest botocore lacks some members.
    assert coded.rule.path in {"", *known} or coded.rule.path.partition(".")[0].removesuffix("[]") not in shape.members
    assert set(coded.repairs) - set(service_model().shape_names) <= {"MetricsConfig"}  # which the lowest botocore does not know
    if isinstance(coded, CrossField):
        assert coded.repairs
        assert {example.side for example in coded.examples} == {"inside", "outside"}
    else:
        assert isinstance(coded, Precondition)
        assert coded.states is not None
        assert coded.check is not None or coded.rule.keyword == "not-taken"  # of which the kind has the text
