"""Account limits: how many of something an account may have in a region."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_smfake.rules.inputs import LARGEST, shown
from pytest_smfake.rules.service_model import enum_of, noun_of, words

from .arns import check_account, check_region
from .errors import ServiceError
from .faults import InForce, Register
from .quotas import (
    ENDPOINT_CONFIGS,
    ENDPOINTS,
    INSTANCES,
    MODELS,
    OTHER,
    SERVERLESS_MEMORY,
    TEXT,
    USAGES,
    instances,
    quota,
    quota_of_instances,
)
from .resources import Place, Store, World

if TYPE_CHECKING:
    from .endpoint import Deployment


def usage(key: str, world: World) -> int:
    """Return how much of a limit a world uses."""
    match key:
        case "models":
            return len(world.models)
        case "endpoint-configs":
            return len(world.endpoint_configs)
        case "endpoints":
            return len(world.endpoints)
    found = INSTANCES.fullmatch(key)
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
        enforce: whether calls that exceed it are refused.
    """

    key: str
    bound: int | None
    name: str
    unit: str
    region: str | None = None
    account: str | None = None
    enforce: bool = True
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
        enforce: bool = True,
    ) -> Limit:
        """Put a limit in force; see `FakeSageMaker.limit`."""
        if isinstance(key, str):
            key, at, suffix = key.partition("@")
            region = suffix if at and region is None else region
        known = quota(key)
        for label, number in (("limit", bound), ("utilisation", used)):
            whole = isinstance(number, int) and not isinstance(number, bool)
            if number is not None and not (whole and 0 <= number <= LARGEST):
                most = f" and at most {LARGEST}" if whole and number > LARGEST else ""
                raise ValueError(f"a {label} on {key} is a whole number of at least 0{most}, not {shown(number)}")
        if not isinstance(enforce, bool):
            raise ValueError(f"enforce={shown(enforce)} is not True or False")
        for label, text in (("name", name), ("unit", unit)):
            if text is not None and not (isinstance(text, str) and text.strip()):
                raise ValueError(f"{label}={shown(text)} is not a text for the error of a limit, such as {getattr(known, label)!r}")
        check_region(region, stacklevel=4)
        check_account(account)
        limit = Limit(key, bound, name or known.name, unit or known.unit, region, account, enforce)
        if used is not None:
            # `used` is true at this moment: what the worlds hold now is part of it.
            limit.made_up = {world.place: used - usage(key, world) for world in self._store.worlds()}
            limit.made_up[None] = used
        return self._limits.add(limit)

    def _of(self, key: str, place: Place, *, enforced: bool) -> Limit | None:
        """Return the latest limit on something in a place; one of None lifts those before it."""
        found = (limit for limit in self._limits if limit.applies(key, place) and limit.enforce is enforced)
        limit = next(found, None)
        return None if limit is None or limit.bound is None else limit

    def check(self, key: str, world: World, delta: int = 1) -> None:
        """Refuse what would exceed the limit.

        Raises:
            ServiceError: `ResourceLimitExceeded` with the true utilisation.
        """
        limit = self._of(key, world.place, enforced=True) if self._limits else None
        if limit is None or limit.bound is None:
            return
        used = usage(key, world) + limit.extra(world.place)
        if used + delta > limit.bound:
            text = TEXT.format(name=limit.name, unit=limit.unit, bound=limit.bound, used=used, delta=delta)
            raise ServiceError("ResourceLimitExceeded", text, because=f"limit({limit.key!r}, {limit.bound})")

    def refusal(self, operation: str, request: Any, world: World) -> str:
        """Return the text for a call that is refused on purpose.

        It names the limit that is enforced, and what the world holds of it at this moment. Where none is, it names the one that was
        stated with `enforce=False`, or else the quota's default, of which as much is in use as it takes for the call to exceed it.
        """
        asked = list(_asked(operation, request, world))
        if not asked:
            return _uncounted(operation, request)
        for key, delta in asked:
            limit = self._of(key, world.place, enforced=True)
            if limit is not None:
                used = usage(key, world) + limit.extra(world.place)
                return TEXT.format(name=limit.name, unit=limit.unit, bound=limit.bound, used=used, delta=delta)
        key, delta = asked[0]
        stated = self._of(key, world.place, enforced=False)
        known, used = quota(key), usage(key, world) + (stated.extra(world.place) if stated else 0)
        bound = known.default if stated is None or stated.bound is None else stated.bound
        if used + delta <= bound:
            used = bound
        name, unit = (stated.name, stated.unit) if stated else (known.name, known.unit)
        return TEXT.format(name=name, unit=unit, bound=max(bound, used), used=used, delta=delta)


