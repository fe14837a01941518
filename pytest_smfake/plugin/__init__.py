"""The pytest plugin, which pytest loads at each start. PYTEST_DONT_REWRITE."""

from __future__ import annotations

from importlib import import_module

from pytest_smfake import Unrewritten

with Unrewritten():
    for name in ("pytest_smfake.contract.plugin", "pytest_smfake.contract.hookspecs"):
        import_module(name)  # here, because pytest would import them later with its own importer, which compiles them
    from .hooks import *  # noqa: F403  # pytest finds hooks and fixtures in this module
