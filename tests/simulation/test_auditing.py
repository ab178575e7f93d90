"""A schedule that does not determine its run is found, and its likely cause is named."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from effactor import Actor, Do, free_ask, free_tell, handler, program
from effactor.errors import NonDeterminism, Violation
from effactor.interpreters import Simulation, explore, replay
from effactor_interpreters.simulation import auditing
from effactor_interpreters.simulation.auditing import ADDRESS, CHANCE, CLOCK, KEPT, ORDER

if TYPE_CHECKING:
    from collections.abc import Callable


class Echo(Actor[Any]):
    @handler
    def echo(self, message: Any) -> Any:
        return message


class Thing:
    """Has the hash of its address."""


calls: list[int] = []
cache: dict[str, str] = {}
generator = random.Random()
real_time = (time.time,)  # no global of its own: nothing makes it virtual
kept: list[Any] = []


def counts_runs() -> Any:
    calls.append(1)
    return len(calls)


def fills_a_cache() -> Any:
    if "tea" in cache:
        return cache["tea"]
    cache["tea"] = "cached"
    return "fresh"


def iterates_over_a_set() -> Any:
    things = [Thing() for _ in range(64)]
    kept.append(things)  # so that the next run has other addresses
    numbers = {thing: number for number, thing in enumerate(things)}
    return tuple(numbers[thing] for thing in set(things))


def tells_an_address() -> int:
    kept.append(Thing())
    return id(kept[-1])


CAUSES: dict[str, tuple[Callable[[], Any], str]] = {
    "a counter": (counts_runs, KEPT),
    "a cache": (fills_a_cache, KEPT),
    "a set": (iterates_over_a_set, ORDER),
    "a generator": (generator.random, CHANCE),
    "bytes of a generator": (lambda: generator.randbytes(9), CHANCE),
    "a clock": (real_time[0], CLOCK),
    "a clock of whole nanoseconds": (lambda: int(real_time[0]() * 1e9), CLOCK),
    "an address": (tells_an_address, ADDRESS),
}


@pytest.mark.parametrize("name", CAUSES)
def test_the_first_step_that_differs_and_its_likely_cause_are_named(name: str) -> None:
    function, likely = CAUSES[name]

    def scenario(sim: Simulation) -> None:
        echo = sim.spawn(Echo, "echo")
        sim.run(free_ask(echo, "before"))
        sim.run(free_ask(echo, function()))

    verdict = explore(scenario, schedules=20)
    assert not verdict.ok
    assert verdict.runs == 1, "the first run is always audited"
    assert verdict.failure is not None
    error = verdict.failure.error
    assert isinstance(error, NonDeterminism)
    assert error.likely == likely
    # Echo's reply to "before" is record 3.
    assert error.where == "record 5"
    assert error.expected.startswith("/ask#2: ask /echo ")
    assert error.expected != error.found
    assert likely in verdict.failure.explain()


def test_another_order_of_the_same_messages_is_an_order() -> None:
    def scenario(sim: Simulation) -> None:
        echo = sim.spawn(Echo, "echo")
        things = {Thing(): number for number in range(20)}
        kept.append(things)

        @program
        def tells() -> Do[None]:
            for thing in set(things):
                yield from free_tell(echo, things[thing])

        sim.run(tells())
        sim.settle()

    failure = explore(scenario, schedules=5).failure
    assert failure is not None
    assert isinstance(failure.error, NonDeterminism)
    assert failure.error.likely == ORDER


def test_the_answer_of_the_scenario_is_compared_too() -> None:
    failure = explore(lambda _sim: counts_runs(), schedules=5).failure
    assert failure is not None
    assert isinstance(failure.error, NonDeterminism)
    assert failure.error.where == "the end of the scenario"
    assert failure.error.likely == KEPT


def test_a_share_of_the_runs_is_audited() -> None:
    def runs(schedules: int, **options: Any) -> int:
        count: list[None] = []

        def scenario(sim: Simulation) -> None:
            count.append(None)
            echo = sim.spawn(Echo, "echo")
            sim.run_all([free_ask(echo, n) for n in range(5)])

        assert explore(scenario, schedules, **options).ok
        return len(count)

    assert runs(1) == 2
    assert runs(99) == 100
    assert runs(100) == 102
    assert runs(300) == 304
    assert runs(30, audit=0) == 30
    assert runs(30, audit=False) == 30
    assert runs(30, audit=1) == 60
    assert runs(30, audit=0.5) == 46
    assert runs(30, strategy="dpor", audit=1) == 60


@pytest.mark.parametrize("share", [-0.1, 1.5, "all", None, float("nan")])
def test_what_is_no_share_is_refused(share: Any) -> None:
    with pytest.raises(ValueError, match="explore: audit must be a share of the runs, from 0 to 1"):
        explore(lambda _sim: None, audit=share)


def test_without_an_audit_nothing_is_compared() -> None:
    assert explore(lambda _sim: counts_runs(), schedules=3, audit=0).ok


def test_a_finding_that_does_not_come_again_says_so() -> None:
    attempts: list[None] = []

    def scenario(sim: Simulation) -> None:
        attempts.append(None)
        sim.always(lambda: len(attempts) % 3 != 2, name="lucky")
        sim.run(free_ask(sim.spawn(Echo, "echo"), 1))

    attempts.append(None)
    failure = explore(scenario, schedules=10, audit=0).failure
    assert failure is not None
    assert isinstance(failure.error, Violation)
    assert not hasattr(failure.error, "__notes__")
    attempts.clear()
    attempts.append(None)
    failure = explore(scenario, schedules=10).failure
    assert failure is not None
    assert isinstance(failure.error, Violation)
    assert "Not every run of this schedule fails so" in failure.error.__notes__[0]
    assert "Not every run of this schedule fails so" in failure.explain()


def test_runs_that_are_the_same_pass_with_clocks_chance_and_every_strategy() -> None:
    def scenario(sim: Simulation) -> Any:
        echo = sim.spawn(Echo, "echo")
        drawn = random.Random().random(), random.random(), time.time(), os.urandom(3)
        return sim.run_all([free_ask(echo, (n, drawn)) for n in range(3)])

    for strategy in ("portfolio", "random", "pct", "pos", "dpor", "exhaustive", "deviations"):
        assert explore(scenario, 40, strategy=strategy, audit=1).ok, strategy


def test_a_broken_comparison_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these tests fails if texts are not compared."""

    def blind(_value: object) -> str:
        return ""

    monkeypatch.setattr(auditing, "canonical", blind)
    assert explore(lambda _sim: counts_runs(), schedules=3).ok


