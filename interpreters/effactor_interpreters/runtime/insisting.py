"""Cancelled handlers that go on all the same: they are ended, and that is logged.

A handler may clean up when it is cancelled, and wait while it does. One that swallows
its CancelledError looks the same from outside, so it gets some time; after that its
coroutine is closed where it waits, and may wait no more.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from effactor_interpreters.runtime.fallback import TaskDriver
from effactor_interpreters.runtime.leaving import close_handler
from effactor_interpreters.runtime.letters import letter_of
from effactor_interpreters.runtime.states import RUNNING

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.driver import Driver

PATIENCE: Final = 10.0
"""Seconds that a handler may go on after it was cancelled for good."""


def goes_on(cell: Cell, driver: Driver | TaskDriver) -> None:
    """Learn that a handler waits although it has just been cancelled.

    Args:
        cell: The actor.
        driver: What runs the handler.
    """
    why = _why(cell)
    if why is None:
        return  # by something of its own, such as `asyncio.timeout`
    relations = cell.relations
    if relations.insisting is not None:
        return
    what = f"patience with a cancelled handler of {cell.ref.path}"
    relations.insisting = cell.system.world.call_later(PATIENCE, lambda: _end(cell, driver), what)


def _why(cell: Cell) -> str | None:
    """Say why the handler that runs must end, or None."""
    if cell.killed is not None:
        return cell.killed
    letter = letter_of(cell)
    if letter is None:
        return None
    token = letter.cancellation
    if token is not None and token.cancelled:
        return "was asked under a token that was cancelled"
    if letter.stream is not None and letter.stream.closed:
        return "was asked for a stream that was left"
    return None


def _end(cell: Cell, driver: Driver | TaskDriver) -> None:
    relations = cell.relations
    relations.insisting = None
    why = _why(cell)
    if why is None or cell.driver is not driver:
        return
    if relations.thread is not None and not relations.thread.done():
        cell.system.log.error(
            "a handler of %s still runs in a thread %g s after it was cancelled (it %s); a thread "
            "cannot be ended, so the actor waits for it",
            cell.full_path,
            PATIENCE,
            why,
        )
        return
    cell.system.log.error(
        "a handler of %s goes on %g s after it was cancelled (it %s); it is ended",
        cell.full_path,
        PATIENCE,
        why,
    )
    with suppress(Exception):  # it may raise anything, or insist on waiting
        close_handler(cell, driver, why)
    relations.letter = None
    if type(driver) is TaskDriver:
        return  # its task ends the turn
    cell.driver = None
    cell.state = RUNNING
    cell.after_turn()
