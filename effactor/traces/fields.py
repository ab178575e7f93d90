"""The fields of a value, whatever library made its class."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Any, NamedTuple

from effactor.actors.ref import ActorRef
from effactor.programs import structure
from effactor.programs.program import Program
from effactor.programs.timers import Timer

_ABSENT = object()


class Names(NamedTuple):
    """Names of a class's fields.

    Attributes:
        compared: Those that take part in equality.
        shown: Those that its repr shows; what a class hides stays hidden.
    """

    compared: tuple[str, ...]
    shown: tuple[str, ...]


def class_of(value: object) -> Any:
    """Return the class of a value, without what type checkers infer about it.

    Args:
        value: Any value.

    Returns:
        Its class.
    """
    return type(value)


@lru_cache(maxsize=1024)
def names_of(cls: type[Any]) -> Names | None:
    """List the fields of a class's instances.

    Args:
        cls: Any class.

    Returns:
        The names, for dataclasses, attrs, pydantic, msgspec, named tuples, refs,
        programs, timers and exceptions (their `args`); None for any other class.
    """
    declared: Any = cls
    if dataclasses.is_dataclass(cls):
        fields = dataclasses.fields(cls)
        return Names(
            tuple(f.name for f in fields if f.compare), tuple(f.name for f in fields if f.repr)
        )
    if hasattr(cls, "__attrs_attrs__"):
        attributes = declared.__attrs_attrs__
        return Names(
            tuple(a.name for a in attributes if a.eq), tuple(a.name for a in attributes if a.repr)
        )
    if hasattr(cls, "__pydantic_fields__"):
        members = declared.__pydantic_fields__
        return Names(tuple(members), tuple(name for name, m in members.items() if m.repr))
    every: tuple[str, ...] | None = None
    if hasattr(cls, "__struct_fields__"):
        every = declared.__struct_fields__
    elif issubclass(cls, tuple) and hasattr(declared, "_fields"):
        every = declared._fields
    elif issubclass(cls, ActorRef):
        every = ("path",)
    elif issubclass(cls, Program | structure.FunctionValue):
        every = tuple(n for base in cls.__mro__ for n in base.__dict__.get("__slots__", ()))
    elif issubclass(cls, Timer):
        every = ("message", "ref", "delay")
    elif issubclass(cls, BaseException):
        every = ("args",)
    return None if every is None else Names(every, every)


def fields(value: object, *, hidden: bool) -> list[tuple[str, Any]] | None:
    """List a value's fields in the order of its class.

    Args:
        value: Any value.
        hidden: Whether to list what takes part in equality, rather than what the
            value's repr shows.

    Returns:
        Pairs of name and value, without those that were never set; None if its
        class has no fields that can be known.
    """
    names = names_of(class_of(value))
    if names is None:
        return None
    found = [(n, getattr(value, n, _ABSENT)) for n in (names.compared if hidden else names.shown)]
    # What a pydantic model was given beyond its fields.
    extra: dict[str, Any] | None = getattr(value, "__pydantic_extra__", None)
    found += sorted((extra or {}).items())
    return [(name, content) for name, content in found if content is not _ABSENT]
