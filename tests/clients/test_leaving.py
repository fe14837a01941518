"""What a fake leaves behind: nothing, however it was used; and what is said of it once it has ended."""

from __future__ import annotations

import gc
import os
import time
import tracemalloc
from unittest import mock

import boto3
import pytest
from botocore.exceptions import NoCredentialsError, ProfileNotFound
from botocore.session import Session
from moto import mock_aws

from pytest_smfake import FakeSageMaker
from pytest_smfake.clients import activation
from pytest_smfake.clients import cache as clients
from pytest_smfake.clients.botocore import patches
from pytest_smfake.protocol.active import active, fakes
from pytest_smfake.service import containers as asgi


class TestTheEnd:
    def test_a_fake_that_has_ended_makes_no_client(self):
        with FakeSageMaker() as fake:
            pass
        with pytest.raises(RuntimeError, match="<FakeSageMaker .*> has ended: nothing would answer a new client"):
            fake.client()
        with fake:
            fake.client().list_models()

    def test_its_clients_do_not_go_to_the_network(self):
        with FakeSageMaker() as fake:
            client = fake.client()
        with pytest.raises(RuntimeError, match=r"a request to api\.sagemaker\.us-east-1\.amazonaws\.com was not sent: the FakeSageMaker"):
            client.list_models()
        with FakeSageMaker() as other:
            client.list_models()
        assert other.calls.operations == ["ListModels"]

    async def _list_models(self, fake):
        async with fake.async_client() as client:
            fake.__exit__()
            await client.list_models()

    def test_its_asynchronous_clients_do_not_either(self):
        asyncio = pytest.importorskip("asyncio")
        pytest.importorskip("aiobotocore", reason="aiobotocore is not installed")
        fake = FakeSageMaker()
        fake.__enter__()
        with pytest.raises(RuntimeError, match="was not sent: the FakeSageMaker that this client was made by has ended"):
            asyncio.run(self._list_models(fake))

    def test_moto_still_answers_a_client_of_another_service(self):
        with mock_aws():
            with FakeSageMaker() as fake:
                s3 = fake.client("s3")
            assert s3.list_buckets()["Buckets"] == []


class TestCredentials:
    def test_code_can_have_none(self, monkeypatch):
        before = boto3.client("sagemaker", region_name="us-east-1", aws_session_token=None)
        with FakeSageMaker(credentials=False) as fake:
            for client in (before, boto3.client("sagemaker", region_name="us-east-1")):
                with pytest.raises(NoCredentialsError):
                    client.list_models()
            assert boto3.Session().get_credentials() is None
            fake.client().list_models()
            boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b").list_models()
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
            boto3.client("sagemaker", region_name="us-east-1").list_models()
        assert [call.account for call in fake.calls] == ["123456789012", "123456789012", "111122223333"]

    def test_by_the_marker(self, pytester, alone):
        pytester.makepyfile("""
            import boto3, pytest
            from botocore.exceptions import NoCredentialsError

            @pytest.mark.smfake(credentials=False)
            def test_it():
                with pytest.raises(NoCredentialsError):
                    boto3.client("sagemaker", region_name="us-east-1").list_models()
        """)
        pytester.runpytest_inprocess().assert_outcomes(passed=1)

    def test_neither_true_nor_false(self):
        with pytest.raises(ValueError, match="credentials=None is not True or False"):
            FakeSageMaker(credentials=None)

    def test_a_token_of_before_is_not_sent(self, monkeypatch):
        monkeypatch.setenv("AWS_SESSION_TOKEN", "real-token")
        with FakeSageMaker():
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            assert boto3.Session().get_credentials().token is None


class TestProfiles:
    def test_a_profile_that_does_not_exist(self, monkeypatch, tmp_path):
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        with FakeSageMaker() as fake:
            fake.client().list_models()
            boto3.client("sagemaker", region_name="us-east-1").list_models()
            boto3.Session(profile_name="another", region_name="eu-west-1").client("sagemaker").list_models()
        assert [call.region for call in fake.calls] == ["us-east-1", "us-east-1", "eu-west-1"]
        with pytest.raises(ProfileNotFound):
            boto3.client("sagemaker", region_name="us-east-1")


def test_clients_that_are_kept_are_bounded():
    with FakeSageMaker() as fake:
        for number in range(2 * clients.MOST_CLIENTS):
            fake.client(account=f"{number:012}").list_models()
    assert len(clients._kept) <= clients.MOST_CLIENTS


