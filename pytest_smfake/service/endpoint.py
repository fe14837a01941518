"""An endpoint: what runs on it, and how its status changes."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from .quotas import instances
from .resources import EndpointConfig, Model, Resource


@dataclass(frozen=True, slots=True)
class Variant:
    """A production variant as it runs.

    Attributes:
        config: the variant as the endpoint configuration states it.
        model: its model as it was when the variant was deployed; None for one that hosts inference components.
        weight: its share of the traffic.
        count: how many instances it has, None for a serverless one.
        serverless: its serverless configuration now, None for one on instances.
    """

    config: dict[str, Any]
    model: Model | None
    weight: float
    count: int | None
    serverless: dict[str, Any] | None

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.config["VariantName"])

    def instances(self) -> tuple[str, int] | None:
        """Return type and number of its instances; those of a pool are counted as its first type (assumed)."""
        pools = sorted(self.config.get("InstancePools") or (), key=lambda pool: pool["Priority"])
        instance_type = self.config.get("InstanceType") or (pools[0]["InstanceType"] if pools else None)
        return (instance_type, self.count) if instance_type and self.count else None


@dataclass(frozen=True, slots=True)
class Deployment:
    """An endpoint configuration at work; what it names is copied, so that it outlives what is deleted."""

    config: EndpointConfig
    variants: tuple[Variant, ...]
    shadows: tuple[Variant, ...]
    begun: float

    def instances(self) -> Counter[str]:
        """Return the number of instances by their type."""
        found: Counter[str] = Counter()
        for variant in (*self.variants, *self.shadows):
            if held := variant.instances():
                found[held[0]] += held[1]
        return found

    def variant(self, name: str) -> Variant | None:
        """Return the production variant of a name."""
        return next((variant for variant in self.variants if variant.name == name), None)

    def retaining(self, other: Deployment, excluded: set[str]) -> Deployment:
        """Return this deployment with the variant properties of another kept, but for those excluded."""

        def kept(variant: Variant) -> Variant:
            old = other.variant(variant.name)
            if old is None:
                return variant
            weight = variant.weight if "DesiredWeight" in excluded else old.weight
            count = variant.count if "DesiredInstanceCount" in excluded or old.count is None else old.count
            return replace(variant, weight=weight, count=count)

        return replace(self, variants=tuple(map(kept, self.variants)))


@dataclass(frozen=True, slots=True, eq=False)
class UnderWay:
    """A creation, update or deletion that is going on; `adds` is false where it replaces the instances that run."""

    status: str
    deployment: Deployment | None
    adds: bool = True


class Endpoint(Resource):
    """An endpoint: a read-only mapping of its CreateEndpoint request.

    Attributes:
        name, arn, created, tags: as of every resource.
        status: `Creating`, `Updating`, `InService`, `Failed` or `Deleting`.
        failure_reason: why the last creation or update failed, else None.
        modified: when it last changed, in seconds since the epoch.
        deployment: what runs on it; None until it is in service.
        under_way: the creation, update or deletion that is going on, else None.
    """

    __slots__ = ("choices", "deployment", "failure_reason", "modified", "under_way", "update")

    def __init__(self, name: str, request: dict[str, Any], arn: str, created: float, deployment: Deployment) -> None:
        super().__init__(name, request, arn, created)
        self.failure_reason: str | None = None
        self.modified = created
        self.deployment: Deployment | None = None
        self.under_way: UnderWay | None = UnderWay("Creating", deployment)
        self.update: dict[str, Any] | None = request.get("DeploymentConfig")
        # Seeded by its name: each run of a test sees the same choices.
        self.choices = random.Random(arn)  # noqa: S311  # shares out traffic, guards nothing

    @property
    def status(self) -> str:
        """Its status now."""
        if self.under_way is not None:
            return self.under_way.status
        return "Failed" if self.deployment is None else "InService"

    @property
    def config_name(self) -> str:
        """The name of the endpoint configuration that runs, or is to run first."""
        deployment = self.deployment or (self.under_way.deployment if self.under_way else None)
        return deployment.config.name if deployment is not None else str(self["EndpointConfigName"])

    @property
    def variants(self) -> dict[str, dict[str, Any]]:
        """Weight, number of instances and name of the model of each variant that runs, by its name."""
        return {
            variant.name: {"weight": variant.weight, "count": variant.count, "model": variant.model.name if variant.model else None}
            for variant in (self.deployment.variants if self.deployment else ())
        }

    def instances(self) -> Counter[str]:
        """Return the instances it holds by their type: during an update those of both fleets (documented), failed none (assumed)."""
        found: Counter[str] = Counter()
        coming = self.under_way.deployment if self.under_way else None
        if self.deployment is not None and (coming is None or (self.under_way and self.under_way.adds)):
            found += self.deployment.instances()
        return found + coming.instances() if coming else found

    def lasts(self) -> bool:
        """Whether it stays until somebody deletes it."""
        return self.status != "Deleting"

    def begin(self, under_way: UnderWay, at: float) -> None:
        """Begin an update or deletion."""
        self.under_way = under_way
        self.modified = at

    def settle(self, at: float, reason: str | None) -> None:
        """End the creation or update that is going on; one that failed for a reason leaves what ran before (reported).

        An endpoint whose update failed stays in service and tells the reason: hashicorp/terraform-provider-aws#39099.
        """
        if reason is None and self.under_way is not None:
            self.deployment = self.under_way.deployment
        self.failure_reason = reason
        self.under_way = None
        self.modified = at


def demand(deployment: Deployment) -> dict[str, int]:
    """Return what a deployment asks of each limit on instances."""
    return {instances(instance_type, "endpoint"): count for instance_type, count in deployment.instances().items()}
