"""The waits of SageMaker's Python SDK, on modules of its names: they move the fake's clock. With the SDK itself: tests/programs."""

from __future__ import annotations

import importlib
import sys
import time
from types import ModuleType

import pytest

from pytest_smfake import FakeSageMaker
from pytest_smfake.clients.sleeps import MODULES, moving_time

SOURCE = """
import time
import time as clock
from time import sleep, monotonic
from time import time as now
import math

def wait(poll=5, times=3):
    began, steady = now(), monotonic()
    for _ in range(times):
        time.sleep(poll)
        sleep(poll)
        clock.sleep(poll)
    return now() - began, time.time() - began, monotonic() - steady, clock.monotonic() - steady
"""


@pytest.fixture
def real(monkeypatch):
    """The sleeps that take real time."""
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


def module(name: str, monkeypatch, source: str = SOURCE) -> ModuleType:
    made = ModuleType(name)
    exec(source, vars(made))  # noqa: S102  # what stands above
    monkeypatch.setitem(sys.modules, name, made)
    return made


@pytest.mark.parametrize("name", MODULES)
def test_waits_move_the_clock_and_what_was_there_comes_back(name, real, monkeypatch):
    polling = module(name, monkeypatch)
    before = dict(vars(polling))
    with FakeSageMaker() as fake:
        began = fake.clock.now()
        assert polling.wait() == pytest.approx((45, 45, 45, 45), abs=1)
        assert fake.clock.now() - began == pytest.approx(45, abs=1)
        assert polling.math is before["math"]
    assert real == []
    assert {name: value for name, value in vars(polling).items() if value is not before[name]} == {}
    polling.wait(times=1)
    assert real == [5, 5, 5]


def test_a_module_that_is_imported_while_a_fake_is_active(real, monkeypatch, tmp_path):
    (tmp_path / "sagemaker").mkdir()
    (tmp_path / "sagemaker" / "__init__.py").write_text("")
    (tmp_path / "sagemaker" / "session.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "sagemaker"]:
        monkeypatch.delitem(sys.modules, name)
    try:
        with FakeSageMaker():
            session = importlib.import_module("sagemaker.session")
            session.wait()
        assert real == []
        assert session.time is time
        session.wait(times=1)
        with FakeSageMaker() as fake:
            before = fake.clock.now()
            session.wait()
            assert fake.clock.now() - before > 44
        assert real == [5, 5, 5]
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "sagemaker"]:
            del sys.modules[name]


def test_real_sleep(real, monkeypatch):
    polling = module("sagemaker.session", monkeypatch)
    with FakeSageMaker(real_sleep=True) as fake:
        fake.clock.advance(100)
        polling.wait(times=1)
        assert polling.time.time() - time.time() == pytest.approx(100, abs=1)
    assert real == [5, 5, 5]


def test_what_a_test_has_put_in_its_place_is_left_alone(monkeypatch):
    polling = module("sagemaker.session", monkeypatch)
    slept = []
    stand_in = ModuleType("time")
    stand_in.sleep = slept.append
    monkeypatch.setattr(polling, "time", stand_in)
    with FakeSageMaker():
        assert polling.time is stand_in
        polling.time.sleep(3)
    assert (slept, polling.time is stand_in) == ([3], True)


def test_a_replacement_outlives_its_fake_without_harm(real):
    twice = moving_time(moving_time(time))
    twice.sleep(3)
    assert (real, twice.time() - time.time(), twice.monotonic() - time.monotonic()) == (
        [3],
        pytest.approx(0, abs=1),
        pytest.approx(0, abs=1),
    )
    with FakeSageMaker() as fake:
        fake.clock.advance(100)
        twice.sleep(7)
        assert twice.time() - time.time() == pytest.approx(107, abs=1)
        assert twice.monotonic() - time.monotonic() == pytest.approx(107, abs=1)
    assert real == [3]


def test_the_other_modules_of_a_project_sleep_for_real(real, monkeypatch):
    mine = module("deployment", monkeypatch)
    with FakeSageMaker():
        mine.wait(times=1)
    assert real == [5, 5, 5]
