"""Validation, against compiled validators of an equivalent JSON Schema, which stop at the first error.

The code that fastjsonschema makes goes through sets: its time for a typical request depends on PYTHONHASHSEED (8 to 12 microseconds),
so that a ratio is to be taken over several seeds.
"""

from __future__ import annotations

import json
import random
from typing import Any

import fastjsonschema
import jsonschema_rs

from pytest_smfake import FakeSageMaker
from pytest_smfake.generate.requests import maker
from pytest_smfake.generate.tree import Node
from pytest_smfake.rules.catalogue import catalogue
from pytest_smfake.rules.java_regex import translate

from .measure import Contender, Figure, interleave, ratio

ROUNDS = 2000
TYPES = {"structure": "object", "map": "object", "list": "array", "boolean": "boolean", "integer": "integer", "string": "string"}
SUFFIXES = {"string": "Length", "list": "Items", "map": "Properties"}


def schema(node: Node) -> dict[str, Any]:
    """Return the JSON Schema of a member: the same bounds, patterns and members, and those rules between members that it can state."""
    found: dict[str, Any] = {"type": TYPES.get(node.kind, "number")}
    suffix = SUFFIXES.get(node.kind, "imum")
    found |= {f"{side}{suffix}": node.bound(side) for side in ("max", "min") if side in node.rules}
    if enum := node.bound("enum"):
        found["enum"] = list(enum)
    if pattern := node.bound("pattern"):
        found["pattern"] = f"^(?:{translate(pattern)})$"
    if node.kind == "structure":
        found["properties"] = {name: schema(member) for name, member in node.members.items()}
        found["required"] = [name for name, member in node.members.items() if "required" in member.rules]
        for one, other in ({"PrimaryContainer", "Containers"}, {"Image", "ModelPackageName"}):
            if {one, other} <= node.members.keys():
                found |= {"anyOf": [{"required": [one]}, {"required": [other]}], "not": {"required": [one, other]}}
    elif node.kind == "list":
        found["items"] = schema(node.members["[]"])
    elif node.kind == "map":
        found |= {"propertyNames": schema(node.members["[key]"]), "additionalProperties": schema(node.members["[value]"])}
    return found


class Seeded:
    """Chooses at random."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def number(self, least: int, most: int) -> int:
        """Return any number within bounds."""
        return self.random.randint(least, most)

    def bits(self, count: int) -> int:
        """Return any bits."""
        return self.random.getrandbits(count)

    def picks(self) -> bytes:
        """Return any bytes."""
        return self.random.randbytes(12)

    def part(self, node: Node) -> Any:
        """Return a value."""
        return node.make(self)


def largest(root: Node) -> Any:
    """Return the largest of many requests that keep every rule."""
    return max((root.make(Seeded(seed)) for seed in range(300)), key=lambda request: len(json.dumps(request)))


def figures() -> list[Figure]:
    """Measure."""
    root = maker("page", "CreateModel").root
    whole = schema(root)
    compiled, rust = fastjsonschema.compile(whole), jsonschema_rs.validator_for(whole)
    rules = catalogue("page")
    typical = FakeSageMaker().request(
        ModelName="churn-2026-11",
        PrimaryContainer={
            "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1.7",
            "ModelDataUrl": "s3://models/churn/model.tar.gz",
        },
        Tags=[{"Key": "team", "Value": "growth"}],
    )
    found = []
    for name, request in (("a typical request", typical), ("the largest request", largest(root))):
        assert rules.validate("CreateModel", request) == []
        compiled(request)
        rust.validate(request)
        took = interleave(
            {
                "smfake": Contender(lambda request=request: rules.validate("CreateModel", request)),
                "fastjsonschema": Contender(lambda request=request: compiled(request)),
                "jsonschema-rs": Contender(lambda request=request: rust.is_valid(request)),
            },
            ROUNDS,
        )
        size = f"{len(json.dumps(request)):,} bytes"
        found.append(ratio(took, f"validating {name} ({size}), all violations, to fastjsonschema", 1.0, "smfake", "fastjsonschema"))
        found.append(ratio(took, "the same, to jsonschema-rs", None, "smfake", "jsonschema-rs"))
    return found
