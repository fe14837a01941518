"""`@FakeSageMaker()` on functions of every kind, `async with`, `start()` and `stop()`."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import sys
import threading
import unittest
from contextlib import contextmanager
from contextvars import copy_context
from unittest import mock

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_smfake import FakeSageMaker, UnusedFaultError
from pytest_smfake.protocol.active import active, fakes

# Where no fake is active it reaches nobody: a proxy that is not there.
CLIENT = boto3.client(
    "sagemaker",
    region_name="us-east-1",
    aws_access_key_id="key",
    aws_secret_access_key="secret",
    config=Config(proxies={"https": "http://127.0.0.1:9"}, retries={"max_attempts": 0}),
)


def create(name: str = "churn") -> list[str]:
    """Create a model, and return the names of all."""
    CLIENT.create_model(ModelName=name, ExecutionRoleArn="arn:aws:iam::123456789012:role/r", PrimaryContainer={"Image": "i"})
    return names()


def names() -> list[str]:
    return sorted(model["ModelName"] for model in CLIENT.list_models()["Models"])


@pytest.fixture(autouse=True)
def _nothing_stays():
    assert active() is None
    yield
    assert active() is None


def hidden(function):
    """Decorate as many do: nobody can see of what kind the function is."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


class TestCoroutineFunctions:
    @pytest.mark.parametrize("below", [lambda function: function, hidden], ids=["plain", "hidden"])
    def test_the_fake_is_active_while_the_body_runs(self, below):
        @FakeSageMaker()
        @below
        async def deploy(name, *, wait=0):
            await asyncio.sleep(wait)
            return create(name)

        coroutine = deploy("churn", wait=0.001)
        assert active() is None
        assert asyncio.run(coroutine) == ["churn"]
        assert active() is None
        assert asyncio.run(deploy("other")) == ["other"]

    def test_what_hides_a_coroutine_function_runs_in_the_same_world(self):
        @FakeSageMaker(faults=[("DeleteModel", "500")])
        def deploy():
            create("first")

            async def rest():
                with pytest.raises(ClientError, match="500"):
                    CLIENT.delete_model(ModelName="first")
                return create("second")

            return rest()

        assert asyncio.run(deploy()) == ["first", "second"]

    def test_an_error_and_a_cancellation_end_it(self):
        @FakeSageMaker(faults=[("ListModels", "500")])
        async def deploy(wait):
            await asyncio.sleep(wait)
            raise KeyError(wait)

        with pytest.raises(KeyError):
            asyncio.run(deploy(0))

        async def cancelled():
            task = asyncio.create_task(deploy(60))
            await asyncio.sleep(0)
            assert active() is not None
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancelled())

    def test_a_fault_that_never_struck_is_told(self):
        @FakeSageMaker(faults=[("ListModels", "500")])
        async def deploy():
            return None

        with pytest.raises(UnusedFaultError):
            asyncio.run(deploy())


@FakeSageMaker()
def steps(*arguments):
    """Tell what comes in, and what the fake has then."""
    got = []
    for number in range(4):
        try:
            got.append((yield create(f"m{number}")))
        except ValueError as error:
            got.append(error)
    return got, arguments


class TestGenerators:
    def test_it_is_active_from_the_first_step_to_the_end(self):
        generator = steps("a", 1)
        assert active() is None
        assert next(generator) == ["m0"]
        assert names() == ["m0"]
        assert generator.send("sent") == ["m0", "m1"]
        error = ValueError("thrown")
        assert generator.throw(error) == ["m0", "m1", "m2"]
        assert next(generator) == ["m0", "m1", "m2", "m3"]
        with pytest.raises(StopIteration) as end:
            next(generator)
        assert end.value.value == (["sent", error, None, None], ("a", 1))

    @pytest.mark.parametrize("end", ["close", "throw", "garbage"])
    def test_it_ends_with_the_generator(self, end):
        generator = steps()
        next(generator)
        assert active() is not None
        if end == "close":
            generator.close()
        elif end == "throw":
            with pytest.raises(KeyError):
                generator.throw(KeyError())
        else:
            del generator
            gc.collect()
        assert active() is None

    def test_a_generator_that_is_returned_later(self):
        @FakeSageMaker()
        @hidden
        def numbers():
            yield create()

        assert list(numbers()) == [["churn"]]

    def test_a_fault_that_never_struck_is_told_at_the_end(self):
        @FakeSageMaker(faults=[("ListModels", "500")])
        def number():
            yield 1

        generator = number()
        next(generator)
        with pytest.raises(UnusedFaultError):
            next(generator)
        generator = number()
        next(generator)
        generator.close()


