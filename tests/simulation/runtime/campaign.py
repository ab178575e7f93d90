"""Many runs of a scenario: several workloads, several schedules of each.

    python tests/simulation/runtime/campaign.py 10000 pools timers

explores each of the scenarios named (all, if none is) under that many schedules.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from simulation.runtime import contexts, lives, mail, overlap, taking, together, virtuals
from simulation.runtime.play import Play

from effactor.interpreters import Failure, Simulation, explore

Scenario = Callable[[Play], Coroutine[Any, Any, None]]

SCENARIOS: tuple[Scenario, ...] = (
    *lives.SCENARIOS,
    *mail.SCENARIOS,
    *overlap.SCENARIOS,
    *taking.SCENARIOS,
    *contexts.SCENARIOS,
    *virtuals.SCENARIOS,
    *together.SCENARIOS,
)

SCHEDULES_A_WORKLOAD = 10


@dataclass(slots=True)
class Report:
    """What exploring a scenario found.

    Attributes:
        scenario: Its name.
        schedules: How many ran.
        distinct: How many were different from all others of their workload.
        failure: The first failure, or None.
        seen: What happened, and how often.
    """

    scenario: str
    schedules: int = 0
    distinct: int = 0
    failure: Failure | None = None
    seen: Counter[str] = field(default_factory=Counter[str])

    def explain(self) -> str:
        """Tell the failure, with all that is known of it."""
        if self.failure is None:
            return f"{self.scenario}: {self.schedules} schedules, no failure"
        notes = "\n".join(getattr(self.failure.error, "__notes__", ()))
        return f"{self.failure.explain()}\n{notes}"


def with_workload(scenario: Scenario, workload: int, seen: Counter[str]) -> Any:
    """Make a scenario of the simulator: a token names the workload, too."""

    async def run(sim: Simulation) -> None:
        play = Play(sim, workload)
        try:
            await scenario(play)
        finally:
            seen.update(play.seen)

    run.__name__ = f"{scenario.__name__}, workload {workload}"
    return run


def campaign(scenario: Scenario, schedules: int, first: int = 0) -> Report:
    """Explore one scenario.

    Args:
        scenario: The scenario.
        schedules: How many.
        first: Number of the first workload.
    """
    report = Report(scenario.__name__)
    workload = first
    while report.schedules < schedules and report.failure is None:
        left = min(SCHEDULES_A_WORKLOAD, schedules - report.schedules)
        verdict = explore(with_workload(scenario, workload, report.seen), left, seed=workload)
        report.schedules += verdict.runs
        report.distinct += verdict.distinct
        report.failure = verdict.failure
        workload += 1
        if workload - first > 10 * schedules:
            break
    return report


def main(schedules: int, names: list[str]) -> None:
    """Explore by hand, and print a line for each scenario."""
    for scenario in SCENARIOS:
        if not names or scenario.__name__ in names:
            began = time.perf_counter()
            report = campaign(scenario, schedules)
            took = time.perf_counter() - began
            how = "no failure" if report.failure is None else report.explain()
            sys.stdout.write(
                f"{report.scenario:24} {report.schedules:9,} schedules {report.distinct:9,} "
                f"distinct {took:7.1f} s  {how}\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
