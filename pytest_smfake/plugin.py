"""The pytest plugin: what pytest loads at each start. PYTEST_DONT_REWRITE."""

from __future__ import annotations

from importlib import import_module

from . import Unrewritten

with Unrewritten():
    for name in ("pytest_smfake.contract_plugin", "pytest_smfake.hooks"):
        import_module(name)  # pytest imports them by name, later, when its own importer would compile them
    from .wiring import *  # noqa: F403  # the hooks and fixtures, which pytest looks for in this module
