"""Streams of replies: items in order, never too many at once, and nobody left behind."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from returns.maybe import Nothing, Some
from typing_extensions import override

from effactor import (
    Actor,
    ActorNotFound,
    ActorRef,
    ActorStopped,
    ActorSystem,
    AskCancelled,
    AskTimeout,
    CancellationToken,
    Deadlock,
    Do,
    HandlerFailed,
    MailboxFull,
    MemoryMailbox,
    Message,
    Middleware,
    SendOptions,
    free_ask,
    free_ask_stream,
    free_sleep,
    gather,
    handler,
    pool,
    program,
    race,
    scoped,
)
from effactor.interpreters import Simulation, dry_run, explore, simulate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from worlds import World


class Declared(Exception):
    """A failure that messages declare."""


@dataclass(frozen=True)
class Count(Message[list[int], Declared]):
    """Asks for numbers: *pause* seconds before each, then *error*."""

    to: int
    pause: float = 0
    error: type[Exception] | None = None


@dataclass(frozen=True)
class Ping(Message[int]):
    """Asks how many numbers have been made."""


class Counter(Actor[Count | Ping]):
    """Counts, and notes what it does."""

    def __init__(self) -> None:
        self.made = 0
        self.log: list[Any] = []

    @handler
    async def count(self, message: Count) -> AsyncIterator[int]:
        try:
            for number in range(message.to):
                if message.pause:
                    await asyncio.sleep(message.pause)
                self.made += 1
                self.log.append(number)
                yield number
            if message.error is not None:
                raise message.error("at the end")
        except BaseException as error:
            self.log.append(type(error).__name__)
            raise
        finally:
            self.log.append("end")

    @handler
    async def ping(self, message: Ping) -> int:
        return self.made


async def counter(system: ActorSystem, **options: Any) -> tuple[ActorRef[Count | Ping], Counter]:
    """Start a counter and return it, too."""
    made: list[Counter] = []

    def make() -> Counter:
        made.append(Counter())
        return made[-1]

    ref = await system.spawn(make, None, **options)
    return ref, made[0]


async def _items(ref: ActorRef[Any], message: Any) -> list[Any]:
    return [item async for item in ref.ask_stream(message)]


# ---------------------------------------------------------------- items


def test_items_arrive_in_order_and_ask_answers_their_list(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)
        assert [item async for item in ref.ask_stream(Count(40))] == list(range(40))
        assert [item async for item in ref.ask_stream(Count(5), credits=1)] == list(range(5))
        assert [item async for item in ref.ask_stream(Count(0))] == []
        assert await ref.ask(Count(3)) == [0, 1, 2]
        listed = free_ask_stream(ref, Count(7)).bind(lambda replies: replies.to_list())
        assert await system.run_free(listed) == list(range(7))

    world.run(body)


@pytest.mark.parametrize("ahead", [1, 3])
def test_the_handler_is_never_more_than_its_credits_ahead(world: World, ahead: int) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        taken = 0
        async for _ in ref.ask_stream(Count(12), credits=ahead):
            taken += 1
            await asyncio.sleep(1)
            # This one is taken; beyond it there are as many as there are credits.
            assert actor.made <= taken + ahead
        assert taken == 12

        @program
        def takes() -> Do[None, Any]:
            replies = yield from free_ask_stream(ref, Count(9), credits=ahead)
            before = actor.made
            for n in range(9):
                yield from replies.next()
                yield from free_sleep(1)
                assert actor.made - before <= n + 1 + ahead

        await system.run_free(takes())

    world.run(body)


def test_a_handler_that_is_no_generator_replies_one_item(world: World) -> None:
    class Plain(Actor[Ping | Count]):
        @handler
        def ping(self, message: Ping) -> int:
            return 7

        @handler
        async def count(self, message: Count) -> list[int]:
            return [1, 2]

    async def body(system: ActorSystem) -> None:
        ref: ActorRef[Any] = await system.spawn(Plain)
        assert [item async for item in ref.ask_stream(Ping())] == [7]
        assert await _items(ref, Count(2)) == [[1, 2]]

    world.run(body)


def test_guards_choose_between_generators_and_others(world: World) -> None:
    class Mixed(Actor[Count]):
        @handler(when=lambda self, message: message.to > 2)
        async def many(self, message: Count) -> AsyncIterator[int]:
            for number in range(message.to):
                yield number

        @handler
        async def few(self, message: Count) -> list[int]:
            return [-message.to]

    async def body(system: ActorSystem) -> None:
        ref: ActorRef[Any] = await system.spawn(Mixed)
        assert [item async for item in ref.ask_stream(Count(3))] == [0, 1, 2]
        assert await _items(ref, Count(1)) == [[-1]]
        assert await ref.ask(Count(4)) == [0, 1, 2, 3]

    world.run(body)


# ---------------------------------------------------------------- ends


def test_what_the_handler_raises_comes_after_its_items(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)
        for error in (ValueError, Declared):
            stream = ref.ask_stream(Count(20, error=error), credits=30)
            assert [await anext(stream) for _ in range(20)] == list(range(20))
            with pytest.raises(error, match="at the end"):
                await anext(stream)
            with pytest.raises(error):  # it has not become a stream that ended well
                await anext(stream)

    world.run(body)


def test_a_program_fails_as_an_ask_does_after_the_items(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)

        @program
        def takes(error: type[Exception]) -> Do[Any, Any]:
            replies = yield from free_ask_stream(ref, Count(2, error=error))
            first = yield from replies.next()
            second = yield from replies.next()
            end = yield from replies.next().attempt()
            again = yield from replies.next().attempt()
            return first, second, end.failure(), again.failure()

        first, second, end, again = await system.run_free(takes(ValueError))
        assert (first, second) == (Some(0), Some(1))
        assert isinstance(end, HandlerFailed)
        assert isinstance(end.cause, ValueError)
        assert isinstance(again, HandlerFailed)
        _, _, end, _ = await system.run_free(takes(Declared))
        assert isinstance(end, Declared)

    world.run(body)


def test_the_next_message_after_a_failure_finds_a_new_instance(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        with pytest.raises(ValueError, match="at the end"):
            async for _ in ref.ask_stream(Count(2, error=ValueError)):
                pass
        assert await ref.ask(Ping()) == 0
        assert actor.made == 2

    world.run(body)


@pytest.mark.parametrize("pause", [0, 1])
def test_a_handler_killed_in_mid_stream_ends_it_with_actor_stopped(
    world: World, pause: float
) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        got: list[int] = []

        async def takes() -> None:
            async for item in ref.ask_stream(Count(99, pause), credits=2):
                got.append(item)
                if item == 3:
                    await ref.stop("now")

        with pytest.raises(ActorStopped):
            await takes()
        assert got == list(range(len(got)))
        await ref.join()
        assert actor.log[-1] == "end"
        with pytest.raises(ActorStopped):
            await anext(ref.ask_stream(Count(1)))
        failed = await system.run_free(
            free_ask_stream(ref, Count(1)).bind(lambda replies: replies.next()).attempt()
        )
        assert isinstance(failed.failure(), ActorStopped)

    world.run(body)


def test_a_graceful_stop_lets_the_stream_end_first(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)
        got: list[int] = []
        async for item in ref.ask_stream(Count(9, 1), credits=2):
            got.append(item)
            if item == 1:
                await ref.stop()
        assert got == list(range(9))
        await ref.join()

    world.run(body)


def test_a_crash_ends_the_stream() -> None:
    async def scenario(sim: Simulation) -> None:
        ref, actor = await counter(sim.system)
        stream = ref.ask_stream(Count(99), credits=3)
        assert await anext(stream) == 0
        sim.crash(ref)
        with pytest.raises(ActorStopped):
            async for _ in stream:
                pass
        assert "end" not in actor.log

    assert explore(scenario, schedules=30).ok


def test_nobody_and_an_address_alone_say_so(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        nobody: ActorRef[Count] = ActorRef.at("/nobody")
        failed = await system.run_free(free_ask_stream(nobody, Count(1)).attempt())
        assert "is no actor" in str(failed.failure())

    world.run(body)


# ---------------------------------------------------------------- leaving early


async def _is_left(ref: ActorRef[Count | Ping], actor: Counter) -> None:
    """See that the handler was stopped, and that the actor lives on."""
    made = actor.made
    assert await ref.ask(Ping(), timeout=1000) <= made + 1
    assert actor.log[-1] == "end"
    assert "GeneratorExit" in actor.log or "CancelledError" in actor.log


@pytest.mark.parametrize("pause", [0, 1])
@pytest.mark.parametrize("way", ["break", "aclose", "async with", "cancel", "garbage", "raise"])
def test_leaving_early_stops_the_handler_at_once(world: World, way: str, pause: float) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        stream: Any = ref.ask_stream(Count(1000, pause), credits=3)
        if way == "break":
            async for item in ref.ask_stream(Count(1000, pause), credits=3):
                if item == 2:
                    break
        elif way == "aclose":
            assert await anext(stream) == 0
            await stream.aclose()
            await stream.aclose()
            assert [item async for item in stream] == []
        elif way == "async with":
            async with stream as items:
                assert await anext(items) == 0
        elif way == "garbage":
            assert await anext(stream) == 0
            del stream
            gc.collect()
        elif way == "raise":

            async def fails() -> None:
                async for _ in ref.ask_stream(Count(1000, pause), credits=3):
                    raise KeyError("of the asker")

            with pytest.raises(KeyError):
                await fails()
        else:

            async def takes() -> None:
                async for item in ref.ask_stream(Count(1000, pause), credits=3):
                    if item == 2:
                        await asyncio.Event().wait()

            task = asyncio.ensure_future(takes())
            await asyncio.sleep(20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await _is_left(ref, actor)

    world.run(body)


@pytest.mark.parametrize("pause", [0, 1])
@pytest.mark.parametrize("way", ["end of scope", "end", "close", "interrupt", "timeout", "failure"])
def test_a_program_that_leaves_early_stops_the_handler(
    world: World, way: str, pause: float
) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)

        @program
        def takes() -> Do[None, Any]:
            replies = yield from free_ask_stream(ref, Count(1000, pause), credits=3)
            assert (yield from replies.next()) == Some(0)
            if way == "close":
                yield from replies.close()
                yield from replies.close()
                assert (yield from replies.next()) == Nothing
            elif way == "failure":
                raise KeyError("a defect")
            elif way in {"interrupt", "timeout"}:
                yield from free_sleep(1000)

        whole: Any = takes()
        if way == "end of scope":

            @program
            def around() -> Do[int, Any]:
                yield from scoped(takes())
                return (yield from free_ask(ref, Ping()))

            assert await system.run_free(around()) <= 20
        elif way == "interrupt":
            task = asyncio.ensure_future(system.run_free(whole))
            await asyncio.sleep(20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        elif way == "timeout":
            assert (await system.run_free(whole.timeout(9).attempt())).failure() is not None
        elif way == "failure":
            with pytest.raises(KeyError):
                await system.run_free(whole)
        else:
            await system.run_free(whole)
        await _is_left(ref, actor)

    world.run(body)


async def _loop(ref: ActorRef[Any], message: Any, fails: bool) -> None:
    async for _ in ref.ask_stream(message, credits=1):
        if fails:
            raise KeyError("of the asker")


async def _comprehension(ref: ActorRef[Any], message: Any, fails: bool) -> None:
    del fails
    assert [item async for item in ref.ask_stream(message, credits=1)] == []


async def _variable(ref: ActorRef[Any], message: Any, fails: bool) -> None:
    del fails
    stream = ref.ask_stream(message, credits=1)
    async for _ in stream:
        pass


class Taker(Actor[Count]):
    """Takes items in its handler."""

    def __init__(self, ref: ActorRef[Any], takes: Any) -> None:
        self.ref = ref
        self.takes = takes

    @handler
    async def count(self, message: Count) -> list[int]:
        async with asyncio.timeout(5):
            await self.takes(self.ref, message, False)
        return []


@pytest.mark.parametrize("takes", [_loop, _comprehension, _variable])
@pytest.mark.parametrize(
    "way", ["cancel", "gather", "timeout", "wait_for", "task group", "in a handler"]
)
def test_who_is_cancelled_leaves_although_the_error_is_kept(
    world: World, way: str, takes: Any
) -> None:
    """What is raised keeps all the frames between, and they what they have in variables."""

    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        message = Count(1000, pause=2)
        kept: list[Any] = []
        try:
            if way == "timeout":
                async with asyncio.timeout(9):
                    await takes(ref, message, False)
            elif way == "wait_for":
                await asyncio.wait_for(takes(ref, message, False), 9)
            elif way == "task group":

                async def fails() -> None:
                    await asyncio.sleep(9)
                    raise KeyError("of the other")

                async with asyncio.TaskGroup() as group:
                    kept.append(group.create_task(takes(ref, message, False)))
                    group.create_task(fails())
            elif way == "in a handler":
                other = await system.spawn(lambda: Taker(ref, takes), "taker")
                await other.ask(message)
            else:
                task = asyncio.ensure_future(takes(ref, message, False))
                await asyncio.sleep(9)
                task.cancel()
                kept.append(task)
                kept.append(await asyncio.gather(task, return_exceptions=way == "gather"))
        except BaseException as error:
            kept.append(error)
        assert kept
        await _is_left(ref, actor)

    world.run(body)


def test_who_fails_in_the_loop_leaves_although_the_error_is_kept(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        task = asyncio.ensure_future(_loop(ref, Count(1000), fails=True))
        await asyncio.wait({task})
        kept = task.exception()
        assert isinstance(kept, KeyError)
        await _is_left(ref, actor)

    world.run(body)


def test_who_asks_for_an_item_after_a_cancellation_is_told(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)
        stream = ref.ask_stream(Count(9, pause=2))
        assert await anext(stream) == 0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await anext(stream)
        for _ in range(2):
            with pytest.raises(AskCancelled, match="whoever took the items was cancelled"):
                await anext(stream)

    world.run(body)


def test_one_of_several_takers_may_be_cancelled(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        stream = ref.ask_stream(Count(6, pause=2), credits=1)
        taken: list[int] = []

        async def takes() -> None:
            async for item in stream:
                await asyncio.sleep(0)
                taken.append(item)

        tasks = [asyncio.ensure_future(takes()) for _ in range(3)]
        await asyncio.sleep(7)
        tasks[0].cancel()
        await asyncio.sleep(2)
        tasks[1].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in done[:2]] == [asyncio.CancelledError] * 2
        assert done[2] is None
        assert sorted(taken) == list(range(6))
        assert actor.log[-1] == "end"

    world.run(body)


def test_left_before_the_handler_begins_it_never_does(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        busy = asyncio.ensure_future(ref.ask(Count(1, pause=50)))
        await asyncio.sleep(1)
        waits = asyncio.ensure_future(anext(ref.ask_stream(Count(1000))))
        await asyncio.sleep(1)
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        assert await busy == [0]
        assert await ref.ask(Ping()) == 1
        assert actor.made == 1

    world.run(body)


def test_an_unused_stream_sends_nothing(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        async with ref.ask_stream(Count(3)):
            pass
        assert await ref.ask(Ping()) == 0
        assert actor.log == []

    world.run(body)


def test_a_cancellation_meant_for_a_handler_that_ended_hits_no_other(world: World) -> None:
    """The handler closes the stream to itself and ends: the next message is not cancelled."""

    class Closes(Actor[Count | Ping]):
        stream: Any = None

        @handler
        async def count(self, message: Count) -> AsyncIterator[int]:
            await asyncio.sleep(1)
            yield 1
            self.stream.close()

        @handler
        async def ping(self, message: Ping) -> int:
            await asyncio.sleep(1)
            return 1

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Closes)
        Closes.stream = ref.ask_stream(Count(1))
        first = asyncio.ensure_future(anext(Closes.stream, None))
        await asyncio.sleep(0)
        pings = [ref.ask_nowait(Ping()) for _ in range(2)]
        await first
        assert [await each for each in pings] == [1, 1]

    world.run(body)


def test_a_handler_that_swallows_its_cancellation_is_ended_at_its_next_item(world: World) -> None:
    class Stubborn(Actor[Count | Ping]):
        ended = 0

        @handler
        async def count(self, message: Count) -> AsyncIterator[int]:
            try:
                for number in range(10**6):
                    try:
                        await asyncio.sleep(1)
                    except asyncio.CancelledError:
                        pass
                    yield number
            finally:
                Stubborn.ended += 1

        @handler
        def ping(self, message: Ping) -> int:
            return Stubborn.ended

    async def body(system: ActorSystem) -> None:
        Stubborn.ended = 0
        ref = await system.spawn(Stubborn)
        async for item in ref.ask_stream(Count(1), credits=2):
            if item == 2:
                break
        assert await ref.ask(Ping()) == 1

    world.run(body)


def test_cleanup_of_a_left_handler_may_wait(world: World) -> None:
    class Careful(Actor[Count | Ping]):
        cleaned = False

        @handler
        async def count(self, message: Count) -> AsyncIterator[int]:
            try:
                for number in range(1000):
                    yield number
            finally:
                await asyncio.sleep(5)
                self.cleaned = True

        @handler
        def ping(self, message: Ping) -> int:
            return int(self.cleaned)

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Careful)
        async for _ in ref.ask_stream(Count(1)):
            break
        assert await ref.ask(Ping()) == 1

    world.run(body)


def test_the_stop_of_its_asker_stops_the_handler(world: World) -> None:
    class Asker(Actor[str]):
        def __init__(self, ref: ActorRef[Count | Ping]) -> None:
            self.ref = ref

        @override
        async def on_receive(self, message: str) -> None:
            async for _ in self.ref.ask_stream(Count(10**6), credits=2):
                await asyncio.sleep(1)

    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        asker = await system.spawn(lambda: Asker(ref))
        await asker.tell("go")
        await asyncio.sleep(5)
        await asker.stop("now")
        await asker.join()
        await _is_left(ref, actor)

    world.run(body)


def test_the_crash_of_its_asker_stops_the_handler() -> None:
    class Asker(Actor[str]):
        def __init__(self, ref: ActorRef[Count | Ping]) -> None:
            self.ref = ref

        @program
        def on_program(self) -> Do[None, Any]:
            replies = yield from free_ask_stream(self.ref, Count(10**6), credits=2)
            yield from replies.for_each(lambda _: free_sleep(1))

        @override
        async def on_receive(self, message: str) -> Any:
            if message == "program":
                return self.on_program()
            async for _ in self.ref.ask_stream(Count(10**6), credits=2):
                await asyncio.sleep(1)
            return None

    def scenario_of(kind: str) -> Any:
        async def scenario(sim: Simulation) -> None:
            ref, actor = await counter(sim.system)
            asker = await sim.system.spawn(lambda: Asker(ref))
            await asker.tell(kind)
            await asyncio.sleep(5)
            sim.crash(asker)
            await ref.ask(Ping())
            assert not actor.log or actor.log[-1] == "end"

        return scenario

    for kind in ("coroutine", "program"):
        verdict = explore(scenario_of(kind), schedules=20)
        assert verdict.ok, verdict


# ---------------------------------------------------------------- timeouts, tokens, options


def test_a_timeout_is_for_each_item(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        assert [i async for i in ref.ask_stream(Count(5, 2), timeout=3)] == list(range(5))
        stream = ref.ask_stream(Count(5, 4), timeout=3)
        with pytest.raises(AskTimeout, match="3"):
            await anext(stream)
        with pytest.raises(AskTimeout):
            await anext(stream)
        await _is_left(ref, actor)

        @program
        def takes(pause: float) -> Do[Any, Any]:
            replies = yield from free_ask_stream(ref, Count(5, pause), timeout=3)
            return (yield from replies.to_list())

        assert await system.run_free(takes(2)) == list(range(5))
        failed = await system.run_free(takes(4).attempt())
        assert isinstance(failed.failure(), AskTimeout)
        await _is_left(ref, actor)

    world.run(body)


def test_the_systems_default_timeout_counts_for_streams(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)
        system.ask_timeout = 3
        with pytest.raises(AskTimeout):
            await anext(ref.ask_stream(Count(5, 4)))
        failed = await system.run_free(
            free_ask_stream(ref, Count(5, 4)).bind(lambda replies: replies.next()).attempt()
        )
        assert isinstance(failed.failure(), AskTimeout)
        forever = ref.ask_stream(Count(5, 4), timeout=float("inf"))
        assert [item async for item in forever] == list(range(5))

    world.run(body)


def test_whoever_asked_the_asker_limits_the_wait_for_items(world: World) -> None:
    class Passes(Actor[Ping]):
        def __init__(self, ref: ActorRef[Count | Ping]) -> None:
            self.ref = ref
            self.ended: list[str] = []

        @handler
        async def ping(self, message: Ping) -> int:
            try:
                async for item in self.ref.ask_stream(Count(9, 50)):
                    return item
            except AskTimeout:
                self.ended.append("timeout")
                await asyncio.sleep(1)
            return -1

    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        made: list[Passes] = []

        def make() -> Passes:
            made.append(Passes(ref))
            return made[-1]

        passes = await system.spawn(make)
        with pytest.raises(AskTimeout):
            await passes.ask(Ping(), timeout=5)
        await asyncio.sleep(10)
        assert made[0].ended == ["timeout"]
        await _is_left(ref, actor)

    world.run(body)


@pytest.mark.parametrize("begun", [True, False])
def test_a_token_cancels_a_stream_at_once(world: World, begun: bool) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        token = CancellationToken()
        if not begun:
            await ref.tell(Count(1, pause=99))
        options = SendOptions(cancellation=token)
        stream = ref.ask_stream(Count(1000, 1), credits=2, options=options)
        waits = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(1.5)
        token.cancel("enough")
        loop = asyncio.get_running_loop()
        then = loop.time()
        if begun:
            assert await waits == 0
            with pytest.raises(AskCancelled):
                await anext(stream)
        else:
            with pytest.raises(AskCancelled):
                await waits
        assert loop.time() - then < 1
        made = actor.made
        assert await ref.ask(Ping()) == made + (0 if begun else 1)

    world.run(body)


def test_a_token_lets_a_handler_clean_up_in_peace(world: World) -> None:
    class Careful(Actor[Count | Ping]):
        cleaned = False

        @handler
        async def count(self, message: Count) -> AsyncIterator[int]:
            try:
                while True:
                    await asyncio.sleep(1)
                    yield 1
            finally:
                await asyncio.sleep(5)
                self.cleaned = True

        @handler
        def ping(self, message: Ping) -> int:
            return int(self.cleaned)

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Careful)
        token = CancellationToken()
        stream = ref.ask_stream(Count(1), options=SendOptions(cancellation=token))
        assert await anext(stream) == 1
        token.cancel()
        await stream.aclose()
        assert await ref.ask(Ping()) == 1

    world.run(body)


def test_a_full_mailbox_refuses_a_stream(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system, mailbox=MemoryMailbox(1, overflow="reject"))
        busy = asyncio.ensure_future(ref.ask(Count(1, pause=9)))
        await asyncio.sleep(1)
        await ref.tell(Ping())
        with pytest.raises(MailboxFull):
            await anext(ref.ask_stream(Count(1)))
        await busy

    world.run(body)


# ---------------------------------------------------------------- several


def test_a_reentrant_actor_streams_to_two_at_once(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system, reentrant=True)
        left, right = ref.ask_stream(Count(5), credits=1), ref.ask_stream(Count(9), credits=1)
        for number in range(5):
            assert await anext(left) == number
            assert await anext(right) == number
        assert [item async for item in left] == []
        await right.aclose()
        assert await ref.ask(Ping()) <= 12
        await asyncio.sleep(1)
        assert actor.log.count("end") == 2

    world.run(body)


def test_the_workers_of_a_pool_stream(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref: ActorRef[Any] = await system.spawn(pool(Counter, 2))
        left, right = ref.ask_stream(Count(50), credits=1), ref.ask_stream(Count(3), credits=1)
        assert await anext(left) == 0
        assert [item async for item in right] == [0, 1, 2]
        await left.aclose()
        assert await ref.ask(Count(2)) == [0, 1]

    world.run(body)


def test_a_stream_may_be_passed_on_and_shared(world: World) -> None:
    """Every item goes to one of those who take them, and all of them see the end."""

    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)
        stream = ref.ask_stream(Count(9, 1), credits=2)
        got: list[int] = []

        async def takes() -> None:
            got.extend([item async for item in stream])

        await asyncio.gather(takes(), takes(), takes())
        assert sorted(got) == list(range(9))
        failing = ref.ask_stream(Count(2, 1, ValueError))

        async def fails() -> None:
            async for _ in failing:
                pass

        ends = await asyncio.gather(fails(), fails(), return_exceptions=True)
        assert [type(end) for end in ends] == [ValueError, ValueError]
        slow = ref.ask_stream(Count(2, 100))
        waits = [asyncio.ensure_future(anext(slow, None)) for _ in range(2)]
        await asyncio.sleep(1)
        await slow.aclose()
        assert await asyncio.gather(*waits) == [None, None]

    world.run(body)


def test_branches_of_a_program_share_a_stream(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)

        @program
        def takes() -> Do[Any, Any]:
            replies = yield from free_ask_stream(ref, Count(8, 1), credits=1)
            taking = yield from gather([replies.to_list() for _ in range(3)])
            got = [item for items in taking for item in items]
            return sorted(got)

        assert await system.run_free(takes()) == list(range(8))

    world.run(body)


def test_a_stream_under_race_and_timeout(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        taking = free_ask_stream(ref, Count(99, 1)).bind(lambda replies: replies.to_list())
        assert await system.run_free(race(taking, free_sleep(5).map(lambda _: "slept"))) == "slept"
        await _is_left(ref, actor)

        @program
        def goes_on() -> Do[Any, Any]:
            replies = yield from free_ask_stream(ref, Count(3, 5))
            late = yield from replies.next().timeout(1).attempt()
            return late.failure(), (yield from replies.to_list())

        late, items = await system.run_free(goes_on())
        assert late is not None
        assert items == [0, 1, 2]

    world.run(body)


def test_a_run_that_opens_many_streams_keeps_none(world: World) -> None:
    """What closes a stream at the end of its program goes when the stream does."""
    kept: list[Any] = []

    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)

        @program
        def opens() -> Do[None, Any]:
            for n in range(30):
                replies = yield from free_ask_stream(ref, Count(2))
                if n % 3:
                    yield from replies.to_list()
                else:
                    yield from replies.close()
                kept[:] = [
                    run.fiber.scope.finalizers if run.fiber.scope is not None else []
                    for run in system.runs
                ]

        await system.run_free(opens())

    world.run(body)
    assert [len(each) for each in kept] == [0]


# ---------------------------------------------------------------- from inside of handlers


@dataclass(frozen=True)
class Sum(Message[int]):
    """Asks for the sum of another actor's numbers."""

    to: int


