"""Tells, measured until the last one is handled; and the start and stop of actors.

The classic actor's start makes its queue and its task; its stop cancels the task and
awaits it. It has no name, no registry entry and no ref, which effactor's have.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.actors import Awaited, Get, classic_direct
from benchmarks.by_hand import LeastSystem
from benchmarks.classic import stop_all
from benchmarks.crowds import crowds
from benchmarks.measuring import Case, Effort, Row, compare, speedup
from effactor import ActorSystem

TOPIC = "tells"

BURST = 1000

_Ask = Callable[[Any], Awaitable[Any]]


async def bursts(tell: Callable[[Any], None], ask: _Ask, rounds: int) -> None:
    message = Get(1)
    for _ in range(rounds):
        for _ in range(BURST - 1):
            tell(message)
        await ask(message)  # handled after all of them


async def awaited_bursts(tell: _Ask, ask: _Ask, rounds: int) -> None:
    message = Get(1)
    for _ in range(rounds):
        for _ in range(BURST - 1):
            await tell(message)
        await ask(message)


async def rows(effort: Effort) -> list[Row]:
    async with ActorSystem("tells") as system:
        return [
            *await to_one(effort, system),
            *await to_many(effort, system),
            *await lives(effort, system),
        ]


async def to_one(effort: Effort, system: ActorSystem) -> list[Row]:
    rounds = effort.times(20)
    made = await crowds(system, 1)

    def now(kind: str) -> Case:
        crowd = made[kind]
        to = crowd.to[0]
        n = rounds * BURST
        return Case(kind, n, lambda: bursts(to.tell_nowait, to.ask, rounds), crowd.handled)

    def awaiting(kind: str) -> Case:
        crowd = made[kind]
        to = crowd.to[0]
        n = rounds * BURST
        name = f"await {kind}"
        return Case(name, n, lambda: awaited_bursts(to.tell, to.ask, rounds), crowd.handled)

    measured = await compare(
        effort,
        *map(now, made),
        *map(awaiting, ("async", "def", "classic async", "classic def")),
    )
    for crowd in made.values():
        await crowd.stop()
    rows: list[Row] = []
    for kind in ("async", "def"):
        rows += [
            speedup(TOPIC, f"tell_nowait, {kind}", measured, kind, f"classic {kind}", 2.3),
            speedup(
                TOPIC,
                f"tell_nowait, {kind}, classic dispatches too",
                measured,
                kind,
                f"dispatching {kind}",
            ),
            speedup(
                TOPIC, f"await tell, {kind}", measured, f"await {kind}", f"await classic {kind}"
            ),
        ]
    return rows


async def to_many(effort: Effort, system: ActorSystem) -> list[Row]:
    actors, each = 1000, 100  # in a quick run too: the ratio depends on how many
    message = Get(1)
    made = await crowds(system, actors)

    async def all_told(to: list[Any]) -> None:
        for actor in to:
            tell = actor.tell_nowait
            for _ in range(each - 1):
                tell(message)
        for actor in to:
            await actor.ask(message)

    def case(kind: str) -> Case:
        crowd = made[kind]
        return Case(kind, actors * each, lambda: all_told(crowd.to), crowd.handled)

    measured = await compare(effort, *map(case, ("async", "def", "classic async", "classic def")))
    for crowd in made.values():
        await crowd.stop()
    return [
        speedup(
            TOPIC,
            f"{actors:,} actors, {each} messages each, {kind}",
            measured,
            kind,
            f"classic {kind}",
            4,
        )
        for kind in ("async", "def")
    ]


async def lives(effort: Effort, system: ActorSystem) -> list[Row]:
    actors = 5000  # in a quick run too

    async def spawn_and_stop(system: ActorSystem | LeastSystem) -> None:
        refs: list[Any] = [await system.spawn(Awaited) for _ in range(actors)]
        for ref in refs:
            await ref.stop()
        for ref in refs:
            await ref.join()

    async def classic_start_and_stop() -> None:
        others = [classic_direct() for _ in range(actors)]
        # A task that is cancelled before its first step would do nothing at all.
        await others[-1].ask(Get(1))
        await stop_all(others)

    async def short_lives() -> None:
        for _ in range(actors):
            ref = await system.spawn(Awaited)
            await ref.ask(Get(1))
            await ref.stop()
            await ref.join()

    async def classic_short_lives() -> None:
        for _ in range(actors):
            other = classic_direct()
            await other.ask(Get(1))
            other.stop()
            await other.join()

    measured = await compare(
        effort,
        Case("effactor", actors, lambda: spawn_and_stop(system)),
        Case("by hand", actors, lambda: spawn_and_stop(LeastSystem())),
        Case("classic", actors, classic_start_and_stop),
        Case("short", actors, short_lives),
        Case("classic short", actors, classic_short_lives),
    )
    what = f"spawn, stop and join of {actors:,} actors"
    least = "the same by hand, with nothing else in it"
    short = f"{actors:,} actors one after another: spawn, an ask, stop, join"
    return [
        speedup(TOPIC, what, measured, "effactor", "classic", 10),
        speedup(TOPIC, least, measured, "by hand", "classic"),
        speedup(TOPIC, short, measured, "short", "classic short"),
    ]
