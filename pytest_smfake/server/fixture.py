"""What the fixture `smfake_server` gives: a fake at an address, in this process or in a world of a server that runs already."""

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
from pytest_smfake.service.arns import check_region
from pytest_smfake.service.faults import UnusedFaultError
from pytest_smfake.settings import CROSSING

if TYPE_CHECKING:
    from .worlds import Server

TOKEN_VARIABLE = "SMFAKE_TOKEN"  # noqa: S105  # the name of a variable
TIMEOUT = 30
NOT_REMOTE = ("stand_in", "sweep", "at", "client", "async_client", "endpoints", "endpoint_configs", "transform_jobs", "s3", "service")


class RemoteInForce:
    """Something in force in another process, until `stop()` or the end of its `with` block."""

    def __init__(self, fake: RemoteFake, shown: Mapping[str, Any]) -> None:
        self._fake = fake
        self._id = shown["id"]
        self._last: Mapping[str, Any] = shown
        self._stopped = False

    @property
    def hits(self) -> int | None:
        """How often it struck so far; None for a limit, which does not count."""
        if not self._stopped:
            self._last = self._fake.ask("GET", f"in-force/{self._id}")
        return self._last.get("hits")

    def stop(self) -> None:
        """End it; a second call does nothing."""
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
    """The requests of the models that one place held at the moment of asking, by name.

    Args:
        here: its account and region.
        held: the models of every place of the world.
    """

    def __init__(self, here: tuple[str, str], held: Mapping[tuple[str, str], dict[str, dict[str, Any]]]) -> None:
        super().__init__(held.get(here, {}))
        self._here = here
        self._held = held

    def __missing__(self, name: str) -> dict[str, Any]:
        account, region = self._here
        others = [place for place, models in self._held.items() if name in models]
        # A remote fake has no `at`: where else the model is, is said without it.
        where = "".join(f", but there is one in {region} of account {account}" for account, region in others)
        raise KeyError(f"no model {shown(name)} in {region}, account {account}{where}; models: {', '.join(self) or 'none'}")


class RemoteFake:
    """The fake of a world on a server in another process: what of `FakeSageMaker` can cross to it, in the same words.

    Args:
        address: the server's address; the token of its admin API is in front of the host (`http://TOKEN@127.0.0.1:4577`), or in
            the variable SMFAKE_TOKEN.
        name: what the new world is called.
        settings: keywords of `FakeSageMaker`.

    Raises:
        ValueError: the server cannot be reached, or refuses; the sentence says why.
    """

    def __init__(self, address: str, name: str, settings: Mapping[str, Any]) -> None:
        parts = urlsplit(address)
        token = parts.password or parts.username or os.environ.get(TOKEN_VARIABLE, "")
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{parts.geturl()!r} is not the address of a server; one looks like http://127.0.0.1:4577")
        if not token:
            raise ValueError(
                f"the token of the admin API is missing: put it into the variable {TOKEN_VARIABLE}, or into http://TOKEN@{parts.netloc}"
            )
        self._netloc = parts.netloc.rpartition("@")[2]
        self._base = f"http://{self._netloc}/_smfake/worlds/{quote(name, safe='')}"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._open = build_opener(ProxyHandler({})).open
        servers.add(self._netloc)
        about = self.ask("PUT", "", _crossing(settings))
        self.url: str = about["url"]
        self.account: str = about["account"]
        self.region: str = about["region"]
        check_region(self.region)  # the server's own warning is not seen here
        self.edition: str = about["edition"]
        self.clock = RemoteClock(self)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask the admin API about this world.

        Raises:
            ValueError: it refuses, in its own sentence, or cannot be reached.
        """
        data = None if body is None else json.dumps(body).encode()
        url = f"{self._base}/{path}".rstrip("/")
        try:
            with self._open(Request(url, data, self._headers, method=method), timeout=TIMEOUT) as response:  # noqa: S310  # http alone, see above
                return json.load(response)
        except HTTPError as error:
            text = error.read().decode("utf-8", "replace")
            said = json.loads(text).get("error") or json.loads(text).get("message") if text.startswith("{") else text
            raise ValueError(f"{self._netloc}: {said}") from None
        except URLError as error:
            raise ValueError(f"the server at {self._netloc} cannot be reached: {error.reason}") from None

    def verify_faults(self) -> None:
        """Complain of a failure that was put in force and never struck; the end of a test does so by itself.

        Raises:
            UnusedFaultError: there is one, and it is not optional.
        """
        if unused := self.ask("GET", "unused")["unused"]:
            raise UnusedFaultError(unused)

    def close(self) -> None:
        """Drop the world."""
        self.ask("DELETE", "")

    def reset(self) -> None:
        """Forget all but the first settings; the clock goes on."""
        self.ask("POST", "reset")

    def limit(self, key: str, bound: int | None, **keywords: Any) -> RemoteInForce:
        """Limit how many of something an account may have; see `FakeSageMaker.limit`."""
        return self._put("limits", {"key": key, "bound": bound} | keywords)

    def fail(self, operation: str, code: str, **keywords: Any) -> RemoteInForce:
        """Let calls of an operation fail; see `FakeSageMaker.fail`."""
        return self._put("faults", {"operation": operation, "code": code} | keywords)

    def delay(self, operation: str, seconds: float, **keywords: Any) -> RemoteInForce:
        """Let calls of an operation take their time; see `FakeSageMaker.delay`."""
        return self._put("delays", {"operation": operation, "seconds": seconds} | keywords)

    def throttle(self, **keywords: Any) -> RemoteInForce:
        """Refuse what is over a rate; see `FakeSageMaker.throttle`."""
        return self._put("throttles", keywords)

    def deny(self, action: str, **keywords: Any) -> RemoteInForce:
        """Deny an action; see `FakeSageMaker.deny`."""
        return self._put("denials", {"action": action} | keywords)

    def _put(self, kind: str, keywords: Mapping[str, Any]) -> RemoteInForce:
        return RemoteInForce(self, self.ask("POST", kind, _crossing(keywords)))

    def add_model(self, /, **request: Any) -> None:
        """Create a model without an entry in `calls`; see `FakeSageMaker.add_model`."""
        self.ask("POST", "models", _crossing(request))

    def request(self, /, **overrides: Any) -> dict[str, Any]:
        """Return a valid CreateModel request; an override of None leaves the member out."""
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
        """The models of the world's own account and region: the request of each, by name."""
        places = self.ask("GET", "state")["places"]
        held = {(place["account"], place["region"]): {kept["name"]: kept["request"] for kept in place["models"]} for place in places}
        return RemoteModels((self.account, self.region), held)

    def __getattr__(self, name: str) -> Any:
        if name in NOT_REMOTE:
            text = (
                f"{name} is of a fake in this process, and cannot cross to the one at {self._netloc}: run the test without --smfake-server"
            )
            raise AttributeError(text)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<RemoteFake {self.url}>"


