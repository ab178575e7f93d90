"""The rules of a deferred: completed once, and then the same for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from effactor.coordination.line import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from effactor.programs.exits import FailedWith, Succeeded

W = TypeVar("W")


class DeferredRules(Generic[W]):
    """What is known of one deferred, and who waits for it.

    Attributes:
        outcome: How it was completed; None before.
        waiting: Who waits for that.
    """

    __slots__ = ("outcome", "waiting")

    def __init__(self) -> None:
        """Begin without an outcome."""
        self.outcome: Succeeded[Any] | FailedWith[Any] | None = None
        self.waiting: Line[W, None] = Line()

    def complete(self, outcome: Succeeded[Any] | FailedWith[Any]) -> bool:
        """Complete it, unless it was completed before.

        Args:
            outcome: The answer or the failure.

        Returns:
            Whether this was the first completion.
        """
        if self.outcome is not None:
            return False
        self.outcome = outcome
        return True

    def lines(self) -> tuple[Line[W, Any], ...]:
        """List the lines of those who wait."""
        return (self.waiting,)

    def settle(self) -> Iterator[tuple[W, Any]]:
        """Take out who can be served now.

        Yields:
            Each waiter with the outcome, in order of arrival.
        """
        while self.outcome is not None and self.waiting:
            waiter, _ = self.waiting.pop()
            yield waiter, self.outcome
