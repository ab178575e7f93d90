"""What a run did against the default: its deviations and its faults, as tokens have them.

A position counts the choices between events, and not those of faults, so that a script
fits a run to which no faults are offered.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from effactor_interpreters.simulation.faults.plan import Recorded

Mode: TypeAlias = Literal["strict", "places", "guided"]
"""How a script is followed: to the letter, at its places as far as that goes, or by identity."""

Place: TypeAlias = Literal["step", "before effect", "after effect", "call", "time"]


def identity(key: Any) -> int:
    """Shorten an event's key, equally in every process.

    Args:
        key: Texts and numbers, in tuples.

    Returns:
        24 bits.
    """
    return zlib.crc32(repr(key).encode()) & 0xFFFFFF


@dataclass(frozen=True, slots=True)
class Deviation:
    """One choice that was not the default.

    Attributes:
        position: The how many-th choice between events it was, from 0.
        index: The option taken.
        event: Identity of the event that happened.
        default: Identity of the one that would have happened.
    """

    position: int
    index: int
    event: int
    default: int


@dataclass(frozen=True, slots=True)
class Taken:
    """One fault that happened.

    Attributes:
        kind: What went wrong; or `heal`, for the end of the fault phase.
        target: Path of the actor, or name of the function or site.
        place: What *at* counts.
        at: Events before it; or the how many-th effect or call; or nanoseconds.
        events: How many events had happened to the target.
        message: Identity of the message it was about; 0 for none.
        detail: What else there is to say.
        lasting: Nanoseconds until it is over; -1 for ever.
        planned: Whether it was planned, and not chosen.
    """

    kind: Recorded
    target: str
    place: Place
    at: int
    events: int = 0
    message: int = 0
    detail: str = ""
    lasting: int = -1
    planned: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Script:
    """What a run did against the default.

    Attributes:
        deviations: In the order of their positions.
        faults: In the order in which they happened.
    """

    deviations: tuple[Deviation, ...] = ()
    faults: tuple[Taken, ...] = ()

    def without_plan(self) -> Script:
        """Leave out what was planned: it happens anyway where the plan is given."""
        faults = tuple(fault for fault in self.faults if not fault.planned)
        return replace(self, faults=faults)
