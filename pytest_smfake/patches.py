"""Attributes of other people's classes and modules, replaced for a while: each is put back whatever others did to it meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NamedTuple, Protocol

NOT_OWN: Any = object()
"""Stands for an attribute that its owner does not have itself, but inherits."""


class Replace(Protocol):
    """Replaces an attribute until the patches are put back."""

    def __call__(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace the attribute of a class or module by what `make` returns for it."""


class _Mark(NamedTuple):
    """What a replacement says of itself. Wrappers of others may copy it along, so that it names the replacement that it is of."""

    replacement: Any
    before: Any
    site: _Site


@dataclass(slots=True, eq=False)
class _Site:
    """One attribute that is replaced.

    Attributes:
        owner, name: the class or module, and the attribute.
        make: returns the replacement for what is there. It looks up what is active at each call, so that one that others keep, or
            that is wrapped twice, does no harm.
        before: what was there at the latest replacement.
        replacement: what took its place then; it serves again as long as the same is there.
        active: whether it is to be replaced now.
    """

    owner: Any
    name: str
    make: Callable[[Any], Any]
    before: Any = None
    replacement: Any = None
    active: bool = False

    def put(self) -> None:
        """Replace the attribute, unless what is there is a replacement already."""
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
        """Replace the attribute again where somebody put back what had been there before. A patch of somebody else stays on top."""
        current = vars(self.owner).get(self.name, NOT_OWN)
        if self.mark() is None and self._is_original(current):
            self.put()

    def mark(self) -> _Mark | None:
        """Return the mark of the replacement that is there, None where it is something else."""
        value = vars(self.owner).get(self.name)
        mark = getattr(value, "smfake_mark", None)
        return mark if type(mark) is _Mark and mark.replacement is value and mark.site is self else None

    def _is_original(self, current: Any) -> bool:
        """Whether a value is that of the library itself, which a patch from before ours may have held and put back."""
        if current is self.before:
            return True
        if self.before is NOT_OWN and any(current is vars(base).get(self.name) for base in self.owner.__mro__[1:]):
            return True
        module = self.owner if hasattr(self.owner, "__spec__") else sys.modules.get(self.owner.__module__)
        return module is not None and getattr(current, "__globals__", None) is vars(module)

    def restore(self) -> None:
        """Put back what was there, unless a patch of somebody else is on top."""
        self.active = False
        if (mark := self.mark()) is not None:
            if mark.before is NOT_OWN:
                delattr(self.owner, self.name)
            else:
                setattr(self.owner, self.name, mark.before)


class Patches:
    """Replacements of attributes that hold from the first `replace` to `restore`.

    Others patch, too, and leave in any order. One that was there first and puts the original back is noticed by `keep`; one that
    came later stays on top, and where it puts a replacement of ours back after `restore`, the next `restore` takes that away.

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
        """Replace again all that was replaced before `restore`."""
        for site in list(self._sites.values()):
            if site.active:
                site.keep()
            elif site.replacement is not None and vars(site.owner).get(site.name, NOT_OWN) is site.before:  # nearly always
                site.active = True
                setattr(site.owner, site.name, site.replacement)
            else:
                site.put()

    def knows(self, owner: Any, name: str) -> bool:
        """Whether an attribute was replaced before, so that `resume` does so again."""
        return (id(owner), name) in self._sites

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace an attribute; where that is done already, see that it still is.

        Args:
            owner: the class or module.
            name: the attribute.
            make: is given what is there and returns what takes its place: a function or module without state of its own, that passes
                calls on while nothing of ours is active.
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
        """Return what a replacement took the place of, or the attribute itself where none is in its place."""
        current = getattr(owner, name)
        mark = getattr(current, "smfake_mark", None)
        return mark.before if type(mark) is _Mark and mark.replacement is current else current

    def are_in_place(self) -> bool:
        """Whether a replacement is where it was put, or where somebody else put it back."""
        return any(site.mark() is not None for site in list(self._sites.values()))

    def keep(self) -> None:
        """Replace again what somebody put back although it is to be replaced."""
        for site in list(self._sites.values()):  # another thread may add some
            if site.active:
                site.keep()

    def restore(self) -> None:
        """Put back what was there. It may be called at any time, again, and after an error halfway."""
        for site in list(self._sites.values()):
            site.restore()


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
