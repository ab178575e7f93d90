"""Recording histories, in every world."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    AskTimeout,
    Do,
    MemoryMailbox,
    Message,
    fail,
    free_ask,
    free_sleep,
    gather,
    handler,
    program,
    pure,
)
from effactor.consistency import History, linearizable, models, serializable
from effactor.consistency.models import CompareAndSet, Get, Read, Write
from effactor.interpreters import Simulation, dry_run, explore, simulate

if TYPE_CHECKING:
    from worlds import World

    from effactor import ActorSystem


class Mismatch(Exception):
    """The value is another one."""


@dataclass(frozen=True)
class Look(Message[int]):
    pass


@dataclass(frozen=True)
class Set(Message[None]):
    n: int


@dataclass(frozen=True)
class Swap(Message[bool, Mismatch]):
    old: int
    new: int


@dataclass(frozen=True)
class Crash(Message[None]):
    pass


@dataclass(frozen=True)
class Hang(Message[None]):
    pass


class Cell(Actor[Look | Set | Swap | Crash | Hang]):
    def __init__(self) -> None:
        self.n = 0

    @handler
    def look(self, message: Look) -> int:
        return self.n

    @handler
    def set(self, message: Set) -> None:
        self.n = message.n

    @handler
    def swap(self, message: Swap) -> bool:
        if self.n != message.old:
            raise Mismatch(message.old)
        self.n = message.new
        return True

    @handler
    def crash(self, message: Crash) -> None:
        raise ZeroDivisionError

    @handler
    async def hang(self, message: Hang) -> None:
        await asyncio.sleep(3600)


def outcomes(history: History) -> list[tuple[object, str]]:
    return [(operation.value, operation.outcome) for operation in history]


@pytest.mark.parametrize("form", ["program", "async"])
def test_each_way_an_ask_can_end_is_recorded(world: World, form: str) -> None:
    history = History()

    async def body(system: ActorSystem) -> None:
        cell = await system.spawn(Cell, "cell")
        gone = await system.spawn(Cell, "gone")
        await gone.stop()
        await gone.join()

        async def ask(
            ref: ActorRef[Look | Set | Swap | Crash | Hang],
            message: Look | Set | Swap | Crash | Hang,
            timeout: float | None = None,
        ) -> None:
            try:
                if form == "async":
                    await history.ask(ref, message, timeout=timeout)
                else:
                    await system.run_free(history.free_ask(ref, message, timeout=timeout))
            except Exception:  # noqa: S110 - it is recorded
                pass

        await ask(cell, Set(3))
        await ask(cell, Look())
        await ask(cell, Swap(3, 4))
        await ask(cell, Swap(3, 5))
        await ask(gone, Look())
        await ask(cell, Crash())
        await ask(cell, Hang(), 5.0)

    world.run(body)
    assert outcomes(history) == [
        (Set(3), "ok"),
        (Look(), "ok"),
        (Swap(3, 4), "ok"),
        (Swap(3, 5), "ok"),
        (Look(), "fail"),
        (Crash(), "info"),
        (Hang(), "info"),
    ]
    results = [operation.result for operation in history]
    assert results[:3] == [None, 3, True]
    assert isinstance(results[3], Mismatch)
    assert isinstance(results[6], AskTimeout)


@dataclass(frozen=True)
class Forward(Message[None]):
    pass


class Forwarder(Actor[Forward]):
    """Changes something, and then asks an actor that is not there."""

    def __init__(self, gone: ActorRef[Look]) -> None:
        self.gone = gone

    @handler
    async def forward(self, message: Forward) -> None:
        await self.gone.ask(Look())


def test_an_error_of_an_ask_inside_the_handler_does_not_mean_that_nothing_happened(
    world: World,
) -> None:
    history = History()

    async def body(system: ActorSystem) -> None:
        gone = await system.spawn(Cell, "gone")
        await gone.stop()
        await gone.join()
        forwarder = await system.spawn(lambda: Forwarder(gone), "forwarder")
        with pytest.raises(AskFailed):
            await history.ask(forwarder, Forward())

    world.run(body)
    assert outcomes(history) == [(Forward(), "info")]


def test_a_message_that_a_full_mailbox_rejects_had_no_effect(world: World) -> None:
    history = History()

    async def body(system: ActorSystem) -> None:
        cell = await system.spawn(Cell, "cell", mailbox=MemoryMailbox(1, overflow="reject"))
        asks = [history.ask(cell, Hang(), timeout=9.0) for _ in range(4)]
        _ = await asyncio.gather(*asks, return_exceptions=True)

    world.run(body)
    ends = [operation.outcome for operation in history]
    assert set(ends) == {"fail", "info"}


def test_an_operation_of_another_name_and_client(world: World) -> None:
    history = History()

    async def body(system: ActorSystem) -> None:
        cell = await system.spawn(Cell, "cell")
        await system.run_free(
            history.free_ask(cell, Set(3), operation=Write(3), client="ann").then(
                history.free_ask(cell, Look(), operation=Read())
            )
        )
        await history.ask(cell, Look(), operation=Read(), client="bob")

    world.run(body)
    assert [operation.value for operation in history] == [Write(3), Read(), Read()]
    ann, run, bob = (operation.client for operation in history)
    assert (ann, bob) == ("ann", "bob")
    assert run.startswith("/")
    assert linearizable(history, models.register(0)).ok


def test_programs_and_awaitables_are_recorded_as_one_operation(world: World) -> None:
    history = History()

    async def double(n: int) -> int:
        if n < 0:
            raise Mismatch(n)
        return 2 * n

    async def body(system: ActorSystem) -> None:
        assert await history.record("four", double(2)) == 4
        with pytest.raises(Mismatch):
            await history.record("negative", double(-1))
        with pytest.raises(Mismatch):
            await history.record("sure", double(-1), no_effect=(Mismatch,))
        assert await system.run_free(history.free_record("five", pure(5))) == 5
        refused = fail(Mismatch(0))
        with pytest.raises(Mismatch):
            await system.run_free(history.free_record("unsure", refused))
        with pytest.raises(Mismatch):
            await system.run_free(history.free_record("sure", refused, no_effect=(Mismatch,)))

    world.run(body)
    assert outcomes(history) == [
        ("four", "ok"),
        ("negative", "info"),
        ("sure", "fail"),
        ("five", "ok"),
        ("unsure", "info"),
        ("sure", "fail"),
    ]


def test_an_interrupted_operation_stays_pending(world: World) -> None:
    history = History()

    async def body(system: ActorSystem) -> None:
        slow = history.free_record("slow", free_sleep(60))
        _ = await system.run_free(slow.timeout(1).attempt())

    world.run(body)
    (operation,) = history
    assert (operation.outcome, operation.end) == ("info", None)


def test_times_are_those_of_the_worlds_clock() -> None:
    history = History()
    run = simulate(history.free_record("nap", free_sleep(2.5)))
    assert run.ok
    (nap,) = history
    assert nap.ended_at is not None
    assert nap.began_at is not None
    assert nap.ended_at - nap.began_at == 2.5


def test_a_clock_for_what_is_recorded_by_hand() -> None:
    ticks = iter([1.0, 2.0])
    history = History(lambda: next(ticks))
    number = history.invoke(Read())
    history.ok(number, 0)
    late = history.invoke(Read(), at=7.0)
    history.fail(late, at=8.0)
    assert [(o.began_at, o.ended_at) for o in history] == [(1.0, 2.0), (7.0, 8.0)]


def recorded_or_not(sim: Simulation, history: History | None) -> None:
    cell = sim.spawn(Cell, "cell")

    @program
    def client(n: int) -> Do[None, AskFailed]:
        for message in (Set(n), Look()):
            if history is None:
                _ = yield from free_ask(cell, message)
            else:
                _ = yield from history.free_ask(cell, message)

    sim.run_all([client(1), client(2)])


def test_recording_changes_no_schedule() -> None:
    bare = explore(lambda sim: recorded_or_not(sim, None), strategy="exhaustive")
    observed = explore(lambda sim: recorded_or_not(sim, History()), strategy="exhaustive")
    assert bare.ok
    assert (observed.runs, observed.steps) == (bare.runs, bare.steps)


class Cached(Actor[Look | Set]):
    """A replica that answers from a cache: not linearizable."""

    def __init__(self, cell: ActorRef[Look | Set]) -> None:
        self.cell = cell
        self.n = 0

    @handler
    async def set(self, message: Set) -> None:
        self.n = message.n
        await self.cell.tell(message)

    @handler
    def look(self, message: Look) -> int:
        return self.n


def replicated(sim: Simulation) -> None:
    history = History()
    cell = sim.spawn(Cell, "cell")
    near, far = (sim.spawn(lambda: Cached(cell), f"replica-{i}") for i in (1, 2))

    @program
    def workload() -> Do[None, AskFailed]:
        yield from history.free_ask(near, Set(1), operation=Write(1))
        _ = yield from history.free_ask(far, Look(), operation=Read())

    sim.run(workload())
    report = linearizable(history, models.register(0))
    assert report.ok, str(report)


def test_a_stale_replica_is_found() -> None:
    run = simulate(replicated)
    assert "cannot be placed: Read() -> 0" in str(run.error)


def transfer_of(sim: Simulation) -> History:
    history = History()
    left, right = sim.spawn(Cell, "left"), sim.spawn(Cell, "right")

    @program
    def skewed(
        mine: ActorRef[Look | Set], other: ActorRef[Look | Set], n: int
    ) -> Do[tuple[int | None, None], AskFailed]:
        seen = yield from free_ask(other, Look())
        yield from free_ask(mine, Set(n))
        return seen or None, None

    both = [
        history.free_record((Get("right"), models.Put("left", 1)), skewed(left, right, 1)),
        history.free_record((Get("left"), models.Put("right", 2)), skewed(right, left, 2)),
    ]
    sim.run(gather(both))
    return history


def test_write_skew_is_found_in_some_schedule() -> None:
    def scenario(sim: Simulation) -> None:
        report = serializable(transfer_of(sim))
        assert report.ok, str(report)

    failure = explore(scenario, 200).failure
    assert failure is not None
    assert "G2" in str(failure.error)


def test_a_program_that_records_is_a_value() -> None:
    history = History()
    cell: ActorRef[Look] = ActorRef.at("/cell")
    assert history.free_ask(cell, Look()) == history.free_ask(cell, Look())
    assert history.free_ask(cell, Look()) != history.free_ask(cell, Look(), client="ann")


def test_a_dry_run_shows_the_ask() -> None:
    cell: ActorRef[Look] = ActorRef.at("/cell")
    trace = dry_run(History().free_ask(cell, Look()), answers={Look: 3})
    assert "ask /cell Look()" in str(trace)


def test_an_operation_ends_once() -> None:
    history = History()
    number = history.invoke(CompareAndSet(1, 2))
    history.info(number, "timeout")
    with pytest.raises(ValueError, match="operation 0 has ended already"):
        history.ok(number, result=True)
    with pytest.raises(ValueError, match="no operation 5; give the number from invoke"):
        history.fail(5)
    with pytest.raises(TypeError, match="clock must be a function"):
        _ = History(3.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="program"):
        history.free_record("x", 3)  # type: ignore[arg-type, unused-awaitable]  # pyright: ignore[reportArgumentType]
    assert repr(history) == "<history of 1 operations, 0 pending>"
