"""The rules of a semaphore: permits are lent in order of arrival.

Whoever is first in line is served first, however many permits it asks for: smaller
requests behind it wait too, so a large one is not starved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from typing_extensions import TypeVar

from effactor.coordination.line import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

W = TypeVar("W")


class SemaphoreRules(Generic[W]):
    """The permits of one semaphore, and who waits for some.

    Attributes:
        available: Permits that nobody has.
        waiting: Who waits, and for how many.
    """

    __slots__ = ("available", "waiting")

    def __init__(self, permits: int) -> None:
        """Begin with all *permits* available."""
        self.available: int = permits
        self.waiting: Line[W, int] = Line()

    def acquire(self, permits: int) -> bool:
        """Lend permits, if there are enough and nobody is first.

        Args:
            permits: How many.

        Returns:
            Whether they were lent; otherwise the asker has to join the line.
        """
        if self.waiting or permits > self.available:
            return False
        self.available -= permits
        return True

    def release(self, permits: int) -> None:
        """Take permits back.

        Args:
            permits: How many, of those that were lent.
        """
        self.available += permits

    def lines(self) -> tuple[Line[W, int], ...]:
        """List the lines of those who wait."""
        return (self.waiting,)

    def settle(self) -> Iterator[tuple[W, int]]:
        """Lend to those who can be served now.

        Yields:
            Each waiter with the number of its permits, in order of arrival.
        """
        while self.waiting and self.waiting.first_wanted() <= self.available:
            waiter, permits = self.waiting.pop()
            self.available -= permits
            yield waiter, permits
