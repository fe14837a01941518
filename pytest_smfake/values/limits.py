"""Recipes for the account's limits: a call that just keeps one, and a call that exceeds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_smfake.spec.rules import Rule

from .recipes import SIDES, Request
from .states import Account, State, Step, objects_of

MEMORY = "Memory size in MB per serverless endpoint"
LIMITED: dict[str, tuple[str, ...]] = {
    "CreateModel": ("models",),
    "CreateEndpointConfig": ("endpoint-configs",),
    "CreateEndpoint": ("endpoints", "instances", "serverless-memory"),
    "UpdateEndpoint": ("instances",),
    "UpdateEndpointWeightsAndCapacities": ("instances",),
    "CreateTransformJob": ("instances",),
}
"""What is limited for each operation."""


def limit_rules(operation: str) -> list[Rule]:
    """Return a rule for each limit that an operation can meet. Its bound is that of the cases, 2 instances or 1 of the rest."""
    documented = operation == "CreateModel"
    source = "CreateModel page, ResourceLimitExceeded" if documented else f"botocore service-2.json, errors of {operation}"
    bounds = {"instances": 2, "serverless-memory": 1024}
    return [
        Rule(
            f"{operation}:limit-{name}",
            operation,
            "",
            f"limit-{name}",
            bounds.get(name, 1),
            "limit",
            "documented" if documented else "modelled",
            source,
        )
        for name in LIMITED.get(operation, ())
    ]


def limit_states(rule: Rule, account: Account) -> Iterator[State]:
    """Yield a call that just keeps a limit and one that exceeds it."""
    name = rule.keyword.removeprefix("limit-")
    if name == "instances":
        yield from _instances(rule, account)
    elif name == "serverless-memory":
        yield from _memory(rule, account)
    else:
        yield from _number(rule, name, account)


def _number(rule: Rule, name: str, account: Account) -> Iterator[State]:
    operation = rule.operation
    member = {"models": "ModelName", "endpoint-configs": "EndpointConfigName", "endpoints": "EndpointName"}[name]
    first = account.needs(operation)
    one = account.make(operation)
    other = account.make(operation) | {member: f"{one[member]}-2"}
    yield State("inside", "1", f"the first of the {name}", one, (member,), first, {name: 1})
    yield State(
        "outside", "2", f"the second of the {name}, of which there may be one", other, (member,), (*first, (operation, one)), {name: 1}
    )


def _memory(rule: Rule, account: Account) -> Iterator[State]:
    for side, size in zip(SIDES, (1024, 2048), strict=True):
        model, (operation, config) = account.needs("CreateEndpoint")
        serverless = {"MemorySizeInMB": size, "MaxConcurrency": 1}
        config["ProductionVariants"] = [_variant(config) | {"ServerlessConfig": serverless}]
        how = f"an endpoint with {size} MB of memory, of 1024 that it may have"
        request = account.make("CreateEndpoint")
        yield State(side, str(size), how, request, ("EndpointConfigName",), (model, (operation, config)), {MEMORY: 1024})


def _variant(config: Request) -> dict[str, Any]:
    return {name: config["ProductionVariants"][0][name] for name in ("VariantName", "ModelName")}


def _instances(rule: Rule, account: Account) -> Iterator[State]:
    operation = rule.operation
    for side, count in zip(SIDES, (2, 3), strict=True):
        how = f"{count} instances in all, of 2 that there may be"
        request = account.make(operation)
        first = account.needs(operation)
        if operation == "CreateTransformJob":
            resources = request["TransformResources"]
            resources["InstanceCount"] = count
            limits = {f"{resources['InstanceType']} for transform job usage": 2}
            yield State(side, str(count), how, request, ("TransformResources", "InstanceCount"), first, limits, objects_of(request))
            continue
        variant = first[1][1]["ProductionVariants"][0]
        limits = {f"{variant['InstanceType']} for endpoint usage": 2}
        where: tuple[str | int, ...] = ("EndpointConfigName",)
        if operation == "CreateEndpoint":
            variant["InitialInstanceCount"] = count
        elif operation == "UpdateEndpoint":  # what runs counts beside what comes
            first, request = _with_update(first, request, count - 1)
        else:
            request["DesiredWeightsAndCapacities"] = [{"VariantName": variant["VariantName"], "DesiredInstanceCount": count}]
            where = ("DesiredWeightsAndCapacities", 0, "DesiredInstanceCount")
        yield State(side, str(count), how, request, where, first, limits)


def _with_update(first: tuple[Step, ...], request: Request, count: int) -> tuple[tuple[Step, ...], Request]:
    operation, config = first[1]
    name = f"{config['EndpointConfigName']}-2"
    variant = config["ProductionVariants"][0] | {"InitialInstanceCount": count}
    more = config | {"EndpointConfigName": name, "ProductionVariants": [variant]}
    return (*first, (operation, more)), request | {"EndpointConfigName": name}