class Summing(Actor[Sum]):
    """Takes the numbers in a coroutine."""

    def __init__(self, ref: ActorRef[Any]) -> None:
        self.ref = ref

    @handler
    async def sum(self, message: Sum) -> int:
        total = 0
        async for item in self.ref.ask_stream(Count(message.to), credits=2):
            total += item
        return total


class FreeSumming(Actor[Sum]):
    """Takes them in a program."""

    def __init__(self, ref: ActorRef[Any]) -> None:
        self.ref = ref

    @handler
    @program
    def sum(self, message: Sum) -> Do[int, Any]:
        replies = yield from free_ask_stream(self.ref, Count(message.to), credits=2)
        return sum((yield from replies.to_list()))


@pytest.mark.parametrize("kind", [Summing, FreeSumming])
def test_handlers_take_streams(world: World, kind: Any) -> None:
    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)
        summing = await system.spawn(lambda: kind(ref))
        assert await asyncio.gather(*(summing.ask(Sum(n)) for n in range(6))) == [
            0,
            0,
            1,
            3,
            6,
            10,
        ]

    world.run(body)


@dataclass(frozen=True)
class To(Message[Any]):
    """Introduces an actor."""

    ref: Any


class AsksBack(Actor[Count | To]):
    """Asks for the sum while it counts for it."""

    other: Any = None

    @handler
    async def to(self, message: To) -> None:
        self.other = message.ref

    @handler
    async def count(self, message: Count) -> AsyncIterator[int]:
        yield 1
        yield await self.other.ask(Sum(1))


