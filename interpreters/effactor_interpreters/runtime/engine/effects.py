"""The user's own effects: found at run time by their nearest handler."""

from __future__ import annotations

from types import CoroutineType
from typing import TYPE_CHECKING, Any

from effactor.errors import UnhandledEffect
from effactor.programs.program import Program
from effactor_interpreters.runtime.engine.signals import SUSPENDED

if TYPE_CHECKING:
    from effactor.programs.effects import Perform
    from effactor_interpreters.runtime.engine.fiber import Fiber


def perform_effect(operation: Perform[Any, Any], fiber: Fiber) -> Any:
    """Perform one of the user's effects: every interpreter's table has this for `Perform`.

    Args:
        operation: The effect's node.
        fiber: The fiber that performs it.

    Returns:
        What the nearest handler answers; if that is a program, the fiber evaluates it
        instead, and what it performs itself is left to the handlers further out.

    Raises:
        UnhandledEffect: If no handler is in force.
        TypeError: If the handler's function is asynchronous.
    """
    effect = operation.effect
    level = fiber.effects
    while level is not None:
        table, level = level
        for cls, function in table:
            if isinstance(effect, cls):
                answer = function(effect)
                if isinstance(answer, Program):
                    fiber.instead = (answer, level)
                    return SUSPENDED
                if type(answer) is CoroutineType:
                    raise _asynchronous(effect, answer)
                return answer
    raise UnhandledEffect(effect)


def _asynchronous(effect: Any, answer: Any) -> TypeError:
    """Make the error for a handler that answers with a coroutine."""
    answer.close()  # nobody will await it
    return TypeError(
        f"the handler of {type(effect).__name__} answered with the coroutine "
        f"{answer.__qualname__}(...), and effects are answered at once or by a program: "
        "let it return free_call(function, effect)"
    )
