"""A line of waiters: served in order of arrival, left from any place."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

W = TypeVar("W")
X = TypeVar("X")


class Line(Generic[W, X]):
    """Waiters `W` in order of arrival, each with what it asks for, `X`.

    Joining, leaving and serving take constant time, whatever the length.
    """

    # An OrderedDict, because a plain dict that loses its first key again and again
    # looks through all the lost ones each time.
    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        """Begin without anybody."""
        self._waiters: OrderedDict[W, X] = OrderedDict()

    def __len__(self) -> int:
        """Count the waiters."""
        return len(self._waiters)

    def __iter__(self) -> Iterator[W]:
        """Go through the waiters, the first first."""
        return iter(self._waiters)

    def append(self, waiter: W, wanted: X) -> None:
        """Join at the end.

        Args:
            waiter: Who waits; hashable.
            wanted: What it asks for.
        """
        self._waiters[waiter] = wanted

    def first_wanted(self) -> X:
        """Return what the first waiter asks for; there must be one."""
        return self._waiters[next(iter(self._waiters))]

    def pop(self) -> tuple[W, X]:
        """Take the first waiter out; there must be one.

        Returns:
            The waiter, and what it asks for.
        """
        return self._waiters.popitem(last=False)

    def leave(self, waiter: W) -> bool:
        """Take a waiter out, wherever it stands.

        Args:
            waiter: The waiter.

        Returns:
            Whether it stood in the line.
        """
        if waiter not in self._waiters:
            return False
        del self._waiters[waiter]
        return True
