"""What goes before all mail in a simulated world, where the mail itself is on its way."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell


class Ahead(deque[Any]):
    """Holds the runtime's own items for a busy actor; a message put into it is sent instead.

    Messages travel through the world, which decides when each arrives: one that went
    straight in here would overtake those that its sender has sent before.
    """

    def __init__(self, cell: Cell) -> None:
        """Begin empty."""
        super().__init__()
        self._cell = cell

    @override
    def append(self, item: Any, /) -> None:
        """Send *item*."""
        self._cell.system.world.deliver(self._cell, item)
