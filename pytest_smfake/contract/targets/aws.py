"""The real service as a target: only the account that was named, only names of this run, a budget, and nothing left."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_smfake.contract.boundaries import MISSING_TEXTS
from pytest_smfake.contract.check import Check, Difference, Reply, request_body
from pytest_smfake.fake import FakeSageMaker

from .account import AwsSettings, check_credentials
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
    sentence,
    unproved_kind,
)

if TYPE_CHECKING:
    from pytest_smfake.rules.rule import Edition

READ_AGAIN = 30.0
"""Seconds for which a read is repeated until it agrees with what was written: that tags show late is reported."""
MOST_LIST_PAGES = 100
"""Pages of 100 models that an account may have: whoever has more is asked to run elsewhere, and a list that never ends is noticed."""
LACKS = {
    "any-name": "the name or ARN would be too short to begin with the prefix and the id of the run, and could be somebody's",
    "alone": "the account may hold other models",
    "limits": "no limit of a real account is reached by creating",
    "faults": "a real service does not fail on request",
    "unchecked": "the service looks up roles, images and artifacts",
    "regions": "a run is held to one region",
}
REJECTING = "no role and image are given, so that nothing is created; the checks that reject are run alone"


class AwsTarget(Target):
    """The real service, in the account and region that the settings name.

    What it sends names nothing but what the run created, or could create. It deletes what it created, and that alone: the names that
    it sent and that are not known to have been refused, the latest first.
    """

    is_service = True

    def __init__(self, settings: AwsSettings, name: str = "aws", *, run: str = "") -> None:
        super().__init__(name, region=settings.region, account=settings.account, run=run)
        self.settings = settings
        self.role_arn, self.image = settings.role_arn or self.role_arn, settings.image or self.image
        self.model_data_url = ""
        self.is_service = not settings.configured_endpoints
        self.lacks = LACKS if settings.role_arn else LACKS | {"creation": REJECTING}
        self.budget = Budget(settings.rate)
        self.most_pages = MOST_LIST_PAGES
        self.listing = 1
        """How many pages it takes to list the models of the run among those of the account."""
        self._is_known = False
        self._is_last = False
        self._deleting: tuple[str, str] | None = None
        self._answered: list[Any] = []
        """What creations answered as ARNs, whose names need not be those that were sent."""
        self._of_tests: set[tuple[str, str]] = set()
        """What tests of the user's own created: what is sent to delete it counts as apart as what created it."""
        self._in_a_row = 0

    @property
    def sent(self) -> int:
        """How many attempts were sent, retries among them."""
        return self.budget.sent

    def _config(self, **more: Any) -> Any:
        from botocore.config import Config

        return Config(ignore_configured_endpoint_urls=not self.settings.configured_endpoints, **more)

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Make a client with the credentials of the environment, whose retries adapt to throttling."""
        import boto3

        own = self._config(retries={"mode": "adaptive", "total_max_attempts": 8})
        config = arguments.pop("config", None)
        client = boto3.client(SIGNED_SERVICE, region_name=region, config=config.merge(own) if config else own, **arguments)
        watch_client(client, self, region)
        return client

    @property
    def is_sending(self) -> bool:
        """Whether `send` makes the call under way, and no client that a test got from this target."""
        return self._body is not None

    def allow(self, operation: str, body: bytes, region: str) -> None:
        """Refuse what a run may not send, and anything before it is known whose account it is."""
        check_request(self, operation, body, region)
        if not self._is_known:
            self.preflight()

    def take_attempt(self, **_: Any) -> None:
        """Count an attempt, and wait for its turn."""
        of_run = self._deleting not in self._of_tests if self._deleting else bool(self.check) or self._is_last
        self.budget.take(of_run=of_run, last=self._is_last, deletes=self._deleting is not None)

    def name_of(self, suffix: str = "") -> str:
        """Return a name that begins with the prefix and the id of the run."""
        return "-".join(filter(None, (self.settings.prefix, self.run, suffix)))

    def outgoing(self, operation: str, request: Any) -> Any:
        """Return a request with the tag of the run, where it creates a model and has room for it."""
        if operation == "CreateModel" and isinstance(request, dict):
            return with_run_tag(request, self) or request
        return request

    def send(self, operation: str, request: Any, *, region: str | None = None) -> Reply:
        """Send a call that names nothing but what is the run's, not faster than the rate.

        Raises:
            UnsafeRequestError: it names something else; nothing was sent.
            Difference: likewise, and it has the ARN from an answer.
            UnprovedError: the answer says nothing about any rule.
            StoppedError: the same, and no further call would fare better.
        """
        region = region or self.region
        if self.stopped and not self._is_last:
            raise StoppedError(self.stopped)
        try:
            self.allow(operation, request_body(request), region)
        except UnsafeRequestError as error:
            resource = request.get("ResourceArn") if isinstance(request, dict) else None
            if resource not in self._answered:
                raise
            raise Difference("CreateModel answers an ARN with the name of the model that was created", str(error), request) from None
        reply = self._sent(operation, request, region)
        if isinstance(request, dict):
            self.settle((region, request.get("ModelName")), reply)
        kind = unproved_kind(reply)
        if kind is not None:
            raise self._unproved(kind, f"{operation}: {reply.verdict}")
        self._in_a_row = 0
        return reply

    def expect(self, region: str, request: Any) -> None:
        """Remember what is going to be created, and for whom: from now on it may exist, whether an answer comes or not."""
        name = request.get("ModelName") if isinstance(request, dict) else None
        if isinstance(name, str):
            self._created.append((region, name))
            self._of_tests = self._of_tests - {(region, name)} if self.check else self._of_tests | {(region, name)}

    def _note(self, operation: str, region: str, request: Any, members: Mapping[str, Any]) -> None:
        super()._note(operation, region, request, members)
        if "ModelArn" in members and operation == "CreateModel":
            self._answered.append(members["ModelArn"])

    def settle(self, entry: tuple[str, Any], reply: Reply) -> None:
        """Forget what was not created, or is deleted, by an answer."""
        if reply.operation == "CreateModel" and reply.code is not None and not _may_exist(reply) and entry in self._created:
            self._created.remove(entry)
        elif reply.operation == "DeleteModel" and reply.code is None:
            self._created, self._left = ([other for other in found if other != entry] for found in (self._created, self._left))

    def _sent(self, operation: str, request: Any, region: str) -> Reply:
        """Send a call; what keeps it from being answered is an answer that proves nothing."""
        from botocore import exceptions
        from botocore.parsers import ResponseParserError

        lacking = (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError)
        try:
            return super().send(operation, request, region=region)
        except StoppedError as error:
            self.stopped = self.stopped or str(error)
            raise
        except (exceptions.BotoCoreError, ResponseParserError, AttributeError, TypeError) as error:
            # The latter two where botocore expects an object, and the answer is none.
            kind = "credentials" if isinstance(error, (*lacking, exceptions.TokenRetrievalError)) else "failure"
            raise self._unproved(kind, f"{operation}: {error}") from None

    def _unproved(self, kind: str, verdict: str) -> UnprovedError:
        """Return what an answer that proves nothing is met with: the end of its check, or of the run."""
        self._in_a_row += 1
        text = sentence(kind, verdict)
        if kind != "credentials" and self._in_a_row < IN_A_ROW:
            return UnprovedError(text)
        self.stopped = self.stopped or text
        return StoppedError(self.stopped)

    def eventually(self, read: Callable[[], V], expected: V) -> V:
        """Read again, less and less often, until what was written shows, or patience ends."""
        end, pause = time.monotonic() + READ_AGAIN, 1.0
        while (found := read()) != expected and time.monotonic() < end:
            time.sleep(pause)
            pause = min(2 * pause, 8.0)
        return found

    def endless(self, operation: str, request: Any) -> Exception:  # noqa: ARG002  # another target shows the request
        """Return what ends a run whose lists never end."""
        self.stopped = self.stopped or f"{operation} goes on after {self.most_pages} pages"
        return StoppedError(self.stopped)

    def preflight(self) -> None:
        """Ask STS whose credentials these are, before anything else is sent.

        Raises:
            PreflightError: they are of another account, are none, or nobody answers.
        """
        patient = {"connect_timeout": 10, "read_timeout": 10}
        check_credentials(self.settings, self._config(retries={"mode": "standard", "total_max_attempts": 2}, **patient))
        self._is_known = True

    def survey(self) -> None:
        """Count the pages of the list that a run has to read, which depends on how many models of others there are.

        Raises:
            PreflightError: the list cannot be read, or does not end; nothing was created.
        """
        try:
            self.listing = sum(1 for _ in self.pages("ListModels", self._scope()))
        except (UnprovedError, Difference) as error:
            raise PreflightError(f"the models of the account cannot be listed, so that nothing was created: {_line(error)}") from None
        self.most_pages = 2 * self.listing + 5

    def plan(self, checks: Sequence[Check], edition: Edition = "page") -> list[str]:
        """Bound what a run may send, and return what it will do, in lines for a person to read before it starts."""
        from pytest_smfake.contract.report import describe_rules

        runs = [check for check in checks if self.why_not(check) is None]
        in_part = {check.rule for check in checks if self.why_not(check) is not None}
        rules = {check.rule for check in runs} & {rule["id"] for rule in describe_rules(edition) if not rule["silent"]} - in_part
        creating = sum(check.creates for check in runs)
        rehearsal = rehearse(self, runs, edition)
        requests = len(rehearsal.log) + (self.listing - 1) * rehearsal.listings
        self.budget.announce(requests, self.listing)
        if creating:
            cost = f"{creating} checks create models, which cost nothing by themselves, and delete them"
        else:
            cost = "nothing is created, unless the service accepts what it should reject; that is deleted"
        return [
            f"account {self.settings.account}, region {self.region}, run {self.run}: every name begins with {self.name_of()}",
            f"{len(runs)} of {len(checks)} checks, {requests} requests, at most {self.budget.limit} with retries, "
            f"{self.settings.rate:g} a second at the most",
            f"{len(rules)} rules to be proved; {cost}",
            "nothing of another name is created, changed or deleted; on a signal what was created is deleted, on a second one it is told",
        ]

    def _scope(self) -> dict[str, Any]:
        return {"NameContains": self.name_of(), "MaxResults": 100}

    def census(self) -> list[str]:
        """Return the names of this run's models that are there."""
        names = [str(model.get("ModelName")) for page in self.pages("ListModels", self._scope()) for model in page["Models"]]
        return [name for name in names if belongs(name, self.name_of())]

    def _delete_created(self) -> None:
        """Delete what was created; these calls are the run's last, which go out also where it was stopped."""
        self._is_last = True
        try:
            super()._delete_created()
        finally:
            self._is_last = False

    def _is_gone(self, region: str, name: str) -> bool:
        """Delete a model, and return whether it is known not to be there any more."""
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
        """Delete what may be left, and return what is still there, as far as can be told."""
        left = super().finish()
        if self.hurried:
            return left
        self._is_last = True
        try:
            found = self.census()
        except (UnprovedError, Difference) as error:
            self.unproved["the list of what is left"] = _line(error)
            return self.known_left()
        finally:
            self._is_last = False
        return [*found, *(name for name in self.known_left() if not belongs(name, self.name_of()))]


