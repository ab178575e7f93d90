"""A handler that waits: the cell does with what it yields what asyncio's Task does."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any

from effactor.errors import ActorStopped
from effactor_interpreters.runtime.controls import Continue, Question
from effactor_interpreters.runtime.current_task import current_tasks
from effactor_interpreters.runtime.driver import DONE, Driver
from effactor_interpreters.runtime.engine.signals import FATAL
from effactor_interpreters.runtime.insisting import goes_on
from effactor_interpreters.runtime.letters import Letter, Refusal, refuse
from effactor_interpreters.runtime.stashing import STASHED, keep
from effactor_interpreters.runtime.states import RUNNING, STOPPED, SUSPENDED
from effactor_interpreters.runtime.waits import Wait, handler_failed, time_limit_of
from effactor_interpreters.runtime.work import PLAIN, WORK

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell


def suspend(cell: Cell, driver: Driver, reply: Any, waited: Any) -> None:
    """Let the handler that *driver* runs wait for what it yielded.

    Args:
        cell: The actor.
        driver: Its driver from now on.
        reply: Where the reply of a handler that began on an asker's stack goes.
        waited: What the handler yielded.
    """
    driver.reply = reply
    cell.driver = driver
    if cell.state == STOPPED:
        # It has crashed in the midst of this step: whoever cut its power parks the driver.
        driver.waiting = waited
        return
    cell.state = SUSPENDED
    driver.must_cancel, driver.guarded = cell.killed is not None, False
    if cell.relations_made is not None:
        cell.relations_made.hand_over(driver)
    wait_on(cell, driver, waited)


def wait_on(cell: Cell, driver: Driver, waited: Any) -> None:
    """Do with what the handler yields what asyncio's Task does."""
    if waited is None:  # asyncio.sleep(0)
        cell.system.loop.call_soon(cell.step, None, context=cell.variables)
        return
    if isinstance(waited, Wait):
        driver.waiting = waited
        waited.cell = cell
        if waited.finished:
            cell.resume()
        elif driver.must_cancel and waited.cancel():
            driver.must_cancel = False
        return
    blocking = getattr(waited, "_asyncio_future_blocking", None)
    if blocking and waited is not cell:
        waited._asyncio_future_blocking = False  # noqa: SLF001
        waited.add_done_callback(cell.wakeup, context=cell.variables)
        driver.waiting = waited
        if driver.must_cancel and waited.cancel():
            driver.must_cancel = False
        return
    if blocking is None:
        error = RuntimeError(f"a handler of {cell.full_path} awaited {waited!r}, no future")
    else:
        error = RuntimeError(f"yield was used instead of yield from with {waited!r}")
    cell.system.loop.call_soon(cell.step, error, context=cell.variables)


def step(cell: Cell, error: BaseException | None) -> None:
    """Go on with the suspended handler; called in the cell's context variables."""
    driver = cell.driver
    if not isinstance(driver, Driver):
        return  # the cell has crashed meanwhile
    system = cell.system
    driver.waiting = None
    if driver.must_cancel:
        if not isinstance(error, CancelledError):
            error = CancelledError()
        driver.must_cancel = False
    cell.state = RUNNING
    reply = driver.reply
    loop = system.loop
    previous = current_tasks.get(loop)
    current_tasks[loop] = cell
    try:
        waited = driver.send(None) if error is None else driver.throw(error)
    except BaseException as raised:
        cell.driver = None
        if reply is None:  # a batch, which deals with all but the end of the process
            cell.crashed(raised)
            raise
        _handler_raised(cell, driver.message, reply, raised)
        return
    finally:
        if previous is None:
            del current_tasks[loop]
        else:
            current_tasks[loop] = previous
    if waited is not DONE:
        if cell.driver is None:
            driver.waiting = waited  # it has crashed in the midst of this step
            return
        cell.state = SUSPENDED
        wait_on(cell, driver, waited)
        if error is not None and isinstance(error, CancelledError):
            goes_on(cell, driver)
        return
    cell.driver = None
    message, driver.message, driver.reply = driver.message, None, None
    driver.cancellations = 0
    driver.guarded = False
    system.recycle(driver)
    if reply is not None:
        output, system.output = system.output, None
        if driver.unwraps and type(output) not in PLAIN and isinstance(output, WORK):
            cell.put_first(Question((Continue(output, message, time_limit_of(reply)), reply)))
        elif output is STASHED:
            keep(cell, message, reply)
        elif type(output) is Refusal:
            refuse(cell, message.message, reply, output, message)
        elif not reply.done():
            reply.set_result(output)
    cell.after_turn()


def _handler_raised(cell: Cell, message: Any, reply: Any, error: BaseException) -> None:
    """End a turn whose handler had begun on an asker's stack, and raised later."""
    if type(message) is Letter:
        message = message.message
    if isinstance(error, FATAL) and not isinstance(error, GeneratorExit):
        if not reply.done():
            reply.set_exception(RuntimeError(f"{cell.full_path} died of {error!r}"))
        cell.crashed(error)
        raise error
    if cell.killed is not None and isinstance(error, CancelledError):
        if not reply.done():
            reply.set_exception(ActorStopped(cell.full_path, message, cell.killed, delivered=True))
        cell.after_turn()
        return
    raised = cell.handler_raised(message, error)
    if not reply.done():
        handler_failed(reply, raised)
