"""Timers of handlers that are no programs: `self.context.schedule_once` and `every`."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from math import floor
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor.actors.ref import binding_of
from effactor.errors import ActorStopped
from effactor.programs.operations import Tell, a_duration, a_ref
from effactor.schedules import arguments
from effactor.schedules.basic import SHORTEST
from effactor.traces.wording import brief
from effactor_interpreters.runtime.controls import Control
from effactor_interpreters.runtime.here import check_here
from effactor_interpreters.runtime.letters import because_of, letter_of
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.stopping import why_stopped

if TYPE_CHECKING:
    from collections.abc import Generator

    from effactor.actors.ref import ActorRef
    from effactor_interpreters.runtime.cell import Cell


class ContextTimers:
    """The part of an actor's context that sets timers. `Scheduling` has the contract."""

    __slots__ = ()

    if TYPE_CHECKING:
        _cell: Cell

    def schedule_once(self, delay: float, message: Any, to: ActorRef[Any] | None = None) -> Once:
        """Tell a message later."""
        ref = _checked("schedule_once", self._cell, to)
        return Once(self._cell, a_duration("schedule_once", "delay", delay), message, ref)

    def every(self, interval: float, message: Any, to: ActorRef[Any] | None = None) -> Recurring:
        """Tell a message at each multiple of an interval from now."""
        ref = _checked("every", self._cell, to)
        arguments.number("every", "interval", interval, least=SHORTEST)
        return Recurring(self._cell, interval, message, ref)


def _checked(where: str, cell: Cell, to: ActorRef[Any] | None) -> ActorRef[Any]:
    check_here(cell.system, f"context.{where}")
    if to is not None:
        a_ref(where, to, "to")
    if cell.state == STOPPED:  # nothing would ever end the timer
        raise ActorStopped(cell.full_path, None, why_stopped(cell))
    return cell.ref if to is None else to


class Once:
    """A message that is told once, later."""

    __slots__ = ("_letter", "_message", "_owner", "_ref")

    def __init__(self, owner: Cell, delay: float, message: Any, ref: ActorRef[Any]) -> None:
        self._owner = owner
        self._letter = letter_of(owner.system.current_cell())
        self._message = message
        self._ref = ref
        what = f"schedule_once of {type(message).__name__} to {ref.path}"
        handle = owner.system.world.call_later(delay, self._fire, what)
        owner.system.timers.add(self, owner, handle)

    def cancel(self) -> bool:
        """Take the message back; answer whether it was in time."""
        check_here(self._owner.system, "cancel")
        return self._owner.system.timers.remove(self)

    def _fire(self) -> None:
        self.cancel()
        with _acting(self._owner), because_of(self._owner, self._letter):
            _tell(self._owner, self._ref, self._message)

    @override
    def __repr__(self) -> str:
        return f"<timer of {self._message!r} to {self._ref.path}, once>"


class Recurring:
    """A message that is told again and again."""

    __slots__ = ("_began", "_interval", "_last", "_message", "_number", "_owner", "_ref")

    def __init__(self, owner: Cell, interval: float, message: Any, ref: ActorRef[Any]) -> None:
        self._owner = owner
        self._interval = interval
        self._message = message
        self._ref = ref
        self._began: float = owner.clock()
        self._number: int = 0
        self._last: Tick | None = None
        self._wait()

    def cancel(self) -> bool:
        """Tell no more; answer whether it was running."""
        check_here(self._owner.system, "cancel")
        return self._owner.system.timers.remove(self)

    def _wait(self) -> None:
        """Wait for the next multiple: of the beginning, so that delays do not add up."""
        owner = self._owner
        now = owner.clock()
        # Whoever kept the loop busy for several intervals gets one message, not several.
        # The clock may be a little before the multiple that has just come.
        self._number = max(self._number, floor((now - self._began) / self._interval)) + 1
        delay = max(0.0, self._began + self._number * self._interval - now)
        what = f"every of {type(self._message).__name__} to {self._ref.path}"
        handle = owner.system.world.call_later(delay, self._fire, what)
        owner.system.timers.add(self, owner, handle)

    def _fire(self) -> None:
        with _acting(self._owner):
            if (self._last is None or not self._last.is_waiting) and not self._told():
                self.cancel()
            else:
                self._wait()

    def _told(self) -> bool:
        """Tell the message; answer whether there can be a next time."""
        ref = self._ref
        target = _living(self._owner, ref)
        if target is None:
            _tell(self._owner, ref, self._message)  # a dead letter
            return ref.incarnation is None  # else nobody will ever have this ref again
        self._last = Tick(target, self._message)
        target.system.world.deliver(target, self._last)
        return True

    @override
    def __repr__(self) -> str:
        return f"<timer of {self._message!r} to {self._ref.path}, every {self._interval:g} s>"


class Tick(Control):
    """A message of `every`, which knows whether it has been taken up.

    Attributes:
        target: Whose mailbox it is in.
        message: The message.
        taken: Whether its handler has begun.
    """

    __slots__ = ("message", "taken", "target")

    def __init__(self, target: Cell, message: Any) -> None:
        self.target: Cell = target
        self.message: Any = message
        self.taken: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether it is still on its way, or in a mailbox."""
        return not self.taken and not self.target.closed

    @property
    @override
    def about(self) -> Any:
        return self.message

    @override
    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        """Let it be handled like any other message."""
        from effactor_interpreters.runtime.driver import batch

        self.taken = True
        if cell.equipment is not None:
            cell.put_first(self.message)  # a message like any other from here on
            return batch(cell, deque())
        return batch(cell, deque((self.message,)))

    @override
    def __repr__(self) -> str:
        return brief(self.message)


def _living(owner: Cell, ref: ActorRef[Any]) -> Cell | None:
    """Find the living actor that a ref names."""
    bound: Any = binding_of(ref)
    here = type(bound) is type(owner) and (bound.system is owner.system or bound.system.is_private)
    cell: Cell | None = bound if here else owner.system.find(ref)
    return None if cell is None or cell.closed else cell


@contextmanager
def _acting(owner: Cell) -> Generator[None, None, None]:
    """Let an actor be the sender of what is sent, while none of its handlers runs."""
    system = owner.system
    outer, system.running = system.running, owner
    try:
        yield
    finally:
        system.running = outer


def _tell(owner: Cell, ref: ActorRef[Any], message: Any) -> None:
    nobody: Any = None  # a tell looks at no fiber
    owner.system.table[Tell](Tell(ref, message), nobody)
