"""Where the clients of other languages are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def aws() -> str:
    """The AWS CLI: the one beside this Python, else one on the path."""
    beside = Path(sys.executable).parent / "aws"
    found = str(beside) if beside.exists() else shutil.which("aws")
    if found is None:
        pytest.skip("the AWS CLI is not installed: pip install awscli")
    return found


@pytest.fixture(scope="session")
def node() -> str:
    """Node, with the SageMaker client of the AWS SDK for JavaScript among the modules that NODE_PATH names."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    probe = [found, "-e", "require.resolve('@aws-sdk/client-sagemaker')"]
    if subprocess.run(probe, env=dict(os.environ), capture_output=True, check=False, timeout=60).returncode:
        pytest.skip("the SDK for JavaScript is not installed: npm install @aws-sdk/client-sagemaker, and NODE_PATH names its node_modules")
    return found
