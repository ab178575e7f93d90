"""Share the schedules of one exploration among processes, without a change of its verdict.

Every process goes through all proposals of the strategy, and runs those that the strategy
learns from and each *jobs*-th of the others. So the n-th schedule is the same one however
many processes there are, and the failure that counts is the one of the lowest number.
"""

from __future__ import annotations

import multiprocessing
import pickle
import sys
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from effactor_interpreters.simulation.runs import scenario_name
from effactor_interpreters.simulation.searching import Found, key_of, search
from effactor_interpreters.simulation.strategies import strategy_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from effactor_interpreters.simulation.runs import Run
    from effactor_interpreters.simulation.strategies.strategy import Strategy
    from effactor_interpreters.simulation.trials import Trials

_Counted = tuple[int, int | None, int, dict[str, int], tuple[str, ...]]

_BETWEEN_LOOKS: Final = 0.1
"""Seconds between two reports of progress."""


@dataclass(frozen=True, slots=True)
class Work:
    """The arguments of an exploration that its processes need.

    Attributes:
        trials: How each schedule is run.
        schedules: How many to try.
        seed: The strategy's seed.
        strategy: The strategy's name.
        budget: Seconds after which no other run begins, or None.
    """

    trials: Trials
    schedules: int
    seed: int
    strategy: str
    budget: float | None


@dataclass(slots=True)
class _Part:
    """What one process found.

    Attributes:
        runs: Number, hash, steps, hits and undecided properties of each of its runs.
        failure: Number, draw and choices of its first failing run.
        drew: Whether programs drew at random.
        exhausted: Whether the strategy has no schedule left.
        bound: Deviations of which all schedules have been tried.
        floors: Least probability with which a bug would have been found, by its depth.
        broken: Why the scenario could not be had; empty if it could.
    """

    runs: list[_Counted] = field(default_factory=list[_Counted])
    failure: tuple[int, int, dict[int, int]] | None = None
    drew: bool = False
    exhausted: bool = False
    bound: int | None = None
    floors: dict[int, float] = field(default_factory=dict[int, float])
    broken: str = ""


def check_jobs(where: str, jobs: object, strategy: str, plan: Strategy) -> None:
    """Refuse a number of processes that is none, or that a strategy cannot use.

    Args:
        where: The function that received it, for the error.
        jobs: What was given.
        strategy: The strategy's name.
        plan: The strategy.

    Raises:
        ValueError: If *jobs* is no integer of at least 1, or the strategy enumerates.
    """
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        msg = f"{where}: jobs must be an integer >= 1, got {jobs!r}"
        raise ValueError(msg)
    if jobs > 1 and not hasattr(plan, "independent"):
        msg = (
            f"{where}: jobs={jobs} needs a strategy that draws its schedules, such as "
            f'"portfolio"; {strategy!r} finds each schedule by what became of the one before, '
            "so only jobs=1 can run it"
        )
        raise ValueError(msg)


def check_budget(where: str, budget: object) -> None:
    """Refuse a budget of seconds that is none.

    Args:
        where: The function that received it, for the error.
        budget: What was given.

    Raises:
        ValueError: If it is neither None nor a number above 0.
    """
    if budget is None:
        return
    if isinstance(budget, bool) or not isinstance(budget, int | float) or not budget > 0:
        msg = f"{where}: budget must be a number of seconds above 0, or None, got {budget!r}"
        raise ValueError(msg)


