"""Every constraint that the page states, on both sides of its bound."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest

from pytest_smfake import message, validate

PAGE = tomllib.loads(resources.files("pytest_smfake.rules").joinpath("page.toml").read_text("utf-8"))
ROLE_HEAD = "arn:aws:iam::123456789012:role"
ARN_HEAD = "arn:aws:sagemaker:us-east-1:123456789012:model/"
IMAGE = {"Image": "img"}
NAME_PATTERN = PAGE["request"]["ModelName"]["pattern"]
ROLE_PATTERN = PAGE["request"]["ExecutionRoleArn"]["pattern"]
ARN_PATTERN = PAGE["response"]["ModelArn"]["pattern"]
LENGTH = "Member must have length {} than or equal to {}"
PATTERN = "Member must satisfy regular expression pattern: {}"


def request(**overrides):
    base = {"ModelName": "a", "ExecutionRoleArn": f"{ROLE_HEAD}/r", "PrimaryContainer": IMAGE}
    return {name: value for name, value in (base | overrides).items() if value is not ...}


def sized(head: str, length: int) -> str:
    return head + "x" * (length - len(head))


def tags(count: int):
    return [{"Key": f"k{index}", "Value": ""} for index in range(count)]


def containers(count: int):
    return {"PrimaryContainer": ..., "Containers": [IMAGE] * count}


# Fact of the page: what keeps it, and what breaks it with the constraint that is then printed.
FACTS = {
    "ModelName:max": ([{"ModelName": "a" * 63}], [({"ModelName": "a" * 64}, LENGTH.format("less", 63))]),
    "ModelName:pattern": (
        [{"ModelName": name} for name in ("a", "0", "a-b", "a--9", "Z" + "-" * 61 + "Z")],
        [({"ModelName": name}, PATTERN.format(NAME_PATTERN)) for name in ("", "-", "-a", "a-", "a_b", "a b", "ä", "a\n", "٣", "a.b")],
    ),
    "ModelName:required": ([{}], [({"ModelName": ...}, "Member must not be null"), ({"ModelName": None}, "Member must not be null")]),
    "ExecutionRoleArn:max": (
        [{"ExecutionRoleArn": sized(ROLE_HEAD + "/", 2048)}],
        [({"ExecutionRoleArn": sized(ROLE_HEAD + "/", 2049)}, LENGTH.format("less", 2048))],
    ),
    "ExecutionRoleArn:pattern": (
        [{"ExecutionRoleArn": arn} for arn in (f"{ROLE_HEAD}x", f"{ROLE_HEAD}/a/b+=,.@-_", "arn:aws-us-gov:iam::123456789012:role/r")],
        [
            ({"ExecutionRoleArn": arn}, PATTERN.format(ROLE_PATTERN))
            for arn in (
                ROLE_HEAD,
                f"{ROLE_HEAD}/ä",
                f"{ROLE_HEAD}/a b",
                "arn:aws:iam::12345678901:role/rr",
                "arn:aws:iam::12345678901٢:role/r",
                "arn:aws:iam::123456789012:user/r",
                f" {ROLE_HEAD}/r",
                f"{ROLE_HEAD}/r\n",
            )
        ],
    ),
    "ExecutionRoleArn:required": ([{}], [({"ExecutionRoleArn": ...}, "Member must not be null")]),
    "Containers:max": ([containers(1), containers(5)], [(containers(6), LENGTH.format("less", 5))]),
    "Tags:min": ([{"Tags": []}], []),
    "Tags:max": ([{"Tags": tags(50)}], [({"Tags": tags(51)}, LENGTH.format("less", 50))]),
}
IMPLIED = {"ExecutionRoleArn:min", "Tags:min"}
"""A role of fewer than 20 characters cannot keep the pattern, and no list has fewer than 0 items: see the tests below."""


def facts(section: str) -> set[str]:
    return {
        f"{name}:{keyword}"
        for name, stated in PAGE[section].items()
        for keyword in ("min", "max", "pattern", "required")
        if stated.get(keyword) is not None and stated[keyword] is not False
    }


def test_every_fact_of_the_page_is_here():
    assert facts("request") == set(FACTS) | IMPLIED
    assert facts("response") == {"ModelArn:min", "ModelArn:max", "ModelArn:pattern"}


INSIDE = [pytest.param(change, id=f"{fact}-{index}") for fact, (inside, _) in FACTS.items() for index, change in enumerate(inside)]
OUTSIDE = [pytest.param(fact, *case, id=f"{fact}-{index}") for fact, (_, outside) in FACTS.items() for index, case in enumerate(outside)]


@pytest.mark.parametrize("change", INSIDE)
def test_just_inside(change):
    assert validate("CreateModel", request(**change)) == []


@pytest.mark.parametrize(("fact", "change", "constraint"), OUTSIDE)
def test_just_outside(fact, change, constraint):
    violations = validate("CreateModel", request(**change))
    assert [violation.rule.id for violation in violations] == [f"CreateModel/{fact}"]
    text = message(violations)
    assert text.startswith("1 validation error detected: Value ")
    assert text.endswith(f"failed to satisfy constraint: {constraint}")
    assert violations[0].rule.evidence == "documented"


def test_the_role_of_20_characters():
    # No role that keeps the pattern is so short, so that the bound shows only beside it.
    for role, ids in (("x" * 19, ["min", "pattern"]), ("x" * 20, ["pattern"])):
        found = validate("CreateModel", request(ExecutionRoleArn=role))
        assert [violation.rule.keyword for violation in found] == ids
    shortest = validate("CreateModel", request(ExecutionRoleArn="x" * 19), rules={"CreateModel/ExecutionRoleArn:pattern": None})
    assert [violation.rule.id for violation in shortest] == ["CreateModel/ExecutionRoleArn:min"]
    assert validate("CreateModel", request(ExecutionRoleArn="x" * 20), rules={"CreateModel/ExecutionRoleArn:pattern": None}) == []


@pytest.mark.parametrize("name", [name for name, stated in PAGE["request"].items() if not stated["required"]])
def test_what_the_page_does_not_require(name):
    found = validate("CreateModel", request(**{name: ...}))
    assert [violation.rule.id for violation in found] == (["CreateModel:container-required"] if name == "PrimaryContainer" else [])


WRONG = {"list": {}, "boolean": "true", "string": 1, "structure": []}


@pytest.mark.parametrize("name", PAGE["request"])
def test_types(name):
    found = validate("CreateModel", request(**{name: WRONG[PAGE["request"][name]["type"]]}))
    assert [violation.rule.id for violation in found] == [f"CreateModel/{name}:type"]


@pytest.mark.parametrize("length", [len(ARN_HEAD), 2048])
def test_the_arn_of_the_response(length):
    assert validate("CreateModel.response", {"ModelArn": sized(ARN_HEAD, length)}) == []


@pytest.mark.parametrize(
    ("arn", "keywords"),
    [
        (sized(ARN_HEAD, 2049), ["max"]),
        ("x" * 19, ["min", "pattern"]),
        ("x" * 20, ["pattern"]),
        (ARN_HEAD + "a\nb", ["pattern"]),
        (ARN_HEAD.replace("model/", "endpoint/a"), ["pattern"]),
    ],
)
def test_a_wrong_arn_of_the_response(arn, keywords):
    found = validate("CreateModel.response", {"ModelArn": arn})
    assert [violation.rule.id for violation in found] == [f"CreateModel.response/ModelArn:{keyword}" for keyword in keywords]
    assert ARN_PATTERN in message(found) or keywords == ["max"]


def test_the_page_speaks_of_its_source():
    assert PAGE["source"]["address"].startswith("https://docs.aws.amazon.com/")
    for section in ("request", "response", "errors"):
        assert all(stated["heading"] == name for name, stated in PAGE[section].items())
