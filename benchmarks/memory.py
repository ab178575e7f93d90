"""The memory of an idle actor, beside the user's object.

Every kind is measured in two processes of its own: in one tracemalloc counts what
Python allocated, in the other the system tells the resident set, which includes
what allocators lose. Each actor has a name, a registry entry and a ref, and has
handled one message.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import tracemalloc
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.actors import Awaited, AwaitedState, Get, Plain, PlainState
from benchmarks.classic import Direct, PlainDirect
from benchmarks.measuring import Effort, Row
from effactor import ActorSystem

TOPIC = "memory"

ACTORS = 100_000
FEWER = 10_000

_Start = Callable[[int], Awaitable[Any]]
"""Starts an actor with this number, lets it handle a message, and returns its ref."""


def _started_by(system: ActorSystem, actor: Callable[[], Any]) -> _Start:
    async def start(number: int) -> Any:
        ref = await system.spawn(actor, f"worker-{number}")
        await ref.ask(Get(number))
        return ref

    return start


def _started_classic(registry: dict[str, Any], actor: Callable[[], Any]) -> _Start:
    async def start(number: int) -> Any:
        registry[f"/worker-{number}"] = started = actor()
        await started.ask(Get(number))
        return started

    return start


_USERS: dict[str, Callable[[], Any]] = {
    "async def": Awaited,
    "def": Plain,
    "classic async def": AwaitedState,
    "classic def": PlainState,
}


async def _bytes_per_actor(kind: str, count: int, used: Callable[[], int]) -> float:
    user = _USERS[kind]
    registry: dict[str, Any] = {}
    starts: dict[str, _Start] = {
        "async def": _started_by(system := ActorSystem("memory"), Awaited),
        "def": _started_by(system, Plain),
        "classic async def": _started_classic(registry, lambda: Direct(AwaitedState().get)),
        "classic def": _started_classic(registry, lambda: PlainDirect(PlainState().get)),
    }
    start = starts[kind]
    # What a system or a loop needs only once is there before the counting begins.
    first = await start(-1)
    objects: list[Any] = [None] * count
    refs: list[Any] = [None] * count
    gc.collect()
    before = used()
    for number in range(count):
        objects[number] = user()
    gc.collect()
    without = used()
    for number in range(count):
        refs[number] = await start(number)
    gc.collect()
    after = used()
    del first
    return ((after - without) - (without - before)) / count


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _traced() -> int:
    return tracemalloc.get_traced_memory()[0]


def _measure(kind: str, count: int, by: str) -> float:
    if by == "tracemalloc":
        tracemalloc.start()
    return asyncio.run(_bytes_per_actor(kind, count, _traced if by == "tracemalloc" else resident))


async def rows(effort: Effort) -> list[Row]:
    count = ACTORS if effort.scale >= 1 else FEWER
    with ProcessPoolExecutor(
        max_workers=1, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as processes:
        found = {
            (kind, by): processes.submit(_measure, kind, count, by).result()
            for kind in _USERS
            for by in ("tracemalloc", "RSS")
        }
    return [
        Row(
            TOPIC,
            f"an idle actor, {kind}, by {by}",
            found[kind, by],
            "bytes",
            f"against {found[f'classic {kind}', by]:,.0f} bytes; {count:,} actors",
            450,
            at_least=False,
        )
        for kind in ("async def", "def")
        for by in ("tracemalloc", "RSS")
    ]
