"""The run queue of a system, its pool of drivers, and who is running."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from effactor_interpreters.runtime.asking import BUDGET
from effactor_interpreters.runtime.cell import Cell
from effactor_interpreters.runtime.current_task import current_tasks, supported
from effactor_interpreters.runtime.driver import Driver

if TYPE_CHECKING:
    from effactor_interpreters.runtime.runs import Run
    from effactor_interpreters.runtime.world import World

MAX_DEPTH: Final = 64
"""Asks nested on one stack. One takes 4 to 5 of Python's 1000 recursion levels."""

SLICE: Final = 0.002
"""Seconds of actors' work before the event loop gets a turn."""

_TURNS_BETWEEN_CLOCKS: Final = 16
_SPARE_DRIVERS: Final = 256


class Scheduler:
    """Decides whose turn it is, within what the world allows.

    Attributes:
        name: First segment of full paths.
        world: Where it runs.
        loop: The event loop, once there is one.
        ready: The run queue: cells and fibers.
        scheduled: Whether the world has been asked to drain it.
        budget: Asks that may still be handled on the asker's stack before a look at
            the clock.
        deadline: When the slice of time is over, on the world's clock.
        output: What the handler that ended on an asker's stack replied.
        pool: Idle drivers; their number is the depth that is left on the stack.
        spare: Drivers that came back after a suspension.
        mailboxes: Empty mailboxes to use again.
        native: Whether cells can be the current task here.
        turns: The cell behind each task, where they cannot.
        running: Who acts, where no handler does: the run whose program is being
            stepped, or whoever scheduled the message that a timer tells.
        settled: How many asks have been settled, for `deadlocks`.
    """

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.world = world
        self.loop: Any = None
        self.ready: deque[Any] = deque()
        self.scheduled: bool = False
        self.budget: int = 0
        self.deadline: float = 0.0
        self.output: Any = None
        self.pool: list[Driver] = []
        self.spare: list[Driver] = []
        self.mailboxes: list[deque[Any]] = []
        self.native: bool = True
        self.turns: WeakKeyDictionary[Any, Cell] = WeakKeyDictionary()
        self.running: Run | Cell | None = None
        self.settled: int = 0

    def bind(self) -> None:
        """Attach the system to the running event loop, once.

        Raises:
            RuntimeError: If no loop runs, or the system belongs to another one.
        """
        loop = self.world.loop()
        if self.loop is loop:
            return
        if self.loop is not None:
            msg = (
                f"the system {self.name!r} belongs to another event loop; "
                "make a system for each loop"
            )
            raise RuntimeError(msg)
        self.loop = loop
        self.native = supported(loop)
        depth = MAX_DEPTH if self.world.inline else 1
        self.pool = [Driver(self) for _ in range(depth)]

    def renew(self) -> bool:
        """Say whether an ask may still be handled on the asker's stack."""
        return self.world.inline and self.world.clock() < self.deadline

    def make_ready(self, item: Any) -> None:
        """Put a cell or a fiber into the run queue."""
        self.ready.append(item)
        if not self.scheduled:
            self.scheduled = True
            self.world.schedule(self.drain)

    def drain(self) -> None:
        """Run what is ready, until nothing is or the slice of time is over."""
        ready = self.ready
        clock = self.world.clock
        if self.world.inline:
            self.budget = BUDGET
            self.deadline = deadline = clock() + SLICE
            left = _TURNS_BETWEEN_CLOCKS
        else:
            # Virtual time does not pass meanwhile: count turns instead.
            deadline, left = -1.0, len(ready)
        try:
            while ready:
                ready.popleft().run_turn()
                left -= 1
                if left <= 0:
                    if clock() > deadline:
                        break
                    left = _TURNS_BETWEEN_CLOCKS
        finally:
            if ready:
                self.world.schedule(self.drain)
            else:
                self.scheduled = False

    def new_driver(self) -> Driver:
        """Take a driver that came back after a suspension, or make one."""
        return self.spare.pop() if self.spare else Driver(self)

    def recycle(self, driver: Driver) -> None:
        """Keep a driver for later."""
        if len(self.spare) < _SPARE_DRIVERS:
            self.spare.append(driver)

    def current_cell(self) -> Cell | None:
        """Return the actor whose handler calls this, or None outside of handlers."""
        task = current_tasks.get(self.loop)
        if type(task) is Cell:
            return task
        return None if self.native or task is None else self.turns.get(task)

    def sender(self) -> Any:
        """Return who sends what is sent now: a cell, a run, a task, or None."""
        cell = self.current_cell()
        if cell is not None:
            return cell
        return self.running or current_tasks.get(self.loop)
