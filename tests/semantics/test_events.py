"""Events: who listens hears of everything once, and changes nothing."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from effactor import (
    Actor,
    ActorRef,
    ActorStopped,
    ActorSystem,
    AskTimeout,
    Deadlock,
    Do,
    MailboxFull,
    MemoryMailbox,
    Message,
    MessageDropped,
    Middleware,
    Unhandled,
    free_ask,
    free_ask_stream,
    free_tell,
    handler,
    pool,
    program,
    schedule_once,
    stash,
    unstash_all,
)
from effactor.events import (
    DeadLetter,
    Delivered,
    Dropped,
    Event,
    HandlerFailed,
    MessageEvent,
    Replied,
    Restarted,
    Sent,
    SpawnFailed,
    Started,
    Stopped,
)
from effactor.interpreters import Simulation, explore, simulate
from effactor_interpreters.runtime.letters import Letter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from worlds import World


@dataclass(frozen=True)
class Job(Message[Any]):
    """Asks an actor to answer *what*, to ask the ref that it is, or to raise it."""

    what: Any = None
    then: Any = 1


class Worker(Actor[Job]):
    """Does what a job says."""

    @handler
    async def job(self, message: Job) -> Any:
        if isinstance(message.what, Exception):
            raise message.what
        if hasattr(message.what, "ask"):
            return await message.what.ask(Job(message.then))
        if isinstance(message.what, float):
            await asyncio.sleep(message.what)
        return message.what


class FreeWorker(Actor[Job]):
    """The same in a program."""

    @handler
    @program
    def job(self, message: Job) -> Do[Any, Any]:
        if hasattr(message.what, "ask"):
            return (yield from free_ask(message.what, Job(message.then)))
        return message.what


def of(seen: list[Any], *kinds: type[Event]) -> list[Any]:
    return [event for event in seen if isinstance(event, kinds)]


def names(seen: list[Any]) -> list[str]:
    return [type(event).__name__ for event in seen]


def ignore(_event: Event) -> None:
    """Listen, and do nothing."""


async def quiet() -> None:
    """Let everything that was sent be handled."""
    await asyncio.sleep(1000)


# ---------------------------------------------------------------- each kind, once


def test_an_asks_life_is_told_in_order(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, "worker")
        seen: list[Any] = []
        system.events.subscribe(seen.append)
        assert await ref.ask(Job(7)) == 7
        assert names(seen) == ["Sent", "Delivered", "Replied"]
        assert {event.span for event in seen} == {seen[0].span}
        assert {event.message for event in seen} == {Job(7)}
        assert {event.target for event in seen} == {"/worker"}
        assert seen[2].reply == 7
        assert seen[0].at <= seen[1].at <= seen[2].at
        assert seen[0].sender is None
        assert seen[0].parent is None
        assert seen[0].envelope.kind == "ask"

    world.run(body)


def test_every_message_ends_once(world: World) -> None:
    """Each span has one Sent and one end, whatever becomes of the message."""

    class Drops(Middleware):
        @override
        async def on_receive(self, ctx: Any, message: Any, next_fn: Any) -> Any:
            ctx.drop("not today")

    async def body(system: ActorSystem) -> None:
        seen: list[Any] = []
        system.events.subscribe(seen.append)
        ref = await system.spawn(Worker, "worker")
        other: ActorRef[Any] = ref
        dropping = await system.spawn(Worker, middlewares=[Drops()])
        small = await system.spawn(Worker, mailbox=MemoryMailbox(1, overflow="reject"))
        await ref.tell(Job(1))
        await ref.tell(Job(ValueError("told")))
        with pytest.raises(ValueError, match="asked"):
            await ref.ask(Job(ValueError("asked")))
        with pytest.raises(Unhandled):
            await other.ask("nonsense")
        await other.tell("nonsense")
        with pytest.raises(MessageDropped):
            await dropping.ask(Job(1))
        await dropping.tell(Job(1))
        busy = asyncio.ensure_future(small.ask(Job(9.0)))
        await asyncio.sleep(1)
        await small.tell(Job(2))
        with pytest.raises(MailboxFull):
            await small.tell(Job(3))
        with pytest.raises(MailboxFull):
            await small.ask(Job(4))
        await busy
        await quiet()
        slow = ref.ask_nowait(Job(9.0))
        await asyncio.sleep(1)
        late = ref.ask_nowait(Job(5))
        await ref.tell(Job(6))
        await asyncio.sleep(1)
        await ref.stop("now")
        for reply in (slow, late):
            with pytest.raises(ActorStopped):
                await reply
        await ref.tell(Job(8))
        with pytest.raises(ActorStopped):
            await ref.ask(Job(9))
        await quiet()
        sent = Counter(event.span for event in of(seen, Sent))
        assert set(sent.values()) == {1}
        ends = Counter(event.span for event in of(seen, Replied, HandlerFailed, Dropped))
        assert ends == sent, sent - ends
        begun = Counter(event.span for event in of(seen, Delivered))
        assert set(begun.values()) == {1}
        dead = [event.message for event in of(seen, DeadLetter)]
        assert Counter(map(repr, dead)) == Counter(
            map(repr, ["nonsense", Job(1), Job(6), Job(8)]),
        )

    world.run(body)


def test_a_message_that_waits_for_room_ends_once(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        seen: list[Any] = []
        system.events.subscribe(seen.append)
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1))
        await ref.tell(Job(9.0))
        await asyncio.sleep(1)
        waiting = [asyncio.ensure_future(ref.tell(Job(n))) for n in range(3)]
        waiting.append(asyncio.ensure_future(system.run_free(free_tell(ref, Job(3)))))
        waiting.append(asyncio.ensure_future(ref.ask(Job(4))))
        await asyncio.sleep(1)
        await ref.stop("now")
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert Counter(map(type, ends)) == {type(None): 1, ActorStopped: 4}
        await quiet()
        sent = Counter(event.span for event in of(seen, Sent))
        ended = Counter(event.span for event in of(seen, Replied, HandlerFailed, Dropped))
        assert len(sent) == 6
        assert ended == sent, sent - ended
        assert len(of(seen, DeadLetter)) == 1

    world.run(body)


def test_a_tell_that_would_wait_for_ever_ends_once(world: World) -> None:
    class Full(Actor[Job | str | float]):
        @handler
        def job(self, message: Job) -> Any:
            """Do nothing."""

        @handler
        async def fill(self, message: str) -> Any:
            await self.context.self_ref.tell(Job(1))
            with pytest.raises(Deadlock):
                await self.context.self_ref.tell(Job(2))

        @handler
        def fill_freely(self, message: float) -> Any:
            ref = self.context.self_ref
            return free_tell(ref, Job(1)).then(free_tell(ref, Job(2)))

    async def body(system: ActorSystem) -> None:
        seen: list[Any] = []
        system.events.subscribe(seen.append)
        ref: ActorRef[Any] = await system.spawn(Full, mailbox=MemoryMailbox(1))
        await ref.ask("")
        with pytest.raises(Deadlock):
            await ref.ask(1.0)
        await quiet()
        sent = Counter(event.span for event in of(seen, Sent))
        ends = Counter(event.span for event in of(seen, Replied, HandlerFailed, Dropped))
        assert ends == sent, sent - ends

    world.run(body)


def test_an_actors_life_is_told_once(world: World) -> None:
    class Waits(Worker):
        @override
        async def on_started(self) -> None:
            await asyncio.sleep(1)

    class Fails(Worker):
        @override
        def on_started(self) -> None:
            raise KeyError("start")

    async def body(system: ActorSystem) -> None:
        seen: list[Any] = []
        with system.events.subscribe(seen.append, Started, Stopped, SpawnFailed, Restarted):
            plain = await system.spawn(Worker, "plain")
            await system.spawn(Waits, "waits")
            with pytest.raises(KeyError):
                await system.spawn(Fails, "fails")
            assert [(type(event), event.target) for event in seen] == [
                (Started, "/plain"),
                (Started, "/waits"),
                (SpawnFailed, "/fails"),
                (Stopped, "/fails"),
            ]
            assert isinstance(seen[2].error, KeyError)
            seen.clear()
            with pytest.raises(ValueError, match="x"):
                await plain.ask(Job(ValueError("x")))
            await plain.ask(Job())
            assert [(type(event), event.target) for event in seen] == [(Restarted, "/plain")]
            assert isinstance(seen[0].error, ValueError)
            seen.clear()
            await plain.stop()
            await plain.join()
            assert [(type(event), event.target) for event in seen] == [(Stopped, "/plain")]
            assert "asked to stop" in seen[0].reason
            seen.clear()
            workers = await system.spawn(pool(Worker, 2), "pool")
            assert sorted(event.target for event in of(seen, Started)) == [
                "/pool",
                "/pool/1",
                "/pool/2",
            ]
            await workers.stop()
            await workers.join()
            assert sorted(event.target for event in of(seen, Stopped)) == [
                "/pool",
                "/pool/1",
                "/pool/2",
            ]

    world.run(body)


def test_a_crash_tells_of_stops_and_of_no_failure() -> None:
    async def scenario(sim: Simulation) -> None:
        seen: list[Any] = []
        sim.system.events.subscribe(seen.append)
        ref = await sim.system.spawn(Worker, "worker")
        asked = ref.ask_nowait(Job(1e6))
        await asyncio.sleep(1)
        sim.crash(ref)
        with pytest.raises(ActorStopped):
            await asked
        assert [event.target for event in of(seen, Stopped)] == ["/worker"]
        assert of(seen, HandlerFailed) == []

    assert explore(scenario, schedules=10).ok


# ---------------------------------------------------------------- spans


@pytest.mark.parametrize("kind", [Worker, FreeWorker])
@pytest.mark.parametrize("options", [{}, {"reentrant": True}])
def test_spans_link_asks_to_existing_refs(world: World, kind: Any, options: Any) -> None:
    """W30: the span travels with the message, not with a context variable."""

    async def body(system: ActorSystem) -> None:
        a: ActorRef[Any] = await system.spawn(kind, "a", **options)
        b: ActorRef[Any] = await system.spawn(kind, "b", **options)
        c: ActorRef[Any] = await system.spawn(kind, "c")
        seen: list[Any] = []
        system.events.subscribe(seen.append, Sent)
        assert await a.ask(Job(b, c)) == 1
        await asyncio.gather(*(a.ask(Job(b, n)) for n in range(3)))
        first, second = seen[:2]
        assert (first.target, first.parent, first.sender) == ("/a", None, None)
        assert (second.target, second.parent, second.sender) == ("/b", first.span, "/a")
        spans = {event.span: event for event in seen}
        assert len(spans) == len(seen) == 9
        for event in seen:
            if event.target == "/b":
                assert spans[event.parent].message.then == event.message.what

    world.run(body)


def test_spans_link_what_pools_streams_timers_and_stashes_send(world: World) -> None:
    @dataclass(frozen=True)
    class Go(Message[Any]):
        how: str

    class Starts(Actor[Go]):
        other: Any = None
        ready = False

        @handler
        async def go(self, message: Go) -> Any:
            if message.how == "stream":
                return [item async for item in self.other.ask_stream(Job(2))]
            if message.how == "program":
                return free_ask_stream(self.other, Job(2)).bind(lambda replies: replies.to_list())
            if message.how == "timer":
                return schedule_once(5, self.other, Job(3))
            if message.how == "context timer":
                self.context.schedule_once(5, Job(4), self.other)
            elif message.how == "stash":
                if not self.ready:
                    return stash()
                await self.other.tell(Job(5))
            elif message.how == "unstash":
                self.ready = True
                return unstash_all()
            else:
                await self.other.tell(Job(6))
            return None

    async def body(system: ActorSystem) -> None:
        seen: list[Any] = []
        system.events.subscribe(seen.append)
        Starts.other = await system.spawn(Worker, "other")
        ref: ActorRef[Any] = await system.spawn(Starts, "starts")
        workers: ActorRef[Any] = await system.spawn(pool(Starts, 2), "pool")
        for how in ("stream", "program", "timer", "context timer"):
            await ref.ask(Go(how))
            await asyncio.sleep(10)
        stashed = ref.ask_nowait(Go("stash"))
        await asyncio.sleep(1)
        await ref.ask(Go("unstash"))
        await stashed
        await workers.tell(Go("tell"))
        await quiet()
        sent = {event.span: event for event in of(seen, Sent)}
        causes = [
            (sent[event.parent].message.how, event.message.what)
            for event in of(seen, Sent)
            if event.parent is not None and event.target == "/other"
        ]
        assert causes == [
            ("stream", 2),
            ("program", 2),
            ("timer", 3),
            ("context timer", 4),
            ("stash", 5),
            ("tell", 6),
        ]
        begun = Counter(event.message for event in of(seen, Delivered))
        assert begun[Go("stash")] == 2
        assert Counter(event.message for event in of(seen, Replied))[Go("stash")] == 1

    world.run(body)


def test_a_streamed_reply_is_one_reply(world: World) -> None:
    class Streams(Actor[Job]):
        @handler
        async def job(self, message: Job) -> AsyncIterator[int]:
            for number in range(message.what):
                yield number

    async def body(system: ActorSystem) -> None:
        ref: ActorRef[Any] = await system.spawn(Streams)
        seen: list[Any] = []
        system.events.subscribe(seen.append)
        assert [item async for item in ref.ask_stream(Job(3))] == [0, 1, 2]
        async for _ in ref.ask_stream(Job(1000), credits=1):
            break
        await quiet()
        assert names(seen) == ["Sent", "Delivered", "Replied"] * 2
        assert [event.reply for event in of(seen, Replied)] == [None, None]

    world.run(body)


# ---------------------------------------------------------------- nobody listens


def test_nothing_is_built_while_nobody_listens(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    init = Letter.__init__

    def noting(self: Letter, *args: Any) -> None:
        made.append(args[1])
        init(self, *args)

    monkeypatch.setattr(Letter, "__init__", noting)

    async def body(system: ActorSystem) -> None:
        made.clear()
        ref = await system.spawn(Worker, "a")
        await ref.ask(Job(1))
        await ref.tell(Job(2))
        await quiet()
        assert made == []
        actors = system.events.subscribe(lambda _: None, Started, Stopped, DeadLetter)
        await ref.ask(Job(3))
        assert made == []  # those need no envelopes
        with system.events.subscribe(lambda _: None, Sent):
            await ref.ask(Job(4))
            assert made == [Job(4)]
        actors.cancel()
        made.clear()
        other = await system.spawn(Worker, "b")
        await other.ask(Job(5))
        await other.tell(Job(6))
        await quiet()
        assert made == []

    world.run(body)


def test_only_wanted_kinds_are_told(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker)
        messages: list[Any] = []
        replies: list[Any] = []
        first = system.events.subscribe(messages.append, MessageEvent)
        second = system.events.subscribe(replies.append, Replied, Stopped)
        await ref.ask(Job(1))
        assert names(messages) == ["Sent", "Delivered", "Replied"]
        assert names(replies) == ["Replied"]
        first.cancel()
        first.cancel()
        await ref.ask(Job(2))
        second.cancel()
        await ref.ask(Job(3))
        assert len(messages) == 3
        assert len(replies) == 2

    world.run(body)


# ---------------------------------------------------------------- listening changes nothing


@dataclass(frozen=True)
class Note(Message[None]):
    """Asks to write *n* down, after *pause* seconds."""

    n: int
    pause: float = 0
    how: str = ""


class Notes(Actor[Note]):
    """Writes down what comes, in all the ways that handlers have."""

    def __init__(self, log: list[Any]) -> None:
        self.log = log
        self.open = False

    @handler
    async def note(self, message: Note) -> Any:
        if message.how == "stash" and not self.open:
            return stash()
        if message.how == "open":
            self.open = True
            return unstash_all()
        if message.how == "listen":
            self.context.system.events.subscribe(ignore)
        if message.pause:
            await asyncio.sleep(message.pause)
        self.log.append(message.n)
        return None


async def _work(system: ActorSystem, log: list[Any], listen: Any) -> None:
    """Send all sorts of mail, and begin to listen in the midst of it."""
    ref = await system.spawn(lambda: Notes(log), "notes")
    await ref.tell(Note(0, how="stash"))
    await ref.tell(Note(1, pause=5))  # suspended when the listener comes
    await ref.tell(Note(2))
    asked = ref.ask_nowait(Note(3))
    await asyncio.sleep(1)
    if listen is not None:
        system.events.subscribe(listen)
    await ref.tell(Note(4))
    later = ref.tell_nowait
    later(Note(5))
    await asked
    await ref.tell(Note(6, how="open"))
    await ref.ask(Note(7))
    await quiet()


def test_beginning_to_listen_loses_and_reorders_nothing(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        log: list[Any] = []
        seen: list[Any] = []
        await _work(system, log, seen.append)
        assert sorted(log) == [0, 1, 2, 3, 4, 5, 7]
        assert [n for n in log if n in {1, 2, 4, 5}] == [1, 2, 4, 5]
        # What was set aside before gets a letter when it comes again.
        assert {event.message.n for event in of(seen, Sent)} - {0} == {4, 5, 6, 7}

    world.run(body)


def test_beginning_to_listen_inside_of_a_batch_loses_and_reorders_nothing(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        log: list[Any] = []
        ref = await system.spawn(lambda: Notes(log), "notes")
        for n in range(10):
            await ref.tell(Note(n, how="listen" if n == 4 else ""))
        await ref.ask(Note(10))
        await quiet()
        assert log == list(range(11))

    world.run(body)


def test_beginning_to_listen_is_harmless_in_every_order() -> None:
    async def scenario(sim: Simulation) -> None:
        log: list[Any] = []
        ref = await sim.system.spawn(lambda: Notes(log), "notes")
        for n in range(6):
            await ref.tell(Note(n, pause=n % 2, how="listen" if n == 2 else ""))
        asked = [ref.ask_nowait(Note(n)) for n in (6, 7)]
        for reply in asked:
            await reply
        await quiet()
        assert sorted(log) == list(range(8))

    assert explore(scenario, schedules=300).ok


@pytest.mark.parametrize("seed", range(25))
def test_a_simulation_is_the_same_with_and_without_a_listener(seed: int) -> None:
    def scenario_with(listen: Any) -> Any:
        async def scenario(sim: Simulation) -> Any:
            log: list[Any] = []
            others = [await sim.system.spawn(lambda: Notes(log), f"n{n}") for n in range(2)]
            if listen is not None:
                sim.system.events.subscribe(listen)
            for n in range(3):
                for other in others:
                    await other.tell(Note(10 + n, pause=n))
            await _work(sim.system, log, None)
            a = await sim.system.spawn(Worker)
            b = await sim.system.spawn(FreeWorker)
            await asyncio.gather(*(a.ask(Job(b, n)) for n in range(3)), return_exceptions=True)
            with pytest.raises(AskTimeout):
                await a.ask(Job(9.0), timeout=1)
            await a.tell(Job(ValueError("x")))
            await a.stop()
            await a.tell(Job(1))
            await quiet()
            return log

        return scenario

    plain = simulate(scenario_with(None), seed=seed)
    seen: list[Any] = []
    heard = simulate(scenario_with(seen.append), seed=seed)
    assert plain.error is None
    assert heard.error is None
    assert seen
    assert str(heard.trace) == str(plain.trace)
    assert heard.digest == plain.digest
    assert heard.value == plain.value


# ---------------------------------------------------------------- listeners


def test_a_listener_that_raises_is_logged_once_an_event_and_harms_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker)
        seen: list[Any] = []

        def raises(event: Any) -> None:
            raise asyncio.CancelledError if isinstance(event, Sent) else KeyError("listener")

        system.events.subscribe(raises)
        system.events.subscribe(seen.append)
        caplog.clear()
        assert await ref.ask(Job(1)) == 1
        assert names(seen) == ["Sent", "Delivered", "Replied"]
        logged = [record for record in caplog.records if "listener" in record.getMessage()]
        # In a simulation all is logged by its own logger.
        assert {record.name for record in logged} <= {"effactor.actor", "effactor.simulation"}
        assert len(logged) == 3
        assert "raises" in logged[0].getMessage()

    with caplog.at_level(logging.ERROR):
        world.run(body)


def test_listeners_may_come_and_go_while_they_are_told(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker)
        heard: list[str] = []

        def late(event: Event) -> None:
            heard.append(f"late {type(event).__name__}")

        def first(event: Event) -> None:
            heard.append(f"first {type(event).__name__}")
            if isinstance(event, Sent):
                second.cancel()
                system.events.subscribe(late)
            else:
                once.cancel()

        once = system.events.subscribe(first)
        second = system.events.subscribe(lambda _: heard.append("second"))
        assert await ref.ask(Job(1)) == 1
        assert heard == ["first Sent", "first Delivered", "late Delivered", "late Replied"]

    world.run(body)


def test_a_listener_may_send(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        log: list[Any] = []
        notes = await system.spawn(lambda: Notes(log), "notes")
        ref = await system.spawn(Worker)
        system.events.subscribe(lambda event: notes.tell_nowait(Note(event.span)), HandlerFailed)
        with pytest.raises(ValueError, match="x"):
            await ref.ask(Job(ValueError("x")))
        await quiet()
        assert len(log) == 1

    world.run(body)


def test_wrong_listeners_and_kinds_are_refused(world: World) -> None:
    async def listens(_event: Any) -> None: ...

    async def body(system: ActorSystem) -> None:
        wrong: Any = system.events.subscribe
        with pytest.raises(TypeError, match="must be a function"):
            wrong(7)
        with pytest.raises(TypeError, match="coroutine function"):
            wrong(listens)
        with pytest.raises(TypeError, match="must be classes of"):
            wrong(print, int)
        stream: Any = system.events.stream
        with pytest.raises(ValueError, match="capacity"):
            stream(capacity=0)
        assert not system.observed

    world.run(body)


# ---------------------------------------------------------------- streams of events


def test_a_stream_of_events_forgets_the_oldest_and_counts_them(world: World) -> None:
    """W40: nothing is kept without bound."""

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker)
        async with system.events.stream(Sent, capacity=3) as stream:
            for n in range(10):
                await ref.ask(Job(n))
            assert stream.missed == 7
            assert [(await anext(stream)).message.what for _ in range(3)] == [7, 8, 9]
            waits = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(1)
            await ref.ask(Job(10))
            assert (await waits).message == Job(10)
        assert [event async for event in stream] == []
        assert not system.observed

    world.run(body)


def test_several_may_take_from_a_stream_of_events_and_all_see_its_end(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker)
        stream = system.events.stream(Sent)
        got: list[Any] = []

        async def takes() -> None:
            async for event in stream:
                await asyncio.sleep(0)
                got.append(event.message.what)

        tasks = [asyncio.ensure_future(takes()) for _ in range(3)]
        await asyncio.sleep(1)
        tasks[0].cancel()
        for n in range(6):
            await ref.ask(Job(n))
            await asyncio.sleep(1)
        stream.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert got == list(range(6))

    world.run(body)


def test_a_stream_of_events_that_is_left_listens_no_longer(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker)
        await ref.tell(Job(0))

        async def first() -> Any:
            async for event in system.events.stream(Sent):
                return event
            return None

        task = asyncio.ensure_future(first())
        await asyncio.sleep(1)
        await ref.tell(Job(1))
        assert (await task).message == Job(1)
        del task
        gc.collect()
        assert not system.observed

    world.run(body)


# ---------------------------------------------------------------- logging


def test_a_stream_of_events_ends_with_its_system(world: World) -> None:
    class Idle(Actor[Any]):
        pass

    async def body(system: ActorSystem) -> Any:
        before = system.events.stream(Stopped)
        for name in ("a", "b"):
            await system.spawn(Idle, name)

        async def paths() -> list[str]:
            return [event.target async for event in before]

        reading = asyncio.ensure_future(paths())
        await asyncio.sleep(1)
        await system.shutdown()
        after = [event async for event in system.events.stream()]
        return sorted(await asyncio.wait_for(reading, 1)), after

    assert world.run(body) == (["/a", "/b"], [])


def test_who_hears_of_stops_alone_hears_of_idle_actors_too(world: World) -> None:
    class Idle(Actor[Any]):
        pass

    stops: list[str] = []

    async def body(system: ActorSystem) -> None:
        idle = await system.spawn(Idle, "idle")
        system.events.subscribe(lambda event: stops.append(event.target), Stopped)
        await idle.stop()
        await idle.join()

    world.run(body)
    assert stops == ["/idle"]


def test_the_package_says_nothing_unless_logging_is_set_up() -> None:
    handlers = logging.getLogger("effactor").handlers
    assert [type(each) for each in handlers] == [logging.NullHandler]
    for name in ("actor", "program", "simulation"):
        logger = logging.getLogger(f"effactor.{name}")
        assert logger.handlers == []
        assert logger.propagate
