"""Account limits of a region, and the quotas behind them: their names, units and defaults in the service's text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_smfake.rules.inputs import LARGEST, check_account, did_you_mean, shown
from pytest_smfake.rules.rule import Evidence
from pytest_smfake.rules.service_model import check_region, enum_of, noun_of, words

from .errors import ServiceError
from .faults import Register, Stoppable
from .resources import Scope, Store, World


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of the service: name, unit and default of a limit. The default is in texts only: a limit is enforced once a test sets it.

    Attributes:
        name, unit: its name and unit in the service's text.
        default: the default value of the limit.
        evidence, source: evidence and source of the default.
        of_request: whether it is one on the size of a single request, however much is in use: its text has another form.
    """

    name: str
    unit: str
    default: int
    evidence: Evidence = "assumed"
    source: str = "made up: no figure is published"
    of_request: bool = False


SERVERLESS_MEMORY = "Memory size in MB per serverless endpoint"
"""A limit on the size of a single request, too; but its text is reported in the form of the others."""
OBSERVED_SIZE = "aws/sagemaker-python-sdk#4939 (GitHub)"
SIZES: dict[str, tuple[Quota, str, tuple[str, ...]]] = {
    quota.name: (quota, operation, path)
    for quota, operation, path in (
        (
            Quota("Size of EBS volume for a processing job instance", "GBs", 1024, "observed", OBSERVED_SIZE, of_request=True),
            "CreateProcessingJob",
            ("ProcessingResources", "ClusterConfig", "VolumeSizeInGB"),
        ),
        (
            Quota(
                "Size of EBS volume for a training job instance",
                "GBs",
                1024,
                "assumed",
                f"by analogy with processing jobs: {OBSERVED_SIZE}",
                of_request=True,
            ),
            "CreateTrainingJob",
            ("ResourceConfig", "VolumeSizeInGB"),
        ),
    )
}
"""By the name of a limit on the size of a single request: its quota, the operation, and where the request has the size.

The fake does not implement these operations: the limit is checked before a call is passed on to another mock."""
UNCOUNTED = 100
"""The default limit on resources that this fake does not count (made up)."""


def quota_of_instances(name: str) -> Quota:
    """Return the quota on instances of a type. The default 0 was observed of new accounts for many types."""
    source = "aws/amazon-sagemaker-examples#307, awsdocs/amazon-sagemaker-developer-guide#70 (GitHub)"
    return Quota(name, "Instances", 0, "observed", source)


INCREASE = (
    "Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS support to "
    "request an increase for this quota."
)
TEXT = (
    "The account-level service limit '{name}' is {bound} {unit}, with current utilization of {used} {unit} and a request delta of "
    "{delta} {unit}. " + INCREASE
)
"""Reported of CreateEndpoint in 2025 (a public log, no stable address); observed with its older ending of CreateTrainingJob
(gabehollombe-aws/jupyter-notebooks#1)."""
TEXT_OF_SIZE = (
    "The request delta of {delta} {unit} for '{name}' is greater than the account-level service-limit of {bound} {unit}. " + INCREASE
)
"""Observed of CreateProcessingJob: aws/sagemaker-python-sdk#4939."""


def instances(instance_type: str, usage: str) -> str:
    """Return the name of the limit on the instances of a type.

    Example:
        >>> instances("ml.m5.xlarge", "endpoint")
        'ml.m5.xlarge for endpoint usage'
    """
    return f"{instance_type} for {usage} usage"


def _sizes(operation: str, request: Any) -> Iterator[tuple[str, int]]:
    """Yield the limits of `SIZES` that a request counts against, and its size."""
    for key, (_, limited, path) in SIZES.items():
        size = request if limited == operation else None
        for name in path:
            size = size.get(name) if isinstance(size, dict) else None
        if isinstance(size, int):
            yield key, size


def _text(named: Quota | Limit, bound: int, used: int, delta: int) -> str:
    form = TEXT_OF_SIZE if named.of_request else TEXT
    return form.format(name=named.name, unit=named.unit, bound=bound, used=used, delta=delta)


