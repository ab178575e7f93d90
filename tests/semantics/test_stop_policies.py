"""Stop policies: actors that stop by themselves, and when."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorStopped,
    AfterIdle,
    AfterMessage,
    Deadlock,
    MemoryMailbox,
    Message,
    Middleware,
    MiddlewareContext,
    Next,
    Program,
    StopMode,
    StopPolicy,
    Unhandled,
    free_ask,
    free_spawn,
    handler,
    pool,
    stash,
    unstash_all,
)
from effactor.interpreters import ActorSystem

LOG: list[str] = []


@dataclass(frozen=True)
class Job(Message[Any]):
    """Handled in as many seconds as it says, if that is a float."""

    n: Any


class Slowly(Job):
    """Takes long, and is the same as a job of that name."""

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and other.n == self.n

    __hash__ = Job.__hash__


class Worker(Actor[Any]):
    policy: Any = StopMode.NEVER

    @override
    def stop_policy(self) -> StopPolicy:
        policy: StopPolicy = self.policy
        return policy

    @override
    async def on_started(self) -> None:
        LOG.append("started")

    @override
    async def on_stopped(self) -> None:
        LOG.append("stopped")

    @handler(Job)
    async def job(self, message: Job) -> Any:
        if isinstance(message.n, float):
            await asyncio.sleep(message.n)
        if isinstance(message, Slowly):
            await asyncio.sleep(3)
        if message.n == "break":
            raise ValueError(message.n)
        return message.n


class Once(Worker):
    policy = StopMode.ONE_TIME


class Idle(Worker):
    policy: Any = AfterIdle(10)


class Last(Worker):
    policy = AfterMessage(Job("bye"))


@pytest.fixture(autouse=True)
def log() -> list[str]:
    LOG.clear()
    return LOG


async def ended(ref: Any, why: str) -> None:
    """Expect that the actor stops by itself, with this reason."""
    await ref.join()
    assert not ref.is_alive
    with pytest.raises(ActorStopped, match=why):
        await ref.ask(Job("late"))


def test_never_is_the_default_and_means_it(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker)
        for n in range(3):
            assert await ref.ask(Job(n)) == n
        await asyncio.sleep(1e6)
        assert await ref.ask(Job("still here")) == "still here"

    world.run(body)


def test_a_one_time_actor_replies_first_and_stops_then(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        for mailbox in (None, MemoryMailbox(5)):
            ref = await system.spawn(Once, mailbox=mailbox)
            answers = await asyncio.gather(
                ref.ask(Job(1.0)), ref.ask(Job(2.0)), return_exceptions=True
            )
            stopped = [isinstance(each, ActorStopped) for each in answers]
            assert sorted(stopped) == [False, True]
            await ended(ref, "its stop policy: one message")

    world.run(body)
    assert LOG == ["started", "stopped"] * 2


def test_a_one_time_actor_whose_message_fails_stops_and_is_not_restarted(world: World) -> None:
    """W17: the original's is restarted and leaks."""

    async def body(system: ActorSystem) -> None:
        for ask in (True, False):
            ref = await system.spawn(Once)
            if ask:
                with pytest.raises(ValueError, match="break"):
                    await ref.ask(Job("break"))
            else:
                await ref.tell(Job("break"))
            await ended(ref, "its stop policy: one message")
        ref = await system.run_free(free_spawn(Once))
        assert (await system.run_free(free_ask(ref, Job("break")).attempt())).failure()
        await ended(ref, "its stop policy: one message")

    world.run(body)
    assert LOG == ["started", "stopped"] * 3


def test_a_message_that_nobody_handles_counts_for_a_one_time_actor(world: World) -> None:
    class Gate(Middleware):
        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            ctx.drop("not today")

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Once)
        with pytest.raises(Unhandled):
            await ref.ask("what?")
        await ended(ref, "one message")
        ref = await system.spawn(Once, middlewares=[Gate()])
        await ref.tell(Job(1))
        await ended(ref, "one message")

    world.run(body)


def test_a_message_set_aside_does_not_count(world: World) -> None:
    class Shy(Once):
        ready = False

        @handler(str)
        def opens(self, message: str) -> Program[Any]:
            self.ready = True
            return unstash_all()

        @override
        @handler(Job)
        def job(self, message: Job) -> Any:
            return message.n if self.ready else stash()

        @override
        def stop_policy(self) -> StopPolicy:
            return AfterMessage(Job(1))

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Shy)
        first = asyncio.ensure_future(ref.ask(Job(1)))
        await asyncio.sleep(1)
        assert ref.is_alive
        await ref.ask("open")
        assert await first == 1
        await ended(ref, "after Job")

    world.run(body)


