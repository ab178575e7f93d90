"""What is wrong in a simulated world at the moment, and what that keeps from happening."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from effactor_interpreters.runtime.controls import START
from effactor_interpreters.simulation.events import Delivery, Return
from effactor_interpreters.simulation.faults.plan import BOTH_WAYS, ONE_WAY

if TYPE_CHECKING:
    from effactor_interpreters.simulation.events import Event, Key
    from effactor_interpreters.simulation.timers import VirtualTimer


@dataclass(frozen=True, slots=True)
class Cut:
    """Who cannot reach whom.

    Attributes:
        sides: Groups of paths; `*` stands for all that are named in no group.
        one_way: Whether later groups reach earlier ones all the same.
        healed: Paths of actors that reach each other all the same.
    """

    sides: tuple[frozenset[str], ...]
    one_way: bool
    healed: frozenset[str] = frozenset()

    @classmethod
    def read(cls, detail: str) -> Cut:
        """Read what `sides_of` wrote."""
        one_way = f" {ONE_WAY} " in detail
        sides = detail.split(f" {ONE_WAY if one_way else BOTH_WAYS} ")
        return cls(tuple(frozenset(side.split(" ")) for side in sides), one_way)

    def cuts(self, source: str, target: str) -> bool:
        """Tell whether messages from one path to another have to wait."""
        if source in self.healed and target in self.healed:
            return False
        own, other = self._side(source), self._side(target)
        if own is None or other is None or own == other:
            return False
        return not self.one_way or own < other

    def _side(self, path: str) -> int | None:
        """Find the side of an actor: its own, or that of the actor it is a child of."""
        while path:
            for number, side in enumerate(self.sides):
                if path in side:
                    return number
            path = path.rpartition("/")[0]
        return next((n for n, side in enumerate(self.sides) if "*" in side), None)


class Afflictions:
    """What is wrong at the moment.

    Attributes:
        paused: Paths of actors that do nothing.
        slow: Paths of those whose messages come last.
        cuts: Who cannot reach whom, by number.
        held: Identities of messages that are held up.
        clocks: By path, nanoseconds that a clock is ahead, and how much too slow it runs.
        forgetful: Paths of those that have lost their memory at least once.
    """

    def __init__(self) -> None:
        self.paused: dict[str, None] = {}
        self.slow: dict[str, None] = {}
        self.cuts: dict[int, Cut] = {}
        self.held: dict[Key, None] = {}
        self.clocks: dict[str, tuple[int, float]] = {}
        self.forgetful: dict[str, None] = {}

    def sift(self, ready: list[Event]) -> tuple[list[Event], list[Event]]:
        """Leave out what cannot happen now.

        Args:
            ready: What could happen if nothing were wrong.

        Returns:
            What can happen, and what can but comes last, after timers too.
        """
        if self.paused or self.cuts or self.held:
            ready = [event for event in ready if not self.keeps_back(event)]
        if not self.slow:
            return ready, []
        late = [event for event in ready if event.target in self.slow]
        return [event for event in ready if event.target not in self.slow], late

    def keeps_back(self, event: Event) -> bool:
        """Tell whether something that is wrong keeps an event from happening."""
        if event.target in self.paused:
            return True
        if not isinstance(event, Delivery | Return):
            return False
        if event.key in self.held:
            return True
        if not self.cuts or event.subject is START:
            return False  # whoever starts an actor is where it is
        source, target = event.source, event.target
        return any(cut.cuts(source, target) for cut in self.cuts.values())

    def stops(self, timer: VirtualTimer) -> bool:
        """Tell whether a timer must not fire now: its actor is paused."""
        return timer.source in self.paused

    def down(self) -> set[str]:
        """List the paths of the actors that pause, or are cut off on a side of their own."""
        cut_off = {
            path
            for cut in self.cuts.values()
            for side in cut.sides
            if len(side) == 1
            for path in side
            if path != "*"
        }
        return {*self.paused, *cut_off}

    def heal(self, core: list[str]) -> None:
        """End what is wrong with some actors, and between them."""
        for path in core:
            self.paused.pop(path, None)
            self.slow.pop(path, None)
            self.clocks.pop(path, None)
        self.held.clear()
        healed = frozenset(core)
        self.cuts = {number: replace(cut, healed=healed) for number, cut in self.cuts.items()}