# What depends on the hash seed alone is equal in all runs of one process: the second phase
# runs in others.
_PHASE = """
import sys
sys.path[:0] = {path!r}
from simulation.test_auditing import {scenario}
from effactor.interpreters import explore, replay
verdict = explore({scenario}, 60, strategy="random", audit=1)
token = verdict.failure.token if verdict.failure else "none"
print(verdict.ok, verdict.runs, verdict.steps, token)
print(replay({scenario}, "{token}").digest)
"""


def two_clients(sim: Simulation) -> Any:
    echo = sim.spawn(Echo, "echo")

    @program
    def client(names: tuple[str, ...]) -> Do[None, Any]:
        for name in names:
            yield from free_ask(echo, name)

    return sim.run_all([client(("tea", "milk", "salt")), client(("rice", "oats"))])


def depends_on_the_hash_seed(sim: Simulation) -> Any:
    echo = sim.spawn(Echo, "echo")
    words = {"tea", "milk", "salt", "rice", "oats", "corn", "beans", "bread"}
    return sim.run_all([free_ask(echo, word) for word in words])


def in_processes(scenario: Callable[[Simulation], Any], token: str) -> set[str]:
    """Explore and replay a scenario under several hash seeds; return all that they print."""
    script = _PHASE.format(path=sys.path, scenario=scenario.__name__, token=token)
    outputs: set[str] = set()
    for hash_seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        outputs.add(done.stdout)
    return outputs


def token_of(scenario: Callable[[Simulation], Any]) -> str:
    """Make the token of some run in this process."""

    def failing(sim: Simulation) -> None:
        scenario(sim)
        raise ValueError

    failing.__name__ = scenario.__name__
    failure = explore(failing, 1).failure
    assert failure is not None
    return failure.token


def test_phase_two_other_hash_seeds_give_the_same_runs() -> None:
    token = token_of(two_clients)
    outputs = in_processes(two_clients, token)
    assert len(outputs) == 1
    lines = outputs.pop().splitlines()
    assert lines[0].startswith("True 60 ")
    assert lines[1] == replay(two_clients, token).digest


def test_phase_two_finds_what_depends_on_the_hash_seed() -> None:
    token = token_of(depends_on_the_hash_seed)
    outputs = in_processes(depends_on_the_hash_seed, token)
    assert len(outputs) > 1
    # One process alone cannot tell.
    assert all(text.startswith("True 60 ") for text in outputs)
