"""Mailbox items of the runtime's own: start, stop, and what follows a failure.

They travel like messages, so their order relative to messages is the mailbox's
order, and the simulator explores it like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor_interpreters.runtime.recovery import instance_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from effactor.actors.ref import StopManner
    from effactor_interpreters.runtime.cell import Cell


class Question(tuple[Any, Any]):
    """A mailbox item that wants a reply: the message, and where its reply goes.

    Other items are bare messages, or controls. It is a class of its own, so that
    messages may be tuples.
    """

    __slots__ = ()


class Control:
    """An item that the cell's driver runs instead of giving it to a handler.

    Attributes:
        behind_mail: Whether it waits for the mail before it, in whatever order that is taken.
    """

    __slots__ = ()

    behind_mail: bool = False

    @property
    def about(self) -> Any:
        """The message that is being handled: the control itself, unless it says otherwise."""
        return self

    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        """Do it, in the cell's driver; what it returns is the reply."""
        raise NotImplementedError


class Start(Control):
    """Run `on_started`, before any message."""

    __slots__ = ()

    @override
    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        from effactor_interpreters.runtime.lifecycle import start

        return start(cell)

    @override
    def __repr__(self) -> str:
        return "start"


START = Start()


def asked_to_stop(by: str) -> str:
    """Say why an actor stops that was asked to, by the actor of this path or by "" others."""
    return f"asked to stop by {by}" if by else "asked to stop"


class StopRequest(Control):
    """Stop the actor.

    Attributes:
        mode: How much to finish first.
        by: Path of whoever asked, or "" for code outside of actors.
        why: Why, in words, if that is not all.
    """

    __slots__ = ("by", "mode", "why")

    def __init__(self, mode: StopManner, by: str, why: str = "") -> None:
        self.mode: StopManner = mode
        self.by: str = by
        self.why: str = why

    @property
    def reason(self) -> str:
        """Why the actor stops, in words."""
        return self.why or asked_to_stop(self.by)

    @override
    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        from effactor_interpreters.runtime.lifecycle import terminate

        return terminate(cell, self.reason, self.mode)

    @override
    def __repr__(self) -> str:
        return "stop" if self.mode == "graceful" else f"stop ({self.mode})"


def unwanted() -> StopRequest:
    """Make the stop of an actor whose spawner was interrupted before it had started."""
    return StopRequest("now", "", "its spawn was interrupted")


class Failure(Control):
    """Let supervision deal with what a handler, or a child, raised.

    Attributes:
        error: What it raised.
        message: What was being handled; None if it was a child that failed.
        instance: The number of the instance that failed. By the time this runs that one
            may have been replaced, because of another failure: then nothing is left to do.
    """

    __slots__ = ("error", "instance", "message")

    def __init__(self, error: BaseException, message: Any, instance: int) -> None:
        self.error: BaseException = error
        self.message: Any = message
        self.instance: int = instance

    def is_over(self, cell: Cell) -> bool:
        """Tell whether the instance that this is about has been replaced."""
        return self.instance != instance_of(cell)

    @override
    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        from effactor_interpreters.runtime.supervising import supervise

        if not self.is_over(cell):
            yield from supervise(cell, self.error, self.message)

    @override
    def __repr__(self) -> str:
        return f"failure {self.error!r}"


class Restart(Failure):
    """Restart with a sibling, as the strategy of their supervisor has decided.

    Attributes:
        delay: Seconds to wait between the old instance and the new one.
        tries_again: Whether a restart that fails is a failure to be supervised.
    """

    __slots__ = ("delay", "tries_again")

    def __init__(
        self, error: BaseException, instance: int, delay: float, *, tries_again: bool
    ) -> None:
        super().__init__(error, None, instance)
        self.delay: float = delay
        self.tries_again: bool = tries_again

    @override
    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        from effactor_interpreters.runtime.supervising import restart_with_others

        if not self.is_over(cell):
            yield from restart_with_others(
                cell, self.error, self.delay, tries_again=self.tries_again
            )

    @override
    def __repr__(self) -> str:
        return f"restart after {self.error!r}"


class Continue(Control):
    """Go on with a handler that answered a program or coroutine too deep on the stack.

    Attributes:
        work: The coroutine or program.
        message: The message it handles.
        time_limit: When the asker's deadline is over, on the loop's clock; None if never.
    """

    __slots__ = ("message", "time_limit", "work")

    def __init__(self, work: Any, message: Any, time_limit: float | None) -> None:
        self.work: Any = work
        self.message: Any = message
        self.time_limit: float | None = time_limit

    @property
    @override
    def about(self) -> Any:
        return self.message

    @override
    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        return (yield from cell.finish(self.work, self.message, self.time_limit))
