"""The mailbox of an actor that stops; an open one is a plain deque, or None while empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell


@final
class Closed:
    """The mailbox of an actor that stops: whatever arrives is refused."""

    __slots__ = ("cell",)

    def __init__(self, cell: Cell) -> None:
        self.cell: Cell = cell

    def append(self, item: Any) -> None:
        """Refuse *item*."""
        self.cell.refuse(item)

    appendleft = append

    def __len__(self) -> int:
        return 0
