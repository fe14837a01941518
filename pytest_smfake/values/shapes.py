"""Small things about paths, shapes and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import Shape


def within(path: str, outer: str) -> bool:
    """Whether a path is that of a member or of something inside it.

    Example:
        >>> within("Tags[].Key", "Tags"), within("Tags", "Tags"), within("TagsX", "Tags"), within("", "Tags")
        (True, True, False, False)
    """
    return path == outer or (path.startswith(outer) and (not outer or path[len(outer)] in ".["))


def copy(value: Any) -> Any:
    """Return a copy of a value as JSON has it."""
    if type(value) is dict:
        return {name: copy(item) for name, item in value.items()}
    return [copy(item) for item in value] if type(value) is list else value


def inner(shape: Any) -> dict[str, Shape]:
    """Return what a shape holds: the members of a structure by name, `[]` of a list, `[key]` and `[value]` of a map."""
    if shape.type_name == "map":
        return {"[key]": shape.key, "[value]": shape.value}
    return {"[]": shape.member} if shape.type_name == "list" else dict(shape.members)
