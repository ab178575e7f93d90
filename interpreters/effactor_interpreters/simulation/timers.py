"""Virtual timers, in the order of their deadlines."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class VirtualTimer:
    """A timer of the simulated world.

    Attributes:
        when: Deadline, in nanoseconds of virtual time.
        what: What it is for, in words.
        source: Path of whoever set it.
        callback: Called when it fires.
        cancelled: Whether it must not fire any more.
        step: The step in which it was set.
        seq: Its place among timers of the same deadline.
        key: Its identity, see `Event`.
    """

    __slots__ = ("callback", "cancelled", "key", "seq", "source", "step", "what", "when")

    def __init__(
        self,
        when: int,
        seq: int,
        key: tuple[Any, ...],
        step: int,
        what: str,
        source: str,
        callback: Callable[[], object],
    ) -> None:
        self.when: int = when
        self.seq: int = seq
        self.key: tuple[Any, ...] = key
        self.step: int = step
        self.what: str = what
        self.source: str = source
        self.callback: Callable[[], object] = callback
        self.cancelled: bool = False

    def cancel(self) -> None:
        """Make sure that it never fires."""
        self.cancelled = True

    def __lt__(self, other: VirtualTimer) -> bool:
        return (self.when, self.seq) < (other.when, other.seq)


class Timers:
    """All timers that are set."""

    def __init__(self) -> None:
        self._heap: list[VirtualTimer] = []

    def add(self, timer: VirtualTimer) -> None:
        """Set *timer*."""
        heapq.heappush(self._heap, timer)

    def due(self) -> list[VirtualTimer]:
        """List the timers with the earliest deadline, in the order they were set."""
        heap = self._heap
        while heap and heap[0].cancelled:
            heapq.heappop(heap)
        if not heap:
            return []
        first = heap[0]
        # Equal deadlines would be among the first one's children in the heap.
        if all(child.when != first.when for child in heap[1:3]):
            return [first]
        return sorted(t for t in heap if t.when == first.when and not t.cancelled)

    def due_except(self, stopped: Callable[[VirtualTimer], bool]) -> list[VirtualTimer]:
        """List the same among those that are not stopped."""
        live = sorted(t for t in self._heap if not t.cancelled and not stopped(t))
        return [timer for timer in live if timer.when == live[0].when]

    def pending(self) -> list[VirtualTimer]:
        """List all that are set, in no order that means anything."""
        return [timer for timer in self._heap if not timer.cancelled]

    def remove(self, timer: VirtualTimer) -> None:
        """Take *timer* out: it fires now."""
        timer.cancelled = True
