"""What a request names, and how boundary cases name nothing but what the run created, or what cannot exist."""

from __future__ import annotations

import json
import re
import secrets
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


def json_leaves(value: Any) -> Iterator[Any]:
    """Yield what a value of JSON holds, however deep, keys of objects among them: all that a service might take for a name.

    Example:
        >>> list(json_leaves([{"a": 1}, None]))
        ['a', 1]
    """
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from json_leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from json_leaves(item)
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
    return next((text for text in map(str, json_leaves(sent)) if text == told), None)


def own_case(case: Case, target: Target) -> Case:
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
    elif case.operation == "CreateModel" and with_run_tag(request, target) is None:
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


def with_run_tag(request: dict[str, Any], target: Target) -> dict[str, Any] | None:
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


# Names of a run.

LETTERS = "0123456789bcdfghjkmnpqrstvwxz"
"""What ids are made of. Without vowels no word is one; and 29 letters are a prime number of them, which the check letter needs."""
LENGTH = 12


def new_run() -> str:
    """Return the id of a new run: 11 random letters and digits, both among them, and a check letter, such as `4k9zq0vw2bt3`."""
    while True:
        drawn = "".join(secrets.choice(LETTERS) for _ in range(LENGTH - 1))
        if is_run(run := drawn + _check_letter(drawn)):
            return run


def is_run(text: str) -> bool:
    """Whether a text has the form of an id that `new_run` makes. A text with one letter changed, or two neighbours swapped, has not.

    Example:
        >>> is_run("training"), is_run(new_run())
        (False, True)
    """
    formed = len(text) == LENGTH and set(text) <= set(LETTERS) and re.search("[0-9]", text) and re.search("[a-z]", text)
    return bool(formed) and text[-1] == _check_letter(text[:-1])


def _check_letter(drawn: str) -> str:
    return LETTERS[sum(place * LETTERS.index(letter) for place, letter in enumerate(drawn, 1)) % len(LETTERS)]


def belongs(name: str, start: str) -> bool:
    """Whether a name is the one that names of a run begin with, or continues it after a hyphen.

    Example:
        >>> belongs("ci-4k9zq0vw2bt3-a", "ci-4k9zq0vw2bt3"), belongs("ci-training-prod", "ci-train")
        (True, False)
    """
    return name == start or name.startswith(f"{start}-")


# The gate before each request.


class UnsafeRequestError(RuntimeError):
    """A request could have reached something that the run did not create, and was not sent: a defect of a check."""


READING = frozenset({"DescribeModel", "ListModels", "ListTags"})
"""The operations that change nothing."""
CHANGING = frozenset({"CreateModel", "DeleteModel", "AddTags", "DeleteTags"})
"""The operations that a run may call, beside those."""
_NAMES = {"modelname": False, "resourcearn": True}
"""The members that name something, in lower case: a service may be lax about that, too; and whether they hold an ARN."""
_CUT_SHORT = re.compile(r'\s*(\{\s*("[A-Za-z]*"?\s*:?\s*)?)?')
"""A body that ends before any value."""


class _Members(list[tuple[str, Any]]):
    """The members of an object, a name that comes twice among them twice."""


def check_request(target: Target, operation: str, body: bytes, region: str) -> None:
    """See that a request names nothing but what the run created, or could create.

    Args:
        target: the target, whose `name_of` says how its names begin.
        operation: such as `DeleteModel`.
        body: what is going to be sent.
        region: where to.

    Raises:
        UnsafeRequestError: it names something else, or it cannot be told what it names; nothing was sent.
    """
    if region != target.region:
        raise _unsafe(target, operation, f"it goes to {region}, and the run is held to {target.region}")
    if operation in READING:
        return
    if operation not in CHANGING:
        raise _unsafe(target, operation, "it is none of the operations on models")
    for value, is_arn in _names_in(target, operation, body):
        if not _is_own(target, value, is_arn):
            raise _unsafe(target, operation, f"it names {str(value)[:120]!r}, and names of the run begin with {target.name_of()!r}")


def _names_in(target: Target, operation: str, body: bytes) -> list[tuple[Any, bool]]:
    """Return all that a body might name, each with whether it stands where an ARN belongs."""
    try:
        text = body.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise _unsafe(target, operation, "its body is not UTF-8") from None
    try:
        members = json.loads(text, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        if _CUT_SHORT.fullmatch(text):
            return []
        raise _unsafe(target, operation, "its body is no JSON, and holds values") from None
    if not isinstance(members, _Members):
        return [(leaf, False) for leaf in json_leaves(members)]
    named = [(value, _NAMES[name.lower()]) for name, value in members if name.lower() in _NAMES]
    return [(leaf, is_arn) for value, is_arn in named for leaf in json_leaves(value)]


def _is_own(target: Target, value: Any, is_arn: bool) -> bool:
    """Whether a value names the run's own: a text that begins so, or a number below zero, which no name looks like."""
    if isinstance(value, str):
        start = arn(target.region, target.account or "", "model/") if is_arn else ""
        return value.startswith(start) and belongs(value.removeprefix(start), target.name_of())
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0


def _unsafe(target: Target, operation: str, why: str) -> UnsafeRequestError:
    return UnsafeRequestError(f"{target.name}: {operation} was not sent: {why}. Whatever sent it is wrong")
