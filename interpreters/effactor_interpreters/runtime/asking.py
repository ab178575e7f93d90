"""An ask that reaches an actor: on the asker's stack if the actor is idle, else queued."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from effactor.programs.operations import check_options, seconds
from effactor_interpreters.runtime.controls import Continue, Question
from effactor_interpreters.runtime.current_task import current_tasks
from effactor_interpreters.runtime.deadlocks import find_cycle, hangs_on_items
from effactor_interpreters.runtime.driver import DONE
from effactor_interpreters.runtime.letters import Letter, Refusal, letter_of, refuse
from effactor_interpreters.runtime.stashing import STASHED, keep
from effactor_interpreters.runtime.states import IDLE, QUEUED, RUNNING
from effactor_interpreters.runtime.suspended import suspend
from effactor_interpreters.runtime.waits import FiberWait, Wait, expire, wait_for
from effactor_interpreters.runtime.work import COROUTINE, PLAIN, WORK

if TYPE_CHECKING:
    from effactor.actors.envelope import SendOptions
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.driver import Driver
    from effactor_interpreters.runtime.engine.fiber import Fiber

BUDGET: Final = 16
"""Asks handled on the asker's stack between two looks at the clock."""

RESERVE: Final = 48
"""Drivers that programs leave in the pool: an ask by or of one takes 9 to 11 of Python's 1000
recursion levels, so programs may nest less deeply than coroutines."""


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
        system.budget = system.budget - 1 if system.budget else BUDGET
        handler = cell.plain.get(kind)
        if handler is None:
            handler = cell.behavior.coroutine.get(kind)
            if handler is None and kind not in cell.behavior.every:
                # Met for the first time.
                cell.behavior.resolve(kind)
                return (
                    enter(cell, message, fiber)
                    if kind in cell.behavior.every
                    else _queue(cell, message, fiber)
                )
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
            if cell.mailbox is None:
                cell.state = IDLE
            else:
                cell.after_turn()
            return None
    return _queue(cell, message, fiber)


def _queue(cell: Cell, message: object, fiber: Fiber | None) -> Any:
    """Put an ask into the mailbox, and return the reply to wait for."""
    reply = new_reply(cell, message, fiber)
    cell.system.world.deliver(cell, Question((message, reply)))
    _help(cell)
    return reply


def _help(cell: Cell) -> None:
    """Handle an ask that stands behind other mail here and now, with all that mail, in order."""
    system = cell.system
    if cell.state == QUEUED and system.pool and (system.budget or system.renew()):
        mail: Any = cell.mailbox  # not None, or it would be idle
        system.budget = max(0, system.budget - len(mail))
        cell.run_turn()


def enter_in_envelope(
    cell: Cell,
    message: object,
    fiber: Fiber | None,
    timeout: float | None,
    options: SendOptions | None,
) -> Any:
    """Do the same as `enter` with a message that travels in a letter.

    Args:
        cell: The actor asked.
        message: The message.
        fiber: The fiber that asks; None for a coroutine.
        timeout: Seconds the asker waits; None for ever.
        options: What the asker adds.

    Returns:
        As `enter` does.
    """
    system = cell.system
    asker = system.actor_or_run() if fiber is None else fiber.owner
    limit = None if timeout is None else system.loop.time() + timeout
    if fiber is not None:
        # Its deadline, too, which need not be that of the ask itself.
        outer = fiber.time_limit
        if outer is not None and (limit is None or outer < limit):
            limit = outer
    letter = Letter(cell, message, "ask", asker, options, limit)
    token = letter.cancellation
    if token is not None and token.cancelled:
        reply = new_reply(cell, message, fiber)
        reply.set_exception(letter.cancelled_error())
    elif system.native and cell.may_run_letters_here and system.spend():
        cell.state = RUNNING
        reply = begin(cell, letter, message, fiber)
    else:
        reply = new_reply(cell, message, fiber)
        system.world.deliver(cell, Question((letter, reply)))
        _help(cell)
    if reply is not None and token is not None:
        _under_token(letter, reply)
    return reply