@FakeSageMaker()
async def async_steps(*arguments):
    got = []
    for number in range(3):
        try:
            await asyncio.sleep(0)
            got.append((yield create(f"m{number}")))
        except ValueError as error:
            got.append(error)
    yield got, arguments


def in_a_task_of_its_own(awaitable):
    """Run a step as runners of fixtures do: in another task, in another context."""

    async def step():
        return await awaitable

    return asyncio.create_task(step(), context=copy_context())


class TestAsyncGenerators:
    @pytest.mark.parametrize("run", [lambda awaitable: awaitable, in_a_task_of_its_own], ids=["one-task", "tasks"])
    def test_it_is_active_from_the_first_step_to_the_end(self, run):
        async def go():
            generator = async_steps("a", 1)
            assert active() is None
            assert await run(anext(generator)) == ["m0"]
            assert active() is not None
            assert await run(generator.asend("sent")) == ["m0", "m1"]
            error = ValueError("thrown")
            assert await run(generator.athrow(error)) == ["m0", "m1", "m2"]
            assert await run(anext(generator)) == (["sent", error, None], ("a", 1))
            with pytest.raises(StopAsyncIteration):
                await anext(generator)
            assert active() is None

        asyncio.run(go())

    @pytest.mark.parametrize("end", ["aclose", "athrow", "loop"])
    def test_it_ends_with_the_generator(self, end):
        seen = []

        @FakeSageMaker()
        async def watched():
            try:
                yield create()
            finally:
                await asyncio.sleep(0)
                seen.append(names())

        async def go():
            generator = watched()
            await anext(generator)
            if end == "aclose":
                await generator.aclose()
            elif end == "athrow":
                with pytest.raises(KeyError):
                    await generator.athrow(KeyError())
            else:
                return generator  # the loop closes it
            assert active() is None
            return None

        asyncio.run(go())
        assert seen == [["churn"]]

    def test_the_loop_closes_one_generator_and_not_the_body_beside_it(self):
        known = []

        async def go():
            generator = async_steps()
            hooks = sys.get_asyncgen_hooks()
            sys.set_asyncgen_hooks(firstiter=known.append)
            await anext(generator)
            assert sys.get_asyncgen_hooks().firstiter == known.append
            sys.set_asyncgen_hooks(*hooks)
            assert known == [generator]
            await generator.aclose()

        asyncio.run(go())

    def test_one_that_yields_when_it_is_closed(self):
        @FakeSageMaker()
        async def stubborn():
            while True:
                try:
                    yield create("a" + str(len(names())))
                except GeneratorExit:
                    yield

        async def go():
            generator = stubborn()
            await anext(generator)
            with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
                await generator.aclose()

        asyncio.run(go())

    def test_a_hidden_one(self):
        @FakeSageMaker()
        @hidden
        async def numbers():
            yield create()

        async def go():
            return [number async for number in numbers()]

        assert asyncio.run(go()) == [["churn"]]

    def test_a_fault_that_never_struck_is_told_at_the_end(self):
        @FakeSageMaker(faults=[("ListModels", "500")])
        async def number():
            yield 1

        async def go():
            return [one async for one in number()]

        with pytest.raises(UnusedFaultError):
            asyncio.run(go())


