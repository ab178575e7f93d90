"""Mailboxes under the simulator: whatever the order, each message is accounted for once."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import pytest

from effactor import (
    Actor,
    ActorStopped,
    AskFailed,
    CancellationToken,
    MailboxFull,
    MemoryMailbox,
    Message,
    SendOptions,
    free_ask,
    free_tell,
    handler,
)
from effactor.actors.mailboxes import Order, Overflow
from effactor.interpreters import Simulation, explore

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor import ActorRef, StopManner

PRODUCERS = 3
MESSAGES = 4
SCHEDULES = 32


@dataclass(frozen=True)
class Job(Message[int]):
    who: int
    n: int


def scenario_of(
    overflow: Overflow, order: Order, mode: StopManner | None, failing: bool
) -> Callable[[Simulation], Any]:
    async def scenario(sim: Simulation) -> None:
        handled: list[Job] = []
        refused: list[Job] = []
        busy: list[Job] = []

        class Worker(Actor[Job]):
            @handler
            async def job(self, message: Job) -> int:
                assert not busy, "one at a time"
                busy.append(message)
                handled.append(message)
                try:
                    await asyncio.sleep(0.1 * (message.n % 2))
                finally:
                    busy.remove(message)
                if failing and message.n == 1:
                    raise ValueError(message)
                return message.n

        system = sim.system
        ref = await system.spawn(Worker, "worker", mailbox=MemoryMailbox(2, overflow, order))
        token = CancellationToken()

        async def send(who: int, n: int, ref: ActorRef[Any]) -> None:
            message = Job(who, n)
            options = SendOptions(priority=who, cancellation=token if n == MESSAGES - 1 else None)
            try:
                if who == 0:
                    await ref.tell(message, options=options)
                elif who == 1:
                    assert await ref.ask(message, options=options) == n
                elif n % 2:
                    await system.run_free(free_tell(ref, message, options=options))
                else:
                    await system.run_free(free_ask(ref, message, options=options))
            except MailboxFull:
                refused.append(message)
            except ActorStopped as error:
                if not error.delivered:
                    refused.append(message)
            except (AskFailed, ValueError):
                # Dropped, cancelled or failed: handled or not, its sender knows.
                if message not in handled:
                    refused.append(message)

        async def produce(who: int) -> None:
            for n in range(MESSAGES):
                await send(who, n, ref)

        async def disturb() -> None:
            await asyncio.sleep(0.15)
            token.cancel()
            if mode is not None:
                await ref.stop(mode)

        await asyncio.gather(*(produce(who) for who in range(PRODUCERS)), disturb())
        await ref.stop()
        await ref.join()
        # A told message whose handler was cancelled by its token is a dead letter, too.
        dead = [
            letter.message
            for letter in system.dead_letters
            if letter.message not in handled or letter.message.n < MESSAGES - 1
        ]
        everything = Counter([*handled, *refused, *dead])
        expected = Counter(Job(who, n) for who in range(PRODUCERS) for n in range(MESSAGES))
        assert everything == expected, (
            f"lost {[*(expected - everything)]}, twice {[*(everything - expected)]}"
        )
        for who in (0, 1):  # each program of the third is a sender of its own
            mine = [message.n for message in handled if message.who == who]
            assert mine == sorted(mine), "FIFO per sender"

    return scenario


@pytest.mark.parametrize("failing", [False, True], ids=["", "failing"])
@pytest.mark.parametrize("mode", [None, "graceful", "current", "now"])
@pytest.mark.parametrize("order", get_args(Order))
@pytest.mark.parametrize("overflow", get_args(Overflow))
def test_each_message_is_handled_refused_or_a_dead_letter(
    overflow: Overflow, order: Order, mode: StopManner | None, failing: bool
) -> None:
    verdict = explore(
        scenario_of(overflow, order, mode, failing), schedules=SCHEDULES, strategy="random"
    )
    assert verdict.failure is None, verdict.failure.explain()
