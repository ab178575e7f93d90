"""Puts the effects of programs into the trace, beside the events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.programs import operations as ops
from effactor.programs.mailbox import Become, Stash, Unbecome, UnstashAll
from effactor.programs.timers import CancelTimer, ScheduleOnce
from effactor_interpreters.runtime.cell import Cell
from effactor_interpreters.runtime.engine.coordination import COORDINATION
from effactor_interpreters.runtime.engine.signals import SUSPENDED
from effactor_interpreters.runtime.ephemeral import Begun, SpawnEphemeral
from effactor_interpreters.runtime.stashing import STASHED

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.traces.record import Kind
    from effactor_interpreters.simulation.world import SimulatedWorld

# Kind, target and subject, from the operation and its answer. Asks, tells and stops
# are events, recorded when they arrive; a spawn is recorded once its path is known.
_EFFECTS: dict[type[Any], tuple[Kind, Callable[[Any, Any, str], tuple[str, Any]]]] = {
    ops.Join: ("join", lambda o, _, _own: (o.ref.path, None)),
    ops.Watch: ("watch", lambda o, _, _own: (o.ref.path, None)),
    ops.Unwatch: ("unwatch", lambda o, _, _own: (o.ref.path, None)),
    ops.Lookup: ("lookup", lambda o, _, own: (own, o.path)),
    ops.Sleep: ("sleep", lambda o, _, own: (own, o.seconds)),
    ops.Now: ("now", lambda _, answer, own: (own, answer)),
    ops.Random: ("random", lambda _, answer, own: (own, answer)),
    ops.Uuid: ("uuid", lambda _, answer, own: (own, answer)),
    ops.Log: ("log", lambda o, _, own: (own, o)),
    ops.Call: ("call", lambda o, _, own: (own, o)),
    **dict.fromkeys(COORDINATION, ("coordinate", lambda o, _, own: (own, o))),
    Become: ("become", lambda o, _, own: (own, o)),
    Unbecome: ("unbecome", lambda _, __, own: (own, None)),
    UnstashAll: ("unstash", lambda _, answer, own: (own, answer)),
    ScheduleOnce: ("schedule", lambda o, _, _own: (o.ref.path, o)),
    CancelTimer: ("cancel", lambda o, _, own: (own, o)),
}

# What a power cut may come before or after: effects, and not how programs are put together.
_RISKY: frozenset[type[Any]] = frozenset(
    (
        *_EFFECTS,
        *(ops.Ask, ops.Tell, ops.Stop, ops.Spawn),
        *(SpawnEphemeral, Stash),
    )
)

# Noted before they are performed: what they lead to comes after them.
_NOTED_FIRST: frozenset[Kind] = frozenset(
    (
        *("join", "watch", "unwatch", "sleep", "log", "call", "lookup"),
        *("schedule", "cancel", "coordinate"),
    )
)


def recording_effects(table: dict[type[Any], Any], world: SimulatedWorld) -> dict[type[Any], Any]:
    """Wrap a system's operations so that the trace has them.

    Args:
        table: The system's table.
        world: The world that keeps the records.

    Returns:
        A table that does the same.
    """

    def recorded(
        perform: Any, kind: Kind, shape: Callable[[Any, Any, str], tuple[str, Any]]
    ) -> Any:
        def record(operation: Any, fiber: Any) -> Any:
            own = fiber.owner.ref.path
            if kind == "coordinate" and world.footprints is not None:
                world.footprints.write(("coordination", _coordinated(operation)))
            if kind in _NOTED_FIRST:
                world.note(kind, own, *shape(operation, None, own))
                return perform(operation, fiber)
            answer = perform(operation, fiber)
            world.note(kind, own, *shape(operation, answer, own))
            return answer

        return record

    def spawned(operation: ops.Spawn[Any] | SpawnEphemeral[Any], fiber: Any) -> Any:
        answer = table[type(operation)](operation, fiber)
        # A new actor is the latest of the system, also while it is still starting.
        ref = answer.ref if isinstance(answer, Begun) else answer
        path = next(reversed(fiber.owner.system.cells)) if answer is SUSPENDED else ref.path
        world.note("spawn", fiber.owner.ref.path, path, operation.actor)
        return answer

    def stashed(operation: Stash, fiber: Any) -> None:
        message = getattr(fiber.owner, "handling", None)
        table[Stash](operation, fiber)
        if message is not STASHED:
            path = fiber.owner.ref.path
            world.note("stash", path, path, message)

    effects = {
        cls: recorded(perform, *_EFFECTS[cls]) if cls in _EFFECTS else perform
        for cls, perform in table.items()
    }
    effects |= {ops.Spawn: spawned, SpawnEphemeral: spawned, Stash: stashed}
    if world.cuts_power_within:
        effects |= {cls: _risky(effects[cls], world) for cls in effects.keys() & _RISKY}
    return effects


class _PowerCut:
    """What a program waits for whose actor has crashed: nothing."""

    def withdraw(self) -> bool:
        return False

    def describe(self) -> str:
        return "nothing any more: it has crashed"


def _risky(perform: Any, world: SimulatedWorld) -> Any:
    """Let the power go before or after an effect of an actor's program, if that is the fault."""

    def performed(operation: Any, fiber: Any) -> Any:
        cell = fiber.owner
        if not isinstance(cell, Cell) or world.hazards is None:
            return perform(operation, fiber)
        strikes = world.hazards.effect(cell)
        if strikes("before effect"):
            return fiber.wait(_PowerCut())
        answer = perform(operation, fiber)
        if strikes("after effect"):
            return answer if answer is SUSPENDED else fiber.wait(_PowerCut())
        return answer

    return performed


def _coordinated(operation: Any) -> str:
    """Name what an operation is about: equal in all runs, if perhaps not for it alone."""
    for name in ("deferred", "queue", "semaphore", "state"):
        found = getattr(operation, name, None)
        if found is not None:
            return f"{name} {found.describe()}"
    return ""
