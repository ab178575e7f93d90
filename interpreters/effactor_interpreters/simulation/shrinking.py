"""Shrink a failing run: to the fewest faults, then deviations, then steps.

Delta debugging (Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
2002) over faults and deviations; what is taken out is replaced by the default, never by
chance. What is left of the runs it may take goes into a search through all tapes with
fewer deviations, which finds what no taking out leads to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from effactor.errors import Violation
from effactor_interpreters.simulation.faults.script import Script
from effactor_interpreters.simulation.strategies.systematic import Deviations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from effactor_interpreters.simulation.faults.script import Mode
    from effactor_interpreters.simulation.runs import Run
    from effactor_interpreters.simulation.tape import Chooser

RERUNS: Final = 300
"""Runs that shrinking may take."""


def same_finding(one: BaseException | None, other: BaseException | None) -> bool:
    """Tell whether two errors are the same finding.

    Args:
        one: An error, or None.
        other: Another.

    Returns:
        True if both are of one class, and of one property.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, Violation) and isinstance(other, Violation):
        return one.name == other.name
    return True


def shrink(
    failing: Run[Any],
    repeat: Callable[[Script, Mode], Run[Any]],
    run: Callable[[Chooser], Run[Any]],
    *,
    budget: int = RERUNS,
) -> Run[Any]:
    """Find a smaller run that fails in the same way.

    Args:
        failing: A run that failed.
        repeat: Runs the scenario as a script says.
        run: Runs it as a chooser says, to whom faults are offered too.
        budget: Runs it may take.

    Returns:
        The smallest failing run found.
    """
    shrinking = _Shrinking(failing, repeat, run, budget)
    if not shrinking.attempt(Script()):
        shrinking.take_out_faults()
        shrinking.take_out_deviations()
        shrinking.search()
        shrinking.lower_indices()
    return shrinking.best


class _Shrinking:
    """The smallest failing run so far, and what may still be tried."""

    def __init__(
        self,
        failing: Run[Any],
        repeat: Callable[[Script, Mode], Run[Any]],
        run: Callable[[Chooser], Run[Any]],
        budget: int,
    ) -> None:
        self.best = failing
        self._repeat = repeat
        self._run = run
        self._left = budget

    def attempt(self, script: Script) -> bool:
        """Try a script: at its places, and where these have moved, by the events' identity."""
        if self._left <= 0:
            return False
        self._left -= 1
        run = self._repeat(script, "places")
        if self._accept(run):
            return True
        if not run.misaligned or self._left <= 0:
            return False
        self._left -= 1
        return self._accept(self._repeat(script, "guided"))

    def _accept(self, run: Run[Any]) -> bool:
        if not same_finding(run.error, self.best.error) or _size(run) >= _size(self.best):
            return False
        self.best = run
        return True

    @property
    def _script(self) -> Script:
        return self.best.script.without_plan()

    def take_out_faults(self) -> None:
        """Leave out all faults, or one after another."""
        if not self._script.faults or self.attempt(replace(self._script, faults=())):
            return
        self._take_out(lambda script: script.faults, lambda s, kept: replace(s, faults=kept))

    def take_out_deviations(self) -> None:
        """Leave out deviations, many at a time first."""
        self._take_out(
            lambda script: script.deviations, lambda s, kept: replace(s, deviations=kept)
        )

    def _take_out(
        self,
        items_of: Callable[[Script], Sequence[Any]],
        with_items: Callable[[Script, tuple[Any, ...]], Script],
    ) -> None:
        chunk = max(1, len(items_of(self._script)) // 2)
        while self._left > 0:
            script = self._script
            items = tuple(items_of(script))
            removed = False
            # From the end: late deviations are often only the wake of an early one.
            for start in range(max(0, len(items) - chunk), -chunk, -chunk):
                kept = items[: max(0, start)] + items[max(0, start) + chunk :]
                if len(kept) < len(items) and self.attempt(with_items(script, kept)):
                    removed = True
                    break
            if removed:
                chunk = min(chunk, max(1, len(items_of(self._script))))
            elif chunk > 1:
                chunk //= 2
            else:
                break

    def search(self) -> None:
        """Try all tapes with one deviation or fault, then two, as far as that would be less."""
        tapes = Deviations(0)
        while self._left > 0 and not tapes.done:
            if (tapes.bound or 0) + 2 > sum(_size(self.best)[:2]):
                return  # what comes now is as long as what is there
            self._left -= 1
            run = self._run(tapes.propose().chooser)
            tapes.observe(run)
            # The rest of a level is no shorter, but there may be a fault less in it.
            if self._accept(run) and not self._script.faults:
                return

    def lower_indices(self) -> None:
        """Take earlier options, where they do as well."""
        for number, deviation in enumerate(self._script.deviations):
            for smaller in range(1, deviation.index):
                deviations = list(self._script.deviations)
                if number >= len(deviations):
                    return
                deviations[number] = replace(deviation, index=smaller, event=0)
                if self.attempt(replace(self._script, deviations=tuple(deviations))):
                    break


def _size(run: Run[Any]) -> tuple[int, int, int, int]:
    script = run.script.without_plan()
    indices = sum(deviation.index for deviation in script.deviations)
    return len(script.faults), len(script.deviations), run.steps, indices