def _crossing(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return keywords that can cross to another process as JSON; those that are None stand for a default, or for no bound.

    Raises:
        ValueError: one cannot.
    """
    for name, value in keywords.items():
        try:
            json.dumps(value, default=_attributes)
        except (TypeError, ValueError):
            text = f"{name}={shown(value)} cannot cross to the server in another process: run the test without --smfake-server"
            raise ValueError(text) from None
    crossed: dict[str, Any] = json.loads(json.dumps(dict(keywords), default=_attributes))
    return crossed


def _attributes(value: Any) -> Any:
    """Return in JSON what JSON has no form of: key pairs, as dicts of their attributes."""
    from dataclasses import asdict

    from pytest_smfake.protocol.signatures import AccessKey

    if isinstance(value, AccessKey):
        return asdict(value)
    raise TypeError


def check_address(address: str) -> None:
    """Refuse what cannot be the address of a server.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"http://(?:[^@/\s]+@)?[^@/\s]+/?", address):
        shown = re.sub(r"//.*@", "//TOKEN@", address)
        raise ValueError(f"{shown!r} is not the address of a server; one looks like http://127.0.0.1:4577")


server_key = pytest.StashKey["Server"]()


@dataclass(frozen=True, slots=True)
class ServedFake:
    """A fake at an address.

    Attributes:
        url: the address, which every SDK takes as its endpoint URL.
        fake: the fake that answers there: a `FakeSageMaker` of this process, or a `RemoteFake`.
    """

    url: str
    fake: FakeSageMaker | RemoteFake

    @property
    def env(self) -> dict[str, str]:
        """The variables by which a subprocess reaches it: endpoint URLs, dummy keys, region. Add them to `os.environ`."""
        return environment(self.url, self.fake.account, self.fake.region)


def served(request: pytest.FixtureRequest, settings: dict[str, Any], remotes: list[RemoteFake]) -> Iterator[ServedFake]:
    """Yield the fake of a test at an address, as long as the test runs; one in another process is put on the list, too."""
    address = request.config.getoption("--smfake-server")
    if address is not None:
        yield from _remote(address, settings, remotes)
        return
    fake: FakeSageMaker = request.getfixturevalue("smfake")
    server = _server(request.config)
    with server.serving(f"test-{uuid.uuid4().hex[:12]}", fake) as url:
        yield ServedFake(url, fake)


def _server(config: pytest.Config) -> Server:
    """Return the server of this process, started once, so that a test costs next to nothing."""
    if server_key not in config.stash:
        from .worlds import Server

        running = ExitStack()
        config.stash[server_key] = running.enter_context(Server())
        config.add_cleanup(running.close)
    return config.stash[server_key]


def _remote(address: str, settings: dict[str, Any], remotes: list[RemoteFake]) -> Iterator[ServedFake]:
    """Make a world on a server that runs already, and let go of it when the test is over."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    crossing = {name: value for name, value in settings.items() if name in CROSSING}
    try:
        fake = RemoteFake(address, f"{worker}-{uuid.uuid4().hex[:12]}", crossing)
    except ValueError as error:
        raise pytest.fail.Exception(f"smfake_server: {error}", pytrace=False) from None
    remotes.append(fake)
    try:
        with keys_set_aside(fake.account):  # no true credentials go to the server
            yield ServedFake(fake.url, fake)
    finally:
        fake.close()
