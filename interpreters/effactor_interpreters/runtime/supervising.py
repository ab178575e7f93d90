"""Who decides about an actor that failed, what is decided, and whom it concerns.

All of it runs in the driver of the actor that failed. Its siblings hear of it by a
control that goes before their other mail: each ends the message that it handles, and
nobody waits for anybody, since a sibling may be waiting for the one that failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from effactor.actors.supervision import Directive, a_strategy
from effactor_interpreters.runtime.controls import Control, Failure, Restart, StopRequest
from effactor_interpreters.runtime.engine.signals import FATAL
from effactor_interpreters.runtime.ephemeral import STOPS
from effactor_interpreters.runtime.lifecycle import host_of, restart, terminate
from effactor_interpreters.runtime.recovery import Restarts, instance_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from effactor.actors.supervision import SupervisorStrategy
    from effactor_interpreters.runtime.cell import Cell


class _Verdict(NamedTuple):
    """What was decided.

    Attributes:
        directive: What to do.
        siblings: The others whom it concerns, in the order of their start.
        delay: For a restart: seconds to wait before it.
        tries_again: Whether a restart that fails is a failure to be supervised.
        reason: For a stop: why, in words.
    """

    directive: Directive
    siblings: list[Cell]
    delay: float = 0.0
    tries_again: bool = False
    reason: str = ""


def supervise(cell: Cell, error: BaseException, message: Any) -> Generator[Any, Any, None]:
    """Let the strategy of its supervisor decide about a cell whose handler raised *error*.

    Args:
        cell: The cell.
        error: What was raised.
        message: What was being handled; None, or a control, if it was no message.
    """
    if isinstance(message, Control):
        message = None
    front = cell.front
    if front is not cell:
        # The instance is the front's: it ends when none of its handlers runs.
        front.fail_soon(Failure(error, message, instance_of(front)))
        return
    while cell.is_alive:  # else it stops anyway, as the next thing that it does
        try:
            verdict = _judge(cell, error)
        except FATAL:
            raise
        except BaseException as wrong:  # the strategy is the user's code
            cell.system.log.exception("the supervisor of %s failed", cell.full_path)
            yield from terminate(cell, f"its supervisor failed: {wrong!r}", "now")
            return
        directive = verdict.directive
        if directive is Directive.RESUME:
            return
        if directive is Directive.ESCALATE:
            yield from _escalate(cell, error)
            return
        if directive is Directive.STOP:
            for sibling in verdict.siblings:
                why = f"stopped with {cell.full_path}, which was {verdict.reason}"
                request = StopRequest("current", cell.full_path, why)
                cell.system.world.deliver(sibling, request, urgent=True)
            yield from terminate(cell, verdict.reason, "now")
            return
        for sibling in verdict.siblings:
            if not sibling.starting:  # it has no instance yet that would have to go
                instance = instance_of(sibling)
                tries_again = verdict.tries_again
                control = Restart(error, instance, verdict.delay, tries_again=tries_again)
                sibling.fail_soon(control)
        failure = yield from restart(cell, error, message, verdict.delay)
        if failure is None or not cell.is_alive:
            return
        _log_failed_restart(cell, failure)
        if not verdict.tries_again:
            yield from terminate(cell, f"failed to restart: {failure!r}", "now")
            return
        error, message = failure, None


def restart_with_others(
    cell: Cell, error: BaseException, delay: float, *, tries_again: bool
) -> Generator[Any, Any, None]:
    """Restart because a sibling failed.

    Args:
        cell: The cell.
        error: What the sibling raised.
        delay: Seconds to wait before it.
        tries_again: Whether a restart that fails is a failure to be supervised.
    """
    failure = yield from restart(cell, error, None, delay)
    if failure is None or not cell.is_alive:
        return
    _log_failed_restart(cell, failure)
    if tries_again:
        yield from supervise(cell, failure, None)
    else:
        yield from terminate(cell, f"failed to restart: {failure!r}", "now")


def _log_failed_restart(cell: Cell, failure: BaseException) -> None:
    # Nobody waits for a restart: no reply carries this.
    cell.system.log.error("the restart of %s failed", cell.full_path, exc_info=failure)


def _escalate(cell: Cell, error: BaseException) -> Generator[Any, Any, None]:
    """Stop the cell; then its parent has failed, unless that is another instance by then."""
    parent = cell.parent
    failure = None
    if parent is None:
        cell.system.log.error("%s failed", cell.full_path, exc_info=error)
    else:
        failure = Failure(error, None, instance_of(parent))
    yield from terminate(cell, f"stopped by its supervisor: {error!r}", "now")
    if parent is not None and failure is not None:
        parent.fail_soon(failure)


def _judge(cell: Cell, error: BaseException) -> _Verdict:
    """Ask the supervisor's strategy, and count the restart if it is one."""
    strategy = _strategy(cell)
    directive = strategy.decide(error)
    if directive is Directive.RESUME and cell.relations.recovery.over:
        directive = Directive.RESTART  # a restart has failed: there is nothing to resume
    if directive is Directive.RESUME or directive is Directive.ESCALATE:
        return _Verdict(directive, [])
    siblings = _siblings(cell, strategy)
    if directive is Directive.STOP:
        return _Verdict(directive, siblings, reason=f"stopped by its supervisor: {error!r}")
    delay = _restarts(cell, strategy).next(cell.system.world, strategy, error)
    if isinstance(delay, str):
        cell.system.log.error("%s %s", cell.full_path, delay, exc_info=error)
        return _Verdict(Directive.STOP, siblings, reason=f"{delay}: {error!r}")
    return _Verdict(directive, siblings, delay, strategy.backoff is not None)


