"""What each fault does to the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from effactor_interpreters.simulation.events import Delivery
from effactor_interpreters.simulation.faults.afflictions import Cut
from effactor_interpreters.simulation.faults.events import in_words
from effactor_interpreters.simulation.faults.messages import (
    copy,
    is_message,
    lose,
    next_in_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.simulation.events import Event
    from effactor_interpreters.simulation.faults.injecting import Hazards
    from effactor_interpreters.simulation.faults.script import Taken
    from effactor_interpreters.simulation.world import SimulatedWorld

_NANO: Final = 1_000_000_000
_FAULT: Final = "fault: "


def perform(hazards: Hazards, world: SimulatedWorld, fault: Taken, about: Event | None) -> bool:
    """Let a fault happen, between two steps.

    Args:
        hazards: Decides about faults.
        world: The world.
        fault: The fault.
        about: The message that it is about, or None.

    Returns:
        Whether it could: there may be nobody any more whom it would hit.
    """
    state, path = hazards.state, fault.target
    if fault.kind in {"crash", "restart"}:
        cell = world.cell_at(path)
        if cell is None:
            return False
        if fault.kind == "crash":
            world.crash(cell)
        else:
            state.forgetful[path] = None
            world.restart(cell)
        return True
    if fault.kind in {"drop", "duplicate", "delay", "reorder"}:
        return _on_message(hazards, world, fault, about)
    end: Callable[[], object]
    if fault.kind == "pause":
        state.paused[path] = None
        end = lambda: state.paused.pop(path, None)  # noqa: E731
    elif fault.kind == "slow":
        state.slow[path] = None
        end = lambda: state.slow.pop(path, None)  # noqa: E731
    elif fault.kind == "partition":
        number = max(state.cuts, default=0) + 1
        state.cuts[number] = Cut.read(fault.detail)
        end = lambda: state.cuts.pop(number, None)  # noqa: E731
    elif fault.kind == "clock":
        skew, drift = map(float, fault.detail.split(" "))
        ahead, slow = state.clocks.get(path, (0, 0.0))
        state.clocks[path] = (ahead + round(skew * _NANO), (1 + slow) * (1 + drift) - 1)
        end = _nothing
    else:
        return False  # the others happen within a step
    _begin(world, fault, about, end)
    return True


def _on_message(hazards: Hazards, world: SimulatedWorld, fault: Taken, about: Event | None) -> bool:
    if about is None or not is_message(about):
        return False
    if fault.kind == "drop":
        _begin(world, fault, about, _nothing)
        lose(world, about)
        return True
    if fault.kind == "delay":
        held, key = hazards.state.held, about.key
        held[key] = None
        _begin(world, fault, about, lambda: held.pop(key, None))
        return True
    if not isinstance(about, Delivery):
        return False  # a reply settles its ask once, and has nobody behind it
    if fault.kind == "duplicate":
        _begin(world, fault, about, _nothing)
        hazards.copied(copy(world, about).key)
        hazards.copied(about.key)
        return True
    if next_in_line(world, about) is None:
        return False
    _begin(world, fault, about, _nothing)
    channel = world.channel_of(about)
    channel[0], channel[1] = channel[1], channel[0]
    return True


def _begin(
    world: SimulatedWorld, fault: Taken, about: Event | None, end: Callable[[], object]
) -> None:
    said = in_words(fault, about).removeprefix(_FAULT)
    world.note("fault", fault.target, fault.target, said)
    if fault.lasting >= 0:
        what = "" if about is None else f" that held up {about.describe()}"
        what = f"end of the {fault.kind}{what}"
        world.fault_timer(world.nanoseconds + fault.lasting, end, what)


def _nothing() -> None:
    """There is nothing to end."""
