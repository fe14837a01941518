"""What the tests share."""

import pytest
from churn_deployment.settings import Settings


@pytest.fixture
def settings(smfake):
    return Settings("churn-1", smfake.image, smfake.model_data_url, smfake.role_arn, {"THRESHOLD": "0.5"}, {"team": "growth"})
