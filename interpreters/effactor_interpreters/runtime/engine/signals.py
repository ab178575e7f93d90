"""What travels through the engine: kinds of frames and outcomes, and special exceptions."""

from __future__ import annotations

from typing import Any, Final

from typing_extensions import override

# Kinds of frames.
FLATMAP: Final = 0
MAP: Final = 1
BLOCK: Final = 2
LASH: Final = 3
CATCH: Final = 4
ATTEMPT: Final = 5
EXIT: Final = 6
ENSURE: Final = 7
AFTER: Final = 8  # a finaliser runs; the payload is the outcome it holds up
NAMED: Final = 9
EFFECTS: Final = 10  # restores the effect handlers that were in force
REFINE: Final = 11
MASK: Final = 12  # the end of an uninterruptible program
SCOPE: Final = 13  # the end of a scope
ACQUIRE: Final = 14  # a resource is being acquired
ON_INTERRUPT: Final = 15

# Kinds of outcomes while they travel down the frames.
SUCCESS: Final = 0
FAILURE: Final = 1
DEFECT: Final = 2
INTERRUPT: Final = 3
EVALUATE: Final = 4  # none yet: there is a program to evaluate first
GIVEN: Final = 5  # success with a value that is taken back if an interrupt comes first

FUEL: Final = 4096
"""Nodes that a fiber evaluates before its interpreter is asked whether to go on."""


NAMES: Final = 32
"""Names that a fiber keeps: a program that calls itself may be inside thousands."""


class _Suspended:
    """The type of `SUSPENDED`."""

    __slots__ = ()

    @override
    def __repr__(self) -> str:
        return "SUSPENDED"


SUSPENDED: Final[Any] = _Suspended()


class OperationFailed(Exception):  # a signal to the engine, not an error
    """Raised by an operation's function to make the operation fail.

    Attributes:
        error: The failure.
    """

    def __init__(self, error: Any) -> None:
        super().__init__(error)
        self.error = error


class Abandoned(BaseException):
    """Carries an error past the program, which must not catch it, to whoever called.

    Attributes:
        error: The error.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


FATAL: Final = (KeyboardInterrupt, SystemExit, GeneratorExit, Abandoned)
"""Exceptions that end the process, or the frame, and not only what raised them."""


class Interruption(BaseException):
    """What an interrupted do-block sees raised at its `yield from`.

    Like asyncio's CancelledError it is no Exception, so that `except Exception`
    does not swallow it; a block that does swallow it ends all the same.
    """
