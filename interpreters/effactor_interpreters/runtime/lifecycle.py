"""How an actor starts, fails, restarts and stops. All of it runs in the cell's driver."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any

from effactor.actors.supervision import OneForOneStrategy
from effactor.events import Restarted, SpawnFailed
from effactor_interpreters.runtime import interception
from effactor_interpreters.runtime.controls import StopRequest
from effactor_interpreters.runtime.stashing import put_back
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.stopping import close, stopped, when_stopped
from effactor_interpreters.runtime.waits import (
    END_OF,
    START_OF,
    Wait,
    as_raised,
    is_fatal,
    wait_for,
)
from effactor_interpreters.runtime.work import WORK

if TYPE_CHECKING:
    from collections.abc import Generator

    from effactor.actors.ref import StopManner
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.equipment import Host

DEFAULT_STRATEGY = OneForOneStrategy()


def _hook(cell: Cell, result: Any) -> Generator[Any, Any, None]:
    """Finish a lifecycle hook, whether it was `def`, `async def` or returned a program."""
    if isinstance(result, WORK):
        yield from cell.finish(result)


def _farewell(cell: Cell, name: str, *args: Any) -> Generator[Any, Any, None]:
    """Run a hook of an instance that ends; what it raises is logged, and changes nothing."""
    try:
        yield from _hook(cell, getattr(cell.actor, name)(*args))
    except BaseException as error:
        if is_fatal(cell, error):
            raise
        if not (isinstance(error, CancelledError) and cell.killed is not None):
            cell.system.log.exception("%s of %s failed", name, cell.full_path)


def host_of(cell: Cell) -> Host | None:
    """Return who brought an actor into memory, and takes the mail that it leaves; or None."""
    equipment = cell.equipment
    return None if equipment is None else equipment.host


def start(cell: Cell) -> Generator[Any, Any, None]:
    """Run `on_started`; if it raises, the actor stops and its spawner learns why."""
    cell.relations.starting = False
    crew, host = cell.leads, host_of(cell)
    try:
        if host is not None:
            yield from host.arriving()
        if crew is not None:
            yield from crew.begin()
        yield from interception.started(cell)
        yield from _hook(cell, cell.actor.on_started())
    except BaseException as error:
        if is_fatal(cell, error):
            raise
        if cell.system.observed:
            cell.system.events.emit(SpawnFailed(cell.ref.path, cell.clock(), error))
        killed = cell.killed if isinstance(error, CancelledError) else None
        reason = f"failed to start: {error!r}" if killed is None else cell.ended
        if host is not None:
            host.failed(error)
        yield from terminate(cell, reason, "now", cleanup=False)
        cell.relations.killed = killed  # so that the spawner gets an ActorStopped
        if isinstance(error, GeneratorExit):
            raise as_raised(cell, START_OF, error) from error
        raise
    cell.ready_for_mail()


def terminate(
    cell: Cell, reason: str, mode: StopManner, *, cleanup: bool = True
) -> Generator[Any, Any, None]:
    """Refuse what is left in the mailbox, stop the children, run `on_stopped`, tell the world.

    Args:
        cell: The cell.
        reason: Why, in words.
        mode: How the children stop.
        cleanup: Whether `on_stopped` runs, unless the instance never started, or has
            run it already when it was to be replaced.
    """
    relations = cell.relations
    recovery = relations.recovery_made
    cleanup = cleanup and not relations.starting and (recovery is None or not recovery.over)
    close(cell, reason)
    crew = cell.leads
    if crew is not None:
        yield from crew.end(mode, reason)
    yield from stop_children(cell, mode)
    yield from interception.stopped(cell)
    if cleanup and cell.behavior.has_stopped:
        yield from _farewell(cell, "on_stopped")
    host = host_of(cell)
    if host is not None:
        yield from host.leaving()
    stopped(cell)


def stop_children(cell: Cell, mode: StopManner) -> Generator[Any, Any, None]:
    """Stop the children of a cell, and wait until they have stopped."""
    children = list(cell.children.values())
    for child in children:
        request = StopRequest(mode, cell.full_path)
        if mode == "graceful":
            end_back_off(child)
        cell.system.world.deliver(child, request, urgent=mode != "graceful")
    for child in children:
        while child.state != STOPPED:
            wait = Wait(child, END_OF)
            when_stopped(child, wait)
            try:
                yield from wait_for(wait)
            except CancelledError:
                continue  # a second stop does not make the parent end before the child


def restart(
    cell: Cell, error: BaseException, message: Any, delay: float
) -> Generator[Any, Any, BaseException | None]:
    """Replace the instance; ref, path and mailbox stay.

    The old instance ends at once; the delay is between its end and the new one's
    constructor. An actor that is told to stop meanwhile gets no new instance; but a
    graceful stop ends the delay alone, because the mail before it is to be handled.

    Args:
        cell: The cell.
        error: What the old instance raised, or another one because of which it restarts.
        message: What it was handling; None if it was nothing.
        delay: Seconds between the two.

    Returns:
        Why there is no new instance that works; None if there is, or if the actor stops.
    """
    yield from _end_instance(cell, error, message)
    if cell.is_alive and delay > 0:
        yield from _back_off(cell, delay)
    if not cell.is_alive:
        return None
    return (yield from _begin_instance(cell, error))


def _end_instance(cell: Cell, error: BaseException, message: Any) -> Generator[Any, Any, None]:
    """Let the old instance end: its timers, its children, itself."""
    recovery = cell.relations.recovery
    crew = cell.leads
    if crew is not None:
        yield from crew.rest()
        crew.retire()
    cell.system.timers.end(cell)
    put_back(cell)  # what it has stashed is mail again
    if not recovery.over:
        yield from _farewell(cell, "on_pre_restart", error, message)
    keeps = cell.actor.keep_children
    if not keeps:
        yield from stop_children(cell, "now")
    if not recovery.over:
        recovery.over = True
        if cell.behavior.has_stopped:
            recovery.shielded = True
            try:
                yield from _farewell(cell, "on_stopped")
            finally:
                recovery.shielded = False
    if cell.children and not keeps:
        yield from stop_children(cell, "now")  # those that on_stopped spawned
    cell.system.timers.end(cell)  # those that the hooks set


def _back_off(cell: Cell, delay: float) -> Generator[Any, Any, None]:
    """Wait before a restart; any stop ends it."""
    recovery = cell.relations.recovery
    parent = cell.parent
    if recovery.leaving or cell.system.closing or (parent is not None and not parent.is_alive):
        return
    wait = Wait(None, f"the end of its back-off, {delay:g} s")

    def over() -> None:
        if not wait.done():
            wait.set_result(None)

    wait.timer = cell.system.world.call_later(delay, over, "back-off")
    recovery.backoff = wait
    try:
        yield from wait_for(wait)
    except CancelledError:
        if cell.killed is None:
            raise
    finally:
        recovery.backoff = None
        wait.timer.cancel()


def _begin_instance(cell: Cell, error: BaseException) -> Generator[Any, Any, BaseException | None]:
    """Make the new instance and run its hooks; say what went wrong, if anything did."""
    recovery = cell.relations.recovery
    recovery.instance += 1
    recovery.of_children = None  # the new instance is a new supervisor
    try:
        yield from interception.restarts(cell, error)
        cell.replace_actor()
        crew = cell.leads
        if crew is not None:
            yield from crew.begin()
        yield from _hook(cell, cell.actor.on_restart(error))
        yield from _hook(cell, cell.actor.on_started())
    except BaseException as failure:
        if is_fatal(cell, failure):
            raise
        return as_raised(cell, START_OF, failure)
    recovery.over = False
    if cell.system.observed:
        cell.system.events.emit(Restarted(cell.ref.path, cell.clock(), error))
    return None


def stop_is_coming(cell: Cell) -> None:
    """Learn that a graceful stop is on its way: no restart is delayed any more.

    Whoever sends one says so, because an actor in a back-off does not look at its mail.
    """
    cell.relations.recovery.leaving = True
    end_back_off(cell)


def end_back_off(cell: Cell) -> None:
    """Let an actor that waits before a restart wait no longer."""
    recovery = None if cell.relations_made is None else cell.relations_made.recovery_made
    if recovery is not None and recovery.backoff is not None and not recovery.backoff.done():
        recovery.backoff.set_result(None)


def crash(cell: Cell) -> list[Any]:
    """End a cell as a power cut would: no `finally` runs, no hook, no reply of its own.

    Args:
        cell: The cell; its children crash with it.

    Returns:
        The drivers that were cut off; whoever crashes it keeps them until its
        world ends, and closes them then.
    """
    parked: list[Any] = []
    for child in list(cell.children.values()):
        parked += crash(child)
    if cell.driver is not None:
        parked.append(cell.driver)
        cell.driver = None
    crew = cell.leads
    if crew is not None:
        parked += [driver for _member, driver in crew.cut_off()]
    end_back_off(cell)  # without a driver it wakes nobody, but its timer is gone
    close(cell, "crashed")
    stopped(cell)
    cell.system.coordination.forget_waiters_of(cell)
    return parked
