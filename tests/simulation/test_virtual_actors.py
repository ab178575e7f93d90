"""Virtual actors under random workloads: what must hold at every moment, in every schedule."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from typing_extensions import override

from effactor import (
    Actor,
    ActorRef,
    ActorStopped,
    AfterIdle,
    MemoryMailbox,
    MemoryRegistryStore,
    RegistryStore,
    StopPolicy,
    VirtualActorRegistry,
    VirtualId,
)
from effactor.interpreters import Simulation, explore

if TYPE_CHECKING:
    from collections.abc import Callable

IDS = ("a", "b")


@dataclass(frozen=True)
class Order:
    """The *number*-th message of a sender to an id."""

    sender: str
    number: int
    fails: bool = False


class CannotStart(Exception):
    """What `on_started` raises now and then."""


@dataclass
class Journal:
    """What happened to the actors of one run."""

    alive: Counter[str] = field(default_factory=Counter[str])
    most: int = 0
    starts: int = 0
    restored: int = 0
    handled: dict[str, list[Order]] = field(default_factory=lambda: {i: [] for i in IDS})
    saved: dict[str, list[Order]] = field(default_factory=lambda: {i: [] for i in IDS})


class Entity(Actor[Order]):
    """Keeps what it has handled: loads it when it starts, saves it when it stops, slowly."""

    journal: ClassVar[Journal]
    may_fail_to_start: ClassVar[bool] = False

    @override
    def stop_policy(self) -> StopPolicy:
        return AfterIdle(seconds=0.3)

    @override
    async def on_started(self) -> None:
        self.id = self.context.self_ref.name
        journal = self.journal
        journal.starts += 1
        journal.alive[self.id] += 1
        journal.most = max(journal.most, journal.alive[self.id])
        await asyncio.sleep(random.choice((0, 0.1)))
        if self.may_fail_to_start and random.random() < 0.3:
            journal.alive[self.id] -= 1
            raise CannotStart(self.id)
        self.state = list(journal.saved[self.id])
        journal.restored += bool(self.state)

    @override
    async def on_receive(self, message: Order) -> int:
        self.state.append(message)
        self.journal.handled[self.id].append(message)
        await asyncio.sleep(random.choice((0, 0, 0.1)))
        if message.fails:
            raise RuntimeError(message)
        return message.number

    @override
    async def on_stopped(self) -> None:
        await asyncio.sleep(random.choice((0, 0.1)))
        self.journal.saved[self.id] = self.state
        self.journal.alive[self.id] -= 1


class SlowStore(RegistryStore):
    """A store on virtual time, which fails now and then."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.busy: Counter[str] = Counter()
        self.overlapped = False
        self.fails = False

    async def _call(self, key: str) -> None:
        self.busy[key] += 1
        self.overlapped = self.overlapped or self.busy[key] > 1
        await asyncio.sleep(random.choice((0, 0.1)))
        self.busy[key] -= 1
        if self.fails and random.random() < 0.3:
            raise ConnectionError(key)

    @override
    async def put(self, key: str) -> None:
        await self._call(key)
        self.keys.add(key)

    @override
    async def delete(self, key: str) -> None:
        await self._call(key)
        self.keys.discard(key)

    @override
    async def list_all(self) -> list[str]:
        return sorted(self.keys)


class Asker(Actor[Order]):
    """Sends from a handler."""

    def __init__(self, send: Callable[[Order], Any]) -> None:
        self.send = send

    @override
    async def on_receive(self, message: Order) -> None:
        await self.send(message)


