"""`@handler`, and the table that sends each message to its handler.

The table is built when the class is created, so that a handler that can never
work is an error at import and not at the first message.
"""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Never, Protocol, overload

from typing_extensions import TypeVar

from effactor.actors.message import Request, declared
from effactor.actors.replies import check_reply

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from effactor.programs.program import Program

Fn = TypeVar("Fn", bound=Callable[..., Any])
S = TypeVar("S")
M = TypeVar("M")
R = TypeVar("R")
E = TypeVar("E")
E2 = TypeVar("E2")

_MARK = "__effactor_handles__"


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
    def __call__(self, function: Callable[[S, M], R], /) -> Callable[[S, M], R]: ...


@overload
def handler(message_type: type[Request[M, R, E]], /) -> HandlerOf[M, R, E]: ...
@overload
def handler(function: Fn, /) -> Fn: ...
@overload
def handler(message_type: type[Any], /) -> Callable[[Fn], Fn]: ...
def handler(target: Any, /) -> Any:
    """Mark a method as the handler of a message type.

    Bare `@handler` reads the type from the annotation of the message parameter,
    which may be a union. `@handler(Get)` names it; then type checkers compare the
    method's reply with the one that `Get` declares.

    Args:
        target: The method, or the class of the messages.

    Returns:
        The method, marked.

    Raises:
        TypeError: If *target* is neither.
    """
    if isinstance(target, type):

        def mark(function: Fn) -> Fn:
            return _mark(function, (target,))

        return mark
    if callable(target):
        return _mark(target, ())
    msg = f"handler: expected a method or a class of messages, got {target!r}"
    raise TypeError(msg)


def _mark(function: Fn, types_named: tuple[type[Any], ...]) -> Fn:
    if inspect.isgeneratorfunction(function):
        msg = (
            f"@handler: {function.__qualname__} is a generator function; "
            "put @program below @handler to make it a do-block"
        )
        raise TypeError(msg)
    setattr(function, _MARK, types_named)
    return function


class Behavior:
    """How a class of actors answers messages.

    Attributes:
        plain: Handlers that are `def`, by exact message type.
        coroutine: Handlers that are `async def`, by exact message type.
        catch_all: The class's own `on_receive`, or None.
        catch_all_is_coroutine: Whether that is `async def`.
        names: Names of the message types with a handler, for errors.
        has_started: Whether the class overrides `on_started`.
        has_stopped: Whether the class overrides `on_stopped`.
    """

    __slots__ = (
        "_handlers",
        "catch_all",
        "catch_all_is_coroutine",
        "coroutine",
        "has_started",
        "has_stopped",
        "names",
        "plain",
    )

    def __init__(self, handlers: dict[type[Any], Callable[..., Any]], cls: type[Any]) -> None:
        """Sort *handlers* of *cls* by how they run."""
        self._handlers = handlers
        self.plain: dict[type[Any], Callable[..., Any]] = {}
        self.coroutine: dict[type[Any], Callable[..., Any]] = {}
        self.catch_all = _overridden(cls, "on_receive")
        self.catch_all_is_coroutine = inspect.iscoroutinefunction(self.catch_all)
        self.has_started = _overridden(cls, "on_started") is not None
        self.has_stopped = _overridden(cls, "on_stopped") is not None
        self.names = tuple(t.__name__ for t in handlers)
        for message_type, function in handlers.items():
            self._remember(message_type, function)

    def _remember(self, message_type: type[Any], function: Callable[..., Any]) -> None:
        table = self.coroutine if inspect.iscoroutinefunction(function) else self.plain
        table[message_type] = function

    def resolve(self, message_type: type[Any]) -> bool:
        """Find the handler of a type met for the first time, by its MRO, and remember it.

        Args:
            message_type: The exact type of a message.

        Returns:
            Whether `plain` or `coroutine` now has it.
        """
        for base in message_type.__mro__:
            function = self._handlers.get(base)
            if function is not None:
                self._remember(message_type, function)
                return True
        if self.catch_all is not None:
            self._remember(message_type, self.catch_all)
            return True
        return False


def _overridden(cls: type[Any], name: str) -> Callable[..., Any] | None:
    for base in cls.__mro__:
        if name in base.__dict__:
            found: Callable[..., Any] = base.__dict__[name]
            return None if "__effactor_root__" in base.__dict__ else found
    return None


