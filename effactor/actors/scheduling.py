"""What `self.context` offers to be told something later: for handlers that are no programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from effactor.actors.ref import ActorRef

M = TypeVar("M")


class Cancellable(Protocol):
    """A timer that `self.context` has set. The name is Pekko's."""

    def cancel(self) -> bool:
        """Tell no more.

        Returns:
            True the first time, if there was a message left to tell and its owner has
            not ended; else False. What has been told stays told: it is mail.
        """
        ...


class Scheduling(Protocol):
    """Timers of an actor: they end when it restarts, stops or crashes."""

    def schedule_once(self, delay: float, message: M, to: ActorRef[M] | None = None) -> Cancellable:
        """Tell a message later.

        Args:
            delay: Seconds, at least 0. The simulator moves its clock instead of waiting.
            message: The message. This actor is its sender.
            to: Whom; None means this actor itself. If it has stopped by then, the
                message is a dead letter.

        Returns:
            The timer.

        Raises:
            TypeError: If *delay* is no number, or *to* no ref.
            ValueError: If *delay* is negative or not finite.
            ActorStopped: If this actor has stopped.
        """
        ...

    def every(self, interval: float, message: M, to: ActorRef[M] | None = None) -> Cancellable:
        """Tell a message at each multiple of *interval* from now, first after one interval.

        The rate is fixed: a late message does not delay those that follow. One message
        at most waits in the mailbox: while the last one has yet to be taken up, those
        that are due are skipped, so a slow actor finds no pile of them.

        Args:
            interval: Seconds, at least a microsecond.
            message: The message. This actor is its sender.
            to: Whom; None means this actor itself. If it has stopped, the message is a
                dead letter, and the timer ends with it, unless *to* is only a path.

        Returns:
            The timer.

        Raises:
            TypeError: If *interval* is no number, or *to* no ref.
            ValueError: If *interval* is too short or not finite.
            ActorStopped: If this actor has stopped.
        """
        ...
