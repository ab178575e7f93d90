"""The worlds that run now: whom the patched functions of the standard library ask."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from effactor_interpreters.simulation.world import SimulatedWorld

# Innermost last, and the thread that runs them. A list of its own and no context
# variable: the patched functions must be fast for others.
_active: list[SimulatedWorld] = []
_owner: list[int] = [0]


def current_world() -> SimulatedWorld | None:
    """Return the world that runs on this thread.

    Returns:
        The innermost one; None outside of simulations, and on other threads.
    """
    if _active and _owner[0] == threading.get_ident():
        return _active[-1]
    return None


def latest_world() -> SimulatedWorld | None:
    """Return the world that runs, on whatever thread."""
    return _active[-1] if _active else None


def enter(world: SimulatedWorld) -> int:
    """Make a world the current one.

    Args:
        world: The world.

    Returns:
        What `leave` needs.
    """
    _active.append(world)
    outer, _owner[0] = _owner[0], threading.get_ident()
    return outer


def leave(outer: int) -> None:
    """Make the world before it the current one again.

    Args:
        outer: What `enter` returned.
    """
    _owner[0] = outer
    _active.pop()
