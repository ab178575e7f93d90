"""Programs that wait for each other, or for what never comes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.actorbugs.bug import Bug
from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    AskTimeout,
    Do,
    Message,
    Program,
    free_ask,
    free_tell,
    handler,
    program,
    pure,
    stash,
    unstash_all,
)
from effactor.interpreters import Simulation

# ---------------------------------------------------------------- accounts that ask each other


@dataclass(frozen=True, slots=True)
class Send(Message[None]):
    to: ActorRef[Any]


@dataclass(frozen=True, slots=True)
class Receive(Message[None]):
    pass


class Account(Actor[Send | Receive]):
    def __init__(self, *, waits: bool) -> None:
        self.waits = waits
        self.balance = 10

    @handler
    async def send(self, message: Send) -> None:
        self.balance -= 1
        if self.waits:
            # Bug: the other one may be waiting for this one, and handles nothing meanwhile.
            await message.to.ask(Receive())
        else:
            await message.to.tell(Receive())

    @handler
    def receive(self, message: Receive) -> None:
        self.balance += 1


def ask_cycle(sim: Simulation, *, waits: bool = True) -> None:
    ann, ben = (sim.spawn(partial(Account, waits=waits), name) for name in ("ann", "ben"))
    sim.run_all([free_ask(ann, Send(ben)), free_ask(ben, Send(ann))])
    sim.settle()
    assert sim.actor(ann).balance == sim.actor(ben).balance == 10, "money is lost"


def ask_cycle_fixed(sim: Simulation) -> None:
    ask_cycle(sim, waits=False)


# ---------------------------------------------------------------- dining philosophers


@dataclass(frozen=True, slots=True)
class Take(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class PutBack:
    pass


class Fork(Actor[Take | PutBack]):
    def __init__(self) -> None:
        self.taken = False

    @handler
    def take(self, message: Take) -> Program[None]:
        if self.taken:
            return stash()  # replied to when the fork is back
        self.taken = True
        return pure(None)

    @handler
    def put_back(self, message: PutBack) -> Program[object]:
        self.taken = False
        return unstash_all()


@program
def dine(first: ActorRef[Take | PutBack], second: ActorRef[Take | PutBack]) -> Do[None, AskFailed]:
    yield from free_ask(first, Take())
    yield from free_ask(second, Take())
    yield from free_tell(first, PutBack())
    yield from free_tell(second, PutBack())


def _dine(sim: Simulation, philosophers: int, *, ordered: bool) -> None:
    forks = [sim.spawn(Fork, f"fork-{n}") for n in range(philosophers)]
    last = dine(forks[0], forks[-1]) if ordered else dine(forks[-1], forks[0])
    # Bug: if all have their first fork, each waits for the next one's. Where all take the lower
    # fork first, there is no such circle.
    sim.run_all([*map(dine, forks, forks[1:]), last])


def dining_philosophers_3(sim: Simulation) -> None:
    _dine(sim, 3, ordered=False)


def dining_philosophers_3_fixed(sim: Simulation) -> None:
    _dine(sim, 3, ordered=True)


def dining_philosophers_5(sim: Simulation) -> None:
    _dine(sim, 5, ordered=False)


def dining_philosophers_5_fixed(sim: Simulation) -> None:
    _dine(sim, 5, ordered=True)


# ---------------------------------------------------------------- a lost wakeup


@dataclass(frozen=True, slots=True)
class Put(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class Size(Message[int]):
    pass


@dataclass(frozen=True, slots=True)
class WaitForPut(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class WaitForItem(Message[None]):
    pass


class Buffer(Actor[Put | Size | WaitForPut | WaitForItem], reentrant=True):
    def __init__(self) -> None:
        self.size = 0
        self.changed = asyncio.Event()

    @handler
    def put(self, message: Put) -> None:
        self.size += 1
        self.changed.set()
        self.changed = asyncio.Event()

    @handler
    def count(self, message: Size) -> int:
        return self.size

    @handler
    async def wait_for_put(self, message: WaitForPut) -> None:
        await self.changed.wait()

    @handler
    async def wait_for_item(self, message: WaitForItem) -> None:
        if self.size == 0:
            await self.changed.wait()


BufferRef = ActorRef[Put | Size | WaitForPut | WaitForItem]


@program
def consume(buffer: BufferRef) -> Do[None, AskFailed]:
    if (yield from free_ask(buffer, Size())) == 0:
        # Bug: what was put since then wakes nobody.
        yield from free_ask(buffer, WaitForPut())


def lost_wakeup(sim: Simulation) -> None:
    buffer = sim.spawn(Buffer, "buffer")
    sim.run_all([consume(buffer), free_ask(buffer, Put())])


def lost_wakeup_fixed(sim: Simulation) -> None:
    buffer = sim.spawn(Buffer, "buffer")
    sim.run_all([free_ask(buffer, WaitForItem()), free_ask(buffer, Put())])


# ---------------------------------------------------------------- a leaked permit


@dataclass(frozen=True, slots=True)
class Acquire(Message[None]):
    who: str


@dataclass(frozen=True, slots=True)
class Release:
    who: str


class Permit(Actor[Acquire | Release]):
    def __init__(self) -> None:
        self.holder: str | None = None

    @handler
    def acquire(self, message: Acquire) -> Program[None]:
        if self.holder is not None:
            return stash()
        self.holder = message.who
        return pure(None)

    @handler
    def release(self, message: Release) -> Program[object]:
        if message.who != self.holder:
            return pure(None)
        self.holder = None
        return unstash_all()


@program
def impatient(permit: ActorRef[Acquire | Release], *, gives_back: bool) -> Do[None, AskFailed]:
    try:
        yield from free_ask(permit, Acquire("impatient"), timeout=1)
    except AskTimeout:
        # Bug: "no reply in time" is not "not granted": the reply may be on its way.
        if gives_back:
            yield from free_tell(permit, Release("impatient"))
        return
    yield from free_tell(permit, Release("impatient"))


@program
def patient(permit: ActorRef[Acquire | Release]) -> Do[None, AskFailed]:
    yield from free_ask(permit, Acquire("patient"))
    yield from free_tell(permit, Release("patient"))


def leaked_permit(sim: Simulation, *, gives_back: bool = False) -> None:
    permit = sim.spawn(Permit, "permit")
    sim.run_all([impatient(permit, gives_back=gives_back), patient(permit)])


def leaked_permit_fixed(sim: Simulation) -> None:
    leaked_permit(sim, gives_back=True)


BUGS = (
    Bug(
        "ask_cycle",
        "two accounts transfer to each other, and each waits for the other",
        "communication deadlock of Torres Lopez et al. (2018)",
        "communication deadlock",
        (),
        1,
        ask_cycle,
        ask_cycle_fixed,
    ),
    Bug(
        "dining_philosophers_3",
        "three philosophers hold one fork each",
        "Dijkstra, Hierarchical Ordering of Sequential Processes (1971)",
        "behavioural deadlock",
        (),
        2,
        dining_philosophers_3,
        dining_philosophers_3_fixed,
    ),
    Bug(
        "dining_philosophers_5",
        "five philosophers hold one fork each",
        "Dijkstra, Hierarchical Ordering of Sequential Processes (1971)",
        "behavioural deadlock",
        (),
        4,
        dining_philosophers_5,
        dining_philosophers_5_fixed,
    ),
    Bug(
        "lost_wakeup",
        "the item comes between the look and the wait, and nobody is woken",
        "the lost signal of condition variables; Goetz et al. (2006), 14.2.3",
        "behavioural deadlock",
        (),
        1,
        lost_wakeup,
        lost_wakeup_fixed,
    ),
    Bug(
        "leaked_permit",
        "a permit is granted to somebody who has given up",
        "cancellation of acquire, a recurring report against pools and semaphores",
        "behavioural deadlock",
        (),
        1,
        leaked_permit,
        leaked_permit_fixed,
    ),
)
