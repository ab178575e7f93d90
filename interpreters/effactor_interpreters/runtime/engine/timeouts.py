"""What timeouts and deadlines mean, in every interpreter: a branch and a timer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.errors import Timeout
from effactor.programs.exits import Died, FailedWith
from effactor.programs.naming import name_of
from effactor.programs.timeouts import Deadline as DeadlineNode
from effactor.programs.timeouts import TimedOut
from effactor_interpreters.runtime.engine.fiber import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.programs.exits import Exit
    from effactor.programs.program import Program
    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.world import Timer


class Limited:
    """A program with a limited time, which its fiber waits for.

    Attributes:
        fiber: The fiber that waits.
        branch: The fiber that runs the program.
        seconds: How long it may take.
        timer: The timer.
        expired: Whether the time is over.
    """

    __slots__ = ("branch", "expired", "fiber", "program", "seconds", "timer")

    def __init__(self, fiber: Fiber, program: Program[Any, Any, Any], seconds: float) -> None:
        self.fiber: Fiber = fiber
        self.program: Program[Any, Any, Any] = program
        self.seconds: float = seconds
        self.expired: bool = False
        self.branch: Fiber = fiber.child(program)
        self.branch.lender = fiber  # it is no scope of its own
        self.branch.on_end = self._ended
        what = f"timeout of {name_of(program)}"
        self.timer: Timer = fiber.owner.call_later(seconds, self._expire, what)

    def begin(self) -> Any:
        """Start the program, and let the fiber wait.

        Returns:
            What the operation's function must return.
        """
        self.branch.begin()
        return self.fiber.wait(self)

    def _expire(self) -> None:
        if self.branch.outcome is None:
            self.expired = True
            self.branch.interrupt()

    def _ended(self, outcome: Exit[Any, Any]) -> None:
        self.timer.cancel()
        if self.expired and not isinstance(outcome, Died):
            outcome = FailedWith(Timeout(self.seconds, name_of(self.program)))
        self.fiber.resume_as(outcome)

    def withdraw(self) -> bool:
        """Interrupt the program; the fiber goes on when it has ended."""
        self.branch.interrupt()
        return False

    def abandon(self) -> None:
        """End the program with no effect performed any more."""
        self.timer.cancel()
        self.branch.abandon()

    def describe(self) -> str:
        """Say what is waited for."""
        pending = self.branch.pending
        what = "a program" if pending is None else pending.describe()
        return f"{what}, for at most {self.seconds:g} s"


def _timeout(node: TimedOut[Any, Any, Any], fiber: Fiber) -> Any:
    return Limited(fiber, node.source, node.seconds).begin()


def _deadline(node: DeadlineNode[Any, Any, Any], fiber: Fiber) -> Any:
    limited = Limited(fiber, node.source, node.seconds)
    at = fiber.owner.clock() + node.seconds
    outer = fiber.deadline
    limited.branch.deadline = Deadline(at if outer is None else min(at, outer.at), reaches=True)
    return limited.begin()


TIMEOUTS: dict[type[Any], Callable[[Any, Fiber], Any]] = {
    TimedOut: _timeout,
    DeadlineNode: _deadline,
}
"""The functions of the nodes, for every interpreter's table."""
