"""Handlers of one actor that overlap: `reentrant=True` and `concurrency=n`."""

from __future__ import annotations

import asyncio
import contextvars
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from effactor import (
    Actor,
    ActorRef,
    ActorStopped,
    AfterMessage,
    AskCancelled,
    AskTimeout,
    CancellationToken,
    Deadlock,
    Directive,
    Do,
    MailboxFull,
    MemoryMailbox,
    Message,
    Middleware,
    OneForOneStrategy,
    SendOptions,
    State,
    StopPolicy,
    Terminated,
    become,
    events,
    free_ask,
    free_sleep,
    free_spawn,
    free_watch,
    gather,
    handler,
    program,
    pure,
    stash,
    unstash_all,
)
from effactor.interpreters import ActorSystem, explore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from worlds import World

    from effactor import AskFailed, Program
    from effactor.interpreters import Simulation


@dataclass(frozen=True)
class Nap(Message[Any]):
    """Sleep so many seconds, and answer `name`."""

    seconds: float
    name: Any = None


@dataclass(frozen=True)
class Fail(Message[Any]):
    """Raise ValueError, after so many seconds."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Again(Message[Any]):
    """Ask oneself, after so many seconds, so many times nested."""

    seconds: float = 0.0
    depth: int = 1


@dataclass(frozen=True)
class Run(Message[Any]):
    """Await `what(actor)`."""

    what: Any


@dataclass(frozen=True)
class Perform(Message[Any]):
    """Run the program `what(actor)`."""

    what: Any


@dataclass(frozen=True)
class Count(Message[int]):
    """Answer how many handlers run."""


class Log:
    """What happened to actors, outside of them."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.running = 0
        self.peak = 0

    def __call__(self, what: Any) -> None:
        self.events.append(what)


