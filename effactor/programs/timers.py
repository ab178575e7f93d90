"""Messages that are told later, and can be taken back until then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never, final

from typing_extensions import TypeVar, override

from effactor.programs.operations import (
    Operation,
    a_duration,
    # One check of refs for all operations.
    a_ref,
)
from effactor.programs.program import A_co, Program

if TYPE_CHECKING:
    from effactor.actors.ref import ActorRef

M = TypeVar("M")


@final
class Timer:
    """A message that `schedule_once` will tell: equal to nothing but itself.

    Attributes:
        delay: Seconds from when it was scheduled.
        ref: Who it is for.
        message: The message.
    """

    # What is left of it, and to whom it belongs, only the interpreter knows.
    __slots__ = ("delay", "message", "ref")

    def __init__(self, delay: float, ref: ActorRef[Any], message: Any) -> None:
        """Keep all three. Only interpreters make timers."""
        self.delay: float = delay
        self.ref: ActorRef[Any] = ref
        self.message: Any = message

    def cancel(self) -> Program[bool]:
        """Take the message back.

        Returns:
            A program that answers whether it was in time; True the first time, if the
            message has not been told yet and its owner has not ended; else False.
        """
        return CancelTimer(self)

    @override
    def __repr__(self) -> str:
        return f"<Timer of {self.message!r} to {self.ref.path} after {self.delay:g} s>"

    @override
    def __reduce__(self) -> Never:
        msg = f"{self!r} cannot be pickled: it runs here; let an actor keep and cancel it"
        raise TypeError(msg)


@final
class ScheduleOnce(Operation[A_co]):
    """Tell a message to an actor after a delay, and answer the `Timer`."""

    __slots__ = ("delay", "message", "ref")

    def __init__(self, delay: float, ref: ActorRef[Any], message: Any) -> None:
        """Keep all three; *delay* is in seconds."""
        self.delay: float = delay
        self.ref: ActorRef[Any] = ref
        self.message: Any = message

    @override
    def describe(self) -> str:
        return f"schedule {self.message!r} to {self.ref.path} after {self.delay:g} s"


@final
class CancelTimer(Operation[A_co]):
    """Take back the message of a timer, and answer whether it was in time."""

    __slots__ = ("timer",)

    def __init__(self, timer: Timer) -> None:
        """Keep the timer."""
        self.timer: Timer = timer

    @override
    def describe(self) -> str:
        return f"cancel {self.timer.message!r} to {self.timer.ref.path}"


def schedule_once(delay: float, ref: ActorRef[M], message: M) -> Program[Timer]:
    """Tell a message to an actor later, and go on at once.

    The timer belongs to the actor that runs the program, and not to the program: it
    outlives the handler, and is cancelled when that actor restarts, stops or crashes.
    In a run of its own it belongs to the system, and is cancelled when that shuts down.
    A message that has been told stays told: from then on it is mail like any other.

    Args:
        delay: Seconds, at least 0. The simulator moves its clock instead of waiting.
        ref: The actor. If it has stopped by then, the message is a dead letter.
        message: The message. Whoever scheduled it is its sender.

    Returns:
        A program that answers the timer, whose `cancel()` takes the message back.

    Raises:
        TypeError: If *delay* is no number, or *ref* no ref.
        ValueError: If *delay* is negative or not finite.
    """
    a_duration("schedule_once", "delay", delay)
    a_ref("schedule_once", ref)
    return ScheduleOnce(delay, ref, message)
