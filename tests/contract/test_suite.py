"""Test the contract as tests: collected by package name, as a class to inherit from, on several targets, with clear error texts."""

from __future__ import annotations

import re

import pytest

from pytest_smfake.contract import CreateModelContract, FakeTarget, checks
from pytest_smfake.contract.render import MOST_GROUPS

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("alone")]

LINE = ("--pyargs", "pytest_smfake.contract")
FEW = "--smfake-check=create/*"


@pytest.mark.parametrize(
    "settings", ["", "python_files = check_*.py", "addopts = --import-mode=importlib", "strict = true", "addopts = -n 2"]
)
def test_the_documented_line(pytester, monkeypatch, settings):
    if settings in ("", "addopts = -n 2"):
        monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")  # as a user runs it after copying it
        monkeypatch.delenv("PYTEST_PLUGINS")
    pytester.makeini(f"[pytest]\n{settings}\n")
    result = pytester.runpytest_subprocess(*LINE, FEW)
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["*= smfake contract =*", "create        6/6", "in all        6/6"])


def test_all_of_it_in_both_editions_and_two_processes(pytester):
    result = pytester.runpytest_subprocess(*LINE, "-p", "xdist", "-n", "2", "--smfake-edition=sdk")
    result.assert_outcomes(passed=len(checks(edition="sdk")))


def test_several_targets_give_a_column_each(pytester):
    result = pytester.runpytest_subprocess(
        *LINE, "--smfake-target=fake", "--smfake-target=moto", "--smfake-check=errors/form", "--smfake-check=faults/*", "-rs"
    )
    result.assert_outcomes(passed=4, failed=1, skipped=3)
    result.stdout.fnmatch_lines(
        [
            "SKIPPED*moto: moto has no fault injection",
            "errors/form on moto",
            "    An error has status 400, a JSON body with `__type` and a message, and a request id. [[]observed: *",
            "    expected: CreateModel is rejected with ValidationException",
            "    actual: accepted, 200: *",
            "moto: skipped: 3 since moto has no fault injection",
            "* fake      moto",
            "errors        1/1       0/1",
            "faults        3/3       0/0, 3 skipped",
        ]
    )


def test_a_failing_check_reads_well(pytester):
    result = pytester.runpytest(*LINE, "--smfake-target=moto", "--smfake-check=create/same-name")
    text = result.stdout.str()
    assert "expected: CreateModel is rejected with ValidationException: Cannot create already existing model" in text
    assert "A second model of the same name is rejected, and the first stays as it is. [observed: astronomer/" in text


def test_a_run_against_moto_fits_a_screen(pytester, alone):
    result = pytester.runpytest_subprocess(*LINE, "--smfake-target=fake", "--smfake-target=moto", "--smfake-report=out.html")
    assert result.parseoutcomes()["failed"] > 400
    assert result.ret == 1
    assert len(result.outlines) <= 80
    found = [line for line in result.outlines if line.startswith("moto: ") and "such as" in line]
    assert len(found) == MOST_GROUPS
    numbers = [int(re.search(r"^moto: \w+, [\w-]+: (\d+), such as ", line)[1]) for line in found]
    assert numbers == sorted(numbers, reverse=True)
    [rest] = [int(line.split()[1]) for line in result.outlines if line.endswith("groups; -v shows every one")]
    assert sum(numbers) + rest == result.parseoutcomes()["failed"]
    assert [line for line in result.outlines if line.strip()][-2].startswith("report: ")


def test_every_difference_on_request(pytester, alone):
    result = pytester.runpytest_subprocess(*LINE, "--smfake-target=moto", "--smfake-check=ListModels*", "-v")
    failed = result.parseoutcomes()["failed"]
    assert failed > 10
    assert len([line for line in result.outlines if line.endswith(" on moto")]) == failed
    result.stdout.no_fnmatch_line("*= FAILURES =*")


def test_the_command_prints_as_little(capsys):
    from pytest_smfake.cli import main

    assert main(["contract", "--target=moto"]) == 1
    assert len(capsys.readouterr().out.splitlines()) <= 80
    assert main(["contract", "--target=moto", "--check=create/*", "--check=describe/*", "-v"]) == 1
    printed = capsys.readouterr().out
    assert printed.count(" on moto\n    ") == 6
    assert "such as" not in printed


def test_other_failures_of_the_run_are_told_as_ever(pytester, alone):
    pytester.makepyfile(EMULATOR.format(failures={}) + "\n\n    def test_mine(smfake_target):\n        assert False, 'mine'\n")
    result = pytester.runpytest()
    result.assert_outcomes(passed=15, failed=4)
    result.stdout.fnmatch_lines(
        ["*= FAILURES =*", "*mine*", "FAILED *::test_mine*", "create/same-name on emulator", "    actual: accepted*"]
    )
    assert result.stdout.str().count("\nFAILED ") == 1


