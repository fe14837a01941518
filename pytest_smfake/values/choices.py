"""Who chooses, where a value leaves a choice."""

from __future__ import annotations

from random import Random
from typing import Protocol

EDGES = 4
"""How many times as often a size is one of its bounds, or next to one, as it is anything at all."""


class Choices(Protocol):
    """What chooses: Hypothesis, a random number generator, or nobody."""

    def number(self, least: int, most: int) -> int:
        """Return a whole number within bounds, both included."""

    def picks(self) -> bytes:
        """Return a few bytes, that choose the characters of a string."""


class Least:
    """Chooses the least of everything: the simplest value there is, the same each time."""

    def number(self, least: int, most: int) -> int:  # noqa: ARG002  # the protocol's
        """Return the least."""
        return least

    def picks(self) -> bytes:
        """Return nothing."""
        return b""


class Seeded:
    """Chooses at random, the same for the same generator."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def number(self, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        return self.random.randint(least, most)

    def picks(self) -> bytes:
        """Return a few bytes."""
        return self.random.randbytes(self.random.randint(0, 12))


def size(choices: Choices, least: int, most: int, simplest: int | None = None) -> int:
    """Choose a length or a count, four times in five one of its bounds or next to one.

    One number chooses both whether and what, so that a shrinker has one to shrink; 0 stands for the simplest, which is the
    least unless another is given.
    """
    span = most - least
    chosen = choices.number(0, span + EDGES * max(span, 1))
    if chosen <= span:
        return least + ((simplest or least) - least + chosen) % (span + 1)
    edges = sorted({least, least + min(span, 1), most - min(span, 1), most})
    return edges[chosen % len(edges)]


LEAST = Least()
