"""Asks of several actors by handlers that are no programs, in every world."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorNotFound,
    ActorRef,
    ActorStopped,
    AskTimeout,
    Deadlock,
    Message,
    NameTaken,
    RestForOneStrategy,
    handler,
)
from effactor.interpreters import ActorSystem, Simulation, explore, simulate

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


class Refused(Exception):
    """A failure that a message declares."""


@dataclass(frozen=True)
class Work(Message[Any, Refused]):
    """Sleep, then answer, or raise what there is to raise."""

    n: int = 0
    seconds: float = 0
    error: BaseException | None = None


class Worker(Actor[Work]):
    """Logs its life; it never has a second message."""

    @override
    def on_started(self) -> None:
        log.append("started")

    @override
    def on_restart(self, error: BaseException) -> None:
        log.append("restarted")

    @override
    async def on_stopped(self) -> None:
        await asyncio.sleep(1)
        log.append("stopped")

    @handler
    async def work(self, message: Work) -> Any:
        if message.seconds:
            await asyncio.sleep(message.seconds)
        if message.error is not None:
            raise message.error
        log.append(message.n)
        return message.n


class Starting(Actor[Work]):
    """Starts slowly."""

    @override
    async def on_started(self) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            log.append("gave up starting")

    @override
    def on_stopped(self) -> None:
        log.append("stopped")

    @handler
    def work(self, message: Work) -> Any:
        return message.n


class Broken(Worker):
    """Fails to start."""

    @override
    def on_started(self) -> None:
        raise LookupError("no start")


def divides_by_zero() -> Worker:
    raise ZeroDivisionError


class NeedsParent(Actor[Work]):
    """Asks whoever spawned it, who waits for its reply."""

    @handler
    async def work(self, message: Work) -> Any:
        parent = self.context.parent
        assert parent is not None
        return await parent.ask("busy")


def fail(n: int = 0, seconds: float = 0) -> Work:
    return Work(n, seconds, ValueError(f"boom {n}"))


class Boss(Actor[Any]):
    """Does what the test says, as its handler."""

    @override
    def on_receive(self, message: Any) -> Any:
        return message(self) if callable(message) else message


def the_cell(actor: Any) -> Any:
    return actor._cell


def run(world: World, body: Any, *, boss: Any = Boss) -> Any:
    """Await `body(self)` in a handler of an actor; nothing must be left afterwards."""

    async def main(system: ActorSystem) -> Any:
        ref = await system.spawn(boss, "boss")

        async def inside(self: Boss) -> Any:
            try:
                return await body(self)
            finally:
                assert not self.context.children

        try:
            return await ref.ask(inside)
        finally:
            assert list(system.cells) == ["/boss"]
            assert len(system.timers) == 0

    return world.run(main)


# ---------------------------------------------------------------- one child


def test_an_ephemeral_child_lives_for_one_message(world: World) -> None:
    async def body(self: Boss) -> Any:
        seen: list[str] = []

        class Sees(Worker):
            @override
            @handler
            async def work(self, message: Work) -> Any:
                seen.extend(parent.context.children)
                return await super().work(message)

        parent = self
        answers = [await self.context.ask(Sees, Work(n)) for n in range(3)]
        named = await self.context.ask(Sees, Work(3), name="clerk")
        return answers, named, seen

    assert run(world, body) == ([0, 1, 2], 3, ["Sees#1", "Sees#2", "Sees#3", "clerk"])
    assert log == ["started", 0, "stopped", "started", 1, "stopped", "started", 2, "stopped",
                   "started", 3, "stopped"]  # fmt: skip


def test_its_failure_is_raised_as_it_is_and_it_is_not_restarted_first_w18(world: World) -> None:
    error = ValueError("boom")

    async def body(self: Boss) -> Any:
        with pytest.raises(ValueError, match="boom") as caught:
            await self.context.ask(Worker, Work(error=error))
        assert caught.value is error
        with pytest.raises(Refused, match="not today"):
            await self.context.ask(Worker, Work(error=Refused("not today")))

    run(world, body)
    assert log == ["started", "stopped", "started", "stopped"]


def test_nothing_is_left_of_many_failures_w18(world: World) -> None:
    async def body(self: Boss) -> Any:
        relations = the_cell(self).relations
        joiners = list(relations.joiners)
        for n in range(20):
            with pytest.raises(ValueError, match="boom"):
                await self.context.ask(Worker, fail(n))
        assert relations.joiners == joiners
        return relations.recovery_made

    assert run(world, body) is None
    assert "restarted" not in log


def test_its_failure_does_not_touch_its_siblings(world: World) -> None:
    class Strict(Boss):
        @override
        def supervisor_strategy(self) -> Any:
            return RestForOneStrategy()

    async def body(self: Boss) -> Any:
        sibling = await self.context.spawn(Worker)
        with pytest.raises(ValueError, match="boom"):
            await self.context.ask(Worker, fail())
        await sibling.stop()
        await sibling.join()

    run(world, body, boss=Strict)
    assert "restarted" not in log


def test_a_timeout_ends_the_child_at_once(world: World) -> None:
    async def body(self: Boss) -> Any:
        begin = asyncio.get_running_loop().time()
        with pytest.raises(AskTimeout, match="within 5 s"):
            await self.context.ask(Worker, Work(seconds=100), timeout=5)
        return round(asyncio.get_running_loop().time() - begin)

    assert run(world, body) == 6  # on_stopped takes one
    assert log == ["started", "stopped"]


def test_a_timeout_includes_the_start(world: World) -> None:
    async def body(self: Boss) -> Any:
        begin = asyncio.get_running_loop().time()
        with pytest.raises(AskTimeout, match="within 5 s"):
            await self.context.ask(Starting, Work(), timeout=5)
        return round(asyncio.get_running_loop().time() - begin)

    assert run(world, body) == 5
    assert log == ["gave up starting"]


def test_a_slow_start_within_the_timeout_is_waited_for(world: World) -> None:
    async def body(self: Boss) -> Any:
        return await self.context.ask(Starting, Work(7), timeout=200)

    assert run(world, body) == 7
    assert log == ["gave up starting", "stopped"]


def test_cancelling_while_it_starts_cuts_that_short(world: World) -> None:
    async def body(self: Boss) -> Any:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await self.context.ask(Starting, Work())

    run(world, body)
    assert log == ["gave up starting"]


def test_what_its_start_raises_is_raised(world: World) -> None:
    async def body(self: Boss) -> Any:
        with pytest.raises(LookupError, match="no start"):
            await self.context.ask(Broken, Work())
        with pytest.raises(ZeroDivisionError):
            await self.context.ask(divides_by_zero, Work())
        other = await self.context.spawn(Worker, "clerk")
        with pytest.raises(NameTaken):
            await self.context.ask(Worker, Work(), name="clerk")
        await other.stop()
        await other.join()

    run(world, body)


def test_a_ref_or_a_path_is_asked_and_lives_on(world: World) -> None:
    async def main(system: ActorSystem) -> Any:
        boss = await system.spawn(Boss, "boss")
        worker = await system.spawn(Worker, "worker")

        async def body(self: Boss) -> Any:
            ask = self.context.ask
            with pytest.raises(ActorNotFound, match="did you mean /worker"):
                await ask("/workers", Work(9))
            return [
                await ask(worker, Work(1)),
                await ask(ActorRef.at("/worker"), Work(2)),
                await ask("/worker", Work(3)),
                await ask("/sim/worker", Work(4)),
            ]

        answers = await boss.ask(body)
        return answers, worker.is_alive

    assert world.run(main) == ([1, 2, 3, 4], True)


def test_a_child_that_asks_its_waiting_parent_is_a_deadlock(world: World) -> None:
    async def body(self: Boss) -> Any:
        with pytest.raises(Deadlock, match="/boss/NeedsParent#1 waits for"):
            await self.context.ask(NeedsParent, Work())

    run(world, body)


def test_on_stopped_may_not_ask_a_child_any_more(world: World) -> None:
    class Late(Boss):
        @override
        async def on_stopped(self) -> None:
            with pytest.raises(ActorStopped, match="starts no actors"):
                await self.context.ask(Worker, Work())
            log.append("refused")

    async def main(system: ActorSystem) -> None:
        ref = await system.spawn(Late)
        await ref.stop()
        await ref.join()

    world.run(main)
    assert log == ["refused"]


# ---------------------------------------------------------------- several at once


def test_sequence_runs_at_once_and_answers_in_order(world: World) -> None:
    async def body(self: Boss) -> Any:
        begin = asyncio.get_running_loop().time()
        got = await self.context.sequence([(Worker, Work(n, 10 - n)) for n in range(3)])
        empty: list[Any] = await self.context.sequence([])
        return got, empty, round(asyncio.get_running_loop().time() - begin)

    assert run(world, body) == ([0, 1, 2], [], 11)


def test_the_first_failure_interrupts_the_rest_and_awaits_them(world: World) -> None:
    async def body(self: Boss) -> Any:
        begin = asyncio.get_running_loop().time()
        with pytest.raises(ValueError, match="boom 1"):
            await self.context.sequence(
                [(Worker, Work(0, 50)), (Worker, fail(1, 5)), (Worker, Work(2, 50))]
            )
        assert log.count("stopped") == 3
        return round(asyncio.get_running_loop().time() - begin)

    assert run(world, body) == 6  # 5 for the failure and 1 for on_stopped
    assert 0 not in log
    assert 2 not in log


def test_sequence_takes_classes_refs_and_paths_and_bounds_them(world: World) -> None:
    async def main(system: ActorSystem) -> Any:
        boss = await system.spawn(Boss, "boss")
        worker = await system.spawn(Worker, "worker")

        async def body(self: Boss) -> Any:
            begin = asyncio.get_running_loop().time()
            asks = [(worker, Work(1)), ("/worker", Work(2)), (Worker, Work(3))]
            got = await self.context.sequence(asks)
            got += await self.context.traverse([Work(n, 10) for n in (4, 5, 6)], Worker)
            passed = [round(asyncio.get_running_loop().time() - begin)]
            await self.context.traverse([Work(n, 10) for n in (4, 5, 6)], Worker, concurrency=2)
            passed.append(round(asyncio.get_running_loop().time() - begin))
            return got, passed

        return await boss.ask(body)

    assert world.run(main) == ([1, 2, 3, 4, 5, 6], [12, 33])


def test_race_answers_the_first_success_and_interrupts_the_others(world: World) -> None:
    async def body(self: Boss) -> Any:
        begin = asyncio.get_running_loop().time()
        got = await self.context.race(
            [(Broken, Work()), (Worker, fail(1, 1)), (Worker, Work(2, 5)), (Worker, Work(3, 50))]
        )
        return got, round(asyncio.get_running_loop().time() - begin)

    assert run(world, body) == (2, 6)
    assert log.count("stopped") == 3
    assert 3 not in log


def test_race_raises_if_all_fail(world: World) -> None:
    async def body(self: Boss) -> Any:
        raised: list[BaseException] = []
        try:
            await self.context.race([(Worker, fail(1, 5)), (Broken, Work()), ("/nobody", Work())])
        except* ValueError as group:  # what the handler raised, not what says so
            raised.extend(group.exceptions)
        except* (LookupError, ActorNotFound) as group:
            raised.extend(group.exceptions)
        return [type(each) for each in raised]

    assert run(world, body) == [ValueError, LookupError, ActorNotFound]


def test_zip_answers_a_pair_and_a_failure_interrupts_the_other(world: World) -> None:
    async def body(self: Boss) -> Any:
        got = await self.context.zip((Worker, Work(1, 5)), (Worker, Work(2)))
        with pytest.raises(ValueError, match="boom 3"):
            await self.context.zip((Worker, fail(3, 5)), (Worker, Work(4, 50)))
        return got

    assert run(world, body) == (1, 2)
    assert 4 not in log


def test_timeouts_are_of_each_ask(world: World) -> None:
    async def body(self: Boss) -> Any:
        context = self.context
        with pytest.raises(AskTimeout):
            await context.sequence([(Worker, Work(1)), (Worker, Work(2, 50))], timeout=5)
        with pytest.raises(AskTimeout):
            await context.traverse([Work(3, 50)], Worker, timeout=5)
        with pytest.raises(AskTimeout):
            await context.zip((Worker, Work(4)), (Worker, Work(5, 50)), timeout=5)
        return await context.race([(Worker, Work(6, 50)), (Worker, Work(7, 4))], timeout=5)

    assert run(world, body) == 7


# ---------------------------------------------------------------- interruption


@pytest.mark.parametrize("how", ["sequence", "race", "ask", "traverse", "zip"])
def test_stopping_the_actor_now_interrupts_all_of_it(world: World, how: str) -> None:
    async def main(system: ActorSystem) -> Any:
        boss = await system.spawn(Boss, "boss")

        async def body(self: Boss) -> Any:
            log.append("began")
            slow = (Worker, Work(1, 100))
            match how:
                case "ask":
                    return await self.context.ask(*slow)
                case "traverse":
                    return await self.context.traverse([Work(1, 100)] * 3, Worker)
                case "zip":
                    return await self.context.zip(slow, slow)
                case _:
                    return await getattr(self.context, how)([slow] * 3)

        reply = boss.ask_nowait(body)
        await asyncio.sleep(10)
        begin = asyncio.get_running_loop().time()
        await boss.stop("now")
        await boss.join()
        with pytest.raises(ActorStopped, match="being handled"):
            await reply
        assert not system.cells
        return round(asyncio.get_running_loop().time() - begin)

    assert world.run(main) == 1
    assert 1 not in log
    assert log.count("started") == log.count("stopped") == {"ask": 1, "zip": 2}.get(how, 3)


@pytest.mark.parametrize("how", ["timeout", "wait_for", "cancel"])
def test_a_cancelled_race_leaks_no_racer_w26(world: World, how: str) -> None:
    async def body(self: Boss) -> Any:
        racing = self.context.race([(Worker, Work(n, 100)) for n in range(3)])
        if how == "timeout":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(5):
                    await racing
        elif how == "wait_for":
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(racing, 5)
        else:
            task = asyncio.ensure_future(racing)
            await asyncio.sleep(5)
            assert len(self.context.children) == 3
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert not self.context.children
        return log.count("stopped")

    assert run(world, body) == 3
    assert not {0, 1, 2} & set(log)


def test_tasks_of_a_handler_may_ask_as_its_actor(world: World) -> None:
    async def body(self: Boss) -> Any:
        a, b = self.context.ask(Worker, Work(1, 5)), self.context.ask(Worker, Work(2, 5))
        task = asyncio.gather(a, b)
        await asyncio.sleep(1)
        assert list(self.context.children) == ["Worker#1", "Worker#2"]
        with pytest.raises(ValueError, match="boom"):
            await asyncio.create_task(self.context.ask(Worker, fail()))
        return await task

    assert run(world, body) == [1, 2]


def test_an_ask_of_a_task_is_on_no_cycle_since_its_actor_is_free(world: World) -> None:
    async def main(system: ActorSystem) -> Any:
        boss = await system.spawn(Boss, "boss")
        other = await system.spawn(Boss, "other")

        async def asks_back(_self: Boss) -> Any:
            return await boss.ask("free")

        def begin(self: Boss) -> Any:
            return [asyncio.create_task(self.context.ask(other, asks_back))]

        (task,) = await boss.ask(begin)
        return await task

    assert world.run(main) == "free"


def test_a_task_that_outlives_its_actor_is_not_left_waiting(world: World) -> None:
    async def main(system: ActorSystem) -> Any:
        boss = await system.spawn(Boss, "boss")
        worker = await system.spawn(Worker, "worker")
        tasks: list[asyncio.Task[Any]] = []

        async def body(self: Boss) -> None:
            tasks.append(asyncio.create_task(self.context.ask(Worker, Work(1, 100))))
            tasks.append(asyncio.create_task(self.context.sequence([(worker, Work(2, 100))])))
            await asyncio.sleep(1)

        await boss.ask(body)
        await boss.stop("now")
        for task in tasks:
            with pytest.raises(ActorStopped):
                await task
        await worker.stop("now")
        return len(tasks)

    assert world.run(main) == 2


# ---------------------------------------------------------------- wrong arguments


def test_wrong_arguments_are_errors_at_once(world: World) -> None:
    async def body(self: Boss) -> Any:
        context: Any = self.context
        ref = context.self_ref
        with pytest.raises(ValueError, match="race: asks must be at least one pair"):
            context.race([])
        with pytest.raises(ValueError, match="ask: name is for an ephemeral child"):
            context.ask(ref, Work(), name="x")
        with pytest.raises(ValueError, match="ask: name is for an ephemeral child"):
            context.ask("/boss", Work(), name="x")
        with pytest.raises(ValueError, match="ask: name must not be empty"):
            context.ask(Worker, Work(), name="a/b")
        with pytest.raises(TypeError, match="ask: target must be a class of actors"):
            context.ask(None, Work())
        with pytest.raises(TypeError, match="got the instance"):
            context.ask(Worker(), Work())
        with pytest.raises(TypeError, match=r"sequence: each ask must be a pair .*got <class"):
            context.sequence([Worker])
        with pytest.raises(TypeError, match="zip: each ask must be a pair"):
            context.zip((Worker, Work()), Work())
        with pytest.raises(TypeError, match="traverse: inputs must be"):
            context.traverse(5, Worker)
        with pytest.raises(ValueError, match="sequence: timeout"):
            context.sequence([], timeout=-1)
        with pytest.raises(ValueError, match="concurrency"):
            context.sequence([], concurrency=0)

    run(world, body)
    assert log == []


# ---------------------------------------------------------------- explored


@dataclass(frozen=True)
class Go(Message[Any]):
    how: str


class Orchestrator(Actor[Go]):
    """Interrupted in all sorts of places."""

    @handler
    async def go(self, message: Go) -> Any:
        asks: list[tuple[Any, Work]] = [
            (Quick, Work(1)),
            (Quick, fail(2)),
            (SlowStart, Work(3, 1)),
            ("/helper", Work(4)),
        ]
        if message.how == "ask":
            return await self.context.ask(SlowStart, Work(5, 1))
        return await getattr(self.context, message.how)(asks)


class Quick(Actor[Work]):
    """Waits only if it must."""

    @handler
    async def work(self, message: Work) -> Any:
        if message.seconds:
            await asyncio.sleep(message.seconds)
        if message.error is not None:
            raise message.error
        return message.n


class SlowStart(Quick):
    """Starts slowly."""

    @override
    async def on_started(self) -> None:
        await asyncio.sleep(1)


@pytest.mark.parametrize("how", ["sequence", "race", "ask"])
def test_an_interrupted_orchestration_leaves_no_child_and_no_ask_without_a_reply(how: str) -> None:
    async def scenario(sim: Simulation) -> None:
        system = sim.system
        boss = await system.spawn(Orchestrator, "boss")
        helper = await system.spawn(Quick, "helper")
        reply = boss.ask_nowait(Go(how))
        again = boss.ask_nowait(Go(how), timeout=5)
        await boss.stop("now")
        for each in (reply, again):
            try:
                got = await each
            except ActorStopped as error:
                sim.sometimes(error.delivered, "stopped in the middle")
                sim.sometimes(not error.delivered, "stopped before")
            except (ValueError, AskTimeout) as error:
                assert str(error) == "boom 2" or each is again  # noqa: PT017
            else:
                assert got in (1, 4, 3, 5)
        await boss.join()
        assert list(system.cells) == ["/helper"]
        assert await helper.ask(Work(9)) == 9

    verdict = explore(scenario, schedules=300, seed=1, time="async")
    assert verdict.ok, verdict


def test_a_crash_in_the_middle_leaves_nothing() -> None:
    def scenario(sim: Simulation) -> None:
        boss = sim.spawn(Orchestrator, "boss")
        sim.spawn(Quick, "helper")
        fiber = sim.run(boss.free_ask(Go("sequence")).attempt().timeout(0.5).attempt().map(str))
        sim.crash(boss)
        sim.settle()
        assert list(sim.system.cells) == ["/helper"], fiber

    for seed in range(20):
        got = simulate(scenario, seed=seed)
        assert got.ok, got.error


class Late(Actor[Any]):
    """Starts and answers after long."""

    @override
    async def on_started(self) -> None:
        await asyncio.sleep(100)

    @override
    async def on_receive(self, message: Any) -> Any:
        await asyncio.sleep(100)
        return message


class Uses(Actor[Any]):
    """Does what it is given."""

    @override
    async def on_receive(self, message: Any) -> Any:
        return await message(self.context)


FOR_EVER: dict[str, Callable[[Any, Any], Any]] = {
    "ask": lambda context, ref: context.ask(ref, "x", timeout=math.inf),
    "ask, child": lambda context, ref: context.ask(Late, "x", timeout=math.inf),
    "race": lambda context, ref: context.race([(ref, "x"), (Late, "x")], timeout=math.inf),
    "stream": lambda context, ref: anext(context.stream(ref, "x", timeout=math.inf)),
    "stream, child": lambda context, ref: anext(context.stream(Late, "x", timeout=math.inf)),
}


@pytest.mark.parametrize("way", FOR_EVER)
def test_an_infinite_timeout_waits_for_ever_whatever_the_default(world: World, way: str) -> None:
    async def body(_: ActorSystem) -> None:
        async with ActorSystem("shop", ask_timeout=5) as system:
            ref = await system.spawn(Late, "late")
            uses = await system.spawn(Uses, "uses")
            use: Callable[[Any], Any] = lambda context: FOR_EVER[way](context, ref)  # noqa: E731
            assert await uses.ask(use, timeout=math.inf) == "x"

    world.run(body)
