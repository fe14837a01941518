"""Whole requests of one operation, by the rules of one catalogue."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from pytest_smfake.rules.catalogue import Catalogue, catalogue
from pytest_smfake.rules.inputs import did_you_mean
from pytest_smfake.rules.rule import Edition
from pytest_smfake.rules.service_model import shape_of

from .tree import NO_MEMBER, Choices, MemberPath, Node, Rules, copy

REGION = "us-east-1"
ACCOUNT = "123456789012"


class Maker:
    """Makes requests of one operation that keep every rule of a catalogue.

    Args:
        catalogue: the active rules.
        operation: such as `CreateModel`.
        region: the region that ARNs and images in a request name.
        account: the account that they name.

    Raises:
        ValueError: the operation is not modelled.
    """

    def __init__(self, catalogue: Catalogue, operation: str, region: str = REGION, account: str = ACCOUNT) -> None:
        self.catalogue = catalogue
        self.operation = operation
        shape = shape_of(operation)
        if shape is None:
            raise ValueError(f"{operation} takes no members")
        self.root = Node(shape, "", Rules(catalogue.rules(operation), region, account))

    def __repr__(self) -> str:
        return f"<Maker {self.operation}, {self.catalogue!r}>"

    def check_members(self, names: Collection[str]) -> None:
        """Refuse names that the operation has no members of.

        Raises:
            ValueError: there is one; the sentence names those that there are.
        """
        for name in names:
            if name not in self.root.members:
                known = f"{did_you_mean(name, self.root.members)}; its members are: {', '.join(self.root.members)}"
                raise ValueError(f"{self.operation} has no member {name!r}{known}")

    def member(self, path: str) -> Node:
        """Return the tree of a member.

        Raises:
            ValueError: there is none of that path; the sentence names the nearest.
        """
        paths = {node.path: node for node in self.root.walk()}
        if path not in paths:
            near = ", ".join(difflib.get_close_matches(path, paths, n=3, cutoff=0.3)) or ", ".join(self.root.members)
            raise ValueError(f"{self.operation} has no member {path!r}; near it: {near}")
        return paths[path]

    def request(
        self, choices: Choices, *, wanted: MemberPath = NO_MEMBER, given: Mapping[str, Any] | None = None, omit: Collection[str] = ()
    ) -> Any:
        """Return a request that keeps every rule.

        Args:
            choices: what chooses wherever there is a choice.
            wanted: a member that has to be there.
            given: members with the value that they have; what they break is not mended.
            omit: members that are left out.
        """
        return self.root.make(choices, wanted, copy(dict(given or {})), omit)

    def repair(self, request: Any, wanted: MemberPath, fixed: Collection[str] = ()) -> None:
        """Make a changed request keep the rules between its members again, without a change to the wanted member."""
        repair_all(self.root, request, wanted, fixed)


def repair_all(node: Node, value: Any, wanted: MemberPath, fixed: Collection[str]) -> None:
    """Repair a value from the inside out."""
    if isinstance(value, dict) and node.kind == "structure":
        for name, item in value.items():
            if name in node.members:
                repair_all(node.members[name], item, wanted, ())
    elif isinstance(value, list) and node.kind == "list":
        for item in value:
            repair_all(node.members["[]"], item, wanted, ())
    if value is not None:
        node.repair(value, wanted, fixed)


@cache
def maker(edition: Edition, operation: str, region: str = REGION, account: str = ACCOUNT) -> Maker:
    """Return the maker of an edition without overrides; it is made once."""
    return Maker(catalogue(edition), operation, region, account)


def maker_of(operation: str, edition: Edition, rules: Mapping[str, Any] | None, region: str = REGION, account: str = ACCOUNT) -> Maker:
    """Return a maker for an edition with overrides."""
    return Maker(Catalogue(edition, rules), operation, region, account) if rules else maker(edition, operation, region, account)
