"""Schedules made of several: both, either, one after the other.

What was written `a & (b & c)` is kept as `a & b & c`, so that the operators are
associative to the last digit: nested, `then` would count times from a beginning that
is itself counted from another, and rounding would tell the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from effactor.schedules.schedule import Decision, Schedule


@dataclass(frozen=True, slots=True)
class Combined(Schedule[Any]):
    """Base of schedules made of several.

    Attributes:
        parts: The schedules, at least two, none of this very class.
    """

    parts: tuple[Schedule[Any], ...]

    @property
    @override
    def needs_time(self) -> bool:
        return any(part.needs_time for part in self.parts)

    @property
    @override
    def needs_chance(self) -> bool:
        return any(part.needs_chance for part in self.parts)

    @property
    @override
    def needs_input(self) -> bool:
        return any(part.needs_input for part in self.parts)


@dataclass(frozen=True, slots=True)
class Both(Combined):
    """All must want to go on; the longest delay counts."""

    @override
    def begin(self) -> tuple[Any, ...]:
        return tuple(part.begin() for part in self.parts)

    @override
    def decide(
        self, state: tuple[Any, ...], given: Any, elapsed: float, chance: float
    ) -> Decision | None:
        decisions = [
            part.decide(of_part, given, elapsed, chance)
            for part, of_part in zip(self.parts, state, strict=True)
        ]
        # All are asked first, so that a predicate which raises does so in either order.
        going_on = [decision for decision in decisions if decision is not None]
        if len(going_on) < len(decisions):
            return None
        delay = max(decision.delay for decision in going_on)
        return Decision(delay, tuple(decision.state for decision in going_on))

    @override
    def __repr__(self) -> str:
        return " & ".join(
            f"({part!r})" if isinstance(part, Either) else repr(part) for part in self.parts
        )


@dataclass(frozen=True, slots=True)
class Either(Combined):
    """One that wants to go on is enough; the shortest delay counts.

    A part that is over stays so. The state has the number and the state of each part
    that is not.
    """

    @override
    def begin(self) -> tuple[tuple[int, Any], ...]:
        return tuple((number, part.begin()) for number, part in enumerate(self.parts))

    @override
    def decide(
        self, state: tuple[tuple[int, Any], ...], given: Any, elapsed: float, chance: float
    ) -> Decision | None:
        delays: list[float] = []
        following: list[tuple[int, Any]] = []
        for number, of_part in state:
            decision = self.parts[number].decide(of_part, given, elapsed, chance)
            if decision is not None:
                delays.append(decision.delay)
                following.append((number, decision.state))
        return Decision(min(delays), tuple(following)) if delays else None

    @override
    def __repr__(self) -> str:
        return " | ".join(map(repr, self.parts))


@dataclass(frozen=True, slots=True)
class InTurn(Combined):
    """One after the other.

    The state has the number of the part whose turn it is, its state, and how many
    seconds after the beginning of the whole it began.
    """

    @override
    def begin(self) -> tuple[int, Any, float]:
        return 0, self.parts[0].begin(), 0.0

    @override
    def decide(
        self, state: tuple[int, Any, float], given: Any, elapsed: float, chance: float
    ) -> Decision | None:
        number, of_part, began = state
        while True:
            part = self.parts[number]
            decision = part.decide(of_part, given, elapsed - began, chance)
            if decision is not None:
                return Decision(decision.delay, (number, decision.state, began))
            number += 1
            if number == len(self.parts):
                return None
            of_part, began = self.parts[number].begin(), elapsed

    @override
    def __repr__(self) -> str:
        first, *following = self.parts
        return called_on(first) + "".join(f".then({part!r})" for part in following)


def called_on(schedule: Schedule[Any]) -> str:
    """Write a schedule so that a method can be called on it.

    Args:
        schedule: The schedule.

    Returns:
        Its repr, in parentheses if it is made with an operator.
    """
    return f"({schedule!r})" if isinstance(schedule, Both | Either) else repr(schedule)


def both(one: Schedule[Any], other: Any) -> Schedule[Any]:
    """Return `one & other`.

    Args:
        one: A schedule.
        other: What should be another.

    Returns:
        A schedule of both.

    Raises:
        TypeError: If *other* is no schedule.
    """
    return Both(_parts(one, a_schedule("&", "the right side", other), Both))


def either(one: Schedule[Any], other: Any) -> Schedule[Any]:
    """Return `one | other`.

    Args:
        one: A schedule.
        other: What should be another.

    Returns:
        A schedule of both.

    Raises:
        TypeError: If *other* is no schedule.
    """
    return Either(_parts(one, a_schedule("|", "the right side", other), Either))


def in_turn(one: Schedule[Any], other: Any) -> Schedule[Any]:
    """Return `one.then(other)`.

    Args:
        one: A schedule.
        other: What should be another.

    Returns:
        A schedule of both.

    Raises:
        TypeError: If *other* is no schedule.
    """
    return InTurn(_parts(one, a_schedule("then", "following", other), InTurn))


def _parts(
    one: Schedule[Any], other: Schedule[Any], cls: type[Combined]
) -> tuple[Schedule[Any], ...]:
    left = one.parts if isinstance(one, cls) else (one,)
    right = other.parts if isinstance(other, cls) else (other,)
    return left + right


def a_schedule(where: str, argument: str, value: Any, kind: str = "a Schedule") -> Schedule[Any]:
    """Return *value* if it is a schedule.

    Args:
        where: The function that received it, for the error.
        argument: The argument's name.
        value: What was given.
        kind: What it may be, in words.

    Returns:
        The schedule.

    Raises:
        TypeError: If it is something else.
    """
    if isinstance(value, Schedule):
        return value  # pyright: ignore[reportUnknownVariableType] - it may see anything
    hint = ""
    if isinstance(value, int) and not isinstance(value, bool):
        hint = f"; write recurs({value})"
    elif callable(value):
        hint = "; call it: it is a function that makes a schedule"
    msg = f"{where}: {argument} must be {kind}, got {value!r}{hint}"
    raise TypeError(msg)
