"""Actors that change their handlers: what `become` and `unbecome` mean."""

from __future__ import annotations

import types
from collections import deque
from typing import TYPE_CHECKING, Any

from effactor.actors.actor import Actor
from effactor.actors.becoming import becoming, names_of
from effactor.programs.mailbox import Become, Unbecome
from effactor_interpreters.runtime.here import check_here
from effactor_interpreters.runtime.states import RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.dispatch import Behavior
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.engine.fiber import Fiber


def table() -> dict[type[Any], Callable[[Any, Fiber], Any]]:
    """List the functions by operation.

    Returns:
        Their part of the table for the engine.
    """
    return {Become: _become, Unbecome: _unbecome}


def _become(operation: Become[Any], fiber: Fiber) -> None:
    become(_actor_of(fiber, "become"), operation.handlers)


def _unbecome(_operation: Any, fiber: Fiber) -> None:
    unbecome(_actor_of(fiber, "unbecome"))


def _actor_of(fiber: Fiber, what: str) -> Any:
    owner = getattr(fiber.owner, "front", fiber.owner)
    if not hasattr(owner, "handling"):  # a run
        msg = (
            f"{what}: {owner.full_path} is no actor and has no handlers; return {what}(...) "
            "from a handler of the actor that is to change"
        )
        raise RuntimeError(msg)
    return owner


def become(cell: Cell, handlers: tuple[Callable[[Any], Any], ...]) -> None:
    """Let *handlers* take the messages of an actor, from the next one on.

    Args:
        cell: The actor.
        handlers: Checked handlers.

    Raises:
        RuntimeError: If one is a method of another actor.
    """
    for handler in handlers:
        other = handler.__self__ if isinstance(handler, types.MethodType) else None
        if isinstance(other, Actor) and other is not cell.actor:
            msg = (
                f"become: {names_of((handler,))[0]} is a method of another actor than "
                f"{cell.full_path}; an actor can become its own methods only, self.method"
            )
            raise RuntimeError(msg)
    _adopt(cell, becoming(type(cell.actor).__effactor_behavior__, cell.actor, handlers))


def unbecome(cell: Cell) -> None:
    """Let the handlers of its class take the messages of an actor again.

    Args:
        cell: The actor.
    """
    _adopt(cell, type(cell.actor).__effactor_behavior__)


def check_inside(cell: Cell, what: str) -> None:
    """Refuse what only an actor's own handlers may do to it.

    Args:
        cell: The actor.
        what: What is done.

    Raises:
        RuntimeError: If none of its handlers runs right now, or it does in a thread.
    """
    check_here(cell.system, f"context.{what}")
    current = cell.system.current_cell()
    if cell.state != RUNNING and (current is None or current.front is not cell):
        msg = (
            f"context.{what}: no handler of {cell.full_path} is running; only an actor's own "
            f"handlers can do this to it: send it a message whose handler calls "
            f"self.context.{what}"
        )
        raise RuntimeError(msg)


def _adopt(cell: Cell, behavior: Behavior) -> None:
    cell.behavior = behavior
    cell.plain = behavior.plain
    mailbox = cell.mailbox
    if type(mailbox) is deque:
        # The turn that runs knows the old handlers only: what is left of its batch is for
        # the next turn, in a mailbox that this one does not see.
        cell.mailbox = deque(mailbox)
        mailbox.clear()
