"""What a process pays: for a plugin that it does not use, and for its first use of the fake. Each figure is of processes of their own."""

from __future__ import annotations

import statistics
import subprocess
import sys

from .measure import Figure

ROUNDS = 15
LOAD = """
import time
import pytest, _pytest.pytester, _pytest.terminal, _pytest.fixtures  # what every run of pytest has loaded
started = time.process_time()
import pytest_smfake.plugin, pytest_smfake.contract.plugin
print(1000 * (time.process_time() - started))
"""
HEAVY = """
import sys
import pytest_smfake.plugin, pytest_smfake.contract.plugin
heavy = {"boto3", "botocore", "moto", "responses", "requests", "hypothesis", "faker", "aiobotocore"}
print(len(heavy & sys.modules.keys()))
"""
BOTO3 = """
import time
started = time.process_time()
import boto3
from benchmarks.canned import canned
client = boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
client.meta.events.register("before-send.sagemaker.CreateModel", canned)
client.create_model(ModelName="m", PrimaryContainer={"Image": "i"}, ExecutionRoleArn="arn:aws:iam::123456789012:role/r")
print(1000 * (time.process_time() - started))
"""
FAKE = """
import time
started = time.process_time()
import boto3
from pytest_smfake import FakeSageMaker
with FakeSageMaker() as fake:
    client = boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
    client.create_model(ModelName="m", PrimaryContainer={"Image": "i"}, ExecutionRoleArn="arn:aws:iam::123456789012:role/r")
print(1000 * (time.process_time() - started))
"""


def figures() -> list[Figure]:
    """Measure, the processes in turns."""
    took: dict[str, list[float]] = {LOAD: [], BOTO3: [], FAKE: []}
    for code in took:
        _run(code)  # so that what is compiled is compiled
    for _ in range(ROUNDS):
        for code, spent in took.items():
            spent.append(_run(code))
    load, boto, fake = (statistics.median(spent) for spent in took.values())
    quartiles = statistics.quantiles([b / a for a, b in zip(took[BOTO3], took[FAKE], strict=True)], n=4)
    spread = statistics.quantiles(took[LOAD], n=4)
    return [
        Figure("plugin load in a run that does not use it", load, 5, " ms", spread=(spread[0], spread[2])),
        Figure("heavy packages that it imports", _run(HEAVY), 0),
        Figure(
            "first use in a process: imports, model, client, one call, to boto3 alone",
            fake / boto,
            1.15,
            spread=(quartiles[0], quartiles[2]),
            details={"boto3, ms": round(boto, 1), "fake, ms": round(fake, 1)},
        ),
    ]


def _run(code: str) -> float:
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
