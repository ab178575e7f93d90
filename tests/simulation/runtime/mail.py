"""Scenarios about messages on their way: mailboxes with rules, middleware, tokens, deadlines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from simulation.runtime.messages import Job
from simulation.runtime.workers import Overlapping, Worker
from typing_extensions import override

from effactor import (
    CancellationToken,
    FastMailbox,
    MemoryMailbox,
    Middleware,
    MiddlewareContext,
    Next,
    SendOptions,
    ThreadedMailbox,
)
from effactor.events import Delivered, Sent

if TYPE_CHECKING:
    from simulation.runtime.ledger import Life
    from simulation.runtime.play import Play


class Counting(Worker):
    """A worker that looks at its mailbox when it begins with a message."""

    @override
    def begins(self, life: Life, job: Job) -> None:
        demand, entry = self.play.ledger.demand, self.play.ledger.entries[job.number]
        front = life.actor._cell.front
        heap = getattr(getattr(front.door, "inbox", None), "_heap", [])
        more = [item for _, _, item in heap if item.priority > entry.priority]
        if more and front.equipment_made.props.mailbox.overflow == "block":
            more = []  # those that waited for room have just come in
        demand(not more, "the most urgent message comes first", entry, more)
        waited = self.play.system.loop.time() - entry.sent
        limit = entry.time_to_live
        demand(limit is None or waited <= limit, "nothing outlives its time to live", entry, waited)


def _within_bounds(play: Play) -> bool:
    for door in play.doors:
        mailbox = door.cell.equipment_made.props.mailbox
        capacity = None if mailbox is None else mailbox.capacity
        play.seen["a blocked sender"] += len(door.blocked)
        held = 0 if door.inbox is None else len(door.inbox)
        within = capacity is None or held <= capacity
        play.ledger.demand(within, "no mailbox holds more than its capacity", door.cell.ref.path)
    return play.ledger.check()


async def _bounded(play: Play, mailbox: Any, **how: Any) -> None:
    """Two actors with a mailbox of this kind, and more messages than fit."""
    make = play.make(Counting, hooks_take=play.random.choice([0, 0.5]))
    for name in ("a", "b"):
        await play.spawn(name, make, mailbox=mailbox)
    play.sim.always(lambda: _within_bounds(play), name="mailboxes keep their bounds")
    for number in range(4):
        steps = play.some_steps(("a", "b"), 4, failures=("boom",), fails=0.15, **how)
        play.client(f"client-{number}", steps)
    play.trouble(play.some_trouble(("a", "b"), 1, make, mailbox=mailbox))
    wait = play.chance(0.7)
    if not wait:
        await asyncio.sleep(play.pause())
    await play.finish(play.random.choice(["drain", "after_current", "now"]), wait=wait)


def _some_mailbox(play: Play, overflow: Any) -> MemoryMailbox:
    order: Any = play.random.choice(["fifo", "priority"])
    return MemoryMailbox(play.random.choice([1, 2]), overflow, order)


async def mailbox_that_blocks(play: Play) -> None:
    """Senders wait for room; some give up, some are told that the actor has stopped."""
    await _bounded(play, _some_mailbox(play, "block"))


async def mailbox_that_rejects(play: Play) -> None:
    """Senders get MailboxFull."""
    mailboxes = [_some_mailbox(play, "reject"), ThreadedMailbox(1)]
    await _bounded(play, play.random.choice(mailboxes))


async def mailbox_that_drops_the_newest(play: Play) -> None:
    """What finds no room is dropped."""
    await _bounded(play, _some_mailbox(play, "drop_newest"))


async def mailbox_that_drops_the_oldest(play: Play) -> None:
    """What has waited longest is dropped."""
    await _bounded(play, _some_mailbox(play, "drop_oldest"))


async def mailbox_by_priority(play: Play) -> None:
    """The most urgent first, FIFO within a priority; bounded or not."""
    capacity = play.random.choice([None, 2, 3])
    overflow: Any = play.random.choice(["block", "drop_oldest", "reject"])
    if capacity is None:
        overflow = "block"

    def options() -> SendOptions | None:
        return SendOptions(priority=play.random.choice([0, 1, 5])) if play.chance(0.7) else None

    await _bounded(play, MemoryMailbox(capacity, overflow, "priority"), options=options)


async def time_to_live(play: Play) -> None:
    """What waits too long is dropped, whatever the mailbox."""
    lives = play.random.choice([None, 1.0])
    bounded = MemoryMailbox(2, "block", time_to_live=lives)
    mailbox = play.random.choice([MemoryMailbox(time_to_live=lives), bounded, FastMailbox()])

    def options() -> SendOptions | None:
        return SendOptions(time_to_live=play.pause()) if play.chance(0.5) else None

    await _bounded(play, mailbox, options=options)


# ------------------------------------------------------------ middleware


class Drops(Middleware):
    """Drops some messages, slowly; replies to others itself; tells hooks apart."""

    def __init__(self, play: Play) -> None:
        self.play = play

    @override
    async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        if not isinstance(message, Job):
            return await next_fn(ctx, message)
        self.play.ledger.entries[message.number].arrived = True
        if message.number % 3 == 0:
            await asyncio.sleep(0.5)
        if message.number % 4 == 0:
            self.play.ledger.entries[message.number].dropped = True
            ctx.drop("a multiple of four")
        return await next_fn(ctx, message)


class Passes(Middleware):
    """Waits before and after the handler."""

    def __init__(self, play: Play) -> None:
        self.play = play

    @override
    async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        self.play.ledger.entries[message.number].arrived = True
        await asyncio.sleep(0.5)
        try:
            return await next_fn(ctx, message)
        finally:
            await asyncio.sleep(0)


async def middleware_that_drops(play: Play) -> None:
    """Middleware drops messages, and is slow, in front of plain and of bounded mailboxes."""
    chains: list[Any] = [[Drops(play)], [Passes(play), Drops(play)], [Drops(play), Passes(play)]]
    # Middleware may hold up a message that its handler gets after its asker has gone.
    play.ledger.begins_late = True
    options: dict[str, Any] = {"middlewares": play.random.choice(chains)}
    if play.chance(0.3):
        options["mailbox"] = MemoryMailbox(1)
    for name in ("a", "b"):
        await play.spawn(name, **options)
    for number in range(3):
        steps = play.some_steps(("a", "b"), 3, failures=("boom",))
        play.client(f"client-{number}", steps)
    play.trouble(play.some_trouble(("a", "b"), 1, **options))
    await play.finish()
    for entry in play.ledger.entries.values():
        dropped = entry.job.number % 4 == 0
        play.ledger.demand(not (dropped and entry.handled), "a dropped message stays out", entry)
    play.ledger.check()


# ------------------------------------------------------------ tokens and deadlines


async def tokens(play: Play) -> None:
    """Tokens take messages back, wherever these are; a token is cancelled once for all."""
    makes: list[dict[str, Any]] = [{}, {"mailbox": MemoryMailbox(1)}, {"reentrant": True}]
    for name in ("a", "b"):
        options = play.random.choice(makes)
        kind = Overlapping if "reentrant" in options else Worker
        await play.spawn(name, play.make(kind), **options)
    parent = CancellationToken()
    cancelled = [parent, parent.child(), CancellationToken()]

    def options_() -> SendOptions | None:
        return SendOptions(cancellation=play.random.choice(cancelled)) if play.chance(0.7) else None

    for number in range(3):
        steps = play.some_steps(("a", "b"), 3, failures=("boom",), options=options_)
        play.client(f"client-{number}", steps)

    async def cancels() -> None:
        for token in play.random.sample(cancelled, 2):
            await asyncio.sleep(play.pause())
            token.cancel("enough")

    play.begin("cancels", cancels())
    if play.chance(0.5):
        play.trouble([(play.pause(), "stop", "a", "now")])
    await play.finish()
    for token in cancelled:
        play.ledger.demand(
            not token._callbacks,  # pyright: ignore[reportPrivateUsage] - it looks inside
            "nothing stays linked to a token",
            token,
        )
    play.ledger.check()


async def deadlines_through_chains(play: Play) -> None:
    """Chains of asks, most of them with a timeout: what nobody waits for any more is not begun."""
    names = ("a", "b", "c", "d")
    for name in names:
        await play.spawn(name)
    for number in range(3):
        steps = play.some_steps(names, 3, failures=("boom",), fails=0.1, patience=0.9, pauses=0.8)
        play.client(f"client-{number}", steps)
    await play.finish()


async def listened_to(play: Play) -> None:
    """Somebody begins to listen to events, and stops again, while all are at work."""
    for name in ("a", "b"):
        await play.spawn(name)
    for number in range(3):
        steps = play.some_steps(("a", "b"), 3, failures=("boom",))
        play.client(f"client-{number}", steps)

    async def listens() -> None:
        for _ in range(2):
            await asyncio.sleep(play.pause())
            heard: list[Any] = []
            with play.system.events.subscribe(heard.append):
                await asyncio.sleep(play.pause())
            sent = [event.span for event in heard if isinstance(event, Sent) and event.span]
            begun = [event.span for event in heard if isinstance(event, Delivered) and event.span]
            play.ledger.demand(len(set(sent)) == len(sent), "each sending has its span", sent)
            play.ledger.demand(len(set(begun)) == len(begun), "a span is delivered once", begun)

    play.begin("listens", listens())
    play.trouble(play.some_trouble(("a", "b"), 1))
    await play.finish()


SCENARIOS = (
    mailbox_that_blocks,
    mailbox_that_rejects,
    mailbox_that_drops_the_newest,
    mailbox_that_drops_the_oldest,
    mailbox_by_priority,
    time_to_live,
    middleware_that_drops,
    tokens,
    deadlines_through_chains,
    listened_to,
)
