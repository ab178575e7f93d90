"""Attributes that are replaced for the time of a campaign, also where others hold copies.

After `from time import time` a module has a name of its own for the function, which a
patch of `time.time` does not reach. So these names are looked for, in the modules of the
user and of what the user has installed, and replaced too. A copy that is no global of a
module (a default argument, a class attribute, a closure) stays what it is: the audit of
`explore` finds out if that matters.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Patches:
    """Attributes that were replaced, to put back."""

    def __init__(self) -> None:
        self._saved: list[tuple[Any, str, Any, bool]] = []
        self._functions: dict[int, tuple[Any, Any]] = {}
        self._classes: dict[int, tuple[Any, Any]] = {}

    def put(self, owner: Any, name: str, value: Any) -> None:
        """Replace an attribute.

        Args:
            owner: A module or class.
            name: The attribute.
            value: What to put there.
        """
        real = getattr(owner, name)
        self._saved.append((owner, name, real, name in vars(owner)))
        setattr(owner, name, value)
        if isinstance(owner, ModuleType):
            self._functions[id(real)] = (real, value)

    def put_for_users(self, real: Any, value: Any) -> None:
        """Replace a value in the user's own modules alone, wherever it is a global.

        Args:
            real: The value: a class or module of the standard library.
            value: What to put there.
        """
        self._classes[id(real)] = (real, value)

    def put_names(self, is_machinery: Callable[[str], bool]) -> None:
        """Replace the names that modules have for what was replaced.

        Args:
            is_machinery: Tells by a file's name whether a module is to be left alone.
        """
        known = {**self._functions, **self._classes}
        for module, names in _holders(known, is_machinery):
            space = vars(module)
            own = _is_own(module)
            for name in names:
                real = space.get(name)
                found = self._functions.get(id(real))
                if found is None and own:
                    found = self._classes.get(id(real))
                if found is not None:
                    self._saved.append((module, name, real, True))
                    setattr(module, name, found[1])

    def undo(self) -> None:
        """Put everything back."""
        for owner, name, value, own in reversed(self._saved):
            if own:
                setattr(owner, name, value)
            else:
                delattr(owner, name)


class _Holders:
    """The modules that have names for what is replaced.

    Looking through all globals of all modules takes longer than a small campaign. So that is
    done when there are other modules than before; and for the user's own modules, when they
    have other globals than before.
    """

    def __init__(self) -> None:
        self._modules = 0
        self._found: dict[str, tuple[ref[ModuleType], int, tuple[str, ...]]] = {}
        self._own: tuple[str, ...] = ()

    def __call__(
        self, known: dict[int, tuple[Any, Any]], is_machinery: Callable[[str], bool]
    ) -> Iterator[tuple[ModuleType, tuple[str, ...]]]:
        """Go through them, with the names."""
        if len(sys.modules) != self._modules:
            self._modules = len(sys.modules)
            for name in list(sys.modules):
                self._look(name, known, is_machinery)
            self._own = tuple(name for name in self._found if _is_own(sys.modules.get(name)))
        else:
            for name in self._own:
                self._look(name, known, is_machinery)
        for each, _, names in list(self._found.values()):
            module = each()
            if names and module is not None:
                yield module, names

    def _look(
        self, name: str, known: dict[int, tuple[Any, Any]], is_machinery: Callable[[str], bool]
    ) -> None:
        module = sys.modules.get(name)
        if not isinstance(module, ModuleType):
            self._found.pop(name, None)  # whatever somebody has put there
            return
        space = object.__getattribute__(module, "__dict__")  # a lazy module stays unloaded
        before = self._found.get(name)
        if before is not None and before[1] == len(space) and before[0]() is module:
            return
        file = space.get("__file__")
        theirs = name == "__main__" if file is None else not is_machinery(str(file))
        if theirs:
            names = tuple(n for n, v in space.items() if id(v) in known)
            self._found[name] = ref(module), len(space), names
        else:
            self._found.pop(name, None)


def _is_own(module: ModuleType | None) -> bool:
    return module is not None and "site-packages" not in (module.__dict__.get("__file__") or "")


_holders: Final = _Holders()
