"""The decorator `@FakeSageMaker()`: a new fake for each call of a function, and for each test of a class."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import AbstractContextManager, suppress
from types import AsyncGeneratorType, CoroutineType, FunctionType, GeneratorType
from typing import Any, Self, TypeVar, cast

_T = TypeVar("_T")
Fake = AbstractContextManager[Any]
Around = Callable[..., Fake]
"""Returns the context manager for a call, given the call's positional arguments. It can be entered again."""


class Unfinished(Exception):  # noqa: N818  # not an error
    """Passed to a fake's `__exit__` to skip the check for unused faults: the test has not passed, or the call is unfinished."""


def decorate_function(decorated: _T, make: Callable[[], Fake]) -> _T:
    """Return a function that runs in a new fake at each call.

    Args:
        decorated: a function, coroutine function, or generator function, or a staticmethod or classmethod of one.
        make: makes a fake.

    Raises:
        TypeError: `decorated` is something else.
    """
    if isinstance(decorated, staticmethod | classmethod):
        return cast(_T, type(decorated)(decorate_function(decorated.__func__, make)))
    for kind, above in ((property, "@property"), (functools.cached_property, "@cached_property")):
        if isinstance(decorated, kind):
            raise TypeError(f"FakeSageMaker cannot decorate {decorated!r}: write @FakeSageMaker() below {above}")
    if is_fixture(decorated):
        raise TypeError(f"FakeSageMaker cannot decorate {decorated!r}: write @FakeSageMaker() below @pytest.fixture")
    if getattr(decorated, "__globals__", None) is vars(contextlib):  # the fake would end before the block begins
        raise TypeError(f"FakeSageMaker cannot decorate {decorated!r}: write @FakeSageMaker() below @contextmanager")
    # A callable instance is refused: a function in its place would lack its other methods.
    if not callable(decorated) or not (hasattr(decorated, "__qualname__") or isinstance(decorated, functools.partial)):
        raise TypeError(f"FakeSageMaker cannot decorate {decorated!r}; it decorates functions of any kind and classes with tests")
    return cast(_T, wrap(decorated, lambda *_: make()))


def is_fixture(value: Any) -> bool:
    """Return whether a value is a fixture. Before pytest 8.4, a fixture is a function with a marker attribute."""
    pytest = sys.modules.get("pytest")
    fixture_type = type(pytest.fixture(lambda: None)) if pytest else FunctionType
    return hasattr(value, "_pytestfixturefunction") if fixture_type is FunctionType else isinstance(value, fixture_type)


