"""Messages that are told later: what `schedule_once` and the cancelling of its timers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.programs.operations import Tell
from effactor.programs.timers import CancelTimer, ScheduleOnce, Timer

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.world import Timer as WorldTimer


class Timers:
    """The timers of a system that have neither fired nor been cancelled.

    Each belongs to the actor whose program set it, or to the system if that was a run.
    """

    def __init__(self) -> None:
        self._handles: dict[Timer, tuple[Cell | None, WorldTimer]] = {}
        self._owned: dict[Cell | None, dict[Timer, None]] = {}

    def __len__(self) -> int:
        return len(self._handles)

    def add(self, timer: Timer, owner: Cell | None, handle: WorldTimer) -> None:
        """Keep a timer.

        Args:
            timer: The timer.
            owner: The actor it belongs to; None for the system.
            handle: The world's timer behind it.
        """
        self._handles[timer] = (owner, handle)
        self._owned.setdefault(owner, {})[timer] = None

    def remove(self, timer: Timer) -> bool:
        """Forget a timer, which never fires from now on.

        Args:
            timer: The timer, perhaps of another system.

        Returns:
            Whether it was kept here.
        """
        kept = self._handles.pop(timer, None)
        if kept is None:
            return False
        owner, handle = kept
        handle.cancel()
        timers = self._owned[owner]
        del timers[timer]
        if not timers:
            del self._owned[owner]
        return True

    def end(self, owner: Cell | None) -> None:
        """Forget all timers of *owner*; None means the system."""
        timers = self._owned.get(owner)
        for timer in () if timers is None else tuple(timers):
            self.remove(timer)


class TimerOperations:
    """The operations of one system that are about timers."""

    def __init__(self, system: ActorSystem, tell: Callable[[Tell, None], None]) -> None:
        """Begin.

        Args:
            system: The system.
            tell: Performs a tell.
        """
        self._system = system
        self._tell = tell

    def table(self) -> dict[type[Any], Callable[[Any, Fiber], Any]]:
        """List the functions by operation.

        Returns:
            Their part of the table for the engine.
        """
        return {ScheduleOnce: self.schedule_once, CancelTimer: self.cancel}

    def schedule_once(self, operation: ScheduleOnce[Any], fiber: Fiber) -> Timer:
        """Set a timer that tells a message."""
        system, scheduler = self._system, fiber.owner
        ref, message = operation.ref, operation.message
        timer = Timer(operation.delay, ref, message)
        telling = Tell(ref, message)

        def fire() -> None:
            system.timers.remove(timer)
            # Whoever scheduled it is the sender, also when it no longer runs.
            outer, system.running = system.running, scheduler
            try:
                self._tell(telling, None)
            finally:
                system.running = outer

        what = f"schedule_once of {type(message).__name__} to {ref.path}"
        handle = system.world.call_later(operation.delay, fire, what)
        owner = scheduler if hasattr(scheduler, "mailbox") else None
        system.timers.add(timer, owner, handle)
        return timer

    def cancel(self, operation: CancelTimer[Any], _fiber: Fiber) -> bool:
        """Take a timer's message back."""
        return self._system.timers.remove(operation.timer)
