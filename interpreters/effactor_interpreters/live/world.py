"""The world of production: asyncio's loop, the machine's clock and entropy."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from datetime import UTC, datetime
from threading import get_ident
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from effactor_interpreters.live.loop_end import LoopEnd
from effactor_interpreters.runtime.dispatchers import outside_threads
from effactor_interpreters.runtime.here import elsewhere
from effactor_interpreters.runtime.names import Names
from effactor_interpreters.runtime.quiescence import Rest
from effactor_interpreters.runtime.states import IDLE
from effactor_interpreters.runtime.stopping import request_stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.equipment import Equipped
    from effactor_interpreters.runtime.letters import Letter
    from effactor_interpreters.runtime.system import ActorSystem


class LiveWorld:
    """Time, entropy and scheduling of a running asyncio loop.

    Args:
        inline: Whether an idle actor handles an ask on the asker's stack. A private
            system does not: nothing bounds how many of them ask each other.

    Attributes:
        inline: The same.
        names: Names of the process's nameless systems.
        random: Randomness of programs, from the machine's entropy.
        clock: The machine's monotonic clock, in seconds. An attribute: asks read it
            often, and a method would cost another call.
    """

    names: Names = Names()

    def __init__(self, *, inline: bool = True) -> None:
        self.inline: bool = inline
        self.direct: bool = True
        self.instant: bool = inline  # what looks at each delivery sees the stops too
        self.random: random.Random = random.Random()
        self.clock: Callable[[], float] = time.monotonic
        self._loop: asyncio.AbstractEventLoop  # from `bound` on
        self._thread: int

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the running loop.

        Raises:
            RuntimeError: If none runs.
        """
        return asyncio.get_running_loop()

    def bound(self, system: ActorSystem) -> LoopEnd:
        """Use the loop from now on, and watch for its end."""
        self._loop = system.loop
        self._thread = system.thread
        return LoopEnd(system)

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return datetime.now(UTC)

    def call_later(
        self, seconds: float, callback: Callable[[], object], what: str
    ) -> asyncio.TimerHandle:
        """Set a timer of the loop."""
        del what
        return self._loop.call_later(seconds, callback)

    def schedule(self, drain: Callable[[], None]) -> None:
        """Drain the run queue in the loop's next turn.

        Raises:
            RuntimeError: In another loop, which would wait for ever, or on another thread.
        """
        if asyncio._get_running_loop() is self._loop:  # noqa: SLF001 - None is no error here
            self._loop.call_soon(drain)
        elif self.is_here():
            self._loop.call_soon(drain)  # between two times that the loop runs
        else:
            # Something is in the run queue already, and nobody else asks for this again.
            self._loop.call_soon_threadsafe(drain)
            raise elsewhere("the actor")

    def is_here(self) -> bool:
        """Tell whether this is the loop's thread, and no other loop runs in it."""
        running = asyncio._get_running_loop()  # noqa: SLF001 - None is no error here
        if running is self._loop:
            return True
        # What is left of a system whose loop has closed belongs to nobody.
        return (running is None and get_ident() == self._thread) or self._loop.is_closed()

    def deliver(self, cell: Cell, item: Any, *, urgent: bool = False) -> None:
        """Put the item into the mailbox: within a process, delivery is instantaneous.

        Raises:
            RuntimeError: On another thread than the loop's.
        """
        if get_ident() != self._thread:
            raise elsewhere(cell.full_path)
        if urgent:
            request_stop(cell, item)
        else:
            cell.accept(item)

    def in_thread(
        self, executor: Callable[[], Executor], function: Callable[[], Any]
    ) -> Future[Any]:
        """Let the pool run it."""
        return executor().submit(function)

    def from_thread(self, what: str, function: Callable[[], object]) -> None:
        """Wake the loop for it."""
        del what
        self._loop.call_soon_threadsafe(function, context=outside_threads())

    def wake(self, cell: Equipped) -> None:
        """Let the cell take its turn."""
        if cell.state == IDLE:
            cell.enqueue()
        elif (crew := cell.leads) is not None:
            crew.mail_meanwhile()

    def identity(self) -> str:
        """Draw a random UUID."""
        return uuid4().hex

    def new_mailbox(self, cell: Cell) -> deque[Any]:
        """Make an ordinary one: other mail may follow."""
        del cell
        return deque()

    def put_back(self, cell: Cell, items: list[Any]) -> None:
        """Put the items first in the mailbox."""
        for item in reversed(items):
            cell.put_first(item)

    def pass_on(self, cell: Equipped, item: Any) -> None:
        """Put the item before the mail that has come since."""
        door = cell.door
        if door is None:
            cell.refuse(item)
        else:
            door.put_now(item)

    def returning(self, reply: Any, source: Cell, what: str, letter: Letter | None = None) -> Any:
        """Settle replies directly."""
        del source, what, letter
        return reply

    def when_quiet(self, system: ActorSystem, callback: Callable[[], None]) -> None:
        """Probe the actors that are busy until none is."""
        Rest(system, callback)

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call the function."""
        return function(*args, **kwargs)

    def failed(self, cell: Cell, message: Any, error: BaseException) -> None:
        """Log it: nobody else would ever know."""
        cell.system.log.error(
            "%s failed while handling %r", cell.full_path, message, exc_info=error
        )

    def found_closed(self, cell: Cell) -> None:
        """Do nothing: here nobody asks why things happened."""

    def refuel(self, path: str) -> None:
        """Let it: the loop has its turn in between."""
