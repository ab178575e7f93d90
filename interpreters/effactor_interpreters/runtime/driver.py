"""Drivers: pooled coroutines that run handlers, one request after another.

Sending to a running coroutine costs a third of starting one and catching its
StopIteration, so a system keeps a pool of drivers. A request is a cell with its
inbox, of which the driver handles a batch; or one coroutine, for an ask that is
handled on the asker's stack. A driver yields `DONE` between requests; anything
else that it yields is what the handler waits for.
"""

from __future__ import annotations

import types
from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, Final

from effactor.errors import ActorStopped
from effactor.programs.program import Program
from effactor_interpreters.runtime.controls import Control, Question
from effactor_interpreters.runtime.coroutines import coroutine
from effactor_interpreters.runtime.engine.signals import FATAL
from effactor_interpreters.runtime.lifecycle import supervise
from effactor_interpreters.runtime.stashing import STASHED, keep
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.waits import (
    as_raised,
    handler_failed,
    is_declared,
    note_handling,
    time_limit_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.scheduler import Scheduler

BATCH: Final = 64
"""Messages of one cell that are handled before other cells get their turn."""

# Of type Any: type checkers do not know that a coroutine may `yield from` another.
COROUTINE: Final[Any] = types.CoroutineType
"""What an `async def` handler returns."""

WORK: Final[Any] = (Program, COROUTINE)
"""What a `def` handler may return instead of its reply."""

PLAIN: Final[Any] = frozenset({type(None), bool, int, float, str, bytes, tuple, list, dict, set})
"""Types that are surely no work: finding one in here takes half as long as isinstance."""


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
    n = BATCH
    popleft = inbox.popleft
    while inbox and n:
        n -= 1
        message: Any = popleft()
        reply: Any = None
        handler = handlers.get(type(message))  # pyright: ignore[reportUnknownArgumentType]
        if handler is None and type(message) is Question:
            message, reply = message
            if reply.done() and not isinstance(message, Control):
                continue  # its asker has given up before the handler began
            handler = handlers.get(type(message))  # pyright: ignore[reportUnknownArgumentType]
        try:
            if handler is not None:
                answer: Any = handler(actor, message)
                if answer is not None:
                    if type(answer) is COROUTINE:
                        answer = yield from answer  # pyright: ignore[reportUnknownVariableType]
                    if type(answer) not in PLAIN and isinstance(answer, WORK):  # pyright: ignore[reportUnknownArgumentType]
                        answer = yield from cell.finish(answer, message, time_limit_of(reply))
                        if answer is STASHED:
                            keep(cell, message, reply)
                            continue
            elif isinstance(message, Control):
                control, message = message, message.about
                answer = yield from control.run(cell)
                actor, handlers = cell.actor, cell.behavior.every
                if answer is STASHED:
                    keep(cell, message, reply)
                    continue
            elif cell.behavior.resolve(type(message)):  # pyright: ignore[reportUnknownArgumentType]
                inbox.appendleft(message if reply is None else Question((message, reply)))
                continue
            else:
                cell.unhandled(message, reply)
                continue
        except FATAL as fatal:
            if reply is not None and not isinstance(fatal, GeneratorExit):
                reply.set_exception(
                    ActorStopped(cell.full_path, message, f"died of {fatal!r}", delivered=True)
                )
            raise
        except CancelledError as error:
            if cell.killed is not None:
                if reply is not None and not reply.done():
                    reply.set_exception(
                        ActorStopped(cell.full_path, message, cell.killed, delivered=True)
                    )
                continue  # the stop request is next in the inbox
            failure = as_raised(cell, message, error)
        except BaseException as error:  # supervision decides
            failure = as_raised(cell, message, error)
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
            yield from supervise(cell, failure)
            actor, handlers = cell.actor, cell.behavior.every
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
