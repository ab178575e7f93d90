"""What an actor that fails, or whose children fail, needs to be supervised.

Made when first needed: an actor that never fails has none of it. It goes with the
actor, so nothing of a child that has stopped is left with its supervisor.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from effactor.actors.supervision import SupervisorStrategy
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.waits import Wait
    from effactor_interpreters.runtime.world import World


class Restarts:
    """When the restarts were that count together, within the window of their strategy."""

    __slots__ = ("_began", "_schedule", "_state", "_times")

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._began: float = 0.0
        self._schedule: Any = None
        self._state: Any = None

    def next(self, world: World, strategy: SupervisorStrategy, error: BaseException) -> float | str:
        """Count a restart.

        Args:
            world: Has the time, and the chances of a schedule with a jitter.
            strategy: The strategy.
            error: What the restart is for.

        Returns:
            Seconds to wait before it; or why there must be none, in words.
        """
        now, times = world.clock(), self._times
        while times and now - times[0] > strategy.within_seconds:
            times.popleft()
        limit = strategy.max_restarts
        if limit is not None and len(times) >= limit:
            return f"stopped after more than {limit} restarts in {strategy.within_seconds:g} s"
        schedule, delay = strategy.backoff, 0.0
        if schedule is not None:
            if not times or schedule != self._schedule:
                self._began, self._schedule, self._state = now, schedule, schedule.begin()
            chance = world.random.random() if schedule.needs_chance else 0.0
            decision = schedule.decide(self._state, error, now - self._began, chance)
            if decision is None:
                return f"stopped when the back-off {schedule!r} was over"
            delay, self._state = decision
        # The moment of the restart, not of the failure: a delay longer than the window
        # would make every failure the first.
        times.append(now + delay)
        while len(times) > (limit or 1):
            times.popleft()  # without a limit the latest is enough
        return delay


def instance_of(cell: Cell) -> int:
    """Return how many instances an actor has had before the present one."""
    relations = cell.relations_made
    recovery = None if relations is None else relations.recovery_made
    return 0 if recovery is None else recovery.instance


class Recovery:
    """The part of a cell that is about failures.

    Attributes:
        instance: How many instances the actor has had before the present one.
        over: Whether the present instance has run `on_stopped`, or must not.
        shielded: Whether the `on_stopped` of an instance that is replaced runs: a first
            stop does not cut it short.
        backoff: What the actor waits with before its restart, or None.
        leaving: Whether a graceful stop is on its way: then no restart is delayed.
        own: The restarts that count for this actor alone, once there was one.
        of_children: Those of its children that count together, likewise.
    """

    __slots__ = (
        "backoff",
        "instance",
        "leaving",
        "of_children",
        "over",
        "own",
        "shielded",
    )

    def __init__(self) -> None:
        self.instance: int = 0
        self.over: bool = False
        self.shielded: bool = False
        self.backoff: Wait | None = None
        self.leaving: bool = False
        self.own: Restarts | None = None
        self.of_children: Restarts | None = None
