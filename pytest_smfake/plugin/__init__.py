"""The pytest plugin, which pytest loads at each start. PYTEST_DONT_REWRITE."""

from __future__ import annotations

from importlib import import_module

from pytest_smfake import Unrewritten

with Unrewritten():
    import_module("pytest_smfake.contract.plugin")  # here, because pytest would import it later with its own importer, which compiles it
    from .hooks import *  # noqa: F403  # pytest finds hooks and fixtures in this module
