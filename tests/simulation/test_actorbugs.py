"""The bug benchmark: each bug is one, is found, and is not in its twin."""

from __future__ import annotations

from typing import get_args

import pytest

from benchmarks.actorbugs import BUGS, Bug, Fault, Kind
from benchmarks.actorbugs.__main__ import main
from benchmarks.actorbugs.searching import Search, searches
from benchmarks.actorbugs.tables import by_program, by_strategy
from benchmarks.actorbugs.timeouts import Outdated
from effactor import ActorStopped
from effactor.interpreters import explore, replay, simulate

each = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)


@each
def test_the_portfolio_finds_the_bug_and_its_token_replays_it(bug: Bug) -> None:
    failure = explore(bug.scenario, 2000).failure
    assert failure is not None
    # No schedule with fewer deviations fails, so no shrunk one has fewer.
    assert len(failure.deviations) >= bug.depth
    first, second = (replay(bug.scenario, failure.token) for _ in range(2))
    assert first.digest == second.digest
    assert type(first.error) is type(failure.error)
    assert str(first.error) == str(failure.error)


@each
def test_the_depth_is_the_least_number_of_deviations(bug: Bug) -> None:
    # Level by level, from the default order: the first failure has the fewest deviations.
    verdict = explore(bug.scenario, 600, strategy="deviations")
    if verdict.failure is None:
        assert verdict.bound is not None
        assert verdict.bound < bug.depth
    else:
        assert verdict.runs > 1, "it fails in the default order, so it is no matter of order"
        assert len(verdict.failure.deviations) == bug.depth


@each
def test_the_twin_passes(bug: Bug) -> None:
    verdict = explore(bug.fixed, 50)
    assert verdict.ok, str(verdict)


@each
def test_no_handler_fails_in_the_twin_unnoticed(bug: Bug) -> None:
    # Supervision would restart the actor, and a twin that does nothing would pass.
    for seed in range(5):
        run = simulate(bug.fixed, seed, time="async")
        failed = [record.subject for record in run.trace.records if record.kind == "failure"]
        assert [error for error in failed if not isinstance(error, ActorStopped | Outdated)] == []


@each
def test_what_is_known_about_it_is_complete(bug: Bug) -> None:
    assert bug.name == bug.scenario.__name__
    assert bug.fixed.__name__ == f"{bug.name}_fixed"
    assert bug.title
    assert bug.source
    assert bug.kind in get_args(Kind)
    assert set(bug.faults) <= set(get_args(Fault))


def test_there_are_enough_of_all_kinds_and_faults() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 28
    assert {bug.kind for bug in BUGS} == set(get_args(Kind))
    assert {fault for bug in BUGS for fault in bug.faults} == set(get_args(Fault))


def test_the_runner_prints_both_tables(capsys: pytest.CaptureFixture[str]) -> None:
    programs = ["--only", "lost_update", "--only", "write_behind"]
    assert main(["--seeds", "2", *programs, "--strategies", "random,deviations"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "| program | class | faults | depth | random | deviations | schedules/s |" in lines
    rows = {line.split(" | ")[0]: line for line in lines if line.startswith("| ")}
    assert "| atomicity violation | none | 1 |" in rows["| lost_update"]
    # The same for every seed, as it enumerates.
    assert "| 4.0 / 4 / 4 |" in rows["| lost_update"]
    assert "| lost state | crash | 1 |" in rows["| write_behind"]
    assert rows["| deviations"].startswith("| deviations | 2 of 2 | 0 |")


def test_the_runner_says_what_is_missed(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--seeds", "2", "--limit", "3", "--only", "lost_update"]
    assert main([*arguments, "--strategies", "deviations"]) == 1
    text = capsys.readouterr().out
    assert "| ≥ 3.0 / 3 / 3, 2 missed |" in text
    assert "| deviations | 0 of 1 | 2 |" in text


def test_the_runner_refuses_an_unknown_strategy(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--strategies", "luck"])
    assert "got 'luck'" in capsys.readouterr().err


def test_figures_are_those_of_the_seeds() -> None:
    bugs = [bug for bug in BUGS if bug.name == "last_seat"]
    one = Search("last_seat", "random", (2, 4, None), 9, 1000.0)
    two = Search("last_seat", "portfolio", (1, 2, 3), 9, 3000.0)
    table = by_program(bugs, [one, two], ["random", "portfolio"])
    assert table.splitlines()[-1] == (
        "| last_seat | atomicity violation | none | 1 | ≥ 5.0 / 4 / 9, 1 missed | 2.0 / 2 / 3 "
        "| 2,000 |"
    )
    assert by_strategy([one, two], ["random", "portfolio"]).splitlines()[2:] == [
        "| random | 0 of 1 | 1 | 5.0 | ≥ 5.0 (last_seat) | 1,000 |",
        "| portfolio | 1 of 1 | 0 | 2.0 | 2.0 (last_seat) | 3,000 |",
    ]


def test_processes_find_what_one_finds() -> None:
    bugs = [bug for bug in BUGS if bug.name in {"last_seat", "lost_update"}]
    alone, together = (
        [
            (result.bug, result.strategy, result.schedules)
            for result in searches(bugs, ["random", "deviations"], seeds=2, limit=50, jobs=jobs)
        ]
        for jobs in (1, 2)
    )
    assert alone == together
