"""The figures of the benchmark as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from benchmarks.actorbugs.bug import Bug
from benchmarks.actorbugs.searching import Search


def by_program(bugs: Sequence[Bug], found: Sequence[Search], strategies: Sequence[str]) -> str:
    """Write one line for each program: mean, median and most schedules to its bug.

    Args:
        bugs: The programs.
        found: What each strategy did with each of them.
        strategies: Names of the strategies, in the order of the columns.

    Returns:
        A table.
    """
    results = {(result.bug, result.strategy): result for result in found}
    head = ["program", "class", "faults", "depth", *strategies, "schedules/s"]
    rows: list[list[str]] = []
    for bug in bugs:
        mine = [results[bug.name, strategy] for strategy in strategies]
        speed = median(result.speed for result in mine)
        about = [bug.name, bug.kind, ", ".join(bug.faults) or "none", str(bug.depth)]
        rows.append([*about, *map(_cell, mine), f"{speed:,.0f}"])
    return _table(head, rows)


def by_strategy(found: Sequence[Search], strategies: Sequence[str]) -> str:
    """Write one line for each strategy, over all programs.

    Args:
        found: What each strategy did with each program.
        strategies: Names of the strategies.

    Returns:
        A table.
    """
    head = [
        "strategy",
        "found with every seed",
        "not found (program, seed)",
        "median of means",
        "largest mean",
        "median schedules/s",
    ]
    rows: list[list[str]] = []
    for strategy in strategies:
        mine = [result for result in found if result.strategy == strategy]
        worst = max(mine, key=lambda result: result.mean)
        rows.append(
            [
                strategy,
                f"{sum(not result.missed for result in mine)} of {len(mine)}",
                f"{sum(result.missed for result in mine)}",
                f"{median(result.mean for result in mine):.1f}",
                f"{_mean(worst)} ({worst.bug})",
                f"{median(result.speed for result in mine):,.0f}",
            ]
        )
    return _table(head, rows)


def _cell(result: Search) -> str:
    text = f"{_mean(result)} / {result.median:g} / {max(result.counts)}"
    return f"{text}, {result.missed} missed" if result.missed else text


def _mean(result: Search) -> str:
    """Write the mean; a search that was cut short says that it is a lower bound."""
    return f"{'≥ ' if result.missed else ''}{result.mean:.1f}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
