"""Cases and drawn requests, judged by an oracle that shares no code with the validator."""

from __future__ import annotations

import os

import pytest
from hypothesis import Phase, given, settings

from pytest_smfake.cases import cases
from pytest_smfake.rules.messages import clause
from pytest_smfake.rules.rule import EDITIONS, Rule, Violation
from pytest_smfake.service.service import OPERATIONS
from pytest_smfake.strategies import create_model_requests, invalid_create_model_requests, invalid_requests, requests

from .oracle import Oracle, description, printed_order

DRAWS = int(os.environ.get("SMFAKE_DRAWS", "500"))
"""For each edition and kind: with 5,000 it is 10,000 invalid and 10,000 valid requests in all."""


def drawn(count, strategy, judge):
    @settings(max_examples=count, deadline=None, phases=[Phase.generate])
    @given(strategy)
    def draw(value):
        seen.append(1)
        judge(value)

    seen: list[int] = []
    draw()
    assert len(seen) >= count


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_case(operation, edition):
    oracle = Oracle(operation, edition)
    for case in cases(operation, edition=edition):
        stateful = case.rule.kind in ("condition", "limit")
        assert oracle.broken(case.request) == (set() if stateful else set(case.verdict.rules)), case.id


@pytest.mark.parametrize("edition", EDITIONS)
def test_drawn_invalid_requests(edition):
    oracle = Oracle("CreateModel", edition)
    found = cases("CreateModel", edition=edition)
    rules = {case.rule.id for case in found if case.side == "outside" and case.rule.kind not in ("condition", "limit")}
    for rule in sorted(rules):  # one by one, so that each has its share

        def judge(record, rule=rule):
            assert oracle.broken(record.request) == {rule} == {record.rule.id}

        drawn(-(-DRAWS // len(rules)), invalid_create_model_requests(rule=rule, edition=edition), judge)


@pytest.mark.parametrize("edition", EDITIONS)
def test_drawn_valid_requests(edition):
    oracle = Oracle("CreateModel", edition)
    drawn(DRAWS, create_model_requests(edition=edition), lambda request: _sound(oracle, request))


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("operation", [operation for operation in OPERATIONS if operation != "CreateModel"])
def test_drawn_requests_of_the_other_operations(operation, edition):
    oracle = Oracle(operation, edition)
    drawn(40, requests(operation, edition=edition), lambda request: _sound(oracle, request))

    def judge(record):
        assert oracle.broken(record.request) == {record.rule.id}

    drawn(40, invalid_requests(operation, edition=edition), judge)


def _sound(oracle, request):
    assert oracle.broken(request) == set()


@pytest.mark.parametrize(
    ("request_", "broken"),
    [
        ({"ModelName": "_" * 64}, {"ModelName:max", "ModelName:pattern", "ExecutionRoleArn:required"}),
        ({"ModelName": 1, "Tags": "x", "ExecutionRoleArn": "-"}, {"ModelName:type", "Tags:type"}),
        ({"ModelName": "a", "ExecutionRoleArn": "arn:aws:iam::٣23456789012:role/a"}, {"ExecutionRoleArn:pattern"}),
        ([], {":type"}),
    ],
)
def test_the_oracle_sees_more_than_one(request_, broken):
    assert {rule.removeprefix("CreateModel").removeprefix("/") for rule in Oracle("CreateModel", "page").broken(request_)} == broken


def test_the_order_of_the_values_of_every_enum():
    enums = {name: shape["enum"] for name, shape in description("sagemaker")["shapes"].items() if shape.get("enum")}
    assert len(enums) > 200
    for name, values in enums.items():
        rule = Rule("A/B:enum", "A", "B", "enum", tuple(values), "string", "modelled", "a source")
        [(_, printed)] = clause(Violation(rule, ("B",), "x", "x")).constraints
        assert list(printed) == printed_order(values), name
