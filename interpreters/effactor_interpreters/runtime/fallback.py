"""Turns in real tasks, for Pythons on which a cell cannot be the current task."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from effactor_interpreters.runtime.driver import batch
from effactor_interpreters.runtime.waits import Wait

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Generator

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.system import ActorSystem


class _Bell:
    """Stands in for the cell that a `Wait` wakes: it rings a future."""

    __slots__ = ("future",)

    def __init__(self, future: asyncio.Future[None]) -> None:
        self.future = future

    def resume(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


@types.coroutine
def _with_futures(loop: asyncio.AbstractEventLoop, turn: Any) -> Generator[Any, Any, None]:
    """Run a turn whose waits a real task understands."""
    error: BaseException | None = None
    while True:
        try:
            waited = turn.send(None) if error is None else turn.throw(error)
        except StopIteration:
            return
        error = None
        try:
            if isinstance(waited, Wait):
                future: asyncio.Future[None] = loop.create_future()
                waited.cell = _Bell(future)  # type: ignore[assignment]  # pyright: ignore
                if not waited.finished:
                    yield from future
            else:
                yield waited
        except BaseException as raised:  # noqa: BLE001 - the turn gets it
            error = raised


class TaskPerTurn:
    """Runs turns in tasks, and knows which task is which cell's.

    Attributes:
        cells: The cell behind each task.
    """

    def __init__(self, system: ActorSystem) -> None:
        self._system = system
        self.cells: WeakKeyDictionary[Any, Cell] = WeakKeyDictionary()

    def process(self, cell: Cell, inbox: Any) -> None:
        """Handle a batch of *inbox* in a task of its own."""

        async def turn() -> None:
            await _with_futures(self._system.loop, batch(cell, inbox))
            cell.after_turn()

        task = self._system.loop.create_task(turn(), name=cell.ref.path, context=cell.variables)
        self.cells[task] = cell

    def cancel(self, cell: Cell) -> bool:
        """Cancel the task that runs the cell's turn, if there is one."""
        found = [t for t, c in self.cells.items() if c is cell and not t.done()]
        return any([task.cancel() for task in found])
