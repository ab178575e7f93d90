"""Drivers: pooled coroutines that run handlers, one request after another.

Sending to a running coroutine costs a third of starting one and catching its
StopIteration, so a system keeps a pool of drivers. A request is a cell with its
inbox, of which the driver handles a batch; or one coroutine, for an ask that is
handled on the asker's stack. A driver yields `DONE` between requests; anything
else that it yields is what the handler waits for.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, Final

from effactor.actors.dispatch import NoGuardHolds
from effactor.errors import ActorStopped
from effactor_interpreters.runtime.controls import Control, Question
from effactor_interpreters.runtime.coroutines import coroutine
from effactor_interpreters.runtime.letters import Letter, Refusal, refuse
from effactor_interpreters.runtime.stashing import STASHED, keep
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.supervising import supervise
from effactor_interpreters.runtime.waits import (
    as_raised,
    handler_failed,
    is_declared,
    is_fatal,
    note_handling,
    time_limit_of,
)
from effactor_interpreters.runtime.work import PLAIN, WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.scheduler import Scheduler

BATCH: Final = 128
"""Messages of one cell that are handled before other cells get their turn."""


class _Done:
    """The type of `DONE`."""


DONE: Final = _Done()


@coroutine
def _drive(system: Scheduler) -> Generator[Any, Any, None]:
    request = yield
    while True:
        cell, inbox, work = request
        if inbox is None:
            # What it raises kills this driver and goes straight to the asker.
            system.output = yield from work
        else:
            yield from batch(cell, inbox)
        request = cell = inbox = work = None
        request = yield DONE


@coroutine
def batch(cell: Cell, inbox: Any) -> Generator[Any, Any, None]:
    """Handle up to `BATCH` items of *inbox*, one after another.

    Args:
        cell: The cell.
        inbox: A deque of items: messages, questions and controls.

    Yields:
        What a handler waits for; send its outcome back.
    """
    actor, handlers = cell.actor, cell.behavior.every
    coroutines = cell.behavior.coroutine
    waits = False
    popleft = inbox.popleft
    kind: Any = None  # type of the item before, whose handler is known
    handler: Any = None
    for _ in range(BATCH):
        if not inbox:
            break
        message: Any = popleft()
        reply: Any = None
        if type(message) is not kind:
            kind = type(message)  # pyright: ignore[reportUnknownVariableType]
            handler = handlers.get(kind)
            if handler is None:
                kind = None  # what is no message with a handler is looked at each time
                if type(message) is Question:
                    message, reply = message
                    if reply.done() and (
                        type(message) is Letter or not isinstance(message, Control)
                    ):
                        continue  # its asker has given up before the handler began
                    handler = handlers.get(type(message))  # pyright: ignore[reportUnknownArgumentType]
            waits = type(message) in coroutines
        try:
            if handler is not None:
                answer: Any = handler(actor, message)
                if waits:
                    answer = yield from answer  # pyright: ignore[reportUnknownVariableType]
                if type(answer) not in PLAIN and isinstance(answer, WORK):  # pyright: ignore[reportUnknownArgumentType]
                    answer = yield from cell.finish(answer, message, time_limit_of(reply))
                    if answer is STASHED:
                        keep(cell, message, reply)
                        continue
            elif isinstance(message, Control):
                control, message = message, message.about
                answer = yield from control.run(cell)  # pyright: ignore[reportUnknownVariableType]
                actor, handlers = cell.actor, cell.behavior.every
                coroutines = cell.behavior.coroutine
                if answer is STASHED:
                    keep(cell, control if type(control) is Letter else message, reply)
                    continue
                if type(answer) is Refusal:  # pyright: ignore[reportUnknownArgumentType]
                    assert type(control) is Letter
                    refuse(cell, message, reply, answer, control)
                    continue
            elif cell.behavior.resolve(type(message)):  # pyright: ignore[reportUnknownArgumentType]
                inbox.appendleft(message if reply is None else Question((message, reply)))
                continue
            else:
                cell.unhandled(message, reply)
                continue
        except NoGuardHolds:
            cell.unhandled(message, reply)
            continue
        except CancelledError as error:
            if cell.killed is not None:
                if reply is not None and not reply.done():
                    reply.set_exception(
                        ActorStopped(cell.full_path, message, cell.killed, delivered=True)
                    )
                continue  # the stop request is next in the inbox
            failure = as_raised(cell, message, error)
        except BaseException as error:
            # A driver is closed when its actor is left behind, or at the end of a world.
            if is_fatal(cell, error):
                died = cell.killed if isinstance(error, GeneratorExit) else f"died of {error!r}"
                if reply is not None and died is not None and not reply.done():
                    reply.set_exception(ActorStopped(cell.full_path, message, died, delivered=True))
                raise
            failure = as_raised(cell, message, error)  # supervision decides
        else:
            if reply is not None and not reply.done():
                reply.set_result(answer)
            continue
        # Outside the `except`, so that supervision does not run with this
        # exception as the context of its own.
        expected = is_declared(message, failure)
        if not expected:
            note_handling(cell, message, failure)
        if reply is not None and not reply.done():
            handler_failed(reply, failure)
        if not expected and cell.state != STOPPED:
            if reply is None:
                cell.system.world.failed(cell, message, failure)
            yield from supervise(cell, failure, message)
            actor, handlers, kind = cell.actor, cell.behavior.every, None
            coroutines = cell.behavior.coroutine
        del failure  # breaks the cycle with this frame


class Driver:
    """One pooled driver, and what the cell that it serves needs to know.

    Attributes:
        send: Go on with a value, or begin a request.
        throw: Go on with an exception.
        close: End what it runs.
        reply: Reply of the one coroutine it runs; None for a batch.
        message: Message of that coroutine.
        waiting: What the handler waits for: a `Wait` or a future.
        must_cancel: Whether the next wait must be cancelled at once.
        cancellations: How often the handler was cancelled, for `asyncio.timeout`.
        guarded: Whether the handler has asked about cancellations, as `asyncio.timeout`
            does: then it may end by itself, whatever it waits for.
        unwraps: Whether a program that the coroutine answers is to be run.
    """

    __slots__ = (
        "cancellations",
        "close",
        "guarded",
        "message",
        "must_cancel",
        "reply",
        "send",
        "throw",
        "unwraps",
        "waiting",
    )

    def __init__(self, system: Scheduler) -> None:
        steps = _drive(system)
        self.send: Callable[[Any], Any] = steps.send
        self.throw: Callable[[BaseException], Any] = steps.throw
        self.close: Callable[[], None] = steps.close
        self.send(None)
        self.reply: Any = None
        self.message: Any = None
        self.waiting: Any = None
        self.must_cancel: bool = False
        self.cancellations: int = 0
        self.guarded: bool = False
        self.unwraps: bool = False
