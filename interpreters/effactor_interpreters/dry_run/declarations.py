"""What functions, effects and factories declare that they answer."""

from __future__ import annotations

import typing
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Any

from effactor.programs.effects import Effect

if TYPE_CHECKING:
    from collections.abc import Callable


def effect_answer(effect: Any) -> Any:
    """Return the type of an effect's answer.

    Args:
        effect: An instance of a subclass of `Effect[R]`.

    Returns:
        `R`, or `Any` where the class does not say.
    """
    for cls in type(effect).__mro__:
        for base in cls.__dict__.get("__orig_bases__", ()):
            if typing.get_origin(base) is Effect:
                return typing.get_args(base)[0]
    return Any


def call_answer(function: Callable[..., Any]) -> Any:
    """Return the type that a function says it returns.

    Args:
        function: Any function, `async def` or not.

    Returns:
        The annotation, inside `Awaitable` and the like; `Any` if there is none.
    """
    while isinstance(function, partial):
        function = function.func
    if isinstance(function, type):
        return function
    target = function if hasattr(function, "__qualname__") else type(function).__call__
    try:
        annotation = typing.get_type_hints(target).get("return", Any)
    except Exception:  # an annotation may name what is only imported for type checkers
        return Any
    origin = typing.get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Awaitable):
        return typing.get_args(annotation)[-1]
    return annotation


def actor_name(factory: Any) -> str:
    """Name the class of the actors that a factory makes.

    Args:
        factory: A class of actors, or a function that makes one.

    Returns:
        The name of the class that it says it returns, or `Actor`.
    """
    while isinstance(factory, partial):
        factory = factory.func
    cls = factory if isinstance(factory, type) else call_answer(factory)
    return cls.__name__ if isinstance(cls, type) and cls is not Any else "Actor"


def type_name(annotation: Any) -> str:
    """Name a type for people.

    Args:
        annotation: Any annotation.

    Returns:
        Text such as `Order` or `list[Order]`.
    """
    plain = isinstance(annotation, type) and typing.get_origin(annotation) is None
    return annotation.__qualname__ if plain else str(annotation)
