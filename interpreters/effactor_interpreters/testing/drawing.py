"""Schedules out of Hypothesis' choices, so that it shrinks them together with the data.

Every number drawn is 0 in the simplest example, and a schedule of zeros is the default
order: what Hypothesis shrinks is what a failure does not need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from effactor_interpreters.simulation.strategies.pos import Priorities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from effactor_interpreters.simulation.events import Event
    from effactor_interpreters.simulation.tape import Chooser

MOST: Final = 2000
"""Numbers that a run draws; then it goes on in the default order. Hypothesis has no room for
many more in one example."""

_RARE: Final = 8
_SELDOM: Final = 16
_PRIORITIES: Final = 256


class Numbers:
    """Draws numbers, up to a limit, and zeros afterwards.

    Args:
        source: Hypothesis' source of randomness.
    """

    def __init__(self, source: Random) -> None:
        self._draw = source.randrange
        self._left = MOST

    def below(self, limit: int) -> int:
        """Draw a number.

        Args:
            limit: One more than the largest, at least 1.

        Returns:
            The number.
        """
        if self._left <= 0:
            return 0
        self._left -= 1
        return self._draw(limit)


class _Uniform:
    """Draws each choice."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def __call__(self, _position: int, options: Sequence[Event]) -> int:
        return self._numbers.below(len(options))


class _Rarely:
    """Takes the default in seven choices of eight."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def __call__(self, _position: int, options: Sequence[Event]) -> int:
        width = len(options)
        return max(0, self._numbers.below(_RARE * width) - (_RARE - 1) * width)


class _Drawn(Priorities):
    """Priorities of events, which draw anew after a race, out of Hypothesis' choices."""

    draws = False  # no faults beside what Hypothesis draws

    def __init__(self, numbers: Numbers) -> None:
        super().__init__("")
        self._random = lambda: float(numbers.below(_PRIORITIES))


class _Faults:
    """Draws seldom a fault, where one is offered, and else leaves the choice to another."""

    def __init__(self, inner: Chooser, numbers: Numbers) -> None:
        self._inner = inner
        self._numbers = numbers

    def __call__(self, position: int, options: Sequence[Event]) -> int:
        regular = sum(not event.is_fault for event in options)  # the faults come last
        if regular < len(options) and self._numbers.below(_SELDOM) == _SELDOM - 1:
            return regular + self._numbers.below(len(options) - regular)
        return self._inner(position, options[:regular]) if regular > 1 else 0


_KINDS: Final[dict[str, Callable[[Numbers], Chooser]]] = {
    "deviations": _Rarely,
    "pos": _Drawn,
    "random": _Uniform,
}
STRATEGIES: Final = ("portfolio", *_KINDS)
"""What `worlds(strategy=)` can be."""


def chooser_of(strategy: str, numbers: Numbers) -> Chooser:
    """Make what chooses the events of one run.

    Args:
        strategy: One of `STRATEGIES`; `portfolio` draws one of the others.
        numbers: Where its numbers come from.

    Returns:
        The chooser.
    """
    if strategy == "portfolio":
        strategy = tuple(_KINDS)[numbers.below(len(_KINDS))]
    return _Faults(_KINDS[strategy](numbers), numbers)
