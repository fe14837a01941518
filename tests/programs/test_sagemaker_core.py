"""The SageMaker Python SDK, version 3 (sagemaker-core 2): its resources wait on the fake's clock, and give up by it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import boto3
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # the SDK's own


@pytest.fixture
def resources(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))  # where it looks for settings, and logs
    if find_spec("sagemaker") is None or find_spec("sagemaker.core") is None:
        pytest.skip("the SageMaker Python SDK 3 is not installed")
    return import_module("sagemaker.core.resources")


@pytest.fixture
def endpoint(resources, smfake, monkeypatch):
    """An endpoint that is being created for ten minutes; a sleep in real time fails."""

    def sleep(seconds):
        raise AssertionError(f"slept {seconds} s in real time")

    smfake.endpoints.take(seconds=600)
    smfake.add_endpoint("churn")
    found = resources.Endpoint.get("churn", session=boto3.Session(region_name="us-east-1"), region="us-east-1")
    monkeypatch.setattr("time.sleep", sleep)
    return found


def test_it_waits_for_a_status(endpoint, smfake):
    before = smfake.clock.now()
    endpoint.wait_for_status("InService", poll=30)
    assert smfake.endpoints["churn"].status == "InService"
    assert 600 <= smfake.clock.now() - before < 660


def test_it_gives_up_when_the_time_is_over_on_the_fake_s_clock(endpoint, smfake):
    from sagemaker.core.utils.exceptions import TimeoutExceededError

    with pytest.raises(TimeoutExceededError):
        endpoint.wait_for_status("InService", poll=30, timeout=100)
    assert smfake.endpoints["churn"].status == "Creating"


def test_it_waits_for_a_deletion(endpoint, smfake):
    endpoint.wait_for_status("InService")
    endpoint.delete()
    endpoint.wait_for_delete()
    assert list(smfake.endpoints) == []
