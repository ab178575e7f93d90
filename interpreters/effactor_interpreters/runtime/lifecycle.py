"""How an actor starts, fails, restarts and stops. All of it runs in the cell's driver."""

from __future__ import annotations

import types
from asyncio import CancelledError
from typing import TYPE_CHECKING, Any

from effactor.actors.supervision import Directive, OneForOneStrategy
from effactor.programs.program import Program
from effactor_interpreters.runtime.controls import Failure, StopRequest
from effactor_interpreters.runtime.engine.signals import FATAL
from effactor_interpreters.runtime.stashing import put_back
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.stopping import close, stopped, when_stopped
from effactor_interpreters.runtime.waits import END_OF, Wait, wait_for

if TYPE_CHECKING:
    from collections.abc import Generator

    from effactor.actors.ref import StopMode
    from effactor_interpreters.runtime.cell import Cell

DEFAULT_STRATEGY = OneForOneStrategy()


def _hook(cell: Cell, result: Any) -> Generator[Any, Any, None]:
    """Finish a lifecycle hook, whether it was `def`, `async def` or returned a program."""
    if isinstance(result, Program | types.CoroutineType):
        yield from cell.finish(result)


def start(cell: Cell) -> Generator[Any, Any, None]:
    """Run `on_started`; if it raises, the actor stops and its spawner learns why."""
    cell.relations.starting = False
    try:
        yield from _hook(cell, cell.actor.on_started())
    except FATAL:
        raise
    except BaseException as error:
        yield from terminate(cell, f"failed to start: {error!r}", "now", cleanup=False)
        raise


def terminate(
    cell: Cell, reason: str, mode: StopMode, *, cleanup: bool = True
) -> Generator[Any, Any, None]:
    """Refuse what is left in the mailbox, stop the children, run `on_stopped`, tell the world.

    Args:
        cell: The cell.
        reason: Why, in words.
        mode: How the children stop.
        cleanup: Whether `on_stopped` runs.
    """
    close(cell, reason)
    yield from stop_children(cell, mode)
    if cleanup and cell.behavior.has_stopped:
        try:
            yield from _hook(cell, cell.actor.on_stopped())
        except FATAL:
            raise
        except BaseException:
            cell.system.log.exception("on_stopped of %s failed", cell.full_path)
    stopped(cell)


def stop_children(cell: Cell, mode: StopMode) -> Generator[Any, Any, None]:
    """Stop the children of a cell, and wait until they have stopped."""
    children = list(cell.children.values())
    for child in children:
        request = StopRequest(mode, cell.full_path)
        cell.system.world.deliver(child, request, urgent=mode != "graceful")
    for child in children:
        while child.state != STOPPED:
            wait = Wait(child, END_OF)
            when_stopped(child, wait)
            try:
                yield from wait_for(wait)
            except CancelledError:
                continue  # a second stop does not make the parent end before the child


def _decide(cell: Cell, error: BaseException) -> tuple[OneForOneStrategy, Directive]:
    """Ask the parent's strategy, or the system's, what to do."""
    parent = cell.parent
    own = None if parent is None else parent.actor.supervisor_strategy()
    strategy = own or cell.system.strategy
    return strategy, strategy.decider(error)


def supervise(cell: Cell, error: BaseException) -> Generator[Any, Any, None]:
    """Let the parent's strategy decide about a cell whose handler raised *error*."""
    try:
        strategy, directive = _decide(cell, error)
    except FATAL:
        raise
    except BaseException as failure:  # the strategy is the user's code
        cell.system.log.exception("the supervisor of %s failed", cell.full_path)
        yield from terminate(cell, f"its supervisor failed: {failure!r}", "now")
        return
    if directive is Directive.RESUME:
        return
    if directive is Directive.RESTART:
        if cell.relations.may_restart(cell.system.world.clock(), strategy):
            yield from restart(cell, error)
            return
        reason = f"stopped after more than {strategy.max_restarts} restarts"
        reason += f" in {strategy.within_seconds:g} s: {error!r}"
        yield from terminate(cell, reason, "now")
        return
    if directive is Directive.ESCALATE:
        parent = cell.parent
        if parent is None:
            cell.system.log.error("%s failed", cell.full_path, exc_info=error)
        else:
            parent.fail_soon(Failure(error))
    yield from terminate(cell, f"stopped by its supervisor: {error!r}", "now")


def restart(cell: Cell, error: BaseException) -> Generator[Any, Any, None]:
    """Replace the instance; ref, path and mailbox stay, the children are stopped first.

    The timers end with the old instance; what it has stashed is mail again.
    """
    cell.system.timers.end(cell)
    put_back(cell)
    yield from stop_children(cell, "now")
    try:
        if cell.behavior.has_stopped:
            yield from _hook(cell, cell.actor.on_stopped())
    except FATAL:
        raise
    except BaseException:
        cell.system.log.exception("on_stopped of %s failed", cell.full_path)
    try:
        cell.system.timers.end(cell)  # those that on_stopped set
        cell.replace_actor()
        yield from _hook(cell, cell.actor.on_restart(error))
        yield from _hook(cell, cell.actor.on_started())
    except FATAL:
        raise
    except BaseException as failure:
        yield from terminate(cell, f"failed to restart: {failure!r}", "now", cleanup=False)


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
    close(cell, "crashed")
    stopped(cell)
    cell.system.coordination.forget_waiters_of(cell)
    return parked