def _may_exist(reply: Reply) -> bool:
    """Whether a model may exist after an answer that is no success: that of a repeated attempt, or none about the request at all."""
    return "already existing" in reply.message or (unproved_kind(reply) is not None and reply.code not in CREDENTIAL_CODES | DENIED_CODES)


def _line(error: Exception) -> str:
    return "; ".join(str(error).splitlines())


_NAME = "smfake_name"
"""Where a call keeps the name that it was sent with, for its answer."""


def watch_client(client: Any, target: AwsTarget, region: str) -> None:
    """Let a target see each call of a client before it is sent, each attempt, and each answer.

    Args:
        client: the client; a test of somebody's own may have it.
        target: the target that it is of.
        region: the region of the client, which need not be the one of the target.
    """
    events = client.meta.events
    events.register_last(f"before-call.{SIGNED_SERVICE}", partial(_before, target, region))
    events.register_first(f"request-created.{SIGNED_SERVICE}", target.take_attempt)
    events.register(f"after-call.{SIGNED_SERVICE}", partial(_after, target, region))


def _before(target: AwsTarget, region: str, model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Refuse what a run may not send, and give a model the tag of the run, as `send` does for checks."""
    body = params["body"]
    target.allow(model.name, body.encode() if isinstance(body, str) else bytes(body), region)
    if target.is_sending or model.name not in ("CreateModel", "DeleteModel"):
        return
    request = json.loads(body)
    context[_NAME] = request.get("ModelName")
    if model.name == "CreateModel":
        params["body"] = request_body(target.outgoing(model.name, request))
        target.expect(region, request)


def _after(
    target: AwsTarget, region: str, model: Any, http_response: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any
) -> None:
    """Take note of what was created, or is gone."""
    if _NAME in context:
        error = parsed.get("Error", {})
        reply = Reply(model.name, http_response.status_code, {}, b"", error.get("Code"), error.get("Message", ""), {})
        target.settle((region, context[_NAME]), reply)


# What a run is going to send, found out offline.


@dataclass(frozen=True, slots=True)
class Planned:
    """A request that a run is going to send.

    Attributes:
        check: the id of the check that sends it, empty where it lists the run's models before the first check and after the last.
        operation: such as `CreateModel`.
        name: the name or ARN in it as JSON has it, without quotes where it is a text; `-` where it names nothing.
    """

    check: str
    operation: str
    name: str


class Rehearsal(AwsTarget):
    """Plays the service offline, as it is documented, and keeps what is sent to it."""

    def __init__(self, target: AwsTarget, edition: Edition) -> None:
        super().__init__(target.settings, target.name, run=target.run)
        self._fake = FakeSageMaker(region=target.region, account=target.settings.account, edition=edition)
        self._is_known = True
        self.log: list[Planned] = []
        self.listings = 0
        """How many lists of the run's models are read to their last page."""

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Return a client that the fake answers."""
        return self._fake.client(region_name=region, **arguments)

    def outgoing(self, operation: str, request: Any) -> Any:
        """Keep a request, and return it as it is sent."""
        sent = super().outgoing(operation, request)
        self.log.append(Planned(self.check, operation, _name(operation, sent)))
        return sent

    def pages(self, operation: str, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list, and count the list."""
        self.listings += operation == "ListModels"
        return super().pages(operation, request)

    def run_through(self, checks: Sequence[Check], edition: Edition) -> None:
        """Do what a run does."""
        from pytest_smfake.contract.run import run_checks

        with self._fake:
            self.survey()
            run_checks(checks, [self], edition)
            self.finish()


def rehearse(target: AwsTarget, checks: Sequence[Check], edition: Edition) -> Rehearsal:
    """Return what a run of these checks sends to a service that is as documented; nothing leaves the process.

    Args:
        target: the target; nothing of it is changed.
        checks: the checks; those that it cannot run send nothing.
        edition: whose rules the boundary cases are about.
    """
    rehearsal = Rehearsal(target, edition)
    rehearsal.run_through(checks, edition)
    return rehearsal


def _name(operation: str, request: Any) -> str:
    if isinstance(request, bytes):
        return request_body(request).decode("utf-8", "replace")
    value = request.get(NAMING_MEMBERS[operation]) if isinstance(request, dict) else request
    if value is None:
        return "-"
    return json.dumps(value, ensure_ascii=False)[1:-1] if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def listed(log: Sequence[Planned]) -> Iterator[str]:
    """Yield a line for each request: its number, operation and name, and the check that sends it."""
    width = max(len(planned.operation) for planned in log)
    yield f"{0:5}  {'GetCallerIdentity':{max(width, 17)}}  of STS, before anything else"
    for number, planned in enumerate(log, 1):
        yield f"{number:5}  {planned.operation:{max(width, 17)}}  {planned.name}  {planned.check or '(which models of the run there are)'}"
