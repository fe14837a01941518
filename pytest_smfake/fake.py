"""The fake itself: what a test holds in its hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import ContextDecorator
from typing import TYPE_CHECKING, Any, Self

from .service.arns import access_key_of
from .service.clock import Clock
from .service.core import Service
from .service.limits import Limit
from .service.store import Place
from .spec.catalogue import Catalogue, catalogue
from .spec.rules import Edition
from .transport import botocore as transport
from .transport.clients import Loans
from .transport.credentials import SECRET, put_back, set_aside
from .views import View

if TYPE_CHECKING:
    from .service.access import Denial
    from .service.calls import Calls
    from .service.standins import StandIn


class FakeSageMaker(View, ContextDecorator):
    """An in-process SageMaker for models, endpoints and transform jobs, active inside a `with` block.

    While it is active every SageMaker call of every boto3 client in the process is answered by it, and no other AWS call
    leaves the process unless another mock answers it. It also decorates a function: each call has a world of its own. It is
    the `View` of its own account and region.

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
        self.clock = clock or Clock()
        service = Service(Catalogue(edition, rules) if rules else catalogue(edition), limits or {}, self.clock, self._s3)
        super().__init__(service, Place(account, region))
        self.allow = tuple(allow)
        self.real_sleep = real_sleep
        self.quotas: dict[Any, int] = {}
        self.thread: int | None = None
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
        self.s3: Any = None
        """The boto3 client by which transform jobs read and write; None for one that moto, or a host in `allow`, answers."""

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
        self.service.stand_ins.close()
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

    def at(self, *, region: str | None = None, account: str | None = None) -> View:
        """Return the view of another region or account, whose resources it holds: `fake.at(region="eu-west-1").models`."""
        return View(self.service, Place(account or self.account, region or self.region))

    def reset(self) -> None:
        """Forget all resources, calls, stand-ins, denials, and limits but those given to `FakeSageMaker`. The clock goes on."""
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
            key: what is limited: `models`, `endpoint-configs`, `endpoints`, the instances of a type
                (`ml.m5.xlarge for endpoint usage`, `ml.m5.xlarge for transform job usage`), or
                `Memory size in MB per serverless endpoint`.
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

    def stand_in(
        self, model_or_image: str, predict: Callable[..., Any], *, ping: Callable[[], object] | None = None, timeout: float | None = None
    ) -> StandIn:
        """Let Python code play the containers of a model, or of an image.

        Args:
            model_or_image: the name of a model, which is then played as a whole, or an image or model package, which plays
                that container in every model. It need not exist yet; a model's own stand-in comes first, then the latest.
            predict: a function `(body, content_type, accept, context) -> bytes` or `(bytes, content type)`, where `context` is
                an `Invocation`; or a WSGI or ASGI app that answers `GET /ping` and `POST /invocations`.
            ping: for a function, whether the container is healthy; always by default.
            timeout: seconds of real time after which a call that has not returned counts as hanging; None waits for ever.

        Returns:
            The stand-in, which `stop()` ends; in a `with` statement it ends with the block.

        Raises:
            TypeError: `predict` is of none of the three forms.
            ValueError: a name or timeout that cannot be.

        Example:
            >>> with FakeSageMaker() as fake:
            ...     fake.add_endpoint("churn")
            ...     stand_in = fake.stand_in("churn", lambda body, content_type, accept, context: body.upper())
            ...     fake.client("sagemaker-runtime").invoke_endpoint(EndpointName="churn", Body=b"abc")["Body"].read()
            b'ABC'
        """
        return self.service.stand_ins.add(model_or_image, predict, ping=ping, timeout=timeout)

    def deny(self, action: str, *, resource: str = "*") -> Denial:
        """Deny an action from now on.

        Args:
            action: `ecr:BatchGetImage`, which a model's role needs for its image: the endpoint fails; or `sts:AssumeRole` on
                the role: CreateTransformJob is rejected.
            resource: on what; `*` stands for any characters.

        Returns:
            The denial, which `stop()` ends; in a `with` statement it ends with the block.

        Raises:
            ValueError: an action that nothing looks at.
        """
        return self.service.denials.add(action, resource)

    def _s3(self, place: Place) -> Any:
        from .neighbours import S3

        return S3(self.s3 or self.client("s3", account=place.account, region_name=place.region))

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
