r"""Java's regular expressions, as the service uses them, in Python.

The service is written in Java and matches a pattern against the whole string. Python reads most of the same
syntax, but not all of it: `\p{L}` does not compile, `.` leaves out fewer line ends, a surrogate pair names
one code point, and `\d` takes every digit of Unicode. Sources: java.util.regex.Pattern, and the patterns in
botocore's model of SageMaker, all of which the tests compile.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import cache
from itertools import groupby

from .backtracking import bounded, longest_for_re
from .given import shown

DOT = "[^\n\r\u0085\u2028\u2029]"
"""What Java's `.` matches: anything but its line terminators."""

LONGEST_PATTERN = 2000
"""Characters of a pattern of a user (`rules=`): the time for a string grows with both. The longest of the SDK's model has 1,195."""
LONGEST = 10_000
"""Characters up to which a string is matched where the time grows with the square of the length. A longer one is taken to match (assumed):
members with such a pattern have bounds far below."""
ASCII = "".join(map(chr, range(128)))
MET = 1000
"""How many different characters a pattern is compiled for, before it is for all of Unicode."""

POSIX = {
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Print": r"\x20-\x7e",
}

_TOKEN = re.compile(
    r"""
      (?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})   # one code point as two surrogates
    | \\p\{(?P<property>\w+)\}
    | \\(?P<escape>.)
    | (?P<open>\[\^?)
    | (?P<close>\])
    | (?P<intersection>&&)
    | (?P<dot>\.)
    | (?P<group>\(\?<(?=\w))
    | (?P<end>\$)(?P<repeat>\{[0-9,]+\}|[*+?])?
    """,
    re.VERBOSE | re.DOTALL,
)


@cache
def compile_pattern(pattern: str, *, trusted: bool = True, most: float = sys.maxsize) -> Callable[[str], object]:
    r"""Return a function that is truthy where the whole of a string matches the Java `pattern`, within a time that its length bounds.

    Args:
        pattern: a Java regular expression.
        trusted: whether `re` may match strings for which it does not take long; it is faster. It may not for a pattern of a user.
        most: how many characters the strings have at most that the function will be given.

    Raises:
        ValueError: the pattern cannot be translated, or not be matched in a bounded time; the sentence says which and why.

    Example:
        >>> matches = compile_pattern(r"[\p{L}\d]+")
        >>> bool(matches("ñ1")), bool(matches("٣"))
        (True, False)
    """
    ascii_only = _compiled(pattern, ASCII, trusted, most)
    if r"\p{" not in pattern:
        return ascii_only
    others = _Growing(ascii_only, pattern, trusted, most)
    return lambda value: (ascii_only if value.isascii() else others)(value)


class _Growing:
    r"""A pattern with `\p` classes, compiled for the characters that it met.

    To collect the classes of all of Unicode takes up to a second, which is put off until so many characters were met that it pays.
    """

    def __init__(self, ascii_only: Callable[[str], object], pattern: str, trusted: bool, most: float) -> None:
        self.pattern = pattern
        self.how = (trusted, most)
        # Both in one, since threads share them: no one may see new characters with an old pattern.
        self.met: tuple[frozenset[str] | None, Callable[[str], object]] = frozenset(ASCII), ascii_only

    def __call__(self, value: str) -> object:
        met, matches = self.met
        if met is not None and not met.issuperset(value):
            met = met.union(value)
            if len(met) > MET:
                self.met = None, (matches := _compiled(self.pattern, None, *self.how))
            else:
                self.met = met, (matches := _compiled(self.pattern, "".join(sorted(met)), *self.how))
        return matches(value)


def matcher(pattern: str, *, trusted: bool = True, most: float = sys.maxsize) -> Callable[[str], object]:
    """Return `compile_pattern(pattern)`; a pattern that cannot be translated takes every string (`is_vacuous`)."""
    return (lambda _: True) if is_vacuous(pattern) else compile_pattern(pattern, trusted=trusted, most=most)


@cache
def is_vacuous(pattern: str) -> bool:
    """Whether a pattern cannot be translated, so that nothing is held to it. No pattern of the SDK is known to be."""
    try:
        compile_pattern(pattern)
    except ValueError:
        return True
    return False


def _compiled(pattern: str, alphabet: str | None, trusted: bool, most: float) -> Callable[[str], object]:
    if not trusted and len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"the pattern {shown(pattern)} has more than {LONGEST_PATTERN} characters, so that its time would not be bounded")
    text = translate(pattern, alphabet)
    try:
        quick = re.compile(text, re.ASCII).fullmatch
        slow = bounded(text)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"the pattern {shown(pattern)} is not a Java regular expression that Python can match: {error}") from None
    longest = longest_for_re(text) if trusted else 0
    if longest >= most:
        return quick
    return lambda value: quick(value) if len(value) <= longest else len(value) > LONGEST or slow(value)


def translate(pattern: str, alphabet: str | None = None) -> str:
    r"""Return `pattern` in Python's syntax, to be compiled with `re.ASCII` and matched in full.

    Args:
        pattern: a Java regular expression.
        alphabet: the characters to which `\p` classes may be cut down, since only strings of these will be matched.

    Raises:
        ValueError: the pattern uses a part of Java's syntax that has no translation.
    """
    inside = False

    def replace(match: re.Match[str]) -> str:
        nonlocal inside
        # Java's end of input is \z; Python before 3.14 knows \Z alone.
        text = r"\Z" if match[0] == r"\z" else match[0]
        if pair := match["pair"]:
            high, low = int(pair[2:6], 16), int(pair[8:], 16)
            return re.escape(chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)))
        if name := match["property"]:
            members = _property(name, alphabet)
            return members if inside else f"[{members}]"
        if match["open"]:
            if inside:
                raise ValueError(f"the pattern {pattern!r} has a character class inside another, which Python does not know")
            inside = True
        elif match["intersection"] and inside:
            raise ValueError(f"the pattern {pattern!r} has an intersection of classes, which Python does not know")
        elif match["close"]:
            inside = False
        elif match["dot"] and not inside:
            return DOT
        elif match["group"]:
            return "(?P<"
        elif match["end"] and not inside:
            # Java lets the end of input be repeated, Python does not; once says the same.
            return "$"
        return text

    return _TOKEN.sub(replace, pattern)


def _property(name: str, alphabet: str | None) -> str:
    """Return the inside of a character class for the Unicode property `name`, such as `L` or `Alnum`."""
    if name in POSIX:
        return POSIX[name]
    if not re.fullmatch("[LMNPSZC][a-z]?", name):
        raise ValueError(rf"\p{{{name}}} is not a general category of Unicode")
    if alphabet is not None:
        return "".join(re.escape(char) for char in alphabet if unicodedata.category(char).startswith(name)) or "\uffff"
    return _ranges().get(name, "")


@cache
def _ranges() -> dict[str, str]:
    """Return, for each general category (`Lu`) and group (`L`), its code points as class ranges."""
    runs: dict[str, list[list[int]]] = {}
    first = 0
    for category, run in groupby(map(unicodedata.category, map(chr, range(sys.maxunicode + 1)))):
        last = first + sum(1 for _ in run) - 1
        for name in (category, category[0]):
            known = runs.setdefault(name, [])
            if known and known[-1][1] == first - 1:
                known[-1][1] = last
            else:
                known.append([first, last])
        first = last + 1
    return {name: "".join(_range(*run) for run in known) for name, known in runs.items()}


def _range(first: int, last: int) -> str:
    return re.escape(chr(first)) if first == last else f"{re.escape(chr(first))}-{re.escape(chr(last))}"
