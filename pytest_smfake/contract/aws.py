"""The real service as a target: only the account that was named, only names of this run, and nothing left."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .check import Check, accepted
from .target import SERVICE, PreflightError, Reply, Target

V = TypeVar("V")

RATE = 4.0
"""Calls a second that are sent at the most, by default. The service's own limit is not documented; adaptive retries yield to it."""
PATIENCE = 30.0
"""Seconds for which a read is repeated until it agrees with what was written: that tags show late is reported."""
LACKS = {
    "any-name": "every name begins with the prefix and the id of the run",
    "alone": "the account may hold other models",
    "limits": "no limit of a real account is reached by creating",
    "faults": "a real service does not fail on request",
    "unchecked": "the service looks up roles, images and artifacts",
    "regions": "a run is held to one region",
}
REJECTING = "no role and image are given, so that nothing is created; the checks that reject are run alone"


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """What a run against the real service has to be told.

    Attributes:
        account: the id of the account that is expected; the credentials have to be of it.
        region: where to run.
        prefix: how every name begins that is created, at most 30 characters.
        role_arn, image: what models name; both, or neither: then nothing is created on purpose.
        rate: how many calls a second are sent at the most.
        configured_endpoints: whether AWS_ENDPOINT_URL and its kind count. They are ignored by default, and a run with them proves
            nothing about the real service.

    Raises:
        PreflightError: one of them cannot be; the sentence says what would be right.
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
            "account": (r"[0-9]{12}", "the account id that the credentials have to be of, 12 digits"),
            "region": (r"[a-z]{2,}(-[a-z]+)+-[0-9]+", "a region such as us-east-1"),
            "prefix": (r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,29}", "how names begin, up to 30 letters, digits and hyphens between them"),
        }
        for name, (pattern, what) in wanted.items():
            value = getattr(self, name)
            if not re.fullmatch(pattern, value or ""):
                raise PreflightError(f"the target aws needs {name}: {what}; {value!r} is none")
        if not 0 < self.rate < math.inf:
            raise PreflightError(f"the target aws sends a number of calls a second above 0, not {self.rate!r}")
        if bool(self.role_arn) != bool(self.image):
            raise PreflightError("the target aws takes a role and an image together: with both models are created, with neither nothing is")


class AwsTarget(Target):
    """The real service, in the account and region that the settings name.

    It deletes what it created, and that alone: the names of this run whose creation succeeded, the latest first.
    """

    is_service = True

    def __init__(self, settings: AwsSettings, name: str = "aws", *, run: str = "") -> None:
        super().__init__(name, region=settings.region, account=settings.account, run=run)
        self.settings = settings
        self.role_arn, self.image = settings.role_arn or self.role_arn, settings.image or self.image
        self.model_data_url = ""
        self.is_service = not settings.configured_endpoints
        self.lacks = LACKS if settings.role_arn else LACKS | {"creation": REJECTING}
        self.sent = 0
        """How many calls were sent."""
        self._next = 0.0

    def _config(self, **more: Any) -> Any:
        from botocore.config import Config

        return Config(ignore_configured_endpoint_urls=not self.settings.configured_endpoints, **more)

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Make a client with the credentials of the environment, whose retries adapt to throttling."""
        import boto3

        config = arguments.pop("config").merge(self._config(retries={"mode": "adaptive", "total_max_attempts": 8}))
        return boto3.client(SERVICE, region_name=region, config=config, **arguments)

    def name_of(self, suffix: str = "") -> str:
        """Return a name that begins with the prefix and the id of the run."""
        return "-".join(filter(None, (self.settings.prefix, self.run, suffix)))

    def send(self, operation: str, request: Any, *, region: str | None = None) -> Reply:
        """Send a call, not faster than the rate; models whose tags the check does not give are tagged with the id of the run."""
        wait = self._next - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._next = time.monotonic() + 1 / self.settings.rate
        self.sent += 1
        if operation == "CreateModel" and isinstance(request, dict) and "Tags" not in request:
            request = request | {"Tags": [{"Key": self.run_tag, "Value": self.run}]}
        return super().send(operation, request, region=region)

    def eventually(self, read: Callable[[], V], expected: V) -> V:
        """Read again until what was written shows, or patience ends."""
        end = time.monotonic() + PATIENCE
        while (found := read()) != expected and time.monotonic() < end:
            time.sleep(1)
        return found

    def preflight(self) -> None:
        """Ask STS whose credentials these are, before anything else is sent.

        Raises:
            PreflightError: they are of another account, are none, or nobody answers.
        """
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        config = self._config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=10, read_timeout=10)
        try:
            identity = boto3.client("sts", region_name=self.region, config=config).get_caller_identity()
        except ClientError as error:
            raise PreflightError(f"STS refuses the credentials: {error.response['Error']['Message']}") from None
        except BotoCoreError as error:
            raise PreflightError(f"STS could not be asked whose credentials these are: {error}") from None
        if identity["Account"] != self.settings.account:
            raise PreflightError(
                f"the credentials are of account {identity['Account']}, and not of {self.settings.account}, which is expected; "
                "nothing was sent to SageMaker"
            )

    def plan(self, checks: Sequence[Check]) -> list[str]:
        """Return what a run will do, in lines for a person to read before it starts."""
        runs = [check for check in checks if self.why_not(check) is None]
        rules = {check.rule for check in runs if check.rule}
        creating = sum(check.creates for check in runs)
        if creating:
            cost = f"{creating} checks create models, which cost nothing by themselves, and delete them"
        else:
            cost = "nothing is created, unless the service accepts what it should reject; that is deleted"
        return [
            f"account {self.settings.account}, region {self.region}, run {self.run}: every name begins with {self.name_of()}",
            f"{len(runs)} of {len(checks)} checks, about {len(runs) + 3 * creating} calls, {self.settings.rate:g} a second at the most",
            f"{len(rules)} rules to be proved; {cost}",
        ]

    def census(self) -> list[str]:
        """Return the names of this run's models that are there."""
        pages = self.pages("ListModels", {"NameContains": self.name_of(), "MaxResults": 100})
        names = [str(model["ModelName"]) for page in pages for model in page["Models"]]
        return [name for name in names if name.startswith(self.name_of())]

    def cleanup(self) -> list[str]:
        """Delete what a run left, and return what it was: every model whose name begins with its prefix and id."""
        found = self.census()
        for name in found:
            accepted(self.send("DeleteModel", {"ModelName": name}))
        return found

    def finish(self) -> list[str]:
        """Delete what an interrupted check may have left, and return what is still there."""
        self.end()
        return self.census()
