"""Clients of aiobotocore: answered in process, with retries, waiters, faults and the guard; afterwards all is as before."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import time

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from pytest_smfake import FakeSageMaker, NetworkBlockedError

pytest.importorskip("aiobotocore.session", reason="aiobotocore is not installed")  # first: in 2.23 its modules need that
import aiobotocore.endpoint
import aiobotocore.waiter
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.retries.bucket import AsyncTokenBucket
from aiobotocore.session import AioSession, get_session
from aiobotocore.signers import AioRequestSigner

PATCHED = [
    (AIOHTTPSession, "send"),
    (AioRequestSigner, "sign"),
    (AioRequestSigner, "get_auth_instance"),
    (AioSession, "get_credentials"),
    (AsyncTokenBucket, "acquire"),
    (aiobotocore.endpoint, "asyncio"),
    (aiobotocore.waiter, "asyncio"),
]


def run(scenario, fake: FakeSageMaker, service: str = "sagemaker", **arguments):
    """Run a coroutine function with a client of the fake's, and return its result."""

    async def main():
        async with fake.async_client(service, **arguments) as client:
            return await scenario(client)

    return asyncio.run(main())


@pytest.fixture
def no_real_sleep(monkeypatch):
    real = asyncio.sleep

    async def sleep(seconds, *result):
        assert seconds == 0
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)


def test_create_describe_list_and_delete(smfake):
    async def scenario(client):
        for name in ("a", "b", "c"):
            await client.create_model(**smfake.request(ModelName=name))
        described = await client.describe_model(ModelName="a")
        pages = [page["Models"] async for page in client.get_paginator("list_models").paginate(PaginationConfig={"PageSize": 2})]
        await client.delete_model(ModelName="a")
        return described["ModelArn"], [[model["ModelName"] for model in page] for page in pages]

    assert run(scenario, smfake) == ("arn:aws:sagemaker:us-east-1:123456789012:model/a", [["c", "b"], ["a"]])
    assert list(smfake.models) == ["b", "c"]


def test_errors_are_those_of_the_service(smfake):
    async def scenario(client):
        with pytest.raises(ClientError, match="failed to satisfy constraint") as caught:
            await client.create_model(**smfake.request(ModelName="a_b"))
        assert caught.value.response["Error"]["Code"] == "ValidationException"
        smfake.limit("models", 0)
        with pytest.raises(client.exceptions.ResourceLimitExceeded):
            await client.create_model(**smfake.request())

    run(scenario, smfake)


@pytest.mark.parametrize(("mode", "attempts"), [("legacy", 5), ("standard", 3), ("adaptive", 3)])
def test_retries_sleep_on_the_clock(mode, attempts, smfake, no_real_sleep, monkeypatch):
    monkeypatch.setattr(asyncio, "wait_for", None)  # what adaptive mode sleeps on
    smfake.fail("CreateModel", "ThrottlingException")

    async def scenario(client):
        with pytest.raises(ClientError, match="Rate exceeded"):
            await client.create_model(**smfake.request())
        await client.create_model(**smfake.request())

    before = smfake.clock.now()
    run(scenario, smfake, config=Config(retries={"mode": mode}))
    assert smfake.calls[0].attempts == attempts
    assert smfake.clock.now() > before
    assert list(smfake.models) == ["model"]


def test_real_sleeps_if_asked(monkeypatch):
    slept = []
    real = asyncio.sleep

    async def sleep(seconds, *result):
        slept.append(seconds)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with FakeSageMaker(real_sleep=True) as fake:
        fake.fail("ListModels", "503", attempts=1)
        run(lambda client: client.list_models(), fake, config=Config(retries={"mode": "standard"}))
    assert len(slept) == 1


def test_a_waiter_sleeps_on_the_clock(smfake, no_real_sleep):
    smfake.endpoints.take(seconds=600)
    smfake.add_endpoint("churn")
    before = smfake.clock.now()
    run(lambda client: client.get_waiter("endpoint_in_service").wait(EndpointName="churn"), smfake)
    assert smfake.clock.now() - before >= 600
    assert smfake.endpoints["churn"].status == "InService"


