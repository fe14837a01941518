"""Fakes in asyncio: each task has its own or shares one, and none answers the calls of another without a word."""

from __future__ import annotations

import asyncio
from textwrap import dedent

import pytest

from pytest_smfake import FakeSageMaker
from pytest_smfake.protocol.active import active, in_context

REFUSED = "this call was not sent: the active fake is .*, and the call comes from a task with "


def create(fake, name):
    return fake.client().create_model(**fake.request(ModelName=name))


def test_two_tasks_with_a_fake_each_are_told_apart():
    async def one(entered, other):
        with FakeSageMaker() as fake:
            create(fake, "first")
            entered.set()
            await other.wait()
            with pytest.raises(RuntimeError, match=f"{REFUSED}<FakeSageMaker"):
                create(fake, "late")
            return list(fake.models)

    async def two(entered, other):
        await entered.wait()
        with FakeSageMaker() as fake:
            create(fake, "second")
            other.set()
            await asyncio.sleep(0.01)
            return list(fake.models)

    async def main():
        entered, other = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(one(entered, other), two(entered, other))

    assert asyncio.run(main()) == [["first"], ["second"]]
    assert active() is None


def test_a_task_whose_fake_has_ended_does_not_fall_into_that_of_another():
    async def one(entered):
        with FakeSageMaker() as fake:
            await entered.wait()
            client = fake.client()
        with pytest.raises(RuntimeError, match=f"{REFUSED}no fake of its own"):
            client.list_models()

    async def two(entered):
        with FakeSageMaker() as fake:
            entered.set()
            await asyncio.sleep(0.01)
            return fake.calls.operations

    async def main():
        entered = asyncio.Event()
        return await asyncio.gather(one(entered), two(entered))

    assert asyncio.run(main()) == [None, []]


def test_child_tasks_threads_and_executors_share_the_fake_of_their_task():
    async def child(fake, name):
        await asyncio.sleep(0)
        create(fake, name)

    async def main():
        with FakeSageMaker() as fake:
            await asyncio.gather(child(fake, "a"), child(fake, "b"))
            await asyncio.to_thread(create, fake, "c")
            await asyncio.get_running_loop().run_in_executor(None, create, fake, "d")
            return sorted(fake.models)

    assert asyncio.run(main()) == ["a", "b", "c", "d"]


def test_gather_below_a_fixture(smfake):
    async def child(name):
        create(smfake, name)

    async def main():
        await asyncio.gather(child("a"), child("b"))

    asyncio.run(main())
    assert sorted(smfake.models) == ["a", "b"]


def test_nested_fakes_in_a_task(smfake):
    async def main():
        with FakeSageMaker() as inner:
            create(inner, "inner")
            assert in_context.get() is inner
        create(smfake, "outer")
        assert in_context.get() is smfake

    asyncio.run(main())
    assert list(smfake.models) == ["outer"]


def test_a_fake_in_one_child_is_not_that_of_its_sibling():
    async def nested(entered, looked):
        with FakeSageMaker():
            entered.set()
            await looked.wait()

    async def sibling(outer, entered, looked):
        await entered.wait()
        with pytest.raises(RuntimeError, match=REFUSED):
            create(outer, "late")
        looked.set()

    async def main():
        entered, looked = asyncio.Event(), asyncio.Event()
        with FakeSageMaker() as outer:
            await asyncio.gather(nested(entered, looked), sibling(outer, entered, looked))
            create(outer, "after")
            return list(outer.models)

    assert asyncio.run(main()) == ["after"]


def test_a_call_of_aiobotocore_is_refused_in_the_same_sentence():
    pytest.importorskip("aiobotocore", reason="aiobotocore is not installed")

    async def one(entered, other):
        with FakeSageMaker() as fake:
            entered.set()
            await other.wait()
            async with fake.async_client() as client:
                with pytest.raises(RuntimeError, match=REFUSED):
                    await client.list_models()

    async def two(entered, other):
        await entered.wait()
        with FakeSageMaker() as fake:
            other.set()
            await asyncio.sleep(0.05)
            async with fake.async_client() as client:
                await client.list_models()
            return fake.calls.operations

    async def main():
        entered, other = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(one(entered, other), two(entered, other))

    assert asyncio.run(main()) == [None, ["ListModels"]]


def test_a_thread_with_a_loop_of_its_own_shares_the_fake():
    async def call(fake):
        create(fake, "in-a-loop-of-its-own")

    async def main():
        with FakeSageMaker() as fake:
            await asyncio.get_running_loop().run_in_executor(None, lambda: asyncio.run(call(fake)))
            return list(fake.models)

    assert asyncio.run(main()) == ["in-a-loop-of-its-own"]


PLUGINS = {
    "pytest-asyncio": ("pytest_asyncio", "pytest_asyncio.fixture", "pytest.mark.asyncio", ""),
    "anyio": ("anyio", "pytest.fixture", "pytest.mark.anyio", "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n"),
}


@pytest.mark.parametrize("name", PLUGINS)
def test_async_fixtures(name, pytester, monkeypatch):
    module, fixture, mark, more = PLUGINS[name]
    pytest.importorskip(module, reason=f"{name} is not installed")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    plugins = {"pytest-asyncio": "pytest_asyncio.plugin", "anyio": "anyio.pytest_plugin"}
    monkeypatch.setenv("PYTEST_PLUGINS", f"pytest_smfake.plugin,{plugins[name]}")
    source = f"""
        import asyncio
        import {module}
        import pytest
        from pytest_smfake import FakeSageMaker
        from pytest_smfake.protocol.active import fakes

        @{fixture}
        async def own():
            with FakeSageMaker() as fake:
                yield fake

        @{fixture}
        async def deployed(smfake):
            smfake.client().create_model(**smfake.request(ModelName="deployed"))
            return smfake

        @{mark}
        async def test_a_fixture_that_enters(own):
            own.client().create_model(**own.request(ModelName="a"))
            await asyncio.to_thread(own.client().list_models)
            assert list(own.models) == ["a"]

        @{mark}
        async def test_a_fixture_that_calls(deployed):
            async def child():
                deployed.client().list_models()
            await asyncio.gather(child(), child())
            assert deployed.calls.operations == ["CreateModel", "ListModels", "ListModels"]

        @{mark}
        async def test_one_in_the_test_below_one_of_a_fixture(own):
            with FakeSageMaker() as fake:
                fake.client().list_models()
            own.client().list_models()
            assert own.calls.operations == fake.calls.operations == ["ListModels"]

        def test_nothing_is_left():
            assert fakes == []
        """
    pytester.makepyfile(dedent(source) + more)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=4)
