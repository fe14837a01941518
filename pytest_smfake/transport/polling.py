"""The waits of SageMaker's Python SDK, which polls the service with sleeps of its own: they move the fake's clock, as botocore's do."""

from __future__ import annotations

import time
from functools import partial
from types import SimpleNamespace
from typing import Any

from pytest_smfake.patches import Replace

from .active import active

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
"""The modules that wait for the service. Left out are those that wait for containers, processes and threads on this machine, such as
`sagemaker.local`, which take real time. Source: every `time.sleep` of sagemaker 2.257.7, 3.27.0, and sagemaker-core 1.0.78, 2.27.0."""


def patch(replace: Replace, module: Any) -> None:
    """Let a module wait on the fake's clock, whether it has imported `time` or parts of it; what a test has put there is left alone."""
    moving = moving_time(time)
    for name, value in list(vars(module).items()):
        if value is time:
            replace(module, name, moving_time)
        for function in ("sleep", "time", "monotonic"):
            if value is getattr(time, function):
                replace(module, name, partial(_part, moving, function))


def _part(moving: Any, function: str, original: Any) -> Any:  # noqa: ARG001  # every replacement is made from what it replaces
    return getattr(moving, function)


def moving_time(original: Any) -> Any:
    """Return a module `time` whose clocks and sleep are the active fake's; where none is active they are the original's."""

    def sleep(seconds: float) -> None:
        fake = active()
        if fake is None or fake.real_sleep:
            original.sleep(seconds)
        else:
            fake.clock.advance(seconds)

    def now() -> float:
        fake = active()
        return float(original.time()) if fake is None else fake.clock.now()

    def monotonic() -> float:
        fake = active()
        return float(original.monotonic()) if fake is None else time.monotonic() + fake.clock.now() - time.time()

    return SimpleNamespace(**vars(original) | {"sleep": sleep, "time": now, "monotonic": monotonic})