class TestEveryKind:
    @pytest.mark.parametrize(
        ("kind", "function"),
        [
            (inspect.iscoroutinefunction, FakeSageMaker()(asyncio.sleep)),
            (inspect.isgeneratorfunction, steps),
            (inspect.isasyncgenfunction, async_steps),
            (inspect.iscoroutinefunction, FakeSageMaker()(functools.partial(asyncio.sleep, 0))),
        ],
        ids=["coroutine", "generator", "async-generator", "partial"],
    )
    def test_the_kind_stays(self, kind, function):
        assert kind(function)

    def test_the_signature_stays(self):
        def function(one: int, *, two: str = "") -> None:
            """Do nothing."""

        decorated = FakeSageMaker()(function)
        assert inspect.signature(decorated) == inspect.signature(function)
        assert (decorated.__name__, decorated.__doc__, decorated.__wrapped__) == ("function", "Do nothing.", function)

    def test_copies_are_active_and_never_the_fake_itself(self):
        given = FakeSageMaker(account="111122223333", edition="sdk")

        @given
        def inside():
            fake = active()
            assert fake is not given
            return repr(fake)

        assert inside() == repr(given)
        assert given not in fakes

    def test_recursion_and_nesting(self):
        @FakeSageMaker()
        def down(depth):
            return create() and (down(depth - 1) if depth else names())

        assert down(3) == ["churn"]

        @FakeSageMaker()
        @FakeSageMaker(account="111122223333")
        def nested():
            return (len(fakes), active().account)

        assert nested() == (2, "111122223333")

    def test_threads_one_after_another(self):
        @FakeSageMaker()
        def run(seen):
            seen.append(create())

        seen = []
        for _ in range(3):
            thread = threading.Thread(target=run, args=(seen,))
            thread.start()
            thread.join()
        assert seen == [["churn"]] * 3

    def test_arguments_that_can_be_read_once_serve_every_call(self):
        faults = (pair for pair in [("CreateModel", "500")])
        fake = FakeSageMaker(faults=faults, allow=(host for host in ["minio.internal"]))
        assert fake.allow == ("minio.internal",)

        @fake
        def run():
            with pytest.raises(ClientError, match="500"):
                create()
            return active().allow

        assert run() == run() == ("minio.internal",)

    def test_static_and_class_methods(self):
        class Deployment:
            @FakeSageMaker()
            @staticmethod
            def one(name):
                return create(name)

            @FakeSageMaker()
            @classmethod
            def two(cls, name):
                return cls, create(name)

            @staticmethod
            @FakeSageMaker()
            def three(name):
                return create(name)

            @FakeSageMaker()
            def four(self, name):
                return type(self), create(name)

        assert Deployment.one("a") == Deployment().one("a") == Deployment.three("a") == ["a"]
        assert Deployment.two("a") == Deployment().two("a") == Deployment().four("a") == (Deployment, ["a"])

    def test_methods_and_what_libraries_make_of_functions(self):
        class Deployment:
            def run(self):
                return create()

        assert FakeSageMaker()(Deployment().run)() == ["churn"]
        assert FakeSageMaker()(functools.partial(create, "a"))() == ["a"]
        assert FakeSageMaker()(functools.lru_cache(create))() == ["churn"]

    def test_mock_patch_above_and_below(self):
        @mock.patch(f"{__name__}.unused", "outer")
        @FakeSageMaker()
        @mock.patch(f"{__name__}.other")
        def run(other_mock):
            return create(), unused, other is other_mock

        assert run() == (["churn"], "outer", True)

    @pytest.mark.parametrize("order", ["above", "below"])
    def test_given_above_and_below(self, order):
        seen = []

        def body(number):
            seen.append(names())
            create(f"m{len(seen)}")

        if order == "above":  # each example is a call
            test = settings(max_examples=5)(given(st.integers())(FakeSageMaker()(body)))
        else:  # all examples are one call
            test = FakeSageMaker()(settings(max_examples=5)(given(st.integers())(body)))
        test()
        assert len(seen) == 5
        assert [len(before) for before in seen] == ([0] * 5 if order == "above" else [0, 1, 2, 3, 4])


