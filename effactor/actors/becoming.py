"""The handlers that an actor takes on for a while: what `become` accepts, and their table."""

from __future__ import annotations

import inspect
import types
from functools import partial
from typing import TYPE_CHECKING, Any

from effactor.actors.annotations import signature
from effactor.actors.behaviors import refuse_more
from effactor.actors.dispatch import Rule, Rules
from effactor.actors.handlers import annotated_types, completed, marked, refuse_generator
from effactor.actors.replies import check_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.dispatch import Behavior

_TAKES = "__effactor_takes__"

Taken = tuple[tuple[type[Any], int | None], ...]


def check_become(handlers: tuple[Callable[[Any], Any], ...]) -> None:
    """Refuse what no actor can become.

    Args:
        handlers: What `become` was given.

    Raises:
        TypeError: If there is none, one is no function of a message, says it replies
            something else than its message declares, or two take the same type.
    """
    if not handlers:
        msg = (
            "become: needs at least one handler, such as self.locked; unbecome() goes back to "
            "the handlers of the class"
        )
        raise TypeError(msg)
    takers: dict[type[Any], list[str]] = {}
    for handler in handlers:
        name, guarded = _name(handler), _guard(handler) is not None
        for message_type, _ in taken(handler):
            others = takers.setdefault(message_type, [])
            if not guarded:
                others.append(name)
            if len(others) > 1:
                which = "all other messages" if message_type is object else message_type.__name__
                msg = f"become: {others[0]} and {name} both handle {which}; one has to go"
                raise TypeError(msg)


def taken(handler: Callable[[Any], Any]) -> Taken:
    """Return the types of messages that a handler takes, each with its priority or None.

    Args:
        handler: A function of one message, usually a bound method.

    Returns:
        What `@handler` notes if it is marked, else what its annotation says; `object`,
        which is every message, if there is none.

    Raises:
        TypeError: If it is no function of one message, or its annotation says nothing.
    """
    source: Any = _source(handler)
    noted: Taken | None = getattr(source, _TAKES, None)
    if noted is not None and isinstance(handler, types.MethodType):
        return noted
    found = _taken(handler, source)
    if isinstance(source, types.FunctionType) and isinstance(handler, types.MethodType):
        # Noted, because names may be out of reach later, and reading them takes time.
        setattr(source, _TAKES, found)
    return found


def _taken(handler: Any, source: Any) -> Taken:
    if not callable(handler):
        msg = f"become: expected a handler such as self.locked, got {handler!r}"
        raise TypeError(msg)
    name, owner = _name(handler), _owner(handler)
    if isinstance(handler, type):
        msg = f"become: expected a handler such as self.locked, got the class {name}"
        raise TypeError(msg)
    refuse_generator(name, source)
    if marked(source) is not None:
        found = completed(owner, source.__name__, source).messages
    else:
        try:
            parameters = list(signature(handler).parameters.values())
        except ValueError:  # some builtins have none
            msg = f"become: {name} does not say what it takes; write lambda message: {name}(...)"
            raise TypeError(msg) from None
        kinds = {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}
        message = next((p for p in parameters if p.kind not in kinds), None)
        if message is None:
            short = names_of((handler,))[0]
            msg = f"become: {name} takes no message; write def {short}(self, message: M)"
            raise TypeError(msg)
        refuse_more(f"become: {name}", parameters, message)
        if message.annotation is message.empty:
            found = ((object, None),)
        else:
            found = annotated_types(name, owner, source, message)
    for message_type, _ in found:
        check_reply(owner, getattr(source, "__name__", name), source, message_type)
    return found


def becoming(own: Behavior, actor: Any, handlers: tuple[Callable[[Any], Any], ...]) -> Behavior:
    """Make the behaviour of an actor that takes on *handlers*.

    Args:
        own: The behaviour of its class.
        actor: The actor.
        handlers: Checked handlers.

    Returns:
        The behaviour; one for all actors of the class if the handlers are its methods.
    """
    key = tuple(_source(handler) for handler in handlers)
    shared = all(
        isinstance(handler, types.MethodType)
        and handler.__self__ is actor
        and getattr(_class_of(actor), source.__name__, None) is source
        for handler, source in zip(handlers, key, strict=True)
    )
    known = own.becomings.get(key) if shared else None
    if known is not None:
        return known
    guarded: Rules = {}
    unguarded: Rules = {}
    priorities: dict[type[Any], int] = {}
    for handler, source in zip(handlers, key, strict=True):
        when = _guard(handler)
        streams = inspect.isasyncgenfunction(source)
        function = _with_self(handler, actor)
        for message_type, priority in taken(handler):
            rules = unguarded if when is None else guarded
            rule = Rule(function, when, streams)
            rules[message_type] = (*rules.get(message_type, ()), rule)
            if priority is not None:
                priorities[message_type] = priority
    order = dict.fromkeys((*guarded, *unguarded))
    behavior = own.replaced(
        {t: (*guarded.get(t, ()), *unguarded.get(t, ())) for t in order}, priorities
    )
    if shared:
        own.becomings[key] = behavior
    return behavior


def _with_self(handler: Any, actor: Any) -> Callable[[Any, Any], Any]:
    """Make a function of the actor and the message, as tables hold them."""
    if isinstance(handler, types.MethodType) and handler.__self__ is actor:
        return handler.__func__

    def call(_actor: Any, message: Any) -> Any:
        return handler(message)

    return call


def _guard(handler: Any) -> Callable[..., Any] | None:
    mark = marked(_source(handler)) if isinstance(handler, types.MethodType) else None
    return None if mark is None else mark.when


def _source(handler: Any) -> Any:
    """Return the function behind a bound method, a partial, or an object that is called."""
    while isinstance(handler, partial):
        handler = handler.func
    if isinstance(handler, types.MethodType):
        return handler.__func__
    if callable(handler) and not hasattr(handler, "__qualname__"):
        return type(handler).__call__
    return handler


def _owner(handler: Any) -> type[Any]:
    """Return the class in whose body a handler stands, for names that are local to it."""
    source = _source(handler)
    cls = _class_of(getattr(handler, "__self__", handler))
    return next((c for c in cls.__mro__ if any(v is source for v in vars(c).values())), cls)


def _class_of(value: object) -> type[Any]:
    return type(value)


def _name(handler: Any) -> str:
    return str(getattr(_source(handler), "__qualname__", repr(handler)))


def names_of(handlers: tuple[Callable[[Any], Any], ...]) -> tuple[str, ...]:
    """Return the handlers' names, for people.

    Args:
        handlers: What `become` was given.

    Returns:
        `locked` for a method `self.locked`.
    """
    return tuple(_name(handler).rpartition(".")[2] for handler in handlers)