def _asked(operation: str, request: Any, world: World) -> Iterator[tuple[str, int]]:
    """Yield the limits that a call is counted against, and how much it asks of each; none where this fake does not count it."""
    request = request if isinstance(request, dict) else {}
    match operation:
        case "CreateModel":
            yield MODELS, 1
        case "CreateEndpointConfig":
            yield ENDPOINT_CONFIGS, 1
        case "CreateEndpoint" | "UpdateEndpoint":
            config = world.endpoint_configs.by_name.get(request.get("EndpointConfigName", ""))
            yield from _of_variants(config or {})
            if operation == "CreateEndpoint":
                yield ENDPOINTS, 1
        case "UpdateEndpointWeightsAndCapacities":
            endpoint = world.endpoints.by_name.get(request.get("EndpointName", ""))
            if endpoint is not None and endpoint.deployment is not None:
                yield from _added(endpoint.deployment, request)
        case "CreateTransformJob":
            resources = request.get("TransformResources")
            if isinstance(resources, dict) and resources.get("InstanceType") in enum_of(USAGES["transform job"]):
                yield instances(resources["InstanceType"], "transform job"), resources.get("InstanceCount", 1)


def _of_variants(config: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield what the variants of an endpoint configuration ask for: instances by their type, then memory of serverless ones."""
    variants = [variant for member in ("ProductionVariants", "ShadowProductionVariants") for variant in config.get(member) or ()]
    found: Counter[str] = Counter()
    for variant in variants:
        pools = sorted(variant.get("InstancePools") or (), key=lambda pool: pool["Priority"])
        if instance_type := variant.get("InstanceType") or (pools[0]["InstanceType"] if pools else None):
            found[instances(instance_type, "endpoint")] += variant.get("InitialInstanceCount", 1)
    yield from found.items()
    for variant in variants:
        if serverless := variant.get("ServerlessConfig"):
            yield SERVERLESS_MEMORY, serverless["MemorySizeInMB"]


def _added(deployment: Deployment, request: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield what an update of capacities adds, most first; what adds nothing is refused for one instance."""
    changes = {change["VariantName"]: change for change in request.get("DesiredWeightsAndCapacities") or ()}
    found: Counter[str] = Counter()
    for variant in deployment.variants:
        if held := variant.instances():
            found[instances(held[0], "endpoint")] += changes.get(variant.name, {}).get("DesiredInstanceCount", held[1]) - held[1]
    yield from ((key, max(1, count)) for key, count in found.most_common())


def _uncounted(operation: str, request: Any) -> str:
    """Return the text for a call of what this fake does not count: instances by their type, else the kind that the operation names."""
    noun = words(noun_of(operation), " ")
    found = _instances_in(request)
    if found is None:
        return TEXT.format(name=f"Total number of {noun}s", unit=f"{noun.title()}s", bound=OTHER, used=OTHER, delta=1)
    known = quota_of_instances(instances(found[0], noun))
    return TEXT.format(name=known.name, unit=known.unit, bound=known.default, used=known.default, delta=found[1])


def _instances_in(request: Any) -> tuple[str, int] | None:
    """Return type and number of the first instances that a request asks for, anywhere in it."""
    if isinstance(request, dict):
        if isinstance(request.get("InstanceType"), str):
            return request["InstanceType"], request.get("InstanceCount", 1)
        request = list(request.values())
    return next(filter(None, map(_instances_in, request)), None) if isinstance(request, list) else None
