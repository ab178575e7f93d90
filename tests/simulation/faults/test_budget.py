"""A budget bounds the faults of a run; what no system survives is not offered; a core heals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from simulation.faults.programs import Account, Add, Get, Teller, moving, telling
from typing_extensions import override

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    Do,
    Terminated,
    Violation,
    free_ask,
    free_random,
    free_sleep,
    free_tell,
    free_watch,
    gather,
    handler,
    program,
    pure,
)
from effactor.interpreters import (
    Faults,
    Simulation,
    Situation,
    at_least_one_copy,
    crash,
    eventually_heals,
    explore,
    minority_of,
    replay,
    simulate,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("crash", "restart", "pause", "slow", "drop", "duplicate", "delay", "reorder")
EVERYTHING: dict[str, Any] = dict.fromkeys((*KINDS, "partition", "clock"), True)


def replicas(sim: Simulation) -> None:
    """Write to three replicas; somebody must have it."""
    refs = [sim.spawn(Account, name) for name in "abc"]
    writes = [free_ask(ref, Add(), timeout=50.0).lash(lambda _: pure(0)) for ref in refs]
    sim.run(gather(writes))
    sim.settle()


def taken(scenario: Any, faults: Faults, schedules: int = 300) -> list[tuple[str, ...]]:
    """List the faults of many runs."""
    runs: list[tuple[str, ...]] = []
    for seed in range(schedules):
        run = simulate(scenario, seed=seed, faults=faults)
        assert run.error is None
        runs.append(run.faults)
    return runs


def test_no_run_has_more_faults_than_its_budget_and_some_have_all() -> None:
    for budget in (1, 2, 3):
        runs = taken(replicas, Faults(budget, **EVERYTHING))
        assert max(map(len, runs)) == budget
        assert () in runs


def test_a_kind_has_its_own_maximum_and_its_own_actors() -> None:
    runs = taken(replicas, Faults(3, crash=1, restart=["/b"]))
    said = [fault for run in runs for fault in run]
    assert {fault.split(" ")[1] for fault in said if fault.endswith("anew")} == {"b"}
    crashes = [sum(fault.endswith("crashed") for fault in run) for run in runs]
    assert max(crashes) == 1
    assert any(len(run) > 1 for run in runs)


def test_faults_do_not_shift_what_programs_draw() -> None:
    @program
    def draws(account: ActorRef[Any]) -> Do[list[float]]:
        drawn: list[float] = []
        for _ in range(3):
            yield from free_ask(account, Get()).lash(lambda _: pure(0))
            drawn.append((yield from free_random()))
        return drawn

    def scenario(sim: Simulation) -> list[float]:
        return sim.run(draws(sim.spawn(Account, "account")))

    for seed in range(20):
        faulty = simulate(scenario, seed=seed, faults=Faults(2, **EVERYTHING))
        assert faulty.value == simulate(scenario, seed=seed).value


def test_without_a_fault_the_schedule_is_the_one_without_faults() -> None:
    same = 0
    for seed in range(60):
        faulty = simulate(replicas, seed=seed, faults=Faults(drop=True, crash=True))
        if not faulty.faults:
            same += 1
            assert faulty.digest == simulate(replicas, seed=seed).digest
    assert same


@pytest.mark.parametrize(
    ("recoverable", "down"),
    [(minority_of(list("abc")), 1), (minority_of(["/a", "/b"]), 0), (None, 3)],
    ids=["one of three", "none of two", "all"],
)
def test_a_fault_that_nothing_survives_is_never_offered(recoverable: Any, down: int) -> None:
    runs = taken(replicas, Faults(3, crash=["/a", "/b", "/c"], recoverable=recoverable))
    among = "abc" if down else "ab"
    hit = [len({f.split(" ")[1] for f in run if f.split(" ")[1] in among}) for run in runs]
    assert max(hit) == down


def test_what_never_heals_or_forgets_everything_may_be_excluded() -> None:
    runs = taken(replicas, Faults(2, crash=True, pause=True, recoverable=eventually_heals))
    assert {fault.split(" ")[-1] for run in runs for fault in run} == {"paused"}
    runs = taken(replicas, Faults(3, restart=True, recoverable=at_least_one_copy(list("abc"))))
    assert max(len({f for f in run if f[7] in "abc"}) for run in runs) == 2


def test_a_predicate_sees_the_situation() -> None:
    seen: list[Situation] = []

    def watching(situation: Situation) -> bool:
        seen.append(situation)
        return situation.taken == 0

    assert all(
        len(run) <= 1 for run in taken(replicas, Faults(3, crash=True, recoverable=watching))
    )
    assert any(s.kind == "crash" and s.lasting is None and s.target in s.down for s in seen)


# ------------------------------------------------------------ two phases


class Leader(Actor[Add]):
    """Copies to a follower before it replies."""

    def __init__(self, follower: ActorRef[Any]) -> None:
        self.follower = follower
        self.value = 0

    @handler
    @program
    def add(self, message: Add) -> Do[int]:
        copied = yield from free_ask(self.follower, message).lash(lambda _: pure(0))
        if copied:
            self.value += 1
        return copied


def committing(*, again: bool) -> Callable[[Simulation], None]:
    """Ask a leader until it has done it, or once."""

    def scenario(sim: Simulation) -> None:
        follower = sim.spawn(Account, "follower")
        leader = sim.spawn(lambda: Leader(follower), "leader")
        done: list[int] = []

        @program
        def client() -> Do[None]:
            while not done:
                ask = free_ask(leader, Add(1, "k"), timeout=5.0)
                if (yield from ask.lash(lambda _: pure(0))):
                    done.append(1)
                elif not again:
                    return
                else:
                    yield from free_sleep(1.0)

        sim.goal(lambda: bool(done), name="progress")
        sim.run(client())

    return scenario


def test_a_healed_core_must_make_progress() -> None:
    faults = Faults(2, crash=True, pause=True, heal=["/leader", "/follower"])
    assert explore(committing(again=True), 500, faults=faults, time="latency").ok
    failure = explore(committing(again=False), 500, faults=faults, time="latency").failure
    assert failure is not None
    assert isinstance(failure.error, Violation)
    assert failure.error.name == "progress"
    assert repr(replay(committing(again=False), failure.token).error) == repr(failure.error)


def test_without_healing_nobody_can_demand_progress() -> None:
    assert not explore(
        committing(again=True), 500, faults=Faults(crash=True), time="latency", max_steps=300
    ).ok


def test_a_core_is_healed_where_the_run_would_be_stuck() -> None:
    def scenario(sim: Simulation) -> int:
        return sim.run(free_ask(sim.spawn(Account, "a"), Add()))

    from effactor.interpreters import pause

    plan = pause("/a", before_event=1, lasting=None)
    assert simulate(scenario, faults=Faults(plan=plan)).error is not None
    assert simulate(scenario, faults=Faults(plan=plan, heal=["/a"])).value == 1


# ------------------------------------------------------------ by hand


def test_a_scenario_restarts_pauses_cuts_and_heals_by_hand() -> None:
    def scenario(sim: Simulation) -> list[Any]:
        a = sim.spawn(Account, "a")
        got: list[Any] = [sim.run(free_ask(a, Add()))]
        sim.crash(a)
        got.append(type(sim.run(free_ask(a, Add()).exit()).error).__name__)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
        sim.restart(a)
        got += [sim.run(free_ask(a, Add())), a.is_alive, sim.actor(a).value]
        sim.restart(a)
        got.append(sim.run(free_ask(a, Get())))
        sim.pause(a)
        sim.run(free_tell(a, Add()))
        sim.settle()
        got.append(sim.actor(a).value)
        sim.resume(a)
        sim.settle()
        got.append(sim.actor(a).value)
        sim.partition([a], ["*"])
        sim.run(free_tell(a, Add()))
        sim.settle()
        got.append(sim.actor(a).value)
        sim.heal()
        sim.settle()
        got.append(sim.actor(a).value)
        return got

    for seed in range(3):
        run = simulate(scenario, seed=seed)
        assert run.error is None
        assert run.value == [1, "ActorStopped", 1, True, 1, 0, 0, 1, 1, 2]


def test_one_who_comes_back_is_not_missed_and_one_who_does_not_is() -> None:
    class Watcher(Actor[Any]):
        def __init__(self, other: ActorRef[Any]) -> None:
            self.other = other
            self.gone = 0

        @handler
        def watch(self, message: str) -> Any:
            return free_watch(self.other)

        @handler
        def lost(self, message: Terminated) -> None:
            self.gone += 1

    def scenario(sim: Simulation) -> list[int]:
        a = sim.spawn(Account, "a")
        watcher = sim.spawn(lambda: Watcher(a), "watcher")
        sim.run(free_ask(watcher, "go"))
        sim.restart(a)
        sim.settle()
        got = [sim.actor(watcher).gone]
        sim.crash(a)
        sim.settle()
        return [*got, sim.actor(watcher).gone]

    assert simulate(scenario).value == [0, 1]


def test_on_started_runs_before_the_mail_of_one_who_comes_back() -> None:
    log: list[str] = []

    class Careful(Actor[str]):
        @override
        async def on_started(self) -> None:
            log.append("started")

        @override
        async def on_stopped(self) -> None:
            log.append("stopped")

        @handler
        def receive(self, message: str) -> None:
            log.append(message)

    def scenario(sim: Simulation) -> list[str]:
        log.clear()
        careful = sim.spawn(Careful, "careful")
        sim.run(free_tell(careful, "lost"))
        sim.restart(careful)
        sim.run(free_ask(careful, "kept"))
        return list(log)

    for seed in range(5):
        assert simulate(scenario, seed=seed).value == ["started", "started", "kept"]


def test_who_has_stopped_by_itself_does_not_come_back() -> None:
    def scenario(sim: Simulation) -> None:
        a = sim.spawn(Account, "a")
        sim.run(free_ask(a, Get()).then(_stop(a)))
        sim.settle()
        sim.restart(a)

    error = simulate(scenario).error
    assert isinstance(error, ValueError)
    assert "sim.restart: /sim/a cannot come back" in str(error)


def _stop(ref: ActorRef[Any]) -> Any:
    return ref.free_stop()


# ------------------------------------------------------------ the same everywhere

_CHILD = """
import json, sys
from simulation.faults import test_budget as here
from effactor.interpreters import explore, replay
failure = explore(here.moving(here.Teller), 400, faults=here.some()).failure
again = replay(here.moving(here.Teller), failure.token)
print(json.dumps([failure.token, failure.deviations, again.digest]))
for seed in range(10):
    run = here.simulate(here.replicas, seed=seed, faults=here.Faults(2, **here.EVERYTHING))
    print(run.digest, run.token, here.replay(here.replicas, run.token).digest)
