"""Worlds for Hypothesis: data, schedule and the program's own randomness in one search."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, overload

from hypothesis import control, note
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException, StopTest
from typing_extensions import TypeVar, override

from effactor_interpreters.simulation.boundary import guarded
from effactor_interpreters.simulation.conditions import CALM, Conditions, conditions_of
from effactor_interpreters.simulation.exploring import Failure
from effactor_interpreters.simulation.runs import (
    MAX_STEPS,
    Run,
    check_scenario,
    check_time,
    replay,
    scenario_name,
)
from effactor_interpreters.simulation.strategies import strategy_of
from effactor_interpreters.simulation.trials import Trials
from effactor_interpreters.testing.drawing import STRATEGIES, Numbers, chooser_of

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Coroutine, Iterable

    from effactor.programs.program import Program
    from effactor_interpreters.simulation.delivery import Order
    from effactor_interpreters.simulation.faults.budget import Faults
    from effactor_interpreters.simulation.simulation import Simulation
    from effactor_interpreters.simulation.tape import Chooser
    from effactor_interpreters.simulation.token import TimeMode

A = TypeVar("A")

SCHEDULES: Final = 10
"""Schedules of one example where nothing else is said."""

_SEEDS: Final = 1 << 16


class World:
    """A simulated world whose schedule Hypothesis draws, or tokens name.

    `worlds()` makes them for `@given`. For `@example` make one of the tokens that a failure
    has printed: its first run follows the first token, and so on; further runs happen in
    the default order.

    Args:
        tokens: Tokens of its runs, in order.
    """

    def __init__(self, *tokens: str) -> None:
        self._given = tokens
        self._source: random.Random | None = None
        self._strategy = "portfolio"
        self._schedules = 1
        self._time: TimeMode = "async"
        self._max_steps = MAX_STEPS
        self._conditions = CALM
        self._ran: list[str] = []
        self._context: object = None

    @classmethod
    def drawn(
        cls,
        source: random.Random,
        strategy: str,
        schedules: int,
        time: TimeMode,
        max_steps: int,
        conditions: Conditions,
    ) -> World:
        """Make one that draws; `worlds()` does this.

        Args:
            source: Hypothesis' source of randomness.
            strategy: How schedules are drawn.
            schedules: How many a run tries.
            time: When timers may fire.
            max_steps: Steps after which a run counts as a livelock.
            conditions: The network, and what may go wrong.

        Returns:
            The world.
        """
        world = cls()
        world._source, world._strategy, world._schedules = source, strategy, schedules
        world._time, world._max_steps, world._conditions = time, max_steps, conditions
        return world

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens of the runs so far."""
        return tuple(self._ran)

    # A scenario of any result may be one of a coroutine: the overloads overlap, and the
    # first wins.
    @overload
    def run(self, scenario: Program[A, Any]) -> A: ...
    @overload
    def run(self, scenario: Callable[[Simulation], Coroutine[Any, Any, A]]) -> A: ...
    @overload
    def run(self, scenario: Callable[[Simulation], A]) -> A: ...
    def run(self, scenario: Program[Any, Any] | Callable[[Simulation], Any]) -> Any:
        """Run a program or a scenario, in a simulation of its own.

        If this is the minimal failing example, the schedule is shrunk once more by itself,
        to the fewest deviations, and told with its token.

        Args:
            scenario: A program, or a function of the `Simulation`; it may be `async def`.

        Returns:
            Its answer. What it raises is raised.

        Raises:
            TypeError: If it is neither.
        """
        check_scenario("world.run", scenario)
        run = self._next(scenario)
        final = _is_final()
        if run.error is None:
            self._ran.append(run.token)
            if final:
                _tell(f"{scenario_name(scenario)}: no failure in the schedule of {run.token}")
            return run.value
        error = run.error
        if isinstance(error, StopTest | HypothesisException):
            raise error  # Hypothesis' own signals, such as that of `assume`
        if final and self._source is not None:
            run, _, _ = self._trials(scenario).shrunk(run, run.seed)
            error = run.error or error
        self._ran.append(run.token)
        if final:
            _tell(self._story(scenario, run))
        raise error

    def run_all(self, programs: Iterable[Program[A, Any]]) -> list[A]:
        """Run programs concurrently, all to their end, in a simulation of their own.

        Args:
            programs: The programs.

        Returns:
            Their answers, in order. The first failure in that order is raised, after all
            have ended.
        """
        listed = list(programs)

        def run_all(sim: Simulation) -> list[A]:
            return sim.run_all(listed)

        return self.run(run_all)

    def _trials(self, scenario: Any) -> Trials:
        return Trials(scenario, 0, self._time, self._max_steps, self._conditions)

    def _next(self, scenario: Any) -> Run[Any]:
        if self._source is None:
            inside = control.currently_in_test_context()
            context = control.current_build_context() if inside else None
            if context is not self._context:
                # An example may be run again, and begins with the first token then.
                self._context, self._ran = context, []
            if len(self._ran) < len(self._given):
                token = self._given[len(self._ran)]
                return replay(scenario, token, max_steps=self._max_steps)
            return self._trials(scenario).repeated({}, 0)
        numbers = Numbers(self._source)
        seed = numbers.below(_SEEDS)
        trials = self._trials(scenario)
        with guarded():
            return self._search(trials, chooser_of(self._strategy, numbers), seed)

    def _search(self, trials: Trials, drawn: Chooser, seed: int) -> Run[Any]:
        first = trials.once(drawn, seed)
        if first.error is not None or self._schedules == 1:
            return first
        # These draw nothing, so that smaller data fails too where its schedule would have to
        # be another one: Hypothesis shrinks data well, but not two places at once.
        plan = strategy_of("worlds", "portfolio", 0)
        for _ in range(1, self._schedules):
            if plan.done:
                break
            chooser, draw = plan.propose()
            run = trials.once(chooser, seed + draw)
            if run.error is not None:
                return run
            plan.observe(run)
        return first

    def _story(self, scenario: Any, run: Run[Any]) -> str:
        assert run.error is not None
        failure = Failure(
            run.error,
            run.token,
            run.deviations,
            run.trace,
            scenario_name(scenario),
            steps=run.deviating_steps,
            faults=run.faults,
            fault_steps=run.fault_steps,
        )
        tokens = ", ".join(repr(token) for token in self._ran)
        example = f"  replay:  @example(..., world=World({tokens}))"
        story = re.sub(r"^  replay:.*$", lambda _: example, failure.explain(), flags=re.MULTILINE)
        # Hypothesis shows the error itself.
        return story.partition("\n\n")[2].replace("replayed from its token", "shrunk", 1)

    @override
    def __repr__(self) -> str:
        if self._source is None:
            return f"World({', '.join(repr(token) for token in self._given)})"
        return "<a drawn World>"


