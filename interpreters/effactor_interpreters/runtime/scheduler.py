"""The run queue of a system, its pool of drivers, and who is running."""

from __future__ import annotations

from collections import deque
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakKeyDictionary

from effactor_interpreters.runtime.asking import BUDGET
from effactor_interpreters.runtime.cell import Cell
from effactor_interpreters.runtime.current_task import current_tasks, supported
from effactor_interpreters.runtime.driver import Driver

if TYPE_CHECKING:
    from effactor_interpreters.runtime.events import Events
    from effactor_interpreters.runtime.runs import Run
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.takers import Outsider
    from effactor_interpreters.runtime.world import LoopEnd, World

MAX_DEPTH: Final = 104
"""Asks nested on one stack. One takes 4 to 5 of Python's 1000 recursion levels."""

SLICE: Final = 0.002
"""Seconds of actors' work before the event loop gets a turn."""

_TURNS_BETWEEN_CLOCKS: Final = 16
_SPARE_DRIVERS: Final = 256


class Scheduler:
    """Decides whose turn it is, within what the world allows.

    Attributes:
        name: First segment of full paths.
        is_nameless: Whether it was given no name; then it gets one with its loop.
        is_private: Whether it belongs to one actor, which `start` started.
        world: Where it runs.
        loop: The event loop, once there is one.
        loop_end: What watches for the end of the loop, where loops end.
        thread: The thread that it runs in.
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
        outsiders: What stands for the tasks and runs that take items of streams; None before
            the first.
        running: Who acts, where no handler does: the run whose program is being
            stepped, or whoever scheduled the message that a timer tells.
        settled: How many asks have been settled, for `deadlocks`.
        limits: How many messages are being handled whose askers wait for a limited time.
        observed: Whether somebody listens to events.
        traced: Whether somebody listens to what happens to messages.
        ask_timeout: Seconds an ask waits that says nothing itself; None for ever.
    """

    def __init__(self, name: str, world: World) -> None:
        self.name: str = name
        self.world = world
        self.is_nameless: bool = False
        self.is_private: bool = False
        self.loop: Any = None
        self.loop_end: LoopEnd | None = None
        self.thread: int = 0
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
        self.outsiders: WeakKeyDictionary[Any, Outsider] | None = None
        self.running: Run | Cell | None = None
        self.settled: int = 0
        self.limits: int = 0
        self.observed: bool = False
        self.traced: bool = False
        self.events: Events  # of every system
        self.ask_timeout: float | None = None

    def bind(self) -> None:
        """Attach the system to the running event loop, once.

        Raises:
            RuntimeError: If no loop runs, or the system belongs to another one.
        """
        if (
            self.loop is not None
            and get_ident() == self.thread
            and current_tasks.get(self.loop) is not None
        ):
            return  # a task of it runs in this thread; asking asyncio takes four times as long
        try:
            loop = self.world.loop()
        except RuntimeError:
            raise RuntimeError(self._no_loop()) from None
        if self.loop is loop:
            return
        if self.loop is not None:
            if self.loop.is_closed() and self.loop_end is not None:
                self.loop_end.loop_is_closed()
            raise RuntimeError(self._another_loop())
        self.loop = loop
        self.thread = get_ident()
        self.native = supported(loop)
        depth = MAX_DEPTH if self.world.inline else 1
        self.pool = [Driver(self) for _ in range(depth)]
        # Every scheduler is a system's.
        system = cast("ActorSystem", self)
        if self.is_nameless:
            self.name = self.world.names.nameless(system)
        self.loop_end = self.world.bound(system)

    def _no_loop(self) -> str:
        if self.loop is None:
            return (
                f"the actor system {self.name!r} starts in a running event loop: use it in a "
                "coroutine, such as the one that asyncio.run runs"
            )
        if self.loop.is_closed():
            return self._another_loop()
        return (
            f"the actor system {self.name!r} lives on the thread of its event loop, and no loop "
            "runs here: call ref.tell_threadsafe or ref.ask_threadsafe"
        )

    def _another_loop(self) -> str:
        if self.loop.is_closed():
            return (
                f"the event loop of the actor system {self.name!r} has closed, and the system "
                "ended with it: make a new ActorSystem in each event loop"
            )
        return (
            f"the actor system {self.name!r} belongs to another event loop: call "
            "ref.tell_threadsafe or ref.ask_threadsafe, or make a system for each loop"
        )

    def renew(self) -> bool:
        """Say whether an ask may still be handled on the asker's stack."""
        return (
            self.world.inline
            and self.world.clock() < self.deadline
            # Here and not at each ask: elsewhere it is queued, and the world refuses that.
            and get_ident() == self.thread
        )

    def spend(self) -> bool:
        """Say whether an ask may be handled on the asker's stack, and count it if so."""
        if not self.pool or not (self.budget or self.renew()):
            return False
        self.budget = self.budget - 1 if self.budget else BUDGET
        return True

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
            self.budget = 0  # whoever asks next has the loop looked at
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
        if type(task) is Cell or isinstance(task, Cell):
            return task
        return None if self.native or task is None else self.turns.get(task)

    def actor_or_run(self) -> Cell | Run | None:
        """Return the actor or run that acts, or None."""
        return self.current_cell() or self.running

    def sender(self) -> Any:
        """Return who sends what is sent now: a cell, a run, a task, or None."""
        cell = self.current_cell()
        if cell is not None:
            return cell
        return self.running or current_tasks.get(self.loop)
