"""Which fake answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pytest_smfake.service.clock import Clock
    from pytest_smfake.service.core import Service
    from pytest_smfake.service.store import Place

    from .signatures import Signatures


class ActiveFake(Protocol):
    """What interception needs to know of the fake that answers; `quotas` holds what retry quotas had left before it."""

    service: Service
    home: Place
    signatures: Signatures
    account: str
    allow: tuple[str, ...]
    clock: Clock
    real_sleep: bool
    quotas: dict[Any, int]
    thread: int | None


fakes: list[ActiveFake] = []
"""The fakes that are active; the innermost, which is the last, answers."""

servers: set[str] = set()
"""Host and port of each server of this process, or known to it, that answers with a fake: what is sent to one goes there."""


def active() -> ActiveFake | None:
    """Return the fake that answers now: the innermost one."""
    return fakes[-1] if fakes else None
