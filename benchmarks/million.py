"""A million idle actors: whether they fit into a gibibyte, and how long they take to stop.

In a process of its own. The resident set is that of the whole process, with the
interpreter, the user's objects of two fields each and a list of all refs.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

from benchmarks.actors import Get
from benchmarks.measuring import Effort, Row
from benchmarks.memory import resident
from effactor import Actor, ActorSystem, handler

TOPIC = "million"

MILLION: Final = 1_000_000
MEBI: Final = 2**20

_SAMPLES: Final = 1000
"""Of all actors, those that are asked before they stop."""


class Account(Actor[Get]):
    """An actor of two fields."""

    def __init__(self) -> None:
        self.balance = 0
        self.owner: str | None = None

    @handler
    def get(self, message: Get) -> int:
        self.balance += message.number
        return self.balance


@dataclass(frozen=True, slots=True)
class _Found:
    started: float
    resident: int
    stopped: float
    left: int
    peak: int


async def _lives(count: int) -> _Found:
    system = ActorSystem("million")
    begin = time.perf_counter()
    refs = [await system.spawn(Account, f"account-{number}") for number in range(count)]
    started = time.perf_counter() - begin
    for ref in refs[:: max(1, count // _SAMPLES)]:
        if await ref.ask(Get(1)) != 1:
            msg = f"{ref} answered wrongly"
            raise AssertionError(msg)
    idle = resident()
    begin = time.perf_counter()
    # Patience beyond the target, so that one who misses it learns by how much.
    await system.shutdown(timeout=120)
    stopped = time.perf_counter() - begin
    left = sum(ref.is_alive for ref in refs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return _Found(started, idle, stopped, left, peak)


def _measure(count: int) -> _Found:
    return asyncio.run(_lives(count))


async def rows(effort: Effort) -> list[Row]:
    count = MILLION if effort.scale >= 1 else MILLION // 10
    share = count / MILLION
    with ProcessPoolExecutor(
        max_workers=1, mp_context=multiprocessing.get_context("spawn")
    ) as processes:
        found = processes.submit(_measure, count).result()
    return [
        Row(
            TOPIC,
            f"the resident set with {count:,} idle actors",
            found.resident / MEBI,
            "MiB",
            f"spawned in {found.started:.2g} s; at most {found.peak / MEBI:,.0f} while they stop",
            1024 * share,
            at_least=False,
        ),
        Row(
            TOPIC,
            f"shutdown of {count:,} idle actors",
            found.stopped,
            "s",
            f"{found.stopped / count * 1e6:.3g} us each; {found.left} left alive",
            10 * share,
            at_least=False,
            lost=found.left,
        ),
    ]
