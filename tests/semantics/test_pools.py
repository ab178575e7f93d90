"""Pools: several workers behind one mailbox."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from effactor import (
    Actor,
    ActorNotFound,
    ActorRef,
    ActorStopped,
    AfterIdle,
    AfterMessage,
    AllForOneStrategy,
    Deadlock,
    Directive,
    MailboxFull,
    MemoryMailbox,
    Message,
    OneForOneStrategy,
    SendOptions,
    StopPolicy,
    events,
    free_spawn,
    handler,
    pool,
)
from effactor.interpreters import ActorSystem, explore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from worlds import World

    from effactor.interpreters import Simulation


@dataclass(frozen=True)
class Job(Message[Any]):
    """Sleep, then answer the worker's path, or do `what`."""

    seconds: float = 0.0
    what: Any = None


@dataclass(frozen=True)
class Urgent(Job):
    """The same, with another priority."""


class Log:
    """What happened to workers."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.running = 0
        self.peak = 0


class Worker(Actor[Any]):
    """Logs its life."""

    def __init__(self, log: Log) -> None:
        self.log = log
        log.events.append("made")
        self.busy = False

    @override
    async def on_started(self) -> None:
        await asyncio.sleep(0.0)
        self.log.events.append(f"started {self.context.self_ref.path}")

    @override
    async def on_stopped(self) -> None:
        assert not self.busy
        self.log.events.append(f"stopped {self.context.self_ref.path}")

    @handler
    async def job(self, message: Job) -> Any:
        assert not self.busy
        self.busy = True
        self.log.running += 1
        self.log.peak = max(self.log.peak, self.log.running)
        try:
            await asyncio.sleep(message.seconds)
            if message.what == "fail":
                raise ValueError("boom")
            if message.what == "stop":
                await self.context.stop_self()
            if callable(message.what):
                done: Any = message.what
                return await done(self)
            return self.context.self_ref.path
        finally:
            self.log.running -= 1
            self.busy = False

    @handler(priority=5)
    def urgent(self, message: Urgent) -> Any:
        self.log.events.append("urgent")


def paths(path: str, size: int) -> list[str]:
    return [f"{path}/{n}" for n in range(1, size + 1)]


async def outcome(ask: Awaitable[Any]) -> Any:
    try:
        return await ask
    except Exception as error:  # whatever it is, the test looks at it
        return error


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(condition)


def begin(coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.ensure_future(coroutine)


def test_workers_share_one_mailbox_and_each_handles_one_message(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(pool(lambda: Worker(log), 3), "pool")
        began = asyncio.get_running_loop().time()
        got = await asyncio.gather(*[ref.ask(Job(1.0)) for _ in range(6)])
        took = asyncio.get_running_loop().time() - began
        await ref.stop()
        await ref.join()
        for path in paths("/pool", 3):
            with pytest.raises(ActorNotFound):
                await system.get_actor(path)
        return got, took

    got, took = world.run(body)
    assert sorted(got) == sorted(2 * paths("/pool", 3))
    assert took == pytest.approx(2.0, abs=0.5)
    assert log.peak == 3
    assert log.events[:3] == ["made", "started /pool/1", "made"]
    for what in ("started", "stopped"):
        assert sorted(e for e in log.events if e.startswith(what)) == [
            f"{what} {path}" for path in paths("/pool", 3)
        ]


def test_a_pool_is_spawned_in_every_way(world: World) -> None:
    class Parent(Actor[Job]):
        @handler
        async def job(self, message: Job) -> Any:
            kid: ActorRef[Any] = await self.context.spawn(pool(lambda: Worker(Log()), 2), "kids")
            return await kid.ask(Job())

    async def body(system: ActorSystem) -> Any:
        parent = await system.spawn(Parent, "parent")
        described = pool(lambda: Worker(Log()), 2)
        free: ActorRef[Any] = await system.run_free(free_spawn(described, "free"))
        again: ActorRef[Any] = await system.spawn(described, "again")
        return await parent.ask(Job()), await free.ask(Job()), await again.ask(Job())

    assert world.run(body) == ("/parent/kids/1", "/free/1", "/again/1")


def test_a_failure_fails_that_message_only(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(pool(lambda: Worker(log), 2), "pool")
        slow = begin(ref.ask(Job(50.0)))
        await until(lambda: log.running == 1)
        for _ in range(30):
            assert isinstance(await outcome(ref.ask(Job(0.0, "fail"))), ValueError)
        quick = await ref.ask(Job())
        assert log.events.count("made") == 2 + 30
        assert log.events.count(f"stopped {quick}") == 30
        return quick, await slow

    assert set(world.run(body)) == set(paths("/pool", 2))


def test_a_worker_that_stops_is_not_replaced_and_the_last_one_ends_the_pool(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(pool(lambda: Worker(Log()), 2), "pool")
        gone = await ref.ask(Job(0.0, "stop"))
        await asyncio.sleep(1.0)
        left = {await ref.ask(Job()) for _ in range(4)}
        last = await system.get_actor(next(iter(left)))
        await last.stop()
        await ref.join()
        error = await outcome(ref.ask(Job()))
        assert not system.cells
        return gone, left, error

    gone, left, error = world.run(body)
    assert {gone, *left} == set(paths("/pool", 2))
    assert isinstance(error, ActorStopped)
    assert "its last worker stopped" in str(error)


def test_what_waits_when_the_last_worker_stops_is_refused(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(pool(lambda: Worker(log), 1), "pool")
        slow = begin(ref.ask(Job(5.0)))
        await until(lambda: log.running == 1)
        waiting = [begin(ref.ask(Job())) for _ in range(3)]
        await asyncio.sleep(0.0)
        worker: ActorRef[Any] = await system.get_actor("/pool/1")
        await worker.stop("current")
        await ref.join()
        return await slow, [await outcome(each) for each in waiting]

    slow, waiting = world.run(body)
    assert slow == "/pool/1"
    assert all(isinstance(each, ActorStopped) for each in waiting)


@pytest.mark.parametrize("directive", [Directive.RESUME, Directive.STOP])
def test_the_strategy_given_decides_about_workers(world: World, directive: Directive) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        strategy = OneForOneStrategy(decider=lambda _error: directive)
        described = pool(lambda: Worker(log), 2, strategy=strategy)
        ref = await system.spawn(described, "pool")
        assert isinstance(await outcome(ref.ask(Job(0.0, "fail"))), ValueError)
        await asyncio.sleep(1.0)
        return {await ref.ask(Job()) for _ in range(4)}

    got = world.run(body)
    assert len(got) == (2 if directive is Directive.RESUME else 1)
    assert log.events.count("made") == 2


def test_escalation_fails_the_pool_which_restarts_with_new_workers(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        strategy = OneForOneStrategy(decider=lambda _error: Directive.ESCALATE)
        ref = await system.spawn(pool(lambda: Worker(log), 2, strategy=strategy), "pool")
        slow = begin(ref.ask(Job(5.0)))
        await until(lambda: log.running == 1)
        assert isinstance(await outcome(ref.ask(Job(0.0, "fail"))), ValueError)
        new = begin(ref.ask(Job(1.0)))
        return await slow, await new, await ref.ask(Job())

    for got in world.run(body):
        assert got in paths("/pool", 2)
    assert log.events.count("made") == 4


def test_its_own_supervisor_restarts_a_pool(world: World) -> None:
    log = Log()

    class Sibling(Actor[Job]):
        @handler
        async def job(self, message: Job) -> None:
            raise ValueError

    class Parent(Actor[Job]):
        @override
        def supervisor_strategy(self) -> AllForOneStrategy:
            return AllForOneStrategy()

        @override
        async def on_started(self) -> None:
            self.sibling = await self.spawn(Sibling, "sibling")
            self.pool = await self.spawn(pool(lambda: Worker(log), 2), "pool")

        @handler
        async def job(self, message: Job) -> Any:
            return await (self.pool if message.what is None else self.sibling).ask(
                Job(message.seconds)
            )

    async def body(system: ActorSystem) -> Any:
        parent = await system.spawn(Parent, "parent", reentrant=True)
        slow = begin(parent.ask(Job(5.0)))
        await until(lambda: log.running == 1)
        await outcome(parent.ask(Job(0.0, "fail")))
        got = await slow
        return got, await parent.ask(Job())

    for got in world.run(body):
        assert got in paths("/parent/pool", 2)


def test_a_worker_can_be_told_and_asked_directly(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(pool(lambda: Worker(log), 2), "pool")
        one: ActorRef[Any] = await system.get_actor("/pool/1")

        async def kind(worker: Worker) -> Any:
            return worker.context.message.kind

        for _ in range(3):
            await one.tell(Job(1.0))
        got = await asyncio.gather(
            one.ask(Job(1.0, kind)), one.ask_nowait(Job()), *[ref.ask(Job(1.0)) for _ in range(6)]
        )
        await until(lambda: log.running == 0)
        # Both are of use to the pool again.
        both = await asyncio.gather(ref.ask(Job(5.0)), ref.ask(Job(5.0)))
        return got, both, await system.run_free(one.free_ask(Job()))

    got, both, free = world.run(body)
    assert got[:2] == ["ask", "/pool/1"]
    assert sorted(both) == paths("/pool", 2)
    assert free == "/pool/1"
    assert log.peak == 2


def test_a_worker_that_fails_to_start_fails_the_spawn_and_leaves_nothing(world: World) -> None:
    log = Log()

    class Lame(Worker):
        @override
        async def on_started(self) -> None:
            await super().on_started()
            if self.log.events.count("made") == 3:
                raise ValueError("lame")

    async def body(system: ActorSystem) -> Any:
        error = await outcome(system.spawn(pool(lambda: Lame(log), 3), "pool"))
        assert not system.cells
        good = await system.spawn(pool(lambda: Worker(Log()), 1), "pool")
        return error, await good.ask(Job())

    error, good = world.run(body)
    assert isinstance(error, ValueError)
    assert good == "/pool/1"
    assert [e for e in log.events if e.startswith("stopped")] == [
        "stopped /pool/1",
        "stopped /pool/2",
    ]


def test_a_worker_that_cannot_be_made_fails_the_spawn(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        def bad() -> Worker:
            raise KeyError("bad")

        error = await outcome(system.spawn(pool(bad, 3), "pool"))
        assert not system.cells
        return error

    assert isinstance(world.run(body), KeyError)


@pytest.mark.parametrize("mode", ["graceful", "current", "now"])
def test_a_pool_stops_in_every_manner(world: World, mode: Any) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(pool(lambda: Worker(log), 2), "pool")
        asks = [begin(ref.ask(Job(100.0))) for _ in range(2)]
        await until(lambda: log.running == 2)
        asks += [begin(ref.ask(Job(0.0))) for _ in range(2)]
        await asyncio.sleep(0.0)
        began = asyncio.get_running_loop().time()
        await ref.stop(mode)
        await ref.join()
        took = asyncio.get_running_loop().time() - began
        return took, [await outcome(ask) for ask in asks]

    took, got = world.run(body)
    done = {"graceful": 4, "current": 2, "now": 0}[mode]
    assert sum(isinstance(each, str) for each in got) == done
    assert sum(isinstance(each, ActorStopped) for each in got) == 4 - done
    assert (took < 1) == (mode == "now")
    for path in paths("/pool", 2):
        assert log.events.count(f"stopped {path}") == 1


@pytest.mark.parametrize("first", ["graceful", "current"])
def test_a_second_stop_now_cuts_the_workers_short(world: World, first: Any) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(pool(lambda: Worker(log), 2), "pool")
        asks = [begin(ref.ask(Job(1000.0))) for _ in range(2)]
        await until(lambda: log.running == 2)
        await ref.stop(first)
        await asyncio.sleep(1.0)
        began = asyncio.get_running_loop().time()
        await ref.stop("now")
        await ref.join()
        took = asyncio.get_running_loop().time() - began
        return took, [await outcome(ask) for ask in asks]

    took, got = world.run(body)
    assert took < 1
    assert all(isinstance(each, ActorStopped) for each in got)
    for path in paths("/pool", 2):
        assert log.events.count(f"stopped {path}") == 1


@pytest.mark.parametrize("overflow", ["block", "reject"])
def test_a_bounded_mailbox_stands_before_all_workers(world: World, overflow: Any) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        mailbox = MemoryMailbox(1, overflow=overflow)
        ref = await system.spawn(pool(lambda: Worker(log), 2), "pool", mailbox=mailbox)
        asks = [begin(ref.ask(Job(50.0)))]
        await until(lambda: log.running == 1)
        asks += [begin(ref.ask(Job(50.0)))]
        await until(lambda: log.running == 2)
        asks += [begin(ref.ask(Job(5.0))) for _ in range(3)]
        return [await outcome(ask) for ask in asks]

    got = world.run(body)
    full = 0 if overflow == "block" else 2
    assert sum(isinstance(each, MailboxFull) for each in got) == full
    assert sum(isinstance(each, str) for each in got) == 5 - full


def test_the_workers_handlers_say_how_urgent_a_message_is(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> None:
        mailbox = MemoryMailbox(order="priority")
        ref = await system.spawn(pool(lambda: Worker(log), 1), "pool", mailbox=mailbox)
        asks = [begin(ref.ask(Job(5.0)))]
        await until(lambda: log.running == 1)

        async def note(_worker: Worker) -> None:
            log.events.append("job")

        asks += [begin(ref.ask(Job(0.0, note))), begin(ref.ask(Urgent()))]
        await asyncio.gather(*asks)

    world.run(body)
    assert log.events.index("urgent") < log.events.index("job")


def test_workers_may_read_the_envelope(world: World) -> None:
    class Reader(Actor[Job]):
        @handler
        async def job(self, message: Job) -> Any:
            await asyncio.sleep(message.seconds)
            return self.context.message.headers["n"], self.context.self_ref.path

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(pool(Reader, 2), "pool")
        return await asyncio.gather(
            *[ref.ask(Job(2.0 - n), options=SendOptions(headers={"n": n})) for n in range(2)]
        )

    got = world.run(body)
    assert [n for n, _path in got] == [0, 1]
    assert sorted(path for _n, path in got) == paths("/pool", 2)


@pytest.mark.parametrize("policy", [AfterMessage(Job(0.0)), AfterIdle(20.0)])
def test_a_stop_policy_of_the_workers_is_the_pool_s(world: World, policy: StopPolicy) -> None:
    log = Log()

    class Once(Worker):
        @override
        def stop_policy(self) -> StopPolicy:
            return policy

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(pool(lambda: Once(log), 2), "pool")
        slow = begin(ref.ask(Job(30.0)))
        await until(lambda: log.running == 1)
        assert ref.is_alive
        await ref.ask(Job(0.0))
        got = await slow
        await ref.join()
        assert not system.cells
        return got

    assert world.run(body) in paths("/pool", 2)
    for path in paths("/pool", 2):
        assert log.events.count(f"stopped {path}") == 1


def test_all_workers_that_ask_their_own_pool_are_a_deadlock(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(pool(lambda: Worker(log), 2), "pool")

        async def again(_worker: Worker) -> Any:
            await until(lambda: log.running == 2)
            await asyncio.sleep(5.0)
            return await ref.ask(Job())

        return await asyncio.gather(
            ref.ask(Job(0.0, again)), ref.ask(Job(0.0, again)), return_exceptions=True
        )

    got = world.run(body)
    assert sorted(type(each).__name__ for each in got) == ["Deadlock", "str"]
    assert any(isinstance(each, Deadlock) and "/sim/pool" in str(each) for each in got)


def test_listeners_hear_of_the_pool_and_its_workers(world: World) -> None:
    heard: list[Any] = []

    async def body(system: ActorSystem) -> None:
        with system.events.subscribe(heard.append):
            ref = await system.spawn(pool(lambda: Worker(Log()), 2), "pool")
            await ref.ask(Job())
            await ref.stop()
            await ref.join()

    world.run(body)
    for kind in (events.Started, events.Stopped):
        assert sorted(each.target for each in heard if type(each) is kind) == [
            "/pool",
            *paths("/pool", 2),
        ]


def test_pools_of_blocking_workers_use_a_dispatcher(world: World) -> None:
    class Blocking(Actor[Job]):
        @handler
        def job(self, message: Job) -> str:
            return self.context.self_ref.path

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(pool(Blocking, 2), "pool", dispatcher="thread")
        got = await asyncio.gather(*[ref.ask(Job()) for _ in range(8)])
        with pytest.raises(TypeError, match="Worker has only `async def` handlers"):
            await system.spawn(pool(Loopy, 2), "bad", dispatcher="thread")
        return got

    class Loopy(Actor[Job]):
        @handler
        async def job(self, message: Job) -> None: ...

    Loopy.__name__ = "Worker"
    assert set(world.run(body)) <= set(paths("/pool", 2))


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ((Worker(Log()), 2), TypeError, "pool: worker must be a class"),
        ((Worker, 0), ValueError, "pool: size must be at least 1, got 0"),
        ((Worker, "2"), TypeError, "pool: size must be a whole number, got '2'"),
        ((Worker, True), TypeError, "pool: size must be a whole number, got True"),
        ((Worker, 2, "x"), TypeError, "pool: strategy must be"),
    ],
)
def test_wrong_arguments_are_refused(
    wrong: tuple[Any, ...], error: type[Exception], text: str
) -> None:
    worker, size, *rest = wrong
    with pytest.raises(error, match=text):
        pool(worker, size, strategy=rest[0] if rest else None)


@pytest.mark.parametrize("how", [{"reentrant": True}, {"concurrency": 2}])
def test_a_pool_s_workers_do_not_overlap_with_themselves(how: dict[str, Any]) -> None:
    class Wide(Actor[Job], reentrant=True):
        @override
        def on_receive(self, message: Job) -> None: ...

    async def main() -> None:
        async with ActorSystem() as system:
            with pytest.raises(ValueError, match="one message at a time each; leave reentrant"):
                await system.spawn(pool(lambda: Worker(Log()), 2), **how)
            with pytest.raises(ValueError, match="Wide lets its handlers overlap"):
                await system.spawn(pool(Wide, 2))
            assert not system.cells

    asyncio.run(main())


def test_in_every_order_a_pool_loses_nothing() -> None:
    async def scenario(sim: Simulation) -> None:
        log = Log()
        ref = sim.spawn(pool(lambda: Worker(log), 2), "pool")
        asks = [begin(ref.ask(Job(0.1 * n))) for n in range(3)]
        asks += [begin(ref.ask(Job(0.1, "fail"))), begin(ref.ask(Job(0.0, "stop")))]
        got = [await outcome(ask) for ask in asks]
        assert sum(isinstance(each, str) for each in got) == 4
        await ref.stop()
        await ref.join()
        assert not sim.system.cells

    verdict = explore(scenario, schedules=200)
    assert verdict.ok, verdict.failure and verdict.failure.explain()


def test_in_every_order_a_crash_of_a_worker_or_the_pool_completes_every_ask() -> None:
    async def scenario(sim: Simulation, whole: bool) -> None:
        log = Log()
        ref = sim.spawn(pool(lambda: Worker(log), 2), "pool")
        asks = [begin(ref.ask(Job(5.0))) for _ in range(4)]
        await until(lambda: log.running == 2)
        one: ActorRef[Any] = await sim.system.get_actor("/pool/1")
        sim.crash(ref if whole else one)
        got = [await outcome(ask) for ask in asks]
        crashed = [each for each in got if isinstance(each, ActorStopped)]
        assert len(crashed) == (4 if whole else 1), got

    for whole in (True, False):

        async def run(sim: Simulation, whole: bool = whole) -> None:
            await scenario(sim, whole)

        verdict = explore(run, schedules=100, time="latency")
        assert verdict.ok, verdict.failure and verdict.failure.explain()
