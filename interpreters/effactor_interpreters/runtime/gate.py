"""The world as a system sees it that shuts down: nothing comes in from outside any more.

Whether a sender belongs to the system is asked here, and only from the beginning of a
shutdown on: a system that runs has its world itself.
"""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from effactor.errors import ActorStopped
from effactor_interpreters.runtime.controls import Control, Question
from effactor_interpreters.runtime.letters import Letter
from effactor_interpreters.runtime.runs import Run

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.system import ActorSystem

CLOSED_TO_ALL: Final = "takes nothing from outside any more: the system shuts down"

# In the context of a handler, and so in that of the tasks it starts: the system it belongs to.
_INSIDE: ContextVar[Any] = ContextVar("effactor_inside", default=None)


class Gate:
    """A world that delivers only what comes from within one system.

    Within are its actors, the tasks that their handlers start from now on, and the runs
    that are being interrupted, whose finalisers may need the actors.

    Attributes:
        inline: False: the gate sees what is delivered, and not what an idle actor
            handles on its asker's stack.
        instant: What the world says: the gate lets all stops through, so that idle actors may
            stop on the spot.
    """

    inline = False
    direct = False

    def __init__(self, system: ActorSystem) -> None:
        """Stand before the world of *system*; it has yet to be put in its place."""
        self._system = system
        self._world = system.world
        self.instant: bool = system.world.instant
        self._runs = dict(system.runs)
        for cell in system.cells.values():
            if cell.driver is not None or cell.leads is not None:
                self._mark(cell)

    def __getattr__(self, name: str) -> Any:
        """Do all else as the world does."""
        return getattr(self._world, name)

    def deliver(self, cell: Cell, item: Any, *, urgent: bool = False) -> None:
        """Bring a mailbox item to a cell, or refuse it."""
        message, reply = item if type(item) is Question else (item, None)
        if type(message) is Letter:
            message = message.message
        if not isinstance(message, Control) and not cell.closed and not self.is_inside():
            if reply is None:
                self._system.dead_letter(message, cell.full_path, CLOSED_TO_ALL)
            else:
                reply.set_exception(ActorStopped(cell.full_path, message, CLOSED_TO_ALL))
            return
        if cell.behavior.has_stopped or not isinstance(message, Control):
            self._mark(cell)
        self._world.deliver(cell, item, urgent=urgent)

    def is_inside(self) -> bool:
        """Tell whether whoever is running belongs to the system."""
        system = self._system
        if _INSIDE.get() is system:
            return True
        sender = system.sender()
        if isinstance(sender, Run):
            return sender in self._runs
        return getattr(sender, "system", None) is system

    def _mark(self, cell: Cell) -> None:
        # A context that is entered is that of a handler that runs: it was marked before.
        crew = cell.leads
        for each in (cell,) if crew is None else (cell, *crew.members):
            with suppress(RuntimeError):
                each.variables.run(_INSIDE.set, self._system)
