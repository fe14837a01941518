"""Run checks against the real service: in one account, with names of the run only, within a budget, and delete all models."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_smfake.contract.boundaries import MISSING_TEXTS
from pytest_smfake.contract.check import Check, Difference, Reply, sent_body
from pytest_smfake.fake import FakeSageMaker
from pytest_smfake.service.arns import arn, partition_of

from .names import NAMING_MEMBERS, UnsafeRequestError, belongs, check_request, with_run_tag
from .target import (
    CREDENTIAL_CODES,
    DENIED_CODES,
    IN_A_ROW,
    SIGNED_SERVICE,
    Budget,
    PreflightError,
    StoppedError,
    Target,
    UnprovedError,
    V,
    unproved_kind,
    unproved_text,
)

if TYPE_CHECKING:
    from pytest_smfake.rules.rule import Edition

RATE = 4.0
"""The default maximum of attempts per second. The service documents no limit; adaptive retries slow down if it throttles."""


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Hold the settings of a run against the real service.

    Attributes:
        account: the id of the account that the credentials must belong to.
        region: the region of the run.
        prefix: the start of every name that is created: at most 30 characters, without capital letters.
        role_arn, image: the role and image of models. Give both or neither; without them only checks run that create nothing.
        rate: the maximum number of attempts per second.
        configured_endpoints: whether AWS_ENDPOINT_URL and similar settings apply. By default they are ignored; a run with them
            proves nothing about the real service.

    Raises:
        PreflightError: a setting is wrong; the error says what is expected.
    """

    account: str
    region: str
    prefix: str
    role_arn: str = ""
    image: str = ""
    rate: float = RATE
    configured_endpoints: bool = False

    def __post_init__(self) -> None:
        wanted = {
            "account": (r"[0-9]{12}", "the id of the account that the credentials must belong to, 12 digits"),
            "region": (r"[a-z]{2,}(-[a-z]+)+-[0-9]+", "a region such as us-east-1"),
            # The service may convert names to lower case in the ARNs that it returns.
            "prefix": (
                r"(?=.{1,30}\Z)[a-z0-9](-*[a-z0-9])*",
                "the start of names, up to 30 lower-case letters and digits, with hyphens between them",
            ),
        }
        for name, (pattern, meaning) in wanted.items():
            value = getattr(self, name)
            if not re.fullmatch(pattern, value or ""):
                raise PreflightError(f"the target aws needs {name}: {meaning}; got {value!r}")
        if not 0 < self.rate < math.inf:
            raise PreflightError(f"the target aws needs a rate above 0 calls per second, got {self.rate!r}")
        self._check_models()

    def _check_models(self) -> None:
        """Check the role and the image. The role must not have a wildcard, since the IAM policy of the run names it."""
        partition = partition_of(self.region)
        role = rf"arn:{partition}:iam::{self.account}:role/[a-zA-Z_0-9+=,.@\-_/]+"
        if self.role_arn and not re.fullmatch(role, self.role_arn):
            raise PreflightError(
                f"the target aws needs a role ARN of its account, such as arn:{partition}:iam::{self.account}:role/SageMaker, "
                f"got {self.role_arn!r}"
            )
        if self.image and not re.fullmatch(r"\S{1,255}", self.image):
            raise PreflightError(f"the target aws needs an image of up to 255 characters without spaces, got {self.image!r}")
        if bool(self.role_arn) != bool(self.image):
            raise PreflightError("the target aws needs a role and an image together to create models, or neither to create none")


