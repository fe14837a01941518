"""The settings of a test's fake, from the ini file, the options and the markers."""

from __future__ import annotations

import ast
import inspect
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_smfake.settings import DEFAULTS, MERGED, NAMES

if TYPE_CHECKING:
    from pytest_smfake.fake import FakeSageMaker

MARKER = (
    f"smfake({', '.join(NAMES)}): activate a fake SageMaker for the test, with these keywords of FakeSageMaker; the nearest marker "
    "wins and outer ones fill in"
)
DUMMY_KEYS = {"AWS_ACCESS_KEY_ID": "smfake", "AWS_SECRET_ACCESS_KEY": "smfake"}

ini_key = pytest.StashKey["dict[str, Any]"]()


def boolean_ini(config: pytest.Config, name: str) -> bool:
    """Return a boolean ini setting.

    Raises:
        pytest.UsageError: the value is neither true nor false.
    """
    try:
        return bool(config.getini(name))
    except (ValueError, pytest.UsageError) as error:
        value = str(error).removeprefix("invalid truth value ")
        raise pytest.UsageError(str(error) if name in str(error) else f"{name}: {value} is neither true nor false") from None


def ini_settings(config: pytest.Config) -> dict[str, Any]:
    """Return the settings from the ini file and the options.

    Raises:
        pytest.UsageError: an invalid setting.
    """
    settings: dict[str, Any] = {name: config.getini(f"smfake_{name}") for name in ("account", "allow")}
    settings["region"] = config.getini("smfake_region") or DEFAULTS["region"]
    settings["real_sleep"] = boolean_ini(config, "smfake_real_sleep")
    settings["edition"] = config.getoption("--smfake-edition") or config.getini("smfake_edition")
    for name in MERGED:
        settings[name] = dict(_entry(f"smfake_{name}", line) for line in config.getini(f"smfake_{name}"))
    _check(config, settings)
    return settings


def differing(settings: dict[str, Any]) -> list[str]:
    """Return each setting that differs from its default, as a short text."""
    return [
        f"{name} {', '.join(map(str, value)) if isinstance(value, dict | list) else value}"
        for name, value in settings.items()
        if value not in (DEFAULTS[name], {}, [])
    ]


def settings_for(config: pytest.Config, item: pytest.Item | None) -> dict[str, Any]:
    """Return the keywords for a fake: the settings of the ini file, overridden by the test's markers. The nearest marker wins.

    A marker with a wrong argument fails the test, with the marker's file and line.
    """
    from pytest_smfake.rules.inputs import did_you_mean, shown

    settings = config.stash[ini_key].copy()
    for node, marker in reversed(list(item.iter_markers_with_node("smfake") if item else ())):
        wrong = f"keywords only, not {shown(marker.args)}" if marker.args else ""
        for name, value in marker.kwargs.items():
            if name not in NAMES:
                wrong = wrong or f"no {name}={shown(value)}{did_you_mean(name, NAMES)}"
            settings[name] = settings.get(name, {}) | value if name in MERGED and isinstance(value, dict) else value
        if wrong:
            raise failed(f"{where(node, marker)}: the smfake marker takes {wrong}; its keywords are: {', '.join(NAMES)}")
    return settings


def fake_for(config: pytest.Config, item: pytest.Item | None) -> FakeSageMaker:
    """Return the fake of a test, not yet active.

    An invalid setting fails the test, with the file and line of the marker.
    """
    from pytest_smfake.fake import FakeSageMaker
    from pytest_smfake.rules.service_model import UnlistedRegionWarning

    settings = settings_for(config, item)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UnlistedRegionWarning)
            fake = FakeSageMaker(**settings)
        if item is not None and settings["region"] != config.stash[ini_key]["region"]:  # that of the ini file was checked at the start
            for warning in caught:
                item.warn(UnlistedRegionWarning(str(warning.message)))
    except (ValueError, TypeError, UnlistedRegionWarning) as error:  # the warning is raised where warnings are errors
        nearest = next(item.iter_markers_with_node("smfake"), None) if item else None
        place = f"{where(*nearest)}: " if nearest else ""
        raise failed(f"{place}smfake marker: {error}") from None
    return fake


def failed(text: str) -> BaseException:
    """Return the exception that fails a test with a text alone. Within `except`, raise it `from None`, else the text comes twice."""
    return pytest.fail.Exception(text, pytrace=False)


def where(node: Any, marker: pytest.Mark) -> str:
    """Return file and line of a marker of a test, class or module. The line is that of a marker call with the same keywords."""
    path = node.path.relative_to(node.config.rootpath) if node.path.is_relative_to(node.config.rootpath) else node.path
    try:
        lines, first = inspect.getsourcelines(node.obj)
        tree = ast.parse(node.path.read_text("utf-8"))
    except (AttributeError, OSError, TypeError, SyntaxError, ValueError):  # a node made by a hook, or not from a Python file
        return str(path)
    calls = [call for call in ast.walk(tree) if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "smfake"]
    names = [*marker.kwargs]
    found = [call.lineno for call in calls if first <= call.lineno <= first + len(lines) and [word.arg for word in call.keywords] == names]
    return f"{path}:{found[0] if found else max(first, 1)}"


def environment_of(environ: Mapping[str, str], region: str) -> dict[str, str]:
    """Return the variables that `smfake_env = true` adds to the environment. Variables with a value are not changed.

    Args:
        environ: the environment. botocore does not read AWS_REGION. A profile has its own keys, and mostly a region.
        region: the value of `smfake_region`; empty if not set.
    """
    by_profile = "AWS_PROFILE" in environ or "AWS_DEFAULT_PROFILE" in environ
    added = {}
    if "AWS_DEFAULT_REGION" not in environ and (found := region or environ.get("AWS_REGION") or ("" if by_profile else DEFAULTS["region"])):
        added["AWS_DEFAULT_REGION"] = found
    return added if by_profile or "AWS_ACCESS_KEY_ID" in environ else added | DUMMY_KEYS


def _entry(setting: str, line: str) -> tuple[str, Any]:
    """Read a line `NAME = VALUE`, whose value is a number, `off`, `true`, or text."""
    from pytest_smfake.rules.inputs import pair

    try:
        return pair(line)
    except ValueError as error:
        raise pytest.UsageError(f"{setting}: {error}") from None


def _check(config: pytest.Config, settings: dict[str, Any]) -> None:
    """Check the settings. Those with their default values are skipped: a check of rules and limits imports botocore."""
    if settings["edition"] not in ("page", "sdk"):
        name = "--smfake-edition" if config.getoption("--smfake-edition") else "smfake_edition"
        from pytest_smfake.rules.inputs import shown

        raise pytest.UsageError(f"{name}: {shown(settings['edition'])} is not an edition; there are: page, sdk")
    for name in [name for name in ("region", "account", *MERGED) if settings[name] not in (DEFAULTS[name], {})]:
        from pytest_smfake.fake import FakeSageMaker
        from pytest_smfake.rules.service_model import UnlistedRegionWarning

        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", UnlistedRegionWarning)
                FakeSageMaker(edition=settings["edition"], **{name: settings[name]})
            for warning in caught:
                config.issue_config_time_warning(UnlistedRegionWarning(f"smfake_{name}: {warning.message}"), stacklevel=2)
        except (ValueError, UnlistedRegionWarning) as error:  # the warning is raised where warnings are errors
            raise pytest.UsageError(f"smfake_{name}: {str(error).removeprefix(f'smfake_{name}: ')}") from None
