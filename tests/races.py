"""Scenarios at the top level of a module, which other processes can import."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    Do,
    Message,
    free_ask,
    free_random,
    handler,
    program,
)

if TYPE_CHECKING:
    from effactor.interpreters import Simulation


@dataclass(frozen=True)
class Get(Message[int]):
    pass


@dataclass(frozen=True)
class Set(Message[None]):
    n: int


class Counter(Actor[Get | Set]):
    def __init__(self) -> None:
        self.n = 0

    @handler
    def get(self, message: Get) -> int:
        return self.n

    @handler
    def set(self, message: Set) -> None:
        self.n = message.n


@program
def add_one(counter: ActorRef[Get | Set]) -> Do[None, AskFailed]:
    n = yield from free_ask(counter, Get())
    yield from free_ask(counter, Set(n + 1))


def count(sim: Simulation, clients: int) -> int:
    counter = sim.spawn(Counter, "counter")
    sim.run_all([add_one(counter) for _ in range(clients)])
    counted: int = sim.actor(counter).n
    return counted


def rarely_one(sim: Simulation) -> None:
    assert count(sim, 7) != 1


def never_none(sim: Simulation) -> None:
    n = count(sim, 4)
    sim.sometimes(n == 2, "two are lost")
    assert n > 0


def few(sim: Simulation) -> None:
    assert count(sim, 2) > 0


def never_many(sim: Simulation) -> None:
    sim.sometimes(count(sim, 2) > 2, "more than were added")


def by_chance(sim: Simulation) -> None:
    assert sim.run(free_random()) < 0.99


def ends_its_process(_sim: Simulation) -> None:
    os._exit(3)
