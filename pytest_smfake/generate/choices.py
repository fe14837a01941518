"""Who chooses, where a value leaves a choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .tree import Node


def distinct(texts: Iterable[str], node: Node) -> list[str]:
    """Return the texts, each that an earlier one has said already changed at its end.

    Raises:
        ValueError: the member has not so many different values.
    """
    seen: dict[str, None] = {}
    for text in texts:
        seen[text if text not in seen else _other(text, node, seen)] = None
    return list(seen)


def _other(text: str, node: Node, seen: Mapping[str, None]) -> str:
    if "enum" in node.rules:
        candidates: Iterable[str] = node.allowed
    else:
        _, most = node.sizes
        numbers = map(str, range(len(seen), 10 * len(seen) + 100))
        candidates = (f"{text[: max(len(text) - len(number), 1)]}{number}"[-most:] for number in numbers)
    for other in candidates:
        if other not in seen and ("enum" in node.rules or node.text.matches(other)):
            return other
    raise ValueError(f"{node.path} has not {len(seen) + 1} different values")


EDGES = 8
"""How many times as often a size is one of its bounds, or next to one, as it is chosen among all that there are."""


class Choices(Protocol):
    """What chooses: Hypothesis, a random number generator, or nobody."""

    def number(self, least: int, most: int) -> int:
        """Return a whole number within bounds, both included."""

    def bits(self, count: int) -> int:
        """Return a number of so many bits, each of which is as often set as not."""

    def picks(self) -> bytes:
        """Return a few bytes, that choose the characters of a string."""

    def part(self, node: Node) -> Any:
        """Return a value of a member, chosen as a part of its own, which a shrinker can take out or make simpler as a whole."""


class Least:
    """Chooses the least of everything: the simplest value there is, the same each time."""

    def number(self, least: int, most: int) -> int:  # noqa: ARG002  # the protocol's
        """Return the least."""
        return least

    def bits(self, count: int) -> int:  # noqa: ARG002  # likewise
        """Return no bit."""
        return 0

    def picks(self) -> bytes:
        """Return nothing."""
        return b""

    def part(self, node: Node) -> Any:
        """Return the simplest value of a member."""
        return node.make(self)


LEAST = Least()


def size(choices: Choices, least: int, most: int, simplest: int | None = None) -> int:
    """Choose a length, a count or a number, eight times in nine one of its bounds or next to one.

    One number chooses, and a smaller one chooses what is no larger, so that a shrinker can go down step by step. 0 stands for the
    simplest, which is the least unless another is given; from there it goes up, and on from the least.
    """
    if least == most:
        return least
    first = least if simplest is None else simplest
    edges, copies, total = _edges(least, most, first)
    width = total.bit_length() + 8
    chosen = choices.bits(width) * total >> width
    for edge in edges:
        if chosen <= edge:
            break
        if chosen <= edge + copies:
            chosen = edge
            break
        chosen -= copies
    return least + (first - least + chosen) % (most - least + 1)


@lru_cache(maxsize=4096)
def _edges(least: int, most: int, first: int) -> tuple[list[int], int, int]:
    """Return the steps from the first to each bound and to what is next to it, how many more numbers each has, and how many there are."""
    count = most - least + 1
    edges = sorted({(size - first) % count for size in (least, min(least + 1, most), max(most - 1, least), most)})
    copies = EDGES * count // 4
    return edges, copies, count + copies * len(edges)
