"""The pytest plugin: what pytest loads at each start. PYTEST_DONT_REWRITE."""

from __future__ import annotations

from . import Unrewritten

with Unrewritten():
    # pytest imports these two by name, later, when its own importer would compile them.
    from . import contract_plugin as _, hooks as _  # noqa: F401
    from .wiring import *  # noqa: F403  # the hooks and fixtures, which pytest looks for in this module
