"""Strategies that enumerate tapes: all of them, or those with few deviations first."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from effactor_interpreters.simulation.strategies.strategy import Proposal
from effactor_interpreters.simulation.tape import Following

if TYPE_CHECKING:
    from collections.abc import Iterator

    from effactor_interpreters.simulation.strategies.strategy import Observed


class Exhaustive:
    """All tapes, depth first."""

    bound = None

    def __init__(self, _seed: int) -> None:
        self.exhausted: bool = False
        self.floors: dict[int, float] = {}
        self._prefix: list[int] = []

    @property
    def done(self) -> bool:
        """Whether nothing is left to try."""
        return self.exhausted

    def propose(self) -> Proposal:
        """Propose the next tape in lexicographic order."""
        return Proposal(Following(dict(enumerate(self._prefix)), strict=True), 0)

    def observe(self, run: Observed) -> None:
        """Take the last choice that has another option left."""
        choices, widths = run.choices, run.widths
        for position in range(len(choices) - 1, -1, -1):
            if choices[position] + 1 < widths[position]:
                self._prefix = [*choices[:position], choices[position] + 1]
                return
        self.exhausted = True


class Deviations:
    """All tapes with no deviation, then with one, then with two, and so on.

    Delay bounding: Emmi, Qadeer, Rakamaric, "Delay-Bounded Scheduling", POPL 2011.

    Args:
        seed: Plays no part.
        most: How many deviations to try at most; None for no limit.
    """

    def __init__(self, _seed: int, most: int | None = None) -> None:
        self.exhausted: bool = False
        self.bound: int | None = None
        self.floors: dict[int, float] = {}
        self._most = most
        self._current: dict[int, int] = {}
        # One iterator a run, over its tape with one more deviation: the tapes
        # themselves would be too many to keep.
        self._queue: deque[Iterator[dict[int, int]]] = deque()

    @property
    def done(self) -> bool:
        """Whether all tapes that it is to try have been tried."""
        return self.exhausted or (self._most is not None and self.bound == self._most)

    def propose(self) -> Proposal:
        """Propose the next tape, fewest deviations first, earliest first."""
        return Proposal(Following(self._current, strict=True), 0)

    def observe(self, run: Observed) -> None:
        """Queue this tape with one more deviation, later than its last."""
        current = self._current
        self._queue.append(_one_more(current, tuple(run.widths)))
        while self._queue:
            following = next(self._queue[0], None)
            if following is not None:
                if len(following) > len(current):
                    self.bound = len(current)
                self._current = following
                return
            self._queue.popleft()
        self.bound = len(current)
        self.exhausted = True


def _one_more(deviations: dict[int, int], widths: tuple[int, ...]) -> Iterator[dict[int, int]]:
    for position in range(max(deviations, default=-1) + 1, len(widths)):
        for index in range(1, widths[position]):
            yield {**deviations, position: index}
