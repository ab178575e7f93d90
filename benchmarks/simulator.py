"""The simulator: schedules of a 20-step scenario in a second, on one core."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from statistics import median

from benchmarks.measuring import Effort, Row
from effactor import Actor, ActorRef, Do, Message, free_ask, handler, program
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
    return made


def _check(verdict: Verdict, schedules: int) -> None:
    """Make sure that nothing failed, and that every schedule had its 20 steps."""
    if not verdict.ok or verdict.runs != schedules or verdict.steps != STEPS * schedules:
        raise AssertionError(verdict)
