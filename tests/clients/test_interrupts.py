"""An interrupt at any line of entering and leaving leaves nothing behind; one at the very call of `__exit__` is found later."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest
from moto import mock_aws

import pytest_smfake
from pytest_smfake import FakeSageMaker
from pytest_smfake.clients import activation
from pytest_smfake.clients.botocore import patches
from pytest_smfake.protocol.active import active, fakes, in_context

PACKAGE = str(Path(pytest_smfake.__file__).parent)


def state():
    """Return everything that entering a fake changes."""
    replaced = [vars(site.owner).get(site.name) for site in patches._sites.values()]
    return dict(os.environ), replaced, list(fakes), in_context.get(), list(sys.meta_path)


class Interrupt:
    """Raises a KeyboardInterrupt at one line that the package runs, by its number; counts the lines."""

    def __init__(self, at):
        self.at = at
        self.lines = 0
        self.where = None

    def __enter__(self):
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *exc):
        sys.settrace(self._before)

    def _call(self, frame, event, arg):
        return self._line if frame.f_code.co_filename.startswith(PACKAGE) else None

    def _line(self, frame, event, arg):
        if event == "line":
            if self.lines == self.at:
                self.where = frame.f_code.co_name
                sys.settrace(None)
                raise KeyboardInterrupt
            self.lines += 1
        return self._line


def plain(fake):
    with fake:
        pass


def used(fake):
    with fake:
        fake.client()
        fake.stand_in("churn", lambda *_: b"")


def apart(scenario):
    """Run a scenario in a generator, which handles exceptions apart.

    One that a trace raises on the last line of an `except` clause leaves Python with the exception of that clause as the one that is handled
    (`sys.exc_info()`), and every later one in the thread would have it as its context. No interrupt of the system comes there.
    """

    def generator():
        yield scenario(FakeSageMaker())

    next(generator())


SCENARIOS = {"plain": (nullcontext, plain), "used": (nullcontext, used), "nested": (FakeSageMaker, plain), "in-moto": (mock_aws, plain)}


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_interrupt_at_every_line(name, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAQXXXREALREALREAL")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    around, scenario = SCENARIOS[name]
    with around():
        scenario(FakeSageMaker())  # what is made once is made now
        before = state()
        with Interrupt(-1) as whole:
            apart(scenario)
        assert whole.lines > 100
        late = []
        for at in range(whole.lines):
            with pytest.raises(KeyboardInterrupt), Interrupt(at) as interrupt:  # the order of these two matters
                apart(scenario)
            if state() != before:
                late.append(interrupt.where)
                plain(FakeSageMaker())  # the next entry finds it
            assert state() == before, (at, interrupt.where)
            assert sys.exc_info() == (None, None, None)
    # The one line that is run before anything can be caught.
    assert set(late) <= {"__exit__"}
    assert len(late) <= 1


def interrupt_the_exit(fake):
    """Leave a fake as it is when Ctrl-C comes between the block and `__exit__`."""

    def trace(frame, event, arg):
        if frame.f_code is FakeSageMaker.__exit__.__code__:
            raise KeyboardInterrupt

    before = sys.gettrace()
    try:
        with fake:
            sys.settrace(trace)
    finally:
        sys.settrace(before)


def test_an_interrupt_at_the_call_is_found_by_the_next_entry():
    before = state()
    fake = FakeSageMaker()
    with pytest.raises(KeyboardInterrupt):
        interrupt_the_exit(fake)
    assert active() is fake
    with FakeSageMaker() as other:
        assert fakes == [other]
    assert state() == before


def test_an_interrupt_at_the_call_is_found_by_an_entry_in_the_same_function():
    before = state()
    fake = FakeSageMaker()

    def trace(frame, event, arg):
        if frame.f_code is FakeSageMaker.__exit__.__code__:
            raise KeyboardInterrupt

    tracing = sys.gettrace()
    with pytest.raises(KeyboardInterrupt), fake:
        sys.settrace(trace)
    sys.settrace(tracing)
    assert active() is fake
    with FakeSageMaker() as other:
        assert fakes == [other]
    assert state() == before


def test_fakes_that_are_in_use_are_not_ended():
    def generator():
        with FakeSageMaker() as fake:
            yield fake

    with FakeSageMaker() as first, ExitStack() as stack:
        second = stack.enter_context(FakeSageMaker())
        suspended = generator()
        third = next(suspended)
        with FakeSageMaker() as fourth:
            gc.collect()
            assert activation.end_abandoned() == []
            assert fakes == [first, second, third, fourth]
        suspended.close()
    assert fakes == []


def test_an_interrupt_at_the_call_is_found_by_the_plugin(pytester, alone):
    pytester.makepyfile("""
        import os, sys
        import pytest
        from pytest_smfake import FakeSageMaker
        from pytest_smfake.protocol.active import fakes

        def trace(frame, event, arg):
            if frame.f_code is FakeSageMaker.__exit__.__code__:
                sys.settrace(None)
                raise ValueError("interrupted")

        def test_one():
            with FakeSageMaker():
                sys.settrace(trace)

        def test_two():
            assert fakes == []
            assert "AWS_ACCESS_KEY_ID" not in os.environ

        @pytest.fixture
        def interrupted(smfake):
            yield
            sys.settrace(trace)

        def test_three(interrupted):
            pass

        def test_four():
            assert fakes == []
            assert "AWS_ACCESS_KEY_ID" not in os.environ
    """)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_ACCESS_KEY_ID", raising=False)
        result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=3, failed=1, errors=1)
