"""What an actor sees as `self.context`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.actor import Actor
    from effactor.actors.ref import ActorRef
    from effactor.programs.program import Program
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.system import ActorSystem

A = TypeVar("A")
M = TypeVar("M")


class View:
    """An actor's surroundings; made when asked for, because few actors ask."""

    __slots__ = ("_cell",)

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    @property
    def self_ref(self) -> ActorRef[Any]:
        """The actor's own ref."""
        return self._cell.ref

    @property
    def parent(self) -> ActorRef[Any] | None:
        """The ref of the actor that spawned it; None for children of the system."""
        parent = self._cell.parent
        return None if parent is None else parent.ref

    @property
    def children(self) -> dict[str, ActorRef[Any]]:
        """Refs of the living children by name, in the order of their start."""
        return {name: cell.ref for name, cell in self._cell.children.items()}

    @property
    def system(self) -> ActorSystem:
        """The system it lives in."""
        return self._cell.system

    async def spawn(self, actor: Callable[[], Actor[M]], name: str | None = None) -> ActorRef[M]:
        """Start a child actor; it stops when this actor stops.

        Args:
            actor: The actor's class, or a function without arguments that makes one.
            name: Name among its siblings; None makes one from the class's name.

        Returns:
            The child's ref, after its `on_started`.
        """
        return await self._cell.system.spawn_child(self._cell, actor, name)

    async def run_free(self, program: Program[A, Any]) -> A:
        """Run a program as this actor.

        Args:
            program: The program.

        Returns:
            Its answer; failures are raised.
        """
        return await self._cell.system.run_free(program)
