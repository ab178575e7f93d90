"""A token holds what deviates, replays strictly or guided, and says when it no longer fits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from simulation.faults.programs import Account, Add, Get, Set, moving
from typing_extensions import override

from effactor import (
    Actor,
    ActorRef,
    BadToken,
    Do,
    NonDeterminism,
    Violation,
    free_ask,
    free_tell,
    program,
)
from effactor.interpreters import Faults, crash, explore, replay, simulate
from effactor_interpreters.simulation.faults.script import Deviation, Script, Taken
from effactor_interpreters.simulation.token import Recording, decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.interpreters import Simulation


@program
def increments(account: ActorRef[Any]) -> Do[None, Any]:
    value = yield from free_ask(account, Get())
    yield from free_ask(account, Set(value + 1))


def counter(*, looks_first: bool = False) -> Callable[[Simulation], None]:
    """Lose an update; in a later version of the program somebody looks before."""

    def scenario(sim: Simulation) -> None:
        if looks_first:
            other = sim.spawn(Account, "other")
            sim.run_all([free_ask(other, Get()), free_ask(other, Get())])
        account = sim.spawn(Account, "account")
        sim.run_all([increments(account), increments(account)])
        if sim.actor(account).value != 2:
            raise Violation("goal", "no update is lost", 0)  # pytest's own text has addresses

    return scenario


def failure_of(scenario: Any, **conditions: Any) -> Any:
    failure = explore(scenario, **conditions).failure
    assert failure is not None
    return failure


def test_what_is_written_can_be_read() -> None:
    script = Script(
        (Deviation(0, 1, 2, 3), Deviation(7, 300, 0xFFFFFF, 0)),
        (
            Taken("drop", "/a", "step", 12, 3, 0xABCDEF, "", -1),
            Taken("partition", "/ü", "step", 1, 0, 0, "/ü | *", 10**10),
            Taken("external", "charge", "call", 2, detail="maybe"),
            Taken("crash", "/a/b", "after effect", 400),
            Taken("heal", "", "time", 5 * 10**9, detail="/a /b"),
        ),
    )
    for delivery in ("fifo", "causal", "unordered"):
        recording = Recording("shop", 2**70, "latency", script, delivery)
        assert decode(recording.encode(), "shop") == recording


def test_a_token_grows_with_its_deviations_and_not_with_the_run() -> None:
    lengths: list[int] = []
    for number in (5, 50):

        @program
        def looks(account: ActorRef[Any], number: int = number) -> Do[None, Any]:
            for _ in range(number):
                yield from free_ask(account, Get())

        def scenario(sim: Simulation, looks: Any = looks) -> None:
            account = sim.spawn(Account, "account")
            sim.run_all([looks(account), looks(account)])
            sim.run_all([increments(account), increments(account)])
            assert sim.actor(account).value == 2

        lengths.append(len(failure_of(scenario).token))
    assert max(lengths) < 40
    assert abs(lengths[0] - lengths[1]) <= 3


def test_every_damage_is_noticed() -> None:
    token = failure_of(counter()).token
    scenario = counter()
    for place in range(4, len(token) - 1):  # the last letter has bits that mean nothing
        other = "A" if token[place] != "A" else "B"
        damaged = token[:place] + other + token[place + 1 :]
        with pytest.raises(BadToken):
            decode(damaged, "scenario")
    assert replay(scenario, token).error is not None


def test_guided_replay_finds_the_same_events_in_a_changed_program() -> None:
    token = failure_of(counter()).token
    changed = counter(looks_first=True)
    strict = replay(changed, token)
    assert isinstance(strict.error, NonDeterminism)
    assert re.search(r"found .*(received|began)", str(strict.error))
    guided = replay(changed, token, mode="guided")
    assert isinstance(guided.error, Violation)
    assert guided.misaligned == 0


def test_guided_replay_finds_the_same_faults_in_a_changed_program() -> None:
    class Till(Actor[Any]):
        def __init__(self, *accounts: ActorRef[Any]) -> None:
            self.accounts = accounts

        @override
        def on_receive(self, message: Any) -> Any:
            a, b = self.accounts
            return free_tell(a, Add(-5)).then(free_tell(b, Add(5)))

    def changed(sim: Simulation) -> None:
        warmed = sim.spawn(Account, "warm")
        sim.run(free_ask(warmed, Get()))
        moving(Till)(sim)

    changed.__name__ = "scenario"
    token = failure_of(moving(Till), faults=Faults(crash="/teller")).token
    again = replay(changed, token, mode="guided")
    assert "no money is lost" in str(again.error)
    assert again.misaligned == 0


def test_guided_replay_says_what_is_not_there_any_more() -> None:
    token = failure_of(counter()).token

    def scenario(sim: Simulation) -> None:
        sim.run(free_ask(sim.spawn(Account, "elsewhere"), Get()))

    run = replay(scenario, token, mode="guided")
    assert run.error is None
    assert run.misaligned == 1


def test_strict_replay_refuses_a_fault_that_has_no_place_any_more() -> None:
    faults = Faults(restart=True)
    token = failure_of(counter(), faults=faults, strategy="deviations").token

    def scenario(sim: Simulation) -> None:
        sim.run(free_ask(sim.spawn(Account, "elsewhere"), Get()))

    error = replay(scenario, token).error
    assert isinstance(error, NonDeterminism)


def test_a_planned_fault_is_in_the_token_and_is_not_shrunk_away() -> None:
    def scenario(sim: Simulation) -> None:
        counter()(sim)

    plan = crash("/nobody", at=3.0)
    failure = failure_of(scenario, faults=Faults(0, plan=plan), time="latency")
    faults = decode(failure.token, "scenario").script.faults
    assert [(fault.kind, fault.target, fault.at) for fault in faults] == [
        ("crash", "/nobody", 3 * 10**9)
    ]
    assert repr(replay(scenario, failure.token).error) == repr(failure.error)


@pytest.mark.parametrize("time", ["async", "latency"])
def test_a_run_is_its_token(time: Any) -> None:
    kinds = ("crash", "restart", "pause", "drop", "delay", "reorder")
    permitted: dict[str, Any] = dict.fromkeys(kinds, True)
    for seed in range(40):
        scenario = counter()
        run = simulate(scenario, seed, time=time, faults=Faults(3, **permitted), duplicating=True)
        again = replay(scenario, run.token)
        assert again.digest == run.digest
        assert again.token == run.token
        assert again.misaligned == 0
