"""How long a single ask takes: the median, and the time that one in a hundred exceeds.

Here it is time on the clock, of each ask by itself. It includes two looks at the
clock, about 0.1 us, on both sides; and whatever else the machine does meanwhile,
which is why the sides take turns every few hundred asks. The garbage collector runs
as usual.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from statistics import quantiles
from typing import Any

from benchmarks.actors import Awaited, Get, Plain, classic_direct, classic_plain_direct
from benchmarks.classic import stop_all
from benchmarks.measuring import MICRO, Effort, Row
from effactor import ActorSystem

TOPIC = "latency"

BLOCK = 500
"""Asks of one side before it is the other's turn."""

_Ask = Callable[[Any], Awaitable[Any]]


async def _each(ask: _Ask, seconds: list[float]) -> None:
    message, clock = Get(1), time.perf_counter
    for _ in range(BLOCK):
        begin = clock()
        await ask(message)
        seconds.append(clock() - begin)


async def rows(effort: Effort) -> list[Row]:
    async with ActorSystem("latency") as system:
        others = {"classic async def": classic_direct(), "classic def": classic_plain_direct()}
        asks: dict[str, _Ask] = {
            "async def": (await system.spawn(Awaited)).ask,
            "def": (await system.spawn(Plain)).ask,
            **{name: other.ask for name, other in others.items()},
        }
        for ask in asks.values():
            await _each(ask, [])
        taken: dict[str, list[float]] = {name: [] for name in asks}
        for _ in range(effort.times(200)):
            for name, ask in asks.items():
                await _each(ask, taken[name])
        await stop_all(others.values())
    made: list[Row] = []
    for kind in ("async def", "def"):
        p50, p99 = _percentiles(taken[kind])
        classic_p50, classic_p99 = _percentiles(taken[f"classic {kind}"])
        count = f"{len(taken[kind]):,} asks"
        made += [
            Row(TOPIC, f"p50, {kind}", p50, "us", f"against {classic_p50:.3g} us; {count}"),
            Row(
                TOPIC,
                f"p99, {kind}, against the classic actor's p50",
                p99,
                "us",
                f"against p50 {classic_p50:.3g} us, p99 {classic_p99:.3g} us; {count}",
                round(classic_p50, 2),
                at_least=False,
            ),
        ]
    return made


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    """Return the 50th and the 99th, in microseconds."""
    cuts = quantiles(seconds, n=100)
    return cuts[49] * MICRO, cuts[98] * MICRO
