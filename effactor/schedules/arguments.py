"""What schedules are made of, refused where it is wrong."""

from __future__ import annotations

import inspect
import sys
from typing import Any


def number(
    where: str,
    argument: str,
    value: Any,
    *,
    of: str = "seconds",
    least: float = 0,
    most: float = sys.float_info.max,
) -> float:
    """Return *value* if it is a finite number within bounds.

    Args:
        where: The function that received it, for the error.
        argument: The argument's name.
        value: What was given.
        of: What the number counts, in words; empty for nothing.
        least: The smallest it may be.
        most: The largest it may be.

    Returns:
        The value.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is NaN, infinite or out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = f"a number of {of}" if of else "a number"
        hint = "; give its total_seconds()" if hasattr(value, "total_seconds") else ""
        msg = f"{where}: {argument} must be {kind}, got {value!r}{hint}"
        raise TypeError(msg)
    if not least <= value <= most:
        kind = f"a finite number of {of}" if of else "a finite number"
        bounds = f">= {least:g}" if most == sys.float_info.max else f"from {least:g} to {most:g}"
        msg = f"{where}: {argument} must be {kind} {bounds}, got {value!r}"
        raise ValueError(msg)
    return value


def count(where: str, argument: str, value: Any, hint: str = "") -> int:
    """Return *value* if it is a whole number of at least 0.

    Args:
        where: The function that received it, for the error.
        argument: The argument's name.
        value: What was given.
        hint: What to write instead of something that is no whole number.

    Returns:
        The value.

    Raises:
        TypeError: If it is no whole number.
        ValueError: If it is negative.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        msg = f"{where}: {argument} must be a whole number >= 0, got {value!r}{hint}"
        raise TypeError(msg)
    if value < 0:
        msg = f"{where}: {argument} must be a whole number >= 0, got {value!r}"
        raise ValueError(msg)
    return value


def predicate(where: str, value: Any) -> None:
    """Refuse what cannot tell at once whether something holds.

    Args:
        where: The function that received it, for the error.
        value: What was given.

    Raises:
        TypeError: If it cannot be called, or has to be awaited.
    """
    if not callable(value):
        msg = f"{where}: predicate must be a function that returns a bool, got {value!r}"
        raise TypeError(msg)
    if inspect.iscoroutinefunction(value):
        name = getattr(value, "__qualname__", repr(value))
        msg = f"{where}: predicate must answer at once, but {name} is a coroutine function"
        raise TypeError(msg)
