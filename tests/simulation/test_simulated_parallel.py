"""Programs at once and time limits in the simulator: every order, replays, reports."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from effactor import (
    Actor,
    ActorRef,
    ActorStopped,
    AskFailed,
    Deadlock,
    Do,
    FailedWith,
    Fiber,
    Message,
    Program,
    as_completed,
    free_ask,
    free_call,
    free_now,
    free_sleep,
    free_tell,
    gather,
    handler,
    never,
    program,
    pure,
    race,
    zip_,
)
from effactor.interpreters import Simulation, explore, replay, simulate


@dataclass(frozen=True)
class Get(Message[str]):
    """Asks for the actor's own name."""


@dataclass(frozen=True)
class Add(Message[None]):
    text: str


class Echo(Actor[Get]):
    @handler
    def get(self, message: Get) -> str:
        return str(self.context.self_ref.name)


class Log(Actor[Add]):
    def __init__(self) -> None:
        self.texts: list[str] = []

    @handler
    def add(self, message: Add) -> None:
        self.texts.append(message.text)


def outcomes(scenario: Any, **options: Any) -> set[Any]:
    """Run every order, and collect what the scenario answers."""
    found: set[Any] = set()

    def collecting(sim: Simulation) -> None:
        found.add(scenario(sim))

    verdict = explore(collecting, 3000, strategy="exhaustive", **options)
    assert verdict.ok, verdict
    assert verdict.exhausted
    return found


def racing(sim: Simulation) -> str:
    a, b = sim.spawn(Echo, "a"), sim.spawn(Echo, "b")
    return sim.run(race(free_ask(a, Get()), free_ask(b, Get())))


def gathering(sim: Simulation) -> tuple[str, ...]:
    log = sim.spawn(Log, "log")
    sim.run(gather([free_ask(log, Add(text)).then(pure(text)) for text in "ab"]))
    return tuple(sim.actor(log).texts)


def gathering_of_two(sim: Simulation) -> tuple[str, ...]:
    echo, log = sim.spawn(Echo, "echo"), sim.spawn(Log, "log")

    def branch(text: str) -> Program[None, AskFailed]:
        return free_ask(echo, Get()).then(free_ask(log, Add(text)))

    sim.run(zip_(branch("a"), branch("b")))
    return tuple(sim.actor(log).texts)


def timing_out(sim: Simulation) -> str:
    echo = sim.spawn(Echo, "echo")
    outcome = sim.run(free_ask(echo, Get()).timeout(5).exit())
    return "Timeout" if isinstance(outcome, FailedWith) else "Succeeded"


def test_both_orders_of_a_race_are_found() -> None:
    assert outcomes(racing) == {"a", "b"}


def test_messages_of_one_run_to_one_actor_stay_in_order_whichever_branch_sends_them() -> None:
    assert outcomes(gathering) == {("a", "b")}


def test_the_branches_of_a_zip_overtake_each_other_where_replies_do() -> None:
    assert outcomes(gathering_of_two) == {("a", "b"), ("b", "a")}


def test_a_timeout_beats_a_message_only_in_async_time() -> None:
    assert outcomes(timing_out, time="latency") == {"Succeeded"}
    assert outcomes(timing_out, time="async") == {"Succeeded", "Timeout"}


def test_results_as_they_come_are_found_in_both_orders() -> None:
    def scenario(sim: Simulation) -> Any:
        a, b = sim.spawn(Echo, "a"), sim.spawn(Echo, "b")

        @program
        def in_order() -> Do[tuple[str, ...], AskFailed]:
            first, second = yield from as_completed([free_ask(r, Get()) for r in (a, b)])
            return (yield from first), (yield from second)

        return sim.run(in_order())

    assert outcomes(scenario) == {("a", "b"), ("b", "a")}


@pytest.mark.parametrize("scenario", [racing, gathering_of_two, timing_out])
def test_a_run_with_branches_replays_from_its_token(scenario: Any) -> None:
    for seed in range(10):
        run = simulate(scenario, seed=seed, time="async")
        again = replay(scenario, run.token)
        assert (again.value, again.digest) == (run.value, run.digest)
        assert again.trace == run.trace


