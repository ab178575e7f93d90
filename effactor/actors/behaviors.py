"""The dispatch table of a class of actors.

It is built when the class is created, so that a handler that can never work is an
error at import and not at the first message.
"""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

from effactor.actors.annotations import evaluate, message_types, signature, with_priorities
from effactor.actors.dispatch import Behavior, Rule, Rules
from effactor.actors.handlers import (
    completed,
    marked,
    message_parameter,
    refuse_generator,
    text,
)
from effactor.actors.message import substitute
from effactor.actors.replies import check_reply
from effactor.actors.watching import Terminated

if TYPE_CHECKING:
    import inspect
    from collections.abc import Iterable

    from effactor.actors.handlers import Mark

_BEHAVIOR = "__effactor_behavior__"


def behavior_of(cls: type[Any]) -> Behavior:
    """Build the dispatch table of a class of actors, checking its handlers.

    Args:
        cls: The class.

    Returns:
        Its behaviour.

    Raises:
        TypeError: If a handler has no annotation or cannot be called with a
            message, two handlers without guards of the class take the same message
            type, a declared message type has no handler, a handler's type is not
            declared, a handler's return annotation is not the reply that its
            message declares, or one type is given two priorities.
    """
    rules: Rules = {}
    annotation = _message_annotation(cls)
    priorities = dict(_declared_priorities(cls, annotation))
    for base in reversed(cls.__mro__):
        for message_type, handlers in _own_handlers(base).items():
            own: list[Rule] = []
            for name, mark in handlers.items():
                # A subclass that overrides the method without decorating it again
                # means the override; one that decorates it names its messages anew.
                owner = next(c for c in cls.__mro__ if name in c.__dict__)
                method = owner.__dict__[name]
                if owner is not base and (method is None or marked(method) is not None):
                    continue
                if owner is cls or not hasattr(owner, _BEHAVIOR):
                    _check_method(owner, name, method)
                    check_reply(owner, name, method, message_type)
                own.append(Rule.of(getattr(cls, name), mark.when))
                priority = dict(mark.messages)[message_type]
                if priority is not None:
                    priorities[message_type] = priority
            if own:
                rules[message_type] = in_order(own, rules.get(message_type, ()))
    if "on_receive" in cls.__dict__:
        _check_method(cls, "on_receive", cls.__dict__["on_receive"])
    behavior = Behavior(rules, cls, annotation, priorities)
    _check_declared(cls, rules, behavior)
    return behavior


def in_order(own: Iterable[Rule], others: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Put the handlers of one type into the order in which they are tried.

    Args:
        own: Those of one class; at most one has no guard.
        others: Those of its bases, in order.

    Returns:
        The guarded ones, then the one without a guard, or else the others.
    """
    guarded = tuple(rule for rule in own if rule.when is not None)
    return guarded + (tuple(rule for rule in own if rule.when is None) or others)


def _own_handlers(cls: type[Any]) -> dict[type[Any], dict[str, Mark]]:
    """List the handlers that stand in a class itself, by type and name."""
    found: dict[type[Any], dict[str, Mark]] = {}
    for name, function in cls.__dict__.items():
        if marked(function) is None:
            continue
        _check_method(cls, name, function)
        mark = completed(cls, name, function)
        for message_type, priority in mark.messages:
            others = found.setdefault(message_type, {})
            for other, its in others.items():
                if mark.when is None and its.when is None:
                    msg = (
                        f"{cls.__qualname__}: {other} and {name} both handle "
                        f"{message_type.__name__}; one message type has one handler, and others "
                        "only with guards, @handler(when=...)"
                    )
                    raise TypeError(msg)
                stated = dict(its.messages)[message_type]
                if None not in {priority, stated} and priority != stated:
                    msg = (
                        f"{cls.__qualname__}: {other} and {name} state the priorities {stated} "
                        f"and {priority} of {message_type.__name__}; a type has one"
                    )
                    raise TypeError(msg)
            others[name] = mark
    return found


def _check_method(cls: type[Any], name: str, function: Any) -> None:
    """Refuse a handler that cannot be called with a message."""
    where = f"{cls.__qualname__}.{name}"
    if isinstance(function, staticmethod | classmethod):
        msg = f"@handler: {where} must be an ordinary method, def {name}(self, message)"
        raise TypeError(msg)
    refuse_generator(where, function)
    parameter = message_parameter(function)
    if parameter is None:
        msg = f"@handler: {where} takes no message; write def {name}(self, message: M)"
        raise TypeError(msg)
    parameters = list(signature(function).parameters.values())
    refuse_more(f"@handler: {where}", parameters[1:], parameter)


def refuse_more(
    where: str, parameters: list[inspect.Parameter], message: inspect.Parameter
) -> None:
    """Refuse a handler that needs more than the message.

    Args:
        where: Its name, with what is done to it.
        parameters: Its parameters, without `self`.
        message: The one that takes the message.

    Raises:
        TypeError: If another one has no default.
    """
    more = [
        p.name
        for p in parameters
        if p.default is p.empty
        and p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}
        and p.name != message.name
    ]
    if more:
        msg = (
            f"{where} needs {', '.join(more)} beside the message, which nobody gives; "
            f"put it into the message, or give it a default"
        )
        raise TypeError(msg)


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
                f"{cls.__qualname__}: cannot evaluate Actor[{text(given[0])}] ({error}); define "
                "the messages before the actor, and import them at run time"
            )
            raise TypeError(msg) from None
    for base in cls.__mro__[1:]:
        behavior: Behavior | None = base.__dict__.get(_BEHAVIOR)
        if behavior is not None:
            return behavior.annotation
    return Any


def _declared_priorities(cls: type[Any], annotation: Any) -> Iterable[tuple[type[Any], int]]:
    """List the priorities in `Actor[...]`."""
    if annotation is Any or isinstance(annotation, typing.TypeVar):
        return
    for message_type, priority in with_priorities(f"{cls.__qualname__}: Actor[...]", annotation):
        if priority is not None:
            yield message_type, priority


def _check_declared(cls: type[Any], rules: Rules, behavior: Behavior) -> None:
    annotation = behavior.annotation
    if annotation is Any or isinstance(annotation, typing.TypeVar):
        return
    messages = tuple(dict.fromkeys(message_types(f"{cls.__qualname__}: Actor[...]", annotation)))
    names = " | ".join(m.__name__ for m in messages)
    for message_type, its in rules.items():
        if issubclass(message_type, Terminated):
            continue  # comes of watching, and from nobody who knows the actor's messages
        if not any(_related(message_type, message) for message in messages):
            name = getattr(its[0].function, "__name__", repr(its[0].function))
            msg = (
                f"{cls.__qualname__}.{name} handles {message_type.__name__}, which Actor[{names}] "
                f"does not declare; write Actor[{names} | {message_type.__name__}]"
            )
            raise TypeError(msg)
    if behavior.catch_all is not None:
        return
    for message in messages:
        # A declared base class is covered by handlers of its subclasses.
        if not any(_related(message, message_type) for message_type in rules):
            msg = (
                f"{cls.__qualname__} declares {message.__name__} but has no handler for it; "
                f"add one, or an on_receive"
            )
            raise TypeError(msg)


def _related(one: type[Any], other: type[Any]) -> bool:
    return issubclass(one, other) or issubclass(other, one)
