"""How Hypothesis chooses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from pytest_smfake.values.tree import Node

_PICKS = st.binary(max_size=12)


def _load() -> None:
    """Load now what a first call would load: the deadline of an example does not count what it draws."""
    from pytest_smfake.fake import load  # the strategies serve code without a fake, too, until they draw

    load()


@lru_cache(maxsize=4096)
def _numbers(least: int, most: int) -> st.SearchStrategy[int]:
    return st.integers(least, most)


@lru_cache(maxsize=64)
def _bytes(count: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=count, max_size=count)


class Drawn:
    """Chooses what Hypothesis draws: a number shrinks to the least, the bytes to none."""

    def __init__(self, draw: st.DrawFn) -> None:
        _load()
        self.draw = draw

    def number(self, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        return least if least == most else self.draw(_numbers(least, most))

    def bits(self, count: int) -> int:
        """Return a number of so many bits, drawn as bytes: an integer would seldom have its high bits set."""
        return int.from_bytes(self.draw(_bytes((count + 7) // 8))) >> -count % 8

    def picks(self) -> bytes:
        """Return a few bytes."""
        return self.draw(_PICKS)

    def part(self, node: Node) -> Any:
        """Return a value of a member, drawn by a strategy of its own."""
        return self.draw(_part(node))


@st.composite
def _drawn(draw: st.DrawFn, node: Node) -> Any:
    return node.make(Drawn(draw))


@lru_cache(maxsize=4096)
def _part(node: Node) -> st.SearchStrategy[Any]:
    return _drawn(node)


def pinned(draw: st.DrawFn, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return members with what their strategies draw in the place of those."""
    return {name: draw(value) if isinstance(value, st.SearchStrategy) else value for name, value in members.items()}
