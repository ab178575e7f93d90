"""Asks: one after another, many at once, through a chain, and by programs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from benchmarks.actors import (
    Awaited,
    Get,
    Hop,
    Pause,
    Plain,
    Relay,
    RelayState,
    classic,
    classic_direct,
    classic_plain,
    classic_plain_direct,
)
from benchmarks.classic import Direct, stop_all
from benchmarks.crowds import Crowd, crowds
from benchmarks.measuring import Case, Effort, Row, compare, overhead, speedup
from effactor import ActorRef, ActorSystem, Do, free_ask, program

TOPIC = "asks"

BLOCK = 1000
"""Asks of one program."""

_Ask = Callable[[Any], Awaitable[Any]]


async def one_by_one(ask: _Ask, message: object, times: int) -> None:
    for _ in range(times):
        await ask(message)


async def gathered(ask: _Ask, message: object, rounds: int) -> None:
    for _ in range(rounds):
        await asyncio.gather(*[ask(message) for _ in range(1000)])


async def hop_by_hop(ask: _Ask, actors: int, rounds: int) -> None:
    message = Hop()
    for _ in range(rounds):
        if await ask(message) != actors - 1:
            msg = "not every actor of the chain was asked"
            raise AssertionError(msg)


@program
def asking(ref: ActorRef[Get], message: Get, times: int) -> Do[None, Any]:
    for _ in range(times):
        yield from free_ask(ref, message)


async def rows(effort: Effort) -> list[Row]:
    async with ActorSystem("asks") as system:
        return [
            *await sequential(effort, system),
            *await concurrent(effort, system),
            *await through_a_chain(effort, system),
            *await by_programs(effort, system),
        ]


async def sequential(effort: Effort, system: ActorSystem) -> list[Row]:
    n = effort.times(20_000)
    message = Get(1)
    awaited, plain = await system.spawn(Awaited), await system.spawn(Plain)

    others = {
        "classic async": classic_direct(),
        "classic def": classic_plain_direct(),
        "classic async, dispatching": classic(),
        "classic def, dispatching": classic_plain(),
    }

    def case(name: str, ask: _Ask) -> Case:
        return Case(name, n, lambda: one_by_one(ask, message, n))

    measured = await compare(
        effort,
        case("async", awaited.ask),
        case("def", plain.ask),
        *(case(name, other.ask) for name, other in others.items()),
    )
    await stop_all(others.values())
    return [
        speedup(TOPIC, "one by one, async def", measured, "async", "classic async", 9),
        speedup(TOPIC, "one by one, def", measured, "def", "classic def", 18),
        speedup(
            TOPIC,
            "one by one, async def, classic dispatches too",
            measured,
            "async",
            "classic async, dispatching",
        ),
        speedup(
            TOPIC,
            "one by one, def, classic dispatches too",
            measured,
            "def",
            "classic def, dispatching",
        ),
    ]


async def concurrent(effort: Effort, system: ActorSystem) -> list[Row]:
    rounds = effort.times(10)
    message, pause = Get(1), Pause(1)
    made = await crowds(system, 1)
    ours, theirs = made["async"], made["dispatching async"]
    ref, other = await system.spawn(Awaited), classic()

    def case(name: str, crowd: Crowd, ask: _Ask) -> Case:
        return Case(name, rounds * 1000, lambda: gathered(ask, message, rounds), crowd.handled)

    def alone(name: str, ask: _Ask) -> Case:
        return Case(name, rounds * 200, lambda: one_by_one(ask, pause, rounds * 200))

    measured = await compare(
        effort,
        case("ask", ours, ours.to[0].ask),
        case("classic ask", theirs, theirs.to[0].ask),
        case("ask_nowait", ours, ours.to[0].ask_nowait),
        case("classic ask_nowait", theirs, theirs.to[0].ask_nowait),
        alone("pause", ref.ask),
        alone("classic pause", other.ask),
    )
    await stop_all([other])
    for crowd in made.values():
        await crowd.stop()
    return [
        speedup(TOPIC, "1,000 at once, gather of ask", measured, "ask", "classic ask"),
        speedup(
            TOPIC,
            "1,000 at once, gather of ask_nowait",
            measured,
            "ask_nowait",
            "classic ask_nowait",
        ),
        speedup(TOPIC, "one by one, the handler sleeps 0 s", measured, "pause", "classic pause"),
    ]


async def through_a_chain(effort: Effort, system: ActorSystem) -> list[Row]:
    hops, rounds = 100, effort.times(50)
    ref = await system.spawn(lambda: Relay(None))
    others = [Direct(RelayState(None).hop)]
    for _ in range(hops - 1):
        ref = await system.spawn(partial(Relay, ref))
        others.append(Direct(RelayState(others[-1]).hop))
    other = others[-1]
    measured = await compare(
        effort,
        Case("chain", rounds, lambda: hop_by_hop(ref.ask, hops, rounds)),
        Case("classic chain", rounds, lambda: hop_by_hop(other.ask, hops, rounds)),
    )
    await stop_all(others)
    return [speedup(TOPIC, "a chain of 100 actors", measured, "chain", "classic chain", 4)]


async def by_programs(effort: Effort, system: ActorSystem) -> list[Row]:
    n = BLOCK * effort.times(10)
    message = Get(1)
    awaited, plain = await system.spawn(Awaited), await system.spawn(Plain)

    async def in_blocks(ref: ActorRef[Get]) -> None:
        for _ in range(n // BLOCK):
            await system.run_free(asking(ref, message, BLOCK))

    async def one_a_run(ref: ActorRef[Get]) -> None:
        for _ in range(n):
            await system.run_free(free_ask(ref, message))

    other, plain_other = classic_direct(), classic_plain_direct()
    measured = await compare(
        effort,
        Case("ask async", n, lambda: one_by_one(awaited.ask, message, n)),
        Case("ask def", n, lambda: one_by_one(plain.ask, message, n)),
        Case("program async", n, lambda: in_blocks(awaited)),
        Case("program def", n, lambda: in_blocks(plain)),
        Case("run async", n, lambda: one_a_run(awaited)),
        Case("run def", n, lambda: one_a_run(plain)),
        Case("classic async", n, lambda: one_by_one(other.ask, message, n)),
        Case("classic def", n, lambda: one_by_one(plain_other.ask, message, n)),
    )
    await stop_all([other, plain_other])
    return [
        speedup(TOPIC, "a program asks, async def", measured, "program async", "classic async"),
        speedup(TOPIC, "a program asks, def", measured, "program def", "classic def"),
        overhead(
            TOPIC,
            "a program asks, against await, async def",
            measured,
            "program async",
            "ask async",
            2.2,
        ),
        overhead(TOPIC, "a program asks, against await, def", measured, "program def", "ask def"),
        overhead(
            TOPIC,
            "run_free of one ask, against await, async def",
            measured,
            "run async",
            "ask async",
            5,
        ),
        overhead(TOPIC, "run_free of one ask, against await, def", measured, "run def", "ask def"),
    ]
