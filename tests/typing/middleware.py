"""Middleware, mailboxes, options and stop policies."""

from __future__ import annotations

from typing import Any, assert_type

from typing_extensions import override
from vocabulary import Counter, Get, Inc, counter

from effactor import (
    Actor,
    ActorRef,
    AfterIdle,
    AskFailed,
    CancellationToken,
    Envelope,
    FastMailbox,
    Inbox,
    Mailbox,
    MemoryMailbox,
    Middleware,
    MiddlewareContext,
    Next,
    Program,
    SendOptions,
    StopMode,
    StopPolicy,
    ThreadedMailbox,
    free_ask,
    free_spawn,
    handler,
    recurs,
)
from effactor.interpreters import (
    ActorSystem,
    LoggingMiddleware,
    RateLimitMiddleware,
    RetryMiddleware,
    Timing,
    TimingMiddleware,
)


class Gate(Middleware):
    """Drops, replies or goes on."""

    @override
    async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        assert_type(ctx.actor_ref, ActorRef[Any])
        assert_type(ctx.sender, ActorRef[Any] | None)
        assert_type(ctx.cancellation, CancellationToken | None)
        if message is None:
            ctx.drop("nothing")
        if ctx.stashed:
            await next_fn(message)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        return await next_fn(ctx, message)


options = SendOptions(priority=5, headers={"a": 1}, cancellation=CancellationToken().child())
asked = free_ask(counter, Get(), options=options)
assert_type(asked, Program[int, AskFailed])
SendOptions(5)  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
SendOptions(urgency=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

spawned = free_spawn(Counter, mailbox=MemoryMailbox(5, "reject"), middlewares=[Gate()])
assert_type(spawned, Program[ActorRef[Inc | Get]])
MemoryMailbox(5, "drop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
MemoryMailbox(order="lifo")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
FastMailbox(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def spawns(system: ActorSystem) -> None:
    """Spawn with everything."""
    ref = await system.spawn(
        Counter,
        mailbox=ThreadedMailbox(100, "drop_oldest"),
        middlewares=[
            LoggingMiddleware("shop", level="DEBUG"),
            RetryMiddleware(recurs(3), on=OSError, key=lambda ctx, message: ctx.id),
            RateLimitMiddleware(5, burst=2, on_excess="drop"),
            TimingMiddleware(),
        ],
    )
    assert_type(ref, ActorRef[Inc | Get])
    assert_type(await ref.ask(Get(), options=options), int)
    await system.spawn(Counter, middlewares=[Gate])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    await system.spawn(Counter, mailbox=MemoryMailbox)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


assert_type(TimingMiddleware().snapshot(), dict[str, dict[type[Any], Timing]])
RateLimitMiddleware(5, on_excess="queue")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
RetryMiddleware(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class Idle(Actor[Get]):
    """Stops by itself, and looks at its envelopes."""

    @override
    def stop_policy(self) -> StopPolicy:
        return AfterIdle(5) if self.context.children else StopMode.NEVER

    @handler
    def get(self, message: Get) -> int:
        assert_type(self.context.message, Envelope)
        return self.context.message.priority


class Own(Mailbox):
    """A mailbox of one's own."""

    @override
    def open(self) -> Inbox | None:
        return None
