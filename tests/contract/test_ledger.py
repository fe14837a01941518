"""The ledger: who can write it, what it holds, and when evidence is stale."""

from __future__ import annotations

import datetime
import json

import pytest

from pytest_smfake.contract import FakeTarget, Result, ledger
from pytest_smfake.contract.session import Session
from pytest_smfake.contract.targets import aws_target

TOLD = {"account": "123456789012", "region": "us-east-1", "prefix": "ci"}
RULES = {"a": "CreateModel/ModelName:max", "b": None}


def results(**outcomes):
    return [Result(check, "aws", outcome) for check, outcome in outcomes.items()]


def test_what_it_holds(tmp_path):
    path = tmp_path / "ledger.json"
    assert ledger.write(path, aws_target(TOLD), results(a="passed", b="passed", c="failed", d="skipped"), RULES, "page") == 2
    entries = ledger.read(path)
    assert entries.keys() == {"a", "b"}
    assert entries["a"] == {
        "rule": "CreateModel/ModelName:max",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "region": "us-east-1",
        "botocore": entries["a"]["botocore"],
        "edition": "page",
        "account": entries["a"]["account"],
    }
    assert "123456789012" not in path.read_text()
    assert len(entries["a"]["account"]) == 16


def test_a_later_run_adds_and_takes_back(tmp_path):
    path = tmp_path / "ledger.json"
    ledger.write(path, aws_target(TOLD), results(a="passed", b="passed", e="passed"), RULES, "page")
    ledger.write(path, aws_target(TOLD), results(b="failed", c="passed", d="outdated", e="skipped"), RULES, "page")
    assert list(ledger.read(path)) == ["a", "c", "e"]


@pytest.mark.parametrize("target", [FakeTarget(), aws_target(TOLD | {"configured_endpoints": True})], ids=["fake", "endpoints"])
def test_nothing_but_the_real_service_can_write_it(tmp_path, target):
    path = tmp_path / "ledger.json"
    with pytest.raises(ValueError, match="is not the real service: nothing but a run against that can write a ledger"):
        ledger.write(path, target, results(a="passed"), RULES, "page")
    with pytest.raises(ValueError, match="a ledger is written by a run against the real service alone"):
        Session("page", [target], ledger=path)
    assert not path.exists()


def test_stale_evidence():
    today = datetime.datetime.now(datetime.UTC).date()
    entries = {days: {"date": (today - datetime.timedelta(days=days)).isoformat()} for days in (0, 30, 31)}
    assert [ledger.is_stale(entry, 30) for entry in entries.values()] == [False, False, True]
    assert ledger.is_stale(None, 30)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not a ledger: it holds no JSON"),
        ("{}", "is not a ledger of contract runs"),
        (json.dumps({"format": ledger.FORMAT, "version": 2}), "is a ledger of version 2; this package reads version 1"),
    ],
)
def test_files_that_are_no_ledger(tmp_path, text, sentence):
    path = tmp_path / "ledger.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        ledger.read(path)
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        ledger.read(tmp_path / "nobody.json")
