"""The least that an actor without a task must be: what spawn, stop and join cost by hand.

It has what effactor promises of an actor (an instance of its own, context variables of its
own, a name, an entry in a registry, a ref) and looks at nothing: not at the loop, the
arguments, the system's state, who listens. No runtime written in Python can be faster.
"""

from __future__ import annotations

from contextvars import copy_context
from typing import Any


class LeastRef:
    """Names an actor."""

    __slots__ = ("cell", "incarnation", "path")

    def __init__(self, path: str, incarnation: int, cell: LeastCell) -> None:
        self.path = path
        self.incarnation = incarnation
        self.cell = cell

    def stop(self) -> Any:
        return self.cell.stop()

    def join(self) -> Any:
        return self.cell.join()


class LeastCell:
    """Holds an instance."""

    __slots__ = ("actor", "mailbox", "ref", "state", "system", "variables")

    def __init__(self, system: LeastSystem, actor: Any, path: str) -> None:
        self.system = system
        self.actor = actor
        self.variables = copy_context()
        self.state = 0
        self.mailbox: Any = None
        self.ref = LeastRef(path, 0, self)

    async def stop(self) -> None:
        self.state = 1
        del self.system.cells[self.ref.path]

    async def join(self) -> None:
        pass


class LeastSystem:
    """Keeps cells by their paths."""

    def __init__(self) -> None:
        self.cells: dict[str, LeastCell] = {}
        self.number = 0

    async def spawn(self, kind: type[Any]) -> LeastRef:
        self.number = number = self.number + 1
        path = f"/{kind.__name__}#{number}"
        self.cells[path] = cell = LeastCell(self, kind(), path)
        return cell.ref