def usage(key: str, world: World) -> int:
    """Return the utilisation of a limit in a world."""
    for collection in world.collections():
        if key == collection.kind.plural:
            return len(collection)
    instance_type, _, used_for = key.removesuffix(" usage").partition(" for ")
    return sum(
        resource.instances().get(instance_type, 0)
        for collection in world.collections()
        if collection.kind.instance_types and collection.kind.label == used_for
        for resource in collection.by_name.values()
    )  # the memory of a serverless endpoint is a limit for each endpoint: other endpoints do not count


@dataclass(eq=False)
class Limit(Stoppable):
    """An active limit, until `stop()` or the end of its `with` block; then the limit before it is active again.

    Attributes:
        key: the name of the limit, such as `models` or `ml.m5.xlarge for endpoint usage`.
        bound: the greatest number allowed; None for no limit.
        name, unit: the quota's name and unit in the error text.
        region, account: the region and account that it applies to; None for all.
        enforce: True if calls that exceed it are refused.
        of_request: whether it is one on the size of a single request, however much is in use.
    """

    key: str
    bound: int | None
    name: str
    unit: str
    region: str | None = None
    account: str | None = None
    enforce: bool = True
    of_request: bool = False
    made_up: dict[Scope | None, int] = field(default_factory=dict, repr=False)

    def applies(self, key: str, scope: Scope) -> bool:
        """Return whether it is the limit `key` and applies to the scope."""
        return key == self.key and self.region in (None, scope.region) and self.account in (None, scope.account)

    def extra(self, scope: Scope) -> int:
        """Return the made-up utilisation that is added to the resources of the world."""
        return self.made_up.get(scope, self.made_up.get(None, 0))


