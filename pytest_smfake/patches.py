"""Replace attributes of classes and modules of other packages for a while, now or on import. Restoring is safe in any order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NamedTuple, Protocol

NOT_OWN: Any = object()
"""Stands for an attribute that its owner inherits."""


class Replace(Protocol):
    """Replaces an attribute until the patches are restored."""

    def __call__(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace the attribute of a class or module by the result of `make(original)`."""


class _Mark(NamedTuple):
    """Identifies a replacement. It names the replacement because wrappers of other packages may copy its attributes."""

    replacement: Any
    before: Any
    site: _Site


@dataclass(slots=True, eq=False)
class _Site:
    """One attribute that is replaced.

    Attributes:
        owner, name: the class or module, and the attribute.
        make: returns the replacement for a value. The replacement must look up the active fake at each call, so that it does no harm
            where other code keeps it or wraps it twice.
        before: the value at the latest replacement.
        replacement: the latest replacement, which is used again as long as the value is the same.
        active: whether the attribute has to be replaced now.
    """

    owner: Any
    name: str
    make: Callable[[Any], Any]
    before: Any = None
    replacement: Any = None
    active: bool = False

    def put(self) -> None:
        """Replace the attribute, unless it is replaced already."""
        self.active = True
        current = vars(self.owner).get(self.name, NOT_OWN)
        if self.mark() is not None:
            return
        if self.replacement is None or current is not self.before:
            replacement = self.make(getattr(self.owner, self.name))
            replacement.smfake_mark = _Mark(replacement, current, self)
            self.before, self.replacement = current, replacement
        setattr(self.owner, self.name, self.replacement)

    def keep(self) -> None:
        """Replace the attribute again if other code restored the original. A patch of other code is left on top."""
        current = vars(self.owner).get(self.name, NOT_OWN)
        if self.mark() is None and self._is_original(current):
            self.put()

    def mark(self) -> _Mark | None:
        """Return the mark of the current value; None if the value is no replacement of this attribute."""
        value = vars(self.owner).get(self.name)
        mark = getattr(value, "smfake_mark", None)
        return mark if type(mark) is _Mark and mark.replacement is value and mark.site is self else None

    def _is_original(self, current: Any) -> bool:
        """Return whether a value is the library's own, which an earlier patch of other code may have restored."""
        if current is self.before:
            return True
        if self.before is NOT_OWN and any(current is vars(base).get(self.name) for base in self.owner.__mro__[1:]):
            return True
        module = self.owner if hasattr(self.owner, "__spec__") else sys.modules.get(self.owner.__module__)
        return module is not None and getattr(current, "__globals__", None) is vars(module)

    def restore(self) -> None:
        """Restore the attribute, unless a patch of other code is on top."""
        self.active = False
        if (mark := self.mark()) is not None:
            if mark.before is NOT_OWN:
                delattr(self.owner, self.name)
            else:
                setattr(self.owner, self.name, mark.before)


class Patches:
    """Replacements of attributes, from `replace` to `restore`.

    Other code patches the same attributes, and restores them in any order. If an earlier patch restores the original, `keep` replaces
    it again. A later patch is left on top; if it puts a replacement back after `restore`, the next `restore` removes that.

    Example:
        >>> import os.path
        >>> patches = Patches()
        >>> patches.replace(os.path, "basename", lambda original: lambda path: "patched " + original(path))
        >>> os.path.basename("a/b")
        'patched b'
        >>> patches.restore()
        >>> os.path.basename("a/b")
        'b'
    """

    def __init__(self) -> None:
        self._sites: dict[tuple[int, str], _Site] = {}

    def resume(self) -> None:
        """Replace all attributes again that were replaced before `restore`."""
        for site in list(self._sites.values()):
            if site.active:
                site.keep()
            elif site.replacement is not None and vars(site.owner).get(site.name, NOT_OWN) is site.before:  # the usual case, made fast
                site.active = True
                setattr(site.owner, site.name, site.replacement)
            else:
                site.put()

    def knows(self, owner: Any, name: str) -> bool:
        """Return whether an attribute was replaced before, so that `resume` replaces it again."""
        return (id(owner), name) in self._sites

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace an attribute, or check that it still is replaced.

        Args:
            owner: the class or module.
            name: the attribute.
            make: takes the original and returns the replacement: a function or module without state, which calls the original while
                no fake is active.
        """
        site = self._sites.get((id(owner), name))
        if site is None:
            site = self._sites[id(owner), name] = _Site(owner, name, make)
        if site.active:
            site.keep()
        else:
            site.put()

    @staticmethod
    def before(owner: Any, name: str) -> Any:
        """Return the original of an attribute: the value itself if it is not replaced."""
        current = getattr(owner, name)
        mark = getattr(current, "smfake_mark", None)
        return mark.before if type(mark) is _Mark and mark.replacement is current else current

    def are_in_place(self) -> bool:
        """Return whether any attribute has a replacement now, also one that other code put back."""
        return any(site.mark() is not None for site in list(self._sites.values()))

    def keep(self) -> None:
        """Replace attributes again whose originals other code restored."""
        for site in list(self._sites.values()):  # another thread may add sites
            if site.active:
                site.keep()

    def restore(self) -> None:
        """Restore all attributes. It can be called at any time, again, and after it has raised an error."""
        for site in list(self._sites.values()):
            site.restore()


class OnImport(MetaPathFinder):
    """Calls a function with a module: at once if it is imported already, else when other code imports it. Never imports it.

    Args:
        modules: the module's name, or several names.
        then: the function.
    """

    def __init__(self, modules: str | Collection[str], then: Callable[[Any], None]) -> None:
        self._modules = frozenset({modules} if isinstance(modules, str) else modules)
        self._then = then
        self._waiting = False
        self._done: dict[str, ModuleType] = {}

    def start(self) -> None:
        """Call the function now, or wait for the import. For the same module it is called once."""
        self._waiting = True
        for name in self._modules:
            if (module := sys.modules.get(name)) is not None:
                self._call(name, module)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def _call(self, name: str, module: ModuleType) -> None:
        if self._done.get(name) is not module:
            self._then(module)
            self._done[name] = module

    def stop(self) -> None:
        """Stop waiting. It can be called at any time."""
        self._waiting = False
        while self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the module's spec from the next finder, with a loader that calls the function after the module is loaded."""
        if fullname not in self._modules:
            return None
        others = (finder.find_spec(fullname, path, target) for finder in sys.meta_path if finder is not self)
        spec = next((spec for spec in others if spec is not None), None)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                if self._waiting:  # other code may have put this finder back after `stop`
                    self._call(fullname, module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # the loader exists for this one import
        return spec
