"""Draws faults beside any strategy that draws schedules, so that neither drowns the other.

Swarm testing: Groce, Zhang, Eide, Chen, Regehr, "Swarm Testing", ISSTA 2012. Each run
draws which kinds it may have, and how likely a fault is; both from a stream of their own,
so that the schedule's draws stay what they are without faults.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from effactor_interpreters.simulation.events import Event
    from effactor_interpreters.simulation.faults.events import FaultEvent
    from effactor_interpreters.simulation.footprints import Footprints
    from effactor_interpreters.simulation.tape import Chooser

_LIKELIEST: Final = 0.5
_DECADES: Final = 2.0
_CALM: Final = 0.125
"""Share of runs without any fault."""


class Swarm:
    """Chooses faults at random, and leaves the rest to another chooser.

    Args:
        chooser: Decides between events.
        seed: Any text; equal texts give equal choices on every platform.
    """

    def __init__(self, chooser: Chooser, seed: str) -> None:
        self._chooser = chooser
        self._random = random.Random(seed).random  # faults are no secrets
        draw = self._random()
        self._probability = 0.0 if draw < _CALM else _LIKELIEST * 10 ** (-_DECADES * self._random())
        self._kinds: dict[str, bool] = {}
        self._positions = 0
        self.sees_all: bool = getattr(chooser, "sees_all", False)
        self.footprints: Footprints | None = getattr(chooser, "footprints", None)

    def __call__(self, _position: int, options: Sequence[Event]) -> int:
        """Take one: faults come last among the options."""
        regular = len(options)
        while regular and options[regular - 1].is_fault:
            regular -= 1
        if regular < len(options):
            fault = self.fault(options[regular:])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            if fault is not None:
                return regular + fault
        if regular == 1 and not self.sees_all:
            return 0
        position = self._positions
        self._positions += regular > 1
        return self._chooser(position, options[:regular])

    def fault(self, faults: Sequence[FaultEvent]) -> int | None:
        """Draw one of *faults*, or none, as is most likely.

        Args:
            faults: At least one.

        Returns:
            An index, or None.
        """
        if self._random() >= self._probability:
            return None
        by_kind: dict[str, list[int]] = {}
        for index, event in enumerate(faults):
            kind = event.fault.kind
            if kind not in self._kinds:
                self._kinds[kind] = self._random() < 0.5  # noqa: PLR2004 - in or out
            if self._kinds[kind]:
                by_kind.setdefault(kind, []).append(index)
        if not by_kind:
            return None
        # By kind first: partitions are many, and would leave the others little.
        kinds = list(by_kind)
        among = by_kind[kinds[int(self._random() * len(kinds))]]
        return among[int(self._random() * len(among))]
