"""A report as one page of HTML that needs nothing else: no network, no other file."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from pytest_smfake.contract.check import CAPABILITIES
from pytest_smfake.contract.coverage import standings
from pytest_smfake.contract.report import EVIDENCE, MARKS, OUTCOMES, REDACTED, STANDINGS

if TYPE_CHECKING:
    from pytest_smfake.contract.report import Report

HARMLESS = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})
"""Escapes of JSON for what could end a script element, or a line of one."""


def page(report: Report) -> str:
    """Return the page. `page.html` is the frame; `page.css` and `page.js` are put into it, and the report as JSON.

    The page's security policy lets this style and script run, and nothing else: nothing is loaded, and no text of a
    report could run if it were taken for markup.
    """
    parts = files(__name__)
    style, script = ((parts / name).read_text("utf-8") for name in ("page.css", "page.js"))
    return Template((parts / "page.html").read_text("utf-8")).substitute(
        title=escape(f"CreateModel contract: {', '.join(report.targets)}"),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        data=json.dumps(_data(report), ensure_ascii=False, separators=(",", ":")).translate(HARMLESS),
    )


def _data(report: Report) -> dict[str, Any]:
    """Return the report with what the page says beside it, results by check and target."""
    by_check: dict[str, dict[str, Any]] = {check["id"]: {} for check in report.checks}
    for result in report.results:
        facts = {name: value for name, value in asdict(result).items() if value not in (None, "") and name not in ("check", "target")}
        by_check[result.check][result.target] = facts
    summaries = {
        target: {"outcomes": report.counts(target), "standings": standings(report, target), "skipped": report.skipped(target)}
        for target in report.targets
    }
    legend = {"outcomes": OUTCOMES, "standings": STANDINGS, "evidence": EVIDENCE, "capabilities": CAPABILITIES, "marks": MARKS}
    legend["redacted"] = REDACTED[report.redacted]
    return asdict(report) | {"results": by_check, "summaries": summaries, "legend": legend}


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