@pytest.mark.parametrize("kind", [Summing, FreeSumming])
def test_a_circle_through_a_stream_is_a_deadlock(world: World, kind: Any) -> None:
    async def body(system: ActorSystem) -> None:
        back = await system.spawn(AsksBack, "back")
        summing: ActorRef[Any] = await system.spawn(lambda: kind(back), "sum")
        await back.ask(To(summing))
        with pytest.raises((Deadlock, HandlerFailed)) as caught:
            await summing.ask(Sum(1))
        found: Any = caught.value
        while isinstance(found, HandlerFailed):
            found = found.cause
        assert isinstance(found, Deadlock)

    world.run(body)


class Interrupts(Actor[Sum]):
    """Asks the actor whose items it takes, which waits for that."""

    def __init__(self, ref: ActorRef[Any]) -> None:
        self.ref = ref

    @handler
    async def sum(self, message: Sum) -> int:
        async for _ in self.ref.ask_stream(Count(message.to), credits=1):
            await self.ref.ask(Ping())
        return 1


class FreeInterrupts(Actor[Sum]):
    """The same as a program."""

    def __init__(self, ref: ActorRef[Any]) -> None:
        self.ref = ref

    @handler
    @program
    def sum(self, message: Sum) -> Do[int, Any]:
        replies = yield from free_ask_stream(self.ref, Count(message.to), credits=1)
        while isinstance((yield from replies.next()), Some):
            yield from free_ask(self.ref, Ping())
        return 1


