"""Select checks and run them: as tests, in a class to inherit from, or without pytest."""

from __future__ import annotations

import contextlib
import os
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from pytest_smfake.contract.behaviours import BEHAVIOURS
from pytest_smfake.contract.boundaries import boundary_checks
from pytest_smfake.contract.targets.names import UnsafeRequestError
from pytest_smfake.contract.targets.redaction import Redaction, Tokens
from pytest_smfake.contract.targets.target import UnprovedError

from .check import Check, Difference, as_text
from .plugin import properties
from .report import Outcome, Report, Result, describe_check

if TYPE_CHECKING:
    from pytest_smfake.contract.targets.target import Target
    from pytest_smfake.rules.rule import Edition


def checks(select: Sequence[str] = (), edition: Edition = "page") -> list[Check]:
    """Return the checks of the contract.

    Args:
        select: ids of checks; `*` matches any characters. By default all checks.
        edition: the edition whose rules the boundary cases test.

    Raises:
        ValueError: no check matches one of the ids.

    Example:
        >>> [check.id for check in checks(["describe/*"])][:2]
        ['describe/echo', 'describe/absent']
    """
    every = [*BEHAVIOURS, *boundary_checks(edition)]
    for pattern in select:
        if not any(_matches(check, pattern) for check in every):
            groups = ", ".join(dict.fromkeys(f"{check.group}/*" for check in every))
            raise ValueError(f"no check has the id {as_text(pattern, 80)!r}; there are: {groups}")
    return [check for check in every if not select or any(_matches(check, pattern) for pattern in select)]


def _matches(check: Check, pattern: str) -> bool:
    """Whether the id of a check matches a pattern. `*` matches any characters; each other character matches itself.

    Each part is searched once, from the end of the part before it: a regular expression with many stars can take exponential time.
    """
    first, *parts = pattern.split("*")
    if not parts:
        return check.id == pattern
    at, end = len(first), len(check.id) - len(parts[-1])
    if not check.id.startswith(first) or not check.id.endswith(parts[-1]):
        return False
    for part in parts[:-1]:
        found = check.id.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return at <= end


def run_check(check: Check, target: Target) -> Result:
    """Run a check on a target and return the result, redacted if the target has a redaction.

    Raises:
        UnprovedError: a reply says nothing about a rule, so that the check has no result. The text is redacted, too.
        UnsafeRequestError: a request names something that is not of the run. The text is redacted, too.
    """
    if target.redaction is None:
        return _run_check(check, target)
    target.redaction.begin()
    try:
        return target.redaction.result(_run_check(check, target))
    except (UnprovedError, UnsafeRequestError) as error:
        raise type(error)(target.redaction.text(str(error))) from None


def _run_check(check: Check, target: Target) -> Result:
    reason = target.why_not(check)
    if reason is not None:
        return Result(check.id, target.name, "skipped", reason)
    begun = time.perf_counter()
    difference = None
    target.check = check.id
    try:
        with target:
            try:
                check.run(target)
            except Difference as found:
                difference = found
            except UNREADABLE as error:
                at = traceback.extract_tb(error.__traceback__)[-1]
                why = f"a reply without {error}" if isinstance(error, KeyError) else f"a reply of another shape ({type(error).__name__})"
                what = f"{why}, read at {Path(at.filename).name}:{at.lineno}"
                difference = Difference("a reply that the check can read", what)
    except UnprovedError as error:
        target.unproved[check.id] = str(error)
        raise
    finally:
        target.check = ""
    seconds = round(time.perf_counter() - begun, 4)
    if difference is None:
        return Result(check.id, target.name, "passed", seconds=seconds)
    outcome: Outcome = "outdated" if target.is_service and difference.outdated else "failed"
    request = None if difference.request is None else as_text(difference.request)
    return Result(check.id, target.name, outcome, "", difference.expected, difference.actual, request, seconds)


