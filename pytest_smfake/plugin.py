"""The pytest plugin: what pytest loads at each start. PYTEST_DONT_REWRITE."""

from __future__ import annotations

from . import Unrewritten

with Unrewritten():
    from . import contract_plugin, hooks  # noqa: F401
    from .wiring import *  # noqa: F403
