"""Strategies: which schedule to try next.

Every strategy proposes a chooser for each run and sees afterwards what was chosen
from how many options. `random` is a uniform walk; `exhaustive` enumerates all
tapes depth first; `deviations` tries all tapes with one deviation from the default
order, then with two, and so on (delay bounding: Emmi, Qadeer, Rakamaric, POPL
2011); `portfolio` mixes the default order, `random` and `deviations`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from effactor_interpreters.simulation.tape import Following, UniformRandom, default

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from effactor_interpreters.simulation.tape import Chooser


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

    def propose(self) -> Chooser:
        """Return the chooser of the next run."""
        ...

    def observe(self, choices: tuple[int, ...], widths: list[int]) -> None:
        """Learn what the run chose, and from how many options."""
        ...


class Random:
    """Uniform random walks, after the default order."""

    bound = None

    def __init__(self, seed: int) -> None:
        self.exhausted = False
        self._seed = seed
        self._runs = -1

    def propose(self) -> Chooser:
        """Propose the default order first, then a walk of its own for each run."""
        self._runs += 1
        if self._runs == 0:
            return default
        return UniformRandom(f"{self._seed}:{self._runs}:schedule")

    def observe(self, choices: tuple[int, ...], widths: list[int]) -> None:
        """Notice a run without choices: it is the only one."""
        del choices
        self.exhausted = not widths


class Exhaustive:
    """All tapes, depth first."""

    bound = None

    def __init__(self, _seed: int) -> None:
        self.exhausted = False
        self._prefix: list[int] = []

    def propose(self) -> Chooser:
        """Propose the next tape in lexicographic order."""
        return Following(dict(enumerate(self._prefix)), strict=True)

    def observe(self, choices: tuple[int, ...], widths: list[int]) -> None:
        """Take the last choice that has another option left."""
        for position in range(len(choices) - 1, -1, -1):
            if choices[position] + 1 < widths[position]:
                self._prefix = [*choices[:position], choices[position] + 1]
                return
        self.exhausted = True


class Deviations:
    """All tapes with no deviation, then with one, then with two ..."""

    def __init__(self, _seed: int) -> None:
        self.exhausted = False
        self.bound: int | None = None
        self._current: dict[int, int] = {}
        # One iterator a run, over its tape with one more deviation: the tapes
        # themselves would be too many to keep.
        self._queue: deque[Iterator[dict[int, int]]] = deque()

    def propose(self) -> Chooser:
        """Propose the next tape, fewest deviations first, earliest first."""
        return Following(self._current, strict=True)

    def observe(self, choices: tuple[int, ...], widths: list[int]) -> None:
        """Queue this tape with one more deviation, later than its last."""
        del choices
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
        self._members: tuple[Strategy, ...] = (Deviations(seed), Random(seed), Random(seed + 1))
        self._members[1].propose()  # the default order is the first of the deviations
        self._members[2].propose()
        self._turn = -1

    @property
    def exhausted(self) -> bool:
        """Whether every schedule has been tried."""
        return any(member.exhausted for member in self._members)

    @property
    def bound(self) -> int | None:
        """Deviations of which all schedules have been tried."""
        return self._members[0].bound

    def propose(self) -> Chooser:
        """Propose what the next member proposes."""
        self._turn += 1
        return self._members[self._turn % len(self._members)].propose()

    def observe(self, choices: tuple[int, ...], widths: list[int]) -> None:
        """Tell the member that proposed."""
        self._members[self._turn % len(self._members)].observe(choices, widths)


STRATEGIES: Final[dict[str, Callable[[int], Strategy]]] = {
    "random": Random,
    "exhaustive": Exhaustive,
    "deviations": Deviations,
    "portfolio": Portfolio,
}
