"""The grammar of the service's text, both ways."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_smfake import Catalogue, message, parse, validate
from pytest_smfake.rules.messages import Clause, clause, echo
from pytest_smfake.rules.service_model import shape_of

ROLE = "arn:aws:iam::123456789012:role/r"
TAG = r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"


def text(operation="CreateModel", **members) -> str:
    base = {"ModelName": "a", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "i"}} if operation == "CreateModel" else {}
    return message(validate(operation, base | members))


def test_one_and_several():
    assert (
        text(ModelName=None)
        == "1 validation error detected: Value null at 'modelName' failed to satisfy constraint: Member must not be null"
    )
    assert text(ModelName=None, ExecutionRoleArn=None) == (
        "2 validation errors detected: Value null at 'modelName' failed to satisfy constraint: Member must not be null; "
        "Value null at 'executionRoleArn' failed to satisfy constraint: Member must not be null"
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            text(Tags=[{"Key": "a", "Value": "b"}, {"Key": "", "Value": "!"}]),
            "2 validation errors detected: Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or "
            f"equal to 1; Value '!' at 'tags.2.member.value' failed to satisfy constraint: Member must satisfy regular expression pattern: {TAG}",
        ),
        (
            text(PrimaryContainer={"Image": "i", "Mode": "Both"}),
            "1 validation error detected: Value 'Both' at 'primaryContainer.mode' failed to satisfy constraint: Member must satisfy enum value set: "
            "[SingleModel, MultiModel]",
        ),
        (
            text(PrimaryContainer={"Image": "i", "Environment": {"1": "a", "B": "b"}}),
            "1 validation error detected: Value '{1=a, B=b}' at 'primaryContainer.environment' failed to satisfy constraint: Map keys must satisfy "
            "constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, Member must "
            "satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]*]",
        ),
        (
            text(VpcConfig={"SecurityGroupIds": ["sg-1", "_", "!"], "Subnets": ["s"]}),
            "1 validation error detected: Value '[sg-1, _, !]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: Member must satisfy "
            "constraint: [Member must have length less than or equal to 32, Member must have length greater than or equal to 0, Member must satisfy "
            "regular expression pattern: [-0-9a-zA-Z]+]",
        ),
        (
            text(VpcConfig={"SecurityGroupIds": ["sg"] * 6, "Subnets": ["s"]}),
            "1 validation error detected: Value '[sg, sg, sg, sg, sg, sg]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: Member must "
            "have length less than or equal to 5",
        ),
        (
            text("ListModels", MaxResults=101),
            "1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100",
        ),
    ],
)
def test_the_grammar(said, expected):
    assert said == expected


REQUESTS = [
    {"ModelName": name}
    for name in (
        "it's",
        '"quoted"',
        "a; Value null at 'x' failed to satisfy constraint: Member must not be null",
        "1 validation error detected: Value 'x' at 'y' failed to satisfy constraint: z",
        "two\nlines",
        "' at 'modelName' failed",
        "{a=b}, [c]",
        "_" * 100,
    )
] + [
    {"Tags": [{"Key": "", "Value": "!"}, {}], "VpcConfig": {"SecurityGroupIds": [], "Subnets": ["_", None, "x" * 40]}},
    {"PrimaryContainer": {"Image": " ", "Mode": "x", "Environment": {"1": "2", "A": None, "B": "x" * 1025}}},
    {"Containers": [{"Image": "i"}] * 6, "Tags": [None]},
    {"PrimaryContainer": {"Image": "i", "Environment": {"A": None}}},
]


@pytest.mark.parametrize("body", REQUESTS)
@pytest.mark.parametrize("edition", ["page", "sdk"])
def test_a_message_reads_back(body, edition):
    violations = validate("CreateModel", body, edition=edition)
    assert violations[0].rule.is_constraint
    said = message(violations)
    read = parse(said)
    assert read == list(dict.fromkeys(map(clause, violations)))
    assert int(said.split()[0]) == len(read)
    assert "; ".join(map(str, read)) == said.partition(" detected: ")[2]


def test_numbers_read_back():
    said = message(validate("ListModels", {"MaxResults": 0}))
    assert parse(said) == [Clause("0", "maxResults", (("min value", 1),))]


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Duplicate tag key",
        "2 validation errors detected: Value null at 'a' failed to satisfy constraint: Member must not be null",
        "1 validation error detected: Value null at 'a' failed to satisfy constraint: Member must be nice",
        "1 validation error detected: Value null at 'a' failed to satisfy constraint: Member must have luck",
        "99999 validation errors detected: x",
    ],
)
def test_other_texts_are_refused(said):
    with pytest.raises(ValueError, match="not a "):
        parse(said)


def test_a_constraint_that_is_never_printed():
    with pytest.raises(ValueError, match="'type' is not a constraint that the service prints"):
        str(Clause("x", "y", (("type", "string"),)))


def test_a_wrong_type():
    assert text(ModelName=3) == "NUMBER_VALUE can not be converted to a String"
    assert text(ModelName=b"a") == "bytes can not be converted to a String"


def test_java_s_echo():
    shape = shape_of("CreateModel")
    assert echo({"ModelName": "a", "Tags": [{"Key": "k", "Value": None}], "EnableNetworkIsolation": True}, shape) == (
        "CreateModelInput(modelName=a, tags=[Tag(key=k, value=null)], enableNetworkIsolation=true)"
    )
    assert echo(None) is None
    assert echo([None, 1, 1.5, False, "x"]) == "[null, 1, 1.5, false, x]"
    assert echo({}) == "{}"
    assert echo([""]) == "[]"


def test_a_value_that_looks_like_a_clause():
    value = "x' at 'p' failed to satisfy constraint: Member must not be null; Value 'y"
    request = {"ModelName": "a", "ExecutionRoleArn": "arn:aws:iam::123456789012:role/deploy", "PrimaryContainer": {"Image": "i"}}
    [violation] = validate("CreateModel", request | {"Tags": [{"Key": "a", "Value": value}]})
    assert [one.value for one in parse(message([violation]))] == [value]


def test_a_text_of_very_many_clauses_is_read_or_refused():
    told = "Value null at 'a' failed to satisfy constraint: Member must not be null"
    assert len(parse(f"400001 validation errors detected: {'; '.join([told] * 1000)}")) == 1000
    for count, text in ((9999, told), (2, "; ".join([told] * 5000)), (3, "Value '" * 5000), (1, "; Value " * 1500), (10**9, "x")):
        with pytest.raises(ValueError, match="not a message of the constraint stage"):
            parse(f"{count} validation errors detected: {text}")


ANSWERS = {entry["id"]: entry for entry in json.loads((Path(__file__).parent.parent / "answers.json").read_text("utf-8"))}
PLACES = {
    "ProductionVariantInstanceType": ("CreateEndpointConfig", "ProductionVariants[].InstanceType", "enum-production-variant-2020"),
    "TrainingInstanceType": ("CreateTrainingJob", "ResourceConfig.InstanceType", "enum-training-2019"),
}


@pytest.mark.parametrize("sample", ANSWERS["sagemaker-enum-order"]["samples"], ids=lambda sample: f"{sample['enum']}-{sample['date']}")
def test_order_of_enum_values(sample):
    operation, path, entry = PLACES[sample["enum"]]
    rule = f"{operation}/{path}:enum"
    modelled = Catalogue("sdk").rule(rule).bound
    of_that_year = [value for value in modelled if value in sample["values"]]
    request = ANSWERS[entry]["request"]
    # The set as it was then, an override; as the model has it now, others are among them.
    for overrides, all_of_them in (({rule: of_that_year}, of_that_year), ({}, modelled)):
        said = message(validate(operation, request, rules=overrides))
        [printed] = [dict(one.constraints)["enum"] for one in parse(said)]
        assert f"Member must satisfy enum value set: [{', '.join(printed)}]" in said
        assert sorted(printed) == sorted(all_of_them)
        assert [value for value in printed if value in sample["values"]] == sample["values"]


def test_the_order_of_values_in_one_bucket_and_of_any_characters():
    rule = "CreateModel/PrimaryContainer.Mode:enum"
    request = {"ModelName": "a", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "i", "Mode": "x"}}
    # In Java these have one hash code: "Aa" and "BB". A character beyond the first 65,536 is two units there.
    for values, expected in (
        (["Aa", "BB"], ["BB", "Aa"]),
        (["BB", "Aa"], ["Aa", "BB"]),
        (["b", "a", "\N{GRINNING FACE}"], ["a", "b", "\N{GRINNING FACE}"]),
    ):
        assert f"[{', '.join(expected)}]" in message(validate("CreateModel", request, rules={rule: values}))