def test_an_actor_stops_after_the_message_that_equals_its_policys(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Last)
        assert await ref.ask(Job("hi")) == "hi"
        assert await ref.ask(Job("good bye")) == "good bye"
        assert ref.is_alive
        assert await ref.ask(Job("bye")) == "bye"
        await ended(ref, r"its stop policy: after Job\(n='bye'\)")
        ref = await system.spawn(Last)
        await ref.tell(Job("bye"))
        await ended(ref, "after Job")

    world.run(body)


def test_a_comparison_that_raises_neither_fails_the_ask_nor_stops_the_actor(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class Awkward:
        @override
        def __hash__(self) -> int:
            return 1

        @override
        def __eq__(self, other: object) -> bool:
            raise ValueError("the truth value is ambiguous")

    class Proud(Worker):
        policy = AfterMessage(Awkward())

        @handler(str)
        def text(self, message: str) -> str:
            return message

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Proud)
        assert await ref.ask("hi") == "hi"
        assert await ref.ask("ho") == "ho"

    world.run(body)
    assert LOG[0] == "started"
    assert LOG.count("started") == 1
    assert "cannot compare 'hi' with the message of its stop policy" in caplog.text


def test_an_idle_actor_stops_and_every_message_starts_the_wait_again(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        for mailbox in (None, MemoryMailbox(5)):
            ref = await system.spawn(Idle, mailbox=mailbox)
            begun = asyncio.get_running_loop().time()
            for n in range(3):
                await asyncio.sleep(8)
                assert await ref.ask(Job(n)) == n
            await ref.join()
            lived = asyncio.get_running_loop().time() - begun
            assert lived == pytest.approx(34, abs=0.1)
            await ended(ref, "its stop policy: idle for 10 s")

    world.run(body)


def test_the_time_of_a_handler_is_not_idle(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Idle)
        begun = asyncio.get_running_loop().time()
        assert await ref.ask(Job(35.0)) == 35.0
        await ref.join()
        assert asyncio.get_running_loop().time() - begun == pytest.approx(45, abs=0.1)

    world.run(body)


def test_in_crowded_time_no_message_of_an_idle_actor_is_lost(world: World) -> None:
    """Timers that fire while messages are under way: each is handled, or refused."""

    async def body(system: ActorSystem) -> None:
        for mailbox in (None, MemoryMailbox(2)):
            handled = refused = 0
            for _ in range(10):
                ref = await system.spawn(Idle, mailbox=mailbox)
                for pause in (9.999999999, 10, 10.000000001):
                    await asyncio.sleep(pause)
                    try:
                        assert await ref.ask(Job(1)) == 1
                        handled += 1
                    except ActorStopped:
                        refused += 1
                await ref.join()
            assert handled + refused == 30

    world.run(body)


def test_many_idle_actors_stop_at_their_time(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        refs = [await system.spawn(Idle) for _ in range(50)]
        await asyncio.gather(*(ref.join() for ref in refs))
        assert not any(ref.is_alive for ref in refs)

    world.run(body)
    assert LOG.count("stopped") == 50


OVERLAPPING: dict[str, dict[str, Any]] = {
    "reentrant": {"reentrant": True},
    "concurrency": {"concurrency": 2},
    "pool": {},
    "priority": {"reentrant": True, "mailbox": MemoryMailbox(order="priority")},
}


@pytest.fixture(params=list(OVERLAPPING))
def overlapping(request: pytest.FixtureRequest) -> Any:
    """Takes a class, returns what to spawn, and how, so that several handlers may run at once."""

    def make(kind: type[Actor[Any]]) -> tuple[Any, dict[str, Any]]:
        return pool(kind, 3) if request.param == "pool" else kind, OVERLAPPING[request.param]

    return make


def test_a_one_time_actor_handles_one_message_also_where_handlers_overlap(
    world: World, overlapping: Any
) -> None:
    async def body(system: ActorSystem) -> Any:
        what, options = overlapping(Once)
        ref = await system.spawn(what, **options)
        asks = [ref.ask_nowait(Job(1.0)) for _ in range(5)]
        await ref.tell(Job("told"))
        answers = await asyncio.gather(*asks, return_exceptions=True)
        assert sum(answer == 1.0 for answer in answers) == 1
        stopped = [each for each in answers if isinstance(each, ActorStopped)]
        assert len(stopped) == 4
        assert not any(each.delivered for each in stopped)
        assert [letter.message for letter in system.dead_letters] == [Job("told")]
        await ended(ref, "its stop policy: one message")

    world.run(body)


def test_what_was_taken_up_before_the_last_message_ends_and_nothing_after_it_begins(
    world: World, overlapping: Any
) -> None:
    async def body(system: ActorSystem) -> Any:
        what, options = overlapping(Last)
        ref = await system.spawn(what, **options)
        before = ref.ask_nowait(Job(9.0))
        await asyncio.sleep(1)
        # Whoever compares equal is the last one; it takes its time.
        last = ref.ask_nowait(Slowly("bye"))
        await asyncio.sleep(1)
        after = ref.ask_nowait(Job("late"))
        answers = list(await asyncio.gather(before, last))
        assert answers == [9.0, "bye"]
        with pytest.raises(ActorStopped) as refused:
            await after
        assert not refused.value.delivered
        await ended(ref, "after Slowly")

    world.run(body)


def test_a_last_message_that_is_not_handled_after_all_ends_nothing(world: World) -> None:
    class Later(Once):
        ready = False

        @override
        @handler(Job)
        async def job(self, message: Job) -> Any:
            await asyncio.sleep(1)
            if self.ready:
                return message.n
            self.ready = True
            return stash()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Later, reentrant=True)
        first = ref.ask_nowait(Job(1))
        assert await ref.ask(Job(2)) == 2
        with pytest.raises(ActorStopped):
            await first
        await ended(ref, "one message")

    world.run(body)


def test_a_one_time_actor_that_asks_itself_is_a_deadlock(world: World, overlapping: Any) -> None:
    class Narcissus(Once):
        @override
        @handler(Job)
        async def job(self, message: Job) -> Any:
            front: Any = message.n
            with pytest.raises(Deadlock):
                await front[0].ask(Job("me"))
            return "alone"

    async def body(system: ActorSystem) -> Any:
        what, options = overlapping(Narcissus)
        ref: list[Any] = []
        ref.append(await system.spawn(what, **options))
        return await ref[0].ask(Job(ref))

    assert world.run(body) == "alone"


def test_a_name_is_free_again_after_a_policy_stopped_its_actor(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        for _ in range(3):
            ref = await system.spawn(Once, "once")
            assert await ref.ask(Job(1)) == 1
            await ref.join()

    world.run(body)


def test_a_policy_stops_the_children_too(world: World) -> None:
    class Parent(Once):
        @override
        async def on_started(self) -> None:
            self.child = await self.context.spawn(Worker, "child")

        @handler(str)
        def text(self, message: str) -> Any:
            return self.child

    async def body(system: ActorSystem) -> None:
        parent = await system.spawn(Parent)
        child = await parent.ask("child")
        await child.join()
        await parent.join()

    world.run(body)


def test_a_policy_outlives_a_restart(world: World) -> None:
    class Fragile(Idle):
        policy = AfterMessage(Job("bye"))

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Fragile)
        with pytest.raises(ValueError, match="break"):
            await ref.ask(Job("break"))
        assert await ref.ask(Job("bye")) == "bye"
        await ended(ref, "after Job")

    world.run(body)
    assert LOG == ["started", "stopped", "started", "stopped"]


@pytest.mark.parametrize("mode", ["graceful", "current", "now"])
def test_a_stop_by_hand_comes_first(world: World, mode: Any) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Idle)
        await ref.stop(mode)
        await ended(ref, "asked to stop")

    world.run(body)
    assert LOG == ["started", "stopped"]


def test_what_is_no_policy_fails_the_spawn(world: World) -> None:
    class Wrong(Worker):
        policy = "never"

    async def body(system: ActorSystem) -> None:
        says = "Wrong.stop_policy must return StopMode.NEVER, StopMode.ONE_TIME"
        with pytest.raises(TypeError, match=says):
            await system.spawn(Wrong, "w")
        await system.spawn(Worker, "w")

    world.run(body)


def test_policies_are_values() -> None:
    assert AfterIdle(5) == AfterIdle(5.0)
    assert AfterMessage("x") == AfterMessage("x")
    assert {AfterIdle(5), AfterIdle(5)} == {AfterIdle(5)}
    for wrong in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="finite number of seconds > 0"):
            AfterIdle(wrong)
    for wrong_type in ("5", True, None):
        with pytest.raises(TypeError, match="must be a number of seconds"):
            AfterIdle(wrong_type)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
