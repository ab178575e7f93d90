"""An ask always completes and a drain always ends, whatever went wrong, in every world.

The items 1 to 4, 9 and 12 of what agent frameworks over asyncio got wrong.
"""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest
from returns.result import Failure
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorNotFound,
    ActorRef,
    ActorStopped,
    AskCancelled,
    AskFailed,
    AskTimeout,
    CancellationToken,
    HandlerFailed,
    Message,
    MessageDropped,
    Middleware,
    MiddlewareContext,
    NameTaken,
    Next,
    SendOptions,
    Unhandled,
    free_ask,
    handler,
)
from effactor.interpreters import ActorSystem

log: list[str] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


def now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(frozen=True)
class Work(Message[Any]):
    seconds: float = 0.0


@dataclass(frozen=True)
class Break(Message[None]):
    """Raise; or, if cancelled, raise something else than that."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Foreign(Message[None]):
    """Nobody handles it."""


class Worker(Actor[Any]):
    @handler
    async def work(self, message: Work) -> float:
        await asyncio.sleep(message.seconds)
        log.append(f"worked {message.seconds:g}")
        return message.seconds

    @handler
    async def broken(self, message: Break) -> NoReturn:
        try:
            await asyncio.sleep(message.seconds)
        except asyncio.CancelledError:
            text = "in place of the cancellation"
            raise OSError(text) from None
        text = "broken"
        raise ValueError(text)


class DropAll(Middleware):
    @override
    async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        return ctx.drop("of no interest")


async def failure_of(system: ActorSystem, ref: ActorRef[Any], message: Any) -> AskFailed:
    """Ask without a timeout, and answer the failure."""
    began = now()
    outcome = await system.run_free(free_ask(ref, message).attempt())
    assert isinstance(outcome, Failure)
    assert now() - began < 1
    failure = outcome.failure()
    assert isinstance(failure, AskFailed)
    return failure


# ---------------------------------------------------------------- 1: asks never hang


def test_o01_an_ask_whose_handler_raises_completes(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker)
        with pytest.raises(ValueError, match="broken"):
            await worker.ask(Break())
        failure = await failure_of(system, worker, Break())
        assert isinstance(failure, HandlerFailed)
        return type(failure.cause), await worker.ask(Work())

    assert world.run(body) == (ValueError, 0)


def test_o01_an_ask_of_an_actor_that_is_killed_completes(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker)
        ask = asyncio.ensure_future(worker.ask(Work(1000)))
        await asyncio.sleep(1)
        await worker.stop("now")
        with pytest.raises(ActorStopped, match="was being handled"):
            await ask

    world.run(body)


@pytest.mark.parametrize("mode", ["current", "now"])
def test_o01_asks_that_wait_when_their_actor_stops_complete(world: World, mode: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker)
        current = asyncio.ensure_future(worker.ask(Work(10)))
        await asyncio.sleep(1)
        queued = [asyncio.ensure_future(worker.ask(Work())) for _ in range(3)]
        await asyncio.sleep(1)
        await worker.stop(mode)
        outcomes = await asyncio.gather(*queued, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [ActorStopped] * 3
        await asyncio.gather(current, return_exceptions=True)
        return isinstance(await failure_of(system, worker, Work()), ActorStopped)

    assert world.run(body)


def test_o01_an_ask_of_an_unknown_type_completes(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker)
        failure = await failure_of(system, worker, Foreign())
        assert isinstance(failure, Unhandled)
        await worker.tell(Foreign())
        # Neither is an end of the actor.
        return await worker.ask(Work())

    assert world.run(body) == 0


def test_o01_an_ask_of_an_unknown_recipient_completes(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        await system.spawn(Worker, "worker")
        with pytest.raises(ActorNotFound, match="/worker"):
            await system.ask("/wroker", Work())
        failure = await failure_of(system, ActorRef.at("/wroker"), Work())
        return type(failure)

    assert world.run(body) is ActorStopped


def test_o01_an_ask_that_an_interceptor_drops_completes(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker, middlewares=[DropAll()])
        failure = await failure_of(system, worker, Work())
        return type(failure), "of no interest" in str(failure)

    assert world.run(body) == (MessageDropped, True)


@pytest.mark.parametrize("mode", ["drain", "after_current", "now"])
def test_o01_a_reply_at_shutdown_is_not_lost(world: World, mode: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker)
        ask = asyncio.ensure_future(worker.ask(Work(2)))
        await asyncio.sleep(1)
        await system.shutdown(mode)
        # The reply or an error is there when the shutdown ends.
        return await asyncio.wait_for(asyncio.gather(ask, return_exceptions=True), 1)

    (outcome,) = world.run(body)
    if mode == "now":
        assert isinstance(outcome, ActorStopped)
    else:
        assert outcome == 2


# ---------------------------------------------------------------- 2: drains never hang


async def drained(system: ActorSystem) -> float:
    """Shut down without any limit of time, and answer how long it took."""
    began = now()
    await system.shutdown("drain", timeout=None)
    return now() - began


def test_o02_a_drain_ends_after_messages_to_unknown_recipients(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        await system.spawn(Worker, "worker")
        nobody: ActorRef[Any] = ActorRef.at("/nobody")
        assert isinstance(await failure_of(system, nobody, Work()), ActorStopped)
        with pytest.raises(ActorNotFound):
            await system.tell("/nobody", Work())
        await system.tell(nobody, Work())
        return await drained(system)

    assert world.run(body) < 1


def test_o02_a_drain_ends_after_an_interceptor_dropped_messages(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker, "worker", middlewares=[DropAll()])
        ask = asyncio.ensure_future(worker.ask(Work()))
        for _ in range(3):
            await worker.tell(Work())
        await asyncio.sleep(0)
        took = await drained(system)
        with pytest.raises(MessageDropped):
            await ask
        return took

    assert world.run(body) < 1


def test_o02_a_drain_ends_after_a_handler_turned_its_cancellation_into_another_error(
    world: World,
) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker, "worker")
        token = CancellationToken()
        ask = asyncio.ensure_future(
            worker.ask(Break(1000), options=SendOptions(cancellation=token))
        )
        waiting = asyncio.ensure_future(worker.ask(Work()))
        await asyncio.sleep(1)
        token.cancel()
        with pytest.raises(AskCancelled):
            await ask
        assert await waiting == 0
        return await drained(system)

    assert world.run(body) < 1


def test_o02_a_drain_ends_after_a_worker_raised(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker, "worker")
        for _ in range(2):
            await worker.tell(Break())
        await worker.tell(Work())
        return await drained(system)

    assert world.run(body) < 1
    # What waited behind the errors was handled.
    assert log == ["worked 0"]


# ---------------------------------------------------------------- 3, 4: siblings and starts


def test_o03_a_failing_factory_does_not_starve_the_others(world: World) -> None:
    def broken() -> Worker:
        text = "no worker today"
        raise ValueError(text)

    async def body(system: ActorSystem) -> Any:
        spawns: list[Any] = [system.spawn(Worker), system.spawn(broken), system.spawn(Worker)]
        outcomes: list[Any] = await asyncio.gather(*spawns, return_exceptions=True)
        first, second, third = outcomes
        assert isinstance(second, ValueError)
        return [await first.ask(Work(1)), await third.ask(Work(2))]

    assert world.run(body) == [1, 2]


def test_o04_concurrent_starts_of_one_name_build_one_instance(world: World) -> None:
    made: list[Worker] = []

    class Counted(Worker):
        def __init__(self) -> None:
            made.append(self)

        @override
        async def on_started(self) -> None:
            await asyncio.sleep(1)

    async def body(system: ActorSystem) -> Any:
        spawns = [system.spawn(Counted, "one") for _ in range(3)]
        outcomes = await asyncio.gather(*spawns, return_exceptions=True)
        refs = [outcome for outcome in outcomes if isinstance(outcome, ActorRef)]
        assert len(refs) == 1
        assert sum(isinstance(outcome, NameTaken) for outcome in outcomes) == 2
        return await refs[0].ask(Work())

    assert world.run(body) == 0
    assert len(made) == 1


# ---------------------------------------------------------------- 9: tokens


def test_o09_a_callback_may_touch_its_own_token(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker)
        token = CancellationToken()
        called: list[Any] = []

        def callback() -> None:
            called.append((token.cancelled, token.reason, token.cancel("again")))
            token.on_cancel(lambda: called.append("late"))
            take_out()

        token.on_cancel(callback)
        take_out = token.on_cancel(lambda: called.append("taken out"))
        ask = asyncio.ensure_future(worker.ask(Work(9), options=SendOptions(cancellation=token)))
        await asyncio.sleep(1)
        assert token.cancel("first")
        with pytest.raises(AskCancelled, match="first"):
            await ask
        return called

    assert world.run(body) == [(True, "first", False), "late"]


def test_o09_cancelling_takes_back_what_still_waits(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker)
        token = CancellationToken()
        under: Any = SendOptions(cancellation=token)
        current = asyncio.ensure_future(worker.ask(Work(5)))
        await asyncio.sleep(1)
        ask = asyncio.ensure_future(worker.ask(Work(1), options=under))
        await worker.tell(Work(2), options=under)
        await worker.tell(Work(3))
        await asyncio.sleep(1)
        began = now()
        token.cancel()
        with pytest.raises(AskCancelled):
            await ask
        assert now() - began < 0.5
        await current
        await worker.stop()
        await worker.join()

    world.run(body)
    assert log == ["worked 5", "worked 3"]


# ---------------------------------------------------------------- 12: nothing piles up


def alive(*kinds: type[Any]) -> int:
    """Count the living objects of some classes."""
    gc.collect()
    return sum(isinstance(thing, kinds) for thing in gc.get_objects())


@dataclass(frozen=True)
class Bulky(Message[Any]):
    """Is counted. The reply takes its time."""


class Slow(Actor[Bulky]):
    @override
    async def on_receive(self, message: Any) -> None:
        await asyncio.sleep(1)


@pytest.mark.parametrize("how", ["cancel", "timeout", "token"])
def test_o12_asks_that_were_given_up_leave_nothing(world: World, how: str) -> None:
    async def body(system: ActorSystem) -> Any:
        slow = await system.spawn(Slow)
        token = CancellationToken()
        options = SendOptions(cancellation=token) if how == "token" else None
        timeout = 0.5 if how == "timeout" else None
        asks: list[Any] = [
            slow.ask_nowait(Bulky(), timeout=timeout, options=options) for _ in range(50)
        ]
        await asyncio.sleep(0.6)
        if how == "cancel":
            for ask in asks:
                ask.cancel()
        token.cancel()
        outcomes = await asyncio.gather(*asks, return_exceptions=True)
        kind = {"cancel": asyncio.CancelledError, "timeout": AskTimeout, "token": AskCancelled}
        assert {type(outcome) for outcome in outcomes} == {kind[how]}
        asks.clear()
        outcomes.clear()
        await asyncio.sleep(2)
        # The actor is idle again, and nobody has a reason to remember any message.
        return alive(Bulky)

    # A simulation keeps what it did for its trace.
    left = world.run(body)
    if not world.name.startswith("simulated"):
        assert left == 0


def test_o12_actors_that_have_stopped_leave_nothing(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        for number in range(50):
            ref = await system.spawn(Slow, f"slow-{number}")
            await ref.stop()
            await ref.join()
            del ref
        assert system.actors() == {}
        await asyncio.sleep(1)
        return alive(Slow)

    left = world.run(body)
    if not world.name.startswith("simulated"):
        assert left == 0