UNREADABLE = (AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""Errors that a check can raise if a reply has an unexpected shape."""


def run_contract(*targets: Target, select: Sequence[str] = (), edition: Edition = "page", redacted: bool = False) -> Report:
    """Run the contract without pytest.

    Args:
        targets: the targets; the report has a column for each.
        select: ids of checks; `*` matches any characters. By default all checks.
        edition: the edition whose rules the boundary cases test.
        redacted: whether the report has tokens in place of values that identify an account.

    Returns:
        The report; `report.failed` has the differences, `str(report)` is a table.

    Raises:
        ValueError: there is no target, two targets have the same name, or no check has one of the ids.

    Example:
        >>> from pytest_smfake.contract import FakeTarget, run_contract
        >>> report = run_contract(FakeTarget(), select=["create/*"])
        >>> len(report.results), report.failed
        (6, [])
    """
    return run_checks(checks(select, edition), targets, edition, redacted=redacted)


def run_checks(
    chosen: Sequence[Check], targets: Sequence[Target], edition: Edition, results: list[Result] | None = None, *, redacted: bool = False
) -> Report:
    """Run these checks and return the report. A check without a result is not in its results.

    Args:
        chosen: the checks.
        targets: the targets.
        edition: the edition whose rules the boundary cases test.
        results: a list that gets each result at once, so that an interrupted run keeps them.
        redacted: whether the report has tokens in place of values that identify an account.

    Raises:
        ValueError: there is no target, or two targets have the same name.
    """
    names = [target.name for target in targets]
    if not targets or len(set(names)) < len(names):
        raise ValueError(f"expected one or more targets with different names, got {names!r}")
    results = [] if results is None else results
    with redacting(targets if redacted else ()):
        for target in targets:
            for check in chosen:
                if target.stopped:
                    break
                with contextlib.suppress(UnprovedError):  # the target keeps the reason
                    results.append(run_check(check, target))
        return report_of(chosen, targets, edition, results)


def report_of(chosen: Sequence[Check], targets: Sequence[Target], edition: Edition, results: Sequence[Result]) -> Report:
    """Return the report of a run; its targets have the names that the results use."""
    labels = [target.name if target.redaction is None else target.redaction.label for target in targets]
    redacted = any(target.redaction is not None for target in targets)
    return Report.now(edition, labels, [describe_check(check) for check in chosen], results, redacted=redacted)


def redact(target: Target, tokens: Tokens, suffix: str) -> None:
    """Redact the results of a target from now on. `suffix` distinguishes targets of the same kind: see `label_of`."""
    target.redaction = Redaction(target, tokens, label_of(target.name, suffix))
    target.listeners.append(target.redaction.learn)


@contextmanager
def redacting(targets: Sequence[Target]) -> Iterator[None]:
    """Redact the results of targets within a block."""
    tokens = Tokens()
    for number, target in enumerate(targets, 1):
        redact(target, tokens, str(number))
    try:
        yield
    finally:
        for target in targets:
            if target.redaction is not None:
                target.listeners.remove(target.redaction.learn)
                target.redaction = None


def label_of(name: str, suffix: str) -> str:
    """Return the name of a target in a redacted report: the argument after `=`, an address or a path, becomes `suffix`.

    Example:
        >>> label_of("endpoint=http://10.0.0.1:5000", "1"), label_of("fake", "2")
        ('endpoint=1', 'fake')
    """
    kind, equals, _ = name.partition("=")
    return f"{kind}={suffix}" if equals else name


tokens_key = pytest.StashKey[Tokens]()


def redact_if_asked(target: Target, config: pytest.Config, suffix: str) -> None:
    """Redact the results of a target if pytest runs with `--smfake-redact` and it is not redacted yet."""
    if config.getoption("--smfake-redact") and target.redaction is None:
        redact(target, config.stash.setdefault(tokens_key, Tokens(os.environ.get("PYTEST_XDIST_WORKER", ""))), suffix)


class CreateModelContract:
    """Run the contract as a test class. A project with a service of its own inherits from it and overrides the fixture `target`.

    Attributes:
        select: ids of the checks to run; `*` matches any characters. By default all checks.
        edition: the edition whose rules the boundary cases test; by default the edition of the settings.
        expected_failures: reasons, by the id of a check that is known to fail. If such a check passes, its test fails: remove the entry.

    Example:
        >>> class TestEmulator(CreateModelContract):
        ...     expected_failures = {"list/filtered-after": "pages are cut after filtering, see our issue 12"}
        ...     @pytest.fixture
        ...     def target(self):
        ...         return EndpointTarget("http://127.0.0.1:5000")
    """

    select: ClassVar[Sequence[str]] = ()
    edition: ClassVar[Edition | None] = None
    expected_failures: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Reject a subclass that would run something other than the contract.

        Raises:
            TypeError: the subclass overrides a method that runs the contract, or an expected failure has no reason.
        """
        super().__init_subclass__(**keywords)
        overridden = [name for name in ("test_check", "pytest_generate_tests") if name in vars(cls)]
        if overridden:
            allowed = "target, select, edition and expected_failures"
            raise TypeError(f"{cls.__name__} overrides {overridden[0]}; a contract class may override only {allowed}")
        for check_id, reason in cls.expected_failures.items():
            if not isinstance(reason, str) or not reason.strip():
                raise TypeError(f"{cls.__name__}: expected_failures[{check_id!r}] must be a reason, got {reason!r}")

    @pytest.fixture
    def target(self, smfake_target: Target) -> Target:
        """Return the target of the checks: the one of `--smfake-target`."""
        return smfake_target

    @classmethod
    def pytest_generate_tests(cls, metafunc: pytest.Metafunc) -> None:
        """Parametrize the test with the checks."""
        if "check" not in metafunc.fixturenames:
            return
        edition = cls.edition or metafunc.config.getoption("--smfake-edition") or metafunc.config.getini("smfake_edition")
        asked = metafunc.config.getoption("--smfake-check")
        try:
            unknown = set(cls.expected_failures) - {check.id for check in checks(cls.select, edition)}
            if unknown:
                raise ValueError(f"expected_failures has {min(unknown)!r}, which is not the id of a check that runs")
            chosen = [check for check in checks(cls.select, edition) if not asked or check in checks(asked, edition)]
        except ValueError as error:
            raise pytest.fail.Exception(f"{cls.__name__}: {error}", pytrace=False) from None
        metafunc.parametrize("check", [cls._parameter(check) for check in chosen])

    @classmethod
    def _parameter(cls, check: Check) -> Any:
        reason = cls.expected_failures.get(check.id)
        marks = [] if reason is None else [pytest.mark.xfail(strict=True, reason=reason, raises=Difference)]
        return pytest.param(check, id=check.id, marks=marks)

    @staticmethod
    def _label_suffix(item: Any) -> str:
        """Return the suffix of a redacted target's name: the class, and the indices of the parameters other than `check`."""
        numbers = [str(number) for name, number in item.callspec.indices.items() if name != "check"]
        return "-".join([item.cls.__name__, *numbers])

    def test_check(self, check: Check, target: Target, request: pytest.FixtureRequest) -> None:
        """Run one check on the target."""
        redact_if_asked(target, request.config, self._label_suffix(request.node))
        label = target.name if target.redaction is None else target.redaction.label
        if target.stopped:
            pytest.skip(f"{label}: not run, since the run was stopped")
        try:
            result = run_check(check, target)
        except (UnprovedError, UnsafeRequestError) as error:
            pytest.fail(f"{label}: {check.id} has no result: {error}", pytrace=False)
        if result.outcome == "failed":
            result = replace(result, reason=self.expected_failures.get(check.id, ""))
        request.node.user_properties.extend(properties(describe_check(check), asdict(result)))
        if result.outcome == "skipped":
            pytest.skip(f"{result.target}: {result.reason}")
        if result.outcome == "failed":
            raise Difference(f"{result.expected}\n{check.sentence} [{check.evidence}: {check.source}]", str(result.actual), result.request)
