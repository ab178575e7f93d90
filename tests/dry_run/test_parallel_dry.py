"""Programs at once and time limits where nothing really waits: dry runs, and `run_free`."""

# What isinstance leaves of a generic class has no type arguments.
# pyright: reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from effactor import (
    ActorRef,
    BranchesFailed,
    Deadlock,
    Died,
    Do,
    Effect,
    Exit,
    FailedWith,
    Message,
    Program,
    Quorum,
    Succeeded,
    Timeout,
    at_least,
    fail,
    first_success,
    free_ask,
    free_sleep,
    gather,
    handle,
    never,
    perform,
    program,
    pure,
    race,
    run_free,
    traverse,
    zip_,
)
from effactor.interpreters import dry_run, step
from effactor.programs.operations import Sleep


@dataclass(frozen=True)
class Reserve(Message[int]):
    sku: str


@dataclass(frozen=True)
class Say(Effect[None]):
    text: str


SHELF: ActorRef[Any] = ActorRef.at("/inventory")


def after(seconds: float, answer: Any) -> Program[Any, Any, Any]:
    ending: Program[Any, Any, Any] = answer if isinstance(answer, Program) else pure(answer)
    return free_sleep(seconds).then(ending)


CASES: list[tuple[Any, Exit[Any, Any]]] = [
    (zip_(after(2, "a"), after(1, "b")), Succeeded(("a", "b"))),
    (gather([after(2, "a"), after(1, "b")]), Succeeded(["a", "b"])),
    (gather([after(2, "a"), after(1, fail("no"))]), FailedWith("no")),
    (
        gather([after(2, "a"), fail("no")], 1, mode="collect"),
        Succeeded([Succeeded("a"), FailedWith("no")]),
    ),
    (traverse([2, 1], lambda n: after(n, n)), Succeeded([2, 1])),
    (race(after(2, "a"), after(1, "b"), never()), Succeeded("b")),
    (first_success(fail("x"), after(1, "b")), Succeeded("b")),
    (
        at_least(2, after(3, 1), after(2, 2), fail("x"), after(1, 3)),
        Succeeded(Quorum((2, 3), ("x",))),
    ),
    (after(9, "a").timeout(10), Succeeded("a")),
    (after(0.3, "a").timeout(0.1 + 0.2).lash(lambda _: pure("late")), Succeeded("late")),
    (pure("a").timeout(0), Succeeded("a")),
    (
        race(after(3, "a").deadline(2).lash(lambda _: pure("late")), after(5, "b")),
        Succeeded("late"),
    ),
]


@pytest.mark.parametrize(("value", "expected"), CASES)
def test_a_dry_run_ends_as_a_run_does(value: Any, expected: Exit[Any, Any]) -> None:
    assert dry_run(value).outcome == expected


def test_a_dry_run_keeps_failures_and_timeouts_apart() -> None:
    outcome = dry_run(first_success(fail("x"), after(1, fail("y")))).outcome
    assert isinstance(outcome, FailedWith)
    assert isinstance(outcome.error, BranchesFailed)
    error: BranchesFailed[Any] = outcome.error
    assert error.failures == ("x", "y")
    outcome = dry_run(never().timeout(5)).outcome
    assert isinstance(outcome, FailedWith)
    assert isinstance(outcome.error, Timeout)


def test_the_records_of_branches_come_in_order_and_say_which_branch_it_was() -> None:
    value = gather([free_ask(SHELF, Reserve("tea")), after(1, 1).named("wait")]).named("both")
    trace = dry_run(value, answers={Reserve: 5})
    assert trace.outcome == Succeeded([5, 1])
    kinds = [(record.kind, record.within) for record in trace]
    branch = ("both", "gather")
    assert kinds == [
        ("ask", (*branch, "1 of 2")),
        ("reply", (*branch, "1 of 2")),
        ("sleep", (*branch, "2 of 2", "wait")),
        ("end", ()),
    ]


def test_branches_in_a_dry_run_share_its_virtual_time() -> None:
    trace = dry_run(gather([after(3, 1), after(5, 2)]).then(free_sleep(1)))
    assert [(record.kind, record.time) for record in trace] == [
        ("sleep", 0.0),
        ("sleep", 0.0),
        ("sleep", 5.0),
        ("end", 6.0),
    ]


def test_what_a_loser_would_have_done_is_not_in_the_trace() -> None:
    release = free_ask(SHELF, Reserve("release")).attempt()
    loser = after(9, free_ask(SHELF, Reserve("never"))).ensure(release)
    trace = dry_run(race(loser, after(1, 1)), answers={Reserve: 5})
    assert [r.subject for r in trace if r.kind == "ask"] == [Reserve("release")]


def test_a_dry_run_that_can_never_end_is_a_deadlock_that_names_the_branches() -> None:
    with pytest.raises(Deadlock, match=r"race of 2 \(never\(\), never\(\)\)"):
        dry_run(race(never(), never()))


def test_a_dry_run_goes_thousands_of_branches_deep() -> None:
    deep: Any = free_sleep(1)
    for _ in range(10_000):
        deep = race(deep.timeout(5), never())
    assert dry_run(deep).outcome == Succeeded(None)
    assert dry_run(race(deep, pure("won"))).outcome == Succeeded("won")
    stuck: Any = never()
    for _ in range(10_000):
        stuck = gather([stuck])
    with pytest.raises(Deadlock, match=r"gather of 1 \(never\(\)\)"):
        dry_run(stuck)


# ------------------------------------------------------------ run_free


def test_run_free_runs_programs_at_once_on_virtual_time() -> None:
    said: list[str] = []
    handlers: dict[type[Any], Callable[[Any], Any]] = {
        Say: lambda effect: said.append(effect.text),
    }

    @program
    def branch(text: str) -> Do[str, Any, Any]:
        yield from perform(Say(text))
        yield from perform(Say(f"{text} goes on"))
        return text

    value: Any = zip_(branch("a"), branch("b"))
    assert run_free(value, handlers) == ("a", "b")
    assert said == ["a", "a goes on", "b", "b goes on"]
    assert run_free(race(never(), pure(1))) == 1
    with pytest.raises(Timeout):
        run_free(never().timeout(1_000_000))
    with pytest.raises(Deadlock, match="never"):
        run_free(gather([never(), pure(1)]))


def test_run_free_lets_a_busy_branch_wait_for_another() -> None:
    done: list[int] = []

    @program
    def busy() -> Do[int]:
        turns = 0
        while not done:
            turns += 1
            yield from pure(None)
        return turns

    value: Any = handle(Say)(lambda _: done.append(1))(zip_(busy(), perform(Say("x"))))
    turns, _ = run_free(value)
    assert turns > 100


def test_an_operation_that_run_free_cannot_perform_is_the_defect_of_its_branch() -> None:
    [outcome] = run_free(gather([free_sleep(1)], mode="collect"))
    assert isinstance(outcome, Died)
    assert run_free(gather([free_sleep(1)]), {Sleep: lambda _: "slept"}) == ["slept"]


def test_a_limit_asks_for_no_more_time_once_it_is_interrupted_or_given_up() -> None:
    value = free_sleep(9).ensure(free_sleep(1)).timeout(5)
    stepping = step(value)
    assert [request.operation for request in stepping.requests] == [Sleep(5), Sleep(9)]
    stepping.interrupt()
    assert [request.operation for request in stepping.requests] == [Sleep(1)]
    deep: Any
    for deep in (value, gather([race(value, never())])):
        stepping = step(deep)
        stepping.close()
        assert stepping.requests == ()
