"""What the fixture `smfake_server` gives: a fake at an address, in this process or in a world of a server that runs already."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pytest_smfake.clients.activation import keys_set_aside
from pytest_smfake.clients.credentials import environment
from pytest_smfake.fake import FakeSageMaker
from pytest_smfake.settings import CROSSING

from .remote import RemoteFake

if TYPE_CHECKING:
    from .worlds import Server

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
