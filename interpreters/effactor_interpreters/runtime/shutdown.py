"""How a system ends, as one state machine.

    RUNNING -> CLOSING -> DRAINING -> STOPPING -> KILLING -> CLOSED

Its states follow each other in this order; some are left out. What moves it on are
events: a call of `shutdown`, the last run's end, the system's coming to rest, the last
actor's end, the deadline. Whoever called only waits, so cancelling that changes nothing.
"""

from __future__ import annotations

from enum import Enum
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, cast

from effactor.actors.shutdown import When, check_shutdown_mode
from effactor.errors import ActorStopped
from effactor.programs.operations import seconds
from effactor_interpreters.runtime.controls import StopRequest
from effactor_interpreters.runtime.gate import Gate
from effactor_interpreters.runtime.inside import waits_inside
from effactor_interpreters.runtime.leaving import leave_behind
from effactor_interpreters.runtime.lifecycle import end_back_off
from effactor_interpreters.runtime.quiescence import is_busy
from effactor_interpreters.runtime.stopping import stop_idle

if TYPE_CHECKING:
    from effactor.actors.ref import StopManner
    from effactor.actors.shutdown import ShutdownManner, ShutdownMode
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.world import Timer, World

GRACE: Final = 1.0
"""Seconds that what is killed has to end."""

_LOT: Final = 1000

_BY_URGENCY: Final = ("drain", "after_current", "now")
_MANNERS: Final[dict[ShutdownManner, StopManner]] = {
    "drain": "graceful",
    "after_current": "current",
    "now": "now",
}


class Phase(Enum):
    """Where the end of a system has got to."""

    RUNNING = "running"
    """Nobody has asked for it."""

    CLOSING = "closing"
    """Nothing comes in from outside; the runs are interrupted, and use the actors once more."""

    DRAINING = "draining"
    """No run is left; the actors work until no message is under way."""

    STOPPING = "stopping"
    """The actors are told to stop."""

    KILLING = "killing"
    """The deadline is over: all that still runs is cancelled."""

    CLOSED = "closed"
    """Nothing is left; what did not even end then is left behind."""


