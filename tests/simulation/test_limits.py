"""Where the simulator differs from production: each claim of the page that says so."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import worlds

from effactor import (
    Actor,
    AskTimeout,
    Do,
    Message,
    NotConforming,
    free_ask,
    free_call,
    free_sleep,
    free_tell,
    gather,
    handler,
    program,
)
from effactor.events import Event
from effactor.interpreters import ActorSystem, Simulation, conform, explore, record, simulate

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Put(Message[None]):
    n: int


class Slow(Actor[Put]):
    """Computes for long: half a second for each message, on every clock of the machine."""

    @handler
    def put(self, message: Put) -> None:
        for _ in range(1000):
            sum(range(100))


def impatient(sim: Simulation) -> None:
    slow = sim.spawn(Slow, "slow")
    sim.run(free_ask(slow, Put(1), timeout=1e-6))


def test_slow_code_meets_no_timeout_unless_time_is_async() -> None:
    assert explore(impatient, time="latency").ok
    failure = explore(impatient, time="async").failure
    assert failure is not None
    assert isinstance(failure.error, AskTimeout)


def test_a_step_takes_no_time_but_that_of_its_sleeps() -> None:
    def scenario(sim: Simulation) -> tuple[float, float]:
        began = time.monotonic()
        sim.run(free_ask(sim.spawn(Slow), Put(1)))
        meanwhile = time.monotonic()
        time.sleep(3)
        return meanwhile - began, time.monotonic() - meanwhile

    assert simulate(scenario).value == (0.0, 3.0)


class Log(Actor[Put]):
    def __init__(self) -> None:
        self.got: list[int] = []

    @handler
    def put(self, message: Put) -> None:
        self.got.append(message.n)


def compute() -> None:
    """Take 0.6 s of the loop's time; the loop of these tests can skip them."""
    loop: Any = asyncio.get_running_loop()
    loop._jumped += 0.6


async def slow_code_between_timers(system: ActorSystem) -> None:
    log = await system.spawn(Log, "log")

    @program
    def patient() -> Do[None]:
        yield from free_sleep(1.0)
        yield from free_tell(log, Put(1))

    @program
    def busy() -> Do[None]:
        yield from free_call(compute)
        yield from free_sleep(0.5)  # until 1.1 live, and 0.5 where computing takes no time
        yield from free_tell(log, Put(2))

    await system.run_free(gather([patient(), busy()]))
    await log.ask(Put(3))


def answering(answer: Callable[[], None]) -> Callable[[Simulation], Any]:
    async def scenario(sim: Simulation) -> None:
        sim.answer(compute, answer)
        await slow_code_between_timers(sim.system)

    return scenario


def test_slow_code_that_changes_the_order_of_timers_does_not_conform_unless_it_sleeps() -> None:
    async def live(system: ActorSystem) -> Any:
        with record(system) as recording:
            await slow_code_between_timers(system)
        return recording

    recording = worlds.Live().run(live)
    assert [o.message for o in recording.occurrences if o.kind == "delivered"] == [
        *("Put(n=1)", "Put(n=2)", "Put(n=3)"),
    ]
    with pytest.raises(NotConforming, match=r"delivered Put\(n=1\)"):
        conform(recording, answering(lambda: None))
    assert conform(recording, answering(lambda: time.sleep(0.6))).error is None


def test_two_timers_fire_in_the_order_of_their_deadlines_in_every_schedule() -> None:
    orders: set[tuple[int, ...]] = set()

    def scenario(sim: Simulation) -> None:
        fired: list[int] = []

        @program
        def timer(n: int) -> Do[None]:
            yield from free_sleep(n)
            fired.append(n)

        sim.run_all([timer(2), timer(1)])
        orders.add(tuple(fired))

    assert explore(scenario, strategy="exhaustive").exhausted
    # In the other order the first had not begun yet: then its time is later.
    assert orders == {(1, 2), (2, 1)}

    orders.clear()

    def at_once(sim: Simulation) -> None:
        fired: list[int] = []

        async def both() -> None:
            async def timer(n: int) -> None:
                await asyncio.sleep(n)
                fired.append(n)

            await asyncio.gather(timer(2), timer(1))

        sim.run(free_call(both))
        orders.add(tuple(fired))

    assert explore(at_once, strategy="exhaustive").ok
    assert orders == {(1, 2)}


@pytest.mark.parametrize("listening", [False, True])
def test_telling_a_stopped_actor_is_an_event_where_somebody_listens(listening: bool) -> None:
    def scenario(sim: Simulation) -> int:
        heard: list[Event] = []
        log = sim.spawn(Log, "log")
        if listening:
            sim.system.events.subscribe(heard.append)
        sim.run(log.free_stop())
        sim.settle()
        sim.run(free_tell(log, Put(1)))
        sim.settle()
        return len(sim.system.dead_letters)

    run = simulate(scenario)
    assert run.value == 1
    tells = [record for record in run.trace if record.kind == "tell"]
    assert len(tells) == listening


def test_an_unanswered_call_is_made_in_each_schedule() -> None:
    calls: list[None] = []

    def called() -> None:
        calls.append(None)

    assert explore(lambda sim: sim.run_all([free_call(called)] * 2), 6, audit=0).ok
    first = len(calls)
    assert first >= 2
    calls.clear()

    def answered(sim: Simulation) -> None:
        sim.answer(called, None)
        sim.run_all([free_call(called)] * 2)

    assert explore(answered, 6).ok
    assert not calls
