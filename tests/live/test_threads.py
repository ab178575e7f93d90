"""Actors and real threads: dispatchers at work, and ways in from other threads and loops."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override
from worlds import ImpatientLoop

from effactor import (
    Actor,
    ActorRef,
    ActorStopped,
    AskTimeout,
    EscapedEffect,
    MailboxFull,
    MemoryMailbox,
    Message,
    handler,
    pool,
    pure,
)
from effactor.events import Started
from effactor.interpreters import ActorSystem, VirtualActorRegistry, simulate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from effactor.interpreters import Simulation

PATIENCE = 20.0
"""Seconds until a test that hangs has failed."""


class Call(Message[Any]):
    """Call `what(actor)`."""

    def __init__(self, what: Callable[[Any], Any]) -> None:
        self.what = what


class Caller(Actor[Any]):
    """Calls what it is sent, and knows whether it overlaps."""

    def __init__(self) -> None:
        self.busy = threading.Lock()
        self.seen: list[Any] = []
        self.stopped = False

    @handler
    def call(self, message: Call) -> Any:
        assert self.busy.acquire(blocking=False)
        try:
            return message.what(self)
        finally:
            self.busy.release()

    @override
    def on_receive(self, message: Any) -> Any:
        self.seen.append(message)
        return message

    @override
    def on_stopped(self) -> None:
        assert self.busy.acquire(blocking=False)
        self.stopped = True


async def turns_until(condition: Callable[[], bool]) -> None:
    for _ in range(10_000_000):
        if condition():
            return
        await asyncio.sleep(0.0)
    raise AssertionError(condition)


async def in_thread(function: Callable[[], Any]) -> Any:
    return await asyncio.wait_for(asyncio.to_thread(function), PATIENCE)


def run(body: Callable[[ActorSystem], Awaitable[Any]], **options: Any) -> Any:
    async def main() -> Any:
        async with ActorSystem("sys", **options) as system:
            return await body(system)

    return asyncio.run(main())


# ------------------------------------------------------------ dispatchers


def test_handlers_run_in_threads_of_their_dispatcher_one_at_a_time() -> None:
    async def body(system: ActorSystem) -> Any:
        refs = [await system.spawn(Caller, dispatcher=name) for name in ("thread", "io", "own")]
        name = Call(lambda _actor: threading.current_thread().name)
        return [set(await asyncio.gather(*[ref.ask(name) for _ in range(20)])) for ref in refs]

    with ThreadPoolExecutor(1, "mine") as own:
        thread, io, mine = run(body, dispatchers={"io": 2, "own": own})
        assert all(name.startswith("effactor-thread") for name in thread)
        assert io <= {"effactor-io_0", "effactor-io_1"}
        assert mine == {"mine_0"}
        # The user's executor goes on; the system's own ended with it.
        assert own.submit(int).result(PATIENCE) == 0
    alive = [t for t in threading.enumerate() if t.name.startswith("effactor-")]
    for each in alive:
        each.join(PATIENCE)
        assert not each.is_alive()


def test_workers_of_a_pool_block_at_the_same_time() -> None:
    both = threading.Barrier(2)

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(pool(Caller, 2), dispatcher="thread")
        wait = Call(lambda _actor: both.wait(PATIENCE))
        return await asyncio.gather(ref.ask(wait), ref.ask(wait))

    assert sorted(run(body)) == [0, 1]


def test_the_loop_goes_on_while_a_handler_blocks() -> None:
    async def body(system: ActorSystem) -> Any:
        go = threading.Event()
        ref = await system.spawn(Caller, dispatcher="thread")
        other = await system.spawn(Caller)
        blocked = asyncio.ensure_future(ref.ask(Call(lambda _actor: go.wait(PATIENCE))))
        assert await other.ask("hello") == "hello"
        go.set()
        return await blocked

    assert run(body) is True


@pytest.mark.parametrize("overlapping", [False, True])
def test_a_stop_now_waits_for_the_thread(overlapping: bool) -> None:
    async def body(system: ActorSystem) -> Any:
        go, began = threading.Event(), threading.Event()
        actor = Caller()
        ref = await system.spawn(lambda: actor, dispatcher="thread", reentrant=overlapping)

        def block(_actor: Caller) -> Any:
            began.set()
            return go.wait(PATIENCE)

        blocked = asyncio.ensure_future(ref.ask(Call(block)))
        await in_thread(lambda: began.wait(PATIENCE))
        await ref.stop("now")
        for _ in range(20):
            await asyncio.sleep(0.0)
        assert not actor.stopped
        assert not blocked.done()
        go.set()
        await ref.join()
        assert actor.stopped
        with pytest.raises(ActorStopped):
            await blocked

    run(body)


def test_work_that_no_thread_has_taken_up_is_cancelled() -> None:
    async def body(system: ActorSystem) -> Any:
        go, began = threading.Event(), threading.Event()

        def block(_actor: Caller) -> Any:
            began.set()
            return go.wait(PATIENCE)

        one = await system.spawn(Caller, dispatcher="io")
        two = await system.spawn(Caller, dispatcher="io")
        blocked = asyncio.ensure_future(one.ask(Call(block)))
        await in_thread(lambda: began.wait(PATIENCE))
        waiting = asyncio.ensure_future(two.ask("never"))
        await asyncio.sleep(0.0)
        await two.stop("now")
        await two.join()
        with pytest.raises(ActorStopped):
            await waiting
        go.set()
        return await blocked

    assert run(body, dispatchers={"io": 1}) is True


def test_a_thread_that_does_not_end_is_said_and_never_runs_beside_on_stopped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    go, began = threading.Event(), threading.Event()
    actor = Caller()

    def block(_actor: Caller) -> Any:
        began.set()
        go.wait(PATIENCE)

    async def main() -> Any:
        async with ActorSystem("sys") as system:
            ref = await system.spawn(lambda: actor, "slow", dispatcher="thread")
            blocked = asyncio.ensure_future(ref.ask(Call(block)))
            # Not a wait of the loop's: its clock jumps while nothing is ready.
            await turns_until(began.is_set)
            await ref.stop("now")
            await asyncio.sleep(15.0)
            assert "still runs in a thread 10 s after it was cancelled" in caplog.text
            assert not actor.stopped
            await system.shutdown("now", timeout=1.0)
            with pytest.raises(ActorStopped):
                await blocked

    with caplog.at_level(logging.ERROR), asyncio.Runner(loop_factory=ImpatientLoop) as runner:
        runner.run(main())
    go.set()
    assert not actor.stopped
    assert "/sys/slow still runs in a thread of the dispatcher 'thread'" in caplog.text


# ------------------------------------------------------------ ways in from other threads


def test_w15_threads_and_other_loops_tell_and_ask() -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Caller)

        def fail(_actor: Caller) -> Any:
            raise ValueError("boom")

        async def other() -> Any:
            return await asyncio.wrap_future(ref.ask_threadsafe("other loop"))

        def thread() -> Any:
            ref.tell_threadsafe("told")
            got = ref.ask_threadsafe("asked").result(PATIENCE)
            error = ref.ask_threadsafe(Call(fail)).exception(PATIENCE)
            return got, type(error), asyncio.run(other())

        return await in_thread(thread)

    assert run(body) == ("asked", ValueError, "other loop")


def test_many_producers_lose_nothing_and_each_keeps_its_order() -> None:
    producers, messages = 8, 500

    async def body(system: ActorSystem) -> Any:
        actor = Caller()
        ref = await system.spawn(lambda: actor)

        def produce(number: int) -> None:
            for n in range(messages):
                ref.tell_threadsafe((number, n))
            ref.ask_threadsafe((number, messages)).result(PATIENCE)

        await asyncio.gather(*[in_thread(partial(produce, number)) for number in range(producers)])
        return actor.seen

    seen = run(body)
    assert len(seen) == producers * (messages + 1)
    for number in range(producers):
        assert [n for who, n in seen if who == number] == list(range(messages + 1))


def test_a_timeout_and_a_wrong_one() -> None:
    async def body(system: ActorSystem) -> Any:
        class Never(Actor[int]):
            @override
            async def on_receive(self, message: int) -> None:
                await asyncio.Event().wait()

        ref = await system.spawn(Never)

        def thread() -> Any:
            with pytest.raises(ValueError, match="ask_threadsafe: timeout must be"):
                ref.ask_threadsafe(1, timeout=-1.0)
            return ref.ask_threadsafe(1, timeout=0.01).exception(PATIENCE)

        got = await in_thread(thread)
        await ref.stop("now")
        return got

    assert isinstance(run(body), AskTimeout)


def test_to_cancel_the_future_is_to_withdraw_the_ask() -> None:
    async def body(system: ActorSystem) -> Any:
        go = asyncio.Event()
        seen: list[int] = []

        class Slow(Actor[int]):
            @override
            async def on_receive(self, message: int) -> None:
                seen.append(message)
                await go.wait()

        ref = await system.spawn(Slow)
        other = await system.spawn(Caller)

        def thread() -> Any:
            first, second, third = (ref.ask_threadsafe(n) for n in range(3))
            unheard = ref.ask_threadsafe(3)
            assert unheard.cancel()
            # From here on the others are in the mailbox.
            assert other.ask_threadsafe("x").result(PATIENCE) == "x"
            assert second.cancel()
            system.loop.call_soon_threadsafe(go.set)
            assert first.result(PATIENCE) is None
            assert third.result(PATIENCE) is None
            done, _ = concurrent.futures.wait([first, second, third, unheard], PATIENCE)
            return len(done), second.cancelled()

        got = await in_thread(thread)
        return got, seen

    assert run(body) == ((4, True), [0, 2])


def test_a_full_mailbox_is_the_asker_s_error_and_a_dead_letter_of_a_tell() -> None:
    async def body(system: ActorSystem) -> Any:
        go = asyncio.Event()

        class Slow(Actor[int]):
            @override
            async def on_receive(self, message: int) -> None:
                begun.append(message)
                await go.wait()

        begun: list[int] = []
        ref = await system.spawn(Slow, mailbox=MemoryMailbox(1, overflow="reject"))
        first = asyncio.ensure_future(ref.ask(0))
        await turns_until(lambda: bool(begun))
        await ref.tell(1)

        def thread() -> Any:
            error = ref.ask_threadsafe(2).exception(PATIENCE)
            ref.tell_threadsafe(3)
            return error

        error = await in_thread(thread)
        await asyncio.sleep(0.0)
        go.set()
        await first
        return error, [letter.message for letter in system.dead_letters]

    error, dead = run(body)
    assert isinstance(error, MailboxFull)
    assert dead == [3]


def test_after_a_shutdown_and_after_its_loop() -> None:
    refs: list[ActorRef[Any]] = []

    async def main() -> Any:
        async with ActorSystem("sys") as system:
            refs.append(await system.spawn(Caller))
        ref = refs[0]

        def thread() -> Any:
            ref.tell_threadsafe("late")
            return ref.ask_threadsafe("late").exception(PATIENCE)

        error = await in_thread(thread)
        return error, [letter.message for letter in system.dead_letters]

    error, dead = asyncio.run(main())
    assert isinstance(error, ActorStopped)
    assert dead == ["late"]
    for way in (refs[0].tell_threadsafe, refs[0].ask_threadsafe):
        with pytest.raises(ActorStopped, match="event loop of its system is closed"):
            way("later")


def test_an_ask_whose_loop_closes_before_it_is_heard_fails() -> None:
    loop = asyncio.new_event_loop()

    async def main() -> tuple[ActorSystem, ActorRef[Any]]:
        system = ActorSystem("sys")
        ref = await system.spawn(Caller)
        await system.shutdown()
        return system, ref

    system, ref = loop.run_until_complete(main())
    with ThreadPoolExecutor(1) as executor:
        promised = executor.submit(ref.ask_threadsafe, "unheard").result(PATIENCE)
        executor.submit(ref.tell_threadsafe, "untold").result(PATIENCE)
        assert not promised.done()
        loop.close()
        gc.collect()
        assert isinstance(promised.exception(PATIENCE), ActorStopped)
        assert [letter.message for letter in system.dead_letters] == ["untold"]


def test_on_its_own_thread_a_threadsafe_ask_is_an_error() -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Caller)
        with pytest.raises(RuntimeError, match=r"write await ref\.ask"):
            ref.ask_threadsafe(1)
        ref.tell_threadsafe(2)
        await asyncio.sleep(0.0)
        return await ref.ask(Call(lambda actor: list(actor.seen)))

    assert run(body) == [2]


# ------------------------------------------------------------ misuse


def test_w15_what_another_thread_or_loop_must_not_do_says_what_to_call() -> None:
    advice = r"tell_threadsafe.*ask_threadsafe"

    async def body(system: ActorSystem) -> Any:
        actor = Caller()
        ref = await system.spawn(lambda: actor)

        async def other() -> None:
            with pytest.raises(RuntimeError, match=advice):
                await ref.ask("ask")
            with pytest.raises(RuntimeError, match=advice):
                await ref.tell("tell")
            with pytest.raises(RuntimeError, match=advice):
                await system.spawn(Caller)
            with pytest.raises(RuntimeError, match=advice):
                await system.ask(ref, "ask")
            with pytest.raises(RuntimeError, match=advice):
                await ref.stop()

        def thread() -> None:
            with pytest.raises(RuntimeError, match=advice):
                ref.tell_nowait("tell_nowait")
            asyncio.run(other())

        await ref.tell("before")
        await asyncio.sleep(0.0)
        await in_thread(thread)
        assert await ref.ask("after") == "after"
        return actor.seen

    assert run(body) == ["before", "after"]


async def _items(stream: Any) -> list[Any]:
    return [item async for item in stream]


# Every public way that belongs to the loop: of the system, a ref, a context, the registry.
AWAITED: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "ref.ask": lambda t: t.ref.ask("x"),
    "ref.ask, timeout": lambda t: t.ref.ask("x", timeout=1.0),
    "ref.ask, busy": lambda t: t.busy.ask("x"),
    "ref.ask, equipped": lambda t: t.equipped.ask("x"),
    "ref.tell": lambda t: t.ref.tell("x"),
    "ref.tell, equipped": lambda t: t.equipped.tell("x"),
    "ref.stop": lambda t: t.ref.stop(),
    "ref.stop, now": lambda t: t.ref.stop("now"),
    "ref.stop, equipped": lambda t: t.equipped.stop(),
    "ref.join": lambda t: t.ref.join(),
    "ref.ask_stream": lambda t: _items(t.ref.ask_stream("x")),
    "ref.ask_stream, begun": lambda t: t.stream.__anext__(),
    "ref.ask_stream, left": lambda t: t.stream.aclose(),
    "system.spawn": lambda t: t.system.spawn(Caller),
    "system.spawn, name": lambda t: t.system.spawn(Caller, "name"),
    "system.ask": lambda t: t.system.ask(t.ref, "x"),
    "system.tell": lambda t: t.system.tell(t.ref, "x"),
    "system.stop": lambda t: t.system.stop(t.ref),
    "system.run_free": lambda t: t.system.run_free(pure(1)),
    "system.save_state": lambda t: t.system.save_state(),
    "system.load_state": lambda t: t.system.load_state({}),
    "system.shutdown": lambda t: t.system.shutdown(),
    "events.stream": lambda t: t.events.__anext__(),
    "context.spawn": lambda t: t.context.spawn(Caller),
    "context.ask": lambda t: t.context.ask(t.ref, "x"),
    "context.ask, child": lambda t: t.context.ask(Caller, "x"),
    "context.tell": lambda t: t.context.tell(t.ref, "x"),
    "context.tell, child": lambda t: t.context.tell(Caller, "x"),
    "context.sequence": lambda t: t.context.sequence([(t.ref, "x")]),
    "context.traverse": lambda t: t.context.traverse(["x"], t.ref),
    "context.race": lambda t: t.context.race([(t.ref, "x")]),
    "context.zip": lambda t: t.context.zip((t.ref, "x"), (t.ref, "x")),
    "context.stream": lambda t: _items(t.context.stream(t.ref, "x")),
    "context.stream, child": lambda t: _items(t.context.stream(Caller, "x")),
    "context.stop_self": lambda t: t.context.stop_self(),
    "context.run_free": lambda t: t.context.run_free(pure(1)),
    "self.ask": lambda t: t.actor.ask(t.ref, "x"),
    "self.tell": lambda t: t.actor.tell(t.ref, "x"),
    "self.spawn": lambda t: t.actor.spawn(Caller),
    "self.stop_self": lambda t: t.actor.stop_self(),
    "registry": lambda t: t.registry.ask(Caller, "new", "x"),
    "registry, active": lambda t: t.registry.ask(Caller, "active", "x"),
    "registry.deactivate": lambda t: t.registry.deactivate(Caller, "active"),
    "registry.deactivate_all": lambda t: t.registry.deactivate_all(),
}
CALLED: dict[str, Callable[[Any], Any]] = {
    "ref.ask_nowait": lambda t: t.ref.ask_nowait("x"),
    "ref.ask_nowait, busy": lambda t: t.busy.ask_nowait("x"),
    "ref.tell_nowait": lambda t: t.ref.tell_nowait("x"),
    "ref.tell_nowait, threaded": lambda t: t.threaded.tell_nowait("x"),
    "events.subscribe": lambda t: t.system.events.subscribe(print),
    "events.stream, made": lambda t: t.system.events.stream(),
    "subscription.cancel": lambda t: t.subscription.cancel(),
    "context.schedule_once": lambda t: t.context.schedule_once(1.0, "x"),
    "context.every": lambda t: t.context.every(1.0, "x"),
    "timer.cancel": lambda t: t.timer.cancel(),
    "context.watch": lambda t: t.context.watch(t.ref),
    "context.unwatch": lambda t: t.context.unwatch(t.ref),
    "context.become": lambda t: t.context.become(t.actor.call),
    "context.unbecome": lambda t: t.context.unbecome(),
    "context.unstash_all": lambda t: t.context.unstash_all(),
}
# What may be read anywhere.
READ: dict[str, Callable[[Any], Any]] = {
    "ref": lambda t: (t.ref.path, t.ref.name, t.ref.is_alive, t.ref.free_ask("x")),
    "context": lambda t: (t.context.self_ref, t.context.parent, t.context.children),
    "system": lambda t: (t.system.actors(), list(t.system.dead_letters), repr(t.system)),
    "system.get_actor": lambda t: asyncio.run(t.system.get_actor("/idle")),
    "registry": lambda t: (
        t.registry.active_ids,
        t.registry.active_count,
        t.registry.is_active(Caller, "active"),
    ),
}


class Things:
    """What the tables are about, made on the loop."""

    async def make(self, system: ActorSystem) -> None:
        self.system = system
        self.actor = Caller()
        self.ref: ActorRef[Any] = await system.spawn(lambda: self.actor, "idle")
        self.context = self.actor.context
        self.equipped: ActorRef[Any] = await system.spawn(Caller, "equipped", reentrant=True)
        self.threaded: ActorRef[Any] = await system.spawn(Caller, "thread", dispatcher="thread")
        self.go = asyncio.Event()
        self.busy: ActorRef[Any] = await system.spawn(Caller, "busy")
        self.blocked = asyncio.ensure_future(self.busy.ask(Call(lambda _actor: self.go.wait())))

        class Forever(Actor[Any]):
            @override
            async def on_receive(self, message: Any) -> Any:
                yield 1
                await asyncio.Event().wait()

        endless: ActorRef[Any] = await system.spawn(Forever, "endless")
        self.stream = endless.ask_stream("x")
        assert await anext(self.stream) == 1
        self.events = system.events.stream(Started)
        self.subscription = system.events.subscribe(print, Started)
        self.subscription.cancel()
        self.subscription = system.events.subscribe(lambda _event: None, Started)
        self.timer = self.context.schedule_once(3600.0, "x")
        self.registry = VirtualActorRegistry(system)
        await self.registry.ask(Caller, "active", "x")
        while True:  # what has happened so far
            try:
                await asyncio.wait_for(anext(self.events), 0.01)
            except TimeoutError:
                break

    async def end(self) -> None:
        self.subscription.cancel()
        self.go.set()
        assert await self.blocked is True
        assert self.timer.cancel()
        await self.stream.aclose()


def _in_another_loop(what: Callable[[Any], Awaitable[Any]], things: Things) -> Any:
    async def use() -> Any:
        return await what(things)

    return asyncio.run(use())


@pytest.mark.parametrize("what", [*AWAITED, *CALLED])
@pytest.mark.parametrize("where", ["loop", "thread", "handler"])
def test_each_way_that_belongs_to_the_loop_is_refused_elsewhere(where: str, what: str) -> None:
    """In another thread, with a loop and without, and in a handler that runs in a thread."""
    things = Things()

    def misuse(_actor: Any = None) -> None:
        if what in CALLED and where != "loop":
            attempt = partial(CALLED[what], things)
        else:
            awaited = AWAITED.get(what)

            async def called(things: Any) -> Any:
                return CALLED[what](things)

            attempt = partial(_in_another_loop, awaited or called, things)
        with pytest.raises(RuntimeError, match=r"tell_threadsafe.*ask_threadsafe"):
            attempt()

    async def body(system: ActorSystem) -> Any:
        await things.make(system)
        if where == "handler":
            await asyncio.wait_for(things.threaded.ask(Call(misuse)), PATIENCE)
        else:
            system.budget = 0  # asks have used it up: see the guide on threads
            await in_thread(misuse)
        assert await things.ref.ask("after") == "after"
        await things.end()
        return things.actor.seen

    began = time.monotonic()
    assert run(body) == ["after"]
    assert time.monotonic() - began < PATIENCE / 4  # nothing was left behind


@pytest.mark.parametrize("what", READ)
def test_what_only_reads_is_fine_anywhere(what: str) -> None:
    things = Things()

    async def body(system: ActorSystem) -> Any:
        await things.make(system)
        got = await in_thread(partial(READ[what], things))
        await things.end()
        return got

    assert run(body)


def test_a_stream_of_events_that_a_thread_lets_go_ends_on_the_loop() -> None:
    async def body(system: ActorSystem) -> Any:
        held = [system.events.stream()]
        assert system.observed
        await in_thread(held.clear)
        await asyncio.sleep(0.0)
        return system.observed

    assert run(body) is False


def test_what_a_thread_tells_does_not_count_as_done_in_it() -> None:
    class Parent(Actor[Any]):
        @override
        async def on_receive(self, message: Any) -> Any:
            self.context.schedule_once(3600.0, "x")
            return (await self.context.spawn(Caller)).name

    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(Caller, dispatcher="thread")
        parent: ActorRef[Any] = await system.spawn(Parent)

        def ask(_actor: Caller) -> Any:
            return parent.ask_threadsafe("x").result(PATIENCE)

        return await ref.ask(Call(ask))

    assert run(body) == "Caller#1"


def test_another_loop_on_the_same_thread_is_refused_and_nothing_is_lost() -> None:
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()

    async def begin() -> tuple[ActorSystem, ActorRef[Any]]:
        system = ActorSystem("sys")
        return system, await system.spawn(Caller)

    async def misuse(ref: ActorRef[Any]) -> None:
        with pytest.raises(RuntimeError, match="ask_threadsafe"):
            await ref.ask("misused")

    async def end(system: ActorSystem, ref: ActorRef[Any]) -> Any:
        seen = await ref.ask(Call(lambda actor: list(actor.seen)))
        await system.shutdown()
        return seen

    try:
        system, ref = first.run_until_complete(begin())
        ref.tell_nowait("between two runs of its loop")
        first.run_until_complete(asyncio.sleep(0.0))
        # For a moment after its turn an idle actor is asked on the asker's stack.
        system.deadline = 0.0
        second.run_until_complete(misuse(ref))
        assert first.run_until_complete(end(system, ref))[0] == "between two runs of its loop"
    finally:
        first.close()
        second.close()


# ------------------------------------------------------------ in a simulation


def test_a_simulation_has_no_threads() -> None:
    for way in ("tell_threadsafe", "ask_threadsafe"):

        def scenario(sim: Simulation, way: str = way) -> None:
            getattr(sim.spawn(Caller), way)("x")

        error = simulate(scenario).error
        assert isinstance(error, EscapedEffect)
        assert way in str(error)


def test_in_a_simulation_a_handler_in_a_thread_is_one_step() -> None:
    def scenario(sim: Simulation) -> Any:
        ref = sim.spawn(Caller, dispatcher="thread")
        return sim.run(ref.free_ask(Call(lambda _actor: threading.get_ident())))

    assert simulate(scenario).value == threading.get_ident()
