"""Recipes for rules that need the state of the account: conditions and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_smfake.spec.conditions import NOT_TAKEN, PACKAGE_REGION, SERVERLESS_ISOLATION, TAGS_IN_ALL, TRANSFORM_INPUT
from pytest_smfake.spec.rules import Rule

from .places import Where
from .recipes import SIDES, Request, Side

Step = tuple[str, Request]
"""An operation and its request."""
Make = Callable[[str], Request]
"""Returns the simplest request of an operation."""


@dataclass(frozen=True, slots=True)
class State:
    """A request, and what has to be there first for it to keep or to break a rule.

    Attributes:
        side, label, how: as of a `Recipe`.
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


NEEDS = {
    "CreateModel": (),
    "CreateEndpointConfig": ("CreateModel",),
    "CreateEndpoint": ("CreateModel", "CreateEndpointConfig"),
    "UpdateEndpoint": ("CreateModel", "CreateEndpointConfig", "CreateEndpoint"),
    "UpdateEndpointWeightsAndCapacities": ("CreateModel", "CreateEndpointConfig", "CreateEndpoint"),
    "CreateTransformJob": ("CreateModel",),
}
"""The operations that have to be called before, each with its simplest request, which all speak of the same names."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where the calls are made, and what makes their requests."""

    region: str
    account: str
    make: Make

    def needs(self, operation: str) -> tuple[Step, ...]:
        """Return the calls that an operation needs before."""
        return tuple((name, self.make(name)) for name in NEEDS[operation])

    def arn(self, resource: str, region: str = "") -> str:
        """Return the ARN of a resource of SageMaker."""
        return f"arn:aws:sagemaker:{region or self.region}:{self.account}:{resource}"


def states(rule: Rule, account: Account) -> Iterator[State]:
    """Yield what keeps and what breaks a condition.

    Raises:
        LookupError: nobody wrote a recipe.
    """
    recipes = {rule.id: _not_taken for rule in NOT_TAKEN.values()} | {
        PACKAGE_REGION.id: _package_region,
        TAGS_IN_ALL.id: _tags_in_all,
        SERVERLESS_ISOLATION.id: _serverless_isolation,
        TRANSFORM_INPUT.id: _objects_found,
    }
    if rule.id not in recipes:
        raise LookupError(f"there is no recipe for {rule.id}: write one in states.py")
    return recipes[rule.id](rule, account)


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
