"""Replies: how an asker hears of the outcome of an ask.

Whoever settles a reply needs only four methods of asyncio's Future: `done`,
`set_result`, `set_exception`, `cancel`. So a future is a reply too: the one that
tasks outside of any actor wait on. An actor that waits needs no future and no
turn of the loop: its coroutine yields a `Wait` to its own cell. A program waits
with a `FiberWait`.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from typing_extensions import override

from effactor.actors.dispatch import NoGuardHolds
from effactor.actors.message import declared
from effactor.errors import AskTimeout, Failed, HandlerFailed, Unhandled
from effactor.traces.wording import brief
from effactor_interpreters.runtime.coroutines import coroutine
from effactor_interpreters.runtime.engine.notes import note
from effactor_interpreters.runtime.engine.signals import FATAL
from effactor_interpreters.runtime.states import RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.world import Timer


class Phase(str):
    """Stands for a message where an actor waits for another's start or end."""

    __slots__ = ()


START_OF: Final = Phase("its start")
END_OF: Final = Phase("its end")
TAKING: Final = Phase("its taking of the next item")


class Link(Protocol):
    """An ask that is waited for, as one link of a chain of such asks.

    Attributes:
        target: The actor asked.
        message: The message.
        end: The last actor of the chain when it was last followed, and the number of
            asks that had been settled by then: another number, and it says nothing.
    """

    target: Cell
    message: Any
    end: tuple[Cell, int] | None


class Waiter(Protocol):
    """Whoever waits for a `Wait`: a cell, usually."""

    def resume(self) -> None:
        """Go on soon."""
        ...


class Wait:
    """What a handler's coroutine yields to its own cell while it waits.

    Attributes:
        cell: The waiting cell, once it waits.
        target: The cell waited for, or None.
        message: The message asked, for reports.
        timer: The ask's timer, or None.
        end: See `Link`.
    """

    __slots__ = ("cell", "end", "error", "finished", "message", "target", "timer", "value")

    def __init__(self, target: Cell | None, message: Any) -> None:
        self.cell: Waiter | None = None
        self.target: Cell | None = target
        self.message: Any = message
        self.timer: Timer | None = None
        self.end: tuple[Cell, int] | None = None
        self.value: Any = None
        self.error: BaseException | None = None
        self.finished: bool = False

    def done(self) -> bool:
        """Tell whether it is settled."""
        return self.finished

    def set_result(self, value: Any) -> None:
        """Settle with a reply."""
        self.value = value
        self._finish()

    def set_exception(self, error: BaseException) -> None:
        """Settle with an exception."""
        self.error = error
        self._finish()

    def _finish(self) -> None:
        self.finished = True
        if self.target is not None:
            self.target.system.settled += 1
        if self.timer is not None:
            self.timer.cancel()
        if self.cell is not None:
            self.cell.resume()

    def cancel(self, msg: Any = None) -> bool:
        """Settle by raising CancelledError in the waiting handler."""
        if self.finished:
            return False
        self.set_exception(CancelledError() if msg is None else CancelledError(msg))
        return True

    def link(self) -> Link | None:
        """Return the ask without whose reply the waiter can never go on, if there is one."""
        if self.target is None or self.timer is not None or self.finished:
            return None
        return cast("Link", self)

    def describe(self) -> str:
        """Say what is waited for."""
        if self.target is None:
            return str(self.message)
        return f"{self.target.full_path} ({subject(self.message)})"


class ProgramWait(Wait):
    """Waits for the end of a program that the handler runs.

    Attributes:
        fiber: The program's fiber.
    """

    __slots__ = ("fiber",)

    def __init__(self, fiber: Fiber) -> None:
        super().__init__(None, "a program")
        self.fiber: Fiber = fiber
        fiber.on_end = self.set_result

    @override
    def cancel(self, msg: Any = None) -> bool:
        """Interrupt the program; the wait ends when its finalisers have run."""
        del msg
        if self.finished:
            return False
        self.fiber.interrupt()
        return True

    @override
    def link(self) -> Link | None:
        """Return the ask that the program waits for."""
        pending = self.fiber.pending
        return pending.link() if isinstance(pending, FiberWait) else None

    @override
    def describe(self) -> str:
        """Say what the program waits for."""
        pending = self.fiber.pending
        return "a program that is ready to go on" if pending is None else pending.describe()


