"""What few cells need: children, joiners, restarts. Made when first needed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.supervision import OneForOneStrategy
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.driver import Driver


class Relations:
    """The rarely needed part of a cell.

    Attributes:
        children: Living children by name, in order of start.
        joiners: Replies to settle when the actor has stopped.
        factory: What makes a new instance, if it is not the actor's class.
        starting: Whether `on_started` has yet to run.
        spawned: How many children without a name were spawned.
        ended: Why the actor stopped, in words.
        cancelled: How often the handler was cancelled in its first step.
        guarded: Whether it asked about cancellations in its first step.
        killed: Why the running handler was cancelled for good; None if it was not.
        ended_at: When, on the world's clock.
        stashed: Mailbox items that its handlers have set aside, in the order they came.
        states: The values of the `State` cells kept per actor; None before the first.
    """

    __slots__ = (
        "_restarts",
        "cancelled",
        "children",
        "ended",
        "ended_at",
        "factory",
        "guarded",
        "joiners",
        "killed",
        "spawned",
        "starting",
        "stashed",
        "states",
    )

    def __init__(self) -> None:
        self.children: dict[str, Cell] = {}
        self.joiners: list[Any] = []
        self.factory: Callable[[], Any] | None = None
        self.starting: bool = False
        self.spawned: int = 0
        self.ended: str = ""
        self.killed: str | None = None
        self.cancelled: int = 0
        self.guarded: bool = False
        self.ended_at: float = 0.0
        self.stashed: list[Any] = []
        self.states: dict[Any, Any] | None = None
        self._restarts: deque[float] = deque()

    def hand_over(self, driver: Driver) -> None:
        """Tell the driver what happened in the handler's first step, when it had none."""
        driver.must_cancel = driver.must_cancel or self.cancelled > 0
        driver.cancellations = self.cancelled
        driver.guarded = self.guarded
        self.turn_is_over()

    def turn_is_over(self) -> None:
        """Forget what happened in the first step of a handler that has ended."""
        self.cancelled = 0
        self.guarded = False

    def may_restart(self, now: float, strategy: OneForOneStrategy) -> bool:
        """Count a restart, and say whether the strategy allows it.

        Args:
            now: Time on the world's clock, in seconds.
            strategy: The strategy.

        Returns:
            False if this is one restart too many within the window.
        """
        restarts = self._restarts
        while restarts and now - restarts[0] > strategy.within_seconds:
            restarts.popleft()
        if len(restarts) >= strategy.max_restarts:
            return False
        restarts.append(now)
        return True
