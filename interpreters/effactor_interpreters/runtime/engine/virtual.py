"""An owner of fibers that keeps its own time: for interpreters that never really wait.

Fibers that can go on do so in the order they were woken; when none can, the clock
jumps to the next timer. So a program runs to its end on the caller's stack.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Never

from effactor.errors import Deadlock
from effactor_interpreters.runtime.engine.contents import Contents

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.programs.exits import Exit
    from effactor.programs.program import Program
    from effactor_interpreters.runtime.engine.fiber import Fiber

SECOND: Final = 1_000_000_000
"""Nanoseconds: sums of them are exact, as sums of floats are not."""


class VirtualTimer:
    """A timer on a virtual clock."""

    __slots__ = ("callback", "order")

    def __init__(self, when: int, number: int, callback: Callable[[], None]) -> None:
        self.order: tuple[int, int] = (when, number)
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Make sure that it never fires."""
        self.callback = None

    def __lt__(self, other: VirtualTimer) -> bool:
        """Say which is due first: of equal ones the one that was set first."""
        return self.order < other.order


class VirtualOwner:
    """Owns the fibers of one program.

    Attributes:
        description: Name of the interpreter, for errors.
        nanoseconds: Virtual time since the run began.
        coordination: What is in the queues and the like.
        states: None: there is no actor that keeps states.
    """

    description = "run_free(program, handlers)"
    states: None = None

    def __init__(self) -> None:
        self.nanoseconds: int = 0
        self.coordination: Contents = Contents()
        self._ready: deque[Fiber] = deque()
        self._timers: list[VirtualTimer] = []
        self._set = 0

    def run(self, fiber: Fiber, program: Program[Any, Any, Any]) -> Exit[Any, Any]:
        """Run a program to its end.

        Args:
            fiber: A new fiber of this owner.
            program: The program.

        Returns:
            How it ended.

        Raises:
            Deadlock: If it waits for what can never come.
        """
        try:
            self.run_first(fiber, program)
            self.run_ready()
            while fiber.outcome is None:
                if self._fire():
                    self.run_ready()
                else:
                    pending = fiber.pending
                    what = "nothing" if pending is None else pending.describe()
                    self.stuck(Deadlock((f"the program waits for {what}",), cycle=False))
            return fiber.outcome
        finally:
            fiber.abandon()

    def run_ready(self) -> None:
        """Run what can go on, until nothing can."""
        while self._ready:
            self.run_fiber(self._ready.popleft())

    def _fire(self) -> bool:
        while self._timers:
            timer = heapq.heappop(self._timers)
            callback = timer.callback
            if callback is not None:
                self.nanoseconds = max(self.nanoseconds, timer.order[0])
                callback()
                return True
        return False

    def run_first(self, fiber: Fiber, program: Program[Any, Any, Any]) -> None:
        """Run the first turn of the program's fiber."""
        fiber.start(program)

    def stuck(self, deadlock: Deadlock) -> Never:
        """Give up."""
        raise deadlock

    # ------------------------------------------------------------ owner of fibers

    def wake(self, fiber: Fiber) -> None:
        """Let the fiber go on soon."""
        self._ready.append(fiber)

    def run_fiber(self, fiber: Fiber) -> None:
        """Let the fiber go on now."""
        fiber.turn()

    def out_of_fuel(self, fiber: Fiber) -> bool:
        """Let others run, if there are any."""
        if self._ready:
            self._ready.append(fiber)
            return True
        return False

    def clock(self) -> float:
        """Return virtual time, in seconds."""
        return self.nanoseconds / SECOND

    def call_later(self, seconds: float, callback: Callable[[], None], _what: str) -> VirtualTimer:
        """Set a timer."""
        self._set += 1
        whole = int(seconds)
        when = self.nanoseconds + whole * SECOND + round((seconds - whole) * SECOND)
        timer = VirtualTimer(when, self._set, callback)
        heapq.heappush(self._timers, timer)
        return timer
