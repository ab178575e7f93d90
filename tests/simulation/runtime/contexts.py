"""Scenarios about what actors do with their context: timers, stashes, orchestration, states."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulation.runtime.messages import FAILURES, Act, Boom, Flow, Job, Quick, Slow
from simulation.runtime.workers import Worker
from typing_extensions import override

from effactor import (
    ActorRef,
    AskFailed,
    BranchesFailed,
    Cancellable,
    Do,
    MemoryMailbox,
    Message,
    Program,
    SendOptions,
    UnknownActors,
    free_sleep,
    handler,
    pool,
    program,
    schedule_once,
    stash,
    unstash_all,
)

if TYPE_CHECKING:
    from simulation.runtime.ledger import Entry, Life
    from simulation.runtime.play import Play

AB = ("a", "b")


# ------------------------------------------------------------ timers


@dataclass(frozen=True)
class Beat(Message[None]):
    """What `every` tells."""

    number: int


class Clock(Worker):
    """Sets timers: `("once", delay, job)`, `("every", interval, number)`, `("cancel",)`."""

    @override
    async def act(self, life: Life, act: Act) -> None:
        notes = self.play.notes
        match act:
            case ("once", delay, job):
                timer = self._once(life, delay, job)
                if self.play.notes["cancels"] and job.number % 3 == 0:
                    await asyncio.sleep(0.5)
                    if timer.cancel():
                        notes["once"][job.number] = None
            case ("every", interval, number):
                self.timers.append(self.context.every(interval, Beat(number)))
                notes["every"][number] = [life, self.play.ledger.clock(), interval, 0, 0]
            case ("cancel",):
                for each in self.timers:
                    each.cancel()
                self.timers.clear()
            case _:
                await super().act(life, act)

    def _once(self, life: Life, delay: float, job: Job) -> Cancellable:
        ref = self.context.self_ref
        self.play.ledger.sends(f"timer {job.number}", ref, job, "tell")
        self.play.notes["once"][job.number] = (life, self.play.ledger.clock() + delay)
        return self.context.schedule_once(delay, job)

    @property
    def timers(self) -> list[Cancellable]:
        """Those that this instance has set by `every`."""
        found: list[Cancellable] = self.play.notes.setdefault(("timers", id(self)), [])
        return found

    @override
    def begins(self, life: Life, job: Job) -> None:
        once, demand = self.play.notes["once"], self.play.ledger.demand
        if job.number in once:
            known = once[job.number]
            demand(known is not None, "a timer that was cancelled tells nothing", job)
            if known is not None:
                owner, due = known
                self.play.seen["a timer that fires"] += 1
                now = self.play.ledger.clock()
                demand(now >= due, "no timer fires early", job, now, due)
                in_time = owner.ended is None or due <= owner.ended
                demand(in_time, "no timer outlives its instance", job, owner, due)

    @handler
    def beat(self, message: Beat) -> None:
        known = self.play.notes["every"][message.number]
        owner, began, interval, _, late = known
        demand, now = self.play.ledger.demand, self.play.ledger.clock()
        known[3] += 1
        self.play.seen["a beat"] += 1
        demand(known[3] * interval <= now - began + 1e-6, "no beat comes early", message, known)
        if owner.ended is not None:
            known[4] = late + 1
            demand(known[4] <= 1, "one beat at most is left when its instance ends", message)

    @override
    @program
    def free_do(self, job: Job) -> Do[int]:
        with self.play.ledger.handling(self, job, self.limit) as life:
            self.begins(life, job)
            for act in job.acts:
                match act:
                    case ("once", delay, other):
                        self._notes(life, delay, other)
                        yield from schedule_once(delay, self.context.self_ref, other)
                    case ("fail", kind):
                        raise FAILURES[kind]
                    case ("pause", seconds):
                        yield from free_sleep(seconds)
                    case _:
                        pass
        return job.number

    def _notes(self, life: Life, delay: float, job: Job) -> None:
        self.play.ledger.sends(f"timer {job.number}", self.context.self_ref, job, "tell")
        self.play.notes["once"][job.number] = (life, self.play.ledger.clock() + delay)


async def timers(play: Play) -> None:
    """Actors that set timers restart, stop and crash before these fire."""
    play.notes |= {"once": {}, "every": {}, "cancels": play.chance(0.5)}
    for name in AB:
        await play.spawn(name, play.make(Clock))
    for number in range(2):
        steps: list[Any] = []
        for turn in range(4):
            drawn = play.random.random()
            acts: list[Act] = []
            if drawn < 0.5:
                acts.append(("once", play.pause(), play.job()))
            elif drawn < 0.8:
                acts.append(("every", play.pause(), 10 * number + turn))
            elif drawn < 0.9:
                acts.append(("cancel",))
            if play.chance(0.3):
                acts.append(("fail", play.random.choice(["boom", "boom", "halt"])))
            kinds = "s" if drawn >= 0.5 else "sf"
            job = play.job(tuple(acts), kinds)
            steps.append(("tell", play.random.choice(AB), job, None))
            if play.chance(0.5):
                steps.append(("sleep", play.pause()))
        play.client(f"client-{number}", steps)
    play.trouble([*play.some_trouble(AB, 1, play.make(Clock)), (play.pause(), "stop", "a", "now")])
    await play.all_ended()
    await asyncio.sleep(play.pause())
    await play.finish()


# ------------------------------------------------------------ stash


class Gate(Worker):
    """Handles jobs while it is open, and keeps the others; a job of priority 1 turns it."""

    @property
    def open(self) -> bool:
        """Whether it is open."""
        return bool(self.play.notes.get(("open", id(self))))

    def _turns(self, job: Job) -> bool:
        return ("turn",) in job.acts

    @override
    @handler
    def quick(self, job: Quick) -> Any:
        if not self.open and not self._turns(job):
            return stash()
        with self.play.ledger.handling(self, job):
            self._may_fail(job)
            if self._turns(job):
                return self._turn(job)
        return job.number

    @override
    @handler
    async def slow(self, job: Slow) -> Any:
        if not self.open and not self._turns(job):
            return stash()
        if self._turns(job):
            with self.play.ledger.handling(self, job):
                await asyncio.sleep(0.5)
                self._may_fail(job)
                self.play.notes["open", id(self)] = not self.open
                if self.open:
                    self.context.unstash_all()
            return job.number
        return await self.do(job)

    @override
    @handler
    def flow(self, job: Flow) -> Program[Any]:
        if not self.open and not self._turns(job):
            self.play.seen["stashed"] += 1
            self.play.ledger.entries[job.number].arrived = True
            return free_sleep(0.5).then(stash()) if job.number % 2 else stash()
        if self._turns(job):
            with self.play.ledger.handling(self, job):
                self._may_fail(job)
            return self._turn(job)
        return self.free_do(job)

    def _may_fail(self, job: Job) -> None:
        if job.acts and job.acts[-1][0] == "fail":
            raise FAILURES[job.acts[-1][1]]

    def _turn(self, job: Job) -> Program[int]:
        self.play.notes["open", id(self)] = not self.open
        return (
            unstash_all().map(lambda _: job.number)
            if self.open
            else free_sleep(0).map(lambda _: job.number)
        )


async def stashes(play: Play) -> None:
    """Gates that keep messages back fail, restart, stop, and are opened and closed."""
    options: dict[str, Any] = play.random.choice([{}, {"mailbox": MemoryMailbox(3)}])
    for name in AB:
        await play.spawn(name, play.make(Gate), **options)
    for number in range(3):
        steps = play.some_steps(
            AB, 3, failures=("boom",), fails=0.15, patience=1.0, chains=False, pauses=0.3
        )
        play.client(f"client-{number}", steps)
    turns: list[Any] = []
    for _ in range(4):
        acts: tuple[Act, ...] = (("turn",), ("fail", "boom")) if play.chance(0.3) else (("turn",),)
        turns.append(("tell", play.random.choice(AB), play.job(acts), None))
        turns.append(("sleep", play.pause()))
    play.client("turns", turns)
    play.trouble(play.some_trouble(AB, 1, play.make(Gate), **options))
    await play.finish(play.random.choice(["drain", "after_current", "now"]))


# ------------------------------------------------------------ orchestration


class Boss(Worker):
    """Asks ephemeral children and others: `(how, [(name or None, job), ...], limit)`."""

    @override
    async def act(self, life: Life, act: Act) -> None:
        match act:
            case ("sequence" | "race" | "zip" | "ask" as how, asks, patience):
                await self._orchestrate(how, asks, patience)
                left = [n for n in self.context.children if n.startswith(("Worker", "ephemeral"))]
                self.play.ledger.demand(not left, "ephemeral children end with their ask", left)
            case _:
                await super().act(life, act)

    async def _orchestrate(self, how: str, asks: Any, patience: float | None) -> None:
        ledger, context = self.play.ledger, self.context
        pairs: list[Any] = []
        entries: list[Entry] = []
        for name, job in asks:
            known = None if name is None else self.play.refs[name]
            unknown: ActorRef[Any] = ActorRef.at(f"/ephemeral-{job.number}")
            sender = f"{self.sender.name}, {job.number}"
            entries.append(ledger.sends(sender, known or unknown, job, "ask"))
            pairs.append((self.play.make() if known is None else known, job))
        got: Any = None
        try:
            match how:
                case "ask":
                    got = [await context.ask(*pairs[0], timeout=patience)]
                case "zip":
                    got = await context.zip(pairs[0], pairs[-1], timeout=patience)
                case "race":
                    got = [await context.race(pairs, timeout=patience)]
                case _:
                    got = await context.sequence(pairs, concurrency=2, timeout=patience)
        except (AskFailed, BranchesFailed, Boom):
            pass
        finally:
            for entry in entries:
                entry.gave_up = True
            if got is not None and how != "race":
                wanted = [entry.job.number for entry in entries]
                ledger.demand(list(got) == wanted, "replies in the order of the asks", got, wanted)


async def orchestration(play: Play) -> None:
    """Handlers ask several at once; children fail, and the handlers are cut short."""
    make = play.make(Boss)
    await play.spawn("a", make)
    await play.spawn("b")
    for number in range(2):
        steps: list[Any] = play.some_steps(("b",), 1, failures=("boom",))
        for _ in range(2):
            how = play.random.choice(["sequence", "race", "zip", "ask"])
            asks = tuple(
                (
                    play.random.choice([None, None, "b"]),
                    play.some_job(failures=("boom",), fails=0.3, kinds="qsf"),
                )
                for _ in range(1 if how == "ask" else 2)
            )
            patience = play.pause() if play.chance(0.3) else None
            acts: tuple[Act, ...] = ((how, asks, patience),)
            if play.chance(0.2):
                acts += (("fail", "boom"),)
            wait = play.pause() if play.chance(0.3) else None
            steps.append(("ask", "a", play.job(acts, "s"), wait, None))
        play.client(f"client-{number}", steps)
    play.trouble(play.some_trouble(("a", "a", "b"), 2, make))
    wait = play.chance(0.7)
    if not wait:
        await asyncio.sleep(play.pause())
    await play.finish(play.random.choice(["drain", "after_current", "now"]), wait=wait)


# ------------------------------------------------------------ states


class Stateful(Worker):
    """Saves how many jobs it has handled."""

    @override
    async def save_state(self) -> Any:
        life = self._alone("save_state")
        await asyncio.sleep(0.5)
        self.play.ledger.goes_on(life)
        self._alone("save_state")
        return {"path": self.context.self_ref.path}

    @override
    def load_state(self, state: Any) -> Any:
        life = self._alone("load_state")
        mine = state["path"] == self.context.self_ref.path
        self.play.seen["a state loaded"] += 1
        self.play.ledger.demand(mine, "a state is loaded by its own actor", life, state)
        return free_sleep(0.5)

    def _alone(self, what: str) -> Life:
        life = self.play.ledger.life_of(self)
        demand = self.play.ledger.demand
        demand(life.running == 0, f"{what} runs between two messages", life)
        demand(life.state == "started", f"{what} runs while its instance lives", life)
        return life


async def states(play: Play) -> None:
    """States are saved and loaded while all are at work, fail, stop and crash."""
    make = play.make(Stateful, children=(("child", play.make(Stateful)),))
    for name in AB:
        await play.spawn(name, make)
    for number in range(2):
        play.client(f"client-{number}", play.some_steps((*AB, "child"), 3, failures=("boom",)))

    async def saves() -> None:
        await asyncio.sleep(play.random.choice([0, play.pause()]))
        saved = await play.system.save_state()
        await asyncio.sleep(play.random.choice([0, play.pause()]))
        try:
            await play.system.load_state(saved)
        except UnknownActors as error:
            play.ledger.demand(set(error.unknown) <= set(saved), "only what was saved", error)
        except AskFailed:
            pass  # somebody has stopped meanwhile

    play.begin("saves", saves())
    play.trouble(play.some_trouble(AB, 1, make))
    await play.finish()


class Behind(Stateful):
    """Its state comes behind the mail that was sent before, in whatever order that is taken."""

    @override
    def begins(self, life: Life, job: Job) -> None:
        self.play.seen["handled in time"] += 1

    @override
    def _alone(self, what: str) -> Life:
        life = super()._alone(what)
        ledger, dead = self.play.ledger, [d.message for d in self.play.system.dead_letters]
        asked = self.play.notes.get(("asked", what))
        mine = (self.context.self_ref.path, self.play.notes.get("front"))
        for entry in ledger.entries.values():
            if asked is None or entry.place >= asked or entry.sender != "saver":
                continue
            if entry.receiver.path in mine and entry.outcome is None:
                gone = entry.handled or entry.job in dead
                ledger.demand(gone, f"{what} waits for the mail before it", entry, life)
                self.play.seen["a state saved"] += 1
        return life


class BehindAll(Behind):
    """The same, any number of whose handlers may overlap."""

    limit = None


class BehindTwo(Behind):
    """The same, two of whose handlers may overlap."""

    limit = 2


async def states_behind_mail(play: Play) -> None:
    """States are saved and loaded in the midst of mail, which is dropped, expires, or fails."""
    mailbox: Any = play.random.choice(
        [
            None,
            MemoryMailbox(1),
            MemoryMailbox(2, "drop_oldest"),
            MemoryMailbox(2, "drop_newest"),
            MemoryMailbox(order="priority"),
            MemoryMailbox(2, order="priority"),
            MemoryMailbox(2, time_to_live=0.7),
        ]
    )
    ways: list[tuple[type[Behind] | None, dict[str, Any]]] = [
        (Behind, {}),
        (BehindAll, {"reentrant": True}),
        (BehindTwo, {"concurrency": 2}),
        (None, {}),
    ]
    kind, options = play.random.choice(ways)
    make: Any = pool(play.make(Behind), 2) if kind is None else play.make(kind)
    how: dict[str, Any] = options if mailbox is None else {**options, "mailbox": mailbox}
    if kind is None:
        play.notes["front"] = "/a"
        play.ledger.pools = True
    await play.spawn("a", make, **how)

    def some_options() -> SendOptions | None:
        return SendOptions(
            priority=play.random.choice([None, 0, 1]),
            time_to_live=play.random.choice([None, None, 0.7]),
        )

    for number in range(2):
        steps = play.some_steps(
            ("a",), 3, failures=("boom",), fails=0.2, chains=False, options=some_options
        )
        play.client(f"client-{number}", steps)

    async def saves() -> None:
        sender, judged = play.sender("saver"), True
        for _ in range(3):
            for _ in range(play.random.randint(1, 3)):
                job = play.some_job(failures=("boom",), fails=0.1)
                await sender.tell(play.refs["a"], job, some_options())
            if judged:
                play.notes["asked", "save_state"] = len(play.ledger.entries)
            try:
                # Not in a task of its own, which would be another sender.
                async with asyncio.timeout(play.pause() if play.chance(0.2) else None):
                    saved = await play.system.save_state()
            except TimeoutError:
                # Its hook runs all the same, perhaps during the next save: nothing to judge by.
                judged = False
                play.notes["asked", "save_state"] = 0
                continue
            if play.chance(0.5):
                play.notes["asked", "load_state"] = len(play.ledger.entries)
                try:
                    await play.system.load_state(saved, unknown="skip")
                except AskFailed:
                    pass  # it has stopped meanwhile

    play.begin("saves", saves())
    if play.chance(0.5):
        again = "graceful" if play.chance(0.5) else play.random.choice(["current", "now"])
        play.trouble([(4 * play.pause(), "stop", "a", again)])
    await play.finish()


SCENARIOS = (timers, stashes, orchestration, states, states_behind_mail)
