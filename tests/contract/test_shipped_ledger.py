"""The ledger of the package agrees with its checks and rules, whoever contributed to it; the documented way into it works."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from pytest_smfake import Catalogue
from pytest_smfake.contract import Result, checks
from pytest_smfake.contract.session import add_to_ledger
from pytest_smfake.contract.targets.emulators import aws_target
from pytest_smfake.rules import ledger
from pytest_smfake.rules.rule import EDITIONS

ROOT = Path(__file__).parent.parent.parent
RULE = "CreateModel/ModelName:max"


def test_its_entries_are_checks_and_name_no_account():
    of_edition = {edition: {check.id: check.rule for check in checks(edition=edition)} for edition in EDITIONS}
    for check, entry in ledger.shipped().entries.items():
        assert entry["account"] == "withheld", check
        if entry["botocore"] == version("botocore"):  # another version can have other bounds, which are part of the id of a check
            assert of_edition[entry["edition"]][check] == entry["rule"]


def test_its_rules_have_all_their_checks_and_are_verified():
    entries = ledger.shipped().entries
    for rule, seen in ledger.shipped().rules.items():
        stated = {
            edition: found for edition in EDITIONS if (found := Catalogue(edition).get(rule)) and ledger.plain(found.bound) == seen["bound"]
        }
        assert stated or seen["botocore"] != version("botocore"), rule
        for edition, found in stated.items():
            of_rule = {check.id for check in checks(edition=edition) if check.rule == rule}
            assert of_rule <= entries.keys()
            assert (found.evidence, seen["date"]) == ("verified", min(entries[check]["date"] for check in of_rule))


def steps():
    """Return the commands that docs/contract.md shows."""
    return re.search(r"<!-- ledger -->\n```bash\n(.*?)```", (ROOT / "docs" / "contract.md").read_text("utf-8"), re.DOTALL)[1]


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the project in which `smfake contract` writes the ledger of a run that never was."""
    project = tmp_path / "project"
    for name in ("pytest_smfake", "tests", "docs"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, project / name)
    made = tmp_path / "made.json"
    results = [Result(check.id, "aws", "passed") for check in checks([f"{RULE}-*", "create/response"])]
    add_to_ledger(made, aws_target({"account": "123456789012", "region": "us-east-1", "prefix": "ci"}), results, "page")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "smfake").write_text(
        f"#!/bin/sh\ncase \"$*\" in *'--target aws'*'--ledger mine.json') cp '{made}' mine.json;; *) exit 4;; esac\n"
    )
    (programs / "python").write_text(f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    return project, programs


@pytest.mark.once
@pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a POSIX shell")
def test_the_documented_way_into_it(copy):
    project, programs = copy
    before = ledger.shipped()
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"}
    only = steps().replace("test_shipped_ledger.py", "test_shipped_ledger.py -k 'its_' -p no:cacheprovider")  # else this test runs itself
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", only], cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    data = json.loads((project / "pytest_smfake" / "rules" / "ledger.json").read_text("utf-8"))
    assert data["rules"].keys() == {RULE}
    assert {entry["account"] for entry in data["entries"].values()} == {"withheld"}
    written = (project / "docs" / "evidence.md").read_text("utf-8")
    assert "1 rules were checked against a real account" in written
    assert re.search(r"^\| `verified` \| [^|]* \| 1 \(", written, re.MULTILINE)
    # The ledger of this package stays as it is.
    ledger.shipped.cache_clear()
    assert ledger.shipped() == before


@pytest.mark.parametrize(
    ("change", "test"),
    [
        (
            lambda data: data["entries"]["create/response"].update(account="e3b0c44298fc1c14"),
            test_its_entries_are_checks_and_name_no_account,
        ),
        (lambda data: data["entries"]["create/response"].update(rule=RULE), test_its_entries_are_checks_and_name_no_account),
        (lambda data: data["entries"].pop(f"{RULE}-63"), test_its_rules_have_all_their_checks_and_are_verified),
        (lambda data: data["rules"][RULE].update(bound=64), test_its_rules_have_all_their_checks_and_are_verified),
    ],
    ids=["account", "rule", "missing", "bound"],
)
def test_what_a_ledger_must_not_have(copy, tmp_path, monkeypatch, change, test):
    data = json.loads((tmp_path / "made.json").read_text("utf-8").replace(hash_of(tmp_path), "withheld"))
    change(data)
    (tmp_path / "changed.json").write_text(json.dumps(data), "utf-8")
    monkeypatch.setattr(ledger, "shipped", lambda: ledger.read(tmp_path / "changed.json"))
    with pytest.raises((AssertionError, KeyError)):
        test()


def hash_of(folder):
    return next(iter(json.loads((folder / "made.json").read_text("utf-8"))["entries"].values()))["account"]
