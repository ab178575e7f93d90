"""What the runtime asks of the world it runs in.

Live and simulation differ in nothing else: time, timers, randomness, when the run
queue is drained, and which message is delivered next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections import deque
    from collections.abc import Callable
    from concurrent.futures import Executor, Future
    from datetime import datetime
    from random import Random

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.equipment import Equipped
    from effactor_interpreters.runtime.letters import Letter
    from effactor_interpreters.runtime.names import Names
    from effactor_interpreters.runtime.system import ActorSystem


class Timer(Protocol):
    """A timer that has been set."""

    def cancel(self) -> None:
        """Make sure that it never fires. Cancelling twice does nothing."""
        ...


class LoopEnd(Protocol):
    """Watches for the end of a system's event loop, until the system is shut down."""

    def release(self) -> None:
        """Stop watching: the system is shut down."""
        ...

    def loop_is_closed(self) -> None:
        """End the system: its loop has closed."""
        ...


class World(Protocol):
    """Time, entropy, scheduling and delivery.

    Attributes:
        inline: Whether an idle actor may handle an ask on the asker's stack. The
            simulator says no: then each message is an event of its own.
        direct: Whether nothing but the mailbox decides what becomes of a message that is sent.
        instant: Whether what is delivered is there at once, so that an idle actor may
            stop on the spot. The simulator says no.
    """

    inline: bool
    direct: bool
    instant: bool

    @property
    def names(self) -> Names:
        """Names for systems that are given none."""
        ...

    @property
    def random(self) -> Random:
        """Source of all random numbers that programs see."""
        ...

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop on which handlers' coroutines run."""
        ...

    def bound(self, system: ActorSystem) -> LoopEnd | None:
        """Learn that a system uses the loop from now on; watch for its end if it may close."""
        ...

    def clock(self) -> float:
        """Return the seconds of a clock that only moves forward."""
        ...

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None], what: str) -> Timer:
        """Call *callback* after *seconds*; *what* names the timer in reports."""
        ...

    def schedule(self, drain: Callable[[], None]) -> None:
        """Call *drain*, which empties the run queue, soon."""
        ...

    def is_here(self) -> bool:
        """Whether the code that runs now may use what belongs to the loop."""
        ...

    def deliver(self, cell: Cell, item: Any, *, urgent: bool = False) -> None:
        """Bring a mailbox item to a cell; *urgent* ones overtake the others."""
        ...

    def in_thread(
        self, executor: Callable[[], Executor], function: Callable[[], Any]
    ) -> Future[Any]:
        """Run *function* in a thread of the pool that *executor* returns."""
        ...

    def from_thread(self, what: str, function: Callable[[], object]) -> None:
        """Call *function* on the event loop's thread, soon; from any thread.

        Raises:
            RuntimeError: If the loop is closed.
        """
        ...

    def wake(self, cell: Equipped) -> None:
        """Learn that a cell whose messages wait in a door of its own has some."""
        ...

    def identity(self) -> str:
        """Draw a name that nothing else has: 32 hexadecimal digits."""
        ...

    def new_mailbox(self, cell: Cell) -> deque[Any]:
        """Make the mailbox of a cell that has none, for an item that goes before all mail."""
        ...

    def put_back(self, cell: Cell, items: list[Any]) -> None:
        """Bring mailbox items to a cell a second time, before all others, in order."""
        ...

    def pass_on(self, cell: Equipped, item: Any) -> None:
        """Bring an item to a cell that has waited behind the mail in the cell's inbox."""
        ...

    def returning(self, reply: Any, source: Cell, what: str, letter: Letter | None = None) -> Any:
        """Return the object to settle so that *reply* gets its outcome from *source*.

        If it is one of several to the same *letter*, whoever sent that gets it.
        """
        ...

    def when_quiet(self, system: ActorSystem, callback: Callable[[], None]) -> None:
        """Call *callback*, once, when no message is under way in *system* and no handler runs."""
        ...

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function of the outside world for `free_call`."""
        ...

    def failed(self, cell: Cell, message: Any, error: BaseException) -> None:
        """Learn what a handler raised while nobody waits for its reply."""
        ...

    def found_closed(self, cell: Cell) -> None:
        """Learn that somebody acts as it does because *cell* takes nothing in any more."""
        ...

    def refuel(self, path: str) -> None:
        """Learn that a program of *path* has run long without waiting, and goes on."""
        ...
