"""What a call costs, and what it costs to have a fake: against botocore answering itself (the floor), and against moto."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import moto
from botocore.awsrequest import AWSResponse

from pytest_smfake import FakeSageMaker
from pytest_smfake.clients.botocore import envelope
from pytest_smfake.protocol.http import Request
from pytest_smfake.protocol.wire import answer

from .canned import Raw, canned
from .measure import Contender, Figure, interleave, ratio

ROUNDS = 600
KEYS = {"region_name": "us-east-1", "aws_access_key_id": "smfake", "aws_secret_access_key": "smfake"}


def floor_client() -> Any:
    """Return a client that answers itself: what nothing that goes through botocore can be faster than."""
    client = boto3.client("sagemaker", **KEYS)
    client.meta.events.register("before-send.sagemaker.CreateModel", canned)
    return client


def create(client: Any, names: Iterator[int], fake: FakeSageMaker) -> Callable[[], object]:
    """Return a call of CreateModel, each time with another name."""
    request = fake.request()
    return lambda: client.create_model(**request | {"ModelName": f"m-{next(names)}"})


def figures() -> list[Figure]:
    """Measure."""
    names = itertools.count()
    fake = FakeSageMaker()
    floor, ours, motos = floor_client(), boto3.client("sagemaker", **KEYS), boto3.client("sagemaker", **KEYS)
    mock = moto.mock_aws()
    request = _captured(fake)

    def direct() -> object:
        body = request.body.replace(b"churn", b"m-%d" % next(names))
        return answer(Request(request.method, request.url, request.headers, body), fake, lambda: None)

    @contextmanager
    def mocked() -> Iterator[None]:
        mock.start(reset=False)
        try:
            yield
        finally:
            mock.stop()

    def fixture() -> None:
        with FakeSageMaker() as fresh:
            fresh.client().create_model(**fresh.request(ModelName="churn"))

    def mock_and_client() -> None:
        with moto.mock_aws():
            boto3.client("sagemaker", **KEYS).create_model(**fake.request(ModelName="churn"))

    def beside_moto() -> None:
        with FakeSageMaker() as fresh, moto.mock_aws(config={"core": {"mock_credentials": False}}):  # as `smfake_moto` does
            boto3.client("sagemaker", **KEYS).create_model(**fresh.request(ModelName="churn"))

    def world() -> None:
        with FakeSageMaker():
            pass

    took = interleave(
        {
            "floor": Contender(create(floor, names, fake)),
            "fake": Contender(create(ours, names, fake), lambda: fake),
            "without botocore": Contender(direct),
            "a world": Contender(world),
        },
        ROUNDS,
    )
    # On its own, since a mock that starts and stops leaves nothing in the processor's caches for its neighbours.
    both = interleave(
        {"fake": Contender(create(ours, names, fake), lambda: fake), "moto": Contender(create(motos, names, fake), mocked)}, ROUNDS
    )
    tests = {"fixture": fixture, "mock_aws": mock_and_client, "beside moto": beside_moto}
    whole = interleave({name: Contender(test) for name, test in tests.items()}, ROUNDS // 10)
    boto3.client("sagemaker", **KEYS)
    clients = interleave(
        {
            "new": Contender(lambda: boto3.Session().client("sagemaker", **KEYS), lambda: fake),
            "default": Contender(lambda: boto3.client("sagemaker", **KEYS), lambda: fake),
        },
        ROUNDS // 10,
    )
    return [
        ratio(took, "CreateModel through boto3, to the floor", 1.10, "fake", "floor"),
        ratio(both, "the same, to moto", 0.45, "fake", "moto"),
        ratio(took, "decode, validate, store and encode one CreateModel, to the floor", 0.10, "without botocore", "floor"),
        ratio(whole, "fixture with its client and one call, to `mock_aws` with `boto3.client()` and one call", 0.02, "fixture", "mock_aws"),
        ratio(whole, "`smfake_moto` with `boto3.client()` and one call, to `mock_aws` with the same", 0.12, "beside moto", "mock_aws"),
        ratio(clients, "`boto3.Session().client()` within a fake, to `boto3.client()` there", 3.5, "new", "default"),
        ratio(took, "a fresh world for each Hypothesis example, to the floor", 0.25, "a world", "floor"),
    ]


def _captured(fake: FakeSageMaker) -> Request:
    """Return a request as botocore sends it."""
    seen: list[Request] = []

    def keep(request: Any, **_: Any) -> AWSResponse:
        head = envelope(request)
        seen.append(Request(head.method, head.url, head.headers, request.body))
        return AWSResponse(request.url, 200, {}, Raw(b"{}"))

    client = boto3.client("sagemaker", **KEYS)
    client.meta.events.register("before-send.sagemaker.CreateModel", keep)
    client.create_model(**fake.request(ModelName="churn"))
    return seen[0]
