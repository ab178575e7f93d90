"""How the schedules of one exploration are run: the same way in each, but for the choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from effactor_interpreters.simulation.auditing import difference, is_due
from effactor_interpreters.simulation.boundary import guarded
from effactor_interpreters.simulation.conditions import CALM, Conditions
from effactor_interpreters.simulation.passing import contrast
from effactor_interpreters.simulation.runs import Run, repeat, run_once, sampled
from effactor_interpreters.simulation.searching import without_gc
from effactor_interpreters.simulation.shrinking import shrink
from effactor_interpreters.simulation.slicing import relevant
from effactor_interpreters.simulation.tape import Following

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.errors import NonDeterminism
    from effactor.programs.program import Program
    from effactor_interpreters.simulation.faults.script import Mode, Script
    from effactor_interpreters.simulation.simulation import Simulation
    from effactor_interpreters.simulation.tape import Chooser
    from effactor_interpreters.simulation.token import TimeMode


@dataclass(frozen=True, slots=True)
class Trials:
    """How the schedules of one exploration are run; can be sent to other processes.

    Attributes:
        scenario: The scenario.
        seed: Seed of the programs' own randomness; each schedule adds its draw.
        time: When timers may fire.
        max_steps: Steps after which a run is a livelock.
        conditions: The network, and what may go wrong.
        share: Share of the runs that are run a second time.
    """

    scenario: Program[Any, Any] | Callable[[Simulation], Any]
    seed: int
    time: TimeMode
    max_steps: int
    conditions: Conditions = CALM
    share: float = 0.0

    def once(self, chooser: Chooser, draw: int) -> Run[Any]:
        """Run one schedule; the standard library must be guarded already.

        Args:
            chooser: Decides what happens next.
            draw: Added to the seed.

        Returns:
            The run.
        """
        if getattr(chooser, "draws", False):
            chooser = sampled(chooser, self.conditions, f"{self.seed}:{draw}")
        return run_once(
            self.scenario,
            chooser,
            seed=self.seed + draw,
            time=self.time,
            max_steps=self.max_steps,
            conditions=self.conditions,
        )

    def repeated(self, choices: dict[int, int], draw: int) -> Run[Any]:
        """Run the schedule that another process has run.

        Args:
            choices: Its `tape_deviations`.
            draw: Its draw.

        Returns:
            The run.
        """
        with guarded():
            return self.once(Following(choices, strict=True), draw)

    def audited(self, number: int, run: Run[Any], draw: int) -> NonDeterminism | None:
        """Run a schedule a second time, if it is one of those that are.

        Args:
            number: The schedule's number, from 1.
            run: The run.
            draw: Its draw.

        Returns:
            What was different; None if nothing was.
        """
        return self._compared(run, draw) if is_due(self.share, number) else None

    def difference(self, run: Run[Any], draw: int) -> NonDeterminism | None:
        """Run a schedule a second time.

        Args:
            run: The run.
            draw: Its draw.

        Returns:
            What was different; None if nothing was.
        """
        with guarded():
            return self._compared(run, draw)

    def _compared(self, run: Run[Any], draw: int) -> NonDeterminism | None:
        chooser = Following(run.tape_deviations, strict=True)
        return difference(run, lambda: self._as_it_was(run, draw, self.scenario, chooser))

    def _as_it_was(self, earlier: Run[Any], draw: int, scenario: Any, chooser: Chooser) -> Run[Any]:
        """Run a scenario under the conditions of an earlier run, and with its faults."""
        repeats = earlier.repeats
        return run_once(
            scenario,
            chooser,
            seed=self.seed + draw,
            time=self.time,
            max_steps=self.max_steps,
            conditions=self.conditions.without_choice() if repeats else self.conditions,
            script=earlier.script.without_plan() if repeats else None,
            mode="places",
        )

    def shrunk(
        self, failing: Run[Any], draw: int
    ) -> tuple[Run[Any], tuple[int, ...], tuple[str, ...]]:
        """Shrink a failing run, and find out what the failure depends on.

        Args:
            failing: The run.
            draw: Its draw.

        Returns:
            The smallest run found that fails in the same way; the numbers of the records that
            the failure depends on; and what is otherwise in the nearest run that passes.
        """

        def again(script: Script, mode: Mode) -> Run[Any]:
            return repeat(
                self.scenario,
                script,
                mode,
                seed=self.seed + draw,
                time=self.time,
                max_steps=self.max_steps,
                conditions=self.conditions.without_choice(),
            )

        with guarded(), without_gc():
            best = shrink(failing, again, lambda chooser: self.once(chooser, draw))
            flaw = self._compared(best, draw) if self.share else None
            if flaw is not None and best.error is not None:
                best.error.add_note(f"Not every run of this schedule fails so: {flaw}")

            def watched(scenario: Any, chooser: Chooser) -> Run[Any]:
                return self._as_it_was(best, draw, scenario, chooser)

            needed = relevant(best, self.scenario, watched)
            if best.script.faults:
                went_wrong = (r.step for r in best.trace if r.kind in {"crash", "fault"})
                needed = tuple(sorted({*needed, *went_wrong}))
            passing = contrast(best, lambda d: watched(self.scenario, Following(d, strict=False)))
        return best, needed, passing
