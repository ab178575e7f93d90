"""All laws, for one interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from effactor.testing.law import Law, Statement, about, strategies
from effactor.testing.laws import (
    applicative,
    concurrency,
    errors,
    functor,
    handlers,
    monad,
    resources,
    schedules,
    values,
)
from effactor.testing.laws import interpreter as of_interpreters

if TYPE_CHECKING:
    from effactor import Interpreter, Program

_MODULES = (
    of_interpreters,
    functor,
    monad,
    applicative,
    errors,
    values,
    handlers,
    schedules,
    resources,
    concurrency,
)


def statements() -> tuple[Statement, ...]:
    """List the laws, before they are about an interpreter.

    Returns:
        All of them, group by group.
    """
    found = [value for module in _MODULES for value in vars(module).values()]
    return tuple(value for value in found if isinstance(value, Statement))


def program_laws(
    interpreter: Interpreter,
    *,
    operations: st.SearchStrategy[Program[Any, Any, Any]] | None = None,
    waits: bool = True,
) -> tuple[Law, ...]:
    """List the laws that every interpreter of programs must keep to.

    Each is a value to call, which checks it with programs drawn at random::

        @pytest.mark.parametrize("law", program_laws(my_interpreter), ids=str)
        def test_law(law):
            law()

    Args:
        interpreter: The interpreter: a function from a program to its exit. The drawn
            programs perform effects that the laws handle themselves, sleep, and no other
            operation; their handlers are functions of this process.
        operations: A strategy of programs that perform operations of the interpreter, to
            be drawn as parts of programs. They must end by themselves, within an hour of
            the interpreter's time, and each run must begin in the same state: with new
            actors, say.
        waits: Whether the interpreter can perform `free_sleep`. If not, no program sleeps,
            and the laws about time are left out.

    Returns:
        The laws.

    Raises:
        TypeError: If *interpreter* cannot be called, or *operations* is no strategy.
    """
    if not callable(interpreter):
        msg = (
            "program_laws: interpreter must be a function from a program to its Exit, got "
            f"{interpreter!r}"
        )
        raise TypeError(msg)
    if not isinstance(operations, st.SearchStrategy | None):  # pyright: ignore[reportUnnecessaryIsInstance]
        msg = (
            "program_laws: operations must be a Hypothesis strategy of programs, got "
            f"{operations!r}"
        )
        raise TypeError(msg)
    drawn = strategies(operations, waits=waits)
    return tuple(
        about(statement, drawn, interpreter)
        for statement in statements()
        if waits or not statement.needs_time
    )
