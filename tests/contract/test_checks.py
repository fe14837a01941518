"""Test the checks: their ids, their sources, and that the fake passes all of them."""

from __future__ import annotations

import re

import pytest

from pytest_smfake.contract import CAPABILITIES, Check, Difference, FakeTarget, checks, run_contract
from pytest_smfake.contract.boundaries import CHECKED_OPERATIONS
from pytest_smfake.contract.run import _matches
from pytest_smfake.rules.catalogue import catalogue


@pytest.mark.parametrize("edition", ["page", "sdk"])
def test_the_fake_passes_every_check(edition):
    report = run_contract(FakeTarget(edition=edition), edition=edition)
    assert report.failed == []
    assert +report.counts("fake") == {"passed": len(checks(edition=edition))}
    assert len(report.results) > 750


@pytest.mark.parametrize("edition", ["page", "sdk"])
def test_ids_are_stable_words_that_can_be_selected(edition):
    every = checks(edition=edition)
    assert len({check.id for check in every}) == len(every)
    assert [check.id for check in every if not re.fullmatch(r"[\w./:\[\]-]+", check.id)] == []
    assert [check for check in every if not (check.sentence.endswith(".") and check.source and check.evidence)] == []
    assert {need for check in every for need in check.needs} == set(CAPABILITIES)


def test_every_rule_of_the_operations_on_models_has_a_check():
    ruled = {check.rule for check in checks() if check.rule}
    without = [rule.id for operation in CHECKED_OPERATIONS for rule in catalogue("page").rules(operation) if rule.id not in ruled]
    assert without == []


def test_more_than_a_third_of_the_checks_create_nothing():
    assert sum(not check.creates for check in checks()) > len(checks()) / 3


def test_a_pattern_of_many_stars_is_matched_at_once():
    for pattern in ("a*" * 2000, "*a" * 30 + "!", "*" * 5000 + "!"):
        with pytest.raises(ValueError, match="; there are: create/"):
            checks([pattern])
    assert checks(["*" * 5000]) == checks()


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("describe/echo", True),
        ("describe/ech", False),
        ("describe/*", True),
        ("*/echo", True),
        ("*", True),
        ("**", True),
        ("d*e*e*o", True),
        ("*describe/echo*", True),
        ("describe/echo*o", False),  # the last letter is matched only once
        ("describe/e*echo", False),
        ("*h*c*", False),
        ("DESCRIBE/echo", False),
        ("describe.echo", False),
        ("", False),
    ],
)
def test_what_a_pattern_matches(pattern, found):
    (check,) = checks(["describe/echo"])
    assert _matches(check, pattern) is found


def test_a_request_of_a_target_has_no_unknown_member():
    with pytest.raises(ValueError, match=r"CreateModel has no member 'Modelname'; did you mean 'ModelName'\?"):
        FakeTarget().request(Modelname="churn")


def test_selection():
    assert [check.id for check in checks(["tags/merge", "CreateModel/ModelName:max-*"])] == [
        "tags/merge",
        "CreateModel/ModelName:max-63",
        "CreateModel/ModelName:max-64",
    ]
    with pytest.raises(ValueError, match=r"no check has the id 'tag/\*'; there are: create/\*, describe/\*, .*CreateModel/\*"):
        checks(["tags/*", "tag/*"])


def test_without_pytest():
    report = run_contract(
        FakeTarget(), FakeTarget("other", rules={"CreateModel/ModelName:max": None}), select=["CreateModel/ModelName:max-*"]
    )
    assert report.targets == ["fake", "other"]
    (found,) = report.failed
    assert (found.check, found.target, found.outcome) == ("CreateModel/ModelName:max-64", "other", "failed")
    assert found.expected.startswith("CreateModel is rejected with ValidationException: 1 validation error detected: Value 'a")
    assert found.actual.startswith("accepted, 200: ")
    assert '"ModelName": "a' in found.request


@pytest.mark.parametrize("targets", [(), (FakeTarget(), FakeTarget())], ids=["none", "twice"])
def test_targets_that_cannot_be(targets):
    with pytest.raises(ValueError, match="expected one or more targets with different names, got"):
        run_contract(*targets)


def test_a_capability_that_is_none():
    with pytest.raises(ValueError, match="unknown capability 'speed'; expected one of: creation, unchecked, any-name, alone"):
        FakeTarget().supports("speed")


def test_a_difference_says_what_was_expected():
    difference = Difference("an answer", "another", {"ModelName": "é" * 3000})
    assert str(difference).startswith('expected: an answer\nactual: another\nrequest: {"ModelName": "ééé')
    assert str(difference).endswith("... (3017 characters)")


def test_a_check_is_what_it_is_called():
    assert repr(checks(["tags/merge"])[0]) == "<Check tags/merge>"
    assert isinstance(checks()[0], Check)
