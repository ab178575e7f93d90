"""The world of production: asyncio's loop, the machine's clock and entropy."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from effactor_interpreters.runtime.stopping import request_stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.runtime.cell import Cell


class LiveWorld:
    """Time, entropy and scheduling of a running asyncio loop.

    Attributes:
        inline: True: an idle actor handles an ask on the asker's stack.
        random: Randomness of programs, from the machine's entropy.
        clock: The machine's monotonic clock, in seconds. An attribute: asks read it
            often, and a method would cost another call.
    """

    inline = True

    def __init__(self) -> None:
        self.random: random.Random = random.Random()
        self.clock: Callable[[], float] = time.monotonic
        self._loop: asyncio.AbstractEventLoop  # from `loop` on

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the running loop.

        Raises:
            RuntimeError: If none runs.
        """
        self._loop = asyncio.get_running_loop()
        return self._loop

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
        """Drain the run queue in the loop's next turn."""
        self._loop.call_soon(drain)

    def deliver(self, cell: Cell, item: Any, *, urgent: bool = False) -> None:
        """Put the item into the mailbox: within a process, delivery is instantaneous."""
        if urgent:
            request_stop(cell, item)
        else:
            cell.accept(item)

    def put_back(self, cell: Cell, items: list[Any]) -> None:
        """Put the items first in the mailbox."""
        for item in reversed(items):
            cell.put_first(item)

    def returning(self, reply: Any, source: Cell, what: str) -> Any:
        """Settle replies directly."""
        del source, what
        return reply

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call the function."""
        return function(*args, **kwargs)

    def failed(self, cell: Cell, message: Any, error: BaseException) -> None:
        """Log it: nobody else would ever know."""
        cell.system.log.error(
            "%s failed while handling %r", cell.full_path, message, exc_info=error
        )

    def refuel(self, path: str) -> None:
        """Let it: the loop has its turn in between."""
