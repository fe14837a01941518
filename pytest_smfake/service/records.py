"""Plain records: the operations of a kind that follow from the shapes of its requests and answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pytest_smfake.rules.service_model import is_operation, operation_model

from .context import Answer, Context
from .paging import list_page
from .resources import Kind, Operation


def operations_of(kind: Kind[Any]) -> Mapping[str, Operation]:
    """Return the operations of a kind: those that it has itself, and those of a plain record that the service has."""
    plain = {f"Create{kind.noun}": create, f"Describe{kind.noun}": describe, f"List{kind.noun}s": list_, f"Delete{kind.noun}": delete}
    derived: dict[str, Operation] = {name: partial(function, kind) for name, function in plain.items() if is_operation(name)}
    return {**derived, **kind.operations}


def create(kind: Kind[Any], request: dict[str, Any], context: Context) -> Answer:
    """Keep a record. The order of the conditions is assumed: the name, the limit."""
    collection, name = context.world[kind], request[kind.member]
    context.refuse_taken(collection, name)
    if kind.plural in kind.quotas:
        context.limits.check(kind.plural, context.world)
    resource = collection.add(kind.holds(name, request, collection.arn(name), context.now()))
    return {f"{kind.noun}Arn": resource.arn}


def describe(kind: Kind[Any], request: dict[str, Any], context: Context) -> Answer:
    """Return a record: what its answer shares with the request, and what the service adds."""
    resource = context.world[kind].find(request[kind.member])
    return kind.described(resource, operation_model(f"Describe{kind.noun}").output_shape)


def list_(kind: Kind[Any], request: dict[str, Any], context: Context) -> Answer:
    """Return a page of records."""
    operation = f"List{kind.noun}s"
    resources, token = list_page(operation, context.world[kind], request)
    (member, shape), *_ = ((name, shape) for name, shape in operation_model(operation).output_shape.members.items() if name != "NextToken")
    return {member: [kind.described(resource, shape.member) for resource in resources]} | token


def delete(kind: Kind[Any], request: dict[str, Any], context: Context) -> Answer:
    """Drop a record, also one that is in use; the service answers with an empty body."""
    collection = context.world[kind]
    collection.remove(collection.find(request[kind.member]).name)
    return None
