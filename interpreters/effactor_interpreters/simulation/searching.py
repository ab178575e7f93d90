"""The loop of an exploration: propose a schedule, run it, learn from it."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from effactor_interpreters.simulation.boundary import guarded
from effactor_interpreters.simulation.strategies.dpor import Redundant

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from effactor_interpreters.simulation.runs import Run
    from effactor_interpreters.simulation.strategies.strategy import Strategy
    from effactor_interpreters.simulation.tape import Chooser

RUNS_BETWEEN_COLLECTIONS: Final = 100


@dataclass(slots=True)
class Found:
    """What a search came upon.

    Attributes:
        runs: Schedules that were run, those of other processes included.
        steps: Events in all of them.
        hits: How often each `sometimes` was true, by name.
        unknown: How many runs left a property undecided, by its name.
        seen: A hash of each schedule.
        drew: Whether programs drew at random.
        exhausted: Whether these schedules are all there are.
        bound: Deviations of which all schedules have been tried, if they are counted.
        floors: Least probability with which a bug would have been found, by its depth.
        failing: The run that failed, if it happened in this process.
        failure: Number, draw and choices of the run that failed in another one.
        unstable: Why the run that failed was none that can be repeated; None if it was.
        draw: What was added to the seed of the run that failed.
        last: The last run, if one happened in this process.
    """

    runs: int = 0
    steps: int = 0
    hits: dict[str, int] = field(default_factory=dict[str, int])
    unknown: dict[str, int] = field(default_factory=dict[str, int])
    seen: set[int] = field(default_factory=set[int])
    drew: bool = False
    exhausted: bool = False
    bound: int | None = None
    floors: dict[int, float] = field(default_factory=dict[int, float])
    failing: Run[Any] | None = None
    failure: tuple[int, int, dict[int, int]] | None = None
    unstable: BaseException | None = None
    draw: int = 0
    last: Run[Any] | None = None

    def add(
        self, key: int | None, steps: int, hits: dict[str, int], unknown: Iterable[str]
    ) -> None:
        """Count one run.

        Args:
            key: What `key_of` says of it.
            steps: How many events it had.
            hits: What it hit.
            unknown: The properties that it left undecided.
        """
        self.runs += 1
        self.steps += steps
        if key is not None:
            self.seen.add(key)
        for name, count in hits.items():
            self.hits[name] = self.hits.get(name, 0) + count
        for name in unknown:
            self.unknown[name] = self.unknown.get(name, 0) + 1


def search(
    plan: Strategy,
    once: Callable[[Chooser, int], Run[Any]],
    schedules: int,
    *,
    deadline: float | None = None,
    progress: Callable[[int, int], object] | None = None,
    wanted: Callable[[int], bool] | None = None,
    ran: Callable[[int, Run[Any]], object] | None = None,
    audit: Callable[[int, Run[Any], int], BaseException | None] | None = None,
) -> Found:
    """Run what a strategy proposes, until a run fails or enough have passed.

    Args:
        plan: The strategy.
        once: Runs the scenario with a chooser and a number to add to the seed.
        schedules: How many to try.
        deadline: `perf_counter` after which no other run begins.
        progress: Called with the number of runs so far and of steps so far.
        wanted: Whether to run the schedule of this number, counted from 1, or to pass over
            it. None runs them all.
        ran: Called with the number of each schedule that was run, and the run.
        audit: Called with the number of each schedule that passed, the run and its draw; says
            what is wrong with it after all.

    Returns:
        What was found. `runs` counts what was run here.
    """
    found = Found()
    number = 0
    with guarded(), without_gc():
        while number < schedules and not plan.done:
            chooser, draw = plan.propose()
            number += 1
            if wanted is not None and not wanted(number):
                continue
            run = found.last = once(chooser, draw)
            plan.observe(run)
            found.drew = found.drew or run.drew
            found.add(key_of(run), run.steps, run.hits, run.unknown)
            if ran is not None:
                ran(number, run)
            if progress is not None:
                progress(found.runs, found.steps)
            if run.error is not None and type(run.error) is not Redundant:
                found.failing, found.draw = run, draw
                break
            if audit is not None and run.error is None:
                found.unstable = audit(number, run, draw)
                if found.unstable is not None:
                    found.failing, found.draw = run, draw
                    break
            if found.runs % RUNS_BETWEEN_COLLECTIONS == 0:
                gc.collect(1)
            if deadline is not None and perf_counter() >= deadline:
                break
    found.exhausted = plan.exhausted and not found.drew
    found.bound = plan.bound
    found.floors = plan.floors
    return found


def key_of(run: Run[Any]) -> int | None:
    """Hash the schedule of a run, the same in every process.

    Args:
        run: The run.

    Returns:
        The hash; None if the run was given up, because it could show nothing new.
    """
    return None if type(run.error) is Redundant else hash(run.choices)


@contextmanager
def without_gc() -> Generator[None]:
    """Collect garbage between runs only: its timing must not reach into them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
