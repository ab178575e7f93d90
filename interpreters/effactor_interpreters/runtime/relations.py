"""What few cells need: children, joiners, restarts. Made when first needed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.supervision import OneForOneStrategy
    from effactor_interpreters.runtime.cell import Cell


class Relations:
    """The rarely needed part of a cell.

    Attributes:
        children: Living children by name, in order of start.
        joiners: Replies to settle when the actor has stopped.
        factory: What makes a new instance, if it is not the actor's class.
        starting: Whether `on_started` has yet to run.
        spawned: How many children without a name were spawned.
        ended: Why the actor stopped, in words.
        killed: Why the running handler was cancelled for good; None if it was not.
        ended_at: When, on the world's clock.
    """

    __slots__ = (
        "_restarts",
        "children",
        "ended",
        "ended_at",
        "factory",
        "joiners",
        "killed",
        "spawned",
        "starting",
    )

    def __init__(self) -> None:
        self.children: dict[str, Cell] = {}
        self.joiners: list[Any] = []
        self.factory: Callable[[], Any] | None = None
        self.starting: bool = False
        self.spawned: int = 0
        self.ended: str = ""
        self.killed: str | None = None
        self.ended_at: float = 0.0
        self._restarts: deque[float] = deque()

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
