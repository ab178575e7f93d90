"""Programs: what a do-block's operation costs, and that long programs cost no more a step."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from benchmarks.measuring import NANO, Case, Effort, Row, compare, overhead
from effactor import (
    ActorSystem,
    Do,
    Effect,
    Program,
    free_random,
    handle,
    perform,
    program,
    pure,
    run_free,
)
from effactor.programs.operations import Random

TOPIC = "programs"


@dataclass(frozen=True, slots=True)
class Count(Effect[int]):
    number: int


@program
def drawing(times: int) -> Do[float]:
    total = 0.0
    for _ in range(times):
        total += yield from free_random()
    return total


@program
def counting(times: int) -> Do[int, Any, Count]:
    total = 0
    for number in range(times):
        total += yield from perform(Count(number))
    return total


def draw(_operation: object) -> float:
    return 0.5


def count(effect: Count) -> int:
    return effect.number


async def rows(effort: Effort) -> list[Row]:
    return [*await operations(effort), *await lengths(effort)]


async def operations(effort: Effort) -> list[Row]:
    n = effort.times(50_000)
    nobody: Any = None
    tables: dict[type[Any], Callable[[Any], Any]] = {Random: draw, Count: count}

    async def bare_draws() -> float:
        total = 0.0
        for _ in range(n):
            operation = free_random()
            total += tables[type(operation)](operation)
        return total

    async def block_draws() -> float:
        return run_free(drawing(n), {Random: draw})

    async def bare_live_draws() -> float:
        live = system.table
        total = 0.0
        for _ in range(n):
            operation = free_random()
            # An actor system's functions also get the fiber; this one ignores it.
            total += live[type(operation)](operation, nobody)
        return total

    async def bare_counts() -> int:
        total = 0
        for number in range(n):
            effect = Count(number)
            total += tables[type(effect)](effect)
        return total

    async def bare_performed_counts() -> int:
        total = 0
        for number in range(n):
            operation: Any = perform(Count(number))
            total += tables[type(operation.effect)](operation.effect)
        return total

    async def block_counts() -> int:
        return run_free(handle(Count)(count)(counting(n)))

    async with ActorSystem("programs") as system:
        measured = await compare(
            effort,
            Case("bare", n, bare_draws),
            Case("block", n, block_draws),
            Case("bare live", n, bare_live_draws),
            Case("block live", n, lambda: system.run_free(drawing(n))),
            Case("bare effect", n, bare_counts),
            Case("bare performed effect", n, bare_performed_counts),
            Case("block effect", n, block_counts),
        )
    return [
        overhead(TOPIC, "an operation of a do-block, against a loop", measured, "block", "bare", 3),
        overhead(
            TOPIC,
            "the same in a live system, against a loop",
            measured,
            "block live",
            "bare live",
            3,
        ),
        overhead(
            TOPIC,
            "a user's effect, against a loop",
            measured,
            "block effect",
            "bare performed effect",
            3,
        ),
        overhead(
            TOPIC,
            "a user's effect, against a loop without perform()",
            measured,
            "block effect",
            "bare effect",
        ),
    ]


def _add(number: int) -> int:
    return number + 1


def _next(number: int) -> Program[int]:
    return pure(number + 1)


def left(size: int) -> Program[int]:
    made: Program[int] = pure(0)
    for _ in range(size):
        made = made.flatMap(_next)
    return made


def right(size: int) -> Program[int]:
    def go(number: int) -> Program[int]:
        return pure(number) if number == size else pure(number + 1).flatMap(go)

    return go(0)


def maps(size: int) -> Program[int]:
    made: Program[int] = pure(0)
    for _ in range(size):
        made = made.map(_add)
    return made


@program
def block(size: int) -> Do[int]:
    number = 0
    for _ in range(size):
        number = yield from pure(number + 1)
    return number


@program
def nested(size: int) -> Do[int]:
    if size == 0:
        return 0
    return 1 + (yield from nested(size - 1))


_SHAPES: dict[str, tuple[Callable[[int], Program[int]], tuple[int, ...]]] = {
    "flatMap, nested to the left": (left, (1_000, 10_000, 100_000, 1_000_000)),
    "flatMap, nested to the right": (right, (1_000, 10_000, 100_000, 1_000_000)),
    "map": (maps, (1_000, 10_000, 100_000, 1_000_000)),
    "one do-block": (block, (1_000, 10_000, 100_000, 1_000_000)),
    "do-blocks in do-blocks": (nested, (1_000, 10_000, 100_000)),
}


async def lengths(effort: Effort) -> list[Row]:
    longest = 1_000_000 if effort.scale >= 1 else 100_000
    # Few repetitions: one sample of the longest takes a second.
    few = replace(effort, repetitions=3)
    made: list[Row] = []
    for what, (shape, sizes) in _SHAPES.items():
        cases = [
            Case(f"{size:,}", size * _runs(size), partial(build_and_run, shape, size))
            for size in sizes
            if size <= longest
        ]
        measured = await compare(few, *cases)
        gc.disable()
        try:
            alone = await compare(few, cases[0], cases[-1])
        finally:
            gc.enable()
        first, last = cases[0].name, cases[-1].name
        steps = ", ".join(f"{name}: {s * NANO:.0f} ns" for name, s in measured.medians().items())
        detail = f"{steps}; {alone.ratio(last, first):.2g} without the garbage collector"
        growth = measured.ratio(last, first)
        made.append(
            Row(TOPIC, f"{what}: a step of {last} to one of {first}", growth, "x as long", detail)
        )
    return made


def _runs(size: int) -> int:
    return max(1, 20_000 // size)


async def build_and_run(shape: Callable[[int], Program[int]], size: int) -> None:
    for _ in range(_runs(size)):
        answer = run_free(shape(size))
        if answer != size:
            raise AssertionError(answer)
