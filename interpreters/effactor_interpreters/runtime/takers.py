"""Who takes the items of a stream of replies: actors, and tasks and programs outside of them.

An actor that asks whoever waits for it to take an item is a circle of asks, as
`deadlocks` finds it. Here tasks and programs get the links that it follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from effactor_interpreters.runtime.asking import when_settled
from effactor_interpreters.runtime.current_task import current_tasks
from effactor_interpreters.runtime.deadlocks import find_cycle
from effactor_interpreters.runtime.runs import Run
from effactor_interpreters.runtime.states import QUEUED, STOPPED
from effactor_interpreters.runtime.waits import FiberWait

if TYPE_CHECKING:
    from effactor.errors import Deadlock
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.scheduler import Scheduler


class Outsider:
    """A task or a run, in the place of an actor where that takes items.

    Attributes:
        system: The system asked.
        asked: The ask that it waits for, or None.
    """

    __slots__ = ("_who", "asked", "system")

    def __init__(self, system: Scheduler, who: Any) -> None:
        """Begin.

        Args:
            system: The system asked.
            who: The task or run. It must not be kept: it has what it raised, and so the stream.
        """
        self.system: Scheduler = system
        self.asked: Asked | None = None
        self._who = ref(who)

    @property
    def full_path(self) -> str:
        """What it is called in errors: tasks have no names that are the same in each process."""
        who = self._who()
        return who.full_path if isinstance(who, Run) else "a task"

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        who = self._who()
        if isinstance(who, Run):
            return who.fiber.outcome is None
        return who is not None and not who.done()

    def link(self) -> Asked | None:
        """Return the ask without whose reply it can never go on, if that is known."""
        return self.asked


class Asked:
    """The ask that a task or a run waits for: a `Link`."""

    __slots__ = ("end", "message", "reply", "target")

    def __init__(self, target: Cell, message: Any, reply: Any) -> None:
        self.target: Cell = target
        self.message: Any = message
        self.end: tuple[Any, int] | None = None
        self.reply: Any = reply


def fail(reply: Any, deadlock: Deadlock) -> None:
    """Let an ask end.

    Args:
        reply: The reply waited for.
        deadlock: Why it will never come.
    """
    fiber = reply.fiber if isinstance(reply, FiberWait) else None
    if fiber is not None:
        reply.withdraw()
        fiber.resume_died(deadlock)
    elif not reply.done():
        reply.set_exception(deadlock)


def fail_soon(who: Any, cell: Cell, reply: Any, message: Any) -> None:
    """Let an ask end that hangs on the items which its asker takes, if it still does in a moment.

    A task that was just made may take them in its place.

    Args:
        who: The asker: an actor, or an `Outsider`.
        cell: The actor asked.
        reply: The reply waited for.
        message: The message.
    """

    def look_again() -> None:
        if reply.done() or getattr(who, "guarded", False):
            return
        deadlock = find_cycle(who, cell, message)
        if deadlock is not None:
            fail(reply, deadlock)

    cell.system.loop.call_soon(look_again)


class Takers:
    """All who have taken items of one stream, and may take more."""

    __slots__ = ("_all",)

    def __init__(self) -> None:
        self._all: list[Any] = []

    def add(self, taker: Any) -> None:
        """Add one.

        Args:
            taker: An actor's cell, or an `Outsider`.
        """
        if taker not in self._all:
            # Each item may be taken by a task of its own.
            self._all = [*(each for each in self._all if _runs(each)), taker]

    def has_others(self, taker: Any) -> bool:
        """Tell whether one of them still runs, beside *taker*."""
        return any(each is not taker and _runs(each) for each in self._all)


def _runs(taker: Any) -> bool:
    if type(taker) is Outsider:
        return taker.runs
    state: int = taker.state
    return QUEUED < state < STOPPED


def outsider(system: Scheduler, who: Any = None) -> Outsider | None:
    """Return what stands for a task or a run.

    Args:
        system: The system.
        who: Which; None for the task that runs.

    Returns:
        None outside of tasks.
    """
    if who is None:
        who = current_tasks.get(system.loop)
        if who is None:
            return None
    if system.outsiders is None:
        system.outsiders = WeakKeyDictionary()
    found = system.outsiders.get(who)
    if found is None:
        found = system.outsiders[who] = Outsider(system, who)
    return found


def outsider_waits(cell: Cell, reply: Any, message: Any) -> None:
    """See whether an ask of no actor can ever end; if not, let it fail soon.

    It cannot if the actor waits, perhaps through others, for whoever asks to take an item.

    Args:
        cell: The actor asked.
        reply: The reply waited for.
        message: The message.

    """
    system = cell.system
    if isinstance(reply, FiberWait):
        fiber = reply.fiber
        # As for actors: what a branch waits for is no lasting deadlock.
        if fiber is None or fiber.parent is not None or fiber.deadline is not None:
            return
        who = fiber.owner
    else:
        who = current_tasks.get(system.loop)
    outsiders = system.outsiders
    taker: Any = None if outsiders is None or who is None else outsiders.get(who)
    if taker is None:
        return
    if find_cycle(taker, cell, message) is not None:
        fail_soon(taker, cell, reply, message)
    asked = taker.asked = Asked(cell, message, reply)

    def settled(_reply: object = None) -> None:
        system.settled += 1
        if taker.asked is asked:
            taker.asked = None

    when_settled(reply, settled)
