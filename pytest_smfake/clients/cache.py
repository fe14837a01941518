"""Caches that save time: service models that boto3's sessions load, and clients that fakes use one after the other.

`mock_aws` resets boto3's default session at each entry. Without the cache, such a test spends most of its time reading SageMaker's model.
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
"""Data that was read: service models by the arguments of the load, endpoints by their file."""


def load_service_model(original: Any) -> Any:
    """Return a `load_service_model` that reads each file of an installed package once. botocore never changes the result."""

    def load(loader: Any, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        if active() is None or not _is_of_packages_alone(loader):
            return original(loader, service_name, type_name, api_version)
        key = (*loader.search_paths, *loader.extras_types, service_name, type_name, api_version)
        if key not in _read:
            _read[key] = original(loader, service_name, type_name, api_version)
        return _read[key]

    return load


def load_file(original: Any) -> Any:
    """Return a `load_file` that reads the endpoints file once, and copies the parts that botocore changes."""

    def load(files: Any, file_path: str) -> Any:
        if active() is None or file_path != _endpoints():
            return original(files, file_path)
        if file_path not in _read:
            _read[file_path] = json.loads(json.dumps(original(files, file_path)))  # plain dicts copy ten times as fast
        read = _read[file_path]
        return read | {"partitions": [partition | {"services": _copy_services(partition["services"])} for partition in read["partitions"]]}

    return load


def _copy_services(services: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of services with new dicts for their endpoints: botocore stores resolved values there."""
    return {
        name: service | {"endpoints": {region: endpoint.copy() for region, endpoint in service.get("endpoints", {}).items()}}
        for name, service in services.items()
    }


def _is_of_packages_alone(loader: Any) -> bool:
    """Return whether a loader reads only files of installed packages, and none that a user or a test may change."""
    own = (loader.BUILTIN_DATA_PATH, _boto3_data())
    return all(path in own or not Path(path).exists() for path in loader.search_paths)


@cache
def _endpoints() -> str:
    """Return the path of the endpoints file, without its suffix."""
    from botocore.loaders import Loader

    return str(Path(Loader.BUILTIN_DATA_PATH) / "endpoints")


def _boto3_data() -> str:
    """Return the data directory of boto3, which its sessions search too; empty if boto3 is not imported. Never imports it."""
    boto3 = sys.modules.get("boto3")
    return str(Path(str(boto3.__file__)).parent / "data") if boto3 is not None else ""


MOST_CLIENTS = 50
"""Maximum number of kept clients, 0.8 MB each; the oldest is dropped."""


class _Kept(NamedTuple):
    """A kept client, and its state when it was made."""

    client: Any
    hooks: Any
    attributes: dict[str, Any]
    config: dict[str, Any]

    @property
    def is_as_made(self) -> bool:
        """Whether no test changed the client: no added handler, no attribute such as a mock, the same configuration."""
        client = self.client
        return _hooks(client) is self.hooks and _attributes(client) == self.attributes and vars(client.meta.config) == self.config


_kept: OrderedDict[Any, _Kept] = OrderedDict()


class ClientCache:
    """The clients of one fake, from the kept ones that all fakes share."""

    def __init__(self) -> None:
        self._used: set[Any] = set()

    def get(self, service: str, arguments: dict[str, Any]) -> Any:
        """Return a client of a service: a kept one made with the same arguments of `boto3.client`, or a new one."""
        # A client reads its configuration once, so it is reused only under the same environment variables.
        variables = tuple((name, value) for name, value in os.environ.items() if name.startswith("AWS_") and name != "AWS_ACCESS_KEY_ID")
        key = (service, tuple(sorted(arguments.items())), variables)
        try:
            kept = _kept.get(key)
        except TypeError:  # an unhashable argument: the client is not kept
            return _new_client(service, arguments, variables)
        if kept is None:
            client = _new_client(service, arguments, variables)
            kept = _kept[key] = _Kept(client, _hooks(client), _attributes(client), deepcopy(vars(client.meta.config)))
            while len(_kept) > MOST_CLIENTS:
                _kept.popitem(last=False)
        self._used.add(key)
        return kept.client

    def release(self) -> None:
        """Stop using the clients. A changed client is dropped, so that no test sees the changes of another."""
        for key in self._used:
            kept = _kept.get(key)
            if kept is not None and not kept.is_as_made:
                _kept.pop(key, None)
        self._used.clear()


def refuse_after_the_end(request: Any, **_: Any) -> None:
    """Refuse requests of a fake's client when no fake is active. This is a handler of the event `before-send`.

    Raises:
        RuntimeError: the request would leave the process: neither a fake nor moto answers it.
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
def _session(variables: tuple[tuple[str, str], ...]) -> Any:  # noqa: ARG001  # the cache key: a session reads its configuration once
    import boto3
    import botocore.session

    session = botocore.session.Session()
    session.register_component("data_loader", loader())
    return boto3.Session(botocore_session=session)


def _attributes(client: Any) -> dict[str, Any]:
    """Return the public attributes of a client instance; a method that a test replaced is one of them."""
    return {name: value for name, value in vars(client).items() if not name.startswith("_")}


def _hooks(client: Any) -> Any:
    """Return an object that botocore replaces whenever a handler is added to a client or removed."""
    return client.meta.events._emitter._lookup_cache
