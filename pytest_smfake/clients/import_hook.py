"""Something to do once a module is imported, which is never imported for this."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class OnImport(MetaPathFinder):
    """Calls a function with a module: at once where it is imported already, else when the code under test imports it.

    Args:
        modules: its name, or the names of several.
        then: what to do.
    """

    def __init__(self, modules: str | Collection[str], then: Callable[[Any], None]) -> None:
        self._modules = frozenset({modules} if isinstance(modules, str) else modules)
        self._then = then
        self._waiting = False
        self._done: dict[str, ModuleType] = {}

    def start(self) -> None:
        """Do it now, or wait for the import; for the same module it is done once."""
        self._waiting = True
        for name in self._modules:
            if (module := sys.modules.get(name)) is not None:
                self._do(name, module)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def _do(self, name: str, module: ModuleType) -> None:
        if self._done.get(name) is not module:
            self._then(module)
            self._done[name] = module

    def stop(self) -> None:
        """Wait no more; it may be called at any time."""
        self._waiting = False
        while self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec that the next finder has for the module, with a loader that calls the function once it is loaded."""
        if fullname not in self._modules:
            return None
        others = (finder.find_spec(fullname, path, target) for finder in sys.meta_path if finder is not self)
        spec = next((spec for spec in others if spec is not None), None)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                if self._waiting:  # somebody may have put a finder back that was taken away
                    self._do(fullname, module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # the loader is made for this one import
        return spec
