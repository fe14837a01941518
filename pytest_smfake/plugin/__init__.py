"""The pytest plugin: what pytest loads at each start. PYTEST_DONT_REWRITE."""

from __future__ import annotations

from importlib import import_module

from pytest_smfake import Unrewritten

with Unrewritten():
    for name in ("pytest_smfake.contract.plugin", "pytest_smfake.contract.hookspecs"):
        import_module(name)  # pytest imports them by name, later, when its own importer would compile them
    from .hooks import *  # noqa: F403  # the hooks and fixtures, which pytest looks for in this module
