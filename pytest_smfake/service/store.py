"""What the service keeps: one world for each account and region."""

from __future__ import annotations

import copy
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .arns import arn


class Place(NamedTuple):
    """Where a call goes: worlds of different places share nothing."""

    account: str
    region: str


class Model(Mapping[str, Any]):
    """A model kept by the fake: a read-only mapping of the request that created it.

    Attributes:
        arn: its ARN.
        created: when it was created, in seconds since the epoch.
        tags: its tags now, as a dict; those of the request are in `model["Tags"]`.
    """

    __slots__ = ("_request", "_tags", "arn", "created", "serial")

    def __init__(self, request: dict[str, Any], arn: str, created: float, serial: int) -> None:
        self._request = request
        self.arn = arn
        self.created = created
        self.serial = serial
        self._tags: dict[str, str] = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()}

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._request["ModelName"])

    @property
    def tags(self) -> dict[str, str]:
        """Its tags now, in the order in which they were added; a copy."""
        return dict(self._tags)

    def set_tags(self, tags: dict[str, str]) -> None:
        """Replace the tags."""
        self._tags = tags

    def __getitem__(self, key: str) -> Any:
        return copy.deepcopy(self._request[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._request)

    def __len__(self) -> int:
        return len(self._request)

    def __repr__(self) -> str:
        return f"<Model {self.arn} {dict(self)!r}>"


class World:
    """The models of one account in one region, in the order of their creation."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.models: dict[str, Model] = {}
        self._by_time: list[tuple[float, int, str]] = []
        self._names: list[str] | None = []
        self._serial = 0

    def arn(self, name: str) -> str:
        """Return the ARN that a model of that name has, or would have, here."""
        return arn(self.place.region, self.place.account, f"model/{name}")

    def add(self, request: dict[str, Any], created: float) -> Model:
        """Keep a model; one of the same name gives way."""
        name = request["ModelName"]
        if name in self.models:
            self.remove(name)
        self._serial += 1
        model = Model(request, self.arn(name), created, self._serial)
        self.models[name] = model
        insort(self._by_time, (created, model.serial, name))
        self._names = None
        return model

    def remove(self, name: str) -> None:
        """Drop a model."""
        model = self.models.pop(name)
        del self._by_time[bisect_left(self._by_time, (model.created, model.serial, name))]
        self._names = None

    def by_time(self) -> list[tuple[float, int, str]]:
        """Return time, serial number and name of every model, oldest first."""
        return self._by_time

    def names(self) -> list[str]:
        """Return the name of every model in order."""
        if self._names is None:
            self._names = sorted(self.models)
        return self._names


class Models(Mapping[str, Model]):
    """The models of one world, read-only, by name and oldest first."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getitem__(self, name: str) -> Model:
        try:
            return self._world.models[name]
        except KeyError:
            known = ", ".join(self) or "none"
            raise KeyError(
                f"no model {name!r} in {self._world.place.region}, account {self._world.place.account}; models: {known}"
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter([name for _, _, name in self._world.by_time()])

    def __len__(self) -> int:
        return len(self._world.models)

    def __contains__(self, name: object) -> bool:
        return name in self._world.models

    def __repr__(self) -> str:
        return f"<Models {self._world.place.region} {self._world.place.account}: {', '.join(self) or 'none'}>"


class Store:
    """Every world of a fake."""

    def __init__(self) -> None:
        self._worlds: dict[Place, World] = {}

    def world(self, place: Place) -> World:
        """Return the world of a place, empty at first."""
        if place not in self._worlds:
            self._worlds[place] = World(place)
        return self._worlds[place]

    def worlds(self) -> list[World]:
        """Return every world that was ever looked at."""
        return list(self._worlds.values())
