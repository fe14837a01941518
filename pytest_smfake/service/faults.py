"""Failures on purpose: what a test puts in force."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pytest_smfake.spec.failures import ANY, BROKEN, COMMON, FORMER, UNREACHED, Failure
from pytest_smfake.spec.given import LARGEST, LONGEST, shown

from .calls import Call
from .inforce import InForce

Effect = Literal["before", "after"]
Stage = Literal["arrival", "access", "condition", "reply"]
"""Where a fault strikes: before the request is read, after its constraints, after the access to it, or when the answer is ready."""

STAGES: dict[str, Stage] = {known.code: "arrival" for known in (*COMMON, *FORMER, *BROKEN)}
STAGES |= {"AccessDeniedException": "access", "NotAuthorized": "access", "OptInRequired": "access", "ValidationException": "condition"}
"""Where a failure strikes; an error that is modelled for an operation strikes where conditions are looked at."""


class UnusedFaultError(AssertionError):
    """A fault that was put in force and never struck: the test shows less than it seems to."""


@dataclass(eq=False, kw_only=True)
class Waiting(InForce):
    """What waits for calls of an operation; see `FakeSageMaker.fail` for what the arguments mean.

    Attributes:
        hits: how many calls it struck so far.
    """

    operation: str
    times: int | None = 1
    after: int = 0
    when: Callable[[Call], object] | None = None
    optional: bool = False
    hits: int = field(default=0, init=False)
    _passed: int = field(default=0, init=False, repr=False)
    _pending: int = field(default=0, init=False, repr=False)
    _verdict: Callable[[Waiting], str] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        _whole("times", self.times, 1, "; None stands for every call")
        _whole("after", self.after, 0, "")
        if self.when is not None and not callable(self.when):
            raise ValueError(f"when={self.when!r} is not a function of the call")
        _either("optional", self.optional)

    @property
    def label(self) -> str:
        """How a test would write it."""
        raise NotImplementedError

    def takes(self, call: Call) -> bool | None:
        """Whether it takes a call; None where it has none to do with it, False where it lets it pass for once."""
        if self.operation not in (ANY, call.operation) or (self.times is not None and self.hits + self._pending >= self.times):
            return None
        if self.when is not None and not self.when(call):
            return None
        if self._passed < self.after:
            self._passed += 1
            return False
        self._pending += 1
        return True

    def hides(self, later: Waiting) -> bool:
        """Whether a later one could never strike, since this one, in force before it, has no end."""
        return self.times is None and self.operation in (ANY, later.operation) and self.when in (None, later.when)

    def met(self, call: Call) -> None:
        """Note that it struck; the attempts of a call count once."""
        if self not in call.faults:
            call.faults.append(self)
            self.hits += 1
            self._pending -= 1

    def let_go(self) -> None:
        """Wait for another call than the one it took."""
        self._pending -= 1

    def complaint(self) -> str | None:
        """Return the sentence about one that never struck and is not optional, at the first time of asking; else None."""
        if self.hits or self.optional or self._verdict is None:
            return None
        verdict, self._verdict = self._verdict, None
        return verdict(self)

    def __exit__(self, exc_type: object = None, *exc: object) -> None:
        self.stop()
        if exc_type is None and (complaint := self.complaint()):
            raise UnusedFaultError(complaint)


@dataclass(eq=False, kw_only=True, repr=False)
class Fault(Waiting):
    """A failure in force, until it has struck as often as it should, `stop()`, or the end of its `with` block.

    Attributes:
        operation, code, times, after, attempts, when, message, effect, optional: as given to `FakeSageMaker.fail`.
        hits: how many calls it struck so far.
    """

    code: str
    attempts: int | None = None
    message: str | None = None
    effect: Effect | None = None
    failure: Failure

    def __post_init__(self) -> None:
        super().__post_init__()
        _whole("attempts", self.attempts, 1, "; None stands for all attempts of a call")
        form, code = self.failure.form, self.failure.code
        if self.effect is None:
            self.effect = "after" if form == "damage" else "before"
        if self.effect not in ("before", "after"):
            raise ValueError(
                f"effect={self.effect!r} is not when a failure strikes; that is 'before' or 'after' the operation takes effect"
            )
        if self.effect == "after" and code in UNREACHED:
            raise ValueError(f"effect='after' cannot be with {code}: such a call never reaches the service")
        if self.effect == "before" and form == "damage":
            raise ValueError(f"effect='before' cannot be with {code}: it is an answer that is damaged, and what it answers has happened")
        if self.message is not None and form != "error":
            raise ValueError(f"message={self.message!r} cannot be: {code} has no text")
        if self.message is not None and not isinstance(self.message, str):
            raise ValueError(f"message={self.message!r} is not a string")

    @property
    def stage(self) -> Stage:
        """Where it strikes."""
        if self.effect == "after":
            return "reply"
        return "condition" if self.failure.evidence == "modelled" else STAGES.get(self.failure.code, "condition")

    @property
    def label(self) -> str:
        """How a test would write it."""
        shown: list[tuple[str, Any, Any]] = [("times", self.times, 1), ("after", self.after, 0), ("attempts", self.attempts, None)]
        shown += [("effect", self.effect, "after" if self.failure.form == "damage" else "before")]
        options = "".join(f", {name}={value!r}" for name, value, default in shown if value != default)
        if self.when is not None:
            options += f", when={getattr(self.when, '__name__', self.when)}"
        return f"fail({self.operation!r}, {self.code!r}{options})"

    def __repr__(self) -> str:
        return f"<Fault {self.label}, hits={self.hits}>"


@dataclass(eq=False, kw_only=True, repr=False)
class Delay(Waiting):
    """A slow answer in force.

    Attributes:
        seconds: how long the answer takes.
        real: whether it takes real time, or moves the fake's clock.
        hits: how many calls it struck so far.
    """

    seconds: float
    real: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        number = isinstance(self.seconds, int | float) and not isinstance(self.seconds, bool)
        _either("real", self.real)
        if not number or not 0 < self.seconds <= LONGEST:
            raise ValueError(f"seconds={shown(self.seconds)} is not how long an answer takes: a number over 0 and at most {LONGEST}")

    @property
    def label(self) -> str:
        """How a test would write it."""
        return f"delay({self.operation!r}, {self.seconds!r})"

    def __repr__(self) -> str:
        return f"<Delay {self.label}, hits={self.hits}>"


@dataclass(eq=False, kw_only=True)
class Throttle(InForce):
    """A token bucket in force: for each account and region it holds up to `burst` tokens, and gets `rate` of them a second.

    Attributes:
        hits: how many requests it refused so far.
    """

    rate: float
    burst: int
    operation: str = ANY
    hits: int = field(default=0, init=False)
    _buckets: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        number = isinstance(self.rate, int | float) and not isinstance(self.rate, bool)
        if not number or not 0 < self.rate <= LARGEST:
            raise ValueError(f"rate={shown(self.rate)} is not how many requests a second are let through: a number over 0")
        _whole("burst", self.burst, 1, "")

    @property
    def label(self) -> str:
        """How a test would write it."""
        return f"throttle(rate={self.rate!r}, burst={self.burst!r})"

    def refuses(self, call: Call, now: float) -> bool:
        """Whether a request finds no token; else it takes one."""
        if self.operation not in (ANY, call.operation):
            return False
        tokens, then = self._buckets.get((call.account, call.region), (float(self.burst), now))
        tokens = min(self.burst, tokens + self.rate * max(0.0, now - then))
        refused = tokens < 1
        self._buckets[call.account, call.region] = (tokens if refused else tokens - 1, now)
        self.hits += refused
        return refused


def probability(chance: float, *, seed: int = 0) -> Callable[[Call], bool]:
    """Return a predicate for `when` that holds for a share of the calls: the same ones in each run.

    Args:
        chance: how likely it is to hold, from 0 to 1.
        seed: which calls these are.

    Raises:
        ValueError: a chance that is none.

    Example:
        >>> from pytest_smfake import FakeSageMaker
        >>> with FakeSageMaker() as fake:
        ...     flaky = fake.fail("ListModels", "InternalFailure", times=None, attempts=1, when=probability(0.3, seed=1))
        ...     retries = [fake.client().list_models()["ResponseMetadata"]["RetryAttempts"] for _ in range(10)]
        >>> sum(retries) == flaky.hits, 0 < flaky.hits < 10
        (True, True)
    """
    if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 <= chance <= 1:
        raise ValueError(f"{chance!r} is not a probability, which is a number from 0 to 1")
    draw = random.Random(seed).random  # noqa: S311  # not for secrets

    def holds(call: Call) -> bool:  # noqa: ARG001  # any call
        return draw() < chance

    holds.__name__ = f"probability({chance!r}, seed={seed!r})"
    return holds


def _either(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name}={shown(value)} is not True or False")


def _whole(name: str, value: Any, least: int, note: str) -> None:
    if value is None and note:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST:
        raise ValueError(f"{name}={shown(value)} is not a whole number of at least {least}{note}")