@pytest.mark.parametrize("kind", [Interrupts, FreeInterrupts])
def test_asking_the_actor_that_waits_for_its_items_to_be_taken_is_a_deadlock(
    world: World, kind: Any
) -> None:
    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)
        asks: ActorRef[Any] = await system.spawn(lambda: kind(ref), "asks")
        with pytest.raises((Deadlock, HandlerFailed)) as caught:
            await asks.ask(Sum(9))
        found: Any = caught.value
        while isinstance(found, HandlerFailed):
            found = found.cause
        assert isinstance(found, Deadlock)
        assert "its taking of the next item" in str(found)

    world.run(body)


@program
def _asks_in_between(ref: ActorRef[Any], message: Any) -> Do[Any, Any]:
    replies = yield from free_ask_stream(ref, message, credits=1)
    while isinstance((yield from replies.next()), Some):
        yield from free_ask(ref, Ping())


@pytest.mark.parametrize("pause", [0, 1])
@pytest.mark.parametrize("how", ["task", "program"])
def test_a_task_or_program_that_asks_in_between_is_told_of_the_deadlock(
    world: World, how: str, pause: float
) -> None:
    async def body(system: ActorSystem) -> None:
        ref, actor = await counter(system)
        message = Count(9, pause=pause)

        async def takes() -> None:
            async for _ in ref.ask_stream(message, credits=1):
                await ref.ask(Ping())

        with pytest.raises(Deadlock) as caught:
            await (takes() if how == "task" else system.run_free(_asks_in_between(ref, message)))
        assert "(its taking of the next item)" in str(caught.value)
        # The actor asked has done nothing wrong: it is the same instance.
        assert await ref.ask(Ping()) == actor.made > 0
        assert "Deadlock" not in actor.log

    world.run(body)