def share(work: Work, jobs: int, progress: Callable[[int, int], object] | None) -> Found:
    """Search with several processes.

    Args:
        work: What to search.
        jobs: How many processes, at least 2.
        progress: Called with the number of runs so far and of steps so far.

    Returns:
        What was found, in the same words as one process would have found it.

    Raises:
        TypeError: If the scenario cannot be sent to another process.
        RuntimeError: If a process ends before its work does.
    """
    packed = _packed(work, jobs)
    # Not forked: a fork of a process with threads may hang, and inherits open loops.
    spawning = multiprocessing.get_context("spawn")
    # The lowest number of a failing schedule, 0 to give up; then runs and steps so far.
    board = spawning.Array("q", [work.schedules + 1, 0, 0])
    parts: list[_Part] = []
    with ProcessPoolExecutor(jobs, spawning, _begin, (board,)) as pool:
        pending: set[Future[_Part]] = set()
        try:
            pending = {pool.submit(_part, packed, mine, jobs) for mine in range(jobs)}
            waiting = set(pending)
            while waiting:
                timeout = None if progress is None else _BETWEEN_LOOKS
                done, waiting = wait(waiting, timeout, FIRST_EXCEPTION)
                parts += [future.result() for future in done]
                if progress is not None:
                    progress(board[1], board[2])
        except BrokenProcessPool:
            msg = (
                f"explore: one of jobs={jobs} processes ended before its work did; a scenario must "
                "not end its process, and a script that explores with jobs must do so below the "
                'line if __name__ == "__main__":'
            )
            raise RuntimeError(msg) from None
        finally:
            board[0] = 0  # whoever still runs is to stop: this call ends now
    broken = next((part.broken for part in parts if part.broken), "")
    if broken:
        raise _unsendable(work, jobs, broken)
    return _merged(parts)


def _packed(work: Work, jobs: int) -> bytes:
    try:
        packed = pickle.dumps(work)
    except Exception as error:  # pickle raises errors of many classes
        raise _unsendable(work, jobs, str(error)) from None
    main = sys.modules["__main__"]
    if b"__main__" in packed and getattr(main, "__file__", None) is None:
        why = "it is defined in an interactive session, which they cannot import"
        raise _unsendable(work, jobs, why)
    return packed


def _unsendable(work: Work, jobs: int, why: str) -> TypeError:
    return TypeError(
        f"explore: jobs={jobs} sends the scenario {scenario_name(work.trials.scenario)} to other "
        f"processes, which cannot have it: {why}; define it at the top level of a module "
        "that can be imported, or use jobs=1"
    )


def _merged(parts: list[_Part]) -> Found:
    failures = [part.failure for part in parts if part.failure is not None]
    first = min(failures, default=None, key=lambda failure: failure[0])
    by_number = {run[0]: run for part in parts for run in part.runs}
    found = Found(failure=first, draw=0 if first is None else first[1])
    for number in sorted(by_number):
        if first is None or number <= first[0]:
            found.add(*by_number[number][1:])
    found.drew = any(part.drew for part in parts)
    found.exhausted = all(part.exhausted for part in parts) and not found.drew
    # Of a process that has gone beyond the failing schedule the bound says too much.
    exact = [part for part in parts if part.failure == first]
    found.bound = min((part.bound for part in exact if part.bound is not None), default=None)
    for part in exact:
        for depth, floor in part.floors.items():
            found.floors[depth] = min(floor, found.floors.get(depth, floor))
    return found


# ------------------------------------------------------------------- in each process

_boards: list[Any] = []


def _begin(board: Any) -> None:
    _boards.append(board)


def _part(packed: bytes, mine: int, jobs: int) -> _Part:
    part = _Part()
    try:
        work: Work = pickle.loads(packed)  # noqa: S301 - by the process that started this one
    except Exception as error:
        part.broken = f"{type(error).__name__}: {error}"
        return part
    board = _boards[-1]
    plan: Any = strategy_of("explore", work.strategy, work.seed)

    last = 0

    def wanted(number: int) -> bool:
        if number > board[0]:
            raise _Beaten
        return not plan.independent or number % jobs == mine

    def ran(number: int, run: Run[Any]) -> None:
        nonlocal last
        last = number
        part.drew = part.drew or run.drew
        part.runs.append((number, key_of(run), run.steps, run.hits, tuple(run.unknown)))
        if number % jobs == mine:
            with board:
                board[1] += 1
                board[2] += run.steps

    deadline = None if work.budget is None else perf_counter() + work.budget
    try:
        found = search(
            plan,
            work.trials.once,
            work.schedules,
            deadline=deadline,
            wanted=wanted,
            ran=ran,
            audit=work.trials.audited,
        )
    except _Beaten:
        return part
    part.exhausted, part.bound, part.floors = plan.exhausted, plan.bound, plan.floors
    if found.failing is not None:
        part.failure = (last, found.draw, found.failing.tape_deviations)
        with board:
            board[0] = min(board[0], last)
    return part


class _Beaten(Exception):
    """No schedule that is left here can matter."""
