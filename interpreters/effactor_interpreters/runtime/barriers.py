"""What waits behind the mail of an inbox: the runtime's own items that must not overtake it.

An inbox has an order of its own, and takes messages alone. So the items stay outside, each
with the number of messages that were there before it; it is due when they are gone.
"""

from __future__ import annotations

from collections import deque
from typing import Any, final


@final
class _Barrier:
    """One item.

    Attributes:
        item: The item.
        left: How many of the messages before it are still there.
        later: The messages that came after it, by identity: a user's need not be hashable.
    """

    __slots__ = ("item", "later", "left")

    def __init__(self, item: Any, left: int) -> None:
        self.item: Any = item
        self.left: int = left
        self.later: dict[int, Any] = {}


@final
class Barriers:
    """The items that wait behind the mail of one inbox, in order."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        """Begin empty."""
        self._waiting: deque[_Barrier] = deque()

    def __len__(self) -> int:
        """Count the items."""
        return len(self._waiting)

    def put(self, item: Any, before: int) -> None:
        """Take an item.

        Args:
            item: The item.
            before: How many messages wait now.
        """
        self._waiting.append(_Barrier(item, before))

    def came(self, letter: Any) -> None:
        """Learn of a message that comes after all these items."""
        for barrier in self._waiting:
            barrier.later[id(letter)] = letter

    def gone(self, letter: Any) -> None:
        """Learn that a message waits no more: it was taken, dropped or withdrawn."""
        for barrier in self._waiting:
            if barrier.later.pop(id(letter), None) is None:
                barrier.left -= 1

    def due(self, *, empty: bool) -> list[Any]:
        """Take out the items with no message before them any more.

        Args:
            empty: Whether no message waits at all. An inbox may lose some without a word.

        Returns:
            The items, in order.
        """
        items: list[Any] = []
        while self._waiting and (empty or self._waiting[0].left <= 0):
            items.append(self._waiting.popleft().item)
        return items
