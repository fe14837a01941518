"""The keywords of the fake that a test gets: what the ini file, the options and the markers say."""

from __future__ import annotations

from typing import Any

import pytest

MARKER = (
    "smfake(region, account, edition, rules, limits, faults, auth, keys, allow, real_sleep): activate a fake SageMaker for the test, with "
    "these keywords of FakeSageMaker; the nearest marker wins and outer ones fill in"
)
KEYWORDS = ("region", "account", "edition", "rules", "limits", "faults", "auth", "keys", "allow", "real_sleep", "clock")
MERGED = ("rules", "limits")
"""Keywords whose values are merged entry by entry, so that an outer marker, or the ini file, fills in."""

ini_key = pytest.StashKey["dict[str, Any]"]()


def of_ini(config: pytest.Config) -> dict[str, Any]:
    """Return what the ini file and the options say.

    Raises:
        pytest.UsageError: a setting that is wrong.
    """
    settings: dict[str, Any] = {name: config.getini(f"smfake_{name}") for name in ("region", "account", "allow", "real_sleep")}
    settings["edition"] = config.getoption("--smfake-edition") or config.getini("smfake_edition")
    for name in MERGED:
        settings[name] = dict(_entry(f"smfake_{name}", line) for line in config.getini(f"smfake_{name}"))
    _check(settings)
    return settings


def settings_for(config: pytest.Config, item: pytest.Item | None) -> dict[str, Any]:
    """Return the keywords for a fake: those of the ini file, with the markers of a test laid over them, nearest last.

    Raises:
        ValueError: a marker with an argument that it does not take.
    """
    settings = config.stash[ini_key].copy()
    for marker in reversed(list(item.iter_markers("smfake") if item else ())):
        if marker.args:
            raise ValueError(f"the smfake marker takes keywords only, not {marker.args!r}; they are: {', '.join(KEYWORDS)}")
        keywords: dict[str, Any] = dict(marker.kwargs)
        for name, value in keywords.items():
            if name not in KEYWORDS:
                raise ValueError(f"the smfake marker takes no {name}={value!r}; its keywords are: {', '.join(KEYWORDS)}")
            settings[name] = settings.get(name, {}) | value if name in MERGED and isinstance(value, dict) else value
    return settings


def _entry(setting: str, line: str) -> tuple[str, Any]:
    """Read a line `NAME = VALUE`; the value is a number, `off`, `true`, or text."""
    name, equals, text = (part.strip() for part in line.partition("="))
    if not (name and equals and text):
        raise pytest.UsageError(f"{setting}: {line!r} is not of the form NAME = VALUE")
    if text in ("off", "true"):
        return name, None if text == "off" else True
    return name, int(text) if text.isdecimal() else text


def _check(settings: dict[str, Any]) -> None:
    """Check the settings, as far as that costs nothing; overrides and limits need botocore, and are rare."""
    if settings["edition"] not in ("page", "sdk"):
        raise pytest.UsageError(f"smfake edition: {settings['edition']!r} is not an edition; there are: page, sdk")
    defaults = {"region": "us-east-1", "account": "123456789012", "rules": {}, "limits": {}}
    if any(settings[name] != value for name, value in defaults.items()):
        from .fake import FakeSageMaker

        try:
            FakeSageMaker(**settings)
        except ValueError as error:
            raise pytest.UsageError(f"smfake settings: {error}") from None
