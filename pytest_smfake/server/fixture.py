"""The values of the fixture `smfake_server`: a fake with a URL, in this process or on a running server."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from pytest_smfake.clients.activation import keys_set_aside
from pytest_smfake.clients.credentials import environment
from pytest_smfake.fake import FakeSageMaker
from pytest_smfake.protocol.active import servers
from pytest_smfake.rules.inputs import shown
from pytest_smfake.rules.service_model import check_region
from pytest_smfake.service.faults import UnusedFaultError
from pytest_smfake.settings import CROSSING

if TYPE_CHECKING:
    from .worlds import Server

TOKEN_VARIABLE = "SMFAKE_TOKEN"  # noqa: S105  # the name of a variable
TIMEOUT = 30
NOT_REMOTE = ("stand_in", "sweep", "at", "client", "async_client", "endpoints", "endpoint_configs", "transform_jobs", "s3", "service")


class RemoteInjection:
    """A fault, delay, throttle, limit or denied permission in another process, until `stop()` or the end of its `with` block."""

    def __init__(self, fake: RemoteFake, entry: Mapping[str, Any]) -> None:
        self._fake = fake
        self._id = entry["id"]
        self._last: Mapping[str, Any] = entry
        self._stopped = False

    @property
    def hits(self) -> int | None:
        """How often it was triggered so far; None for a limit, which has no count."""
        if not self._stopped:
            self._last = self._fake.ask("GET", f"in-force/{self._id}")
        return self._last.get("hits")

    def stop(self) -> None:
        """Remove it. A second call does nothing."""
        if not self._stopped:
            self._last = self._fake.ask("DELETE", f"in-force/{self._id}")
            self._stopped = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<{self._last['label']} at {self._fake.url}>"


class RemoteClock:
    """The clock of a world in another process."""

    def __init__(self, fake: RemoteFake) -> None:
        self._fake = fake

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return float(self._fake.ask("POST", "clock", {"seconds": 0})["now"])

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._fake.ask("POST", "clock", {"seconds": seconds})


class RemoteModels(dict[str, dict[str, Any]]):
    """A snapshot of the models in one account and region: the request of each, by name.

    Args:
        scope: the account and region.
        held: the models of every account and region of the world.
    """

    def __init__(self, scope: tuple[str, str], held: Mapping[tuple[str, str], dict[str, dict[str, Any]]]) -> None:
        super().__init__(held.get(scope, {}))
        self._scope = scope
        self._held = held

    def __missing__(self, name: str) -> dict[str, Any]:
        account, region = self._scope
        others = [scope for scope, models in self._held.items() if name in models]
        # Not worded as `fake.at(...)`, which a remote fake does not have.
        where = "".join(f", but there is one in {region} of account {account}" for account, region in others)
        raise KeyError(f"no model {shown(name)} in {region}, account {account}{where}; models: {', '.join(self) or 'none'}")


class RemoteFake:
    """The fake of a world on a server in another process, with those methods of `FakeSageMaker` that work over HTTP.

    Args:
        address: the server's URL, with the token of its admin API in front of the host (`http://TOKEN@127.0.0.1:4577`), unless
            the variable SMFAKE_TOKEN has it.
        name: the name of the new world.
        settings: keywords of `FakeSageMaker`.

    Raises:
        ValueError: the server cannot be reached, or refuses.
    """

    def __init__(self, address: str, name: str, settings: Mapping[str, Any]) -> None:
        parts = urlsplit(address)
        token = parts.password or parts.username or os.environ.get(TOKEN_VARIABLE, "")
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{parts.geturl()!r} is not the URL of a server, such as http://127.0.0.1:4577")
        if not token:
            raise ValueError(
                f"the token of the admin API is missing: put it into the variable {TOKEN_VARIABLE}, or into http://TOKEN@{parts.netloc}"
            )
        self._netloc = parts.netloc.rpartition("@")[2]
        self._base = f"http://{self._netloc}/_smfake/worlds/{quote(name, safe='')}"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._open = build_opener(ProxyHandler({})).open
        servers.add(self._netloc)
        about = self.ask("PUT", "", _as_json(settings))
        self.url: str = about["url"]
        self.account: str = about["account"]
        self.region: str = about["region"]
        check_region(self.region)  # a warning on the server would not be seen here
        self.edition: str = about["edition"]
        self.clock = RemoteClock(self)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a request for this world to the admin API, and return its answer.

        Raises:
            ValueError: the server refuses, with its own text, or cannot be reached.
        """
        data = None if body is None else json.dumps(body).encode()
        url = f"{self._base}/{path}".rstrip("/")
        try:
            with self._open(Request(url, data, self._headers, method=method), timeout=TIMEOUT) as response:  # noqa: S310  # always http, see above
                return json.load(response)
        except HTTPError as error:
            text = error.read().decode("utf-8", "replace")
            reason = json.loads(text).get("error") or json.loads(text).get("message") if text.startswith("{") else text
            raise ValueError(f"{self._netloc}: {reason}") from None
        except URLError as error:
            raise ValueError(f"the server at {self._netloc} cannot be reached: {error.reason}") from None

    def verify_faults(self) -> None:
        """Raise UnusedFaultError if an injected fault was never triggered. The end of a test does so by itself.

        Raises:
            UnusedFaultError: a fault that is not optional was never triggered.
        """
        if unused := self.ask("GET", "unused")["unused"]:
            raise UnusedFaultError(unused)

    def close(self) -> None:
        """Delete the world."""
        self.ask("DELETE", "")

    def reset(self) -> None:
        """Delete all resources, calls and injections, and restore the first settings. The clock keeps its time."""
        self.ask("POST", "reset")

    def limit(self, key: str, bound: int | None, **keywords: Any) -> RemoteInjection:
        """Set a quota of an account; see `FakeSageMaker.limit`."""
        return self._inject("limits", {"key": key, "bound": bound} | keywords)

    def fail(self, operation: str, code: str, **keywords: Any) -> RemoteInjection:
        """Make calls of an operation fail; see `FakeSageMaker.fail`."""
        return self._inject("faults", {"operation": operation, "code": code} | keywords)

    def delay(self, operation: str, seconds: float, **keywords: Any) -> RemoteInjection:
        """Delay the answers to calls of an operation; see `FakeSageMaker.delay`."""
        return self._inject("delays", {"operation": operation, "seconds": seconds} | keywords)

    def throttle(self, **keywords: Any) -> RemoteInjection:
        """Refuse requests above a rate; see `FakeSageMaker.throttle`."""
        return self._inject("throttles", keywords)

    def deny(self, action: str, **keywords: Any) -> RemoteInjection:
        """Deny an action; see `FakeSageMaker.deny`."""
        return self._inject("denials", {"action": action} | keywords)

    def unavailable(self, thing: str, **keywords: Any) -> RemoteInjection:
        """Let a region lack an instance type or a feature; see `FakeSageMaker.unavailable`."""
        return self._inject("unavailable", {"thing": thing} | keywords)

    def _inject(self, kind: str, keywords: Mapping[str, Any]) -> RemoteInjection:
        return RemoteInjection(self, self.ask("POST", kind, _as_json(keywords)))

    def add_model(self, /, **request: Any) -> None:
        """Create a model without an entry in `calls`; see `FakeSageMaker.add_model`."""
        self.ask("POST", "models", _as_json(request))

    def request(self, /, **overrides: Any) -> dict[str, Any]:
        """Return a valid CreateModel request. An override of None leaves the member out."""
        from pytest_smfake.fake import FakeSageMaker

        return FakeSageMaker(region=self.region, account=self.account).request(**overrides)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls that the server keeps, oldest first, as the admin API shows them."""
        found: list[dict[str, Any]] = []
        last, end = 0, 1
        while last < end:
            page = self.ask("GET", f"calls?after={last}")
            found += page["calls"]
            last, end = (page["calls"][-1]["number"] if page["calls"] else page["last"]), page["last"]
        return found

    @property
    def models(self) -> RemoteModels:
        """The requests of the models in the world's own account and region, by name."""
        places = self.ask("GET", "state")["places"]
        held = {(place["account"], place["region"]): {kept["name"]: kept["request"] for kept in place["models"]} for place in places}
        return RemoteModels((self.account, self.region), held)

    def __getattr__(self, name: str) -> Any:
        if name in NOT_REMOTE:
            text = (
                f"{name} works only with a fake in this process, not with the one at {self._netloc}: run the test without --smfake-server"
            )
            raise AttributeError(text)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<RemoteFake {self.url}>"