def test_a_bug_that_one_order_of_branches_has_is_found_and_replayed() -> None:
    def scenario(sim: Simulation) -> None:
        assert racing(sim) == "a"

    failure = explore(scenario, 200).failure
    assert failure is not None
    assert isinstance(failure.error, AssertionError)
    assert len(failure.deviations) == 1
    assert isinstance(replay(scenario, failure.token).error, AssertionError)


def test_virtual_time_passes_exactly() -> None:
    @program
    def timed() -> Do[Any, Any]:
        before = yield from free_now()
        yield from gather([free_sleep(0.1), free_sleep(0.7).timeout(0.3).exit(), free_sleep(0.2)])
        yield from race(free_sleep(0.1), never()).deadline(5)
        after = yield from free_now()
        return (after - before).total_seconds()

    assert simulate(timed()).value == 0.4


def test_a_timeout_and_what_it_limits_at_the_same_time_come_in_any_order() -> None:
    def scenario(sim: Simulation) -> str:
        outcome = sim.run(free_sleep(1).timeout(1).exit())
        return "Timeout" if isinstance(outcome, FailedWith) else "Succeeded"

    assert outcomes(scenario) == {"Timeout", "Succeeded"}


def test_where_the_interrupt_of_a_deadline_reaches_an_ask_has_no_timer_of_its_own() -> None:
    class Silent(Actor[str]):
        @handler
        def take(self, message: str) -> Program[Any, Any]:
            return free_sleep(50)

    def scenario(sim: Simulation) -> str:
        asking = free_ask(sim.spawn(Silent), "x").lash(lambda error: pure(type(error).__name__))
        outcome = sim.run(asking.deadline(20).deadline(5).exit())
        return type(outcome).__name__

    assert outcomes(scenario, time="latency") == {"FailedWith"}


# ------------------------------------------------------------ who waits for what


def stuck(message: Any) -> Program[Any, Any]:
    async def for_ever() -> None:
        await asyncio.Event().wait()

    waits = free_call(for_ever)
    return gather([waits, race(never(), waits.timeout(9).lash(lambda _: never())), never()])


class Stuck(Actor[str]):
    @handler
    def run(self, message: str) -> Program[Any, Any]:
        return stuck(message)


def test_a_deadlock_says_what_the_branches_wait_for() -> None:
    error = simulate(lambda sim: sim.run(stuck("go").named("client"))).error
    assert isinstance(error, Deadlock)
    [sentence] = error.waiting
    assert sentence.startswith("/sim/client#1 waits for gather of 3 (call ")
    assert sentence.endswith("for_ever(), never(), never(), ...)")


def test_a_deadlock_says_what_the_branches_of_a_handler_wait_for() -> None:
    def scenario(sim: Simulation) -> None:
        sim.run(zip_(free_ask(sim.spawn(Stuck, "stuck"), "go"), never()).named("client"))

    error = simulate(scenario).error
    assert isinstance(error, Deadlock)
    handling, client = error.waiting
    assert handling.startswith("/sim/stuck waits for gather of 3 (call ")
    assert client == "/sim/client#1 waits for zip of 2 (/sim/stuck (str), never())"


def test_a_deadlock_says_what_a_program_waits_for_whose_time_is_over() -> None:
    error = simulate(never().uninterruptible().timeout(1).named("client")).error
    assert isinstance(error, Deadlock)
    assert error.waiting == ("/sim/client#1 waits for never(), for at most 1 s",)


def test_a_report_lists_the_branches_of_branches_in_their_order() -> None:
    def scenario(sim: Simulation) -> None:
        a, b = (free_ask(sim.spawn(Stuck, name), "go") for name in "ab")
        sim.run(gather([race(a, b), never()]).named("client"))

    error = simulate(scenario).error
    assert isinstance(error, Deadlock)
    assert error.waiting[-1] == (
        "/sim/client#1 waits for gather of 2 (/sim/a (str), /sim/b (str), never())"
    )


class Partner(Actor[str]):
    """Asks the other one in a branch, and so never gets to its answer."""

    other: ActorRef[Any]

    @handler
    def run(self, message: str) -> Program[Any, Any]:
        return gather([free_ask(self.other, "ping"), free_sleep(1)])


