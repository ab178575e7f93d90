"""Find circles of actors that wait for each other's replies.

An actor on the circle must wait for nothing but that reply: an ask with a timeout
ends by itself, and a handler that waits for a future may be woken by anyone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.errors import Deadlock

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell


def find_cycle(asker: Cell, target: Cell, message: Any) -> Deadlock | None:
    """Follow who waits for whom, from the target of an ask that is about to wait.

    Args:
        asker: The actor that asks.
        target: The actor asked.
        message: The message.

    Returns:
        The error to raise if the target's reply hangs on the asker itself.
    """
    links = [(asker, target, message)]
    cell = target
    while cell is not asker:
        following = cell.waits_for()
        if following is None or len(links) > len(cell.system.cells):
            return None
        waited_for, about = following
        links.append((cell, waited_for, about))
        cell = waited_for
    return Deadlock(
        tuple(
            f"{who.full_path} waits for {whom.full_path} ({type(about).__name__})"
            for who, whom, about in links
        )
    )
