"""Processes that share an exploration come to the verdict of one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import races

from effactor.interpreters import Simulation, explore, replay
from effactor_interpreters.simulation.sharing import _merged, _Part  # pyright: ignore[reportPrivateUsage]

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.interpreters import Verdict


def told(verdict: Verdict) -> tuple[Any, ...]:
    failure = verdict.failure
    return (
        *(verdict.runs, verdict.distinct, verdict.steps, verdict.hits),
        *(verdict.exhausted, verdict.bound),
        *(() if failure is None else (failure.schedule, failure.token, str(failure.error))),
    )


@pytest.mark.parametrize(
    ("scenario", "strategy"),
    [
        (races.rarely_one, "random"),
        (races.never_none, "portfolio"),
        (races.never_none, "pct"),
        (races.few, "portfolio"),
        (races.never_many, "pos"),
        (races.by_chance, "random"),
    ],
    ids=["fails late", "portfolio", "pct", "exhausted", "never happens", "by chance"],
)
def test_the_verdict_is_the_same_for_any_number_of_jobs(
    scenario: Callable[[Simulation], None], strategy: str
) -> None:
    alone = explore(scenario, 300, strategy=strategy)
    shared = explore(scenario, 300, strategy=strategy, jobs=3)
    assert told(shared) == told(alone)


def test_a_failure_that_another_process_found_can_be_replayed() -> None:
    failure = explore(races.rarely_one, strategy="random", jobs=2).failure
    assert failure is not None
    assert failure.schedule > 1
    assert isinstance(replay(races.rarely_one, failure.token).error, AssertionError)


def test_progress_is_told_while_processes_work() -> None:
    seen: list[tuple[int, int]] = []
    explore(races.never_none, 200, jobs=2, progress=lambda runs, steps: seen.append((runs, steps)))
    assert seen[-1][0] == 200
    assert seen == sorted(seen)


def test_a_scenario_that_cannot_be_sent_is_refused_with_the_way_out() -> None:
    def local(sim: Simulation) -> None: ...

    with pytest.raises(TypeError, match="jobs=2 sends the scenario local to other processes") as e:
        explore(local, jobs=2)
    assert "top level of a module" in str(e.value)


def test_a_process_that_dies_is_an_error_and_no_hang() -> None:
    with pytest.raises(RuntimeError, match="one of jobs=2 processes ended before its work did"):
        explore(races.ends_its_process, jobs=2)


@pytest.mark.parametrize("strategy", ["exhaustive", "deviations", "dpor"])
def test_a_strategy_that_goes_step_by_step_is_refused(strategy: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"'{strategy}' finds each schedule by what")):
        explore(races.few, strategy=strategy, jobs=2)


@pytest.mark.parametrize("jobs", [0, -1, True, 1.5, "2"])
def test_a_number_of_jobs_that_is_none_is_refused(jobs: Any) -> None:
    with pytest.raises(ValueError, match="explore: jobs must be an integer >= 1"):
        explore(races.few, jobs=jobs)


@pytest.mark.parametrize("budget", [0, -1.0, float("nan"), True, "1"])
def test_a_budget_that_is_none_is_refused(budget: Any) -> None:
    with pytest.raises(ValueError, match="explore: budget must be a number of seconds above 0"):
        explore(races.few, budget=budget)


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_schedule_begins_after_the_budget_is_spent(jobs: int) -> None:
    verdict = explore(races.never_none, 1_000_000, budget=1e-9, jobs=jobs)
    assert verdict.ok or verdict.failure is not None
    assert 1 <= verdict.runs <= 2


def test_of_two_failures_the_one_of_the_lower_number_counts() -> None:
    late = _Part([(1, 10, 5, {"a": 1}, ()), (5, 50, 5, {"a": 1}, ())], failure=(5, 50, {}))
    early = _Part([(1, 10, 5, {"a": 1}, ()), (2, 20, 5, {"a": 1}, ())], failure=(2, 20, {0: 1}))
    for parts in ([late, early], [early, late]):
        found = _merged(parts)
        assert (found.failure, found.draw) == ((2, 20, {0: 1}), 20)
        assert (found.runs, found.steps, found.hits, found.seen) == (2, 10, {"a": 2}, {10, 20})
