"""The table of settings, and those who state the same keywords for their readers."""

from __future__ import annotations

import inspect
import re
from dataclasses import FrozenInstanceError

import pytest

from pytest_smfake import FakeSageMaker
from pytest_smfake.rules.inputs import pair
from pytest_smfake.service.clock import Clock
from pytest_smfake.settings import CROSSING, DEFAULTS, LOCAL, NAMES, Settings


def test_the_keywords_of_the_fake_are_the_settings():
    parameters = dict(inspect.signature(FakeSageMaker).parameters)
    assert {name: parameter.default for name, parameter in parameters.items()} == DEFAULTS
    documented = FakeSageMaker.__doc__.partition("Args:")[2].partition("Raises:")[0]
    assert [name for name in NAMES if not re.search(rf"^ +{name}: ", documented, re.MULTILINE)] == []


def test_every_setting_crosses_to_a_server_or_is_about_this_process():
    assert sorted((*CROSSING, *LOCAL)) == sorted(NAMES)


def test_a_copy_has_the_settings_of_its_original():
    given = Settings(
        region="eu-west-1", rules={"CreateModel/Tags:max": 51}, limits={"models": 3}, faults=[("CreateModel", "503")], clock=Clock()
    )
    fake = FakeSageMaker(**given.keywords())
    assert fake.settings == given
    assert fake._copy(credentials=False).settings.keywords() == given.keywords() | {"credentials": False}


def test_settings_stay_as_they_were_checked():
    with pytest.raises(FrozenInstanceError):
        Settings().region = "x"


@pytest.mark.parametrize("text", ["true", "True", "on", "On"])
def test_a_rule_is_switched_on_in_a_line(text):
    assert pair(f"CreateModel:ecr-image = {text}") == ("CreateModel:ecr-image", True)


@pytest.mark.parametrize("text", ["off", "Off"])
def test_a_rule_is_switched_off_in_a_line(text):
    assert pair(f"CreateModel/Containers:max={text}") == ("CreateModel/Containers:max", None)
