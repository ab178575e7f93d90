"""Work that is given up ends at once, and whoever waits for it is told, in every world.

W2, W3, W4, W14, W26, W33: what others get wrong there.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    ActorStopped,
    AskCancelled,
    AskTimeout,
    CancellationToken,
    Deadlock,
    HandlerFailed,
    Message,
    Program,
    SendOptions,
    free_ask,
    free_call,
    free_sleep,
    handler,
    race,
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
    """Take so long, and answer that."""

    seconds: float


@dataclass(frozen=True)
class Ask(Message[Any]):
    """Ask somebody something."""

    whom: ActorRef[Any]
    message: Any
    how: str = "await"


@dataclass(frozen=True)
class Orchestrate(Message[Any]):
    what: str


@dataclass(frozen=True)
class CancelOwnTask(Message[None]):
    """Await a task of one's own that is cancelled."""


class Worker(Actor[Any]):
    """Logs the work that it has done, and the work that was interrupted."""

    @override
    def on_stopped(self) -> None:
        log.append(f"{self.context.self_ref.name} stopped")

    @handler
    async def work(self, message: Work) -> float:
        try:
            await asyncio.sleep(message.seconds)
        except asyncio.CancelledError:
            log.append(f"interrupted {message.seconds:g}")
            raise
        log.append(f"done {message.seconds:g}")
        return message.seconds

    @handler
    async def ask_on(self, message: Ask) -> Any:
        if message.how == "program":
            return await self.context.run_free(free_ask(message.whom, message.message))
        return await message.whom.ask(message.message)

    @handler
    async def cancel_own_task(self, message: CancelOwnTask) -> None:
        task = asyncio.ensure_future(asyncio.sleep(100))
        await asyncio.sleep(0)
        task.cancel()
        await task

    @handler
    async def orchestrate(self, message: Orchestrate) -> Any:
        if message.what == "race":
            return await self.context.race([(Worker, Work(0.01)), (Worker, Work(1000))])
        return await self.context.ask(Worker, Work(1000), timeout=0.1)


# ---------------------------------------------------------------- W2


def work(seconds: float) -> Program[float]:
    """Be a program that works."""

    async def call() -> float:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            log.append(f"interrupted {seconds:g}")
            raise
        log.append(f"done {seconds:g}")
        return seconds

    return free_call(call)


