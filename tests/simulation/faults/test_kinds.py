"""Each kind of fault breaks a program that did not expect it, and spares one that did."""

from __future__ import annotations

from typing import Any

import pytest
from simulation.faults.programs import CASES

from effactor.interpreters import explore, replay

IDS = [case[0] for case in CASES]


def _calm(conditions: dict[str, Any]) -> dict[str, Any]:
    return {"time": conditions["time"]} if "time" in conditions else {}


@pytest.mark.parametrize(("kind", "wrong", "right", "conditions"), CASES, ids=IDS)
def test_a_fault_breaks_who_did_not_expect_it(
    kind: str, wrong: Any, right: Any, conditions: dict[str, Any]
) -> None:
    calm = explore(wrong, 300, **_calm(conditions))
    assert calm.ok, f"without faults: {calm.failure}"
    failure = explore(wrong, 2000, **conditions).failure
    assert failure is not None
    assert len(failure.deviations) == 1
    again = replay(wrong, failure.token)
    assert repr(again.error) == repr(failure.error)
    assert again.token == failure.token
    assert repr(again.trace) == repr(failure.trace)
    guided = replay(wrong, failure.token, mode="guided")
    assert repr(guided.error) == repr(failure.error)
    assert guided.misaligned == 0


@pytest.mark.parametrize(("kind", "wrong", "right", "conditions"), CASES, ids=IDS)
def test_a_fault_spares_who_expected_it(
    kind: str, wrong: Any, right: Any, conditions: dict[str, Any]
) -> None:
    verdict = explore(right, 1000, **conditions)
    assert verdict.ok, str(verdict)


@pytest.mark.parametrize("strategy", ["random", "pos", "pct", "deviations", "exhaustive"])
@pytest.mark.parametrize(("kind", "wrong", "right", "conditions"), CASES[:2], ids=IDS[:2])
def test_every_strategy_finds_faults(
    kind: str, wrong: Any, right: Any, conditions: dict[str, Any], strategy: str
) -> None:
    assert not explore(wrong, 3000, strategy=strategy, **conditions).ok
