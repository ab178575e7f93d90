"""The nearest run that passes, and where the failing one leaves it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from effactor.traces.canonical import canonical
from effactor.traces.wording import brief, one_line, sentence
from effactor_interpreters.simulation.events import short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from effactor.traces.record import Record
    from effactor.traces.trace import Trace
    from effactor_interpreters.simulation.runs import Run

_RERUNS: Final = 40
_WIDTH: Final = 80  # of what happened, in characters


def contrast(failing: Run[Any], rerun: Callable[[dict[int, int]], Run[Any]]) -> tuple[str, ...]:
    """Say in words what would have had to be otherwise.

    Args:
        failing: A failing run, shrunk.
        rerun: Runs the scenario with given deviations, index by position.

    Returns:
        Lines on the nearest passing run: it has one deviation less; or one more, if the
        failing run has none. Empty if no such run passes.
    """
    for number, deviations in enumerate(_neighbours(failing)):
        if number >= _RERUNS:
            break
        run = rerun(deviations)
        if run.error is None:
            return _told(failing.trace, run.trace)
    return ()


def _neighbours(failing: Run[Any]) -> Iterator[dict[int, int]]:
    taken = failing.tape_deviations
    if not taken:
        for position, width in reversed(list(enumerate(failing.widths))):
            for index in range(1, width):
                yield {position: index}
    for position in sorted(taken, reverse=True):
        yield {p: index for p, index in taken.items() if p != position}


def _told(failing: Trace, passing: Trace) -> tuple[str, ...]:
    for here, there in zip(failing, passing, strict=False):
        if _same(here, there):
            continue
        lines = [f"event {here.step} is ({_words(there)}), not ({_words(here)})"]
        outcome = _first_outcome(failing, passing)
        if outcome is not None:
            lines.append(outcome)
        return tuple(lines)
    return ()


def _words(record: Record) -> str:
    to = record.kind in {"reply", "failure"} and record.source != record.target
    asker = f" to {short(record.target)}" if to else ""
    return one_line(f"{short(record.source)}: {sentence(record)}{asker}", _WIDTH)


def _same(one: Record, other: Record) -> bool:
    return (one.kind, one.source, one.target, canonical(one.subject)) == (
        *(other.kind, other.source, other.target, canonical(other.subject)),
    )


def _first_outcome(failing: Trace, passing: Trace) -> str | None:
    """Say which reply is the first that differs, of those that both runs have."""
    there = dict(_outcomes(passing))
    for key, record in _outcomes(failing):
        other = there.get(key)
        if other is not None and canonical(other.subject) != canonical(record.subject):
            return (
                f"later {short(record.source)} replies {brief(other.subject)} to "
                f"{short(record.target)}, not {brief(record.subject)}"
            )
    return None


def _outcomes(trace: Trace) -> Iterator[tuple[tuple[str, str, int], Record]]:
    count: Counter[tuple[str, str]] = Counter()
    for record in trace:
        if record.kind in {"reply", "failure"} and record.source != record.target:
            pair = (record.source, record.target)
            count[pair] += 1
            yield (*pair, count[pair]), record
