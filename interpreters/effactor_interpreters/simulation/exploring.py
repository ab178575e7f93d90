"""Explore many schedules of one scenario, and report the smallest failure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor.errors import NonDeterminism, Violation
from effactor_interpreters.simulation.auditing import check_share
from effactor_interpreters.simulation.conditions import CALM, conditions_of
from effactor_interpreters.simulation.explaining import explain, mermaid_of, page_of
from effactor_interpreters.simulation.runs import (
    MAX_STEPS,
    check_scenario,
    check_seed,
    check_time,
    scenario_name,
)
from effactor_interpreters.simulation.searching import search
from effactor_interpreters.simulation.sharing import Work, check_budget, check_jobs, share
from effactor_interpreters.simulation.strategies import strategy_of
from effactor_interpreters.simulation.trials import Trials

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.programs.program import Program
    from effactor.traces.trace import Trace
    from effactor_interpreters.simulation.delivery import Order
    from effactor_interpreters.simulation.faults.budget import Faults
    from effactor_interpreters.simulation.simulation import Simulation
    from effactor_interpreters.simulation.token import TimeMode


@dataclass(frozen=True, slots=True)
class Failure:
    """A failing run, shrunk.

    Attributes:
        error: What was raised.
        token: Text that replays it.
        deviations: How its order differs from the default one, in words.
        trace: What happened.
        scenario: Name of the scenario.
        schedule: Which schedule found it, counted from 1; 0 if it was replayed from a token.
        schedules: How many were to be tried.
        strategy: By which strategy.
        seed: With which seed.
        steps: Numbers of the events that were chosen against the default.
        relevant: Numbers of the records that the failure depends on.
        passing: What is otherwise in the nearest run that passes, in words.
        faults: The faults that were not planned, in words.
        fault_steps: Numbers of their records.
    """

    error: BaseException
    token: str
    deviations: tuple[str, ...]
    trace: Trace
    scenario: str = ""
    schedule: int = 0
    schedules: int = 0
    strategy: str = ""
    seed: int = 0
    steps: tuple[int, ...] = ()
    relevant: tuple[int, ...] = ()
    passing: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    fault_steps: tuple[int, ...] = ()

    def explain(self) -> str:
        """Tell the failure in one screen: what, how it came about, how to see it again.

        Returns:
            Text of at most 80 lines.
        """
        return explain(self)

    def diagram(self, path: str | Path | None = None) -> str:
        """Draw what the failure depends on as a Mermaid sequence diagram.

        Args:
            path: File to write as well: as a page if its name ends in `.html` (see `html`),
                else the diagram's source.

        Returns:
            The diagram's source.
        """
        source = mermaid_of(self)
        if path is not None and str(path).endswith((".html", ".htm")):
            self.html(path)
        elif path is not None:
            Path(path).write_text(source, encoding="utf-8")
        return source

    def html(self, path: str | Path | None = None) -> str:
        """Tell the failure on a page of its own, which needs no network and runs no script.

        Args:
            path: File to write as well.

        Returns:
            The page.
        """
        text = page_of(self)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @override
    def __str__(self) -> str:
        return self.explain()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an exploration found.

    Attributes:
        ok: Whether no run failed.
        runs: Number of schedules that ran, to their end or as far as they could show anything new.
        exhausted: Whether these were all there are. Never, if programs drew at random:
            each schedule tries one outcome of that.
        failure: The first failure, shrunk; None if there was none.
        bound: Number of deviations from the default order of which all schedules
            have been tried; None if the strategy does not count them.
        distinct: Number of different schedules among the runs that ran to their end.
        steps: Number of events in all runs.
        hits: How often each `sometimes` was true, by name.
        strategy: The strategy.
        seed: The seed.
        floors: Least probability with which a bug would have been found, by its depth: the
            number of ordering constraints that bring it about, as PCT counts them. Empty
            where the strategy promises nothing. A fact about these runs and not about the
            program: it may still have such a bug.
        unknown: In how many runs a check of a history gave up at its limit, by name.
    """

    ok: bool
    runs: int
    exhausted: bool
    failure: Failure | None
    bound: int | None
    distinct: int = 0
    steps: int = 0
    hits: dict[str, int] = field(default_factory=dict[str, int])
    strategy: str = ""
    seed: int = 0
    floors: dict[int, float] = field(default_factory=dict[int, float])
    unknown: dict[str, int] = field(default_factory=dict[str, int])

    def __bool__(self) -> bool:
        """Tell whether no run failed."""
        return self.ok

    @override
    def __str__(self) -> str:
        if self.failure is not None:
            return self.failure.explain()
        text = f"{self.runs:,} schedule{'' if self.runs == 1 else 's'}"
        text += f" ({self.strategy}, seed {self.seed})"
        if self.strategy == "dpor" and self.distinct != self.runs:
            text += f", {self.runs - self.distinct:,} of them cut short as redundant"
        elif self.distinct != self.runs:
            text += f", {self.distinct:,} of them different"
        if not self.exhausted:
            text += ": no failure"
        elif self.strategy == "dpor":
            text += ", exhausted, assuming actors share nothing: no failure"
        else:
            text += ", all there are: no failure"
        if self.bound is not None and not self.exhausted:
            s = "" if self.bound == 1 else "s"
            text += f"; complete up to {self.bound} deviation{s} from the default order"
        if self.floors and not self.exhausted:
            least = ", ".join(f"{_percent(p)} for depth {d}" for d, p in self.floors.items())
            text += f"; a bug would have been found with a probability of at least {least}"
        for name, times in self.unknown.items():
            text += f"; {name!r} is not known to hold in {times:,} runs: the check gave up"
        return text


