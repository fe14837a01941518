"""Every observable rule is killed by its own cases, and by no others; the rest is silent for a reason."""

from __future__ import annotations

import pytest

from pytest_smfake.generate.requests import maker
from pytest_smfake.rules.catalogue import Catalogue
from pytest_smfake.rules.coded import CrossField, coded_rules
from pytest_smfake.service.service import OPERATIONS

from . import kill
from .between import BETWEEN


# The rules of the other operations are those of the SDK in both editions, but for bounds that they share with CreateModel.
@pytest.mark.parametrize(("operation", "edition"), [("CreateModel", "sdk"), *((operation, "page") for operation in OPERATIONS)])
def test_the_matrix(operation, edition):
    row = kill.matrix(operation, edition)
    assert row.survived == []
    assert row.entangled == []
    assert row.unseen == []
    assert len(row.killed) == row.observable == row.rules - len(row.silent)
    assert all(one.reason for one in row.silent)
    if operation == "CreateModel":
        assert row.rules >= 300  # how many exactly depends on the installed botocore
        assert row.count("message-only") + row.count("vacuous") < row.rules / 5


def test_a_case_that_does_not_bite_would_be_seen(monkeypatch):
    real = kill.cases

    def blunt(operation, **keywords):
        return [case for case in real(operation, **keywords) if case.id != "DescribeModel/ModelName:max-64"]

    monkeypatch.setattr(kill, "cases", blunt)
    assert kill.matrix("DescribeModel", "page").survived == ["DescribeModel/ModelName:max"]


def test_a_case_that_breaks_two_rules_would_be_seen(monkeypatch):
    real = kill.cases

    def entangled(operation, **keywords):
        found = real(operation, **keywords)
        wide = next(case for case in found if case.id == "DescribeModel/ModelName:max-64")
        wide.request["ModelName"] = "_" * 64
        return found

    monkeypatch.setattr(kill, "cases", entangled)
    with pytest.raises(AssertionError, match="not judged as they say: .'DescribeModel/ModelName:max-64'"):
        kill.matrix("DescribeModel", "page")


def test_what_is_called_message_only_is_looked_at():
    rule = maker("page", "CreateModel").catalogue.rule("CreateModel/ModelName:max")
    assert not kill.tells(rule, maker("page", "CreateModel"), Catalogue("page", {rule.id: None}))


def test_the_command(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["kill", "DescribeModel", "StopTransformJob", "--reasons"])
    assert kill.main() == 0
    printed = capsys.readouterr().out
    assert (
        "DescribeModel         page            6            5            0            1           12            5            0" in printed
    )
    assert "page: StopTransformJob/TransformJobName:min is message-only: the pattern refuses every string that is shorter, too" in printed


def test_the_independent_table_has_every_rule_in_its_editions():
    there = {one.rule.id: set(one.editions) for one in coded_rules() if isinstance(one, CrossField)}
    for operation, rule, editions, _ in BETWEEN:  # * stands for every operation that takes tags
        found = [rule_id for rule_id in there if rule_id == operation + rule or (operation == "*" and rule_id.endswith(rule))]
        assert [there.pop(rule_id) for rule_id in found] == [set(editions)] * len(found) != []
    assert there == {}, "each rule between members has a line in tests/proof/between.py"
