"""The fake itself: what a test holds in its hand."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from contextlib import ContextDecorator
from typing import TYPE_CHECKING, Any, Self

from .service.arns import access_key_of, partition_of
from .service.clock import Clock
from .service.core import Service
from .service.errors import ServiceError
from .service.limits import Limit
from .service.store import Models, Place
from .spec.catalogue import Catalogue, catalogue
from .spec.rules import Edition
from .transport import botocore as transport
from .transport.clients import Loans
from .transport.credentials import SECRET, put_back, set_aside

if TYPE_CHECKING:
    from .service.calls import Calls

DNS_SUFFIXES = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}


class FakeSageMaker(ContextDecorator):
    """An in-process SageMaker for CreateModel and what belongs to a model, active inside a `with` block.

    While it is active every SageMaker call of every boto3 client in the process is answered by it, and no other AWS call
    leaves the process unless another mock answers it. It also decorates a function: each call has a world of its own.

    Args:
        region: the region of a call that names none, and of `client()`.
        account: the account of credentials that name none; 12 digits.
        edition: `page`, the documented page over the SDK's model, or `sdk`, the model alone.
        rules: bounds by rule id that replace the edition's; None switches a rule off.
        limits: bounds on what each account may have in a region: `{"models": 5, "models@eu-west-1": 2}`.
        allow: hosts, or `host:port`, that calls may reach; `*` stands for any characters.
        real_sleep: whether the sleeps of retries and waiters take real time; else they advance `clock`.
        clock: the clock to share with another fake; one of its own by default.

    Raises:
        ValueError: an argument that cannot be; the sentence names it and what would be right.

    Example:
        >>> import boto3
        >>> from pytest_smfake import FakeSageMaker
        >>> with FakeSageMaker() as fake:
        ...     client = boto3.client("sagemaker", region_name="us-east-1")
        ...     arn = client.create_model(**fake.request(ModelName="churn"))["ModelArn"]
        >>> arn
        'arn:aws:sagemaker:us-east-1:123456789012:model/churn'
    """

    def __init__(
        self,
        *,
        region: str = "us-east-1",
        account: str = "123456789012",
        edition: Edition = "page",
        rules: Mapping[str, Any] | None = None,
        limits: Mapping[str, int] | None = None,
        allow: Iterable[str] = (),
        real_sleep: bool = False,
        clock: Clock | None = None,
    ) -> None:
        if not isinstance(region, str) or not re.fullmatch(r"[a-z][a-z0-9-]*[0-9]", region):
            raise ValueError(f"{region!r} is not the name of a region; one looks like us-east-1")
        if not isinstance(account, str) or not re.fullmatch(r"[0-9]{12}", account):
            raise ValueError(f"{account!r} is not an account id, which is a string of 12 digits")
        for name, mapping in (("rules", rules), ("limits", limits)):
            if mapping is not None and not isinstance(mapping, Mapping):
                raise ValueError(f"{name}={mapping!r} is not a dict")
        if isinstance(allow, str) or not all(isinstance(host, str) for host in allow):
            raise ValueError(f"allow={allow!r} is not a list of hosts, such as ['minio.internal:9000']")
        self.region = region
        self.account = account
        self.home = Place(account, region)
        self.allow = tuple(allow)
        self.real_sleep = real_sleep
        self.clock = clock or Clock()
        self.quotas: dict[Any, int] = {}
        self.thread: int | None = None
        self.service = Service(Catalogue(edition, rules) if rules else catalogue(edition), limits or {}, self.clock)
        self._arguments: dict[str, Any] = {
            "region": region,
            "account": account,
            "edition": edition,
            "rules": rules,
            "limits": limits,
            "allow": self.allow,
            "real_sleep": real_sleep,
            "clock": clock,
        }
        self._variables: dict[str, str | None] = {}
        self._loans = Loans()

    def __repr__(self) -> str:
        return f"<FakeSageMaker {self.account} {self.region}, edition {self.edition}>"

    def _recreate_cm(self) -> FakeSageMaker:
        return FakeSageMaker(**self._arguments)

    def __enter__(self) -> Self:
        transport.activate(self)
        self._variables = set_aside(self.account)
        return self

    def __exit__(self, *exc: object) -> None:
        put_back(self._variables)
        self._refill()
        self._loans.take_back()
        transport.deactivate(self)

    @property
    def edition(self) -> Edition:
        """The edition of the rules in force."""
        return self.service.catalogue.edition

    @property
    def catalogue(self) -> Catalogue:
        """The rules in force."""
        return self.service.catalogue

    @property
    def calls(self) -> Calls:
        """Every call that arrived, in order: `fake.calls[-1].operation`, `.parameters`, `.response`, `.error`, ..."""
        return self.service.calls

    @property
    def models(self) -> Models:
        """The models of the fake's own account and region, by name; for others see `at`."""
        return self.at().models

    def at(self, *, region: str | None = None, account: str | None = None) -> View:
        """Return the view of another region or account: `fake.at(region="eu-west-1").models`."""
        return View(self.service, Place(account or self.account, region or self.region))

    def reset(self) -> None:
        """Forget all models, calls and limits but those given to `FakeSageMaker`. The clock goes on."""
        self._refill()
        self.service.reset()

    def limit(
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
        """Limit how many of something an account may have in a region, from now on.

        Args:
            key: what is limited: `models`.
            bound: how many there may be; None lifts the limit.
            used: how many are in use at this moment, made up; by default those that the fake holds.
            region: where the limit holds; everywhere by default.
            account: whose limit it is; everybody's by default.
            name: the quota's name in the error's text; the default is assumed.
            unit: the quota's unit in the error's text; the default is assumed.

        Returns:
            The limit, which `stop()` ends; in a `with` statement it ends with the block.

        Raises:
            ValueError: a key that is not limited here, or a negative number.

        Example:
            >>> with FakeSageMaker() as fake, fake.limit("models", 0):
            ...     client = fake.client()
            ...     try:
            ...         client.create_model(**fake.request())
            ...     except client.exceptions.ResourceLimitExceeded as error:
            ...         print(str(error)[:62])
            An error occurred (ResourceLimitExceeded) when calling the Cre
        """
        return self.service.limits.set(key, bound, used=used, region=region, account=account, name=name, unit=unit)

    def request(self, **overrides: Any) -> dict[str, Any]:
        """Return a valid CreateModel request; an override of None leaves the member out.

        Example:
            >>> sorted(FakeSageMaker().request(ModelName="churn", Tags=[]))
            ['ExecutionRoleArn', 'ModelName', 'PrimaryContainer', 'Tags']
        """
        request = {
            "ModelName": "model",
            "PrimaryContainer": {"Image": self.image, "ModelDataUrl": self.model_data_url},
            "ExecutionRoleArn": self.role_arn,
        }
        return {name: value for name, value in (request | overrides).items() if value is not None}

    @property
    def role_arn(self) -> str:
        """The ARN of a role that a request may name."""
        return f"arn:{partition_of(self.region)}:iam::{self.account}:role/SageMakerExecutionRole"

    @property
    def image(self) -> str:
        """An image that a container may name."""
        suffix = DNS_SUFFIXES.get(partition_of(self.region), "amazonaws.com")
        return f"{self.account}.dkr.ecr.{self.region}.{suffix}/model:1"

    @property
    def model_data_url(self) -> str:
        """An artifact that a container may name."""
        return f"s3://sagemaker-{self.region}-{self.account}/model.tar.gz"

    def add_model(self, **request: Any) -> None:
        """Create a model without a client and without an entry in `calls`; what is left out is as in `request()`.

        Raises:
            ValueError: the service would reject it; the sentence is the service's.

        Example:
            >>> fake = FakeSageMaker()
            >>> fake.add_model(ModelName="churn")
            >>> fake.models["churn"].arn
            'arn:aws:sagemaker:us-east-1:123456789012:model/churn'
        """
        self.at().add_model(**self.request(**request))

    def client(self, service: str = "sagemaker", *, account: str | None = None, **arguments: Any) -> Any:
        """Return an ordinary boto3 client, made once and kept: a new one takes 6 ms, the first 200 ms.

        Args:
            service: the service, as boto3 names it.
            account: the account that its credentials belong to; the fake's by default.
            arguments: what `boto3.client` takes; `region_name` is the fake's region by default.
        """
        account = account or self.account
        arguments = {"region_name": self.region, "aws_access_key_id": access_key_of(account), "aws_secret_access_key": SECRET} | arguments
        return self._loans.lend(service, arguments)

    def _refill(self) -> None:
        """Give the retry quotas of clients back what this world used, so that none leaks into another."""
        for quota, available in self.quotas.items():
            quota._available_capacity = available
        self.quotas.clear()


class View:
    """One account and region of a fake.

    Attributes:
        models: its models, by name and oldest first.
    """

    def __init__(self, service: Service, place: Place) -> None:
        self._service = service
        self._place = place
        self.models = Models(service.store.world(place))

    def add_model(self, **request: Any) -> None:
        """Create a model here; the request is taken as it is (see `FakeSageMaker.add_model`)."""
        own = copy.deepcopy(request)
        try:
            self._service.check("CreateModel", own)
            self._service.execute("CreateModel", own, self._place)
        except ServiceError as error:
            raise ValueError(error.text) from None

    def __repr__(self) -> str:
        return f"<View {self._place.account} {self._place.region}: {self.models!r}>"
