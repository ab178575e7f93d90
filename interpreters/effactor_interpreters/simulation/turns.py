"""The run queue of a simulated system: it knows whose turn it is."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor_interpreters.runtime.engine.fiber import Fiber

if TYPE_CHECKING:
    from effactor_interpreters.simulation.world import SimulatedWorld


class Turns(deque[Any]):
    """Cells and fibers that are ready; tells the world of the fiber that it hands out."""

    def __init__(self, world: SimulatedWorld) -> None:
        """Begin empty."""
        super().__init__()
        self._world = world

    @override
    def popleft(self) -> Any:
        """Take the next one."""
        world = self._world
        item = super().popleft()
        world.fiber = item if type(item) is Fiber else None
        if world.footprints is not None:
            world.footprints.ran(item)
        return item
