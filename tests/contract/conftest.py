"""Import what runs of pytest within this process share.

A module that is imported first inside such a run is gone after it: a later run would patch another botocore than the one whose clients are kept.
"""

from __future__ import annotations

import boto3  # noqa: F401
import moto  # noqa: F401

from pytest_smfake.contract import FakeTarget, run_contract

run_contract(FakeTarget(), select=["create/response"])
