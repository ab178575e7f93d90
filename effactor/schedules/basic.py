"""The schedules that others are made of: `recurs`, `spaced`, `fixed`, `exponential`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from effactor.schedules import arguments
from effactor.schedules.schedule import Decision, Schedule

LONGEST: Final = 1e9
"""Seconds, about 32 years: a delay that grows without a cap grows no further."""

SHORTEST: Final = 1e-6
"""Seconds: clocks of programs (`free_now`) do not tell shorter intervals."""

# Times are sums of delays, which rounding leaves a little before or after the multiple
# that they were meant to reach. A part of an interval.
_TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Recurs(Schedule[object]):
    """Go on *n* times. The state counts down."""

    n: int

    @override
    def begin(self) -> int:
        return self.n

    @override
    def decide(self, state: int, given: object, elapsed: float, chance: float) -> Decision | None:
        return Decision(0.0, state - 1) if state else None

    @override
    def __repr__(self) -> str:
        return f"recurs({self.n})"


@dataclass(frozen=True, slots=True)
class Spaced(Schedule[object]):
    """Go on after the same delay each time. There is no state."""

    seconds: float

    @override
    def begin(self) -> None:
        return None

    @override
    def decide(self, state: None, given: object, elapsed: float, chance: float) -> Decision:
        return Decision(float(self.seconds), None)

    @override
    def __repr__(self) -> str:
        return f"spaced({self.seconds!r})"


@dataclass(frozen=True, slots=True)
class Fixed(Schedule[object]):
    """Go on at the multiples of an interval. The state is the multiple last aimed at."""

    seconds: float

    @property
    @override
    def needs_time(self) -> bool:
        return True

    @override
    def begin(self) -> int:
        return 0

    @override
    def decide(self, state: int, given: object, elapsed: float, chance: float) -> Decision:
        passed = elapsed / self.seconds
        # If the multiple was not reached, an `|` had a round begin before: aim at it still.
        if passed >= state - _TOLERANCE:
            state = max(state + 1, math.ceil(passed - _TOLERANCE))
        delay = state * self.seconds - elapsed
        return Decision(delay if delay > self.seconds * _TOLERANCE else 0.0, state)

    @override
    def __repr__(self) -> str:
        return f"fixed({self.seconds!r})"


@dataclass(frozen=True, slots=True)
class Exponential(Schedule[object]):
    """Go on after delays that grow by a factor. The state counts them."""

    base: float
    factor: float
    cap: float | None
    jitter: float

    @property
    @override
    def needs_chance(self) -> bool:
        return self.jitter > 0

    @override
    def begin(self) -> int:
        return 0

    @override
    def decide(self, state: int, given: object, elapsed: float, chance: float) -> Decision:
        cap = float(max(self.base, LONGEST) if self.cap is None else self.cap)
        try:
            delay = min(cap, self.base * float(self.factor) ** state)
        except OverflowError:
            delay = cap if self.base else 0.0
        if self.jitter:
            delay *= 1.0 - self.jitter * chance
        return Decision(delay, state + 1)

    @override
    def __repr__(self) -> str:
        parts = [repr(self.base)]
        if self.factor != _FACTOR:
            parts.append(f"factor={self.factor!r}")
        if self.cap is not None:
            parts.append(f"cap={self.cap!r}")
        if self.jitter:
            parts.append(f"jitter={self.jitter!r}")
        return f"exponential({', '.join(parts)})"


_FACTOR: Final = 2.0


def recurs(n: int) -> Schedule[object]:
    """Go on *n* times, without delay.

    Args:
        n: How many times more, at least 0: what is retried with `recurs(3)` runs at
            most four times.

    Returns:
        A schedule.

    Raises:
        TypeError: If *n* is no whole number.
        ValueError: If it is negative.
    """
    return Recurs(arguments.count("recurs", "n", n, "; spaced(0) goes on for ever"))


def spaced(seconds: float) -> Schedule[object]:
    """Go on for ever, the same time after the end of each round.

    Args:
        seconds: The delay, at least 0.

    Returns:
        A schedule. Limit it with `spaced(5) & recurs(3)` or `spaced(5).up_to(60)`.

    Raises:
        TypeError: If *seconds* is no number.
        ValueError: If it is negative or not finite.
    """
    return Spaced(arguments.number("spaced", "seconds", seconds))


def fixed(seconds: float) -> Schedule[object]:
    """Go on for ever, at multiples of *seconds* after the beginning.

    A round that is still running at a multiple misses it, and the next one begins at
    the first multiple after its end: rounds do not pile up, and stay aligned.

    Args:
        seconds: The interval, at least a microsecond.

    Returns:
        A schedule.

    Raises:
        TypeError: If *seconds* is no number.
        ValueError: If it is below a microsecond or not finite.
    """
    return Fixed(arguments.number("fixed", "seconds", seconds, least=SHORTEST))


def exponential(
    base: float, factor: float = _FACTOR, cap: float | None = None, jitter: float = 0.0
) -> Schedule[object]:
    """Go on for ever, after delays that grow: `base`, `base * factor`, `base * factor**2` ...

    Args:
        base: The first delay in seconds, at least 0.
        factor: By how much each delay is longer than the one before, at least 1.
        cap: The longest delay in seconds, at least 0; None for about 32 years.
        jitter: The part of each delay, from 0 to 1, that chance may take away, so that
            many who failed at once do not all come back at once. 1.0 is the "full jitter"
            of Marc Brooker, "Exponential Backoff and Jitter" (AWS, 2015).

    Returns:
        A schedule.

    Raises:
        TypeError: If an argument is no number.
        ValueError: If one is out of bounds.
    """
    where = "exponential"
    return Exponential(
        arguments.number(where, "base", base),
        arguments.number(where, "factor", factor, of="", least=1),
        None if cap is None else arguments.number(where, "cap", cap),
        arguments.number(where, "jitter", jitter, of="", most=1),
    )
