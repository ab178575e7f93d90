"""Whether whoever runs now is a handler, or something that a handler waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor_interpreters.runtime.current_task import current_tasks
from effactor_interpreters.runtime.engine.branches import branches_of
from effactor_interpreters.runtime.waits import ProgramWait

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.system import ActorSystem


def waits_inside(system: ActorSystem) -> Cell | None:
    """Find the actor that cannot go on before the code that runs now.

    Args:
        system: The system whose actors count.

    Returns:
        The one whose handler runs now, or awaits the task that runs now: itself, in a
        `gather`, or as a `free_call` of its program. None if there is none, or if the
        way from the handler to the task is longer than that.
    """
    cell = system.current_cell()
    if cell is not None:
        return cell if cell.system is system else None
    task = current_tasks.get(system.loop)
    if task is None:
        return None
    for cell in system.cells.values():
        if any(_awaits(driver, task) for driver in cell.drivers()):
            return cell
    return None


def _awaits(driver: Any, task: Any) -> bool:
    waiting = driver.waiting
    if waiting is None:  # a real task runs the handler, and knows what it waits for
        waiting = getattr(getattr(driver, "task", None), "_fut_waiter", None)
    if isinstance(waiting, ProgramWait):
        return _calls(waiting.fiber, task)
    return waiting is task or task in getattr(waiting, "_children", ())


def _calls(fiber: Fiber, task: Any) -> bool:
    """Tell whether a program, or a branch of it, waits for *task*."""
    left = [fiber]
    while left:
        pending = left.pop().pending
        if getattr(pending, "task", None) is task:
            return True
        left += branches_of(pending)
    return False
