"""The items inside a queue, in the order in which they will be taken."""

from __future__ import annotations

import heapq
from collections import deque
from typing import Any, Protocol, final


@final
class Entry:
    """One item on its way through a queue.

    Attributes:
        item: The item.
        priority: Smaller is taken earlier, where the order is by priority.
        serial: Its number among all that were ever put; it keeps its place by it.
    """

    __slots__ = ("item", "priority", "serial")

    def __init__(self, item: Any, priority: float, serial: int) -> None:
        """Keep all three."""
        self.item: Any = item
        self.priority: float = priority
        self.serial: int = serial


class Items(Protocol):
    """The entries that wait to be taken."""

    def __len__(self) -> int:
        """Count them."""
        ...

    def push(self, entry: Entry) -> None:
        """Put a new entry in; its serial is the largest so far."""
        ...

    def pop(self) -> Entry:
        """Take the next entry out; there must be one."""
        ...

    def restore(self, entry: Entry) -> None:
        """Put an entry that was taken out back into its place."""
        ...

    def remove(self, entry: Entry) -> bool:
        """Take a certain entry out.

        Returns:
            Whether it was there.
        """
        ...


@final
class InOrder:
    """First in, first out."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        """Begin empty."""
        self._entries: deque[Entry] = deque()

    def __len__(self) -> int:
        """Count the entries."""
        return len(self._entries)

    def push(self, entry: Entry) -> None:
        """Put a new entry in, behind all others."""
        self._entries.append(entry)

    def pop(self) -> Entry:
        """Take the first entry out."""
        return self._entries.popleft()

    def restore(self, entry: Entry) -> None:
        """Put an entry back before all that were put after it."""
        place = 0
        for other in self._entries:
            if other.serial > entry.serial:
                break
            place += 1
        self._entries.insert(place, entry)

    def remove(self, entry: Entry) -> bool:
        """Take a certain entry out, if it is there."""
        if entry not in self._entries:
            return False
        self._entries.remove(entry)
        return True


@final
class ByPriority:
    """The smallest priority first; first in, first out among equal ones."""

    __slots__ = ("_heap",)

    def __init__(self) -> None:
        """Begin empty."""
        # Serials differ, so a comparison never reaches the entry.
        self._heap: list[tuple[float, int, Entry]] = []

    def __len__(self) -> int:
        """Count the entries."""
        return len(self._heap)

    def push(self, entry: Entry) -> None:
        """Put an entry in."""
        heapq.heappush(self._heap, (entry.priority, entry.serial, entry))

    def pop(self) -> Entry:
        """Take the entry with the smallest priority out."""
        return heapq.heappop(self._heap)[2]

    def restore(self, entry: Entry) -> None:
        """Put an entry back into its place."""
        self.push(entry)

    def remove(self, entry: Entry) -> bool:
        """Take a certain entry out, if it is there."""
        for place, (_, _, other) in enumerate(self._heap):
            if other is entry:
                del self._heap[place]
                heapq.heapify(self._heap)
                return True
        return False
