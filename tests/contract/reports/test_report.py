"""Test reports: counts, coverage, order, formats."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from importlib.metadata import version

import pytest
from markdown_it import MarkdownIt

from pytest_smfake.contract import FakeTarget, Report, checks, read, run_contract
from pytest_smfake.contract.boundaries import CHECKED_OPERATIONS, HOSTED_OPERATIONS, checked_rules
from pytest_smfake.contract.plugin import REPORT_SUFFIXES
from pytest_smfake.contract.render import MOST_CHECKS, MOST_RULES, code
from pytest_smfake.contract.report import COVERAGE_STATES, EVIDENCE, MARKS, OUTCOMES, describe_rules, rule_coverage
from pytest_smfake.rules.catalogue import catalogue
from pytest_smfake.rules.rule import EDITIONS


def test_counts(report):
    fake, lax, poor = (report.counts(target) for target in report.targets)
    every = len(report.checks)
    assert fake == Counter(passed=every, **{"not run": 0})
    assert {result.check for result in report.failed} == {"CreateModel/ModelName:max-64", "CreateModel/Tags:max-51"}
    assert lax == Counter(passed=every - 2, failed=2, **{"not run": 0})
    assert (poor["outdated"], poor["skipped"], poor["failed"]) == (1, 3, 0)
    assert poor["not run"] == sum(check["group"] == "ListModels" for check in report.checks) > 0
    assert fake.total() == lax.total() == poor.total() == every
    assert list(report.skipped(report.targets[2]).values()) == [3]


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_coverage_is_of_all_rules_of_the_catalogue(edition):
    rules = describe_rules(edition)
    ids = {rule["id"] for rule in rules}
    every = {rule.id for operation in CHECKED_OPERATIONS for rule in catalogue(edition).rules(operation)}
    hosted = {rule.id for rule in checked_rules(edition)} - every
    assert {rule_id.partition("/")[0].partition(":")[0] for rule_id in hosted} == set(HOSTED_OPERATIONS)
    assert "CreateEndpointConfig:serverless-vpc" in hosted
    every |= hosted
    assert ids == every | {"CreateModel:limit-models"}
    about = {check.rule for check in checks(edition=edition)} - {None}
    assert about <= ids
    # An observable rule has a check that fails on a target without the rule; an unobservable rule has a reason.
    assert {rule["id"] for rule in rules if not rule["silent"]} <= about
    assert {rule["silent"] for rule in rules} > {"", "no string is shorter than 0"}


def test_the_coverage_of_two_editions():
    assert "CreateModel/ExecutionRoleArn:required" not in {rule["id"] for rule in describe_rules("sdk")}
    *_, last = describe_rules("sdk", ["CreateModel/ExecutionRoleArn:required"])
    assert (last["id"], last["page"], last["sdk"]) == ("CreateModel/ExecutionRoleArn:required", "active", None)


def test_where_rules_stand(report):
    observable = [rule["id"] for rule in report.rules if not rule["silent"]]
    fake, lax, poor = (rule_coverage(report, target) for target in report.targets)
    assert fake.total() == lax.total() == poor.total() == len(observable) < len(report.rules)
    about = {check["rule"] for check in report.checks} & set(observable)
    assert fake == Counter(proved=len(about), **{"not run": len(observable) - len(about)})
    assert (lax["failed"], lax["proved"]) == (2, len(about) - 2)
    listed = sum(rule.startswith("ListModels/") for rule in about)
    assert (poor["outdated"], poor["skipped"], poor["not run"]) == (1, 1, fake["not run"] + listed)


def test_a_rule_of_which_not_every_check_ran_is_proved_in_part(report):
    some = replace(report, results=[result for result in report.results if result.check != "CreateModel/ModelName:max-63"])
    assert rule_coverage(some, "fake")["in part"] == 1
    assert rule_coverage(some, "fake")["proved"] == rule_coverage(report, "fake")["proved"] - 1
    assert rule_coverage(some, "lax") == rule_coverage(report, "lax")  # failed rules stay failed


def test_the_words_for_all_there_is(report):
    assert set(MARKS) == {*OUTCOMES, "not run"}
    assert len(set(MARKS.values())) == len(MARKS)
    assert {
        rule.evidence for edition in EDITIONS for operation in CHECKED_OPERATIONS for rule in catalogue(edition).rules(operation)
    } <= set(EVIDENCE)
    assert {name for target in report.targets for name in rule_coverage(report, target)} <= set(COVERAGE_STATES)


def test_the_table(report):
    lines = str(report).splitlines()
    assert lines[0].split("  ")[-1].startswith("poor=")
    rows = {re.split(" {2,}", line)[0]: re.split(" {2,}", line)[1:] for line in lines[1:]}
    assert list(rows)[-2:] == ["in all", "rules proved"]
    every, (fake, lax, poor) = len(report.checks), rows["in all"]
    counts = report.counts(report.targets[2])
    assert (fake, lax) == (f"{every}/{every}", f"{every - 2}/{every}")
    assert poor == f"{counts['passed']}/{counts['passed'] + 1}, 1 outdated, 3 skipped, {counts['not run']} not run"
    assert rows["rules proved"][0] == f"{rule_coverage(report, 'fake')['proved']} of {rule_coverage(report, 'fake').total()}"


def test_the_order_is_that_of_the_checks_however_results_came():
    chosen = ["create/*", "tags/*"]
    ran = run_contract(FakeTarget("b"), FakeTarget("a"), select=chosen)
    again = Report.now("page", ["b", "a"], ran.checks, reversed(ran.results))
    assert again.results == ran.results
    expected = [(target, check.id) for target in ("b", "a") for check in checks(chosen)]
    assert [(result.target, result.check) for result in again.results] == expected


def test_json_explains_itself_and_comes_back(report, tmp_path):
    path = tmp_path / "new" / "out.json"
    report.write(path)
    data = json.loads(path.read_bytes())
    assert (data["format"], data["version"]) == ("pytest-smfake contract report", 2)
    assert data["outcomes"] == OUTCOMES
    assert data["evidence"] == EVIDENCE
    assert data["versions"]["botocore"] == version("botocore")
    assert read(path) == report
    assert [file.name for file in path.parent.iterdir()] == ["out.json"]


def test_forms(report, tmp_path):
    for suffix in REPORT_SUFFIXES:
        report.write(tmp_path / f"out{suffix}")
    starts = [(tmp_path / f"out{suffix}").read_text("utf-8")[:15] for suffix in REPORT_SUFFIXES]
    assert starts == ['{\n "format": "p', "<!doctype html>", "## CreateModel "]
    with pytest.raises(ValueError, match=r"'out.xml' has an unknown suffix; expected one of: .json, .html, .md"):
        report.write(tmp_path / "out.xml")


def test_what_no_utf_8_has_is_escaped(report, tmp_path):
    odd = replace(report, results=[replace(report.results[0], request="\ud800 \U0001f600")])
    for suffix in REPORT_SUFFIXES:
        odd.write(tmp_path / f"out{suffix}")
        assert "\\ud800 \U0001f600" in (tmp_path / f"out{suffix}").read_text("utf-8") or suffix == ".md"
    assert read(tmp_path / "out.json") == odd


def test_what_was_there_stays_when_a_report_cannot_be_made(report, tmp_path):
    path = tmp_path / "out.json"
    path.write_text("before")
    with pytest.raises(TypeError):
        replace(report, edition=object()).write(path)
    assert path.read_text() == "before"


def rendered(text: str) -> str:
    """Return the HTML that another program makes of a summary."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def test_markdown(report):
    html = rendered(report.to_markdown())
    assert html.count("<tr>") == 1 + len(report.targets)
    assert '<td style="text-align:right"><strong>2</strong></td>' in html  # the failed checks
    assert "<img" not in html
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in html
    assert "<summary>2 differences, of 2 rules and behaviours</summary>" in html
    assert "<summary>1 differences where the documented page is behind the service" in html
    assert "3 since <code>no limits here" in html
    assert re.search(
        r"<li><code>CreateModel/ModelName:max</code>\s*<ul>\s*<li><code>CreateModel/ModelName:max-64</code>: expected <code>CreateModel is",
        html,
    )
    assert not re.search("<h3><code>fake", html) or "not run" in html


