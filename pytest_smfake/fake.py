"""The fake itself: what a test holds in its hand."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .classes import decorate_class
from .controls import Controls
from .decorators import decorate_function
from .service.arns import access_key_of
from .service.clock import Clock
from .service.core import Service
from .service.places import check_account, check_region
from .service.store import Place
from .settings import Settings
from .spec.catalogue import Catalogue, catalogue
from .spec.rules import Edition
from .transport import activation
from .transport.active import active, fakes
from .transport.clients import Loans, refuse_after_the_end
from .transport.signatures import AccessKey, Auth, Signatures
from .transport.sigv4 import SECRET
from .views import View

if TYPE_CHECKING:
    from .service.calls import Calls
    from .transport.active import Entry

T = TypeVar("T")


class FakeSageMaker(Controls, View):
    """An in-process SageMaker for models, endpoints and transform jobs, active inside a `with` block.

    While it is active every SageMaker call of every boto3 client in the process is answered by it, and no other AWS call
    leaves the process unless another mock answers it. `async with`, and `start()` with `stop()`, do the same. It also decorates
    functions of any kind and classes with tests. It is the `View` of its own account and region.

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
        credentials: whether sessions have dummy credentials while it is active; False leaves them none, so that code which gives none
            itself meets botocore's `NoCredentialsError`. The environment holds dummy keys in any case, for other programs.

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
        credentials: bool = True,
    ) -> None:
        self.settings = Settings(
            region=region,
            account=account,
            edition=edition,
            rules=rules,
            limits=limits,
            faults=faults,
            auth=auth,
            keys=keys,
            allow=allow,
            real_sleep=real_sleep,
            clock=clock,
            credentials=credentials,
        )
        self.clock = clock or Clock()
        service = Service(Catalogue(edition, rules) if rules else catalogue(edition), limits or {}, self.clock, self._s3)
        super().__init__(service, Place(account, region))
        self.signatures = Signatures(auth, {} if keys is None else keys, self.clock)
        self._put_in_force(self.settings.faults)
        self.allow = tuple(self.settings.allow)
        self.real_sleep = real_sleep
        self.credentials = credentials
        self.quotas: dict[Any, int] = {}
        self.entry: Entry | None = None
        self._loans = Loans()
        self._has_ended = False
        self.s3: Any = None
        """The boto3 client by which transform jobs read and write; None for one that moto, or a host in `allow`, answers."""

    def __repr__(self) -> str:
        return f"<FakeSageMaker {self.account} {self.region}, edition {self.edition}>"

    def __enter__(self) -> Self:
        caller = sys._getframe(1)
        activation.check(self, caller)
        try:
            activation.activate(self, caller)
            self._has_ended = False
            return self
        except BaseException:
            self._leave()
            raise

    def __exit__(self, exc_type: object = None, *exc: object) -> None:
        try:
            self._leave()
        except BaseException:
            self._leave()  # an interrupt, or an error of a stand-in, leaves nothing half done
            raise
        if exc_type is None:
            self.verify_faults()

    def _leave(self) -> None:
        """Let go of everything, first of what others share; it may be called again, and after an error halfway."""
        activation.deactivate(self)
        self._has_ended = True
        self._refill()
        self._loans.take_back()
        self.service.stand_ins.close()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, exc_type: object = None, *exc: object) -> None:
        self.__exit__(exc_type, *exc)

    def start(self) -> Self:
        """Activate the fake until `stop()`, and return it: for what has no block, such as a `setUp`.

        Raises:
            RuntimeError: it is active already, or another is in another thread.

        Example:
            >>> fake = FakeSageMaker().start()
            >>> fake.client().list_models()["Models"]
            []
            >>> fake.stop()
        """
        return self.__enter__()

    def stop(self) -> None:
        """End what `start()` began, as the end of a `with` block does.

        Raises:
            RuntimeError: the fake is not active.
            UnusedFaultError: a fault never struck.
        """
        if self not in fakes:
            raise RuntimeError(f"{self!r} is not active: stop() ends what start() began")
        self.__exit__()

    def __call__(self, decorated: T, /) -> T:
        """Decorate a function, or a class with tests: each call, and each test, has a fake of its own, made like this one.

        Args:
            decorated: a function, coroutine function, generator or async generator: the fake is active while the body runs;
                a staticmethod or classmethod of one; or a class with tests, whose hooks for a test run in the test's world.

        Raises:
            TypeError: it is nothing of that.

        Example:
            >>> @FakeSageMaker()
            ... def create(fake=FakeSageMaker()):
            ...     return fake.client().create_model(**fake.request())["ModelArn"]
            >>> create() == create()
            True
        """
        if isinstance(decorated, type):
            return decorate_class(decorated, self._copy)
        return decorate_function(decorated, self._copy)

    def _copy(self, **changed: Any) -> FakeSageMaker:
        """Return a fake made with the settings of this one, but for some."""
        return FakeSageMaker(**self.settings.keywords() | changed)

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
        """Return the view of another region or account, whose resources it holds: `fake.at(region="eu-west-1").models`.

        Raises:
            ValueError: a region or account that cannot be.
        """
        check_region(region)
        check_account(account)
        return View(self.service, Place(account or self.account, region or self.region))

    def reset(self) -> None:
        """Forget all resources, calls, stand-ins, denials, and all limits and failures but the first ones. The clock goes on."""
        self._refill()
        self.service.reset()
        self._put_in_force(self.settings.faults)

    def _s3(self, place: Place) -> Any:
        from .neighbours import S3

        return S3(self.s3 or self.client("s3", account=place.account, region_name=place.region))

    def client(self, service: str = "sagemaker", *, account: str | None = None, **arguments: Any) -> Any:
        """Return an ordinary boto3 client, made once and kept: a new one takes 6 ms, the first 200 ms.

        Args:
            service: the service, as boto3 names it.
            account: the account that its credentials belong to; the fake's by default.
            arguments: what `boto3.client` takes; `region_name` is the fake's region by default.

        Raises:
            RuntimeError: the fake has ended; so do calls of its clients, unless another fake is active.
        """
        self._refuse_after_the_end()
        return self._loans.lend(service, self._client_arguments(account) | arguments)

    def async_client(self, service: str = "sagemaker", *, account: str | None = None, **arguments: Any) -> Any:
        """Return a new aiobotocore client, to be entered with `async with`; it needs the extra `async`.

        Args:
            service: the service, as boto3 names it.
            account: the account that its credentials belong to; the fake's by default.
            arguments: what aiobotocore's `create_client` takes; `region_name` is the fake's region by default.

        Raises:
            ImportError: aiobotocore is not installed.
            RuntimeError: the fake has ended; so do calls of its clients, unless another fake is active.
        """
        self._refuse_after_the_end()
        try:
            from aiobotocore.session import get_session
        except ImportError:
            raise ImportError("async_client needs aiobotocore: pip install 'pytest-smfake[async]'") from None
        session = get_session()
        session.register("before-send", refuse_after_the_end)
        return session.create_client(service, **self._client_arguments(account) | arguments)

    def _refuse_after_the_end(self) -> None:
        if self._has_ended:
            raise RuntimeError(f"{self!r} has ended: nothing would answer a new client of it; make clients while the fake is active")

    def _client_arguments(self, account: str | None) -> dict[str, Any]:
        """Return what a client is made with, unless the caller says otherwise."""
        check_account(account)
        return {"region_name": self.region, "aws_access_key_id": access_key_of(account or self.account), "aws_secret_access_key": SECRET}

    def _refill(self) -> None:
        """Give the retry quotas of clients back what this world used, so that none leaks into another."""
        for quota, available in self.quotas.items():
            quota._available_capacity = available
        self.quotas.clear()


def load() -> None:
    """Load what the first call of a process loads, 100 ms and more: before an example of Hypothesis whose deadline would count it."""
    innermost = active()
    if innermost is None or (innermost.entry is not None and innermost.entry.thread == get_ident()):  # else another thread has it loaded
        _load()


@cache
def _load() -> None:
    import boto3

    with FakeSageMaker() as fake:
        boto3.Session().client("sagemaker", region_name=fake.region)  # as code under test does, which gives its session no loader
        fake.client().create_model(**fake.request())
