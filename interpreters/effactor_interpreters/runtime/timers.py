"""Messages that are told later: what `schedule_once` and the cancelling of its timers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.programs.operations import Tell
from effactor.programs.timers import CancelTimer, ScheduleOnce, Timer
from effactor_interpreters.runtime.letters import because_of, letter_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.world import Timer as WorldTimer


class Timers:
    """The timers of a system that have neither fired nor been cancelled.

    Each belongs to the actor whose program set it, or to the system if that was a run.

    Attributes:
        owned: The timers by their owners.
    """

    def __init__(self) -> None:
        self._handles: dict[object, tuple[Cell | None, WorldTimer]] = {}
        self.owned: dict[Cell | None, dict[object, None]] = {}

    def __len__(self) -> int:
        return len(self._handles)

    def add(self, timer: object, owner: Cell | None, handle: WorldTimer) -> None:
        """Keep a timer, or what is behind it now that it has fired and goes on.

        Args:
            timer: A `Timer`, or one that a context has set.
            owner: The actor it belongs to; None for the system.
            handle: The world's timer behind it.
        """
        self._handles[timer] = (owner, handle)
        self.owned.setdefault(owner, {})[timer] = None

    def remove(self, timer: object) -> bool:
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
        timers = self.owned[owner]
        del timers[timer]
        if not timers:
            del self.owned[owner]
        return True

    def end(self, owner: Cell | None) -> None:
        """Forget all timers of *owner*; None means the system."""
        timers = self.owned.get(owner)
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
        letter = letter_of(scheduler)

        def fire() -> None:
            system.timers.remove(timer)
            # Whoever scheduled it is the sender, also when it no longer runs.
            outer, system.running = system.running, scheduler
            try:
                with because_of(scheduler, letter):
                    self._tell(telling, None)
            finally:
                system.running = outer

        what = f"schedule_once of {type(message).__name__} to {ref.path}"
        handle = system.world.call_later(operation.delay, fire, what)
        owner = getattr(scheduler, "front", None)
        system.timers.add(timer, owner, handle)
        return timer

    def cancel(self, operation: CancelTimer[Any], _fiber: Fiber) -> bool:
        """Take a timer's message back."""
        return self._system.timers.remove(operation.timer)
