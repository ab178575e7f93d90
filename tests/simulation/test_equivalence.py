"""Two programs are equivalent if they come to the same outcomes, whatever the order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from effactor import Actor, ActorRef, Do, Message, free_ask, free_random, handler, program, pure
from effactor.interpreters import equivalent, replay

if TYPE_CHECKING:
    from effactor_interpreters.simulation.simulation import Simulation


@dataclass(frozen=True)
class Get(Message[int]):
    """Read."""


@dataclass(frozen=True)
class Put(Message[None]):
    """Write."""

    value: int


@dataclass(frozen=True)
class Add(Message[None]):
    """Add at once."""

    n: int


class Counter(Actor[Get | Put | Add]):
    """A number."""

    def __init__(self) -> None:
        super().__init__()
        self.value: int = 0

    @handler
    def get(self, message: Get) -> int:
        return self.value

    @handler
    def put(self, message: Put) -> None:
        self.value = message.value

    @handler
    def add(self, message: Add) -> None:
        self.value += message.n


Ref = ActorRef[Get | Put | Add]


@program
def racy(ref: Ref) -> Do[None, Any]:
    value = yield from free_ask(ref, Get())
    yield from free_ask(ref, Put(value + 1))


def atomically(ref: Ref) -> Any:
    return free_ask(ref, Add(1))


def twice(sim: Simulation, one: Any) -> int:
    ref = sim.spawn(Counter, "counter")
    sim.run_all([one(ref), one(ref)])
    value: int = sim.actor(ref).value
    return value


def with_race(sim: Simulation) -> int:
    return twice(sim, racy)


def without_race(sim: Simulation) -> int:
    return twice(sim, atomically)


def in_one_program(sim: Simulation) -> int:
    ref = sim.spawn(Counter, "counter")
    sim.run(racy(ref).then(racy(ref)))
    value: int = sim.actor(ref).value
    return value


@pytest.mark.parametrize("strategy", ["dpor", "exhaustive", "portfolio"])
def test_a_race_is_a_difference_with_a_token(strategy: str) -> None:
    found = equivalent(with_race, without_race, strategy=strategy)
    assert not found
    assert (found.outcomes, list(found.only_first), found.only_second) == (("2",), ["1"], {})
    assert replay(with_race, found.only_first["1"]).value == 1
    assert "only with_race: 1  (token ef" in str(found)


def test_what_comes_to_the_same_is_proven_where_all_was_tried() -> None:
    found = equivalent(without_race, in_one_program)
    assert found.ok
    assert found.exhausted
    assert (
        str(found) == "without_race and in_one_program come to the same: 1 outcome in all schedules"
    )
    assert not equivalent(without_race, in_one_program, schedules=1, strategy="random").exhausted


def test_what_is_raised_is_an_outcome() -> None:
    def fails(sim: Simulation) -> int:
        raise ValueError(len(sim.hits))

    assert equivalent(fails, fails).ok
    assert not equivalent(pure(3), fails)
    assert equivalent(pure(3), lambda sim: 3).ok


def test_chance_is_no_proof() -> None:
    assert not equivalent(free_random(), free_random()).exhausted


def test_wrong_arguments_are_refused() -> None:
    wrong: Any = 3
    with pytest.raises(TypeError, match="equivalent: expected a Program or a scenario"):
        equivalent(wrong, pure(1))
    with pytest.raises(ValueError, match="equivalent: schedules must be an integer >= 1, got 0"):
        equivalent(pure(1), pure(1), schedules=0)
    with pytest.raises(ValueError, match="equivalent: strategy must be one of"):
        equivalent(pure(1), pure(1), strategy="magic")
