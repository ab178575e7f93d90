"""`@handler`, and what it notes on a method."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Never, Protocol, overload

from typing_extensions import TypeVar

from effactor.actors.annotations import evaluate, signature, with_priorities
from effactor.actors.priority import check_priority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from effactor.actors.message import Request
    from effactor.programs.program import Program

Fn = TypeVar("Fn", bound=Callable[..., Any])
S = TypeVar("S")
M = TypeVar("M")
R = TypeVar("R")
E = TypeVar("E")
T = TypeVar("T")

_MARK = "__effactor_handles__"
_ABSENT: Final[Any] = object()


@dataclass(frozen=True, slots=True)
class Mark:
    """What `@handler` notes on a method.

    Attributes:
        messages: The types of its messages, each with the priority that is stated for
            it; empty until it is read from the annotation.
        named: The type given to `@handler`, or None.
        when: Its guard, or None.
        priority: The priority given to `@handler`, or None.
    """

    messages: tuple[tuple[type[Any], int | None], ...] = ()
    named: type[Any] | None = None
    when: Callable[..., Any] | None = None
    priority: int | None = None


class HandlerOf(Protocol[M, R, E]):
    """Decorates a method that handles an `M` and replies an `R`."""

    @overload
    def __call__(
        self, function: Callable[[S, M], Coroutine[Any, Any, R]], /
    ) -> Callable[[S, M], Coroutine[Any, Any, R]]: ...
    @overload
    def __call__(
        self, function: Callable[[S, M], Program[R, E, Never]], /
    ) -> Callable[[S, M], Program[R, E, Never]]: ...
    @overload
    def __call__(
        self: HandlerOf[M, list[T], E], function: Callable[[S, M], AsyncIterator[T]], /
    ) -> Callable[[S, M], AsyncIterator[T]]: ...
    @overload
    def __call__(self, function: Callable[[S, M], R], /) -> Callable[[S, M], R]: ...


class PlainHandlerOf(Protocol[M]):
    """Decorates a method that handles an `M` that declares no reply."""

    def __call__(self, function: Callable[[S, M], R], /) -> Callable[[S, M], R]:
        """Mark the method."""
        ...


class BareHandler(Protocol):
    """Decorates a method whose annotation names its message."""

    def __call__(self, function: Fn, /) -> Fn:
        """Mark the method."""
        ...


# A class that is a `Request` is a class too: the overloads overlap, and the first wins.
@overload
def handler(  # type: ignore[overload-overlap]
    message_type: type[Request[M, R, E]],
    /,
    *,
    when: Callable[[Any, M], bool] | None = None,
    priority: int | None = None,
) -> HandlerOf[M, R, E]: ...
@overload
def handler(
    message_type: type[M],
    /,
    *,
    when: Callable[[Any, M], bool] | None = None,
    priority: int | None = None,
) -> PlainHandlerOf[M]: ...
@overload
def handler(function: Fn, /) -> Fn: ...
@overload
def handler(
    *, when: Callable[[Any, Any], bool] | None = None, priority: int | None = None
) -> BareHandler: ...
def handler(
    target: Any = _ABSENT,
    /,
    *,
    when: Callable[[Any, Any], bool] | None = None,
    priority: int | None = None,
) -> Any:
    """Mark a method as the handler of a message type.

    Bare `@handler` reads the type from the annotation of the message parameter,
    which may be a union. `@handler(Get)` names it; then type checkers compare the
    method's reply with the one that `Get` declares. An `async def` with `yield`
    streams: its reply is the list of its items.

    Several handlers may take one message type if at most one has no guard. They are
    tried in the order of their definition, those of a subclass before those of its
    bases, and the one without a guard last. If no guard holds, the message is taken
    as if there were no handler for its type: by one for a base class of the message,
    by `on_receive`, or by nobody.

    Args:
        target: The method, or the class of the messages.
        when: The guard: from the actor and a message, whether the handler takes the
            message. What it raises is the handler's failure.
        priority: The priority of these messages, 0 unless it is stated; the same as
            `Annotated[..., Priority(n)]` in the annotation. See `Priority`.

    Returns:
        The method, marked; or a decorator that marks one.

    Raises:
        TypeError: If *target* is neither, *when* is no function of two arguments,
            or *priority* no integer.
    """
    origin: Any = typing.get_origin(target)
    if isinstance(origin, type) and origin is not types.UnionType:
        target = origin  # dispatch goes by class: Fetch[int] is handled as Fetch
    if when is not None:
        _check_guard(when)
    if priority is not None:
        check_priority("@handler", "priority", priority)
    if target is _ABSENT or isinstance(target, type):
        named = None if target is _ABSENT else target

        def mark(function: Fn) -> Fn:
            _mark(function, Mark(named=named, when=when, priority=priority))
            return function

        return mark
    if callable(target):
        _mark(target, Mark(when=when, priority=priority))
        return target
    hint = ""
    if origin is not None:
        hint = "; for a union write the bare @handler and annotate the message"
    msg = f"@handler: expected a method or a class of messages, got {target!r}{hint}"
    raise TypeError(msg)


def _mark(function: Any, mark: Mark) -> None:
    refuse_generator(getattr(function, "__qualname__", repr(function)), function)
    setattr(function, _MARK, mark)


def _check_guard(when: Any) -> None:
    if not callable(when):
        msg = f"@handler: when must be a function of the actor and the message, got {when!r}"
        raise TypeError(msg)
    name = getattr(when, "__qualname__", repr(when))
    if (
        inspect.iscoroutinefunction(when)
        or inspect.isasyncgenfunction(when)
        or inspect.isgeneratorfunction(when)
    ):
        msg = (
            f"@handler: the guard {name} must be a plain function, which answers at once; "
            "ask and await in the handler"
        )
        raise TypeError(msg)
    try:
        parameters = signature(when)
    except (TypeError, ValueError):  # some builtins have none
        return
    try:
        parameters.bind(None, None)
    except TypeError:
        msg = (
            f"@handler: the guard {name} must take the actor and the message, as in "
            f"when=lambda self, message: message.amount > 100"
        )
        raise TypeError(msg) from None


def refuse_generator(where: str, function: Any) -> None:
    """Refuse a generator function that is no do-block.

    Args:
        where: Its name.
        function: The handler.

    Raises:
        TypeError: If it is one; an async generator function is not.
    """
    if inspect.isgeneratorfunction(function):
        msg = (
            f"@handler: {where} is a generator function; "
            "put @program below @handler to make it a do-block"
        )
        raise TypeError(msg)


def marked(function: Any) -> Mark | None:
    """Return what `@handler` noted on a function; None if it is no handler."""
    if isinstance(function, staticmethod | classmethod):
        function = function.__wrapped__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    found: Mark | None = getattr(function, _MARK, None)
    return found


def completed(cls: type[Any], name: str, function: Any) -> Mark:
    """Return the mark of a handler, with its messages read from the annotation.

    Args:
        cls: The class it is defined in.
        name: Its name.
        function: The handler.

    Returns:
        Its mark, complete.

    Raises:
        TypeError: If the annotation does not say which messages it handles, or its
            priority is stated twice, differently.
    """
    mark = marked(function) or Mark()
    if not mark.messages:
        where = f"{cls.__qualname__}.{name}"
        messages = tuple(_messages(where, cls, function, mark))
        # Noted, because the names may be out of reach when a subclass is made.
        mark = replace(mark, messages=messages)
        setattr(function, _MARK, mark)
    return mark


def _messages(
    where: str, cls: type[Any], function: Any, mark: Mark
) -> dict[tuple[type[Any], int | None], None]:
    found: dict[type[Any], int | None]
    if mark.named is None:
        found = dict(annotated_types(where, cls, function, message_parameter(function)))
    else:
        try:
            parameter = message_parameter(function)
            stated = dict(annotated_types(where, cls, function, parameter))
        except Exception:  # the type is named: what stands there need not be evaluable
            stated = {}
        found = {mark.named: stated.get(mark.named)}
    for message_type, priority in found.items():
        if mark.priority is not None and priority not in {None, mark.priority}:
            msg = (
                f"@handler: {where} states the priority of {message_type.__name__} twice, "
                f"{mark.priority} and {priority}; leave one of them out"
            )
            raise TypeError(msg)
        if mark.priority is not None:
            found[message_type] = mark.priority
    return dict.fromkeys(found.items())


def message_parameter(function: Any) -> inspect.Parameter | None:
    """Return the parameter of a method that takes the message; None if there is none."""
    parameters = list(signature(function).parameters.values())
    positional = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    if len(positional) > 1:
        return positional[1]
    return next((p for p in parameters if p.kind is p.VAR_POSITIONAL), None)


def annotated_types(
    where: str, cls: type[Any], function: Any, parameter: inspect.Parameter | None
) -> tuple[tuple[type[Any], int | None], ...]:
    """Return the types of messages in the annotation of a parameter, with their priorities.

    Args:
        where: The function's name, for errors.
        cls: The class it is defined in.
        function: The function.
        parameter: Its parameter for the message.

    Returns:
        Pairs of a type and its priority, which may be None.

    Raises:
        TypeError: If there is no annotation, or one that names no messages.
    """
    if parameter is None or parameter.annotation is parameter.empty:
        of = f"{parameter.name!r}" if parameter is not None else "the message"
        msg = (
            f"@handler: {where} does not say which message it handles; annotate "
            f"{of}, or write @handler(MessageType)"
        )
        raise TypeError(msg)
    try:
        annotation = evaluate(cls, function, parameter.annotation)
    except NameError as error:
        msg = (
            f"@handler: {where}: cannot evaluate the annotation {text(parameter.annotation)} "
            f"({error}); import the name at run time, not only under TYPE_CHECKING, or write "
            "@handler(MessageType)"
        )
        raise TypeError(msg) from None
    return tuple(with_priorities(where, annotation))


def text(annotation: Any) -> str:
    """Show an annotation that cannot be evaluated."""
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    return repr(annotation)
