"""What a call meets on its way, where failures are in force."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pytest_smfake.spec.failures import ANY, Failure, failure

from .calls import Call, Calls
from .clock import Clock, real_sleep
from .errors import ServiceError
from .faults import Delay, Fault, Stage, Throttle, UnusedFaultError, Waiting
from .inforce import Register
from .locks import lock

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

    def arrive(self, call: Call, read_timeout: float) -> Encounter:
        """Let an attempt of a call meet what is in force for it.

        Raises:
            InjectedError: it is refused at once.
        """
        if not self and call.encounter is None:
            return NOTHING
        with self._lock:
            for throttle in self._throttles:
                if throttle.refuses(call, self._clock.now()):
                    call.faults.append(throttle)
                    raise self.injected(THROTTLED, call)
            if call.encounter is None:
                call.encounter = Encounter(self, call, self._choose(Fault, call), self._choose(Delay, call))
        encounter: Encounter = call.encounter
        encounter.begin(self._clock, read_timeout)
        return encounter

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


class Encounter:
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


class _Nothing(Encounter):
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
