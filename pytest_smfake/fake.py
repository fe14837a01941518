"""FakeSageMaker, the fake that tests use, and its methods to inject faults, limits and denied permissions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .clients import activation
from .clients.cache import ClientCache, refuse_after_the_end
from .decorator import decorate_class, decorate_function
from .protocol.active import active, fakes
from .protocol.signatures import SECRET, AccessKey, Auth, Signatures
from .rules.catalogue import Catalogue, catalogue
from .rules.failures import ANY, failure
from .rules.inputs import check_account, did_you_mean, shown
from .rules.rule import Edition
from .rules.service_model import check_region
from .service.arns import access_key_of
from .service.clock import Clock
from .service.context import Dependencies
from .service.faults import Delay, Fault, Throttle
from .service.resources import Scope
from .service.service import Service
from .service.views import View
from .settings import Settings

if TYPE_CHECKING:
    from .protocol.active import Entry
    from .service.calls import Call, Calls
    from .service.faults import Effect
    from .service.limits import Limit
    from .service.permissions import Denial, Policy, Unavailability
    from .service.stand_ins import StandIn

FAULT_KEYWORDS = ("operation", "code", "times", "after", "attempts", "when", "message", "effect", "optional", "unmodelled")


class Controls:
    """The injection methods of a fake. Each returns an object whose `stop()`, or the end of its `with` block, removes it."""

    service: Service

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
        enforce: bool = True,
    ) -> Limit:
        """Set a quota of an account in a region, from now on.

        Args:
            key: the quota: `models`, `endpoint-configs`, `endpoints`, the instances of a type
                (`ml.m5.xlarge for endpoint usage`, `ml.m5.xlarge for transform job usage`), or
                `Memory size in MB per serverless endpoint`. `Size of EBS volume for a processing job instance` (or of a training job)
                is a limit on the size of a single request, before the call is passed on to another mock.
            bound: the maximum; None removes the limit.
            used: a made-up number that is in use now; by default the number of resources in the fake.
            region: the region of the limit; every region by default.
            account: the account of the limit; every account by default.
            name: the quota's name in the error's text; the default is assumed.
            unit: the quota's unit in the error's text; the default is assumed.
            enforce: whether calls that exceed it are refused; False only sets the numbers in the text of
                `fail(..., "ResourceLimitExceeded")`.

        Returns:
            The limit. `stop()`, or the end of a `with` block, removes it.

        Raises:
            ValueError: an unknown key, or an invalid number, region or account.

        Example:
            >>> from pytest_smfake import FakeSageMaker
            >>> with FakeSageMaker() as fake, fake.limit("models", 0):
            ...     client = fake.client()
            ...     try:
            ...         client.create_model(**fake.request())
            ...     except client.exceptions.ResourceLimitExceeded as error:
            ...         print(str(error)[:62])
            An error occurred (ResourceLimitExceeded) when calling the Cre
        """
        return self.service.limits.set(key, bound, used=used, region=region, account=account, name=name, unit=unit, enforce=enforce)

    def stand_in(
        self, model_or_image: str, predict: Callable[..., Any], *, ping: Callable[[], object] | None = None, timeout: float | None = None
    ) -> StandIn:
        """Make Python code answer in place of the containers of a model or an image.

        Args:
            model_or_image: the name of a model, for all its containers together; or an image or model package, for that container in
                every model. It need not exist yet. A model's own stand-in takes precedence, then the latest.
            predict: a function `(body, content_type, accept, context) -> bytes` or `(bytes, content type)`, where `context` is
                an `Invocation`; or a WSGI or ASGI app that answers `GET /ping` and `POST /invocations`.
            ping: for a function as `predict`: returns whether the container is healthy; always by default.
            timeout: seconds of real time after which an unfinished call fails; None waits without limit.

        Returns:
            The stand-in. `stop()`, or the end of a `with` block, removes it.

        Raises:
            TypeError: `predict` is neither a function nor a WSGI or ASGI app.
            ValueError: an invalid name or timeout.

        Example:
            >>> from pytest_smfake import FakeSageMaker
            >>> with FakeSageMaker() as fake:
            ...     fake.add_endpoint("churn")
            ...     stand_in = fake.stand_in("churn", lambda body, content_type, accept, context: body.upper())
            ...     fake.client("sagemaker-runtime").invoke_endpoint(EndpointName="churn", Body=b"abc")["Body"].read()
            b'ABC'
        """
        return self.service.stand_ins.add(model_or_image, predict, ping=ping, timeout=timeout)

    def fail(
        self,
        operation: str,
        code: str,
        *,
        times: int | None = 1,
        after: int = 0,
        attempts: int | None = None,
        when: Callable[[Call], object] | None = None,
        message: str | None = None,
        effect: Effect | None = None,
        optional: bool = False,
        unmodelled: bool = False,
    ) -> Fault:
        """Make calls of an operation fail, also if the operation is passed on to moto.

        A fault is triggered by a call with all its retries, so that the code under test sees it in any retry mode. Several faults make
        a sequence: the second waits until the first is used up, and its `after` counts from then.

        Args:
            operation: the operation, such as `CreateModel`; `*` stands for all operations.
            code: an error that is modelled for the operation or common to all, such as `ResourceLimitExceeded`; an HTTP status
                without a body, `500`, `502`, `503`, `504`; a failure of the connection, `connection-refused`, `connect-timeout`,
                `connection-reset`, `read-timeout`; or a damaged answer, `empty-body`, `truncated-body`, `non-json-body`. Documented
                names that differ from those in responses (`ValidationError`, `RequestExpired`) are accepted.
            times: the number of calls that fail; None for every one.
            after: the number of calls that pass first.
            attempts: fail only that many first attempts of a call, so that a retry can succeed; None for all.
            when: a predicate on the `Call`, which has `parameters`, `region` and `account`; see also `probability`.
            message: the error's text; the service's by default.
            effect: fail `before` the operation takes effect, or `after`: a model is created, but the answer is lost. The default is
                before, and after for a damaged answer.
            optional: whether the fault need not be triggered; else the test fails if it is not.
            unmodelled: whether `code` may be an unknown error.

        Returns:
            The fault. `hits` is the number of calls that triggered it.

        Raises:
            ValueError: an unknown operation or code, an invalid number, or a fault that could never be triggered.
            UnusedFaultError: at the end of its `with` block or of the test: it was never triggered.

        Example:
            >>> from botocore.exceptions import ClientError
            >>> from pytest_smfake import FakeSageMaker
            >>> with FakeSageMaker() as fake:
            ...     fault = fake.fail("CreateModel", "ResourceLimitExceeded", message="No more models.")
            ...     try:
            ...         fake.client().create_model(**fake.request())
            ...     except ClientError as error:
            ...         print(error, fault.hits)
            An error occurred (ResourceLimitExceeded) when calling the CreateModel operation: No more models. 1
        """
        fault = Fault(
            operation=operation,
            code=code,
            times=times,
            after=after,
            attempts=attempts,
            when=when,
            message=message,
            effect=effect,
            optional=optional,
            failure=failure(operation, code, unmodelled=unmodelled),
        )
        self.service.faults.add(fault)
        return fault

    def delay(
        self,
        operation: str,
        seconds: float,
        *,
        times: int | None = None,
        after: int = 0,
        when: Callable[[Call], object] | None = None,
        real: bool = False,
        optional: bool = False,
    ) -> Delay:
        """Delay the answers to calls of an operation, on the fake's clock or in real time.

        A client with a shorter read timeout gives up, as with the service; the operation takes effect nevertheless.

        Args:
            operation: the operation, or `*` for all operations.
            seconds: the delay of each answer, greater than 0.
            times: the number of calls that are delayed; None, the default, for every one.
            after: the number of calls that pass first.
            when: a predicate on the `Call`.
            real: whether to wait in real time.
            optional: whether the delay need not be triggered.

        Raises:
            ValueError, UnusedFaultError: as for `fail`.

        Example:
            >>> from pytest_smfake import FakeSageMaker
            >>> with FakeSageMaker() as fake, fake.delay("ListModels", 30):
            ...     before = fake.clock.now()
            ...     models = fake.client().list_models()
            ...     fake.clock.now() - before >= 30
            True
        """
        failure(operation, "read-timeout")
        delay = Delay(operation=operation, seconds=seconds, times=times, after=after, when=when, real=real, optional=optional)
        self.service.faults.add(delay)
        return delay

    def throttle(self, *, rate: float, burst: int, operation: str = ANY) -> Throttle:
        """Refuse attempts above a rate with `ThrottlingException`, by a token bucket on the fake's clock.

        Args:
            rate: requests per second that each account may send in a region, greater than 0.
            burst: requests that it may send at once, at least 1.
            operation: the operation, or `*` for all operations together.

        Raises:
            ValueError: an unknown operation, or an invalid number.

        Example:
            >>> from pytest_smfake import FakeSageMaker
            >>> from botocore.exceptions import ClientError
            >>> with FakeSageMaker() as fake:
            ...     client = fake.client()
            ...     throttle = fake.throttle(rate=0.01, burst=1)
            ...     for wait in (0, 100, 0):
            ...         fake.clock.advance(wait)
            ...         try:
            ...             print(client.list_models()["Models"])
            ...         except ClientError as error:
            ...             print(error.response["Error"])
            []
            []
            {'Message': 'Rate exceeded', 'Code': 'ThrottlingException'}
        """
        failure(operation, "ThrottlingException")
        return self.service.faults.throttle(Throttle(rate=rate, burst=burst, operation=operation))

    def unavailable(self, thing: str, *, region: str | None = None) -> Unavailability:
        """Let a region lack an instance type or a feature of endpoints, from now on. By default no region lacks anything.

        Args:
            thing: an instance type, such as `ml.inf2.8xlarge`: CreateEndpointConfig refuses it; `asynchronous-inference` or
                `serverless-inference`: CreateEndpoint refuses a configuration with it; or `scale-to-zero`: CreateEndpointConfig refuses
                ManagedInstanceScaling with MinInstanceCount 0.
            region: the region; every region by default.

        Returns:
            It is in effect until its `stop()`, or the end of its `with` block.

        Raises:
            ValueError: an unknown instance type or feature, or a region that cannot be.

        Example:
            >>> from pytest_smfake import FakeSageMaker
            >>> fake = FakeSageMaker()
            >>> fake.add_model(ModelName="churn")
            >>> with fake.unavailable("ml.inf2.8xlarge"):
            ...     fake.add_endpoint("churn", model="churn", instance_type="ml.inf2.8xlarge")
            Traceback (most recent call last):
            ValueError: Instance type ml.inf2.8xlarge is not supported for the chosen region. Please choose some other instance type.
        """
        return self.service.unavailable.add(thing, region)

    def deny(self, action: str, *, resource: str = "*", policy: Policy = "identity-based policy", principal: str | None = None) -> Denial:
        """Deny permission for an action, from now on.

        Args:
            action: `sagemaker:CreateModel`, or the action of another operation: its caller gets an `AccessDeniedException`;
                `sagemaker:AddTags`, which creations with tags need too; `iam:PassRole` on the role that a request names;
                `ecr:BatchGetImage`, which a model's role needs for its image: the endpoint fails; or `sts:AssumeRole` on the
                role: a transform job of the model is rejected.
            resource: ARN of the resource; `*` stands for any characters. For CreateEndpoint and UpdateEndpoint, the configuration
                counts too.
            policy: the denying policy at the end of the text: a `Policy`, such as `explicit deny in an identity-based policy`.
            principal: the ARN of the caller in the text; by default that of a made-up user.

        Raises:
            ValueError: an action that is never checked, or an unknown policy.

        Example:
            >>> from botocore.exceptions import ClientError
            >>> from pytest_smfake import FakeSageMaker
            >>> with FakeSageMaker() as fake, fake.deny("iam:PassRole", resource="*/Admin"):
            ...     try:
            ...         fake.client().create_model(**fake.request(ExecutionRoleArn="arn:aws:iam::123456789012:role/Admin"))
            ...     except ClientError as error:
            ...         print(error.response["Error"]["Message"].partition(" because ")[0])
            User: arn:aws:iam::123456789012:user/smfake is not authorized to perform: iam:PassRole on resource: \
