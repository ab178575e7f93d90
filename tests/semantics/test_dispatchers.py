"""Blocking handlers in threads: `dispatcher="thread"` and named pools."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Never

import pytest
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    HandlerFailed,
    Message,
    SendOptions,
    Terminated,
    Unhandled,
    free_ask,
    free_sleep,
    handler,
    pure,
    stash,
    unstash_all,
)
from effactor.events import Started
from effactor.interpreters import ActorSystem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Refused(Exception):
    """A declared failure."""


@dataclass(frozen=True)
class Work(Message[Any, Refused]):
    """Do `what`."""

    what: Any


@dataclass(frozen=True)
class Items(Message[list[int]]):
    """Ask for a stream."""


@dataclass(frozen=True)
class Guarded(Message[str]):
    """Handled if it is fine."""

    fine: bool


class Blocking(Actor[Any]):
    """Overlaps never."""

    def __init__(self) -> None:
        self.busy = False
        self.seen: list[Any] = []
        self.open = False

    @handler
    def work(self, message: Work) -> Any:
        assert not self.busy
        self.busy = True
        try:
            what: Any = message.what
            self.seen.append(what)
            return what(self) if callable(what) else what
        finally:
            self.busy = False

    @handler
    async def items(self, message: Items) -> AsyncIterator[int]:
        assert asyncio.get_running_loop() is self.context.system.loop
        for n in range(3):
            await asyncio.sleep(1.0)
            yield n

    @handler(when=lambda _self, message: message.fine)
    def guarded(self, message: Guarded) -> str:
        return "fine"


def everything(actor: Blocking) -> list[Any]:
    return list(actor.seen)


def how_many(actor: Blocking) -> int:
    return len(actor.seen)


def test_one_message_at_a_time_in_the_order_they_were_sent(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Blocking, dispatcher="thread")
        got = await asyncio.gather(*[ref.ask(Work(n)) for n in range(50)])
        return got, await ref.ask(Work(everything))

    got, seen = world.run(body)
    assert sorted(got) == list(range(50))
    assert sorted(seen[:50]) == list(range(50))
    if world.name in {"live", "queued", "tasks"}:
        assert seen[:50] == list(range(50))


def test_a_program_or_coroutine_that_it_returns_runs_on_the_loop(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(Blocking, dispatcher="thread")

        def sleeping(_actor: Blocking) -> Any:
            return free_sleep(1.0).then(pure("slept"))

        async def awaiting(_actor: Blocking) -> Any:
            await asyncio.sleep(1.0)
            return asyncio.get_running_loop() is system.loop

        program = await ref.ask(Work(sleeping))
        return program, await ref.ask(Work(awaiting))

    assert world.run(body) == ("slept", True)


def test_what_it_raises_is_dealt_with_as_anywhere(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(Blocking, dispatcher="thread")

        def refuse(_actor: Blocking) -> Never:
            raise Refused

        def fail(_actor: Blocking) -> Never:
            raise KeyError("boom")

        await ref.ask(Work("before"))
        with pytest.raises(Refused):
            await ref.ask(Work(refuse))
        before = await ref.ask(Work(how_many))
        with pytest.raises(KeyError):
            await ref.ask(Work(fail))
        after = await ref.ask(Work(how_many))
        with pytest.raises(Unhandled):
            await ref.ask(Guarded(False))
        error = (await system.run_free(ref.free_ask(Work(fail)).attempt())).failure()
        return before, after, await ref.ask(Guarded(True)), error

    before, after, fine, error = world.run(body)
    assert (before, after, fine) == (3, 1, "fine")
    assert isinstance(error, HandlerFailed)


def test_it_reads_its_envelope_and_no_other_s(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(Blocking, dispatcher="thread")
        other = Blocking()
        plain: ActorRef[Any] = await system.spawn(lambda: other)
        await plain.ask(Work(1))

        def look(actor: Blocking) -> Any:
            with pytest.raises(RuntimeError, match=r"context\.message: /sim/Blocking"):
                other.context.message  # noqa: B018 - it raises
            return actor.context.message.headers["n"]

        return await ref.ask(Work(look), options=SendOptions(headers={"n": 7}))

    assert world.run(body) == 7


def test_streams_and_stash_work_beside_threads(world: World) -> None:
    class Shop(Blocking):
        @override
        def on_receive(self, message: Any) -> Any:
            if message == "open":
                self.open = True
                return unstash_all()
            return pure(message) if self.open else stash()

    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(Shop, dispatcher="thread")
        items = [item async for item in ref.ask_stream(Items())]
        early = asyncio.ensure_future(ref.ask("early"))
        await ref.ask(Work("x"))
        await ref.ask("open")
        return items, await early

    assert world.run(body) == ([0, 1, 2], "early")


def test_a_catch_all_runs_in_a_thread_too(world: World) -> None:
    class All(Actor[Any]):
        @override
        def on_receive(self, message: Any) -> Any:
            return message + 1

    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(All, dispatcher="thread")
        return await ref.ask(1)

    assert world.run(body) == 2


def test_threads_of_one_actor_overlap_if_that_is_declared(world: World) -> None:
    class Wide(Actor[Any], concurrency=2):
        @override
        def on_receive(self, message: Any) -> Any:
            return message

    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(Wide, dispatcher="thread")
        return await asyncio.gather(*[ref.ask(n) for n in range(20)])

    assert world.run(body) == list(range(20))


def test_w14_an_actor_of_coroutines_alone_is_refused(world: World) -> None:
    class Loopy(Actor[Work]):
        @handler
        async def work(self, message: Work) -> None: ...

    async def body(system: ActorSystem) -> None:
        with pytest.raises(TypeError, match="Loopy has only `async def` handlers, which run on"):
            await system.spawn(Loopy, dispatcher="thread")
        with pytest.raises(ValueError, match="dispatcher must be one of 'thread', got 'io'"):
            await system.spawn(Blocking, dispatcher="io")
        assert not system.cells

    world.run(body)


def test_asynchronous_handlers_of_a_threaded_actor_stay_on_the_loop(world: World) -> None:
    class Mixed(Blocking):
        @handler
        async def asks(self, message: Guarded) -> Any:
            child: ActorRef[Any] = await self.context.spawn(Blocking)
            return await child.ask(Work("child")), child.is_alive

    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(Mixed, dispatcher="thread")
        got = await ref.ask(Guarded(False))
        return got, await ref.ask(Work(2))

    assert world.run(body) == (("child", True), 2)


def _never(message: Any) -> Any: ...


class Watchful(Blocking):
    @handler
    def end(self, message: Terminated) -> None: ...


# What a handler can do without awaiting. The rest needs a loop, and there is none in a thread.
OF_THE_LOOP: dict[str, Callable[[Any, ActorRef[Any]], Any]] = {
    "self_ref.tell_nowait": lambda actor, _other: actor.context.self_ref.tell_nowait("x"),
    "self_ref.ask_nowait": lambda actor, _other: actor.context.self_ref.ask_nowait("x"),
    "ref.tell_nowait": lambda _actor, other: other.tell_nowait("x"),
    "ref.ask_nowait": lambda _actor, other: other.ask_nowait("x"),
    "schedule_once": lambda actor, _other: actor.context.schedule_once(1.0, "x"),
    "every": lambda actor, _other: actor.context.every(1.0, "x"),
    "watch": lambda actor, other: actor.context.watch(other),
    "unwatch": lambda actor, other: actor.context.unwatch(other),
    "become": lambda actor, _other: actor.context.become(actor.work),
    "unbecome": lambda actor, _other: actor.context.unbecome(),
    "unstash_all": lambda actor, _other: actor.context.unstash_all(),
    "events.subscribe": lambda actor, _other: actor.context.system.events.subscribe(_never),
    "events.stream": lambda actor, _other: actor.context.system.events.stream(),
    "save_state": lambda actor, _other: actor.context.system.save_state(),
    "load_state": lambda actor, _other: actor.context.system.load_state({}),
}


@pytest.mark.parametrize("what", OF_THE_LOOP)
def test_what_belongs_to_the_loop_is_refused_in_a_thread(world: World, what: str) -> None:
    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(Watchful, dispatcher="thread")
        seen = Watchful()
        other: ActorRef[Any] = await system.spawn(lambda: seen)

        def misuse(actor: Watchful) -> Any:
            with pytest.raises(RuntimeError, match=r"tell_threadsafe.*return a program"):
                OF_THE_LOOP[what](actor, other)

        await ref.ask(Work(misuse))
        await asyncio.sleep(10.0)
        await other.stop()
        await other.join()
        # Neither did it begin: nothing was sent, scheduled or watched.
        assert await ref.ask(Work(how_many)) == 2
        return [message for message in seen.seen if message == "x"]

    assert world.run(body) == []


def test_timers_and_subscriptions_are_not_cancelled_from_a_thread(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        heard: list[Any] = []
        ref: ActorRef[Any] = await system.spawn(Blocking, dispatcher="thread")
        with system.events.subscribe(heard.append, Started) as subscription:

            async def begin(actor: Blocking) -> Any:
                once = actor.context.schedule_once(1.0, Work("once"))
                return once, actor.context.every(2.0, Work("every"))

            def misuse(_actor: Blocking) -> Any:
                for each in (once, every, subscription):
                    with pytest.raises(
                        RuntimeError, match=r"cancel: .*lives in another event loop"
                    ):
                        each.cancel()

            once, every = await ref.ask(Work(begin))
            await ref.ask(Work(misuse))
            await system.spawn(Blocking, "heard")
            await asyncio.sleep(2.5)
            every.cancel()
        return len(heard), (await ref.ask(Work(everything)))[2:4]

    assert world.run(body) == (1, ["once", "every"])


def test_a_thread_tells_its_own_actor_and_others(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(Blocking, dispatcher="thread")
        other: ActorRef[Any] = await system.spawn(Blocking)

        def tell(actor: Blocking) -> Any:
            for to in (actor.context.self_ref, other):
                to.tell_threadsafe(Work("told"))
                to.tell_threadsafe(Work("twice"))

        await ref.ask(Work(tell))
        await asyncio.sleep(1.0)
        return (await ref.ask(Work(everything)))[1:3], (await other.ask(Work(everything)))[:2]

    assert world.run(body) == (["told", "twice"], ["told", "twice"])


def test_what_it_returns_does_on_the_loop_what_it_may_not(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(Blocking, dispatcher="thread")
        other: ActorRef[Any] = await system.spawn(Blocking)

        def coroutine(actor: Blocking) -> Any:
            return actor.context.ask(other, Work(1))

        def program(_actor: Blocking) -> Any:
            return free_ask(other, Work(2))

        def child(actor: Blocking) -> Any:
            return actor.context.spawn(Blocking, "child")

        return (
            await ref.ask(Work(coroutine)),
            await ref.ask(Work(program)),
            (await ref.ask(Work(child))).name,
        )

    assert world.run(body) == (1, 2, "child")
