"""Strings that differ from each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

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
