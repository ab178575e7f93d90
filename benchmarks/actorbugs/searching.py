"""How many schedules a strategy needs until it finds a bug, and how many it runs in a second."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from statistics import mean, median

from benchmarks.actorbugs.bug import Bug
from benchmarks.actorbugs.catalogue import BUGS
from effactor.interpreters import explore

TIMED = 200
"""Schedules of a fixed twin by which its speed is measured."""


@dataclass(frozen=True, slots=True)
class Search:
    """What one strategy did with one program.

    Attributes:
        bug: Name of the program.
        strategy: Name of the strategy.
        schedules: For each seed, the number of the first schedule that failed; None if
            there was none within the limit.
        limit: How many were tried at most.
        speed: Schedules in a second of CPU time, of the fixed twin.
    """

    bug: str
    strategy: str
    schedules: tuple[int | None, ...]
    limit: int
    speed: float

    @property
    def missed(self) -> int:
        """The number of seeds with which the bug was not found."""
        return self.schedules.count(None)

    @property
    def counts(self) -> list[int]:
        """The schedules by seed; a seed that found nothing counts as the limit."""
        return [self.limit if count is None else count for count in self.schedules]

    @property
    def mean(self) -> float:
        """The mean of the counts."""
        return mean(self.counts)

    @property
    def median(self) -> float:
        """The median of the counts."""
        return median(self.counts)


@dataclass(frozen=True, slots=True)
class Task:
    """One search, as it travels to another process.

    Attributes:
        bug: Name of the program: scenarios themselves need not survive the way.
        strategy: Name of the strategy, as `explore` knows it.
        seeds: How many seeds, from 0.
        limit: Schedules to try with each.
    """

    bug: str
    strategy: str
    seeds: int
    limit: int


def search(task: Task) -> Search:
    """Let a strategy look for a bug, once for each seed.

    Args:
        task: What to do.

    Returns:
        What it needed.
    """
    bug = next(bug for bug in BUGS if bug.name == task.bug)
    schedules: list[int | None] = []
    for seed in range(task.seeds):
        verdict = explore(bug.scenario, task.limit, seed=seed, strategy=task.strategy)
        schedules.append(None if verdict.ok else verdict.runs)
    speed = _speed(bug, task.strategy)
    return Search(task.bug, task.strategy, tuple(schedules), task.limit, speed)


def _speed(bug: Bug, strategy: str) -> float:
    # The twin's, because a search that finds something goes on to shrink it.
    best = 0.0
    for seed in range(3):
        begin = time.process_time()
        verdict = explore(bug.fixed, TIMED, seed=seed, strategy=strategy)
        if not verdict.ok:
            raise AssertionError(str(verdict))
        best = max(best, verdict.runs / (time.process_time() - begin))
    return best


def searches(
    bugs: Sequence[Bug], strategies: Sequence[str], *, seeds: int, limit: int, jobs: int
) -> Iterator[Search]:
    """Let all strategies look for all bugs.

    Args:
        bugs: The programs.
        strategies: Names of strategies.
        seeds: How many seeds, from 0, at least 1.
        limit: Schedules to try with each, at least 1.
        jobs: Processes to use, at least 1.

    Yields:
        What each needed: the strategies of the first program, then those of the next one.
    """
    tasks = [Task(bug.name, name, seeds, limit) for bug, name in product(bugs, strategies)]
    if jobs == 1:
        yield from map(search, tasks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(search, tasks)
