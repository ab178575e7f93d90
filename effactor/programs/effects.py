"""The user's own effects: performed by name, given meaning by `handle`.

An effect is a message to whoever handles it, typed like one:
`class Sql(Effect[list[str]])` answers a list of strings. The third parameter of
`Program` lists the effects that still need a handler.
"""

from __future__ import annotations

from typing import Any, Generic, Never, Protocol, Self

from typing_extensions import TypeVar

from effactor.programs.program import Program

F = TypeVar("F")
F_co = TypeVar("F_co", covariant=True)
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Effect(Generic[R]):
    """Base of the user's effects; `R` is what performing one answers."""

    __slots__ = ()

    def __effect__(self) -> tuple[Self, R]:
        """Carry the types for the checkers; never called."""
        raise NotImplementedError

    def __answer__(self, answer: R) -> None:
        """Make `R` invariant for handlers; never called."""
        raise NotImplementedError

    def __unhandled__(self) -> str:
        """Say that nothing handles this effect and what to do, for `UnhandledEffect`."""
        name = type(self).__name__
        return f"nothing handles {self!r}: wrap the program in handle({name})(function)"


class Performable(Protocol[F_co, R_co]):
    """The performer's view of an effect."""

    def __effect__(self) -> tuple[F_co, R_co]:
        """Carry the types."""
        ...


class Answerable(Protocol[F_co, R]):
    """The handler's view of an effect: the answer's type is exact."""

    def __effect__(self) -> tuple[F_co, R]:
        """Carry the types."""
        ...

    def __answer__(self, answer: R) -> None:
        """Carry the types."""
        ...


class Perform(Program[R_co, Never, F_co]):
    """Perform one of the user's effects."""

    __slots__ = ("effect",)

    def __init__(self, effect: Any) -> None:
        """Keep the effect."""
        self.effect: Any = effect


def perform(effect: Performable[F, R]) -> Program[R, Never, F]:
    """Perform one of your own effects.

    Args:
        effect: An instance of a subclass of `Effect`.

    Returns:
        A program that answers what the effect's handler answers.

    Raises:
        TypeError: If *effect* is no `Effect`.
    """
    if not isinstance(effect, Effect):
        hint = " (make an instance of it)" if isinstance(effect, type) else ""
        msg = f"perform: effect must be an instance of an Effect, got {effect!r}{hint}"
        raise TypeError(msg)
    return Perform(effect)
