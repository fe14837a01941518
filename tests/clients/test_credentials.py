"""Real credentials are never needed, refreshed or sent; accounts are read from the keys that a test gives."""

from __future__ import annotations

import datetime
import os

import boto3
import botocore.session
import pytest
from botocore.credentials import Credentials, RefreshableCredentials

from pytest_smfake import FakeSageMaker
from pytest_smfake.clients.credentials import COVERED
from pytest_smfake.service.arns import PARTITIONS, access_key_of, account_of, partition_of

REAL = "AKIAQXXXREALREALREAL"


def sent_key(client) -> str:
    """Return the access key that a client signs a request with."""
    seen = []
    client.meta.events.register("before-send.sagemaker", lambda request, **_: seen.append(request.headers["Authorization"]))
    client.list_models()
    value = seen[0]
    return (value.decode() if isinstance(value, bytes) else value).split("Credential=")[1].split("/")[0]


def test_variables_are_set_aside_and_put_back(monkeypatch):
    for name in COVERED:
        monkeypatch.setenv(name, f"real {name}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    before = dict(os.environ)
    with FakeSageMaker():
        assert not [name for name in COVERED if "real" in os.environ.get(name, "")]
        assert os.environ["AWS_DEFAULT_REGION"] == "eu-west-1"
        assert os.environ["AWS_RETRY_MODE"] == "adaptive"
        assert os.environ["AWS_EC2_METADATA_DISABLED"].lower() == "true"
    assert dict(os.environ) == before


def test_a_client_made_with_the_variables_of_before(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", REAL)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    before = boto3.Session(region_name="us-east-1").client("sagemaker")
    with FakeSageMaker() as fake:
        assert sent_key(before) == access_key_of(fake.account)
        assert sent_key(boto3.Session(region_name="us-east-1").client("sagemaker")) == access_key_of(fake.account)
    assert before._request_signer._credentials.access_key == REAL


def test_a_client_made_without_credentials(monkeypatch):
    for name in COVERED:
        monkeypatch.delenv(name, raising=False)
    session = botocore.session.Session()
    session.get_component("credential_provider").providers.clear()
    client = session.create_client("sagemaker", region_name="us-east-1")
    with FakeSageMaker() as fake:
        assert sent_key(client) == access_key_of(fake.account)


def test_credentials_are_not_refreshed():
    def refresh():
        raise AssertionError("refreshed")

    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    session = botocore.session.Session()
    session._credentials = RefreshableCredentials(REAL, "real", "real", past, refresh, "assume-role")
    client = session.create_client("sagemaker", region_name="us-east-1")
    with FakeSageMaker() as fake:
        assert sent_key(client) == access_key_of(fake.account)


@pytest.fixture
def profiles(tmp_path, monkeypatch):
    config = tmp_path / "config"
    config.write_text(
        "[profile work]\nregion = eu-central-1\naws_access_key_id = real\naws_secret_access_key = real\n"
        "[profile role]\nregion = eu-west-3\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = work\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


@pytest.mark.parametrize(("profile", "region"), [("work", "eu-central-1"), ("role", "eu-west-3")])
def test_profiles_keep_their_region_and_get_dummies(profiles, profile, region):
    with FakeSageMaker() as fake:
        client = boto3.Session(profile_name=profile).client("sagemaker")
        assert client.meta.region_name == region
        assert sent_key(client) == access_key_of(fake.account)


def test_a_profile_by_variable(profiles, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "role")
    with FakeSageMaker() as fake:
        client = boto3.Session().client("sagemaker")
        assert client.meta.region_name == "eu-west-3"
        assert sent_key(client) == access_key_of(fake.account)


def test_a_ready_client_reads_the_configuration_of_its_test(tmp_path, monkeypatch):
    for mode in ("adaptive", "legacy"):
        config = tmp_path / mode
        config.write_text(f"[default]\nretry_mode = {mode}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        with FakeSageMaker() as fake:
            assert fake.client().meta.config.retries["mode"] == mode


def test_variables_that_the_test_sets_are_its_own(smfake, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
    client = boto3.Session(region_name="us-east-1").client("sagemaker")
    assert ":111122223333:" in client.create_model(**smfake.request())["ModelArn"]


@pytest.mark.parametrize(
    ("key", "account"),
    [
        ("111122223333", "111122223333"),
        (access_key_of("111122223333"), "111122223333"),
        (access_key_of("000000000001"), "000000000001"),
        ("AKIAIOSFODNN7EXAMPLE", "123456789012"),
        ("testing", "123456789012"),
        ("FOOBARKEY", "123456789012"),
    ],
)
def test_the_account_of_a_key(key, account, smfake):
    client = boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key="x")
    assert client.create_model(**smfake.request())["ModelArn"].split(":")[4] == account


def test_a_session_keeps_nothing_of_a_fake(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", REAL)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    session = boto3.Session(region_name="us-east-1")
    with FakeSageMaker(account="111122223333") as first:
        client = session.client("sagemaker")
        assert session.get_credentials().access_key == access_key_of("111122223333")
        assert ":111122223333:" in client.create_model(**first.request())["ModelArn"]
    with FakeSageMaker(account="222233334444") as second:
        for one in (client, session.client("sagemaker")):
            assert ":222233334444:" in one.create_model(**second.request(ModelName=f"m{id(one)}"))["ModelArn"]
    assert session.get_credentials().access_key == REAL


@pytest.mark.parametrize("account", ["000000000000", "000000000001", "123456789012", "123456789013", "999999999999"])
def test_keys_hold_their_account(account):
    assert account_of(access_key_of(account)) == account
    assert len(access_key_of(account)) == 20


def test_a_key_that_holds_no_account():
    assert account_of("AKIA77777777A7777777") is None


def test_the_fakes_own_account(monkeypatch):
    with FakeSageMaker(account="111122223333", region="eu-west-1") as fake:
        assert fake.client().create_model(**fake.request())["ModelArn"] == "arn:aws:sagemaker:eu-west-1:111122223333:model/model"
        explicit = boto3.client("sagemaker", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        assert explicit.list_models()["Models"] != []


def test_explicit_session_tokens_are_kept():
    credentials = Credentials("111122223333", "x", "token")
    session = botocore.session.Session()
    session._credentials = credentials
    client = session.create_client("sagemaker", region_name="us-east-1")
    with FakeSageMaker():
        assert sent_key(client) == "111122223333"


def test_partitions_are_those_of_botocore():
    data = botocore.session.Session().get_component("data_loader").load_data("partitions")
    known = {partition["id"]: list(partition["regions"]) for partition in data["partitions"]}
    assert {name for name, _ in PARTITIONS} <= set(known)
    for name, regions in known.items():
        for region in regions:
            if not region.endswith("-global"):
                assert partition_of(region) == name, region
