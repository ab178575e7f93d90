"""The user's own effects: found at run time by their nearest handler."""

from __future__ import annotations

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
    """
    effect = operation.effect
    level = fiber._effects  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    while level is not None:
        table, level = level
        for cls, function in table:
            if isinstance(effect, cls):
                answer = function(effect)
                if isinstance(answer, Program):
                    fiber._instead = (answer, level)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
                    return SUSPENDED
                return answer
    raise UnhandledEffect(effect)
