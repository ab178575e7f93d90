"""Circles of asks are found however they come about, and only when they are there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    AskTimeout,
    Deadlock,
    Do,
    Message,
    free_ask,
    gather,
    handler,
    program,
)
from effactor.interpreters import ActorSystem, Simulation, explore, simulate


@dataclass(frozen=True)
class Visit(Message[str]):
    """Asks to be passed along a path of names, one actor after another."""

    path: tuple[str, ...]


class Stop(Actor[Visit]):
    """Asks the next on the path, then the one after, as long as there is one."""

    @handler
    async def visit(self, message: Visit) -> str:
        if message.path:
            first, *rest = message.path
            ref = await self.context.system.get_actor(f"/{first}")
            await ref.ask(Visit(tuple(rest)))
        return "home"


class FreeStop(Actor[Visit]):
    """The same as a program."""

    @handler
    @program
    def visit(self, message: Visit) -> Do[str, Any]:
        if message.path:
            first, *rest = message.path
            ref: ActorRef[Visit] = ActorRef.at(f"/{first}")
            yield from free_ask(ref, Visit(tuple(rest)))
        return "home"


NAMES = "abcd"
paths = st.lists(st.text(NAMES, min_size=1, max_size=5).map(tuple), min_size=1, max_size=4)


@given(paths, st.booleans())
@settings(max_examples=60)
def test_every_run_ends_in_every_order(trips: list[tuple[str, ...]], free: bool) -> None:
    """Either a trip comes home, or it is told of the circle it is on; nobody hangs."""

    def scenario(sim: Simulation) -> None:
        for name in NAMES:
            sim.spawn(FreeStop if free else Stop, name)
        outcomes = sim.run_all(
            [free_ask(ActorRef.at(f"/{t[0]}"), Visit(t[1:])).exit() for t in trips]
        )
        for trip, outcome in zip(trips, outcomes, strict=True):
            if len(trips) == 1:
                # Alone, a trip deadlocks exactly if it comes back to where it is.
                circular = any(name in trip[:n] for n, name in enumerate(trip))
                assert (getattr(outcome, "value", None) == "home") != circular
            if not hasattr(outcome, "value"):
                assert "waits for" in repr(outcome) or "Deadlock" in repr(outcome)

    verdict = explore(scenario, 30, strategy="random", time="latency")
    assert verdict.ok, verdict


def test_a_chain_that_was_followed_before_is_followed_anew_after_a_reply(world: World) -> None:
    class Middle(Actor[str]):
        """Asks the end first, then, itself waited for, the one who waits for it."""

        @override
        async def on_receive(self, message: str) -> str:
            system: ActorSystem = self.context.system
            await (await system.get_actor("/end")).ask("slowly")
            try:
                await (await system.get_actor("/start")).ask("anything")
            except Deadlock:
                return "told"
            return "not told"

    class Start(Actor[str]):
        @override
        async def on_receive(self, message: str) -> str:
            middle = await self.context.system.get_actor("/middle")
            return str(await middle.ask("go"))

    class End(Actor[str]):
        @override
        async def on_receive(self, message: str) -> str:
            import asyncio

            await asyncio.sleep(1)
            return "end"

    async def body(system: ActorSystem) -> Any:
        for actor, name in ((Start, "start"), (Middle, "middle"), (End, "end")):
            await system.spawn(actor, name)
        return await (await system.get_actor("/start")).ask("go")

    assert world.run(body) == "told"


def test_an_ask_under_a_timeout_of_asyncio_is_no_deadlock(
    world: World, request: pytest.FixtureRequest
) -> None:
    if world.name == "tasks":
        reason = "a real task does not tell whether a timeout watches over it"
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))

    class Patient(Actor[str]):
        @override
        async def on_receive(self, message: str) -> str:
            other = await self.context.system.get_actor("/impatient")
            return str(await other.ask("back"))

    class Impatient(Actor[str]):
        @override
        async def on_receive(self, message: str) -> str:
            if message == "back":
                return "answered"
            patient = await self.context.system.get_actor("/patient")
            try:
                async with asyncio.timeout(5):
                    await patient.ask("go")
            except TimeoutError:
                return "gave up"
            return "waited"

    async def body(system: ActorSystem) -> Any:
        await system.spawn(Patient, "patient")
        impatient = await system.spawn(Impatient, "impatient")
        return await impatient.ask("go")

    assert world.run(body) == "gave up"


async def _in_a_task(actor: Any, me: ActorRef[Any], timeout: float | None) -> Any:
    return (await asyncio.gather(me.ask("ping", timeout=timeout)))[0]


async def _in_a_task_of_its_own(actor: Any, me: ActorRef[Any], timeout: float | None) -> Any:
    return await asyncio.create_task(me.ask("ping", timeout=timeout))


async def _as_a_future(actor: Any, me: ActorRef[Any], timeout: float | None) -> Any:
    return await me.ask_nowait("ping", timeout=timeout)


async def _in_a_branch(actor: Any, me: ActorRef[Any], timeout: float | None) -> Any:
    ask: Any = free_ask(me, "ping", timeout=timeout)
    return (await actor.context.run_free(gather([ask])))[0]


async def _in_a_sequence(actor: Any, me: ActorRef[Any], timeout: float | None) -> Any:
    return (await actor.context.sequence([(me, "ping")], timeout=timeout))[0]


ASIDE = [_in_a_task, _in_a_task_of_its_own, _as_a_future, _in_a_branch, _in_a_sequence]


class Asks(Actor[Any]):
    """Asks itself beside its handler: see "common mistakes"."""

    def __init__(self, way: Any, timeout: float | None) -> None:
        self.way = way
        self.timeout = timeout

    @override
    async def on_receive(self, message: str) -> str:
        if message == "go":
            return str(await self.way(self, self.context.self_ref, self.timeout))
        return message


@pytest.mark.parametrize("way", ASIDE, ids=lambda way: way.__name__)
def test_a_self_ask_beside_the_handler_ends_with_its_timeout_and_the_actor_goes_on(
    world: World, way: Any
) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(lambda: Asks(way, 5))
        with pytest.raises(AskTimeout):
            await ref.ask("go")
        assert await ref.ask("on") == "on"
        overlapping = await system.spawn(lambda: Asks(way, None), reentrant=True)
        assert await overlapping.ask("go") == "ping"

    world.run(body)


@pytest.mark.parametrize("way", ASIDE, ids=lambda way: way.__name__)
def test_the_simulator_reports_a_self_ask_beside_the_handler(way: Any) -> None:
    def scenario(sim: Simulation) -> None:
        sim.run(free_ask(sim.spawn(lambda: Asks(way, None), "asks"), "go"))

    error = simulate(scenario).error
    assert isinstance(error, Deadlock)
    assert not error.cycle
    assert "/sim/asks waits for" in str(error)
