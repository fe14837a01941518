"""Views: how a test reads the resources of a fake, and creates some without a client."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic

from pytest_smfake.rules.endpoints import CAUSES
from pytest_smfake.rules.inputs import near, seconds_of, shown
from pytest_smfake.rules.messages import message
from pytest_smfake.rules.service_model import check_members, words

from .arns import elsewhere
from .endpoints import ENDPOINT, ENDPOINT_CONFIG, Deployment, Endpoint, EndpointConfig, caused
from .errors import ServiceError
from .models import MODEL, Model
from .resources import Kind, R, Scope
from .transform_jobs import TRANSFORM_JOB, TransformJob

if TYPE_CHECKING:
    from .resources import Collection, World
    from .service import Service


class Resources(Mapping[str, R], Generic[R]):
    """The resources of one kind in one account and region, read-only, by name and oldest first."""

    def __init__(self, service: Service, world: World, collection: Collection[R]) -> None:
        self._service = service
        self._world = world
        self._collection = collection

    def _now(self) -> Collection[R]:
        """Run the due actions, then return the collection."""
        self._service.hosting.schedule.run()
        return self._collection

    def __getitem__(self, name: str) -> R:
        try:
            return self._now().by_name[name]
        except KeyError:
            raise KeyError(self._unknown(name)) from None

    def _unknown(self, name: str) -> str:
        scope, label = self._collection.scope, self._collection.kind.label
        known = ", ".join(self) or "none"
        scopes = [world.scope for world in self._service.store.worlds() if name in world[self._collection.kind]]
        return f"no {label} {shown(name)} in {scope.region}, account {scope.account}{elsewhere(scopes, scope)}; {self._labels}: {known}"

    def __iter__(self) -> Iterator[str]:
        return iter([name for _, _, name in self._now().by_time()])

    def __len__(self) -> int:
        return len(self._now())

    def __contains__(self, name: object) -> bool:
        return name in self._now()

    def __repr__(self) -> str:
        scope = self._collection.scope
        return f"<{self._labels} of {scope.region} {scope.account}: {', '.join(self) or 'none'}>"

    @property
    def _labels(self) -> str:
        kind = self._collection.kind
        return words(kind.nouns, " ") if kind.nouns else f"{kind.label}s"

    def _take(self, seconds: float) -> None:
        self._collection.seconds = seconds_of(seconds, "a duration is")


class Endpoints(Resources[Endpoint]):
    """The endpoints of one account and region, by name; each has `status`, `failure_reason`, `config_name` and `variants`."""

    def take(self, *, seconds: float) -> None:
        """Set how long creations, updates and deletions take on the fake's clock, from now on; 0 by default.

        Args:
            seconds: the duration, at least 0. With 0 an endpoint is in service, or deleted, at once.

        Raises:
            ValueError: the number is negative or too large.

        Example:
            >>> from pytest_smfake import FakeSageMaker
            >>> with FakeSageMaker() as fake:
            ...     client = fake.client()
            ...     fake.endpoints.take(seconds=600)
            ...     fake.add_endpoint("churn")
            ...     fake.endpoints["churn"].status
            ...     client.get_waiter("endpoint_in_service").wait(EndpointName="churn")
            ...     fake.endpoints["churn"].status
            'Creating'
            'InService'
        """
        self._take(seconds)

    def fail(self, name: str, *, reason: str | None = None, cause: str | None = None) -> None:
        """Let the creation or update of an endpoint fail: the one in progress, else the next one.

        If a creation fails, the endpoint becomes `Failed`. If an update fails, it stays in service with its previous deployment, and
        shows the reason (reported: hashicorp/terraform-provider-aws#39099).

        Args:
            name: the name of the endpoint, which need not exist yet.
            reason: the FailureReason, 1 to 1024 characters of your own.
            cause: in place of a reason, the name of a cause that has the service's text, such as `image-not-found` or `capacity`:
                one of `pytest_smfake.rules.endpoints.CAUSES`. The text names the variant, image and artifact of the endpoint.

        Raises:
            ValueError: the name, reason or cause is invalid, or there are both a reason and a cause.

        Example:
            >>> from pytest_smfake import FakeSageMaker
            >>> fake = FakeSageMaker()
            >>> fake.endpoints.fail("churn", cause="ping-failed")
            >>> fake.add_endpoint("churn")
            >>> fake.endpoints["churn"].failure_reason[:70]
            'The primary container for production variant AllTraffic did not pass t'
        """
        told = _reason(reason, cause, self._collection.scope)
        violations = self._service.catalogue.validate("DescribeEndpoint", {"EndpointName": name})
        if violations:
            raise ValueError(f"{shown(name)} is not a valid name of an endpoint: {message(violations)}")
        endpoint = self.get(name)
        transition = endpoint.transition if endpoint is not None else None
        if endpoint is None or transition is None or transition.deployment is None or transition.status == "Deleting":
            self._collection.failing[name] = told
        else:
            endpoint.finish(round(self._service.clock.now(), 3), told(transition.deployment))


def _reason(reason: str | None, cause: str | None, scope: Scope) -> Callable[[Deployment], str]:
    """Return the function that returns the FailureReason for a deployment."""
    if cause is None:
        if not isinstance(reason, str) or not 0 < len(reason) <= 1024:
            raise ValueError(f"reason must have 1 to 1024 characters, got {shown(reason)}; or give a cause: {', '.join(CAUSES)}")
        text = reason
        return lambda _: text
    if reason is not None:
        raise ValueError(f"give reason= or cause=, not both: reason={shown(reason)}, cause={shown(cause)}")
    if cause not in tuple(CAUSES):
        found = ", ".join(near(cause, CAUSES)) or "none"
        raise ValueError(f"{shown(cause)} is not a cause of failure; near it: {found}; there are: {', '.join(CAUSES)}")
    return caused(cause, scope)


class TransformJobs(Resources[TransformJob]):
    """The transform jobs of one account and region, by name; each has `status`, `failure_reason`, `note` and `written`."""

    def take(self, *, seconds: float) -> None:
        """Set how long jobs run on the fake's clock, from now on; by default they end at once.

        Raises:
            ValueError: the number is negative or too large.
        """
        self._take(seconds)


class View:
    """The resources of one account in one region, and values for requests there.

    Attributes:
        region, account: the region and account.
    """

    def __init__(self, service: Service, scope: Scope) -> None:
        self.service = service
        self.home = scope
        self.account, self.region = scope

    @property
    def _world(self) -> World:
        return self.service.store.world(self.home)

    def resources(self, kind: Kind[R]) -> Resources[R]:
        """Return the resources of a kind, by name and oldest first.

        Raises:
            ValueError: the kind is none that this fake keeps.
        """
        if kind not in self.service.store.kinds:
            known = ", ".join(kept.noun for kept in self.service.store.kinds)
            raise ValueError(f"resources() takes a Kind that the fake keeps, got {shown(kind)}; there are those of {known}")
        return Resources(self.service, self._world, self._world[kind])

    @property
    def models(self) -> Resources[Model]:
        """The models, by name and oldest first."""
        return self.resources(MODEL)

    @property
    def endpoint_configs(self) -> Resources[EndpointConfig]:
        """The endpoint configurations, by name and oldest first."""
        return self.resources(ENDPOINT_CONFIG)

    @property
    def endpoints(self) -> Endpoints:
        """The endpoints, by name and oldest first; `take()` and `fail()` set how long they take and whether they fail."""
        return Endpoints(self.service, self._world, self._world[ENDPOINT])

    @property
    def transform_jobs(self) -> TransformJobs:
        """The transform jobs, by name and oldest first; `take()` sets how long they run."""
        return TransformJobs(self.service, self._world, self._world[TRANSFORM_JOB])

    def request(self, /, **overrides: Any) -> dict[str, Any]:
        """Return a valid CreateModel request; an override of None omits the member.

        Raises:
            ValueError: CreateModel has no such member, at any depth.

        Example:
            >>> from pytest_smfake import FakeSageMaker
            >>> sorted(FakeSageMaker().request(ModelName="churn", Tags=[]))
            ['ExecutionRoleArn', 'ModelName', 'PrimaryContainer', 'Tags']
        """
        check_members("CreateModel", overrides)
        request = {
            "ModelName": "model",
            "PrimaryContainer": {"Image": self.image, "ModelDataUrl": self.model_data_url},
            "ExecutionRoleArn": self.role_arn,
        }
        return {name: value for name, value in (request | overrides).items() if value is not None}

    @property
    def role_arn(self) -> str:
        """A role ARN for requests."""
        return self.home.role_arn

    @property
    def image(self) -> str:
        """An image for containers."""
        return self.home.image

    @property
    def model_data_url(self) -> str:
        """The S3 address of an artifact for containers."""
        return self.home.model_data_url

    def add_model(self, /, **request: Any) -> None:
        """Create a model without a client and without an entry in `calls`. Omitted members have the values of `request()`.

        Raises:
            ValueError: CreateModel has no such member, or the service would reject the request, with the service's text.

        Example:
            >>> from pytest_smfake import FakeSageMaker
            >>> fake = FakeSageMaker()
            >>> fake.add_model(ModelName="churn")
            >>> fake.models["churn"].arn
            'arn:aws:sagemaker:us-east-1:123456789012:model/churn'
        """
        self._execute("CreateModel", self.request(**request))

    def add_endpoint(
        self, name: str = "endpoint", *, model: str | None = None, instance_type: str = "ml.m5.xlarge", count: int = 1
    ) -> None:
        """Create an endpoint with one variant, `AllTraffic`, and its configuration; also a model, unless `model` names one.

        Args:
            name: the name of the endpoint, its configuration and its model.
            model: the name of an existing model to deploy.
            instance_type: the type of its instances.
            count: the number of its instances.

        Raises:
            ValueError: the service would reject the request; the text is the service's.

        Example:
            >>> from pytest_smfake import FakeSageMaker
            >>> fake = FakeSageMaker()
            >>> fake.add_endpoint("churn")
            >>> fake.endpoints["churn"].status, list(fake.models)
            ('InService', ['churn'])
        """
        kinds: tuple[Kind[Any], ...] = (MODEL, ENDPOINT_CONFIG)
        before = {kind: set(self._world[kind].by_name) for kind in kinds}
        try:
            self._add_endpoint(name, model, instance_type, count)
        except ValueError:
            for kind, names in before.items():  # half an endpoint would be in the way of the next try
                for left in set(self._world[kind].by_name) - names:
                    self._world[kind].remove(left)
            raise

    def _add_endpoint(self, name: str, model: str | None, instance_type: str, count: int) -> None:
        if model is None:
            self.add_model(ModelName=name)
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": model or name,
            "InstanceType": instance_type,
            "InitialInstanceCount": count,
        }
        self._execute("CreateEndpointConfig", {"EndpointConfigName": name, "ProductionVariants": [variant]})
        self._execute("CreateEndpoint", {"EndpointName": name, "EndpointConfigName": name})

    def _execute(self, operation: str, request: dict[str, Any]) -> None:
        own = copy.deepcopy(request)
        try:
            self.service.check(operation, own)
            (arn,) = self.service.execute(operation, own, self.home).values()
        except ServiceError as error:
            raise ValueError(error.text) from None
        self.service.store.prepared[arn] = {tag["Key"]: tag["Value"] for tag in own.get("Tags", ())}

    def __repr__(self) -> str:
        return f"<View {self.account} {self.region}: {self.models!r}>"
