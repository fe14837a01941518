"""The pytest plugin: what pytest loads at each start. PYTEST_DONT_REWRITE."""

from __future__ import annotations

from importlib import import_module

from pytest_smfake import Unrewritten

with Unrewritten():
    import_module("pytest_smfake.contract.plugin")  # pytest imports it by name, later, when its own importer would compile it
    from .hooks import *  # noqa: F403  # the hooks and fixtures, which pytest looks for in this module