def test_predictions(smfake):
    smfake.add_endpoint("churn")
    smfake.stand_in("churn", lambda body, *_: body[::-1])

    async def scenario(client):
        answer = await client.invoke_endpoint(EndpointName="churn", Body=b"abc")
        first = await answer["Body"].read(2)
        again = await client.invoke_endpoint(EndpointName="churn", Body=b"abc")
        async with again["Body"] as body:
            return first + await answer["Body"].read(), await body.read(), answer["Body"].tell()

    assert run(scenario, smfake, "sagemaker-runtime") == (b"cba", b"cba", 3)


def test_a_slow_stand_in_does_not_hold_up_the_loop(smfake):
    smfake.add_endpoint("slow")
    done = []
    smfake.stand_in("slow", lambda body, *_: time.sleep(0.2) or done.append("prediction") or body)

    async def scenario(client):
        async def other():
            await asyncio.sleep(0.01)
            done.append("other task")

        await asyncio.gather(client.invoke_endpoint(EndpointName="slow", Body=b""), other())

    run(scenario, smfake, "sagemaker-runtime")
    assert done == ["other task", "prediction"]


def test_a_real_delay_can_be_timed_out(smfake):
    smfake.delay("ListModels", 0.3, real=True)

    async def scenario(client):
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.list_models(), 0.05)

    run(scenario, smfake)


def test_many_at_once(smfake):
    async def scenario(client):
        await asyncio.gather(*(client.create_model(**smfake.request(ModelName=f"m{number}")) for number in range(40)))

    run(scenario, smfake)
    assert list(smfake.models) == [f"m{number}" for number in range(40)]


def test_nothing_leaves_the_process(smfake):
    async def scenario(client):
        with pytest.raises(NetworkBlockedError, match=r"S3 ListBuckets to s3.amazonaws.com was not sent"):
            await client.list_buckets()

    run(scenario, smfake, "s3")


def test_an_allowed_host_and_loopback_are_reached():
    async def scenario(client):
        with pytest.raises(EndpointConnectionError):
            await client.list_buckets()

    address = {"endpoint_url": "http://127.0.0.1:9", "config": Config(retries={"total_max_attempts": 1})}
    with FakeSageMaker() as fake:
        run(scenario, fake, "s3", **address)
    with FakeSageMaker(allow=["127.0.0.1:9"]) as fake:
        run(lambda client: failing(client.list_models(), EndpointConnectionError), fake, **address)
        assert len(fake.calls) == 0


async def failing(call, error):
    with pytest.raises(error):
        await call


def test_moto_answers_the_other_services(smfake_moto):
    async def scenario(client):
        await client.create_bucket(Bucket="bucket")
        await client.put_object(Bucket="bucket", Key="a", Body=b"abc")
        return await (await client.get_object(Bucket="bucket", Key="a"))["Body"].read()

    assert run(scenario, smfake_moto, "s3") == b"abc"
    assert smfake_moto.client("s3").get_object(Bucket="bucket", Key="a")["Body"].read() == b"abc"
    notebooks = run(lambda client: client.list_notebook_instances(), smfake_moto)
    assert notebooks["NotebookInstances"] == []
    assert smfake_moto.calls[-1].passed_on


def test_credentials_are_dummies(smfake, monkeypatch):
    async def scenario():
        # No keys: those of the environment are set aside, and none are looked for.
        async with get_session().create_client("sagemaker", region_name="us-east-1") as client:
            return await client.create_model(**smfake.request(ModelName="a"))

    assert ":123456789012:" in asyncio.run(scenario())["ModelArn"]
    unsigned = run(lambda client: client.create_model(**smfake.request(ModelName="b")), smfake, config=Config(signature_version=UNSIGNED))
    assert unsigned["ModelArn"].endswith("model/b")
    other = run(lambda client: client.create_model(**smfake.request(ModelName="a")), smfake, account="111122223333")
    assert ":111122223333:" in other["ModelArn"]


def test_a_client_made_before_is_answered():
    async def scenario():
        session = get_session()
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        async with session.create_client("sagemaker", region_name="us-east-1", **keys) as client:
            with FakeSageMaker() as fake:
                await client.create_model(**fake.request())
                return list(fake.models)

    assert asyncio.run(scenario()) == ["model"]


