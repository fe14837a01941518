"""Injected failures: faults, delays and throttles, which calls they apply to, and at which stage of a call they are triggered."""

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


class Stoppable:
    """Base of what a test switches on: it is active until `stop()` or the end of its `with` block. Then the setting before it applies."""

    _deactivate: Callable[[], None] | None = None

    def activated(self, deactivate: Callable[[], None]) -> None:
        """Store the function that `stop()` calls."""
        self._deactivate = deactivate

    def stop(self) -> None:
        """Deactivate it; a second call does nothing."""
        deactivate, self._deactivate = self._deactivate, None
        if deactivate is not None:
            deactivate()
            self.release()

    def release(self) -> None:
        """Release the resources that it holds; by default there are none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


_StoppableT = TypeVar("_StoppableT", bound=Stoppable)


class Register(Generic[_StoppableT]):
    """The active items of one kind; iteration begins with the latest."""

    def __init__(self) -> None:
        self._items: list[_StoppableT] = []

    def add(self, item: _StoppableT) -> _StoppableT:
        """Activate an item and return it."""
        self._items.append(item)
        item.activated(lambda: self._items.remove(item))
        return item

    def __iter__(self) -> Iterator[_StoppableT]:
        return iter(self._items[::-1])

    def oldest_first(self) -> list[_StoppableT]:
        """Return the active items in the order in which they were added."""
        return list(self._items)

    def __bool__(self) -> bool:
        return bool(self._items)


Effect = Literal["before", "after"]
Stage = Literal["arrival", "access", "condition", "reply"]
"""When a fault is triggered.

- arrival: before the request is read;
- access: after its constraints were checked, before permissions are;
- condition: after permissions were checked, before the operation runs;
- reply: once the answer is ready.
"""

STAGES: dict[str, Stage] = {known.code: "arrival" for known in (*COMMON, *FORMER, *BROKEN)}
STAGES |= {"AccessDeniedException": "access", "NotAuthorized": "access", "OptInRequired": "access", "ValidationException": "condition"}
"""The stage of a failure by its code. Errors that botocore models for an operation have the stage `condition`."""


class UnusedFaultError(AssertionError):
    """An injected fault was never triggered, so the test does not test the failure."""


@dataclass(eq=False, kw_only=True)
class Injectable(Stoppable):
    """Base of Fault and Delay: it claims calls of an operation; see `FakeSageMaker.fail` for its arguments.

    Attributes:
        hits: how many calls triggered it so far.
    """

    operation: str
    times: int | None = 1
    after: int = 0
    when: Callable[[Call], object] | None = None
    optional: bool = False
    hits: int = field(default=0, init=False)
    skipped: int = field(default=0, init=False, repr=False)
    _pending: int = field(default=0, init=False, repr=False)
    _explain_unused: Callable[[], str] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        _whole("times", self.times, 1, "; None stands for every call")
        _whole("after", self.after, 0, "")
        if self.when is not None and not callable(self.when):
            raise ValueError(f"when={self.when!r} is not callable; expected a function that takes the call")
        _either("optional", self.optional)

    @property
    def label(self) -> str:
        """The expression by which a test injects it."""
        raise NotImplementedError

    def applies_to(self, call: Call) -> bool:
        """Return whether it applies to a call: same operation, `times` not used up, `when` true."""
        if self.operation not in (ANY, call.operation) or (self.times is not None and self.hits + self._pending >= self.times):
            return False
        return self.when is None or bool(self.when(call))

    def claim(self) -> bool:
        """Claim a call that it applies to. Return False, and count the call as skipped, for the first `after` calls."""
        if self.skipped < self.after:
            self.skipped += 1
            return False
        self._pending += 1
        return True

    def hides(self, later: Injectable) -> bool:
        """Return whether it claims every call that a later one applies to, so that the later one is never triggered."""
        return self.times is None and self.operation in (ANY, later.operation) and self.when in (None, later.when)

    def trigger(self, call: Call) -> None:
        """Record that a call triggered it; all attempts of a call count once."""
        if self not in call.faults:
            call.faults.append(self)
            self.hits += 1
            self._pending -= 1

    def unclaim(self) -> None:
        """Give back the call that it claimed, so that it can claim another one."""
        self._pending -= 1

    def explain_unused_by(self, explain: Callable[[], str]) -> None:
        """Set the function that returns the error text if it is never triggered."""
        self._explain_unused = explain

    def unused_text(self) -> str | None:
        """Return the error text if it was never triggered and is not optional, else None. A second call returns None."""
        if self.hits or self.optional or self._explain_unused is None:
            return None
        explain, self._explain_unused = self._explain_unused, None
        return explain()

    def __exit__(self, exc_type: object = None, *exc: object) -> None:
        self.stop()
        if exc_type is None and (text := self.unused_text()):
            raise UnusedFaultError(text)


@dataclass(eq=False, kw_only=True, repr=False)
class Fault(Injectable):
    """An injected failure. It is active until it was triggered `times` times, until `stop()`, or until the end of its `with` block.

    Attributes:
        operation, code, times, after, attempts, when, message, effect, optional: as given to `FakeSageMaker.fail`.
        hits: how many calls triggered it so far.
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
                f"effect={self.effect!r} is unknown; expected 'before' or 'after': whether the operation takes effect before the failure"
            )
        if self.effect == "after" and code in UNREACHED:
            raise ValueError(f"effect='after' is impossible with {code}: such a call never reaches the service")
        if self.effect == "before" and form == "damage":
            raise ValueError(f"effect='before' is impossible with {code}: the operation takes effect before its answer is damaged")
        if self.message is not None and form != "error":
            raise ValueError(f"message={self.message!r} is impossible: {code} has no text")
        if self.message is not None and not isinstance(self.message, str):
            raise ValueError(f"message={self.message!r} is not a string")

    @property
    def stage(self) -> Stage:
        """The stage at which it is triggered."""
        if self.effect == "after":
            return "reply"
        return "condition" if self.failure.evidence == "modelled" else STAGES.get(self.failure.code, "condition")

    @property
    def label(self) -> str:
        """The expression by which a test injects it."""
        shown: list[tuple[str, Any, Any]] = [("times", self.times, 1), ("after", self.after, 0), ("attempts", self.attempts, None)]
        shown += [("effect", self.effect, "after" if self.failure.form == "damage" else "before")]
        options = "".join(f", {name}={value!r}" for name, value, default in shown if value != default)
        if self.when is not None:
            options += f", when={getattr(self.when, '__name__', self.when)}"
        return f"fail({self.operation!r}, {self.code!r}{options})"

    def __repr__(self) -> str:
        return f"<Fault {self.label}, hits={self.hits}>"