async def ask_in_envelope(
    cell: Cell, message: object, timeout: float | None, options: SendOptions | None
) -> Any:
    """Do the same as `Cell.ask` with a message that travels in a letter.

    Args:
        cell: The actor asked.
        message: The message.
        timeout: Seconds to wait; None for the system's default, infinite for ever.
        options: What the asker adds.

    Returns:
        The reply.
    """
    system = cell.system
    if options is not None:
        check_options("ask", options)
    asker = system.current_cell()
    timeout = within(asker, patience(system, timeout, "ask"))
    handler = cell.plain.get(type(message))
    outer = letter_of(asker)
    free = outer is None or outer.cancellation is None
    if timeout is None and options is None and free and cell.is_plain:
        reply = enter(cell, message, None)  # only others are in a hurry
    elif handler is not None and options is None and cell.may_run_here and system.spend():
        # A `def` handler asks nobody: it needs no letter.
        cell.state = RUNNING
        try:
            answer = cell.variables.run(handler, cell.actor, message)
        except BaseException as error:
            raised = cell.handler_raised(message, error)
            if raised is error:
                raise
            raise raised from None
        if type(answer) in PLAIN or not isinstance(answer, WORK):
            cell.after_turn()
            return answer
        limit = None if timeout is None else system.loop.time() + timeout
        reply = begin(cell, answer, message, None, limit)
    else:
        reply = enter_in_envelope(cell, message, None, timeout, options)
    if reply is None:
        return system.output
    awaiting(cell, reply, message, timeout, asker)
    if type(reply) is Wait:
        return await wait_for(reply)
    return await reply


def ask_in_envelope_nowait(
    cell: Cell, message: object, timeout: float | None, options: SendOptions | None
) -> Any:
    """Do the same as `Cell.ask_nowait` with a message that travels in a letter.

    Args:
        cell: The actor asked.
        message: The message.
        timeout: See `ask_in_envelope`.
        options: What the asker adds.

    Returns:
        A future of the reply.
    """
    system = cell.system
    if options is not None:
        check_options("ask_nowait", options)
    asker = system.current_cell()
    timeout = within(asker, patience(system, timeout, "ask_nowait"))
    limit = None if timeout is None else system.loop.time() + timeout
    letter = Letter(cell, message, "ask", system.actor_or_run(), options, limit)
    reply = system.loop.create_future()
    _under_token(letter, reply)
    if not reply.done():
        system.world.deliver(cell, Question((letter, reply)))
        if timeout is not None:
            awaiting(cell, reply, message, timeout, None)
    return reply


def tell_in_envelope(
    cell: Cell, message: object, options: SendOptions | None, where: str = "tell_nowait"
) -> Letter:
    """Tell a message that travels in a letter.

    Args:
        cell: The actor told.
        message: The message.
        options: What the sender adds.
        where: The function that received them, for errors.

    Returns:
        The letter, which says whether it found room.
    """
    if options is not None:
        check_options(where, options)
    letter = Letter(cell, message, "tell", cell.system.actor_or_run(), options, None)
    cell.system.world.deliver(cell, letter)
    return letter


def _under_token(letter: Letter, reply: Any) -> None:
    """Let a reply fail when the token of its ask is cancelled."""
    token = letter.cancellation
    if token is None or reply.done():
        return

    def cancelled() -> None:
        if not reply.done():
            reply.set_exception(letter.cancelled_error())

    take_out = token.on_cancel(cancelled)
    if not reply.done():
        when_settled(reply, take_out)


def patience(system: Any, timeout: float | None, where: str) -> float | None:
    """Return how long an ask waits.

    Args:
        system: The system.
        timeout: What its sender said.
        where: The function that was called, for the error.

    Returns:
        Seconds, or None for ever.
    """
    if timeout is None:
        default: float | None = system.ask_timeout
        return default
    if timeout == math.inf:
        return None
    return seconds(where, "timeout", timeout)


def within(asker: Any, timeout: float | None) -> float | None:
    """Limit an ask's patience to that of whoever waits for the asker's own reply.

    Args:
        asker: The actor that asks, or None.
        timeout: Its own patience, in seconds.

    Returns:
        Seconds, or None for ever.
    """
    letter = letter_of(asker)
    if letter is None or letter.limit is None:
        return timeout
    left: float = max(0.0, letter.limit - asker.system.loop.time())
    return left if timeout is None else min(left, timeout)


