"""How the benchmarks measure: CPU time, alternatives interleaved, medians of ratios.

On a shared machine the absolute numbers move with the load, the ratio of two
samples taken right after each other hardly does. So every repetition takes one
sample of each alternative, and what is judged is the median of the repetitions'
ratios.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

MICRO: Final = 1e6
NANO: Final = 1e9


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure.

    Attributes:
        repetitions: Samples of each alternative.
        scale: Factor on the sizes of the samples.
    """

    repetitions: int
    scale: float

    def times(self, size: int) -> int:
        """Scale the size of a sample."""
        return max(1, round(size * self.scale))


FULL: Final = Effort(repetitions=9, scale=1.0)
QUICK: Final = Effort(repetitions=5, scale=0.2)


@dataclass(frozen=True, slots=True)
class Case:
    """One alternative.

    Attributes:
        name: Tells it from the others of its comparison.
        operations: How many operations one run makes.
        run: Makes them.
    """

    name: str
    operations: int
    run: Callable[[], Coroutine[Any, Any, object]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The samples of several cases.

    Attributes:
        samples: CPU seconds for each operation, by case, in the order of repetitions.
    """

    samples: dict[str, list[float]]

    def seconds(self, name: str) -> float:
        """Return the median time of one operation."""
        return median(self.samples[name])

    def medians(self) -> dict[str, float]:
        """Return the median time of one operation, by case."""
        return {name: self.seconds(name) for name in self.samples}

    def ratio(self, slower: str, faster: str) -> float:
        """Return how many times longer *slower* takes than *faster*."""
        return median(
            a / b for a, b in zip(self.samples[slower], self.samples[faster], strict=True)
        )


async def compare(effort: Effort, *cases: Case) -> Comparison:
    """Measure cases side by side.

    Args:
        effort: How long.
        cases: The alternatives.

    Returns:
        Their samples, without those of a first repetition that warms up.
    """
    samples: dict[str, list[float]] = {case.name: [] for case in cases}
    for repetition in range(effort.repetitions + 1):
        for case in cases:
            gc.collect()
            begin = time.process_time()
            await case.run()
            elapsed = time.process_time() - begin
            if repetition:
                samples[case.name].append(elapsed / case.operations)
    return Comparison(samples)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        topic: The module it comes from.
        what: What was measured.
        value: The result.
        unit: Its unit.
        detail: Where it comes from, such as both absolute times.
        target: The bound that the value must keep; None if it has none.
        at_least: Whether the bound is a lower one.
    """

    topic: str
    what: str
    value: float
    unit: str
    detail: str
    target: float | None = None
    at_least: bool = True

    @property
    def ok(self) -> bool:
        """Whether the target is met; true if there is none."""
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target


def speedup(
    topic: str,
    what: str,
    comparison: Comparison,
    ours: str,
    classic: str,
    target: float | None = None,
) -> Row:
    """Make the row that says how many times faster *ours* is than *classic*."""
    detail = f"{micros(comparison, ours)} against {micros(comparison, classic)}"
    return Row(topic, what, comparison.ratio(classic, ours), "x", detail, target)


def overhead(
    topic: str,
    what: str,
    comparison: Comparison,
    ours: str,
    bare: str,
    target: float | None = None,
) -> Row:
    """Make the row that says how many times longer *ours* takes than *bare*."""
    detail = f"{micros(comparison, ours)} against {micros(comparison, bare)}"
    value = comparison.ratio(ours, bare)
    return Row(topic, what, value, "x as long", detail, target, at_least=False)


def micros(comparison: Comparison, name: str) -> str:
    """Write the time of one operation."""
    return f"{comparison.seconds(name) * MICRO:.3g} us"


def table(rows: Sequence[Row]) -> str:
    """Write rows as plain text, grouped by topic.

    Args:
        rows: The rows, those of one topic together.

    Returns:
        The lines.
    """
    lines: list[str] = []
    topic = ""
    for row in rows:
        if row.topic != topic:
            topic = row.topic
            lines += ["", topic] if lines else [topic]
        bound = ""
        if row.target is not None:
            bound = f"{'>=' if row.at_least else '<='} {row.target:,g} {'ok' if row.ok else 'MISS'}"
        value = f"{row.value:,.0f}" if row.value >= 100 else f"{row.value:.3g}"
        result = f"{value}{'' if row.unit == 'x' else ' '}{row.unit}"
        lines.append(f"  {row.what:<58} {result:>18}  {bound:<14} {row.detail}".rstrip())
    return "\n".join(lines)
