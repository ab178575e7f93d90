"""What travels with a message: who sent it, until when it matters, and what its sender added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, final

from typing_extensions import override

if TYPE_CHECKING:
    from datetime import datetime

    from effactor.actors.cancellation import CancellationToken
    from effactor.actors.ref import ActorRef

MessageKind = Literal["ask", "tell", "publish"]


class Envelope(Protocol):
    """What a handler learns about the message it handles: `self.context.message`."""

    @property
    def id(self) -> str:
        """What names this sending of the message, a random UUID in hex unless the sender chose."""
        ...

    @property
    def correlation_id(self) -> str:
        """What names the conversation it belongs to.

        The sender's choice; else that of the message which the sender was handling; else
        the message's own id.
        """
        ...

    @property
    def sender(self) -> ActorRef[Any] | None:
        """Who sent it, an actor or a run; None for a task outside of both."""
        ...

    @property
    def kind(self) -> MessageKind:
        """Whether it was asked, told or published."""
        ...

    @property
    def sent_at(self) -> datetime:
        """When it was sent, in UTC."""
        ...

    @property
    def deadline(self) -> datetime | None:
        """When its asker stops waiting, in UTC; None if never, or if it was told."""
        ...

    @property
    def headers(self) -> Mapping[str, Any]:
        """What its sender wrote on it."""
        ...

    @property
    def cancellation(self) -> CancellationToken | None:
        """The token that takes it back, or None."""
        ...

    @property
    def actor_ref(self) -> ActorRef[Any]:
        """The actor that receives it."""
        ...

    @property
    def span(self) -> int:
        """Number of the message's life, unique in its system; 0 while nobody listens to events."""
        ...

    @property
    def parent_span(self) -> int | None:
        """The span of the message which its sender was handling; None if it was none."""
        ...

    @property
    def priority(self) -> int:
        """How urgent it is, for mailboxes in order of priority, where more is sooner."""
        ...


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SendOptions:
    """What a sender adds to a message: `await ref.ask(Get(), options=SendOptions(priority=5))`.

    Attributes:
        id: Names this sending; None for a random UUID.
        correlation_id: Names the conversation; None to take that of the message which the
            sender is handling.
        headers: Anything that handlers, middleware or brokers should know, by name.
        priority: How urgent it is, where the mailbox is in order of priority; None takes
            the priority that the receiver's handler states, or 0.
        time_to_live: Seconds after which the message is dropped if its handler has not
            begun; None for never.
        cancellation: A token that takes the message back, or cancels its handler.
    """

    id: str | None = None
    correlation_id: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    priority: int | None = None
    time_to_live: float | None = None
    cancellation: CancellationToken | None = None

    def __post_init__(self) -> None:
        """Refuse what no message can carry."""
        for name in ("id", "correlation_id"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                msg = f"SendOptions: {name} must be a text, got {value!r}"
                raise TypeError(msg)
            if value == "":
                msg = f"SendOptions: {name} must not be empty; None makes one"
                raise ValueError(msg)
        # A copy: what the sender changes later does not change the message.
        object.__setattr__(self, "headers", _named(self.headers))
        if self.priority is not None and not _is_integer(self.priority):
            msg = f"SendOptions: priority must be a whole number, got {self.priority!r}"
            raise TypeError(msg)
        token: Any = self.cancellation
        if token is not None and (isinstance(token, type) or not hasattr(token, "on_cancel")):
            hint = f"; write {token.__name__}()" if isinstance(token, type) else ""
            msg = f"SendOptions: cancellation must be a CancellationToken, got {token!r}{hint}"
            raise TypeError(msg)
        from effactor.programs.operations import seconds

        seconds("SendOptions", "time_to_live", self.time_to_live)

    @override
    def __hash__(self) -> int:
        # Without the headers, whose values may be of any kind.
        return hash((self.id, self.correlation_id, self.priority, self.time_to_live))


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _named(headers: Any) -> dict[str, Any]:
    """Copy headers, and refuse what are none."""
    if isinstance(headers, Mapping):
        copied: dict[Any, Any] = {**headers}
        if all(isinstance(name, str) for name in copied):
            return copied
    msg = f"SendOptions: headers must be a mapping from names to values, got {headers!r}"
    raise TypeError(msg)
