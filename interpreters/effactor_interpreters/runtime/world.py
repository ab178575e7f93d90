"""What the runtime asks of the world it runs in.

Live and simulation differ in nothing else: time, timers, randomness, when the run
queue is drained, and which message is delivered next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

    from effactor_interpreters.runtime.cell import Cell


class Timer(Protocol):
    """A timer that has been set."""

    def cancel(self) -> None:
        """Make sure that it never fires. Cancelling twice does nothing."""
        ...


class World(Protocol):
    """Time, entropy, scheduling and delivery.

    Attributes:
        inline: Whether an idle actor may handle an ask on the asker's stack. The
            simulator says no: then each message is an event of its own.
    """

    inline: bool

    @property
    def random(self) -> Random:
        """Source of all random numbers that programs see."""
        ...

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop on which handlers' coroutines run."""
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

    def deliver(self, cell: Cell, item: Any, *, urgent: bool = False) -> None:
        """Bring a mailbox item to a cell; *urgent* ones overtake the others."""
        ...

    def put_back(self, cell: Cell, items: list[Any]) -> None:
        """Bring mailbox items to a cell a second time, before all others, in order."""
        ...

    def returning(self, reply: Any, source: Cell, what: str) -> Any:
        """Return the object to settle so that *reply* gets its outcome from *source*."""
        ...

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function of the outside world for `free_call`."""
        ...

    def failed(self, cell: Cell, message: Any, error: BaseException) -> None:
        """Learn what a handler raised while nobody waits for its reply."""
        ...

    def refuel(self, path: str) -> None:
        """Learn that a program of *path* has run long without waiting, and goes on."""
        ...
