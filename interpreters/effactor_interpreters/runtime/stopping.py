"""How an actor closes its mailbox and leaves, and how others hear of it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from effactor.errors import ActorStopped, Deadlock
from effactor_interpreters.runtime.mailbox import Closed
from effactor_interpreters.runtime.stashing import take
from effactor_interpreters.runtime.states import IDLE, STOPPED
from effactor_interpreters.runtime.waits import END_OF, Wait, wait_for

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.controls import StopRequest


def request_stop(cell: Cell, request: StopRequest) -> None:
    """Stop before all other messages: for the modes `current` and `now`."""
    mailbox = cell.mailbox
    if type(mailbox) is Closed:
        if request.mode == "now" and cell.state != STOPPED:
            _hurry(cell, request)
        return
    leftovers = take(cell) + list(mailbox or ())
    relations = cell.relations
    relations.ended, relations.ended_at = request.reason, cell.system.world.clock()
    if mailbox is None:
        mailbox = cell.mailbox = deque()
    mailbox.clear()
    # First in line while its leftovers are refused: what these wake up may tell us more.
    mailbox.append(request)
    for item in leftovers:
        cell.refuse(item)
    if cell.state == IDLE:
        cell.enqueue()
    elif request.mode == "now":
        relations.killed = relations.killed or f"was stopped ({request.reason})"
        cell.cancel()


def _hurry(cell: Cell, request: StopRequest) -> None:
    """Cut short what a stop waits for: the children's handlers, the actor's own hook."""
    for child in list(cell.children.values()):
        cell.system.world.deliver(child, request, urgent=True)
    cell.cancel()


def close(cell: Cell, reason: str) -> None:
    """Refuse all mail, now and later."""
    relations = cell.relations
    relations.killed = None  # done: on_stopped must not be cancelled too
    relations.ended, relations.ended_at = reason, cell.system.world.clock()
    mailbox, cell.mailbox = cell.mailbox, Closed(cell)
    cell.system.timers.end(cell)
    for item in take(cell):
        cell.refuse(item)
    if type(mailbox) is deque:
        for item in tuple(mailbox):
            cell.refuse(item)
        mailbox.clear()


def stopped(cell: Cell) -> None:
    """Leave the system, and tell whoever waits for this."""
    cell.state = STOPPED
    relations = cell.relations
    cell.system.timers.end(cell)  # those that on_stopped set
    cell.system.forget(cell)
    joiners, relations.joiners = relations.joiners, []
    for joiner in joiners:
        if not joiner.done():
            joiner.set_result(None)


def why_stopped(cell: Cell) -> str:
    """Say when and why the actor stopped."""
    relations = cell.relations
    if cell.state != STOPPED:
        return f"is stopping ({relations.ended})"
    ago = cell.system.world.clock() - relations.ended_at
    return f"stopped {ago:.1f} s ago ({relations.ended})"


async def join(cell: Cell) -> None:
    """Wait until the actor has stopped."""
    if cell.state == STOPPED:
        return
    joiner = cell.system.current_cell()
    if joiner is cell:
        raise joins_itself(cell)
    if joiner is not None:
        wait = Wait(cell, END_OF)
        when_stopped(cell, wait)
        await wait_for(wait)
    else:
        future = cell.system.loop.create_future()
        when_stopped(cell, future)
        await future


def stopped_error(cell: Cell, message: Any) -> ActorStopped:
    """Make the error of an ask that comes too late."""
    return ActorStopped(cell.full_path, message, why_stopped(cell))


def when_stopped(cell: Cell, reply: Any) -> None:
    """Settle *reply* when the actor has stopped, or at once if it has."""
    if cell.state == STOPPED:
        reply.set_result(None)
    else:
        cell.relations.joiners.append(cell.system.world.returning(reply, cell, "end"))


def joins_itself(cell: Cell) -> Deadlock:
    """Make the error of a handler that waits for the end of its own actor."""
    path = cell.full_path
    return Deadlock((f"{path} waits for the end of {path}, itself",), cycle=False)
