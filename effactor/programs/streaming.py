"""Replies that come one by one: asks of handlers that are async generators."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Generic, Never, final, overload

from returns.maybe import Maybe, Some
from typing_extensions import TypeVar, override

from effactor.coordination.handle import count
from effactor.programs.do import Do, program
from effactor.programs.operations import Operation, a_duration, a_ref, check_options
from effactor.programs.program import A_co, E_co, Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.envelope import SendOptions
    from effactor.actors.message import Query
    from effactor.actors.ref import ActorRef
    from effactor.errors import AskFailed

B = TypeVar("B")
E = TypeVar("E")
E2 = TypeVar("E2")
M = TypeVar("M")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

CREDITS = 16
"""Items that a handler may be ahead of whoever takes them, unless the ask says otherwise."""


@final
class AskStream(Operation[A_co, E_co]):
    """Send a message to an actor, and answer the `Replies` that its handler will yield."""

    __slots__ = ("credits", "message", "options", "ref", "time_limit")

    def __init__(
        self,
        ref: ActorRef[Any],
        message: Any,
        time_limit: float | None,
        ahead: int,
        options: SendOptions | None,
    ) -> None:
        """Keep all; *time_limit* is in seconds."""
        self.ref: ActorRef[Any] = ref
        self.message: Any = message
        self.time_limit: float | None = time_limit
        self.credits: int = ahead
        self.options: SendOptions | None = options

    @override
    def describe(self) -> str:
        return f"ask {self.ref.path} {self.message!r} for a stream"


@final
class NextReply(Operation[A_co, E_co]):
    """Wait for the next item of a stream of replies."""

    __slots__ = ("replies",)

    def __init__(self, replies: Replies[Any, Any]) -> None:
        """Keep the stream."""
        self.replies: Replies[Any, Any] = replies

    @override
    def describe(self) -> str:
        return f"next item of {self.replies!r}"


@final
class CloseReplies(Operation[None]):
    """Leave a stream of replies."""

    __slots__ = ("replies",)

    def __init__(self, replies: Replies[Any, Any]) -> None:
        """Keep the stream."""
        self.replies: Replies[Any, Any] = replies

    @override
    def describe(self) -> str:
        return f"close {self.replies!r}"


@final
class Replies(Generic[T_co, E_co]):
    """The items that a handler yields for one ask. Only interpreters make it.

    It ends with the scope of the program that asked: leaving it early stops the handler
    at once.

    Attributes:
        ref: The actor asked.
        message: The message.
        stream: What the interpreter keeps of it.
    """

    __slots__ = ("message", "ref", "stream")

    def __init__(self, ref: ActorRef[Any], message: Any, stream: Any) -> None:
        """Keep all three."""
        self.ref: ActorRef[Any] = ref
        self.message: Any = message
        self.stream: Any = stream

    def next(self) -> Program[Maybe[T_co], AskFailed | E_co]:
        """Wait for the next item.

        Returns:
            A program that answers `Some(item)`, or `Nothing` after the last one. It fails as an
            ask does, after the items that came before.
        """
        return NextReply(self)

    def close(self) -> Program[None]:
        """Leave the stream, and stop its handler at once if it still runs.

        Returns:
            A program that answers None. Closing twice does nothing.
        """
        return CloseReplies(self)

    @program
    def for_each(
        self, function: Callable[[T_co], Program[Any, E2]]
    ) -> Do[int, AskFailed | E_co | E2]:
        """Run a program for every item, one after another.

        Args:
            function: Makes the program of an item.

        Returns:
            A program that answers how many there were.
        """
        items = 0
        while True:
            item = yield from self.next()
            if not isinstance(item, Some):
                return items
            yield from function(item.unwrap())
            items += 1

    @program
    def to_list(self) -> Do[list[T_co], AskFailed | E_co]:
        """Take all items.

        Returns:
            A program that answers their list.
        """
        items: list[T_co] = []
        while True:
            item = yield from self.next()
            if not isinstance(item, Some):
                return items
            items.append(item.unwrap())

    @override
    def __repr__(self) -> str:
        return f"<Replies of {self.ref.path} to {self.message!r}>"

    @override
    def __reduce__(self) -> Never:
        msg = f"{self!r} cannot be pickled: it runs here; send its items as messages"
        raise TypeError(msg)


@overload
def free_ask_stream(
    ref: ActorRef[M],
    message: Query[M, list[T], E],
    *,
    timeout: float | None = None,
    credits: int = CREDITS,
    options: SendOptions | None = None,
) -> Program[Replies[T, E], AskFailed]: ...
@overload
def free_ask_stream(
    ref: ActorRef[M],
    message: M,
    *,
    timeout: float | None = None,
    credits: int = CREDITS,
    options: SendOptions | None = None,
) -> Program[Replies[Any, Any], AskFailed]: ...
def free_ask_stream(
    ref: ActorRef[Any],
    message: Any,
    *,
    timeout: float | None = None,
    credits: int = CREDITS,  # noqa: A002 - the field's word
    options: SendOptions | None = None,
) -> Program[Any, Any]:
    """Ask an actor whose handler is an async generator, and take its items one by one.

    The handler is never more than *credits* items ahead: then it waits until one is taken.

    Args:
        ref: The actor.
        message: The message; a `Message[list[T]]` types the items as `T`. The reply of a
            handler that is no async generator is a stream of one item.
        timeout: Seconds to wait for each item; None waits as long as the system's
            `ask_timeout` says, which is for ever unless it says otherwise; `math.inf`
            waits for ever.
        credits: How many items the handler may be ahead.
        options: What travels with the message, or None.

    Returns:
        A program that answers the `Replies`, at once.

    Raises:
        TypeError: If an argument is of another kind.
        ValueError: If *credits* is below 1, or *timeout* negative or no number.
    """
    a_ref("free_ask_stream", ref)
    if timeout is not None and timeout != math.inf:
        a_duration("free_ask_stream", "timeout", timeout)
    if options is not None:
        check_options("free_ask_stream", options)
    return AskStream(ref, message, timeout, count("free_ask_stream", "credits", credits), options)
