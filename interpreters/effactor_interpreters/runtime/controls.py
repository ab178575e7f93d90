"""Mailbox items of the runtime's own: start, stop, and what follows a failure.

They travel like messages, so their order relative to messages is the mailbox's
order, and the simulator explores it like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Generator

    from effactor.actors.ref import StopMode
    from effactor_interpreters.runtime.cell import Cell


class Question(tuple[Any, Any]):
    """A mailbox item that wants a reply: the message, and where its reply goes.

    Other items are bare messages, or controls. It is a class of its own, so that
    messages may be tuples.
    """

    __slots__ = ()


class Control:
    """An item that the cell's driver runs instead of giving it to a handler."""

    __slots__ = ()

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


class StopRequest(Control):
    """Stop the actor.

    Attributes:
        mode: How much to finish first.
        by: Path of whoever asked, or "" for code outside of actors.
    """

    __slots__ = ("by", "mode")

    def __init__(self, mode: StopMode, by: str) -> None:
        self.mode: StopMode = mode
        self.by: str = by

    @property
    def reason(self) -> str:
        """Why the actor stops, in words."""
        return f"asked to stop by {self.by}" if self.by else "asked to stop"

    @override
    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        from effactor_interpreters.runtime.lifecycle import terminate

        return terminate(cell, self.reason, self.mode)

    @override
    def __repr__(self) -> str:
        return "stop" if self.mode == "graceful" else f"stop ({self.mode})"


class Failure(Control):
    """Let supervision deal with what a handler raised.

    Attributes:
        error: What it raised.
    """

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error: BaseException = error

    @override
    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        from effactor_interpreters.runtime.lifecycle import supervise

        return supervise(cell, self.error)

    @override
    def __repr__(self) -> str:
        return f"failure {self.error!r}"


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
