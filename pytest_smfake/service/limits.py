"""Account limits: how many of something an account may have in a region."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import Any

from pytest_smfake.spec.model import enum_of, noun_of, words

from .errors import ServiceError
from .inforce import InForce, Register
from .store import Place, Store, World

MODELS = "models"
ENDPOINT_CONFIGS = "endpoint-configs"
ENDPOINTS = "endpoints"
SERVERLESS_MEMORY = "Memory size in MB per serverless endpoint"
QUOTAS = {
    MODELS: ("Total number of models", "Models"),
    ENDPOINT_CONFIGS: ("Total number of endpoint configurations", "Endpoint Configurations"),
    ENDPOINTS: ("Total number of endpoints", "Endpoints"),
    SERVERLESS_MEMORY: (SERVERLESS_MEMORY, "MBs"),
}
"""For each limit the quota's name and unit in the service's text. The memory of a serverless endpoint is reported (a public log,
no stable address); the others are assumed, after the form reported for trial components ('Total number of trial components ...'
is 50 Trial Components). An instance type's quota is its own name, in Instances: 'ml.g6.48xlarge for endpoint usage' (reported)."""

USAGES = {"endpoint": "ProductionVariantInstanceType", "transform job": "TransformInstanceType"}
"""What instances are counted for, and the shape that lists the types."""
_INSTANCES = re.compile(rf"(?P<type>ml\.\S+) for (?P<usage>{'|'.join(USAGES)}) usage")

TEXT = (
    "The account-level service limit '{name}' is {bound} {unit}, with current utilization of {used} {unit} and a request delta of "
    "{delta} {unit}. Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, "
    "contact AWS support to request an increase for this quota."
)
"""Reported of CreateEndpoint in 2025 (a public log, no stable address); observed with its older ending of CreateTrainingJob
(gabehollombe-aws/jupyter-notebooks#1)."""


def instances(instance_type: str, usage: str) -> str:
    """Return the limit on the instances of a type.

    Example:
        >>> instances("ml.m5.xlarge", "endpoint")
        'ml.m5.xlarge for endpoint usage'
    """
    return f"{instance_type} for {usage} usage"


def quota(key: str) -> tuple[str, str]:
    """Return the name and unit of a limit.

    Raises:
        ValueError: there is no such limit; the sentence names those that there are.
    """
    if key in QUOTAS:
        return QUOTAS[key]
    match = _INSTANCES.fullmatch(key)
    if match is None:
        known = ", ".join((*QUOTAS, *(instances("ml.m5.xlarge", usage) for usage in USAGES)))
        raise ValueError(f"{key!r} is not a limit; there are: {known} (for one region: models@eu-west-1)")
    types = enum_of(USAGES[match["usage"]])
    if match["type"] not in types:
        near = ", ".join(difflib.get_close_matches(match["type"], types, n=3))
        raise ValueError(f"{match['type']!r} is not an instance type for {match['usage']} usage; near it: {near or 'none'}")
    return key, "Instances"


def usage(key: str, world: World) -> int:
    """Return how much of a limit a world uses."""
    match key:
        case "models":
            return len(world.models)
        case "endpoint-configs":
            return len(world.endpoint_configs)
        case "endpoints":
            return len(world.endpoints)
    found = _INSTANCES.fullmatch(key)
    if found is None:
        return 0  # the memory of one serverless endpoint: the others do not count
    users = world.endpoints if found["usage"] == "endpoint" else world.transform_jobs
    return sum(user.instances().get(found["type"], 0) for user in users.by_name.values())


@dataclass(eq=False)
class Limit(InForce):
    """A limit in force, until `stop()` or the end of its `with` block; then the one before it holds again.

    Attributes:
        key: what is limited: `models`, `ml.m5.xlarge for endpoint usage`, ...
        bound: how many there may be, None for no limit.
        name, unit: the quota's name and unit in the error's text.
        region, account: where it holds, None for everywhere.
    """

    key: str
    bound: int | None
    name: str
    unit: str
    region: str | None = None
    account: str | None = None
    made_up: dict[Place | None, int] = field(default_factory=dict, repr=False)

    def applies(self, key: str, place: Place) -> bool:
        """Whether the limit speaks of `key` in `place`."""
        return key == self.key and self.region in (None, place.region) and self.account in (None, place.account)

    def extra(self, place: Place) -> int:
        """Return the utilisation made up on top of what the world holds."""
        return self.made_up.get(place, self.made_up.get(None, 0))