class Shutdown:
    """The end of one system.

    Attributes:
        phase: Where it has got to.
    """

    def __init__(self, system: ActorSystem) -> None:
        """Begin nothing yet."""
        self.phase: Phase = Phase.RUNNING
        self._system = system
        self._mode: ShutdownManner = "drain"
        self._gate: Gate | None = None
        self._deadline: float | None = None
        self._timer: Timer | None = None
        self._waiting: list[Any] = []  # futures of those who wait for the end
        self._begun: list[Any] = []  # and of those who wait for its beginning

    @property
    def words(self) -> str:
        """What errors say of the system, once it has begun."""
        return "has been shut down" if self.phase is Phase.CLOSED else "is shutting down"

    # ------------------------------------------------------------ those who call

    async def run(self, mode: ShutdownMode, timeout: float | None) -> None:
        """Shut down and wait for the end; `ActorSystem.shutdown` explains it.

        Args:
            mode: How.
            timeout: Seconds until what still runs is killed; None for never.

        Raises:
            RuntimeError: In a handler, which would wait for itself.
        """
        check_shutdown_mode(mode)
        seconds("shutdown", "timeout", timeout)
        system = self._system
        if system.loop is None:
            system.start_nothing_more()
            system.events.end()
            self.phase = Phase.CLOSED
        if self.phase is Phase.CLOSED:
            return
        system.bind()
        waiting = waits_inside(system)
        if waiting is not None:
            msg = (
                f"shutdown waits for all handlers, so {waiting.full_path}, which handles a "
                "message, must not wait for it: stop actors one by one, shut down from "
                "outside, or do not await it here"
            )
            raise RuntimeError(msg)
        if isinstance(mode, When):
            timeout = await self._until(mode, timeout)
            mode = mode.then
        self._begin(mode, timeout)
        await self._end()

    async def _until(self, when: When, timeout: float | None) -> float | None:
        """Wait until a condition holds, the time is over, or another call has begun the end.

        Returns:
            Seconds that are left.
        """
        loop = self._system.loop
        deadline = None if timeout is None else loop.time() + timeout
        while self.phase is Phase.RUNNING:
            holds: Any = when.condition()
            if isawaitable(holds):
                holds = await holds
            left = None if deadline is None else max(0.0, deadline - loop.time())
            if holds or left == 0:
                return left
            await self._begun_within(when.poll if left is None else min(when.poll, left))
        return None if deadline is None else max(0.0, deadline - loop.time())

    async def _begun_within(self, patience: float) -> None:
        future = self._system.loop.create_future()
        self._begun.append(future)
        timer = self._system.world.call_later(
            patience, lambda: _ring(future), "condition of shutdown"
        )
        try:
            await future
        finally:
            timer.cancel()
            self._begun.remove(future)

    async def _end(self) -> None:
        if self.phase is Phase.CLOSED:
            return
        future = self._system.loop.create_future()
        self._waiting.append(future)
        try:
            await future
        finally:
            self._waiting.remove(future)

    def check_run(self) -> None:
        """Refuse a new run from outside.

        Raises:
            ActorStopped: If the shutdown has begun.
        """
        gate = self._gate
        if gate is not None and not gate.is_inside():
            raise ActorStopped(f"/{self._system.name}", None, f"{self.words}; it runs no programs")

    # ------------------------------------------------------------ the machine

    def _begin(self, mode: ShutdownManner, timeout: float | None) -> None:
        """Begin, or go on more urgently than so far; the earliest deadline counts."""
        if self.phase is Phase.CLOSED:
            return
        begins = self.phase is Phase.RUNNING
        if begins:
            self._close()
        if timeout is not None:
            self._limit(timeout)
        if _BY_URGENCY.index(mode) > _BY_URGENCY.index(self._mode):
            self._mode = mode
            if self.phase is not Phase.KILLING:
                self._stop(_MANNERS[mode])
        elif begins:
            self.advance()

    def _close(self) -> None:
        """Let nothing in any more, and interrupt the runs."""
        self.phase = Phase.CLOSING
        system = self._system
        system.start_nothing_more()
        self._gate = Gate(system)
        system.world = cast("World", self._gate)  # which does by name what it does not define
        system.budget = 0  # no ask is handled without passing the gate
        for cell in list(system.cells.values()):
            end_back_off(cell)
        for run in list(system.runs):
            run.fiber.interrupt()
        for future in self._begun:
            _ring(future)

    def _limit(self, timeout: float) -> None:
        at = self._system.loop.time() + timeout
        if self.phase is Phase.KILLING or (self._deadline is not None and self._deadline <= at):
            return
        self._deadline = at
        self._set_timer(timeout, self._kill, "deadline of shutdown")

    def _set_timer(self, patience: float, callback: Any, what: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._system.world.call_later(patience, callback, what)

    def advance(self) -> None:
        """Go on as far as is possible: no run is left, or no actor."""
        system = self._system
        if self.phase is Phase.CLOSING and not system.runs:
            self.phase = Phase.DRAINING
            system.timers.end(None)
            system.world.when_quiet(system, self._at_rest)
        stops = self.phase in {Phase.STOPPING, Phase.KILLING}
        if stops and not system.runs and not system.cells:
            self._over()

    def _at_rest(self) -> None:
        if self.phase is Phase.DRAINING:
            self._stop("graceful")

    def _stop(self, manner: StopManner, phase: Phase = Phase.STOPPING) -> None:
        """Tell the actors to stop."""
        self.phase = phase
        system = self._system
        system.timers.end(None)
        cells = list(system.cells.values())
        by = f"the shutdown of /{system.name}"
        if manner == "graceful":
            # Children stop with their parents: these may need them until then.
            cells = [cell for cell in cells if cell.parent is None and not stop_idle(cell, by)]
        # Those at work first; then in the order of their start.
        cells.sort(key=is_busy, reverse=True)
        cells.reverse()  # to be taken from the end
        self._request(cells, StopRequest(manner, by))
        self.advance()

    def _request(self, cells: list[Cell], request: StopRequest) -> None:
        """Tell some to stop, and the others when these have had their turn.

        Each request takes a mailbox, so a million at once would need more memory than
        the actors.
        """
        system = self._system
        for _ in range(min(len(cells), _LOT)):
            cell = cells.pop()
            end_back_off(cell)
            system.world.deliver(cell, request, urgent=request.mode != "graceful")
        if cells:
            system.loop.call_soon(self._request, cells, request)

    def _kill(self) -> None:
        """Cancel all that still runs: the deadline is over."""
        self._set_timer(GRACE, self._give_up, "grace of shutdown")
        self._stop("now", Phase.KILLING)

    def _give_up(self) -> None:
        system = self._system
        for run in system.runs:
            system.log.error("%s does not end; it is left behind", run.full_path)
        for cell in list(system.cells.values()):
            system.log.error("%s does not stop; it is left behind", cell.full_path)
            leave_behind(cell)
        self._over()

    def _over(self) -> None:
        self.phase = Phase.CLOSED
        self._system.dispatchers.end()
        self._system.events.end()
        if self._timer is not None:
            self._timer.cancel()
        for future in self._waiting:
            _ring(future)


def _ring(future: Any) -> None:
    if not future.done():
        future.set_result(None)
