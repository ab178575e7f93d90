"""The rules of a queue: who gets which item when, and when all jobs are finished.

One rule serves everybody: after each change, `settle` hands items to the first who
wait for one, and lets the first who wait for room put theirs. So somebody waits for an
item only while there is none, and for room only while there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from effactor.coordination.items import ByPriority, Entry, InOrder, Items
from effactor.coordination.line import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

W = TypeVar("W")


class QueueRules(Generic[W]):
    """What is in one queue, and who waits for what.

    Attributes:
        items: The items that wait to be taken.
        getters: Who waits for an item.
        putters: Who waits for room, each with its item and its priority.
        joiners: Who waits until every job is finished.
        in_hand: How many items were taken and are not finished.
    """

    __slots__ = ("_capacity", "_serial", "getters", "in_hand", "items", "joiners", "putters")

    def __init__(self, capacity: int | None, *, by_priority: bool) -> None:
        """Begin empty.

        Args:
            capacity: Most items that wait to be taken; None for no bound.
            by_priority: Whether the smallest priority is taken first.
        """
        self._capacity: int | None = capacity
        self._serial: int = 0
        self.items: Items = ByPriority() if by_priority else InOrder()
        self.getters: Line[W, None] = Line()
        self.putters: Line[W, tuple[Any, float]] = Line()
        self.joiners: Line[W, None] = Line()
        self.in_hand: int = 0

    @property
    def has_room(self) -> bool:
        """Whether an item can be put now."""
        return self._capacity is None or len(self.items) < self._capacity

    @property
    def is_finished(self) -> bool:
        """Whether every item that was put is finished."""
        return not self.items and not self.in_hand

    def put(self, item: Any, priority: float) -> Entry:
        """Put an item in; there must be room.

        Args:
            item: The item.
            priority: Its priority.

        Returns:
            Its entry.
        """
        self._serial += 1
        entry = Entry(item, priority, self._serial)
        self.items.push(entry)
        return entry

    def take(self) -> Entry:
        """Take the next item; there must be one.

        Returns:
            Its entry. The item is in hand until `done`.
        """
        self.in_hand += 1
        return self.items.pop()

    def done(self) -> bool:
        """Count one item in hand as finished.

        Returns:
            Whether there was one.
        """
        if not self.in_hand:
            return False
        self.in_hand -= 1
        return True

    def give_back(self, entry: Entry) -> None:
        """Put an item back into its place: whoever was to have it went away.

        The queue may hold more than its capacity for a while.

        Args:
            entry: What was taken.
        """
        self.in_hand -= 1
        self.items.restore(entry)

    def revoke(self, entry: Entry) -> bool:
        """Take an item out again: whoever put it was interrupted while it waited for room.

        Args:
            entry: What was put.

        Returns:
            Whether that came in time; otherwise somebody has taken it.
        """
        return self.items.remove(entry)

    def lines(self) -> tuple[Line[W, Any], ...]:
        """List the lines of those who wait."""
        return self.getters, self.putters, self.joiners

    def settle(self) -> Iterator[tuple[W, Entry | None]]:
        """Serve those who can be served now.

        Yields:
            Each waiter with the entry that it took or put; None for one that waited
            for the end of all jobs.
        """
        while True:
            if self.getters and self.items:
                waiter, _ = self.getters.pop()
                yield waiter, self.take()
            elif self.putters and self.has_room:
                waiter, (item, priority) = self.putters.pop()
                yield waiter, self.put(item, priority)
            elif self.joiners and self.is_finished:
                waiter, _ = self.joiners.pop()
                yield waiter, None
            else:
                return
