"""The smfake command."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from pytest_smfake import Catalogue
from pytest_smfake.cli import main
from pytest_smfake.rules import catalogue as cli_catalogue
from pytest_smfake.rules import editions
from pytest_smfake.rules.coded import coded_rules, cross_field, unregister
from pytest_smfake.service.service import OPERATIONS


def test_rules_as_a_table(capsys):
    assert main(["rules", "CreateModel"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["rule", "bound", "evidence", "source"]
    rows = {line.split()[0]: line for line in lines}
    assert "  5  " in rows["CreateModel/Containers:max"]
    assert "documented" in rows["CreateModel/ModelName:max"]
    assert rows["CreateModel.response/ModelArn:min"].split()[1] == "20"
    on = [*Catalogue().rules("CreateModel"), *Catalogue().rules("CreateModel.response")]
    off = [coded.rule for coded in coded_rules("CreateModel") if not coded.editions]
    assert rows.keys() == {rule.id for rule in (*on, *off)}
    assert len(lines) == len(on) + len(off)


def test_rules_as_data(capsys):
    assert main(["rules", "CreateModel", "--json", "--edition", "sdk"]) == 0
    rules = {rule["id"]: rule for rule in json.loads(capsys.readouterr().out)}
    assert rules["CreateModel/Containers:max"]["bound"] == 15
    assert set(rules["CreateModel/ModelName:max"]) == {
        "id",
        "operation",
        "path",
        "keyword",
        "bound",
        "kind",
        "evidence",
        "source",
        "since",
        "until",
        "on",
    }
    assert all(rule["on"] for rule in rules.values() if rule["id"] in {one.id for one in Catalogue("sdk").rules("CreateModel")})


def coded(operation, keyword, evidence, **of_its_time):
    return cross_field(operation, "ModelName", keyword, evidence, "made up", **of_its_time)(lambda *_: iter(()))


@pytest.fixture
def dated():
    """Define rules that were not always so, and one that is off."""
    rules = [
        coded("DescribeModel", "new", "observed", since="2026-04"),
        coded("DescribeModel", "gone", "reported", since="2020", until="2022-10"),
        coded("DescribeModel", "guessed", "assumed", editions=()),
    ]
    yield
    for rule in rules:
        unregister(rule)


@pytest.mark.usefixtures("dated")
def test_rules_that_are_off_or_of_a_time(capsys, monkeypatch):
    for module in (cli_catalogue, editions):  # what was made before has no such rules
        monkeypatch.setattr(module, "edition_rules", editions.edition_rules.__wrapped__)
    monkeypatch.setattr(cli_catalogue, "catalogue", cli_catalogue.Catalogue)
    assert main(["rules", "DescribeModel"]) == 0
    rows = [re.split(r"  +", line) for line in capsys.readouterr().out.splitlines()]
    told = {row[0].rpartition(":")[2]: row[2] for row in rows}
    assert told["new"] == "observed since 2026-04"
    assert told["gone"] == "reported since 2020 until 2022-10, off"
    assert told["guessed"] == "assumed, off"
    assert main(["rules", "DescribeModel", "--json"]) == 0
    found = {rule["keyword"]: rule for rule in json.loads(capsys.readouterr().out) if rule["path"] == "ModelName"}
    assert [(found[name]["since"], found[name]["until"], found[name]["on"]) for name in ("new", "gone", "guessed")] == [
        ("2026-04", "", True),
        ("2020", "2022-10", False),
        ("", "", False),
    ]
    assert main(["rules", "DescribeModel", "--evidence", "reported"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["rule", "DescribeModel/ModelName:gone"]


def test_rules_of_an_evidence(capsys):
    assert main(["rules", "CreateModel", "--evidence", "observed", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {rule["evidence"] for rule in found} == {"observed"}
    assert "CreateModel/Containers[].Mode:one-multi-model" in {rule["id"] for rule in found}
    assert main(["rules", "--evidence", "verified"]) == 0
    assert capsys.readouterr().out.split() == ["rule", "bound", "evidence", "source"]


def test_an_unknown_evidence(capsys):
    assert main(["rules", "CreateModel", "--evidence", "seen"]) == 2
    sentence = "'seen' is not an evidence; there are: documented, modelled, observed, reported, verified, contested, assumed"
    assert capsys.readouterr().err == f"smfake: {sentence}\n"


def test_rules_of_all_that_the_fake_implements(capsys):
    assert main(["rules"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n{operation}/" in out or f"\n{operation}:" in out for operation in OPERATIONS)


def test_rules_of_any_operation(capsys):
    assert main(["rules", "CreateTrainingJob"]) == 0
    assert "CreateTrainingJob/TrainingJobName:max" in capsys.readouterr().out


def test_diff(capsys):
    assert main(["diff", "page", "sdk", "CreateModel"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["rule", "page", "sdk"]
    rows = {line.split()[0]: line.split()[1:] for line in lines[1:]}
    assert rows["CreateModel/Containers:max"] == ["5", "15"]
    assert rows["CreateModel/ExecutionRoleArn:required"] == ["True", "-"]
    assert {"CreateModel/ModelName:pattern", "CreateModel/ExecutionRoleArn:pattern"} <= set(rows)


def test_no_differences(capsys):
    assert main(["diff", "sdk", "sdk"]) == 0
    assert main(["diff", "page", "sdk", "ListModels"]) == 1 or "ListModels" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rules", "CreateModels"], "'CreateModels' is not a SageMaker operation"),
        (["diff", "page", "sdk", "Nope"], "'Nope' is not a SageMaker operation"),
    ],
)
def test_unknown_operations(arguments, sentence, capsys):
    assert main(arguments) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["diff", "page", "new"], ["nonsense"], [], ["rules", "--edition", "new"]])
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: smfake")


def test_the_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert (caught.value.code, capsys.readouterr().out) == (0, f"smfake {version('pytest-smfake')} (botocore {version('botocore')})\n")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes of this kind")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["rules", "CreateModel"],
        ["rules", "--json"],
        ["diff", "page", "sdk"],
        ["contract", "--check", "create/*"],
        ["serve", "--port", "0", "--admin"],
        ["--version"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_a_reader_that_has_gone_is_no_traceback(arguments, unbuffered):
    reader, writer = os.pipe()
    os.close(reader)
    with subprocess.Popen(
        [sys.executable, "-m", "pytest_smfake.cli", *arguments],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    ) as process:
        os.close(writer)
        _, said = process.communicate(timeout=120)
    assert said == ""
    assert process.returncode in ({0, 141} if arguments == ["--help"] else {141})  # argparse takes a help that nobody reads for read


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["rules", "DescribeModel"], 0), (["contract", "--check", "create/*"], 0), (["cleanup"], 2)],
    ids=["rules", "contract", "cleanup"],
)
def test_a_closed_output_changes_no_exit_code(arguments, code):
    command = f"{shlex.quote(sys.executable)} -m pytest_smfake.cli {shlex.join(arguments)} >&-"
    done = subprocess.run(["/bin/sh", "-c", command], check=False, stderr=subprocess.PIPE, text=True, timeout=120)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)


def test_a_full_disk_is_told():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pytest_smfake.cli", "rules"], check=False, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert (done.returncode, done.stderr) == (2, "smfake: the output cannot be written: No space left on device\n")


def test_a_broken_pipe_of_another_kind_is_not_hidden(monkeypatch):
    def broken(_):
        raise BrokenPipeError

    monkeypatch.setattr("pytest_smfake.cli.print_rules", broken)
    monkeypatch.setattr("pytest_smfake.cli._is_closed", lambda _: False)
    with pytest.raises(BrokenPipeError):
        main(["rules"])


def test_a_path_that_is_none(capsys):
    with pytest.raises(SystemExit):
        main(["diff", "9" * 5000, "page"])
    assert "(5002 characters) is neither an edition (page, sdk) nor a file" in capsys.readouterr().err


def test_the_console_script():
    done = subprocess.run([sys.executable, "-m", "pytest_smfake.cli", "diff", "page", "sdk"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "CreateModel/Containers:max" in done.stdout
