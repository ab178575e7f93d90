"""Turns in real tasks, for Pythons on which a cell cannot be the current task."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any

from effactor_interpreters.runtime.coroutines import coroutine
from effactor_interpreters.runtime.driver import batch
from effactor_interpreters.runtime.states import RUNNING, SUSPENDED
from effactor_interpreters.runtime.waits import Wait

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Generator

    from effactor_interpreters.runtime.cell import Cell


class TaskDriver:
    """Stands in for the driver of a cell while a real task runs its turn.

    Attributes:
        waiting: What the handler waits for, if it is a `Wait`.
        cancellations: Always 0: the task counts its own.
        guarded: Always False: nobody asks.
        turn: The turn that the task steps.
        begun: Whether it has begun.
    """

    __slots__ = ("begun", "cancellations", "guarded", "task", "turn", "waiting")

    def __init__(self, turn: Any) -> None:
        self.turn: Any = turn
        self.task: asyncio.Task[None] | None = None
        self.waiting: Any = None
        self.cancellations: int = 0
        self.guarded: bool = False
        self.begun: bool = False

    def cancel(self) -> None:
        """Cancel what the handler waits for; before the turn has begun that is nothing."""
        # A task that is cancelled before it begins never begins: nobody would look at
        # the mailbox any more.
        if self.task is not None and self.begun:
            self.task.cancel()

    def close(self) -> None:
        """End the task."""
        if self.task is not None:
            self.task.cancel()


class _Bell:
    """Stands in for the cell that a `Wait` wakes: it rings a future."""

    __slots__ = ("future",)

    def __init__(self, future: asyncio.Future[None]) -> None:
        self.future = future

    def resume(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


@coroutine
def _with_futures(cell: Cell, driver: TaskDriver, turn: Any) -> Generator[Any, Any, None]:
    """Run a turn whose waits a real task understands."""
    error: BaseException | None = None
    while True:
        cell.state = RUNNING
        try:
            waited = turn.send(None) if error is None else turn.throw(error)
        except StopIteration:
            return
        if isinstance(error, CancelledError):
            from effactor_interpreters.runtime.insisting import goes_on

            goes_on(cell, driver)
        error = None
        cell.state = SUSPENDED
        try:
            if isinstance(waited, Wait):
                driver.waiting = waited
                future: asyncio.Future[None] = cell.system.loop.create_future()
                waited.cell = _Bell(future)
                if not waited.finished:
                    yield from future
            else:
                yield waited
        except BaseException as raised:  # the turn gets it
            if isinstance(waited, Wait) and not waited.finished:
                waited.cancel()  # a program that it waits for must end first
                if not waited.finished:
                    continue
            error = raised
        finally:
            driver.waiting = None


def process_in_task(cell: Cell, inbox: Any) -> None:
    """Handle a batch of *inbox* in a task of its own.

    Args:
        cell: The cell.
        inbox: Its items.
    """
    items = batch(cell, inbox)
    driver = TaskDriver(items)

    async def turn() -> None:
        driver.begun = True
        try:
            await _with_futures(cell, driver, items)
        finally:
            cell.driver = None
            cell.after_turn()

    cell.driver = driver
    loop = cell.system.loop
    driver.task = loop.create_task(turn(), name=cell.ref.path, context=cell.variables)
    cell.system.turns[driver.task] = cell
