"""Failures on purpose: what a test injects, for how long it is active, and where a call meets it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Self, TypeVar

from pytest_smfake.rules.failures import ANY, BROKEN, COMMON, FORMER, UNREACHED, Failure, failure
from pytest_smfake.rules.inputs import LARGEST, MOST_SECONDS, shown

from .calls import Call, Calls
from .clock import Clock, real_sleep
from .errors import ServiceError
from .locks import lock


class InForce:
    """Something in force until `stop()`, or the end of its `with` block; then what was there before holds again."""

    _end: Callable[[], None] | None = None

    def stop(self) -> None:
        """End it; a second call does nothing."""
        end, self._end = self._end, None
        if end is not None:
            end()
            self.ended()

    def ended(self) -> None:
        """Let go of what it holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


T = TypeVar("T", bound=InForce)


class Register(Generic[T]):
    """What is in force; iteration begins with the latest."""

    def __init__(self) -> None:
        self._items: list[T] = []

    def add(self, item: T) -> T:
        """Put something in force."""
        self._items.append(item)
        item._end = lambda: self._items.remove(item)
        return item

    def __iter__(self) -> Iterator[T]:
        return iter(self._items[::-1])

    def oldest_first(self) -> list[T]:
        """Return what is in force, in the order in which it came."""
        return list(self._items)

    def __bool__(self) -> bool:
        return bool(self._items)


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
        if not number or not 0 < self.seconds <= MOST_SECONDS:
            raise ValueError(f"seconds={shown(self.seconds)} is not how long an answer takes: a number over 0 and at most {MOST_SECONDS}")

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


THROTTLED, READ_TIMEOUT = failure(ANY, "ThrottlingException"), failure(ANY, "read-timeout")
W = TypeVar("W", bound=Waiting)


class InjectedError(ServiceError):
    """An error on purpose; `failure` tells which."""

    def __init__(self, injected: Failure, text: str) -> None:
        super().__init__("" if injected.form == "status" else injected.code, text, status=injected.status)
        self.failure = injected


class Faults:
    """The failures of a fake, in the order in which they were put in force.

    Args:
        clock: whose time passes.
        calls: what arrived, for the sentence about a fault that never struck.
        words: the texts that depend on the call, by error code.
    """

    def __init__(self, clock: Clock, calls: Calls, words: dict[str, Callable[[Call], str]]) -> None:
        self._clock = clock
        self._calls = calls
        self._words = words
        self._lock = lock()
        self._waiting: Register[Waiting] = Register()
        self._throttles: Register[Throttle] = Register()
        self._ever: list[Waiting] = []

    def add(self, waiting: Waiting) -> None:
        """Put a fault or a delay in force.

        Raises:
            ValueError: it could never strike, since one before it has no end.
        """
        for earlier in self._waiting.oldest_first():
            if isinstance(earlier, Delay) is isinstance(waiting, Delay) and earlier.hides(waiting):
                raise ValueError(
                    f"{waiting.label} would never strike: {earlier.label}, in force already, has no end and takes every such call. "
                    "Stop it first, or give it times="
                )
        waiting._verdict = self._verdict
        self._waiting.add(waiting)
        self._ever.append(waiting)

    def clear(self) -> None:
        """Put nothing in force, and complain of nothing."""
        for waiting in self._waiting.oldest_first():
            waiting.stop()
        self._ever.clear()

    def throttle(self, throttle: Throttle) -> Throttle:
        """Put a token bucket in force."""
        return self._throttles.add(throttle)

    def __bool__(self) -> bool:
        return bool(self._waiting or self._throttles)

    def block(self) -> bool:
        """Whether an answer may take real time."""
        return any(isinstance(waiting, Delay) and waiting.real for waiting in self._waiting)

    def arrive(self, call: Call, read_timeout: float) -> Injection:
        """Let an attempt of a call meet what is in force for it.

        Raises:
            InjectedError: it is refused at once.
        """
        if not self and call.injection is None:
            return NOTHING
        with self._lock:
            for throttle in self._throttles:
                if throttle.refuses(call, self._clock.now()):
                    call.faults.append(throttle)
                    raise self.injected(THROTTLED, call)
            if call.injection is None:
                call.injection = Injection(self, call, self._choose(Fault, call), self._choose(Delay, call))
        injection: Injection = call.injection
        injection.begin(self._clock, read_timeout)
        return injection

    def _choose(self, kind: type[W], call: Call) -> W | None:
        """Return the first in line that takes a call; one that lets it pass lets it pass by those behind it, too."""
        for waiting in self._waiting.oldest_first():
            if isinstance(waiting, kind) and (takes := waiting.takes(call)) is not None:
                return waiting if takes else None
        return None

    def injected(self, injected: Failure, call: Call, message: str | None = None) -> InjectedError:
        """Return the error for a failure of a call."""
        words = self._words.get(injected.code)
        return InjectedError(injected, message if message is not None else words(call) if words else injected.text)

    def verify(self) -> None:
        """Complain of the faults that never struck and are not optional, each once.

        Raises:
            UnusedFaultError: there are some.
        """
        complaints = [complaint for waiting in self._ever if (complaint := waiting.complaint())]
        if complaints:
            raise UnusedFaultError("\n".join(complaints))

    def _verdict(self, waiting: Waiting) -> str:
        arrived = [call for call in self._calls if waiting.operation in (ANY, call.operation)]
        if not arrived:
            why = f"no call of {waiting.operation} arrived"
        elif waiting.after:
            why = f"of {len(arrived)} calls of {waiting.operation} {waiting._passed} came to it, and {waiting.after} were to pass first"
        elif waiting.when is not None:
            why = f"`when` held for none of {len(arrived)} calls of {waiting.operation}, or they were rejected before"
        else:
            why = f"{len(arrived)} calls of {waiting.operation} were rejected before, met another fault, or came before it"
        operations = ", ".join(map(str, self._calls.operations)) or "none"
        return f"{waiting.label} never struck: {why}. Calls: {operations}. If it need not strike: optional=True"


