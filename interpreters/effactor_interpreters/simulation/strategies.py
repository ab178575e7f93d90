"""Strategies: which schedule to try next.

Every strategy proposes a chooser for each run and sees afterwards what was chosen
from how many options. `random` is a uniform walk; `exhaustive` enumerates all
tapes depth first; `deviations` tries all tapes with one deviation from the default
order, then with two, and so on (delay bounding: Emmi, Qadeer, Rakamaric, POPL
2011); `portfolio` mixes the default order, `random` and `deviations`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from effactor_interpreters.simulation.tape import Following, UniformRandom, default

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


class Strategy(Protocol):
    """Proposes schedules."""

    @property
    def exhausted(self) -> bool:
        """Whether every schedule has been tried."""
        ...

    @property
    def bound(self) -> int | None:
        """Largest number of deviations of which all schedules have been tried.

        None where the strategy does not count them.
        """
        ...

    def propose(self) -> Proposal:
        """Return what the next run should do."""
        ...

    def observe(self, choices: tuple[int, ...], widths: list[int], *, drew: bool) -> None:
        """Learn what the run chose, from how many options, and whether it drew at random."""
        ...


class Random:
    """Uniform random walks, after the default order."""

    bound = None

    def __init__(self, seed: int) -> None:
        self.exhausted: bool = False
        self._seed = seed
        self._runs = -1

    def propose(self) -> Proposal:
        """Propose the default order first, then a walk of its own for each run."""
        self._runs += 1
        if self._runs == 0:
            return Proposal(default, 0)
        return Proposal(UniformRandom(f"{self._seed}:{self._runs}:schedule"), self._runs)

    def observe(self, choices: tuple[int, ...], widths: list[int], *, drew: bool) -> None:
        """Notice a run without choices and without chance: it is the only one."""
        del choices
        self.exhausted = not widths and not drew


class Exhaustive:
    """All tapes, depth first."""

    bound = None

    def __init__(self, _seed: int) -> None:
        self.exhausted: bool = False
        self._prefix: list[int] = []

    def propose(self) -> Proposal:
        """Propose the next tape in lexicographic order."""
        return Proposal(Following(dict(enumerate(self._prefix)), strict=True), 0)

    def observe(self, choices: tuple[int, ...], widths: list[int], *, drew: bool) -> None:
        """Take the last choice that has another option left."""
        del drew
        for position in range(len(choices) - 1, -1, -1):
            if choices[position] + 1 < widths[position]:
                self._prefix = [*choices[:position], choices[position] + 1]
                return
        self.exhausted = True


class Deviations:
    """All tapes with no deviation, then with one, then with two ..."""

    def __init__(self, _seed: int) -> None:
        self.exhausted: bool = False
        self.bound: int | None = None
        self._current: dict[int, int] = {}
        # One iterator a run, over its tape with one more deviation: the tapes
        # themselves would be too many to keep.
        self._queue: deque[Iterator[dict[int, int]]] = deque()

    def propose(self) -> Proposal:
        """Propose the next tape, fewest deviations first, earliest first."""
        return Proposal(Following(self._current, strict=True), 0)

    def observe(self, choices: tuple[int, ...], widths: list[int], *, drew: bool) -> None:
        """Queue this tape with one more deviation, later than its last."""
        del choices, drew
        current = self._current
        self._queue.append(_one_more(current, tuple(widths)))
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


class Portfolio:
    """One run in three from `deviations`, the others from `random`."""

    def __init__(self, seed: int) -> None:
        self._systematic = Deviations(seed)
        self._random = Random(seed)
        self._random.propose()  # the default order: the first of the deviations too
        self._turn = -1
        self._drew = False

    @property
    def exhausted(self) -> bool:
        """Whether every schedule has been tried, and chance plays no part in them."""
        return self._systematic.exhausted and not self._drew

    @property
    def bound(self) -> int | None:
        """Deviations of which all schedules have been tried."""
        return self._systematic.bound

    def _member(self) -> Strategy:
        if self._turn % _PORTFOLIO or self._systematic.exhausted:
            return self._random
        return self._systematic

    def propose(self) -> Proposal:
        """Propose what the next member proposes."""
        self._turn += 1
        return self._member().propose()

    def observe(self, choices: tuple[int, ...], widths: list[int], *, drew: bool) -> None:
        """Tell the member that proposed."""
        self._drew = self._drew or drew
        self._member().observe(choices, widths, drew=drew)


_PORTFOLIO: Final = 3

STRATEGIES: Final[dict[str, Callable[[int], Strategy]]] = {
    "random": Random,
    "exhaustive": Exhaustive,
    "deviations": Deviations,
    "portfolio": Portfolio,
}