def behavior_of(cls: type[Any]) -> Behavior:
    """Build the dispatch table of a class of actors, checking its handlers.

    Args:
        cls: The class.

    Returns:
        Its behaviour.

    Raises:
        TypeError: If a handler has no annotation, two handlers of the class take
            the same message type, a declared message type has no handler, a
            handler's type is not declared, or a handler's return annotation is
            not the reply that its message declares.
    """
    handlers: dict[type[Any], Callable[..., Any]] = {}
    for base in reversed(cls.__mro__):
        own: dict[type[Any], str] = {}
        for name, function in base.__dict__.items():
            named = getattr(function, _MARK, None)
            if named is None:
                continue
            for message_type in named or _annotated_types(base, function):
                if message_type in own:
                    msg = (
                        f"{base.__qualname__}: {own[message_type]} and {name} both handle "
                        f"{message_type.__name__}; one message type has one handler"
                    )
                    raise TypeError(msg)
                own[message_type] = name
                # A subclass that overrides the method without decorating it again
                # means the override.
                handlers[message_type] = getattr(cls, name, function)
        for message_type, name in own.items():
            _check(base, name, message_type)
    behavior = Behavior(handlers, cls)
    _check_declared(cls, handlers, behavior)
    return behavior


def _check(cls: type[Any], name: str, message_type: type[Any]) -> None:
    function = cls.__dict__[name]
    check_reply(f"{cls.__qualname__}.{name}", function, message_type, declared(message_type), _hint)


def _annotated_types(cls: type[Any], function: Any) -> tuple[type[Any], ...]:
    where = f"{cls.__qualname__}.{function.__name__}"
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) < 2:  # noqa: PLR2004 - self and the message
        msg = f"@handler: {where} takes no message; write def {function.__name__}(self, message: M)"
        raise TypeError(msg)
    parameter = parameters[1]
    if parameter.annotation is parameter.empty:
        msg = (
            f"@handler: {where} does not say which message it handles; annotate "
            f"{parameter.name!r}, or write @handler(MessageType)"
        )
        raise TypeError(msg)
    annotation = _hint(where, function, parameter.annotation)
    found = tuple(_message_types(where, annotation))
    return tuple(dict.fromkeys(found))


def _hint(where: str, function: Any, annotation: Any) -> Any:
    """Evaluate an annotation that may be a string, also of names local to a function."""
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if not isinstance(annotation, str):
        return annotation
    scopes = [getattr(inspect.unwrap(function), "__globals__", {})]
    frame = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    while frame is not None:  # pyright: ignore[reportUnnecessaryComparison]
        scopes.append(frame.f_locals)
        frame = frame.f_back  # type: ignore[assignment]
    missing: NameError | None = None
    for scope in scopes:
        try:
            return eval(annotation, scopes[0], scope)  # noqa: S307 - the class's own annotation
        except NameError as error:
            missing = missing or error
    msg = (
        f"{where}: cannot evaluate the annotation {annotation!r} ({missing}); "
        "import the name at run time, not only under TYPE_CHECKING, or write @handler(MessageType)"
    )
    raise TypeError(msg)


def _message_types(where: str, annotation: Any) -> Iterable[type[Any]]:
    if annotation is None:
        yield type(None)
    elif annotation is Any:
        yield object
    elif isinstance(annotation, type) and typing.get_origin(annotation) is None:
        yield annotation
    elif typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        for member in typing.get_args(annotation):
            yield from _message_types(where, member)
    elif isinstance(typing.get_origin(annotation), type):
        yield typing.get_origin(annotation)  # type: ignore[misc]
    elif hasattr(annotation, "__value__"):
        yield from _message_types(where, annotation.__value__)
    elif isinstance(annotation, typing.TypeVar | TypeVar):
        bound = annotation.__bound__
        yield from _message_types(where, object if bound is None else bound)
    else:
        msg = f"{where}: {annotation!r} is no class of messages"
        raise TypeError(msg)


def _declared_messages(cls: type[Any]) -> tuple[type[Any], ...] | None:
    """List the type argument of `Actor[...]`, or None if there is none to check."""
    for base in cls.__mro__:
        for original in base.__dict__.get("__orig_bases__", ()):
            origin = typing.get_origin(original)
            if origin is None or getattr(origin, "__effactor_behavior__", None) is None:
                continue
            (argument, *_) = typing.get_args(original)
            if isinstance(argument, typing.TypeVar) or argument is Any:
                return None
            where = f"{cls.__qualname__}: Actor[...]"
            return tuple(_message_types(where, _hint(where, base, argument)))
    return None


def _check_declared(
    cls: type[Any], handlers: dict[type[Any], Callable[..., Any]], behavior: Behavior
) -> None:
    messages = _declared_messages(cls)
    if messages is None:
        return
    for message_type in handlers:
        if not issubclass(message_type, messages):
            names = " | ".join(m.__name__ for m in messages)
            name = handlers[message_type].__name__
            msg = (
                f"{cls.__qualname__}.{name} handles {message_type.__name__}, which Actor[{names}] "
                f"does not declare; write Actor[{names} | {message_type.__name__}]"
            )
            raise TypeError(msg)
    if behavior.catch_all is not None:
        return
    for message in messages:
        # A declared base class is covered by handlers of its subclasses.
        if not any(issubclass(message, h) or issubclass(h, message) for h in handlers):
            msg = (
                f"{cls.__qualname__} declares {message.__name__} but has no handler for it; "
                f"add one, or an on_receive"
            )
            raise TypeError(msg)
