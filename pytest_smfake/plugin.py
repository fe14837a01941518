"""The pytest plugin: what pytest loads at each start. PYTEST_DONT_REWRITE."""

from __future__ import annotations

from . import Unrewritten

with Unrewritten():
    from . import contract_plugin, hooks  # noqa: F401  # pytest imports them by name, later, when its own importer would compile them
    from .wiring import *  # noqa: F403  # the hooks and fixtures, which pytest looks for in this module