class Limits:
    """The active limits of a fake; the latest one that applies decides."""

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
        """Activate a limit; see `FakeSageMaker.limit`."""
        if isinstance(key, str):
            key, at, suffix = key.partition("@")
            region = suffix if at and region is None else region
        known = self._quota(key)
        for label, number in (("limit", bound), ("utilisation", used)):
            whole = isinstance(number, int) and not isinstance(number, bool)
            if number is not None and not (whole and 0 <= number <= LARGEST):
                most = f" and at most {LARGEST}" if whole and number > LARGEST else ""
                raise ValueError(f"a {label} on {key} is a whole number of at least 0{most}, not {shown(number)}")
        if not isinstance(enforce, bool):
            raise ValueError(f"enforce={shown(enforce)} is not True or False")
        for label, text in (("name", name), ("unit", unit)):
            if text is not None and not (isinstance(text, str) and text.strip()):
                raise ValueError(f"{label} must be a string that is not blank, such as {getattr(known, label)!r}; got {shown(text)}")
        check_region(region, stacklevel=4)
        check_account(account)
        limit = Limit(key, bound, name or known.name, unit or known.unit, region, account, enforce, known.of_request)
        if used is not None:
            # `used` is the utilisation now: it includes the resources that the worlds hold.
            limit.made_up = {world.scope: used - usage(key, world) for world in self._store.worlds()}
            limit.made_up[None] = used
        return self._limits.add(limit)

    def _quota(self, key: str) -> Quota:
        """Return the quota behind a limit.

        Raises:
            ValueError: there is no such limit; the text lists the limits.
        """
        quotas = {name: quota for kind in self._store.kinds for name, quota in kind.quotas.items()}
        quotas |= {name: quota for name, (quota, *_) in SIZES.items()}
        shapes = {kind.label: kind.instance_types for kind in self._store.kinds if kind.instance_types}
        match = re.fullmatch(rf"(?P<type>ml\.\S+) for (?P<usage>{'|'.join(shapes)}) usage", key) if isinstance(key, str) else None
        if match is None:
            if isinstance(key, str) and key in quotas:
                return quotas[key]
            known = ", ".join((*quotas, *(instances("ml.m5.xlarge", usage) for usage in shapes)))
            kind = str(key).partition(" ")[0]
            near = did_you_mean(key, [*quotas, *(instances(kind, usage) for usage in shapes)])
            raise ValueError(
                f"{shown(key)} is not a limit{near}; there are: {known}, and the same for other types (for one region: models@eu-west-1)"
            )
        types = enum_of(shapes[match["usage"]])
        if match["type"] not in types:
            near = ", ".join(difflib.get_close_matches(match["type"], types, n=3))
            raise ValueError(f"{shown(match['type'])} is not an instance type for {match['usage']} usage; near it: {near or 'none'}")
        return quota_of_instances(key)

    def _of(self, key: str, scope: Scope, *, enforced: bool) -> Limit | None:
        """Return the latest limit that applies; None if there is none, or if its bound is None, which lifts the earlier limits."""
        found = (limit for limit in self._limits if limit.applies(key, scope) and limit.enforce is enforced)
        limit = next(found, None)
        return None if limit is None or limit.bound is None else limit

    def check(self, key: str, world: World, delta: int = 1) -> None:
        """Check that `delta` more do not exceed the limit.

        Raises:
            ServiceError: `ResourceLimitExceeded` with the current utilisation.
        """
        limit = self._of(key, world.scope, enforced=True) if self._limits else None
        if limit is None or limit.bound is None:
            return
        used = 0 if limit.of_request else usage(key, world) + limit.extra(world.scope)
        if used + delta > limit.bound:
            text = _text(limit, limit.bound, used, delta)
            raise ServiceError("ResourceLimitExceeded", text, because=f"limit({limit.key!r}, {limit.bound})")

    def check_size(self, operation: str, request: Any, world: World) -> None:
        """Check that the size of a request does not exceed a limit on it.

        Raises:
            ServiceError: `ResourceLimitExceeded`.
        """
        for key, delta in _sizes(operation, request) if self._limits else ():
            self.check(key, world, delta)

    def _text_of_size(self, operation: str, request: Any, world: World) -> str | None:
        """Return the text of an injected error about the size of a request; None if the request exceeds no limit on its size."""
        for key, delta in _sizes(operation, request):
            limit = self._of(key, world.scope, enforced=True) or self._of(key, world.scope, enforced=False)
            named = limit or SIZES[key][0]
            bound = SIZES[key][0].default if limit is None or limit.bound is None else limit.bound
            if delta > bound:
                return _text(named, bound, 0, delta)
        return None

    def injected_text(self, operation: str, request: Any, world: World) -> str:
        """Return the text of an injected ResourceLimitExceeded.

        It names the enforced limit and its current utilisation. If there is none, it names the limit that was set with
        `enforce=False`, else the quota's default; then the utilisation is made up so that the call exceeds it.
        """
        asked = list(self._asked(operation, request, world))
        if not asked:
            return self._text_of_size(operation, request, world) or _uncounted(operation, request)
        for key, delta in asked:
            limit = self._of(key, world.scope, enforced=True)
            if limit is not None:
                used = usage(key, world) + limit.extra(world.scope)
                return _text(limit, limit.bound or 0, used, delta)
        key, delta = asked[0]
        stated = self._of(key, world.scope, enforced=False)
        known, used = self._quota(key), usage(key, world) + (stated.extra(world.scope) if stated else 0)
        bound = known.default if stated is None or stated.bound is None else stated.bound
        if used + delta <= bound:
            used = bound
        return _text(stated or known, max(bound, used), used, delta)

    def _asked(self, operation: str, request: Any, world: World) -> Iterator[tuple[str, int]]:
        """Yield the limits that a call counts against, and the amount that it needs of each; nothing if this fake does not count it."""
        request = request if isinstance(request, dict) else {}
        for kind in self._store.kinds:
            if operation in kind.asks:
                yield from kind.asks[operation](request, world)
            elif operation == f"Create{kind.noun}" and kind.plural in kind.quotas:
                yield kind.plural, 1


def _uncounted(operation: str, request: Any) -> str:
    """Return the text for an operation that this fake does not count: on the instances in the request, or on the operation's noun."""
    noun = words(noun_of(operation), " ")
    found = _instances_in(request)
    if found is None:
        return TEXT.format(name=f"Total number of {noun}s", unit=f"{noun.title()}s", bound=UNCOUNTED, used=UNCOUNTED, delta=1)
    known = quota_of_instances(instances(found[0], noun))
    return TEXT.format(name=known.name, unit=known.unit, bound=known.default, used=known.default, delta=found[1])


def _instances_in(request: Any) -> tuple[str, int] | None:
    """Return type and number of the first instances in a request, at any depth; None if there are none."""
    if isinstance(request, dict):
        if isinstance(request.get("InstanceType"), str):
            return request["InstanceType"], request.get("InstanceCount", 1)
        request = list(request.values())
    return next(filter(None, map(_instances_in, request)), None) if isinstance(request, list) else None
