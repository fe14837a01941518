"""Show a report: lines for a terminal, Markdown for a CI job, and one HTML page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from html import escape
from importlib.resources import files
from itertools import groupby
from string import Template
from typing import Any

from pytest_smfake.rules.inputs import counted

from .check import CAPABILITIES, one_line
from .report import COVERAGE_STATES, EVIDENCE, MARKS, OUTCOMES, REDACTED, CheckFacts, Report, Result, rule_coverage

MOST_GROUPS = 12
"""The number of groups that are shown, the largest first; the others are only counted."""
SHOWN_IN_FULL = 5
"""Up to this number of differences each is shown in full."""
EXPECTED, ACTUAL = 100, 60
"""The number of characters that are shown of the expected and of the actual behaviour."""


def findings(report: Report, *, every: bool = False) -> Iterator[str]:
    """Yield lines about the differences of a run, and a line for each target with skipped checks.

    Args:
        report: the report of the run.
        every: whether to show each difference in full.
    """
    checks = {check["id"]: check for check in report.checks}
    if every or len(report.failed) <= SHOWN_IN_FULL:
        yield from (line for result in report.failed for line in _whole(result, checks[result.check]))
    else:
        yield from _groups(report, checks)
    for target in report.targets:
        if skipped := report.skipped(target):
            reasons = "; ".join(f"{number} since {reason}" for reason, number in skipped.items())
            yield f"{target}: skipped: {reasons}"


def _whole(result: Result, check: CheckFacts) -> Iterator[str]:
    known = f", expected to fail: {result.reason}" if result.reason else ""
    yield f"{result.check} on {result.target}{known}"
    yield f"    {check['sentence']} [{check['evidence']}: {check['source']}]"
    for name, text in (("expected", result.expected), ("actual", result.actual), ("request", result.request)):
        if text is not None:
            yield f"    {name}: {text}"


def _groups(report: Report, checks: Mapping[str, CheckFacts]) -> Iterator[str]:
    """Yield a line for each group of differences with the same target, operation and kind of rule."""
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for result in report.failed:
        check = checks[result.check]
        rule = check["rule"]
        # The id of a boundary case starts with the id of its rule; a check of `BEHAVIOURS` may name a rule but tests more.
        kind = rule.rpartition(":")[2] if rule is not None and check["id"].startswith(rule) else "behaviour"
        groups.setdefault((result.target, check["group"], kind), []).append(result)
    yield f"{counted(len(report.failed), 'difference')}, by operation and kind of rule:"
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    for (target, group, kind), results in ordered[:MOST_GROUPS]:
        first = results[0]
        wanted, came = one_line(str(first.expected), EXPECTED), one_line(str(first.actual), ACTUAL)
        yield f"{target}: {group}, {kind}: {len(results)}, such as {first.check}: expected: {wanted}; actual: {came}"
    if rest := ordered[MOST_GROUPS:]:
        count = sum(len(results) for _, results in rest)
        yield f"and {count} more in {counted(len(rest), 'group')}; -v shows every one"


MOST_RULES = 40
"""The number of rules that are shown for a target; the summary page of a CI job is limited to 1 MiB."""
MOST_CHECKS = 3
"""The number of checks that are shown for a rule."""
CODE_WIDTH = 240
"""The number of characters that are shown of a text."""


def markdown(report: Report) -> str:
    """Return a summary in Markdown: a table of targets and outcomes, then the differences by rule."""
    return "\n".join([*_head(report), *(line for target in report.targets for line in _target(report, target))]) + "\n"


def _head(report: Report) -> Iterator[str]:
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    yield "## CreateModel contract"
    yield ""
    redacted = REDACTED[report.redacted]
    yield f"Edition {code(report.edition)}, {len(report.checks)} checks, {report.created}. {versions}. {redacted[0].upper()}{redacted[1:]}."
    yield ""
    outcomes = [*OUTCOMES, "not run"]
    observable = sum(not rule["silent"] for rule in report.rules)
    yield "| target | " + " | ".join(f"{MARKS[outcome]} {outcome}" for outcome in outcomes) + " | rules proved |"
    yield "|---|" + "--:|" * (len(outcomes) + 1)
    for target in report.targets:
        counts = report.counts(target)
        cells = [f"**{counts[name]}**" if name == "failed" and counts[name] else str(counts[name]) for name in outcomes]
        # In a table every bar ends a cell, even within code.
        name = code(target.replace("|", "\u00a6"))
        yield f"| {name} | " + " | ".join(cells) + f" | {rule_coverage(report, target)['proved']} of {observable} |"
    yield ""
    unobservable = len(report.rules) - observable
    yield f"The catalogue has {len(report.rules)} rules for these operations; {unobservable} of them cannot be tested by any request."


def _target(report: Report, target: str) -> Iterator[str]:
    results = [result for result in report.results if result.target == target]
    coverage = rule_coverage(report, target)
    counts = [f"{coverage[name]} {name}" for name in COVERAGE_STATES if coverage[name]]
    if set(coverage) - {"proved"} or report.skipped(target):
        yield ""
        yield f"### {code(target)}"
        yield ""
        yield f"Of {coverage.total()} observable rules: {', '.join(counts)}."
    if skipped := report.skipped(target):
        yield ""
        yield "Skipped: " + "; ".join(f"{number} since {code(reason)}" for reason, number in skipped.items()) + "."
    titles = {"failed": "differences", "outdated": "differences where the documented page is behind the service"}
    for outcome, title in titles.items():
        if found := [result for result in results if result.outcome == outcome]:
            yield from _differences(report, found, title)


def _differences(report: Report, found: list[Result], title: str) -> Iterator[str]:
    rule_of = {check["id"]: check["rule"] or check["id"] for check in report.checks}
    order = list(dict.fromkeys(rule_of[result.check] for result in found))
    by_rule = groupby(sorted(found, key=lambda result: order.index(rule_of[result.check])), lambda result: rule_of[result.check])
    yield ""
    yield f"<details><summary>{len(found)} {title}, of {len(order)} rules and behaviours</summary>"
    yield ""
    for number, (rule, group) in enumerate(by_rule):
        if number == MOST_RULES:
            yield f"- and {len(order) - MOST_RULES} more rules and behaviours: see the report"
            break
        results = list(group)
        if rule == results[0].check:  # a check of `BEHAVIOURS` without a rule
            yield f"- {_difference(results[0])}"
            continue
        yield f"- {code(rule)}"
        yield from (f"  - {_difference(result)}" for result in results[:MOST_CHECKS])
        if len(results) > MOST_CHECKS:
            yield f"  - and {len(results) - MOST_CHECKS} more"
    yield ""
    yield "</details>"


def _difference(result: Result) -> str:
    known = f" (expected: {code(result.reason)})" if result.reason else ""
    return f"{code(result.check)}{known}: expected {code(str(result.expected))}, got {code(str(result.actual))}"


def code(text: str) -> str:
    """Return a text as Markdown code on one line, with enough backticks that no part of it is markup.

    Example:
        >>> code("a `tick`, <b> and a line")
        '`` a `tick`, <b> and a line ``'
    """
    text = one_line(text, CODE_WIDTH) or " "
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{ticks} {text} {ticks}" if len(ticks) > 1 else f"{ticks}{text}{ticks}"


SCRIPT_ESCAPES = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})
"""JSON escapes of characters that could end a script element or a line of it."""


def html_page(report: Report) -> str:
    """Return the report as an HTML page: `page.html` with `page.css`, `page.js` and the report as JSON inserted.

    The content security policy of the page allows only this style and this script. The page loads nothing, and text of a
    report cannot run as code.
    """
    parts = files(__package__) / "html"
    style, script = ((parts / name).read_text("utf-8") for name in ("page.css", "page.js"))
    return Template((parts / "page.html").read_text("utf-8")).substitute(
        title=escape(f"CreateModel contract: {', '.join(report.targets)}"),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        data=json.dumps(_data(report), ensure_ascii=False, separators=(",", ":")).translate(SCRIPT_ESCAPES),
    )


def _data(report: Report) -> dict[str, Any]:
    """Return the data of the page: the report with results by check and target, and with summaries and a legend."""
    by_check: dict[str, dict[str, Any]] = {check["id"]: {} for check in report.checks}
    for result in report.results:
        facts = {name: value for name, value in asdict(result).items() if value not in (None, "") and name not in ("check", "target")}
        by_check[result.check][result.target] = facts
    summaries = {
        target: {"outcomes": report.counts(target), "coverage": rule_coverage(report, target), "skipped": report.skipped(target)}
        for target in report.targets
    }
    legend = {"outcomes": OUTCOMES, "coverage": COVERAGE_STATES, "evidence": EVIDENCE, "capabilities": CAPABILITIES, "marks": MARKS}
    legend["redacted"] = REDACTED[report.redacted]
    return asdict(report) | {"results": by_check, "summaries": summaries, "legend": legend}


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
