"""What a strategy is: it proposes schedules, and sees what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from effactor_interpreters.simulation.tape import Chooser


class Proposal(NamedTuple):
    """What a run should do.

    Attributes:
        chooser: Decides what happens next.
        draw: Added to the seed of the program's own randomness. Strategies that
            enumerate keep it 0: they follow what an earlier run did, and that holds
            only if programs draw the same again.
    """

    chooser: Chooser
    draw: int


class Observed(Protocol):
    """What a strategy sees of a run."""

    @property
    def choices(self) -> tuple[int, ...]:
        """The index taken at each choice."""
        ...

    @property
    def widths(self) -> list[int]:
        """The number of options at each choice."""
        ...

    @property
    def drew(self) -> bool:
        """Whether programs or handlers drew at random."""
        ...

    @property
    def steps(self) -> int:
        """Number of events that happened."""
        ...

    @property
    def events(self) -> int:
        """Number of events that came about, whether they happened or not."""
        ...


class Strategy(Protocol):
    """Proposes schedules."""

    @property
    def exhausted(self) -> bool:
        """Whether every schedule has been tried."""
        ...

    @property
    def done(self) -> bool:
        """Whether nothing is left to try: one with limits may be done before all is tried."""
        ...

    @property
    def bound(self) -> int | None:
        """Largest number of deviations of which all schedules have been tried.

        None where the strategy does not count them.
        """
        ...

    @property
    def floors(self) -> dict[int, float]:
        """Least probability that a bug would have been found by now, by its depth.

        Depth here is the number of ordering constraints that bring the bug about, as PCT
        counts them. Empty where the strategy promises nothing.
        """
        ...

    def propose(self) -> Proposal:
        """Return what the next run should do."""
        ...

    def observe(self, run: Observed) -> None:
        """Learn what the run did that was proposed last."""
        ...
