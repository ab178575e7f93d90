"""The end of a system: every mode, called from everywhere, in every world."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from returns.result import Failure
from typing_extensions import override
from worlds import ImpatientLoop, World

from effactor import (
    Actor,
    ActorRef,
    ActorStopped,
    HandlerFailed,
    Message,
    NameTaken,
    ShutdownMode,
    Unhandled,
    When,
    free_ask,
    free_call,
    free_sleep,
    handler,
    stash,
)
from effactor.interpreters import ActorSystem, Simulation, explore, simulate

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    log.clear()


@dataclass(frozen=True)
class Job(Message[Any]):
    """Do something."""

    what: str
    value: Any = None


class Worker(Actor[Job]):
    """Does what a test needs."""

    name = ""

    @override
    def on_started(self) -> Any:
        self.name = self.context.self_ref.name

    @override
    def on_stopped(self) -> Any:
        log.append(f"{self.name} stopped")

    @handler
    async def work(self, job: Job) -> Any:
        match job.what:
            case "sleep":
                try:
                    await asyncio.sleep(job.value)
                finally:
                    log.append(f"{self.name} slept")
            case "pass on":
                await asyncio.sleep(1)
                if job.value:
                    first, *rest = job.value
                    await first.tell(Job("pass on", rest))
                log.append(f"{self.name} passed on")
            case "ask":
                await asyncio.sleep(1)
                return await job.value.ask(Job("echo", self.name))
            case "ask in tasks":
                await asyncio.sleep(1)
                return await asyncio.gather(*(ref.ask(Job("echo", 1)) for ref in job.value))
            case "spawn":
                await asyncio.sleep(1)
                child: ActorRef[Any] = await self.context.spawn(Worker, "child")
                return await child.ask(Job("echo", "from the child"))
            case "shutdown":
                await self.context.system.shutdown()
            case "shutdown in a task":
                await asyncio.ensure_future(self.context.system.shutdown())
            case "shutdown in a gather":
                await asyncio.gather(asyncio.sleep(100), self.context.system.shutdown())
            case "shutdown by a program":
                await self.context.run_free(free_call(self.context.system.shutdown).timeout(90))
            case "shutdown and go on":
                task = asyncio.ensure_future(self.context.system.shutdown())
                log.append(task)
            case "stubborn":
                while True:
                    try:
                        await asyncio.sleep(1e6)
                    except asyncio.CancelledError:
                        log.append("stubborn")
            case "fail":
                raise OSError(job.value)
            case _:
                log.append(f"{self.name} {job.what}")
                return job.value
        return None


async def later(awaitable: Any) -> Any:
    """Begin it in a task of its own, and let it begin."""
    task = asyncio.ensure_future(awaitable)
    await asyncio.sleep(0.1)
    return task


def now() -> float:
    return asyncio.get_running_loop().time()


# ---------------------------------------------------------------- the modes


def test_drain_handles_what_messages_lead_to(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a, b, c = [await system.spawn(Worker, name) for name in "abc"]
        await a.tell(Job("pass on", [b, c, a, c]))
        await a.tell(Job("echo"))
        await asyncio.sleep(0.5)
        await system.shutdown("drain")
        return list(system.dead_letters)

    assert world.run(body) == []
    order = [entry for entry in log if "passed on" in entry]
    assert order == [f"{name} passed on" for name in "abcac"]
    assert log.index("a echo") < log.index("a stopped")
    assert log[-3:] == [*sorted(log[-3:], key=log.index)]
    assert {entry for entry in log if "stopped" in entry} == set(log[-3:])


def test_while_it_drains_actors_ask_each_other_spawn_and_use_tasks(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a, b = await system.spawn(Worker, "a"), await system.spawn(Worker, "b")
        asks = [
            asyncio.ensure_future(a.ask(job))
            for job in (Job("ask", b), Job("ask in tasks", [b, b]), Job("spawn"))
        ]
        await asyncio.sleep(0.5)
        await system.shutdown()
        return await asyncio.gather(*asks)

    assert world.run(body) == ["a", [1, 1], "from the child"]


def test_after_current_ends_the_current_messages_and_refuses_the_queued(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a, idle = await system.spawn(Worker, "a"), await system.spawn(Worker, "idle")
        current = await later(a.ask(Job("sleep", 5)))
        queued = await later(a.ask(Job("echo")))
        await a.tell(Job("echo", "told"))
        await asyncio.sleep(1)
        ending = await later(system.shutdown("after_current"))
        with pytest.raises(ActorStopped, match="the shutdown of /sim"):
            await queued
        assert not current.done()
        assert not idle.is_alive
        await ending
        assert await current is None
        return [letter.message for letter in system.dead_letters]

    assert world.run(body) == [Job("echo", "told")]
    assert "a echo" not in log
    assert log[-2:] == ["a slept", "a stopped"]


def test_after_current_also_holds_for_children_at_once(world: World) -> None:
    class Parent(Worker):
        @override
        async def on_started(self) -> None:
            super().on_started()
            await self.context.spawn(Worker, "child")

    async def body(system: ActorSystem) -> Any:
        parent = await system.spawn(Parent, "p")
        child = await system.get_actor("/p/child")
        await parent.tell(Job("sleep", 5))
        for _ in range(3):
            await child.tell(Job("sleep", 2))
        await asyncio.sleep(1)
        began = now()
        await system.shutdown("after_current")
        return now() - began

    assert world.run(body) < 4.5
    assert log == ["child slept", "child stopped", "p slept", "p stopped"]


def test_now_interrupts_the_handlers(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        current = await later(a.ask(Job("sleep", 1e6)))
        queued = await later(a.ask(Job("echo")))
        began = now()
        await system.shutdown("now", timeout=None)
        for task in (current, queued):
            with pytest.raises(ActorStopped):
                await task
        return now() - began

    assert world.run(body) < 1
    assert log == ["a slept", "a stopped"]


@pytest.mark.parametrize("mode", ["drain", "after_current", "now"])
def test_the_deadline_kills_in_every_mode(world: World, mode: ShutdownMode) -> None:
    class Slow(Worker):
        @override
        async def on_stopped(self) -> None:
            await asyncio.sleep(1e6)

    async def body(system: ActorSystem) -> Any:
        a, slow = await system.spawn(Worker, "a"), await system.spawn(Slow, "slow")
        task = await later(a.ask(Job("sleep", 1e6)))
        began = now()
        await system.shutdown(mode, timeout=5)
        with pytest.raises(ActorStopped):
            await task
        assert not slow.is_alive
        return now() - began

    assert 4.9 < world.run(body) < 6.5


def test_without_a_timeout_it_waits_as_long_as_it_takes(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        task = await later(a.ask(Job("sleep", 1000)))
        await system.shutdown(timeout=None)
        return await task

    assert world.run(body) is None


# ---------------------------------------------------------------- conditions


@pytest.mark.parametrize("is_async", [False, True])
def test_when_begins_once_its_condition_holds(world: World, is_async: bool) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")

        async def holds_later() -> bool:
            await asyncio.sleep(0)
            return len(log) >= 2

        condition: Any = holds_later if is_async else lambda: len(log) >= 2
        ending = await later(system.shutdown(When(condition)))
        assert await a.ask(Job("echo", 1)) == 1  # from outside: nothing has begun
        await asyncio.sleep(3)
        assert not ending.done()
        await a.tell(Job("sleep", 1))
        await a.tell(Job("echo"))
        await ending
        return a.is_alive

    assert world.run(body) is False
    assert log == ["a echo", "a slept", "a echo", "a stopped"]


def test_when_its_time_is_over_the_condition_counts_no_more(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        await a.tell(Job("sleep", 1e6))
        began = now()
        await system.shutdown(When(lambda: False), timeout=5)
        return now() - began

    assert 4.9 < world.run(body) < 6.5


def test_a_condition_that_raises_stops_nothing(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        with pytest.raises(ZeroDivisionError):
            await system.shutdown(When(lambda: bool(1 // 0)))
        return await a.ask(Job("echo", "alive"))

    assert world.run(body) == "alive"


def test_another_shutdown_ends_the_wait_for_a_condition(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        await system.spawn(Worker, "a")
        waiting = await later(system.shutdown(When(lambda: False, poll=1e5), timeout=None))
        given_up = await later(system.shutdown(When(lambda: False), timeout=None))
        given_up.cancel()
        await asyncio.sleep(1)
        assert not system.closing
        began = now()
        await system.shutdown()
        await waiting
        assert now() - began < 10

    world.run(body)


@pytest.mark.parametrize(
    ("mode", "options", "error", "text"),
    [
        ("gracefully", {}, ValueError, "shutdown: mode must be"),
        (len, {}, ValueError, r"write When\(condition\)"),
        ("now", {"timeout": -1}, ValueError, "shutdown: timeout must be a finite number"),
        ("now", {"timeout": "1"}, TypeError, "shutdown: timeout must be a number"),
    ],
)
def test_bad_arguments_are_refused_and_nothing_begins(
    world: World, mode: Any, options: Any, error: Any, text: str
) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        with pytest.raises(error, match=text):
            await system.shutdown(mode, **options)
        return await a.ask(Job("echo", 1))

    assert world.run(body) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((True,), TypeError, "When: condition must be a function"),
        ((bool, "graceful"), ValueError, "When: then must be"),
        ((bool, "drain", 0), ValueError, "When: poll must be a finite number of seconds > 0"),
        ((bool, "drain", "1"), TypeError, "When: poll must be a number of seconds"),
    ],
)
def test_a_condition_that_can_never_work_is_refused(arguments: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        When(*arguments)


# ---------------------------------------------------------------- several calls


def test_a_more_urgent_call_escalates_and_both_wait_for_the_same_end(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        ask = await later(a.ask(Job("sleep", 1e6)))
        began = now()
        calls = [await later(system.shutdown(timeout=None))]
        calls.append(await later(system.shutdown("after_current", timeout=None)))
        calls.append(await later(system.shutdown("drain", timeout=None)))
        await asyncio.sleep(2)
        assert not any(call.done() for call in calls)
        calls.append(await later(system.shutdown("now", timeout=None)))
        await asyncio.gather(*calls)
        with pytest.raises(ActorStopped):
            await ask
        await system.shutdown()
        return now() - began

    assert world.run(body) < 4


def test_the_earliest_deadline_counts(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        await a.tell(Job("sleep", 1e6))
        began = now()
        calls = [system.shutdown(timeout=t) for t in (None, 50, 5, 70)]
        await asyncio.gather(*calls)
        return now() - began

    assert 4.9 < world.run(body) < 6.5


def test_cancelling_a_call_does_not_stop_the_shutdown(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        await a.tell(Job("sleep", 3))
        await a.tell(Job("echo"))
        await asyncio.sleep(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(system.shutdown(), 1)
        await asyncio.sleep(5)
        return a.is_alive, list(system.cells)

    assert world.run(body) == (False, [])
    assert log == ["a slept", "a echo", "a stopped"]


# ---------------------------------------------------------------- from outside, from inside


def test_once_begun_nothing_comes_in_from_outside(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        busy, idle = await system.spawn(Worker, "busy"), await system.spawn(Worker, "idle")
        work = await later(busy.ask(Job("sleep", 5)))
        ending = await later(system.shutdown(timeout=None))
        began = now()
        for ref in (busy, idle):
            with pytest.raises(ActorStopped, match="the system shuts down"):
                await ref.ask(Job("echo", 1))
            with pytest.raises(ActorStopped, match="the system shuts down"):
                await ref.ask_nowait(Job("echo", 1))
        await idle.tell(Job("echo", 2))
        with pytest.raises(ActorStopped, match="is shutting down; it starts no actors"):
            await system.spawn(Worker)
        with pytest.raises(ActorStopped, match="is shutting down; it runs no programs"):
            await system.run_free(free_sleep(1))
        assert now() - began < 1
        assert not work.done()
        await ending
        return [(letter.target, letter.reason) for letter in system.dead_letters]

    reason = "takes nothing from outside any more: the system shuts down"
    assert world.run(body) == [("/sim/idle", reason)]
    assert "idle echo" not in log


def test_the_finalisers_of_runs_use_the_actors_while_outsiders_may_not(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        value = free_sleep(1e6).ensure(free_sleep(1).then(free_ask(a, Job("echo", 1)).attempt()))
        run = await later(system.run_free(value))
        ending = await later(system.shutdown())
        with pytest.raises(ActorStopped):
            await a.ask(Job("echo"))
        await ending
        with pytest.raises(asyncio.CancelledError):
            await run

    world.run(body)
    assert log == ["a echo", "a stopped"]


@pytest.mark.parametrize(
    "what",
    ["shutdown", "shutdown in a task", "shutdown in a gather", "shutdown by a program"],
)
def test_waiting_for_it_in_a_handler_is_an_error_not_a_hang_o13(world: World, what: str) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        began = now()
        with pytest.raises(Exception, match="shut down from outside"):
            await a.ask(Job(what))
        assert now() - began < 1
        assert not system.closing
        return await a.ask(Job("echo", "alive"))

    assert world.run(body) == "alive"


def test_a_handler_may_begin_it_without_waiting(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        await a.ask(Job("shutdown and go on"))
        await a.join()
        await log[0]

    world.run(body)
    assert log[1:] == ["a stopped"]


# ---------------------------------------------------------------- nothing hangs, nothing is lost


def test_asks_never_hang_whatever_becomes_of_them_o5_o12_g6(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a: ActorRef[Any] = await system.spawn(Worker, "a")
        nobody: ActorRef[Any] = ActorRef.at("/nobody")
        asks: list[tuple[ActorRef[Any], Any]] = [
            (nobody, Job("echo")),
            (a, "unknown"),
            (a, Job("fail", "x")),
        ]
        outcomes: list[Any] = [
            await system.run_free(free_ask(ref, message).attempt()) for ref, message in asks
        ]
        running = await later(a.ask(Job("sleep", 3)))
        queued = [asyncio.ensure_future(a.ask(Job("echo", n))) for n in range(3)]
        given_up = await later(a.ask(Job("echo", "nobody waits")))
        given_up.cancel()
        await a.tell("unknown")
        await asyncio.sleep(1)
        await system.shutdown()
        assert await running is None
        return outcomes, await asyncio.gather(*queued)

    outcomes, queued = world.run(body)
    assert [type(outcome.failure()) for outcome in outcomes] == [
        ActorStopped,
        Unhandled,
        HandlerFailed,
    ]
    assert queued == [0, 1, 2]  # drained, not lost


@pytest.mark.parametrize("mode", ["after_current", "now"])
def test_queued_asks_are_answered_by_an_immediate_shutdown_o12(
    world: World, mode: ShutdownMode
) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        asks = [asyncio.ensure_future(a.ask(Job("sleep", 1))) for _ in range(3)]
        await asyncio.sleep(0.5)
        await system.shutdown(mode)
        return await asyncio.gather(*asks, return_exceptions=True)

    outcomes = world.run(body)
    ended = 1 if mode == "after_current" else 0
    assert outcomes.count(None) == ended
    assert sum(isinstance(outcome, ActorStopped) for outcome in outcomes) == 3 - ended


def test_a_drain_ends_after_failures_and_waits_for_the_siblings_o9(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        refs: list[ActorRef[Any]] = [await system.spawn(Worker, f"w{n}") for n in range(3)]
        await refs[0].tell(Job("fail", "x"))
        await refs[1].tell(Job("sleep", 5))
        await refs[2].tell("unknown")
        await asyncio.sleep(1)
        await system.shutdown()
        return [letter.message for letter in system.dead_letters]

    assert world.run(body) == ["unknown"]
    assert log[0] == "w0 stopped"  # to be restarted
    assert log[1] == "w1 slept"
    assert sorted(log[2:]) == [f"w{n} stopped" for n in range(3)]


def test_what_is_set_aside_does_not_hold_up_a_drain(world: World) -> None:
    class Stashes(Actor):
        @override
        def on_receive(self, message: Any) -> Any:
            return stash()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Stashes, "s")
        ask = await later(ref.ask("x"))
        began = now()
        await system.shutdown()
        with pytest.raises(ActorStopped):
            await ask
        return now() - began

    assert world.run(body) < 1


def test_an_actor_that_is_left_behind_answers_the_ask_it_handles(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a, b = await system.spawn(Worker, "a"), await system.spawn(Worker, "b")
        inline = await later(a.ask(Job("stubborn")))
        await b.tell(Job("sleep", 1))
        queued = await later(b.ask(Job("stubborn")))
        await asyncio.sleep(2)
        await system.shutdown(timeout=5)
        for task in (inline, queued):
            with pytest.raises(ActorStopped, match="was being handled"):
                await task
        return list(system.cells)

    assert world.run(body) == []
    assert "stubborn" in log


def test_a_program_that_is_left_behind_answers_its_ask(world: World) -> None:
    class Masked(Actor):
        @override
        def on_receive(self, message: Any) -> Any:
            return free_sleep(1e6).uninterruptible()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Masked, "m")
        ask = await later(ref.ask("x"))
        await system.shutdown(timeout=1)
        with pytest.raises(ActorStopped, match="was being handled"):
            await ask

    world.run(body)


def test_names_are_free_again_once_stopped_w9(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        first = await system.spawn(Worker, "a")
        with pytest.raises(NameTaken):
            await system.spawn(Worker, "a")
        await first.stop()
        await first.join()
        assert "/a" not in system.cells
        second = await system.spawn(Worker, "a")
        assert first != second
        return await second.ask(Job("echo", 2)), await system.run_free(
            free_ask(first, Job("echo")).attempt()
        )

    answer, old = world.run(body)
    assert answer == 2
    assert isinstance(old, Failure)


class Unstartable(Actor):
    """Starts a child, and fails to start."""

    def __init__(self, how: str = "") -> None:
        if how == "init":
            raise OSError("init")

    @override
    async def on_started(self) -> None:
        await self.context.spawn(Worker, "child")
        raise OSError("started")


def test_a_spawn_that_fails_leaks_nothing(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        for make in (Unstartable, lambda: Unstartable("init")):
            with pytest.raises(OSError, match=r"init|started"):
                await system.spawn(make, "u")
            assert list(system.cells) == []
        return await system.spawn(Worker, "u")

    assert world.run(body).name == "u"
    assert log[0] == "child stopped"


def test_after_it_tells_are_dead_letters_and_asks_fail_at_once(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Worker, "a")
        await system.shutdown()
        await a.tell(Job("echo"))
        a.tell_nowait(Job("echo"))
        with pytest.raises(ActorStopped, match="the shutdown of /sim"):
            await a.ask(Job("echo"))
        with pytest.raises(ActorStopped, match="it runs no programs"):
            await system.run_free(free_sleep(1))
        await a.stop("now")
        await a.join()
        return [letter.target for letter in system.dead_letters]

    assert world.run(body) == ["/sim/a"] * 2


# ---------------------------------------------------------------- every interleaving


def test_a_drain_loses_nothing_and_always_ends() -> None:
    class Node(Actor):
        handled = 0

        @override
        async def on_receive(self, message: Any) -> Any:
            Node.handled += 1
            hops, others = message
            if hops:
                await others[0].tell((hops - 1, others[1:] + others[:1]))
                if hops % 2:
                    await others[1].ask((0, others), timeout=100)

    async def scenario(sim: Simulation) -> None:
        Node.handled = 0
        system = sim.system
        refs = [await system.spawn(Node) for _ in range(4)]
        first, *others = refs
        await first.tell((6, others))
        await system.shutdown(timeout=None)
        assert Node.handled == 7 + 3, Node.handled
        assert not system.cells
        assert not system.dead_letters

    verdict = explore(scenario, schedules=150, time="latency")
    assert verdict.ok, verdict.failure


def test_a_shutdown_in_the_middle_answers_every_ask() -> None:
    async def scenario(sim: Simulation) -> None:
        log.clear()
        system = sim.system
        refs = [await system.spawn(Worker, name) for name in "ab"]
        asks = [
            asyncio.ensure_future(ref.ask(Job(what, value)))
            for ref, other in (refs, refs[::-1])
            for what, value in (("echo", 1), ("sleep", 1), ("pass on", [other]))
        ]
        modes: list[ShutdownMode] = ["drain", "after_current", "now", When(lambda: len(log) > 1)]
        mode = modes[system.world.random.randrange(4)]
        await system.shutdown(mode, timeout=3)
        assert not system.cells
        await asyncio.gather(*asks, return_exceptions=True)  # a hang is a Deadlock here

    verdict = explore(scenario, schedules=150, time="async")
    assert verdict.ok, verdict.failure


def test_a_hundred_hops_through_waiting_actors_drain_live() -> None:
    async def main() -> int:
        async with ActorSystem() as system:
            refs = [await system.spawn(Worker, f"w{n}") for n in range(100)]
            await refs[0].tell(Job("pass on", refs[1:]))
            await system.shutdown(timeout=None)
            return sum("passed on" in entry for entry in log)

    with asyncio.Runner(loop_factory=ImpatientLoop) as runner:
        assert runner.run(main()) == 100


def test_the_trace_of_a_drain_is_the_same_for_the_same_seed() -> None:
    async def scenario(sim: Simulation) -> None:
        a = await sim.system.spawn(Worker, "a")
        await a.tell(Job("pass on", [a]))
        await sim.system.shutdown()

    runs = [simulate(scenario, seed=3) for _ in range(2)]
    assert runs[0].error is None
    assert runs[0].digest == runs[1].digest
