"""The mailbox of an actor that stops; an open one is a plain deque, or None while empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell


@final
class Closed:
    """The mailbox of an actor that stops: whatever arrives is refused.

    Attributes:
        cell: The actor.
        reason: Why it stops, in words.
        at: Since when, on the world's clock.
    """

    __slots__ = ("at", "cell", "reason")

    def __init__(self, cell: Cell, reason: str, at: float) -> None:
        self.cell: Cell = cell
        self.reason: str = reason
        self.at: float = at

    def append(self, item: Any) -> None:
        """Refuse *item*."""
        cell = self.cell
        cell.system.world.found_closed(cell)
        cell.refuse(item)

    appendleft = append

    def __len__(self) -> int:
        return 0
