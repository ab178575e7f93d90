"""What happens in an actor system, as typed records for whoever listens.

`system.events.subscribe(print)` hears of everything. Nothing is recorded while nobody
listens. A record of a message tells its span and that of the message which its sender
was handling: from them follows who caused what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

if TYPE_CHECKING:
    from effactor.actors.envelope import Envelope

__all__ = [
    "ActorEvent",
    "DeadLetter",
    "Delivered",
    "Dropped",
    "Event",
    "HandlerFailed",
    "MessageEvent",
    "Replied",
    "Restarted",
    "Sent",
    "SpawnFailed",
    "Started",
    "Stopped",
]


class Event:
    """Something that happened.

    Attributes:
        at: When, in seconds on the clock of the system's event loop.
    """

    __slots__ = ("at",)

    at: float

    @property
    def target(self) -> str:
        """Path of the actor that it happened to."""
        raise NotImplementedError

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.target} at {self.at:g}>"


class MessageEvent(Event):
    """Something that happened to a message.

    Attributes:
        envelope: The message's envelope.
        message: The message.
    """

    __slots__ = ("envelope", "message")

    def __init__(self, envelope: Envelope, message: Any, at: float) -> None:
        """Keep all three."""
        self.envelope: Envelope = envelope
        self.message: Any = message
        self.at: float = at

    @property
    @override
    def target(self) -> str:
        """Path of the actor that the message is for."""
        return self.envelope.actor_ref.path

    @property
    def sender(self) -> str | None:
        """Path of the actor or run that sent it; None for code outside of both."""
        sender = self.envelope.sender
        return None if sender is None else sender.path

    @property
    def span(self) -> int:
        """Number of this message's life, from its sending to its end; unique in its system."""
        return self.envelope.span

    @property
    def parent(self) -> int | None:
        """The span of the message which the sender was handling; None if it was none."""
        return self.envelope.parent_span

    @override
    def __repr__(self) -> str:
        caused = "" if self.parent is None else f" in {self.parent}"
        name = type(self).__name__
        return f"<{name} {self.span}{caused}: {self.message!r} to {self.target} at {self.at:g}>"


@final
class Sent(MessageEvent):
    """A message was sent."""

    __slots__ = ()


@final
class Delivered(MessageEvent):
    """A handler begins with a message."""

    __slots__ = ()


@final
class Replied(MessageEvent):
    """A handler has ended well.

    Attributes:
        reply: What it replied; of a message that was told, nobody gets it.
    """

    __slots__ = ("reply",)

    def __init__(self, envelope: Envelope, message: Any, at: float, reply: Any) -> None:
        """Keep all."""
        self.envelope: Envelope = envelope
        self.message: Any = message
        self.at: float = at
        self.reply: Any = reply


@final
class HandlerFailed(MessageEvent):
    """A handler has raised something.

    Attributes:
        error: What it raised; a failure that the message declares is a reply of a kind.
    """

    __slots__ = ("error",)

    def __init__(self, envelope: Envelope, message: Any, at: float, error: BaseException) -> None:
        """Keep all."""
        self.envelope: Envelope = envelope
        self.message: Any = message
        self.at: float = at
        self.error: BaseException = error


@final
class Dropped(MessageEvent):
    """A message was not handled: middleware or its mailbox dropped it, or its time was over.

    Attributes:
        error: Why.
    """

    __slots__ = ("error",)

    def __init__(self, envelope: Envelope, message: Any, at: float, error: BaseException) -> None:
        """Keep all."""
        self.envelope: Envelope = envelope
        self.message: Any = message
        self.at: float = at
        self.error: BaseException = error


class ActorEvent(Event):
    """Something that happened to an actor."""

    __slots__ = ("_target",)

    def __init__(self, target: str, at: float) -> None:
        """Keep both."""
        self._target = target
        self.at: float = at

    @property
    @override
    def target(self) -> str:
        """Path of the actor."""
        return self._target


@final
class Started(ActorEvent):
    """An actor has started: its `on_started` is done."""

    __slots__ = ()


@final
class SpawnFailed(ActorEvent):
    """An actor did not start.

    Attributes:
        error: What its `on_started` raised.
    """

    __slots__ = ("error",)

    def __init__(self, target: str, at: float, error: BaseException) -> None:
        """Keep all."""
        super().__init__(target, at)
        self.error: BaseException = error


@final
class Restarted(ActorEvent):
    """An actor has a new instance, which has started.

    Attributes:
        error: Why.
    """

    __slots__ = ("error",)

    def __init__(self, target: str, at: float, error: BaseException) -> None:
        """Keep all."""
        super().__init__(target, at)
        self.error: BaseException = error


@final
class Stopped(ActorEvent):
    """An actor has stopped.

    Attributes:
        reason: Why, in words.
    """

    __slots__ = ("reason",)

    def __init__(self, target: str, at: float, reason: str) -> None:
        """Keep all."""
        super().__init__(target, at)
        self.reason: str = reason


@final
class DeadLetter(ActorEvent):
    """A message was told, and nobody handled it.

    Attributes:
        message: The message.
        reason: Why, in words.
    """

    __slots__ = ("message", "reason")

    def __init__(self, target: str, at: float, message: Any, reason: str) -> None:
        """Keep all."""
        super().__init__(target, at)
        self.message: Any = message
        self.reason: str = reason
