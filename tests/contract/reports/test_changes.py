"""Test the comparison of two reports, and `smfake diff`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_smfake.cli import main
from pytest_smfake.contract import Report, compare
from pytest_smfake.contract.report import circumstances, tally


def but(report: Report, **outcomes: str | None) -> Report:
    """Return a report with other outcomes of checks on the fake; None leaves a result out."""
    ids = {name.replace("_", "-"): outcome for name, outcome in outcomes.items()}
    changed = []
    for result in report.results:
        name = result.check.removeprefix("create/")
        if result.target != "fake" or name not in ids:
            changed.append(result)
        elif (outcome := ids[name]) is not None:
            changed.append(replace(result, outcome=outcome, expected="a", actual="b", reason="c"))
    return replace(report, results=changed)


def test_nothing_changed(report):
    assert compare(report, replace(report, created="2030-01-01T00:00:00+00:00")) == []
    assert tally([]) == "nothing changed"


def test_every_kind_of_change(report):
    before = but(report, response="failed", headers=None, case_of_names="failed", leaves_nothing="skipped")
    after = but(report, same_name="failed", case_of_names="outdated", unknown_members=None)
    found = {change.check.removeprefix("create/"): (change.kind, change.before, change.after) for change in compare(before, after)}
    assert found == {
        "response": ("better", "failed", "passed"),
        "headers": ("new", None, "passed"),
        "same-name": ("worse", "passed", "failed"),
        "case-of-names": ("other", "failed", "outdated"),
        "leaves-nothing": ("better", "skipped", "passed"),
        "unknown-members": ("gone", "passed", None),
    }
    # In the order of the second report; checks that only the first has come last.
    assert [change.check for change in compare(before, after)][-1] == "create/unknown-members"
    assert compare(but(report, response=None), but(report, response="failed"))[0].kind == "worse"


def test_what_else_differs(report):
    later = replace(report, edition="sdk", versions={**report.versions, "botocore": "9.9", "moto": "8"})
    lines = list(circumstances(report, later))
    assert lines[:3] == ["edition: page -> sdk", f"botocore: {report.versions['botocore']} -> 9.9", "moto: none -> 8"]
    assert lines[3].startswith("rules proved, fake: ")
    assert "->" not in lines[3]
    assert " -> " in next(circumstances(report, but(report, same_name="failed")))


def test_the_command(report, tmp_path, capsys):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    report.write(old)
    report.write(new)
    assert main(["diff", str(old), str(new)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing changed"
    but(report, same_name="failed", headers=None).write(new)
    assert main(["diff", str(old), str(new)]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "1 failed now, not before, 1 run before, not now"
    assert "\nfailed now, not before:\ncheck             target  before  after\ncreate/same-name  fake    passed  failed\n" in out
    assert "\nrun before, not now:\n" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["page", "old.json"], "page and old.json cannot be compared: expected two editions, or two reports"),
        (["old.json", "sdk"], "old.json and sdk cannot be compared: expected two editions, or two reports"),
        (["old.json", "old.json", "CreateModel"], "unexpected operation 'CreateModel': reports are compared as a whole"),
        (["old.json", "bad.json"], "bad.json is not a report: it is not JSON from line 1, column 1 on"),
    ],
)
def test_wrong_sides(arguments, sentence, report, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    report.write(tmp_path / "old.json")
    (tmp_path / "bad.json").write_text("nonsense")
    assert main(["diff", *arguments]) == 2
    assert capsys.readouterr().err == f"smfake: {sentence}\n"


def test_neither_edition_nor_file(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["diff", "page", "none.json"])
    assert caught.value.code == 2
    assert "argument B: 'none.json' is neither an edition (page, sdk) nor a file" in capsys.readouterr().err
