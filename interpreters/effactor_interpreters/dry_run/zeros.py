"""Zero values: what the dry run answers where nothing says otherwise."""

from __future__ import annotations

import collections
import collections.abc
import inspect
import types
import typing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

from effactor.actors.ref import ActorRef
from effactor.programs.program import Program
from effactor.traces.fields import names_of

if TYPE_CHECKING:
    from collections.abc import Callable

EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When every dry run begins."""


class _NoZero:
    """The type of `NO_ZERO`."""


NO_ZERO: Final = _NoZero()
"""Returned by `zero` for a type without a zero value."""

_FIXED: Final[dict[Any, Any]] = {
    None: None,
    types.NoneType: None,
    datetime: EPOCH,
    date: EPOCH.date(),
    time: time(),
    timedelta: timedelta(),
    UUID: UUID(int=0),
    Decimal: Decimal(),
    Fraction: Fraction(),
}

_EMPTY: Final[dict[Any, Callable[[], Any]]] = {
    cls: cls
    for cls in (
        *(bool, int, float, complex, str, bytes, bytearray),
        *(list, dict, tuple, set, frozenset, collections.deque),
    )
}

_ABSTRACT: Final[dict[Any, type[Any]]] = {
    collections.abc.Iterable: list,
    collections.abc.Collection: list,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Mapping: dict,
    collections.abc.MutableMapping: dict,
    collections.abc.Set: set,
    collections.abc.MutableSet: set,
}


def zero(annotation: Any) -> Any:
    """Return the zero value of a type: always the same, and a new object where it can change.

    Args:
        annotation: A type, as in an annotation.

    Returns:
        None, False, 0, an empty text or container; None for an optional type, else
        the first member of a union that has a zero; the first member of a literal
        or enum; a fixed date, time or UUID; an instance of a class whose fields all
        have defaults. `NO_ZERO` if the type has none of these.
    """
    inner = _unwrapped(annotation)
    if inner is not NO_ZERO:
        return zero(inner)
    if annotation in _EMPTY:
        return _EMPTY[annotation]()
    if annotation in _FIXED:
        return _FIXED[annotation]
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is Literal:
        return arguments[0]
    if origin is typing.Union or origin is types.UnionType:
        if types.NoneType in arguments:
            return None
        zeros = (zero(member) for member in arguments)
        return next((z for z in zeros if z is not NO_ZERO), NO_ZERO)
    if origin is tuple and arguments and Ellipsis not in arguments:
        members = tuple(zero(member) for member in arguments)
        return NO_ZERO if NO_ZERO in members else members
    cls: Any = annotation if origin is None else origin
    cls = _ABSTRACT.get(cls, cls)
    return _instance(cls) if isinstance(cls, type) else NO_ZERO


def _unwrapped(annotation: Any) -> Any:
    """Return the type that an annotation stands for, or `NO_ZERO` if it is one itself."""
    if typing.get_origin(annotation) is typing.Annotated:
        return annotation.__origin__
    if isinstance(annotation, typing.NewType):
        return annotation.__supertype__
    origin: Any = typing.get_origin(annotation)
    if hasattr(origin, "__value__"):  # an alias with arguments
        return origin.__value__[typing.get_args(annotation)]
    if hasattr(annotation, "__value__") and not isinstance(annotation, type):
        return annotation.__value__
    return NO_ZERO


def _instance(cls: Any) -> Any:
    if issubclass(cls, Enum):
        return next(iter(cls), NO_ZERO)
    if typing.is_typeddict(cls):
        return NO_ZERO if cls.__required_keys__ else cls()
    if names_of(cls) is not None:
        known = not issubclass(cls, BaseException | ActorRef | Program)
        return _made(cls) if known and _needs_nothing(cls) else NO_ZERO
    return NO_ZERO if _EMPTY.keys().isdisjoint(cls.__mro__) else _made(cls)


def _needs_nothing(cls: type[Any]) -> bool:
    parameters = inspect.signature(cls).parameters.values()
    variadic = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    return all(p.default is not p.empty or p.kind in variadic for p in parameters)


def _made(cls: type[Any]) -> Any:
    try:
        return cls()
    except Exception:  # a constructor of the user's may raise anything
        return NO_ZERO
