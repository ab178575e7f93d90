"""How the schedules of one exploration are run: the same way in each, but for the choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from effactor_interpreters.simulation.boundary import guarded
from effactor_interpreters.simulation.runs import Run, run_once
from effactor_interpreters.simulation.searching import without_gc
from effactor_interpreters.simulation.shrinking import shrink
from effactor_interpreters.simulation.tape import Following

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.programs.program import Program
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
    """

    scenario: Program[Any, Any] | Callable[[Simulation], Any]
    seed: int
    time: TimeMode
    max_steps: int

    def once(self, chooser: Chooser, draw: int) -> Run[Any]:
        """Run one schedule; the standard library must be guarded already.

        Args:
            chooser: Decides what happens next.
            draw: Added to the seed.

        Returns:
            The run.
        """
        return run_once(
            self.scenario,
            chooser,
            seed=self.seed + draw,
            time=self.time,
            max_steps=self.max_steps,
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

    def shrunk(self, failing: Run[Any], draw: int) -> Run[Any]:
        """Shrink a failing run.

        Args:
            failing: The run.
            draw: Its draw.

        Returns:
            The smallest run found that fails in the same way.
        """
        with guarded(), without_gc():
            return shrink(failing, lambda d: self.once(Following(d, strict=False), draw))
