"""Partial order sampling: Yuan, Yang, Gu, "Partial Order Aware Concurrency Sampling", CAV 2018.

Every event has a priority, drawn when it is first seen; the highest of those that may
happen does. Then those that it raced with draw anew, so that each order of racing events
is about as likely as any other, however long the run is.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from effactor_interpreters.simulation.events import Firing
from effactor_interpreters.simulation.strategies.walks import Sampling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from effactor_interpreters.simulation.events import Event
    from effactor_interpreters.simulation.tape import Chooser


FAIR: Final = 500
"""After how many choices all priorities are drawn anew."""


class Priorities:
    """Chooses by priorities that racing events draw anew.

    Args:
        seed: Any text; equal texts give equal choices on every platform.
    """

    draws: bool = True

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed).random  # schedules are no secrets
        self._drawn: dict[object, float] = {}

    def __call__(self, position: int, options: Sequence[Event]) -> int:
        """Take the highest priority."""
        drawn, draw = self._drawn, self._random
        if position % FAIR == FAIR - 1:
            drawn.clear()  # what has drawn low must not starve beside a timer that never ends
        best, highest = 0, -1.0
        for index, event in enumerate(options):
            key = event.key
            priority = drawn.get(key)
            if priority is None:
                priority = drawn[key] = draw()
            if priority > highest:
                best, highest = index, priority
        chosen = options[best]
        target = chosen.target
        is_timer = type(chosen) is Firing
        for event in options:
            if event.target == target or (is_timer and type(event) is Firing):
                drawn.pop(event.key, None)
        return best


class PartialOrderSampling(Sampling):
    """The strategy `pos`."""

    @override
    def sample(self, number: int) -> Chooser:
        """Draw the schedule of the *number*-th run, counted from 1."""
        return Priorities(f"{self._seed}:{number}:pos")
