"""The public names as users annotate them; read by mypy and pyright, and never run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, assert_type

import pytest
from hypothesis import strategies as st

from pytest_smfake import (
    Call,
    Catalogue,
    Clock,
    Endpoint,
    EndpointConfig,
    FakeSageMaker,
    Fault,
    Model,
    Rule,
    ServiceError,
    Sweep,
    TransformJob,
    Violation,
    message,
    parse,
    sweep,
    validate,
)
from pytest_smfake.cases import Case, cases
from pytest_smfake.contract import Check, CreateModelContract, FakeTarget, Report, Result, checks, run_contract
from pytest_smfake.strategies import create_model_requests, invalid_create_model_requests, requests


def use_of_a_fake(smfake: FakeSageMaker, smfake_factory: Callable[..., FakeSageMaker], clock: Clock) -> Iterator[str]:
    with FakeSageMaker(
        region="eu-west-1", edition="sdk", rules={"CreateModel/Containers:max": None}, limits={"models": 1}, clock=clock
    ) as fake:
        assert_type(fake, FakeSageMaker)
        assert_type(fake.client(), Any)
        assert_type(fake.request(ModelName="churn"), dict[str, Any])
        assert_type(fake.models["churn"], Model)
        assert_type(fake.models["churn"].arn, str)
        assert_type(fake.endpoints["churn"], Endpoint)
        assert_type(fake.endpoint_configs["churn"], EndpointConfig)
        assert_type(fake.transform_jobs["job"], TransformJob)
        assert_type(fake.calls[-1], Call)
        assert_type(fake.calls[-1].error, ServiceError | None)
        assert_type(fake.calls[-1].sent_from, str)
        assert_type(fake.fail("CreateModel", "ThrottlingException", attempts=1), Fault)
        assert_type(fake.catalogue, Catalogue)
        assert_type(fake.clock, Clock)
        assert_type(smfake_factory(), FakeSageMaker)
    yield from smfake.models


@FakeSageMaker()
def decorated(name: str, fake: FakeSageMaker = FakeSageMaker()) -> int:
    return len(fake.models) + len(name)


@FakeSageMaker()
class TestDecorated:
    def test_it(self) -> None:
        assert_type(decorated("churn"), int)


def use_of_rules() -> None:
    violations = validate("CreateModel", {}, edition="page")
    assert_type(violations, list[Violation])
    assert_type(violations[0].rule, Rule)
    assert_type(message(violations), str)
    parse(message(violations))


def use_of_requests() -> None:
    assert_type(cases("CreateModel"), list[Case])
    assert_type(create_model_requests(), st.SearchStrategy[dict[str, Any]])
    assert_type(requests("AddTags"), st.SearchStrategy[dict[str, Any]])
    invalid_create_model_requests()


def use_of_a_sweep() -> None:
    def deploy(fake: FakeSageMaker) -> None:
        fake.client().create_model(**fake.request())

    runs = sweep(deploy, errors=["503"], keeps=["model/*"], output=True)
    assert_type(runs, Sweep)
    for run in runs:
        assert_type(run.problems, list[str])


class TestEmulator(CreateModelContract):
    select = ("create/*",)

    @pytest.fixture
    def target(self) -> FakeTarget:
        return FakeTarget()


def use_of_the_contract() -> None:
    assert_type(checks(["create/*"]), list[Check])
    report = run_contract(FakeTarget())
    assert_type(report, Report)
    assert_type(report.failed, list[Result])
