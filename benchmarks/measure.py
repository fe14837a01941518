"""How the benchmarks measure: single calls in turns, medians, and ratios of these."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Figure:
    """One line of the table.

    Attributes:
        what: what is measured, against what.
        value: the ratio, or the quantity where `unit` names one.
        goal: the bound that it is to keep.
        unit: empty for a ratio.
        least: whether the goal is a lower bound.
        spread: the quartiles of the value over the rounds.
        details: the medians that it is made of, in microseconds unless they say otherwise.
    """

    what: str
    value: float
    goal: float | None
    unit: str = ""
    least: bool = False
    spread: tuple[float, float] | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.least else self.value <= self.goal


@dataclass
class Contender:
    """What is timed: `call` within `around`, which is entered for each call and is not timed itself."""

    call: Callable[[], object]
    around: Callable[[], AbstractContextManager[Any]] = nullcontext


def interleave(contenders: Mapping[str, Contender], rounds: int) -> dict[str, list[float]]:
    """Return how many microseconds each call took, one call of each contender in turn, the garbage collector at rest.

    A call of the same kind that is not timed goes before each: it is calls that are compared, not what the processor has in its caches
    of them after others had their turn.
    """
    took: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(-max(3, rounds // 20), rounds):  # those before 0 warm up
        gc.collect(0)
        gc.disable()
        for name, contender in contenders.items():
            with contender.around():
                contender.call()
                started = time.perf_counter_ns()
                contender.call()
                spent = (time.perf_counter_ns() - started) / 1000
            if round_ >= 0:
                took[name].append(spent)
        gc.enable()
    return took


def ratio(took: Mapping[str, list[float]], what: str, goal: float | None, mine: str, other: str, *, least: bool = False) -> Figure:
    """Return the ratio of two medians; its spread is that of the ratios of neighbours in time."""
    each = [a / b for a, b in zip(took[mine], took[other], strict=True)]
    quartiles = statistics.quantiles(each, n=4)
    medians = {name: round(statistics.median(took[name]), 2) for name in (mine, other)}
    return Figure(what, medians[mine] / medians[other], goal, least=least, spread=(quartiles[0], quartiles[2]), details=medians)


def table(figures: list[Figure]) -> str:
    """Return the figures as a table in Markdown."""
    lines = ["| what | goal | measured | spread | |", "|---|---|---|---|---|"]
    for figure in figures:
        bound = "" if figure.goal is None else f"{'at least' if figure.least else 'at most'} {figure.goal:g}{figure.unit}"
        spread = "" if figure.spread is None else f"{_short(figure.spread[0])} to {_short(figure.spread[1])}"
        met = {None: "", True: "met", False: "missed"}[figure.met]
        lines.append(f"| {figure.what} | {bound} | {_short(figure.value)}{figure.unit} | {spread} | {met} |")
    return "\n".join(lines)


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"
