"""Scenarios about virtual actors that fail, beside actors of the system that do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from simulation.runtime.lives import DECIDER
from simulation.runtime.senders import Sender
from simulation.runtime.workers import Worker
from typing_extensions import override

from effactor import (
    ActorRef,
    AfterIdle,
    AllForOneStrategy,
    Do,
    MemoryMailbox,
    MemoryRegistryStore,
    OneForOneStrategy,
    RestForOneStrategy,
    SendOptions,
    StopPolicy,
    VirtualActorRegistry,
    VirtualId,
    free_sleep,
    program,
    spaced,
)

if TYPE_CHECKING:
    from simulation.runtime.ledger import Entry
    from simulation.runtime.messages import Job
    from simulation.runtime.play import Play

FAILING, SOUND = "failing", "sound"
FAILURES = ("boom", "boom", "skip", "halt", "up")


def _entity(play: Play, hooks_take: float) -> type[Worker]:
    """Make the class of this run's virtual actors, which are made without arguments."""

    class Entity(Worker):
        def __init__(self) -> None:
            super().__init__(play, hooks_take=hooks_take)

        @override
        def stop_policy(self) -> StopPolicy:
            return AfterIdle(seconds=1.0)

    return Entity


class ToVirtual(Sender):
    """Sends to virtual actors by their ids; `ref` names one of them."""

    def __init__(self, play: Play, name: str, kind: type[Worker], how: dict[str, Any]) -> None:
        super().__init__(play.ledger, name)
        self._registry = VirtualActorRegistry.of(play.system)
        self._kind = kind
        self._how = how

    def ref(self, id_: str) -> ActorRef[Any]:
        """Name the actor of an id."""
        return ActorRef.at(VirtualId.of(self._kind, id_).path)

    @override
    async def tell(self, ref: ActorRef[Any], job: Job, options: SendOptions | None = None) -> Entry:
        entry = self._begins(ref, job, "tell", options)
        try:
            await self._registry.tell(self._kind, ref.name, job, options=options, **self._how)
        except BaseException as error:
            self._ends(entry, error)
        else:
            self._ends(entry, None)
        return entry

    @override
    async def ask(
        self,
        ref: ActorRef[Any],
        job: Job,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Entry:
        entry = self._begins(ref, job, "ask", options)
        asking = self._registry.ask(
            self._kind, ref.name, job, timeout=timeout, options=options, **self._how
        )
        try:
            reply = await asking
        except BaseException as error:
            self._ends(entry, error)
        else:
            self._ends(entry, reply)
        return entry

    @program
    def free_tell_it(self, id_: str, job: Job) -> Do[None]:
        """Tell from a program."""
        entry = self._begins(self.ref(id_), job, "tell", None)
        telling = self._registry.free_tell(self._kind, id_, job, **self._how)
        yield from self._watching(entry, telling)

    @program
    def free_ask_it(self, id_: str, job: Job, timeout: float | None) -> Do[None]:
        """Ask from a program."""
        entry = self._begins(self.ref(id_), job, "ask", None)
        asking = self._registry.free_ask(self._kind, id_, job, timeout=timeout, **self._how)
        yield from self._watching(entry, asking)


async def virtual_failures(play: Play) -> None:
    """Virtual actors fail, idle, crash, and come back; nobody shares the fate of another."""
    limit = play.random.choice([1, 3, None])
    kind = play.random.choice([OneForOneStrategy, AllForOneStrategy, RestForOneStrategy])
    backoff = play.random.choice([None, spaced(1.0)])
    play.system.strategy = kind(max_restarts=limit, decider=DECIDER, backoff=backoff)
    store = play.random.choice([None, MemoryRegistryStore()])
    registry = VirtualActorRegistry(play.system, store)
    entity = _entity(play, play.random.choice([0.0, 0.5]))
    how: dict[str, Any] = {}
    if play.chance(0.3):
        how["mailbox"] = MemoryMailbox(2)
    root_fails = play.chance(0.5)
    for name in ("a", "b"):
        await play.spawn(name)

    def job(id_: str) -> Job:
        return play.some_job(failures=FAILURES if id_ == FAILING else (), fails=0.4)

    async def awaits(sender: ToVirtual) -> None:
        for _ in range(4):
            id_ = play.random.choice((FAILING, SOUND))
            patience = play.pause() if play.chance(0.3) else None
            if play.chance(0.2):
                await asyncio.sleep(play.pause())
            if play.chance(0.5):
                await sender.tell(sender.ref(id_), job(id_))
            else:
                await sender.ask(sender.ref(id_), job(id_), patience)

    @program
    def runs(sender: ToVirtual) -> Do[None]:
        for _ in range(4):
            id_ = play.random.choice((FAILING, SOUND))
            patience = play.pause() if play.chance(0.3) else None
            if play.chance(0.2):
                yield from free_sleep(play.pause())
            if play.chance(0.5):
                yield from sender.free_tell_it(id_, job(id_))
            else:
                yield from sender.free_ask_it(id_, job(id_), patience)

    for number in range(3):
        name = f"client-{number}"
        sender = ToVirtual(play, name, entity, how)
        if play.chance(0.5):
            play.begin(name, awaits(sender))
        else:
            play.begin(name, play.runs(runs(sender).named(name)))
    steps = play.some_steps(("a", "b"), 3, failures=("boom",) if root_fails else (), chains=False)
    play.client("root", steps)

    async def deactivates() -> None:
        await asyncio.sleep(play.pause())
        await registry.deactivate(entity, play.random.choice((FAILING, SOUND)))

    if play.chance(0.5):
        play.begin("deactivates", deactivates())
    if play.chance(0.3):
        play.refs[FAILING] = ActorRef.at(VirtualId.of(entity, FAILING).path)
        play.trouble([(play.pause(), "crash", FAILING)])
    await play.finish(play.random.choice(["drain", "after_current", "now"]))
    unharmed = [VirtualId.of(entity, SOUND).path] + ([] if root_fails else ["/a", "/b"])
    for life in play.ledger.lives:
        restarts = life.hooks.get("on_restart", 0)
        if life.path in unharmed:
            play.ledger.demand(not restarts, "no actor restarts for a virtual one, or it", life)
        elif life.path.startswith("/virtual"):
            play.seen["a virtual actor restarts"] += restarts
    for cell in play.cells:
        right = "its supervisor failed" not in cell.ended
        play.ledger.demand(right, "every failure has a verdict", cell.full_path, cell.ended)
    play.ledger.check()


SCENARIOS = (virtual_failures,)
