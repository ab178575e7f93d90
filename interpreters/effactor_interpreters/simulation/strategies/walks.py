"""Strategies that draw each schedule anew; and the simplest of them, uniform random walks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from effactor_interpreters.simulation.strategies.strategy import Proposal
from effactor_interpreters.simulation.tape import UniformRandom, default

if TYPE_CHECKING:
    from effactor_interpreters.simulation.strategies.strategy import Observed
    from effactor_interpreters.simulation.tape import Chooser


class Sampling:
    """The default order first, then a schedule of its own for each run."""

    bound = None

    def __init__(self, seed: int) -> None:
        self.exhausted: bool = False
        self._seed = seed
        self._runs = -1

    @property
    def independent(self) -> bool:
        """Whether later proposals need not know what became of the last one.

        Processes that share the schedules then need not all run it.
        """
        return self._runs > 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to try."""
        return self.exhausted

    @property
    def floors(self) -> dict[int, float]:
        """No promise."""
        return {}

    def sample(self, number: int) -> Chooser:
        """Draw the schedule of the *number*-th run, counted from 1."""
        raise NotImplementedError

    def propose(self) -> Proposal:
        """Propose the next run."""
        self._runs += 1
        if self._runs == 0:
            return Proposal(default, 0)
        return Proposal(self.sample(self._runs), self._runs)

    def observe(self, run: Observed) -> None:
        """Notice a run without choices and without chance: it is the only one."""
        if self._runs <= 0:
            self.exhausted = not run.widths and not run.drew


class Random(Sampling):
    """The strategy `random`: each option with equal probability."""

    @override
    def sample(self, number: int) -> Chooser:
        """Draw the schedule of the *number*-th run, counted from 1."""
        return UniformRandom(f"{self._seed}:{number}:schedule")
