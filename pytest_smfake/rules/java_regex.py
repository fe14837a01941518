r"""Java's regular expressions, as the service uses them, in Python, and a matcher of bounded time for those on which `re` would never end.

Python's `re` tries the ways through a pattern one after the other. Where a loop can read the same characters in two ways, their
number doubles with each, so that a pattern of the SDK's model takes years for 61 characters. The matcher here follows all ways at
once. It works on the tree that `re` itself makes of a pattern, so that both read a pattern alike.

The service is written in Java and matches a pattern against the whole string. Python reads most of the same
syntax, but not all of it: `\p{L}` does not compile, `.` leaves out fewer line ends, a surrogate pair names
one code point, and `\d` takes every digit of Unicode. Sources: java.util.regex.Pattern, and the patterns in
botocore's model of SageMaker, all of which the tests compile.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, reduce
from itertools import groupby
from operator import or_
from re import _compiler, _parser  # type: ignore[attr-defined]  # Hypothesis reads patterns by these modules, too
from re import _constants as sre  # type: ignore[attr-defined]
from typing import Any

from .inputs import shown

ONE_CHARACTER = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)
REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT)
_LOOP = re.compile(r"\)[*+{]")
"""How a loop over more than one character ends; no other can be ambiguous."""
STEPS = 10**7
"""How many steps `re` may take at most for one string: with N loops, the length to the power of N."""


class _Text:
    """A string to match. A set of positions in it is an int, with a bit for each position from 0 to its length."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.letters = set(value)
        self._fits: dict[re.Pattern[str], int] = {}

    def fits(self, character: re.Pattern[str]) -> int:
        """Return the positions at which a part of a pattern that takes one character matches."""
        found = self._fits.get(character)
        if found is None:
            table = {ord(letter): "1" if character.match(letter) else "0" for letter in self.letters}
            found = self._fits[character] = int("0" + self.value.translate(table)[::-1], 2)
        return found


PatternStep = Callable[[_Text, int], int]
"""Takes the positions at which a part of a pattern may begin, and returns those at which it may end."""