class Limits:
    """The limits of a fake, the latest in force first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._limits: Register[Limit] = Register()

    def set(
        self,
        key: str,
        bound: int | None,
        *,
        used: int | None = None,
        region: str | None = None,
        account: str | None = None,
        name: str | None = None,
        unit: str | None = None,
    ) -> Limit:
        """Put a limit in force; see `FakeSageMaker.limit`."""
        key, at, suffix = key.partition("@")
        if at and region is None:
            region = suffix
        default_name, default_unit = quota(key)
        for label, number in (("limit", bound), ("utilisation", used)):
            if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 0):
                raise ValueError(f"a {label} on {key} is a whole number of at least 0, not {number!r}")
        limit = Limit(key, bound, name or default_name, unit or default_unit, region, account)
        if used is not None:
            # `used` is true at this moment: what the worlds hold now is part of it.
            limit.made_up = {world.place: used - usage(key, world) for world in self._store.worlds()}
            limit.made_up[None] = used
        return self._limits.add(limit)

    def check(self, key: str, world: World, delta: int = 1) -> None:
        """Refuse what would exceed the limit.

        Raises:
            ServiceError: `ResourceLimitExceeded` with the true utilisation.
        """
        if not self._limits:
            return
        limit = next((limit for limit in self._limits if limit.applies(key, world.place)), None)
        if limit is None or limit.bound is None:
            return
        used = usage(key, world) + limit.extra(world.place)
        if used + delta > limit.bound:
            text = TEXT.format(name=limit.name, unit=limit.unit, bound=limit.bound, used=used, delta=delta)
            raise ServiceError("ResourceLimitExceeded", text)

    def refusal(self, operation: str, request: Any, world: World) -> str:
        """Return the text for a call that is refused on purpose: the limit it meets is what the world holds at this moment."""
        key, delta = _wanted(operation, request, world)
        if key is None:
            noun = words(noun_of(operation), " ")
            kind, count = _instances_in(request) or (None, delta)
            name, unit = (instances(kind, noun), "Instances") if kind else (f"Total number of {noun}s", f"{noun.title()}s")
            return TEXT.format(name=name, unit=unit, bound=0, used=0, delta=count)
        limit = next((limit for limit in self._limits if limit.applies(key, world.place)), None)
        name, unit = (limit.name, limit.unit) if limit else quota(key)
        used = usage(key, world) + (limit.extra(world.place) if limit else 0)
        return TEXT.format(name=name, unit=unit, bound=used, used=used, delta=delta)


def _wanted(operation: str, request: Any, world: World) -> tuple[str | None, int]:
    """Return which limit a call is counted against, and how much it asks for; None where this fake does not count it."""
    request = request if isinstance(request, dict) else {}
    match operation:
        case "CreateModel":
            return MODELS, 1
        case "CreateEndpointConfig":
            return ENDPOINT_CONFIGS, 1
        case "CreateEndpoint" | "UpdateEndpoint":
            config = world.endpoint_configs.by_name.get(request.get("EndpointConfigName", ""))
            for variant in config["ProductionVariants"] if config else ():
                if "InstanceType" in variant:
                    return instances(variant["InstanceType"], "endpoint"), variant["InitialInstanceCount"]
            return ENDPOINTS, 1
        case "CreateTransformJob":
            resources = request.get("TransformResources")
            if isinstance(resources, dict) and resources.get("InstanceType") in enum_of(USAGES["transform job"]):
                return instances(resources["InstanceType"], "transform job"), resources.get("InstanceCount", 1)
    return None, 1


def _instances_in(request: Any) -> tuple[str, int] | None:
    """Return type and number of the first instances that a request asks for, anywhere in it."""
    if isinstance(request, dict):
        if isinstance(request.get("InstanceType"), str):
            return request["InstanceType"], request.get("InstanceCount", 1)
        return next(filter(None, map(_instances_in, request.values())), None)
    return None
