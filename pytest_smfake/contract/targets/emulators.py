"""The targets that this package knows: the fake, moto, and any endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from pytest_smfake.contract.check import Reply
from pytest_smfake.fake import FakeSageMaker
from pytest_smfake.rules.rule import Edition

from .account import RATE, AwsSettings
from .aws import AwsTarget
from .recording import RecordingTarget
from .target import IN_A_ROW, PreflightError, StoppedError, Target, UnprovedError

ALONE = "alone"
"""What names have in common where nobody else uses the account: the same in each run."""


class FakeTarget(Target):
    """The fake of this package; each check has a world of its own.

    Args:
        edition, rules: as for `FakeSageMaker`.
    """

    is_elsewhere = False
    lacks: Mapping[str, str] = {}

    def __init__(self, name: str = "fake", *, edition: Edition = "page", rules: Mapping[str, Any] | None = None) -> None:
        super().__init__(name, account="123456789012", run=ALONE)
        self.edition: Edition = edition
        self._rules = rules
        self._fake: FakeSageMaker | None = None

    @property
    def fake(self) -> FakeSageMaker:
        """The fake of the check that is running.

        Raises:
            RuntimeError: none is running.
        """
        if self._fake is None:
            raise RuntimeError("the target is a context manager: with target: ...")
        return self._fake

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Return one of the clients that the fakes of a process share."""
        return self.fake.client(region_name=region, **arguments)

    def limit(self, key: str, bound: int) -> AbstractContextManager[object]:
        """Limit something within a block."""
        return self.fake.limit(key, bound)

    def fail(self, operation: str, code: str, **keywords: Any) -> AbstractContextManager[object]:
        """Let the next call fail."""
        return self.fake.fail(operation, code, **keywords)

    def begin(self) -> None:
        """Begin a new world."""
        self._fake = FakeSageMaker(edition=self.edition, rules=self._rules)
        self._fake.__enter__()

    def end(self) -> None:
        """End the world."""
        self.forget()
        fake, self._fake = self.fake, None
        fake.__exit__()


class MotoTarget(Target):
    """moto in this process; each check has a mock of its own.

    Raises:
        ValueError: moto is not installed.
    """

    is_elsewhere = False
    lacks: Mapping[str, str] = {"limits": "moto has no limits", "faults": "moto has no failures on purpose"}

    def __init__(self, name: str = "moto") -> None:
        super().__init__(name, account="123456789012", run=ALONE)
        try:
            from moto import mock_aws
        except ImportError:
            raise ValueError("the target moto needs moto: pip install 'pytest-smfake[moto]'") from None
        self._mock: Callable[[], AbstractContextManager[object]] = mock_aws
        self._stack = ExitStack()

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Make a client; moto answers it, since it was made in its mock."""
        import boto3

        return boto3.client("sagemaker", region_name=region, **arguments)

    def _call(self, client: Any, operation: str) -> tuple[str | None, str, dict[str, Any]]:
        """Make a call. Where moto raises in the caller's face, its server answers 500."""
        from botocore.exceptions import ClientError

        try:
            return super()._call(client, operation)
        except ClientError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever goes wrong inside moto
            self._response = SimpleNamespace(status_code=500, headers={}, content=b"")
            return "500", repr(error), {}

    def begin(self) -> None:
        """Begin a new mock."""
        self._stack.enter_context(self._mock())

    def end(self) -> None:
        """End the mock."""
        self.forget()
        self._stack.close()


