"""Do two programs come to the same outcomes, whatever the order?"""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor.traces.canonical import canonical
from effactor_interpreters.simulation.boundary import guarded
from effactor_interpreters.simulation.runs import (
    MAX_STEPS,
    check_scenario,
    check_seed,
    check_time,
    run_once,
    scenario_name,
)
from effactor_interpreters.simulation.searching import RUNS_BETWEEN_COLLECTIONS, without_gc
from effactor_interpreters.simulation.strategies import strategy_of
from effactor_interpreters.simulation.strategies.dpor import Redundant

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.programs.program import Program
    from effactor_interpreters.simulation.simulation import Simulation
    from effactor_interpreters.simulation.token import TimeMode

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Whether two programs or scenarios come to the same outcomes.

    Attributes:
        ok: Whether neither came to an outcome that the other did not.
        exhausted: Whether all schedules of both were tried; else the other might come to it
            in a schedule that was not.
        runs: Number of schedules of each that ran.
        outcomes: What both came to, in words, in order.
        only_first: What only the first came to, with a token that replays it.
        only_second: What only the second came to.
        names: What the two are called.
    """

    ok: bool
    exhausted: bool
    runs: tuple[int, int]
    outcomes: tuple[str, ...] = ()
    only_first: dict[str, str] = field(default_factory=dict[str, str])
    only_second: dict[str, str] = field(default_factory=dict[str, str])
    names: tuple[str, str] = ("", "")

    def __bool__(self) -> bool:
        """Tell whether they are equivalent as far as was tried."""
        return self.ok

    @override
    def __str__(self) -> str:
        first, second = self.names
        tried = "all schedules"
        if not self.exhausted:
            tried = f"{self.runs[0]:,} and {self.runs[1]:,} schedules"
        if self.ok:
            common = f"{len(self.outcomes)} outcome{'' if len(self.outcomes) == 1 else 's'}"
            return f"{first} and {second} come to the same: {common} in {tried}"
        lines = [f"{first} and {second} do not come to the same in {tried}"]
        for name, only in ((first, self.only_first), (second, self.only_second)):
            lines += [f"  only {name}: {what}  (token {only[what]})" for what in [*only][:_SHOWN]]
            if len(only) > _SHOWN:
                lines.append(f"  only {name}: {len(only) - _SHOWN} more")
        return "\n".join(lines)


def equivalent(
    first: Program[Any, Any] | Callable[[Simulation], Any],
    second: Program[Any, Any] | Callable[[Simulation], Any],
    *,
    schedules: int = 2000,
    seed: int = 0,
    strategy: str = "dpor",
    time: TimeMode = "async",
    max_steps: int = MAX_STEPS,
) -> Equivalence:
    """Compare what two programs, or two scenarios, come to in all orders.

    An outcome is what the program or scenario answers, or raises: of a scenario return
    whatever counts, such as the states of its actors. Outcomes are compared by their
    canonical text, so that addresses and the like play no part.

    Args:
        first: A program, or a function of the `Simulation`.
        second: Another.
        schedules: How many of each to try, at least 1.
        seed: Any integer from 0.
        strategy: Which, see `explore`. `"dpor"` and `"exhaustive"` can end with a proof;
            those that draw can only find a difference.
        time: See `explore`.
        max_steps: Steps after which a run counts as a livelock.

    Returns:
        Whether they are equivalent, and if not, what only one of them comes to.

    Raises:
        TypeError: If one of them is neither a program nor a function.
        ValueError: If another argument is out of bounds.
    """
    check_time("equivalent", time)
    check_seed("equivalent", seed)
    is_number = isinstance(schedules, int)  # pyright: ignore[reportUnnecessaryIsInstance]
    if isinstance(schedules, bool) or not is_number or schedules < 1:
        msg = f"equivalent: schedules must be an integer >= 1, got {schedules!r}"
        raise ValueError(msg)
    found: list[dict[str, str]] = []
    runs: list[int] = []
    exhausted = True
    for scenario in (first, second):
        check_scenario("equivalent", scenario)
        plan = strategy_of("equivalent", strategy, seed)
        outcomes: dict[str, str] = {}
        drew, count = False, 0
        with guarded(), without_gc():
            while count < schedules and not plan.done:
                chooser, draw = plan.propose()
                run = run_once(scenario, chooser, seed=seed + draw, time=time, max_steps=max_steps)
                plan.observe(run)
                count += 1
                if count % RUNS_BETWEEN_COLLECTIONS == 0:
                    gc.collect(1)
                drew = drew or run.drew
                if type(run.error) is not Redundant:
                    error = run.error
                    what = canonical(run.value) if error is None else f"raises {canonical(error)}"
                    if what not in outcomes:
                        outcomes[what] = run.token
        found.append(outcomes)
        runs.append(count)
        exhausted = exhausted and plan.exhausted and not drew
    one, two = found
    only_first = {what: token for what, token in one.items() if what not in two}
    only_second = {what: token for what, token in two.items() if what not in one}
    return Equivalence(
        not only_first and not only_second,
        exhausted,
        (runs[0], runs[1]),
        tuple(sorted(one.keys() & two.keys())),
        only_first,
        only_second,
        (scenario_name(first), scenario_name(second)),
    )
