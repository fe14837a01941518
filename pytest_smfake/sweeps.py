"""Sweeps: a scenario is run once for each failure at each of its calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from .fake import FakeSageMaker
from .rules import failures
from .rules.inputs import counted, shown
from .service.calls import Call

AFTER = ":after"
"""The suffix of a failure that is triggered after the operation took effect: `connection-reset:after`."""

MOST_PROBLEMS = 20
"""Maximum number of reported problems, each with its failures. Further problems are counted."""
NAMED_FAILURES = 3
"""Maximum number of named failures for each problem."""


class SweepError(AssertionError):
    """Runs of a sweep are wrong. `shows_output`: whether the report of the test has the printed and logged output of the runs."""

    def __init__(self, text: str, *, shows_output: bool) -> None:
        super().__init__(text)
        self.shows_output = shows_output


@dataclass(slots=True)
class Run:
    """One run of a scenario in which one call failed.

    Attributes:
        id: the call's number, from 1, and its failure: `3:ThrottlingException`.
        call: the call's number.
        operation: its operation.
        failure: its failure: a code, with `:after` if it was triggered after the operation took effect.
        reproduce: the line of code that makes this run alone.
        raised: the exception of the scenario, or None.
        left: the resources that were left behind, such as `model/churn` or `tags of model/churn`.
        recovered: whether the scenario sent the failed request again with success, and raised nothing.
        problems: the problems of the run, as texts; empty for a run that passed.
        sent_from: file and line of the code that sent the failed call, such as `/project/deploy.py:26`; empty if unknown.
    """

    id: str
    call: int
    operation: str
    failure: str
    reproduce: str
    raised: Exception | None = None
    left: list[str] = field(default_factory=list)
    recovered: bool = False
    problems: list[str] = field(default_factory=list)
    sent_from: str = ""
    triggered: bool = field(default=True, repr=False)
    checked: bool = field(default=False, repr=False)

    @property
    def swallowed(self) -> bool:
        """Return whether the scenario raised nothing, although the call failed and was not repeated with success."""
        return self.raised is None and not self.recovered

    def check(self) -> None:
        """Raise AssertionError if the run has problems.

        Raises:
            AssertionError: the texts of `problems`, and how to repeat the run.
        """
        self.checked = True
        if self.problems:
            error = AssertionError(self.report())
            raise error from self.raised

    def report(self, *, alone: bool = False) -> str:
        """Return the problems of the run, and how to repeat it, unless `alone` says that it was the only one."""
        end = "nothing" if self.raised is None else repr(self.raised)
        again = "" if alone else f" Alone: {self.reproduce}"
        return f"run {self.id}, in which {self.operation} failed: {'; '.join(self.problems)}. It raised {end}.{again}"


def sweep(
    scenario: Callable[[FakeSageMaker], object],
    errors: Sequence[str] | None = None,
    keeps: Sequence[str] = (),
    swallows: Sequence[str] = (),
    invariant: Callable[[FakeSageMaker], object] | None = None,
    only: str | None = None,
    *,
    output: bool = False,
    factory: Callable[[], FakeSageMaker] = FakeSageMaker,
) -> Sweep:
    """Run a scenario once for each failure at each of its calls, each time with a new fake.

    The first run has no failure, and counts the calls. A later run is wrong if it leaves new resources behind, if the scenario raises
    nothing although a call failed and was not repeated with success, or if the invariant does not hold. Resources from `add_model` and
    `add_endpoint` do not count as new. If the scenario raises nothing, the resources that the first run created do not count either.
    Finished jobs, and endpoints that are being deleted, never count.

    Args:
        scenario: the code under test, called with the active fake.
        errors: the failures to inject at each call that can have them: codes as for `FakeSageMaker.fail`, with `:after` to trigger one
            after the operation took effect. By default, the documented errors of each operation.
        keeps: resources that may be left behind: `model/churn`, `model/*`, or `DeleteModel:model/*` for failures of that operation. In
            another region or account than the fake's, as the report names them: `model/churn in eu-west-1 of 123456789012`.
        swallows: failures that the scenario may swallow: `AddTags`, `AddTags:ThrottlingException`, or the id of a run;
            `*` stands for any characters.
        invariant: a function that gets the fake after each run, and raises or returns False if its condition does not hold.
        only: the id of a run, to make only that one.
        output: whether the report of a failed test has the printed and logged output of the runs, and their refusals; always with `only`.
        factory: makes the fake of each run; the fixture `smfake_factory` makes it with the settings of the test.

    Returns:
        The runs, each made when it is iterated. At the end a table is printed; or AssertionError is raised for the wrong runs whose
        `check()` was not called.

    Raises:
        ValueError: an unknown failure, operation or id, or a scenario that makes no call or needs other arguments than the fake.
        AssertionError: some runs are wrong, or the invariant does not hold without failures.

    Example:
        >>> def deploy(fake):
        ...     arn = fake.client().create_model(**fake.request(ModelName="churn"))["ModelArn"]
        ...     fake.client().add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "ml"}])
        >>> for run in sweep(deploy, only="2:ThrottlingException", keeps=["model/churn"]):
        ...     print(run.operation, run.left)
        AddTags ['model/churn']
    """
    for name, value in (("scenario", scenario), ("factory", factory), *([("invariant", invariant)] if invariant is not None else [])):
        if not callable(value):
            raise ValueError(f"{name}={shown(value)} is not a function")
    if inspect.iscoroutinefunction(scenario):
        raise ValueError(f"scenario={scenario.__name__} is a coroutine function; sweep a function that runs it by asyncio.run()")
    if only is not None and not isinstance(only, str):
        raise ValueError(f"only={shown(only)} is not the id of a run, such as '2:ThrottlingException'")
    for name, patterns in (("errors", errors), ("keeps", keeps), ("swallows", swallows)):
        if isinstance(patterns, str):
            raise ValueError(f"{name}={patterns!r} is not a list; did you mean [{patterns!r}]?")
        optional = name == "errors" and patterns is None
        if not optional and not (isinstance(patterns, Iterable) and all(isinstance(pattern, str) for pattern in patterns)):
            raise ValueError(f"{name}={shown(patterns)} is not a list of texts")
    return Sweep(scenario, errors, keeps, swallows, invariant, only, output or only is not None, factory)


class Sweep(Iterable[Run]):
    """The runs of a scenario, each made when it is iterated. `str()` of a sweep is a table of the runs so far."""

    def __init__(
        self,
        scenario: Callable[[FakeSageMaker], object],
        errors: Sequence[str] | None,
        keeps: Sequence[str],
        swallows: Sequence[str],
        invariant: Callable[[FakeSageMaker], object] | None,
        only: str | None,
        output: bool,
        factory: Callable[[], FakeSageMaker],
    ) -> None:
        self._scenario = scenario
        self._errors = errors
        self._allowed = {"keeps": keeps, "swallows": swallows}
        self._unmatched: set[tuple[str, str]] = set()
        self._invariant = invariant
        self._only = only
        self._output = output
        self._factory = factory
        self.operations: list[str] = []
        """The operation of each call of the scenario."""
        self.runs: list[Run] = []
        """The runs made so far."""

    def __iter__(self) -> Iterator[Run]:
        usual = self._without_failures()
        self.runs = []
        self._unmatched = {(name, pattern) for name, patterns in self._allowed.items() for pattern in patterns}
        for number, failure in self._plan():
            run = self._run(number, failure, usual)
            self.runs.append(run)
            yield run
        wrong = [run for run in self.runs if run.problems and not run.checked]
        if self._only is not None:
            if wrong:
                raise SweepError(wrong[0].report(alone=True), shows_output=True)
            return
        if wrong:
            lines = [f"{len(wrong)} of {len(self.runs)} runs are wrong", str(self), *_findings(wrong), *self._unmatched_lines()]
            raise SweepError("\n".join(lines), shows_output=self._output)
        print(self)  # noqa: T201  # the summary, which pytest shows on demand

    def _allows(self, name: str, *labels: str) -> bool:
        """Return whether an entry of `keeps` or `swallows` matches one of some labels, and note that it did."""
        found = [pattern for pattern in self._allowed[name] if any(fnmatchcase(label, pattern) for label in labels)]
        self._unmatched -= {(name, pattern) for pattern in found}
        return bool(found)

    def _unmatched_lines(self) -> Iterator[str]:
        """Yield a line for each entry of `keeps` and `swallows` that matched nothing, and may be misspelled."""
        left = sorted({label for run in self.runs for label in run.left})
        for name, patterns in self._allowed.items():
            for pattern in patterns:
                if (name, pattern) in self._unmatched:
                    what = f"; left behind: {', '.join(left) or 'nothing'}" if name == "keeps" else ""
                    yield f"{name}=[{pattern!r}] named nothing{what}"

    def _without_failures(self) -> set[str]:
        """Run the scenario without failures, note its calls, and return the resources that it leaves behind."""
        _check_scenario(self._scenario, self._name)
        with self._factory() as fake:
            self._scenario(fake)
            self.operations = [str(call.operation) for call in fake.calls]
            if broken := self._broken(fake):
                raise AssertionError(f"the invariant does not hold without any failure: {broken}")
            if not self.operations:
                raise ValueError(f"{self._name} made no SageMaker call that could fail")
            return set(_held(fake))

    def _plan(self) -> list[tuple[int, str]]:
        """Return the runs to make, each as a call's number and a failure."""
        calls = list(enumerate(self.operations, 1))
        if self._only is not None:
            number, _, failure = self._only.partition(":")
            if not (number.isdecimal() and 1 <= int(number) <= len(calls)):
                known = ", ".join(f"{number} {operation}" for number, operation in calls)
                raise ValueError(f"only={self._only!r} is not the id of a run, such as '1:ThrottlingException'; the calls are: {known}")
            _check(self.operations[int(number) - 1], failure)
            return [(int(number), failure)]
        failures_of = {operation: self._failures_of(operation) for operation in self.operations}
        for failure in self._errors or ():
            if not any(failure in failures_of[operation] for operation in self.operations):
                _check(self.operations[0], failure)
        return [(number, failure) for number, operation in calls for failure in failures_of[operation]]

    def _failures_of(self, operation: str) -> list[str]:
        """Return the failures to inject at an operation."""
        if self._errors is None:
            return [failure.code for failure in failures.documented(operation)]
        names = {name for failure in failures.known(operation) for name in (failure.code, *failure.aliases)}
        return [failure for failure in self._errors if failure.removesuffix(AFTER) in names]

    def _run(self, number: int, failure: str, usual: set[str]) -> Run:
        operation, code = self.operations[number - 1], failure.removesuffix(AFTER)
        run_id = f"{number}:{failure}"
        run = Run(run_id, number, operation, failure, f"sweep({self._name}, only={run_id!r})")
        with self._factory() as fake:

            def is_this(call: Call) -> bool:
                return len(fake.calls) >= number and fake.calls[number - 1] is call

            is_this.__name__ = f"call {number}"  # for the fault's label
            fault = fake.fail(operation, code, effect="after" if failure.endswith(AFTER) else None, when=is_this)
            try:
                self._scenario(fake)
            except Exception as error:  # noqa: BLE001  # any exception of the code under test is a result
                run.raised = error
            run.sent_from = next((call.sent_from for call in fake.calls[number - 1 : number]), "")
            run.recovered = run.raised is None and fault.hits > 0 and _sent_again(fake, number)
            fake.service.faults.clear()
            run.triggered = fault.hits > 0
            if not run.triggered:
                calls = ", ".join(map(str, fake.calls.operations)) or "none"
                run.problems.append(f"the failure was never triggered: call {number} was another operation this time; calls: {calls}")
                return run
            expected = usual if run.raised is None else set()
            run.left = [label for label in _held(fake) if label not in expected]
            not_kept = [label for label in run.left if not self._allows("keeps", label, f"{operation}:{label}")]
            if not_kept:
                run.problems.append(f"{', '.join(not_kept)} {'was' if len(not_kept) == 1 else 'were'} left behind")
            if run.swallowed and not self._allows("swallows", operation, f"{operation}:{failure}", run.id):
                run.problems.append("the failure was swallowed")
            if broken := self._broken(fake):
                run.problems.append(f"the invariant is broken: {broken}")
        return run

    def _broken(self, fake: FakeSageMaker) -> str | None:
        """Return why the invariant does not hold, or None if it holds."""
        if self._invariant is None:
            return None
        try:
            return "it returned False" if self._invariant(fake) is False else None
        except Exception as error:  # noqa: BLE001  # any exception means that it does not hold
            return repr(error)

    @property
    def _name(self) -> str:
        return getattr(self._scenario, "__name__", repr(self._scenario))

    def __str__(self) -> str:
        """Return a table with the number of runs and their outcomes for each call."""
        rows: list[tuple[str, ...]] = [("call", "runs", *ENDS, "wrong")]
        for number, operation in enumerate(self.operations, 1):
            runs = [run for run in self.runs if run.call == number]
            outcomes = [_outcome(run) for run in runs]
            counts = [len(runs), *map(outcomes.count, ENDS), sum(bool(run.problems) for run in runs)]
            rows.append((f"{number} {operation}", *(str(count or "-") for count in counts)))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows)


