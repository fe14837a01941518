"""Reads the JSON of a report, and trusts none of it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_smfake.spec.rules import EDITIONS

from .check import CAPABILITIES
from .outcomes import EVIDENCE, OUTCOMES

FORMAT = "pytest-smfake contract report"
VERSION = 2
LEGENDS = ("format", "version", "outcomes", "evidence")
"""Members that explain the others to a reader, or were looked at before them."""


def report_data(path: Path) -> dict[str, Any]:
    """Return the members of a report, each looked at.

    Raises:
        ValueError: see `pytest_smfake.contract.report.read`.
    """
    data = _json(path)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"{path} is not a report of a contract run: its member 'format' is not {FORMAT!r}")
    if data.get("version") != VERSION:
        raise ValueError(f"{path} is a report of version {data.get('version')!r}; this package reads version {VERSION}")
    try:
        _members("the report", data, REPORT, LEGENDS)
        _agreement(data)
    except ValueError as error:
        raise ValueError(f"{path} is a report that was changed or cut short: {error}") from None
    return {name: value for name, value in data.items() if name not in LEGENDS}


def _json(path: Path) -> Any:
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a report: byte {error.start} is not UTF-8") from None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        # The end of a file may be in the middle of `null`, of an escape, or of a text, whose error is at its beginning.
        at_end = len(text) - error.pos < 6 or error.msg.startswith("Unterminated string")
        if text.startswith("{") and at_end:
            raise ValueError(f"{path} is not a report: its JSON is cut short in line {text.count(chr(10)) + 1}") from None
        raise ValueError(f"{path} is not a report: it is not JSON from line {error.lineno}, column {error.colno} on") from None
    except RecursionError:
        raise ValueError(f"{path} is not a report: its JSON is nested too deeply") from None


Look = Callable[[str, Any], None]
"""Looks at a value at a place; raises ValueError with a sentence that names both."""


def _wrong(place: str, what: str, value: Any) -> ValueError:
    shown = json.dumps(value, ensure_ascii=True)
    return ValueError(f"{place} is {shown if len(shown) <= 80 else shown[:77] + '...'}, not {what}")


def _text(place: str, value: Any) -> None:
    if not isinstance(value, str):
        raise _wrong(place, "a text", value)


def _name(place: str, value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise _wrong(place, "a text that is not empty", value)


def _text_or_null(place: str, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise _wrong(place, "a text or null", value)


def _bool(place: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise _wrong(place, "true or false", value)


def _seconds(place: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise _wrong(place, "a number of seconds", value)


def _moment(place: str, value: Any) -> None:
    try:
        aware = datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        aware = False
    if not aware:
        raise _wrong(place, "a date and time of ISO 8601 with its offset from UTC", value)


def _one_of(choices: Collection[str]) -> Look:
    def look(place: str, value: Any) -> None:
        if not isinstance(value, str) or value not in choices:
            raise _wrong(place, f"one of: {', '.join(choices)}", value)

    return look


def _list_of(item: Look, *, least: int = 0) -> Look:
    def look(place: str, value: Any) -> None:
        if not isinstance(value, list) or len(value) < least:
            raise _wrong(place, "a list" + (f" of at least {least}" if least else ""), value)
        for number, one in enumerate(value):
            item(f"{place}[{number}]", one)

    return look


def _object_of(members: Mapping[str, Look]) -> Look:
    def look(place: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise _wrong(place, "an object", value)
        _members(place, value, members)

    return look


def _versions(place: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise _wrong(place, "an object", value)
    for name, version in value.items():
        _name(f"{place}.{name}", version)


def _members(place: str, value: dict[str, Any], members: Mapping[str, Look], beside: Collection[str] = ()) -> None:
    missing = [name for name in members if name not in value]
    if missing:
        raise ValueError(f"{place} has no {missing[0]!r}")
    unknown = [name for name in value if name not in members and name not in beside]
    if unknown:
        raise ValueError(f"{place} has a member {unknown[0]!r}, which no report has")
    for name, look in members.items():
        look(name if place == "the report" else f"{place}.{name}", value[name])


RULE: Mapping[str, Look] = {
    "id": _name,
    "page": _text_or_null,
    "sdk": _text_or_null,
    "evidence": _one_of(EVIDENCE),
    "source": _name,
    "silent": _text,
}
CHECK: Mapping[str, Look] = {
    "id": _name,
    "sentence": _name,
    "group": _name,
    "rule": _text_or_null,
    "evidence": _one_of(EVIDENCE),
    "source": _name,
    "needs": _list_of(_one_of(CAPABILITIES)),
}
RESULT: Mapping[str, Look] = {
    "check": _name,
    "target": _name,
    "outcome": _one_of(OUTCOMES),
    "reason": _text,
    "expected": _text_or_null,
    "actual": _text_or_null,
    "request": _text_or_null,
    "seconds": _seconds,
}
REPORT: Mapping[str, Look] = {
    "created": _moment,
    "versions": _versions,
    "edition": _one_of(EDITIONS),
    "targets": _list_of(_name, least=1),
    "rules": _list_of(_object_of(RULE)),
    "checks": _list_of(_object_of(CHECK)),
    "results": _list_of(_object_of(RESULT)),
    "redacted": _bool,
}


def _agreement(data: dict[str, Any]) -> None:
    """See that what the parts of a report say of each other is so."""
    rules = _unlike("rules", [rule["id"] for rule in data["rules"]])
    checks = _unlike("checks", [check["id"] for check in data["checks"]])
    targets = _unlike("targets", data["targets"])
    for number, check in enumerate(data["checks"]):
        if check["rule"] is not None and check["rule"] not in rules:
            raise ValueError(f"checks[{number}] is about {check['rule']!r}, which is none of its rules")
    _unlike("results", [f"{result['check']} on {result['target']}" for result in data["results"]])
    for number, result in enumerate(data["results"]):
        place = f"results[{number}]"
        if result["check"] not in checks:
            raise ValueError(f"{place} is of {result['check']!r}, which is none of its checks")
        if result["target"] not in targets:
            raise ValueError(f"{place} is of {result['target']!r}, which is none of its targets")
        if result["outcome"] in ("failed", "outdated") and (result["expected"] is None or result["actual"] is None):
            raise ValueError(f"{place} is {result['outcome']}, and does not say what was expected and what came")
        if result["outcome"] == "skipped" and not result["reason"]:
            raise ValueError(f"{place} is skipped without a reason")


def _unlike(place: str, names: list[str]) -> set[str]:
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name in seen:
            raise ValueError(f"{place}[{number}] is another {name!r}")
        seen.add(name)
    return seen
