"""That long programs cost no more a step than short ones: the time of a step, by length.

Python's garbage collector visits a large heap again and again while it is being
built, which is no step of the program. So the row's value is measured without it;
the times beside it are with it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from benchmarks.measuring import NANO, Case, Effort, Row, compare
from effactor import Program, run_free

SHORTEST = 1_000
LONGEST = 1_000_000

LINEAR = 5.0
"""A step of the longest to one of the shortest: a quadratic program would reach 1,000,
and what does not fit into the processor's caches any more takes up to three times as long."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A family of programs.

    Attributes:
        make: Makes the one of a number of steps, which it answers.
        longest: The largest number of steps to measure.
    """

    make: Callable[[int], Program[int, Any]]
    longest: int = LONGEST


async def growth(topic: str, effort: Effort, shapes: Mapping[str, Shape]) -> list[Row]:
    """Measure programs of growing lengths, built and run.

    Args:
        topic: Of the rows.
        effort: How long; a quick one leaves the longest out.
        shapes: The programs, by what they are.

    Returns:
        A row for each.
    """
    # Few repetitions: one sample of the longest takes seconds.
    few = replace(effort, repetitions=3 if effort.scale >= 1 else 1)
    return [await _growth(topic, few, what, shape) for what, shape in shapes.items()]


async def _growth(topic: str, effort: Effort, what: str, shape: Shape) -> Row:
    longest = shape.longest if effort.scale >= 1 else min(shape.longest, 100_000)
    sizes = [SHORTEST]
    while sizes[-1] < longest:
        sizes.append(sizes[-1] * 10)
    cases = [
        Case(f"{size:,}", size * _runs(size), partial(build_and_run, shape.make, size))
        for size in sizes
    ]
    measured = await compare(effort, *cases)
    first, last = cases[0].name, cases[-1].name
    gc.disable()
    try:
        alone = await compare(effort, cases[0], cases[-1])
    finally:
        gc.enable()
    steps = ", ".join(f"{name}: {s * NANO:.0f} ns" for name, s in measured.medians().items())
    return Row(
        topic,
        f"{what}: a step of {last} to one of {first}",
        alone.ratio(last, first),
        "x as long",
        f"{steps}; {measured.ratio(last, first):.2g} with the garbage collector",
        LINEAR,
        at_least=False,
    )


def _runs(size: int) -> int:
    return max(1, 10_000 // size)


async def build_and_run(make: Callable[[int], Program[int, Any]], size: int) -> None:
    for _ in range(_runs(size)):
        answer = run_free(make(size))
        if answer != size:
            raise AssertionError(answer)
