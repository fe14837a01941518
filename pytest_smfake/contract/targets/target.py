"""A target: where checks run, what a check can do there, which names belong to a run, and what ends a run early."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pytest_smfake.contract.check import CAPABILITIES, Check, Difference, Reply, expect_accepted, request_body
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
"""Codes that are about the credentials: no later request can fare better."""
DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
"""Codes of a permission that lacks."""
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
"""Codes that ask for patience, when retries have spent it. Source: botocore's retries, whose list it is."""
IN_A_ROW = 3
"""How many answers in a row prove nothing before going on is pointless."""
SERVER_ERRORS = 500

_ADVICE: Mapping[str, str] = {
    "credentials": "the credentials are not, or no longer, accepted",
    "denial": "a permission is missing; `smfake contract --print-policy` prints those that the run needs",
    "throttle": "the service throttles, also after all retries",
    "failure": "the service fails, also after all retries",
}


class UnprovedError(Exception):
    """An answer says nothing about a rule, so that its check neither passed nor failed: it counts as not run."""


class StoppedError(UnprovedError):
    """A run cannot go on; the sentence says why."""


def unproved_kind(reply: Reply) -> str | None:
    """Return why an answer of a service proves nothing, None for one that proves something."""
    if reply.code in CREDENTIAL_CODES:
        return "credentials"
    if reply.code in DENIED_CODES:
        return "denial"
    if reply.code in THROTTLE_CODES:
        return "throttle"
    return "failure" if reply.status >= SERVER_ERRORS else None


def sentence(kind: str, verdict: str) -> str:
    """Return what such an answer means, and the answer."""
    return f"{_ADVICE[kind]} ({verdict})"


SHARE = 1.2
"""How many times the requests that were announced may be sent, so that there is room for retries."""
SPARE_ATTEMPTS = 10
"""Attempts that a short run may send beyond what was announced."""
LAST = 6
"""Attempts that are kept for deleting, beside those that list what is left."""


