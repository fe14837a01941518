"""The differences of a run in a screen: grouped by what they are about, each group with one example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_smfake.rules.inputs import counted

from .check import one_line
from .outcomes import CheckFacts
from .report import Report, Result

MOST = 20
"""Groups that are shown, the largest first; the rest is counted."""
FEW = 5
"""So few differences are told in full."""
EXPECTED, ACTUAL = 100, 60
"""Characters that are shown of what was expected and of what came."""


def findings(report: Report, *, every: bool = False) -> Iterator[str]:
    """Yield lines about the differences of a run, and one for each target about checks that it did not run.

    Args:
        report: the run.
        every: whether to tell each difference, in full.
    """
    checks = {check["id"]: check for check in report.checks}
    if every or len(report.failed) <= FEW:
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
    """Yield a line for each group of differences: a target, an operation, and the kind of its rule."""
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for result in report.failed:
        check = checks[result.check]
        rule = check["rule"]
        # The id of a boundary case begins with its rule's; a behaviour may be about a rule, too, and is about more.
        kind = rule.rpartition(":")[2] if rule is not None and check["id"].startswith(rule) else "behaviour"
        groups.setdefault((result.target, check["group"], kind), []).append(result)
    yield f"{counted(len(report.failed), 'difference')}, by operation and kind of rule:"
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    for (target, group, kind), results in ordered[:MOST]:
        first = results[0]
        wanted, came = one_line(str(first.expected), EXPECTED), one_line(str(first.actual), ACTUAL)
        yield f"{target}: {group}, {kind}: {len(results)}, such as {first.check}: expected: {wanted}; actual: {came}"
    if rest := ordered[MOST:]:
        count = sum(len(results) for _, results in rest)
        yield f"and {count} more in {counted(len(rest), 'group')}; -v shows every one"
