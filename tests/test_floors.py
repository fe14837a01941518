"""The lowest versions that the package takes: stated alike everywhere, and tested."""

from __future__ import annotations

import os
import re
import tomllib
from configparser import ConfigParser
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def read_ini(name: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    assert parser.read(ROOT / name) == [str(ROOT / name)]
    return parser


def versions(requirements: list[str], sign: str) -> dict[str, str]:
    """Return the versions that requirements name with a sign, by the names of the packages; groups and others are left out."""
    found = (re.fullmatch(rf"([\w-]+)(?:\[.*\])?{sign}([\d.]+)", line) for line in requirements)
    return {match[1]: match[2] for match in found if match}


EXTRAS = [line for name, lines in PROJECT["project"]["optional-dependencies"].items() if name != "all" for line in lines]
REQUIRED = [*PROJECT["project"]["dependencies"], *EXTRAS]
FLOORS = versions(REQUIRED, ">=")
LOWEST = versions(read_ini("tox.ini")["testenv:lowest"]["deps"].split(), "==")


def test_every_requirement_has_a_floor():
    assert sorted(FLOORS) == sorted(re.match(r"[\w-]+", line)[0] for line in REQUIRED)


@pytest.mark.parametrize("name", FLOORS)
def test_the_lowest_environment_pins_each_floor(name):
    assert Version(LOWEST[name]) == Version(FLOORS[name])


@pytest.mark.skipif(os.environ.get("TOX_ENV_NAME") != "lowest", reason="this is not the environment of the lowest versions")
@pytest.mark.parametrize("name", LOWEST)
def test_the_lowest_environment_holds_what_it_pins(name):
    assert version(name) == LOWEST[name]


@pytest.mark.parametrize("name", FLOORS)
def test_groups_ask_for_no_more(name):
    groups = [versions([line for line in lines if isinstance(line, str)], ">=") for lines in PROJECT["dependency-groups"].values()]
    assert {group[name] for group in groups if name in group} <= {FLOORS[name]}


@pytest.mark.parametrize("name", FLOORS)
def test_the_docs_state_each_floor(name):
    assert f"| {name} | {FLOORS[name]} |" in (ROOT / "docs" / "clients.md").read_text("utf-8")


def test_the_readme_states_what_is_required():
    assert f"It requires pytest {FLOORS['pytest']} and boto3 {FLOORS['boto3']}" in (ROOT / "docs" / "settings.md").read_text("utf-8")


def test_pytest_8_gets_the_settings_of_pytest_9():
    new = dict(PROJECT["tool"]["pytest"])
    old = dict(read_ini("pytest8.ini")["pytest"])
    # Strict in all that pytest 8 can be strict about: it cannot ask for ids of parameters that differ.
    assert new.pop("strict") is True
    assert old.pop("xfail_strict") == "true"
    assert old.pop("addopts").split() == [*new.pop("addopts"), "--strict-config", "--strict-markers"]
    assert {name: text.strip().splitlines() for name, text in old.items()} == new
