"""Test reports of runs of pytest: options, properties of tests, and files that cannot be written."""

from __future__ import annotations

import re
import sys
from xml.etree import ElementTree as ET

import boto3  # noqa: F401  # else a run in this process loads it, and its own patches with it, for itself alone
import pytest

from pytest_smfake import FakeSageMaker
from pytest_smfake.contract import checks, read
from pytest_smfake.contract.plugin import REPORT_SUFFIXES, properties
from pytest_smfake.contract.report import Report
from pytest_smfake.server.worlds import DEFAULT, Server

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("alone")]

SUITE = ("--pyargs", "pytest_smfake.contract")
SOME = ("--smfake-check=create/*", "--smfake-check=tags/*")


@pytest.fixture
def weak(pytester):
    """Add a kind of target that accepts a name twice."""
    pytester.makeconftest("""
        from pytest_smfake.contract import FakeTarget

        def pytest_smfake_targets(config):
            return {"weak": lambda _: FakeTarget("weak", rules={"CreateModel/ModelName:not-taken": None})}
    """)


def test_every_form_in_the_order_of_the_suite_also_on_two_workers(weak, pytester):
    paths = [f"--smfake-report=out/it{suffix}" for suffix in REPORT_SUFFIXES]
    ran = pytester.runpytest_subprocess(*SUITE, *SOME, "-p", "xdist", "-n", "2", "--smfake-target=weak", "--smfake-target=fake", *paths)
    ran.stdout.fnmatch_lines(["*= smfake contract =*", "create *5/6 *6/6", "rules proved *"])
    ran.stdout.fnmatch_lines([f"report: *it{suffix}" for suffix in REPORT_SUFFIXES])
    report = read(pytester.path / "out" / "it.json")
    assert report.targets == ["weak", "fake"]
    assert [check["id"] for check in report.checks] == [check.id for check in checks(["create/*", "tags/*"])]
    assert [(result.target, result.check) for result in report.results] == [
        (name, check["id"]) for name in report.targets for check in report.checks
    ]
    assert [(result.target, result.check) for result in report.failed] == [("weak", "create/same-name")]
    assert (pytester.path / "out" / "it.md").read_text("utf-8") == report.to_markdown()


def test_junit_properties(weak, pytester):
    pytester.runpytest(
        *SUITE, "--smfake-check=create/same-name", "--smfake-check=create/headers", "--smfake-target=weak", "--junitxml=out.xml"
    )
    tests = {}
    for case in ET.parse(pytester.path / "out.xml").iter("testcase"):  # noqa: S314  # pytest has just written it
        told = {one.get("name"): one.get("value") for one in case.iter("property")}
        tests[told["smfake_check"]] = [told[f"smfake_{name}"] for name in ("rule", "evidence", "target", "outcome")]
    assert tests == {
        "create/same-name": ["CreateModel/ModelName:not-taken", "observed", "weak", "failed"],
        "create/headers": ["", "observed", "weak", "passed"],
    }


def test_a_check_that_runs_in_two_classes_counts_once_and_its_failure_wins(pytester):
    pytester.makepyfile("""
        import pytest
        from pytest_smfake.contract import CreateModelContract, FakeTarget

        class TestGood(CreateModelContract):
            select = ["create/same-name"]

        class TestLax(CreateModelContract):
            select = ["create/same-name"]
            expected_failures = {"create/same-name": "our issue 12"}

            @pytest.fixture
            def target(self):
                return FakeTarget(rules={"CreateModel/ModelName:not-taken": None})

        class TestAgain(TestGood):
            pass
    """)
    pytester.runpytest("--smfake-report=out.json").assert_outcomes(passed=2, xfailed=1)
    report = read(pytester.path / "out.json")
    (result,) = report.results
    assert report.counts("fake") == {"failed": 1, "not run": len(checks()) - 1}
    assert (result.check, result.target, result.outcome, result.reason) == ("create/same-name", "fake", "failed", "our issue 12")


def test_a_run_that_stops_early_says_what_was_not_run(weak, pytester):
    pytester.runpytest(*SUITE, *SOME, "-x", "--smfake-target=fake", "--smfake-target=weak", "--smfake-report=out.json")
    report = read(pytester.path / "out.json")
    assert len(report.checks) == len(checks(["create/*", "tags/*"]))
    assert report.counts("weak") == {"passed": 2, "failed": 1, "not run": len(report.checks) - 3}
    assert report.counts("fake") == {"passed": 3, "not run": len(report.checks) - 3}


def test_a_contract_of_some_checks_says_what_it_left_out(pytester):
    pytester.makepyfile("""
        from pytest_smfake.contract import CreateModelContract

        class TestIt(CreateModelContract):
            select = ["create/same-name"]
    """)
    ran = pytester.runpytest()
    ran.stdout.fnmatch_lines([f"in all *1/1, {len(checks()) - 1} not run", "rules proved *0 of *"])


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("out.xml", "'out.xml' has an unknown suffix; expected one of: .json, .html, .md"),
        ("out", "'out' has an unknown suffix; expected one of: .json, .html, .md"),
        ("there.json", "*there.json is a directory, not a file to write to"),
        ("file/out.json", "*out.json cannot be written: *file is not a directory"),
    ],
)
def test_paths_that_cannot_be_written(path, sentence, pytester):
    (pytester.path / "there.json").mkdir()
    (pytester.path / "file").touch()
    ran = pytester.runpytest(*SUITE, "--smfake-check=create/headers", f"--smfake-report={path}")
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines([f"ERROR: --smfake-report: {sentence}"])