def test_a_deadlock_of_a_task_is_found_through_other_actors(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)

        class Between(Actor[Ping]):
            @handler
            async def ping(self, message: Ping) -> int:
                return await ref.ask(message)

        between = await system.spawn(Between, "between")

        async def takes() -> None:
            async for _ in ref.ask_stream(Count(9, pause=1), credits=1):
                await between.ask(Ping())

        with pytest.raises(Deadlock, match="a task waits for /sim/between"):
            await takes()

    world.run(body)


def test_what_may_end_by_itself_is_no_deadlock(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)
        stream = ref.ask_stream(Count(4, pause=1), credits=1)
        assert await anext(stream) == 0
        await asyncio.sleep(5)
        with pytest.raises(AskTimeout):
            await ref.ask(Ping(), timeout=1)

        async def rest() -> list[int]:
            return [item async for item in stream]

        another = asyncio.ensure_future(rest())
        await asyncio.sleep(0)
        assert await ref.ask(Ping()) == 4
        assert await another == [1, 2, 3]
        # Another task than the one that takes.
        pings: list[asyncio.Future[int]] = []
        async for _ in ref.ask_stream(Count(3), credits=1):
            pings.append(asyncio.ensure_future(ref.ask(Ping())))
            await asyncio.sleep(1)
        assert [await ping for ping in pings] == [7, 7, 7]

    world.run(body)


