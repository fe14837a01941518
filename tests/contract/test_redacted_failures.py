"""Test that the failure of a check without a result is redacted in pytest's output and in JUnit files, as reports are."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.once

ACCOUNT = "998877665544"
TESTS = f"""
    import pytest
    from pytest_smfake import FakeSageMaker
    from pytest_smfake.contract import CreateModelContract
    from pytest_smfake.contract.targets.emulators import aws_target

    class TestIt(CreateModelContract):
        select = ["create/response", "delete/missing"]

        @pytest.fixture
        def target(self, monkeypatch):
            monkeypatch.setattr("pytest_smfake.contract.targets.aws.check_credentials", lambda *_: None)
            with FakeSageMaker(account="{ACCOUNT}") as fake:
                told = {{"account": "{ACCOUNT}", "region": "us-east-1", "prefix": "ci", "rate": 1e6}}
                target = aws_target(told | {{
                    "role": "arn:aws:iam::{ACCOUNT}:role/BookkeepingRole", "image": "{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1"
                }})
                principal = "arn:aws:sts::{ACCOUNT}:assumed-role/BookkeepingRole/jane@acme.example"
                with fake.deny("sagemaker:CreateModel", principal=principal):
                    original = target.name_of
                    monkeypatch.setattr(target, "name_of", lambda suffix="": "{ACCOUNT}" if suffix == "nobody" else original(suffix))
                    yield target
"""
SECRETS = (ACCOUNT, "Bookkeeping", "jane")


@pytest.mark.parametrize("redacted", [True, False])
def test_the_failures_of_checks_without_a_result(pytester, redacted):
    pytester.makepyfile(TESTS)
    result = pytester.runpytest("--junitxml=it.xml", *(["--smfake-redact"] if redacted else []))
    result.assert_outcomes(failed=2)
    text = (pytester.path / "it.xml").read_text()
    assert "create/response has no result: a permission is missing" in text
    assert "delete/missing has no result: aws: DeleteModel was not sent: it names" in text
    assert [secret in text for secret in SECRETS] == [not redacted] * len(SECRETS)