@coroutine
def wait_for(wait: Wait) -> Generator[Wait, None, Any]:
    """Wait in a handler's coroutine until *wait* is settled.

    Args:
        wait: The wait.

    Returns:
        Its value.

    Raises:
        BaseException: Its exception.
    """
    while not wait.finished:
        yield wait
    if wait.error is not None:
        try:
            raise wait.error
        finally:
            wait.error = None  # breaks the cycle of exception, traceback and frame
    return wait.value


class FiberWait:
    """The reply that a program's operation waits for.

    Attributes:
        fiber: The program's fiber.
        target: The cell waited for.
        message: The message asked, for reports.
        timer: The ask's timer, or None.
        end: See `Link`.
    """

    __slots__ = ("end", "fiber", "message", "target", "timer")

    def __init__(self, fiber: Fiber, target: Cell, message: Any) -> None:
        self.fiber: Fiber | None = fiber
        self.target: Cell = target
        self.message: Any = message
        self.timer: Timer | None = None
        self.end: tuple[Cell, int] | None = None

    @property
    def time_limit(self) -> float | None:
        """When the asking program's deadline is over, on the loop's clock; None if it has none."""
        return None if self.fiber is None else self.fiber.time_limit

    def done(self) -> bool:
        """Tell whether it is settled, or nobody wants the reply any more."""
        return self.fiber is None

    def _take(self) -> Fiber | None:
        fiber, self.fiber = self.fiber, None
        self.target.system.settled += 1
        if self.timer is not None:
            self.timer.cancel()
        return fiber

    def set_result(self, value: Any) -> None:
        """Settle with a reply."""
        fiber = self._take()
        if fiber is not None:
            fiber.resume(value)

    def set_exception(self, error: BaseException) -> None:
        """Settle with a reason why there is no reply."""
        fiber = self._take()
        if fiber is not None:
            fiber.resume_failed(error)

    def handler_failed(self, error: BaseException) -> None:
        """Settle with what the handler raised."""
        fiber = self._take()
        if fiber is not None:
            fiber.resume_failed(as_failure(self.target, self.message, error))

    def cancel(self, msg: Any = None) -> bool:
        """Withdraw."""
        del msg
        return self._take() is not None

    def withdraw(self) -> bool:
        """Forget the fiber: it no longer wants the reply."""
        self._take()
        return True

    def link(self) -> Link | None:
        """Return the ask without whose reply the program can never go on, if it is one."""
        return None if self.timer is not None or self.fiber is None else self

    def describe(self) -> str:
        """Say what is waited for."""
        return f"{self.target.full_path} ({subject(self.message)})"


class RoomWait(FiberWait):
    """Waits for room in a mailbox; if its actor stops first, that is a defect of the waiter."""

    __slots__ = ()

    @override
    def set_exception(self, error: BaseException) -> None:
        """Settle with the reason why there will be none."""
        fiber = self._take()
        if fiber is not None:
            fiber.resume_died(error)

    @override
    def describe(self) -> str:
        """Say what is waited for."""
        return f"room in the mailbox of {super().describe()}"


class LifecycleWait(FiberWait):
    """Waits for an actor's start or end: what its hooks raise is a defect of the waiter."""

    __slots__ = ()

    @override
    def handler_failed(self, error: BaseException) -> None:
        """Settle with what `on_started` raised."""
        fiber = self._take()
        if fiber is not None:
            fiber.resume_died(error)


def subject(about: Any) -> str:
    """Say what an actor waits for from another: the reply to a message, its start, its end.

    Args:
        about: The message, or a `Phase`.

    Returns:
        The name of the message's class, or the phase.
    """
    return about if isinstance(about, Phase) else type(about).__name__


def redirect(reply: Any, target: Cell) -> None:
    """Let an asker wait for another actor than the one it asked, which has taken its place.

    Args:
        reply: Any reply.
        target: The actor that will reply.
    """
    if isinstance(reply, Wait | FiberWait):
        reply.target, reply.end = target, None
    else:
        moved = getattr(reply, "redirect", None)
        if moved is not None:
            moved(target)


def time_limit_of(reply: Any) -> float | None:
    """Return when the deadline of whoever waits for *reply* is over.

    Args:
        reply: Any reply, or None.

    Returns:
        A time on the loop's clock; None if there is no deadline.
    """
    limit: float | None = getattr(reply, "time_limit", None)
    return limit


