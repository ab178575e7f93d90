"""Messages that declare their reply and their failures.

`Message[R, E]` tells type checkers what an ask answers and how it may fail, and
tells the runtime which exceptions of a handler are replies rather than crashes.
Any other object may be a message too; its reply is then `Any`.
"""

from __future__ import annotations

import types
import typing
from typing import Any, Generic, Never, Protocol, Self

import typing_extensions
from typing_extensions import TypeVar

R = TypeVar("R")
E = TypeVar("E", default=Never)
M_co = TypeVar("M_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)
R_inv = TypeVar("R_inv")
E_co = TypeVar("E_co", covariant=True)


class Message(Generic[R, E]):
    """A message whose reply is an `R` and which may fail with an `E`.

    A handler that raises, or fails with, a declared `E` has replied: the asker
    gets that failure and the actor lives on. Combine it with dataclasses, attrs
    or pydantic: `class Inc(BaseModel, Message[int])`.
    """

    __slots__ = ()

    def __message__(self) -> tuple[Self, R, E]:
        """Carry the types for the checkers; never called."""
        raise NotImplementedError

    def __reply__(self, reply: R) -> None:
        """Make `R` invariant for handlers; never called."""
        raise NotImplementedError


# Python cannot spell the intersection `M & Message[R, E]`; two protocols with a
# Self-typed method stand for it. The asker's is covariant in the reply, so that
# `Program[int | None, ...]` accepts an int; the handler's is invariant, so that a
# reply of another type is an error.


class Query(Protocol[M_co, R_co, E_co]):
    """The asker's view of a message."""

    def __message__(self) -> tuple[M_co, R_co, E_co]:
        """Carry the types."""
        ...


class Request(Protocol[M_co, R_inv, E_co]):
    """The handler's view of a message: the reply's type is exact."""

    def __message__(self) -> tuple[M_co, R_inv, E_co]:
        """Carry the types."""
        ...

    def __reply__(self, reply: R_inv) -> None:
        """Carry the types."""
        ...


class Declaration(typing.NamedTuple):
    """What a message class declares.

    Attributes:
        reply: The reply's type, or `Any` if the class declares none.
        failures: Classes of the declared failures.
    """

    reply: Any
    failures: tuple[type[Any], ...]


def declared(message_type: type[Any]) -> Declaration:
    """Read the reply and the failures that a message class declares.

    Args:
        message_type: Any class.

    Returns:
        Its declaration; for a class that is no `Message`, `Any` and no failures.
    """
    for cls in message_type.__mro__:
        for base in cls.__dict__.get("__orig_bases__", ()):
            if typing.get_origin(base) is Message:
                arguments = typing.get_args(base)
                failures = _classes(arguments[1]) if len(arguments) > 1 else ()
                return Declaration(arguments[0], failures)
    return Declaration(Any, ())


def _classes(annotation: Any) -> tuple[type[Any], ...]:
    """List the classes in a failure annotation such as `NoStock | Declined`."""
    if annotation is None:
        return (type(None),)
    if isinstance(annotation, type):
        return (annotation,)
    origin = typing.get_origin(annotation)
    if origin is typing.Union or origin is types.UnionType:
        return tuple(c for a in typing.get_args(annotation) for c in _classes(a))
    if isinstance(annotation, typing_extensions.TypeAliasType):
        return _classes(annotation.__value__)
    if isinstance(origin, type):
        return (origin,)
    # Never, type variables and strings declare nothing that can be checked.
    return ()
