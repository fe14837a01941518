"""The results of contract tests: gathered from test reports, shown as a table, written to files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .session import Session

PROPERTY = "smfake_contract"
"""The name of the property under which a contract test keeps its result, as JSON."""
REPORT_SUFFIXES = (".json", ".html", ".md")
"""The kinds of files that a report can be written to."""
WORST_FIRST = ("failed", "outdated", "passed", "skipped")
"""Which result counts where a check ran twice on a target, such as in two classes."""


def properties(check: Mapping[str, Any], result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the properties of a contract test: its result, and what a reader of JUnit files can filter by.

    Example:
        >>> properties({"id": "a/b", "rule": None, "evidence": "assumed"}, {"target": "fake", "outcome": "passed"})[1:4]
        [('smfake_check', 'a/b'), ('smfake_rule', ''), ('smfake_evidence', 'assumed')]
    """
    return [
        (PROPERTY, json.dumps([check, result])),
        ("smfake_check", check["id"]),
        ("smfake_rule", check["rule"] or ""),
        ("smfake_evidence", check["evidence"]),
        ("smfake_target", result["target"]),
        ("smfake_outcome", result["outcome"]),
    ]


def check_path(path: Path) -> None:
    """See that a report can be written to a path, before a run begins that may take long.

    Raises:
        ValueError: it cannot; the sentence says why.
    """
    from pytest_smfake.rules.inputs import check_place

    if path.suffix not in REPORT_SUFFIXES:
        raise ValueError(f"{path.name!r} ends in none of: {', '.join(REPORT_SUFFIXES)}")
    check_place(path)


class Results:
    """Gathers the results of a run; registered as a plugin where reports arrive, which under xdist is the controller alone.

    Args:
        edition: whose rules are checked.
        paths: where to write a report to.
        targets: the targets, in the order of their columns; others come after them, by name.
        asked: ids of the checks to run, in which `*` stands for any characters; all by default. Those that did not run are told.
        session: what is to be done at the end of a run, such as to count what is left in an account.
        redacted: whether the results are.
        every: whether to tell every difference, not an example of each group.
    """

    def __init__(
        self,
        edition: Any,
        paths: list[Path],
        targets: Sequence[str] = (),
        asked: Sequence[str] = (),
        session: Session | None = None,
        *,
        redacted: bool = False,
        every: bool = False,
    ) -> None:
        self._edition = edition
        self._paths = paths
        self._targets = targets
        self._asked = asked
        self._checks: dict[str, Any] = {}
        self._results: dict[tuple[str, str], dict[str, Any]] = {}
        self._told: list[str] = []
        self._session = session
        self._redacted = redacted
        self._every = every

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the result of a contract test; one that is run again is told again."""
        if report.when == "call" and report.outcome in ("passed", "failed", "skipped"):
            for name, value in report.user_properties:
                if name == PROPERTY:
                    check, result = json.loads(str(value))
                    self._checks[check["id"]] = check
                    key = check["id"], result["target"]
                    found = [result, *([self._results[key]] if key in self._results else [])]
                    self._results[key] = min(found, key=lambda one: WORST_FIRST.index(one["outcome"]))

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Leave nothing behind, and write the files; where that fails, so does the run."""
        ended = self._end(session)
        if not self._results:
            self._told = [f"no report, since no contract check came to a result: {path}" for path in self._paths]
            self._told += ended
            return
        from .text import findings

        report = self._report()
        self._told = [*findings(report, every=self._every), str(report), *ended]
        for path in self._paths:
            try:
                report.write(path)
            except OSError as error:
                self._told.append(f"the report could not be written to {path}: {error.strerror}")
                session.exitstatus = session.exitstatus or pytest.ExitCode.USAGE_ERROR
            else:
                self._told.append(f"report: {path}")

    def _end(self, session: pytest.Session) -> list[str]:
        """End the run on its targets, and return lines about it; what is left behind makes the run fail."""
        if self._session is None or not self._session.begun:
            return []
        from . import Result

        lines, clean = self._session.end([Result(**result) for result in self._results.values()])
        if not clean:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        return lines

    def _report(self) -> Any:
        """Return the report, in the order of the suite: under xdist results arrive in any."""
        from . import Report, Result, checks
        from .report import describe_check

        every = {check.id: describe_check(check) for check in checks(self._asked, self._edition)}
        ordered = [*every.values(), *(check for name, check in sorted(self._checks.items()) if name not in every)]
        names = {target for _, target in self._results}
        targets = [name for name in self._targets if name in names]
        targets += sorted(names - set(targets))
        results = [Result(**result) for result in self._results.values()]
        return Report.now(self._edition, targets, ordered, results, redacted=self._redacted)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Iterator[None]:
        """Show the differences in a screen, the table, and where the files are; pytest's own sections leave those checks out."""
        failed = terminalreporter.stats.get("failed", [])
        others = [report for report in failed if ("smfake_outcome", "failed") not in map(tuple, report.user_properties)]
        if failed:
            terminalreporter.stats["failed"] = others
        try:
            yield
        finally:
            if failed:
                terminalreporter.stats["failed"] = failed  # they count
        if self._told:
            terminalreporter.section("smfake contract")
            for line in self._told:
                terminalreporter.write_line(line)
