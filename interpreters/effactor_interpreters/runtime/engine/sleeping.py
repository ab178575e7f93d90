"""What `free_sleep` means wherever time is kept by the fiber's owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from effactor.programs.operations import Sleep
    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.world import Timer


class Sleeping:
    """What a sleeping fiber waits for."""

    __slots__ = ("_answer", "_fiber", "_seconds", "_timer")

    def __init__(self, fiber: Fiber, seconds: float, answer: object = None) -> None:
        self._answer: object = answer
        self._fiber: Fiber = fiber
        self._seconds: float = seconds
        what = f"sleep of {seconds:g} s"
        self._timer: Timer = fiber.owner.call_later(seconds, self._awake, what)

    def _awake(self) -> None:
        if self._fiber.pending is self:
            self._fiber.resume(self._answer)

    def withdraw(self) -> bool:
        """Cancel the timer."""
        self._timer.cancel()
        return True

    def describe(self) -> str:
        """Say what is waited for."""
        return f"the end of a sleep of {self._seconds:g} s"


def sleep(operation: Sleep, fiber: Fiber) -> Any:
    """Let the fiber wait for a timer.

    Args:
        operation: The operation.
        fiber: The fiber.

    Returns:
        What the operation's function must return.
    """
    return fiber.wait(Sleeping(fiber, operation.seconds))