def test_aiobotocore_is_as_before():
    before = [vars(owner)[name] for owner, name in PATCHED]
    with FakeSageMaker(), FakeSageMaker():
        assert not any(vars(owner)[name] is original for (owner, name), original in zip(PATCHED, before, strict=True))
    assert [vars(owner)[name] for owner, name in PATCHED] == before


def test_aiobotocore_imported_while_the_fake_is_active():
    script = """
        import asyncio, sys
        from pytest_smfake import FakeSageMaker

        async def scenario(fake):
            from aiobotocore.session import AioSession
            async with AioSession().create_client("sagemaker", region_name="us-east-1") as client:
                await client.create_model(**fake.request(ModelName="churn"))

        with FakeSageMaker() as fake:
            fake.client().list_models()
            assert "aiobotocore" not in sys.modules
            asyncio.run(scenario(fake))
            assert list(fake.models) == ["churn"]
        from aiobotocore.httpsession import AIOHTTPSession
        assert AIOHTTPSession.send.__module__ == "aiobotocore.httpsession"
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_without_aiobotocore_the_extra_is_named(smfake, monkeypatch):
    monkeypatch.setitem(sys.modules, "aiobotocore.session", None)
    with pytest.raises(ImportError, match=r"pip install 'pytest-smfake\[async\]'"):
        smfake.async_client()


class TestHttpx:
    """The second backend of aiobotocore, which also runs on trio."""

    @pytest.fixture(params=["asyncio", "trio"])
    def run(self, request):
        sessions = pytest.importorskip("aiobotocore.httpxsession", reason="this aiobotocore has no httpx backend")
        if sessions.httpx is None:
            pytest.skip("httpx is not installed")
        if request.param == "trio":
            pytest.importorskip("trio", reason="trio is not installed")
        import anyio
        from aiobotocore.config import AioConfig

        config = AioConfig(http_session_cls=sessions.HttpxSession, retries={"mode": "standard"})

        def run(scenario, fake, service="sagemaker"):
            async def main():
                async with fake.async_client(service, config=config) as client:
                    return await scenario(client)

            return anyio.run(main, backend=request.param)

        return run

    @pytest.mark.filterwarnings("ignore:.*httpx:DeprecationWarning")
    def test_calls_retries_and_predictions(self, run, smfake):
        smfake.add_endpoint("churn")
        smfake.stand_in("churn", lambda body, *_: body * 2)
        smfake.fail("CreateModel", "connection-reset", attempts=2)
        before = smfake.clock.now()
        run(lambda client: client.create_model(**smfake.request()), smfake)
        assert smfake.calls[0].attempts == 3
        assert smfake.clock.now() > before

        async def predict(client):
            return await (await client.invoke_endpoint(EndpointName="churn", Body=b"ab"))["Body"].read()

        assert run(predict, smfake, "sagemaker-runtime") == b"abab"


@pytest.mark.parametrize("service", ["sagemaker", "sagemaker-runtime"])
def test_a_refused_call_says_where_it_was_sent_from(smfake, service):
    async def scenario(client):
        with pytest.raises(ClientError):
            await (
                client.invoke_endpoint(EndpointName="none", Body=b"")
                if service == "sagemaker-runtime"
                else client.delete_model(ModelName="none")
            )

    run(scenario, smfake, service)
    path, _, line = smfake.calls[0].sent_from.rpartition(":")
    assert path == __file__
    assert line == str(scenario.__code__.co_firstlineno + 2)


def test_of_a_coroutine_of_a_client_that_is_a_task_no_line_is_known(smfake):
    async def scenario(client):
        await asyncio.gather(client.delete_model(ModelName="none"), return_exceptions=True)

    run(scenario, smfake)
    assert smfake.calls[0].error is not None
    assert smfake.calls[0].sent_from == ""


def test_a_task_of_the_code_under_test_is_known(smfake):
    async def delete(client):
        await client.delete_model(ModelName="none")

    async def scenario(client):
        await asyncio.gather(delete(client), return_exceptions=True)

    run(scenario, smfake)
    assert smfake.calls[0].sent_from == f"{__file__}:{delete.__code__.co_firstlineno + 1}"
