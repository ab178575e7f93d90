"""How an actor closes its mailbox and leaves, and how others hear of it."""

from __future__ import annotations

from asyncio import Task
from collections import deque
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from effactor.errors import ActorStopped, Deadlock
from effactor.events import Stopped
from effactor_interpreters.runtime.controls import asked_to_stop
from effactor_interpreters.runtime.current_task import current_tasks
from effactor_interpreters.runtime.mailbox import Closed
from effactor_interpreters.runtime.stashing import take
from effactor_interpreters.runtime.states import IDLE, STOPPED
from effactor_interpreters.runtime.waits import END_OF, Wait, wait_for
from effactor_interpreters.runtime.watching import notify_watchers

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.controls import StopRequest

_MANY: Final = 8
"""Joiners from which on it pays to look for those that have given up."""


def stop_idle(cell: Cell, by: str | None = None) -> bool:
    """Stop an actor on the spot if it does nothing and nothing needs to be done for it.

    Args:
        cell: The actor.
        by: Path of whoever asks, or "" for code outside of actors; None for whoever is running.

    Returns:
        Whether it has stopped; if not, a `StopRequest` must be delivered to it.
    """
    system = cell.system
    world = system.world
    if (
        cell.state != IDLE
        or cell.behavior.has_stopped
        or not world.instant
        or cell._relations is not None  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a call less
        or system.observed  # by somebody who is to hear of it
        or (system.timers.owned and cell in system.timers.owned)
        or get_ident() != system.thread
    ):
        return False
    # What `close` and `stopped` do, less what there cannot be: mail, timers, joiners.
    cell.state = STOPPED
    if by is None:
        by = stopper(cell)
    cell.mailbox = Closed(cell, asked_to_stop(by) if by else "asked to stop", world.clock())
    system.forget(cell)
    return True


def stopper(cell: Cell) -> str:
    """Say who stops an actor now: a path, "itself", or "" for code outside of actors."""
    system = cell.system
    if system.native and system.running is None and type(current_tasks.get(system.loop)) is Task:
        return ""  # the most frequent case, in fewer calls
    sender: Any = system.actor_or_run()
    if sender is None:
        return ""
    return "itself" if getattr(sender, "front", sender) is cell else sender.full_path


def request_stop(cell: Cell, request: StopRequest) -> None:
    """Stop before all other messages: for the modes `current` and `now`."""
    mailbox = cell.mailbox
    if type(mailbox) is Closed:
        if request.mode == "now" and cell.state != STOPPED:
            _hurry(cell, request)
        return
    relations = cell.relations
    recovery = relations.recovery_made
    again = bool(relations.ended)
    relations.ended = request.reason
    leftovers = take(cell) + _emptied(mailbox)
    if mailbox is None:
        mailbox = cell.mailbox = deque()
    # First in line while its leftovers are refused: what these wake up may tell us more.
    mailbox.appendleft(request)
    for item in leftovers:
        cell.refuse(item)
    if cell.state == IDLE:
        cell.enqueue()
    elif recovery is not None and recovery.backoff is not None:
        if not recovery.backoff.done():
            recovery.backoff.set_result(None)
    elif request.mode == "now" and recovery is not None and recovery.shielded and not again:
        pass  # the first stop does not interrupt an `on_stopped`, the second one does
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
    relations = cell.relations_made
    if relations is not None:
        relations.killed = None  # done: on_stopped must not be cancelled too
        relations.insist_no_more()
    mailbox = cell.mailbox
    cell.mailbox = Closed(cell, reason, cell.system.world.clock())
    cell.system.timers.end(cell)
    if relations is not None and relations.equipment is not None:
        relations.equipment.end()
    for item in take(cell):
        cell.refuse(item)
    for item in _emptied(mailbox):
        cell.refuse(item)


def _emptied(mailbox: Any) -> list[Any]:
    """Take everything out of a mailbox that takes in no more."""
    if mailbox is None or type(mailbox) is Closed:
        return []
    items: list[Any]
    if isinstance(mailbox, deque):
        items = list(mailbox)  # pyright: ignore[reportUnknownArgumentType]
        mailbox.clear()
    else:
        items = mailbox.leftovers()
    return items


def stopped(cell: Cell) -> None:
    """Leave the system, and tell whoever waits for this."""
    cell.state = STOPPED
    cell.system.timers.end(cell)  # those that on_stopped set
    cell.system.forget(cell)
    relations = cell.relations_made
    if relations is not None:
        joiners, relations.joiners = relations.joiners, []
        for joiner in joiners:
            if not joiner.done():
                joiner.set_result(None)
        notify_watchers(cell)
    system = cell.system
    if system.observed:
        system.events.emit(Stopped(cell.ref.path, cell.clock(), cell.ended))
    if system.closing and not system.cells:
        system.went_on()


def why_stopped(cell: Cell) -> str:
    """Say when and why the actor stopped."""
    mailbox = cell.mailbox
    reason = cell.ended
    if cell.state != STOPPED or type(mailbox) is not Closed:
        return f"is stopping ({reason})"
    ago = cell.system.world.clock() - mailbox.at
    return f"stopped {ago:.1f} s ago ({reason})"


async def join(cell: Cell) -> None:
    """Wait until the actor has stopped."""
    if cell.state == STOPPED:
        return
    joiner = cell.system.current_cell()
    if joiner is not None and joiner.front is cell:
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
        cell.system.world.found_closed(cell)
        reply.set_result(None)
    else:
        joiners = cell.relations.joiners
        if len(joiners) >= _MANY and len(joiners) & (len(joiners) - 1) == 0:
            # Those who gave up, as `wait_for` does, must not pile up.
            joiners[:] = [joiner for joiner in joiners if not joiner.done()]
        joiners.append(cell.system.world.returning(reply, cell, "end"))


def joins_itself(cell: Cell) -> Deadlock:
    """Make the error of a handler that waits for the end of its own actor."""
    path = cell.full_path
    return Deadlock((f"{path} waits for the end of {path}, itself",), cycle=False)
