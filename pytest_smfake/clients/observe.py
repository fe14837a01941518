"""Observation of botocore: every SageMaker request that a client makes, seen once, before anyone answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from pytest_smfake.patches import Patches
from pytest_smfake.protocol.active import active
from pytest_smfake.rules.service_model import RUNTIME, SERVICE

from .import_hook import OnImport

Sent = bytes | dict[str, Any]
"""A request as it is seen: the body as the wire has it, or, to the runtime, whose members are not all in the body, the members."""

MODULE = "botocore.serialize"


class Watch:
    """Tells of each request where botocore has serialised it, until it is stopped.

    That is the one place that every request passes once, whoever answers and however often it is sent again: it is past
    botocore's own validation of parameters, and ahead of the events by which others answer (`before-call` of its Stubber,
    `before-send` of moto). The classes are patched, so that clients made earlier are seen too, and those of aiobotocore, which
    serialises with the same classes. Requests inside an active `FakeSageMaker` are left out: it checks them itself.

    botocore is patched when the code under test imports it, and never imported for this.

    Args:
        seen: is told the operation and what is sent.
    """

    def __init__(self, seen: Callable[[str, Sent], None]) -> None:
        self._seen = seen
        self._patches = Patches()
        self._running = False
        self._importing = OnImport(MODULE, self._patch)

    def start(self) -> None:
        """Watch from now on."""
        self._running = True
        self._importing.start()

    def stop(self) -> None:
        """Leave botocore as it was."""
        self._running = False
        self._importing.stop()
        self._patches.restore()

    def _patch(self, module: Any) -> None:
        for owner in (module.JSONSerializer, module.BaseRestSerializer):
            self._patches.replace(owner, "serialize_to_request", self._observed)

    def _observed(self, original: Any) -> Any:
        @wraps(original)
        def serialize_to_request(serializer: Any, parameters: Mapping[str, Any], operation_model: Any) -> Any:
            request = original(serializer, parameters, operation_model)
            service = operation_model.service_model.service_name
            if self._running and service in (SERVICE, RUNTIME) and active() is None:
                self._seen(operation_model.name, request["body"] if service == SERVICE else _members(parameters))
            return request

        return serialize_to_request


def read(sent: Sent) -> Any:
    """Return a request as JSON has it; None where the service could not read it."""
    from pytest_smfake.protocol.json11 import decode
    from pytest_smfake.service.errors import ServiceError

    try:
        return decode(sent) if isinstance(sent, bytes) else sent
    except ServiceError:
        return None


def _members(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a request to the runtime. A body that is a stream can be read only once, and not by us: it counts as empty."""
    body = parameters.get("Body")
    return {**parameters, "Body": b""} if body is not None and not isinstance(body, bytes | str) else dict(parameters)
