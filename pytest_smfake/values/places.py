"""Where a member stands in a request, and how a request is changed there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_smfake.spec.rules import Key

from .aims import STEP
from .breaks import MISSING

Where = tuple[str | int, ...]


def places(request: Any, path: str) -> list[Where]:
    """Return every way to a member that is there, in order; to the key and to the value of an entry leads the same one.

    Example:
        >>> places({"Tags": [{"Key": "a"}, {"Key": "b"}]}, "Tags[].Key")
        [('Tags', 0, 'Key'), ('Tags', 1, 'Key')]
    """
    return list(_places(request, STEP.findall(path), ()))


def _places(value: Any, steps: list[str], where: Where) -> Iterator[Where]:
    if not steps:
        yield where
        return
    step, *rest = steps
    inner: list[tuple[str | int, Any]]
    if step == "[]":
        inner = [*enumerate(value)] if isinstance(value, list) else []
    elif step in ("[key]", "[value]"):
        inner = [(Key(name), item) for name, item in value.items()] if isinstance(value, dict) else []
    else:
        inner = [(step, value[step])] if isinstance(value, dict) and step in value else []
    for part, item in inner:
        yield from _places(item, rest, (*where, part))


def value_at(request: Any, where: Where) -> Any:
    """Return the value at a place, MISSING where there is none."""
    for part in where:
        try:
            request = request[part]
        except (KeyError, IndexError):
            return MISSING
    return request


def member_at(request: Any, where: Where, path: str) -> Any:
    """Return the value of a member at a place, which for the keys of a map is the key."""
    return str(where[-1]) if path.endswith("[key]") else value_at(request, where)


def put(request: Any, where: Where, value: Any, *, key: bool = False) -> Any:
    """Return the request with a value at a place: it is changed itself, unless the place is the whole of it.

    Args:
        request: the request.
        where: the place.
        value: what to put there; MISSING takes out what is there.
        key: whether the value is a new key for the entry.
    """
    if not where:
        return value
    *way, last = where
    holder = value_at(request, tuple(way))
    if key:
        entries = [(value if name == last else name, item) for name, item in holder.items()]
        holder.clear()
        holder.update(entries)
    elif value is MISSING:
        del holder[last]
    else:
        holder[last] = value
    return request


def spelled(where: Where) -> str:
    """Return a place as Python spells it.

    Example:
        >>> spelled(("PrimaryContainer", "Environment", Key("A"))), spelled(("Tags", 0, "Key"))
        ("PrimaryContainer.Environment['A']", 'Tags[0].Key')
    """
    steps = [f"[{str(part)!r}]" if isinstance(part, Key) else f"[{part}]" if isinstance(part, int) else f".{part}" for part in where]
    return "".join(steps).removeprefix(".")
