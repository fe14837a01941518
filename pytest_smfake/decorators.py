"""A fake for as long as a function runs: what `@FakeSageMaker()` does to functions of every kind."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractContextManager, suppress
from types import AsyncGeneratorType, CoroutineType, FunctionType, GeneratorType
from typing import Any, TypeVar, cast

T = TypeVar("T")
Fake = AbstractContextManager[Any]
Around = Callable[..., Fake]
"""Returns what surrounds a call, by the positional arguments of the call; it can be entered again."""


class Unfinished(Exception):  # noqa: N818  # nothing is wrong
    """What a fake is left with if it shall not complain of unused faults: the test has not passed, or the call goes on."""


def decorate_function(decorated: T, make: Callable[[], Fake]) -> T:
    """Return a function that runs in a new fake at each call.

    Args:
        decorated: a function of any kind, or a staticmethod or classmethod of one.
        make: makes a fake.

    Raises:
        TypeError: it is nothing of that.
    """
    if isinstance(decorated, staticmethod | classmethod):
        return cast(T, type(decorated)(decorate_function(decorated.__func__, make)))
    for kind, above in ((property, "@property"), (functools.cached_property, "@cached_property")):
        if isinstance(decorated, kind):
            raise TypeError(f"FakeSageMaker cannot decorate {decorated!r}: write @FakeSageMaker() below {above}")
    if is_fixture(decorated):
        raise TypeError(f"FakeSageMaker cannot decorate {decorated!r}: write @FakeSageMaker() below @pytest.fixture")
    if getattr(decorated, "__globals__", None) is vars(contextlib):  # it would be over before the block begins
        raise TypeError(f"FakeSageMaker cannot decorate {decorated!r}: write @FakeSageMaker() below @contextmanager")
    # What an instance is called for is unknown, and a function in its place lacks its other methods.
    if not callable(decorated) or not (hasattr(decorated, "__qualname__") or isinstance(decorated, functools.partial)):
        raise TypeError(f"FakeSageMaker cannot decorate {decorated!r}; it decorates functions of any kind and classes with tests")
    return cast(T, wrap(decorated, lambda *_: make()))


def is_fixture(value: Any) -> bool:
    """Tell whether `@pytest.fixture` made a value; before pytest 8.4 it is a function with a mark."""
    pytest = sys.modules.get("pytest")
    made = type(pytest.fixture(lambda: None)) if pytest else FunctionType
    return hasattr(value, "_pytestfixturefunction") if made is FunctionType else isinstance(value, made)


def wrap(function: Callable[..., Any], around: Around, call: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Return a function of the same kind and signature that calls it, or `call` in its place, surrounded from start to end."""
    make = next((make for is_kind, make in _KINDS if is_kind(function)), _function)
    return functools.update_wrapper(make(call or function, around), function)


def _function(function: Callable[..., Any], around: Around) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        world = around(*args)
        result: Any = None
        with suppress(Unfinished), world:
            result = function(*args, **kwargs)
            if type(result) not in _LATER:
                return result
            raise Unfinished
        # A decorator below hid that it is a coroutine function, or a generator function: the body has not run yet.
        return _LATER[type(result)](lambda: result, lambda: world)()

    return wrapper


def _coroutine(function: Callable[..., Any], around: Around) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        with around(*args):
            return await function(*args, **kwargs)

    return wrapper


def _generator(function: Callable[..., Any], around: Around) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with around(*args):
            return (yield from function(*args, **kwargs))

    return wrapper


def _async_generator(function: Callable[..., Any], around: Around) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with around(*args), suppress(StopAsyncIteration):
            steps = function(*args, **kwargs)
            value = await _first(steps)
            while True:
                try:
                    sent = yield value
                except GeneratorExit:
                    await steps.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001  # the body gets it, whatever it is
                    value = await steps.athrow(error)
                else:
                    value = await steps.asend(sent)

    return wrapper


def _first(steps: AsyncGenerator[Any, Any]) -> Awaitable[Any]:
    """Begin an async generator that its event loop does not know of: the loop would close it before, and beside, its wrapper."""
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return anext(steps)
    finally:
        sys.set_asyncgen_hooks(*hooks)


_KINDS = (
    (inspect.iscoroutinefunction, _coroutine),
    (inspect.isgeneratorfunction, _generator),
    (inspect.isasyncgenfunction, _async_generator),
)
_LATER = {CoroutineType: _coroutine, GeneratorType: _generator, AsyncGeneratorType: _async_generator}
