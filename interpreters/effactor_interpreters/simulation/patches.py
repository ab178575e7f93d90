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
from typing import TYPE_CHECKING, Any
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
            installed = "site-packages" in (space.get("__file__") or "")
            for name in names:
                real = space.get(name)
                found = self._functions.get(id(real))
                if found is None and not installed:
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


# What was found in a module, and how many globals it had then: looking through all of
# them for every campaign would take longer than a small campaign. Globals that are bound
# later make the module larger.
_seen: dict[str, tuple[ref[ModuleType], int, tuple[str, ...]]] = {}


def _holders(
    known: dict[int, tuple[Any, Any]], is_machinery: Callable[[str], bool]
) -> Iterator[tuple[ModuleType, tuple[str, ...]]]:
    for name, module in list(sys.modules.items()):
        if not isinstance(module, ModuleType):  # pyright: ignore[reportUnnecessaryIsInstance]
            continue  # whatever somebody has put there
        space = object.__getattribute__(module, "__dict__")  # a lazy module stays unloaded
        before = _seen.get(name)
        if before is not None and before[1] == len(space) and before[0]() is module:
            names = before[2]
        else:
            file = space.get("__file__")
            theirs = name == "__main__" if file is None else not is_machinery(str(file))
            names = tuple(n for n, v in space.items() if id(v) in known) if theirs else ()
            _seen[name] = (ref(module), len(space), names)
        if names:
            yield module, names