class Hub(Actor[Any]):
    """Does what its messages say; each instance has a number."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.number = sum(event == "made" for event in log.events) + 1
        log("made")

    @override
    def on_started(self) -> None:
        self.log(f"started {self.number}")

    @override
    def on_stopped(self) -> None:
        assert self.log.running == 0
        self.log(f"stopped {self.number}")

    def enter(self) -> None:
        self.log.running += 1
        self.log.peak = max(self.log.peak, self.log.running)

    @handler
    async def nap(self, message: Nap) -> Any:
        self.enter()
        self.log(f"begin {message.name}")
        try:
            await asyncio.sleep(message.seconds)
            return message.name, self.number
        finally:
            self.log.running -= 1
            self.log(f"end {message.name}")

    @handler
    async def fail(self, message: Fail) -> Any:
        self.enter()
        try:
            await asyncio.sleep(message.seconds)
            raise ValueError("boom")
        finally:
            self.log.running -= 1

    @handler
    async def again(self, message: Again) -> Any:
        self.enter()
        try:
            await asyncio.sleep(message.seconds)
            if not message.depth:
                return self.number
            return await self.context.self_ref.ask(Again(message.seconds, message.depth - 1))
        finally:
            self.log.running -= 1

    @handler
    async def run(self, message: Run) -> Any:
        return await message.what(self)

    @handler
    def do(self, message: Perform) -> Any:
        return message.what(self)

    @handler
    def count(self, message: Count) -> int:
        return self.log.running

    @handler
    def gone(self, message: Terminated) -> None:
        self.log(message)


async def after(seconds: float, coroutine: Any) -> Any:
    await asyncio.sleep(seconds)
    return await coroutine


def begin(coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.ensure_future(coroutine)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(condition)


async def outcome(ask: Awaitable[Any]) -> Any:
    try:
        return await ask
    except Exception as error:  # whatever it is, the test looks at it
        return error


# ------------------------------------------------------------ overlap


@pytest.mark.parametrize("how", [{"reentrant": True}, {"concurrency": 3}, {"concurrency": 1}, {}])
def test_handlers_overlap_as_far_as_declared_and_never_more(
    world: World, how: dict[str, Any]
) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(log), "hub", **how)
        loop = asyncio.get_running_loop()
        began = loop.time()
        naps = [ref.ask(Nap(1.0, n)) for n in range(6)]
        assert await asyncio.gather(*naps) == [(n, 1) for n in range(6)]
        return loop.time() - began

    took = world.run(body)
    at_once = {"reentrant": 6, "concurrency": how.get("concurrency", 1)}[
        next(iter(how), "concurrency")
    ]
    assert log.peak == at_once
    assert took == pytest.approx(6 / at_once, abs=0.5)
    assert log.events.count("made") == 1


def test_messages_of_one_sender_begin_in_the_order_they_were_sent(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(lambda: Hub(log), concurrency=2)
        for n in range(20):
            await ref.tell(Nap(n % 3, n))
        await ref.stop()
        await ref.join()

    world.run(body)
    assert [e for e in log.events if e.startswith("begin")] == [f"begin {n}" for n in range(20)]


@pytest.mark.parametrize("depth", [1, 5, 40])
def test_a_reentrant_actor_may_ask_itself(world: World, depth: int) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(Log()), reentrant=True)
        return await ref.ask(Again(0.1, depth))

    assert world.run(body) == 1


def test_a_reentrant_actor_may_ask_itself_in_a_program(world: World) -> None:
    def twice(hub: Hub) -> Program[Any, AskFailed]:
        me = hub.context.self_ref
        return gather([free_ask(me, Nap(1.0, "a")), free_ask(me, Nap(1.0, "b"))])

    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(lambda: Hub(Log()), concurrency=3)
        return await ref.ask(Perform(twice))

    assert world.run(body) == (("a", 1), ("b", 1)) or world.run(body) == [("a", 1), ("b", 1)]


@dataclass(frozen=True)
class Via(Message[int]):
    path: tuple[ActorRef[Any], ...]


class Relay(Actor[Via]):
    @handler
    async def via(self, message: Via) -> int:
        if not message.path:
            return 0
        return 1 + await message.path[0].ask(Via(message.path[1:]))


def test_two_reentrant_actors_may_ask_each_other(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Relay, "a", reentrant=True)
        b = await system.spawn(Relay, "b", reentrant=True)
        crossing = [a.ask(Via((b, a, b, a))), b.ask(Via((a, b, a, b)))]
        return await asyncio.gather(*crossing)

    assert world.run(body) == [4, 4]


# ------------------------------------------------------------ declared by the class


class Wide(Hub, reentrant=True):
    pass


class Two(Hub, concurrency=2):
    pass


class Narrow(Wide, reentrant=False):
    pass


@pytest.mark.parametrize(
    ("kind", "how", "peak"),
    [
        (Wide, {}, 5),
        (Two, {}, 2),
        (Narrow, {}, 1),
        (Wide, {"concurrency": 3}, 3),
        (Wide, {"reentrant": False}, 1),
        (Two, {"concurrency": 1}, 1),
        (Two, {"reentrant": True}, 5),
        (Two, {"concurrency": None}, 2),
    ],
)
def test_a_class_declares_it_and_spawn_says_otherwise(
    world: World, kind: type[Hub], how: dict[str, Any], peak: int
) -> None:
    log = Log()

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(lambda: kind(log), **how)
        await asyncio.gather(*[ref.ask(Nap(1.0)) for _ in range(5)])

    world.run(body)
    assert log.peak == peak


def test_a_subclass_inherits_it() -> None:
    class Wider(Wide):
        pass

    assert Wider.__effactor_concurrency__ == Wide.__effactor_concurrency__ == float("inf")


@pytest.mark.parametrize(
    ("how", "error", "text"),
    [
        ({"concurrency": 0}, ValueError, "concurrency must be at least 1, got 0"),
        ({"concurrency": True}, TypeError, "concurrency must be a whole number, got True"),
        ({"concurrency": 1.5}, TypeError, "concurrency must be a whole number, got 1.5"),
        ({"reentrant": 1}, TypeError, "reentrant must be True or False, got 1"),
        ({"reentrant": True, "concurrency": 2}, ValueError, "contradicts concurrency=2"),
        ({"reentrant": False, "concurrency": 2}, ValueError, "contradicts concurrency=2"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(
    how: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=f"Bad: {text}|{text}"):
        type("Bad", (Actor,), {}, **how)

    async def main() -> None:
        async with ActorSystem() as system:
            with pytest.raises(error, match=f"spawn: .*{text}"):
                await system.spawn(Hub, **how)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    asyncio.run(main())


def test_a_started_instance_may_be_reentrant_too(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        log = Log()
        ref = await Hub(log).start(concurrency=2)
        other = await Wide(log).start()
        got = await asyncio.gather(ref.ask(Again(1.0)), other.ask(Again(1.0)))
        for each in (ref, other):
            await each.stop()
            await each.join()
        return got

    assert world.run(body) == [1, 2]


# ------------------------------------------------------------ deadlocks


def test_w33_asks_that_nobody_is_left_to_handle_are_a_deadlock(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(Log()), "hub", concurrency=2)
        return await outcome(ref.ask(Again(0.1, 2)))

    error = world.run(body)
    assert isinstance(error, Deadlock)
    assert "/sim/hub waits for /sim/hub (Again)" in str(error)
    assert "the end of one of its handlers" in str(error)
    assert "declare reentrant=True" in str(error)


def test_a_drain_ends_although_an_ask_that_was_given_up_still_waits(world: World) -> None:
    """Looking whether the system rests must leave the actor turns to take its mail."""

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(Log()), "hub", concurrency=2)
        assert isinstance(await outcome(ref.ask(Again(0.1, 2))), Deadlock)
        began = asyncio.get_running_loop().time()
        await system.shutdown("drain", timeout=10)
        return asyncio.get_running_loop().time() - began

    assert world.run(body) < 5


def test_both_handlers_of_two_may_not_ask_their_own_actor(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(Log()), "hub", concurrency=2)
        asks = [ref.ask(Again(1.0)), ref.ask(Again(1.0))]
        return await asyncio.gather(*asks, return_exceptions=True)

    got = world.run(body)
    # One of them is refused; then there is room for the other.
    assert sorted(type(each).__name__ for each in got) == ["Deadlock", "int"]


def test_a_full_actor_that_waits_for_another_is_no_deadlock(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(Log()), "hub", concurrency=2)
        asks = [ref.ask(Nap(5.0, "slow")), after(1.0, ref.ask(Again(0.0)))]
        return await asyncio.gather(*asks)

    assert world.run(body) == [("slow", 1), 1]


# ------------------------------------------------------------ failures


def test_only_the_ask_whose_handler_fails_fails(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(log), reentrant=True)
        slow = begin(ref.ask(Nap(5.0, "slow")))
        await asyncio.sleep(1.0)
        with pytest.raises(ValueError, match="boom"):
            await ref.ask(Fail())
        # It came after the failure: the new instance handles it.
        new = begin(ref.ask(Nap(1.0, "new")))
        await asyncio.sleep(1.0)
        assert "begin new" not in log.events
        got = await slow, await new
        await ref.stop()
        await ref.join()
        return got

    assert world.run(body) == (("slow", 1), ("new", 2))
    assert log.events == [
        *("made", "started 1", "begin slow", "end slow", "stopped 1", "made", "started 2"),
        *("begin new", "end new", "stopped 2"),
    ]


def test_two_failures_of_one_instance_are_one_restart(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(lambda: Hub(log), reentrant=True)
        failures = [begin(outcome(ref.ask(Fail(50.0 + n)))) for n in range(3)]
        await until(lambda: log.running == 3)
        await asyncio.gather(*failures)
        assert await ref.ask(Nap(0.0, "x")) == ("x", 2)

    world.run(body)
    assert log.events.count("made") == 2


def test_resume_leaves_the_instance_and_its_handlers_alone(world: World) -> None:
    log = Log()

    class Parent(Actor[Run]):
        @override
        def supervisor_strategy(self) -> OneForOneStrategy:
            return OneForOneStrategy(decider=lambda _error: Directive.RESUME)

        @override
        async def on_started(self) -> None:
            self.hub = await self.spawn(lambda: Hub(log), "hub", reentrant=True)

        @handler
        async def run(self, message: Run) -> Any:
            return await message.what(self)

    async def hub_of(parent: Parent) -> Any:
        return parent.hub

    async def body(system: ActorSystem) -> Any:
        parent = await system.spawn(Parent)
        hub = await parent.ask(Run(hub_of))
        slow = begin(hub.ask(Nap(2.0, "slow")))
        await asyncio.sleep(0.5)
        assert isinstance(await outcome(hub.ask(Fail())), ValueError)
        assert await hub.ask(Nap(0.0, "next")) == ("next", 1)
        return await slow

    assert world.run(body) == ("slow", 1)


@pytest.mark.parametrize("how", [{"reentrant": True}, {"concurrency": 3}])
def test_a_handler_that_asks_its_actor_during_a_restart_ends_well(
    world: World, how: dict[str, Any]
) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(log), **how)
        self_ask = begin(ref.ask(Again(2.0)))
        await asyncio.sleep(1.0)
        assert isinstance(await outcome(ref.ask(Fail())), ValueError)
        new = begin(ref.ask(Nap(0.0, "new")))
        return await self_ask, await new

    assert world.run(body) == (1, ("new", 2))


def test_tasks_of_a_handler_and_those_it_asks_may_ask_back_during_a_restart(world: World) -> None:
    log = Log()

    async def in_tasks(hub: Hub) -> Any:
        await asyncio.sleep(2.0)
        me = hub.context.self_ref
        return await asyncio.gather(me.ask(Nap(0.0, "a")), me.ask(Nap(0.0, "b")))

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(log), reentrant=True)
        other = await system.spawn(lambda: Hub(Log()), reentrant=True)

        async def there_and_back(_hub: Hub) -> Any:
            await asyncio.sleep(2.0)

            async def back(_other: Hub) -> Any:
                return await ref.ask(Nap(0.0, "back"))

            return await other.ask(Run(back))

        asks = [begin(ref.ask(Run(in_tasks))), begin(ref.ask(Run(there_and_back)))]
        await asyncio.sleep(1.0)
        assert isinstance(await outcome(ref.ask(Fail())), ValueError)
        loop = asyncio.get_running_loop()
        began = loop.time()
        got = await asyncio.gather(*asks)
        assert loop.time() - began < 5
        return got, await ref.ask(Nap(0.0, "new"))

    got, new = world.run(body)
    assert got == [[("a", 1), ("b", 1)], ("back", 1)]
    assert new == ("new", 2)


def test_a_restart_that_waits_for_long_keeps_no_mail_waiting(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(log), reentrant=True)
        slow = begin(ref.ask(Nap(100.0, "slow")))
        await asyncio.sleep(1.0)
        assert isinstance(await outcome(ref.ask(Fail())), ValueError)
        began = asyncio.get_running_loop().time()
        meanwhile = await ref.ask(Nap(0.0, "meanwhile"))
        took = asyncio.get_running_loop().time() - began
        return meanwhile, took, await slow, await ref.ask(Nap(0.0, "new"))

    meanwhile, took, slow, new = world.run(body)
    assert (meanwhile, slow, new) == (("meanwhile", 1), ("slow", 1), ("new", 2))
    assert took == pytest.approx(10.0, abs=0.5) or took < 10.5


# ------------------------------------------------------------ stops


@pytest.mark.parametrize("how", [{"reentrant": True}, {"concurrency": 2}])
def test_a_graceful_stop_handles_what_came_before_it(world: World, how: dict[str, Any]) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(log), **how)
        naps = [begin(ref.ask(Nap(5.0 - n, n))) for n in range(5)]
        await asyncio.sleep(0.5)
        await ref.stop()
        late = await outcome(ref.ask(Nap(0.0, "late")))
        await ref.join()
        return late, await asyncio.gather(*naps)

    late, naps = world.run(body)
    assert isinstance(late, ActorStopped)
    assert naps == [(n, 1) for n in range(5)]
    assert log.events[-1] == "stopped 1"


def test_a_stop_after_the_current_ones_refuses_what_waits(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(log), concurrency=2)
        naps = [begin(ref.ask(Nap(2.0, n))) for n in range(4)]
        await asyncio.sleep(1.0)
        await ref.stop("current")
        await ref.join()
        return [await outcome(nap) for nap in naps]

    got = world.run(body)
    assert sum(isinstance(each, tuple) for each in got) == 2
    assert sum(isinstance(each, ActorStopped) and not each.delivered for each in got) == 2
    assert log.events[-1] == "stopped 1"


@pytest.mark.parametrize("first", [None, "graceful", "current", "fail"])
def test_a_stop_now_cancels_every_handler(world: World, first: Any) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(log), concurrency=3)
        naps = [begin(ref.ask(Nap(1000.0, n))) for n in range(2)]
        await asyncio.sleep(1.0)
        if first == "fail":
            assert isinstance(await outcome(ref.ask(Fail())), ValueError)
        elif first is not None:
            await ref.stop(first)
        await asyncio.sleep(1.0)
        began = asyncio.get_running_loop().time()
        await ref.stop("now")
        await ref.join()
        took = asyncio.get_running_loop().time() - began
        return took, [await outcome(nap) for nap in naps]

    took, got = world.run(body)
    assert took < 1
    assert all(isinstance(each, ActorStopped) and each.delivered for each in got)
    assert log.events[-3:] in (
        ["end 0", "end 1", "stopped 1"],
        ["end 1", "end 0", "stopped 1"],
    )


@pytest.mark.parametrize("mode", ["drain", "after_current", "now"])
def test_shutdown_ends_actors_whose_handlers_overlap(world: World, mode: Any) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(log), concurrency=3)
        asks = [begin(ref.ask(m)) for m in (Nap(20.0, "a"), Nap(30.0, "b"), Again(20.0))]
        await until(lambda: log.running == 3)
        more = [begin(ref.ask(Nap(1.0, n))) for n in range(3)]
        await asyncio.sleep(0.0)
        await system.shutdown(mode, timeout=None)
        return [await outcome(ask) for ask in (*asks, *more)]

    got = world.run(body)
    assert log.events[-1] == "stopped 1"
    if mode == "drain":
        assert got[:2] == [("a", 1), ("b", 1)]
        assert got[3:] == [(n, 1) for n in range(3)]
        assert got[2] == 1
    elif mode == "after_current":
        assert got[:2] == [("a", 1), ("b", 1)]
        assert all(isinstance(each, ActorStopped) for each in got[2:])
    else:
        assert all(isinstance(each, ActorStopped) for each in got)


def test_a_shutdown_in_a_handler_s_gather_is_an_error(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(Log()), reentrant=True)

        async def shut(_hub: Hub) -> Any:
            await asyncio.gather(system.shutdown())

        return await outcome(ref.ask(Run(shut)))

    error = world.run(body)
    assert isinstance(error, RuntimeError)
    assert "shutdown waits for all handlers" in str(error)


def test_what_ignores_its_end_is_left_behind(world: World) -> None:
    ended = list[str]()

    class Stubborn(Actor[Nap]):
        @handler
        async def nap(self, message: Nap) -> Any:
            try:
                while True:
                    try:
                        await asyncio.sleep(message.seconds)
                    except asyncio.CancelledError:
                        ended.append("ignored")
            finally:
                ended.append("closed")

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Stubborn, reentrant=True)
        asks = [begin(ref.ask(Nap(1000.0))) for _ in range(3)]
        await asyncio.sleep(0.5)
        await system.shutdown("now", timeout=1.0)
        assert not system.cells
        return [await outcome(ask) for ask in asks]

    got = world.run(body)
    assert all(isinstance(each, ActorStopped) and each.delivered for each in got), got
    assert ended.count("closed") == 3


def test_a_handler_may_stop_its_own_actor(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(log), reentrant=True)
        slow = begin(ref.ask(Nap(3.0, "slow")))
        await asyncio.sleep(1.0)

        async def stop(hub: Hub) -> None:
            await hub.context.stop_self()

        await ref.ask(Run(stop))
        await ref.join()
        return await slow

    assert world.run(body) == ("slow", 1)
    assert log.events[-1] == "stopped 1"


def test_a_handler_must_not_join_its_own_actor(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(Log()), reentrant=True)

        async def join(_hub: Hub) -> None:
            await ref.join()

        return await outcome(ref.ask(Run(join)))

    assert isinstance(world.run(body), Deadlock)


def test_a_stop_policy_lets_the_other_handlers_end(world: World) -> None:
    class Last(Hub):
        @override
        def stop_policy(self) -> StopPolicy:
            return AfterMessage(Nap(0.0, "quick"))

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Last(Log()), reentrant=True)
        slow = begin(ref.ask(Nap(3.0, "slow")))
        await asyncio.sleep(1.0)
        assert await ref.ask(Nap(0.0, "quick")) == ("quick", 1)
        await ref.join()
        return await slow

    assert world.run(body) == ("slow", 1)


# ------------------------------------------------------------ what a handler can do


def test_each_handler_sees_its_own_message(world: World) -> None:
    class Reader(Actor[Nap]):
        @handler
        async def nap(self, message: Nap) -> Any:
            before = self.context.message.headers["n"]
            await asyncio.sleep(message.seconds)
            return before, self.context.message.headers["n"]

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Reader, reentrant=True)
        asks = [ref.ask(Nap(3.0 - n), options=SendOptions(headers={"n": n})) for n in range(3)]
        return await asyncio.gather(*asks)

    assert world.run(body) == [(0, 0), (1, 1), (2, 2)]


def test_each_handler_has_context_variables_of_its_own(world: World) -> None:
    variable = contextvars.ContextVar[Any]("variable", default=None)

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(Log()), reentrant=True)

        def setting(n: int) -> Any:
            async def work(_hub: Hub) -> Any:
                variable.set(n)
                await asyncio.sleep(3.0 - n)
                return variable.get()

            return Run(work)

        return await asyncio.gather(*[ref.ask(setting(n)) for n in range(3)])

    assert world.run(body) == [0, 1, 2]


def test_children_belong_to_the_actor_and_end_with_it(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(Log()), "hub", reentrant=True)

        async def spawn(hub: Hub) -> Any:
            await asyncio.sleep(1.0)
            return await hub.context.spawn(Relay)

        def spawn_free(_hub: Hub) -> Any:
            return free_sleep(1.0).then(free_spawn(Relay, "free"))

        kids = await asyncio.gather(
            ref.ask(Run(spawn)), ref.ask(Run(spawn)), ref.ask(Perform(spawn_free))
        )

        async def names(hub: Hub) -> Any:
            return set(hub.context.children)

        assert {kid.name for kid in kids} == await ref.ask(Run(names))
        assert all(kid.path.startswith("/hub/") for kid in kids)
        await ref.stop()
        await ref.join()
        return [kid.is_alive for kid in kids]

    assert world.run(body) == [False] * 3


def test_stash_and_unstash_keep_the_order_and_the_limit(world: World) -> None:
    class Gate(Actor[Any]):
        def __init__(self) -> None:
            self.open = False
            self.running = self.peak = 0
            self.began: list[Any] = []

        @handler
        def nap(self, message: Nap) -> Any:
            return self.work(message) if self.open else stash()

        async def work(self, message: Nap) -> Any:
            self.running += 1
            self.peak = max(self.peak, self.running)
            self.began.append(message.name)
            await asyncio.sleep(message.seconds)
            self.running -= 1
            return message.name

        @handler
        @program
        def again(self, message: Again) -> Do[Any]:
            self.open = True
            yield from unstash_all()
            yield from free_sleep(message.seconds)
            return self.peak

        @handler
        def count(self, message: Count) -> int:
            return self.peak

    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(Gate, "gate", concurrency=2)
        naps = [begin(ref.ask(Nap(1.0, n))) for n in range(5)]
        await asyncio.sleep(1.0)
        # Its own handler goes on while what it has put back is handled.
        assert await ref.ask(Again(1.5)) == 1
        assert await asyncio.gather(*naps) == list(range(5))
        return await ref.ask(Count())

    assert world.run(body) == 2


def test_what_is_stashed_outlives_a_restart_and_not_a_stop(world: World) -> None:
    class Keeper(Actor[Any]):
        keeps = True

        @handler
        def nap(self, message: Nap) -> Any:
            return stash() if Keeper.keeps else pure(message.name)

        @handler
        async def fail(self, message: Fail) -> Any:
            Keeper.keeps = message.seconds > 0
            raise ValueError

    async def body(system: ActorSystem) -> Any:
        Keeper.keeps = True
        ref: ActorRef[Any] = await system.spawn(Keeper, reentrant=True)
        nap = begin(ref.ask(Nap(0.0, "kept")))
        await asyncio.sleep(1.0)
        assert isinstance(await outcome(ref.ask(Fail())), ValueError)
        first = await nap
        Keeper.keeps = True
        nap = begin(ref.ask(Nap(0.0, "lost")))
        await asyncio.sleep(1.0)
        await ref.stop()
        return first, await outcome(nap)

    first, second = world.run(body)
    assert first == "kept"
    assert isinstance(second, ActorStopped)


def test_become_counts_from_the_next_message_on(world: World) -> None:
    class Switch(Actor[Any]):
        @handler
        async def nap(self, message: Nap) -> Any:
            await asyncio.sleep(message.seconds)
            return "old"

        def new(self, message: Nap | Perform) -> Any:
            return "new"

        @handler
        def do(self, message: Perform) -> Any:
            return become(self.new)

        @handler
        async def run(self, message: Run) -> Any:
            self.context.become(self.new)

    async def body(system: ActorSystem) -> Any:
        got: list[Any] = []
        for change in (Perform(None), Run(None)):
            ref: ActorRef[Any] = await system.spawn(Switch, reentrant=True)
            slow = begin(ref.ask(Nap(2.0)))
            await asyncio.sleep(1.0)
            await ref.ask(change)
            got += [await ref.ask(Nap(0.0)), await slow]
        return got

    assert world.run(body) == ["new", "old", "new", "old"]


def test_watch_and_timers_and_state_are_the_actor_s(world: World) -> None:
    counter = State("counter", 0, per="actor")
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(lambda: Hub(log), "hub", reentrant=True)
        kids = [await system.spawn(Relay, name) for name in ("a", "b")]

        async def watch(hub: Hub) -> None:
            hub.context.watch(kids[0])

        await ref.ask(Run(watch))

        def watch_free(_hub: Hub) -> Any:
            return free_watch(kids[1])

        await ref.ask(Perform(watch_free))
        for kid in kids:
            await kid.stop()
            await kid.join()
        await asyncio.sleep(1.0)
        gone = {event.ref.name for event in log.events if isinstance(event, Terminated)}

        async def repeat(hub: Hub) -> None:
            hub.context.every(1.0, Nap(0.0, "tick"))
            hub.context.schedule_once(0.5, Nap(0.0, "once"))

        await ref.ask(Run(repeat))
        await asyncio.sleep(3.25)
        ticks = log.events.count("begin tick"), log.events.count("begin once")

        def count(_hub: Hub) -> Any:
            return counter.modify(lambda n: n + 1).then(free_sleep(1.0)).then(counter.get())

        states = await asyncio.gather(*[ref.ask(Perform(count)) for _ in range(3)])
        await ref.stop()
        await ref.join()
        after = log.events.count("begin tick")
        await asyncio.sleep(5.0)
        assert log.events.count("begin tick") == after
        return gone, ticks, states

    gone, ticks, states = world.run(body)
    assert gone == {"a", "b"}
    assert ticks == (3, 1)
    assert states[-1] == 3


# ------------------------------------------------------------ time and cancellation


def test_a_timed_out_ask_leaves_its_handler_and_the_others_alone(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(log), concurrency=2)
        impatient = begin(ref.ask(Nap(50.0, "long"), timeout=20.0))
        other = begin(ref.ask(Nap(60.0, "other")))
        await until(lambda: log.running == 2)
        waiting = begin(ref.ask(Nap(0.0, "waiting"), timeout=3.0))
        got = [await outcome(task) for task in (impatient, waiting, other)]
        await ref.stop()
        await ref.join()
        return got

    impatient, waiting, other = world.run(body)
    assert isinstance(impatient, AskTimeout)
    assert isinstance(waiting, AskTimeout)
    assert other == ("other", 1)
    assert "end long" in log.events
    assert "begin waiting" not in log.events


def test_a_token_cancels_just_the_handler_of_its_ask(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(log), reentrant=True)
        token = CancellationToken()
        cancelled = begin(ref.ask(Nap(1000.0, "c"), options=SendOptions(cancellation=token)))
        others = [begin(ref.ask(Nap(5.0, n))) for n in range(3)]
        await until(lambda: log.running == 4)
        token.cancel("enough")
        got = await outcome(cancelled)
        return got, await asyncio.gather(*others), await ref.ask(Nap(0.0, "next"))

    cancelled, others, following = world.run(body)
    assert isinstance(cancelled, AskCancelled)
    assert others == [(n, 1) for n in range(3)]
    assert following == ("next", 1)


def test_asyncio_timeouts_and_task_groups_of_several_handlers_do_not_mix(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Hub(Log()), reentrant=True)

        async def limited(_hub: Hub) -> Any:
            try:
                async with asyncio.timeout(2.0):
                    await asyncio.sleep(1000.0)
            except TimeoutError:
                return "late"

        async def group(hub: Hub) -> Any:
            async with asyncio.TaskGroup() as tasks:
                one = tasks.create_task(asyncio.sleep(3.0, "one"))
                two = tasks.create_task(hub.context.self_ref.ask(Nap(1.0, "two")))
            return one.result(), two.result()

        async def failing(_hub: Hub) -> Any:
            async def fail() -> None:
                raise ValueError

            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(asyncio.sleep(1000.0))
                    tasks.create_task(fail())
            except* ValueError:
                pass
            return "failed"

        asks = [ref.ask(Run(what)) for what in (limited, group, failing)]
        return await asyncio.gather(*asks, ref.ask(Nap(4.0, "nap")))

    got = world.run(body)
    assert got == ["late", ("one", ("two", 1)), "failed", ("nap", 1)]


# ------------------------------------------------------------ mailboxes, middleware, events


@pytest.mark.parametrize("overflow", ["block", "reject"])
def test_a_bounded_mailbox_holds_what_no_handler_has_taken(world: World, overflow: Any) -> None:
    log = Log()

    async def body(system: ActorSystem) -> Any:
        mailbox = MemoryMailbox(2, overflow=overflow)
        ref = await system.spawn(lambda: Hub(log), concurrency=2, mailbox=mailbox)
        first = [begin(ref.ask(Nap(5.0, n))) for n in range(2)]
        await until(lambda: log.running == 2)
        rest = [begin(ref.ask(Nap(1.0, n))) for n in range(2, 6)]
        got = await asyncio.gather(*first, *rest, return_exceptions=True)
        await ref.stop()
        await ref.join()
        return got

    got = world.run(body)
    assert got[:4] == [(n, 1) for n in range(4)]
    if overflow == "block":
        assert got[4:] == [(4, 1), (5, 1)]
    else:
        assert all(isinstance(each, MailboxFull) for each in got[4:])
    assert log.peak == 2


def test_the_most_urgent_message_is_next(world: World) -> None:
    log = Log()

    async def body(system: ActorSystem) -> None:
        mailbox = MemoryMailbox(order="priority")
        ref = await system.spawn(lambda: Hub(log), concurrency=2, mailbox=mailbox)
        first = [begin(ref.ask(Nap(5.0 + n, "first"))) for n in range(2)]
        await until(lambda: log.running == 2)
        rest = [begin(ref.ask(Nap(3.0, n), options=SendOptions(priority=n))) for n in (1, 3, 2)]
        await asyncio.gather(*first, *rest)

    world.run(body)
    begun = [event for event in log.events if str(event).startswith("begin ")]
    assert begun == ["begin first", "begin first", "begin 3", "begin 2", "begin 1"]


def test_middleware_and_listeners_see_each_message(world: World) -> None:
    class Before(Middleware):
        def __init__(self) -> None:
            self.seen: list[Any] = []

        @override
        async def on_receive(self, ctx: Any, message: Any, next_fn: Any) -> Any:
            self.seen.append(("in", message.name))
            answer = await next_fn(ctx, message)
            self.seen.append(("out", message.name))
            return answer

    middleware = Before()
    heard: list[Any] = []

    async def body(system: ActorSystem) -> None:
        with system.events.subscribe(heard.append, events.MessageEvent):
            ref = await system.spawn(
                lambda: Hub(Log()), "hub", reentrant=True, middlewares=[middleware]
            )
            await asyncio.gather(*[ref.ask(Nap(3.0 - n, n)) for n in range(3)])

    world.run(body)
    assert sorted(middleware.seen[:3]) == [("in", n) for n in range(3)]
    assert middleware.seen[3:] == [("out", n) for n in (2, 1, 0)]
    kinds: list[Any] = [type(each) for each in heard]
    for kind in (events.Sent, events.Delivered, events.Replied):
        assert kinds.count(kind) == 3
    spans = {each.span for each in heard}
    assert len(spans) == 3


def test_a_stream_of_replies_does_not_hold_up_other_handlers(world: World) -> None:
    class Source(Actor[Any]):
        @handler
        async def nap(self, message: Nap) -> AsyncIterator[int]:
            for n in range(3):
                await asyncio.sleep(message.seconds)
                yield n

        @handler
        async def run(self, message: Run) -> Any:
            return "meanwhile"

    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(Source, reentrant=True)
        items: list[Any] = []
        async for item in ref.ask_stream(Nap(1.0)):
            items += [item, await ref.ask(Run(None))]
        return items

    assert world.run(body) == [0, "meanwhile", 1, "meanwhile", 2, "meanwhile"]


def test_a_saved_state_is_between_messages(world: World) -> None:
    class Saving(Hub):
        @override
        def save_state(self) -> Any:
            assert self.log.running == 0
            return {"number": self.number}

        @override
        def load_state(self, state: Any) -> None:
            assert self.log.running == 0
            self.number = state["number"]

    log = Log()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: Saving(log), "hub", reentrant=True)
        naps = [begin(ref.ask(Nap(3.0, n))) for n in range(2)]
        await until(lambda: log.running == 2)
        saved = await system.save_state()
        naps.append(begin(ref.ask(Nap(3.0, 2))))
        await asyncio.sleep(1.0)
        await system.load_state({"/hub": {"number": 7}})
        return saved, await asyncio.gather(*naps), await ref.ask(Nap(0.0, "x"))

    saved, _naps, x = world.run(body)
    assert saved == {"/hub": {"number": 1}}
    assert x == ("x", 7)


def test_a_handler_that_tells_its_own_actor_for_ever_leaves_others_their_turn() -> None:
    class Busy(Actor[int]):
        seen = 0

        @override
        def on_receive(self, message: int) -> None:
            self.seen += 1
            if self.seen < 100_000:
                self.context.self_ref.tell_nowait(message)

    async def main() -> int:
        async with ActorSystem() as system:
            busy = await system.spawn(Busy, reentrant=True)
            await busy.tell(1)
            await asyncio.sleep(0.0)
            await asyncio.sleep(0.0)
            actor: Any = busy
            seen: int = actor._binding.actor.seen
            await system.shutdown("now")
            return seen

    assert asyncio.run(main()) < 100_000


def test_an_actor_at_work_is_not_looked_at_all_the_time_while_the_system_drains() -> None:
    async def main() -> int:
        turns = 0
        async with ActorSystem() as system:
            ref = await system.spawn(lambda: Hub(Log()), concurrency=2)
            naps = [begin(ref.ask(Nap(0.05))) for _ in range(6)]
            await asyncio.sleep(0.0)
            loop: Any = asyncio.get_running_loop()
            run_once = loop._run_once

            def counted() -> None:
                nonlocal turns
                turns += 1
                run_once()

            loop._run_once = counted
            await system.shutdown("drain")
            await asyncio.gather(*naps)
        return turns

    assert asyncio.run(main()) < 100


# ------------------------------------------------------------ in every order


def test_a_crash_ends_every_ask_and_runs_no_finally() -> None:
    async def crashing(sim: Simulation) -> None:
        log = Log()
        ref = sim.spawn(lambda: Hub(log), "hub", concurrency=3)
        naps = [begin(ref.ask(Nap(5.0, n))) for n in range(5)]
        await until(lambda: log.running == 3)
        sim.crash(ref)
        got = [await outcome(nap) for nap in naps]
        assert all(isinstance(each, ActorStopped) for each in got), got
        assert sum(each.delivered for each in got) == 3
        assert not [event for event in log.events if str(event).startswith(("end", "stopped"))]

    # On a network without bounds a nap may end before three have begun.
    verdict = explore(crashing, schedules=100, time="latency")
    assert verdict.ok, verdict.failure and verdict.failure.explain()


def test_in_every_order_no_message_is_lost_and_no_more_than_n_are_handled_at_once() -> None:
    async def scenario(sim: Simulation) -> None:
        log = Log()
        ref = sim.spawn(lambda: Hub(log), "hub", concurrency=2)
        sim.always(lambda: log.running <= 2, reads=(ref,), name="two at once")
        asks = [begin(ref.ask(Nap(0.1 * n, n))) for n in range(3)]
        asks += [begin(ref.ask(Fail(0.1))), begin(ref.ask(Nap(0.0, 3)))]
        got = [await outcome(ask) for ask in asks]
        assert [each[0] for each in got if isinstance(each, tuple)] == [0, 1, 2, 3]
        assert sum(isinstance(each, ValueError) for each in got) == 1
        await ref.stop()
        await ref.join()
        assert log.events.count("made") == log.events.count("stopped 1") + log.events.count(
            "stopped 2"
        )
        assert not sim.system.dead_letters

    verdict = explore(scenario, schedules=200)
    assert verdict.ok, verdict.failure and verdict.failure.explain()


def test_in_every_order_stops_restarts_and_self_asks_come_to_an_end() -> None:
    @program
    def asking(hub: Hub) -> Do[Any, AskFailed]:
        return (yield from free_ask(hub.context.self_ref, Nap(0.0, "inner")))

    async def scenario(sim: Simulation) -> None:
        log = Log()
        ref = sim.spawn(lambda: Hub(log), "hub", reentrant=True)
        asks = [
            begin(ref.ask(Again(0.1))),
            begin(ref.ask(Fail(0.05))),
            begin(ref.ask(Perform(asking))),
            begin(ref.ask(Nap(0.2, "n"))),
            begin(ref.ask(Fail(0.2))),
        ]
        await asyncio.sleep(0.1)
        await ref.stop()
        await asyncio.sleep(0.1)
        await ref.stop("now")
        await ref.join()
        for ask in asks:
            assert not isinstance(await outcome(ask), Deadlock)
        assert log.running == 0
        last = log.events.count("made")
        assert [log.events.count(f"stopped {n}") for n in range(1, last + 1)] == [1] * last

    verdict = explore(scenario, schedules=300)
    assert verdict.ok, verdict.failure and verdict.failure.explain()