ENDS = ("raised", "sent again", "swallowed")
"""The outcomes of a run: the scenario raised, sent the request again with success, or swallowed the failure."""


def _outcome(run: Run) -> str | None:
    if not run.triggered:
        return None
    return "raised" if run.raised is not None else "sent again" if run.recovered else "swallowed"


def _check_scenario(scenario: Callable[[FakeSageMaker], object], name: str) -> None:
    """Check that a scenario can be called with the fake as its only argument.

    Raises:
        ValueError: it needs other arguments.
    """
    try:
        signature = inspect.signature(scenario)
    except (TypeError, ValueError):  # not written in Python: the signature is unknown
        return
    try:
        signature.bind(FakeSageMaker)
    except TypeError:
        raise ValueError(f"a scenario must take the active fake as its only argument: {name}(fake); this is {name}{signature}") from None


def _findings(wrong: Sequence[Run]) -> Iterator[str]:
    """Yield the lines about wrong runs: the failures for each call and problem, and how to make one of the runs alone."""
    groups: dict[tuple[int, str], list[Run]] = {}
    for run in wrong:
        for problem in run.problems:
            groups.setdefault((run.call, problem), []).append(run)
    for (call, problem), runs in list(groups.items())[:MOST_PROBLEMS]:
        count = counted(len(runs), "failure")
        names = [run.failure for run in runs[:NAMED_FAILURES]] + ["..."] * (len(runs) > NAMED_FAILURES)
        yield f"call {call} {runs[0].operation} fails ({count}: {', '.join(names)}): {problem}"
        sent_from = runs[0].sent_from
        yield f"    {f'sent from {_short(sent_from)}; ' if sent_from else ''}one of them alone: {runs[0].reproduce}"
    if len(groups) > MOST_PROBLEMS:
        yield f"{len(groups) - MOST_PROBLEMS} more problems are not shown"


def _short(line: str) -> str:
    """Return file and line of code, relative to the current directory if the file is below it."""
    path, here = Path(line), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _check(operation: str, name: str) -> None:
    """Check that an operation can have a failure.

    Raises:
        ValueError: it cannot; the text lists its failures.
    """
    failures.failure(operation, name.removesuffix(AFTER))


def _sent_again(fake: FakeSageMaker, number: int) -> bool:
    """Return whether a failed call was repeated with the same parameters and success."""
    failed = fake.calls[number - 1]
    return any(
        (later.operation, later.parameters) == (failed.operation, failed.parameters) and later.error is None
        for later in fake.calls[number:]
    )


def _held(fake: FakeSageMaker) -> list[str]:
    """Return the resources of a fake, except prepared ones, after all due changes have been made."""
    fake.service.hosting.schedule.run()
    return fake.service.store.held(fake.home)