@dataclass(eq=False, kw_only=True, repr=False)
class Delay(Injectable):
    """An injected slow answer.

    Attributes:
        seconds: how many seconds the answer takes.
        real: True if it takes real time, False if it moves the fake's clock.
        hits: how many calls triggered it so far.
    """

    seconds: float
    real: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        number = isinstance(self.seconds, int | float) and not isinstance(self.seconds, bool)
        _either("real", self.real)
        if not number or not 0 < self.seconds <= MOST_SECONDS:
            raise ValueError(f"seconds must be a number over 0 and at most {MOST_SECONDS}, got {shown(self.seconds)}")

    @property
    def label(self) -> str:
        """The expression by which a test injects it."""
        return f"delay({self.operation!r}, {self.seconds!r})"

    def __repr__(self) -> str:
        return f"<Delay {self.label}, hits={self.hits}>"


@dataclass(eq=False, kw_only=True)
class Throttle(Stoppable):
    """An active token bucket: for each account and region it holds up to `burst` tokens, and gets `rate` of them a second.

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
            raise ValueError(f"rate must be a number over 0 (requests a second), got {shown(self.rate)}")
        _whole("burst", self.burst, 1, "")

    @property
    def label(self) -> str:
        """The expression by which a test injects it."""
        return f"throttle(rate={self.rate!r}, burst={self.burst!r})"

    def refuses(self, call: Call, now: float) -> bool:
        """Return True if the bucket is empty; else take a token and return False."""
        if self.operation not in (ANY, call.operation):
            return False
        tokens, then = self._buckets.get((call.account, call.region), (float(self.burst), now))
        tokens = min(self.burst, tokens + self.rate * max(0.0, now - then))
        refused = tokens < 1
        self._buckets[call.account, call.region] = (tokens if refused else tokens - 1, now)
        self.hits += refused
        return refused


def probability(chance: float, *, seed: int = 0) -> Callable[[Call], bool]:
    """Return a predicate for `when` that is true for a share of the calls, the same calls in each run.

    Args:
        chance: the probability that it is true for a call, from 0 to 1.
        seed: the seed of the random numbers; another seed selects other calls.

    Raises:
        ValueError: the chance is not a number from 0 to 1.

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
    next_random = random.Random(seed).random  # noqa: S311  # not for secrets

    def holds(call: Call) -> bool:  # noqa: ARG001  # any call
        return next_random() < chance

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
_InjectableT = TypeVar("_InjectableT", bound=Injectable)


class InjectedError(ServiceError):
    """An injected error; `failure` is the failure that was injected."""

    def __init__(self, injected: Failure, text: str) -> None:
        super().__init__("" if injected.form == "status" else injected.code, text, status=injected.status)
        self.failure = injected


