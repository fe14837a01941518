"""Java's regular expressions, in Python."""

from __future__ import annotations

import pytest
import regex

from pytest_smfake.rules.java_regex import MET, compile_pattern, is_vacuous, matcher
from pytest_smfake.rules.service_model import service_model

PATTERNS = sorted({pattern for name in service_model().shape_names if (pattern := service_model().shape_for(name).metadata.get("pattern"))})


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        (r"\d", ["0", "9"], ["٣", "𝟙", "", "00", "0\n"]),
        (r"\w", ["a", "_", "0"], ["ä", "-"]),
        (r"\S+", ["a", "ä"], ["a b", ""]),
        (".", ["a", "\t", "\x0b", "\x0c", "\x1c", "🙂"], ["\n", "\r", "\u0085", "\u2028", "\u2029", ""]),
        ("[.]", ["."], ["a"]),
        (r"\.", ["."], ["a"]),
        (r"a\\.", [r"a\b"], ["a.b"]),
        ("^a$", ["a"], ["a\n", "ab"]),
        ("a|ab", ["a", "ab"], ["abc"]),
        (r"[\p{L}]", ["a", "ñ", "大", "𝒜"], ["1", " ", "🙂"]),
        (r"\p{N}", ["1", "٣", "½", "𝟙"], ["a"]),
        (r"\p{Z}", [" ", "\u00a0", "\u2028"], ["\t", "a"]),
        (r"[\p{M}]+", ["\u0301", "\u0301\u0302"], ["a", "1", "\uffff", "\u0301\uffff"]),
        (r"[^\p{L}]+", ["1", "٣"], ["a", "ñ", "1ñ"]),
        (r"(?!\p{L}).", ["1", "٣"], ["a", "ñ"]),
        (r"[\p{Lu}x]", ["A", "Ä", "x"], ["a", "ä"]),
        (r"[\p{Alnum}\-]+", ["aZ9-"], ["ä", "_"]),
        (r"[\uD800\uDC00-\uDBFF\uDFFF]", ["\U00010000", "\U0010ffff", "🙂"], ["a", "\uffff"]),
        (r"[a]${1,128}", ["a"], ["a$", "aa"]),
        (r"(?<word>a)", ["a"], ["b"]),
        (r"(?<!b)a", ["a"], ["ba"]),
        ("a&&b", ["a&&b"], ["a"]),
    ],
)
def test_java_s_meaning(pattern, inside, outside):
    matches = compile_pattern(pattern)
    assert [text for text in inside if not matches(text)] == []
    assert [text for text in outside if matches(text)] == []


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("(", "is not a Java regular expression"),
        (r"\p{Nonsense}", "is not a general category"),
        (r"\p{Lz}", "is not a general category"),
        (r"\p{}", "is not a Java regular expression"),
        ("[a[b]]", "has a character class inside"),
        ("[a-z&&[^b]]", "has an intersection of classes"),
    ],
)
def test_what_cannot_be_translated(pattern, sentence):
    with pytest.raises(ValueError, match=sentence):
        compile_pattern(pattern)
    assert is_vacuous(pattern)
    assert matcher(pattern)("anything")


def test_every_pattern_of_the_sdk_is_enforced_or_listed():
    vacuous = [pattern for pattern in PATTERNS if is_vacuous(pattern)]
    assert len(vacuous) < len(PATTERNS) / 50
    # What is enforced refuses something, or takes every string of its alphabet: no pattern may take a lone NUL by accident.
    enforced = [pattern for pattern in PATTERNS if pattern not in vacuous]
    taking = [pattern for pattern in enforced if compile_pattern(pattern)("\x00")]
    assert [pattern for pattern in taking if not regex.fullmatch(pattern, "\x00")] == []


PROBES = [
    "",
    "a",
    "Z9",
    "ñ",
    "大",
    "𝒜",
    "٣",
    "𝟙",
    " ",
    "\u00a0",
    "a b",
    "a_b.c:/=+-@",
    "🙂",
    "\t",
    "\u0301",
    "a\u0301",
    "€",
    "«x»",
    "$",
    "x" * 200,
]


@pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if r"\p{" in pattern])
def test_property_classes_against_another_engine(pattern):
    oracle = regex.compile(pattern.replace("${1,", "(?:){1,"), regex.VERSION0)
    matches = compile_pattern(pattern)
    for probe in PROBES:
        assert bool(matches(probe)) == bool(oracle.fullmatch(probe)), probe


def test_characters_met_later_are_known_to_the_classes_and_all_of_unicode_after_many():
    matches = compile_pattern(r"[\p{L}]+", most=10**7)
    assert matches("ñ")
    assert not matches("ñ€")
    assert matches("大ñ")
    every = list(map(chr, range(0x4E00, 0x4E00 + 2 * MET)))
    assert all(map(matches, every))
    assert matches("".join(every))
    assert not matches("€")