EMULATOR = """
    import pytest
    from pytest_smfake.contract import CreateModelContract, FakeTarget

    class TestEmulator(CreateModelContract):
        select = ["create/*", "CreateModel/ModelName:*"]
        expected_failures = {failures}

        @pytest.fixture
        def target(self):
            return FakeTarget("emulator", rules={{"CreateModel/ModelName:max": None, "CreateModel/ModelName:not-taken": None}})
"""
KNOWN = {
    "CreateModel/ModelName:max-64": "names have no bound here",
    "create/same-name": "the last one wins",
    "CreateModel/ModelName:not-taken-taken": "likewise",
}


def test_a_class_of_ones_own(pytester):
    pytester.makepyfile(EMULATOR.format(failures=KNOWN))
    result = pytester.runpytest("-rx")
    outcomes = result.parseoutcomes()
    assert outcomes.pop("xfailed") == 3
    assert outcomes.keys() == {"passed"}
    result.stdout.fnmatch_lines(["XFAIL *create/same-name* the last one wins"])


def test_an_expected_failure_that_passes(pytester):
    pytester.makepyfile(EMULATOR.format(failures=KNOWN | {"create/response": "it answers nothing"}))
    result = pytester.runpytest()
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["*XPASS(strict)* it answers nothing"])


def test_an_expected_failure_of_no_check(pytester):
    pytester.makepyfile(EMULATOR.format(failures={"create/twice": "no"}))
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*TestEmulator: expected_failures has 'create/twice', which is not the id of a check that runs*"])


@pytest.mark.parametrize("name", ["test_check", "pytest_generate_tests"])
def test_a_contract_cannot_be_weakened(name):
    with pytest.raises(
        TypeError, match=f"Weak overrides {name}; a contract class may override only target, select, edition and expected_failures"
    ):
        type("Weak", (CreateModelContract,), {name: lambda _: None})


@pytest.mark.parametrize("reason", ["", " ", None])
def test_an_expected_failure_needs_a_reason(reason):
    with pytest.raises(TypeError, match=r"Weak: expected_failures\['create/same-name'\] must be a reason, got"):
        type("Weak", (CreateModelContract,), {"expected_failures": {"create/same-name": reason}})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--smfake-target=motto"], "*smfake contract: 'motto' is not a target; there are: fake, moto, endpoint=URL, recording=FILE, aws"),
        (["--smfake-target=endpoint"], "*smfake contract: '' is not the URL of an endpoint; expected a URL such as http://127.0.0.1:5000*"),
        (["--smfake-target=endpoint=localhost:5000"], "*'localhost:5000' is not the URL of an endpoint*"),
        (["--smfake-target=fake=1"], "*the target fake takes no argument, got '1'*"),
        (["--smfake-target=fake", "--smfake-target=fake"], "*each target may be given only once, got ['fake', 'fake']*"),
        (["--smfake-target=recording=nobody.json"], "*smfake contract: nobody.json cannot be read: No such file*"),
        (["--smfake-check=create"], "*smfake contract: no check has the id 'create'; there are: create/*"),
        (["--smfake-report=out.txt"], "*--smfake-report: 'out.txt' has an unknown suffix; expected one of: .json, .html, .md*"),
        (
            ["--smfake-target=aws"],
            "*smfake contract: the target aws needs account: the id of the account that the credentials must belong to, *",
        ),
        (["--smfake-ledger=x.json"], "*only a run against the real service can write a ledger*"),
        (["--smfake-record=x.json", "--smfake-target=fake", "--smfake-target=moto"], "*a recording needs exactly one target, got 2*"),
    ],
    ids=str,
)
def test_wrong_options(pytester, arguments, sentence):
    result = pytester.runpytest_subprocess(*LINE, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([sentence.replace("['", "[[]'").replace("']", "'[]]")])


def test_a_target_of_another_plugin(pytester):
    pytester.makepyfile(
        emulators="""
        from pytest_smfake.contract import FakeTarget

        def pytest_smfake_targets(config):
            return {"mine": lambda argument: FakeTarget(f"mine={argument}", edition=argument)}
    """
    )
    pytester.syspathinsert()
    result = pytester.runpytest(*LINE, "-p", "emulators", "--smfake-target=mine=page", FEW)
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["* mine=page", "create        6/6"])


def test_a_project_s_own_tests_run_on_each_target(pytester):
    pytester.makepyfile("""
        def test_it(smfake_target):
            assert smfake_target.supports("creation")
            request = smfake_target.request()
            assert smfake_target.send("CreateModel", request).code is None
            assert smfake_target.client().describe_model(ModelName=smfake_target.name_of())["ExecutionRoleArn"] == smfake_target.role_arn
    """)
    pytester.runpytest("--smfake-target=fake", "--smfake-target=moto").assert_outcomes(passed=2)
    pytester.runpytest().assert_outcomes(passed=1)


def test_a_target_is_a_context_manager_within_itself():
    with FakeTarget() as target:
        target.send("CreateModel", target.request())
        with target:
            assert len(target.fake.models) == 1
        assert len(target.fake.models) == 1
    with pytest.raises(RuntimeError, match="the target is a context manager"):
        target.fake.reset()
