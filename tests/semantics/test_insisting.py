"""Handlers and calls that swallow their cancellation are ended all the same, in every world."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import pytest
from worlds import World

from effactor import (
    Actor,
    ActorStopped,
    AskCancelled,
    CancellationToken,
    Do,
    Message,
    SendOptions,
    free_call,
    handler,
    program,
)
from effactor.interpreters import ActorSystem

log: list[str] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


@dataclass(frozen=True)
class Work(Message[str]):
    how: str


async def stubborn(naps: int) -> str:
    """Sleep on whatever happens."""
    for _ in range(naps):
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            log.append("swallowed")
    return "woke up"


class Worker(Actor[Work]):
    def on_stopped(self) -> None:  # type: ignore[explicit-override]
        log.append("stopped")

    @handler
    async def work(self, message: Work) -> str:
        match message.how:
            case "swallow":
                return await stubborn(50)
            case "swallow and return":
                return await stubborn(1)
            case "clean up":
                try:
                    await asyncio.sleep(100)
                finally:
                    await asyncio.sleep(5)
                    log.append("cleaned up")
            case _:
                return "done"
        return "never"


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]


def test_a_handler_that_swallows_its_cancellation_is_ended_and_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, "stubborn")
        asking = asyncio.ensure_future(ref.ask(Work("swallow")))
        await asyncio.sleep(1)
        await ref.stop("now")
        await ref.join()
        with pytest.raises(ActorStopped, match="was stopped"):
            await asking

    world.run(body)
    assert log == ["swallowed", "stopped"]
    assert ["/sim/stubborn" in text and "it is ended" in text for text in errors(caplog)] == [True]


def test_a_handler_that_swallows_and_then_returns_ends_by_itself(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(system: ActorSystem) -> str:
        ref = await system.spawn(Worker)
        asking = asyncio.ensure_future(ref.ask(Work("swallow and return")))
        await asyncio.sleep(1)
        await ref.stop("now")
        await ref.join()
        return await asking

    assert world.run(body) == "woke up"
    assert log == ["swallowed", "stopped"]
    assert errors(caplog) == []


def test_a_handler_that_cleans_up_has_its_time(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker)
        asking = asyncio.ensure_future(ref.ask(Work("clean up")))
        await asyncio.sleep(1)
        await ref.stop("now")
        await ref.join()
        with pytest.raises(ActorStopped):
            await asking

    world.run(body)
    assert log == ["cleaned up", "stopped"]
    assert errors(caplog) == []


def test_a_token_ends_a_handler_that_swallows_and_the_actor_goes_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(system: ActorSystem) -> str:
        ref = await system.spawn(Worker)
        token = CancellationToken()
        options = SendOptions(cancellation=token)
        asking = asyncio.ensure_future(ref.ask(Work("swallow"), options=options))
        await asyncio.sleep(1)
        token.cancel("enough")
        with pytest.raises(AskCancelled, match="enough"):
            await asking
        return await ref.ask(Work("another"))

    assert world.run(body) == "done"
    assert log[0] == "swallowed"
    assert len(errors(caplog)) == 1


def test_a_free_call_that_swallows_its_cancellation_holds_up_nobody(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    @program
    def calling() -> Do[str]:
        return (yield from free_call(stubborn, 50))

    async def body(system: ActorSystem) -> Any:
        outcome = await system.run_free(calling().timeout(1).exit())
        task = next(t for t in asyncio.all_tasks() if "stubborn" in repr(t.get_coro()))
        await asyncio.sleep(0)
        for _ in range(60):  # let it end, so that no loop closes over it
            task.cancel()
            await asyncio.sleep(1)
        return outcome

    assert "Timeout(1, 'calling')" in str(world.run(body))
    assert log[:2] == ["swallowed", "swallowed"]
    assert ["nobody waits for it" in text for text in errors(caplog)] == [True]