def test_what_cannot_be_written_at_the_end_is_told_and_fails_the_run(pytester, monkeypatch):
    def full(self: Report, path: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Report, "write", full)
    ran = pytester.runpytest_inprocess(*SUITE, "--smfake-check=create/headers", "--smfake-report=out.json")
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stdout.fnmatch_lines(["the report could not be written to *out.json: No space left on device"])
    assert not (pytester.path / "out.json").exists()


def test_no_check_no_report(pytester):
    pytester.makepyfile("def test_it(): pass")
    ran = pytester.runpytest("--smfake-report=out.json")
    ran.assert_outcomes(passed=1)
    ran.stdout.fnmatch_lines(["no report, since no contract check has a result: *out.json"])
    assert not (pytester.path / "out.json").exists()


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["one", "workers"])
def test_redacted(pytester, workers):
    pytester.makepyfile("""
        import pytest
        from pytest_smfake.contract import CreateModelContract, FakeTarget

        class TestTheirs(CreateModelContract):
            select = ["create/same-name", "create/headers", "limits/*"]

            @pytest.fixture(params=["jane", "kate"])
            def target(self, request):
                target = FakeTarget(f"theirs=http://{request.param}.acme.example", rules={"CreateModel/ModelName:not-taken": None})
                target.lacks = {"limits": f"not at {request.param}.acme.example"}
                return target
    """)
    pytester.makeconftest("""
        from pytest_smfake.contract import FakeTarget

        def pytest_smfake_targets(config):
            return {"ours": lambda address: FakeTarget(f"ours={address}", rules={"CreateModel/ModelName:not-taken": None})}
    """)
    files = [f"--smfake-report=it{suffix}" for suffix in REPORT_SUFFIXES]
    options = ("--smfake-check=create/same-name", "--smfake-check=create/headers", "--smfake-check=limits/*")
    targets = ("--smfake-target=ours=http://10.1.2.3/jane", "--smfake-target=fake")
    ran = pytester.runpytest_subprocess(
        ".", *SUITE, *options, *targets, *workers, *files, "-rs", "-vv", "--smfake-redact", "--junitxml=it.xml", "--tb=short"
    )
    report = read(pytester.path / "it.json")
    assert report.redacted
    assert report.targets == ["ours=1", "fake", "theirs=TestTheirs-0", "theirs=TestTheirs-1"]
    assert [(result.target, result.check) for result in report.failed] == [
        (name, "create/same-name") for name in ("ours=1", "theirs=TestTheirs-0", "theirs=TestTheirs-1")
    ]
    assert 'Cannot create already existing model "arn:aws:sagemaker:us-east-1:{account}:model/{name}".' in report.failed[0].expected
    ran.stdout.fnmatch_lines(["*ours=1*", "redacted: tokens such as {account} replace values that identify an account"])
    files = [(pytester.path / f"it{suffix}").read_text("utf-8") for suffix in (*REPORT_SUFFIXES, ".xml")]
    for text in files:
        # Parameters of a user's fixture are in the ids of tests, and so in JUnit files.
        assert not re.search(r"123456789012|SageMakerExecutionRole|acme|10\.1\.2\.3", text)
    assert not re.search("jane|kate", "".join(files[:3]))


def test_not_redacted_unless_it_is_asked_for(weak, pytester):
    pytester.runpytest(*SUITE, "--smfake-check=create/same-name", "--smfake-target=weak", "--smfake-report=out.json")
    report = read(pytester.path / "out.json")
    assert not report.redacted
    assert "123456789012" in report.failed[0].expected


def test_the_command_redacts(pytester):
    fake = FakeSageMaker(rules={"CreateModel/ModelName:not-taken": None}, account="998877665544")
    with Server() as server, server.serving(DEFAULT, fake):
        target = f"--target=endpoint={server.url}"
        command = ("contract", target, "--check=create/*", "--redact", "--report=out.json", "--report=out.md")
        ran = pytester.run(sys.executable, "-m", "pytest_smfake.cli", *command)
    assert ran.ret == 1
    report = read(pytester.path / "out.json")
    assert (report.redacted, report.targets) == (True, ["endpoint=1"])
    assert len(report.failed) == 1
    for text in (ran.stdout.str(), (pytester.path / "out.json").read_text(), (pytester.path / "out.md").read_text()):
        assert "998877665544" not in text
        assert server.url not in text
        assert "{account-1}" in text or "{name}" in text


def test_properties_are_text():
    told = properties({"id": "a", "rule": None, "evidence": "assumed"}, {"target": "t", "outcome": "passed"})
    assert [type(value) for pair in told for value in pair] == [str] * 12
