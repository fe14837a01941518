"""Reads the JSON of a report, and trusts none of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_smfake.spec import documents as look
from pytest_smfake.spec.documents import Look
from pytest_smfake.spec.rules import EDITIONS

from .check import CAPABILITIES
from .outcomes import EVIDENCE, OUTCOMES

FORMAT = "pytest-smfake contract report"
VERSION = 2
LEGENDS = ("outcomes", "evidence")
"""Members that explain the others to a reader."""


def report_data(path: Path) -> dict[str, Any]:
    """Return the members of a report, each looked at.

    Raises:
        ValueError: see `pytest_smfake.contract.report.read`.
    """
    data = look.document(path, "report", (FORMAT, VERSION), REPORT, LEGENDS)
    try:
        _agreement(data)
    except ValueError as error:
        raise look.changed(path, "report", error) from None
    return data


RULE: Mapping[str, Look] = {
    "id": look.name,
    "page": look.text_or_null,
    "sdk": look.text_or_null,
    "evidence": look.one_of(EVIDENCE),
    "source": look.name,
    "silent": look.text,
}
CHECK: Mapping[str, Look] = {
    "id": look.name,
    "sentence": look.name,
    "group": look.name,
    "rule": look.text_or_null,
    "evidence": look.one_of(EVIDENCE),
    "source": look.name,
    "needs": look.list_of(look.one_of(CAPABILITIES)),
}
RESULT: Mapping[str, Look] = {
    "check": look.name,
    "target": look.name,
    "outcome": look.one_of(OUTCOMES),
    "reason": look.text,
    "expected": look.text_or_null,
    "actual": look.text_or_null,
    "request": look.text_or_null,
    "seconds": look.seconds,
}
REPORT: Mapping[str, Look] = {
    "created": look.moment,
    "versions": look.map_of(look.name),
    "edition": look.one_of(EDITIONS),
    "targets": look.list_of(look.name, least=1),
    "rules": look.list_of(look.object_of(RULE)),
    "checks": look.list_of(look.object_of(CHECK)),
    "results": look.list_of(look.object_of(RESULT)),
    "redacted": look.boolean,
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