unused = other = "as it is"


class Callable:
    def __call__(self):
        """Do nothing."""


class Plain:
    def deploy(self):
        """Do nothing."""

    @property
    def name(self):
        return "name"

    @functools.cached_property
    def cached(self):
        return "cached"

    @pytest.fixture
    def fixed(self):
        return "fixed"


@FakeSageMaker()
class Decorated(unittest.TestCase):
    """It has no tests yet: a base for others."""


class TestWhatCannotBeDecorated:
    @pytest.mark.parametrize(
        ("what", "told"),
        [
            (5, "cannot decorate 5; it decorates functions of any kind and classes with tests"),
            (None, "cannot decorate None; it decorates"),
            (Callable(), "test_decorator.Callable object at 0x.*; it decorates"),
            (FakeSageMaker(), "cannot decorate <FakeSageMaker .*>; it decorates"),
            (Plain.name, "cannot decorate <property .*>: write @FakeSageMaker\\(\\) below @property"),
            (vars(Plain)["cached"], "cannot decorate <functools.cached_property .*>: write @FakeSageMaker\\(\\) below @cached_property"),
            (vars(Plain)["fixed"], "cannot decorate <.*fixed.*>: write @FakeSageMaker\\(\\) below @pytest.fixture"),
            (staticmethod(vars(Plain)["fixed"]), "cannot decorate <.*: write @FakeSageMaker\\(\\) below @pytest.fixture"),
            (contextmanager(lambda: iter([None])), "cannot decorate <function .*>: write @FakeSageMaker\\(\\) below @contextmanager"),
            (Plain, "cannot decorate <class '.*Plain'>, which has no tests; decorate the functions that must run in a fake"),
            (Decorated, "cannot decorate <class '.*Decorated'> twice; each of its tests has one world"),
        ],
        ids=[
            "number",
            "None",
            "instance",
            "fake",
            "property",
            "cached-property",
            "fixture",
            "static-fixture",
            "context-manager",
            "no-tests",
            "twice",
        ],
    )
    def test_it_is_told_at_once_in_one_sentence(self, what, told):
        with pytest.raises(TypeError, match=told) as caught:
            FakeSageMaker()(what)
        assert "\n" not in str(caught.value)

    def test_nothing_is_done_to_a_class_that_is_refused(self):
        assert not [name for name in vars(Plain) if "smfake" in name]


class TestWithoutABlock:
    def test_start_and_stop(self):
        fake = FakeSageMaker()
        assert fake.start() is fake
        create()
        fake.stop()
        assert list(fake.models) == ["churn"]

    def test_a_started_fake_that_nobody_keeps_stays(self):
        FakeSageMaker(account="111122223333").start()
        gc.collect()
        assert create() == ["churn"]
        assert active().account == "111122223333"
        active().stop()

    @pytest.mark.parametrize("stopped", [True, False])
    def test_stop_of_what_is_not_active(self, stopped):
        fake = FakeSageMaker()
        if stopped:
            fake.start().stop()
        with FakeSageMaker() as around:
            with pytest.raises(RuntimeError, match="^<FakeSageMaker .*> is not active: call start\\(\\) before stop\\(\\)$"):
                fake.stop()
            assert active() is around

    def test_stop_tells_of_unused_faults(self):
        fake = FakeSageMaker(faults=[("ListModels", "500")]).start()
        with pytest.raises(UnusedFaultError):
            fake.stop()
        assert active() is None

    def test_async_with(self):
        async def go():
            async with FakeSageMaker() as fake:
                create()
                assert active() is fake
            assert active() is None
            with pytest.raises(KeyError):
                async with FakeSageMaker(faults=[("ListModels", "500")]):
                    raise KeyError
            with pytest.raises(UnusedFaultError):
                async with FakeSageMaker(faults=[("ListModels", "500")]):
                    pass
            return list(fake.models)

        assert asyncio.run(go()) == ["churn"]
