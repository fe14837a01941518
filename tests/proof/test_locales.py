"""What the Faker provider makes is valid in every locale."""

from __future__ import annotations

import warnings

from faker import Faker
from faker.config import AVAILABLE_LOCALES

from pytest_smfake import validate
from pytest_smfake.faker import SageMakerProvider


def provider(seed, locale):
    fake = Faker(locale)
    fake.add_provider(SageMakerProvider)
    fake.seed_instance(seed)
    return fake


def test_every_locale():
    requests = set()
    for locale in AVAILABLE_LOCALES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # Faker's own, of a locale that is spelled otherwise now
            fake = provider(3, locale)
        request = fake.sagemaker_create_model_request()
        assert validate("CreateModel", request) == []
        requests.add(request["ModelName"])
    assert len(requests) == 1  # the same seed, the same values