def wrap(function: Callable[..., Any], around: Around, call: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Return a function of the same kind and signature that runs `function`, or `call`, within a context manager.

    Args:
        function: the function.
        around: makes the context manager, from the positional arguments of the call.
        call: called in place of the function.
    """
    make = next((make for is_kind, make in _KINDS if is_kind(function)), _function)
    return functools.update_wrapper(make(call or function, around), function)


def _function(function: Callable[..., Any], around: Around) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        world = around(*args)
        result: Any = None
        with suppress(Unfinished), world:
            result = function(*args, **kwargs)
            if type(result) not in _KIND_OF_RESULT:
                return result
            raise Unfinished
        # A decorator below hid that it is a coroutine function or a generator function: its body has not run yet.
        return _KIND_OF_RESULT[type(result)](lambda: result, lambda: world)()

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
                except BaseException as error:  # noqa: BLE001  # any exception is passed to the body
                    value = await steps.athrow(error)
                else:
                    value = await steps.asend(sent)

    return wrapper


def _first(steps: AsyncGenerator[Any, Any]) -> Awaitable[Any]:
    """Start an async generator without the hooks of the event loop, which would close it before its wrapper does."""
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
_KIND_OF_RESULT = {CoroutineType: _coroutine, GeneratorType: _generator, AsyncGeneratorType: _async_generator}


C = TypeVar("C", bound=type)
Find = Callable[[Any], Any]
"""Returns the original hook or test of an instance or class, or None."""

MAKE = "_smfake_make"
"""The attribute of a decorated class that makes fakes; the nearest class in the MRO counts."""
WRAPPED = "_smfake_wrapped"
"""The attribute that marks a class whose tests and hooks are wrapped."""
WORLD = "_smfake_world"
"""The attribute that holds the world: of a test on its instance, of class-level hooks on the class."""
FIXTURE = "0 smfake"
"""The attribute that holds an autouse fixture. pytest sets up those of a class in order of their names: this is the first."""


class _World:
    """The fake of one test, entered by the test's first hook and exited by the last."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self.depth = 0
        self.held = False
        self.passed = False

    def __enter__(self) -> Self:
        if not self.depth:
            self.fake.__enter__()
        self.depth += 1
        return self

    def __exit__(self, kind: Any = None, error: Any = None, trace: Any = None) -> None:
        if self.depth == 1:
            self.depth = 0
            if not (kind or self.passed):
                kind, error = Unfinished, Unfinished()
            self.passed = False
            self.fake.__exit__(kind, error, trace)
        elif self.depth:
            self.depth -= 1

    def hold(self) -> None:
        """Keep the world active after the current hook, until `release`."""
        self.depth += not self.held
        self.held = True

    def release(self) -> None:
        """Undo `hold`, within a hook."""
        self.depth -= self.held
        self.held = False

    def close(self) -> None:
        """Exit the world, also if hooks have not exited."""
        self.depth = min(self.depth, 1)
        self.held = self.passed = False
        self.__exit__()


class _Test:
    """The context manager around a test function. It notes whether the test passed."""

    def __init__(self, instance: Any, *_: Any) -> None:
        self.world = _current_or_new(instance)

    def __enter__(self) -> None:
        self.world.__enter__()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.world.passed = kind is None
        self.world.__exit__(kind, error, trace)


def _current_or_new(holder: Any, **changed: Any) -> _World:
    """Return the active world of a test instance or a class, or a new one."""
    world: _World | None = vars(holder).get(WORLD)
    if world is None or not world.depth:
        world = _World(getattr(holder, MAKE)(**changed))
        setattr(holder, WORLD, world)
    return world


def _latest_or_new(holder: Any, **changed: Any) -> _World:
    """Return the latest world of a test instance or a class, active or not, or a new one."""
    return vars(holder).get(WORLD) or _current_or_new(holder, **changed)


def decorate_class(decorated: C, make: Callable[..., Fake]) -> C:
    """Give each test of a class and its subclasses a new fake. Return the class; its bases are not changed.

    Args:
        decorated: a class with tests, of pytest or unittest.
        make: makes a fake, given keywords of `FakeSageMaker` to change.

    Raises:
        TypeError: the class has no tests, or is decorated already.
    """
    if not _is_for_tests(decorated):
        raise TypeError(f"FakeSageMaker cannot decorate {decorated!r}, which has no tests; decorate the functions that must run in a fake")
    if MAKE in vars(decorated):
        raise TypeError(f"FakeSageMaker cannot decorate {decorated!r} twice; each of its tests has one world")
    setattr(decorated, MAKE, staticmethod(make))
    if pytest := sys.modules.get("pytest"):
        setattr(decorated, FIXTURE, pytest.fixture(autouse=True, name=WORLD)(_fixture))
    _wrap_class(decorated)
    subclassed = _original(decorated, "__init_subclass__")

    def init_subclass(subclass: type, /, **keywords: Any) -> None:
        subclassed(subclass)(**keywords)
        _wrap_class(subclass)

    setattr(decorated, "__init_subclass__", classmethod(init_subclass))  # noqa: B010  # mypy forbids the assignment
    return decorated


def _fixture(self: Any) -> Iterator[None]:
    with _current_or_new(self):
        yield


def _is_for_tests(of: type) -> bool:
    methods = [name for base in of.__mro__ for name, value in vars(base).items() if isinstance(value, FunctionType)]
    return (
        _is_test_case(of)
        or of.__name__.startswith("Test")
        or any(name.startswith("test") or name in ("setup_method", "teardown_method") for name in methods)
        or any(map(_is_for_tests, _nested(of)))
    )


def _is_test_case(of: type) -> bool:
    unittest = sys.modules.get("unittest")
    return unittest is not None and issubclass(of, unittest.TestCase)


def _nested(of: type) -> list[type]:
    """Return the classes that are defined inside a class."""
    return [inner for inner in vars(of).values() if isinstance(inner, type) and inner.__qualname__ == f"{of.__qualname__}.{inner.__name__}"]


def _wrap_class(of: type) -> None:
    """Wrap the tests and hooks of a class, with inherited ones, except those of classes that are wrapped already."""
    if WRAPPED in vars(of):
        return
    names = dict.fromkeys(name for base in reversed(of.__mro__) for name in vars(base))
    for name in names:
        if (name.startswith("test") or name == "runTest") and _is_function(of, name) and _needs_wrapping(of, name):
            find = _original(of, name)
            setattr(of, name, wrap(inspect.getattr_static(of, name), _Test, functools.partial(_call_test, find)))
    hooks = _UNITTEST if _is_test_case(of) else _PYTEST
    if any(_is_function(of, name) for name in _EACH):
        names |= dict.fromkeys(_EACH)  # both, since one alone could begin a world that nothing ends
    for name in names:
        if name in hooks and _needs_wrapping(of, name):
            setattr(of, name, hooks[name](_original(of, name)))
    for inner in _nested(of):
        if MAKE not in vars(inner) and _is_for_tests(inner):
            decorate_class(inner, getattr(of, MAKE))
    setattr(of, WRAPPED, True)


def _call_test(find: Find, self: Any, *args: Any, **kwargs: Any) -> Any:
    return find(self)(*args, **kwargs)


def _is_function(of: type, name: str) -> bool:
    found = inspect.getattr_static(of, name, None)
    return isinstance(found, FunctionType) and not is_fixture(found)


def _needs_wrapping(of: type, name: str) -> bool:
    """Return whether an attribute has to be wrapped: it is no fixture, and its class is not wrapped yet."""
    definer = next((base for base in of.__mro__ if name in vars(base)), of)
    return WRAPPED not in vars(definer) and not is_fixture(vars(definer).get(name))


def _original(of: type, name: str) -> Find:
    """Return a function that finds the original of an attribute, bound to an instance or a subclass. Call it before the replacement."""
    own = vars(of).get(name)

    def find(holder: Any) -> Any:
        if own is None:
            return getattr(super(of, holder), name, None)
        return own.__get__(None, holder) if isinstance(holder, type) else own.__get__(holder)

    return find


def _call(hook: Any, argument: Any = None) -> Any:
    """Call a hook, unless it is None, with the argument if it accepts one, as pytest does."""
    if hook is None:
        return None
    code = getattr(hook, "__code__", None)
    return hook(argument) if code and code.co_argcount - inspect.ismethod(hook) else hook()


def _set_up(find: Find) -> Any:
    def setUp(self: Any) -> Any:
        self.enterContext(_current_or_new(self))
        return find(self)()

    return setUp


def _tear_down(find: Find) -> Any:
    def tearDown(self: Any) -> Any:
        with _latest_or_new(self):  # with --pdb, pytest calls it after the end of the test
            return find(self)()

    return tearDown


def _debug(find: Find) -> Any:
    def debug(self: Any) -> None:
        try:
            find(self)()
        finally:  # after a failure, unittest's debug() runs no cleanups
            if world := vars(self).get(WORLD):
                world.close()

    return debug


def _setup_method(find: Find) -> Any:
    def setup_method(self: Any, method: Any = None) -> None:
        with _current_or_new(self) as world:
            _call(find(self), method)
            if world.depth == 1:  # 1: not called by the hook of a subclass
                world.hold()

    return setup_method


def _teardown_method(find: Find) -> Any:
    def teardown_method(self: Any, method: Any = None) -> None:
        with _latest_or_new(self) as world:
            try:
                _call(find(self), method)
            finally:
                world.release()

    return teardown_method


def _class_hook(world_of: Callable[..., _World], find: Find) -> Any:
    def hook(cls: Any) -> Any:
        with world_of(cls, faults=()):
            return _call(find(cls), cls)

    return classmethod(hook)


Hooks = dict[str, Callable[[Find], Any]]
_BEGIN, _CONTINUE = functools.partial(_class_hook, _current_or_new), functools.partial(_class_hook, _latest_or_new)
_EACH: Hooks = {"setup_method": _setup_method, "teardown_method": _teardown_method}
_PYTEST: Hooks = _EACH | {"setup_class": _BEGIN, "teardown_class": _CONTINUE}
_UNITTEST: Hooks = _EACH | {
    "setUp": _set_up,
    "tearDown": _tear_down,
    "debug": _debug,
    "setUpClass": _BEGIN,
    "tearDownClass": _CONTINUE,
    "doClassCleanups": _CONTINUE,
    "setup_class": _CONTINUE,  # pytest calls it after setUpClass
    "teardown_class": _CONTINUE,
}
