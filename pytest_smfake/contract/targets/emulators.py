"""Define the targets fake, moto and endpoint, and make a target from the value of `--target`."""

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

from .aws import RATE, AwsSettings, AwsTarget
from .recording import RecordingTarget
from .target import IN_A_ROW, PreflightError, StoppedError, Target, UnprovedError

ALONE = "alone"
"""The id of a run on a target that nobody else uses: the same in each run."""


class FakeTarget(Target):
    """Run checks against the fake of this package, with a new fake for each check.

    Args:
        edition, rules: the arguments of `FakeSageMaker`.
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
        """The fake of the running check.

        Raises:
            RuntimeError: no check is running.
        """
        if self._fake is None:
            raise RuntimeError("the target is a context manager; use it as: with target: ...")
        return self._fake

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Return a client of the fake."""
        return self.fake.client(region_name=region, **arguments)

    def limit(self, key: str, bound: int) -> AbstractContextManager[object]:
        """Set a limit within a block."""
        return self.fake.limit(key, bound)

    def fail(self, operation: str, code: str, **keywords: Any) -> AbstractContextManager[object]:
        """Inject a fault into the next call."""
        return self.fake.fail(operation, code, **keywords)

    def begin(self) -> None:
        """Begin a new fake."""
        self._fake = FakeSageMaker(edition=self.edition, rules=self._rules)
        self._fake.__enter__()

    def end(self) -> None:
        """End the fake."""
        self.forget()
        fake, self._fake = self.fake, None
        fake.__exit__()


class MotoTarget(Target):
    """Run checks against moto in this process, with a new mock for each check.

    Raises:
        ValueError: moto is not installed.
    """

    is_elsewhere = False
    lacks: Mapping[str, str] = {"limits": "moto has no limits", "faults": "moto has no fault injection"}

    def __init__(self, name: str = "moto") -> None:
        super().__init__(name, account="123456789012", run=ALONE)
        try:
            from moto import mock_aws
        except ImportError:
            raise ValueError("the target moto needs moto: pip install 'pytest-smfake[moto]'") from None
        self._mock: Callable[[], AbstractContextManager[object]] = mock_aws
        self._stack = ExitStack()

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Return a new client; moto answers it, since it is created within the mock."""
        import boto3

        return boto3.client("sagemaker", region_name=region, **arguments)

    def _call(self, client: Any, operation: str) -> tuple[str | None, str, dict[str, Any]]:
        """Make a call. If moto raises an exception of its own, the reply has status 500, as from its server."""
        from botocore.exceptions import ClientError

        try:
            return super()._call(client, operation)
        except ClientError:
            raise
        except Exception as error:  # noqa: BLE001  # any error within moto
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
    """Run checks against any endpoint with SageMaker's protocol, such as an emulator or `smfake serve`.

    Args:
        url: the URL of the endpoint, such as `http://127.0.0.1:5000`.
        name: the name in tables and reports; by default `endpoint=URL`.
        region: the region of the checks.
        account: the id of the account, if it is known.

    Raises:
        ValueError: `url` is not an HTTP URL.
    """

    def __init__(self, url: str, name: str = "", *, region: str = "us-east-1", account: str | None = None) -> None:
        parts = urlsplit(url or "")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not the URL of an endpoint; expected a URL such as http://127.0.0.1:5000")
        super().__init__(name or f"endpoint={url}", region=region, account=account)
        self.url = url
        self._failed_in_a_row = 0
        """The number of consecutive calls without a response."""

    def send(self, operation: str, request: Any, *, region: str | None = None) -> Reply:
        """Send a call and return the reply.

        Raises:
            UnprovedError: there is no response.
            StoppedError: several calls in a row had no response.
        """
        from botocore.exceptions import ConnectionError as NoConnectionError
        from botocore.exceptions import HTTPClientError

        if self.stopped:
            raise StoppedError(self.stopped)
        try:
            reply = super().send(operation, request, region=region)
        except (HTTPClientError, NoConnectionError) as error:
            self._failed_in_a_row += 1
            text = f"the endpoint no longer answers ({operation}: {error})"
            if self._failed_in_a_row < IN_A_ROW:
                raise UnprovedError(text) from None
            self.stopped = text
            raise StoppedError(text) from None
        self._failed_in_a_row = 0
        return reply

    def preflight(self) -> None:
        """Check that the endpoint answers ListModels with a JSON object."""
        from botocore.exceptions import BotoCoreError
        from botocore.parsers import ResponseParserError

        wrong = f"the endpoint {self.url} does not answer as SageMaker"
        try:
            reply = super().send("ListModels", {})
        except ResponseParserError as error:
            raise PreflightError(f"{wrong}: {str(error).splitlines()[0]}") from None
        except (AttributeError, TypeError, RecursionError):  # botocore raises these if the response is JSON but not an object
            raise PreflightError(f"{wrong}: its response to ListModels is not a JSON object") from None
        except BotoCoreError as error:
            raise PreflightError(f"the endpoint {self.url} cannot be reached: {error}") from None
        try:
            is_object = isinstance(json.loads(reply.body), dict)
        except ValueError:
            is_object = False
        if not is_object:
            raise PreflightError(f"{wrong}: its response to ListModels (status {reply.status}) is not a JSON object: {reply.body[:40]!r}")

    def new_client(self, region: str, **arguments: Any) -> Any:
        """Return a new client of the endpoint, with dummy credentials."""
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
    """Return the target for a text: `fake`, `moto`, `endpoint=URL`, `recording=FILE`, `aws`.

    Args:
        text: the kind of target, and after `=` its argument.
        edition: the edition of the fake.
        aws: the settings of the target aws: `account`, `region`, `prefix`, `role`, `image`, `rate`, `run`, `configured_endpoints`.
        more: functions for other kinds, by kind; each returns a target for its argument.

    Raises:
        ValueError: there is no such target, or its argument is missing or wrong.

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
        known = {"endpoint": "endpoint=URL", "recording": "recording=FILE"}
        raise ValueError(f"{text!r} is not a target; there are: {', '.join(known.get(kind, kind) for kind in kinds)}")
    if equals and name in ("fake", "moto", "aws"):
        raise ValueError(f"the target {name} takes no argument, got {argument!r}")
    return kinds[name](argument)


def aws_target(settings: Mapping[str, Any]) -> AwsTarget:
    """Return the target aws. `AwsSettings` rejects missing settings with an error text."""
    return AwsTarget(
        AwsSettings(
            account=settings.get("account") or "",
            region=settings.get("region") or "",
            prefix=settings.get("prefix") or "",
            role_arn=settings.get("role") or "",
            image=settings.get("image") or "",
            rate=_number(settings.get("rate")),
            configured_endpoints=bool(settings.get("configured_endpoints")),
        ),
        run=settings.get("run") or "",
    )


def _number(text: str | float | None) -> float:
    try:
        return float(text) if text else RATE
    except ValueError:
        raise ValueError(f"the rate of the target aws must be a number of calls per second, got {text!r}") from None
