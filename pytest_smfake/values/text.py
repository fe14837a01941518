"""Strings that a pattern takes, and strings that it refuses."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_smfake.spec.patterns import is_vacuous, matcher

from .lengths import READABLE, Picks, UnfitError, bits, parsed

STRANGE = "!_ -.\n/é\x00:🙂a"
"""What breaks a pattern, most readable first."""


class Text:
    """Strings that a pattern takes, and strings that it does not.

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

    def __init__(self, pattern: str | None, cap: int, forms: Sequence[str] = ()) -> None:
        self.cap = cap
        self.pattern = None if pattern is None or is_vacuous(pattern) else pattern
        self.matches = matcher(self.pattern or r"[\s\S]*")
        self.root = parsed(self.pattern or r"[\s\S]*", cap)
        self.forms = [parsed(form, cap) for form in forms]
        self._fitting: dict[int, bool] = {}
        self._plain: dict[int, str] = {}

    def fits(self, length: int) -> bool:
        """Whether a string of that length can be made."""
        if length not in self._fitting:
            self._fitting[length] = length >= 0 and self._try(length, b"") is not None
        return self._fitting[length]

    def near(self, length: int, least: int, most: int) -> int | None:
        """Return the length nearest to one, within bounds, that can be made; the shorter of two, None if there is none."""
        if self.fits(length):
            return length
        lengths = sorted(range(least, most + 1), key=lambda other: (abs(other - length), other))
        return next((other for other in lengths if self.fits(other)), None)

    def simplest(self, least: int, most: int) -> int:
        """Return the length of the simplest string within bounds: the least that the first form has, else the least."""
        lengths = self.forms[0].lengths if self.forms else 0
        return next((length for length in bits(lengths) if least <= length <= most and self.fits(length)), least)

    def make(self, length: int, picks: bytes = b"") -> str:
        """Return a string of a length that fits.

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
        nodes = [form for form in self.forms if form.lengths >> length & 1] if not picks or chosen.next() % 4 else []
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
        """Return a string within bounds of length that the pattern refuses, None if there is none.

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
