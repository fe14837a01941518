"""Patterns are matched in bounded time, and as `re` matches them."""

from __future__ import annotations

import re
import subprocess
import sys
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_smfake import Catalogue, validate
from pytest_smfake.rules.java_regex import ASCII, STEPS, bounded, is_ambiguous, longest_for_re, translate
from pytest_smfake.rules.service_model import service_model

PATTERNS = sorted({pattern for name in service_model().shape_names if (pattern := service_model().shape_for(name).metadata.get("pattern"))})
KILLERS = [
    (r"[a-z0-9]([-a-z0-9]*[a-z0-9]){0,39}?", "a" * 60 + "!"),
    (r"https://([.\-_a-zA-Z0-9]+/?){3,1016}", "https://" + "a" * 60 + "!"),
    (r".*(?:[ \r\n\t].*)*", " " * 60 + "\u2028"),
]
"""Patterns of the SDK's model, each with a string for which `re` takes years."""

HEADS = ["", "https://", "s3://", "arn:aws:sagemaker:us-east-1:123456789012:", "arn:aws:iam::123456789012:role/", "http://", "10."]
PUMPS = [
    "a",
    "A",
    "0",
    "-",
    ".",
    "/",
    " ",
    ":",
    "a-",
    "a/",
    "a.",
    "-a",
    "a:",
    "a ",
    "_",
    "a_",
    "=",
    "&a=b",
    "\t",
    "0.",
    "^",
    "%20",
    "é",
    "🙂",
]
TAILS = ["", "!", "\n", "\u2028", "$", "\x00"]


def hostile(count: int, size: int, seed: int) -> list[str]:
    """Return strings that repeat one thing and end with another."""
    random = Random(seed)
    made = [(random.choice(HEADS), random.choice(PUMPS), random.choice(TAILS)) for _ in range(count)]
    return [head + pump * (size // len(pump)) + tail for head, pump, tail in made]


def test_the_sdk_s_worst_patterns_end():
    code = f"""
from pytest_smfake.rules.java_regex import matcher
for pattern, value in {KILLERS!r}:
    assert not matcher(pattern)(value), pattern
    assert not matcher(pattern)(value * 100), pattern
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.once
def test_a_thousand_hostile_strings_for_every_pattern_end():
    code = f"""
from pytest_smfake.rules.java_regex import matcher
for pattern in {PATTERNS!r}:
    matches = matcher(pattern)
    for value in {hostile(700, 60, seed=1) + hostile(300, 300, seed=2)!r}:
        matches(value)
    for value in {hostile(2, 10_000, seed=3)!r}:
        matches(value)
"""
    subprocess.run([sys.executable, "-"], input=code, text=True, encoding="utf-8", check=True, timeout=300)


def test_few_patterns_of_the_sdk_cannot_be_left_to_re():
    ambiguous = [pattern for pattern in PATTERNS if is_ambiguous(translate(pattern, ASCII))]
    assert {pattern for pattern, _ in KILLERS if pattern in PATTERNS} <= set(ambiguous)
    assert len(ambiguous) < len(PATTERNS) / 20


@pytest.mark.parametrize("pattern", PATTERNS)
def test_both_matchers_agree_on_patterns_of_the_sdk(pattern):
    text = translate(pattern, ASCII)
    matches, oracle = bounded(text), re.compile(text, re.ASCII)
    # The oracle gets strings that are short enough for any pattern.
    for value in [*hostile(40, 10, seed=4), *(head + pump for head in HEADS for pump in PUMPS), "a" * 25, "10.0.0.1", "a-b-c.d"]:
        if len(value) <= 60 or not is_ambiguous(text):
            assert matches(value) == bool(oracle.fullmatch(value)), value


def patterns() -> st.SearchStrategy[str]:
    one = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\w", r"\b", "^", "$", r"\Z", "(?!a)", "(?=b)", "(?<=a)", "(?<!b)", "(?i:A)"])

    def wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        group = inner.map(lambda pattern: f"(?:{pattern})")
        quantifier = st.sampled_from(["*", "+", "?", "{2}", "{0,3}", "{1,}", "*?", "{1,2}?"])
        return st.one_of(
            st.tuples(group, quantifier).map("".join),
            st.lists(inner, min_size=2, max_size=3).map("".join),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)}|)"),
        )

    return st.recursive(one, wider, max_leaves=5)


@given(patterns(), st.lists(st.text("ab\n", max_size=7), min_size=1, max_size=8))
def test_both_matchers_agree_on_drawn_patterns(pattern, values):
    matches = bounded(pattern)
    for value in values:
        assert matches(value) == bool(re.compile(pattern, re.ASCII).fullmatch(value))


@pytest.mark.parametrize(
    "pattern",
    ["(a*)*", "(a|a)*", "(a+)+b", "(a|aa)+", "(a*b?)*", r"(a(b?|c?))*", "(a?){30}", "x(?=(a|a)*b)", "((?i:A)|a)*"],
)
def test_two_ways_round_a_loop_are_found(pattern):
    assert is_ambiguous(pattern)
    assert longest_for_re(pattern) == 0


@pytest.mark.parametrize("pattern", ["a*", "(a|b)*", "(ab?)*", r"(\d{4}-)*", "([a-z]+/)*", "a*b*a*", "(a-*)+"])
def test_one_way_round_each_loop_is_left_to_re(pattern):
    assert not is_ambiguous(pattern)
    assert longest_for_re(pattern) > 200


@pytest.mark.parametrize(
    ("pattern", "exchanging"),
    [
        ("a*ba*", 1),
        ("a*b*a*", 2),  # without a "b" between them
        ("a*:a*:a*", 1),
        ("a*a*", 2),
        ("a*b?a*", 2),
        ("a*b*a*a*", 3),
        ("a*a*b*b*", 3),
        ("(?:a*:|a*)a*", 2),
        (".*[0-9a-z]+.*", 3),
        ("(?:ab)*(?:ab)*", 2),
        ("(?:ab)*(?:ba)*", 1),
        ("(?:ab)*a?(?:ba)*", 2),
        ("a*a{3}a*", 2),
        ("(?=a*a*).*", 4),
    ],
)
def test_only_loops_that_can_exchange_characters_count(pattern, exchanging):
    assert longest_for_re(pattern) == (sys.maxsize if exchanging == 1 else int(STEPS ** (1 / exchanging)))


def test_a_pattern_of_a_user_never_backtracks():
    rules = {"CreateModel/ModelName:pattern": "(a*)*b"}
    request = {"ModelName": "a" * 61, "ExecutionRoleArn": "arn:aws:iam::123456789012:role/deploy", "PrimaryContainer": {"Image": "img"}}
    assert [violation.rule.id for violation in validate("CreateModel", request, rules=rules)] == ["CreateModel/ModelName:pattern"]
    assert validate("CreateModel", request | {"ModelName": "a" * 60 + "b"}, rules=rules) == []


@pytest.mark.parametrize("pattern", [r"(a)\1", "a++b", "(?>a*)b"])
def test_a_pattern_that_has_to_backtrack_is_refused(pattern):
    with pytest.raises(ValueError, match="can only be matched by trying one way after the other"):
        Catalogue("page", {"CreateModel/ModelName:pattern": pattern}).rules("CreateModel")