class EndpointTarget(Target):
    """Any endpoint that speaks SageMaker's protocol, such as an emulator's or `smfake serve`.

    Args:
        url: the endpoint, such as `http://127.0.0.1:5000`.
        account: the account, where it is known.

    Raises:
        ValueError: what was given is no URL; the sentence says what one looks like.
    """

    def __init__(self, url: str, name: str = "", *, region: str = "us-east-1", account: str | None = None) -> None:
        parts = urlsplit(url or "")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not the URL of an endpoint; one looks like http://127.0.0.1:5000")
        super().__init__(name or f"endpoint={url}", region=region, account=account)
        self.url = url
        self._silent = 0
        """How many calls in a row nobody answered."""

    def send(self, operation: str, request: Any, *, region: str | None = None) -> Reply:
        """Send a call and return what came back.

        Raises:
            UnprovedError: nobody answers, since a run has begun.
            StoppedError: nobody has answered several times in a row.
        """
        from botocore.exceptions import ConnectionError as NoConnectionError
        from botocore.exceptions import HTTPClientError

        if self.stopped:
            raise StoppedError(self.stopped)
        try:
            reply = super().send(operation, request, region=region)
        except (HTTPClientError, NoConnectionError) as error:
            self._silent += 1
            text = f"the endpoint does not answer any more ({operation}: {error})"
            if self._silent < IN_A_ROW:
                raise UnprovedError(text) from None
            self.stopped = text
            raise StoppedError(text) from None
        self._silent = 0
        return reply

    def preflight(self) -> None:
        """See that something answers there, and in JSON, as SageMaker does."""
        from botocore.exceptions import BotoCoreError
        from botocore.parsers import ResponseParserError

        strange = f"what answers at {self.url} is not SageMaker"
        try:
            reply = super().send("ListModels", {})
        except ResponseParserError as error:
            raise PreflightError(f"{strange}: {str(error).splitlines()[0]}") from None
        except (AttributeError, TypeError, RecursionError):  # where botocore expects an object
            raise PreflightError(f"{strange}: its answer to ListModels is no JSON object") from None
        except BotoCoreError as error:
            raise PreflightError(f"the endpoint {self.url} cannot be reached: {error}") from None
        try:
            spoken = isinstance(json.loads(reply.body), dict)
        except ValueError:
            spoken = False
        if not spoken:
            raise PreflightError(f"{strange}: its answer to ListModels, of status {reply.status}, is no JSON object: {reply.body[:40]!r}")

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Make a client of the endpoint, with dummy credentials."""
        import boto3

        keys = {"aws_access_key_id": "smfake", "aws_secret_access_key": "smfake"}
        return boto3.client("sagemaker", region_name=region, endpoint_url=self.url, **keys, **arguments)


def target_of(
    text: str,
    edition: Edition = "page",
    *,
    aws: Mapping[str, Any] | None = None,
    more: Mapping[str, Callable[[str], Target]] | None = None,
) -> Target:
    """Return the target that a text names: `fake`, `moto`, `endpoint=URL`, `recording=FILE`, `aws`.

    Args:
        text: the name of a kind of target, and after `=` its argument.
        edition: the edition of the fake.
        aws: what the target aws has to be told: `account`, `region`, `prefix`, `role`, `image`, `rate`, `run`, `configured_endpoints`.
        more: other kinds, by their names: each makes a target of its argument.

    Raises:
        ValueError: there is no such target, or its argument is missing or wrong; the sentence says what would be right.

    Example:
        >>> target_of("endpoint=http://127.0.0.1:5000")
        <EndpointTarget endpoint=http://127.0.0.1:5000>
    """
    kinds: dict[str, Callable[[str], Target]] = {
        "fake": lambda _: FakeTarget(text, edition=edition),
        "moto": lambda _: MotoTarget(text),
        "endpoint": EndpointTarget,
        "recording": RecordingTarget,
        "aws": lambda _: aws_target(dict(aws or {})),
        **(more or {}),
    }
    name, equals, argument = text.partition("=")
    if name not in kinds:
        raise ValueError(f"{text!r} is not a target; there are: {', '.join(kinds)}, and after = the argument of those that take one")
    if equals and name in ("fake", "moto", "aws"):
        raise ValueError(f"the target {name} takes no argument such as {argument!r}")
    return kinds[name](argument)


def aws_target(told: Mapping[str, Any]) -> AwsTarget:
    """Return the target aws; what it has to be told may be empty, and is then refused in a sentence."""
    return AwsTarget(
        AwsSettings(
            account=told.get("account") or "",
            region=told.get("region") or "",
            prefix=told.get("prefix") or "",
            role_arn=told.get("role") or "",
            image=told.get("image") or "",
            rate=_number(told.get("rate")),
            configured_endpoints=bool(told.get("configured_endpoints")),
        ),
        run=told.get("run") or "",
    )


def _number(text: str | float | None) -> float:
    try:
        return float(text) if text else RATE
    except ValueError:
        raise ValueError(f"the rate of the target aws is a number of calls a second, not {text!r}") from None
