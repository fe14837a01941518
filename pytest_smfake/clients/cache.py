"""What costs time and is shared: the service models that sessions of boto3 load, and ready clients, lent to each fake in turn.

`mock_aws` makes boto3 forget its session at each entry, and to read SageMaker's model anew takes most of the time of such a test.
"""

from __future__ import annotations

import json
import os
import sys
from collections import OrderedDict
from copy import deepcopy
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pytest_smfake.protocol.active import active
from pytest_smfake.rules.service_model import loader

from .guard import is_loopback

_read: dict[Any, Any] = {}
"""What was read: models by what they were asked for by, endpoints by their file."""


def load_service_model(original: Any) -> Any:
    """Return a `load_service_model` that reads each file of an installed package once; botocore never writes to what it returns."""

    def load(loader: Any, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        if active() is None or not _is_of_packages_alone(loader):
            return original(loader, service_name, type_name, api_version)
        key = (*loader.search_paths, *loader.extras_types, service_name, type_name, api_version)
        if key not in _read:
            _read[key] = original(loader, service_name, type_name, api_version)
        return _read[key]

    return load


def load_file(original: Any) -> Any:
    """Return a `load_file` that reads the endpoints of all services once, and copies as much of them as botocore writes to."""

    def load(files: Any, file_path: str) -> Any:
        if active() is None or file_path != _endpoints():
            return original(files, file_path)
        if file_path not in _read:
            _read[file_path] = json.loads(json.dumps(original(files, file_path)))  # plain dicts, which are copied ten times as fast
        read = _read[file_path]
        return read | {"partitions": [partition | {"services": _own(partition["services"])} for partition in read["partitions"]]}

    return load


def _own(services: dict[str, Any]) -> dict[str, Any]:
    """Return services with dicts of their own for their endpoints, where botocore notes what it has resolved."""
    return {
        name: service | {"endpoints": {region: endpoint.copy() for region, endpoint in service.get("endpoints", {}).items()}}
        for name, service in services.items()
    }


def _is_of_packages_alone(loader: Any) -> bool:
    """Whether a loader reads what packages brought along, and nothing that a user, or a test, may change meanwhile."""
    own = (loader.BUILTIN_DATA_PATH, _boto3_data())
    return all(path in own or not Path(path).exists() for path in loader.search_paths)


@cache
def _endpoints() -> str:
    """Return the file of the endpoints, without its suffix."""
    from botocore.loaders import Loader

    return str(Path(Loader.BUILTIN_DATA_PATH) / "endpoints")


def _boto3_data() -> str:
    """Return where boto3 keeps its data, which its sessions look through, too; it is never imported for this."""
    boto3 = sys.modules.get("boto3")
    return str(Path(str(boto3.__file__)).parent / "data") if boto3 is not None else ""


MOST_CLIENTS = 50
"""Clients that are kept at the most, the latest; one takes 0.8 MB."""


class _Kept(NamedTuple):
    """A client that is kept, and what it was like when it was made."""

    client: Any
    hooks: Any
    attributes: dict[str, Any]
    config: dict[str, Any]

    @property
    def is_as_made(self) -> bool:
        """Whether no test has left anything in it: a handler, an attribute such as a mock, another configuration."""
        client = self.client
        return _hooks(client) is self.hooks and _attributes(client) == self.attributes and vars(client.meta.config) == self.config


_kept: OrderedDict[Any, _Kept] = OrderedDict()


class ClientCache:
    """The clients that one fake has been lent."""

    def __init__(self) -> None:
        self._lent: set[Any] = set()

    def get(self, service: str, arguments: dict[str, Any]) -> Any:
        """Return a client of a service, made with what `boto3.client` takes, or kept from an earlier loan."""
        # A client reads its configuration once, so that it is lent again only under the same variables.
        variables = tuple((name, value) for name, value in os.environ.items() if name.startswith("AWS_") and name != "AWS_ACCESS_KEY_ID")
        key = (service, tuple(sorted(arguments.items())), variables)
        try:
            kept = _kept.get(key)
        except TypeError:  # an argument that cannot be part of a key: the client is the caller's own
            return _new_client(service, arguments, variables)
        if kept is None:
            client = _new_client(service, arguments, variables)
            kept = _kept[key] = _Kept(client, _hooks(client), _attributes(client), deepcopy(vars(client.meta.config)))
            while len(_kept) > MOST_CLIENTS:
                _kept.popitem(last=False)
        self._lent.add(key)
        return kept.client

    def give_back(self) -> None:
        """End the loans. A client that was changed is not lent again: no test sees what another put there."""
        for key in self._lent:
            kept = _kept.get(key)
            if kept is not None and not kept.is_as_made:
                _kept.pop(key, None)
        self._lent.clear()


def refuse_after_the_end(request: Any, **_: Any) -> None:
    """Keep a client of a fake off the network once no fake is active; a handler of the event `before-send`.

    Raises:
        RuntimeError: neither a fake nor moto answers.
    """
    moto = sys.modules.get("moto.core.models")
    host = urlsplit(request.url).hostname or ""
    if active() is None and not is_loopback(host) and not (moto is not None and moto.botocore_stubber.enabled):
        raise RuntimeError(
            f"a request to {host} was not sent: the FakeSageMaker that this client was made by has ended, and no other is active"
        )


def _new_client(service: str, arguments: dict[str, Any], variables: tuple[tuple[str, str], ...]) -> Any:
    client = _session(variables).client(service, **arguments)
    client.meta.events.register_first("before-send", refuse_after_the_end)
    return client


@lru_cache(maxsize=8)
def _session(variables: tuple[tuple[str, str], ...]) -> Any:  # noqa: ARG001  # a session reads its configuration once, too
    import boto3
    import botocore.session

    session = botocore.session.Session()
    session.register_component("data_loader", loader())
    return boto3.Session(botocore_session=session)


def _attributes(client: Any) -> dict[str, Any]:
    """Return the public attributes that a client has itself, to which methods that a test replaced belong."""
    return {name: value for name, value in vars(client).items() if not name.startswith("_")}


def _hooks(client: Any) -> Any:
    """Return what botocore replaces whenever a handler is added to a client or taken from it."""
    return client.meta.events._emitter._lookup_cache
