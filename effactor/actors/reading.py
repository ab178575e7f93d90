"""Does a class look at the envelopes of its messages?

Messages travel bare unless somebody wants their envelope, so the sender must know
beforehand. What a class reads is found in the names that its methods use; a class
whose helpers elsewhere read `context.message` says `envelopes = True`.
"""

from __future__ import annotations

import types
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = frozenset({"context", "message"})


def reads_envelopes(cls: type[Any]) -> bool:
    """Tell whether handlers of a class of actors may read `self.context.message`.

    Args:
        cls: The class.

    Returns:
        What its attribute `envelopes` says, if it has one; else whether one of its methods
        uses both names. A class that uses them for something else is only slower.
    """
    stated = getattr(cls, "envelopes", None)
    if stated is not None:
        return bool(stated)
    for base in cls.__mro__:
        if "__effactor_root__" in base.__dict__:
            break
        for value in base.__dict__.values():
            if any(names >= _NAMES for names in _names(value)):
                return True
    return False


def _names(value: Any) -> Iterator[set[str]]:
    """Yield the names that a method uses, with all functions inside it."""
    function = getattr(value, "__func__", value)
    if isinstance(value, property):
        function = value.fget
    elif isinstance(value, cached_property):
        function = value.func
    wrapped = function
    while wrapped is not None:
        code = getattr(wrapped, "__code__", None)
        if isinstance(code, types.CodeType):
            yield set(_of_code(code))
        mark = getattr(wrapped, "__effactor_handles__", None)
        guard = getattr(getattr(mark, "when", None), "__code__", None)
        if isinstance(guard, types.CodeType):
            yield set(_of_code(guard))
        wrapped = getattr(wrapped, "__wrapped__", None)


def _of_code(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _of_code(constant)
