"""Suites of tests that are decorated."""

from __future__ import annotations

import asyncio
import gc
import unittest.mock  # noqa: F401  # see `loaded`
import warnings
from textwrap import dedent

import pytest

from pytest_smfake import FakeSageMaker

# Where no fake is active the client reaches nobody: a proxy that is not there.
HELPERS = """
import boto3
from botocore.config import Config
from pytest_smfake import FakeSageMaker
from pytest_smfake.protocol.active import fakes

CLIENT = boto3.client(
    "sagemaker",
    region_name="us-east-1",
    aws_access_key_id="key",
    aws_secret_access_key="secret",
    config=Config(proxies={"https": "http://127.0.0.1:9"}, retries={"max_attempts": 0}),
)

def create(name):
    CLIENT.create_model(ModelName=name, ExecutionRoleArn="arn:aws:iam::123456789012:role/r", PrimaryContainer={"Image": "i"})

def names():
    return sorted(model["ModelName"] for model in CLIENT.list_models()["Models"])
"""


@pytest.fixture(scope="session")
def loaded():
    """Load what is loaded when it is used: a run in this process would load it for itself alone, and beside the rest."""
    with FakeSageMaker(faults=[("ListModels", "500")]) as fake, pytest.raises(Exception, match="500"):
        fake.client().list_models()


@pytest.fixture
def suite(loaded, pytester):
    """Write a test file, beside helpers, and a conftest that fails when a fake is left."""
    pytester.makepyfile(helpers=HELPERS)
    pytester.makeconftest("""
        def pytest_runtest_logfinish():
            from pytest_smfake.protocol.active import fakes
            assert fakes == []
    """)

    def write(source: str):
        header = "import pytest\nimport unittest\nfrom unittest import mock\nfrom helpers import *\n\n"
        return pytester.makepyfile(test_it=header + dedent(source))

    return write


@pytest.fixture
def run(suite, pytester):
    def run(source: str, *arguments: str):
        suite(source)
        try:
            return pytester.runpytest_inprocess(*arguments)
        finally:
            if "pytest_asyncio.plugin" in arguments:
                drop_loop()

    return run


def drop_loop():
    """Collect the event loop that pytest-asyncio before 1.0 leaves open: a test that comes later would be warned of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        asyncio.set_event_loop(None)
        gc.collect()
