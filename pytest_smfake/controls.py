"""What a test puts in force on a fake: limits, failures, denials, stand-ins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .service.faults import Delay, Fault, Throttle
from .spec.failures import ANY, failure
from .spec.given import did_you_mean, shown

if TYPE_CHECKING:
    from .service.access import Denial, Policy
    from .service.calls import Call
    from .service.core import Service
    from .service.faults import Effect
    from .service.limits import Limit
    from .service.standins import StandIn

FAULT_KEYWORDS = ("operation", "code", "times", "after", "attempts", "when", "message", "effect", "optional", "unmodelled")


class Controls:
    """What a test can put in force. Each method returns what it put there: `stop()`, or the end of a `with` block, ends it."""

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
            enforce: whether calls that exceed it are refused; False only states what `fail(..., "ResourceLimitExceeded")` names.

        Returns:
            The limit, which `stop()` ends; in a `with` statement it ends with the block.

        Raises:
            ValueError: a key that is not limited here, or a number, region or account that cannot be.

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
        """Let calls of an operation fail, also where it is passed on to moto.

        A fault strikes a call with all its retries, so that the code under test sees it under any retry mode. Several make a
        sequence: the second waits until the first is used up, and `after` counts from there.

        Args:
            operation: the operation, such as `CreateModel`; `*` stands for every one.
            code: an error that is modelled for the operation or common to all, such as `ResourceLimitExceeded`; a status that
                comes without a body, `500`, `502`, `503`, `504`; what befalls a connection, `connection-refused`,
                `connect-timeout`, `connection-reset`, `read-timeout`; or an answer, `empty-body`, `truncated-body`,
                `non-json-body`. Documented names that the wire does not use (`ValidationError`, `RequestExpired`) are understood.
            times: how many calls; None for every one.
            after: how many calls to let pass first.
            attempts: strike only that many first attempts of a call, so that a retry can succeed; None for all.
            when: a predicate on the `Call`, which has `parameters`, `region` and `account`; see also `probability`.
            message: the error's text; the service's by default.
            effect: `before` the operation takes effect, or `after`: a model is created, but the answer is lost. The default is
                before, and after for a damaged answer.
            optional: whether it may end without having struck; else that fails the test.
            unmodelled: whether the code may be one that nobody knows.

        Returns:
            The fault; `hits` tells how many calls it struck.

        Raises:
            ValueError: an operation or code that is not known, a number that cannot be, or a fault that could never strike.
            UnusedFaultError: at the end of its `with` block, or of the test: it never struck.

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
        """Let calls of an operation take their time: on the fake's clock, or in real time.

        A client whose read timeout is shorter gives up, as against the service, and what it asked for happens none the less.

        Args:
            operation: the operation, or `*` for every one.
            seconds: how long each answer takes, over 0.
            times: how many calls; None, the default, for every one.
            after: how many calls to let pass first.
            when: a predicate on the `Call`.
            real: whether to really wait.
            optional: whether it may end without having struck.

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
        """Refuse what is over a rate, each attempt for itself: `ThrottlingException`, from a token bucket on the fake's clock.

        Args:
            rate: how many requests a second each account may send in a region, over 0.
            burst: how many it may send at once, at least 1.
            operation: the operation, or `*` for all of them together.

        Raises:
            ValueError: an operation that is not known, or a number that cannot be.

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

    def deny(self, action: str, *, resource: str = "*", policy: Policy = "identity-based policy", principal: str | None = None) -> Denial:
        """Deny an action from now on.

        Args:
            action: `sagemaker:CreateModel`, or that of any other operation: its caller gets an `AccessDeniedException`;
                `sagemaker:AddTags`, which creations with tags need, too; `iam:PassRole` on the role that a request names;
                `ecr:BatchGetImage`, which a model's role needs for its image: the endpoint fails; or `sts:AssumeRole` on the
                role: CreateTransformJob is rejected.
            resource: on what; `*` stands for any characters. CreateEndpoint and UpdateEndpoint are on the configuration, too.
            policy: what denies it, as the text ends; a `Policy`, such as `explicit deny in an identity-based policy`.
            principal: the ARN of the caller, for the text; that of a made-up user by default.

        Raises:
            ValueError: an action that nothing looks at, or a policy that is none.

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

    def _put_in_force(self, faults: Iterable[tuple[str, str] | Mapping[str, Any]]) -> None:
        """Put faults in force that are written as data: `(operation, code)`, or a dict of the keywords of `fail`."""
        for entry in faults:
            if isinstance(entry, Mapping) and {"operation", "code"} <= entry.keys():
                for name in entry.keys() - set(FAULT_KEYWORDS):
                    raise ValueError(f"faults: fail() takes no {name}={shown(entry[name])}{did_you_mean(name, FAULT_KEYWORDS)}")
                self.fail(**entry)
            elif isinstance(entry, tuple | list) and len(entry) == 2:
                self.fail(*entry)
            else:
                raise ValueError(
                    f"faults: {shown(entry)} is not a pair (operation, code), nor a dict with these and other keywords of fail()"
                )
