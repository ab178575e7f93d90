"""Compare a handler's return annotation with the reply that its message declares."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import AsyncIterable, Awaitable, Generator
from typing import Any

from effactor.actors.annotations import evaluate, signature
from effactor.actors.message import declared, substitute
from effactor.programs.do import Do
from effactor.programs.program import Program

# PEP 484's numeric tower: an int is a fine reply where a float is declared.
_PROMOTED: dict[type[Any], tuple[type[Any], ...]] = {float: (int,), complex: (int, float)}


def check_reply(owner: type[Any], name: str, function: Any, message_type: type[Any]) -> None:
    """Refuse a handler that says it replies something else than its message declares.

    What cannot be decided at run time (type variables, generics' arguments,
    protocols, names imported under TYPE_CHECKING) is left to the type checkers.

    Args:
        owner: The class of the actor.
        name: The handler's name.
        function: The handler.
        message_type: The message's class.

    Raises:
        TypeError: If the two differ for certain.
    """
    declaration = declared(message_type)
    annotation = signature(function).return_annotation
    if declaration.reply is Any or annotation is inspect.Signature.empty:
        return
    try:
        evaluated = evaluate(owner, function, annotation)
    except NameError:
        return
    streams = inspect.isasyncgenfunction(function)
    reply = _streamed(evaluated) if streams else _reply(evaluated)
    if reply is not Any and not _fits(reply, declaration.reply):
        msg = (
            f"{owner.__qualname__}.{name} replies {_show(reply)}, but {message_type.__name__} "
            f"declares {_show(declaration.reply)}; change the handler's return annotation, or "
            f"the message to Message[{_show(reply)}]"
        )
        raise TypeError(msg)


def _reply(annotation: Any) -> Any:
    """Take the reply out of Program[A, ...], Do[A, ...], Awaitable[A] and Coroutine[..., A]."""
    origin: Any = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if annotation is Program or annotation is Do or annotation is Generator:
        return Any
    if origin is Generator:  # what Do stands for
        return arguments[2] if len(arguments) > 2 else None  # noqa: PLR2004
    if hasattr(origin, "__value__"):  # a type alias with arguments, such as Do[...]
        values = dict(zip(origin.__type_params__, arguments, strict=False))
        return _reply(substitute(origin.__value__, values))
    if hasattr(annotation, "__value__"):  # a type alias
        return _reply(annotation.__value__)
    if isinstance(origin, type) and issubclass(origin, Program):
        return arguments[0]
    if isinstance(origin, type) and issubclass(origin, Awaitable):
        return arguments[-1]
    return annotation


def _streamed(annotation: Any) -> Any:
    """Make list[T] of AsyncIterator[T] and AsyncGenerator[T, ...]: the reply to an ask."""
    origin: Any = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if hasattr(origin, "__value__"):  # a type alias with arguments
        values = dict(zip(origin.__type_params__, arguments, strict=False))
        return _streamed(substitute(origin.__value__, values))
    if hasattr(annotation, "__value__"):
        return _streamed(annotation.__value__)
    if isinstance(origin, type) and issubclass(origin, AsyncIterable):
        return list[arguments[0]]  # type: ignore[valid-type]  # a type made at run time
    return list


def _fits(given: Any, wanted: Any) -> bool:
    given = type(None) if given is None else given
    wanted = type(None) if wanted is None else wanted
    if given == wanted or given is typing.Never or given is typing.NoReturn:
        return True
    for side in (given, wanted):
        if side is Any or side is object:
            return True
        if isinstance(side, str | typing.ForwardRef | typing.TypeVar):
            return True
    if typing.get_origin(given) in {typing.Union, types.UnionType}:
        return all(_fits(member, wanted) for member in typing.get_args(given))
    if typing.get_origin(wanted) in {typing.Union, types.UnionType}:
        return any(_fits(given, member) for member in typing.get_args(wanted))
    given_class = typing.get_origin(given) or given
    wanted_class = typing.get_origin(wanted) or wanted
    if not (isinstance(given_class, type) and isinstance(wanted_class, type)):
        return True
    if getattr(wanted_class, "_is_protocol", False):
        return True
    try:
        return issubclass(given_class, (wanted_class, *_PROMOTED.get(wanted_class, ())))
    except TypeError:  # a TypedDict, for one
        return True


def _show(annotation: Any) -> str:
    if annotation is None or annotation is type(None):
        return "None"
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation.__name__
    return str(annotation)
