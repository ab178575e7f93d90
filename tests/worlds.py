"""The worlds in which every test of semantics runs: live, without real waiting, and simulated.

The fixture `world` is one of them; the root conftest.py loads it.
"""

from __future__ import annotations

import asyncio
import heapq
from typing import TYPE_CHECKING, Any, Protocol, cast

import pytest
from typing_extensions import TypeVar, override

from effactor.interpreters import ActorSystem, simulate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from effactor.interpreters import Simulation


class ImpatientLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop, but a timer that is next fires at once: its clock jumps."""

    def __init__(self) -> None:
        super().__init__()
        self._jumped = 0.0

    @override
    def time(self) -> float:
        return super().time() + self._jumped

    def _run_once(self) -> None:
        loop: Any = self  # what follows is private to asyncio
        base: Any = super()
        scheduled = loop._scheduled
        while scheduled and scheduled[0].cancelled():
            heapq.heappop(scheduled)._scheduled = False
            loop._timer_cancelled_count -= 1
        if not loop._ready and scheduled:
            self._jumped += max(0.0, scheduled[0].when() - self.time())
        base._run_once()


A = TypeVar("A")


class World(Protocol):
    """Where a test of semantics runs."""

    name: str

    def run(self, body: Callable[[ActorSystem], Awaitable[A]]) -> A:
        """Await `body(system)`."""
        ...


class Live:
    """Actors on asyncio."""

    name = "live"

    def run(self, body: Callable[[ActorSystem], Awaitable[A]]) -> A:
        async def main() -> A:
            async with ActorSystem("sim") as system:
                return await body(system)

        with asyncio.Runner(loop_factory=ImpatientLoop) as runner:
            return runner.run(main())


class LiveQueued(Live):
    """Actors on asyncio, with no ask handled on the asker's stack."""

    name = "queued"

    @override
    def run(self, body: Callable[[ActorSystem], Awaitable[A]]) -> A:
        async def queued(system: ActorSystem) -> A:
            system.renew = lambda: False  # type: ignore[method-assign]
            drain = system.drain

            def without_budget() -> None:
                drain()
                system.budget = 0

            system.drain = without_budget  # type: ignore[method-assign]
            return await body(system)

        return super().run(queued)


class LiveInTasks(Live):
    """Actors on asyncio, on a Python whose current task cannot be a cell."""

    name = "tasks"

    @override
    def run(self, body: Callable[[ActorSystem], Awaitable[A]]) -> A:
        async def in_tasks(system: ActorSystem) -> A:
            system.native = False
            return await body(system)

        return super().run(in_tasks)


class Simulated:
    """Actors in the simulator, in an order drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.name = f"simulated-{seed}"
        self._seed = seed

    def run(self, body: Callable[[ActorSystem], Awaitable[A]]) -> A:
        async def scenario(sim: Simulation) -> A:
            return await body(sim.system)

        run = simulate(scenario, seed=self._seed)
        if run.error is not None:
            raise run.error
        return cast("A", run.value)  # None only if there was an error


WORLDS: list[World] = [
    Live(),
    LiveQueued(),
    LiveInTasks(),
    Simulated(0),
    Simulated(1),
    Simulated(2),
]


# For what takes long: `@in_one_of_each` in place of all of them.
in_one_of_each = pytest.mark.parametrize(
    "world", [WORLDS[0], WORLDS[3]], ids=lambda world: world.name
)


@pytest.fixture(params=WORLDS, ids=lambda world: world.name)
def world(request: pytest.FixtureRequest) -> World:
    """One of the worlds."""
    one: World = request.param
    return one
