"""Find out whether a schedule determines its run: the same again must do the same.

Everything rests on that: shrinking, replay, and what a verdict says. The simulator sees to
it for all that it controls; a scenario can still keep state from run to run, iterate over
a set, or read a clock that nothing made virtual. So some runs are run twice, and compared
step by step. The first difference is close to its cause; a digest alone would hide it.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from effactor.errors import NonDeterminism
from effactor.traces.canonical import canonical
from effactor.traces.wording import sentence, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from effactor.traces.record import Record
    from effactor_interpreters.simulation.runs import Run

_NEARBY: Final = 20  # records in which a changed order shows
_DAY: Final = 86_400
_UNITS: Final = (1, 10**3, 10**6, 10**9)
_ADDRESS: Final = 2**32
_WORDS: Final = re.compile(r"[\w.+-]+")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_TIME_OF_DAY: Final = re.compile(r"(\d{4})-\d\d-\d\d[T ]\d\d:\d\d")
_CHANCE: Final = re.compile(r"UUID\(|b'|b\"|\b0\.\d{6,}|\b[0-9a-f]{16,}\b")

ORDER: Final = (
    "an order that depends on memory addresses, such as iteration over a set or sorting "
    "by id(); iterate over a list, a dict or sorted(...)"
)
CLOCK: Final = (
    "a real clock, perhaps one that a default argument, a class attribute or C code holds; "
    "use free_now, or call time.time() where it is needed"
)
CHANCE: Final = (
    "chance from outside of the simulation, such as a generator made before it began, or "
    "one written in C; use free_random or free_uuid, or make the generator in the scenario"
)
ADDRESS: Final = "a memory address, such as that of id() or of a repr"
KEPT: Final = (
    "state that the first run left behind, in a global, a class attribute, a default "
    "argument or a cache; build all state in the scenario"
)


def is_due(share: float, number: int) -> bool:
    """Tell whether a run is to be audited: the first, and then evenly that share of all.

    Args:
        share: From 0, which is none at all, to 1.
        number: The run's number, from 1.
    """
    if not share:
        return False
    return number == 1 or int(number * share) > int((number - 1) * share)


def check_share(where: str, share: Any) -> float:
    """Refuse what is no share of runs.

    Args:
        where: The function that received it, for the error.
        share: What was given.

    Returns:
        The share; for True and False, all and none.

    Raises:
        ValueError: If it is no number from 0 to 1.
    """
    is_number = isinstance(share, int | float)
    if not is_number or not 0 <= share <= 1:
        msg = f"{where}: audit must be a share of the runs, from 0 to 1, got {share!r}"
        raise ValueError(msg)
    return float(share)


def difference(first: Run[Any], again: Callable[[], Run[Any]]) -> NonDeterminism | None:
    """Run a schedule again and compare.

    Args:
        first: The run.
        again: Runs the same schedule once more.

    Returns:
        What differs first; None if nothing does.
    """
    second = again()
    one, two = first.trace.records, second.trace.records
    for index, (a, b) in enumerate(zip(one, two, strict=False)):
        if _text(a) != _text(b):
            return _different(one[index:], two[index:])
    if len(one) != len(two):
        shorter = min(len(one), len(two))
        return _different(one[shorter:], two[shorter:])
    ends = _end(first), _end(second)
    if canonical(ends[0]) != canonical(ends[1]):
        texts = canonical(ends[0]), canonical(ends[1])
        return NonDeterminism(
            shown(ends[0]), shown(ends[1]), "the end of the scenario", _likely(*texts)
        )
    if first.choices != second.choices or first.widths != second.widths:
        counts = f"{len(first.choices)} choices", f"{len(second.choices)} choices, or others"
        return NonDeterminism(*counts, "what could have happened", KEPT)
    return None


def _end(run: Run[Any]) -> Any:
    return run.value if run.error is None else run.error


def _text(record: Record) -> tuple[Any, ...]:
    return (record.kind, record.source, record.target, record.time, canonical(record.subject))


def _different(one: Sequence[Record], two: Sequence[Record]) -> NonDeterminism:
    """Word the difference between two traces at their first records that differ."""
    a, b = (one[0] if one else None), (two[0] if two else None)
    either = a or b
    assert either is not None
    where = f"record {either.step}"
    if _same_multiset(one, two):
        return NonDeterminism(_worded(a), _worded(b), where, ORDER)
    likely = KEPT
    if a is not None and b is not None and (a.kind, a.source) == (b.kind, b.source):
        likely = _likely(canonical(a.subject), canonical(b.subject))
    return NonDeterminism(_worded(a), _worded(b), where, likely)


def _worded(record: Record | None) -> str:
    return "the end" if record is None else f"{record.source}: {sentence(record)}"


def _same_multiset(one: Sequence[Record], two: Sequence[Record]) -> bool:
    """Tell whether the same things happen soon, in another order."""
    for length in range(2, min(_NEARBY, len(one), len(two)) + 1):
        a = Counter((r.kind, r.source, r.target, canonical(r.subject)) for r in one[:length])
        b = Counter((r.kind, r.source, r.target, canonical(r.subject)) for r in two[:length])
        if a == b:
            return True
    return False


def _likely(one: str, two: str) -> str:
    """Guess the cause from two texts of what should be one value."""
    a, b = _WORDS.findall(one), _WORDS.findall(two)
    if a != b and sorted(a) == sorted(b):
        return ORDER
    numbers = [_real(word) for word in {*a} ^ {*b} if _NUMBER.fullmatch(word)]
    this_year = time.gmtime().tm_year
    years = [int(year) for text in (one, two) for year in _TIME_OF_DAY.findall(text)]
    if any(abs(year - this_year) <= 1 for year in years) or any(map(_is_clock, numbers)):
        return CLOCK
    if _CHANCE.search(one) and _CHANCE.search(two):
        return CHANCE
    if any(number >= _ADDRESS and number == int(number) for number in numbers):
        return ADDRESS
    return KEPT


def _real(word: str) -> float:
    try:
        return float(word)
    except OverflowError:
        return 0.0


def _is_clock(number: float) -> bool:
    """Tell whether a number is what one of the machine's clocks shows."""
    clocks = time.time(), time.monotonic(), time.perf_counter()
    near = (abs(number / unit - clocks[0]) < _DAY for unit in _UNITS)
    # These count from some moment of the machine's: only what is very close is no accident.
    since = (abs(number / unit - c) < 60 for unit in (1, 10**9) for c in clocks[1:])  # noqa: PLR2004
    return any(near) or (number != int(number) and any(since)) or (number > _ADDRESS and any(since))
