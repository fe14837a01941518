"""The checks as a whole, and three ways to run them: as tests, as a class to inherit from, and without pytest."""

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
        select: ids, in which `*` stands for any characters; all checks by default.
        edition: whose rules the boundary cases are about.

    Raises:
        ValueError: nothing has such an id.

    Example:
        >>> [check.id for check in checks(["describe/*"])][:2]
        ['describe/echo', 'describe/absent']
    """
    every = [*BEHAVIOURS, *boundary_checks(edition)]
    for pattern in select:
        if not any(_matches(check, pattern) for check in every):
            groups = ", ".join(dict.fromkeys(f"{check.group}/*" for check in every))
            raise ValueError(f"{as_text(pattern, 80)!r} is the id of no check; there are: {groups}")
    return [check for check in every if not select or any(_matches(check, pattern) for pattern in select)]


def _matches(check: Check, pattern: str) -> bool:
    """Whether a check has an id, in which each `*` stands for any characters; every other character stands for itself.

    Each part is looked for once, from where the one before it ends: a regular expression would try for ever on many stars.
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
    """Hold a target to one sentence of the contract; the result is redacted where the target's are to be.

    Raises:
        UnprovedError: an answer proved nothing, so that the check came to no result; the text is redacted likewise.
        UnsafeRequestError: the check names what is not the run's; likewise.
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
                why = f"one without {error}" if isinstance(error, KeyError) else f"one of another shape ({type(error).__name__})"
                what = f"{why}, read at {Path(at.filename).name}:{at.lineno}"
                difference = Difference("an answer that the check can read", what)
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
"""What a check raises that reads an answer of another shape than it has to have."""


def run_contract(*targets: Target, select: Sequence[str] = (), edition: Edition = "page", redacted: bool = False) -> Report:
    """Run the contract without pytest.

    Args:
        targets: where to run it; each gets a column of its own.
        select: ids of checks, in which `*` stands for any characters; all checks by default.
        edition: whose rules the boundary cases are about.
        redacted: whether tokens stand in the report for what tells whose account it is.

    Returns:
        The report; `report.failed` are the differences, `str(report)` is a table.

    Raises:
        ValueError: no target, two of one name, or an id that no check has.

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
    """Run these checks, and report. What was stopped, or came to no result, has none in the report.

    Args:
        chosen: the checks.
        targets: where to run them.
        edition: whose rules the boundary cases are about.
        results: added to as results come, for who is interrupted.
        redacted: whether the report is without what tells whose account a target is.

    Raises:
        ValueError: no target, or two of one name.
    """
    names = [target.name for target in targets]
    if not targets or len(set(names)) < len(names):
        raise ValueError(f"a contract is run on targets of different names, at least one, not on {names!r}")
    results = [] if results is None else results
    with redacting(targets if redacted else ()):
        for target in targets:
            for check in chosen:
                if target.stopped:
                    break
                with contextlib.suppress(UnprovedError):  # the target keeps why
                    results.append(run_check(check, target))
        return report_of(chosen, targets, edition, results)


def report_of(chosen: Sequence[Check], targets: Sequence[Target], edition: Edition, results: Sequence[Result]) -> Report:
    """Return the report of a run, under the names that the results have for the targets."""
    labels = [target.name if target.redaction is None else target.redaction.label for target in targets]
    redacted = any(target.redaction is not None for target in targets)
    return Report.now(edition, labels, [describe_check(check) for check in chosen], results, redacted=redacted)


def redact(target: Target, tokens: Tokens, place: str) -> None:
    """Let what reports say of a target be redacted, from now on. `place` tells it from others of its kind: see `label_of`."""
    target.redaction = Redaction(target, tokens, label_of(target.name, place))
    target.listeners.append(target.redaction.learn)


@contextmanager
def redacting(targets: Sequence[Target]) -> Iterator[None]:
    """Let what reports say of targets be redacted within a block."""
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


