"""The user's own effects: performed by name, given meaning by `handle`.

An effect is a message to whoever handles it, typed like one:
`class Sql(Effect[list[str]])` answers a list of strings. The third parameter of
`Program` lists the effects that still need a handler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Never, Protocol, Self, overload

from typing_extensions import TypeVar

from effactor.programs import structure
from effactor.programs.program import Handle, Program

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")
E = TypeVar("E")
E2 = TypeVar("E2")
F = TypeVar("F")
F2 = TypeVar("F2")
F3 = TypeVar("F3")
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


class Handling(Generic[F, E2, F2]):
    """The last step of `handle(Effect)(function)(program)`."""

    __slots__ = ("table",)

    def __init__(self, table: tuple[tuple[type[Any], Callable[[Any], Any]], ...]) -> None:
        """Keep the table."""
        self.table: tuple[tuple[type[Any], Callable[[Any], Any]], ...] = table

    @overload
    def __call__(self, program: Program[A, E, F]) -> Program[A, E | E2, F2]: ...
    @overload
    def __call__(self, program: Program[A, E, F | F3]) -> Program[A, E | E2, F2 | F3]: ...
    def __call__(self, program: Program[Any, Any, Any]) -> Program[Any, Any, Any]:
        """Install the handler around *program*."""
        return Handle(structure.a_program("handle", "program", program), self.table)


class Handler(Generic[F, R]):
    """The middle step of `handle(Effect)(function)(program)`."""

    __slots__ = ("effect",)

    def __init__(self, effect: type[Any]) -> None:
        """Keep the effect's class."""
        self.effect: type[Any] = effect

    # An answer might be a program too: the overloads overlap, and the first wins.
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[[F], Program[R, E2, F2]]
    ) -> Handling[F, E2, F2]: ...
    @overload
    def __call__(self, function: Callable[[F], R]) -> Handling[F, Never, Never]: ...
    def __call__(self, function: Callable[[Any], Any]) -> Handling[Any, Any, Any]:
        """Name the function that answers."""
        if not callable(function):
            name = self.effect.__name__
            msg = f"handle: function must map a {name} to its answer, got {function!r}"
            raise TypeError(msg)
        return Handling(((self.effect, function),))


def handle(effect: type[Answerable[F, R]]) -> Handler[F, R]:
    """Give an effect its meaning: `handle(Sql)(function)(program)`.

    Args:
        effect: A subclass of `Effect`; its own subclasses are handled too.

    Returns:
        A function to call with `function`, which gets the effect and returns
        its answer, or a program that makes it; the result is called with the
        program. Effects that the function's program performs itself are left to
        the handlers further out. If two or more other effects are left, mypy
        infers their common base class unless it knows what to expect: annotate
        the result, as in `rest: Program[int, Never, Llm | Log] = ...`.

    Raises:
        TypeError: If *effect* is no class of effects.
    """
    if not (isinstance(effect, type) and issubclass(effect, Effect)):  # pyright: ignore[reportUnnecessaryIsInstance]
        msg = f"handle: effect must be a subclass of Effect, got {effect!r}"
        raise TypeError(msg)
    return Handler(effect)
