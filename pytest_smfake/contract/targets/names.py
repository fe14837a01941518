"""Find the names in requests, give boundary cases names of the run, and refuse requests with other names."""

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
"""The member of an operation that names a model, or that selects models of a list by name."""
LONGEST_NAME = 63
"""The maximum length of a model name and of NameContains."""
PREFIX_ROOM = 45
"""The maximum length of the start of names: a prefix of up to 30, a hyphen, the id of a run, a hyphen, and one letter."""
UNTAGGED = "untagged"
"""The end of the name of a model that cannot have the tag of the run."""
TAGS = 50
"""The maximum number of tags of a model."""


def json_leaves(value: Any) -> Iterator[Any]:
    """Yield the scalar values and object keys of a JSON value at any depth: a service might read each as a name.

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


def name_in(request: Any, answered: str) -> str | None:
    """Return the name of the model that an accepted CreateModel created, None if the request does not contain it.

    Args:
        request: the request.
        answered: the name in the ARN of the response. It is used only if the request contains it.
    """
    sent = request.get("ModelName") if isinstance(request, dict) else None
    if isinstance(sent, str):
        return sent
    return next((text for text in map(str, json_leaves(sent)) if text == answered), None)


def own_case(case: Case, target: Target) -> Case:
    """Return a case that breaks or keeps the same rule, with a name that starts as the names of the target."""
    member = NAMING_MEMBERS[case.operation]
    request = case.request
    if not isinstance(request, dict):
        return case
    value = request.get(member)
    if case.path == member:
        if isinstance(value, str) and case.rule.keyword in ("max", "pattern"):  # for other rules the member already has a name of the run
            request = request | {member: _named(case, member, value, target)}
        elif type(value) is int and member != "NameContains":
            request = request | {member: -1}  # no model has this name, even if a service reads the number as text
    elif case.operation == "CreateModel" and with_run_tag(request, target) is None:
        request = request | {"ModelName": target.name_of(UNTAGGED)}
    return replace(case, request=request)


def _named(case: Case, member: str, value: str, target: Target) -> str:
    """Return a name or ARN of the run that breaks or keeps the same rule as `value`."""
    start = target.name_of() + "-"
    if member == "ResourceArn":
        start = arn(target.region, target.account or "", f"model/{start}")
    if case.rule.keyword == "max":
        return start + "a" * (len(value) - len(start))
    if member == "ResourceArn":
        return start + value.split(":", 5)[5]
    return (start + value)[:LONGEST_NAME].rstrip("-") if case.side == "inside" else start + value


def with_run_tag(request: dict[str, Any], target: Target) -> dict[str, Any] | None:
    """Return a CreateModel request with the tag of the run, None if a further tag would change the meaning of the check."""
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
"""The characters of ids. Without vowels no word is an id. Their number, 29, is prime, as the check letter requires."""
LENGTH = 12


def new_run() -> str:
    """Return the id of a new run, such as `4k9zq0vw2bt3`: 11 random letters and digits, at least one of each, and a check letter."""
    while True:
        random = "".join(secrets.choice(LETTERS) for _ in range(LENGTH - 1))
        if is_run(run := random + _check_letter(random)):
            return run


def is_run(text: str) -> bool:
    """Whether a text can be an id from `new_run`. After a change of one letter, or a swap of two adjacent letters, it cannot.

    Example:
        >>> is_run("training"), is_run(new_run())
        (False, True)
    """
    formed = len(text) == LENGTH and set(text) <= set(LETTERS) and re.search("[0-9]", text) and re.search("[a-z]", text)
    return bool(formed) and text[-1] == _check_letter(text[:-1])


def _check_letter(text: str) -> str:
    return LETTERS[sum(position * LETTERS.index(letter) for position, letter in enumerate(text, 1)) % len(LETTERS)]


def belongs(name: str, start: str) -> bool:
    """Whether a name equals the start of the names of a run, or continues it after a hyphen.

    Example:
        >>> belongs("ci-4k9zq0vw2bt3-a", "ci-4k9zq0vw2bt3"), belongs("ci-training-prod", "ci-train")
        (True, False)
    """
    return name == start or name.startswith(f"{start}-")


# The gate before each request.


class UnsafeRequestError(RuntimeError):
    """Report a request that was not sent, since it could reach something that the run did not create: a defect of a check."""


READING = frozenset({"DescribeModel", "ListModels", "ListTags"})
"""The operations that change nothing."""
CHANGING = frozenset({"CreateModel", "DeleteModel", "AddTags", "DeleteTags"})
"""The other operations that a run may call."""
_NAMES = {"modelname": False, "resourcearn": True}
"""The members that name something, in lower case since a service may ignore the case, and whether they hold an ARN."""
_CUT_SHORT = re.compile(r'\s*(\{\s*("[A-Za-z]*"?\s*:?\s*)?)?')
"""Matches a truncated body that ends before any value."""


class _Members(list[tuple[str, Any]]):
    """Hold the members of a JSON object as pairs, so that duplicate names are kept."""


def check_request(target: Target, operation: str, body: bytes, region: str) -> None:
    """Check that a request names only models that the run created or could create.

    Args:
        target: the target; its `name_of` returns the start of its names.
        operation: the operation, such as `DeleteModel`.
        body: the request body.
        region: the region of the call.

    Raises:
        UnsafeRequestError: the request names something else, or its names cannot be read; nothing was sent.
    """
    if region != target.region:
        raise _unsafe(target, operation, f"it goes to {region}, but the run may only use {target.region}")
    if operation in READING:
        return
    if operation not in CHANGING:
        raise _unsafe(target, operation, "it is not an operation on models")
    for value, is_arn in _names_in(target, operation, body):
        if not _is_own(target, value, is_arn):
            raise _unsafe(target, operation, f"it names {str(value)[:120]!r}, but names of the run start with {target.name_of()!r}")


def _names_in(target: Target, operation: str, body: bytes) -> list[tuple[Any, bool]]:
    """Return each value of a body that a service might read as a name, and whether it is in a member for ARNs."""
    try:
        text = body.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise _unsafe(target, operation, "its body is not UTF-8") from None
    try:
        members = json.loads(text, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        if _CUT_SHORT.fullmatch(text):
            return []
        raise _unsafe(target, operation, "its body has values but is not JSON") from None
    if not isinstance(members, _Members):
        return [(leaf, False) for leaf in json_leaves(members)]
    named = [(value, _NAMES[name.lower()]) for name, value in members if name.lower() in _NAMES]
    return [(leaf, is_arn) for value, is_arn in named for leaf in json_leaves(value)]


def _is_own(target: Target, value: Any, is_arn: bool) -> bool:
    """Whether a value can only name a model of the run: a name or ARN of the run, or a negative number, which no name can be."""
    if isinstance(value, str):
        start = arn(target.region, target.account or "", "model/") if is_arn else ""
        return value.startswith(start) and belongs(value.removeprefix(start), target.name_of())
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0


def _unsafe(target: Target, operation: str, reason: str) -> UnsafeRequestError:
    return UnsafeRequestError(f"{target.name}: {operation} was not sent: {reason}. The check or test that sent it is wrong")
