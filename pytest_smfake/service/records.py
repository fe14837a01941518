"""Operations that every kind of resource has: create, describe, list and delete, which follow from its shapes, and those on tags."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from pytest_smfake.rules.service_model import is_operation, operation_model

from .context import Answer, Context
from .errors import ServiceError, not_implemented
from .resources import Collection, Kind, Operation, R, Resource, World

PAGE_SIZE = 10
"""The number of resources on a page by default (documented of several lists, assumed of ListModels)."""


def list_page(operation: str, collection: Collection[R], request: dict[str, Any]) -> tuple[list[R], dict[str, str]]:
    """Return a page of resources, and `NextToken` if more follow.

    Filters are applied to the page after it was cut, so that a page can be short or empty and still have a token. This order was
    reported for NameContains of models and endpoints (boto/boto3#1966, #2521); for other filters and lists it is assumed.

    Raises:
        ServiceError: the token belongs to another list, or the request has a filter that is not implemented.
    """
    asked = [name for name in filters_of(operation) if name in request]
    filters = {**FILTERS, **collection.kind.filters}
    if unknown := [name for name in asked if name not in filters]:
        raise not_implemented(f"{operation} with {', '.join(unknown)}")
    by = request.get("SortBy", "CreationTime")
    descending = request.get("SortOrder", "Descending") == "Descending"
    listing = [operation, *collection.scope, by, descending, *(request.get(name) for name in filters_of(operation))]
    after = decode_token(request["NextToken"], listing) if "NextToken" in request else None
    keys: Sequence[Any]
    if by == "Name":
        keys = collection.names()
    elif by == "Status":
        keys = sorted((found.status, found.created, found.serial, name) for name, found in collection.by_name.items())  # type: ignore[attr-defined]  # only lists of resources with a status take it
    elif by == "LastModifiedTime":
        keys = sorted((found.modified, found.serial, name) for name, found in collection.by_name.items())
    else:
        keys = collection.by_time()
    if after is not None and by != "Name":
        after = tuple(after)
    page, more = cut(keys, size=request.get("MaxResults", PAGE_SIZE), after=after, descending=descending)
    found = [collection.by_name[key if by == "Name" else key[-1]] for key in page]
    token = {"NextToken": encode_token(listing, page[-1])} if more else {}
    return [resource for resource in found if all(filters[name](resource, request[name]) for name in asked)], token


NO_FILTERS = ("MaxResults", "NextToken", "SortBy", "SortOrder")
FILTERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "NameContains": lambda resource, text: text in resource.name,
    "StatusEquals": lambda resource, status: status == resource.status,
    "CreationTimeAfter": lambda resource, time: resource.created >= time,
    "CreationTimeBefore": lambda resource, time: resource.created < time,
    "ModifiedTimeAfter": lambda resource, time: resource.modified >= time,
    "ModifiedTimeBefore": lambda resource, time: resource.modified < time,
    "LastModifiedTimeAfter": lambda resource, time: resource.modified >= time,
    "LastModifiedTimeBefore": lambda resource, time: resource.modified < time,
}
"""By member of a list's request, functions that return whether a resource passes the filter. Many lists have these filters."""


@cache
def filters_of(operation: str) -> tuple[str, ...]:
    """Return the members of a list's request that are filters."""
    return tuple(name for name in operation_model(operation).input_shape.members if name not in NO_FILTERS)


def cut(keys: Sequence[Any], *, size: int, after: Any | None, descending: bool) -> tuple[list[Any], bool]:
    """Return a page of sorted keys, and whether more follow.

    `after` is the last key of the previous page. It may have been deleted: the page begins after its position in the order.
    """
    if descending:
        end = len(keys) if after is None else bisect_left(keys, after)
        return list(reversed(keys[max(0, end - size) : end])), end > size
    start = 0 if after is None else bisect_right(keys, after)
    return list(keys[start : start + size]), start + size < len(keys)


def encode_token(listing: Sequence[Any], position: Any) -> str:
    """Return the token for the page after `position`; `listing` identifies the list and its parameters."""
    text = json.dumps([*listing, position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode_token(token: str, listing: Sequence[Any]) -> Any:
    """Return the position in a token.

    Raises:
        ServiceError: `ValidationException`, since the token was not made for this list. Other lists of the service reject a bad
            token; the text is assumed.
    """
    try:
        *found, position = json.loads(base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error):  # not base64, not JSON, or not a list
        found, position = [], None
    if found != json.loads(json.dumps(listing)):
        raise ServiceError("ValidationException", f"Invalid NextToken: {token}")
    return position


def operations_of(kind: Kind[Any]) -> Mapping[str, Operation]:
    """Return the operations of a kind: the default ones that botocore lists for its noun, and its own, which replace them."""
    plain = {
        f"Create{kind.noun}": create,
        f"Describe{kind.noun}": describe,
        kind.listing: list_,
        f"Delete{kind.noun}": delete,
    }
    derived: dict[str, Operation] = {name: partial(function, kind) for name, function in plain.items() if is_operation(name)}
    return {**derived, **kind.operations}


def create(kind: Kind[Any], request: dict[str, Any], context: Context) -> Answer:
    """Create a resource. The order of the preconditions is assumed: the name, the others, the limit."""
    context.refuse_taken(context.world[kind], request[kind.member])
    return add(kind, request, context)


def add(kind: Kind[Any], request: dict[str, Any], context: Context) -> Answer:
    """Keep a record whose name is free, and what it names exists.

    Raises:
        ServiceError: a precondition, or the limit on their number, is broken.
    """
    operation = f"Create{kind.noun}"
    context.check(operation, request)
    if not context.catalogue.preconditions(operation, services=True):
        return _add(kind, request, context)

    def ask_first() -> Answer:
        context.check(operation, request, services=True)
        with context.hosting.lock:
            context.refuse_taken(context.world[kind], request[kind.member])  # another call may have been faster
            return _add(kind, request, context)

    return ask_first


def _add(kind: Kind[Any], request: dict[str, Any], context: Context) -> Answer:
    collection, name = context.world[kind], request[kind.member]
    if kind.plural in kind.quotas:
        context.limits.check(kind.plural, context.world)
    resource = collection.add(kind.holds(name, request, collection.arn(name), context.now()))
    return {f"{kind.noun}Arn": resource.arn}


def describe(kind: Kind[Any], request: dict[str, Any], context: Context) -> Answer:
    """Describe a resource: the members that its answer shares with the request, and those that the service adds."""
    resource = context.world[kind].find(request[kind.member])
    return kind.described(resource, operation_model(f"Describe{kind.noun}").output_shape)


def list_(kind: Kind[Any], request: dict[str, Any], context: Context) -> Answer:
    """List a page of resources."""
    operation = kind.listing
    resources, token = list_page(operation, context.world[kind], request)
    (member, shape), *_ = ((name, shape) for name, shape in operation_model(operation).output_shape.members.items() if name != "NextToken")
    return {member: [kind.described(resource, shape.member) for resource in resources]} | token


def delete(kind: Kind[Any], request: dict[str, Any], context: Context) -> Answer:
    """Delete a resource, even if it is in use. The answer has an empty body."""
    collection = context.world[kind]
    collection.remove(collection.find(request[kind.member]).name)
    return None


TAGS_PAGE_SIZE = 50
"""The number of tags on a page of ListTags by default (assumed: it is the least value of MaxResults)."""


def add_tags(request: dict[str, Any], context: Context) -> Answer:
    """Add tags to a resource; a tag replaces one of the same key."""
    resource = _tagged(request["ResourceArn"], context.world)
    tags = resource.tags | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    context.check("AddTags", request)
    resource.set_tags(tags)
    return {"Tags": _tag_list(tags)}


def list_tags(request: dict[str, Any], context: Context) -> Answer:
    """Return a page of tags, in the order in which they were added (assumed)."""
    resource = _tagged(request["ResourceArn"], context.world)
    tags = _tag_list(resource.tags)
    listing = ["ListTags", resource.arn]
    start = decode_token(request["NextToken"], listing) if "NextToken" in request else 0
    end = start + request.get("MaxResults", TAGS_PAGE_SIZE)
    answer: dict[str, Any] = {"Tags": tags[start:end]}
    if end < len(tags):
        answer["NextToken"] = encode_token(listing, end)
    return answer


def delete_tags(request: dict[str, Any], context: Context) -> Answer:
    """Delete tags by key; unknown keys are ignored (assumed)."""
    resource = _tagged(request["ResourceArn"], context.world)
    resource.set_tags({key: value for key, value in resource.tags.items() if key not in request["TagKeys"]})
    return {}


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def slug_of(arn: str) -> str:
    """Return the kind of resource in an ARN, such as `endpoint-config`."""
    return arn.split(":", 5)[5].split("/", maxsplit=1)[0]


def _tagged(arn: str, world: World) -> Resource:
    resource = world.at(arn)
    if resource is None:
        # Observed of ListTags in boto/boto3#4606; assumed for AddTags and DeleteTags.
        raise ServiceError("ValidationException", "Resource does not exist")
    return resource


TAG_OPERATIONS = {"AddTags": add_tags, "ListTags": list_tags, "DeleteTags": delete_tags}
"""The operations on tags by name."""
