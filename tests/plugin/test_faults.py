"""What the plugin makes of faults: a test whose fault never struck fails, and a failure report tells which struck."""

from __future__ import annotations

import os
import time

import botocore.endpoint
import pytest

from pytest_smfake.protocol.active import active

pytestmark = pytest.mark.usefixtures("alone")

CALLS = """
    import boto3
    import pytest
    from botocore.exceptions import ClientError

    def create(fake, name="churn"):
        return boto3.client("sagemaker", region_name="us-east-1").create_model(**fake.request(ModelName=name))
"""


@pytest.fixture(params=["plain", pytest.param("-n 2", marks=pytest.mark.once)])
def run(request, pytester):
    """Run a suite in one process and under xdist."""
    extra = [] if request.param == "plain" else ["-p", "xdist", *request.param.split()]

    def run(source: str):
        pytester.makepyfile(CALLS + source)
        return pytester.runpytest_subprocess(*extra, "-rfE") if extra else pytester.runpytest_inprocess("-rfE")

    return run


def test_a_fault_that_never_struck_fails_the_test_by_name_and_in_its_call(run):
    result = run("""
    def test_unused(smfake):
        smfake.fail("CreateModel", "ResourceLimitExceeded", after=1)
        create(smfake)

    @pytest.mark.smfake(faults=[("DeleteModel", "503")])
    def test_marked():
        pass

    def test_factory(smfake_factory):
        with smfake_factory() as fake:
            fake.delay("ListModels", 1)

    def test_used(smfake):
        smfake.fail("CreateModel", "ResourceLimitExceeded")
        with pytest.raises(ClientError):
            create(smfake)

    def test_optional(smfake):
        smfake.fail("CreateModel", "ResourceLimitExceeded", optional=True)
        smfake.throttle(rate=1, burst=1)
    """)
    result.assert_outcomes(passed=2, failed=3)
    result.stdout.fnmatch_lines_random(
        [
            "fail('CreateModel', 'ResourceLimitExceeded', after=1) was never triggered: it skips the first 1 calls of CreateModel, and 1 of 1 "
            "reached it. Calls: CreateModel. If this is intended: optional=True",
            "fail('DeleteModel', '503') was never triggered: no call of DeleteModel arrived. Calls: none.*",
            "*delay('ListModels', 1) was never triggered*",
        ]
    )
    assert "During handling" not in result.stdout.str()


def test_not_on_top_of_another_failure(run):
    result = run("""
    def test_failed(smfake):
        smfake.fail("CreateModel", "503")
        raise RuntimeError("boom")

    def test_failed_in_a_world_of_its_own(smfake_factory):
        with smfake_factory() as fake:
            fake.fail("CreateModel", "503")
            raise RuntimeError("boom")

    def test_skipped(smfake):
        smfake.fail("CreateModel", "503")
        pytest.skip("no")

    @pytest.mark.xfail(strict=True, raises=RuntimeError, reason="known")
    def test_expected(smfake):
        smfake.fail("CreateModel", "503")
        raise RuntimeError("boom")
    """)
    result.assert_outcomes(failed=2, skipped=1, xfailed=1)
    assert "was never triggered" not in result.stdout.str()


def test_the_report_of_a_failure_lists_what_struck_in_order(run):
    result = run("""
    def test_it(smfake):
        client = boto3.client("sagemaker", region_name="us-east-1")
        smfake.delay("ListModels", 1, times=1)
        smfake.fail("CreateModel", "AccessDeniedException")
        smfake.fail("ListModels", "OptInRequired", when=lambda call: call.region == "us-east-1")
        with pytest.raises(ClientError):
            create(smfake)
        create(smfake)
        client.list_models()
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- smfake -*",
            "fail('CreateModel', 'AccessDeniedException') was triggered by call 1, CreateModel in us-east-1, sent from *.py:*, 1 attempt",
            "delay('ListModels', 1) was triggered by call 3, ListModels in us-east-1, sent from *.py:*, 1 attempt",
            "fail('ListModels', 'OptInRequired', when=<lambda>) was triggered by call 3, ListModels in us-east-1, sent from *.py:*, 1 attempt",
        ]
    )


def test_wrong_faults_in_a_marker(run):
    result = run("""
    @pytest.mark.smfake(faults=[("CreateModel", "Throttling")])
    def test_it():
        pass
    """)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*smfake marker: 'Throttling' is not a failure of CreateModel; near it: ThrottlingException; there are: ResourceLimitExceeded, *"]
    )


def test_an_interrupted_test_leaves_nothing_to_the_next_run(pytester):
    ended = pytester.makepyfile(
        test_interrupted="""
        def test_it(smfake):
            smfake.fail("CreateModel", "503", times=None)
            raise KeyboardInterrupt
        """
    )
    assert pytester.inline_run(ended, no_reraise_ctrlc=True).ret == pytest.ExitCode.INTERRUPTED
    assert (active(), botocore.endpoint.time) == (None, time)
    assert "smfake" not in os.environ.get("AWS_SECRET_ACCESS_KEY", "")
