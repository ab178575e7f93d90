"""Pools: crews whose members are workers, actors of their own under the pool's front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, final

from typing_extensions import override

from effactor_interpreters.runtime.asking import tell_in_envelope
from effactor_interpreters.runtime.controls import START, Question
from effactor_interpreters.runtime.coroutines import coroutine
from effactor_interpreters.runtime.crews import Crew, Member
from effactor_interpreters.runtime.policies import PolicyStop, policy_of
from effactor_interpreters.runtime.stopping import request_stop, when_stopped
from effactor_interpreters.runtime.waits import START_OF, Wait, wait_for

if TYPE_CHECKING:
    from collections.abc import Generator

    from effactor.actors.envelope import SendOptions
    from effactor.actors.pool import Pool
    from effactor_interpreters.runtime.equipment import Equipped


@final
class Worker(Member):
    """An actor of a pool."""

    __slots__ = ()

    @override
    async def tell(self, message: Any, options: SendOptions | None = None) -> None:
        """Send a message to this worker alone."""
        tell_in_envelope(self, message, options, "tell")

    @override
    def tell_nowait(self, message: Any, options: SendOptions | None = None) -> None:
        """Send a message to this worker alone."""
        tell_in_envelope(self, message, options)


@final
class PoolCrew(Crew):
    """The crew of a pool: actors of their own, the front's children."""

    def __init__(self, front: Equipped, pool: Pool[Any]) -> None:
        super().__init__(front, 0)
        self._pool = pool
        self._knows_policy = False

    @override
    def priority_of(self, message: Any) -> int:
        # The front has no handlers of its own.
        worker = next(iter(self.members), None)
        kind: type[Any] = type(message)  # pyright: ignore[reportUnknownVariableType]
        return 0 if worker is None else worker.behavior.priority_of(kind)

    @override
    @coroutine
    def begin(self) -> Generator[Any, Any, None]:
        """Start the workers.

        Yields:
            What the front's driver waits for.
        """
        front, system = self.front, self.front.system
        for number in range(1, self._pool.size + 1):
            made = system.create(front, self._pool.worker, str(number), member_of=self)
            worker = cast("Worker", made)
            if number == 1:
                self._look_at(worker)
            if worker.starting:
                wait = Wait(worker, START_OF)
                system.world.deliver(worker, Question((START, wait)))
                yield from wait_for(wait)
            self.members[worker] = None
            self._idle[worker] = None
            when_stopped(worker, _Left(self, worker))

    def _look_at(self, worker: Worker) -> None:
        """Take up what the workers' class says of the pool as a whole."""
        equipment = self.front.equipment_made
        kind = type(worker.actor)
        if kind.__effactor_concurrency__ != 1:
            msg = (
                f"pool: the workers handle one message at a time each, but {kind.__name__} lets "
                f"its handlers overlap; spawn {kind.__name__} itself, without a pool"
            )
            raise ValueError(msg)
        name = equipment.props.dispatcher
        if name is not None:
            self.front.system.dispatchers.find(name, worker)  # which may refuse it
        if not self._knows_policy:
            self._knows_policy = True
            equipment.policy = policy_of(worker, worker.actor.stop_policy())

    @override
    def retire(self) -> None:
        """Learn that the workers end, and others take their place."""
        self.members.clear()
        self._idle.clear()

    @override
    @coroutine
    def end(self, mode: str, reason: str) -> Generator[Any, Any, None]:
        """Let the handlers end; `now` cancels them when the workers are stopped as children."""
        if mode != "now":
            yield from super().end(mode, reason)

    @override
    def kill(self, reason: str) -> None:
        """Leave it to whoever was more urgent than the first stop: it tells the children, too."""

    def left(self, worker: Worker) -> None:
        """Learn that a worker has stopped; without workers the pool stops, too."""
        if worker not in self.members:
            return
        del self.members[worker]
        self._idle.pop(worker, None)
        self._look()
        if not self.members and self.front.is_alive:
            request_stop(self.front, PolicyStop("its last worker stopped"))


class _Left:
    """The reply that a worker's end settles."""

    __slots__ = ("_crew", "_worker")

    def __init__(self, crew: PoolCrew, worker: Worker) -> None:
        self._crew = crew
        self._worker = worker

    def done(self) -> bool:
        return False

    def set_result(self, _value: object) -> None:
        self._crew.left(self._worker)
