"""Hooks by which other plugins, and conftest files, add to this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from . import Target


@pytest.hookspec
def pytest_smfake_targets(config: pytest.Config) -> Mapping[str, Callable[[str], Target]]:  # type: ignore[empty-body]
    """Return further targets for the contract, by the names that `--smfake-target` takes.

    Each is a function that makes a `pytest_smfake.contract.Target` of the text after `=`, which is empty where there is none. It
    raises a ValueError, whose sentence says what would be right, where the text cannot be.
    """
