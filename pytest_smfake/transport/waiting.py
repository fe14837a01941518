"""Waiting on the fake's clock: the sleeps of retries and waiters, the bucket of adaptive retries, and the quotas of retries."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any

from .active import active


def virtual_time(original: Any) -> Any:  # noqa: ARG001  # every replacement is made from what it replaces
    """Return a module `time` whose sleep moves the fake's clock."""

    def now() -> float:
        return time.time()  # looked up at each call, so that freezegun and time-machine stay in charge

    module = ModuleType("time")
    vars(module).update(vars(time) | {"sleep": sleep, "time": now})
    return module


def sleep(seconds: float) -> None:
    """Sleep on the clock of the active fake, or really if it says so."""
    fake = active()
    if fake is None or fake.real_sleep:
        time.sleep(seconds)
    else:
        fake.clock.advance(seconds)


def acquire_token(original: Any) -> Any:
    """Return an `acquire` of the token bucket of adaptive retries that waits on the fake's clock."""
    from botocore.exceptions import CapacityNotAvailableError

    def acquire(bucket: Any, amount: int = 1, block: bool = True) -> Any:
        fake = active()
        if not block or fake is None or fake.real_sleep:
            return original(bucket, amount, block)
        while True:
            try:
                return original(bucket, amount, block=False)
            except CapacityNotAvailableError:
                # The bucket of adaptive retries waits on a condition: its own past is moved instead of the real present.
                missing = bucket._sleep_amount(amount)
                bucket._last_timestamp -= missing
                sleep(missing)

    return acquire


def acquire_quota(original: Any) -> Any:
    """Return an `acquire` of the retry quota that begins full in each world."""

    def acquire(quota: Any, amount: int) -> Any:
        fake = active()
        if fake is not None and quota not in fake.quotas:
            fake.quotas[quota] = quota._available_capacity
            quota._available_capacity = quota._max_capacity
        return original(quota, amount)

    return acquire
