"""effactor and the actor libraries on PyPI that run in one process: pykka and xoscar.

They are in the dependency group `bench`. Each row is run by both in the same process,
one right after the other; only memory is measured in processes of their own. CPU time
counts all threads, and not the time in which pykka's threads wait for each other.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from benchmarks.libraries import Effactor, Library
from benchmarks.measuring import Case, Effort, Row, compare, speedup
from benchmarks.memory import resident

TOPIC = "others"

NAMES: Final = ("pykka", "xoscar")

HOPS: Final = 50
"""Actors of a chain: each of pykka's is a thread that blocks."""

IDLE: Final = {"effactor": 50_000, "pykka": 1_000, "xoscar": 5_000}
"""How many idle actors are measured: as many as a library can have without trouble."""

PATIENCE: Final = 300.0
"""Seconds after which the benchmark of one library is given up."""


def library(name: str) -> Library:
    """Make what drives a library.

    Args:
        name: `effactor`, or one of `NAMES` that is installed.
    """
    if name == "effactor":
        return Effactor()
    module = import_module(f"benchmarks.with_{name}")
    made: Library = getattr(module, name.title())()
    return made


async def rows(effort: Effort) -> list[Row]:
    made: list[Row] = []
    for name in NAMES:
        if find_spec(name) is None:
            print(
                f"{name} is not installed: its rows are left out; "
                "`pip install --group bench` brings it",
                file=sys.stderr,
            )
            continue
        async with asyncio.timeout(PATIENCE), Effactor() as ours, library(name) as theirs:
            made += await against(effort, ours, theirs)
    return made


async def against(effort: Effort, ours: Library, theirs: Library) -> list[Row]:
    asks, tells = effort.times(2000), effort.times(5000)
    many, each, rounds, lives = 50, effort.times(100), effort.times(20), effort.times(500)
    cases: list[Case] = []
    for side in (ours, theirs):
        one, crowd = await side.start(1), await side.start(many)
        chain = await side.start_chain(HOPS)
        if await side.ask_chain(chain, 1) != HOPS - 1:
            msg = f"{side.name}: not every actor of the chain was asked"
            raise AssertionError(msg)
        cases += _cases(
            side,
            {
                "ask one by one": (asks, _ask(side, one[0], asks), one),
                "messages to one, until they are handled": (
                    tells,
                    _tell(side, one, tells),
                    one,
                ),
                f"{many} actors, {each} messages each": (
                    many * each,
                    _tell(side, crowd, each),
                    crowd,
                ),
                f"a chain of {HOPS} actors": (rounds, _ask_chain(side, chain, rounds), None),
                f"start and stop of {lives} actors": (lives, _live(side, lives), None),
            },
        )
    measured = await compare(effort, *cases)
    whats = [case.name.removeprefix(f"{ours.name}: ") for case in cases[: len(cases) // 2]]
    return [
        *(
            speedup(
                TOPIC,
                f"{theirs.name}: {what}",
                measured,
                f"{ours.name}: {what}",
                f"{theirs.name}: {what}",
                1,
            )
            for what in whats
        ),
        _memory(theirs.name),
    ]


def _cases(
    side: Library, loads: dict[str, tuple[int, Callable[[], Any], list[Any] | None]]
) -> list[Case]:
    def handled(actors: list[Any]) -> Callable[[], Awaitable[int]]:
        return lambda: side.handled(actors)

    return [
        Case(f"{side.name}: {what}", n, run, None if counted is None else handled(counted))
        for what, (n, run, counted) in loads.items()
    ]


def _ask(side: Library, actor: Any, times: int) -> Callable[[], Any]:
    return lambda: side.ask(actor, times)


def _tell(side: Library, actors: list[Any], each: int) -> Callable[[], Any]:
    return lambda: side.tell(actors, each)


def _ask_chain(side: Library, first: Any, times: int) -> Callable[[], Any]:
    return lambda: side.ask_chain(first, times)


def _live(side: Library, count: int) -> Callable[[], Any]:
    return lambda: side.live_and_die(count)


def _memory(name: str) -> Row:
    with ProcessPoolExecutor(
        max_workers=1, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as processes:
        ours = processes.submit(_idle, "effactor").result(timeout=PATIENCE)
        theirs = processes.submit(_idle, name).result(timeout=PATIENCE)
    return Row(
        TOPIC,
        f"{name}: memory of an idle actor, with the user's object",
        theirs / ours,
        "x",
        f"{ours:,.0f} against {theirs:,.0f} bytes of the resident set",
        1,
    )


def _idle(name: str) -> float:
    return asyncio.run(_bytes_per_actor(name))


async def _bytes_per_actor(name: str) -> float:
    count = IDLE[name]
    async with library(name) as measured:
        first = await measured.start(10)
        await measured.ask(first[0], 1)
        gc.collect()
        before = resident()
        actors = await measured.start(count)
        for actor in actors:
            await measured.ask(actor, 1)
        gc.collect()
        after = resident()
        await measured.stop([*first, *actors])
    return (after - before) / count
