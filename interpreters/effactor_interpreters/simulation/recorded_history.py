"""A history that a simulated run records: on virtual time, and known to the strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor.consistency import History

if TYPE_CHECKING:
    from effactor.consistency.outcomes import Outcome
    from effactor_interpreters.simulation.world import SimulatedWorld


class RecordedHistory(History):
    """Records operations; that one ended before another began is something to tell apart."""

    def __init__(self, world: SimulatedWorld) -> None:
        """Begin empty."""
        super().__init__(clock=world.clock)
        self._world = world

    def _touch(self) -> None:
        if self._world.footprints is not None:
            self._world.footprints.write(("history",))

    @override
    def invoke(self, operation: Any, *, client: str = "", at: float | None = None) -> int:
        self._touch()
        return super().invoke(operation, client=client, at=at)

    @override
    def end(self, outcome: Outcome, number: int, result: Any, *, at: float | None = None) -> None:
        self._touch()
        super().end(outcome, number, result, at=at)