arn:aws:iam::123456789012:role/Admin
        """
        return self.service.denials.add(action, resource, policy, principal)

    def _inject_all(self, faults: Iterable[tuple[str, str] | Mapping[str, Any]]) -> None:
        """Inject faults that are given as data: `(operation, code)`, or a dict of the keywords of `fail`."""
        for entry in faults:
            if isinstance(entry, Mapping) and {"operation", "code"} <= entry.keys():
                for name in entry.keys() - set(FAULT_KEYWORDS):
                    raise ValueError(f"faults: fail() takes no {name}={shown(entry[name])}{did_you_mean(name, FAULT_KEYWORDS)}")
                self.fail(**entry)
            elif isinstance(entry, tuple | list) and len(entry) == 2:
                self.fail(*entry)
            else:
                raise ValueError(
                    f"faults: expected a pair (operation, code), or a dict with these and other keywords of fail(), got {shown(entry)}"
                )


_T = TypeVar("_T")


class FakeSageMaker(Controls, View):
    """An in-process SageMaker for models, endpoints and transform jobs, active inside a `with` block.

    While it is active, it answers every SageMaker call of every boto3 client in the process. Other AWS calls are answered by another
    mock, or refused: none leaves the process. `async with`, and `start()` with `stop()`, do the same. It also decorates functions of
    any kind and classes with tests. It is the `View` of its own account and region.

    Args:
        region: the region of calls that name none, and of `client()`.
        account: the account of credentials that name none; 12 digits.
        edition: `page`, the documented page over the SDK's model, or `sdk`, the model alone.
        rules: bounds by rule id that replace the edition's; None switches a rule off.
        limits: quotas of each account in a region: `{"models": 5, "models@eu-west-1": 2}`.
        faults: faults from the start: pairs `(operation, code)`, or dicts of the keywords of `fail`.
        auth: `lenient` accepts every request, signed or not; `strict` verifies signatures.
        keys: known key pairs by access key id: an `AccessKey`, or its secret.
        allow: hosts, or `host:port`, that calls may reach; `*` stands for any characters.
        real_sleep: whether retries and waiters sleep in real time; else they advance `clock`.
        clock: a clock to share with another fake; by default a new one.
        credentials: whether sessions have dummy credentials while it is active. With False they have none, so that code without
            credentials gets botocore's `NoCredentialsError`. The environment has dummy keys in any case, for other programs.

    Raises:
        ValueError: an invalid argument.

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
        service = Service(
            Catalogue(edition, rules) if rules else catalogue(edition), limits or {}, self.clock, Dependencies(self._client_of)
        )
        super().__init__(service, Scope(account, region))
        self.signatures = Signatures(auth, {} if keys is None else keys, self.clock)
        self._inject_all(self.settings.faults)
        self.allow = tuple(self.settings.allow)
        self.real_sleep = real_sleep
        self.credentials = credentials
        self.quotas: dict[Any, int] = {}
        self.entry: Entry | None = None
        self._clients = ClientCache()
        self._has_ended = False
        self.s3: Any = None
        """The boto3 client with which transform jobs read and write. None: a client that moto, or a host in `allow`, answers."""

    def __repr__(self) -> str:
        return f"<FakeSageMaker {self.account} {self.region}, edition {self.edition}>"

    def __enter__(self) -> Self:
        caller = sys._getframe(1)
        activation.check_entry(self, caller)
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
            self._leave()  # after an interrupt or an error of a stand-in, complete the exit
            raise
        if exc_type is None:
            self.verify_faults()

    def _leave(self) -> None:
        """Undo everything, first the process-wide changes. It can be called again, also after it has raised an error."""
        activation.deactivate(self)
        self._has_ended = True
        self._refill()
        self._clients.release()
        self.service.stand_ins.close()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, exc_type: object = None, *exc: object) -> None:
        self.__exit__(exc_type, *exc)

    def start(self) -> Self:
        """Activate the fake until `stop()`, and return it: for code without a block, such as `setUp`.

        Raises:
            RuntimeError: the fake is active already, or another fake is active in another thread.

        Example:
            >>> fake = FakeSageMaker().start()
            >>> fake.client().list_models()["Models"]
            []
            >>> fake.stop()
        """
        return self.__enter__()

    def stop(self) -> None:
        """Deactivate a started fake, as the end of a `with` block does.

        Raises:
            RuntimeError: the fake is not active.
            UnusedFaultError: a fault was never triggered.
        """
        if self not in fakes:
            raise RuntimeError(f"{self!r} is not active: call start() before stop()")
        self.__exit__()

    def __call__(self, decorated: _T, /) -> _T:
        """Decorate a function or a class with tests: each call or test gets a new fake with the settings of this one.

        Args:
            decorated: a function, coroutine function, generator or async generator: the fake is active while the body runs;
                a staticmethod or classmethod of one; or a class with tests, whose hooks use the fake of their test.

        Raises:
            TypeError: `decorated` is something else.

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
        """Return a new fake with the settings of this one, except `changed`."""
        return FakeSageMaker(**self.settings.keywords() | changed)

    def verify_faults(self) -> None:
        """Raise UnusedFaultError if an injected fault was never triggered. The end of a `with` block or of a test calls it.

        Raises:
            UnusedFaultError: a fault that is not optional was never triggered.
        """
        self.service.faults.verify()

    @property
    def edition(self) -> Edition:
        """The edition of the active rules."""
        return self.service.catalogue.edition

    @property
    def catalogue(self) -> Catalogue:
        """The active rules."""
        return self.service.catalogue

    @property
    def calls(self) -> Calls:
        """Every call that arrived, in order: `fake.calls[-1].operation`, `.parameters`, `.response`, `.error`, ..."""
        return self.service.calls

    def at(self, *, region: str | None = None, account: str | None = None) -> View:
        """Return the view of another region or account, with its resources: `fake.at(region="eu-west-1").models`.

        Raises:
            ValueError: an invalid region or account.
        """
        check_region(region)
        check_account(account)
        return View(self.service, Scope(account or self.account, region or self.region))

    def reset(self) -> None:
        """Delete all resources, calls and injections, and restore the first limits and faults. The clock keeps its time."""
        self._refill()
        self.service.reset()
        self._inject_all(self.settings.faults)

    def _client_of(self, service: str, place: Scope) -> Any:
        """Return the client with which the fake calls another service on behalf of an account."""
        given = self.s3 if service == "s3" else None
        return given or self.client(service, account=place.account, region_name=place.region)

    def client(self, service: str = "sagemaker", *, account: str | None = None, **arguments: Any) -> Any:
        """Return an ordinary boto3 client, which is made once and reused: a new one takes 6 ms, the first 200 ms.

        Args:
            service: the service, as boto3 names it.
            account: the account that its credentials belong to; the fake's by default.
            arguments: arguments of `boto3.client`; `region_name` is the fake's region by default.

        Raises:
            RuntimeError: the fake has ended. Calls of its clients raise it too, unless another fake is active.
        """
        self._refuse_after_the_end()
        return self._clients.get(service, self._client_arguments(account) | arguments)

    def async_client(self, service: str = "sagemaker", *, account: str | None = None, **arguments: Any) -> Any:
        """Return a new aiobotocore client, for `async with`. It needs the extra `async`.

        Args:
            service: the service, as boto3 names it.
            account: the account that its credentials belong to; the fake's by default.
            arguments: arguments of aiobotocore's `create_client`; `region_name` is the fake's region by default.

        Raises:
            ImportError: aiobotocore is not installed.
            RuntimeError: the fake has ended. Calls of its clients raise it too, unless another fake is active.
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
            raise RuntimeError(f"{self!r} has ended: nothing would answer a new client; make clients while the fake is active")

    def _client_arguments(self, account: str | None) -> dict[str, Any]:
        """Return the default arguments of clients."""
        check_account(account)
        return {"region_name": self.region, "aws_access_key_id": access_key_of(account or self.account), "aws_secret_access_key": SECRET}

    def _refill(self) -> None:
        """Restore the capacity of clients' retry quotas, so that no test affects another."""
        for quota, available in self.quotas.items():
            quota._available_capacity = available
        self.quotas.clear()


def load() -> None:
    """Make a first call, which loads data for 100 ms or more, so that this does not count for the deadline of a Hypothesis example."""
    innermost = active()
    if innermost is None or (innermost.entry is not None and innermost.entry.thread == get_ident()):  # else another thread has loaded it
        _load()


@cache
def _load() -> None:
    import boto3

    with FakeSageMaker() as fake:
        boto3.Session().client("sagemaker", region_name=fake.region)  # as the code under test does, so that the default loader is used
        fake.client().create_model(**fake.request())
