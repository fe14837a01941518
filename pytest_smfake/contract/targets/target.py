"""Define the target of checks, classify replies that prove nothing, and count the attempts of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pytest_smfake.contract.check import CAPABILITIES, Check, Difference, Reply, expect_accepted, sent_body
from pytest_smfake.rules.service_model import check_members
from pytest_smfake.service.arns import arn

from .names import NAMING_MEMBERS, belongs, name_in, new_run

if TYPE_CHECKING:
    from .redaction import Redaction

CREDENTIAL_CODES = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
"""Error codes about the credentials: every later request would fail, too."""
DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
"""Error codes about a denied permission."""
THROTTLE_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Error codes about throttling, after all retries. Source: the list in botocore's retries."""
IN_A_ROW = 3
"""The number of consecutive replies without proof after which a run is stopped."""
SERVER_ERRORS = 500

_ADVICE: Mapping[str, str] = {
    "credentials": "the credentials are not, or no longer, accepted",
    "denied": "a permission is missing; `smfake contract --print-policy` prints those that the run needs",
    "throttle": "the service still throttles after all retries",
    "failure": "the service still fails after all retries",
}


class UnprovedError(Exception):
    """Report that a reply says nothing about a rule. The check neither passed nor failed: it counts as not run."""


class StoppedError(UnprovedError):
    """Report that a run cannot continue, with the reason."""


def unproved_kind(reply: Reply) -> str | None:
    """Return the reason why a reply says nothing about a rule (a key of `_ADVICE`), None if it does."""
    if reply.code in CREDENTIAL_CODES:
        return "credentials"
    if reply.code in DENIED_CODES:
        return "denied"
    if reply.code in THROTTLE_CODES:
        return "throttle"
    return "failure" if reply.status >= SERVER_ERRORS else None


def unproved_text(kind: str, verdict: str) -> str:
    """Return a sentence about a reply that says nothing about a rule, with the reply."""
    return f"{_ADVICE[kind]} ({verdict})"


SHARE = 1.2
"""The factor by which a run may exceed the announced number of requests, for retries."""
SPARE_ATTEMPTS = 10
"""The number of attempts by which a short run may exceed the announced number of requests."""
LAST = 6
"""The number of attempts that are reserved for deletions at the end of a run."""


class Budget:
    """Count attempts, and wait so that they do not exceed a rate.

    Args:
        rate: the maximum number of attempts per second.
    """

    def __init__(self, rate: float) -> None:
        self.sent = 0
        """The number of all attempts."""
        self.announced: int | None = None
        self.limit: int | None = None
        """The maximum number of attempts of the run, None before `announce`."""
        self._spent = 0
        self._reserve = 0
        self._rate = rate
        self._next = 0.0

    def announce(self, requests: int, pages: int) -> None:
        """Limit the attempts from now on.

        Args:
            requests: the number of requests that the run will send, including those sent so far.
            pages: the number of requests that list left models at the end; the limit reserves them, and some for deletions.
        """
        self.announced, self._spent = requests, self.sent
        self.limit = max(int(SHARE * requests), requests + SPARE_ATTEMPTS)
        self._reserve = pages + LAST

    def take(self, *, of_run: bool, last: bool, deletes: bool = False) -> None:
        """Wait until an attempt may be sent, and count it.

        Args:
            of_run: whether the attempt is part of the announced requests; attempts of other tests are counted separately.
            last: whether the attempt deletes or lists models at the end of the run.
            deletes: whether the attempt deletes a model of the run; it is never refused.

        Raises:
            StoppedError: the budget is spent.
        """
        if of_run and self.limit is not None:
            if not deletes and self._spent >= self.limit - (0 if last else self._reserve):
                raise StoppedError(
                    f"the budget of {self.limit} attempts is spent ({self.announced} requests were announced): "
                    "the service does not answer as documented, or needs many retries"
                )
            self._spent += 1
        wait = self._next - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._next = time.monotonic() + 1 / self._rate
        self.sent += 1


__all__ = ["SIGNED_SERVICE", "PreflightError", "Reply", "Target"]