class Budget:
    """Paces and counts attempts.

    Args:
        rate: attempts a second at the most.
    """

    def __init__(self, rate: float) -> None:
        self.sent = 0
        """How many attempts were made in all."""
        self.announced: int | None = None
        self.limit: int | None = None
        """How many attempts a run may make, None as long as nothing was announced."""
        self._spent = 0
        self._reserve = 0
        self._rate = rate
        self._next = 0.0

    def announce(self, requests: int, pages: int) -> None:
        """Bound what is sent from now on.

        Args:
            requests: how many a run is going to send, what was sent so far included.
            pages: how many of them list what is left at its end; they, and a few that delete, are kept for the end.
        """
        self.announced, self._spent = requests, self.sent
        self.limit = max(int(SHARE * requests), requests + SPARE_ATTEMPTS)
        self._reserve = pages + LAST

    def take(self, *, of_run: bool, last: bool, deletes: bool = False) -> None:
        """Wait for the turn of an attempt, and count it.

        Args:
            of_run: whether it belongs to what was announced; attempts of other tests are counted apart.
            last: whether it deletes, or lists what is left.
            deletes: whether it deletes what the run created: that is never refused.

        Raises:
            StoppedError: the budget is spent.
        """
        if of_run and self.limit is not None:
            if not deletes and self._spent >= self.limit - (0 if last else self._reserve):
                raise StoppedError(
                    f"the budget of {self.limit} attempts is spent ({self.announced} requests were announced): "
                    "the service answers otherwise than it is documented to, or needs many retries"
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
"""Pages after which a list is taken for one that never ends."""
LISTED = {"ListModels": "Models", "ListTags": "Tags"}
"""The member of a page that holds what is listed."""
V = TypeVar("V")


class PreflightError(ValueError):
    """A run was refused before the first check."""


class Target:
    """Where checks run. A target of another kind inherits from it and says how clients are made.

    It is a context manager, also within itself: each check runs in a `with` block, at whose end nothing of it is left.

    Attributes:
        name: as tables and reports name it.
        region, other_region: where checks run, and the second region of those that need two.
        account: the account, None where it is not known: its number is then read from the first ARN.
        role_arn, image, model_data_url: what a model may name; empty where nothing is known that the target takes.

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
    """Whether it outlives this process, so that a run which a signal ends has to clean up."""
    is_service = False
    """Whether it is the real service, whose differences from the page may be the page's."""
    run_tag = "smfake-run"
    """The key of the tag by which models of a run can be told, where the target sets one."""
    lacks: Mapping[str, str] = {
        "alone": "the account may hold other models",
        "limits": "nothing is known by which its limits could be set",
        "faults": "nothing is known by which its calls could be made to fail",
    }
    """What the target cannot do, and why: the checks that need it are reported as skipped with this reason."""

    def __init__(
        self, name: str, *, region: str = "us-east-1", other_region: str = "eu-west-1", account: str | None = None, run: str = ""
    ) -> None:
        self.name = name
        self.region = region
        self.other_region = other_region
        self.account = account
        self.run = run or new_run()
        """What the names of one run have in common."""
        self._clients: dict[str, Any] = {}
        self._created: list[tuple[str, str]] = []
        self._unanswered: list[tuple[str, str]] = []
        """What was sent to be created, and has no answer yet, or never will."""
        self._left: list[tuple[str, str]] = []
        """What could not be deleted."""
        self.unnamed: list[str] = []
        """The ARNs that were answered to creations whose request held no such name: nothing is deleted by what an answer says."""
        self.unproved: dict[str, str] = {}
        """Why checks came to no result, by their ids: an answer proved nothing."""
        self.stopped = ""
        """Why no further check is run, in a sentence."""
        self.hurried = False
        """Whether the run is to end at once, without deleting anything more."""
        self.most_pages = MOST_PAGES
        self.check = ""
        """The id of the check that runs."""
        self.listeners: list[Callable[[Any, str, Reply], None]] = []
        """Called with each request of a check, region and reply, such as by a recorder; what is called to clean up is not told."""
        self.redaction: Redaction | None = None
        """What reports say of it is redacted by this, where it is to be redacted."""
        self._depth = 0
        self._body: bytes | None = None
        self._response: Any = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Make a boto3 client for SageMaker; `arguments` are those of `boto3.client`, and have to be passed on."""
        raise NotImplementedError

    def preflight(self) -> None:
        """See that a run can begin; what inherits from this class may look at more.

        Raises:
            PreflightError: it cannot; the sentence says why.
        """

    def supports(self, capability: str) -> bool:
        """Whether the target can do what a check needs.

        Raises:
            ValueError: it is no capability; the sentence lists those that there are.
        """
        if capability not in CAPABILITIES:
            raise ValueError(f"{capability!r} is no capability; there are: {', '.join(CAPABILITIES)}")
        return capability not in self.lacks

    def why_not(self, check: Check) -> str | None:
        """Return why a check cannot be run here, None where it can."""
        return next((self.lacks[need] for need in check.needs if not self.supports(need)), None)

    def limit(self, key: str, bound: int) -> AbstractContextManager[object]:
        """Limit something within a block, such as `models`; for targets with the capability `limits`."""
        raise NotImplementedError

    def fail(self, operation: str, code: str, **keywords: Any) -> AbstractContextManager[object]:
        """Let the next call fail; for targets with the capability `faults`."""
        raise NotImplementedError

    def client(self, region: str | None = None) -> Any:
        """Return a boto3 client that checks nothing itself, so that the target is what answers."""
        region = region or self.region
        if region not in self._clients:
            from botocore.config import Config

            config = Config(parameter_validation=False, retries={"mode": "standard", "total_max_attempts": 3})
            client = self._clients[region] = self.new_client(region, config=config)
            client.meta.events.register(f"before-call.{SIGNED_SERVICE}", self._replace_body)
            client.meta.events.register(f"after-call.{SIGNED_SERVICE}", self._keep_response)
        return self._clients[region]

    def _replace_body(self, params: dict[str, Any], **_: Any) -> None:
        """Let a call have the body that `send` has for it; everything else about the request stays botocore's own."""
        if self._body is not None:
            params["body"] = self._body

    def _keep_response(self, http_response: Any, **_: Any) -> None:
        self._response = http_response

    def name_of(self, suffix: str = "") -> str:
        """Return a name that is unique to this run, such as `smfake-4k9zq0vw2bt3-a`."""
        return f"smfake-{self.run}-{suffix}" if suffix else f"smfake-{self.run}"

    def request(self, /, **overrides: Any) -> dict[str, Any]:
        """Return a valid CreateModel request; an override of None leaves the member out, one that is no member is a ValueError."""
        check_members("CreateModel", overrides)
        container = {"Image": self.image, "ModelDataUrl": self.model_data_url} if self.model_data_url else {"Image": self.image}
        request = {"ModelName": self.name_of(), "PrimaryContainer": container, "ExecutionRoleArn": self.role_arn}
        return {name: value for name, value in (request | overrides).items() if value is not None}

    def members(self, operation: str) -> tuple[tuple[str, Any], ...]:
        """Return the members that boundary cases have in common here: names that are this run's, and what a model may name."""
        if operation == "CreateModel":
            return ("ModelName", self.name_of()), ("ExecutionRoleArn", self.role_arn)
        if self.supports("any-name"):
            return ()
        name, member = self.name_of(), NAMING_MEMBERS[operation]
        return ((member, arn(self.region, self.account or "", f"model/{name}") if member == "ResourceArn" else name),)

    def send(self, operation: str, request: Any, *, region: str | None = None) -> Reply:
        """Send a call through a boto3 client and return what came back, whatever it is.

        Args:
            operation: such as `CreateModel`.
            request: the parameters, as JSON has them, which are sent as they are, also where botocore would refuse them; or
                the bytes of the body.
            region: where to; the target's region by default.
        """
        region = region or self.region
        self._body = request_body(self.outgoing(operation, request))
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
        """Remember what is going to be created: from now on it may exist, whether an answer comes or not."""
        name = request.get("ModelName") if isinstance(request, dict) else None
        if isinstance(name, str):
            self._unanswered.append((region, name))

    def outgoing(self, operation: str, request: Any) -> Any:  # noqa: ARG002  # for targets that add to requests
        """Return a request as it is sent, which may say more than the check does; recordings and reports show it as the check made it."""
        return request

    def _call(self, client: Any, operation: str) -> tuple[str | None, str, dict[str, Any]]:
        """Make a call; return its error code, text and members."""
        from botocore import xform_name
        from botocore.exceptions import ClientError

        try:
            members = getattr(client, xform_name(operation))()
        except ClientError as error:
            return error.response["Error"]["Code"], error.response["Error"].get("Message", ""), {}
        del members["ResponseMetadata"]
        return None, "", members

    def pages(self, operation: str, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list, each the members of an answer.

        Raises:
            Difference: a page is refused, is none, or the pages never end: a token comes again, or there are too many.
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
                raise Difference("every token leads to another page", f"the token {token!r} came twice", request)
            tokens.add(token)
            if len(tokens) >= self.most_pages:
                raise self.endless(operation, request)
            request["NextToken"] = token

    def endless(self, operation: str, request: Any) -> Exception:
        """Return what a list is met with that never ends."""
        return Difference(f"the pages of {operation} end", f"page {self.most_pages} has a token, too", request)

    def _note(self, operation: str, region: str, request: Any, members: Mapping[str, Any]) -> None:
        """Remember what was created and not deleted, by the name that was sent, whatever the answer calls it."""
        if operation == "CreateModel":
            told = str(members.get("ModelArn", ""))
            name = name_in(request, told.partition(":model/")[2])
            if name is None:
                self.unnamed.append(told)
            else:
                self._created.append((region, name))
        elif operation == "DeleteModel" and isinstance(request, dict):
            self._created = [entry for entry in self._created if entry != (region, request.get("ModelName"))]

    def created(self) -> list[tuple[str, str]]:
        """Return region and name of every model that the check under way created and that may still be there."""
        return list(dict.fromkeys(self._created))

    def known_left(self) -> list[str]:
        """Return what is left as far as it is known without another call: names, and ARNs of what has no name that was sent."""
        return list(dict.fromkeys([*(name for _, name in (*self._left, *self._unanswered, *self.created())), *self.unnamed]))

    def forget(self) -> None:
        """Forget what was created, of a world that has ended."""
        for known in (self._created, self._unanswered, self._left, self.unnamed):
            known.clear()

    def eventually(self, read: Callable[[], V], expected: V) -> V:  # noqa: ARG002  # for targets where what was written shows late
        """Return what is read. Where what was written shows late, a target reads again until it is what is expected."""
        return read()

    def finish(self) -> list[str]:
        """End a run: delete what may be left, and return what is still there."""
        self._created, self._left = [*self._left, *self._created], []
        self._delete_created()
        return self.known_left()

    def begin(self) -> None:
        """Prepare for a check; what inherits from this class may do more."""

    def end(self) -> None:
        """Leave nothing of a check: delete what it created, the latest first; what cannot be deleted is told at the end of the run."""
        self._delete_created()

    def _delete_created(self) -> None:
        """Delete what was created; what cannot be deleted is left."""
        # What was sent and never answered may exist. Of another name than the run's it may be somebody's: that is told, and left alone.
        own = [entry for entry in self._unanswered if belongs(entry[1], self.name_of())]
        self._unanswered = [entry for entry in self._unanswered if entry not in own]
        self._created += own
        for region, name in reversed(self.created()):
            if self.hurried:
                return
            if not self._is_gone(region, name):
                self._left.append((region, name))
            self._created = [entry for entry in self._created if entry != (region, name)]

    def _is_gone(self, region: str, name: str) -> bool:
        """Delete a model, and return whether it is known not to be there any more."""
        from botocore.exceptions import BotoCoreError

        try:
            if self.send("DeleteModel", {"ModelName": name}, region=region).code is None:
                return True
            found = self.send("DescribeModel", {"ModelName": name}, region=region)
        except (BotoCoreError, UnprovedError):  # nobody answers any more
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
