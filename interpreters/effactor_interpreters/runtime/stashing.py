"""Messages that an actor has set aside: what `stash` and `unstash_all` mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from effactor_interpreters.runtime.controls import Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.engine.fiber import Fiber


class Mark:
    """A value that is nobody's message and nobody's answer."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    @override
    def __repr__(self) -> str:
        return self._name


NO_MESSAGE: Final[Any] = Mark("NO_MESSAGE")
"""What a cell handles while no program of a message handler runs."""

STASHED: Final[Any] = Mark("STASHED")
"""What a cell handles from `stash` on, and what that program answers in the end."""


def table() -> dict[type[Any], Callable[[Any, Fiber], Any]]:
    """List the functions by operation.

    Returns:
        Their part of the table for the engine.
    """
    from effactor.programs.mailbox import Stash, UnstashAll

    return {Stash: stash, UnstashAll: unstash_all}


def stash(_operation: Any, fiber: Fiber) -> None:
    """Mark the message that is being handled; it is kept when its program has ended.

    Raises:
        RuntimeError: If no message is handled by a program.
    """
    owner = fiber.owner
    if getattr(owner, "handling", NO_MESSAGE) is NO_MESSAGE:
        msg = (
            f"stash: {owner.full_path} has no message to set aside here: stash() belongs into "
            "the program that a message handler returns, not into a run, a hook such as "
            "on_started, or run_free; an `async def` handler writes `return stash()`"
        )
        raise RuntimeError(msg)
    owner.handling = STASHED


def unstash_all(_operation: Any, fiber: Fiber) -> int:
    """Put back what was set aside, and answer how much.

    Raises:
        RuntimeError: If the program runs outside of actors.
    """
    owner = fiber.owner
    if not hasattr(owner, "handling"):  # a run
        msg = (
            f"unstash_all: {owner.full_path} is no actor and has no mailbox; "
            "return unstash_all() from a handler of the actor that did stash()"
        )
        raise RuntimeError(msg)
    return put_back(owner)


def keep(cell: Cell, message: Any, reply: Any) -> None:
    """Set a message aside, with its reply.

    Args:
        cell: The actor.
        message: The message.
        reply: Where its reply goes; None for a tell.
    """
    item = message if reply is None else Question((message, reply))
    cell = cell.front
    if cell.is_alive:
        cell.relations.stashed.append(item)
    else:
        cell.refuse(item)


def take(cell: Cell) -> list[Any]:
    """Take out what was set aside, but for asks whose askers have given up.

    Args:
        cell: The actor.

    Returns:
        Mailbox items, in the order they came.
    """
    relations = cell.relations_made
    if relations is None or not relations.stashed:
        return []
    items, relations.stashed = relations.stashed, []
    return [item for item in items if type(item) is not Question or not item[1].done()]


def put_back(cell: Cell) -> int:
    """Put what was set aside back into the mailbox, before all other mail.

    Args:
        cell: The actor.

    Returns:
        How many messages that were.
    """
    cell = cell.front
    items = take(cell)
    if items:
        cell.system.world.put_back(cell, items)
    return len(items)
