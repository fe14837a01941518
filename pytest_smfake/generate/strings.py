"""Strings of an exact length that a pattern accepts, strings that it refuses, and readable forms of values.

A pattern is read once into a tree whose nodes know which lengths they can have, as the bits of an int: bit n is set
where n characters are possible. A string of a length is then made in one pass, from a few bytes that choose among what
is possible; they are repeated where it takes more of them, so that a long string costs no more bytes than a short one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain, islice
from re import _constants as sre  # type: ignore[attr-defined]  # Hypothesis reads patterns by these modules, too
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from pytest_smfake.rules.java_regex import is_vacuous, matcher, translate

VALUE_HINTS = {
    "RoleArn": (r"arn:aws:iam::123456789012:role/[a-z0-9]+",),
    "ContainerImage": (r"123456789012\.dkr\.ecr\.us-east-1\.amazonaws\.com/[a-z0-9]+",),
    **dict.fromkeys(("Url", "S3ModelUri", "S3Uri"), (r"s3://bucket/[a-z0-9]+",)),
    "DestinationS3Uri": (r"s3://b/[a-z0-9]+",),
    "VersionedArnOrName": (r"[a-z0-9]{1,63}", r"arn:aws:sagemaker:us-east-1:123456789012:model-package[a-z]*/[a-z0-9]{1,63}/1"),
    "ResourceArn": (r"arn:aws:sagemaker:us-east-1:123456789012:model/[a-z0-9]+",),
    "MlReservationArn": (r"arn:aws:sagemaker:us-east-1:123456789012:training-plan/[a-z0-9]+",),
    "SnsTopicArn": (r"arn:aws:sns:us-east-1:123456789012:[a-z0-9]+",),
    "SecurityGroupId": (r"sg-[a-f0-9]+",),
    "SubnetId": (r"subnet-[a-f0-9]+",),
}
"""For each shape of the SDK's model patterns narrower than its own, by which strings become readable. They bind nobody: what they
make is matched against the active rule, and one string in four is made without them."""

RANGES = {"integer": 2**31 - 1, "long": 2**63 - 1, "float": 1000, "double": 1000, "timestamp": 2**31 - 1}
"""The greatest number that is made where no rule bounds it; of the integers' types Java's."""
UNBOUNDED = {"string": 256, "list": 4, "map": 4, "blob": 256}
"""The greatest size that is made beyond the least one where no rule bounds it."""
DRAWN_BYTES = 4096
"""The greatest blob that is made unless a rule is about it: nobody wants to read megabytes in a failure report."""
SCALARS = ("boolean", "timestamp", "blob", "string", *RANGES)


READABLE = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_./:=+@,"
ALPHABET = (
    f"{READABLE}!#$%&()*;<>?[\\]^`{{|}}~'\" éßñŁжωא大가あ٣½Ⅷ𝒜𝟙𐍈€«🙂\u0301\u00a0\u2003\u3000\u200d\t\n\r\x00\x1b\x7f\u0085\u2028\u2029\ufeff"
)
"""What strings are made of, most readable first: letters, digits, marks and spaces within ASCII, beyond it and beyond 16 bits,
and what often breaks a program: quotes, controls, line ends. All are assigned in every version of Unicode that Python 3.11 and
other engines know, since engines disagree about the others."""


DIFFERENT_PARTS = 5
"""How many different parts of a length a repetition makes before it repeats them."""


class Picks:
    """A source of choices from bytes, repeated without end; no bytes always choose the first option."""

    __slots__ = ("at", "bytes")

    def __init__(self, picks: bytes) -> None:
        self.bytes = picks or b"\0"
        self.at = 0

    def next(self) -> int:
        """Return the next byte."""
        self.at += 1
        return self.bytes[(self.at - 1) % len(self.bytes)]

    def text(self, alphabet: str, length: int) -> str:
        """Return a string over an alphabet: as many characters as there are bytes, repeated to the length."""
        if self.bytes == b"\0" or not length:
            return alphabet[0] * length
        size = len(alphabet)
        unit = "".join([alphabet[byte % size] for byte in self.bytes[:length]])
        return (unit * (length // len(unit) + 1))[:length]


class Chars:
    """One character of an alphabet."""

    def __init__(self, alphabet: str) -> None:
        self.alphabet = alphabet
        self.lengths: int = 2 if alphabet else 0

    def make(self, _: int, picks: Picks) -> str:
        """Return a character."""
        return self.alphabet[picks.next() % len(self.alphabet)]


class Parts:
    """A sequence of parts; without parts it is the empty string."""

    def __init__(self, parts: Sequence[PatternNode], cap: int) -> None:
        self.parts = parts
        self.rest: list[int] = [1]
        """The lengths that are possible from each part on, the last first."""
        for part in reversed(parts):
            self.rest.append(_sums(part.lengths, self.rest[-1], cap))
        self.rest.reverse()
        self._plans: dict[int, list[tuple[PatternNode, int]]] = {}
        self.lengths: int = self.rest[0]

    def make(self, length: int, picks: Picks) -> str:
        """Return a string of a length: the last part that can be long takes what the others leave."""
        if length not in self._plans:
            self._plans[length] = self._plan(length)
        return "".join([part.make(own, picks) for part, own in self._plans[length]])

    def _plan(self, length: int) -> list[tuple[PatternNode, int]]:
        plan = []
        for part, rest in zip(self.parts, self.rest[1:], strict=True):
            own = next(own for own in bits(part.lengths) if length >= own and rest >> (length - own) & 1)
            plan.append((part, own))
            length -= own
        return plan


class Branch:
    """A choice of one of several parts."""

    def __init__(self, options: Sequence[PatternNode]) -> None:
        self.options = options
        self.lengths: int = 0
        for option in options:
            self.lengths |= option.lengths

    def make(self, length: int, picks: Picks) -> str:
        """Return a string of a length, of one of the options that can have it."""
        fitting = [option for option in self.options if option.lengths >> length & 1]
        return fitting[picks.next() % len(fitting)].make(length, picks)


class Repeat:
    """A part, repeated."""

    def __init__(self, part: PatternNode, least: int, most: int | None, cap: int) -> None:
        self.part = part
        self.least = least
        self.most = cap if most is None else min(most, cap)
        self.lengths: int = self._lengths(cap)

    def _lengths(self, cap: int) -> int:
        if isinstance(self.part, Chars):
            return ((1 << (self.most + 1)) - 1) & ~((1 << self.least) - 1) if self.part.lengths else int(self.least == 0)
        total, power = 0, 1
        for count in range(self.most + 1):
            if count >= self.least:
                before, total = total, total | power
                if total == before:  # more of the same adds no length
                    break
            power = _sums(power, self.part.lengths, cap)
        return total

    def make(self, length: int, picks: Picks) -> str:
        """Return a string of a length: of short parts and a few longer ones."""
        if isinstance(self.part, Chars):
            return picks.text(self.part.alphabet, length)
        texts: dict[int, list[str]] = {}
        made = []
        for size, count in self._sizes(length, picks.next() % 4):
            known = texts.setdefault(size, [])
            known += [self.part.make(size, picks) for _ in range(min(count, DIFFERENT_PARTS - len(known)))]
            made.append(("".join(known) * (count // len(known) + 1))[: size * count])
        return "".join(made)

    def _sizes(self, length: int, wanted: int) -> Iterator[tuple[int, int]]:
        """Yield sizes of parts that make up a length, each with how many of them, if possible with as many longer parts as wanted."""
        sizes = [*islice((size for size in bits(self.part.lengths) if size), 2)]
        if length and not (sizes and sizes[0] <= length):
            raise UnfitError
        if not length:
            return
        short, long = sizes[0], sizes[-1] if sizes[-1] <= length else sizes[0]
        several = ((long, many) for many in chain([wanted], range(length // long + 1)))
        # At last one part takes what the others leave.
        for longer, many in chain(several, ((size, 1) for size in bits(self.part.lengths) if 0 < size <= length)):
            count, rest = divmod(length - longer * many, short)
            empty = max(self.least - count - many, 0) if self.part.lengths & 1 else 0
            if count >= 0 and not rest and self.least <= count + many + empty <= self.most:
                between = count // (many + 1)
                for _ in range(many):
                    yield from ((short, between), (longer, 1)) if between else ((longer, 1),)
                if count - between * many:
                    yield short, count - between * many
                return
        raise UnfitError


class UnfitError(ValueError):
    """Raised for a length that cannot be divided among the parts in this way."""


PatternNode = Chars | Parts | Branch | Repeat


def _sums(left: int, right: int, cap: int) -> int:
    """Return the possible lengths of two parts together, up to the cap, as bits; `left` and `right` hold those of each."""
    runs, others = list(_runs(left)), list(_runs(right))
    if len(others) < len(runs):
        runs, right = others, left
    total = 0
    for first, count in runs:
        shifted = right << first
        done = 1
        while done < count:  # each round doubles how far every length was moved
            step = min(done, count - done)
            shifted |= shifted << step
            done += step
        total |= shifted
    return total & ((1 << (cap + 1)) - 1)


def _runs(lengths: int) -> Iterator[tuple[int, int]]:
    """Yield each run of consecutive lengths: its first length, and how many there are."""
    return ((run.start(), run.end() - run.start()) for run in re.finditer("1+", bin(lengths)[:1:-1]))


def bits(lengths: int) -> Iterator[int]:
    """Yield the lengths, the least first."""
    return (bit.start() for bit in re.finditer("1", bin(lengths)[:1:-1]))


def _node(items: Any, cap: int) -> PatternNode:
    """Return the node of a sequence of a parsed pattern; anchors and look-arounds count as empty."""
    parts = [part for operator, argument in items for part in _part(operator, argument, cap)]
    return parts[0] if len(parts) == 1 else Parts(parts, cap)


def _part(operator: Any, argument: Any, cap: int) -> Iterator[PatternNode]:
    if operator in (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY):
        yield Chars(_chars(operator, argument))
    elif operator in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        least, most, inner = argument
        yield Repeat(_node(inner, cap), int(least), None if most is sre.MAXREPEAT else int(most), cap)
    elif operator is sre.SUBPATTERN:
        yield _node(argument[-1], cap)
    elif operator is sre.BRANCH:
        yield Branch([_node(option, cap) for option in argument[1]])
    # What anchors and look-arounds ask for is seen when the whole string is matched; no pattern that is translated has more.


def _chars(operator: Any, argument: Any) -> str:
    """Return the characters of the alphabet that a class accepts; a literal is accepted also if it is not in the alphabet."""
    if operator is sre.LITERAL:
        return chr(argument)
    if operator is sre.ANY:
        return ALPHABET.replace("\n", "")
    if operator is sre.NOT_LITERAL:
        return ALPHABET.replace(chr(argument), "")
    negated = argument[0][0] is sre.NEGATE
    found = [char for char in ALPHABET if any(_takes(item, ord(char)) for item in argument) is not negated]
    if not found and not negated:
        found = [chr(value if kind is sre.LITERAL else value[0]) for kind, value in argument if kind in (sre.LITERAL, sre.RANGE)]
    return "".join(found)


_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}


def _takes(item: tuple[Any, Any], point: int) -> bool:
    kind, value = item
    if kind is sre.LITERAL:
        return bool(point == value)
    if kind is sre.RANGE:
        return bool(value[0] <= point <= value[1])
    return kind is sre.CATEGORY and re.match(_CATEGORIES[value], chr(point), re.ASCII) is not None


@cache
def parsed(pattern: str, cap: int) -> PatternNode:
    """Return the tree of a Java pattern, whose strings have up to `cap` characters."""
    return _node(_parser.parse(translate(pattern, alphabet=ALPHABET), re.ASCII), cap)


STRANGE = "!_ -.\n/é\x00:🙂a"
"""What breaks a pattern, most readable first."""


class Text:
    """The strings of a member: those that its pattern accepts, and those that it refuses.

    Args:
        pattern: a Java regular expression; None takes every string.
        cap: the greatest length that will be asked for.
        forms: narrower patterns, such as one for a readable ARN: three strings in four are of one of these where the length
            allows it, and strings that nothing chooses are of the first.

    Example:
        >>> names = Text("[a-z](-*[a-z0-9])*", cap=100)
        >>> names.make(3), len(names.make(99, b"smfake")), names.broken(1, 3)
        ('aaa', 99, 'aa!')
    """

    def __init__(self, pattern: str | None, cap: int, hints: Sequence[str] = ()) -> None:
        self.cap = cap
        self.pattern = None if pattern is None or is_vacuous(pattern) else pattern
        self.matches = matcher(self.pattern or r"[\s\S]*")
        self.root = parsed(self.pattern or r"[\s\S]*", cap)
        self.hints = [parsed(hint, cap) for hint in hints]
        self._fitting: dict[int, bool] = {}
        self._plain: dict[int, str] = {}

    def fits(self, length: int) -> bool:
        """Whether a string of that length can be made."""
        if length not in self._fitting:
            self._fitting[length] = length >= 0 and self._try(length, b"") is not None
        return self._fitting[length]

    def near(self, length: int, least: int, most: int) -> int | None:
        """Return the possible length that is nearest to a length, within bounds: the shorter of two; None if there is none."""
        if self.fits(length):
            return length
        lengths = sorted(range(least, most + 1), key=lambda other: (abs(other - length), other))
        return next((other for other in lengths if self.fits(other)), None)

    def simplest(self, least: int, most: int) -> int:
        """Return the length of the simplest string within bounds: the least length of the first hint, else the least of all."""
        lengths = self.hints[0].lengths if self.hints else 0
        return next((length for length in bits(lengths) if least <= length <= most and self.fits(length)), least)

    def make(self, length: int, picks: bytes = b"") -> str:
        """Return a string of a possible length.

        Args:
            length: in code points.
            picks: bytes that choose; none for the most readable string.

        Raises:
            ValueError: no such string was found.
        """
        if not picks and length in self._plain:
            return self._plain[length]
        picks = picks.rstrip(b"\0")  # so that bytes shrunk to nothing choose as none do
        for attempt in (picks, picks[:1], b""):  # what a lookaround refuses is made again from less
            made = self._try(length, attempt)
            if made is not None:
                if not picks:
                    self._plain[length] = made
                return made
        raise ValueError(f"no string of {length} characters was found that matches {self.pattern}")

    def _try(self, length: int, picks: bytes) -> str | None:
        chosen = Picks(picks)
        nodes = [hint for hint in self.hints if hint.lengths >> length & 1] if not picks or chosen.next() % 4 else []
        if self.root.lengths >> length & 1:
            nodes.append(self.root)
        for node in nodes[chosen.next() % len(nodes) :] if nodes else ():
            try:
                made = node.make(length, chosen)
            except UnfitError:
                continue
            if self.matches(made):
                return made
        return None

    def broken(self, least: int, most: int, picks: bytes = b"") -> str | None:
        """Return a string that the pattern refuses, of a length within bounds; None if there is none.

        It is one that the pattern takes but for a character at its end, start or middle, or the empty string.
        """
        size = self.near(max(least, min(2, most)), least, most)
        whole = "" if size is None else self.make(size, picks)
        chosen = Picks(picks.rstrip(b"\0"))
        full = len(whole) == most  # then a character gives way to a strange one, else that is put in
        places = (max(len(whole) - full, 0), 0, len(whole) // 2)
        turn, first = chosen.next() % 3, chosen.next() % len(STRANGE)
        for start in (*places[turn:], *places[:turn]):
            for strange in (*STRANGE[first:], *STRANGE[:first], *READABLE):
                made = f"{whole[:start]}{strange}{whole[start + full :]}"
                if least <= len(made) <= most and not self.matches(made):
                    return made
        return "" if least == 0 and not self.matches("") else None
