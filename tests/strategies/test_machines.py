"""The state machines against fakes, sound ones and broken ones."""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from pytest_smfake import FakeSageMaker
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.strategies import ModelComparison, ModelLifecycle

pytestmark = pytest.mark.once

SOUND = settings(max_examples=25, stateful_step_count=25, phases=[Phase.generate])
BROKEN = settings(max_examples=300, stateful_step_count=20, phases=[Phase.generate])


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_fake_is_as_expected(edition):
    run_state_machine_as_test(lambda: ModelLifecycle(FakeSageMaker(edition=edition), edition=edition), settings=SOUND)


def test_a_client_whose_account_holds_other_models(smfake, smfake_client):
    smfake.add_model(ModelName="other")
    run_state_machine_as_test(lambda: ModelLifecycle(smfake_client, prefix="lc-"), settings=SOUND)
    assert list(smfake.models) == ["other"]


def test_the_session_scoped_factory(smfake_factory):
    run_state_machine_as_test(lambda: ModelLifecycle(smfake_factory()), settings=settings(SOUND, max_examples=5))


class Forgetful:
    """A client that answers all but one operation."""

    def __init__(self, client, operation, answer):
        self._client = client
        self._operation = operation
        self._answer = answer

    def __getattr__(self, name):
        return self._answer if name == self._operation else getattr(self._client, name)


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("list_models", lambda **_: {"Models": []}),
        ("delete_model", lambda **_: None),
        ("create_model", lambda **request: {"ModelArn": f"arn:aws:sagemaker:us-east-1:1:model/{request['ModelName']}"}),
    ],
)
def test_a_broken_service_is_found_out(operation, answer):
    with FakeSageMaker() as fake:

        def machine():
            fake.reset()
            return ModelLifecycle(Forgetful(fake.client(), operation, answer))

        with pytest.raises(AssertionError):
            run_state_machine_as_test(machine, settings=BROKEN)


def test_pages_that_are_too_long_are_found_out():
    def machine():
        return ModelLifecycle(Forgetful(None, "list_models", lambda **_: {"Models": [{"ModelName": "x"}] * 200}))

    with pytest.raises(AssertionError, match="a page of None holds 200 models"):
        machine().list(contains=None, size=None, order=0)


@pytest.mark.parametrize("rules", [{"CreateModel/ModelName:not-taken": None}, {"AddTags/Tags:in-all": 3}], ids=str)
def test_a_rule_that_is_not_kept_is_found_out(rules):
    with pytest.raises(AssertionError):
        run_state_machine_as_test(lambda: ModelLifecycle(FakeSageMaker(rules=rules)), settings=BROKEN)


def test_equal_targets():
    run_state_machine_as_test(lambda: ModelComparison(FakeSageMaker(), FakeSageMaker(account="111122223333")), settings=SOUND)


def test_targets_that_differ():
    with pytest.raises(AssertionError, match=r"create_model with .*\nleft: CallOutcome.*\nright: CallOutcome"):
        run_state_machine_as_test(
            lambda: ModelComparison(FakeSageMaker(rules={"CreateModel/ModelName:not-taken": None}), FakeSageMaker()), settings=BROKEN
        )
