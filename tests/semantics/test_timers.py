"""Messages that are told later, in every world."""

from __future__ import annotations

import asyncio
import pickle
from dataclasses import dataclass
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    Do,
    Message,
    Program,
    Timer,
    free_self,
    free_sleep,
    free_tell,
    handler,
    program,
    schedule_once,
)
from effactor.interpreters import ActorSystem, Simulation, explore, simulate
from effactor.programs.timers import CancelTimer, ScheduleOnce

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


@dataclass(frozen=True)
class Tick(Message[None]):
    n: int = 0


@dataclass(frozen=True)
class Act(Message[Any]):
    what: str
    arg: Any = None


class Clock(Actor[Tick | Act]):
    """Logs when it hears a tick, in whole seconds."""

    @override
    def on_stopped(self) -> Any:
        # Slower than the timers that end by then. The last one never fires, either.
        return free_sleep(15).then(schedule_once(1, ActorRef.at("/other"), Tick(99)))

    @handler
    def tick(self, message: Tick) -> None:
        log.append((message.n, round(asyncio.get_running_loop().time() - START[0])))

    @handler
    def act(self, message: Act) -> Any:
        match message.what:
            case "schedule":
                ref, delay, n = message.arg
                return schedule_once(delay, ref, Tick(n))
            case "schedule me":
                delay, n = message.arg
                return free_self().bind(lambda me: schedule_once(delay, me, Tick(n)))
            case "cancel":
                return message.arg.cancel()
            case "crash":
                raise ValueError("boom")
            case _:
                return message.what


START = [0.0]


def run(world: World, body: Any) -> Any:
    async def started(system: ActorSystem) -> Any:
        START[0] = asyncio.get_running_loop().time()
        answer = await body(system)
        if not system.closing:
            await asyncio.sleep(1000)  # whatever might still fire has fired
        assert len(system.timers) == 0
        return answer

    return world.run(started)