class TestStandIns:
    @staticmethod
    def app(at_the_end):
        async def app(scope, receive, send):
            if scope["type"] == "lifespan":
                await receive()
                await send({"type": "lifespan.startup.complete"})
                await receive()
                at_the_end()
                return
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"ok"})

        return app

    @staticmethod
    def use(*apps):
        before = dict(os.environ)
        fake = FakeSageMaker()
        try:
            with fake:
                for number, app in enumerate(apps):
                    fake.stand_in(f"churn-{number}", app)
                    fake.add_endpoint(f"churn-{number}")
                    fake.client("sagemaker-runtime").invoke_endpoint(EndpointName=f"churn-{number}", Body=b"")
        finally:
            assert dict(os.environ) == before
            assert active() is None
            assert not patches.are_in_place()

    @pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(3), KeyboardInterrupt()], ids=repr)
    def test_an_error_at_the_shutdown(self, error):
        closed = []

        def fail():
            raise error

        with pytest.raises(RuntimeError, match="the ASGI app .* failed at its shutdown: ") as caught:
            self.use(self.app(lambda: closed.append(1)), self.app(fail), self.app(lambda: closed.append(2)))
        assert caught.value.__cause__ is error
        assert sorted(closed) == [1, 2]

    def test_a_shutdown_that_hangs(self, monkeypatch):
        monkeypatch.setattr(asgi, "SHUTDOWN_SECONDS", 0.2)
        with pytest.warns(RuntimeWarning, match=r"the ASGI app .* did not shut down within 0\.2 s, and is left to itself"):
            self.use(self.app(lambda: time.sleep(3)))


@pytest.mark.once
def test_four_thousand_activations_leave_memory_flat():
    def activate(times):
        for _ in range(times):
            with FakeSageMaker():
                pass
        gc.collect()

    activate(200)
    tracemalloc.start()
    try:
        activate(1000)
        before, _ = tracemalloc.get_traced_memory()
        activate(3000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Less than any object for each; tables of what awaits the garbage collector grow once.
    assert after - before < 3000 * 72
    assert fakes == []


class TestFixtures:
    """Variables of the environment, through the fixtures of a test in either order."""

    def run(self, pytester, monkeypatch, source):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAQXXXREALREALREAL")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "real-token")
        pytester.makepyfile(
            source
            + """
REAL = {"AWS_ACCESS_KEY_ID": "AKIAQXXXREALREALREAL", "AWS_SECRET_ACCESS_KEY": "real", "AWS_SESSION_TOKEN": "real-token"}

def test_afterwards():
    import os
    assert {name: os.environ.get(name) for name in REAL} == REAL
    assert "AWS_EC2_METADATA_DISABLED" not in os.environ
"""
        )
        return pytester.runpytest_subprocess()

    @pytest.mark.parametrize(
        "fixtures", ["monkeypatch, smfake", "smfake, monkeypatch", "monkeypatch, smfake_moto", "smfake_moto, monkeypatch"]
    )
    def test_monkeypatch(self, pytester, alone, monkeypatch, fixtures):
        source = f"""
def test_it({fixtures}):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
"""
        self.run(pytester, monkeypatch, source).assert_outcomes(passed=2)

    @pytest.mark.parametrize("fixtures", ["smfake_moto", "smfake_moto, smfake", "smfake, smfake_moto"])
    def test_moto(self, pytester, alone, monkeypatch, fixtures):
        source = f"""
import boto3

def test_it({fixtures}):
    boto3.client("s3", region_name="us-east-1").list_buckets()
    boto3.client("sagemaker", region_name="us-east-1").list_models()
    assert smfake_moto.calls.operations == ["ListModels"]
"""
        self.run(pytester, monkeypatch, source).assert_outcomes(passed=2)

    def test_mocks_around_and_inside(self, pytester, alone, monkeypatch):
        source = """
import boto3
import pytest
from moto import mock_aws

@pytest.fixture
def aws():
    with mock_aws():
        yield

def test_around(aws, smfake):
    boto3.client("sagemaker", region_name="us-east-1").list_models()

def test_inside(smfake, aws):
    boto3.client("sagemaker", region_name="us-east-1").list_models()

@mock_aws
def test_decorated(smfake):
    boto3.client("sagemaker", region_name="us-east-1").list_models()
"""
        self.run(pytester, monkeypatch, source).assert_outcomes(passed=4)


def test_a_replacement_that_a_mock_puts_back_passes_calls_on(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAQXXXREALREALREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    before = vars(Session)["get_credentials"]
    fake = FakeSageMaker()
    with fake:
        over = mock.patch.object(Session, "get_credentials", return_value=None)
        over.start()
    over.stop()
    assert vars(Session)["get_credentials"] is not before
    assert Session().get_credentials().access_key == "AKIAQXXXREALREALREAL"
    activation.apply_active_fakes()
    assert vars(Session)["get_credentials"] is before


@pytest.mark.parametrize("change", ["attribute", "configuration", "handler"])
def test_what_a_test_puts_into_a_client_is_not_lent_to_the_next(change):
    with FakeSageMaker() as fake:
        client = fake.client()
        match change:
            case "attribute":
                client.list_models = mock.Mock(return_value={"Models": ["mocked"]})
            case "configuration":
                client.meta.config.read_timeout = 1
            case "handler":
                client.meta.events.register("before-call", lambda **_: None)
    with FakeSageMaker() as fake:
        assert fake.client() is not client
        assert fake.client().list_models()["Models"] == []
        unchanged = fake.client()
        unchanged.exceptions.ClientError  # noqa: B018  # made when it is first asked for
    with FakeSageMaker() as fake:
        assert fake.client() is unchanged
