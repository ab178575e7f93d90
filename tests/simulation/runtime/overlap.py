"""Scenarios about handlers that overlap, and replies that come one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from returns.maybe import Some
from returns.result import Success
from simulation.runtime.ledger import Pending
from simulation.runtime.lives import DECIDER
from simulation.runtime.messages import Job
from simulation.runtime.workers import Overlapping, Two, Worker

from effactor import (
    Do,
    HandlerFailed,
    MemoryMailbox,
    OneForOneStrategy,
    free_ask_stream,
    handler,
    pool,
    program,
)

if TYPE_CHECKING:
    from simulation.runtime.play import Play
    from simulation.runtime.senders import Sender

AB = ("a", "b")


async def _overlaps(play: Play, kind: type[Worker], **options: Any) -> None:
    """Actors whose handlers may overlap, with children that fail, stops, crashes."""
    if play.chance(0.3):
        options["mailbox"] = MemoryMailbox(1, play.random.choice(["block", "reject"]))
    make = play.make(kind, hooks_take=play.random.choice([0, 0.5]))
    for name in AB:
        await play.spawn(name, make, **options)
    for number in range(3):
        steps = play.some_steps(AB, 4, failures=("boom", "boom", "halt"), fails=0.2, stops=0.05)
        play.client(f"client-{number}", steps)
    play.trouble(play.some_trouble(AB, 2, make, **options))
    wait = play.chance(0.7)
    if not wait:
        await asyncio.sleep(play.pause())
    await play.finish(play.random.choice(["drain", "after_current", "now"]), wait=wait)


async def reentrant(play: Play) -> None:
    """Any number of handlers at once."""
    await _overlaps(play, Overlapping, reentrant=True)


async def concurrency(play: Play) -> None:
    """Two handlers at once."""
    await _overlaps(play, Two, concurrency=2)


async def pools(play: Play) -> None:
    """Workers behind one mailbox, which fail, stop and are restarted one by one."""
    options: dict[str, Any] = {}
    if play.chance(0.3):
        options["mailbox"] = MemoryMailbox(1, play.random.choice(["block", "reject"]))
    strategy = play.random.choice([None, OneForOneStrategy(max_restarts=2, decider=DECIDER)])
    failures = ("boom",) if strategy is None else ("boom", "halt", "skip")
    await play.spawn("b")

    def some_pool() -> Any:
        return pool(play.make(hooks_take=play.random.choice([0, 0.5])), 2, strategy=strategy)

    await play.spawn("a", some_pool(), **options)
    for number in range(3):
        steps = play.some_steps(AB, 4, failures=failures, fails=0.2, stops=0.1)
        play.client(f"client-{number}", steps)
    play.trouble(play.some_trouble(("a",), 1, some_pool(), **options))
    wait = play.chance(0.7)
    if not wait:
        await asyncio.sleep(play.pause())
    await play.finish(play.random.choice(["drain", "after_current", "now"]), wait=wait)


# ------------------------------------------------------------ streams


@dataclass(frozen=True)
class Items(Job):
    """For a handler that is an async generator; its items are 0, 1, 2 ..."""

    count: int = 0


class Producer(Worker):
    """A worker that yields items, too."""

    @handler
    async def items(self, job: Items) -> AsyncIterator[int]:
        with self.play.ledger.handling(self, job, self.limit) as life:
            ahead: list[int] = self.play.notes.setdefault(("ahead", job.number), [0, 0])
            for number in range(job.count):
                for act in job.acts:
                    await self.act(life, act)
                self.play.ledger.goes_on(life)
                ahead[0] += 1
                too_far = ahead[0] - ahead[1] > self.play.notes["credits"] + 1
                self.play.ledger.demand(not too_far, "a producer is not too far ahead", ahead)
                yield number


async def streams(play: Play) -> None:
    """Streams that are taken to the end, left early, cut off by stops, failures and time."""
    play.notes["credits"] = play.random.choice([1, 2, 16])
    choices: list[dict[str, Any]] = [{}, {"concurrency": 2}, {"mailbox": MemoryMailbox(1)}]
    options = play.random.choice(choices)
    kind = TwoProducers if "concurrency" in options else Producer
    for name in AB:
        await play.spawn(name, play.make(kind), **options)
    for number in range(2):
        play.client(f"client-{number}", play.some_steps(AB, 3, failures=("boom",), chains=False))
    for number in range(2):
        sender = play.sender(f"takes-{number}")
        for turn in range(2):
            takes = play.chance(0.5)
            how = (_takes if takes else _takes_in_a_program)(play, sender, _some_items(play))
            play.begin(f"{sender.name}-{turn}", how)
    play.trouble(play.some_trouble(AB, 1, play.make(kind), **options))
    wait = play.chance(0.7)
    if not wait:
        await asyncio.sleep(play.pause())
    await play.finish(play.random.choice(["drain", "after_current", "now"]), wait=wait)


class TwoProducers(Producer):
    """The same, two at a time."""

    limit = 2


def _some_items(play: Play) -> tuple[str, Items, int, float | None]:
    """Draw whom to ask, for what, how much of it to take, and the patience for each item."""
    number = play.number()
    acts: list[Any] = []
    if play.chance(0.5):
        acts.append(("pause", play.pause()))
    if play.chance(0.2):
        acts.append(("fail", "boom"))
    items = Items(number, tuple(acts), play.random.randint(0, 4))
    patience = play.pause() if play.chance(0.3) else None
    return play.random.choice(AB), items, play.random.randint(0, 5), patience


async def _takes(play: Play, sender: Sender, what: tuple[Any, ...]) -> None:
    name, items, left, patience = what
    # Not one sender with the others: each task is one.
    entry = play.ledger.sends(f"{sender.name}, {items.number}", play.refs[name], items, "ask")
    ahead: list[int] = play.notes.setdefault(("ahead", items.number), [0, 0])
    stream = play.refs[name].ask_stream(items, timeout=patience, credits=play.notes["credits"])
    got = 0
    try:
        async with stream:
            while got < left:
                item = await stream.__anext__()
                play.ledger.demand(item == got, "items come in order", item, got)
                got += 1
                ahead[1] += 1
    except StopAsyncIteration:
        play.ledger.demand(got == items.count, "a stream is whole", entry, got)
        play.ledger.settles(entry, items.number)
    except Exception as error:
        play.ledger.settles(entry, error)
    else:
        entry.gave_up = True


async def _takes_in_a_program(play: Play, sender: Sender, what: tuple[Any, ...]) -> None:
    await play.runs(_free_takes(play, sender, what))


@program
def _free_takes(play: Play, sender: Sender, what: tuple[Any, ...]) -> Do[None, Any]:
    name, items, left, patience = what
    entry = play.ledger.sends(f"{sender.name}, {items.number}", play.refs[name], items, "ask")
    ahead: list[int] = play.notes.setdefault(("ahead", items.number), [0, 0])
    ask = free_ask_stream(play.refs[name], items, timeout=patience, credits=play.notes["credits"])
    got = 0
    try:
        replies = yield from ask
        while got < left:
            result = yield from replies.next().attempt()
            if not isinstance(result, Success):
                error = result.failure()
                cause = error.cause if isinstance(error, HandlerFailed) else error
                play.ledger.settles(entry, cause)
                return
            item = result.unwrap()
            if not isinstance(item, Some):
                play.ledger.demand(got == items.count, "a stream is whole", entry, got)
                play.ledger.settles(entry, items.number)
                return
            play.ledger.demand(item.unwrap() == got, "items come in order", item, got)
            got += 1
            ahead[1] += 1
        yield from replies.close()
    finally:
        if entry.outcome is Pending:
            entry.gave_up = True


SCENARIOS = (reentrant, concurrency, pools, streams)
