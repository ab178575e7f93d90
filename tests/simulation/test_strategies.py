"""Which schedules each strategy tries, and what its verdict may claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from simulation.generated import generated
from simulation.philosophers import philosophers

from effactor import (
    Actor,
    ActorRef,
    Do,
    Message,
    every,
    free_ask,
    free_sleep,
    free_tell,
    handler,
    program,
    race,
)
from effactor.interpreters import explore, replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.simulation.simulation import Simulation

SAMPLING = ("random", "pos", "pct", "pct(2)", "portfolio")
ALL = (*SAMPLING, "deviations", "deviations(3)", "exhaustive", "dpor")


@dataclass(frozen=True)
class Get(Message[int]):
    """Read."""


@dataclass(frozen=True)
class Put(Message[None]):
    """Write."""

    value: int


class Cell(Actor[Get | Put]):
    """One value."""

    def __init__(self) -> None:
        super().__init__()
        self.value: int = 0

    @handler
    def get(self, message: Get) -> int:
        return self.value

    @handler
    def put(self, message: Put) -> None:
        self.value = message.value


@program
def increment(ref: ActorRef[Get | Put]) -> Do[None, Any]:
    value = yield from free_ask(ref, Get())
    yield from free_ask(ref, Put(value + 1))


def lost_update(sim: Simulation) -> None:
    cell = sim.spawn(Cell, "cell")
    sim.run_all([increment(cell), increment(cell)])
    assert sim.actor(cell).value == 2


def right(sim: Simulation) -> None:
    cells = [sim.spawn(Cell, f"cell{n}") for n in range(2)]
    sim.run_all([increment(cell) for cell in cells])
    assert [sim.actor(cell).value for cell in cells] == [1, 1]


@pytest.mark.parametrize("strategy", ALL)
def test_each_finds_a_race_that_its_token_replays(strategy: str) -> None:
    verdict = explore(lost_update, 300, strategy=strategy)
    assert verdict.failure is not None
    assert len(verdict.failure.deviations) == 1
    assert isinstance(replay(lost_update, verdict.failure.token).error, AssertionError)


@pytest.mark.parametrize("strategy", ALL)
def test_each_passes_what_is_right_and_tries_the_same_again(strategy: str) -> None:
    verdict = explore(right, 300, seed=7, strategy=strategy)
    assert verdict.ok
    assert str(explore(right, 300, seed=7, strategy=strategy)) == str(verdict)


def tolerant(sim: Simulation) -> None:
    cell = sim.spawn(Cell, "cell")
    sim.run_all([increment(cell), increment(cell)])


@pytest.mark.parametrize("strategy", ["exhaustive", "dpor"])
def test_what_enumerates_says_when_it_has_seen_all(strategy: str) -> None:
    verdict = explore(tolerant, 1000, strategy=strategy)
    assert verdict.exhausted
    assert not explore(tolerant, verdict.runs - 1, strategy=strategy).exhausted


def test_the_verdict_of_dpor_names_its_assumption() -> None:
    text = str(explore(tolerant, 300, strategy="dpor"))
    assert "exhausted, assuming actors share nothing: no failure" in text
    assert "exhausted" not in str(explore(tolerant, 2, strategy="dpor"))


def test_pct_promises_a_probability() -> None:
    verdict = explore(right, 200, strategy="pct(2)")
    (floor,) = verdict.floors.values()
    assert list(verdict.floors) == [2]
    # 200 runs but the first, with at most 4 chains and 12 events, each 1 / (4 * 12).
    assert 1 - (1 - 1 / 4 / 12) ** 199 <= floor < 1
    assert "for depth 2" in str(verdict)
    assert explore(right, 20, strategy="pct(2)").floors[2] < floor
    assert sorted(explore(right, 200, strategy="pct").floors) == [1, 2, 3]
    assert not explore(right, 200, strategy="random").floors


def test_deviations_stop_at_their_bound() -> None:
    verdict = explore(right, 10_000, strategy="deviations(2)")
    assert (verdict.bound, verdict.exhausted) == (2, False)
    assert verdict.runs < explore(right, 10_000, strategy="deviations").runs


@pytest.mark.parametrize("strategy", SAMPLING)
def test_a_timer_that_never_ends_starves_nobody(strategy: str) -> None:
    def heartbeat(sim: Simulation) -> None:
        cell = sim.spawn(Cell, "cell")
        beats = every(1.0, free_tell(cell, Put(1)))
        sim.run(race(beats, increment(cell)))

    assert explore(heartbeat, 100, strategy=strategy, max_steps=5_000).ok


@pytest.mark.parametrize("strategy", ["magic", "pct(0)", "pct(x)", "random(2)", 3, None])
def test_a_strategy_that_does_not_exist_is_refused(strategy: Any) -> None:
    with pytest.raises(ValueError, match="strategy must be one of portfolio, random, pos, pct"):
        explore(right, strategy=strategy)


# ------------------------------------------------------------ partial-order reduction


def outcomes(seed: int, strategy: str, *, rich: bool) -> tuple[set[str], int, bool]:
    found: set[str] = set()
    verdict = explore(generated(seed, found, rich=rich, clients=2), 150, strategy=strategy)
    assert verdict.ok, verdict
    return found, verdict.runs, verdict.exhausted


@pytest.mark.parametrize("rich", [False, True], ids=["messages", "all"])
def test_dpor_comes_to_the_outcomes_of_the_exhaustive_search(rich: bool) -> None:
    """On programs made at random: see benchmarks for more of them."""
    compared = full = reduced = 0
    for seed in range(600):
        if compared >= 100:
            break
        every_outcome, runs, exhausted = outcomes(seed, "exhaustive", rich=rich)
        if exhausted:
            found, fewer, exhausted = outcomes(seed, "dpor", rich=rich)
            assert exhausted, seed
            assert found == every_outcome, seed
            compared, full, reduced = compared + 1, full + runs, reduced + fewer
    assert compared == 100
    assert full > 3 * reduced


def test_a_timer_may_fire_before_a_reply_that_came_before_an_earlier_timer() -> None:
    """Found by `comparing`: the earlier timer stood in the way, and was no part of the race."""
    found: dict[str, set[str]] = {"exhaustive": set(), "dpor": set()}
    for strategy, came in found.items():
        assert explore(generated(200483, came), 1000, strategy=strategy).exhausted
    assert found["dpor"] == found["exhaustive"]


def test_dpor_exhausts_the_dining_philosophers() -> None:
    ate: list[bool] = []
    verdict = explore(philosophers(4, ate), 2000, strategy="dpor")
    assert verdict.exhausted
    assert ate.count(False) == 1
    assert verdict.runs < 300


def pair(sim: Simulation) -> tuple[ActorRef[Get | Put], ActorRef[Get | Put]]:
    return sim.spawn(Cell, "a"), sim.spawn(Cell, "b")


def independent(look: Callable[[Simulation, Any, Any], None]) -> int:
    """Count the runs of two writers that share nothing but what *look* looks at."""

    def scenario(sim: Simulation) -> None:
        a, b = pair(sim)
        look(sim, a, b)
        sim.run_all([free_ask(a, Put(1)), free_ask(b, Put(1))])

    verdict = explore(scenario, 2000, strategy="dpor")
    assert verdict.exhausted
    return verdict.runs


def test_what_a_property_reads_makes_steps_depend_on_each_other() -> None:
    def nothing(sim: Simulation, a: Any, b: Any) -> None: ...

    def one(sim: Simulation, a: Any, b: Any) -> None:
        sim.always(lambda: sim.actor(a).value < 2, reads=(a,), name="one")

    def both(sim: Simulation, a: Any, b: Any) -> None:
        sim.always(lambda: sim.actor(a).value + sim.actor(b).value < 3, reads=(a, b), name="both")

    def unsaid(sim: Simulation, a: Any, b: Any) -> None:
        sim.always(lambda: sim.actor(a).value + sim.actor(b).value < 3, name="unsaid")

    assert independent(nothing) == independent(one) == 1
    assert 1 < independent(both) < independent(unsaid)


def test_a_property_over_two_actors_is_found_broken() -> None:
    def scenario(sim: Simulation) -> None:
        a, b = pair(sim)
        sim.always(
            lambda: (sim.actor(a).value, sim.actor(b).value) != (0, 1), reads=(a, b), name="a first"
        )
        sim.run_all([free_ask(a, Put(1)), free_ask(b, Put(1))])

    verdict = explore(scenario, 100, strategy="dpor")
    assert verdict.failure is not None
    assert "a first" in str(verdict.failure.error)


def test_a_look_at_an_actor_before_all_is_quiet_depends_on_it() -> None:
    seen: set[int] = set()

    def scenario(sim: Simulation) -> None:
        a, _ = pair(sim)
        sim.run(free_tell(a, Put(1)).then(free_sleep(0)))
        seen.add(sim.actor(a).value)

    assert explore(scenario, 100, strategy="dpor").exhausted
    assert seen == {0, 1}


def test_reads_that_are_no_refs_are_refused() -> None:
    def scenario(sim: Simulation) -> None:
        sim.always(lambda: True, reads=("/a",))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    failure = explore(scenario, 1).failure
    assert failure is not None
    assert "reads must be refs of actors" in str(failure.error)