def handler_failed(reply: Any, error: BaseException) -> None:
    """Settle *reply* with what a handler raised.

    Args:
        reply: Any reply.
        error: The exception.
    """
    tell = getattr(reply, "handler_failed", None)
    if tell is not None:
        tell(error)
    else:
        reply.set_exception(error)


def as_raised(target: Cell, message: Any, error: BaseException) -> BaseException:
    """Return what an asker may see raised for what a handler raised.

    Args:
        target: The handler's actor.
        message: The message.
        error: What it raised.

    Returns:
        The error itself, but for some: a CancelledError would look as if the asker
        were cancelled, a StopIteration cannot be raised in a coroutine, a GeneratorExit
        would look as if it were closed, and where no guard holds the message is unhandled.
    """
    if isinstance(error, CancelledError):
        return HandlerFailed(target.full_path, message, error)
    if isinstance(error, NoGuardHolds):
        return Unhandled(target.full_path, message, target.behavior.names)
    if isinstance(error, StopIteration | GeneratorExit):
        name = type(error).__name__
        stopped = RuntimeError(f"a handler of {target.full_path} raised {name}")
        stopped.__cause__ = error
        return stopped
    return error


def is_closed(cell: Cell, error: BaseException) -> bool:
    """Tell whether a GeneratorExit comes from closing a handler, and not from the handler itself.

    Args:
        cell: The actor that runs the handler or hook.
        error: What was caught there.

    Returns:
        False for any other exception. What is closed does not run meanwhile.
    """
    return isinstance(error, GeneratorExit) and cell.state != RUNNING


def is_fatal(cell: Cell, error: BaseException) -> bool:
    """Tell whether an exception is for the process, or for the frame where it was caught.

    Args:
        cell: The actor whose handler or hook raised it.
        error: What it raised.

    Returns:
        False for a GeneratorExit of the user's own.
    """
    if isinstance(error, GeneratorExit):
        return is_closed(cell, error)
    return isinstance(error, FATAL)


def is_declared(message: object, error: BaseException) -> bool:
    """Tell whether an exception is a reply that its message declares.

    Args:
        message: The message that was handled.
        error: What the handler raised.

    Returns:
        True if the message declares failures of this class.
    """
    failures = declared(type(message)).failures
    if isinstance(error, Failed):
        return isinstance(error.error, failures)
    return isinstance(error, failures)


def is_unhandled(target: Cell, message: object, error: BaseException) -> bool:
    """Tell whether an exception says that no handler of this actor takes this message.

    Args:
        target: The actor.
        message: The message that it was given.
        error: What came of it.

    Returns:
        False also for the `Unhandled` of another ask, which a handler let through.
    """
    return (
        type(error) is Unhandled and error.message is message and error.target == target.full_path
    )


def note_handling(cell: Cell, message: Any, error: BaseException) -> None:
    """Note on what a handler raised whose handler it was, and of which message.

    Args:
        cell: The handler's actor.
        message: The message.
        error: What it raised, and did not declare.
    """
    note(error, f"in {cell.full_path}: handling {brief(message)}")


def as_failure(target: Cell, message: Any, error: BaseException) -> Any:
    """Return what an asking program fails with after a handler raised.

    Args:
        target: The handler's actor.
        message: The message.
        error: What it raised.

    Returns:
        The declared failure itself, else `HandlerFailed`.
    """
    if is_declared(message, error):
        return error.error if type(error) is Failed else error
    if isinstance(error, HandlerFailed) and isinstance(error.cause, CancelledError):
        return error  # of this very handler: see `as_raised`
    if is_unhandled(target, message, error):
        return error  # there was no handler
    return HandlerFailed(target.full_path, message, error)


def expire(reply: Any, target: Cell, message: Any, timeout: float) -> Callable[[], None]:
    """Return the callback of an ask's timer.

    Args:
        reply: The ask's reply.
        target: The actor asked.
        message: The message.
        timeout: Seconds the asker was ready to wait.

    Returns:
        A function that settles the reply with `AskTimeout`.
    """

    def expired() -> None:
        if not reply.done():
            reply.set_exception(AskTimeout(target.full_path, message, timeout))

    return expired
