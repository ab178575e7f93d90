"""A pool: several workers behind one mailbox, as a value to spawn."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, final

from typing_extensions import TypeVar, override

from effactor.actors.actor import Actor
from effactor.actors.stop_policy import StopMode, StopPolicy
from effactor.actors.supervision import OneForOneStrategy, a_strategy

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.supervision import SupervisorStrategy

M = TypeVar("M")

# No bound: one message that fails must not cost the pool a worker for good. The window is
# short because restarts are remembered that long.
_RESTART = OneForOneStrategy(max_restarts=sys.maxsize, within_seconds=1.0)


class PoolFront(Actor[Any]):
    """What stands at the path of a pool; its workers handle the messages.

    Attributes:
        strategy: How the workers are supervised.
    """

    def __init__(self, strategy: SupervisorStrategy | None) -> None:
        """Keep the strategy."""
        self.strategy: SupervisorStrategy = _RESTART if strategy is None else strategy

    @override
    def stop_policy(self) -> StopPolicy:
        """Say nothing: the runtime takes up what the workers' class says."""
        return StopMode.NEVER

    @override
    def on_receive(self, message: Any) -> Any:
        """Never called: the runtime gives each message to a worker."""
        raise NotImplementedError

    @override
    def supervisor_strategy(self) -> SupervisorStrategy:
        """Supervise the workers."""
        return self.strategy


@final
@dataclass(frozen=True, slots=True)
class Pool(Generic[M]):
    """A pool of workers; `pool` makes it, `spawn` starts it.

    Attributes:
        worker: What makes a worker.
        size: How many there are.
        strategy: How they are supervised; None restarts each that fails, without a bound.
    """

    worker: Callable[[], Actor[M]]
    size: int
    strategy: SupervisorStrategy | None = None

    def __call__(self) -> Actor[M]:
        """Make the actor at the pool's path; the runtime makes the workers."""
        return PoolFront(self.strategy)


def pool(
    worker: Callable[[], Actor[M]], size: int, *, strategy: SupervisorStrategy | None = None
) -> Pool[M]:
    """Describe several workers behind one mailbox: `await system.spawn(pool(Worker, 3), "pool")`.

    A message goes to a worker that is idle; while all are busy, messages wait in the
    pool's mailbox, in its order. What one worker's handler raises fails that message
    alone: the asker gets it, the worker restarts, the others go on. The workers are the
    pool's children, `/pool/1` and so on. A worker that stops is not replaced; when the last
    has stopped, the pool stops.

    What the workers' class says of an actor as a whole holds for the pool: its priorities
    order the pool's mailbox, and its stop policy stops the pool, `StopMode.ONE_TIME` after
    the first message and `AfterIdle` when all have been idle for so long. Mailbox,
    middleware and dispatcher are those of the pool's spawn. A worker handles one message
    at a time, so a class that lets its handlers overlap makes no workers. If the pool
    itself is restarted, by its own supervisor, all workers are made anew.

    Args:
        worker: The workers' class, or a function without arguments that makes one.
        size: How many.
        strategy: How the workers are supervised; None restarts each that fails, without a
            bound on their number.

    Returns:
        A value to spawn, once or often.

    Raises:
        TypeError: If *worker* makes no actors, *size* is no whole number, or *strategy* no
            strategy.
        ValueError: If *size* is below 1.
    """
    from effactor.programs.operations import check_spawn

    check_spawn("pool", worker, None, "worker")
    if isinstance(size, bool) or not isinstance(size, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        msg = f"pool: size must be a whole number, got {size!r}"
        raise TypeError(msg)
    if size < 1:
        msg = f"pool: size must be at least 1, got {size!r}"
        raise ValueError(msg)
    if strategy is not None:
        a_strategy("pool: strategy", strategy)
    return Pool(worker, size, strategy)
