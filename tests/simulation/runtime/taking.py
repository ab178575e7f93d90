"""Scenarios about those who take replies one by one, and leave in every way there is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from returns.maybe import Some
from simulation.runtime.messages import Job
from simulation.runtime.overlap import Items, Producer, TwoProducers
from simulation.runtime.workers import Worker

from effactor import (
    AskCancelled,
    Deadlock,
    Do,
    MemoryMailbox,
    free_ask_stream,
    free_sleep,
    handler,
    pool,
    program,
    race,
    scoped,
)

if TYPE_CHECKING:
    from simulation.runtime.ledger import Entry
    from simulation.runtime.play import Play

AB = ("a", "b")


class Left(Exception):
    """A taker leaves by it."""


@dataclass(frozen=True)
class Taking:
    """What one taker does.

    Attributes:
        name: Of whom it takes.
        items: The message.
        way: How it loops: "loop", "list", "variable" or "async with".
        after: Items after which it leaves by an error of its own; None if it does not.
        slow: Seconds that it takes for each item.
        asks: Whether it asks the same actor after each item.
        patience: Seconds for each item, or None.
    """

    name: str
    items: Items
    way: str
    after: int | None
    slow: float
    asks: bool
    patience: float | None


def some_taking(play: Play) -> Taking:
    """Draw what a taker does."""
    acts: list[Any] = []
    if play.chance(0.6):
        acts.append(("pause", play.pause()))
    if play.chance(0.15):
        acts.append(("fail", "boom"))
    if play.chance(0.1):
        acts.append(("swallow", play.pause()))
    return Taking(
        play.random.choice(AB),
        Items(play.number(), tuple(acts), play.random.randint(0, 6)),
        play.random.choice(["loop", "list", "variable", "async with"]),
        play.random.randint(1, 4) if play.chance(0.25) else None,
        play.random.choice([0, 0, play.pause()]),
        play.chance(0.3),
        play.pause() if play.chance(0.2) else None,
    )


class Takes:
    """One taker, in the name of a task or an actor.

    Attributes:
        entry: What the ledger knows of the ask.
    """

    def __init__(self, play: Play, who: str, taking: Taking) -> None:
        self.play = play
        self.who = who
        self.taking = taking
        name = f"{who}, {taking.items.number}"
        self.entry: Entry = play.ledger.sends(name, play.refs[taking.name], taking.items, "ask")
        self.got = 0

    async def run(self) -> None:
        """Take the items, and write into the ledger how it ends."""
        try:
            await self._take()
        except (Left, Deadlock) as error:
            self.play.seen[f"a taker: {type(error).__name__}"] += 1
            self.play.keep(error)
            self.entry.gave_up = True
        except AskCancelled as error:
            # Another one that takes of the same stream was cancelled, or this one.
            self.play.ledger.settles(self.entry, error)
        except Exception as error:
            self.play.keep(error)
            self.play.ledger.settles(self.entry, error)
        except BaseException as error:
            self.play.seen["a taker: cancelled"] += 1
            self.play.keep(error)
            self.entry.gave_up = True
            raise
        else:
            whole = self.got == self.taking.items.count
            self.play.ledger.demand(whole, "a stream is whole", self.entry, self.got)
            self.play.ledger.settles(self.entry, self.taking.items.number)

    async def _take(self) -> None:
        taking = self.taking
        ask = self.play.refs[taking.name].ask_stream
        ahead = self.play.notes["credits"]
        if taking.way == "loop":
            async for item in ask(taking.items, timeout=taking.patience, credits=ahead):
                await self._with(item)
        elif taking.way == "list":
            stream = ask(taking.items, timeout=taking.patience, credits=ahead)
            items = [self._counts(item) async for item in stream]
            self.play.ledger.demand(self.got == len(items), "the list is whole", items)
        elif taking.way == "variable":
            stream = ask(taking.items, timeout=taking.patience, credits=ahead)
            try:
                async for item in stream:
                    await self._with(item)
            finally:
                await stream.aclose()
        else:
            async with ask(taking.items, timeout=taking.patience, credits=ahead) as items_:
                async for item in items_:
                    await self._with(item)

    def _counts(self, item: Any) -> Any:
        self.play.ledger.demand(item == self.got, "items come in order", item, self.got)
        self.got += 1
        ahead: list[int] = self.play.notes.setdefault(("ahead", self.taking.items.number), [0, 0])
        ahead[1] += 1
        return item

    async def _with(self, item: Any) -> None:
        self._counts(item)
        if self.taking.slow:
            await asyncio.sleep(self.taking.slow)
        if self.taking.after == self.got:
            raise Left
        if self.taking.asks:
            await asks(self.play, self.who, self.taking.name)


async def asks(play: Play, who: str, name: str) -> None:
    """Ask an actor, whose items one may be taking."""
    ref, job = play.refs[name], play.job(kinds="q")
    entry = play.ledger.sends(f"{who}, {job.number}", ref, job, "ask")
    try:
        reply = await ref.ask(job)
    except Deadlock:
        entry.gave_up = True
        raise
    except Exception as error:
        play.ledger.settles(entry, error)
    except BaseException:
        entry.gave_up = True
        raise
    else:
        play.ledger.settles(entry, reply)


@dataclass(frozen=True)
class TakeIt(Job):
    """Lets an actor take items in its handler, for *seconds* at most."""

    taking: Any = None
    seconds: float | None = None


class Reader(Worker):
    """Takes items in its handlers."""

    @handler
    async def take_it(self, job: TakeIt) -> int:
        with self.play.ledger.handling(self, job, self.limit) as life:
            takes = Takes(self.play, self.context.self_ref.path, job.taking)
            if job.seconds is None:
                await takes.run()
            else:
                try:
                    async with asyncio.timeout(job.seconds):
                        await takes.run()
                except TimeoutError:
                    # While what was raised is kept.
                    await asks(self.play, takes.who, job.taking.name)
            self.play.ledger.goes_on(life)
        return job.number


async def takers(play: Play) -> None:
    """Takers are cancelled, time out, fail, ask in between, crash, and keep what was raised."""
    play.notes["credits"] = play.random.choice([1, 1, 2, 16])
    options: dict[str, Any] = {}
    make: Any = play.make(Producer)
    drawn = play.random.randrange(5)
    if drawn == 0:
        options["mailbox"] = MemoryMailbox(1)
    elif drawn == 1:
        make, options["concurrency"] = play.make(TwoProducers), 2
    elif drawn == 2:
        make = pool(make, 2)
    for name in AB:
        await play.spawn(name, make, **options)
    await play.spawn("reader", play.make(Reader))
    for number in range(2):
        play.begin(f"task-{number}", _is_cut_off(play, f"task-{number}"))
    play.begin("shares", _shares(play))
    play.begin("asks the reader", _asks_the_reader(play))
    play.begin("program", play.runs(_races(play)))
    play.client("client", play.some_steps(AB, 2, failures=("boom",), chains=False))
    if play.chance(0.6):
        play.trouble(play.some_trouble(AB, 1, make, **options))
    if play.chance(0.3):
        play.trouble(play.some_trouble(("reader",), 1, play.make(Reader)))
    wait = play.chance(0.7)
    if wait:
        await play.all_ended()
        for name in AB:  # both are free, while all that was raised is kept
            await asks(play, f"the end of {name}", name)
    else:
        await asyncio.sleep(play.pause())
    await play.finish(play.random.choice(["drain", "after_current", "now"]), wait=wait)
    play.notes.clear()


async def _is_cut_off(play: Play, who: str) -> None:
    """A task takes items, is cancelled or has no more time, and asks the actor at once."""
    taking = some_taking(play)
    takes = Takes(play, who, taking)
    seconds = play.random.choice([0, play.pause(), 2 * play.pause()])
    if play.chance(0.5):
        try:
            async with asyncio.timeout(seconds):
                await takes.run()
        except TimeoutError:
            await asks(play, f"{who}, at once", taking.name)
    else:
        task = asyncio.get_running_loop().create_task(takes.run(), name=who)
        play.keep(task)
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            await task
    await asks(play, f"{who}, after that", taking.name)


async def _shares(play: Play) -> None:
    """Tasks share a stream, and some of them are cancelled."""
    taking = some_taking(play)
    name, items = taking.name, taking.items
    entry = play.ledger.sends(f"shared, {items.number}", play.refs[name], items, "ask")
    ahead: list[int] = play.notes.setdefault(("ahead", items.number), [0, 0])
    stream = play.refs[name].ask_stream(items, credits=play.notes["credits"])
    taken: list[int] = []

    async def takes() -> None:
        async for item in stream:
            taken.append(item)
            ahead[1] += 1
            await asyncio.sleep(taking.slow)

    loop = asyncio.get_running_loop()
    async with stream:
        tasks = [loop.create_task(takes(), name=f"shares {n}") for n in range(3)]
        for task in tasks[: play.random.randint(0, 3)]:
            await asyncio.sleep(play.random.choice([0, play.pause()]))
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    play.ledger.demand(sorted(taken) == taken, "items come in order", taken)
    play.keep(ends)
    if any(end is None for end in ends):
        # Those who were not cancelled had it to its end.
        play.ledger.demand(len(taken) == items.count, "a shared stream is whole", entry, taken)
        play.ledger.settles(entry, items.number)
    else:
        errors = [end for end in ends if isinstance(end, Exception)]
        if errors:
            play.ledger.settles(entry, errors[0])
        else:
            entry.gave_up = True
    await asks(play, "who shared", name)


async def _asks_the_reader(play: Play) -> None:
    for _ in range(2):
        seconds = play.pause() if play.chance(0.5) else None
        job = TakeIt(play.number(), (), some_taking(play), seconds)
        patience = 2 * play.pause() if play.chance(0.3) else None
        await play.sender("asks the reader").ask(play.refs["reader"], job, patience)


@program
def _races(play: Play) -> Do[None, Any]:
    """A program takes items in a race against time, and asks the actor afterwards."""
    taking = some_taking(play)
    name, items = taking.name, taking.items
    entry = play.ledger.sends(f"races, {items.number}", play.refs[name], items, "ask")
    ahead: list[int] = play.notes.setdefault(("ahead", items.number), [0, 0])

    @program
    def takes() -> Do[None, Any]:
        try:
            replies = yield from free_ask_stream(
                play.refs[name], items, timeout=taking.patience, credits=play.notes["credits"]
            )
            while isinstance((yield from replies.next()), Some):
                ahead[1] += 1
                yield from free_sleep(taking.slow)
        finally:
            entry.gave_up = True

    seconds = play.pause()
    running: Any = scoped(takes())  # a time limit alone is no scope
    running = race(running, free_sleep(seconds)) if play.chance(0.5) else running.timeout(seconds)
    yield from running.attempt()
    yield from play.sender("races").free_ask(play.refs[name], play.job(kinds="q"))


SCENARIOS = (takers,)
