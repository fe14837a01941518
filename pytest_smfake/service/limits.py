"""Account limits: how many of something an account may have in a region."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from .errors import ServiceError
from .store import Place, Store

MODELS = "models"
QUOTAS = {MODELS: ("Total number of models", "Models")}
"""For each limit the quota's name and unit in the service's text. That of models is assumed, after the form reported for
trial components ('Total number of trial components ...' is 50 Trial Components)."""

TEXT = (
    "The account-level service limit '{name}' is {bound} {unit}, with current utilization of {used} {unit} and a request delta of "
    "{delta} {unit}. Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, "
    "contact AWS support to request an increase for this quota."
)
"""Reported of CreateEndpoint in 2025 (a public log, no stable address); observed with its older ending of CreateTrainingJob
(gabehollombe-aws/jupyter-notebooks#1)."""


@dataclass(eq=False)
class Limit:
    """A limit in force, until `stop()` or the end of its `with` block; then the one before it holds again.

    Attributes:
        key: what is limited: `models`.
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
    owner: Any = field(default=None, repr=False)

    def applies(self, key: str, place: Place) -> bool:
        """Whether the limit speaks of `key` in `place`."""
        return key == self.key and self.region in (None, place.region) and self.account in (None, place.account)

    def extra(self, place: Place) -> int:
        """Return the utilisation made up on top of what the world holds."""
        return self.made_up.get(place, self.made_up.get(None, 0))

    def stop(self) -> None:
        """End the limit; a second call does nothing."""
        self.owner.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


class Limits:
    """The limits of a fake, the latest in force first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._limits: list[Limit] = []

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
        if key not in QUOTAS:
            raise ValueError(f"{key!r} is not a limit; there are: {', '.join(QUOTAS)} (for one region: models@eu-west-1)")
        for label, number in (("limit", bound), ("utilisation", used)):
            if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 0):
                raise ValueError(f"a {label} on {key} is a whole number of at least 0, not {number!r}")
        quota, plural = QUOTAS[key]
        limit = Limit(key, bound, name or quota, unit or plural, region, account, owner=self)
        if used is not None:
            # `used` is true at this moment: what the worlds hold now is part of it.
            limit.made_up = {world.place: used - len(world.models) for world in self._store.worlds()}
            limit.made_up[None] = used
        self._limits.append(limit)
        return limit

    def remove(self, limit: Limit) -> None:
        """End a limit."""
        if limit in self._limits:
            self._limits.remove(limit)

    def check(self, key: str, place: Place, used: int, delta: int = 1) -> None:
        """Refuse what would exceed the limit.

        Raises:
            ServiceError: `ResourceLimitExceeded` with the true utilisation.
        """
        limit = next((limit for limit in reversed(self._limits) if limit.applies(key, place)), None)
        if limit is None or limit.bound is None:
            return
        used += limit.extra(place)
        if used + delta > limit.bound:
            text = TEXT.format(name=limit.name, unit=limit.unit, bound=limit.bound, used=used, delta=delta)
            raise ServiceError("ResourceLimitExceeded", text)
