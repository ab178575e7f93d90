"""An ask that reaches an actor: on the asker's stack if the actor is idle, else queued."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from effactor.programs.program import Program
from effactor_interpreters.runtime.controls import Continue, Question
from effactor_interpreters.runtime.current_task import current_tasks
from effactor_interpreters.runtime.deadlocks import find_cycle
from effactor_interpreters.runtime.driver import COROUTINE, DONE, PLAIN, WORK
from effactor_interpreters.runtime.stashing import STASHED, keep
from effactor_interpreters.runtime.states import IDLE, QUEUED, RUNNING
from effactor_interpreters.runtime.suspended import suspend
from effactor_interpreters.runtime.waits import FiberWait, Wait, expire

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.engine.fiber import Fiber

BUDGET: Final = 4
"""Asks handled on the asker's stack between two looks at the clock."""


def enter(cell: Cell, message: object, fiber: Fiber | None) -> Any:
    """Handle an ask on the asker's stack if possible, else queue it.

    Args:
        cell: The actor asked.
        message: The message.
        fiber: The fiber that asks; None for a coroutine.

    Returns:
        None if the reply is `system.output` already, else the reply to wait
        for. What the handler raises on this stack is raised.
    """
    system = cell.system
    if cell.state == IDLE and system.pool and (system.budget or system.renew()):
        kind = type(message)
        if kind not in cell.behavior.every:
            cell.behavior.resolve(kind)  # met for the first time
        system.budget = system.budget - 1 if system.budget else BUDGET
        handler = cell.plain.get(kind)
        if handler is None:
            handler = cell.behavior.coroutine.get(kind)
            if handler is not None and system.native:
                cell.state = RUNNING
                return begin(cell, handler(cell.actor, message), message, fiber)
        else:
            cell.state = RUNNING
            try:
                answer = cell.variables.run(handler, cell.actor, message)
            except BaseException as error:
                raised = cell.handler_raised(message, error)
                if raised is error:
                    raise
                raise raised from None
            if type(answer) not in PLAIN and isinstance(answer, WORK):
                return begin(cell, answer, message, fiber)
            system.output = answer
            cell.after_turn()
            return None
    reply = new_reply(cell, message, fiber)
    system.world.deliver(cell, Question((message, reply)))
    if cell.state == QUEUED and system.pool and (system.budget or system.renew()):
        # Behind other mail: handle all of it here, in order.
        mail: Any = cell.mailbox  # not None, or it would be idle
        system.budget = max(0, system.budget - len(mail))
        cell.run_turn()
    return reply


def new_reply(cell: Cell, message: Any, fiber: Fiber | None) -> Any:
    """Make the reply that the asker, a fiber, an actor or a task, waits for."""
    if fiber is not None:
        reply = FiberWait(fiber, cell, message)
        # Before the message is sent: its refusal may settle the reply at once.
        fiber.wait(reply)
        return reply
    if cell.system.current_cell() is not None:
        return Wait(cell, message)
    return cell.system.loop.create_future()


def begin(cell: Cell, work: Any, message: Any, fiber: Fiber | None) -> Any:
    """Run a handler's coroutine or program on the asker's stack until it waits.

    Returns:
        As `enter` does.
    """
    system = cell.system
    limit = None if fiber is None else fiber.time_limit
    if not (system.pool and system.native):
        # Too deep on the stack: it goes on from the run queue.
        reply = new_reply(cell, message, fiber)
        cell.put_first(Question((Continue(work, message, limit), reply)))
        cell.after_turn()
        return reply
    loop = system.loop
    previous = current_tasks.get(loop)
    current_tasks[loop] = cell
    driver = system.pool.pop()
    try:
        if type(work) is COROUTINE:
            waited = cell.variables.run(driver.send, (cell, None, work))
        else:
            program = cell.finish(work, message, limit)
            waited = cell.variables.run(driver.send, (cell, None, program))
    except BaseException as error:
        system.pool.append(system.new_driver())
        raised = cell.handler_raised(message, error)
        if raised is error:
            raise
        raise raised from None
    finally:
        if previous is None:
            del current_tasks[loop]
        else:
            current_tasks[loop] = previous
    if waited is DONE:
        system.pool.append(driver)
        answer = system.output
        if type(work) is COROUTINE:
            if isinstance(answer, Program):
                # An `async def` handler that returned a program.
                return begin(cell, answer, message, fiber)
        elif answer is STASHED:
            reply = new_reply(cell, message, fiber)
            keep(cell, message, reply)
            cell.after_turn()
            return reply
        if cell.mailbox is None:
            cell.state = IDLE
        else:
            cell.after_turn()
        return None
    system.pool.append(system.new_driver())
    reply = new_reply(cell, message, fiber)
    driver.message = message
    driver.unwraps = type(work) is COROUTINE
    suspend(cell, driver, reply, waited)
    return reply


def awaiting(
    cell: Cell, reply: Any, message: Any, timeout: float | None, asker: Cell | None
) -> None:
    """Set the timer of an ask that waits, or see whether it can ever end.

    Args:
        cell: The actor asked.
        reply: The reply waited for.
        message: The message.
        timeout: Seconds to wait; None to wait for ever.
        asker: The actor that asks, if it waits for nothing but this.

    Raises:
        Deadlock: If this actor waits, perhaps through others, for the asker.
    """
    if timeout is not None:
        if reply.done():
            return
        what = f"timeout of {type(message).__name__} to {cell.ref.path}"
        expired = expire(reply, cell, message, timeout)
        timer = cell.system.world.call_later(timeout, expired, what)
        if isinstance(reply, Wait | FiberWait):
            reply.timer = timer
        else:

            def ended(_reply: object) -> None:
                timer.cancel()

            reply.add_done_callback(ended)
    elif asker is not None and not asker.guarded and not reply.done():
        deadlock = find_cycle(asker, cell, message)
        if deadlock is not None:
            reply.cancel()
            raise deadlock
