"""An actor that comes back after a power cut: nothing is left of it but its ref.

Unlike a restart by its supervisor nobody decides, no hook of the old instance runs, and the
children are gone too. Only worlds that can cut the power use this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.actors.props import DEFAULT
from effactor.actors.ref import forget_methods
from effactor_interpreters.runtime.lifecycle import host_of
from effactor_interpreters.runtime.watching import watches_of

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.watching import DeathNotice


class Bystanders:
    """Those who wait for an actor's end; to them it has not ended if it comes back.

    Args:
        cell: The actor, which lives; they are taken from it.
    """

    def __init__(self, cell: Cell) -> None:
        relations = cell.relations_made
        self._joiners: list[Any] = []
        self._notices: dict[Cell, DeathNotice] = {}
        if relations is not None:
            self._joiners, relations.joiners = relations.joiners, []
            if relations.watches is not None:
                self._notices, relations.watches.by = relations.watches.by, {}

    def give(self, cell: Cell) -> None:
        """Let them wait for *cell*."""
        if self._joiners:
            cell.relations.joiners = self._joiners
        if self._notices:
            watches_of(cell).by = self._notices
            for notice in self._notices.values():
                notice.watched = cell


def can_revive(cell: Cell) -> bool:
    """Tell whether an actor is one that may come back by itself.

    Args:
        cell: The actor; it may have stopped.

    Returns:
        False for parts of a pool or crew, virtual actors, ephemeral children, and where
        whoever would start it has stopped.
    """
    relations = cell.relations_made
    if cell.front is not cell or host_of(cell) is not None or cell.system.closing:
        return False
    if relations is not None and relations.ephemeral:
        return False
    return cell.parent is None or cell.parent.is_alive


def revive(cell: Cell) -> Cell:
    """Start an actor anew that has crashed; its ref means the new one from now on.

    Args:
        cell: The actor, which has stopped; nobody may have taken its name.

    Returns:
        The new cell. Its `on_started` has yet to run, if it has one.
    """
    equipment = cell.equipment
    relations = cell.relations_made
    factory: Any = type(cell.actor)
    if relations is not None and relations.factory is not None:
        factory = relations.factory
    props = DEFAULT if equipment is None else equipment.props
    ref = cell.ref
    made = cell.system.create(cell.parent, factory, ref.name, props)
    made.ref = ref
    ref._binding = made  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    forget_methods(ref)
    return made