def bounded(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether the whole of a string matches a pattern, and never backtracks.

    Args:
        pattern: a pattern in Python's syntax, read with `re.ASCII`.

    Raises:
        ValueError: the pattern refers back to a group, or forbids to backtrack, so that it has to be matched in turn.

    Example:
        >>> bounded("(a|a)*b")("a" * 1000), bounded("(a|a)*b")("a" * 1000 + "b")
        (False, True)
    """
    tree = _parser.parse(pattern, re.ASCII)
    step = _sequence(tree, tree.state.flags, tree.state)

    def matches(value: str) -> bool:
        return bool(step(_Text(value), 1) >> len(value))

    return matches


def _sequence(items: Iterable[Any], flags: int, state: Any) -> PatternStep:
    steps = [_step(item, flags, state) for item in items]

    def run(text: _Text, at: int) -> int:
        for step in steps:
            at = step(text, at)
            if not at:
                break
        return at

    return run


def _step(item: tuple[Any, Any], flags: int, state: Any) -> PatternStep:
    kind, value = item
    if kind in ONE_CHARACTER:
        one = _one_character(item, flags, state)
        return lambda text, at: (at & text.fits(one)) << 1
    if kind is sre.AT:
        return _anchor(value, _one_character(item, flags, state))
    if kind is sre.BRANCH:
        branches = [_sequence(branch, flags, state) for branch in value[1]]
        return lambda text, at: reduce(or_, [branch(text, at) for branch in branches])
    if kind is sre.SUBPATTERN:
        _, added, removed, inner = value
        return _sequence(inner, (flags | added) & ~removed, state)
    if kind in REPEATS:
        least, most, inner = value
        return _repeat(least, most, inner, flags, state)
    if kind in (sre.ASSERT, sre.ASSERT_NOT):
        direction, inner = value
        return _look(kind is sre.ASSERT, direction, inner, flags, state)
    raise ValueError(f"it holds {str(kind).lower()}, which can only be matched by trying one way after the other")


def _one_character(item: tuple[Any, Any], flags: int, state: Any) -> re.Pattern[str]:
    found: re.Pattern[str] = _compiler.compile(_parser.SubPattern(state, [item]), flags)
    return found


def _anchor(kind: Any, anchor: re.Pattern[str]) -> PatternStep:
    r"""Return the step of `^`, `$`, `\b` and their like; the first two are looked for at the ends alone."""

    def run(text: _Text, at: int) -> int:
        size = len(text.value)
        if kind in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING) and not anchor.flags & re.MULTILINE:
            at &= 1
        elif kind in (sre.AT_END, sre.AT_END_STRING) and not anchor.flags & re.MULTILINE:
            at &= 3 << size >> 1
        return _positions(anchor.match(text.value, position) if there else None for position, there in _bits(at))

    return run


def _bits(at: int) -> Iterator[tuple[int, bool]]:
    """Yield each position up to the last of a set, and whether it is in it."""
    return ((position, bit == "1") for position, bit in enumerate(bin(at)[:1:-1]))


def _positions(there: Iterable[object]) -> int:
    """Return the set of the positions for which `there`, in their order, is truthy."""
    return int("0" + "".join(["1" if it else "0" for it in there])[::-1], 2)


def _repeat(least: int, most: int, inner: Any, flags: int, state: Any) -> PatternStep:
    body = _sequence(inner, flags, state)
    one = _one_character(inner[0], flags, state) if len(inner) == 1 and inner[0][0] in ONE_CHARACTER else None

    def run(text: _Text, at: int) -> int:
        for _ in range(least):
            at = body(text, at)
            if not at:
                return 0
        if one is not None and most - least > len(text.value):
            # The sum carries each position through a run of characters that fit, to the first that does not (MatchStar of Parabix).
            fits = text.fits(one)
            return (((at & fits) + fits) ^ fits) | at
        reached, new, count = at, at, least
        while new and count < most:
            new = body(text, new) & ~reached
            reached |= new
            count += 1
        return reached

    return run


def _look(wanted: bool, direction: int, inner: Any, flags: int, state: Any) -> PatternStep:
    """Return the step of a look-ahead or look-behind: each position is tried by itself."""
    body = _sequence(inner, flags, state)
    width = inner.getwidth()[0] if direction < 0 else 0  # that of a look-behind is fixed

    def holds(text: _Text, position: int) -> bool:
        end = body(text, 1 << position - width) if position >= width else 0
        return bool(end & 1 << position if direction < 0 else end)

    def run(text: _Text, at: int) -> int:
        return _positions(there and holds(text, position) is wanted for position, there in _bits(at))

    return run


@dataclass(slots=True)
class _Part:
    """A part of a pattern as an automaton over its characters: how it can be empty, begin and end, each with the number of ways."""

    empty: int = 1
    first: Counter[int] = field(default_factory=Counter)
    last: Counter[int] = field(default_factory=Counter)


class _Automaton:
    """The characters of a pattern, and which can follow which in how many ways. A repetition counts as a loop, whatever its bounds."""

    def __init__(self, tree: Any) -> None:
        self.state = tree.state
        self.alphabet = sorted({*map(chr, range(128)), *map(chr, _edges(tree))})
        self.characters: list[int] = []
        """For each character of the pattern what it takes, as an int with a bit for each of the alphabet."""
        self.follow: Counter[tuple[int, int]] = Counter()
        self.fixed: set[int] = set()
        """Characters that are repeated a fixed number of times, so that there is one way to do so."""
        self.asserted = 0
        """How many loops stand in look-aheads and look-behinds."""
        self.sequence(tree, tree.state.flags)
        self.after: dict[int, list[int]] = {}
        for before, later in self.follow:
            self.after.setdefault(before, []).append(later)
        self.reach = {start: _reachable([start], lambda at: self.after.get(at, ())) for start in range(len(self.characters))}

    def sequence(self, items: Iterable[Any], flags: int) -> _Part:
        whole = _Part()
        for item in items:
            part = self.part(item, flags)
            self.join(whole.last, part.first)
            whole = _Part(
                whole.empty * part.empty,
                whole.first + _times(part.first, whole.empty),
                part.last + _times(whole.last, part.empty),
            )
        return whole

    def part(self, item: tuple[Any, Any], flags: int) -> _Part:
        kind, value = item
        if kind in ONE_CHARACTER:
            match = _one_character(item, flags, self.state).match
            self.characters.append(int("".join("1" if match(character) else "0" for character in self.alphabet), 2))
            position = Counter({len(self.characters) - 1: 1})
            return _Part(0, position, position)
        if kind is sre.BRANCH:
            branches = [self.sequence(branch, flags) for branch in value[1]]
            return _Part(
                sum(branch.empty for branch in branches),
                sum((branch.first for branch in branches), Counter()),
                sum((branch.last for branch in branches), Counter()),
            )
        if kind is sre.SUBPATTERN:
            return self.sequence(value[3], (flags | value[1]) & ~value[2])
        if kind in REPEATS:
            least, most, inner = value
            part = self.sequence(inner, flags)
            if _is_fixed(value):
                self.fixed.update(part.first)
            if most > 1:
                # A round that can be empty is as good as another that is.
                self.join(part.last, _times(part.first, 1 + part.empty))
            return _Part(part.empty + (least == 0), part.first, part.last)
        if kind in (sre.ASSERT, sre.ASSERT_NOT):
            self.asserted += _loops(value[1])
            self.sequence(value[1], flags)
        return _Part()

    def join(self, last: Counter[int], first: Counter[int]) -> None:
        for before, ways in last.items():
            for after, more in first.items():
                self.follow[before, after] += ways * more


def _times(part: Counter[int], ways: int) -> Counter[int]:
    return Counter({position: count * ways for position, count in part.items() if ways})


def _edges(items: Any) -> Iterator[int]:
    """Yield where the classes of a pattern begin, and what lies behind their ends: two classes that meet do so at one of these."""
    if isinstance(items, tuple) and len(items) == 2 and items[0] in (sre.LITERAL, sre.NOT_LITERAL, sre.RANGE):
        low, high = items[1] if items[0] is sre.RANGE else (items[1], items[1])
        yield low
        yield min(high + 1, 0x10FFFF)
    elif isinstance(items, list | tuple | _parser.SubPattern):
        for item in items:
            yield from _edges(item)


def is_ambiguous(pattern: str) -> bool:
    """Whether a loop of a pattern can read the same characters in two ways, so that `re` can take forever.

    Example:
        >>> is_ambiguous("(a|a)*b"), is_ambiguous("(a|b)*b")
        (True, False)
    """
    automaton = _Automaton(_parser.parse(pattern, re.ASCII))
    characters, follow, after, reach = automaton.characters, automaton.follow, automaton.after, automaton.reach
    # Only steps within a loop count: from its end there is a way back.
    inside = {start: [later for later in after[start] if start in reach.get(later, ())] for start in after}
    if any(follow[start, later] > 1 for start, steps in inside.items() for later in steps):
        return True

    def pairs(at: tuple[int, int]) -> list[tuple[int, int]]:
        return [(one, other) for one in inside[at[0]] for other in inside[at[1]] if characters[one] & characters[other]]

    # Two ways part at one character, and meet again at one.
    apart = {pair for start in inside for pair in pairs((start, start)) if pair[0] != pair[1]}
    return any(one == other for one, other in _reachable(apart, pairs))


def longest_for_re(pattern: str, most: float = sys.maxsize) -> float:
    """Return up to how many characters a string may be matched by `re` within about 20 ms; 0 for a pattern that is ambiguous.

    A pattern such as `.*[0-9a-z]+.*` takes a time that grows with the cube of the length, since each of its three loops can read
    what the others can. Loops that cannot, such as those of `[a-z]*:[a-z]*`, take no longer than one.

    Args:
        pattern: a pattern in Python's syntax, read with `re.ASCII`.
        most: how many characters the strings have at most; whatever is above is the same to the caller.

    Example:
        >>> longest_for_re("a*a*"), longest_for_re("a*a*a*"), longest_for_re("(a*)*")
        (3162, 215, 0)
        >>> longest_for_re("a*ba*") == sys.maxsize
        True
    """
    tree = _parser.parse(pattern, re.ASCII)
    if _LOOP.search(pattern) and is_ambiguous(pattern):
        return 0
    # The number of all loops takes no time to count, and is enough for most patterns.
    if (longest := _longest(_loops(tree))) >= most:
        return longest
    return _longest(_exchanging(_Automaton(tree)))


def _longest(loops: int) -> float:
    return sys.maxsize if loops < 2 else int(STEPS ** (1 / loops))


def _exchanging(automaton: _Automaton) -> int:
    """Return how many loops, one after the other, can read the same characters, so that `re` tries all ways to share these among them.

    Where a text read in one loop can be read on the way to a later one, and there as well, the place to leave the first is free. The
    most such pairs on one way through the pattern are the degree of the polynomial that counts the ways (Weber and Seidl, "On the
    degree of ambiguity of finite automata", 1991, criterion IDA).
    """
    characters, after, reach = automaton.characters, automaton.after, automaton.reach
    loops: list[list[int]] = []  # of positions that reach each other, in their order in the pattern
    for start in range(len(characters)):
        if start in reach[start] and not any(start in loop for loop in loops):
            loops.append([later for later in reach[start] if start in reach[later]])
    repeated = [loop for loop in loops if loop != [loop[0]] or loop[0] not in automaton.fixed]

    def exchange(one: list[int], other: list[int]) -> bool:
        def steps(at: tuple[int, int, int]) -> list[tuple[int, int, int]]:
            first, middle, last = at
            return [
                (a, b, c)
                for a in after[first]
                if a in one
                for c in after[last]
                if c in other and characters[a] & characters[c]
                for b in after.get(middle, ())
                if other[0] in reach[b] and characters[a] & characters[b] & characters[c]
            ]

        return any((start, end, end) in _reachable([(start, start, end)], steps) for start in one for end in other)

    degrees: list[int] = []
    for number, loop in enumerate(repeated):
        before = [(earlier, degrees[at]) for at, earlier in enumerate(repeated[:number]) if loop[0] in reach[earlier[0]]]
        degrees.append(max((degree + exchange(earlier, loop) for earlier, degree in before), default=0))
    # A look-ahead is tried at each place that the rest of the pattern comes by.
    return 1 + max(degrees, default=0) + automaton.asserted


def _loops(items: Any) -> int:
    """Count the repetitions of a pattern that can take more and fewer characters."""
    found = 0
    for kind, value in items:
        if kind in REPEATS:
            found += (value[1] > 1 and not _is_fixed(value)) + _loops(value[2])
        elif kind is sre.BRANCH:
            found += sum(map(_loops, value[1]))
        elif kind is sre.SUBPATTERN:
            found += _loops(value[3])
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            found += _loops(value[1])
    return found


def _is_fixed(repetition: Any) -> bool:
    least, most, inner = repetition
    return bool(least == most and len(inner) == 1 and inner[0][0] in ONE_CHARACTER)


def _reachable(start: Iterable[Any], steps: Callable[[Any], Iterable[Any]]) -> set[Any]:
    """Return what the steps lead to, from any of the starts."""
    found: set[Any] = set()
    waiting = list(start)
    while waiting:
        for later in steps(waiting.pop()):
            if later not in found:
                found.add(later)
                waiting.append(later)
    return found


DOT = "[^\n\r\u0085\u2028\u2029]"
"""What Java's `.` matches: anything but its line terminators."""

LONGEST_PATTERN = 2000
"""Characters of a pattern of a user (`rules=`): the time for a string grows with both. The longest of the SDK's model has 1,195."""
LONGEST_STRING = 10_000
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
        # Where nothing is negated, more characters in a class can only make more strings match.
        self.widens = not re.search(r"\[\^|\(\?<?!", pattern)
        # Both in one, since threads share them: no one may see new characters with an old pattern.
        self.met: tuple[frozenset[str] | None, Callable[[str], object]] = frozenset(ASCII), ascii_only

    def __call__(self, value: str) -> object:
        met, matches = self.met
        if self.widens and (found := matches(value)):
            return found
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
    longest = longest_for_re(text, most) if trusted else 0
    if longest >= most:
        return quick
    return lambda value: quick(value) if len(value) <= longest else len(value) > LONGEST_STRING or slow(value)


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
    first = next((char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char).startswith(name)), None)
    if first is None:
        raise ValueError(rf"\p{{{name}}} is not a general category of Unicode")
    if alphabet is not None:
        # A class of Python's cannot be empty.
        return "".join(re.escape(char) for char in alphabet if unicodedata.category(char).startswith(name)) or re.escape(first)
    return _ranges()[name]


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
