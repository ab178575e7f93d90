"""Handlers of effects: `on(Sql)(function)` makes one, as a value to call with a program."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Generic, Never, overload

from typing_extensions import TypeIs, TypeVar

from effactor.programs import structure
from effactor.programs.effects import Effect
from effactor.programs.program import Handle, Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.programs.effects import Answerable

A = TypeVar("A")
E = TypeVar("E")
E2 = TypeVar("E2")
F = TypeVar("F")
F2 = TypeVar("F2")
F3 = TypeVar("F3")
R = TypeVar("R")
F_contra = TypeVar("F_contra", contravariant=True)
E_co = TypeVar("E_co", covariant=True, default=Never)
G_co = TypeVar("G_co", covariant=True, default=Never)

Table = tuple[tuple[type[Any], "Callable[[Any], Any]"], ...]


class Shared(structure.FunctionValue):
    """A handler's function that answers only some effects of its class.

    So several of them may stand in one `handle`: they are joined to one.
    """

    __slots__ = ()

    def __call__(self, effect: Any) -> Any:
        """Answer the effect."""
        raise NotImplementedError

    def joined(self, other: Any) -> Shared:
        """Join two functions to one.

        Args:
            other: A function of the same class.

        Returns:
            A function that answers what either does.

        Raises:
            TypeError: If one of them leaves nothing to the other.
        """
        raise NotImplementedError


class Handling(structure.FunctionValue, Generic[F_contra, E_co, G_co]):
    """A handler: called with a program, it answers the program's effects `F`.

    Its own programs may fail with `E` and perform effects `G`. `handle` and `on`
    make one of a function, `provide` of a service, and `handle` one of several.
    """

    __slots__ = ("table",)

    def __init__(self, table: Table) -> None:
        """Keep the table: classes of effects and the functions that answer them."""
        self.table: Table = table

    @overload
    def __call__(self, program: Program[A, E, F_contra]) -> Program[A, E | E_co, G_co]: ...
    @overload
    def __call__(
        self, program: Program[A, E, F_contra | F3]
    ) -> Program[A, E | E_co, G_co | F3]: ...
    def __call__(self, program: Program[Any, Any, Any]) -> Program[Any, Any, Any]:
        """Install the handler around *program*.

        Args:
            program: Any program.

        Returns:
            The program with these effects answered.
        """
        return Handle(structure.a_program("handle", "program", program), self.table)


class Handler(Generic[F, R]):
    """The middle step of `handle(Effect)(function)(program)` and of `on(Effect)(function)`."""

    __slots__ = ("effect", "where")

    def __init__(self, where: str, effect: type[Any]) -> None:
        """Keep the effect's class, and the name of the function that made this."""
        self.where: str = where
        self.effect: type[Any] = effect

    # An answer might be a program too: the overloads overlap, and the first wins.
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[[F], Program[R, E2, F2]]
    ) -> Handling[F, E2, F2]: ...
    @overload
    def __call__(self, function: Callable[[F], R]) -> Handling[F]: ...
    def __call__(self, function: Callable[[Any], Any]) -> Handling[Any, Any, Any]:
        """Name the function that answers.

        Args:
            function: Gets the effect; returns its answer, or a program that makes it.

        Returns:
            The handler.

        Raises:
            TypeError: If *function* cannot be called, or is asynchronous.
        """
        return Handling(((self.effect, _answering(self.where, self.effect, function)),))


def _answering(where: str, effect: type[Any], function: Any) -> Callable[[Any], Any]:
    """Return *function* if it can be a handler of *effect*."""
    name = effect.__name__
    if structure.is_program(function) or not callable(function):
        msg = f"{where}: function must map a {name} to its answer, got {function!r}"
        raise TypeError(msg)
    called = function if inspect.isroutine(function) else getattr(function, "__call__", None)  # noqa: B004 - its kind is asked for, not whether it is there
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called):
        own = structure.function_name(function)
        msg = (
            f"{where}: the function for {name} is asynchronous, and effects are answered at "
            f"once or by a program: write lambda effect: free_call({own}, effect)"
        )
        raise TypeError(msg)
    answering: Callable[[Any], Any] = function
    return answering


def is_handling(value: object) -> TypeIs[Handling[Any, Any, Any]]:
    """Tell whether *value* is a handler, as `on(Sql)(function)` makes it."""
    return isinstance(value, Handling)


def is_unfinished(value: object) -> TypeIs[Handler[Any, Any]]:
    """Tell whether *value* is a handler that has no function yet: `on(Sql)`."""
    return isinstance(value, Handler)


def is_effect_class(value: object) -> TypeIs[type[Effect[Any]]]:
    """Tell whether *value* is a class of effects."""
    return isinstance(value, type) and issubclass(value, Effect)


def effect_class(where: str, effect: Any) -> type[Any]:
    """Return *effect* if it is a class of effects.

    Args:
        where: The function that received it, for the error.
        effect: What was given.

    Returns:
        The class.

    Raises:
        TypeError: If it is something else.
    """
    if not is_effect_class(effect):
        hint = " (name its class)" if isinstance(effect, Effect) else ""
        msg = f"{where}: effect must be a subclass of Effect, got {effect!r}{hint}"
        raise TypeError(msg)
    return effect


def on(effect: type[Answerable[F, R]]) -> Handler[F, R]:
    """Begin an entry of `handle`, as `on(Sql)(f)` is in `handle(on(Sql)(f), ...)(program)`.

    Args:
        effect: A subclass of `Effect`; its own subclasses are handled too.

    Returns:
        A function to call with the function that answers, as `handle(effect)` does.

    Raises:
        TypeError: If *effect* is no class of effects.
    """
    return Handler("on", effect_class("on", effect))
