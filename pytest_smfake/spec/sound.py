"""What of a request the rules between members look into."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from .validate import is_of

if TYPE_CHECKING:
    from botocore.model import Shape


def sound(value: Any, shape: Any) -> Any:
    """Return what of a value has the JSON type that its shape asks for; a structure comes back empty in the place of anything else."""
    kind = shape.type_name
    if kind == "list":
        return [sound(item, shape.member) for item in value if _has_type(item, shape.member)] if type(value) is list else []
    if kind == "map":
        entries = value.items() if type(value) is dict else ()
        return {key: sound(item, shape.value) for key, item in entries if _has_type(item, shape.value)}
    if kind == "structure":
        members = ((name, value[name], member) for name, member in shape.members.items() if type(value) is dict and name in value)
        return {name: sound(item, member) for name, item, member in members if _has_type(item, member)}
    return value


def without_nulls(request: Any, ignored: Iterable[tuple[str | int, ...]]) -> Any:
    """Return a request without the nulls among what the service reads past: such a member is as good as absent (assumed)."""
    request = deepcopy(request)
    for *way, last in ignored:
        holder = at(request, way)
        if holder[last] is None:
            del holder[last]
    return request


def at(request: Any, way: Iterable[str | int]) -> Any:
    """Return what stands at a place in a request."""
    for step in way:
        request = request[step]
    return request


def _has_type(value: Any, shape: Shape) -> bool:
    if shape.type_name in ("structure", "map"):
        return type(value) is dict
    return type(value) is list if shape.type_name == "list" else bool(is_of(shape.type_name)(value))
