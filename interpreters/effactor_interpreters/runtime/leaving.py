"""An actor that does not stop although it was cancelled: it is taken out all the same."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from effactor.errors import ActorStopped
from effactor_interpreters.runtime.controls import Control
from effactor_interpreters.runtime.fallback import TaskDriver
from effactor_interpreters.runtime.stopping import close, stopped
from effactor_interpreters.runtime.waits import ProgramWait, Wait

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.driver import Driver

_REASON = "left behind by shutdown"


def leave_behind(cell: Cell) -> None:
    """Take an actor out of its system, and answer the ask that it handles.

    Its handler is closed where it waits: its `finally` runs, and may wait no more.

    Args:
        cell: The actor.
    """
    killed = cell.killed or _REASON
    driver, cell.driver = cell.driver, None
    crew = cell.leads
    handlers = [] if crew is None else crew.cut_off()
    close(cell, _REASON)
    cell.relations.killed = killed  # so that the ask gets an ActorStopped
    stopped(cell)
    if driver is not None:
        close_handler(cell, driver, killed)
    for member, its in handlers:
        member.relations.killed = killed
        close_handler(member, its, killed)


def close_handler(cell: Cell, driver: Driver | TaskDriver, why: str) -> None:
    """Close a handler where it waits, and answer the ask that it handles.

    Args:
        cell: The actor.
        driver: What runs the handler.
        why: Why, for the asker.
    """
    waiting = driver.waiting
    if isinstance(waiting, ProgramWait):
        waiting.fiber.abandon()
    with suppress(Exception):  # it may raise anything, or insist on waiting
        if isinstance(driver, TaskDriver):
            driver.turn.close()
        driver.close()
    if type(waiting) is Wait:
        waiting.cancel()  # its ask is withdrawn, and the ask's timer is gone
    if isinstance(driver, TaskDriver):
        return
    reply, driver.reply = driver.reply, None
    if reply is not None and not reply.done():
        message = driver.message
        about = message.about if isinstance(message, Control) else message
        reply.set_exception(ActorStopped(cell.full_path, about, why, delivered=True))