def label_of(name: str, place: str) -> str:
    """Return how a redacted report names a target: after `=` may be an address, or a path in the home of somebody.

    Example:
        >>> label_of("endpoint=http://10.0.0.1:5000", "1"), label_of("fake", "2")
        ('endpoint=1', 'fake')
    """
    kind, equals, _ = name.partition("=")
    return f"{kind}={place}" if equals else name


tokens_key = pytest.StashKey[Tokens]()


def redact_if_asked(target: Target, config: pytest.Config, place: str) -> None:
    """Let what reports say of a target be redacted, once, where a run of pytest asks for it."""
    if config.getoption("--smfake-redact") and target.redaction is None:
        redact(target, config.stash.setdefault(tokens_key, Tokens(os.environ.get("PYTEST_XDIST_WORKER", ""))), place)


class CreateModelContract:
    """The contract as a class to inherit from: a project that has a service of its own overrides `target`, and nothing else.

    Attributes:
        select: ids of the checks to run, in which `*` stands for any characters; all by default.
        edition: whose rules the boundary cases are about; that of the settings by default.
        expected_failures: why a check is known to fail, by its id. Such a check has to fail: once it passes, the entry has to go.

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
        """Refuse a subclass that runs something else than the contract.

        Raises:
            TypeError: it overrides what makes the contract; the sentence says what may be.
        """
        super().__init_subclass__(**keywords)
        overridden = [name for name in ("test_check", "pytest_generate_tests") if name in vars(cls)]
        if overridden:
            allowed = "target, select, edition and expected_failures"
            raise TypeError(f"{cls.__name__} overrides {overridden[0]}: of a contract only {allowed} may be overridden")
        for check_id, reason in cls.expected_failures.items():
            if not isinstance(reason, str) or not reason.strip():
                raise TypeError(f"{cls.__name__}: the expected failure of {check_id!r} needs a reason, not {reason!r}")

    @pytest.fixture
    def target(self, smfake_target: Target) -> Target:
        """Return where the checks run: what `--smfake-target` says."""
        return smfake_target

    @classmethod
    def pytest_generate_tests(cls, metafunc: pytest.Metafunc) -> None:
        """Make a test of each check."""
        if "check" not in metafunc.fixturenames:
            return
        edition = cls.edition or metafunc.config.getoption("--smfake-edition") or metafunc.config.getini("smfake_edition")
        asked = metafunc.config.getoption("--smfake-check")
        try:
            unknown = set(cls.expected_failures) - {check.id for check in checks(cls.select, edition)}
            if unknown:
                raise ValueError(f"{min(unknown)!r} is expected to fail, and is the id of no check that is run")
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
    def _place(item: Any) -> str:
        """Return what tells a target of this class from those of others: of several the numbers of its parameters, too."""
        numbers = [str(number) for name, number in item.callspec.indices.items() if name != "check"]
        return "-".join([item.cls.__name__, *numbers])

    def test_check(self, check: Check, target: Target, request: pytest.FixtureRequest) -> None:
        """Hold the target to one sentence of the contract."""
        redact_if_asked(target, request.config, self._place(request.node))
        label = target.name if target.redaction is None else target.redaction.label
        if target.stopped:
            pytest.skip(f"{label}: not run, since the run was stopped")
        try:
            result = run_check(check, target)
        except (UnprovedError, UnsafeRequestError) as error:
            pytest.fail(f"{label}: {check.id} came to no result: {error}", pytrace=False)
        if result.outcome == "failed":
            result = replace(result, reason=self.expected_failures.get(check.id, ""))
        request.node.user_properties.extend(properties(describe_check(check), asdict(result)))
        if result.outcome == "skipped":
            pytest.skip(f"{result.target}: {result.reason}")
        if result.outcome == "failed":
            raise Difference(f"{result.expected}\n{check.sentence} [{check.evidence}: {check.source}]", str(result.actual), result.request)
