"""What `self.context` offers to ask others: the methods and their exact types.

Names and meaning after the context of everything-is-an-actor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, overload

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from effactor.actors.actor import Actor
    from effactor.actors.envelope import SendOptions
    from effactor.actors.message import Message, Query
    from effactor.actors.ref import ActorRef, ReplyIterator

M = TypeVar("M")
M2 = TypeVar("M2")
R = TypeVar("R")
R2 = TypeVar("R2")
T = TypeVar("T")


class Orchestration(Protocol):
    """Asks on behalf of an actor, several at once if need be.

    A target is a class of actors or a function that makes one, a ref, or a path. For a
    class an *ephemeral child* is started: it gets this one message, and has stopped before
    the call is over, however that ends. A child that fails stops instead of being
    restarted, and what its handler raised is raised here.

    All of it runs as programs of this actor. What is given up, because another failed, was
    faster, or because this actor was stopped "now" or its handler cancelled, is interrupted
    at once and awaited. A timeout is in seconds and for each reply; for an ephemeral child
    it includes its `on_started`. None waits as `ref.ask` does.
    """

    # A message may declare a reply or not: the overloads overlap, and the first wins.
    @overload
    def ask(
        self,
        target: Callable[[], Actor[M]] | ActorRef[M],
        message: Query[M, R, Any],
        *,
        timeout: float | None = None,
        name: str | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, R]: ...
    @overload
    def ask(
        self,
        target: Callable[[], Actor[M]] | ActorRef[M],
        message: M,
        *,
        timeout: float | None = None,
        name: str | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, Any]: ...
    @overload
    def ask(
        self,
        target: str,
        message: Message[R, Any],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, R]: ...
    @overload
    def ask(
        self,
        target: str,
        message: object,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, Any]: ...
    def ask(
        self,
        target: Any,
        message: Any,
        *,
        timeout: float | None = None,
        name: str | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, Any]:
        """Ask one actor.

        Args:
            target: A class of actors or a function that makes one, a ref, or a path.
            message: The message.
            timeout: Seconds to wait for the reply.
            name: The ephemeral child's name; None makes one from the class's.
            options: What travels with the message, or None.

        Returns:
            A coroutine of the reply. It raises what the handler raised, or an
            `AskFailed` if there was no reply, or `ActorNotFound` for a path.

        Raises:
            TypeError: If *target* is none of these.
            ValueError: If there is a *name*, but no child to bear it.
        """
        ...

    @overload
    def sequence(
        self,
        asks: Iterable[tuple[Callable[[], Actor[M]] | ActorRef[M] | str, Query[Any, R, Any]],],
        *,
        concurrency: int | None = None,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, list[R]]: ...
    @overload
    def sequence(
        self,
        asks: Iterable[tuple[Any, Any]],
        *,
        concurrency: int | None = None,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, list[Any]]: ...
    def sequence(
        self,
        asks: Any,
        *,
        concurrency: int | None = None,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, list[Any]]:
        """Ask several at once; the first failure interrupts the rest.

        Args:
            asks: Pairs of a target and a message.
            concurrency: How many asks may be open at the same time; None for all.
            timeout: Seconds to wait for each reply.
            options: What travels with each message, or None.

        Returns:
            A coroutine of the replies, in the order of the asks.

        Raises:
            TypeError: If *asks* are no such pairs.
        """
        ...

    @overload
    def traverse(
        self,
        inputs: Iterable[Query[M, R, Any]],
        target: Callable[[], Actor[M]] | ActorRef[M],
        *,
        concurrency: int | None = None,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, list[R]]: ...
    @overload
    def traverse(
        self,
        inputs: Iterable[M],
        target: Callable[[], Actor[M]] | ActorRef[M],
        *,
        concurrency: int | None = None,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, list[Any]]: ...
    @overload
    def traverse(
        self,
        inputs: Iterable[Message[R, Any]],
        target: str,
        *,
        concurrency: int | None = None,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, list[R]]: ...
    @overload
    def traverse(
        self,
        inputs: Iterable[object],
        target: str,
        *,
        concurrency: int | None = None,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, list[Any]]: ...
    def traverse(
        self,
        inputs: Any,
        target: Any,
        *,
        concurrency: int | None = None,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, list[Any]]:
        """Ask one target each of several messages at once: for a class, a child for each.

        Args:
            inputs: The messages.
            target: As for `ask`.
            concurrency: How many asks may be open at the same time; None for all.
            timeout: Seconds to wait for each reply.
            options: What travels with each message, or None.

        Returns:
            A coroutine of the replies, in the order of the messages. The first failure
            interrupts the rest.

        Raises:
            TypeError: If *inputs* cannot be iterated, or *target* is no target.
        """
        ...

    @overload
    def race(
        self,
        asks: Iterable[tuple[Callable[[], Actor[M]] | ActorRef[M] | str, Query[Any, R, Any]],],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, R]: ...
    @overload
    def race(
        self,
        asks: Iterable[tuple[Any, Any]],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, Any]: ...
    def race(
        self, asks: Any, *, timeout: float | None = None, options: SendOptions | None = None
    ) -> Coroutine[Any, Any, Any]:
        """Ask several at once; the first success wins, and the rest are interrupted.

        Args:
            asks: Pairs of a target and a message.
            timeout: Seconds to wait for each reply.
            options: What travels with each message, or None.

        Returns:
            A coroutine of the first reply. If all fail it raises `BranchesFailed`, the
            group of what they failed with.

        Raises:
            TypeError: If *asks* are no such pairs.
            ValueError: If there is none.
        """
        ...

    @overload
    def zip(
        self,
        a: tuple[Callable[[], Actor[M]] | ActorRef[M], Query[M, R, Any]],
        b: tuple[Callable[[], Actor[M2]] | ActorRef[M2], Query[M2, R2, Any]],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, tuple[R, R2]]: ...
    @overload
    def zip(
        self,
        a: tuple[Callable[[], Actor[M]] | ActorRef[M] | str, Query[Any, R, Any]],
        b: tuple[Callable[[], Actor[M2]] | ActorRef[M2] | str, Query[Any, R2, Any]],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, tuple[R, R2]]: ...
    @overload
    def zip(
        self,
        a: tuple[Any, Any],
        b: tuple[Any, Any],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, tuple[Any, Any]]: ...
    def zip(
        self,
        a: Any,
        b: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, Any]:
        """Ask two at once; a failure interrupts the other.

        Args:
            a: A pair of a target and a message.
            b: Another one.
            timeout: Seconds to wait for each reply.
            options: What travels with each message, or None.

        Returns:
            A coroutine of the pair of replies.

        Raises:
            TypeError: If one is no such pair.
        """
        ...

    @overload
    def stream(
        self,
        target: Callable[[], Actor[M]] | ActorRef[M],
        message: Query[M, list[T], Any],
        *,
        timeout: float | None = None,
        name: str | None = None,
        credits: int = 16,
        options: SendOptions | None = None,
    ) -> ReplyIterator[T]: ...
    @overload
    def stream(
        self,
        target: Callable[[], Actor[M]] | ActorRef[M],
        message: M,
        *,
        timeout: float | None = None,
        name: str | None = None,
        credits: int = 16,
        options: SendOptions | None = None,
    ) -> ReplyIterator[Any]: ...
    @overload
    def stream(
        self,
        target: str,
        message: Message[list[T], Any],
        *,
        timeout: float | None = None,
        credits: int = 16,
        options: SendOptions | None = None,
    ) -> ReplyIterator[T]: ...
    @overload
    def stream(
        self,
        target: str,
        message: object,
        *,
        timeout: float | None = None,
        credits: int = 16,
        options: SendOptions | None = None,
    ) -> ReplyIterator[Any]: ...
    def stream(
        self,
        target: Any,
        message: Any,
        *,
        timeout: float | None = None,
        name: str | None = None,
        credits: int = 16,  # noqa: A002 - the field's word
        options: SendOptions | None = None,
    ) -> ReplyIterator[Any]:
        """Ask one actor whose handler is an async generator, and take its items one by one.

        An ephemeral child starts when the first item is asked for. It has stopped after the
        last item, after an error, and after `async with` or `aclose`; leaving the loop by
        `break` stops it at once, and nobody waits for that.

        Args:
            target: A class of actors or a function that makes one, a ref, or a path.
            message: The message; a `Message[list[T]]` types the items as `T`.
            timeout: Seconds to wait for the child's start, and for each item.
            name: The ephemeral child's name; None makes one from the class's.
            credits: How many items the handler may be ahead.
            options: What travels with the message, or None.

        Returns:
            An async iterator, as of `ref.ask_stream`.

        Raises:
            TypeError: If *target* is none of these.
            ValueError: If there is a *name*, but no child to bear it.
            ActorNotFound: If nobody lives at the path.
        """
        ...
