"""The engine's synchronous core: programs whose every operation is answered at once."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, overload

from typing_extensions import TypeVar

from effactor.errors import Failed, HandlerFailed
from effactor.programs.effects import Effect
from effactor.programs.exits import Died, FailedWith, Succeeded
from effactor.programs.operations import Operation
from effactor.programs.program import Handle, Program
from effactor.programs.structure import a_program
from effactor_interpreters.runtime.engine.fiber import Fiber
from effactor_interpreters.runtime.engine.notes import note_path
from effactor_interpreters.runtime.engine.table import ENGINE
from effactor_interpreters.runtime.engine.virtual import VirtualOwner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from effactor.programs.exits import Exit

A = TypeVar("A")


def without_fibers(
    table: Mapping[type[Any], Callable[[Any], Any]],
) -> dict[type[Any], Callable[[Any, Fiber], Any]]:
    """Make an engine's table of functions that take nothing but the operation.

    Args:
        table: A function for each operation.

    Returns:
        The table for a fiber.
    """

    def adapted(answer: Callable[[Any], Any]) -> Callable[[Any, Fiber], Any]:
        return lambda operation, _fiber: answer(operation)

    return {**ENGINE, **{cls: adapted(answer) for cls, answer in table.items()}}


def answer_of(outcome: Exit[A, Any]) -> A:
    """Return a program's answer, or raise what it failed with or died of.

    Args:
        outcome: How the program ended.

    Returns:
        The answer.

    Raises:
        Failed: If it failed with a value that is no exception.
    """
    if isinstance(outcome, Succeeded):
        return outcome.value
    if isinstance(outcome, FailedWith):
        raise as_exception(outcome.error)
    if isinstance(outcome, Died):
        raise outcome.defect
    msg = "the program was interrupted"
    raise RuntimeError(msg)


def as_exception(failure: object) -> BaseException:
    """Return what `run_free` raises for a failure.

    Args:
        failure: The failure.

    Returns:
        What the handler raised, if that is what failed; the failure itself if it
        is an exception; else `Failed`.
    """
    if isinstance(failure, HandlerFailed) and not isinstance(failure.cause, CancelledError):
        # A CancelledError would look as if the caller were cancelled.
        note_path(failure.cause, failure)
        return failure.cause
    return failure if isinstance(failure, BaseException) else Failed(failure)


@overload
def run_free(
    program: Program[A, Any],
    handlers: Mapping[type[Any], Callable[[Any], Any]] | None = None,
) -> A: ...
@overload
def run_free(
    program: Program[A, Any, Any], handlers: Mapping[type[Any], Callable[[Any], Any]]
) -> A: ...
def run_free(
    program: Program[A, Any, Any],
    handlers: Mapping[type[Any], Callable[[Any], Any]] | None = None,
) -> A:
    """Run a program here and now, without a system, a loop or a clock.

    Args:
        program: The program.
        handlers: A function for each effect or operation it performs, by class.
            It gets the effect and returns its answer, or a program that makes it.

    Returns:
        The program's answer.

    Raises:
        Failed: If it failed with a value that is no exception; a failure that is
            one, and a defect, are raised as they are.
        NoInterpreter: If it performs an operation without a function.
        UnhandledEffect: If it performs an effect without a function.
        TypeError: If *program* or a key of *handlers* is something else.
    """
    program = a_program("run_free", "program", program)
    effects: dict[type[Any], Callable[[Any], Any]] = {}
    operations: dict[type[Any], Callable[[Any], Any]] = {}
    for cls, function in (handlers or {}).items():
        is_class = isinstance(cls, type)  # pyright: ignore[reportUnnecessaryIsInstance]
        if is_class and issubclass(cls, Operation):
            operations[cls] = function
        elif is_class and issubclass(cls, Effect):
            effects[cls] = function
        else:
            msg = f"run_free: handlers maps classes of effects to functions, got the key {cls!r}"
            raise TypeError(msg)
    handled: Program[A, Any, Any] = Handle(program, tuple(effects.items())) if effects else program
    owner = VirtualOwner()
    outcome: Exit[A, Any] = owner.run(Fiber(without_fibers(operations), owner), handled)
    return answer_of(outcome)