def test_an_ask_cycle_through_branches_is_found_when_nothing_else_is_left() -> None:
    def scenario(sim: Simulation) -> None:
        one, two = sim.spawn(Partner, "one"), sim.spawn(Partner, "two")
        sim.actor(one).other, sim.actor(two).other = two, one
        sim.run(free_ask(one, "go").named("client"))

    error = simulate(scenario).error
    assert isinstance(error, Deadlock)
    assert not error.cycle
    assert error.waiting == (
        "/sim/one waits for gather of 2 (/sim/two (str))",
        "/sim/two waits for gather of 2 (/sim/one (str))",
        "/sim/client#1 waits for /sim/one (str)",
    )


def test_a_report_of_thousands_of_branches_is_short() -> None:
    deep: Any = zip_(never(), never())
    for _ in range(3000):
        deep = race(deep, gather([never(), never()]))
    error = simulate(deep).error
    assert isinstance(error, Deadlock)
    assert len(str(error)) < 300
    wide = simulate(gather([never()] * 10_000)).error
    assert len(str(wide)) < 300


def test_forks_that_wait_for_each_other_are_reported() -> None:
    @program
    def joins(handles: list[Any], index: int) -> Do[Any, Any]:
        yield from free_sleep(1)
        fiber: Fiber[Any, Any] = handles[index]
        return (yield from fiber.join())

    @program
    def circle() -> Do[Any, Any]:
        handles: list[Any] = []
        for index in (1, 0):
            handles.append((yield from gather([joins(handles, index)]).fork()))
        first: Fiber[Any, Any] = handles[0]
        return (yield from first.join())

    error = simulate(circle()).error
    assert isinstance(error, Deadlock)
    assert "which waits for the fork" in str(error)


# ------------------------------------------------------------ crashes


class Busy(Actor[Add]):
    """Runs branches that would tell a log, in the end and in their finalisers."""

    log: ActorRef[Any]

    @handler
    def add(self, message: Add) -> Program[Any, Any]:
        def branch(seconds: float) -> Program[Any, Any]:
            told = free_ask(self.log, Add(message.text))
            return free_sleep(seconds).then(told).ensure(told.attempt())

        return gather([branch(5), race(branch(7), branch(9)).timeout(20)])


def test_a_crashed_actors_branches_do_nothing_more() -> None:
    def scenario(sim: Simulation) -> Any:
        log, busy = sim.spawn(Log, "log"), sim.spawn(Busy, "busy")
        sim.actor(busy).log = log

        @program
        def crashing() -> Do[Any, Any]:
            yield from free_sleep(1)
            yield from free_call(sim.crash, busy)

        asked, _ = sim.run(zip_(free_ask(busy, Add("from busy")).exit(), crashing()))
        assert isinstance(asked, FailedWith)
        assert isinstance(asked.error, ActorStopped)
        sim.settle()
        return sim.actor(log).texts

    run = simulate(scenario)
    assert run.error is None
    assert run.value == []


def test_what_a_simulation_leaves_running_performs_nothing_when_it_ends() -> None:
    closed: list[str] = []

    @program
    def careful(name: str) -> Do[Any, Any]:
        try:
            yield from never()
        finally:
            closed.append(name)
            yield from free_call(closed.append, "performed")

    deadlocked = simulate(gather([careful("a"), race(careful("b"), careful("c"))]))
    assert isinstance(deadlocked.error, Deadlock)
    assert sorted(closed) == ["a", "b", "c"]


class Slow(Actor[str]):
    """Takes ten seconds for a message."""

    def __init__(self) -> None:
        self.handled: list[str] = []

    @handler
    async def take(self, message: str) -> None:
        await asyncio.sleep(10)
        self.handled.append(message)


class Impatient(Actor[ActorRef[str]]):
    """Asks with a limited time."""

    @handler
    def go(self, slow: ActorRef[str]) -> Program[Any, Any]:
        return free_ask(slow, "from the crashed").timeout(5)


def test_a_crashed_actors_timeout_withdraws_nothing() -> None:
    def scenario(sim: Simulation) -> None:
        slow, impatient = sim.spawn(Slow, "slow"), sim.spawn(Impatient, "impatient")
        sim.run(free_tell(slow, "first").then(free_tell(impatient, slow)).then(free_sleep(1)))
        sim.crash(impatient)
        sim.settle()
        assert sim.actor(slow).handled == ["first", "from the crashed"]

    assert simulate(scenario).error is None
