"""What a test puts in force for a while: limits, failures, denials, stand-ins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, Self, TypeVar


class InForce:
    """Something in force until `stop()`, or the end of its `with` block; then what was there before holds again."""

    _end: Callable[[], None] | None = None

    def stop(self) -> None:
        """End it; a second call does nothing."""
        end, self._end = self._end, None
        if end is not None:
            end()
            self.ended()

    def ended(self) -> None:
        """Let go of what it holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


T = TypeVar("T", bound=InForce)


class Register(Generic[T]):
    """What is in force; iteration begins with the latest."""

    def __init__(self) -> None:
        self._items: list[T] = []

    def add(self, item: T) -> T:
        """Put something in force."""
        self._items.append(item)
        item._end = lambda: self._items.remove(item)
        return item

    def __iter__(self) -> Iterator[T]:
        return iter(self._items[::-1])

    def oldest_first(self) -> list[T]:
        """Return what is in force, in the order in which it came."""
        return list(self._items)

    def __bool__(self) -> bool:
        return bool(self._items)