async def _drained_by_another(ref: ActorRef[Any], pause: float) -> list[int]:
    stream = ref.ask_stream(Count(4, pause=pause), credits=1)
    taken = [await anext(stream)]

    async def rest() -> None:
        taken.extend([item async for item in stream])

    another = asyncio.ensure_future(rest())  # and it has not begun
    await ref.ask(Ping())
    await another
    return taken


class Shares(Actor[Sum]):
    """Lets a task of its own take the rest of a stream."""

    def __init__(self, ref: ActorRef[Any]) -> None:
        self.ref = ref

    @handler
    async def sum(self, message: Sum) -> int:
        return sum(await _drained_by_another(self.ref, message.to))


@pytest.mark.parametrize("pause", [0, 1])
@pytest.mark.parametrize("who", ["task", "actor"])
def test_a_task_that_was_just_made_to_take_items_is_no_deadlock(
    world: World, who: str, pause: int
) -> None:
    async def body(system: ActorSystem) -> None:
        ref, _ = await counter(system)
        if who == "task":
            assert await _drained_by_another(ref, pause) == [0, 1, 2, 3]
        else:
            shares = await system.spawn(lambda: Shares(ref), "shares")
            assert await shares.ask(Sum(pause)) == 6

    world.run(body)


def test_a_self_stream_is_a_deadlock_unless_the_actor_is_reentrant(world: World) -> None:
    class Selfish(Actor[Sum | Count]):
        @handler
        async def sum(self, message: Sum) -> int:
            ref: Any = self.context.self_ref
            return sum([item async for item in ref.ask_stream(Count(message.to))])

        @handler
        async def count(self, message: Count) -> AsyncIterator[int]:
            for number in range(message.to):
                yield number

    async def body(system: ActorSystem) -> None:
        serial: ActorRef[Any] = await system.spawn(Selfish)
        with pytest.raises(Deadlock):
            await serial.ask(Sum(4))
        overlapping: ActorRef[Any] = await system.spawn(Selfish, reentrant=True)
        assert await overlapping.ask(Sum(4)) == 6

    world.run(body)