def test_markdown_is_short(report):
    check, *_ = report.checks
    (failed, *_) = report.failed
    many = [
        {**check, "id": f"{rule}-{number}", "rule": f"rule-{rule}"} for rule in range(MOST_RULES + 5) for number in range(MOST_CHECKS + 2)
    ]
    results = [replace(failed, check=one["id"], actual="x" * 5000) for one in many]
    text = replace(report, targets=["lax"], checks=many, results=results).to_markdown()
    assert text.count("\n- `rule-") == MOST_RULES
    assert "- and 5 more rules and behaviours: see the report" in text
    assert text.count("  - and 2 more") == MOST_RULES
    assert len(text) < 200_000


def test_a_difference_that_was_expected_says_why(report):
    known = [replace(result, reason="our issue 12") if result.outcome == "failed" else result for result in report.results]
    assert "`CreateModel/ModelName:max-64` (expected: `our issue 12`)" in replace(report, results=known).to_markdown()


@pytest.mark.parametrize(
    "text", ["a", "`", "a ``b`` c", "<b>*x*</b> [y](z) &amp;", "| a |", "\\", "  a\n\n# b  ", "", "x" * 500, "$x$ ~~a~~ https://a.b"]
)
def test_code_means_nothing_to_markdown(text):
    html = rendered(f"a {code(text)} b")
    shown = re.fullmatch("<p>a <code>(.*)</code> b</p>\n", html)[1]
    words = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert shown.strip() == (words if len(words) < 300 else f"{words[:237]}...")
