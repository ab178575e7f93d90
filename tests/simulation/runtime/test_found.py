"""Bugs of the runtime that exploring has found, each as a small run of its own."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    ActorStopped,
    MemoryMailbox,
    free_sleep,
    pure,
    stash,
    unstash_all,
)
from effactor.interpreters import ActorSystem, Simulation, explore, simulate


class Plain(Actor[Any]):
    """Does nothing."""

    @override
    def on_receive(self, message: Any) -> None:
        pass


class StartsSlowly(Plain):
    """Takes a while to start."""

    @override
    async def on_started(self) -> None:
        await asyncio.sleep(5)


@pytest.mark.parametrize("how", ["shutdown", "stop"])
def test_a_spawn_whose_actor_is_stopped_while_it_starts_fails_with_actor_stopped(
    world: World, how: str
) -> None:
    async def body(system: ActorSystem) -> None:
        spawning = asyncio.ensure_future(system.spawn(StartsSlowly, "slow"))
        await asyncio.sleep(1)
        if how == "shutdown":
            await system.shutdown("now")
        else:
            ref = await system.get_actor("/slow")
            await ref.stop("now")
        with pytest.raises(ActorStopped, match=r"slow was stopped \(asked to stop"):
            await spawning

    world.run(body)


async def _crashes_while_it_shuts_down(sim: Simulation) -> None:
    ref = await sim.system.spawn(Plain, "a")
    asyncio.get_running_loop().call_soon(sim.crash, ref)
    await sim.system.shutdown("after_current", timeout=None)


def test_a_shutdown_ends_when_the_last_actor_crashes_meanwhile() -> None:
    assert explore(_crashes_while_it_shuts_down, strategy="exhaustive").failure is None


class Waits(Actor[str]):
    """Waits in its handler, and writes down its end."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    @override
    async def on_receive(self, message: str) -> None:
        await asyncio.sleep(5)

    @override
    def on_stopped(self) -> None:
        self.log.append("stopped")


def test_an_actor_with_a_mailbox_of_its_own_that_is_stopped_twice_ends_once(world: World) -> None:
    log: list[str] = []

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(partial(Waits, log), mailbox=MemoryMailbox(3))
        await ref.tell("wait")
        await asyncio.sleep(1)
        await ref.stop()  # waits behind the mail
        await ref.stop("now")
        await ref.join()

    log.clear()
    world.run(body)
    assert log == ["stopped"]


class FailsOrWaits(Actor[str]):
    """Raises, or waits in its handler."""

    @override
    async def on_receive(self, message: str) -> str:
        if message == "fail":
            raise ValueError(message)
        await asyncio.sleep(100)
        return message


async def _crashes_while_it_waits_for_a_restart(sim: Simulation) -> None:
    ref = await sim.system.spawn(FailsOrWaits, "a", reentrant=True)
    await ref.tell("wait")
    await ref.tell("fail")
    await asyncio.sleep(50)
    asked = asyncio.ensure_future(ref.ask("handed out while it waits"))
    await asyncio.sleep(10)
    sim.crash(ref)
    with pytest.raises(ActorStopped) as error:
        await asked
    assert error.value.delivered


def test_asks_that_overlap_a_restart_end_when_their_actor_crashes() -> None:
    run = simulate(_crashes_while_it_waits_for_a_restart)
    assert run.error is None, run.error


class Keeps(Actor[str]):
    """Sets the first message aside, and takes it up again at the second."""

    def __init__(self, begun: list[str]) -> None:
        self.begun = begun
        self.open = False

    @override
    def on_receive(self, message: str) -> Any:
        if message == "open":
            self.open = True
            return unstash_all()
        if not self.open:
            return stash()
        self.begun.append(message)
        return free_sleep(1).then(pure(message))


async def _crashes_at_any_time(sim: Simulation) -> None:
    begun: list[str] = []
    ref = await sim.system.spawn(partial(Keeps, begun), "a")
    asked = asyncio.ensure_future(ref.ask("kept"))
    await asyncio.sleep(1)
    await ref.tell("open")
    await asyncio.sleep(0.5)
    sim.crash(ref)
    try:
        await asked
    except ActorStopped as error:
        delivered = error.delivered
    else:
        return
    assert delivered == bool(begun)
    sim.sometimes(begun, "it crashes after the message was taken up again")
    sim.sometimes(not begun, "it crashes before")


def test_a_crash_knows_whether_a_message_was_taken_up_again() -> None:
    verdict = explore(_crashes_at_any_time, strategy="exhaustive")
    assert verdict.failure is None, verdict.failure


class Asks(Actor[str]):
    """Asks an actor that takes long to reply."""

    def __init__(self, asked: ActorRef[Any]) -> None:
        self.asked = asked

    @override
    async def on_receive(self, message: str) -> None:
        await self.asked.ask("wait", timeout=1000)


def _timers(sim: Simulation) -> list[str]:
    world: Any = vars(sim)["_world"]
    return [timer.what for timer in world._timers._heap if not timer.cancelled]


async def _leaves_one_behind(sim: Simulation) -> None:
    slow = await sim.system.spawn(partial(Waits, []), "slow")
    ref = await sim.system.spawn(partial(Asks, slow), "asks")
    await ref.tell("go")
    await asyncio.sleep(1)
    # Two of its timers may fire before a message arrives: then it leaves actors behind.
    await sim.system.shutdown("drain", timeout=1)
    assert not _timers(sim)


def test_the_ask_of_an_actor_that_is_left_behind_leaves_no_timer() -> None:
    verdict = explore(_leaves_one_behind, 500)
    assert verdict.failure is None, verdict.failure


class Insists(Actor[str]):
    """Goes on although it was cancelled."""

    @override
    async def on_receive(self, message: str) -> None:
        try:
            await _for_ever()
        except asyncio.CancelledError:
            await _for_ever()


async def _for_ever() -> None:
    """Wait for what never comes."""
    await asyncio.get_running_loop().create_future()


async def _crashes_while_it_insists(sim: Simulation) -> None:
    ref = await sim.system.spawn(Insists, "a", reentrant=True)
    await ref.tell("go")
    await asyncio.sleep(1)
    await ref.stop("now")
    await asyncio.sleep(1)
    assert _timers(sim)  # its patience
    sim.crash(ref)
    assert not _timers(sim)


def test_a_crash_ends_the_patience_with_handlers_that_overlap() -> None:
    run = simulate(_crashes_while_it_insists)
    assert run.error is None, run.error