# ---------------------------------------------------------------- middleware


def test_middleware_stands_around_the_whole_stream(world: World) -> None:
    log: list[str] = []

    class Around(Middleware):
        @override
        async def on_receive(self, ctx: Any, message: Any, next_fn: Any) -> Any:
            log.append("before")
            await next_fn(ctx, message)
            log.append("after")
            return "whatever"  # no item: the items were the reply

    class Instead(Middleware):
        @override
        async def on_receive(self, ctx: Any, message: Any, next_fn: Any) -> Any:
            return "instead"

    async def body(system: ActorSystem) -> None:
        log.clear()
        ref, _ = await counter(system, middlewares=[Around()])
        assert [item async for item in ref.ask_stream(Count(3))] == [0, 1, 2]
        assert log == ["before", "after"]
        found, _ = await counter(system, middlewares=[Instead()])
        other: ActorRef[Any] = found
        assert await _items(other, Count(3)) == ["instead"]

    world.run(body)


# ---------------------------------------------------------------- as values


def test_a_dry_run_takes_the_items_from_its_answers() -> None:
    ref: ActorRef[Count] = ActorRef.at("/counter")
    value = free_ask_stream(ref, Count(3)).bind(lambda replies: replies.to_list())
    trace = dry_run(value, answers={Count: [7, 8]})
    assert [record.kind for record in trace.records] == ["ask", "reply", "end"]
    assert trace.records[-1].subject.value == [7, 8]


def test_wrong_arguments_are_refused_at_once() -> None:
    ref: ActorRef[Count] = ActorRef.at("/counter")
    ask: Any = free_ask_stream
    with pytest.raises(ValueError, match="credits"):
        ask(ref, Count(1), credits=0)
    with pytest.raises(ValueError, match="timeout"):
        ask(ref, Count(1), timeout=-1)
    with pytest.raises(TypeError, match="free_ask_stream"):
        ask("counter", Count(1))
    with pytest.raises(TypeError, match="options"):
        ask(ref, Count(1), options={})
    assert ask(ref, Ping()).describe() == "ask /counter Ping() for a stream"