class Faults:
    """The injected failures of a fake, in the order in which they were added.

    Args:
        clock: the clock that delays and throttles use.
        calls: the log of calls, for the error text about an unused fault.
        texts: by error code, functions that return the error text for a call.
    """

    def __init__(self, clock: Clock, calls: Calls, texts: dict[str, Callable[[Call], str]]) -> None:
        self._clock = clock
        self._calls = calls
        self._texts = texts
        self._lock = lock()
        self._active: Register[Injectable] = Register()
        self._throttles: Register[Throttle] = Register()
        self._added: list[Injectable] = []

    def add(self, item: Injectable) -> None:
        """Activate a fault or a delay.

        Raises:
            ValueError: it could never be triggered, since an earlier one claims every call that it applies to.
        """
        for earlier in self._active.oldest_first():
            if isinstance(earlier, Delay) is isinstance(item, Delay) and earlier.hides(item):
                raise ValueError(
                    f"{item.label} can never be triggered: {earlier.label} is active already and claims every such call. "
                    "Stop it first, or give it times="
                )
        item.explain_unused_by(lambda: self._explain_unused(item))
        self._active.add(item)
        self._added.append(item)

    def clear(self) -> None:
        """Stop every fault and delay, and report none of them as unused."""
        for item in self._active.oldest_first():
            item.stop()
        self._added.clear()

    def throttle(self, throttle: Throttle) -> Throttle:
        """Activate a token bucket."""
        return self._throttles.add(throttle)

    def __bool__(self) -> bool:
        return bool(self._active or self._throttles)

    def block(self) -> bool:
        """Return whether an answer may take real time."""
        return any(isinstance(item, Delay) and item.real for item in self._active)

    def arrive(self, call: Call, read_timeout: float) -> Injection:
        """Apply the active throttles, delays and faults to an attempt of a call that has arrived.

        Raises:
            InjectedError: a throttle or fault refuses the attempt on arrival.
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

    def _choose(self, kind: type[_InjectableT], call: Call) -> _InjectableT | None:
        """Return the fault or delay that claims a call. The oldest that applies decides; if it skips the call, no other claims it."""
        for item in self._active.oldest_first():
            if isinstance(item, kind) and item.applies_to(call):
                return item if item.claim() else None
        return None

    def injected(self, injected: Failure, call: Call, message: str | None = None) -> InjectedError:
        """Return the error for a failure of a call."""
        text_of = self._texts.get(injected.code)
        return InjectedError(injected, message if message is not None else text_of(call) if text_of else injected.text)

    def verify(self) -> None:
        """Raise UnusedFaultError if an injected fault was never triggered and is not optional; each is reported once.

        Raises:
            UnusedFaultError: the error text names every such fault.
        """
        texts = [text for item in self._added if (text := item.unused_text())]
        if texts:
            raise UnusedFaultError("\n".join(texts))

    def _explain_unused(self, item: Injectable) -> str:
        arrived = [call for call in self._calls if item.operation in (ANY, call.operation)]
        if not arrived:
            why = f"no call of {item.operation} arrived"
        elif item.after:
            why = f"it skips the first {item.after} calls of {item.operation}, and {item.skipped} of {len(arrived)} reached it"
        elif item.when is not None:
            why = f"`when` was true for none of {len(arrived)} calls of {item.operation}, or they were rejected before"
        else:
            why = f"{len(arrived)} calls of {item.operation} were rejected before, triggered another fault, or came before it was added"
        operations = ", ".join(map(str, self._calls.operations)) or "none"
        return f"{item.label} was never triggered: {why}. Calls: {operations}. If this is intended: optional=True"


class Injection:
    """The fault and the delay that claimed a call, applied to each of its attempts."""

    def __init__(self, faults: Faults, call: Call, fault: Fault | None, delay: Delay | None) -> None:
        self._faults = faults
        self._call = call
        self._fault = fault
        self._delay = delay
        self._attempts = 0
        self._given_up = False

    def begin(self, clock: Clock, read_timeout: float) -> None:
        """Begin an attempt: apply the delay, or as much of it as the client waits for, then the stage `arrival`.

        Raises:
            InjectedError: the fault is triggered on arrival.
        """
        self._attempts += 1
        if self._delay is not None:
            self._delay.trigger(self._call)
            self._given_up = self._delay.seconds >= read_timeout
            seconds = min(self._delay.seconds, read_timeout)
            if self._delay.real:
                (real_sleep.get() or time.sleep)(seconds)
            else:
                clock.pass_by(seconds)
        self.at("arrival")

    def at(self, stage: Stage) -> None:
        """Trigger the fault if this is its stage.

        Raises:
            InjectedError: the fault was triggered.
        """
        fault = self._fault
        if fault is not None and fault.stage == stage and (fault.attempts is None or self._attempts <= fault.attempts):
            fault.trigger(self._call)
            raise self._faults.injected(fault.failure, self._call, fault.message)

    def answered(self) -> InjectedError | None:
        """Return the failure that replaces the answer; None if the client gets the answer unchanged."""
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
            fault.unclaim()  # the call was rejected before the fault was triggered: the fault can claim another call
            self._fault = None
        return None


class _Nothing(Injection):
    def __init__(self) -> None:
        pass

    def at(self, stage: Stage) -> None:
        """Do nothing: no fault claimed the call."""

    def answered(self) -> InjectedError | None:
        """Return None: the client gets the answer unchanged."""
        return None


NOTHING = _Nothing()
"""The injection of a call that no fault or delay claimed."""


def skewed(call: Call) -> str:
    """Return the service's text for a client clock that is more than five minutes slow. The fake pretends that it is 20 minutes slow."""
    signed = call.time - 20 * 60
    form = "%Y%m%dT%H%M%SZ"
    first, now = (time.strftime(form, time.gmtime(moment)) for moment in (call.time - 5 * 60, call.time))
    return f"Signature expired: {time.strftime(form, time.gmtime(signed))} is now earlier than {first} ({now} - 5 min.)"