def _as_json(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return keywords as they are after a round trip through JSON.

    Raises:
        ValueError: a value cannot be written as JSON.
    """
    for name, value in keywords.items():
        try:
            json.dumps(value, default=_attributes)
        except (TypeError, ValueError):
            text = f"{name}={shown(value)} cannot be sent to a server in another process: run the test without --smfake-server"
            raise ValueError(text) from None
    crossed: dict[str, Any] = json.loads(json.dumps(dict(keywords), default=_attributes))
    return crossed


def _attributes(value: Any) -> Any:
    """Return a JSON value for an object that JSON has no type for: a dict for an `AccessKey`."""
    from dataclasses import asdict

    from pytest_smfake.protocol.signatures import AccessKey

    if isinstance(value, AccessKey):
        return asdict(value)
    raise TypeError


def check_address(address: str) -> None:
    """Check the URL of a server.

    Raises:
        ValueError: it is not one.
    """
    if not re.fullmatch(r"http://(?:[^@/\s]+@)?[^@/\s]+/?", address):
        shown = re.sub(r"//.*@", "//TOKEN@", address)
        raise ValueError(f"{shown!r} is not the URL of a server, such as http://127.0.0.1:4577")


server_key = pytest.StashKey["Server"]()


@dataclass(frozen=True, slots=True)
class ServedFake:
    """A fake with a URL.

    Attributes:
        url: the endpoint URL for SDKs of any language.
        fake: the fake that answers there: a `FakeSageMaker` of this process, or a `RemoteFake`.
    """

    url: str
    fake: FakeSageMaker | RemoteFake

    @property
    def env(self) -> dict[str, str]:
        """Variables that lead a subprocess to the fake: endpoint URLs, dummy keys, region. Add them to `os.environ`."""
        return environment(self.url, self.fake.account, self.fake.region)


def served(request: pytest.FixtureRequest, settings: dict[str, Any], remotes: list[RemoteFake]) -> Iterator[ServedFake]:
    """Yield the fake of a test with its URL while the test runs. A fake in another process is added to `remotes`."""
    address = request.config.getoption("--smfake-server")
    if address is not None:
        yield from _remote(address, settings, remotes)
        return
    fake: FakeSageMaker = request.getfixturevalue("smfake")
    server = _server(request.config)
    with server.serving(f"test-{uuid.uuid4().hex[:12]}", fake) as url:
        yield ServedFake(url, fake)


def _server(config: pytest.Config) -> Server:
    """Return the server of this process, which starts once and serves all tests."""
    if server_key not in config.stash:
        from .worlds import Server

        running = ExitStack()
        config.stash[server_key] = running.enter_context(Server())
        config.add_cleanup(running.close)
    return config.stash[server_key]


def _remote(address: str, settings: dict[str, Any], remotes: list[RemoteFake]) -> Iterator[ServedFake]:
    """Make a world on a running server, and delete it after the test."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    crossing = {name: value for name, value in settings.items() if name in CROSSING}
    try:
        fake = RemoteFake(address, f"{worker}-{uuid.uuid4().hex[:12]}", crossing)
    except ValueError as error:
        raise pytest.fail.Exception(f"smfake_server: {error}", pytrace=False) from None
    remotes.append(fake)
    try:
        with keys_set_aside(fake.account):  # true credentials never reach the server
            yield ServedFake(fake.url, fake)
    finally:
        fake.close()
