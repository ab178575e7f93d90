"""Schedules that are over sooner than another: `while_` and `up_to`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor.schedules import arguments
from effactor.schedules.combining import called_on
from effactor.schedules.schedule import Decision, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class While(Schedule[Any]):
    """Like *source*, but over at the first of what it is given that *predicate* denies."""

    source: Schedule[Any]
    predicate: Callable[[Any], bool]

    @property
    @override
    def needs_time(self) -> bool:
        return self.source.needs_time

    @property
    @override
    def needs_chance(self) -> bool:
        return self.source.needs_chance

    @property
    @override
    def needs_input(self) -> bool:
        return True

    @override
    def begin(self) -> Any:
        return self.source.begin()

    @override
    def decide(self, state: Any, given: Any, elapsed: float, chance: float) -> Decision | None:
        if not self.predicate(given):
            return None
        return self.source.decide(state, given, elapsed, chance)

    @override
    def __repr__(self) -> str:
        name = getattr(self.predicate, "__qualname__", None) or repr(self.predicate)
        return f"{called_on(self.source)}.while_({name.replace('<locals>.', '')})"


@dataclass(frozen=True, slots=True)
class UpTo(Schedule[Any]):
    """Like *source*, but nothing begins later than *seconds* after the beginning."""

    source: Schedule[Any]
    seconds: float

    @property
    @override
    def needs_time(self) -> bool:
        return True

    @property
    @override
    def needs_chance(self) -> bool:
        return self.source.needs_chance

    @property
    @override
    def needs_input(self) -> bool:
        return self.source.needs_input

    @override
    def begin(self) -> Any:
        return self.source.begin()

    @override
    def decide(self, state: Any, given: Any, elapsed: float, chance: float) -> Decision | None:
        decision = self.source.decide(state, given, elapsed, chance)
        if decision is None:
            return None
        begins = elapsed + decision.delay
        # Three times 0.1 is more than 0.3 for a computer, and not for anybody else.
        in_time = begins <= self.seconds or math.isclose(begins, self.seconds)
        return decision if in_time else None

    @override
    def __repr__(self) -> str:
        return f"{called_on(self.source)}.up_to({self.seconds!r})"


def guarded(source: Schedule[Any], predicate: Any) -> Schedule[Any]:
    """Return `source.while_(predicate)`.

    Args:
        source: A schedule.
        predicate: What should be a function from what it is given to a bool.

    Returns:
        The schedule.

    Raises:
        TypeError: If *predicate* cannot be called, or is a coroutine function.
    """
    arguments.predicate("while_", predicate)
    return While(source, predicate)


def limited(source: Schedule[Any], seconds: Any) -> Schedule[Any]:
    """Return `source.up_to(seconds)`.

    Args:
        source: A schedule.
        seconds: What should be a duration.

    Returns:
        The schedule.

    Raises:
        TypeError: If *seconds* is no number.
        ValueError: If it is negative or not finite.
    """
    return UpTo(source, arguments.number("up_to", "seconds", seconds))
