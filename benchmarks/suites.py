"""How long whole runs take: the contract on the fake, the kill matrix, a sweep."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from pytest_smfake import FakeSageMaker, sweep
from pytest_smfake.contract import FakeTarget, run_contract
from pytest_smfake.rules.rule import EDITIONS

from .measure import Figure


def scenario(fake: FakeSageMaker) -> None:
    """Make six calls, and clean up behind what fails."""
    client = fake.client()
    request = fake.request(ModelName="churn")
    try:
        client.create_model(**request)
        arn = client.describe_model(ModelName="churn")["ModelArn"]
        client.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "growth"}])
        client.list_tags(ResourceArn=arn)
        client.list_models(NameContains="churn")
    finally:
        with suppress(ClientError):
            client.delete_model(ModelName="churn")


def figures() -> list[Figure]:
    """Measure, each in this process."""
    from tests.proof.kill import matrix

    def contract() -> None:
        for edition in EDITIONS:
            if run_contract(FakeTarget(edition=edition), edition=edition).failed:
                raise RuntimeError("the contract fails")

    def kill() -> None:
        for edition in EDITIONS:
            matrix("CreateModel", edition)

    runs: dict[str, tuple[Callable[[], Any], float]] = {
        "the contract on the fake, both editions": (contract, 5),
        "the kill matrix of CreateModel, both editions": (kill, 10),
        "a sweep of 6 calls": (lambda: list(sweep(scenario, keeps=["DeleteModel:model/*"], swallows=["DeleteModel"])), 2),
    }
    return [Figure(what, _seconds(run), goal, " s") for what, (run, goal) in runs.items()]


def _seconds(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
