"""Tells, measured until the last one is handled; and the start and stop of actors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.actors import (
    Awaited,
    Get,
    Plain,
    classic,
    classic_direct,
    classic_plain,
    classic_plain_direct,
)
from benchmarks.classic import ClassicActor, stop_all
from benchmarks.measuring import Case, Effort, Row, compare, speedup
from effactor import ActorRef, ActorSystem

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
    refs: dict[str, ActorRef[Get]] = {
        "async": await system.spawn(Awaited),
        "def": await system.spawn(Plain),
    }
    others: dict[str, ClassicActor] = {"async": classic_direct(), "def": classic_plain_direct()}
    dispatching: dict[str, ClassicActor] = {"async": classic(), "def": classic_plain()}

    def now(name: str, to: ActorRef[Get] | ClassicActor) -> Case:
        return Case(name, rounds * BURST, lambda: bursts(to.tell_nowait, to.ask, rounds))

    def awaiting(name: str, to: ActorRef[Get] | ClassicActor) -> Case:
        return Case(name, rounds * BURST, lambda: awaited_bursts(to.tell, to.ask, rounds))

    measured = await compare(
        effort,
        *(now(f"{kind}", ref) for kind, ref in refs.items()),
        *(now(f"classic {kind}", other) for kind, other in others.items()),
        *(now(f"dispatching {kind}", other) for kind, other in dispatching.items()),
        *(awaiting(f"await {kind}", ref) for kind, ref in refs.items()),
        *(awaiting(f"await classic {kind}", other) for kind, other in others.items()),
    )
    await stop_all([*others.values(), *dispatching.values()])
    made: list[Row] = []
    for kind in refs:
        made += [
            speedup(TOPIC, f"tell_nowait, {kind}", measured, kind, f"classic {kind}", 2),
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
    return made


async def to_many(effort: Effort, system: ActorSystem) -> list[Row]:
    actors, each = effort.times(1000), 100
    message = Get(1)
    refs = [await system.spawn(Awaited) for _ in range(actors)]
    plain = [await system.spawn(Plain) for _ in range(actors)]
    others = [classic_direct() for _ in range(actors)]
    plain_others = [classic_plain_direct() for _ in range(actors)]

    async def all_told(to: list[Any]) -> None:
        for actor in to:
            tell = actor.tell_nowait
            for _ in range(each):
                tell(message)
        for actor in to:
            await actor.ask(message)

    measured = await compare(
        effort,
        Case("async", actors * each, lambda: all_told(refs)),
        Case("def", actors * each, lambda: all_told(plain)),
        Case("classic async", actors * each, lambda: all_told(others)),
        Case("classic def", actors * each, lambda: all_told(plain_others)),
    )
    await stop_all([*others, *plain_others])
    return [
        speedup(
            TOPIC,
            f"{actors:,} actors, {each} tells each, {kind}",
            measured,
            kind,
            f"classic {kind}",
        )
        for kind in ("async", "def")
    ]


async def lives(effort: Effort, system: ActorSystem) -> list[Row]:
    actors = effort.times(5000)

    async def spawn_and_stop() -> None:
        refs = [await system.spawn(Awaited) for _ in range(actors)]
        for ref in refs:
            await ref.stop()
        for ref in refs:
            await ref.join()

    async def classic_start_and_stop() -> None:
        others = [classic_direct() for _ in range(actors)]
        # A task that is cancelled before its first step would do nothing at all.
        await others[-1].ask(Get(1))
        await stop_all(others)

    measured = await compare(
        effort,
        Case("effactor", actors, spawn_and_stop),
        Case("classic", actors, classic_start_and_stop),
    )
    what = f"spawn, stop and join of {actors:,} actors"
    return [speedup(TOPIC, what, measured, "effactor", "classic")]
