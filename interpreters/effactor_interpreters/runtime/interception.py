"""The middleware of an actor learns of its life: start, restart, stop; the outermost first.

Each function answers what the lifecycle is to go through, which is nothing for an actor
without middleware.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor_interpreters.runtime.waits import is_fatal

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.equipment import Equipment


def started(cell: Cell) -> Iterable[Any]:
    """Tell that the actor starts. Where one raises, the others are not told any more.

    Args:
        cell: The actor.

    Returns:
        What to go through.
    """
    equipment = cell.equipment
    if equipment is None or not equipment.props.middlewares:
        return ()
    return _started(cell, equipment)


def stopped(cell: Cell) -> Iterable[Any]:
    """Tell those that have started that the actor stops; what they raise is logged.

    Args:
        cell: The actor.

    Returns:
        What to go through.
    """
    equipment = cell.equipment
    if equipment is None or not equipment.begun:
        return ()
    return _stopped(cell, equipment)


def restarts(cell: Cell, error: BaseException) -> Iterable[Any]:
    """Tell that a new instance takes the place of the one that failed.

    Args:
        cell: The actor.
        error: What its handler raised.

    Returns:
        What to go through.
    """
    equipment = cell.equipment
    if equipment is None or not equipment.props.middlewares:
        return ()
    return _restarts(cell, equipment, error)


def _started(cell: Cell, equipment: Equipment) -> Generator[Any, Any, None]:
    for middleware in equipment.props.middlewares:
        yield from cell.finish(middleware.on_started(cell.ref))
        equipment.begun += 1


def _stopped(cell: Cell, equipment: Equipment) -> Generator[Any, Any, None]:
    # Once, whatever happens meanwhile.
    begun, equipment.begun = equipment.begun, 0
    for middleware in equipment.props.middlewares[:begun]:
        try:
            yield from cell.finish(middleware.on_stopped(cell.ref))
        except BaseException as error:
            if is_fatal(cell, error):
                raise
            kind = type(middleware).__name__
            cell.system.log.exception("%s.on_stopped failed for %s", kind, cell.full_path)


def _restarts(cell: Cell, equipment: Equipment, error: BaseException) -> Generator[Any, Any, None]:
    for middleware in equipment.props.middlewares:
        yield from cell.finish(middleware.on_restart(cell.ref, error))
