"""What the service keeps: one world for each account and region."""

from __future__ import annotations

import copy
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from pytest_smfake.rules.service_model import words

from .arns import arn
from .errors import ServiceError

if TYPE_CHECKING:
    from pytest_smfake.rules.coded import Precondition, Setup, State

    from .limits import Quota


class Place(NamedTuple):
    """Where a call goes: worlds of different places share nothing."""

    account: str
    region: str


Operation = Callable[[dict[str, Any], Any], Any]
"""Answers a sound request, given what it works with: see `pytest_smfake.service.context`."""
Asks = Callable[[Mapping[str, Any], "World"], Iterator[tuple[str, int]]]
"""Yields the limits that a call is counted against, and how much it asks of each."""


class Resource(Mapping[str, Any]):
    """A resource kept by the fake: a read-only mapping of the request that created it.

    Attributes:
        name: its name.
        arn: its ARN.
        created, modified: when it was created, and when it last changed, in seconds since the epoch.
        tags: its tags now, as a dict; those of the request are in `resource["Tags"]`.
        note: what happened to it, in more words than the service has; None where there is nothing to say.
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
        """Its tags now, in the order in which they were added; a copy."""
        return dict(self._tags)

    def set_tags(self, tags: dict[str, str]) -> None:
        """Replace the tags."""
        self._tags = tags

    def lasts(self) -> bool:
        """Whether it stays, and may cost, until somebody ends it."""
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
    """A kind of resource: all that the service knows of it.

    Attributes:
        noun: what its operations are about, such as `TransformJob`; other names follow from it.
        label: as the service's texts name it.
        holds: the class of its resources.
        nouns: what its list is about, where that is not the noun and an s, such as `CodeRepositories`.
        missing: what the service says of one that is not there, with blanks for `arn` and `name`.
        taken: the precondition that its name be free.
        taken_text: what the service says of a name that is taken, with blanks for `label` and `arn`.
        needs: the kinds of what has to be there before one can be created, each after those that it needs itself.
        quotas: the quotas that are counted for it, by their limits; that on their number is the limit `plural`.
        instance_types: the shape that lists the types of instances that its resources hold; empty where they hold none.
        asks: what its operations ask of its limits; a creation asks for one of its number unless this says otherwise.
        at_limits: for each limit but that on their number, `instances` for those on instances, yields states at both sides of it.
        filters: by the member of a list's request, whether a resource passes a filter that other kinds have not.
        operations: its operations; those of a plain record follow from the shapes: see `pytest_smfake.service.records`.
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
    asks: Mapping[str, Asks] = field(default_factory=dict)
    at_limits: Mapping[str, Callable[[str, Setup], Iterator[State]]] = field(default_factory=dict)
    filters: Mapping[str, Callable[[R, Any], bool]] = field(default_factory=dict)
    operations: Mapping[str, Operation] = field(default_factory=dict)

    @cached_property
    def slug(self) -> str:
        """How ARNs name it, such as `transform-job`."""
        return words(self.noun, "-")

    @cached_property
    def plural(self) -> str:
        """How limits name it, such as `transform-jobs`."""
        return words(self.nouns or f"{self.noun}s", "-")

    @cached_property
    def listing(self) -> str:
        """The operation that lists them, such as `ListTransformJobs`."""
        return f"List{self.nouns or f'{self.noun}s'}"

    @cached_property
    def member(self) -> str:
        """The request member that holds the name of one."""
        return f"{self.noun}Name"

    @cached_property
    def _own(self) -> Mapping[str, str]:
        """The attributes of a resource that answers show, by their members."""
        noun = self.noun
        return {self.member: "name", f"{noun}Arn": "arn", f"{noun}Status": "status", "FailureReason": "failure_reason"} | TIMES

    def described(self, resource: R, shape: Any) -> dict[str, Any]:
        """Return the members of an answer that follow from its shape: those that the request has, and name, ARN, times, status, reason."""
        found = {}
        for member in shape.members:
            value = getattr(resource, self._own[member], None) if member in self._own else resource.get(member)
            if value is not None:
                found[member] = value
        return found