async def workload(
    sim: Simulation,
    *,
    store: RegistryStore | None = None,
    senders: int = 3,
    messages: int = 5,
    deactivates: bool = True,
    fails: float = 0.0,
    crashes: bool = False,
    mailbox: MemoryMailbox | None = None,
) -> None:
    """Send at random, and check that everything was handled once, in order."""
    journal = Entity.journal = Journal()
    system = sim.system
    registry = VirtualActorRegistry(system, store)
    deactivated: list[VirtualId] = []
    registry.on_deactivate(deactivated.append)
    sim.always(lambda: all(n <= 1 for n in journal.alive.values()), name="one instance an id")
    expected: dict[str, Counter[Order]] = {i: Counter() for i in IDS}
    excused: Counter[Order] = Counter()

    async def send(id_: str, order: Order) -> None:
        expected[id_][order] += 1
        how: dict[str, Any] = {} if mailbox is None else {"mailbox": mailbox}
        if random.random() < 0.5:
            await registry.tell(Entity, id_, order, **how)
            return
        try:
            if order.sender == "program":
                asked = registry.free_ask(Entity, id_, order, **how)
                answer = await system.run_free(asked)
            else:
                answer = await registry.ask(Entity, id_, order, **how)
            assert answer == order.number
        except CannotStart:
            excused[order] += 1
        except RuntimeError:
            assert order.fails
        except ActorStopped:
            assert crashes
            excused[order] += 1

    async def sender(name: str) -> None:
        for number in range(messages):
            await asyncio.sleep(random.choice((0, 0.1, 0.2, 0.3, 0.31, 0.5)))
            id_ = random.choice(IDS)
            order = Order(name, number, random.random() < fails)
            if name == "actor":
                await (await system.spawn(partial(Asker, partial(send, id_)))).ask(order)
            else:
                await send(id_, order)

    async def deactivator() -> None:
        for _ in range(messages):
            await asyncio.sleep(random.choice((0, 0.1, 0.3)))
            if random.random() < 0.7:
                await registry.deactivate(Entity, random.choice(IDS))
            else:
                await registry.deactivate_all()

    async def crasher() -> None:
        for _ in range(2):
            await asyncio.sleep(random.choice((0.1, 0.3, 0.5)))
            id_ = random.choice(IDS)
            if registry.is_active(Entity, id_):
                ref: ActorRef[Order] = ActorRef.at(VirtualId.of(Entity, id_).path)
                sim.crash(ref)
                journal.alive[id_] = 0

    names = [f"sender-{n}" for n in range(senders)] + ["program", "actor"]
    tasks = [asyncio.create_task(sender(name), name=name) for name in names]
    if deactivates:
        tasks.append(asyncio.create_task(deactivator()))
    if crashes:
        tasks.append(asyncio.create_task(crasher()))
    await asyncio.gather(*tasks)
    while registry.active_count:  # noqa: ASYNC110 - on virtual time
        await asyncio.sleep(0.1)
    dead = Counter(letter.message for letter in system.dead_letters)
    for id_ in IDS:
        handled = Counter(journal.handled[id_])
        assert all(count == 1 for count in handled.values()), "handled twice"
        lost = expected[id_] - handled - dead - excused
        assert not lost, f"lost: {lost}"
        if not (crashes or dead or excused):
            assert journal.saved[id_] == journal.handled[id_], "lost update"
        for name in names[:senders]:  # the others are another actor or run for each message
            numbers = [order.number for order in journal.handled[id_] if order.sender == name]
            assert numbers == sorted(numbers), f"order of {name} to {id_}: {numbers}"
    if not (crashes or Entity.may_fail_to_start or fails):
        assert not dead
        assert not excused
        assert len(deactivated) == journal.starts
    assert journal.most == 1
    assert not journal.alive.total()
    assert [path for path in system.cells if path.startswith("/virtual")] == []
    if isinstance(store, SlowStore) and not crashes:  # a crashed actor's calls never end
        assert not store.overlapped, "two calls for one key at the same time"
        assert store.fails or not store.keys
    sim.sometimes(journal.restored, "an actor comes back with its state")
    sim.sometimes(journal.starts > len(IDS) + 2, "an id is activated again and again")


def passes(scenario: Callable[[Simulation], Any], schedules: int = 200) -> None:
    verdict = explore(scenario, schedules=schedules, strategy="random")
    assert verdict.ok, str(verdict)


@pytest.fixture(autouse=True)
def starts_well() -> None:
    Entity.may_fail_to_start = False


def test_no_message_is_lost_and_no_instance_overlaps_another() -> None:
    passes(workload)


def test_with_a_slow_store() -> None:
    passes(lambda sim: workload(sim, store=SlowStore()))


def test_with_a_failing_store() -> None:
    def scenario(sim: Simulation) -> Any:
        store = SlowStore()
        store.fails = True
        return workload(sim, store=store, fails=0.2)

    passes(scenario)


def test_with_handlers_that_fail() -> None:
    passes(lambda sim: workload(sim, fails=0.3))


def test_with_starts_that_fail() -> None:
    Entity.may_fail_to_start = True
    passes(lambda sim: workload(sim, store=SlowStore(), fails=0.2))


def test_with_crashes() -> None:
    passes(lambda sim: workload(sim, store=SlowStore(), crashes=True, fails=0.1))


def test_with_a_mailbox_of_one() -> None:
    passes(lambda sim: workload(sim, mailbox=MemoryMailbox(1), senders=5, messages=4))


def test_a_shared_store_in_memory() -> None:
    passes(lambda sim: workload(sim, store=MemoryRegistryStore(), deactivates=False), 100)
