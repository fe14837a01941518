"""Which members a value has to have."""

from __future__ import annotations

import re

STEP = re.compile(r"\[key\]|\[value\]|\[\]|\w+")
"""A step of a path."""


class Aim:
    """A member that has to be there, in the first item or entry where there are several.

    Args:
        path: the member's path; empty for none.

    Example:
        >>> aim = Aim("Tags[].Key")
        >>> aim.at("Tags"), aim.at("Tags[].Key"), aim.beyond("Tags[].Key"), aim.at("VpcConfig")
        (True, True, False, False)
    """

    __slots__ = ("_beyond", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._beyond = frozenset(path[: step.start()].removesuffix(".") for step in STEP.finditer(path))

    def at(self, path: str) -> bool:
        """Whether a member is aimed at, or lies on the way to the one that is."""
        return path == self.path or path in self._beyond

    def beyond(self, path: str) -> bool:
        """Whether something inside a member is aimed at."""
        return path in self._beyond


NOWHERE = Aim("")
