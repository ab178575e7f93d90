"""Programs of any shape end, and messages keep what belongs to them, in every world.

W8, W24, W25, W30, W40: what others get wrong there.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from concurrent.futures import CancelledError as FutureCancelledError
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

import effactor
from effactor import (
    Actor,
    ActorRef,
    ActorStopped,
    Message,
    Program,
    SendOptions,
    Succeeded,
    events,
    free_ask,
    free_tell,
    handler,
    pure,
    run_free,
)
from effactor.interpreters import ActorSystem, dry_run


@dataclass(frozen=True)
class Add(Message[int]):
    number: int


@dataclass(frozen=True)
class Pass(Message[Any]):
    """Ask somebody else, and answer what the message's envelope said."""

    whom: ActorRef[Any] | None


class Counter(Actor[Add | Pass]):
    def __init__(self) -> None:
        self.count = 0

    @handler
    def add(self, message: Add) -> int:
        self.count += message.number
        return self.count

    @handler
    async def pass_on(self, message: Pass) -> Any:
        envelope = self.context.message
        here = (envelope.sender, envelope.correlation_id)
        return [here] if message.whom is None else [here, *await message.whom.ask(Pass(None))]


# ---------------------------------------------------------------- W8

STEPS = 20_000


def chain(first: Program[int, Any], *, nested: str) -> Program[int, Any]:
    """Add one again and again, the binds nested to the left or to the right."""
    if nested == "left":
        for _ in range(STEPS):
            first = first.flatMap(lambda n: pure(n + 1))
        return first

    def on(left: int) -> Any:
        def add(n: int) -> Program[int, Any]:
            return pure(n + 1) if left == 1 else pure(n + 1).flatMap(on(left - 1))

        return add

    return first.flatMap(on(STEPS))


@pytest.mark.parametrize("nested", ["left", "right"])
def test_w08_a_chain_of_any_length_and_shape_ends(world: World, nested: str) -> None:
    async def body(system: ActorSystem) -> Any:
        counter = await system.spawn(Counter, "counter")
        return await system.run_free(chain(free_ask(counter, Add(1)), nested=nested).map(str))

    assert world.run(body) == str(STEPS + 1)
    assert run_free(chain(pure(1), nested=nested)) == STEPS + 1


@pytest.mark.parametrize("nested", ["left", "right"])
def test_w08_a_program_without_actors_asks_and_drops_no_tell(nested: str) -> None:
    ref: ActorRef[Any] = ActorRef.at("/counter")
    trace = dry_run(
        chain(free_tell(ref, Add(7)).then(free_ask(ref, Add(2))), nested=nested),
        answers={Add(2): 5},
    )
    assert trace.outcome == Succeeded(STEPS + 5)
    assert [record.kind for record in trace.records] == ["tell", "ask", "reply", "end"]
    assert [record.subject for record in trace.records[:2]] == [Add(7), Add(2)]


# ---------------------------------------------------------------- W24, W25


def test_w24_a_thread_waits_for_what_the_loop_answers() -> None:
    """Live only: no other thread may enter a simulation."""
    answers: list[Any] = []

    async def main() -> None:
        async with ActorSystem("threads") as system:
            counter = await system.spawn(Counter, "counter")

            def thread() -> None:
                answers.append(counter.ask_threadsafe(Add(1)).result(10))

                async def on_another_loop() -> Any:
                    return await asyncio.wrap_future(counter.ask_threadsafe(Add(1)))

                answers.append(asyncio.run(on_another_loop()))

            await asyncio.to_thread(thread)
            with pytest.raises(RuntimeError, match=r"write await ref.ask\(...\)"):
                counter.ask_threadsafe(Add(1))

    asyncio.run(main())
    assert answers == [1, 2]


def test_w25_a_reply_that_meets_a_cancellation_from_another_thread_is_no_error() -> None:
    """Live only: no other thread may enter a simulation."""
    outcomes: set[str] = set()
    wrong: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context))
        async with ActorSystem("threads") as system:
            counter = await system.spawn(Counter, "counter")

            def thread() -> None:
                for _ in range(300):
                    future = counter.ask_threadsafe(Add(1))
                    other = threading.Thread(target=future.cancel)
                    other.start()
                    try:
                        future.result(10)
                        outcomes.add("replied")
                    except FutureCancelledError:
                        outcomes.add("cancelled")
                    other.join()

            await asyncio.to_thread(thread)
            assert (await counter.ask(Add(0))) <= 300

    asyncio.run(main())
    assert wrong == []
    assert outcomes <= {"replied", "cancelled"}


