"""Programs that wait, without a clock: for a branch, or for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from effactor import gather, never, pure

if TYPE_CHECKING:
    from effactor.testing.functions import AnyProgram

HOUR: Final = 3600
"""Seconds that no program of the laws takes."""


def later(program: AnyProgram, turns: int = 1) -> AnyProgram:
    """Let a program wait first, so that others have their turn.

    Args:
        program: The program.
        turns: How many times.

    Returns:
        A program that ends as it does.
    """
    for _ in range(turns):
        program = gather([pure(None)]).then(program)
    return program


def stuck(begin: AnyProgram, end: AnyProgram) -> AnyProgram:
    """Make a program that only an interrupt ends.

    Args:
        begin: What it does first.
        end: Its finaliser.

    Returns:
        The program.
    """
    return begin.exit().then(never()).ensure(end.exit())