def _is_final() -> bool:
    return control.currently_in_test_context() and control.current_build_context().is_final


def _tell(text: str) -> None:
    note(f"\n{text}\n")


@st.composite
def _drawn(
    draw: st.DrawFn,
    strategy: str,
    schedules: int,
    time: TimeMode,
    max_steps: int,
    conditions: Conditions,
) -> World:
    source = draw(st.randoms(use_true_random=False))
    return World.drawn(source, strategy, schedules, time, max_steps, conditions)


def worlds(
    *,
    schedules: int = SCHEDULES,
    strategy: str = "portfolio",
    faults: Faults | None = None,
    delivery: Order = "fifo",
    lossy: bool = False,
    duplicating: bool = False,
    time: TimeMode = "async",
    max_steps: int = MAX_STEPS,
) -> st.SearchStrategy[World]:
    """Draw worlds, for `@given`.

    Everything that happens in them comes from Hypothesis' one sequence of choices: it
    searches for schedules as it does for data, shrinks both together, keeps them in its
    database and reproduces them with `@reproduce_failure`.

    Args:
        schedules: How many schedules a run tries, at least 1. The first is drawn; the others
            are those that `explore` begins with, the same for each example.
        strategy: How schedules are drawn: `"random"` draws each choice, `"deviations"` leaves
            the default order seldom, `"pos"` draws priorities of events, `"portfolio"` one of
            these for each run.
        faults: What goes wrong, and what may.
        delivery: In which order messages arrive, as in `explore`.
        lossy: Whether any message may be lost.
        duplicating: Whether any message may come twice.
        time: `"async"` lets a timer fire at any moment after it is set, `"latency"` only when
            no message is under way.
        max_steps: Steps after which a run counts as a livelock.

    Returns:
        A strategy for `World`.

    Raises:
        ValueError: If an argument is out of bounds.
    """
    check_time("worlds", time)
    is_number = isinstance(schedules, int)  # pyright: ignore[reportUnnecessaryIsInstance]
    if isinstance(schedules, bool) or not is_number or schedules < 1:
        msg = f"worlds: schedules must be an integer >= 1, got {schedules!r}"
        raise ValueError(msg)
    if strategy not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        msg = (
            f"worlds: strategy must be one of {known}, got {strategy!r}; the others of explore "
            "learn from one run for the next, and here Hypothesis does that"
        )
        raise ValueError(msg)
    conditions = conditions_of("worlds", faults, delivery, lossy=lossy, duplicating=duplicating)
    return _drawn(strategy, schedules, time, max_steps, conditions)
