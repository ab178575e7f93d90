"""Middleware: what stands between an actor's mailbox and its handlers."""

from __future__ import annotations

from inspect import iscoroutinefunction
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from typing_extensions import override

from effactor.actors.envelope import Envelope

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from effactor.actors.ref import ActorRef


def _may_be_awaited(hook: Any) -> bool:
    return iscoroutinefunction(hook) or hasattr(hook, "__wrapped__")


class MiddlewareContext(Envelope, Protocol):
    """The envelope of the message, and a way to refuse it."""

    def drop(self, reason: str = "") -> NoReturn:
        """Refuse the message: an ask fails with `MessageDropped`, a tell is a dead letter.

        Args:
            reason: Why, in words.

        Raises:
            MessageDropped: Always; let it through.
        """
        ...

    @property
    def stashed(self) -> bool:
        """Whether the handler has set the message aside; it comes again, and has no reply yet."""
        ...

    @property
    def streamed(self) -> bool:
        """Whether items of a streamed reply are on their way; a second call would repeat them."""
        ...


class Next(Protocol):
    """The rest of the chain: the next middleware, at last the handler."""

    def __call__(self, ctx: MiddlewareContext, message: Any, /) -> Awaitable[Any]:
        """Go on with *message*, which may be another one than came in."""
        ...


class Middleware:
    """Base of interceptors, for `spawn(Worker, middlewares=[...])`.

    The first of the list is the outermost. One object may serve many actors: what it
    remembers for one of them it keeps by `ctx.actor_ref`. Its methods are `async def`.
    """

    @override
    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse hooks that are no coroutine functions: each message would fail.

        Raises:
            TypeError: If there is one.
        """
        super().__init_subclass__(**kwargs)
        for name in ("on_receive", "on_started", "on_stopped", "on_restart"):
            hook = getattr(cls, name)
            # A decorator's function or object may return what can be awaited.
            if isinstance(hook, FunctionType) and not _may_be_awaited(hook):
                msg = (
                    f"{cls.__qualname__}.{name} must be an `async def`, because it is awaited; "
                    f"write async def {name}(...)"
                )
                raise TypeError(msg)

    async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        """Handle a message on its way in, and its reply on its way out.

        Args:
            ctx: Whose message it is, who sent it and how.
            message: The message.
            next_fn: The rest of the chain: `await next_fn(ctx, message)` answers the reply
                and raises what the handler raises; it may be called several times, one
                after the other. Not calling it and returning means replying oneself;
                `ctx.drop(reason)` refuses the message.

        Returns:
            The reply.
        """
        return await next_fn(ctx, message)

    async def on_started(self, ref: ActorRef[Any]) -> None:
        """Learn that an actor starts, before its own `on_started`.

        Args:
            ref: The actor. What this raises, the spawn raises; middleware that had started
                is stopped again.
        """

    async def on_stopped(self, ref: ActorRef[Any]) -> None:
        """Learn that an actor stops, before its own `on_stopped`, if this had started.

        Args:
            ref: The actor. What this raises is logged.
        """

    async def on_restart(self, ref: ActorRef[Any], error: BaseException) -> None:
        """Learn that an actor restarts, between the old instance's end and the new one's start.

        Args:
            ref: The actor. What this raises ends it.
            error: What the handler of the old instance raised.
        """
