"""Something to do once a module is imported, which is never imported for this."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class OnImport(MetaPathFinder):
    """Calls a function with a module: at once where it is imported already, else when the code under test imports it.

    Args:
        module: its name.
        then: what to do.
    """

    def __init__(self, module: str, then: Callable[[Any], None]) -> None:
        self._module = module
        self._then = then

    def start(self) -> None:
        """Do it now, or wait for the import."""
        if (module := sys.modules.get(self._module)) is not None:
            self._then(module)
        sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """Wait no more."""
        sys.meta_path.remove(self)

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec that the next finder has for the module, with a loader that calls the function once it is loaded."""
        if fullname != self._module:
            return None
        others = (finder.find_spec(fullname, path, target) for finder in sys.meta_path if finder is not self)
        spec = next((spec for spec in others if spec is not None), None)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                self._then(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # the loader is made for this one import
        return spec
