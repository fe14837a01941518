"""Test the ledger: which runs can write it, its entries, and when evidence is stale."""

from __future__ import annotations

import datetime
import json
import sys
from importlib.metadata import version

import pytest

from pytest_smfake import Catalogue
from pytest_smfake.cases import limit_rules
from pytest_smfake.cli import main
from pytest_smfake.contract import FakeTarget, Result, checks
from pytest_smfake.contract.report import describe_rules
from pytest_smfake.contract.session import Session, add_to_ledger
from pytest_smfake.contract.targets.emulators import aws_target
from pytest_smfake.rules import ledger
from pytest_smfake.rules.editions import edition_rules

TOLD = {"account": "123456789012", "region": "us-east-1", "prefix": "ci"}
RULE = "CreateModel/ModelName:max"
INSIDE, OUTSIDE = f"{RULE}-63", f"{RULE}-64"
TODAY = datetime.datetime.now(datetime.UTC).date()


def results(outcomes):
    return [Result(check, "aws", outcome) for check, outcome in outcomes.items()]


def written(path, outcomes):
    add_to_ledger(path, aws_target(TOLD), results(outcomes), "page")
    return ledger.read(path)


def test_what_it_holds(tmp_path):
    path = tmp_path / "ledger.json"
    outcomes = {OUTSIDE: "passed", "create/response": "passed", INSIDE: "failed", "create/headers": "skipped"}
    assert add_to_ledger(path, aws_target(TOLD), results(outcomes), "page") == 2
    found = ledger.read(path)
    assert found.entries.keys() == {OUTSIDE, "create/response"}
    assert found.entries[OUTSIDE] == {
        "rule": RULE,
        "date": TODAY.isoformat(),
        "region": "us-east-1",
        "botocore": version("botocore"),
        "edition": "page",
        "account": found.entries[OUTSIDE]["account"],
    }
    assert found.rules == {}
    assert "123456789012" not in path.read_text()
    assert len(found.entries[OUTSIDE]["account"]) == 16


def test_a_later_run_adds_and_takes_back(tmp_path):
    path = tmp_path / "ledger.json"
    written(path, {"create/response": "passed", "create/headers": "passed", "list/pages": "passed"})
    after = written(path, {"create/headers": "failed", "tags/merge": "passed", INSIDE: "outdated", "list/pages": "skipped"})
    assert list(after.entries) == ["create/response", "list/pages", "tags/merge"]


def test_a_rule_is_verified_once_all_of_its_checks_passed(tmp_path):
    path = tmp_path / "ledger.json"
    assert written(path, {OUTSIDE: "passed"}).rules == {}
    both = written(path, {INSIDE: "passed"})
    assert both.rules == {RULE: {"bound": 63, "date": TODAY.isoformat(), "region": "us-east-1", "botocore": version("botocore")}}
    rule = both.verify({RULE: Catalogue("page").rule(RULE)})[RULE]
    assert rule.evidence == "verified"
    assert rule.source == f"CreateModel page, ModelName; a run of {TODAY} in us-east-1, botocore {version('botocore')}"
    # A bound that has changed since then is not verified.
    changed = Catalogue("page", {RULE: 64}).rule(RULE)
    assert both.verify({RULE: changed})[RULE] is changed
    assert written(path, {INSIDE: "failed"}).rules == {}


def test_a_run_of_one_edition_takes_nothing_from_the_other(tmp_path):
    path, rule = tmp_path / "ledger.json", "CreateModel/Containers:max"
    page = written(path, {check.id: "passed" for check in checks([f"{rule}-*"])})
    assert page.rules[rule]["bound"] == 5
    add_to_ledger(path, aws_target(TOLD), results({"create/response": "passed"}), "sdk")
    assert ledger.read(path).rules == page.rules


def test_the_catalogue_reads_the_ledger_of_the_package(tmp_path, monkeypatch):
    everything = written(tmp_path / "ledger.json", {check.id: "passed" for check in checks()})
    observable = {rule["id"] for rule in describe_rules("page") if not rule["silent"]}
    assert everything.rules.keys() == observable - {rule.id for rule in limit_rules("CreateModel")}  # the account's, not the catalogue's
    monkeypatch.setattr(ledger, "shipped", lambda: everything)
    rules = edition_rules.__wrapped__("page", "CreateModel")
    assert rules[RULE].evidence == "verified"
    assert rules["CreateModel/Containers:max"].source.startswith("CreateModel page, Containers; a run of ")
    in_sdk = edition_rules.__wrapped__("sdk", "CreateModel")
    assert (in_sdk[RULE].evidence, in_sdk["CreateModel/Containers:max"].evidence) == (
        "verified",
        "modelled",
    )  # the bound of the latter is 15


def test_nothing_is_verified_yet():
    assert ledger.shipped() == ledger.Ledger()


