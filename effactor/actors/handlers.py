"""`@handler`, and the table that sends each message to its handler.

The table is built when the class is created, so that a handler that can never
work is an error at import and not at the first message.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Never, Protocol, overload

from typing_extensions import TypeVar

from effactor.actors.annotations import evaluate, message_types, signature
from effactor.actors.message import Request, substitute
from effactor.actors.replies import check_reply

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

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


class PlainHandlerOf(Protocol[M]):
    """Decorates a method that handles an `M` that declares no reply."""

    def __call__(self, function: Callable[[S, M], R], /) -> Callable[[S, M], R]:
        """Mark the method."""
        ...


# A class that is a `Request` is a class too: the overloads overlap, and the first wins.
@overload
def handler(message_type: type[Request[M, R, E]], /) -> HandlerOf[M, R, E]: ...  # type: ignore[overload-overlap]
@overload
def handler(message_type: type[M], /) -> PlainHandlerOf[M]: ...
@overload
def handler(function: Fn, /) -> Fn: ...
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
    origin: Any = typing.get_origin(target)
    if isinstance(origin, type) and origin is not types.UnionType:
        target = origin  # dispatch goes by class: Fetch[int] is handled as Fetch
    if isinstance(target, type):

        def mark(function: Fn) -> Fn:
            return _mark(function, (target,))

        return mark
    if callable(target):
        return _mark(target, ())
    hint = ""
    if origin is not None:
        hint = "; for a union write the bare @handler and annotate the message"
    msg = f"@handler: expected a method or a class of messages, got {target!r}{hint}"
    raise TypeError(msg)


def _mark(function: Fn, types_named: tuple[type[Any], ...]) -> Fn:
    _refuse_generator(getattr(function, "__qualname__", repr(function)), function)
    setattr(function, _MARK, types_named)
    return function


def _refuse_generator(where: str, function: Any) -> None:
    if inspect.isgeneratorfunction(function):
        msg = (
            f"@handler: {where} is a generator function; "
            "put @program below @handler to make it a do-block"
        )
        raise TypeError(msg)
    if inspect.isasyncgenfunction(function):
        msg = f"@handler: {where} is an async generator function; a handler replies by return"
        raise TypeError(msg)


class Behavior:
    """How a class of actors answers messages.

    Attributes:
        every: All handlers, by exact message type.
        plain: Those that are `def`.
        coroutine: Those that are `async def`.
        annotation: The messages that the class declares, as in `Actor[...]`.
        catch_all: The class's own `on_receive`, or None.
        catch_all_is_coroutine: Whether that is `async def`.
        names: Names of the message types with a handler, for errors.
        has_started: Whether the class overrides `on_started`.
        has_stopped: Whether the class overrides `on_stopped`.
    """

    __slots__ = (
        "_handlers",
        "annotation",
        "catch_all",
        "catch_all_is_coroutine",
        "coroutine",
        "every",
        "has_started",
        "has_stopped",
        "names",
        "plain",
    )

    def __init__(
        self, handlers: dict[type[Any], Callable[..., Any]], cls: type[Any], annotation: Any
    ) -> None:
        """Sort *handlers* of *cls* by how they run."""
        self._handlers = handlers
        self.annotation: Any = annotation
        self.every: dict[type[Any], Callable[..., Any]] = {}
        self.plain: dict[type[Any], Callable[..., Any]] = {}
        self.coroutine: dict[type[Any], Callable[..., Any]] = {}
        self.catch_all: Callable[..., Any] | None = _overridden(cls, "on_receive")
        self.catch_all_is_coroutine: bool = inspect.iscoroutinefunction(self.catch_all)
        self.has_started: bool = _overridden(cls, "on_started") is not None
        self.has_stopped: bool = _overridden(cls, "on_stopped") is not None
        self.names: tuple[str, ...] = tuple(t.__name__ for t in handlers)
        for message_type, function in handlers.items():
            self._remember(message_type, function)

    def _remember(self, message_type: type[Any], function: Callable[..., Any]) -> None:
        table = self.coroutine if inspect.iscoroutinefunction(function) else self.plain
        table[message_type] = self.every[message_type] = function

    def resolve(self, message_type: type[Any]) -> bool:
        """Find the handler of a type met for the first time, by its MRO, and remember it.

        Args:
            message_type: The exact type of a message.

        Returns:
            Whether `every` now has it.
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
        TypeError: If a handler has no annotation or cannot be called with a
            message, two handlers of the class take the same message type, a
            declared message type has no handler, a handler's type is not
            declared, or a handler's return annotation is not the reply that its
            message declares.
    """
    handlers: dict[type[Any], Callable[..., Any]] = {}
    for base in reversed(cls.__mro__):
        own: dict[type[Any], str] = {}
        for name, function in base.__dict__.items():
            if _marked(function) is None:
                continue
            for message_type in _handled(base, name, function):
                if message_type in own:
                    msg = (
                        f"{base.__qualname__}: {own[message_type]} and {name} both handle "
                        f"{message_type.__name__}; one message type has one handler"
                    )
                    raise TypeError(msg)
                own[message_type] = name
        for message_type, name in own.items():
            # A subclass that overrides the method without decorating it again
            # means the override; one that decorates it names its messages anew.
            owner = next(c for c in cls.__mro__ if name in c.__dict__)
            method = owner.__dict__[name]
            if owner is not base and (method is None or _marked(method) is not None):
                continue
            if owner is cls or not hasattr(owner, _BEHAVIOR):
                _check_method(owner, name, method)
                check_reply(owner, name, method, message_type)
            handlers[message_type] = getattr(cls, name)
    if "on_receive" in cls.__dict__:
        _check_method(cls, "on_receive", cls.__dict__["on_receive"])
    annotation = _message_annotation(cls)
    behavior = Behavior(handlers, cls, annotation)
    _check_declared(cls, handlers, behavior)
    return behavior


_BEHAVIOR = "__effactor_behavior__"


def _marked(function: Any) -> tuple[type[Any], ...] | None:
    """Return the types that `@handler` noted: none yet if it was bare; None if not a handler."""
    if isinstance(function, staticmethod | classmethod):
        function = function.__wrapped__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    found: tuple[type[Any], ...] | None = getattr(function, _MARK, None)
    return found


def _handled(cls: type[Any], name: str, function: Any) -> tuple[type[Any], ...]:
    """Return the message types of a handler, read from its annotation the first time."""
    _check_method(cls, name, function)
    noted = _marked(function)
    if not noted:
        # Noted, because the names may be out of reach when a subclass is made.
        noted = tuple(dict.fromkeys(_annotated_types(cls, name, function)))
        setattr(function, _MARK, noted)
    return noted


def _check_method(cls: type[Any], name: str, function: Any) -> None:
    """Refuse a handler that cannot be called with a message."""
    where = f"{cls.__qualname__}.{name}"
    if isinstance(function, staticmethod | classmethod):
        msg = f"@handler: {where} must be an ordinary method, def {name}(self, message)"
        raise TypeError(msg)
    _refuse_generator(where, function)
    parameter = _message_parameter(function)
    if parameter is None:
        msg = f"@handler: {where} takes no message; write def {name}(self, message: M)"
        raise TypeError(msg)
    more = [
        p.name
        for p in signature(function).parameters.values()
        if p.default is p.empty and p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}
    ]
    more = [p for p in more[1:] if p != parameter.name]
    if more:
        msg = (
            f"@handler: {where} needs {', '.join(more)} beside the message, which nobody gives; "
            f"put it into the message, or give it a default"
        )
        raise TypeError(msg)


def _message_parameter(function: Any) -> inspect.Parameter | None:
    parameters = list(signature(function).parameters.values())
    positional = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    if len(positional) > 1:
        return positional[1]
    return next((p for p in parameters if p.kind is p.VAR_POSITIONAL), None)


def _annotated_types(cls: type[Any], name: str, function: Any) -> Iterator[type[Any]]:
    where = f"{cls.__qualname__}.{name}"
    parameter = _message_parameter(function)
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
            f"@handler: {where}: cannot evaluate the annotation {_text(parameter.annotation)} "
            f"({error}); import the name at run time, not only under TYPE_CHECKING, or write "
            "@handler(MessageType)"
        )
        raise TypeError(msg) from None
    return message_types(where, annotation)


def _text(annotation: Any) -> str:
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    return repr(annotation)


def _message_annotation(cls: type[Any]) -> Any:
    """Return the messages that a class of actors declares, with type variables filled in."""
    for base in cls.__dict__.get("__orig_bases__", ()):
        origin: Any = typing.get_origin(base)
        if not hasattr(origin, _BEHAVIOR):
            continue
        given = typing.get_args(base)
        if "__effactor_root__" not in vars(origin):
            inherited: Behavior = getattr(origin, _BEHAVIOR)
            values = dict(zip(origin.__parameters__, given, strict=False))
            return substitute(inherited.annotation, values)
        try:
            return evaluate(cls, None, given[0])
        except NameError as error:
            msg = (
                f"{cls.__qualname__}: cannot evaluate Actor[{_text(given[0])}] ({error}); define "
                "the messages before the actor, and import them at run time"
            )
            raise TypeError(msg) from None
    for base in cls.__mro__[1:]:
        behavior: Behavior | None = base.__dict__.get(_BEHAVIOR)
        if behavior is not None:
            return behavior.annotation
    return Any


def _check_declared(
    cls: type[Any], handlers: dict[type[Any], Callable[..., Any]], behavior: Behavior
) -> None:
    annotation = behavior.annotation
    if annotation is Any or isinstance(annotation, typing.TypeVar):
        return
    messages = tuple(dict.fromkeys(message_types(f"{cls.__qualname__}: Actor[...]", annotation)))
    names = " | ".join(m.__name__ for m in messages)
    for message_type, function in handlers.items():
        if not any(_related(message_type, message) for message in messages):
            name = getattr(function, "__name__", repr(function))
            msg = (
                f"{cls.__qualname__}.{name} handles {message_type.__name__}, which Actor[{names}] "
                f"does not declare; write Actor[{names} | {message_type.__name__}]"
            )
            raise TypeError(msg)
    if behavior.catch_all is not None:
        return
    for message in messages:
        # A declared base class is covered by handlers of its subclasses.
        if not any(_related(message, message_type) for message_type in handlers):
            msg = (
                f"{cls.__qualname__} declares {message.__name__} but has no handler for it; "
                f"add one, or an on_receive"
            )
            raise TypeError(msg)


def _related(one: type[Any], other: type[Any]) -> bool:
    return issubclass(one, other) or issubclass(other, one)