def check_credentials(settings: AwsSettings, config: Any) -> None:
    """Call sts:GetCallerIdentity and compare the account of the credentials with the expected one.

    Args:
        settings: the expected account, and the region.
        config: the botocore configuration of the STS client.

    Raises:
        PreflightError: the credentials belong to another account or are missing or rejected, or STS cannot be reached.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        identity = boto3.client("sts", region_name=settings.region, config=config).get_caller_identity()
    except ClientError as error:
        raise PreflightError(f"STS rejects the credentials: {error.response['Error']['Message']}") from None
    except BotoCoreError as error:
        raise PreflightError(f"sts:GetCallerIdentity failed: {error}") from None
    if identity["Account"] != settings.account:
        raise PreflightError(
            f"the credentials belong to account {identity['Account']}, expected {settings.account}; nothing was sent to SageMaker"
        )


WITH_CREATION = frozenset({"AddTags", "DeleteModel", "ListTags"})
"""Further operations that a run with CreateModel needs: models get the tag of the run, and `smfake cleanup` reads it."""
LISTING = "ListModels"
"""The operation for which IAM supports no resource."""
PASSED_TO = "sagemaker.amazonaws.com"


def policy(settings: AwsSettings, operations: Iterable[str]) -> dict[str, Any]:
    """Return the smallest IAM policy document for a run.

    The run needs no other permission: sts:GetCallerIdentity needs none.

    Args:
        settings: the account, region and prefix, and the role if models are created.
        operations: the operations that the run calls.

    Example:
        >>> document = policy(AwsSettings("123456789012", "us-east-1", "ci"), ["DescribeModel", "ListModels"])
        >>> [(statement["Action"], statement["Resource"]) for statement in document["Statement"]]  # doctest: +NORMALIZE_WHITESPACE
        [(['sagemaker:DescribeModel'], 'arn:aws:sagemaker:us-east-1:123456789012:model/ci-*'),
         (['sagemaker:ListModels'], '*')]
    """
    called = set(operations)
    on_models = called - {LISTING} | (WITH_CREATION if "CreateModel" in called else set())
    models = arn(settings.region, settings.account, f"model/{settings.prefix}-*")
    statements = [
        _statement("ModelsOfTheRun", sorted(f"sagemaker:{operation}" for operation in on_models), models),
        _statement("WhichModelsThereAre", [f"sagemaker:{LISTING}"], "*"),
    ]
    if settings.role_arn and "CreateModel" in called:
        condition = {"StringEquals": {"iam:PassedToService": PASSED_TO}}
        statements.append(_statement("RoleOfTheModels", ["iam:PassRole"], settings.role_arn) | {"Condition": condition})
    return {"Version": "2012-10-17", "Statement": [statement for statement in statements if statement["Action"]]}


def _statement(sid: str, actions: list[str], resource: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


READ_AGAIN = 30.0
"""The number of seconds for which a read is repeated until it agrees with a write: tags are reported to appear late."""
MOST_LIST_PAGES = 100
"""The maximum number of pages of 100 models in an account, before the number of its models is known. An endless list is noticed."""
NO_HOSTING = "a run creates nothing but models, which it deletes"
LACKS = {
    "any-name": "the name or ARN is too short for the prefix and the id of the run, and could belong to another model",
    "alone": "the account may hold other models",
    "limits": "a run creates too few models to reach a limit of a real account",
    "faults": "a real service does not fail on request",
    "unchecked": "the service checks that roles, images and artifacts exist",
    "regions": "a run uses only one region",
    "hosting": NO_HOSTING,
}
NO_CREATION = "without a role and an image nothing is created; only checks that reject a request run"


class AwsTarget(Target):
    """Send checks to the real service, in the account and region of the settings.

    Each request names only models that the run created or could create. Only models of the run are deleted: the names in its
    CreateModel requests, except rejected ones, the latest first.
    """

    is_service = True

    def __init__(self, settings: AwsSettings, name: str = "aws", *, run: str = "") -> None:
        super().__init__(name, region=settings.region, account=settings.account, run=run)
        self.settings = settings
        self.role_arn, self.image = settings.role_arn or self.role_arn, settings.image or self.image
        self.model_data_url = ""
        self.is_service = not settings.configured_endpoints
        self.lacks = LACKS if settings.role_arn else LACKS | {"creation": NO_CREATION}
        self.budget = Budget(settings.rate)
        self.most_pages = MOST_LIST_PAGES
        self.listing = 1
        """The number of pages that list the models of the run among all models of the account."""
        self._is_known = False
        self._is_last = False
        self._deleting: tuple[str, str] | None = None
        self._answered: list[Any] = []
        """The ARNs in responses to CreateModel; their names may differ from the names in the requests."""
        self._of_tests: set[tuple[str, str]] = set()
        """Region and name of models that tests of the user created. Calls that delete them do not count towards the budget of the run."""
        self._in_a_row = 0

    @property
    def sent(self) -> int:
        """The number of attempts that were sent, retries included."""
        return self.budget.sent

    def _config(self, **more: Any) -> Any:
        from botocore.config import Config

        return Config(ignore_configured_endpoint_urls=not self.settings.configured_endpoints, **more)

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Return a new client with the credentials of the environment and adaptive retries."""
        import boto3

        own = self._config(retries={"mode": "adaptive", "total_max_attempts": 8})
        config = arguments.pop("config", None)
        client = boto3.client(SIGNED_SERVICE, region_name=region, config=config.merge(own) if config else own, **arguments)
        watch_client(client, self, region)
        return client

    @property
    def is_sending(self) -> bool:
        """Whether the current call comes from `send`, not from a client that a test got from this target."""
        return self._body is not None

    def allow(self, operation: str, body: bytes, region: str) -> None:
        """Refuse requests that name other models, and check the account before the first request."""
        check_request(self, operation, body, region)
        if not self._is_known:
            self.preflight()

    def take_attempt(self, **_: Any) -> None:
        """Count an attempt, and wait until it may be sent."""
        of_run = self._deleting not in self._of_tests if self._deleting else bool(self.check) or self._is_last
        self.budget.take(of_run=of_run, last=self._is_last, deletes=self._deleting is not None)

    def name_of(self, suffix: str = "") -> str:
        """Return a name that starts with the prefix and the id of the run."""
        return "-".join(filter(None, (self.settings.prefix, self.run, suffix)))

    def outgoing(self, operation: str, request: Any) -> Any:
        """Return a CreateModel request with the tag of the run, if it can have a further tag; other requests unchanged."""
        if operation == "CreateModel" and isinstance(request, dict):
            return with_run_tag(request, self) or request
        return request

    def send(self, operation: str, request: Any, *, region: str | None = None) -> Reply:
        """Send a call that names only models of the run, not faster than the rate.

        Raises:
            UnsafeRequestError: the request names something else; nothing was sent.
            Difference: the request has an ARN with another name, from a response to CreateModel; nothing was sent.
            UnprovedError: the reply says nothing about a rule.
            StoppedError: the reply says nothing about a rule, and the run cannot continue.
        """
        region = region or self.region
        if self.stopped and not self._is_last:
            raise StoppedError(self.stopped)
        try:
            self.allow(operation, sent_body(request), region)
        except UnsafeRequestError as error:
            resource = request.get("ResourceArn") if isinstance(request, dict) else None
            if resource not in self._answered:
                raise
            raise Difference("CreateModel returns an ARN with the name of the created model", str(error), request) from None
        reply = self._sent(operation, request, region)
        if isinstance(request, dict):
            self.finish_entry((region, request.get("ModelName")), reply)
        kind = unproved_kind(reply)
        if kind is not None:
            raise self._unproved(kind, f"{operation}: {reply.verdict}")
        self._in_a_row = 0
        return reply

    def expect(self, region: str, request: Any) -> None:
        """Remember the name in a CreateModel request, and whether a check or a user's test sent it: the model may exist from now on."""
        name = request.get("ModelName") if isinstance(request, dict) else None
        if isinstance(name, str):
            self._created.append((region, name))
            self._of_tests = self._of_tests - {(region, name)} if self.check else self._of_tests | {(region, name)}

    def _note(self, operation: str, region: str, request: Any, members: Mapping[str, Any]) -> None:
        super()._note(operation, region, request, members)
        if "ModelArn" in members and operation == "CreateModel":
            self._answered.append(members["ModelArn"])

    def finish_entry(self, entry: tuple[str, Any], reply: Reply) -> None:
        """Forget a model if the reply shows that it was not created, or was deleted."""
        if reply.operation == "CreateModel" and reply.code is not None and not _may_exist(reply) and entry in self._created:
            self._created.remove(entry)
        elif reply.operation == "DeleteModel" and reply.code is None:
            self._created, self._left = ([other for other in found if other != entry] for found in (self._created, self._left))

    def _sent(self, operation: str, request: Any, region: str) -> Reply:
        """Send a call. An error that prevents a reply counts as a reply that proves nothing."""
        from botocore import exceptions
        from botocore.parsers import ResponseParserError

        missing = (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError)
        try:
            return super().send(operation, request, region=region)
        except StoppedError as error:
            self.stopped = self.stopped or str(error)
            raise
        except (exceptions.BotoCoreError, ResponseParserError, AttributeError, TypeError) as error:
            # botocore raises AttributeError or TypeError if a response is JSON but not an object.
            kind = "credentials" if isinstance(error, (*missing, exceptions.TokenRetrievalError)) else "failure"
            raise self._unproved(kind, f"{operation}: {error}") from None

    def _unproved(self, kind: str, verdict: str) -> UnprovedError:
        """Return the exception for a reply that proves nothing; it ends the check, or after several in a row the run."""
        self._in_a_row += 1
        text = unproved_text(kind, verdict)
        if kind != "credentials" and self._in_a_row < IN_A_ROW:
            return UnprovedError(text)
        self.stopped = self.stopped or text
        return StoppedError(self.stopped)

    def eventually(self, read: Callable[[], V], expected: V) -> V:
        """Read again at growing intervals until the value is the expected one, for at most `READ_AGAIN` seconds."""
        end, pause = time.monotonic() + READ_AGAIN, 1.0
        while (found := read()) != expected and time.monotonic() < end:
            time.sleep(pause)
            pause = min(2 * pause, 8.0)
        return found

    def endless(self, operation: str, request: Any) -> Exception:  # noqa: ARG002  # other targets report the request
        """Return the exception that ends the run if a list has too many pages."""
        self.stopped = self.stopped or f"{operation} still has a token after {self.most_pages} pages"
        return StoppedError(self.stopped)

    def preflight(self) -> None:
        """Check the account of the credentials with sts:GetCallerIdentity, before any other call.

        Raises:
            PreflightError: the credentials belong to another account or are missing or rejected, or STS cannot be reached.
        """
        patient = {"connect_timeout": 10, "read_timeout": 10}
        check_credentials(self.settings, self._config(retries={"mode": "standard", "total_max_attempts": 2}, **patient))
        self._is_known = True

    def survey(self) -> None:
        """Count the pages of a list of the run's models, which depends on the number of other models in the account.

        Raises:
            PreflightError: the models cannot be listed, or the list has too many pages; nothing was created.
        """
        try:
            self.listing = sum(1 for _ in self.pages("ListModels", self._scope()))
        except (UnprovedError, Difference) as error:
            raise PreflightError(f"the models of the account cannot be listed, nothing was created: {_line(error)}") from None
        self.most_pages = 2 * self.listing + 5

    def plan(self, checks: Sequence[Check], edition: Edition = "page") -> list[str]:
        """Set the budget of a run, and return lines that describe the run to a person before it starts."""
        from pytest_smfake.contract.report import describe_rules

        runs = [check for check in checks if self.why_not(check) is None]
        in_part = {check.rule for check in checks if self.why_not(check) is not None}
        rules = {check.rule for check in runs} & {rule["id"] for rule in describe_rules(edition) if not rule["silent"]} - in_part
        creating = sum(check.creates for check in runs)
        rehearsal = rehearse(self, runs, edition)
        requests = len(rehearsal.log) + (self.listing - 1) * rehearsal.listings
        self.budget.announce(requests, self.listing)
        if creating:
            cost = f"{creating} checks create and delete models, which are free of charge"
        else:
            cost = "nothing is created, unless the service accepts a wrong request; such a model is deleted"
        return [
            f"account {self.settings.account}, region {self.region}, run {self.run}: every name starts with {self.name_of()}",
            f"{len(runs)} of {len(checks)} checks, {requests} requests, at most {self.budget.limit} with retries, "
            f"{self.settings.rate:g} per second at most",
            f"{len(rules)} rules can be proved; {cost}",
            "no model with another name is created, changed or deleted; a signal deletes the created models, a second one lists them",
        ]

    def _scope(self) -> dict[str, Any]:
        return {"NameContains": self.name_of(), "MaxResults": 100}

    def census(self) -> list[str]:
        """Return the names of the existing models of this run."""
        names = [str(model.get("ModelName")) for page in self.pages("ListModels", self._scope()) for model in page["Models"]]
        return [name for name in names if belongs(name, self.name_of())]

    def _delete_created(self) -> None:
        """Delete the created models. These calls are sent even if the run was stopped."""
        self._is_last = True
        try:
            super()._delete_created()
        finally:
            self._is_last = False

    def _is_gone(self, region: str, name: str) -> bool:
        """Delete a model and return whether it certainly no longer exists."""
        if not belongs(name, self.name_of()):
            return False
        self._deleting = region, name
        try:
            reply = self.send("DeleteModel", {"ModelName": name}, region=region)
        except UnprovedError:
            return False
        finally:
            self._deleting = None
        return reply.code is None or reply.message.startswith(MISSING_TEXTS)

    def finish(self) -> list[str]:
        """Delete models that may be left, list the models of the run, and return the names of those that are still left."""
        left = super().finish()
        if self.aborted:
            return left
        self._is_last = True
        try:
            found = self.census()
        except (UnprovedError, Difference) as error:
            self.unproved["the list of left models"] = _line(error)
            return self.known_left()
        finally:
            self._is_last = False
        return [*found, *(name for name in self.known_left() if not belongs(name, self.name_of()))]