def test_the_items_of_a_simulated_run_are_in_its_trace() -> None:
    async def scenario(sim: Simulation) -> list[int]:
        ref = await sim.system.spawn(Counter, "counter")
        return await sim.system.run_free(
            free_ask_stream(ref, Count(3)).bind(lambda replies: replies.to_list())
        )

    run = simulate(scenario)
    assert run.value == [0, 1, 2]
    replies = [r.subject for r in run.trace.records if r.kind == "reply" and r.source == "/counter"]
    assert {0, 1, 2} <= set(replies)
    assert simulate(scenario).digest == run.digest


# ---------------------------------------------------------------- ephemeral children


@dataclass(frozen=True)
class Run(Message[Any]):
    """Asks to run a function of the actor itself."""

    what: Any


class Parent(Actor[Run]):
    """Runs what it is told to, as itself."""

    @handler
    async def run(self, message: Run) -> Any:
        return await message.what(self)


class Child(Counter):
    """Notes its ends."""

    ended = 0

    @override
    async def on_stopped(self) -> None:
        await asyncio.sleep(1)
        Child.ended += 1


def as_parent(world: World, what: Any) -> Any:
    """Run *what* in a handler of a parent."""

    async def body(system: ActorSystem) -> Any:
        Child.ended = 0
        parent = await system.spawn(Parent, "parent")
        return await parent.ask(Run(what))

    return world.run(body)


def test_a_child_streams_and_has_stopped_at_the_end(world: World) -> None:
    async def what(self: Parent) -> Any:
        items: list[int] = []
        async for item in self.context.stream(Child, Count(3), name="child", credits=1):
            assert list(self.context.children) == ["child"]
            items.append(item)
        return items, list(self.context.children), Child.ended

    assert as_parent(world, what) == ([0, 1, 2], [], 1)


@pytest.mark.parametrize("kind", ["error", "declared", "timeout", "start"])
def test_a_child_has_stopped_when_its_stream_fails(world: World, kind: str) -> None:
    class Stillborn(Child):
        @override
        def on_started(self) -> None:
            raise KeyError("start")

    async def what(self: Parent) -> Any:
        how: Any = {
            "error": (Child, Count(2, error=ValueError), None),
            "declared": (Child, Count(2, error=Declared), None),
            "timeout": (Child, Count(2, pause=10), 5),
            "start": (Stillborn, Count(2), None),
        }[kind]
        stream = self.context.stream(how[0], how[1], timeout=how[2])
        try:
            async for _ in stream:
                pass
        except (ValueError, Declared, AskTimeout, KeyError) as error:
            assert [item async for item in stream] == []
            return type(error), list(self.context.children)
        return None

    expected = {"error": ValueError, "declared": Declared, "timeout": AskTimeout}
    assert as_parent(world, what) == (expected.get(kind, KeyError), [])


def test_async_with_waits_for_the_end_of_the_child(world: World) -> None:
    async def what(self: Parent) -> Any:
        async with self.context.stream(Child, Count(10**6)) as items:
            assert await anext(items) == 0
        assert [item async for item in items] == []
        return list(self.context.children), Child.ended

    assert as_parent(world, what) == ([], 1)


def test_break_stops_the_child_at_once(world: World) -> None:
    async def what(self: Parent) -> Any:
        async for _ in self.context.stream(Child, Count(10**6, 100)):
            break
        for child in self.context.children.values():
            await child.join()
        return list(self.context.children), Child.ended

    assert as_parent(world, what) == ([], 1)


def test_the_stop_of_the_parent_ends_the_child_of_its_stream(world: World) -> None:
    async def what(self: Parent) -> Any:
        async for _ in self.context.stream(Child, Count(10**6, 100)):
            pass

    async def body(system: ActorSystem) -> None:
        Child.ended = 0
        parent = await system.spawn(Parent, "parent")
        await parent.tell(Run(what))
        await asyncio.sleep(5)
        await parent.stop("now")
        await parent.join()
        assert Child.ended <= 1  # in a simulation the message may come too late
        assert [path for path in system.cells if path.startswith("/parent")] == []

    world.run(body)


def test_a_cancelled_task_of_the_parent_has_waited_for_the_child(world: World) -> None:
    async def what(self: Parent) -> Any:
        async def takes() -> None:
            async for _ in self.context.stream(Child, Count(10**6, 100)):
                pass

        task = asyncio.ensure_future(takes())
        await asyncio.sleep(5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return list(self.context.children)

    assert as_parent(world, what) == []


def test_a_living_actor_streams_and_lives_on(world: World) -> None:
    async def what(self: Parent) -> Any:
        ref = await self.context.system.spawn(Counter, "counter")
        got = [item async for item in self.context.stream(ref, Count(2))]
        async for item in self.context.stream("/counter", Count(100)):
            got.append(item)
            break
        with pytest.raises(ValueError, match="lives already"):
            self.context.stream(ref, Count(1), name="x")
        wrong: Any = self.context.stream
        with pytest.raises(TypeError, match="target"):
            wrong(7, Count(1))
        with pytest.raises(ActorNotFound):
            wrong("/countr", Count(1))
        return got, ref.is_alive

    assert as_parent(world, what) == ([0, 1, 0], True)
