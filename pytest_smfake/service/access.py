"""What may not be done, on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from .inforce import InForce, Register

ACTIONS = ("ecr:BatchGetImage", "sts:AssumeRole")
"""The actions that can be denied: a role may not pull an image, SageMaker may not assume a role."""


@dataclass(eq=False)
class Denial(InForce):
    """A denial in force, until `stop()` or the end of its `with` block.

    Attributes:
        action: what is denied, such as `ecr:BatchGetImage`.
        resource: on what; `*` stands for any characters.
    """

    action: str
    resource: str


class Denials:
    """The denials of a fake."""

    def __init__(self) -> None:
        self._denials: Register[Denial] = Register()

    def add(self, action: str, resource: str) -> Denial:
        """Deny an action; see `FakeSageMaker.deny`."""
        if action not in ACTIONS:
            raise ValueError(f"{action!r} is not an action that can be denied; there are: {', '.join(ACTIONS)}")
        return self._denials.add(Denial(action, resource))

    def forbid(self, action: str, resource: str) -> bool:
        """Whether an action on a resource is denied."""
        return any(denial.action == action and fnmatchcase(resource, denial.resource) for denial in self._denials)
