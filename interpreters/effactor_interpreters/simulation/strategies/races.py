"""Which steps of a run raced: they conflict, and could have come in the other order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from effactor_interpreters.simulation.events import Key
    from effactor_interpreters.simulation.footprints import Footprint, Object, Step


class Race(NamedTuple):
    """A step that something later could have come before.

    Attributes:
        at: Its index.
        instead: Identities of what could come first in its place, so that the later one comes
            before it; empty if that is not known.
    """

    at: int
    instead: frozenset[Key]


class HappensBefore:
    """The partial order of the steps of one run, grown step by step.

    Sets of steps are integers, one bit a step: that is fast, and short to write.
    """

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._before: list[int] = []  # by step: all that must come before it
        self._writers: dict[Object, int] = {}  # by object: all that wrote it
        self._readers: dict[Object, int] = {}

    def keep(self, length: int) -> None:
        """Forget the steps from *length* on."""
        del self._steps[length:]
        del self._before[length:]
        mask = (1 << length) - 1
        for accesses in (self._writers, self._readers):
            for touched in accesses:
                accesses[touched] &= mask

    def __len__(self) -> int:
        """Count the steps."""
        return len(self._steps)

    def conflicting(self, footprint: Footprint) -> int:
        """Find the steps whose order with a footprint may matter."""
        found = 0
        writers, readers = self._writers, self._readers
        for touched in footprint.writes:
            found |= writers.get(touched, 0) | readers.get(touched, 0)
        for touched in footprint.reads:
            found |= writers.get(touched, 0)
        return found

    def append(self, step: Step) -> None:
        """Add the next step."""
        index = len(self._steps)
        conflicts = self.conflicting(step.footprint)
        before = self._closed(conflicts) | self._cause(step)
        self._steps.append(step)
        self._before.append(before)
        bit = 1 << index
        for touched in step.footprint.writes:
            self._writers[touched] = self._writers.get(touched, 0) | bit
        for touched in step.footprint.reads:
            self._readers[touched] = self._readers.get(touched, 0) | bit

    def _cause(self, step: Step) -> int:
        """Find what must come before a step whatever the order: what it came about by."""
        causes = 0 if step.cause < 0 else 1 << step.cause
        if not step.is_chosen:
            for ended in step.obstacles:
                causes |= self._writers.get(ended, 0)  # it waited for all of that
        return self._closed(causes)

    def _closed(self, steps: int) -> int:
        """Add what must come before these steps."""
        closed = 0
        for index in _descending(steps):
            if not closed >> index & 1:
                closed |= self._before[index] | 1 << index
        return closed

    # ------------------------------------------------------------ races

    def races(self, later: Step, length: int) -> Iterator[Race]:
        """Find the steps that raced with a later one.

        Args:
            later: The later step: the one at *length*, or one that never happened.
            length: How many steps came before it.

        Yields:
            The races, the latest first.
        """
        steps = self._steps
        cause = self._cause(later)
        candidates = self.conflicting(later.footprint) & ((1 << length) - 1) & ~cause
        passed = 0  # what must come before a race already found
        for index in _descending(candidates):
            earlier = steps[index]
            if passed >> index & 1 or not self._could_come_first(later, earlier, index, length):
                continue
            passed |= self._before[index]
            yield self._race(later, index, length)

    def race_with(self, later: Step, index: int) -> Race | None:
        """Find out whether a step raced with an event that it made impossible.

        Args:
            later: The event, which never happened.
            index: The step.

        Returns:
            The race. All steps of the run count: those that do not depend on that step could
            have come before it, and have let the event happen.
        """
        length = len(self._steps)
        if not self._could_come_first(later, self._steps[index], index, length):
            return None
        return self._race(later, index, length)

    def _race(self, later: Step, index: int, length: int) -> Race:
        # The scenario goes on in the same breath as the step before: it has to come before both.
        first = index
        while first and not self._steps[first].is_chosen:
            first -= 1
        return Race(first, self._initials(later, first, index, length))

    def _could_come_first(self, later: Step, earlier: Step, index: int, length: int) -> bool:
        """Tell whether *later* could have happened in place of *earlier*."""
        if later.key in earlier.enabled:
            return True
        if not earlier.is_chosen:
            return later.cause < index
        if later.segment != earlier.segment:
            return False
        if later.cause >= index:
            # It came about later. Then nothing is in its way but a target that was busy.
            return not (
                later.needs_idle and earlier.target == later.target and not earlier.was_idle
            )
        # Something stood in its way: did what does not depend on *earlier* remove it?
        removers = 0
        for obstacle in later.obstacles:
            removers |= self._writers.get(obstacle, 0)
        removers &= (1 << length) - (1 << index)
        return bool(removers) and all(
            n != index and not self._before[n] >> index & 1 for n in _descending(removers)
        )

    def _initials(self, later: Step, first: int, last: int, length: int) -> frozenset[Key]:
        """Find what can come first of all that may come before *later* without some steps.

        Those are the steps from *first* to *last*.

        These are the weak initials of Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic
        Partial Order Reduction", POPL 2014.
        """
        steps, before = self._steps, self._before
        after = (1 << last + 1) - (1 << first)  # what happens after those steps, and they
        free = 0
        initials: list[Key] = []
        for n in range(last + 1, length):
            if before[n] & after:
                after |= 1 << n
                continue
            if not before[n] & free:
                initials.append(steps[n].key)
            free |= 1 << n
        # Only what must have come before it counts for the later one itself: the steps that it
        # conflicts with among the free ones do too.
        needed = self._closed(self.conflicting(later.footprint) & free) | self._cause(later)
        if not needed & free:
            initials.append(later.key)
        return frozenset(initials)


def _descending(steps: int) -> Sequence[int]:
    found: list[int] = []
    while steps:
        top = steps.bit_length() - 1
        found.append(top)
        steps ^= 1 << top
    return found
