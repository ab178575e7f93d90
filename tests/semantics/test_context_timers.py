"""Timers of handlers that are no programs, in every world."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

from effactor import Actor, ActorRef, ActorStopped, Cancellable, Message, handler
from effactor.interpreters import ActorSystem, Simulation, explore, simulate

log: list[Any] = []
START = [0.0]


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


def now() -> int:
    return round(asyncio.get_running_loop().time() - START[0])


@dataclass(frozen=True)
class Tick(Message[None]):
    n: int = 0


class Clock(Actor[Any]):
    """Logs when it hears a tick, in whole seconds; does what it is sent."""

    slow: float = 0

    @override
    async def on_stopped(self) -> None:
        # The timers end before the actor does, and those set here with it.
        await asyncio.sleep(15)
        self.context.every(1, Tick(99), ActorRef.at("/other"))

    @handler
    async def tick(self, message: Tick) -> None:
        log.append((message.n, now()))
        if self.slow:
            await asyncio.sleep(self.slow)

    @override
    def on_receive(self, message: Any) -> Any:
        return message(self)


def every(*args: Any) -> Any:
    def do(self: Clock) -> Cancellable:
        return self.context.every(*args)

    return do


def schedule_once(*args: Any, **kwargs: Any) -> Any:
    def do(self: Clock) -> Cancellable:
        return self.context.schedule_once(*args, **kwargs)

    return do


def run(world: World, body: Any) -> Any:
    async def started(system: ActorSystem) -> Any:
        START[0] = asyncio.get_running_loop().time()
        clock = await system.spawn(Clock, "clock")
        other = await system.spawn(Clock, "other")
        answer = await body(system, clock, other)
        assert len(system.timers) == 0
        return answer

    return world.run(started)


def test_schedule_once_tells_the_actor_itself_or_another(world: World) -> None:
    async def body(system: ActorSystem, clock: Any, other: Any) -> None:
        await clock.ask(schedule_once(30, Tick(1)))
        await clock.ask(schedule_once(12.0, Tick(2), other))
        await clock.ask(schedule_once(0, Tick(3), to=clock))
        assert len(system.timers) in (2, 3)
        await asyncio.sleep(50)

    run(world, body)
    assert log == [(3, 0), (2, 12), (1, 30)]


def test_cancel_is_at_once_and_says_whether_it_was_in_time(world: World) -> None:
    async def body(system: ActorSystem, clock: Any, other: Any) -> Any:
        async def cancels(self: Clock) -> Any:
            early: Cancellable = self.context.schedule_once(10, Tick(1), other)
            late = self.context.schedule_once(1, Tick(2), other)
            again = self.context.every(2, Tick(3), other)
            await asyncio.sleep(5)
            found = [early.cancel(), early.cancel(), late.cancel(), again.cancel(), again.cancel()]
            await asyncio.sleep(50)
            return found

        return await clock.ask(cancels)

    assert run(world, body) == [True, False, False, True, False]
    assert log == [(2, 1), (3, 2), (3, 4)]


def test_every_keeps_a_fixed_rate(world: World) -> None:
    async def body(system: ActorSystem, clock: Any, other: Any) -> None:
        timer = await clock.ask(every(10, Tick(1), other))
        await asyncio.sleep(45)
        assert timer.cancel()

    run(world, body)
    assert log == [(1, 10), (1, 20), (1, 30), (1, 40)]


def test_ticks_do_not_pile_up_for_a_slow_actor(world: World) -> None:
    async def body(system: ActorSystem, clock: Any, other: Any) -> None:
        def begin(self: Clock) -> Cancellable:
            self.slow = 35
            return self.context.every(10, Tick(1))

        timer = await clock.ask(begin)
        await asyncio.sleep(109)
        assert timer.cancel()
        await asyncio.sleep(100)

    run(world, body)
    # One waits while another is handled, and those that are due meanwhile are skipped.
    assert log == [(1, 10), (1, 45), (1, 80), (1, 115)]


@pytest.mark.parametrize("mode", ["graceful", "current", "now"])
def test_the_timers_end_when_their_actor_stops(world: World, mode: Any) -> None:
    async def body(system: ActorSystem, clock: Any, other: Any) -> Any:
        once = await clock.ask(schedule_once(10, Tick(1), other))
        again = await clock.ask(every(10, Tick(1), other))
        await clock.stop(mode)
        await clock.join()
        await asyncio.sleep(100)
        return once.cancel(), again.cancel()

    assert run(world, body) == (False, False)
    assert log == []


def test_the_timers_end_when_their_actor_restarts(world: World) -> None:
    async def body(system: ActorSystem, clock: Any, other: Any) -> Any:
        def crash(self: Clock) -> None:
            self.context.every(10, Tick(1))
            self.context.schedule_once(10, Tick(2), other)
            raise ValueError("boom")

        await clock.tell(crash)
        timer = await clock.ask(every(20, Tick(3)))
        await asyncio.sleep(50)
        return timer.cancel()

    assert run(world, body) is True
    assert log == [(3, 35), (3, 55)]


def test_what_nobody_hears_is_a_dead_letter(world: World) -> None:
    async def body(system: ActorSystem, clock: Any, other: Any) -> Any:
        def begin(self: Clock) -> Any:
            context = self.context
            context.schedule_once(20, Tick(1), other)
            context.every(20, Tick(2), other)
            return context.every(20, Tick(3), ActorRef.at("/nobody"))

        by_path = await clock.ask(begin)
        await other.stop()
        await asyncio.sleep(70)
        letters = sorted((d.message.n, d.target) for d in system.dead_letters)
        left = len(system.timers)
        assert by_path.cancel()
        return letters, left

    # The timer of a ref whose actor can never come back ends; that of a path goes on.
    expected = [(1, "/sim/other"), (2, "/sim/other"), *[(3, "/sim/nobody")] * 3]
    assert run(world, body) == (expected, 1)


def test_a_tick_in_the_mailbox_of_an_actor_that_stops_is_a_dead_letter(world: World) -> None:
    async def body(system: ActorSystem, clock: Any, other: Any) -> Any:
        async def busy(self: Clock) -> None:
            self.context.every(10, Tick(1))
            await asyncio.sleep(25)

        await clock.tell(busy)
        await asyncio.sleep(15)
        await clock.stop("current")
        await clock.join()
        return [(d.message, d.target) for d in system.dead_letters]

    assert run(world, body) == [(Tick(1), "/sim/clock")]


def test_a_failing_tick_is_supervised_like_any_message(world: World) -> None:
    class Fragile(Clock):
        @override
        def on_started(self) -> None:
            self.context.every(10, Tick(1))

        @override
        @handler
        async def tick(self, message: Tick) -> None:
            log.append(now())
            raise ValueError("boom")

    async def body(system: ActorSystem, clock: Any, other: Any) -> Any:
        fragile = await system.spawn(Fragile, "fragile")
        await asyncio.sleep(65)
        await fragile.stop("now")
        await fragile.join()

    run(world, body)
    assert log == [10, 35, 60]  # its on_stopped takes 15


def test_wrong_arguments_are_errors_at_once(world: World) -> None:
    async def body(system: ActorSystem, clock: Any, other: Any) -> Any:
        def wrong(self: Clock) -> Any:
            context: Any = self.context
            with pytest.raises(TypeError, match="schedule_once: delay must be a number"):
                context.schedule_once("5", Tick())
            with pytest.raises(ValueError, match="schedule_once: delay must be a finite number"):
                context.schedule_once(-5, Tick())
            with pytest.raises(TypeError, match="every: interval must be a number"):
                context.every(None, Tick())
            with pytest.raises(ValueError, match="every: interval must be"):
                context.every(0, Tick())
            with pytest.raises(TypeError, match=r"every: to must be an ActorRef.*ActorRef\.at"):
                context.every(1, Tick(), to="/other")
            return context

        context = await clock.ask(wrong)
        assert repr(context.schedule_once(1, Tick())).startswith("<timer of Tick(n=0) to /clock")
        await clock.stop("now")
        await clock.join()
        with pytest.raises(ActorStopped):
            context.every(1, Tick())
        with pytest.raises(ActorStopped):
            context.schedule_once(1, Tick())

    run(world, body)
    assert log == []


# ---------------------------------------------------------------- in the simulator


def test_the_trace_has_the_message_and_its_sender() -> None:
    def scenario(sim: Simulation) -> None:
        clock = sim.spawn(Clock, "clock")
        other = sim.spawn(Clock, "other")
        sim.run(clock.free_ask(every(5, Tick(1), other)))
        sim.settle(within=11)

    records = simulate(scenario).trace.records
    told = [(r.kind, r.source, r.target, r.subject) for r in records if r.subject == Tick(1)]
    assert told == [("tell", "/clock", "/other", Tick(1))] * 2
    fired = [(r.source, r.subject, r.time) for r in records if r.kind == "timer"]
    assert fired == [("/clock", "every of Tick to /other", 5.0 * n) for n in (1, 2)]


def test_whoever_was_busy_for_long_gets_one_tick_for_all_that_were_due() -> None:
    async def scenario(sim: Simulation) -> None:
        START[0] = 0
        clock = await sim.system.spawn(Clock, "clock")
        timer = await clock.ask(every(10, Tick(1)))
        simulated: Any = sim.system.world
        simulated.skip(35)
        await asyncio.sleep(10)
        timer.cancel()

    simulated = simulate(scenario)
    assert simulated.ok, simulated.error
    assert log == [(1, 35), (1, 40)]


def test_a_crash_ends_the_timers_of_its_actor() -> None:
    def scenario(sim: Simulation) -> None:
        clock = sim.spawn(Clock, "clock")
        other = sim.spawn(Clock, "other")
        sim.run(clock.free_ask(every(5, Tick(1), other)))
        sim.crash(clock)
        assert len(sim.system.timers) == 0
        sim.settle()

    simulated = simulate(scenario)
    assert simulated.ok, simulated.error
    assert log == []


def test_one_tick_at_most_waits_whatever_the_order() -> None:
    async def scenario(sim: Simulation) -> None:
        log.clear()
        START[0] = 0
        clock = await sim.system.spawn(Clock, "clock")

        def begin(self: Clock) -> Cancellable:
            self.slow = 2.5
            return self.context.every(1, Tick(1))

        timer = await clock.ask(begin)
        for n in range(3):
            await clock.tell(Tick(10 + n))
            await asyncio.sleep(1)
        timer.cancel()
        log.append("cancelled")
        await clock.stop()
        await clock.join()
        after = log[log.index("cancelled") :]
        assert sum(entry[0] == 1 for entry in after[1:]) <= 1
        assert len([entry for entry in log if entry[0] in (10, 11, 12)]) == 3

    verdict = explore(scenario, schedules=300, seed=1, time="async")
    assert verdict.ok, verdict