def explore(
    scenario: Program[Any, Any] | Callable[[Simulation], Any],
    schedules: int = 2000,
    seed: int = 0,
    strategy: str = "portfolio",
    faults: Faults | None = None,
    time: TimeMode = "async",
    *,
    delivery: Order = "fifo",
    lossy: bool = False,
    duplicating: bool = False,
    max_steps: int = MAX_STEPS,
    jobs: int = 1,
    budget: float | None = None,
    progress: Callable[[int, int], object] | None = None,
    audit: float = 0.01,
) -> Verdict:
    """Run a scenario under many schedules, until one fails or all have passed.

    Args:
        scenario: A program, or a function of the `Simulation`. It is run anew for
            every schedule, so it must build all its state itself.
        schedules: How many to try, at least 1.
        seed: Any integer from 0; equal seeds try equal schedules.
        strategy: `"portfolio"`, which mixes the next four; `"pos"` samples partial orders;
            `"random"` takes uniform walks; `"pct"` gives chains of messages priorities, and a
            probability floor; `"deviations"` tries all schedules with few deviations first;
            `"exhaustive"` tries all there are, `"dpor"` one for each order of conflicting steps,
            which proves as much if actors share nothing. `"pct(2)"` and `"deviations(2)"` say
            how deep.
        faults: What goes wrong, and what may: `Faults(budget=1, crash=True)`.
        time: `"async"` lets a timer fire at any moment after it is set, as on a
            network without bounds; `"latency"` only when no message is under way.
        delivery: `"fifo"` keeps messages of one sender to one receiver in order, `"causal"`
            also those that their senders knew of, `"unordered"` none.
        lossy: Whether any message may be lost, beside the budget of *faults*.
        duplicating: Whether any message may come twice, beside that budget.
        max_steps: Steps after which a run counts as a livelock.
        jobs: Processes that share the schedules. Any number of them comes to the same
            verdict. More than one needs a scenario that can be pickled, which a function
            at the top level of a module can, and a strategy that draws its schedules.
        budget: Seconds of real time after which no other run begins; None for no limit.
        progress: Called with the number of runs so far and of steps so far.
        audit: Share of the runs that are run a second time, and the first one is: a
            difference is the failure `NonDeterminism`. 0 for none.

    Returns:
        The verdict, with its first failure shrunk to few deviations from the
        default order.

    Raises:
        TypeError: If *scenario* is neither a program nor a function, or cannot be sent to
            other processes.
        ValueError: If another argument is out of bounds.
        RuntimeError: If a process ends before its work does.
    """
    check_scenario("explore", scenario)
    check_time("explore", time)
    check_seed("explore", seed)
    is_number = isinstance(schedules, int)  # pyright: ignore[reportUnnecessaryIsInstance]
    if isinstance(schedules, bool) or not is_number or schedules < 1:
        msg = f"explore: schedules must be an integer >= 1, got {schedules!r}"
        raise ValueError(msg)
    audited = check_share("explore", audit)
    conditions = conditions_of("explore", faults, delivery, lossy=lossy, duplicating=duplicating)
    if strategy == "dpor" and (conditions.may_fail or delivery != "fifo"):
        msg = (
            'explore: strategy "dpor" reorders messages and knows no choice of faults, and no '
            'delivery but "fifo"; take "portfolio" or "deviations", or plan the faults with '
            "Faults(budget=0, plan=(...))"
        )
        raise ValueError(msg)
    plan = strategy_of("explore", strategy, seed, reduces=conditions == CALM)
    check_jobs("explore", jobs, strategy, plan)
    check_budget("explore", budget)
    deadline = None if budget is None else perf_counter() + budget

    trials = Trials(scenario, seed, time, max_steps, conditions, audited)
    if jobs == 1:
        found = search(
            plan,
            trials.once,
            schedules,
            deadline=deadline,
            progress=progress,
            audit=trials.audited,
        )
    else:
        work = Work(trials, schedules, seed, strategy, budget)
        found = share(work, jobs, progress)
    failing = found.failing
    if found.failure is not None:
        number, draw, choices = found.failure
        failing = trials.repeated(choices, draw)
        if failing.error is None:
            again = "none in the process that tells it"
            failing.error = trials.difference(failing, draw) or NonDeterminism(
                f"the failure of schedule {number}", again
            )
            found.unstable = failing.error
    needed: tuple[int, ...] = ()
    passing: tuple[str, ...] = ()
    if failing is not None and found.unstable is not None:
        failing.error = found.unstable
    elif failing is not None:
        failing, needed, passing = trials.shrunk(failing, found.draw)
    missed = next((name for name, count in found.hits.items() if not count), None)
    if failing is None and missed is not None:
        failing = trials.repeated({}, 0)
        failing.error = Violation("sometimes", missed, 0)
    failure = None
    if failing is not None and failing.error is not None:
        failure = Failure(
            failing.error,
            failing.token,
            failing.deviations,
            failing.trace,
            scenario_name(scenario),
            found.runs,
            schedules,
            strategy,
            seed,
            failing.deviating_steps,
            needed,
            passing,
            failing.faults,
            failing.fault_steps,
        )
    return Verdict(
        failure is None,
        found.runs,
        found.exhausted,
        failure,
        found.bound,
        len(found.seen),
        found.steps,
        found.hits,
        strategy,
        seed,
        found.floors,
        found.unknown,
    )


def _percent(probability: float) -> str:
    """Write a probability, rounded down: it is a floor."""
    percent = min(100 * probability, 99.0)
    digits = 0 if percent >= 10 else max(1, 1 - math.floor(math.log10(percent)))  # noqa: PLR2004
    return f"{math.floor(percent * 10**digits) / 10**digits:.{digits}f} %"
