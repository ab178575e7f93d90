"""The strategy `portfolio`: several strategies take turns, because none is best at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from effactor_interpreters.simulation.strategies.dpor import PartialOrderReduction
from effactor_interpreters.simulation.strategies.pct import ProbabilisticConcurrencyTesting
from effactor_interpreters.simulation.strategies.pos import PartialOrderSampling
from effactor_interpreters.simulation.strategies.systematic import Deviations
from effactor_interpreters.simulation.strategies.walks import Random

if TYPE_CHECKING:
    from effactor_interpreters.simulation.strategies.strategy import Observed, Proposal, Strategy

_TURNS: Final = "dprpxcprpc"
"""Who proposes, over and over: deviations, partial order sampling, random walks, partial-order
reduction, chains."""


class Portfolio:
    """Of ten runs four from `pos`, two from `random` and `pct`, one from `deviations`, `dpor`."""

    def __init__(self, seed: int, *, reduces: bool = True) -> None:
        """Begin; *reduces* says whether `dpor` takes its turn, which knows nothing of faults."""
        self._systematic = Deviations(seed)
        self._chains = ProbabilisticConcurrencyTesting(seed)
        samples: dict[str, Strategy] = {
            "p": PartialOrderSampling(seed),
            "r": Random(seed),
            "c": self._chains,
        }
        for member in samples.values():
            member.propose()  # the default order: the first of the deviations too
        reduction = PartialOrderReduction(seed)
        self._members: dict[str, Strategy] = {**samples, "d": self._systematic, "x": reduction}
        self._turn = -1
        self._reduces = reduces
        self._member: Strategy = self._systematic
        self._drew = False

    @property
    def exhausted(self) -> bool:
        """Whether every schedule has been tried, and chance plays no part in them."""
        return self._systematic.exhausted and not self._drew

    @property
    def done(self) -> bool:
        """Whether nothing is left to try."""
        return self.exhausted

    @property
    def bound(self) -> int | None:
        """Deviations of which all schedules have been tried."""
        return self._systematic.bound

    @property
    def floors(self) -> dict[int, float]:
        """What the chains promise."""
        return self._chains.floors

    def propose(self) -> Proposal:
        """Propose what the next member proposes."""
        self._turn += 1
        who = _TURNS[self._turn % len(_TURNS)]
        if self._members[who].done or (who == "x" and not self._reduces):
            who = "p"
        self._member = self._members[who]
        return self._member.propose()

    def observe(self, run: Observed) -> None:
        """Tell the member that proposed."""
        self._drew = self._drew or run.drew
        self._member.observe(run)
        if self._turn == 0:
            self._chains.observe(run)  # measured by the default order
