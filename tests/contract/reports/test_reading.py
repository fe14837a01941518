"""Test damaged reports: each has an error text that names the place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pytest_smfake.contract import read


@pytest.fixture
def path(report, tmp_path):
    report.write(tmp_path / "out.json")
    return tmp_path / "out.json"


def test_no_file(tmp_path):
    with pytest.raises(ValueError, match="none.json cannot be read: No such file or directory"):
        read(tmp_path / "none.json")
    with pytest.raises(ValueError, match="cannot be read: Is a directory"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "out.json is not a report: it is not JSON from line 1, column 1 on"),
        (b"<html>", "out.json is not a report: it is not JSON from line 1, column 1 on"),
        (b'{\n"a": 1,, "b": 2}', "out.json is not a report: it is not JSON from line 2, column 8 on"),
        (b"\xff\xfe{}", "out.json is not a report: byte 0 is not UTF-8"),
        (b"[" * 100_000, "out.json is not a report: its JSON is nested too deeply"),
        (b'{"seconds": NaN}', "out.json is not a report: it has NaN in the place of a number"),
        (b'{"seconds": 1e999}', "out.json is not a report: it has a number that is too large: 1e999"),
        (b'{"seconds": ' + b"1" * 5000 + b"}", "out.json is not a report: it has a number of 5000 digits"),
        (b'{"a": {"b": 1, "b": 2}}', "out.json is not a report: it has a member 'b' twice in one place"),
        (b"[]", "out.json is not a report of a contract run: its member 'format' is not 'pytest-smfake contract report'"),
        (b'{"format": "another", "version": 1}', "out.json is not a report of a contract run: its member 'format' is not"),
        (b'{"format": "pytest-smfake contract report"}', "out.json is a report of version null; this package reads version 2"),
        (b'{"format": "pytest-smfake contract report", "version": 1}', "out.json is a report of version 1; this package reads version 2"),
    ],
)
def test_other_files(content, sentence, tmp_path):
    (tmp_path / "out.json").write_bytes(content)
    with pytest.raises(ValueError, match="report") as caught:
        read(tmp_path / "out.json")
    assert sentence in str(caught.value)


def test_one_that_is_cut_short_anywhere(path):
    whole = path.read_bytes()
    for end in range(2, len(whole) - 2, len(whole) // 60):
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match=r"out.json is not a report: (its JSON is cut short in line \d+|byte \d+ is not UTF-8)$"):
            read(path)


@pytest.mark.parametrize(
    "content", ["{", '{"a": nu', '{"a": tru', '{"a": -', '{"a": "x', '{"a": "\\u12', '{"a": [1,', '{"a"', '{"a": 1,\n']
)
def test_one_that_is_cut_short_in_the_middle_of_anything(content, tmp_path):
    (tmp_path / "out.json").write_text(content)
    with pytest.raises(ValueError, match=r"out.json is not a report: its JSON is cut short in line \d$"):
        read(tmp_path / "out.json")


def put(*way: Any) -> Callable[[Any], None]:
    """Return a function that sets a value (the last argument) at a path (the others)."""
    *steps, last, value = way

    def change(data: Any) -> None:
        for step in steps:
            data = data[step]
        data[last] = value

    return change


def drop(*way: Any) -> Callable[[Any], None]:
    """Return a function that removes the value at a path."""
    *steps, last = way

    def change(data: Any) -> None:
        for step in steps:
            data = data[step]
        del data[last]

    return change


def repeat(name: str) -> Callable[[Any], None]:
    """Return a function that repeats the first item of a list as its second."""
    return lambda data: data[name].insert(1, data[name][0])


DAMAGES = {
    "no created": (drop("created"), "the report has no 'created'"),
    "a date without offset": (put("created", "2026-11-24T10:00:00"), 'created is "2026-11-24T10:00:00", not a date and time of ISO 8601'),
    "a number for a date": (put("created", 5), "created is 5, not a date"),
    "a member too many": (put("extra", 1), "the report has a member 'extra', which none has"),
    "versions": (put("versions", []), "versions is [], not an object"),
    "a version": (put("versions", "botocore", 1), "versions.botocore is 1, not a text"),
    "edition": (put("edition", "new"), 'edition is "new", not one of: page, sdk'),
    "no targets": (put("targets", []), "targets is [], not a list of at least 1"),
    "a target": (put("targets", 1, ""), 'targets[1] is "", not a text that is not empty'),
    "a target twice": (repeat("targets"), "targets[1] repeats 'fake'"),
    "a check": (put("checks", 2, None), "checks[2] is null, not an object"),
    "no sentence": (drop("checks", 2, "sentence"), "checks[2] has no 'sentence'"),
    "a check twice": (repeat("checks"), "checks[1] repeats 'create/response'"),
    "evidence": (put("checks", 0, "evidence", "sworn"), 'checks[0].evidence is "sworn", not one of: documented, '),
    "needs": (put("checks", 0, "needs", ["money"]), 'checks[0].needs[0] is "money", not one of: creation, '),
    "an unknown rule": (put("checks", 0, "rule", "A:b"), "checks[0] has the rule 'A:b', which is not in rules"),
    "a number for a rule": (put("checks", 0, "rule", 7), "checks[0].rule is 7, not a text or null"),
    "a rule": (drop("rules", 0, "silent"), "rules[0] has no 'silent'"),
    "a rule twice": (repeat("rules"), "rules[1] repeats 'CreateModel:type'"),
    "outcome": (put("results", 3, "outcome", "maybe"), 'results[3].outcome is "maybe", not one of: passed, failed, outdated, skipped'),
    "an object for an outcome": (put("results", 3, "outcome", {}), "results[3].outcome is {}, not one of: passed"),
    "an unknown check": (put("results", 3, "check", "x"), "results[3] has the check 'x', which is not in checks"),
    "an unknown target": (put("results", 3, "target", "x"), "results[3] has the target 'x', which is not in targets"),
    "a result twice": (repeat("results"), "results[1] repeats 'create/response on fake'"),
    "a failure of nothing": (
        put("results", 0, "outcome", "failed"),
        "results[0] is failed and needs both expected and actual",
    ),
    "a skip without reason": (put("results", 0, "outcome", "skipped"), "results[0] is skipped without a reason"),
    "negative": (put("results", 0, "seconds", -1), "results[0].seconds is -1, not a number of seconds"),
    "a truth for a number": (put("results", 0, "seconds", True), "results[0].seconds is true, not a number of seconds"),
    "a reason": (put("results", 0, "reason", None), "results[0].reason is null, not a text"),
    "an answer": (put("results", 0, "actual", ["x" * 200]), 'results[0].actual is ["xxx'),
    "redacted": (put("redacted", "yes"), 'redacted is "yes", not true or false'),
    "nothing of redacted": (drop("redacted"), "the report has no 'redacted'"),
    "no results": (drop("results"), "the report has no 'results'"),
}


@pytest.mark.parametrize(("change", "sentence"), DAMAGES.values(), ids=DAMAGES.keys())
def test_damages(change, sentence, path):
    data = json.loads(path.read_bytes())
    change(data)
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="out.json is a report that was changed or cut short: ") as caught:
        read(path)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 500
