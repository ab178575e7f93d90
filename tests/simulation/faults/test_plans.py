"""Planned faults happen at their places, in any case; wrong ones are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from simulation.faults.programs import (
    Account,
    Add,
    Bank,
    Get,
    Teller,
    charge,
    moving,
    paying,
    retrying,
    telling,
)

import effactor
from effactor import (
    Actor,
    ActorRef,
    ActorStopped,
    AskFailed,
    AskLost,
    AskTimeout,
    Deadlock,
    Do,
    MailboxFull,
    buggify,
    free_ask,
    free_now,
    free_sleep,
    free_tell,
    handler,
    interpreters,
    program,
)
from effactor.interpreters import (
    Fault,
    Faults,
    Simulation,
    bug,
    clock,
    crash,
    delay,
    drop,
    duplicate,
    explore,
    external,
    mailbox_full,
    partition,
    pause,
    reorder,
    replay,
    restart,
    simulate,
    slow,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def adds(number: int) -> Callable[[Simulation], Any]:
    """Ask an account to add 1, so many times, and list what it answers or why it does not."""

    @program
    def asks(account: ActorRef[Any]) -> Do[list[Any]]:
        got: list[Any] = []
        for _ in range(number):
            reply = yield from free_ask(account, Add()).attempt()
            got.append(reply.map(lambda n: n).value_or(None) or type(reply.failure()))
        return got

    def scenario(sim: Simulation) -> list[Any]:
        return sim.run(asks(sim.spawn(Account, "account")))

    return scenario


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (crash("account", before_event=2), [1, ActorStopped, ActorStopped]),
        (crash("/account", after_event=2), [1, 2, ActorStopped]),
        (restart("/account", before_event=2), [1, ActorStopped, 1]),
        (restart(ActorRef.at("/account"), after_event=2), [1, 2, 1]),
        (crash("/account", before_event=9), [1, 2, 3]),
        (drop("/account", before_event=2), [1, AskLost, 2]),
        (drop("/asks#1", before_event=3), [1, AskLost, 3]),
        (duplicate("/account", before_event=2), [1, 2, 4]),
        (pause("/account", before_event=2), [1, 2, 3]),
        (slow("/account", before_event=2), [1, 2, 3]),
        (delay("/account", before_event=2), [1, 2, 3]),
        (partition(["/account"], ["*"], before_event=("/account", 2)), [1, 2, 3]),
        (mailbox_full("/account", call=2), [1, MailboxFull, 2]),
    ],
    ids=lambda value: (
        f"{value.kind} {value.anchor.place} {value.anchor.at} {value.target}"
        if isinstance(value, Fault)
        else ""
    ),
)
def test_a_planned_fault_happens_at_its_place(fault: Fault, expected: list[Any]) -> None:
    scenario = adds(3)
    verdict = explore(scenario, 50, faults=Faults(budget=0, plan=fault))
    assert verdict.ok, str(verdict)
    for seed in range(5):
        run = simulate(scenario, seed=seed, time="latency", faults=Faults(0, plan=(fault,)))
        assert run.error is None
        assert run.value == expected
        again = replay(scenario, run.token)  # which needs no plan
        assert again.digest == run.digest
        assert again.token == run.token


def test_a_copy_is_handled_after_the_message() -> None:
    run = simulate(telling(again=False), faults=Faults(plan=duplicate("/account", before_event=1)))
    assert run.ok  # it knows the key
    assert [record.kind for record in run.trace.records].count("tell") == 2


def test_messages_of_one_sender_can_overtake_each_other() -> None:
    class Log(Actor[str]):
        def __init__(self) -> None:
            self.seen: list[str] = []

        @handler
        def receive(self, message: str) -> None:
            self.seen.append(message)

    @program
    def tells(log: ActorRef[Any]) -> Do[None]:
        for text in "abc":
            yield from free_tell(log, text)

    def scenario(sim: Simulation) -> str:
        log = sim.spawn(Log, "log")
        sim.run(tells(log))
        sim.settle()
        return "".join(sim.actor(log).seen)

    for number, seen in ((1, "bac"), (2, "acb"), (3, "abc")):
        plan = reorder("/log", before_event=number)
        assert simulate(scenario, faults=Faults(plan=plan)).value == seen


@pytest.mark.parametrize(
    ("fault", "total"),
    [
        (crash("/teller", before_effect=1), 0),
        (crash("/teller", after_effect=1), -5),
        (restart("/teller", before_effect=2), -5),
        (crash("/teller", after_effect=2), 0),
    ],
    ids=["before 1", "after 1", "before 2", "after 2"],
)
def test_power_goes_before_and_after_effects(fault: Fault, total: int) -> None:
    def scenario(sim: Simulation) -> int:
        a, b = sim.spawn(Account, "a"), sim.spawn(Account, "b")
        till = sim.spawn(lambda: Teller(a, b), "teller")
        with pytest.raises(ActorStopped):
            sim.run(free_ask(till, moves))
        sim.settle()
        value: int = sim.actor(a).value + sim.actor(b).value
        return value

    from simulation.faults.programs import Move

    moves = Move(5)
    run = simulate(scenario, faults=Faults(plan=fault))
    assert run.error is None
    assert run.value == total
    assert replay(scenario, run.token).digest == run.digest


def test_nothing_of_a_crashed_program_runs_any_more() -> None:
    done: list[str] = []

    class Careful(Actor[str]):
        @handler
        @program
        def receive(self, message: str) -> Do[None]:
            try:
                yield from free_sleep(1.0)
                done.append("went on")
            finally:
                done.append("finally")

    def scenario(sim: Simulation) -> list[str]:
        careful = sim.spawn(Careful, "careful")
        sim.run(free_tell(careful, "go"))
        sim.settle()
        return list(done)

    for fault in (crash("/careful", after_effect=1), restart("/careful", before_effect=1)):
        done.clear()
        assert simulate(scenario, faults=Faults(plan=fault)).value == []


def test_faults_come_at_a_time() -> None:
    @program
    def waits(account: ActorRef[Any]) -> Do[list[Any]]:
        got: list[Any] = []
        for _ in range(3):
            reply = yield from free_ask(account, Get()).attempt()
            got.append(reply.value_or("stopped"))
            yield from free_sleep(1.0)
        return got

    def scenario(sim: Simulation) -> list[Any]:
        return sim.run(waits(sim.spawn(Account, "account")))

    faults = Faults(0, plan=crash("/account", at=1.5))
    run = simulate(scenario, time="latency", faults=faults)
    assert run.value == [0, 0, "stopped"]
    assert replay(scenario, run.token).digest == run.digest


def test_an_ask_whose_message_is_lost_ends_with_its_timeout() -> None:
    def scenario(sim: Simulation) -> None:
        account = sim.spawn(Account, "account")
        sim.run(free_ask(account, Get(), timeout=5.0))

    for who in ("/account", "/ask#1"):
        number = 1 if who == "/account" else 2
        run = simulate(scenario, faults=Faults(plan=drop(who, before_event=number)))
        assert isinstance(run.error, AskTimeout)
        assert run.trace.records[-1].time == 5.0


def test_what_never_heals_is_a_deadlock() -> None:
    for fault in (
        pause("/account", before_event=1, lasting=None),
        partition(["/account"], ["*"], before_event=("/account", 1), lasting=None),
        delay("/account", before_event=1, lasting=None),
    ):
        run = simulate(adds(1), faults=Faults(plan=fault))
        assert isinstance(run.error, Deadlock)


def test_a_partition_of_one_direction_lets_replies_through() -> None:
    class Asker(Actor[str]):
        def __init__(self, account: ActorRef[Any]) -> None:
            self.account = account

        @handler
        @program
        def receive(self, message: str) -> Do[float, AskFailed]:
            yield from free_ask(self.account, Add())
            now = yield from free_now()
            return now.second + now.microsecond / 1e6

    def scenario(sim: Simulation) -> float:
        account = sim.spawn(Account, "account")
        asker = sim.spawn(lambda: Asker(account), "asker")
        return float(sim.run(free_ask(asker, "go")))

    def seconds(*sides: list[str], one_way: bool) -> Any:
        fault = partition(*sides, before_event=("/account", 1), one_way=one_way, lasting=4.0)
        return simulate(scenario, time="latency", faults=Faults(plan=fault)).value

    assert seconds(["/asker"], ["/account"], one_way=True) == 4.0
    assert seconds(["/account"], ["/asker"], one_way=True) == 4.0  # the reply waits
    assert seconds(["/account"], ["/nobody"], one_way=False) == 0.0


def test_clocks_can_be_wrong() -> None:
    class Watchmaker(Actor[str]):
        @handler
        @program
        def receive(self, message: str) -> Do[Any]:
            begin = yield from free_now()
            yield from free_sleep(2.0)
            end = yield from free_now()
            return begin.minute, (end - begin).total_seconds()

    def scenario(sim: Simulation) -> Any:
        return sim.run(free_ask(sim.spawn(Watchmaker, "w"), "now"))

    plan = clock("/w", skew=120.0, drift=0.5, before_event=1)
    assert simulate(scenario).value == (0, 2.0)
    assert simulate(scenario, faults=Faults(plan=plan)).value == (2, 3.0)


def test_calls_and_sites_fail_by_number() -> None:
    def charges(sim: Simulation) -> int:
        bank = Bank()
        sim.answer(charge, bank.charge)
        sim.run(_pays)
        return len(bank.charges)

    from effactor import free_call, pure

    _pays = free_call(charge, "").refine(OSError).lash(lambda error: pure(type(error).__name__))
    outcomes: list[tuple[Any, int]] = [("error", 0), ("timeout", 0), ("maybe", 1)]
    for outcome, charged in outcomes:
        faults = Faults(plan=external(charge, outcome))
        assert simulate(charges, faults=faults).value == charged

    def sites(_sim: Simulation) -> list[bool]:
        return [buggify("here") for _ in range(3)]

    assert simulate(sites).value == [False, False, False]
    assert simulate(sites, faults=Faults(plan=bug("here", call=2))).value == [False, True, False]


def test_an_unhealed_program_says_it_was_a_planned_fault_that_broke_it() -> None:
    failure = explore(paying(""), faults=Faults(0, plan=external(charge, "maybe"))).failure
    assert failure is not None
    assert failure.deviations == ()
    assert "charge ran and seemed to time out" in failure.explain()


api: Any = interpreters
core: Any = effactor
WRONG: list[tuple[Any, str]] = [
    (lambda: api.crash("/a"), "crash: say once when it happens, .* got none"),
    (lambda: api.crash("/a", before_event=1, at=2.0), "got 2 of them"),
    (lambda: api.crash("/a", before_event=0), "before_event must be an integer >= 1"),
    (
        lambda: api.crash(7, before_event=1),
        "an actor is a ref or a path such as '/payment', got 7",
    ),
    (lambda: api.crash("", before_event=1), "the path of an actor must not be empty"),
    (lambda: api.crash("/a", at=-1.0), "at must be a number of seconds >= 0, got -1.0"),
    (
        lambda: api.pause("/a", at=1, lasting=0),
        "pause: lasting must be a number of seconds > 0",
    ),
    (lambda: api.partition(["/a"], at=1), "say at least two sides"),
    (
        lambda: api.partition("/a", "/b", at=1),
        r"each side is a list of actors, as in \['/a'\]",
    ),
    (lambda: api.partition(["/a"], ["/a"], at=1), "/a cannot be on two sides"),
    (lambda: api.partition(["/a"], [], at=1), "a side must not be empty"),
    (lambda: api.partition(["/a"], ["/b"], before_event=3), "say whose event"),
    (lambda: api.clock("/a", at=1), "say skew= in seconds, or drift="),
    (lambda: api.clock("/a", drift=-1, at=1), "drift must be > -1"),
    (lambda: api.external(charge, "boom"), "outcome must be one of error, timeout, maybe"),
    (lambda: api.bug(""), "site must be a text"),
    (lambda: api.mailbox_full("/a", call=0), "call must be an integer >= 1"),
    (api.Faults, "nothing can go wrong; name a kind"),
    (lambda: api.Faults(-1, crash=True), "budget must be an integer >= 0, got -1"),
    (lambda: api.Faults(0, crash=True), "a budget of 0 permits no crash"),
    (lambda: api.Faults(crash=0), "crash must be True, an integer >= 1 or actors, got 0"),
    (lambda: api.Faults(crash=1.5), "crash must be True, an integer >= 1 or actors, got 1.5"),
    (lambda: api.Faults(crash=()), "crash must not be an empty list"),
    (lambda: api.Faults(crash=[7]), "crash: an actor is a ref or a path"),
    (lambda: api.Faults(external=[7]), "external takes functions or their names, got 7"),
    (lambda: api.Faults(plan=["crash"]), "plan must be a list of faults, .* got 'crash'"),
    (lambda: api.Faults(crash=True, recoverable=3), "recoverable must be a function"),
    (lambda: api.Faults(crash=True, heal="/a"), "heal must be a list of refs or paths"),
    (lambda: api.Faults(crash=True, lasting=-1), "lasting must be a number of seconds > 0"),
    (lambda: api.Faults(crash=True, drift=2), "drift must be < 1"),
    (lambda: api.explore(moving(Teller), faults=3), r"explore: faults must be Faults\(...\)"),
    (lambda: api.simulate(moving(Teller), delivery="lifo"), "delivery must be one of"),
    (lambda: api.simulate(moving(Teller), lossy=3), "lossy must be True or False, got 3"),
    (
        lambda: api.explore(moving(Teller), strategy="dpor", faults=api.Faults(crash=True)),
        'strategy "dpor" reorders messages and knows no choice of faults',
    ),
    (lambda: api.replay(moving(Teller), "ef2:", mode="loose"), "mode must be"),
    (lambda: core.buggify(3), "site must be a text"),
]


@pytest.mark.parametrize(("wrong", "reason"), WRONG, ids=[str(n) for n in range(len(WRONG))])
def test_wrong_arguments_are_refused_at_once(wrong: Any, reason: str) -> None:
    with pytest.raises((TypeError, ValueError), match=reason):
        wrong()


def test_a_fault_that_comes_too_late_for_its_target_changes_nothing() -> None:
    run = simulate(retrying("k"), faults=Faults(plan=crash("/nobody", before_event=1)))
    assert run.ok