"""


def some() -> Faults:
    """Permit a few kinds of faults."""
    return Faults(2, crash=True, restart=True, drop=True, partition=True)


def test_faults_and_tokens_are_the_same_in_every_process() -> None:
    root = Path(__file__).parents[3]
    folders = [root, root / "interpreters", root / "tests"]
    printed: set[str] = set()
    for number in ("0", "1", "77"):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": number,
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
        }
        done = subprocess.run(
            [sys.executable, "-c", _CHILD],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        printed.add(done.stdout)
    (only,) = printed
    first, *rest = only.splitlines()
    token, _deviations, digest = json.loads(first)
    assert replay(moving(Teller), token).digest == digest
    for line in rest:
        ran, _token, again = line.split()
        assert ran == again


def test_the_report_names_faults_and_early_timers() -> None:
    failure = explore(moving(Teller), faults=Faults(crash="/teller")).failure
    assert failure is not None
    report = failure.explain()
    assert "shrunk to 1 fault:" in report
    assert "fault: teller crashed after effect 1 of its programs" in report
    assert "<- fault" in report
    assert "latency" not in report

    @program
    def hasty(account: ActorRef[Any]) -> Do[int, AskFailed]:
        return (yield from free_ask(account, Get(), timeout=1.0))

    failure = explore(lambda sim: sim.run(hasty(sim.spawn(Account, "a")))).failure
    assert failure is not None
    assert 'explore with time="latency"' in failure.explain()


def test_lossy_networks_lose_any_number_of_messages() -> None:
    runs = [simulate(replicas, seed=seed, lossy=True) for seed in range(300)]
    assert max(len(run.faults) for run in runs) > 2
    assert all(replay(replicas, run.token).digest == run.digest for run in runs)
    verdict = explore(telling(again=True), 50_000, strategy="exhaustive", lossy=True)
    assert verdict.failure is not None  # both were lost
    assert len(verdict.failure.faults) == 2


def test_a_plan_and_a_budget_go_together() -> None:
    runs = taken(replicas, Faults(1, pause=True, plan=crash("/a", before_event=1)), 100)
    assert max(map(len, runs)) == 1
    assert all("crashed" not in fault for run in runs for fault in run)