def _strategy(cell: Cell) -> SupervisorStrategy:
    parent = cell.parent
    if cell.relations.ephemeral:
        return STOPS
    if parent is not None:
        own = parent.actor.supervisor_strategy()
        if own is not None:
            where = f"supervisor_strategy() of {parent.full_path} answers what"
            return a_strategy(where, own)
    return cell.system.strategy_for(cell)


def _restarts(cell: Cell, strategy: SupervisorStrategy) -> Restarts:
    """Return the restarts that count together with the one that is to come."""
    if not strategy.shares_limit or _is_alone(cell):
        recovery = cell.relations.recovery
        if recovery.own is None:
            recovery.own = Restarts()
        return recovery.own
    if cell.parent is None:
        return cell.system.restarts
    recovery = cell.parent.relations.recovery
    if recovery.of_children is None:
        recovery.of_children = Restarts()
    return recovery.of_children


def _siblings(cell: Cell, strategy: SupervisorStrategy) -> list[Cell]:
    """List the others whom a restart or stop concerns, in the strategy's order."""
    if _is_alone(cell):
        return []
    own, parent = cell.ref.name, cell.parent
    cells = cell.system.cells
    children: Iterable[str]
    if parent is not None:
        prefix, children = parent.ref.path, parent.children
    else:
        # Not before it is looked at: one for one is the rule, and a system may be large.
        roots = (c for c in cells.values() if c.parent is None and not _is_alone(c))
        prefix, children = "", (c.ref.name for c in roots)
    # A list: a generator, or a view of the children, must not change under the loop.
    names = list(strategy.affected(own, children))
    unknown = [name for name in names if f"{prefix}/{name}" not in cells]
    if unknown:
        msg = f"{strategy!r}: affected answered {unknown[0]!r}, which is no child"
        raise ValueError(msg)
    return [cells[f"{prefix}/{name}"] for name in names if name != own]


def _is_alone(cell: Cell) -> bool:
    """Tell whether a cell shares nobody's fate.

    A virtual actor has no siblings, neither the system's actors nor other virtual ones: who
    else is in memory is chance, and no actor can rely on the state of one that may leave.
    """
    return host_of(cell) is not None
