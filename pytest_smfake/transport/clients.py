"""Ready boto3 clients: a new one takes 6 ms, the first of a process 200 ms, so they are kept and lent to each fake in turn."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from pytest_smfake.spec.model import loader


class Loans:
    """The clients that one fake has been lent."""

    def __init__(self) -> None:
        self._lent: list[tuple[Any, Any, Any]] = []

    def lend(self, service: str, arguments: dict[str, Any]) -> Any:
        """Return a client of a service, made with what `boto3.client` takes, or kept from an earlier loan."""
        # A client reads its configuration once, so that it is lent again only under the same variables.
        variables = tuple((name, value) for name, value in os.environ.items() if name.startswith("AWS_") and name != "AWS_ACCESS_KEY_ID")
        key = (service, tuple(sorted(arguments.items())), variables)
        try:
            client = _kept.get(key)
        except TypeError:  # an argument that cannot be part of a key: the client is the caller's own
            return _session(variables).client(service, **arguments)
        if client is None:
            client = _kept[key] = _session(variables).client(service, **arguments)
        self._lent.append((key, client, _hooks(client)))
        return client

    def take_back(self) -> None:
        """End the loans. A client whose event hooks were changed is not lent again: no test sees the hooks of another."""
        for key, client, hooks in self._lent:
            if _hooks(client) is not hooks:
                _kept.pop(key, None)
        self._lent.clear()


_kept: dict[Any, Any] = {}


@cache
def _session(variables: tuple[tuple[str, str], ...]) -> Any:  # noqa: ARG001  # a session reads its configuration once, too
    import boto3
    import botocore.session

    session = botocore.session.Session()
    session.register_component("data_loader", loader())
    return boto3.Session(botocore_session=session)


def _hooks(client: Any) -> Any:
    """Return what botocore replaces whenever a handler is added to a client or taken from it."""
    return client.meta.events._emitter._lookup_cache
