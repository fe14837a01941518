"""Strings of exact lengths."""

from __future__ import annotations

import re

import pytest

from pytest_smfake.generate.requests import maker
from pytest_smfake.generate.strings import ALPHABET, Text
from pytest_smfake.rules.catalogue import catalogue
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.service.service import OPERATIONS

STRINGS = {
    (rule.bound, node.least_most()): node.text
    for edition in EDITIONS
    for operation in OPERATIONS
    for rule in catalogue(edition).rules(operation)
    if rule.keyword == "pattern" and (node := maker(edition, operation).root.find(rule.path))
}
"""Every pattern of the implemented operations, with each pair of bounds that it comes with."""


@pytest.mark.parametrize(("text", "bounds"), [(text, bounds) for (_, bounds), text in STRINGS.items()], ids=map(repr, STRINGS))
def test_exact_lengths(text, bounds):
    least, most = bounds
    made = {
        length: text.make(length, picks) for length in range(least, min(most + 2, 300)) if text.fits(length) for picks in (b"", b"smfake")
    }
    assert made
    assert [length for length, string in made.items() if len(string) != length or not text.matches(string)] == []
    assert text.near(most, least, most) == most


@pytest.mark.parametrize("text", STRINGS.values(), ids=map(repr, STRINGS))
def test_what_is_refused(text):
    broken = [text.broken(0, 40, bytes([turn, first])) for turn in range(3) for first in range(12)]
    if broken[0] is None:
        assert text.pattern == r"[\S\s]*"
    else:
        assert [string for string in broken if text.matches(string)] == []
        assert len(set(broken)) > 1 or broken[0] == ""


def test_the_bytes_choose():
    text = STRINGS[r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*", (0, 63)]
    made = {text.make(20, bytes([seed, 7 * seed % 256, 31])) for seed in range(256)}
    assert len(made) > 200
    assert any("-" in string for string in made)


def test_tag_keys_leave_the_ascii_range():
    text = STRINGS[r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", (1, 128)]
    used = {char for seed in range(256) for char in text.make(3, bytes([seed, seed]))}
    assert {"ñ", "大", "𝒜", "𝟙", "\u3000"} <= used
    assert "🙂" not in used


@pytest.mark.parametrize(
    ("pattern", "lengths"),
    [
        ("(abc)*", [0, 3, 6, 9]),
        ("(abc|de){2}", [4, 5, 6]),
        ("(a{3}b?){1,2}", [3, 4, 6, 7, 8]),
        ("a(b{4})?", [1, 5]),
        ("(a*){2}", list(range(11))),
        ("[a-c]{2,4}?x+", list(range(3, 11))),
        ("[^a]", [1]),
        ("[\u4e00]", [1]),
        ("[^\u4e00-\u4eff]{2}", [2]),
        (r"[\D]\W\w\s\S\d", [6]),
        ("(?!a)[ab]{2}", []),
        ("(?!b)[ab]{2}", [2]),
    ],
)
def test_lengths(pattern, lengths):
    text = Text(pattern, 10)
    assert [length for length in range(11) if text.fits(length)] == lengths
    for length in lengths:
        for picks in (b"", b"\x01\x02\x03", b"xyz"):
            assert len(text.make(length, picks)) == length
            assert text.matches(text.make(length, picks))


def test_no_string():
    with pytest.raises(ValueError, match=re.escape("no string of 2 characters was found that matches a{3}")):
        Text("a{3}", 10).make(2)
    assert Text("a{3}", 10).near(2, 0, 2) is None


def test_no_pattern_and_one_that_nobody_can_translate():
    assert Text(None, 10).make(3) == Text("[a[b]]", 10).make(3) == Text(r"(a)\1", 10).make(3) == "aaa"
    assert Text(None, 10).broken(0, 10) is None


def test_the_alphabet_is_the_same_for_all():
    assert len(set(ALPHABET)) == len(ALPHABET) < 256
