"""Resources, kinds of resources, and the store: one world for each account and region."""

from __future__ import annotations

import copy
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from pytest_smfake.rules.service_model import words

from .arns import DNS_SUFFIXES, arn, partition_of
from .errors import ServiceError

if TYPE_CHECKING:
    from pytest_smfake.rules.coded import Precondition, Setup, State

    from .limits import Quota


class Scope(NamedTuple):
    """The account and region of a call. Worlds of different scopes share nothing."""

    account: str
    region: str

    @property
    def role_arn(self) -> str:
        """A made-up role for requests and texts."""
        return f"arn:{partition_of(self.region)}:iam::{self.account}:role/SageMakerExecutionRole"

    @property
    def image(self) -> str:
        """A made-up image of a container."""
        suffix = DNS_SUFFIXES.get(partition_of(self.region), "amazonaws.com")
        return f"{self.account}.dkr.ecr.{self.region}.{suffix}/model:1"

    @property
    def model_data_url(self) -> str:
        """A made-up S3 address of an artifact."""
        return f"s3://sagemaker-{self.region}-{self.account}/model.tar.gz"


Operation = Callable[[dict[str, Any], Any], Any]
"""A function that answers a valid request; its second argument is a `pytest_smfake.service.context.Context`."""
Demand = Callable[[Mapping[str, Any], "World"], Iterator[tuple[str, int]]]
"""A function that yields the limits that a request counts against, and the amount that it needs of each."""


class Resource(Mapping[str, Any]):
    """A resource of the fake: a read-only mapping of the request that created it.

    Attributes:
        name: its name.
        arn: its ARN.
        created, modified: the times of its creation and of its last change, in seconds since the epoch.
        tags: its current tags as a dict; the tags of the request are in `resource["Tags"]`.
        note: a longer explanation of its state than the service gives, or None.
    """

    note: str | None = None

    __slots__ = ("_request", "_tags", "arn", "created", "modified", "name", "serial")

    def __init__(self, name: str, request: dict[str, Any], arn: str, created: float) -> None:
        self.name = name
        self._request = request
        self.arn = arn
        self.created = self.modified = created
        self.serial = 0
        self._tags: dict[str, str] = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()}

    @property
    def tags(self) -> dict[str, str]:
        """Its current tags in the order in which they were added; a copy."""
        return dict(self._tags)

    def set_tags(self, tags: dict[str, str]) -> None:
        """Replace the tags."""
        self._tags = tags

    def lasts(self) -> bool:
        """Return whether it exists, and may cost money, until somebody deletes it."""
        return True

    def __getitem__(self, key: str) -> Any:
        return copy.deepcopy(self._request[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._request)

    def __len__(self) -> int:
        return len(self._request)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.arn} {dict(self)!r}>"


R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, eq=False, kw_only=True)
class Kind(Generic[R]):
    """A kind of resource: its names, preconditions, quotas and operations.

    Attributes:
        noun: the noun in the names of its operations, such as `EndpointConfig`; other names are derived from it.
        label: its name in the service's texts.
        holds: the class of its resources.
        nouns: the noun in the name of its list, if it is not the noun plus s, such as `CodeRepositories`.
        missing: the service's text about a resource that does not exist, with the fields `{arn}` and `{name}`.
        taken: the precondition that no resource has the name already.
        taken_text: the service's text about a name that is taken, with the fields `{label}` and `{arn}`.
        needs: the kinds whose resources must exist before one of this kind can be created; each stands after the kinds that it needs.
        quotas: its quotas by the name of the limit; the limit on the number of resources is called `plural`.
        instance_types: the shape that lists the instance types of its resources; empty if they have no instances.
        asks: by operation, a function that yields the limits that a request counts against; by default a creation adds 1 to `plural`.
        at_limits: by limit, `instances` for those on instances, a function that yields states at both sides of it; `plural` needs none.
        filters: by member of a list's request, a function that returns whether a resource passes; for filters that other kinds do not have.
        operations: its own operations; the default ones are derived from the shapes, see `pytest_smfake.service.records`.
    """

    noun: str
    label: str
    holds: type[R]
    missing: str
    taken: Precondition
    nouns: str = ""
    taken_text: str = 'Cannot create already existing {label} "{arn}".'
    needs: tuple[Kind[Any], ...] = ()
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    instance_types: str = ""
    asks: Mapping[str, Demand] = field(default_factory=dict)
    at_limits: Mapping[str, Callable[[str, Setup], Iterator[State]]] = field(default_factory=dict)
    filters: Mapping[str, Callable[[R, Any], bool]] = field(default_factory=dict)
    operations: Mapping[str, Operation] = field(default_factory=dict)

    @cached_property
    def slug(self) -> str:
        """Its name in ARNs, such as `endpoint-config`."""
        return words(self.noun, "-")

    @cached_property
    def plural(self) -> str:
        """Its name in limits, such as `endpoint-configs`."""
        return words(self.nouns or f"{self.noun}s", "-")

    @cached_property
    def listing(self) -> str:
        """The operation that lists its resources, such as `ListEndpointConfigs`."""
        return f"List{self.nouns or f'{self.noun}s'}"

    @cached_property
    def member(self) -> str:
        """The member of a request that holds the name of a resource."""
        return f"{self.noun}Name"

    @cached_property
    def _own(self) -> Mapping[str, str]:
        """The attributes of a resource by the members of answers that show them."""
        noun = self.noun
        return {self.member: "name", f"{noun}Arn": "arn", f"{noun}Status": "status", "FailureReason": "failure_reason"} | TIMES

    def described(self, resource: R, shape: Any) -> dict[str, Any]:
        """Return the members of an answer by its shape: those of the request, and name, ARN, times, status and failure reason."""
        found = {}
        for member in shape.members:
            value = getattr(resource, self._own[member], None) if member in self._own else resource.get(member)
            if value is not None:
                found[member] = value
        return found