def test_w02_a_race_does_not_wait_for_its_losers(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        began = now()
        assert await system.run_free(race(work(0.01), work(1000))) == 0.01
        boss = await system.spawn(Worker, "boss")
        assert await boss.ask(Orchestrate("race")) == 0.01
        assert log[:2] == ["done 0.01", "interrupted 1000"]
        assert log[2:].count("interrupted 1000") == 1
        return now() - began

    assert world.run(body) < 1
    assert "done 1000" not in log


def test_w02_a_timeout_interrupts_what_took_too_long(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        began = now()
        with pytest.raises(Exception, match=r"did not end within 0\.1 s"):
            await system.run_free(work(1000).timeout(0.1))
        boss = await system.spawn(Worker, "boss")
        with pytest.raises(AskTimeout):
            await boss.ask(Orchestrate("ask"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(system.run_free(work(1000)), 0.1)
        return now() - began

    assert world.run(body) < 2
    assert log.count("interrupted 1000") == 3
    assert "done 1000" not in log


def test_w02_an_abort_takes_effect_at_once(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker, "w")
        token = CancellationToken()
        ask = asyncio.ensure_future(worker.ask(Work(1000), options=SendOptions(cancellation=token)))
        await asyncio.sleep(1)
        began = now()
        token.cancel("enough")
        with pytest.raises(AskCancelled, match="enough"):
            await ask
        assert await worker.ask(Work(0)) == 0
        ask = asyncio.ensure_future(worker.ask(Work(1000)))
        await asyncio.sleep(0.5)
        await system.shutdown("now")
        with pytest.raises(ActorStopped):
            await ask
        return now() - began

    assert world.run(body) < 2
    assert log == ["interrupted 1000", "done 0", "interrupted 1000", "w stopped"]


# ---------------------------------------------------------------- W3, W4


def test_w03_an_actor_that_is_stopped_now_rejects_the_ask_that_it_handles(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker, "w")
        program_ask = asyncio.ensure_future(
            system.run_free(free_ask(worker, Work(1000), timeout=500).attempt())
        )
        asker = await system.spawn(Worker, "asker")
        await asyncio.sleep(1)
        actor_ask = asyncio.ensure_future(asker.ask(Ask(worker, Work(999))))
        await asyncio.sleep(1)
        began = now()
        await worker.stop("now")
        assert isinstance((await program_ask).failure(), ActorStopped)
        with pytest.raises(ActorStopped, match="/w"):
            await actor_ask
        return now() - began

    assert world.run(body) < 1
    assert {"interrupted 1000", "w stopped"} <= set(log)
    assert "done 1000" not in log


def test_w04_a_cancelled_error_out_of_a_handler_is_a_failure_like_any_other(
    world: World,
) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker, "w")
        outcome = await system.run_free(free_ask(worker, CancelOwnTask()).attempt())
        assert isinstance(outcome.failure(), HandlerFailed)
        with pytest.raises(HandlerFailed, match="CancelledError"):
            await worker.ask(CancelOwnTask())
        # It was supervised: the actor has restarted and lives.
        assert log == ["w stopped", "w stopped"]
        return worker.is_alive, await worker.ask(Work(0))

    assert world.run(body) == (True, 0)


# ---------------------------------------------------------------- W14


class Mixed(Actor[Any]):
    """Has handlers of both kinds, and what belongs to one event loop."""

    @override
    async def on_started(self) -> None:
        self.lock = asyncio.Lock()
        self.loop = asyncio.get_running_loop()
        self.child: ActorRef[Any] | None = None

    @handler
    async def ask_on(self, message: Ask) -> Any:
        async with self.lock:
            assert asyncio.get_running_loop() is self.loop
            self.child = await self.context.spawn(Worker, "child")
            return await message.whom.ask(message.message)

    @handler
    def blocking(self, message: Work) -> str:
        return threading.current_thread().name


def test_w14_async_handlers_run_on_the_one_event_loop_whatever_the_dispatcher(
    world: World,
) -> None:
    async def body(system: ActorSystem) -> Any:
        worker = await system.spawn(Worker, "w")
        mixed = await system.spawn(Mixed, "m", dispatcher="thread")
        name = await mixed.ask(Work(0))
        assert name.startswith("effactor-thread") or world.name.startswith("simulated")
        assert await mixed.ask(Ask(worker, Work(1))) == 1
        child = await system.get_actor("/m/child")
        # The child has outlived the handler that spawned it.
        return child.is_alive, await child.ask(Work(2))

    assert world.run(body) == (True, 2)


def test_w14_a_dispatcher_without_a_handler_to_run_is_refused(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        with pytest.raises(TypeError, match="has only `async def` handlers"):
            await system.spawn(Worker, "w", dispatcher="thread")
        return list(system.actors())

    assert world.run(body) == []


# ---------------------------------------------------------------- W26


def test_w26_a_race_that_is_given_up_leaves_no_racer(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        racing = race(work(1000), work(1001))
        run = asyncio.ensure_future(system.run_free(racing))
        await asyncio.sleep(1)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert sorted(log) == ["interrupted 1000", "interrupted 1001"]
        with pytest.raises(Exception, match="did not end within 1 s"):
            await system.run_free(racing.timeout(1))
        assert len(log) == 4
        await system.run_free(race(racing, free_sleep(1)))
        return len(log)

    assert world.run(body) == 6


# ---------------------------------------------------------------- W33


@pytest.mark.parametrize("how", ["await", "program"])
def test_w33_a_self_ask_is_reported_with_its_cycle(world: World, how: str) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        began = now()
        with pytest.raises(Exception, match=r"(?s)/sim/a waits for /sim/a") as caught:
            await a.ask(Ask(a, Work(0), how))
        assert isinstance(caught.value, Deadlock)
        assert await a.ask(Work(0)) == 0
        return now() - began

    assert world.run(body) < 1


@pytest.mark.parametrize("how", ["await", "program"])
def test_w33_a_cycle_of_asks_is_reported_with_everybody_on_it(world: World, how: str) -> None:
    async def body(system: ActorSystem) -> Any:
        a, b, c = [await system.spawn(Worker, name) for name in "abc"]
        began = now()
        with pytest.raises(Deadlock) as caught:
            await a.ask(Ask(b, Ask(c, Ask(a, Work(0), how), how), how))
        text = str(caught.value)
        for who, whom in ("ab", "bc", "ca"):
            assert f"/sim/{who} waits for /sim/{whom}" in text
        # Nobody on the cycle is lost.
        assert [await ref.ask(Work(0)) for ref in (a, b, c)] == [0, 0, 0]
        return now() - began

    assert world.run(body) < 1


def test_w33_a_reentrant_actor_may_ask_itself(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a", reentrant=True)
        return await a.ask(Ask(a, Ask(a, Work(1))))

    assert world.run(body) == 1
