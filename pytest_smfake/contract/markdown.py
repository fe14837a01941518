"""A report as a summary in Markdown, short enough for the page of a CI job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from .check import one_line
from .coverage import standings
from .outcomes import MARKS, OUTCOMES, REDACTED, STANDINGS
from .report import Report, Result

RULES = 40
"""How many rules are shown of a target; a job's page takes 1 MiB for all its steps."""
CHECKS = 3
"""How many checks are shown of a rule."""
WIDTH = 240
"""How many characters are shown of an answer."""


def markdown(report: Report) -> str:
    """Return targets by outcome, and below them the differences by rule."""
    return "\n".join([*_head(report), *(line for target in report.targets for line in _target(report, target))]) + "\n"


def _head(report: Report) -> Iterator[str]:
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    yield "## CreateModel contract"
    yield ""
    told = REDACTED[report.redacted]
    yield f"Edition {code(report.edition)}, {len(report.checks)} checks, {report.created}. {versions}. {told[0].upper()}{told[1:]}."
    yield ""
    outcomes = [*OUTCOMES, "not run"]
    observable = sum(not rule["silent"] for rule in report.rules)
    yield "| target | " + " | ".join(f"{MARKS[outcome]} {outcome}" for outcome in outcomes) + " | rules proved |"
    yield "|---|" + "--:|" * (len(outcomes) + 1)
    for target in report.targets:
        counts = report.counts(target)
        cells = [f"**{counts[name]}**" if name == "failed" and counts[name] else str(counts[name]) for name in outcomes]
        # A table ends a cell at every bar, also at one in code.
        name = code(target.replace("|", "\u00a6"))
        yield f"| {name} | " + " | ".join(cells) + f" | {standings(report, target)['proved']} of {observable} |"
    yield ""
    silent = len(report.rules) - observable
    yield f"The catalogue has {len(report.rules)} rules for these operations; no request can show that {silent} of them are kept."


def _target(report: Report, target: str) -> Iterator[str]:
    results = [result for result in report.results if result.target == target]
    stand = standings(report, target)
    apart = [f"{stand[name]} {name}" for name in STANDINGS if stand[name]]
    if set(stand) - {"proved"} or report.skipped(target):
        yield ""
        yield f"### {code(target)}"
        yield ""
        yield f"Of {stand.total()} observable rules: {', '.join(apart)}."
    if skipped := report.skipped(target):
        yield ""
        yield "Skipped: " + "; ".join(f"{number} since {code(reason)}" for reason, number in skipped.items()) + "."
    titles = {"failed": "differences", "outdated": "differences in which the documented page is behind the service"}
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
        if number == RULES:
            yield f"- and {len(order) - RULES} more rules and behaviours: see the report"
            break
        results = list(group)
        if rule == results[0].check:  # a behaviour, which has one
            yield f"- {_told(results[0])}"
            continue
        yield f"- {code(rule)}"
        yield from (f"  - {_told(result)}" for result in results[:CHECKS])
        if len(results) > CHECKS:
            yield f"  - and {len(results) - CHECKS} more"
    yield ""
    yield "</details>"


def _told(result: Result) -> str:
    known = f" (expected: {code(result.reason)})" if result.reason else ""
    return f"{code(result.check)}{known}: expected {code(str(result.expected))}, got {code(str(result.actual))}"


def code(text: str) -> str:
    """Return a text as code on one line, in which nothing of it means anything to Markdown.

    Example:
        >>> code("a `tick`, <b> and a line")
        '`` a `tick`, <b> and a line ``'
    """
    text = one_line(text, WIDTH) or " "
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{ticks} {text} {ticks}" if len(ticks) > 1 else f"{ticks}{text}{ticks}"