def within_deadline(fiber: Fiber, timeout: float | None) -> float | None:
    """Limit an ask's timeout to the deadline, where its interrupt does not end the ask.

    Args:
        fiber: The fiber that asks.
        timeout: Its own patience, in seconds.

    Returns:
        Seconds, or None for ever.
    """
    deadline = fiber.deadline
    if deadline is None or deadline.reaches or fiber.masked:
        return timeout
    left: float = max(0.0, deadline.at - fiber.owner.clock())
    return left if timeout is None else min(timeout, left)


class _Links:
    """A timer that stands for several things to undo when a reply is settled."""

    __slots__ = ("undo",)

    def __init__(self, *undo: Any) -> None:
        self.undo: tuple[Any, ...] = undo

    def cancel(self) -> None:
        for each in self.undo:
            each()


def when_settled(reply: Any, undo: Any) -> None:
    """Call *undo* when *reply* is settled."""
    if isinstance(reply, Wait | FiberWait):
        timer = reply.timer
        reply.timer = _Links(undo) if timer is None else _Links(undo, timer.cancel)
    else:

        def settled(_reply: object) -> None:
            undo()

        reply.add_done_callback(settled)


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


def begin(
    cell: Cell, work: Any, message: Any, fiber: Fiber | None, limit: float | None = None
) -> Any:
    """Run a handler's coroutine or program, or a letter, on the asker's stack until it waits.

    Returns:
        As `enter` does.
    """
    system = cell.system
    is_coroutine = type(work) is COROUTINE
    if not is_coroutine and fiber is not None:
        limit = fiber.time_limit
    if len(system.pool) <= (0 if is_coroutine and fiber is None else RESERVE) or not system.native:
        # Too deep on the stack: it goes on from the run queue.
        if is_coroutine and fiber is not None:
            limit = fiber.time_limit
        reply = new_reply(cell, message, fiber)
        rest = work if type(work) is Letter else Continue(work, message, limit)
        cell.put_first(Question((rest, reply)))
        cell.after_turn()
        return reply
    loop = system.loop
    previous = current_tasks.get(loop)
    current_tasks[loop] = cell
    driver = system.pool.pop()
    try:
        if is_coroutine:
            waited = cell.variables.run(driver.send, (cell, None, work))
        else:
            steps = work.run(cell) if type(work) is Letter else cell.finish(work, message, limit)
            waited = cell.variables.run(driver.send, (cell, None, steps))
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
        if is_coroutine:
            if type(answer) not in PLAIN and isinstance(answer, WORK):
                # An `async def` handler that returned a program.
                return begin(cell, answer, message, fiber)
        elif answer is STASHED or type(answer) is Refusal:
            reply = new_reply(cell, message, fiber)
            if answer is STASHED:
                keep(cell, work if type(work) is Letter else message, reply)
            else:
                refuse(cell, message, reply, answer, work)
            cell.after_turn()
            return reply
        if cell.mailbox is None:
            cell.state = IDLE
        else:
            cell.after_turn()
        return None
    return waiting(cell, driver, work, message, fiber, waited)


def waiting(
    cell: Cell, driver: Driver, work: Any, message: Any, fiber: Fiber | None, waited: Any
) -> Any:
    """Let a handler that began on the asker's stack wait; return the reply of its end."""
    system = cell.system
    system.pool.append(system.new_driver())
    reply = new_reply(cell, message, fiber)
    driver.message = work if type(work) is Letter else message
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
        Deadlock: If this actor waits, perhaps through others, for whoever asks.
    """
    if timeout is not None:
        if reply.done():
            return
        what = f"timeout of {type(message).__name__} to {cell.ref.path}"
        expired = expire(reply, cell, message, timeout)
        timer = cell.system.world.call_later(timeout, expired, what)
        when_settled(reply, timer.cancel)
    elif asker is not None and not asker.guarded and not reply.done():
        deadlock = find_cycle(asker, cell, message)
        if deadlock is not None:
            if hangs_on_items(asker, cell):
                from effactor_interpreters.runtime.takers import fail_soon

                fail_soon(asker, cell, reply, message)
                return
            reply.cancel()
            raise deadlock
    elif asker is None and cell.system.outsiders is not None and not reply.done():
        # A task or a run that takes the items of a stream.
        from effactor_interpreters.runtime.takers import outsider_waits

        outsider_waits(cell, reply, message)
