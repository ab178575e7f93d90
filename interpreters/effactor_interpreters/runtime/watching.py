"""Death watch: who hears of whose end, and how.

A watch stands in two places: with the actor watched, which tells its watchers when
it has stopped, and with the watcher, which knows what it still wants to hear. What
travels is a control and not the bare message, so that a watch that has been taken
back meanwhile leads to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor.actors.ref import binding_of
from effactor.actors.watching import Terminated
from effactor.programs.operations import Unwatch, Watch
from effactor_interpreters.runtime.controls import Control
from effactor_interpreters.runtime.states import STOPPED

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from effactor.actors.ref import ActorRef
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.engine.fiber import Fiber


class Watches:
    """The part of a cell that is about death watch; made for the first watch.

    Attributes:
        by: The notices to send when the actor stops, by watcher.
        of: What the actor itself watches: the notice that is to come, by the ref of
            the actor, or by the ref given where that named nobody.
    """

    __slots__ = ("by", "of")

    def __init__(self) -> None:
        self.by: dict[Cell, DeathNotice] = {}
        self.of: dict[ActorRef[Any], DeathNotice] = {}


class DeathNotice(Control):
    """Tells a watcher that an actor has stopped, unless it has taken its watch back.

    Attributes:
        watcher: Who hears of it.
        ref: The actor's ref, as it was given to watch.
        key: What the watcher remembers it by.
        reason: Why the actor stopped, in words.
    """

    __slots__ = ("key", "reason", "ref", "watched", "watcher")

    def __init__(self, watcher: Cell, ref: ActorRef[Any], watched: Cell | None) -> None:
        self.watcher: Cell = watcher
        self.ref: ActorRef[Any] = ref
        self.watched: Cell | None = watched
        self.key: ActorRef[Any] = ref if watched is None else watched.ref
        self.reason: str = ""

    @property
    def source(self) -> str:
        """Path of the actor that has stopped: it is the sender."""
        return self.key.path

    @property
    @override
    def about(self) -> Any:
        return Terminated(self.ref, self.reason)

    @property
    def is_wanted(self) -> bool:
        """Whether the watcher still lives and watches."""
        watches = _made(self.watcher)
        return watches is not None and watches.of.get(self.key) is self

    @override
    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        if self.is_wanted:
            del watches_of(cell).of[self.key]
            cell.put_first(self.about)  # a message like any other from here on
        yield from ()

    @override
    def __repr__(self) -> str:
        return repr(self.about)


def _made(cell: Cell) -> Watches | None:
    relations = cell.relations_made
    return None if relations is None else relations.watches


def watches_of(cell: Cell) -> Watches:
    """Return the watches of a cell; made when first asked for."""
    relations = cell.relations
    if relations.watches is None:
        relations.watches = Watches()
    return relations.watches


def _find(cell: Cell, ref: ActorRef[Any]) -> Cell | None:
    """Return the cell that *ref* names, also of an actor that has stopped."""
    bound: Any = binding_of(ref)
    system = getattr(bound, "system", None)
    if system is cell.system or (system is not None and system.is_private):
        found: Cell = bound
        return found
    return cell.system.find(ref)


def watch(where: str, cell: Cell, ref: ActorRef[Any]) -> None:
    """Let an actor hear of another's end; a second time changes nothing.

    Args:
        where: The function that was called, for errors.
        cell: The watcher.
        ref: The other.

    Raises:
        ValueError: If it is the watcher itself.
        TypeError: If the watcher has no handler for `Terminated`.
    """
    watched = _find(cell, ref)
    if watched is cell:
        msg = (
            f"{where}: {cell.full_path} cannot watch itself: it would be gone before it could "
            "hear of its end; on_stopped runs then"
        )
        raise ValueError(msg)
    if Terminated not in cell.behavior.every and not cell.behavior.resolve(Terminated):
        kind = type(cell.actor).__name__
        msg = (
            f"{where}: {cell.full_path} watches {ref.path}, but {kind} has no handler for the "
            f"Terminated that it leads to; add one: @handler def gone(self, message: Terminated)"
        )
        raise TypeError(msg)
    if not cell.is_alive:
        return  # nothing reaches it any more
    notice = DeathNotice(cell, ref, watched)
    own = watches_of(cell)
    if notice.key in own.of:
        return
    own.of[notice.key] = notice
    if watched is None:
        notice.reason = cell.system.nobody(ref, None).reason
        cell.system.world.deliver(cell, notice)
    elif watched.state == STOPPED:
        cell.system.world.found_closed(watched)
        _send(notice, watched)
    else:
        watches_of(watched).by[cell] = notice


def unwatch(cell: Cell, ref: ActorRef[Any]) -> None:
    """Let an actor hear nothing of another's end, not even what is on its way already.

    Args:
        cell: The watcher.
        ref: The other; if it is not watched nothing changes.
    """
    watches = _made(cell)
    if watches is None:
        return
    watched = _find(cell, ref)
    notice = watches.of.get(ref if watched is None else watched.ref)
    if notice is None:
        # An address names somebody else, or nobody, once the actor has stopped.
        notice = next((n for n in watches.of.values() if ref in {n.key, n.ref}), None)
    if notice is not None:
        _forget(notice)


def _forget(notice: DeathNotice) -> None:
    del watches_of(notice.watcher).of[notice.key]
    if notice.watched is not None:
        watches_of(notice.watched).by.pop(notice.watcher, None)


def notify_watchers(cell: Cell) -> None:
    """Tell the watchers of an actor that has stopped; it watches nobody any more."""
    watches = _made(cell)
    if watches is None:
        return
    for notice in list(watches.of.values()):
        _forget(notice)
    notices, watches.by = watches.by, {}
    for notice in notices.values():
        _send(notice, cell)


def _send(notice: DeathNotice, watched: Cell) -> None:
    notice.reason = watched.ended
    notice.watcher.system.world.deliver(notice.watcher, notice)


def table() -> dict[type[Any], Callable[[Any, Fiber], Any]]:
    """List the functions by operation.

    Returns:
        Their part of the table for the engine.
    """
    return {Watch: _watch, Unwatch: _unwatch}


def _watch(operation: Watch, fiber: Fiber) -> None:
    """Begin to watch.

    Raises:
        RuntimeError: If the program runs outside of actors.
    """
    owner: Any = getattr(fiber.owner, "front", fiber.owner)
    if not hasattr(owner, "mailbox"):  # a run
        msg = (
            f"free_watch: {owner.full_path} is no actor and receives no Terminated; wait for the "
            f"end of {operation.ref.path} with free_join(ref), or watch from a handler"
        )
        raise RuntimeError(msg)
    watch("free_watch", owner, operation.ref)


def _unwatch(operation: Unwatch, fiber: Fiber) -> None:
    """Watch no more.

    Raises:
        RuntimeError: If the program runs outside of actors.
    """
    owner: Any = getattr(fiber.owner, "front", fiber.owner)
    if not hasattr(owner, "mailbox"):
        msg = f"free_unwatch: {owner.full_path} is no actor and watches nobody"
        raise RuntimeError(msg)
    unwatch(owner, operation.ref)
