"""`scoped` stops the actors that are spawned inside of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    Do,
    Program,
    acquire_release,
    fail,
    free_call,
    free_lookup,
    free_sleep,
    free_spawn,
    gather,
    handler,
    never,
    program,
    pure,
    scoped,
)
from effactor.interpreters import ActorSystem

log: list[str] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


class Worker(Actor[str]):
    """Says when it stops."""

    @handler
    def echo(self, message: str) -> str:
        return message

    @override
    def on_stopped(self) -> None:
        log.append(f"{self.context.self_ref.name} stopped")


def run(world: World, value: Any) -> Any:
    async def body(system: ActorSystem) -> Any:
        answer = await system.run_free(value)
        log.append("run ended")
        await system.shutdown()
        return answer

    return world.run(body)


def spawn(name: str) -> Program[ActorRef[str]]:
    return free_spawn(Worker, name)


def test_an_actor_spawned_by_a_run_survives_it(world: World) -> None:
    run(world, spawn("a"))
    assert log == ["run ended", "a stopped"]


def test_scoped_stops_what_it_spawned_last_first_and_waits(world: World) -> None:
    run(world, scoped(spawn("a").then(spawn("b"))).then(free_call(log.append, "after")))
    assert log == ["b stopped", "a stopped", "after", "run ended"]


def test_an_actor_outlives_what_was_acquired_after_it(world: World) -> None:
    resource = acquire_release(pure("r"), lambda it: free_call(log.append, f"{it} released"))
    run(world, scoped(spawn("a").then(resource).then(spawn("b"))))
    assert log == ["b stopped", "r released", "a stopped", "run ended"]


@pytest.mark.parametrize(
    "ending",
    [pure(1), fail("no"), free_call(int, "x"), free_sleep(5).timeout(1), never().timeout(1)],
    ids=["success", "failure", "defect", "timeout", "interrupt"],
)
def test_scoped_stops_actors_however_it_ends(world: World, ending: Any) -> None:
    run(world, scoped(spawn("a").then(ending)).exit())
    assert log == ["a stopped", "run ended"]


def test_branches_and_forks_inside_spawn_into_the_scope(world: World) -> None:
    @program
    def inside() -> Do[None, Any]:
        yield from gather([spawn("a"), spawn("b")])
        yield from free_lookup("/a")
        yield from (yield from spawn("c").fork()).join()
        yield from free_lookup("/c")
        log.append("all there")

    run(world, scoped(inside()))
    assert log == ["all there", "c stopped", "b stopped", "a stopped", "run ended"]


def test_scoped_stops_what_a_fork_spawns_while_it_is_interrupted(world: World) -> None:
    @program
    def inside() -> Do[None]:
        yield from spawn("a")
        yield from never().on_interrupt(spawn("late")).fork()
        yield from free_sleep(1)

    run(world, scoped(inside()).then(free_call(log.append, "after")))
    assert log == ["late stopped", "a stopped", "after", "run ended"]


def test_a_fork_from_outside_does_not_spawn_into_a_scope_entered_later(world: World) -> None:
    @program
    def outer() -> Do[None, Any]:
        fiber = yield from free_sleep(1).then(spawn("late")).fork()
        yield from scoped(free_sleep(2).then(spawn("inner")))
        yield from free_lookup("/late")
        yield from fiber.join()

    run(world, outer())
    assert log == ["inner stopped", "run ended", "late stopped"]


def test_the_innermost_scope_stops_it(world: World) -> None:
    nested = scoped(spawn("a").then(scoped(spawn("b"))).then(spawn("c")))
    run(world, nested)
    assert log == ["b stopped", "c stopped", "a stopped", "run ended"]


def test_a_cancelled_run_stops_what_its_scope_spawned(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        task = asyncio.ensure_future(system.run_free(scoped(spawn("a").then(never()))))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        log.append("run ended")

    world.run(body)
    assert log == ["a stopped", "run ended"]


class Slow(Worker):
    """Takes its time to start."""

    @override
    async def on_started(self) -> None:
        await asyncio.sleep(5)


def test_an_interrupt_while_it_starts_leaves_no_actor_behind(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        await system.run_free(scoped(free_spawn(Slow, "slow")).timeout(1).exit())
        log.append("run ended")
        assert not system.cells

    world.run(body)
    # It never started, so there is nothing for its `on_stopped` to undo.
    assert log == ["run ended"]


class Boss(Actor[str]):
    """Spawns a child for each message."""

    @handler
    def work(self, message: str) -> Any:
        return scoped(free_spawn(Worker, message).bind(use))


@program
def use(child: ActorRef[str]) -> Do[str, Any]:
    log.append(f"using {child.path}")
    reply: str = yield from child.free_ask("done")
    return reply


def test_in_a_handler_the_children_stop_with_the_scope(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        boss = await system.spawn(Boss, "boss")
        assert await boss.ask("a") == "done"
        assert await boss.ask("a") == "done"

    world.run(body)
    assert log == ["using /boss/a", "a stopped", "using /boss/a", "a stopped"]
