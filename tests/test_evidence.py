"""docs/evidence.md is what tests/evidence.py writes."""

from __future__ import annotations

import runpy
from importlib.metadata import version
from pathlib import Path

from pytest_smfake.rules.rule import EDITIONS

WRITER = runpy.run_path(str(Path(__file__).parent / "evidence.py"))


def test_the_page_is_up_to_date():
    written, wanted = WRITER["PAGE"].read_text("utf-8"), WRITER["page"]()
    if version("botocore") not in written:  # of another version only that the rest is up to date
        written, wanted = (without_numbers(text) for text in (written, wanted))
    assert written == wanted, "run `python tests/evidence.py`"


def without_numbers(page):
    start, end = page.index("## CreateModel's rules by evidence"), page.index("The order of the values of an enum")
    return page[:start] + page[end:]


def test_every_assumed_rule_is_of_a_kind_that_something_would_raise():
    for edition in EDITIONS:
        for rule in WRITER["rules_of"](edition):
            if rule.evidence == "assumed":
                assert WRITER["kind_of"](rule) in WRITER["RAISED_BY"]