SIGNED_SERVICE = "sagemaker"
MOST_PAGES = 1000
"""The number of pages after which a list counts as endless."""
LISTED = {"ListModels": "Models", "ListTags": "Tags"}
"""The member of a page with the listed items."""
V = TypeVar("V")


class PreflightError(ValueError):
    """Report that a run must not begin."""


class Target:
    """Send the calls of checks to a service. A target of another kind inherits from this class and implements `new_client`.

    A target is a reentrant context manager: each check runs in a `with` block, and its models are deleted at the end of the block.

    Attributes:
        name: the name in tables and reports.
        region, other_region: the region of the checks, and a second region for checks that need two.
        account: the id of the account, None if it is not known.
        role_arn, image, model_data_url: the role, image and artifact of models; empty if no accepted value is known.

    Example:
        >>> from pytest_smfake.contract import Target, run_contract
        >>> class Emulator(Target):
        ...     def new_client(self, region, **arguments):
        ...         import boto3
        ...         return boto3.client("sagemaker", region_name=region, endpoint_url="http://127.0.0.1:5000", **arguments)
        >>> Emulator("emulator").supports("limits")
        False
    """

    role_arn = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:1"
    model_data_url = "s3://sagemaker-us-east-1-123456789012/model.tar.gz"
    is_elsewhere = True
    """Whether the target outlives this process, so that a run has to clean up after a signal."""
    is_service = False
    """Whether the target is the real service. A difference can then mean that the documented page is outdated."""
    run_tag = "smfake-run"
    """The key of the tag that identifies models of a run, if the target sets one."""
    lacks: Mapping[str, str] = {
        "alone": "the account may hold other models",
        "limits": "no way to set its limits is known",
        "faults": "no way to inject faults into its calls is known",
        "hosting": "only models are deleted after a check",
    }
    """The missing capabilities, each with the reason. Checks that need one are skipped with this reason."""

    def __init__(
        self, name: str, *, region: str = "us-east-1", other_region: str = "eu-west-1", account: str | None = None, run: str = ""
    ) -> None:
        self.name = name
        self.region = region
        self.other_region = other_region
        self.account = account
        self.run = run or new_run()
        """The id of the run, which all its names contain."""
        self._clients: dict[str, Any] = {}
        self._created: list[tuple[str, str]] = []
        self._unanswered: list[tuple[str, str]] = []
        """Region and name of models whose CreateModel has no response, or not yet."""
        self._left: list[tuple[str, str]] = []
        """Region and name of models that could not be deleted."""
        self.unnamed: list[str] = []
        """ARNs in responses to CreateModel requests without this name. They are never deleted: only sent names are trusted."""
        self.unproved: dict[str, str] = {}
        """Reasons, by the id of a check, why it has no result."""
        self.stopped = ""
        """The reason why no further check runs; empty if the run continues."""
        self.aborted = False
        """Whether the run ends at once, without further deletions."""
        self.most_pages = MOST_PAGES
        self.check = ""
        """The id of the running check."""
        self.listeners: list[Callable[[Any, str, Reply], None]] = []
        """Functions that are called with request, region and reply of each call of a check, such as a recorder; not for clean-up calls."""
        self.redaction: Redaction | None = None
        """Redacts the results of the target, None if they are not redacted."""
        self._depth = 0
        self._body: bytes | None = None
        self._response: Any = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Return a new boto3 client for SageMaker. `arguments` must be passed on to `boto3.client`."""
        raise NotImplementedError

    def preflight(self) -> None:
        """Check that a run can begin. Subclasses may check more.

        Raises:
            PreflightError: the run must not begin.
        """

    def supports(self, capability: str) -> bool:
        """Whether the target has a capability.

        Raises:
            ValueError: the capability is unknown.
        """
        if capability not in CAPABILITIES:
            raise ValueError(f"unknown capability {capability!r}; expected one of: {', '.join(CAPABILITIES)}")
        return capability not in self.lacks

    def why_not(self, check: Check) -> str | None:
        """Return the reason why a check cannot run here, None if it can."""
        return next((self.lacks[need] for need in check.needs if not self.supports(need)), None)

    def limit(self, key: str, bound: int) -> AbstractContextManager[object]:
        """Set a limit, such as `models`, within a block. Only for targets with the capability `limits`."""
        raise NotImplementedError

    def fail(self, operation: str, code: str, **keywords: Any) -> AbstractContextManager[object]:
        """Inject a fault into the next call. Only for targets with the capability `faults`."""
        raise NotImplementedError

    def client(self, region: str | None = None) -> Any:
        """Return a boto3 client without parameter validation, so that the target validates each request."""
        region = region or self.region
        if region not in self._clients:
            from botocore.config import Config

            config = Config(parameter_validation=False, retries={"mode": "standard", "total_max_attempts": 3})
            client = self._clients[region] = self.new_client(region, config=config)
            client.meta.events.register(f"before-call.{SIGNED_SERVICE}", self._replace_body)
            client.meta.events.register(f"after-call.{SIGNED_SERVICE}", self._keep_response)
        return self._clients[region]

    def _replace_body(self, params: dict[str, Any], **_: Any) -> None:
        """Replace the body of a call with the body of `send`; botocore makes everything else of the request."""
        if self._body is not None:
            params["body"] = self._body

    def _keep_response(self, http_response: Any, **_: Any) -> None:
        self._response = http_response

    def name_of(self, suffix: str = "") -> str:
        """Return a name of this run, such as `smfake-4k9zq0vw2bt3-a`."""
        return f"smfake-{self.run}-{suffix}" if suffix else f"smfake-{self.run}"

    def request(self, /, **overrides: Any) -> dict[str, Any]:
        """Return a valid CreateModel request. An override of None leaves the member out; an unknown member raises ValueError."""
        check_members("CreateModel", overrides)
        container = {"Image": self.image, "ModelDataUrl": self.model_data_url} if self.model_data_url else {"Image": self.image}
        request = {"ModelName": self.name_of(), "PrimaryContainer": container, "ExecutionRoleArn": self.role_arn}
        return {name: value for name, value in (request | overrides).items() if value is not None}

    def members(self, operation: str) -> tuple[tuple[str, Any], ...]:
        """Return the members that the boundary cases of an operation share on this target: names of the run, and the role."""
        if operation == "CreateModel":
            return ("ModelName", self.name_of()), ("ExecutionRoleArn", self.role_arn)
        if self.supports("any-name"):
            return ()
        name, member = self.name_of(), NAMING_MEMBERS[operation]
        return ((member, arn(self.region, self.account or "", f"model/{name}") if member == "ResourceArn" else name),)

    def send(self, operation: str, request: Any, *, region: str | None = None) -> Reply:
        """Send a call through a boto3 client and return the reply, a success or an error.

        Args:
            operation: the operation, such as `CreateModel`.
            request: the parameters as JSON values, which are sent even if botocore would reject them; or the body as bytes.
            region: the region of the call; by default the region of the target.
        """
        region = region or self.region
        self._body = sent_body(self.outgoing(operation, request))
        if operation == "CreateModel":
            self.expect(region, request)
        try:
            code, message, members = self._call(self.client(region), operation)
        finally:
            self._body = None
        if operation == "CreateModel" and isinstance(request, dict):
            self._unanswered = [entry for entry in self._unanswered if entry != (region, request.get("ModelName"))]
        response = self._response
        if code is None:
            self._note(operation, region, request, members)
        headers = {name.lower(): value for name, value in response.headers.items()}
        reply = Reply(operation, response.status_code, headers, response.content, code, message, members)
        for listener in self.listeners if self._depth else ():
            listener(request, region, reply)
        return reply

    def expect(self, region: str, request: Any) -> None:
        """Remember the name in a CreateModel request: from now on the model may exist, even without a response."""
        name = request.get("ModelName") if isinstance(request, dict) else None
        if isinstance(name, str):
            self._unanswered.append((region, name))

    def outgoing(self, operation: str, request: Any) -> Any:  # noqa: ARG002  # subclasses use it
        """Return the request to send. Subclasses may add to it; recordings and reports show the request of the check."""
        return request

    def _call(self, client: Any, operation: str) -> tuple[str | None, str, dict[str, Any]]:
        """Make a call and return its error code, error message and output members."""
        from botocore import xform_name
        from botocore.exceptions import ClientError

        try:
            members = getattr(client, xform_name(operation))()
        except ClientError as error:
            return error.response["Error"]["Code"], error.response["Error"].get("Message", ""), {}
        del members["ResponseMetadata"]
        return None, "", members

    def pages(self, operation: str, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list, each as the output members of a call.

        Raises:
            Difference: a call is rejected, a page is malformed, a token repeats, or there are too many pages.
        """
        request, tokens = dict(request), set()
        while True:
            reply = self.send(operation, request)
            page = expect_accepted(reply, request)
            if not isinstance(page.get(LISTED[operation]), list):
                raise Difference(f"a page of {operation} has {LISTED[operation]}", reply.verdict, request)
            yield page
            token = page.get("NextToken")
            if token is None:
                return
            if token in tokens:
                raise Difference("every token leads to another page", f"the token {token!r} was returned twice", request)
            tokens.add(token)
            if len(tokens) >= self.most_pages:
                raise self.endless(operation, request)
            request["NextToken"] = token

    def endless(self, operation: str, request: Any) -> Exception:
        """Return the exception to raise for a list with too many pages."""
        return Difference(f"the pages of {operation} end", f"page {self.most_pages} still has a token", request)

    def _note(self, operation: str, region: str, request: Any, members: Mapping[str, Any]) -> None:
        """Remember created models until they are deleted, by the name in the request and not by the ARN in the response."""
        if operation == "CreateModel":
            arn = str(members.get("ModelArn", ""))
            name = name_in(request, arn.partition(":model/")[2])
            if name is None:
                self.unnamed.append(arn)
            else:
                self._created.append((region, name))
        elif operation == "DeleteModel" and isinstance(request, dict):
            self._created = [entry for entry in self._created if entry != (region, request.get("ModelName"))]

    def created(self) -> list[tuple[str, str]]:
        """Return region and name of the models that the running check created and that may still exist."""
        return list(dict.fromkeys(self._created))

    def known_left(self) -> list[str]:
        """Return the models that may be left, without a further call: names, and the ARNs in `unnamed`."""
        return list(dict.fromkeys([*(name for _, name in (*self._left, *self._unanswered, *self.created())), *self.unnamed]))

    def forget(self) -> None:
        """Forget all created models, since the world that had them has ended."""
        for known in (self._created, self._unanswered, self._left, self.unnamed):
            known.clear()

    def eventually(self, read: Callable[[], V], expected: V) -> V:  # noqa: ARG002  # subclasses use it
        """Return the value that `read` returns. A target with delayed reads reads again until the value is the expected one."""
        return read()

    def finish(self) -> list[str]:
        """End a run: delete models that may be left, and return the names of those that still are."""
        self._created, self._left = [*self._left, *self._created], []
        self._delete_created()
        return self.known_left()

    def begin(self) -> None:
        """Prepare for a check. Subclasses may do more."""

    def end(self) -> None:
        """Delete the models of a check, the latest first. Models that cannot be deleted are reported at the end of the run."""
        self._delete_created()

    def _delete_created(self) -> None:
        """Delete the created models, and remember those that cannot be deleted."""
        # A model without a response to its CreateModel may exist. It is deleted only if it has a name of the run, otherwise reported.
        own = [entry for entry in self._unanswered if belongs(entry[1], self.name_of())]
        self._unanswered = [entry for entry in self._unanswered if entry not in own]
        self._created += own
        for region, name in reversed(self.created()):
            if self.aborted:
                return
            if not self._is_gone(region, name):
                self._left.append((region, name))
            self._created = [entry for entry in self._created if entry != (region, name)]

    def _is_gone(self, region: str, name: str) -> bool:
        """Delete a model and return whether it certainly no longer exists."""
        from botocore.exceptions import BotoCoreError

        try:
            if self.send("DeleteModel", {"ModelName": name}, region=region).code is None:
                return True
            found = self.send("DescribeModel", {"ModelName": name}, region=region)
        except (BotoCoreError, UnprovedError):  # no response
            return False
        return found.code is not None and unproved_kind(found) is None  # a denied or throttled call did not look it up

    def __enter__(self) -> Self:
        if self._depth == 0:
            self.begin()
        self._depth += 1
        return self

    def __exit__(self, *exc: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self.end()
