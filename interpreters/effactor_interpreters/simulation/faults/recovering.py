"""What a system is meant to survive: faults beyond that are never offered.

A predicate looks at the situation that a fault would lead to. TigerBeetle's simulator and
FoundationDB's do the same: a fault that no design could survive finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from effactor_interpreters.simulation.faults.plan import Kind, Where, path_of


@dataclass(frozen=True, slots=True)
class Situation:
    """How things would be after one more fault.

    Attributes:
        kind: The fault's kind.
        target: Path of the actor it happens to.
        lasting: Seconds until it is over by itself; None if never, 0 if it is over at once.
        down: Paths of the actors that would do nothing: crashed, paused or cut off.
        forgetful: Paths of those that would have lost their memory at least once.
        taken: How many faults there were before.
    """

    kind: Kind
    target: str
    lasting: float | None
    down: frozenset[str]
    forgetful: frozenset[str]
    taken: int


Recoverable: TypeAlias = Callable[[Situation], bool]


def minority_of(group: Iterable[Where]) -> Recoverable:
    """Permit only faults that leave more than half of a group at work.

    Args:
        group: Refs or paths.

    Returns:
        A predicate for `Faults(recoverable=...)`.
    """
    members = _paths("minority_of", group)

    def holds(situation: Situation) -> bool:
        return 2 * len(members & situation.down) < len(members)

    return holds


def eventually_heals(situation: Situation) -> bool:
    """Permit only faults that are over some time: an actor that crashes must come back.

    Args:
        situation: How things would be.

    Returns:
        Whether it may be.
    """
    return situation.lasting is not None


def at_least_one_copy(group: Iterable[Where]) -> Recoverable:
    """Permit only faults that leave a member of a group that never lost its memory.

    Args:
        group: Refs or paths of those that keep the same.

    Returns:
        A predicate for `Faults(recoverable=...)`.
    """
    members = _paths("at_least_one_copy", group)

    def holds(situation: Situation) -> bool:
        return bool(members - situation.forgetful)

    return holds


def _paths(where: str, group: Any) -> frozenset[str]:
    if isinstance(group, str) or not isinstance(group, Iterable):
        msg = f"{where}: group must be a list of refs or paths, got {group!r}"
        raise TypeError(msg)
    members: list[Any] = list(group)  # pyright: ignore[reportUnknownArgumentType]
    paths = frozenset(path_of(where, member) for member in members)
    if not paths:
        msg = f"{where}: group must not be empty"
        raise ValueError(msg)
    return paths
