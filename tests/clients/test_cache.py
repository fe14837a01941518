"""What sessions of botocore share while a fake is active, and what they do not."""

from __future__ import annotations

import copy
import json

import boto3
import botocore.loaders
import pytest
from botocore.config import Config
from botocore.exceptions import UnknownServiceError

from pytest_smfake import FakeSageMaker
from pytest_smfake.clients import cache

MODELS = ("service-2", "paginators-1", "waiters-2", "endpoint-rule-set-1")


def loaders(session: boto3.Session):
    return session._session.get_component("data_loader")


@pytest.mark.parametrize("kind", MODELS)
def test_models_are_read_once_and_are_those_of_botocore(kind):
    before = botocore.loaders.Loader().load_service_model("sagemaker", kind)
    with FakeSageMaker():
        first, second = (loaders(boto3.Session()).load_service_model("sagemaker", kind) for _ in range(2))
    assert first is second
    assert first == before
    after = botocore.loaders.Loader().load_service_model("sagemaker", kind)
    assert after is not first
    assert after == before


def test_nobody_writes_to_what_is_shared(smfake):
    client = boto3.Session(region_name="us-east-1").client("sagemaker")
    kept = copy.deepcopy(cache._read)
    assert len(kept) > len(MODELS)
    for region in ("us-east-1", "cn-north-1", "us-gov-west-1", "elsewhere-1"):
        session = boto3.Session(region_name=region)
        for service in ("sagemaker", "sagemaker-runtime", "s3", "sts", "iam"):
            session.client(service)
        session.resource("s3")
        session.get_available_regions("sagemaker")
        # With variants botocore resolves in another way.
        session.client("s3", config=Config(use_dualstack_endpoint=True, use_fips_endpoint=region.startswith("us-")))
    client.get_paginator("list_models")
    client.get_waiter("endpoint_in_service")
    client.create_model(**smfake.request())
    assert {key: cache._read[key] for key in kept} == kept


def test_endpoints_belong_to_a_session():
    plain = botocore.loaders.Loader().load_data("endpoints")
    with FakeSageMaker():
        first, second = (loaders(boto3.Session()).load_data("endpoints") for _ in range(2))
        assert first == second == plain
        first["partitions"][0]["services"]["s3"]["endpoints"]["us-east-1"]["hostname"] = "mine"
        assert second == plain == loaders(boto3.Session()).load_data("endpoints")


def test_models_of_a_user_are_read_by_each_session(smfake, tmp_path, monkeypatch):
    folder = tmp_path / "mine" / "2026-01-01"
    folder.mkdir(parents=True)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    for text in ("first", "second"):
        (folder / "service-2.json").write_text(json.dumps({"metadata": {}, "documentation": text}))
        assert loaders(boto3.Session()).load_service_model("mine", "service-2")["documentation"] == text


def test_an_unknown_service_is_told_as_ever(smfake):
    with pytest.raises(UnknownServiceError, match="Unknown service: 'sagemakr'"):
        boto3.Session().client("sagemakr", region_name="us-east-1")


def test_nothing_stays():
    load_file, load_model = botocore.loaders.JSONFileLoader.load_file, botocore.loaders.Loader.load_service_model
    with FakeSageMaker():
        assert botocore.loaders.JSONFileLoader.load_file is not load_file
    assert botocore.loaders.JSONFileLoader.load_file is load_file
    assert botocore.loaders.Loader.load_service_model is load_model
