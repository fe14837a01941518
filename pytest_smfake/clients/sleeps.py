"""Sleeps on the fake's clock: of retries, waiters, adaptive retries, and the SageMaker Python SDK."""

from __future__ import annotations

import time
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

from pytest_smfake.patches import Replace
from pytest_smfake.protocol.active import active


def virtual_time(original: Any) -> Any:  # noqa: ARG001  # `Replace` passes the original to each factory
    """Return a `time` module whose sleep moves the fake's clock."""

    def now() -> float:
        return time.time()  # looked up at each call, so that freezegun and time-machine keep their effect

    module = ModuleType("time")
    vars(module).update(vars(time) | {"sleep": sleep, "time": now})
    return module


def sleep(seconds: float) -> None:
    """Sleep on the clock of the active fake, or in real time with `real_sleep`."""
    fake = active()
    if fake is None or fake.real_sleep:
        time.sleep(seconds)
    else:
        fake.clock.advance(seconds)


def acquire_token(original: Any) -> Any:
    """Return an `acquire` for the token bucket of adaptive retries that waits on the fake's clock."""
    from botocore.exceptions import CapacityNotAvailableError

    def acquire(bucket: Any, amount: int = 1, block: bool = True) -> Any:
        fake = active()
        if not block or fake is None or fake.real_sleep:
            return original(bucket, amount, block)
        while True:
            try:
                return original(bucket, amount, block=False)
            except CapacityNotAvailableError:
                # The bucket reads real time: moving its last timestamp back has the effect of waiting.
                missing = bucket._sleep_amount(amount)
                bucket._last_timestamp -= missing
                sleep(missing)

    return acquire


def acquire_quota(original: Any) -> Any:
    """Return an `acquire` for a retry quota that is full at the start of each fake."""

    def acquire(quota: Any, amount: int) -> Any:
        fake = active()
        if fake is not None and quota not in fake.quotas:
            fake.quotas[quota] = quota._available_capacity
            quota._available_capacity = quota._max_capacity
        return original(quota, amount)

    return acquire


MODULES = (
    # version 2
    "sagemaker.session",
    "sagemaker.utils",
    "sagemaker.lambda_helper",
    "sagemaker.aws_batch.training_queued_job",
    "sagemaker.experiments.experiment",
    "sagemaker.experiments.trial_component",
    "sagemaker.serve.utils.lineage_utils",
    # sagemaker-core 1
    "sagemaker_core.main.resources",
    # version 3, with sagemaker-core 2
    "sagemaker.core.common_utils",
    "sagemaker.core.experiments.experiment",
    "sagemaker.core.experiments.trial_component",
    "sagemaker.core.helper.session_helper",
    "sagemaker.core.lambda_helper",
    "sagemaker.core.processing",
    "sagemaker.core.remote_function.job",
    "sagemaker.core.resources",
    "sagemaker.core.transformer",
    "sagemaker.mlops.feature_store.feature_utils",
    "sagemaker.serve.model_reuse",
    "sagemaker.train.aws_batch.training_queued_job",
    "sagemaker.train.common_utils.finetune_utils",
    "sagemaker.train.common_utils.job_wait",
    "sagemaker.train.common_utils.log_streamer",
    "sagemaker.train.common_utils.trainer_wait",
    "sagemaker.train.evaluate.base_evaluator",
    "sagemaker.train.evaluate.execution",
)
"""The modules that wait for the service. Modules that wait for containers, processes and threads on this machine, such as
`sagemaker.local`, are left out: they take real time.
Source: every `time.sleep` of sagemaker 2.257.7, 3.27.0, and sagemaker-core 1.0.78, 2.27.0."""


def patch_module(replace: Replace, module: Any) -> None:
    """Make a module wait on the fake's clock, if it imported `time` or functions of it. Replacements by a test are left alone."""
    moving = moving_time(time)
    for name, value in list(vars(module).items()):
        if value is time:
            replace(module, name, moving_time)
        for function in ("sleep", "time", "monotonic"):
            if value is getattr(time, function):
                replace(module, name, partial(_part, moving, function))


def _part(moving: Any, function: str, original: Any) -> Any:  # noqa: ARG001  # `Replace` passes the original to each factory
    return getattr(moving, function)


def moving_time(original: Any) -> Any:
    """Return a `time` module whose clocks and sleep are those of the active fake, or the original's if none is active."""

    def now() -> float:
        fake = active()
        return float(original.time()) if fake is None else fake.clock.now()

    def monotonic() -> float:
        fake = active()
        return float(original.monotonic()) if fake is None else time.monotonic() + fake.clock.now() - time.time()

    return SimpleNamespace(**vars(original) | {"sleep": sleep, "time": now, "monotonic": monotonic})
