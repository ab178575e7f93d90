"""Messages that declare their reply and their failures.

`Message[R, E]` tells type checkers what an ask answers and how it may fail, and
tells the runtime which exceptions of a handler are replies rather than crashes.
Any other object may be a message too; its reply is then `Any`.
"""

from __future__ import annotations

import sys
import types
import typing
from typing import Any, Generic, Never, Protocol, Self

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

    Raises:
        TypeError: If a failure is written as text that names nothing.
    """
    found = _arguments(message_type)
    if found is None:
        return Declaration(Any, ())
    reply, failures = found
    return Declaration(_evaluated(message_type, reply), _classes(message_type, failures))


def _arguments(cls: type[Any]) -> tuple[Any, Any] | None:
    """Find the arguments of `Message[...]`, with those of generic bases filled in."""
    for owner in cls.__mro__:
        for base in owner.__dict__.get("__orig_bases__", ()):
            origin: Any = typing.get_origin(base)
            given = typing.get_args(base)
            if origin is Message:
                return given[0], given[1] if len(given) > 1 else Never
            if _is_message_class(origin):
                found = _arguments(origin)
                if found is not None:
                    values = dict(zip(origin.__parameters__, given, strict=False))
                    return substitute(found[0], values), substitute(found[1], values)
    return None


def _is_message_class(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Message)


def substitute(annotation: Any, values: dict[Any, Any]) -> Any:
    """Fill in the type variables of an annotation.

    Args:
        annotation: Any annotation.
        values: What each type variable stands for; one that is missing stays.

    Returns:
        The annotation without these variables.
    """
    if isinstance(annotation, typing.TypeVar):
        return values.get(annotation, annotation)
    parameters: tuple[Any, ...] = getattr(annotation, "__parameters__", ())
    if not parameters or isinstance(annotation, type):
        return annotation
    return annotation[tuple(values.get(p, p) for p in parameters)]


def _evaluated(cls: type[Any], annotation: Any) -> Any:
    """Evaluate an annotation written as text in the module of *cls* or a base, if that works."""
    if not isinstance(annotation, str | typing.ForwardRef):
        return annotation
    text = annotation if isinstance(annotation, str) else annotation.__forward_arg__
    for owner in cls.__mro__:
        module = sys.modules.get(owner.__module__)
        try:
            return eval(text, dict(vars(module)) if module else {})  # noqa: S307 - the class's own annotation
        except NameError:
            continue
    return annotation


def _classes(cls: type[Any], annotation: Any) -> tuple[type[Any], ...]:
    """List the classes in a failure annotation such as `NoStock | Declined`."""
    annotation = _evaluated(cls, annotation)
    if isinstance(annotation, str | typing.ForwardRef):
        text = annotation if isinstance(annotation, str) else annotation.__forward_arg__
        msg = (
            f"{cls.__qualname__}: cannot evaluate the failure {text!r} that it declares; "
            "define its class at module level, or before the message and without quotes"
        )
        raise TypeError(msg)
    if annotation is None:
        return (type(None),)
    if annotation is Any:
        return (Exception,)
    if isinstance(annotation, typing.TypeVar):
        bound = annotation.__bound__
        return () if bound is None else _classes(cls, bound)
    origin: Any = typing.get_origin(annotation)
    if origin is typing.Union or origin is types.UnionType:
        members = (_classes(cls, member) for member in typing.get_args(annotation))
        return tuple(c for found in members for c in found)
    if origin is not None:
        return (origin,) if isinstance(origin, type) else ()
    if isinstance(annotation, type):
        return (annotation,)
    if hasattr(annotation, "__value__"):
        return _classes(cls, annotation.__value__)
    # Never and literals declare nothing that can be checked.
    return ()
