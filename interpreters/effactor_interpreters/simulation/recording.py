"""Puts the effects of programs into the trace, beside the events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.programs import operations as ops

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.simulation.world import SimulatedWorld

# Asks, tells and stops are events, recorded when they arrive.
_EFFECTS: dict[type[Any], tuple[str, Callable[[Any], Any]]] = {
    ops.Join: ("join", lambda o: o.ref.path),
    ops.Spawn: ("spawn", lambda o: o.name),
    ops.Lookup: ("lookup", lambda o: o.path),
    ops.Sleep: ("sleep", lambda o: o.seconds),
    ops.Now: ("now", lambda _: None),
    ops.Random: ("random", lambda _: None),
    ops.Uuid: ("uuid", lambda _: None),
    ops.Log: ("log", lambda o: o.text),
    ops.Call: ("call", lambda o: o.describe()),
}


def recording_effects(table: dict[type[Any], Any], world: SimulatedWorld) -> dict[type[Any], Any]:
    """Wrap a system's operations so that the trace has them.

    Args:
        table: The system's table.
        world: The world that keeps the records.

    Returns:
        A table that does the same.
    """

    def recorded(perform: Any, kind: str, subject: Callable[[Any], Any]) -> Any:
        def record(operation: Any, fiber: Any) -> Any:
            path = fiber.owner.ref.path
            world.note(kind, path, path, subject(operation))
            return perform(operation, fiber)

        return record

    return {
        cls: recorded(perform, *_EFFECTS[cls]) if cls in _EFFECTS else perform
        for cls, perform in table.items()
    }