class Injection:
    """What a call meets on its way, at each of its attempts."""

    def __init__(self, faults: Faults, call: Call, fault: Fault | None, delay: Delay | None) -> None:
        self._faults = faults
        self._call = call
        self._fault = fault
        self._delay = delay
        self._attempts = 0
        self._given_up = False

    def begin(self, clock: Clock, read_timeout: float) -> None:
        """Let an attempt arrive; a slow answer takes its time, or as much of it as the client waits for.

        Raises:
            InjectedError: the fault strikes here.
        """
        self._attempts += 1
        if self._delay is not None:
            self._delay.met(self._call)
            self._given_up = self._delay.seconds >= read_timeout
            seconds = min(self._delay.seconds, read_timeout)
            if self._delay.real:
                (real_sleep.get() or time.sleep)(seconds)
            else:
                clock.pass_by(seconds)
        self.at("arrival")

    def at(self, stage: Stage) -> None:
        """Let the fault strike if this is where it does.

        Raises:
            InjectedError: it strikes.
        """
        fault = self._fault
        if fault is not None and fault.stage == stage and (fault.attempts is None or self._attempts <= fault.attempts):
            fault.met(self._call)
            raise self._faults.injected(fault.failure, self._call, fault.message)

    def answered(self) -> InjectedError | None:
        """Return what becomes of the answer, None if it reaches the client as it is."""
        if self._given_up:
            return self._faults.injected(READ_TIMEOUT, self._call)
        fault = self._fault
        if fault is None:
            return None
        if fault in self._call.faults or self._call.error is None:
            try:
                self.at("reply")
            except InjectedError as injected:
                return injected
        if fault not in self._call.faults:
            fault.let_go()  # the call was rejected before: the fault waits for another
            self._fault = None
        return None


class _Nothing(Injection):
    def __init__(self) -> None:
        pass

    def at(self, stage: Stage) -> None:
        """Let the call go on."""

    def answered(self) -> InjectedError | None:
        """Let the answer go out."""
        return None


NOTHING = _Nothing()
"""What a call meets where nothing is in force."""


def skewed(call: Call) -> str:
    """Return the service's text for a clock that is more than five minutes slow; how slow, twenty, is made up."""
    signed = call.time - 20 * 60
    form = "%Y%m%dT%H%M%SZ"
    first, now = (time.strftime(form, time.gmtime(moment)) for moment in (call.time - 5 * 60, call.time))
    return f"Signature expired: {time.strftime(form, time.gmtime(signed))} is now earlier than {first} ({now} - 5 min.)"
