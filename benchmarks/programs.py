"""Programs: what a do-block's operation costs, and that long programs cost no more a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from benchmarks.lengths import Shape, growth
from benchmarks.measuring import Case, Effort, Row, compare, overhead
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
from effactor.programs.operations import Operation, Random

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


def drawing_on(left: int, total: float) -> Program[float]:
    """Do what `drawing` does, as a chain of `flatMap`, nested to the right."""
    if not left:
        return pure(total)
    return free_random().flatMap(lambda drawn: drawing_on(left - 1, total + drawn))


@final
class Next(Operation[int]):
    """Answers the next number: what a step of a chain needs to know is the answer itself."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


def following(operation: Next, _fiber: object) -> int:
    return operation.number + 1


def numbering(times: int) -> Program[int]:
    def go(number: int) -> Program[int]:
        return pure(number) if number == times else Next(number).flatMap(go)

    return go(0)


def draw(_operation: object) -> float:
    return 0.5


def count(effect: Count) -> int:
    return effect.number


async def rows(effort: Effort) -> list[Row]:
    return [*await operations(effort), *await growth(TOPIC, effort, _SHAPES)]


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

    async def bare_numbers() -> int:
        live = system.table
        number = 0
        while number != n:
            operation = Next(number)
            number = live[type(operation)](operation, nobody)
        return number

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
        system.table[Next] = following
        measured = await compare(
            effort,
            Case("bare", n, bare_draws),
            Case("block", n, block_draws),
            Case("bare live", n, bare_live_draws),
            Case("block live", n, lambda: system.run_free(drawing(n))),
            Case("flatMap draws", n, lambda: system.run_free(drawing_on(n, 0.0))),
            Case("bare numbers", n, bare_numbers),
            Case("flatMap numbers", n, lambda: system.run_free(numbering(n))),
            Case("bare effect", n, bare_counts),
            Case("bare performed effect", n, bare_performed_counts),
            Case("block effect", n, block_counts),
        )
    return [
        overhead(
            TOPIC,
            "an operation of a do-block, against a loop",
            measured,
            "block live",
            "bare live",
            2.5,
        ),
        overhead(
            TOPIC,
            "an operation and a flatMap, against a loop",
            measured,
            "flatMap numbers",
            "bare numbers",
            3.5,
        ),
        overhead(
            TOPIC,
            "the same with a lambda that remembers more",
            measured,
            "flatMap draws",
            "bare live",
        ),
        overhead(
            TOPIC, "a do-block without a system, against a loop", measured, "block", "bare", 3
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


_SHAPES = {
    "flatMap, nested to the left": Shape(left),
    "flatMap, nested to the right": Shape(right),
    "map": Shape(maps),
    "one do-block": Shape(block),
    "do-blocks in do-blocks": Shape(nested, longest=100_000),
}
