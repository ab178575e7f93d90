"""What timeouts and deadlines mean, in every interpreter: a branch and a timer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.errors import Timeout
from effactor.programs.exits import Died, FailedWith
from effactor.programs.naming import name_of
from effactor.programs.program import Pure
from effactor.programs.timeouts import Deadline as DeadlineNode
from effactor.programs.timeouts import TimedOut
from effactor_interpreters.runtime.engine.branches import leaves
from effactor_interpreters.runtime.engine.fiber import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
        timer: The timer; None for 0 seconds, which are over after the first turn.
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
        self.timer: Timer | None = None
        if seconds:
            what = f"timeout of {name_of(program)}"
            self.timer = fiber.owner.call_later(seconds, self._expire, what)

    def begin(self) -> Any:
        """Start the program, and let the fiber wait.

        Returns:
            What the operation's function must return.
        """
        self.branch.begin()
        if self.timer is None:
            # Not by a timer: on a busy loop it would fire before the first turn.
            after = self.fiber.child(Pure(None))
            after.on_end = self._expire
            after.begin()
        return self.fiber.wait(self)

    def _expire(self, _outcome: object = None) -> None:
        self.expired = True
        self.branch.interrupt()

    def _ended(self, outcome: Exit[Any, Any]) -> None:
        self._cancel()
        if self.expired and not isinstance(outcome, Died):
            outcome = FailedWith(Timeout(self.seconds, name_of(self.program)))
        self.fiber.resume_as(outcome)

    def _cancel(self) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def withdraw(self) -> bool:
        """Forget the time; the fiber goes on when the program has ended."""
        self._cancel()
        return False

    def branches(self) -> Sequence[Fiber]:
        """List the fiber that runs the program."""
        return (self.branch,)

    def describe(self) -> str:
        """Say what is waited for."""
        found = leaves(self.branches(), 1)
        what = found[0].describe() if found else "a program"
        return f"{what}, for at most {self.seconds:g} s"


def _timeout(node: TimedOut[Any, Any, Any], fiber: Fiber) -> Any:
    return Limited(fiber, node.source, node.seconds).begin()


def _deadline(node: DeadlineNode[Any, Any, Any], fiber: Fiber) -> Any:
    limited = Limited(fiber, node.source, node.seconds)
    at, reaches = fiber.owner.clock() + node.seconds, True
    outer = None if fiber.masked else fiber.deadline
    if outer is not None and outer.at < at:
        # The outer one's interrupt must reach this fiber to reach what is inside.
        at, reaches = outer.at, outer.reaches
    limited.branch.deadline = Deadline(at, reaches=reaches)
    return limited.begin()


TIMEOUTS: dict[type[Any], Callable[[Any, Fiber], Any]] = {
    TimedOut: _timeout,
    DeadlineNode: _deadline,
}
"""The functions of the nodes, for every interpreter's table."""
