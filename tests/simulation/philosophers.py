"""Dining philosophers over fork actors: each takes the left fork, then the right one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from effactor import Actor, ActorRef, AskFailed, Do, Message, free_ask, free_tell, handler, program

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.simulation.simulation import Simulation


@dataclass(frozen=True)
class Take(Message[bool]):
    """Ask for a fork; answers whether it was free."""


@dataclass(frozen=True)
class Release(Message[None]):
    """Give it back."""


class Fork(Actor[Take | Release]):
    """Taken by one at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.free: bool = True

    @handler
    def take(self, message: Take) -> bool:
        taken, self.free = self.free, False
        return taken

    @handler
    def release(self, message: Release) -> None:
        self.free = True


@program
def dine(left: ActorRef[Take | Release], right: ActorRef[Take | Release]) -> Do[bool, AskFailed]:
    """Eat once, unless a fork is taken: whoever holds one keeps it, and starves."""
    if not (yield from free_ask(left, Take())):
        return False
    if not (yield from free_ask(right, Take())):
        return False
    yield from free_tell(left, Release())
    yield from free_tell(right, Release())
    return True


def philosophers(n: int, ate: list[bool] | None = None) -> Callable[[Simulation], None]:
    """Make a scenario that fails if nobody eats."""

    def scenario(sim: Simulation) -> None:
        forks = [sim.spawn(Fork, f"fork{k}") for k in range(n)]
        meals = sim.run_all([dine(forks[k], forks[(k + 1) % n]) for k in range(n)])
        if ate is None:
            assert any(meals), "everybody holds one fork"
        else:
            ate.append(any(meals))

    return scenario