def test_a_message_is_told_after_its_delay(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        clock = await system.spawn(Clock, "clock")

        @program
        def schedules() -> Do[Any]:
            yield from schedule_once(30, clock, Tick(1))
            yield from schedule_once(0, clock, Tick(0))
            yield from schedule_once(12.0, ActorRef.at("/clock"), Tick(2))
            return "at once", len(log)

        got = await system.run_free(schedules())
        assert len(system.timers) == 3
        return got

    assert run(world, body) == ("at once", 0)
    assert log == [(0, 0), (2, 12), (1, 30)]


def test_cancel_says_whether_it_was_in_time(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        clock = await system.spawn(Clock, "clock")

        @program
        def cancels() -> Do[Any]:
            early = yield from schedule_once(10, clock, Tick(1))
            late = yield from schedule_once(1, clock, Tick(2))
            yield from free_sleep(5)
            first = yield from early.cancel()
            second = yield from early.cancel()
            third = yield from late.cancel()
            return first, second, third

        return await system.run_free(cancels())

    assert run(world, body) == (True, False, False)
    assert log == [(2, 1)]


def test_another_actor_may_cancel_it(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        clock = await system.spawn(Clock, "clock")
        other = await system.spawn(Clock, "other")
        timer = await clock.ask(Act("schedule", (clock, 10, 1)))
        return await other.ask(Act("cancel", timer))

    assert run(world, body) is True
    assert log == []


def test_it_outlives_the_handler_and_the_run_that_set_it(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        clock = await system.spawn(Clock, "clock")
        timer = await clock.ask(Act("schedule me", (10, 1)))
        other = await system.run_free(schedule_once(20, clock, Tick(2)))
        return repr(timer), repr(other)

    assert run(world, body) == (
        "<Timer of Tick(n=1) to /clock after 10 s>",
        "<Timer of Tick(n=2) to /clock after 20 s>",
    )
    assert log == [(1, 10), (2, 20)]


@pytest.mark.parametrize("mode", ["graceful", "current", "now"])
def test_the_timers_of_an_actor_end_when_it_stops(world: World, mode: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        clock = await system.spawn(Clock, "clock")
        other = await system.spawn(Clock, "other")
        timer = await clock.ask(Act("schedule", (other, 10, 1)))
        await clock.stop(mode)
        await clock.join()
        return await system.run_free(timer.cancel())

    assert run(world, body) is False
    assert log == []


def test_the_timers_of_an_actor_end_when_it_restarts(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        clock = await system.spawn(Clock, "clock")
        other = await system.spawn(Clock, "other")
        await clock.ask(Act("schedule", (other, 10, 1)))
        await other.ask(Act("schedule", (other, 10, 2)))
        with pytest.raises(ValueError, match="boom"):
            await clock.ask(Act("crash"))
        return await clock.ask(Act("schedule", (clock, 20, 3)))

    run(world, body)
    assert log == [(2, 10), (3, 35)]


def test_the_timers_of_runs_end_with_the_system(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        clock = await system.spawn(Clock, "clock")
        await system.run_free(schedule_once(10, clock, Tick(1)))
        await system.shutdown()
        return len(system.timers)

    assert run(world, body) == 0
    assert log == []


def test_a_message_for_nobody_is_a_dead_letter(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        clock = await system.spawn(Clock, "clock")
        await system.run_free(schedule_once(10, clock, Tick(1)))
        await system.run_free(schedule_once(20, ActorRef.at("/nobody"), Tick(2)))
        await clock.stop()
        await asyncio.sleep(30)
        return [(d.message, d.target) for d in system.dead_letters]

    assert run(world, body) == [(Tick(1), "/sim/clock"), (Tick(2), "/sim/nobody")]


def test_a_timer_is_equal_to_itself_alone_and_is_not_pickled() -> None:
    ref: ActorRef[Any] = ActorRef.at("/clock")
    one, two = Timer(5, ref, Tick()), Timer(5, ref, Tick())
    assert one != two
    assert one.cancel() == one.cancel() == CancelTimer(one)
    assert one.cancel() != two.cancel()
    assert schedule_once(5, ref, Tick()) == ScheduleOnce(5, ref, Tick())
    assert pickle.loads(pickle.dumps(schedule_once(5, ref, Tick()))) == ScheduleOnce(5, ref, Tick())
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(one)


@pytest.mark.parametrize("delay", [None, "5", True, ActorRef.at("/clock")])
def test_a_delay_that_is_no_number_is_refused(delay: Any) -> None:
    with pytest.raises(TypeError, match="schedule_once: delay must be a number of seconds, got"):
        _ = schedule_once(delay, ActorRef.at("/clock"), Tick())


@pytest.mark.parametrize("delay", [-1, float("nan"), float("inf")])
def test_a_delay_that_is_no_time_is_refused(delay: float) -> None:
    with pytest.raises(ValueError, match="schedule_once: delay must be a finite number"):
        _ = schedule_once(delay, ActorRef.at("/clock"), Tick())


def test_a_target_that_is_no_ref_is_refused() -> None:
    wrong: Any = "/clock"
    with pytest.raises(TypeError, match=r"schedule_once: ref must be an ActorRef.*ActorRef\.at"):
        _ = schedule_once(5, wrong, Tick())


# ---------------------------------------------------------------- in the simulator


def test_the_trace_names_the_timer_and_its_sender() -> None:
    def scenario(sim: Simulation) -> None:
        clock = sim.spawn(Clock, "clock")
        other = sim.spawn(Clock, "other")

        @program
        def work() -> Do[None, Any]:
            yield from free_tell(other, Act("schedule", (clock, 5, 1)))
            timer = yield from schedule_once(2, clock, Tick(2))
            yield from timer.cancel()

        sim.run(work())
        sim.settle()

    simulated = simulate(scenario)
    assert simulated.ok, simulated.error
    records = simulated.trace.records
    fired = [r for r in records if r.kind == "timer"]
    assert [(r.source, r.subject, r.time) for r in fired] == [
        ("/other", "schedule_once of Tick to /clock", 5.0)
    ]
    told = [r for r in records if r.subject == Tick(1)]
    assert [(r.kind, r.source, r.target) for r in told] == [("tell", "/other", "/clock")]
    text = str(simulated.trace)
    assert "schedule Tick(n=1) to /clock after 5 s" in text
    assert "cancel Tick(n=2) to /clock" in text
    assert simulated.digest == simulate(scenario).digest


def test_the_sender_of_a_run_that_has_ended_is_that_run() -> None:
    def scenario(sim: Simulation) -> None:
        clock = sim.spawn(Clock, "clock")
        sim.run(schedule_once(5, clock, Tick(1)).named("work"))
        sim.settle()

    records = simulate(scenario).trace.records
    assert [r.source for r in records if r.kind == "tell"] == ["/work#1"]


def test_a_timer_that_races_a_message_is_explored() -> None:
    def scenario(sim: Simulation) -> None:
        log.clear()
        clock = sim.spawn(Clock, "clock")

        @program
        def work() -> Do[None, Any]:
            yield from schedule_once(0, clock, Tick(1))
            yield from free_sleep(0)
            yield from free_tell(clock, Tick(2))

        sim.run(work())
        sim.settle()
        sim.sometimes([n for n, _ in log] == [1, 2], "the timer first")
        sim.sometimes([n for n, _ in log] == [2, 1], "the tell first")
        assert len(log) == 2

    verdict = explore(scenario, schedules=2000, strategy="exhaustive", time="async")
    assert verdict.ok, verdict
    assert verdict.exhausted


def test_a_crash_ends_the_timers_of_its_actor() -> None:
    def scenario(sim: Simulation) -> None:
        clock = sim.spawn(Clock, "clock")
        other = sim.spawn(Clock, "other")

        def ask(*arg: Any) -> Program[Any, Any]:
            return clock.free_ask(Act("schedule", arg))

        sim.run(ask(other, 5, 1))
        sim.crash(clock)
        assert len(sim.system.timers) == 0
        sim.settle()

    simulated = simulate(scenario)
    assert simulated.ok, simulated.error
    assert log == []
