"""Sleeps on the virtual clock, retry quotas, and time that a test freezes."""

from __future__ import annotations

import datetime
import json
import threading
import time
from io import BytesIO

import boto3
import botocore.endpoint
import freezegun
import pytest
import time_machine
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

from pytest_smfake import Clock, FakeSageMaker


class Raw(BytesIO):
    def stream(self):
        yield self.read()


def answering(client, *answers):
    """Let a client be answered before anything is sent: each item is a status and a body, the last one for ever."""
    left = list(answers)

    def before_send(request, **_):
        status, body = left.pop(0) if len(left) > 1 else left[0]
        return AWSResponse(request.url, status, {}, Raw(json.dumps(body).encode()))

    client.meta.events.register("before-send.sagemaker", before_send)
    return client


def throttled(mode: str, attempts: int = 5):
    client = boto3.client("sagemaker", region_name="us-east-1", config=Config(retries={"mode": mode, "total_max_attempts": attempts}))
    return answering(client, (400, {"__type": "ThrottlingException", "message": "Rate exceeded"}))


@pytest.fixture
def no_real_sleep(monkeypatch):
    def sleep(seconds):
        raise AssertionError(f"slept {seconds} s")

    monkeypatch.setattr(time, "sleep", sleep)


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_retries_sleep_on_the_clock(mode, no_real_sleep, monkeypatch):
    monkeypatch.setattr(threading.Condition, "wait", None)  # what adaptive mode sleeps on
    clock = Clock()
    with FakeSageMaker(clock=clock):
        client = throttled(mode)
        before = clock.now()
        for _ in range(3):
            with pytest.raises(ClientError) as caught:
                client.list_models()
            assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 4
        assert clock.now() > before


def test_a_waiter_sleeps_on_the_clock(smfake, no_real_sleep):
    client = boto3.client("sagemaker", region_name="us-east-1")
    creating = {"EndpointName": "x", "EndpointArn": "x", "EndpointStatus": "Creating", "CreationTime": 0, "LastModifiedTime": 0}
    answering(client, *[(200, creating)] * 5, (200, creating | {"EndpointStatus": "InService"}))
    before = smfake.clock.now()
    client.get_waiter("endpoint_in_service").wait(EndpointName="x")
    assert 150 <= smfake.clock.now() - before < 160


def test_a_waiter_gives_up_as_always(smfake, no_real_sleep):
    client = boto3.client("sagemaker", region_name="us-east-1")
    creating = {"EndpointName": "x", "EndpointArn": "x", "EndpointStatus": "Creating", "CreationTime": 0, "LastModifiedTime": 0}
    answering(client, (200, creating))
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        client.get_waiter("endpoint_in_service").wait(EndpointName="x")


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
def test_real_sleeps_if_asked(mode, monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    with FakeSageMaker(real_sleep=True), pytest.raises(ClientError):
        throttled(mode, attempts=2).list_models()
    assert len(slept) == 1


def test_botocore_gets_its_time_back():
    with FakeSageMaker():
        assert botocore.endpoint.time is not time
        assert botocore.endpoint.time.time() == pytest.approx(time.time(), abs=60)
    assert botocore.endpoint.time is time


def test_every_world_starts_with_a_full_retry_quota():
    client = throttled("standard", attempts=3)
    for _ in range(3):
        with FakeSageMaker() as fake:
            retries = []
            for _ in range(60):
                with pytest.raises(ClientError) as caught:
                    client.list_models()
                retries.append(caught.value.response["ResponseMetadata"]["RetryAttempts"])
            assert retries[0] == 2
            assert retries[-1] == 0  # the quota runs out within a world, as it does against the service
            assert len(fake.quotas) == 1
        assert fake.quotas == {}


def test_reset_fills_the_quota():
    client = throttled("standard", attempts=3)
    with FakeSageMaker() as fake:
        for _ in range(60):
            with pytest.raises(ClientError):
                client.list_models()
        fake.reset()
        with pytest.raises(ClientError) as caught:
            client.list_models()
        assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 2


NEW_YEAR = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)


def created(fake) -> datetime.datetime:
    client = fake.client()
    client.create_model(**fake.request())
    return client.describe_model(ModelName="model")["CreationTime"].astimezone(datetime.UTC)


def test_freezegun_rules(smfake):
    with freezegun.freeze_time(NEW_YEAR):
        assert created(smfake) == NEW_YEAR


def test_time_machine_rules(smfake):
    with time_machine.travel(NEW_YEAR, tick=False):
        assert created(smfake) == NEW_YEAR
        smfake.clock.advance(3600)
        smfake.reset()
        assert created(smfake) == NEW_YEAR + datetime.timedelta(hours=1)


@pytest.mark.parametrize(
    "seconds",
    [-1, float("nan"), float("inf"), 10**5000, "1", True, None],
    ids=lambda value: str(value)[:9] if value != 10**5000 else "large",
)
def test_a_clock_does_not_run_backwards(seconds):
    with pytest.raises(ValueError, match=r"^a clock advances by at least 0 seconds( and at most 10000000000)?, not "):
        Clock().advance(seconds)
