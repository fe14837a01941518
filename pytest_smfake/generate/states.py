"""Examples for rules about the account's state, and for its limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_smfake.rules.preconditions import PACKAGE_REGION, SERVERLESS_ISOLATION, TAGS_IN_ALL, TRANSFORM_INPUT
from pytest_smfake.rules.rule import Rule
from pytest_smfake.rules.service_model import noun_of

from .examples import SIDES, Request, Side
from .mutations import Where

if TYPE_CHECKING:
    from pytest_smfake.service.resources import Kind

Step = tuple[str, Request]
"""An operation and its request."""
Make = Callable[[str], Request]
"""Returns the simplest request of an operation."""


@dataclass(frozen=True, slots=True)
class State:
    """A request, and what has to be there first for it to keep or to break a rule.

    Attributes:
        side, label, how: as of a `Example`.
        request: the request.
        where: the place that decides.
        first: the calls that have to be made before, in order.
        limits: the account's limits, by the keys of `FakeSageMaker.limit`.
        objects: the addresses of the objects that S3 has to hold, and no others; None where nobody looks at S3.
    """

    side: Side
    label: str
    how: str
    request: Request
    where: Where
    first: tuple[Step, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    objects: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Where the calls are made, what makes their requests, and the kinds of resources that there are."""

    region: str
    account: str
    make: Make
    kinds: Sequence[Kind[Any]]

    def needs(self, operation: str) -> tuple[Step, ...]:
        """Return the calls that an operation needs before, each with its simplest request, which all speak of the same names."""
        kind = kind_of(operation, self.kinds)
        own = () if kind is None or operation == f"Create{kind.noun}" else (kind,)
        return tuple((f"Create{needed.noun}", self.make(f"Create{needed.noun}")) for needed in (*(kind.needs if kind else ()), *own))

    def arn(self, resource: str, region: str = "") -> str:
        """Return the ARN of a resource of SageMaker."""
        return f"arn:aws:sagemaker:{region or self.region}:{self.account}:{resource}"


def kind_of(operation: str, kinds: Sequence[Kind[Any]]) -> Kind[Any] | None:
    """Return the kind of resource that an operation is about, None for none of those."""
    return next((kind for kind in kinds if operation in kind.operations or noun_of(operation) == kind.noun), None)


def states(rule: Rule, account: Account) -> Iterator[State]:
    """Yield what keeps and what breaks a condition.

    Raises:
        LookupError: nobody wrote an example.
    """
    if rule.keyword == "not-taken":
        return _not_taken(rule, account)
    examples = {
        PACKAGE_REGION.id: _package_region,
        TAGS_IN_ALL.id: _tags_in_all,
        SERVERLESS_ISOLATION.id: _serverless_isolation,
        TRANSFORM_INPUT.id: _objects_found,
    }
    if rule.id not in examples:
        raise LookupError(f"there is no example for {rule.id}: write one in states.py")
    return examples[rule.id](rule, account)


def _not_taken(rule: Rule, account: Account) -> Iterator[State]:
    operation, request = rule.operation, account.make(rule.operation)
    first = account.needs(operation)
    objects = objects_of(request) if operation == "CreateTransformJob" else None
    yield State("inside", "free", "a name that is free", request, (rule.path,), first, objects=objects)
    taken = (*first, (operation, account.make(operation)))
    yield State("outside", "taken", "the name of one that is there", account.make(operation), (rule.path,), taken, objects=objects)


def _package_region(rule: Rule, account: Account) -> Iterator[State]:
    elsewhere = "us-west-2" if account.region != "us-west-2" else "us-east-1"
    for side, region in zip(SIDES, (account.region, elsewhere), strict=True):
        label = "here" if region == account.region else "elsewhere"
        request = account.make("CreateModel")
        request["PrimaryContainer"] = {"ModelPackageName": account.arn("model-package/a/1", region)}
        yield State(side, label, f"a model package of {region}", request, ("PrimaryContainer", "ModelPackageName"))


def _tags_in_all(rule: Rule, account: Account) -> Iterator[State]:
    arn, most = account.arn("model/a"), rule.bound
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(most + 1)]
    there = [tags[start : start + 50] for start in range(0, max(most - 1, 0), 50)]
    if there:
        there[-1] = [tag for tag in there[-1] if tag in tags[: most - 1]]
    before = (*account.needs("CreateTransformJob"), *(("AddTags", {"ResourceArn": arn, "Tags": some}) for some in there))
    for side, count in zip(SIDES, (most, most + 1), strict=True):
        request = {"ResourceArn": arn, "Tags": tags[max(most - 1, 0) : count]}
        yield State(side, str(count), f"{count} tags in all", request, ("Tags",), before)


def _serverless_isolation(rule: Rule, account: Account) -> Iterator[State]:
    for side, label in zip(SIDES, ("connected", "isolated"), strict=True):
        model = account.make("CreateModel") | {"EnableNetworkIsolation": label == "isolated"}
        request = account.make("CreateEndpointConfig")
        variant = request["ProductionVariants"][0]
        request["ProductionVariants"] = [
            {
                "VariantName": variant["VariantName"],
                "ModelName": model["ModelName"],
                "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
            }
        ]
        where = ("ProductionVariants", 0, "ModelName")
        yield State(side, label, f"a serverless variant of a model that is {label}", request, where, (("CreateModel", model),))


def objects_of(request: Request) -> tuple[str, ...]:
    """Return the address of the one object that a transform job reads."""
    return (request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"],)


def _objects_found(rule: Rule, account: Account) -> Iterator[State]:
    for side, label in zip(SIDES, ("object", "none"), strict=True):
        request = account.make("CreateTransformJob")
        request["TransformInput"]["DataSource"]["S3DataSource"]["S3DataType"] = "S3Prefix"
        objects = objects_of(request) if label == "object" else ()
        how = f"{len(objects)} objects where the input is"
        where = ("TransformInput", "DataSource", "S3DataSource", "S3Uri")
        yield State(side, label, how, request, where, account.needs("CreateTransformJob"), objects=objects)


MEMORY = "Memory size in MB per serverless endpoint"


def _limited(operation: str, kinds: Sequence[Kind[Any]]) -> Iterator[str]:
    """Yield what is limited for an operation."""
    kind = kind_of(operation, kinds)
    if kind is not None:
        creates = operation == f"Create{kind.noun}"
        if creates and kind.plural in kind.quotas:
            yield kind.plural
        if kind.instance_types and operation in kind.asks:
            yield "instances"
        if creates and MEMORY in kind.quotas:
            yield "serverless-memory"


def limit_rules(operation: str, kinds: Sequence[Kind[Any]]) -> list[Rule]:
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
        for name in _limited(operation, kinds)
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
    member = f"{noun_of(operation)}Name"
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
