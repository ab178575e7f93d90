"""Actors that are restarted after a power cut, with what is on their disk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from typing_extensions import override

from benchmarks.actorbugs.bug import Bug
from benchmarks.actorbugs.chaos import crash, crash_and_restart
from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    Do,
    Message,
    Terminated,
    free_ask,
    free_tell,
    handler,
    program,
)
from effactor.interpreters import Simulation

# ---------------------------------------------------------------- acknowledged, and gone


@dataclass(frozen=True, slots=True)
class Get(Message[int]):
    pass


@dataclass(frozen=True, slots=True)
class Put(Message[None]):
    value: int


@dataclass(frozen=True, slots=True)
class Flush:
    pass


StoreRef = ActorRef[Get | Put | Flush]
STORE: StoreRef = ActorRef.at("/store")


class Store(Actor[Get | Put | Flush]):
    def __init__(self, disk: dict[str, int]) -> None:
        self.disk = disk
        self.value = disk["value"]

    @handler
    def get(self, message: Get) -> int:
        return self.value

    @handler
    def put(self, message: Put) -> None:
        self.value = message.value
        self.save()

    @handler
    def flush(self, message: Flush) -> None:
        self.disk["value"] = self.value

    def save(self) -> None:
        """Bug: it has a disk, and reads it, but writes to memory alone."""


class WriteBehindStore(Store):
    @override
    def save(self) -> None:
        """Bug: the reply may be out before the flush."""
        self.context.self_ref.tell_nowait(Flush())


class WriteThroughStore(Store):
    @override
    def save(self) -> None:
        self.flush(Flush())


@program
def put_then_get() -> Do[None, AskFailed]:
    yield from free_ask(STORE, Put(1))
    value = yield from free_ask(STORE, Get())
    assert value == 1, "what was acknowledged is gone"


def _store(sim: Simulation, store: type[Store]) -> None:
    actor = partial(store, {"value": 0})
    ref = sim.spawn(actor, "store")
    # While it is down, a client may be told so: that is no finding.
    sim.run_all([put_then_get().attempt(), crash_and_restart(sim, ref, actor).attempt()])


def volatile_store(sim: Simulation) -> None:
    _store(sim, Store)


def volatile_store_fixed(sim: Simulation) -> None:
    _store(sim, WriteThroughStore)


def write_behind(sim: Simulation) -> None:
    _store(sim, WriteBehindStore)


def write_behind_fixed(sim: Simulation) -> None:
    _store(sim, WriteThroughStore)


# ---------------------------------------------------------------- the job in hand


@dataclass(frozen=True, slots=True)
class Submit:
    job: str


@dataclass(frozen=True, slots=True)
class Job:
    job: str


@dataclass(frozen=True, slots=True)
class Done:
    job: str


class Worker(Actor[Job]):
    def __init__(self, boss: ActorRef[Any]) -> None:
        self.boss = boss

    @handler
    def work(self, message: Job) -> None:
        self.boss.tell_nowait(Done(message.job))


class Dispatcher(Actor[Submit | Done | Terminated]):
    def __init__(self, *, keeps: bool) -> None:
        self.keeps = keeps
        self.open: dict[str, None] = {}
        self.done: set[str] = set()
        self.worker: ActorRef[Job] | None = None

    async def hire(self) -> ActorRef[Job]:
        self.worker = await self.context.spawn(partial(Worker, self.context.self_ref), "worker")
        self.context.watch(self.worker)
        return self.worker

    @handler
    async def submit(self, message: Submit) -> None:
        self.open[message.job] = None
        worker = self.worker or await self.hire()
        worker.tell_nowait(Job(message.job))

    @handler
    def job_done(self, message: Done) -> None:
        self.open.pop(message.job, None)
        self.done.add(message.job)

    @handler
    async def terminated(self, message: Terminated) -> None:
        worker = await self.hire()
        # Bug: the new worker knows nothing of the jobs that the old one had.
        for job in self.open if self.keeps else ():
            worker.tell_nowait(Job(job))


def job_in_hand(sim: Simulation, *, keeps: bool = False) -> None:
    dispatcher = sim.spawn(partial(Dispatcher, keeps=keeps), "dispatcher")
    sim.run_all(
        [
            free_tell(dispatcher, Submit("print")),
            crash(sim, ActorRef[Any].at("/dispatcher/worker")).exit().map(lambda _: None),
        ]
    )
    sim.settle()
    assert sim.actor(dispatcher).done == {"print"}, "a job is never done"


def job_in_hand_fixed(sim: Simulation) -> None:
    job_in_hand(sim, keeps=True)


BUGS = (
    Bug(
        "volatile_store",
        "a write is acknowledged, and gone after a restart",
        "durability; Gray and Reuter, Transaction Processing (1992)",
        "lost state",
        ("crash",),
        1,
        volatile_store,
        volatile_store_fixed,
    ),
    Bug(
        "write_behind",
        "a write is acknowledged before it is on disk",
        "write-ahead logging; Mohan et al., ARIES (1992)",
        "lost state",
        ("crash",),
        1,
        write_behind,
        write_behind_fixed,
    ),
    Bug(
        "job_in_hand",
        "a worker is replaced, and the job that it had is forgotten",
        "at-most-once delivery over a restart, as Akka's documentation warns of it",
        "lost message",
        ("crash",),
        1,
        job_in_hand,
        job_in_hand_fixed,
    ),
)
