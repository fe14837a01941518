"""The part of JSONPath that batch transform knows, for its filters.

Source: developer guide, "Associate Prediction Results with Input Records", supported operators. A path with several names or
indices yields one object, or one list, of what they pick, as the guide's examples show.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Pick = Callable[[Any], Any]

_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][\w-]*|\*)
      | \[\s*(?P<names>'[^']*'(?:\s*,\s*'[^']*')*)\s*\]
      | \[\s*(?P<indices>[-\d:*][-\d:,\s*]*)\s*\]""",
    re.VERBOSE | re.ASCII,
)


def compile_path(path: str) -> Pick:
    """Return the function that picks from a value what a path names.

    Raises:
        ValueError: the path is not of the grammar.

    Example:
        >>> compile_path("$[0,2:]")([1, 2, 3, 4])
        [1, 3, 4]
        >>> compile_path("$['id','SageMakerOutput']")({"id": 7, "x": 1, "SageMakerOutput": 0.5})
        {'id': 7, 'SageMakerOutput': 0.5}
    """
    if not path.startswith("$"):
        raise ValueError(f"{path!r} is not a JSONPath: it begins with $")
    picks: list[Pick] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise ValueError(f"{path!r} is not a JSONPath that batch transform knows, from {path[position:]!r} on")
        picks.append(_pick(match))
        position = match.end()

    def pick(value: Any) -> Any:
        for step in picks:
            value = step(value)
        return value

    return pick


def _pick(match: re.Match[str]) -> Pick:
    if match["name"] == "*":
        return lambda value: list(value.values()) if isinstance(value, dict) else list(value)
    if match["name"]:
        return _member(match["name"])
    if match["names"]:
        names = re.findall(r"'([^']*)'", match["names"])
        if len(names) == 1:
            return _member(names[0])
        members = [(name, _member(name)) for name in names]
        return lambda value: {name: member(value) for name, member in members}
    parts = [part.strip() for part in match["indices"].split(",")]
    if len(parts) == 1 and re.fullmatch(r"-?\d+", parts[0]):
        return _item(int(parts[0]))
    items = [_items(part, match[0]) for part in parts]
    return lambda value: [found for item in items for found in item(value)]


def _member(name: str) -> Pick:
    def pick(value: Any) -> Any:
        if not isinstance(value, dict) or name not in value:
            raise LookupError(f"there is no member {name!r}")
        return value[name]

    return pick


def _item(index: int) -> Pick:
    def pick(value: Any) -> Any:
        if not isinstance(value, list) or not -len(value) <= index < len(value):
            raise LookupError(f"there is no item {index}")  # documented of OutputFilter: an error
        return value[index]

    return pick


def _items(part: str, whole: str) -> Pick:
    if part == "*":
        return list
    if re.fullmatch(r"-?\d+", part):
        item = _item(int(part))
        return lambda value: [item(value)]
    bounds = re.fullmatch(r"(-?\d+)?:(-?\d+)?", part)
    if bounds is None:
        raise ValueError(f"{whole!r} is not a JSONPath step that batch transform knows")
    start, stop = (None if bound is None else int(bound) for bound in bounds.groups())
    return lambda value: value[start:stop]
