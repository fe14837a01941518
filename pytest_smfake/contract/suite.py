"""The checks as a whole, and three ways to run them: as tests, as a class to inherit from, and without pytest."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from pytest_smfake.results import properties

from . import errors, lists, models, tags
from .boundaries import boundary_checks
from .check import Check, Difference, shown
from .outcomes import Outcome
from .report import Report, Result, describe_check

if TYPE_CHECKING:
    from pytest_smfake.spec.rules import Edition

    from .target import Target

BEHAVIOURS = (*models.CHECKS, *tags.CHECKS, *lists.CHECKS, *errors.CHECKS)
"""The checks that are written by hand."""


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
            raise ValueError(f"{pattern!r} is the id of no check; there are: {groups}")
    return [check for check in every if not select or any(_matches(check, pattern) for pattern in select)]


def _matches(check: Check, pattern: str) -> bool:
    """Whether a check has an id; brackets, which the ids of members have, stand for themselves."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), check.id) is not None


def run_check(check: Check, target: Target) -> Result:
    """Hold a target to one sentence of the contract."""
    reason = target.why_not(check)
    if reason is not None:
        return Result(check.id, target.name, "skipped", reason)
    begun = time.perf_counter()
    difference = None
    target.check = check.id
    with target:
        try:
            check.run(target)
        except Difference as found:
            difference = found
    seconds = round(time.perf_counter() - begun, 4)
    if difference is None:
        return Result(check.id, target.name, "passed", seconds=seconds)
    outcome: Outcome = "outdated" if target.is_service and difference.outdated else "failed"
    request = None if difference.request is None else shown(difference.request)
    return Result(check.id, target.name, outcome, "", difference.expected, difference.actual, request, seconds)


def run_contract(*targets: Target, select: Sequence[str] = (), edition: Edition = "page") -> Report:
    """Run the contract without pytest.

    Args:
        targets: where to run it; each gets a column of its own.
        select: ids of checks, in which `*` stands for any characters; all checks by default.
        edition: whose rules the boundary cases are about.

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
    return run_checks(checks(select, edition), targets, edition)


def run_checks(chosen: Sequence[Check], targets: Sequence[Target], edition: Edition) -> Report:
    """Run these checks, and report.

    Raises:
        ValueError: no target, or two of one name.
    """
    names = [target.name for target in targets]
    if not targets or len(set(names)) < len(names):
        raise ValueError(f"a contract is run on targets of different names, at least one, not on {names!r}")
    results = [run_check(check, target) for target in targets for check in chosen]
    return Report.now(edition, names, [describe_check(check) for check in chosen], results)


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
            pytest.fail(f"{cls.__name__}: {error}", pytrace=False)
        metafunc.parametrize("check", [cls._parameter(check) for check in chosen])

    @classmethod
    def _parameter(cls, check: Check) -> Any:
        reason = cls.expected_failures.get(check.id)
        marks = [] if reason is None else [pytest.mark.xfail(strict=True, reason=reason, raises=Difference)]
        return pytest.param(check, id=check.id, marks=marks)

    def test_check(self, check: Check, target: Target, request: pytest.FixtureRequest) -> None:
        """Hold the target to one sentence of the contract."""
        result = run_check(check, target)
        if result.outcome == "failed":
            result = replace(result, reason=self.expected_failures.get(check.id, ""))
        request.node.user_properties.extend(properties(describe_check(check), asdict(result)))
        if result.outcome == "skipped":
            pytest.skip(f"{target.name}: {result.reason}")
        if result.outcome == "failed":
            raise Difference(f"{result.expected}\n{check.sentence} [{check.evidence}: {check.source}]", str(result.actual), result.request)
