"""Find circles of actors that wait for each other's replies.

An actor on the circle must wait for nothing but that reply: an ask with a timeout
ends by itself, and a handler that waits for a future may be woken by anyone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.errors import Deadlock
from effactor_interpreters.runtime.waits import TAKING, subject

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.waits import Link


def find_cycle(asker: Cell, target: Cell, message: Any) -> Deadlock | None:
    """Follow who waits for whom, from the target of an ask that is about to wait.

    Args:
        asker: The actor that asks.
        target: The actor asked.
        message: The message.

    Returns:
        The error to raise if the target's reply hangs on the asker itself.
    """
    # Each link remembers where its chain ended, so that a long chain of asks is not
    # followed anew by every actor on it. It knows as long as no ask was settled since.
    now = target.system.settled
    cell = target
    links: list[Link] = []
    while cell is not asker:
        link = cell.link()
        if link is None:
            for passed in links:
                passed.end = (cell, now)
            return None
        if len(links) > len(cell.system.cells):
            return None  # a circle that the asker is not on: it is reported to those who are
        links.append(link)
        known = link.end
        cell = link.target if known is None or known[1] != now else known[0]
    return _cycle(asker, target, message)


def hangs_on_items(asker: Cell, target: Cell) -> bool:
    """Tell whether somebody in a circle waits for the items of a stream to be taken.

    Args:
        asker: The actor that asks.
        target: The actor asked, from which the circle goes back to the asker.
    """
    cell = target
    while cell is not asker:
        link = cell.link()
        if link is None:
            return False
        if link.message is TAKING:
            return True
        cell = link.target
    return False


def _cycle(asker: Cell, target: Cell, message: Any) -> Deadlock | None:
    waiting = [_sentence(asker, target, message)]
    cell = target
    while cell is not asker:
        link = cell.link()
        if link is None or len(waiting) > len(cell.system.cells):
            return None
        waiting.append(_sentence(cell, link.target, link.message))
        cell = link.target
    return Deadlock(tuple(waiting))


def _sentence(who: Cell, whom: Cell, about: Any) -> str:
    return f"{who.full_path} waits for {whom.full_path} ({subject(about)})"
