"""The delays of a schedule as a list: nobody waits, nothing is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

from effactor.schedules import arguments

if TYPE_CHECKING:
    from effactor.schedules.schedule import Schedule

MOST: Final = 1000
"""Delays that are listed without a limit."""


def delays(
    schedule: Schedule[Any],
    limit: int | None,
    *,
    inputs: Iterable[Any] | None,
    chance: float | Iterable[float] | None,
    durations: float | Iterable[float],
) -> list[float]:
    """List the delays; `Schedule.delays` says what the arguments mean.

    Args:
        schedule: The schedule.
        limit: The most to list, or None.
        inputs: What it is given, or None.
        chance: The chances, or None.
        durations: How long each round takes, in seconds.

    Returns:
        The delays in seconds.

    Raises:
        ValueError: If there are too many, if something is missing, or out of bounds.
        TypeError: If an argument is of another type.
    """
    if limit is not None:
        arguments.count("delays", "limit", limit)
    if inputs is None and schedule.needs_input:
        msg = f"delays: {schedule!r} looks at what it is given: say inputs=[...]"
        raise ValueError(msg)
    if chance is None and schedule.needs_chance:
        msg = f"delays: {schedule!r} has a jitter: say chance=0.5, or give a number a decision"
        raise ValueError(msg)
    listed: list[float] = []
    state, elapsed = schedule.begin(), 0.0
    rounds = zip(
        repeat(None) if limit is None else range(limit),
        repeat(None) if inputs is None else inputs,
        _each("chance", 0.0 if chance is None else chance),
        _each("durations", durations),
        strict=False,
    )
    for _, given, chance_now, duration in rounds:
        drawn = arguments.number("delays", "chance", chance_now, of="", most=1)
        elapsed += arguments.number("delays", "durations", duration)
        decision = schedule.decide(state, given, elapsed, drawn)
        if decision is None:
            break
        if limit is None and len(listed) == MOST:
            msg = (
                f"delays: {schedule!r} goes on after {MOST} delays: say how many to list, "
                "as in delays(10)"
            )
            raise ValueError(msg)
        listed.append(decision.delay)
        elapsed += decision.delay
        state = decision.state
    return listed


def _each(argument: str, value: Any) -> Iterable[Any]:
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return value  # pyright: ignore[reportUnknownVariableType]
    return repeat(arguments.number("delays", argument, value))
