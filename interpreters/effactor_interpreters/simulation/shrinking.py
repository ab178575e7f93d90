"""Shrink a failing schedule to as few deviations from the default order as possible.

Delta debugging (Zeller, Hildebrandt, 2002) over the deviations; what is taken out
is replaced by the default, never by chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from effactor.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.simulation.runs import Run

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
    failing: Run[Any], rerun: Callable[[dict[int, int]], Run[Any]], *, budget: int = RERUNS
) -> Run[Any]:
    """Find a run with fewer deviations that fails in the same way.

    Args:
        failing: A run that failed.
        rerun: Runs the scenario with given deviations, index by position.
        budget: Runs it may take.

    Returns:
        The smallest failing run found.
    """
    best = failing
    left = [budget]

    def attempt(deviations: dict[int, int]) -> bool:
        nonlocal best
        if left[0] <= 0:
            return False
        left[0] -= 1
        run = rerun(deviations)
        if not same_finding(run.error, best.error):
            return False
        if _size(run) >= _size(best):
            return False
        best = run
        return True

    plain = rerun({})
    if same_finding(plain.error, failing.error):
        return plain
    chunk = max(1, len(best.tape_deviations) // 2)
    while left[0] > 0:
        items = sorted(best.tape_deviations.items())
        removed = False
        # From the end: late deviations are often only the wake of an early one.
        for start in range(max(0, len(items) - chunk), -chunk, -chunk):
            rest = items[: max(0, start)] + items[max(0, start) + chunk :]
            if len(rest) < len(items) and attempt(dict(rest)):
                removed = True
                break
        if removed:
            chunk = min(chunk, max(1, len(best.tape_deviations)))
        elif chunk > 1:
            chunk //= 2
        else:
            break
    if len(best.tape_deviations) > 1:
        # Taking out may end at two where another one alone would do.
        for position, width in enumerate(plain.widths):
            if any(attempt({position: index}) for index in range(1, width)):
                break
    for position, index in sorted(best.tape_deviations.items()):
        for smaller in range(1, index):
            if attempt({**best.tape_deviations, position: smaller}):
                break
    return best


def _size(run: Run[Any]) -> tuple[int, int, int]:
    deviations = run.tape_deviations
    return len(deviations), run.steps, sum(deviations.values())
