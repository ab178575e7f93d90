"""Failures are shrunk to the fewest faults, and then to the fewest deviations."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from simulation.faults.programs import Account, Add, Teller, moving
from simulation.generated import generated

from effactor import Violation, free_tell, gather
from effactor.interpreters import Faults, explore
from effactor_interpreters.simulation import shrinking, trials

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.interpreters import Simulation


def rare(seed: int) -> Callable[[Simulation], None] | None:
    """Make a program that fails where it comes to what it comes to most rarely."""
    outcomes: set[Any] = set()
    scenario = generated(seed, outcomes, rich=False)
    seen: list[Any] = []

    def noted(sim: Simulation) -> None:
        outcomes.clear()
        scenario(sim)
        seen.extend(outcomes)

    explore(noted, 120, strategy="random", seed=seed)
    target, _ = Counter(seen).most_common()[-1]
    if target == seen[0]:
        return None

    def failing(sim: Simulation) -> None:
        outcomes.clear()
        scenario(sim)
        if target in outcomes:
            raise Violation("always", "it comes to something else", 0)

    return failing


def test_the_fewest_deviations_are_reached_up_to_two_and_nearly_always_beyond() -> None:
    least: list[int] = []
    shrunk: list[int] = []
    for seed in range(30):
        scenario = rare(seed)
        if scenario is None:
            continue
        systematic = explore(scenario, 4000, strategy="deviations").failure
        found = explore(scenario, 2000, strategy="pos", seed=seed + 1).failure
        if systematic is not None and found is not None:
            least.append(len(systematic.deviations))
            shrunk.append(len(found.deviations))
    assert len(least) >= 20
    assert max(least) > 2
    pairs = list(zip(shrunk, least, strict=True))
    assert all(got <= fewest for got, fewest in pairs if fewest <= 2)
    assert sum(got <= fewest for got, fewest in pairs) >= 0.9 * len(pairs)


def test_a_fault_that_plays_no_part_is_left_out() -> None:
    def scenario(sim: Simulation) -> None:
        account = sim.spawn(Account, "account")
        sim.run(gather([free_tell(account, Add(n)) for n in (1, 2)]))
        sim.settle()
        raise Violation("goal", "this fails anyway", 0)

    for seed in range(20):
        faults = Faults(3, crash=True, drop=True, duplicate=True, pause=True)
        failure = explore(scenario, 1, seed=seed, strategy="random", faults=faults).failure
        assert failure is not None
        assert failure.deviations == ()


@pytest.mark.parametrize("strategy", ["random", "pos", "pct"])
def test_one_fault_is_left_of_many(strategy: str) -> None:
    faults = Faults(4, crash=True, pause=True, delay=True, slow=True, partition=True)
    for seed in range(5):
        failure = explore(moving(Teller), 2000, seed, strategy, faults).failure
        assert failure is not None
        assert len(failure.deviations) == len(failure.faults) == 1


def test_shrinking_keeps_within_its_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [0]

    def counted(function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            runs[0] += 1
            return function(*args, **kwargs)

        return call

    def shrink(failing: Any, repeat: Any, run: Any) -> Any:
        return shrinking.shrink(failing, counted(repeat), counted(run))

    monkeypatch.setattr(trials, "shrink", shrink)
    for seed in range(6):
        scenario = rare(seed)
        if scenario is None:
            continue
        runs[0] = 0
        explore(scenario, 2000, seed=seed, strategy="pos")
        assert runs[0] <= shrinking.RERUNS
