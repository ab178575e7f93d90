"""The simulator, on one core: schedules in a second, what a run and a choice cost, reduction.

What it takes to find bugs is measured by `python -m benchmarks.actorbugs`.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.measuring import MICRO, Effort, Row
from effactor import Actor, ActorRef, Do, Message, free_ask, free_tell, handler, program, pure
from effactor.errors import AskFailed
from effactor.interpreters import Simulation, Verdict, explore, simulate

TOPIC = "simulator"

STEPS = 20


@dataclass(frozen=True, slots=True)
class Look(Message[int]):
    sku: str


@dataclass(frozen=True, slots=True)
class Take(Message[None]):
    sku: str


class Inventory(Actor[Look | Take]):
    def __init__(self) -> None:
        self.stock = {"tea": 100}

    @handler
    def look(self, message: Look) -> int:
        return self.stock[message.sku]

    @handler
    async def take(self, message: Take) -> None:
        self.stock[message.sku] -= 1


@program
def checkout(inventory: ActorRef[Look | Take], sku: str) -> Do[str, AskFailed]:
    left = yield from free_ask(inventory, Look(sku))
    if left > 0:
        yield from free_ask(inventory, Take(sku))
        return "sold"
    return "out"


def four_checkouts(sim: Simulation) -> None:
    """Four programs with two asks each: begin, message, reply, message, reply."""
    inventory = sim.spawn(Inventory, "inventory")
    stock = sim.actor(inventory).stock
    sim.always(lambda: stock["tea"] >= 0, name="stock is never negative")
    sim.run_all([checkout(inventory, "tea") for _ in range(4)])


async def rows(effort: Effort) -> list[Row]:
    run = simulate(four_checkouts)
    if run.steps != STEPS or not run.ok:
        raise AssertionError(run)
    schedules = effort.times(2000)
    made: list[Row] = []
    for strategy in ("random", "portfolio"):
        by_cpu: list[float] = []
        by_wall: list[float] = []
        distinct = 0
        for repetition in range(3):
            gc.collect()
            cpu, wall = time.process_time(), time.perf_counter()
            verdict = explore(four_checkouts, schedules, seed=repetition, strategy=strategy)
            by_cpu.append(schedules / (time.process_time() - cpu))
            by_wall.append(schedules / (time.perf_counter() - wall))
            _check(verdict, schedules)
            distinct = verdict.distinct
        made.append(
            Row(
                TOPIC,
                f"schedules of {STEPS} steps, {strategy}",
                median(by_cpu),
                "a second",
                f"{median(by_wall):,.0f} a second by the wall clock; "
                f"{distinct:,} of {schedules:,} different",
                2000,
            )
        )
    return [*made, *_costs(effort), *_reduction()]


def _costs(effort: Effort) -> list[Row]:
    """Measure a run of almost nothing, and what each choice adds."""

    def nothing(sim: Simulation) -> None:
        sim.run_all([pure(1), pure(2)])

    def asking(asks: int) -> Callable[[Simulation], None]:
        def scenario(sim: Simulation) -> None:
            inventory = sim.spawn(Inventory, "inventory")
            sim.run_all([looking(inventory, asks), looking(inventory, asks)])

        return scenario

    def cost(scenario: Callable[[Simulation], None]) -> tuple[float, int]:
        """Return the CPU seconds of a run, and its steps."""
        schedules = effort.times(1000)
        seconds: list[float] = []
        steps = 0
        for seed in range(5):
            gc.collect()
            cpu = time.process_time()
            verdict = explore(scenario, schedules, seed=seed, strategy="random")
            seconds.append((time.process_time() - cpu) / schedules)
            steps = verdict.steps // schedules
        return median(seconds), steps

    fixed, _ = cost(nothing)
    (few, some), (many, more) = cost(asking(5)), cost(asking(25))
    each = f"{some} steps in {few * MICRO:.0f} us, {more} in {many * MICRO:.0f} us"
    one_more = (many - few) / (more - some) * MICRO
    return [
        Row(TOPIC, "a run of two empty programs", fixed * MICRO, "us", "", 150, at_least=False),
        Row(TOPIC, "one more step, and its choice", one_more, "us", each, 15, at_least=False),
    ]


@program
def looking(inventory: ActorRef[Look | Take], asks: int) -> Do[None, AskFailed]:
    for _ in range(asks):
        yield from free_ask(inventory, Look("tea"))


@dataclass(frozen=True, slots=True)
class Pick(Message[bool]):
    pass


@dataclass(frozen=True, slots=True)
class PutBack(Message[None]):
    pass


class Fork(Actor[Pick | PutBack]):
    def __init__(self) -> None:
        self.free = True

    @handler
    def pick(self, message: Pick) -> bool:
        picked, self.free = self.free, False
        return picked

    @handler
    def put_back(self, message: PutBack) -> None:
        self.free = True


@program
def dine(left: ActorRef[Pick | PutBack], right: ActorRef[Pick | PutBack]) -> Do[bool, AskFailed]:
    if not (yield from free_ask(left, Pick())) or not (yield from free_ask(right, Pick())):
        return False
    yield from free_tell(left, PutBack())
    yield from free_tell(right, PutBack())
    return True


def philosophers(sim: Simulation) -> None:
    forks = [sim.spawn(Fork, f"fork{n}") for n in range(5)]
    sim.run_all([dine(forks[n], forks[(n + 1) % 5]) for n in range(5)])


def _reduction() -> list[Row]:
    """Count the runs of `dpor` and of the exhaustive search."""
    cpu = time.process_time()
    verdict = explore(philosophers, 5000, strategy="dpor")
    seconds = time.process_time() - cpu
    if not verdict.exhausted:
        raise AssertionError(verdict)
    what = "five philosophers, exhausted by dpor"
    return [Row(TOPIC, what, verdict.runs, "runs", f"{seconds:.2f} s", 2000, at_least=False)]


def _check(verdict: Verdict, schedules: int) -> None:
    """Make sure that nothing failed, and that every schedule had its 20 steps."""
    # Some runs of the portfolio are cut short, because they can show nothing new.
    if not verdict.ok or verdict.runs != schedules or verdict.steps < 0.9 * STEPS * schedules:
        raise AssertionError(verdict)