TIMES = {"CreationTime": "created", "LastModifiedTime": "modified"}


class Collection(Generic[R]):
    """The resources of one kind in one account and region, in the order of their creation."""

    def __init__(self, scope: Scope, kind: Kind[R]) -> None:
        self.scope = scope
        self.kind = kind
        self.by_name: dict[str, R] = {}
        self.seconds = 0.0
        """The seconds that a creation, update, run or deletion takes; it applies to those that begin from now on."""
        self.failing: dict[str, Callable[[Any], str]] = {}
        """By the name of a resource, a function that returns the failure reason for its next creation or update."""
        self._by_time: list[tuple[float, int, str]] = []
        self._names: list[str] | None = []
        self._serial = 0

    def arn(self, name: str) -> str:
        """Return the ARN of a resource of that name, whether it exists or not."""
        return arn(self.scope.region, self.scope.account, f"{self.kind.slug}/{name}")

    def find(self, name: str) -> R:
        """Return the resource of a name.

        Raises:
            ServiceError: it does not exist.
        """
        try:
            return self.by_name[name]
        except KeyError:
            raise ServiceError("ValidationException", self.kind.missing.format(arn=self.arn(name), name=name)) from None

    def add(self, resource: R) -> R:
        """Add a resource; it replaces a resource of the same name."""
        if resource.name in self.by_name:
            self.remove(resource.name)
        self._serial += 1
        resource.serial = self._serial
        self.by_name[resource.name] = resource
        entry = (resource.created, resource.serial, resource.name)
        if not self._by_time or self._by_time[-1] < entry:  # time rarely goes back
            self._by_time.append(entry)
        else:
            insort(self._by_time, entry)
        self._names = None
        return resource

    def remove(self, name: str) -> None:
        """Remove a resource."""
        resource = self.by_name.pop(name)
        del self._by_time[bisect_left(self._by_time, (resource.created, resource.serial, name))]
        self._names = None

    def by_time(self) -> list[tuple[float, int, str]]:
        """Return creation time, serial number and name of every resource, oldest first."""
        return self._by_time

    def names(self) -> list[str]:
        """Return the names of all resources, sorted."""
        if self._names is None:
            self._names = sorted(self.by_name)
        return self._names

    def __len__(self) -> int:
        return len(self.by_name)

    def __contains__(self, name: object) -> bool:
        return name in self.by_name


class World:
    """The resources of one account in one region."""

    def __init__(self, scope: Scope, kinds: Iterable[Kind[Any]]) -> None:
        self.scope = scope
        self._collections: dict[Kind[Any], Collection[Any]] = {kind: Collection(scope, kind) for kind in kinds}

    def __getitem__(self, kind: Kind[R]) -> Collection[R]:
        return self._collections[kind]

    def collections(self) -> Iterable[Collection[Any]]:
        """Return the collection of every kind."""
        return self._collections.values()

    def at(self, arn: str) -> Resource | None:
        """Return the resource of an ARN; None if there is none."""
        name = arn.rpartition("/")[2]
        for collection in self.collections():
            if name in collection and collection.arn(name) == arn:
                resource: Resource = collection.by_name[name]
                return resource
        return None


class Store:
    """Every world of a fake.

    Args:
        kinds: the kinds of resources that it can hold.
    """

    def __init__(self, kinds: Iterable[Kind[Any]]) -> None:
        self.kinds = tuple(kinds)
        self._worlds: dict[Scope, World] = {}
        self.prepared: dict[str, dict[str, str]] = {}
        """By ARN, the first tags of each resource that a test created without a call."""

    def world(self, scope: Scope) -> World:
        """Return the world of an account and region; it is empty at first."""
        if scope not in self._worlds:
            self._worlds[scope] = World(scope, self.kinds)
        return self._worlds[scope]

    def worlds(self) -> list[World]:
        """Return every world that was accessed so far."""
        return list(self._worlds.values())

    def held(self, home: Scope) -> list[str]:
        """Return the resources that calls created and that last, and resources created without a call whose tags changed.

        Each is a text such as `model/churn` or `tags of model/churn`. Outside of the scope `home`, region and account follow.
        """
        held = []
        for world in self._worlds.values():
            where = "" if world.scope == home else f" in {world.scope.region} of {world.scope.account}"
            for collection in world.collections():
                for resource in collection.by_name.values():
                    label = f"{collection.kind.slug}/{resource.name}{where}"
                    if resource.arn not in self.prepared:
                        held += [label] if resource.lasts() else []
                    elif resource.tags != self.prepared[resource.arn]:
                        held.append(f"tags of {label}")
        return held
