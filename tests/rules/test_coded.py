"""Each rule that is written as code, active or off: its examples, its repair and its states hold what they say."""

from __future__ import annotations

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from moto import mock_aws

from pytest_smfake import Catalogue, FakeSageMaker
from pytest_smfake.cases import cases
from pytest_smfake.rules.coded import CrossField, coded_rules
from pytest_smfake.strategies import invalid_requests, requests

OFF = [coded for coded in coded_rules() if not coded.editions]
BETWEEN = [coded for coded in OFF if isinstance(coded, CrossField)]


def asked(coded):
    return {coded.rule.id: coded.rule.bound}


@pytest.mark.parametrize("coded", OFF, ids=[coded.rule.id for coded in OFF])
def test_a_rule_that_is_off_is_off_until_it_is_asked_for(coded):
    assert Catalogue().get(coded.rule.id) is None
    assert Catalogue(rules=asked(coded)).get(coded.rule.id) is not None


@pytest.mark.parametrize("coded", OFF, ids=[coded.rule.id for coded in OFF])
@pytest.mark.filterwarnings("ignore::pytest_smfake.NothingRanWarning")
def test_both_sides_of_a_rule_that_is_off(coded):
    found = [case for case in cases(coded.rule.operation, rules=asked(coded)) if case.rule.id == coded.rule.id]
    assert {case.side for case in found} == {"inside", "outside"}
    for case in found:
        with mock_aws(), FakeSageMaker(rules=asked(coded)) as fake:
            client = fake.client(config=Config(parameter_validation=False))
            for thing in case.unavailable:
                fake.unavailable(thing)
            for operation, request in case.first:
                client._make_api_call(operation, request)
            if case.verdict.accepted:
                client._make_api_call(case.operation, case.request)
            else:
                with pytest.raises(ClientError) as caught:
                    client._make_api_call(case.operation, case.request)
                assert caught.value.response["Error"]["Code"] == case.verdict.code
                assert [violation.rule.id for violation in fake.calls[-1].error.violations] == [coded.rule.id]


@pytest.mark.parametrize("coded", BETWEEN, ids=[coded.rule.id for coded in BETWEEN])
def test_draws_of_a_rule_that_is_off(coded):
    catalogue = Catalogue(rules=asked(coded))

    @settings(max_examples=20, suppress_health_check=list(HealthCheck))
    @given(
        requests(coded.rule.operation, rules=asked(coded)), invalid_requests(coded.rule.operation, rule=coded.rule.id, rules=asked(coded))
    )
    def holds(valid, invalid):
        assert catalogue.validate(coded.rule.operation, valid) == []
        assert {violation.rule.id for violation in catalogue.validate(coded.rule.operation, invalid.request)} == {coded.rule.id}

    holds()


def test_there_are_rules_that_are_off():
    assert OFF
