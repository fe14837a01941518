"""What the tests of hosting share."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

ONE = {"VariantName": "AllTraffic", "ModelName": "churn", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}


def error_of(call, **arguments) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


@pytest.fixture
def runtime(smfake):
    return smfake.client("sagemaker-runtime")