def test_w25_a_reply_that_comes_after_its_asker_has_gone_is_no_error(world: World) -> None:
    wrong: list[Any] = []

    async def body(system: ActorSystem) -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context))
        counter = await system.spawn(Counter, "counter")
        asks: list[Any] = [counter.ask_nowait(Add(1)) for _ in range(3)]
        asks[0].cancel()
        await asyncio.sleep(0)
        asks[1].cancel()
        await asyncio.gather(*asks, return_exceptions=True)
        asks[2].cancel()
        return await counter.ask(Add(0))

    assert world.run(body) <= 3
    assert wrong == []


# ---------------------------------------------------------------- W30


def test_w30_an_ask_of_an_actor_that_was_there_before_keeps_its_span_and_conversation(
    world: World,
) -> None:
    seen: list[Any] = []

    async def body(system: ActorSystem) -> Any:
        outer = await system.spawn(Counter, "outer")
        inner = await system.spawn(Counter, "inner")
        with system.events.subscribe(seen.append, events.Sent):
            said = await outer.ask(Pass(inner), options=SendOptions(correlation_id="order-42"))
        assert said[1] == (outer, "order-42")

    world.run(body)
    to_outer, to_inner = seen
    assert to_outer.parent is None
    assert to_inner.parent == to_outer.span
    assert to_inner.sender == "/outer"


# ---------------------------------------------------------------- W40


class Caller(Actor[Any]):
    """Asks another on behalf of others, in every way there is."""

    def __init__(self, whom: ActorRef[Any]) -> None:
        self.whom = whom

    @override
    async def on_receive(self, message: str) -> Any:
        if message == "program":
            return (await self.context.run_free(free_ask(self.whom, Pass(None))))[0][0]
        if message == "sequence":
            return (await self.context.sequence([(self.whom, Pass(None))]))[0][0][0]
        return (await self.whom.ask(Pass(None)))[0][0]


@pytest.mark.parametrize("how", ["await", "program", "sequence"])
def test_w40_the_sender_is_set(world: World, how: str) -> None:
    async def body(system: ActorSystem) -> Any:
        counter = await system.spawn(Counter, "counter")
        caller = await system.spawn(lambda: Caller(counter), "caller")
        assert await caller.ask(how) == caller

    world.run(body)


def test_w40_what_a_listener_raises_is_logged_and_the_others_are_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Any] = []

    def broken(event: Any) -> None:
        msg = "a broken listener"
        raise ValueError(msg)

    async def body(system: ActorSystem) -> Any:
        counter = await system.spawn(Counter, "counter")
        with system.events.subscribe(broken), system.events.subscribe(told.append):
            return await counter.ask(Add(2))

    assert world.run(body) == 2
    assert [type(event).__name__ for event in told] == ["Sent", "Delivered", "Replied"]
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert {str(record.exc_info[1]) for record in errors if record.exc_info} == {
        "a broken listener"
    }


def test_w40_what_on_stopped_raises_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class Breaks(Counter):
        @override
        def on_stopped(self) -> None:
            msg = "broken end"
            raise ValueError(msg)

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Breaks, "breaks")
        await ref.stop()
        await ref.join()

    world.run(body)
    assert "/sim/breaks" in caplog.text
    assert "broken end" in caplog.text


def test_w40_an_ask_that_nobody_keeps_is_not_collected_before_it_is_done(world: World) -> None:
    done: list[int] = []

    class Slow(Actor[Add]):
        @handler
        async def add(self, message: Add) -> int:
            await asyncio.sleep(1)
            done.append(message.number)
            return message.number

    async def body(system: ActorSystem) -> Any:
        slow = await system.spawn(Slow, "slow")
        for number in range(3):
            slow.ask_nowait(Add(number))  # type: ignore[unused-awaitable]  # that is the point
        await slow.tell(Add(3))
        for _ in range(12):
            gc.collect()
            await asyncio.sleep(0.5)

    world.run(body)
    assert done == [0, 1, 2, 3]


def test_w40_nothing_global_keeps_a_system(world: World) -> None:
    systems: list[weakref.ref[Any]] = []

    async def body(system: ActorSystem) -> Any:
        other = ActorSystem("other")
        counter = await other.spawn(Counter, "counter")
        assert await other.run_free(free_ask(counter, Add(1))) == 1
        systems.append(weakref.ref(other))
        await other.shutdown()
        with pytest.raises(ActorStopped):
            await counter.ask(Add(1))

    world.run(body)
    gc.collect()
    assert systems[0]() is None


def test_w40_the_package_says_that_it_is_typed() -> None:
    assert files(effactor).joinpath("py.typed").is_file()
