"""The end of a system where nothing can run any more: a closed loop, a finished simulation."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from effactor_interpreters.runtime.controls import Continue, Question
from effactor_interpreters.runtime.fallback import TaskDriver
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.waits import ProgramWait
from effactor_interpreters.runtime.work import COROUTINE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from effactor_interpreters.runtime.system import ActorSystem


def abandon(system: ActorSystem, parked: Iterable[Any] = ()) -> None:
    """Close whatever still waits; it performs no effects any more.

    Args:
        system: The system.
        parked: Drivers of actors that crashed.
    """
    for run in list(system.runs):
        run.fiber.abandon()
    drivers = list(parked)
    for cell in system.cells.values():
        drivers += cell.drivers()
        cell.state = STOPPED  # what its handlers raise now concerns no supervisor
        crew = cell.leads
        if crew is not None:
            crew.cut_off()
        if type(cell.mailbox) is deque:
            for item in cell.mailbox:
                _close_unbegun(item)
    for driver in drivers:
        if isinstance(driver.waiting, ProgramWait):
            driver.waiting.fiber.abandon()
        with suppress(Exception):  # a dying handler may say anything, or go on waiting
            _close(driver)


def _close_unbegun(item: Any) -> None:
    """Close a coroutine in the mailbox that never began: Python would warn about it."""
    message = item[0] if type(item) is Question else item
    if type(message) is Continue and type(message.work) is COROUTINE:
        message.work.close()


def _close(driver: Any) -> None:
    if not isinstance(driver, TaskDriver):
        driver.close()
        return
    task: Any = driver.task
    if task is None or not task.get_loop().is_closed():
        driver.close()
    elif not task.done():
        # It can never be cancelled: its loop is gone. asyncio would say so once more.
        task._log_destroy_pending = False  # noqa: SLF001
        task.get_coro().close()
