"""What an interpreter is, for people who write one of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from effactor.programs.exits import Exit
    from effactor.programs.program import Program

A = TypeVar("A")
E = TypeVar("E")


class Interpreter(Protocol):
    """A meaning of programs: a function from a program to how it ends.

    `effactor.testing.program_laws` says what every interpreter must keep to, and
    `effactor.interpreters.step` is what to build one with.
    """

    def __call__(self, program: Program[A, E], /) -> Exit[A, E]:
        """Run a program to its end.

        Args:
            program: The program. The same one may be run many times.

        Returns:
            How it ended.
        """
        ...
