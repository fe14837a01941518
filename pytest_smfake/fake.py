"""The fake itself: what a test holds in its hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import ContextDecorator
from typing import TYPE_CHECKING, Any, Self

from .controls import Controls
from .service.arns import access_key_of
from .service.clock import Clock
from .service.core import Service
from .service.store import Place
from .spec.catalogue import Catalogue, catalogue
from .spec.rules import Edition
from .transport import botocore as transport
from .transport.clients import Loans
from .transport.credentials import SECRET, put_back, set_aside
from .transport.signatures import AccessKey, Auth, Signatures
from .views import View

if TYPE_CHECKING:
    from .service.calls import Calls


class FakeSageMaker(Controls, View, ContextDecorator):
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
        faults: failures from the start: pairs `(operation, code)`, or dicts of the keywords of `fail`.
        auth: `lenient` takes every request, signed or not; `strict` verifies signatures.
        keys: key pairs that are known, by the ids of their access keys: an `AccessKey`, or its secret.
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
        faults: Iterable[tuple[str, str] | Mapping[str, Any]] = (),
        auth: Auth = "lenient",
        keys: Mapping[str, AccessKey | str | Mapping[str, Any]] | None = None,
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
        self.signatures = Signatures(auth, {} if keys is None else keys, self.clock)
        self._initial_faults = tuple(faults)
        self._put_in_force(self._initial_faults)
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
            "faults": self._initial_faults,
            "auth": auth,
            "keys": keys,
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

    def __exit__(self, exc_type: object = None, *exc: object) -> None:
        put_back(self._variables)
        self._refill()
        self._loans.take_back()
        self.service.stand_ins.close()
        transport.deactivate(self)
        if exc_type is None:
            self.verify_faults()

    def verify_faults(self) -> None:
        """Complain of faults that were put in force and never struck; the end of a `with` block and of a test do so by themselves.

        Raises:
            UnusedFaultError: there are some that are not optional.
        """
        self.service.faults.verify()

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
        """Forget all resources, calls, stand-ins, denials, and all limits and failures but the first ones. The clock goes on."""
        self._refill()
        self.service.reset()
        self._put_in_force(self._initial_faults)

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
        return self._loans.lend(service, self._client_arguments(account) | arguments)

    def async_client(self, service: str = "sagemaker", *, account: str | None = None, **arguments: Any) -> Any:
        """Return a new aiobotocore client, to be entered with `async with`; it needs the extra `async`.

        Args:
            service: the service, as boto3 names it.
            account: the account that its credentials belong to; the fake's by default.
            arguments: what aiobotocore's `create_client` takes; `region_name` is the fake's region by default.

        Raises:
            ImportError: aiobotocore is not installed.
        """
        try:
            from aiobotocore.session import get_session
        except ImportError:
            raise ImportError("async_client needs aiobotocore: pip install 'pytest-smfake[async]'") from None
        return get_session().create_client(service, **self._client_arguments(account) | arguments)

    def _client_arguments(self, account: str | None) -> dict[str, Any]:
        """Return what a client is made with, unless the caller says otherwise."""
        return {"region_name": self.region, "aws_access_key_id": access_key_of(account or self.account), "aws_secret_access_key": SECRET}

    def _refill(self) -> None:
        """Give the retry quotas of clients back what this world used, so that none leaks into another."""
        for quota, available in self.quotas.items():
            quota._available_capacity = available
        self.quotas.clear()
