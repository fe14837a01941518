"""Recipes: how a request is made to just keep, or to break, one rule between its members."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from .choices import LEAST, Choices
from .distinct import distinct
from .places import Where
from .tree import Node

Side = Literal["inside", "outside"]
SIDES: tuple[Side, Side] = ("inside", "outside")
Request = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kit:
    """What a recipe works with.

    Attributes:
        root: the tree of the request.
        bound: the rule's.
        choices: what chooses.
    """

    root: Node
    bound: Any
    choices: Choices

    def least(self, path: str) -> Any:
        """Return the simplest value of a member."""
        return self.root.find(path).make(LEAST)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a request that keeps a rule is changed into one that just keeps it, or that breaks it alone.

    Attributes:
        side: `inside` or `outside`.
        label: what tells it from others in the id of a case; `{bound}` and `{beyond}` stand for the bound and one more.
        how: what is done, in words.
        must: the member that the request has to have before.
        apply: changes the request, and returns where.
    """

    side: Side
    label: str
    how: str
    must: str
    apply: Callable[[Request, Kit], Where]


RECIPES: dict[str, list[Recipe]] = {}
"""The recipes by the id of the rule; for rules that several operations have, by what follows the slash."""


def recipes(rule_id: str) -> list[Recipe]:
    """Return the recipes for a rule between members.

    Raises:
        LookupError: nobody wrote one.
    """
    found = RECIPES.get(rule_id) or RECIPES.get(rule_id.partition("/")[2])
    if not found:
        raise LookupError(f"there is no recipe for {rule_id}: write one in crossbreaks.py or hostingbreaks.py")
    return found


def recipe(
    rule_id: str, side: Side, label: str, how: str, must: str = ""
) -> Callable[[Callable[[Request, Kit], Where]], Callable[[Request, Kit], Where]]:
    """Register a recipe."""

    def register(apply: Callable[[Request, Kit], Where]) -> Callable[[Request, Kit], Where]:
        RECIPES.setdefault(rule_id, []).append(Recipe(side, label, how, must, apply))
        return apply

    return register


def names(node: Node, count: int) -> list[str]:
    """Return different strings of a member, the simplest that there are."""
    return distinct([node.make(LEAST)] * count, node)