@pytest.mark.parametrize("target", [FakeTarget(), aws_target(TOLD | {"configured_endpoints": True})], ids=["fake", "endpoints"])
def test_nothing_but_the_real_service_can_write_it(tmp_path, target):
    path = tmp_path / "ledger.json"
    with pytest.raises(ValueError, match="is not the real service: only a run against the real service can write a ledger"):
        add_to_ledger(path, target, results({INSIDE: "passed"}), "page")
    with pytest.raises(ValueError, match="only a run against the real service can write a ledger"):
        Session("page", [target], ledger=path)
    assert not path.exists()


def test_stale_evidence():
    entries = {str(days): {"date": (TODAY - datetime.timedelta(days=days)).isoformat()} for days in (0, 30, 31)}
    assert [check for check in (*entries, "none") if ledger.Ledger(entries).is_stale(check, 30)] == ["31", "none"]


@pytest.fixture
def old(tmp_path):
    """Return a ledger in which one check of three is fresh, and one is 40 days old."""
    path = tmp_path / "ledger.json"
    written(path, {"create/response": "passed", "create/headers": "passed"})
    data = json.loads(path.read_text())
    data["entries"]["create/headers"]["date"] = (TODAY - datetime.timedelta(days=40)).isoformat()
    path.write_text(json.dumps(data))
    return path


SELECTED = ("create/response", "create/headers", "create/same-name")


def test_stale_evidence_is_selected_by_pytest(old, pytester):
    told = [f"--smfake-aws-{name}={value}" for name, value in TOLD.items()]
    only = [f"--smfake-check={check}" for check in SELECTED]
    ran = pytester.runpytest(
        "--pyargs",
        "pytest_smfake.contract",
        "--collect-only",
        "-q",
        "--smfake-target=aws",
        *told,
        *only,
        f"--smfake-ledger={old}",
        "--smfake-stale=30",
    )
    ran.stdout.fnmatch_lines(["*create/headers*", "*create/same-name*", "*2/3 tests collected (1 deselected)*"])


def test_stale_evidence_is_selected_by_the_command(old, capsys, monkeypatch):
    told = [f"--aws-{name}={value}" for name, value in TOLD.items()]
    only = [f"--check={check}" for check in SELECTED]
    begun = []
    monkeypatch.setattr(Session, "begin", lambda _, chosen: begun.extend(check.id for check in chosen) or sys.exit("begun"))
    with pytest.raises(SystemExit, match="begun"):
        main(["contract", "--target=aws", *told, *only, f"--ledger={old}", "--stale=30"])
    assert begun == ["create/headers", "create/same-name"]
    assert main(["contract", "--target=aws", *told, "--check=create/response", f"--ledger={old}", "--stale=30"]) == 0
    assert capsys.readouterr().out == "no evidence is older than 30 days: nothing to run\n"


@pytest.mark.parametrize(
    ("options", "given"), [(["--stale=30"], "no ledger was given"), (["--stale=-1", "--ledger=it.json"], "got -1 days")]
)
def test_days_that_make_no_sense(options, given, capsys):
    told = [f"--aws-{name}={value}" for name, value in TOLD.items()]
    assert main(["contract", "--target=aws", *told, *options]) == 4
    assert capsys.readouterr().err == f"smfake: the option for stale evidence needs a ledger and 0 or more days; {given}\n"


SEEN = {"date": "2026-11-24", "region": "us-east-1", "botocore": "1.44.0"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not a ledger: its JSON is cut short in line 1"),
        ("{}", "is not a ledger of a contract run: its member 'format' is not"),
        (json.dumps({"format": ledger.LEDGER_FORMAT, "version": 2}), "is a ledger of version 2; this package reads version 1"),
        (
            json.dumps({"format": ledger.LEDGER_FORMAT, "version": 1}),
            "is a ledger that was changed or cut short: the ledger has no 'entries'",
        ),
        (json.dumps({"format": ledger.LEDGER_FORMAT, "version": 1, "entries": [], "rules": {}}), r"entries is \[\], not an object"),
        (json.dumps({"format": ledger.LEDGER_FORMAT, "version": 1, "entries": {"a": {}}, "rules": {}}), "entries.a has no 'rule'"),
        (
            json.dumps({"format": ledger.LEDGER_FORMAT, "version": 1, "entries": {}, "rules": {"a": {"bound": 1, "date": "now"}}}),
            "rules.a has no 'region'",
        ),
        (
            json.dumps({"format": ledger.LEDGER_FORMAT, "version": 1, "entries": {}, "rules": {"a": SEEN | {"bound": 1, "date": "now"}}}),
            'rules.a.date is "now", not a date of ISO 8601',
        ),
    ],
)
def test_files_that_are_no_ledger(tmp_path, text, sentence):
    path = tmp_path / "ledger.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        ledger.read(path)
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        ledger.read(tmp_path / "nobody.json")
