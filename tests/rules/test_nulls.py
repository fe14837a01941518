"""A member that is null is as good as absent, for every rule of every operation (assumed of the service)."""

from __future__ import annotations

import os
from copy import deepcopy
from random import Random

import pytest

from pytest_smfake import validate
from pytest_smfake.cases import cases
from pytest_smfake.rules.coded import CrossField, coded_rules
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.rules.service_model import shape_of

OPERATIONS = sorted({one.rule.operation for one in coded_rules() if isinstance(one, CrossField)})
VARIANTS = int(os.environ.get("SMFAKE_NULLS", "3"))
"""How often nulls are put into each request, at other places."""


def with_nulls(value, shape, random):
    """Put nulls into structures, for members that are absent."""
    if shape.type_name == "structure" and type(value) is dict:
        for name, member in shape.members.items():
            if name in value:
                with_nulls(value[name], member, random)
            elif random.random() < 0.3:
                value[name] = None
    elif shape.type_name == "list" and type(value) is list:
        for item in value:
            with_nulls(item, shape.member, random)
    elif shape.type_name == "map" and type(value) is dict:
        for item in value.values():
            with_nulls(item, shape.value, random)
    return value


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_nulls_change_no_verdict(operation, edition):
    random, shape, changed = Random(operation), shape_of(operation), 0
    for case in cases(operation, edition=edition):
        expected = [(one.rule.id, one.where) for one in validate(operation, case.request, edition=edition)]
        for _ in range(VARIANTS):
            request = with_nulls(deepcopy(case.request), shape, random)
            changed += request != case.request
            assert [(one.rule.id, one.where) for one in validate(operation, request, edition=edition)] == expected, (case.id, request)
    assert changed


@pytest.mark.parametrize(
    ("operation", "request_", "rules"),
    [
        ("CreateTransformJob", {"MaxPayloadInMB": None}, []),
        ("CreateTransformJob", {"MaxPayloadInMB": 60, "MaxConcurrentTransforms": None}, []),
        ("CreateTransformJob", {"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}, ["CreateTransformJob/MaxPayloadInMB:payload-in-all"]),
    ],
)
def test_a_number_that_is_null(operation, request_, rules):
    simplest = next(case.request for case in cases(operation, edition="sdk") if case.verdict.accepted)
    simplest = {name: value for name, value in simplest.items() if name not in ("MaxPayloadInMB", "MaxConcurrentTransforms")}
    assert [one.rule.id for one in validate(operation, simplest | request_, edition="sdk")] == rules


@pytest.mark.parametrize(
    ("variant", "is_valid"),
    [
        ({"InstanceType": "ml.m5.large", "InitialInstanceCount": 1, "ServerlessConfig": None}, True),
        ({"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}, "InstanceType": None}, True),
        ({"InstanceType": None, "InitialInstanceCount": 1}, False),
        ({"InstanceType": "ml.m5.large", "InitialInstanceCount": None}, False),
        ({"InstanceType": None, "InstancePools": None, "ServerlessConfig": None}, False),
    ],
)
def test_a_form_of_capacity_that_is_null_is_none(variant, is_valid):
    request = {"EndpointConfigName": "churn", "ProductionVariants": [{"VariantName": "a", "ModelName": "churn", **variant}]}
    assert (validate("CreateEndpointConfig", request) == []) is is_valid
