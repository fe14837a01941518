"""What a request names, and how boundary cases name nothing but what the run created, or what cannot exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_smfake.cases import Case
from pytest_smfake.service.arns import arn

if TYPE_CHECKING:
    from .target import Target

NAMING_MEMBERS = {
    "CreateModel": "ModelName",
    "DescribeModel": "ModelName",
    "ListModels": "NameContains",
    "DeleteModel": "ModelName",
    "AddTags": "ResourceArn",
    "ListTags": "ResourceArn",
    "DeleteTags": "ResourceArn",
}
"""The member by which an operation names a model, or narrows a list to some."""
LONGEST_NAME = 63
"""Characters of the longest name of a model, and of the longest part of one by which a list can be narrowed."""
PREFIX_ROOM = 45
"""Characters that hold how the names of a target begin: a prefix of up to 30, the id of a run, a hyphen each, and one letter."""
UNTAGGED = "untagged"
"""How the name ends of a model that has no room for the tag of the run."""
TAGS = 50
"""How many tags a model may have."""


def leaves(value: Any) -> Iterator[Any]:
    """Yield what a value of JSON holds, however deep, keys of objects among them: all that a service might take for a name.

    Example:
        >>> list(leaves([{"a": 1}, None]))
        ['a', 1]
    """
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield value


def name_in(request: Any, told: str) -> str | None:
    """Return the name by which a service that accepted a CreateModel knows the model, as far as it was sent; None where it was not.

    Args:
        request: what was sent.
        told: the name in the ARN of the answer, which is believed only where it was sent.
    """
    sent = request.get("ModelName") if isinstance(request, dict) else None
    if isinstance(sent, str):
        return sent
    return next((text for text in map(str, leaves(sent)) if text == told), None)


def ours(case: Case, target: Target) -> Case:
    """Return a case of another name that breaks, or keeps, the same rule; the name begins as those of the target do."""
    member = NAMING_MEMBERS[case.operation]
    request = case.request
    if not isinstance(request, dict):
        return case
    value = request.get(member)
    if case.path == member:
        if isinstance(value, str) and case.rule.keyword in ("max", "pattern"):  # of others it is what all requests have in common
            request = request | {member: _named(case, member, value, target)}
        elif type(value) is int and member != "NameContains":
            request = request | {member: -1}  # a service that took the number for its text would know no such name
    elif case.operation == "CreateModel" and tagged(request, target) is None:
        request = request | {"ModelName": target.name_of(UNTAGGED)}
    return replace(case, request=request)


def _named(case: Case, member: str, value: str, target: Target) -> str:
    """Return a name, or ARN, in the place of another that decides a case."""
    start = target.name_of() + "-"
    if member == "ResourceArn":
        start = arn(target.region, target.account or "", f"model/{start}")
    if case.rule.keyword == "max":
        return start + "a" * (len(value) - len(start))
    if member == "ResourceArn":
        return start + value.split(":", 5)[5]
    return (start + value)[:LONGEST_NAME].rstrip("-") if case.side == "inside" else start + value


def tagged(request: dict[str, Any], target: Target) -> dict[str, Any] | None:
    """Return a CreateModel request with the tag of the run, None where one more tag would make another check of it."""
    tag = {"Key": target.run_tag, "Value": target.run}
    if "Tags" not in request:
        return request | {"Tags": [tag]}
    tags = request["Tags"]
    if not isinstance(tags, list) or not 0 < len(tags) < TAGS or not all(map(_is_tag, tags)):
        return None
    return request | {"Tags": [*tags, tag]}


def _is_tag(tag: Any) -> bool:
    return (
        isinstance(tag, dict)
        and tag.keys() == {"Key", "Value"}
        and all(isinstance(text, str) for text in tag.values())
        and 0 < len(tag["Key"]) <= 128
        and len(tag["Value"]) <= 256
    )
