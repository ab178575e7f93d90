"""Programs in time: once more after a failure, again and again, later.

Each is a node, so that it can be seen before it runs, and means a program of operations
that every interpreter has: `Sleep`, and `Now` and `Random` where the schedule depends
on them. A schedule's state belongs to one run of the node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never, final

from typing_extensions import TypeVar, override

from effactor.programs import structure
from effactor.programs.operations import Now, Random, Sleep
from effactor.programs.program import (
    A_co,
    Always,
    Composite,
    E_co,
    F_co,
    Fail,
    FlatMap,
    Lash,
    Program,
    Pure,
)
from effactor.schedules import arguments
from effactor.schedules.basic import SHORTEST, fixed, recurs
from effactor.schedules.combining import a_schedule

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from effactor.schedules.schedule import Schedule

E = TypeVar("E")
F = TypeVar("F")


@final
class Retry(Composite[A_co, E_co, F_co]):
    """Run *source*; after a failure again, as long as *schedule* says so."""

    __slots__ = ("schedule", "source")

    def __init__(self, source: Program[Any, Any, Any], schedule: Schedule[Any]) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.schedule: Schedule[Any] = schedule

    @override
    def expand(self) -> Program[A_co, E_co, F_co]:
        return _Rounds(self.schedule, lambda ended: Lash(self.source, ended), Fail).begin()


@final
class Repeat(Composite[A_co, E_co, F_co]):
    """Run *source*; after an answer again, as long as *schedule* says so."""

    __slots__ = ("schedule", "source")

    def __init__(self, source: Program[Any, Any, Any], schedule: Schedule[Any]) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.schedule: Schedule[Any] = schedule

    @override
    def expand(self) -> Program[A_co, E_co, F_co]:
        return _Rounds(self.schedule, lambda ended: FlatMap(self.source, ended), Pure).begin()


@final
class Delayed(Composite[A_co, E_co, F_co]):
    """Run *source* after some *seconds*."""

    __slots__ = ("seconds", "source")

    def __init__(self, source: Program[Any, Any, Any], seconds: float) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.seconds: float = seconds

    @override
    def expand(self) -> Program[A_co, E_co, F_co]:
        return _after(self.seconds, self.source)


@final
class Every(Composite[Never, E_co, F_co]):
    """Run *source* now and at each multiple of *seconds*, for ever."""

    __slots__ = ("seconds", "source")

    def __init__(self, source: Program[Any, Any, Any], seconds: float) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.seconds: float = seconds

    @override
    def expand(self) -> Program[Never, E_co, F_co]:
        return Repeat(self.source, fixed(self.seconds))


class _Rounds:
    """One run of a schedule: rounds, each of which makes the next.

    What one hands to the next are arguments, so nothing here ever changes, and nothing
    of a round is left on the stack or the heap when the next begins.
    """

    __slots__ = ("_last", "_needs_chance", "_needs_time", "_round", "_schedule")

    def __init__(
        self,
        schedule: Schedule[Any],
        one: Callable[[Callable[[Any], Program[Any, Any, Any]]], Program[Any, Any, Any]],
        last: Callable[[Any], Program[Any, Any, Any]],
    ) -> None:
        """Prepare.

        Args:
            schedule: Asked after each round.
            one: Makes the program of one round, which calls the function it is given
                with what the schedule is to see.
            last: Makes the program for when the schedule is over, of the same.
        """
        self._schedule: Schedule[Any] = schedule
        self._round: Callable[..., Program[Any, Any, Any]] = one
        self._last: Callable[[Any], Program[Any, Any, Any]] = last
        self._needs_time: bool = schedule.needs_time
        self._needs_chance: bool = schedule.needs_chance

    def begin(self) -> Program[Any, Any, Any]:
        """Note the time and run the first round."""
        if not self._needs_time:
            return self._run(self._schedule.begin(), 0.0, 0.0, None)
        return FlatMap(Now(), lambda now: self._run(self._schedule.begin(), 0.0, 0.0, now))

    def _run(
        self, state: Any, elapsed: float, delay: float, asked: datetime | None
    ) -> Program[Any, Any, Any]:
        """Run a round, then ask the schedule.

        Args:
            state: The schedule's.
            elapsed: Seconds from the beginning to when the schedule was last asked.
            delay: Seconds that were waited since.
            asked: Time of day at which it was last asked, if time matters.
        """

        def ended(given: Any) -> Program[Any, Any, Any]:
            if asked is None:
                return self._draw(state, given, 0.0, None)
            return FlatMap(Now(), lambda now: timed(given, now))

        def timed(given: Any, now: datetime) -> Program[Any, Any, Any]:
            # The time of day may be set back; the delay has been waited for certain.
            passed = max(delay, (now - asked).total_seconds()) if asked else delay
            return self._draw(state, given, elapsed + passed, now)

        return self._round(ended)

    def _draw(
        self, state: Any, given: Any, elapsed: float, now: datetime | None
    ) -> Program[Any, Any, Any]:
        if not self._needs_chance:
            return self._ask(state, given, elapsed, now, 0.0)
        return FlatMap(Random(), lambda chance: self._ask(state, given, elapsed, now, chance))

    def _ask(
        self, state: Any, given: Any, elapsed: float, now: datetime | None, chance: float
    ) -> Program[Any, Any, Any]:
        decision = self._schedule.decide(state, given, elapsed, chance)
        if decision is None:
            return self._last(given)
        delay, following = decision
        return _after(delay, self._run(following, elapsed, delay, now))


def _after(delay: float, program: Program[Any, Any, Any]) -> Program[Any, Any, Any]:
    return FlatMap(Sleep(delay), Always(program)) if delay > 0 else program


def checked_schedule(where: str, schedule: Any) -> Schedule[Any]:
    """Return *schedule* if it is one, and `recurs(n)` for a number.

    Args:
        where: The function that received it, for the error.
        schedule: What was given.

    Returns:
        The schedule.

    Raises:
        TypeError: If it is neither.
        ValueError: If it is a negative number.
    """
    if isinstance(schedule, int) and not isinstance(schedule, bool):
        return recurs(arguments.count(where, "schedule", schedule))
    return a_schedule(where, "schedule", schedule, "a Schedule or a number of repetitions")


def every(seconds: float, program: Program[Any, E, F]) -> Program[Never, E, F]:
    """Run a program now and at each multiple of *seconds* from now, for ever.

    A run that is still going at a multiple misses it; the next one begins at the first
    multiple after its end.

    Args:
        seconds: The interval, at least a microsecond.
        program: The program; its answers are dropped.

    Returns:
        A program that never answers; it ends when *program* fails or dies, or by an
        interrupt.

    Raises:
        TypeError: If *seconds* is no number, or *program* no program.
        ValueError: If *seconds* is below a microsecond or not finite.
    """
    source = structure.a_program("every", "program", program)
    return Every(source, arguments.number("every", "seconds", seconds, least=SHORTEST))