TIMES = {"CreationTime": "created", "LastModifiedTime": "modified"}


class Collection(Generic[R]):
    """The resources of one kind in one place, in the order of their creation."""

    def __init__(self, place: Place, kind: Kind[R]) -> None:
        self.place = place
        self.kind = kind
        self.by_name: dict[str, R] = {}
        self.seconds = 0.0
        """How long creating, updating, running or deleting one takes, for what begins from now on."""
        self.failing: dict[str, str] = {}
        """Why the next creation or update of one is to fail, by its name."""
        self._by_time: list[tuple[float, int, str]] = []
        self._names: list[str] | None = []
        self._serial = 0

    def arn(self, name: str) -> str:
        """Return the ARN that a resource of that name has, or would have, here."""
        return arn(self.place.region, self.place.account, f"{self.kind.slug}/{name}")

    def find(self, name: str) -> R:
        """Return the resource of a name.

        Raises:
            ServiceError: there is none.
        """
        try:
            return self.by_name[name]
        except KeyError:
            raise ServiceError("ValidationException", self.kind.missing.format(arn=self.arn(name), name=name)) from None

    def add(self, resource: R) -> R:
        """Keep a resource; one of the same name gives way."""
        if resource.name in self.by_name:
            self.remove(resource.name)
        self._serial += 1
        resource.serial = self._serial
        self.by_name[resource.name] = resource
        entry = (resource.created, resource.serial, resource.name)
        if not self._by_time or self._by_time[-1] < entry:  # time does not go back, as a rule
            self._by_time.append(entry)
        else:
            insort(self._by_time, entry)
        self._names = None
        return resource

    def remove(self, name: str) -> None:
        """Drop a resource."""
        resource = self.by_name.pop(name)
        del self._by_time[bisect_left(self._by_time, (resource.created, resource.serial, name))]
        self._names = None

    def by_time(self) -> list[tuple[float, int, str]]:
        """Return time, serial number and name of every resource, oldest first."""
        return self._by_time

    def names(self) -> list[str]:
        """Return the name of every resource in order."""
        if self._names is None:
            self._names = sorted(self.by_name)
        return self._names

    def __len__(self) -> int:
        return len(self.by_name)

    def __contains__(self, name: object) -> bool:
        return name in self.by_name


class World:
    """The resources of one account in one region."""

    def __init__(self, place: Place, kinds: Iterable[Kind[Any]]) -> None:
        self.place = place
        self._collections: dict[Kind[Any], Collection[Any]] = {kind: Collection(place, kind) for kind in kinds}

    def __getitem__(self, kind: Kind[R]) -> Collection[R]:
        return self._collections[kind]

    def collections(self) -> Iterable[Collection[Any]]:
        """Return the resources of every kind."""
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
        kinds: the kinds of resources that it keeps.
    """

    def __init__(self, kinds: Iterable[Kind[Any]]) -> None:
        self.kinds = tuple(kinds)
        self._worlds: dict[Place, World] = {}
        self.prepared: dict[str, dict[str, str]] = {}
        """What a test put there without a call: the first tags of each resource, by its ARN."""

    def world(self, place: Place) -> World:
        """Return the world of a place, empty at first."""
        if place not in self._worlds:
            self._worlds[place] = World(place, self.kinds)
        return self._worlds[place]

    def worlds(self) -> list[World]:
        """Return every world that was ever looked at."""
        return list(self._worlds.values())

    def held(self, home: Place) -> list[str]:
        """Return what lasts and was not prepared, and prepared resources whose tags changed.

        Each is a text such as `model/churn`, or `tags of model/churn`; elsewhere than at `home` the place follows.
        """
        held = []
        for world in self._worlds.values():
            where = "" if world.place == home else f" in {world.place.region} of {world.place.account}"
            for collection in world.collections():
                for resource in collection.by_name.values():
                    label = f"{collection.kind.slug}/{resource.name}{where}"
                    if resource.arn not in self.prepared:
                        held += [label] if resource.lasts() else []
                    elif resource.tags != self.prepared[resource.arn]:
                        held.append(f"tags of {label}")
        return held
