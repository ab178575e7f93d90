"""What can be sent to virtual actors: asks, tells, and the same as programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from typing_extensions import TypeVar, Unpack

from effactor.actors.props import props
from effactor.actors.virtual_id import name_of
from effactor.coordination.handle import count
from effactor.programs.operations import a_duration, check_options, free_ask, free_tell
from effactor.programs.streaming import CREDITS, free_ask_stream
from effactor_interpreters.runtime.taking import ReplyStream, begin_stream
from effactor_interpreters.runtime.virtual.address import Address

if TYPE_CHECKING:
    from effactor.actors.actor import Actor
    from effactor.actors.envelope import SendOptions
    from effactor.actors.message import Query
    from effactor.actors.props import SpawnOptions
    from effactor.actors.ref import ActorRef, ReplyIterator
    from effactor.errors import AskFailed
    from effactor.programs.program import Program
    from effactor.programs.streaming import Replies
    from effactor_interpreters.runtime.streams import Stream
    from effactor_interpreters.runtime.virtual.activations import Activations

M = TypeVar("M")
R = TypeVar("R")
T = TypeVar("T")
E = TypeVar("E")


class Messages:
    """Sends to virtual actors; what finds or starts them is given."""

    def __init__(self, activations: Activations) -> None:
        """Begin.

        Args:
            activations: Finds or starts them.
        """
        self._activations: Activations = activations

    # A message may declare a reply or not: the overloads overlap, and the first wins.
    @overload
    async def ask(
        self,
        cls: type[Actor[M]],
        id: str,
        message: Query[M, R, Any],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> R: ...
    @overload
    async def ask(
        self,
        cls: type[Actor[M]],
        id: str,
        message: M,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> Any: ...
    async def ask(
        self,
        cls: type[Actor[Any]],
        id: str,  # noqa: A002
        message: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> Any:
        """Send a message to the actor of this class and id, and wait for its reply.

        Args:
            cls: The actor's class.
            id: Its id: any text but the empty one.
            message: The message; a `Message[R, E]` types the reply.
            timeout: Seconds to wait for the reply, its start included; None takes the
                system's default.
            options: What travels with the message, or None.
            **how: How its next instance is run, see `SpawnOptions`; one that is active
                stays as it is.

        Returns:
            The reply. What the handler raises is raised; so is what its constructor or
            `on_started` raises.

        Raises:
            ActorStopped: If the system shuts down, or the actor crashes before it replies.
            TypeError: If an actor of another class that has the same name is active.
        """
        if options is not None:
            check_options("ask", options)
        return await self._activations.find("ask", cls, id, how).ask(
            message, timeout=timeout, options=options
        )

    async def tell(
        self,
        cls: type[Actor[M]],
        id: str,  # noqa: A002
        message: M,
        *,
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> None:
        """Send a message to the actor of this class and id.

        Args:
            cls: The actor's class.
            id: Its id: any text but the empty one.
            message: The message. If the actor fails to start, it is a dead letter, and logged.
            options: What travels with the message, or None.
            **how: As for `ask`.

        Raises:
            ActorStopped: If the system shuts down.
            MailboxFull: If its mailbox rejects the message.
        """
        if options is not None:
            check_options("tell", options)
        await self._activations.find("tell", cls, id, how).tell(message, options)

    # A message may declare a reply or not: the overloads overlap, and the first wins.
    @overload
    def ask_stream(
        self,
        cls: type[Actor[M]],
        id: str,
        message: Query[M, list[T], Any],
        *,
        timeout: float | None = None,
        credits: int = 16,
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> ReplyIterator[T]: ...
    @overload
    def ask_stream(
        self,
        cls: type[Actor[M]],
        id: str,
        message: M,
        *,
        timeout: float | None = None,
        credits: int = 16,
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> ReplyIterator[Any]: ...
    def ask_stream(
        self,
        cls: type[Actor[Any]],
        id: str,  # noqa: A002
        message: Any,
        *,
        timeout: float | None = None,
        credits: int = CREDITS,  # noqa: A002
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> ReplyIterator[Any]:
        """Ask for the items of a handler that is an async generator, one by one.

        Args:
            cls: The actor's class.
            id: Its id: any text but the empty one.
            message: The message; a `Message[list[T]]` types the items as `T`.
            timeout: Seconds to wait for each item; None waits for ever.
            credits: How many items the handler may be ahead.
            options: What travels with the message, or None.
            **how: As for `ask`.

        Returns:
            An async iterator, as of `ActorRef.ask_stream`. The message is sent when the
            first item is asked for.
        """
        if timeout is not None:
            a_duration("ask_stream", "timeout", timeout)
        if options is not None:
            check_options("ask_stream", options)
        ahead = count("ask_stream", "credits", credits)
        name_of("ask_stream", cls, id)

        def begin() -> Stream:
            cell = self._activations.find("ask_stream", cls, id, how)
            return begin_stream(cell, message, timeout, ahead, options)

        return ReplyStream(begin)

    # ------------------------------------------------------------ programs

    # A message may declare a reply or not: the overloads overlap, and the first wins.
    @overload
    def free_ask(  # type: ignore[overload-overlap]
        self,
        cls: type[Actor[M]],
        id: str,
        message: Query[M, R, E],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> Program[R, AskFailed | E]: ...
    @overload
    def free_ask(
        self,
        cls: type[Actor[M]],
        id: str,
        message: M,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> Program[Any, AskFailed]: ...
    def free_ask(
        self,
        cls: type[Actor[Any]],
        id: str,  # noqa: A002
        message: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> Program[Any, Any]:
        """Describe an ask of the actor of this class and id.

        Args:
            cls: The actor's class.
            id: Its id: any text but the empty one.
            message: The message; a `Message[R, E]` types the reply and the failures.
            timeout: Seconds to wait for the reply, its start included.
            options: What travels with the message, or None.
            **how: As for `ask`.

        Returns:
            A program that answers the reply, and fails as `effactor.free_ask` does. Whoever
            runs it finds or starts the actor then.
        """
        ref = self._address("free_ask", cls, id, message, how)
        return free_ask(ref, message, timeout=timeout, options=options)

    # A message may declare a reply or not: the overloads overlap, and the first wins.
    @overload
    def free_ask_stream(
        self,
        cls: type[Actor[M]],
        id: str,
        message: Query[M, list[T], E],
        *,
        timeout: float | None = None,
        credits: int = 16,
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> Program[Replies[T, E], AskFailed]: ...
    @overload
    def free_ask_stream(
        self,
        cls: type[Actor[M]],
        id: str,
        message: M,
        *,
        timeout: float | None = None,
        credits: int = 16,
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> Program[Replies[Any, Any], AskFailed]: ...
    def free_ask_stream(
        self,
        cls: type[Actor[Any]],
        id: str,  # noqa: A002
        message: Any,
        *,
        timeout: float | None = None,
        credits: int = CREDITS,  # noqa: A002
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> Program[Any, Any]:
        """Describe an ask for the items of a handler that is an async generator, one by one.

        Args:
            cls: The actor's class.
            id: Its id: any text but the empty one.
            message: The message; a `Message[list[T], E]` types the items and the failures.
            timeout: Seconds to wait for each item.
            credits: How many items the handler may be ahead.
            options: What travels with the message, or None.
            **how: As for `ask`.

        Returns:
            A program that answers the `Replies`, as `effactor.free_ask_stream` does.
        """
        ref = self._address("free_ask_stream", cls, id, message, how)
        return free_ask_stream(ref, message, timeout=timeout, credits=credits, options=options)

    def free_tell(
        self,
        cls: type[Actor[M]],
        id: str,  # noqa: A002
        message: M,
        *,
        options: SendOptions | None = None,
        **how: Unpack[SpawnOptions],
    ) -> Program[None]:
        """Describe a tell to the actor of this class and id.

        Args:
            cls: The actor's class.
            id: Its id: any text but the empty one.
            message: The message.
            options: What travels with the message, or None.
            **how: As for `ask`.

        Returns:
            A program that ends once the message is sent.
        """
        ref = self._address("free_tell", cls, id, message, how)
        return free_tell(ref, message, options=options)

    def _address(
        self, where: str, cls: Any, id_: str, message: Any, how: SpawnOptions
    ) -> ActorRef[Any]:
        name = name_of(where, cls, id_)
        props(where, how)
        return Address(self._activations, where, cls, name, message, how).ref()
