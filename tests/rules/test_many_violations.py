"""A request that breaks very many rules is answered soon, with a text that is no longer than the request by much."""

from __future__ import annotations

import json
import re

import pytest

from pytest_smfake import FakeSageMaker, validate
from pytest_smfake.rules.messages import MOST_VIOLATIONS

BASE = {
    "ModelName": "churn",
    "ExecutionRoleArn": "arn:aws:iam::123456789012:role/deploy",
    "PrimaryContainer": {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1"},
}
MANY = 20_000


@pytest.mark.parametrize(
    ("members", "told", "counted"),
    [
        # Too many, each with a key that is too short.
        ({"Tags": [{"Key": "", "Value": "a"}] * MANY}, MOST_VIOLATIONS, MANY + 1),
        # Each key breaks two rules, of which beyond those that are told one counts.
        ({"Tags": [{"Key": "a" * 129 + "\x00", "Value": "a"}] * MANY}, MOST_VIOLATIONS, None),
        ({"Tags": [None] * MANY}, MOST_VIOLATIONS, MANY + 1),
        # All that is wrong with the scalars of one list or map is one error of the service.
        ({"VpcConfig": {"SecurityGroupIds": ["_ "] * MANY, "Subnets": ["subnet-1"]}}, MOST_VIOLATIONS, 2),
        (
            {"PrimaryContainer": BASE["PrimaryContainer"] | {"Environment": {f"-{number}": "v" for number in range(MANY)}}},
            MOST_VIOLATIONS,
            2,
        ),
    ],
    ids=["tags", "two-rules", "nulls", "list", "map"],
)
def test_they_are_counted_and_the_first_are_told(members, told, counted):
    request = BASE | members
    assert len(validate("CreateModel", request)) == told
    fake = FakeSageMaker()
    with pytest.raises(Exception, match="validation errors detected") as caught:
        fake.service.check("CreateModel", json.loads(json.dumps(request)))
    found = int(re.match(r"(\d+) validation errors detected", caught.value.text)[1])
    assert found == counted if counted else MANY < found <= 2 * MANY
    assert len(caught.value.text) < 8 * len(json.dumps(request))


def test_a_value_of_a_wrong_type_beyond_those_that_are_told_hides_the_others():
    tags = [{"Key": "", "Value": "a"}] * MANY
    assert [one.rule.id for one in validate("CreateModel", BASE | {"Tags": [*tags, {"Key": 1, "Value": "a"}]})] == [
        "CreateModel/Tags[].Key:type"
    ]
    groups = {"SecurityGroupIds": [*["_ "] * MANY, 1], "Subnets": ["subnet-1"]}
    wrong = [one.rule.id for one in validate("CreateModel", BASE | {"VpcConfig": groups})]
    assert wrong == ["CreateModel/VpcConfig.SecurityGroupIds[]:type"]


def test_those_that_are_told_stand_in_the_model_s_order():
    request = {"Tags": [{"Value": "\x00" * 300, "Key": ""}] * 3, **BASE, "ModelName": "-"}
    places = [one.where for one in validate("CreateModel", request)]
    assert places == [("ModelName",), *(place for index in range(3) for place in [("Tags", index, "Key"), *[("Tags", index, "Value")] * 2])]


@pytest.mark.parametrize("weight", ["1e999", "-1e999", "1" + "0" * 400, "1e39"])
def test_a_number_that_json_has_no_word_for_is_of_a_wrong_type(weight):
    variant = {"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1, "InitialVariantWeight": "?"}
    body = json.dumps({"EndpointConfigName": "churn", "ProductionVariants": [variant]}).replace('"?"', weight)
    violations = validate("CreateEndpointConfig", json.loads(body))
    assert [one.rule.id for one in violations] == ["CreateEndpointConfig/ProductionVariants[].InitialVariantWeight:type"]
