"""Refs: addresses of actors, as values.

A ref is a path and an incarnation. What it is bound to is only a cache: a system
finds the actor by these two, so a program that holds refs can be compared,
pickled, simulated and drawn.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Generic,
    Literal,
    Never,
    Protocol,
    Self,
    final,
    overload,
)

from typing_extensions import TypeVar, override

from effactor.coordination.handle import count
from effactor.errors import UnboundRef

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine
    from concurrent.futures import Future

    from effactor.actors.envelope import SendOptions
    from effactor.actors.message import Query
    from effactor.errors import AskFailed
    from effactor.programs.program import Program
    from effactor.programs.streaming import Replies

M_contra = TypeVar("M_contra", contravariant=True, default=Any)
R = TypeVar("R")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E")

StopManner = Literal["graceful", "current", "now"]


class ReplyIterator(Protocol[T_co]):
    """The replies to one ask, one by one: for `async for`, which stops the handler when left."""

    def __aiter__(self) -> Self:
        """Iterate, once."""
        ...

    async def __anext__(self) -> T_co:
        """Wait for the next reply."""
        ...

    async def aclose(self) -> None:
        """Leave the stream: its handler is stopped at once."""
        ...

    async def __aenter__(self) -> Self:
        """Return the stream."""
        ...

    async def __aexit__(self, *error: object) -> None:
        """Leave the stream."""
        ...


class Binding(Protocol):
    """What a runtime puts behind a ref."""

    def ask(
        self,
        message: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, Any]:
        """Send a message and wait for its reply."""
        ...

    def tell_nowait(self, message: Any, options: SendOptions | None = None) -> None:
        """Send a message."""
        ...

    def tell(self, message: Any, options: SendOptions | None = None) -> Coroutine[Any, Any, None]:
        """Send a message; wait if the mailbox makes the sender wait."""
        ...

    def ask_nowait(
        self, message: Any, timeout: float | None, options: SendOptions | None = None
    ) -> Awaitable[Any]:
        """Send a message; the result is a future of its reply."""
        ...

    def ask_stream(
        self, message: Any, timeout: float | None, ahead: int, options: SendOptions | None
    ) -> ReplyIterator[Any]:
        """Send a message; the result iterates over its replies."""
        ...

    def tell_threadsafe(self, message: Any, options: SendOptions | None = None) -> None:
        """Send a message from any thread."""
        ...

    def ask_threadsafe(
        self, message: Any, timeout: float | None, options: SendOptions | None = None
    ) -> Future[Any]:
        """Send a message from another thread."""
        ...

    def stop(self, mode: StopManner) -> Coroutine[Any, Any, None]:
        """Ask the actor to stop."""
        ...

    def join(self) -> Coroutine[Any, Any, None]:
        """Wait until the actor has stopped."""
        ...

    @property
    def is_alive(self) -> bool:
        """Whether the actor can still receive messages."""
        ...


_BOUND: Final = ("ask", "tell", "tell_nowait")
"""Methods of the binding that a ref passes on."""


@final
class ActorRef(Generic[M_contra]):
    """The address of an actor that receives messages of type `M`.

    Refs are values: equal if path and incarnation are equal, hashable, picklable.
    A restart keeps the incarnation; a new actor under a freed name has another.

    Attributes:
        path: Path within the system, such as `/inventory` or `/shop/till`.
        incarnation: Which actor of this path is meant; None means any.
    """

    # In parts, because pyright takes what one literal names for data: to type checkers
    # `ask` and the tells are methods.
    __slots__ = (*("_binding", "incarnation", "path"), *_BOUND)

    path: str
    incarnation: int | None
    _binding: Binding

    def __init__(self, path: str, incarnation: int | None, binding: Binding) -> None:
        """Make a ref that is bound to an actor; runtimes do this."""
        self.path = path
        self.incarnation = incarnation
        self._binding = binding

    @classmethod
    def at(cls, path: str) -> ActorRef[M_contra]:
        """Make a ref from a path alone; it needs no system.

        Args:
            path: Path within whichever system interprets the program, such as
                `/inventory`.

        Returns:
            A ref to the actor that has this path when the ref is used.

        Raises:
            ValueError: If the path does not start with a slash, or has an empty
                segment.
        """
        well_formed = isinstance(path, str) and path.startswith("/")  # pyright: ignore[reportUnnecessaryIsInstance]
        if not well_formed or "" in path[1:].split("/"):
            msg = f"ActorRef.at: path must look like '/inventory' or '/shop/till', got {path!r}"
            raise ValueError(msg)
        return cls(path, None, Unbound(path))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # The binding's own method, and not one that calls it: an ask or a tell costs
            # so little that one call more would be a fifth of it. Kept from its first use on.
            if name not in _BOUND:
                msg = f"{type(self).__name__!r} object has no attribute {name!r}"
                raise AttributeError(msg, name=name, obj=self)
            found = getattr(self._binding, name)
            setattr(self, name, found)
            return found

    @property
    def name(self) -> str:
        """The last segment of the path."""
        return self.path.rpartition("/")[2]

    @property
    def is_alive(self) -> bool:
        """Whether the actor can still receive messages.

        Raises:
            UnboundRef: If the ref is only an address.
        """
        return self._binding.is_alive

    if TYPE_CHECKING:

        @overload
        def ask(
            self,
            message: Query[M_contra, R, Any],
            *,
            timeout: float | None = None,
            options: SendOptions | None = None,
        ) -> Coroutine[Any, Any, R]: ...
        @overload
        def ask(
            self,
            message: M_contra,
            *,
            timeout: float | None = None,
            options: SendOptions | None = None,
        ) -> Coroutine[Any, Any, Any]: ...
        def ask(
            self,
            message: Any,
            *,
            timeout: float | None = None,
            options: SendOptions | None = None,
        ) -> Coroutine[Any, Any, Any]:
            """Send a message and wait for the reply: `reply = await ref.ask(message)`.

            Args:
                message: The message; a `Message[R, E]` types the reply.
                timeout: Seconds to wait for the reply; None takes the system's default,
                    which is for ever unless it says otherwise; `math.inf` waits for ever.
                options: What travels with the message, or None.

            Returns:
                A coroutine of the reply. It raises what the handler raised, or an
                `AskFailed` if there was no reply.
            """
            ...

        def tell(
            self, message: M_contra, *, options: SendOptions | None = None
        ) -> Coroutine[Any, Any, None]:
            """Send a message without waiting for a reply: `await ref.tell(message)`.

            Args:
                message: The message.
                options: What travels with the message, or None.

            Returns:
                A coroutine that ends once the mailbox has taken the message. To a
                stopped actor it is a dead letter, not an error. If the mailbox rejects it,
                that is `MailboxFull`; if the actor stops while the sender waits for room,
                `ActorStopped`.
            """
            ...

        def tell_nowait(self, message: M_contra, options: SendOptions | None = None) -> None:
            """Send a message from code that cannot await.

            Args:
                message: The message.
                options: What travels with the message, or None.

            Raises:
                MailboxFull: If the mailbox has a bound, and no room.
            """

    @overload
    def ask_nowait(
        self,
        message: Query[M_contra, R, Any],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Awaitable[R]: ...
    @overload
    def ask_nowait(
        self,
        message: M_contra,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Awaitable[Any]: ...
    def ask_nowait(
        self,
        message: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Awaitable[Any]:
        """Send a message at once and return a future of its reply.

        Args:
            message: The message.
            timeout: Seconds to wait for the reply, as for `ask`.
            options: What travels with the message, or None.

        Returns:
            A future; it may be given to `asyncio.gather` and `asyncio.wait`.
        """
        if options is None:
            return self._binding.ask_nowait(message, timeout)
        operations.check_options("ask_nowait", options)
        return self._binding.ask_nowait(message, timeout, options)

    def tell_threadsafe(self, message: M_contra, *, options: SendOptions | None = None) -> None:
        """Send a message from any thread: `ref.tell_threadsafe(message)`.

        Args:
            message: The message. A mailbox without room makes it a dead letter.
            options: What travels with the message, or None.

        Raises:
            ActorStopped: If the event loop of the actor's system is closed.
            EscapedEffect: In a simulation, which no other thread may enter.
        """
        if options is not None:
            operations.check_options("tell_threadsafe", options)
        self._binding.tell_threadsafe(message, options)

    @overload
    def ask_threadsafe(
        self,
        message: Query[M_contra, R, Any],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Future[R]: ...
    @overload
    def ask_threadsafe(
        self,
        message: M_contra,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Future[Any]: ...
    def ask_threadsafe(
        self,
        message: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Future[Any]:
        """Send a message from another thread: `ref.ask_threadsafe(message).result()`.

        Args:
            message: The message; a `Message[R, E]` types the reply.
            timeout: Seconds to wait for the reply, as for `ask`.
            options: What travels with the message, or None.

        Returns:
            A `concurrent.futures.Future` of the reply: `result()` waits for it. Code on another
            event loop writes `await asyncio.wrap_future(...)`.

        Raises:
            ActorStopped: If the event loop of the actor's system is closed.
            RuntimeError: On that loop's own thread, where waiting would never end.
            EscapedEffect: In a simulation, which no other thread may enter.
        """
        if options is not None:
            operations.check_options("ask_threadsafe", options)
        return self._binding.ask_threadsafe(message, timeout, options)

    @overload
    def ask_stream(
        self,
        message: Query[M_contra, list[T], Any],
        *,
        timeout: float | None = None,
        credits: int = 16,
        options: SendOptions | None = None,
    ) -> ReplyIterator[T]: ...
    @overload
    def ask_stream(
        self,
        message: M_contra,
        *,
        timeout: float | None = None,
        credits: int = 16,
        options: SendOptions | None = None,
    ) -> ReplyIterator[Any]: ...
    def ask_stream(
        self,
        message: Any,
        *,
        timeout: float | None = None,
        credits: int = 16,  # noqa: A002 - the field's word
        options: SendOptions | None = None,
    ) -> ReplyIterator[Any]:
        """Ask a handler that is an async generator: `async for item in ref.ask_stream(message)`.

        The handler is never more than *credits* items ahead: then it waits until one is
        taken. Leaving the loop stops it at once.

        Args:
            message: The message; a `Message[list[T]]` types the items as `T`. The reply of a
                handler that is no async generator is a stream of one item.
            timeout: Seconds to wait for each item; None and `math.inf` as for `ask`.
            credits: How many items the handler may be ahead.
            options: What travels with the message, or None.

        Returns:
            An async iterator. The message is sent when the first item is asked for. What the
            handler raises is raised after the items that came before.
        """
        if timeout is not None and timeout != math.inf:
            operations.a_duration("ask_stream", "timeout", timeout)
        if options is not None:
            operations.check_options("ask_stream", options)
        ahead = count("ask_stream", "credits", credits)
        return self._binding.ask_stream(message, timeout, ahead, options)

    def free_ask_stream(
        self,
        message: Any,
        *,
        timeout: float | None = None,
        credits: int = 16,  # noqa: A002 - the field's word
        options: SendOptions | None = None,
    ) -> Program[Replies[Any, Any], AskFailed]:
        """Do the same as `free_ask_stream(ref, message)`."""
        from effactor.programs.streaming import free_ask_stream

        return free_ask_stream(self, message, timeout=timeout, credits=credits, options=options)

    def stop(self, mode: StopManner = "graceful") -> Coroutine[Any, Any, None]:
        """Ask the actor to stop: `await ref.stop()`. Wait for the end with `join`.

        Args:
            mode: `"graceful"` handles what was sent before, `"current"` only the
                message being handled, `"now"` interrupts even that.

        Returns:
            A coroutine that ends once the stop is requested.
        """
        return self._binding.stop(mode)

    def join(self) -> Coroutine[Any, Any, None]:
        """Wait until the actor has stopped: `await ref.join()`.

        Returns:
            A coroutine; cancelling it never touches the actor.
        """
        return self._binding.join()

    # A message may declare a reply or not: the overloads overlap, and the first wins.
    @overload
    def free_ask(  # type: ignore[overload-overlap]
        self,
        message: Query[M_contra, R, E],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Program[R, AskFailed | E]: ...
    @overload
    def free_ask(
        self,
        message: M_contra,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Program[Any, AskFailed]: ...
    def free_ask(
        self,
        message: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Program[Any, Any]:
        """Do the same as `free_ask(ref, message)`."""
        return operations.free_ask(self, message, timeout=timeout, options=options)

    def free_tell(self, message: M_contra, *, options: SendOptions | None = None) -> Program[None]:
        """Do the same as `free_tell(ref, message)`."""
        return operations.free_tell(self, message, options=options)

    def free_stop(self, mode: StopManner = "graceful") -> Program[None]:
        """Do the same as `free_stop(ref)`."""
        return operations.free_stop(self, mode)

    def free_join(self) -> Program[None]:
        """Do the same as `free_join(ref)`."""
        return operations.free_join(self)

    @override
    def __eq__(self, other: object) -> bool:
        if type(other) is not ActorRef:
            return NotImplemented
        return self.path == other.path and self.incarnation == other.incarnation

    @override
    def __hash__(self) -> int:
        return hash((self.path, self.incarnation))

    @override
    def __repr__(self) -> str:
        if self.incarnation is None:
            return f"ActorRef.at({self.path!r})"
        return f"<ActorRef {self.path} #{self.incarnation}>"

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.path, self.incarnation)


def _restore(path: str, incarnation: int | None) -> ActorRef[Any]:
    return ActorRef(path, incarnation, Unbound(path))


def binding_of(ref: ActorRef[Any]) -> Binding:
    """Return what *ref* is bound to, for runtimes.

    Args:
        ref: Any ref.

    Returns:
        The binding; for a ref that is only an address, one whose methods raise.
    """
    return ref._binding  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def forget_methods(ref: ActorRef[Any]) -> None:
    """Let *ref* look its binding's methods up anew, for runtimes: they have changed.

    Args:
        ref: Any ref.
    """
    for name in _BOUND:
        with suppress(AttributeError):
            delattr(ref, name)


class Unbound:
    """The binding of a ref that is only an address: every use of it is an error."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        """Keep the path, for the error."""
        self.path: str = path

    def ask(
        self,
        message: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    def tell_nowait(self, message: Any, options: SendOptions | None = None) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    def tell(self, message: Any, options: SendOptions | None = None) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    def ask_nowait(
        self, message: Any, timeout: float | None, options: SendOptions | None = None
    ) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    def tell_threadsafe(self, message: Any, options: SendOptions | None = None) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    def ask_threadsafe(
        self, message: Any, timeout: float | None, options: SendOptions | None = None
    ) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    def ask_stream(
        self, message: Any, timeout: float | None, ahead: int, options: SendOptions | None
    ) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    def stop(self, mode: StopManner) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    def join(self) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    @property
    def is_alive(self) -> bool:
        """Refuse."""
        raise UnboundRef(self.path)


# Placed last: operations need ActorRef only for their annotations.
from effactor.programs import operations  # noqa: E402
