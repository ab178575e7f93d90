"""How the benchmarks measure: CPU time, alternatives interleaved, medians of ratios.

On a shared machine the absolute numbers move with the load, the ratio of two
samples taken right after each other hardly does. So every repetition takes one
sample of each alternative, and what is judged is the median of the repetitions'
ratios.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
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
        handled: Returns how many messages its actors have handled so far; None if
            each operation answers, so that a lost one would be noticed.
    """

    name: str
    operations: int
    run: Callable[[], Coroutine[Any, Any, object]]
    handled: Callable[[], Awaitable[int]] | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The samples of several cases.

    Attributes:
        samples: CPU seconds for each operation, by case, in the order of repetitions.
        lost: Messages that were not handled once and only once, by those cases that
            count them.
    """

    samples: dict[str, list[float]]
    lost: dict[str, int]

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
    lost = {case.name: 0 for case in cases if case.handled is not None}
    for repetition in range(effort.repetitions + 1):
        for case in cases:
            gc.collect()
            before = 0 if case.handled is None else await case.handled()
            begin = time.process_time()
            await case.run()
            elapsed = time.process_time() - begin
            if case.handled is not None:
                handled = await case.handled() - before
                lost[case.name] += abs(case.operations - handled)
            if repetition:
                samples[case.name].append(elapsed / case.operations)
    return Comparison(samples, lost)


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
        lost: Messages that were not handled once and only once, on either side; None if
            every operation answers.
    """

    topic: str
    what: str
    value: float
    unit: str
    detail: str
    target: float | None = None
    at_least: bool = True
    lost: int | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing was lost and the target is met; true if there is none."""
        if self.lost:
            return False
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
    value = comparison.ratio(classic, ours)
    return Row(topic, what, value, "x", detail, target, lost=_lost(comparison, ours, classic))


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
    lost = _lost(comparison, ours, bare)
    return Row(topic, what, value, "x as long", detail, target, at_least=False, lost=lost)


def _lost(comparison: Comparison, *names: str) -> int | None:
    counted = [comparison.lost[name] for name in names if name in comparison.lost]
    return sum(counted) if counted else None


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
        bound = "" if row.ok else "MISS"
        if row.target is not None:
            bound = f"{'>=' if row.at_least else '<='} {row.target:,g} {'ok' if row.ok else 'MISS'}"
        loss = "" if row.lost is None else f"; loss: {row.lost}"
        value = f"{row.value:,.0f}" if row.value >= 100 else f"{row.value:.3g}"
        result = f"{value}{'' if row.unit == 'x' else ' '}{row.unit}"
        lines.append(f"  {row.what:<58} {result:>18}  {bound:<14} {row.detail}{loss}".rstrip())
    return "\n".join(lines)