def _may_exist(reply: Reply) -> bool:
    """Whether a model may exist after an error: if a retry finds it existing, or if the error is not about the request."""
    return "already existing" in reply.message or (unproved_kind(reply) is not None and reply.code not in CREDENTIAL_CODES | DENIED_CODES)


def _line(error: Exception) -> str:
    return "; ".join(str(error).splitlines())


_NAME = "smfake_name"
"""The key in the context of a call under which its model name is kept until the response."""


def watch_client(client: Any, target: AwsTarget, region: str) -> None:
    """Pass each call of a client to a target before it is sent, at each attempt, and after the response.

    Args:
        client: the client, which a test of the user may have.
        target: the target of the client.
        region: the region of the client, which may differ from the region of the target.
    """
    events = client.meta.events
    events.register_last(f"before-call.{SIGNED_SERVICE}", partial(_before, target, region))
    events.register_first(f"request-created.{SIGNED_SERVICE}", target.take_attempt)
    events.register(f"after-call.{SIGNED_SERVICE}", partial(_after, target, region))


def _before(target: AwsTarget, region: str, model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Refuse a request that names other models, and add the tag of the run to a model, as `send` does for checks."""
    body = params["body"]
    target.allow(model.name, body.encode() if isinstance(body, str) else bytes(body), region)
    if target.is_sending or model.name not in ("CreateModel", "DeleteModel"):
        return
    request = json.loads(body)
    context[_NAME] = request.get("ModelName")
    if model.name == "CreateModel":
        params["body"] = sent_body(target.outgoing(model.name, request))
        target.expect(region, request)


def _after(
    target: AwsTarget, region: str, model: Any, http_response: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any
) -> None:
    """Remember a created model, forget a deleted one."""
    if _NAME in context:
        error = parsed.get("Error", {})
        reply = Reply(model.name, http_response.status_code, {}, b"", error.get("Code"), error.get("Message", ""), {})
        target.finish_entry((region, context[_NAME]), reply)


# The rehearsal of a run, offline.


@dataclass(frozen=True, slots=True)
class Planned:
    """Describe a request that a run will send.

    Attributes:
        check: the id of the check; empty for the lists of the run's models before the first check and after the last.
        operation: the operation, such as `CreateModel`.
        name: the name or ARN in the request as JSON, without quotes if it is text; `-` if there is none.
    """

    check: str
    operation: str
    name: str


class Rehearsal(AwsTarget):
    """Run checks offline against the fake in place of the real service, and keep a log of the requests."""

    def __init__(self, target: AwsTarget, edition: Edition) -> None:
        super().__init__(target.settings, target.name, run=target.run)
        self._fake = FakeSageMaker(region=target.region, account=target.settings.account, edition=edition)
        self._is_known = True
        self.log: list[Planned] = []
        self.listings = 0
        """The number of lists of models, each of which is read to its last page."""

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Return a client of the fake."""
        return self._fake.client(region_name=region, **arguments)

    def outgoing(self, operation: str, request: Any) -> Any:
        """Log a request, and return it as it is sent."""
        sent = super().outgoing(operation, request)
        self.log.append(Planned(self.check, operation, _name(operation, sent)))
        return sent

    def pages(self, operation: str, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list, and count the list."""
        self.listings += operation == "ListModels"
        return super().pages(operation, request)

    def run_through(self, checks: Sequence[Check], edition: Edition) -> None:
        """Send the calls of a run."""
        from pytest_smfake.contract.run import run_checks

        with self._fake:
            self.survey()
            run_checks(checks, [self], edition)
            self.finish()


def rehearse(target: AwsTarget, checks: Sequence[Check], edition: Edition) -> Rehearsal:
    """Run these checks offline and return the rehearsal, whose log has the requests; nothing leaves the process.

    Args:
        target: the target, which is not changed.
        checks: the checks. Checks that the target cannot run send nothing.
        edition: the edition whose rules the boundary cases test.
    """
    rehearsal = Rehearsal(target, edition)
    rehearsal.run_through(checks, edition)
    return rehearsal


def _name(operation: str, request: Any) -> str:
    if isinstance(request, bytes):
        return sent_body(request).decode("utf-8", "replace")
    value = request.get(NAMING_MEMBERS[operation]) if isinstance(request, dict) else request
    if value is None:
        return "-"
    return json.dumps(value, ensure_ascii=False)[1:-1] if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def plan_lines(log: Sequence[Planned]) -> Iterator[str]:
    """Yield a line for each request, with its number, operation, name and check."""
    width = max(len(planned.operation) for planned in log)
    yield f"{0:5}  {'GetCallerIdentity':{max(width, 17)}}  of STS, before all other calls"
    for number, planned in enumerate(log, 1):
        yield f"{number:5}  {planned.operation:{max(width, 17)}}  {planned.name}  {planned.check or '(lists the models of the run)'}"
