"""`step`: running a program by hand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Never

import pytest

from effactor import (
    ActorRef,
    Died,
    Do,
    Effect,
    FailedWith,
    Interrupted,
    Program,
    Succeeded,
    Timeout,
    free_ask,
    free_call,
    free_now,
    free_sleep,
    gather,
    handle,
    never,
    perform,
    program,
    pure,
    race,
    step,
    zip_,
)
from effactor.interpreters import Request, Stepping
from effactor.programs.operations import Ask, Operation, Sleep

ref: ActorRef[Any] = ActorRef.at("/a")


def asked(stepping: Stepping[Any, Any]) -> list[str]:
    return [request.describe() for request in stepping.requests]


class Odd(BaseException):
    """Is no Exception."""


@program
def add(first: str, second: str) -> Do[Any, Any]:
    one = yield from free_ask(ref, first)
    two = yield from free_ask(ref, second)
    return one + two


def test_operations_come_one_by_one_and_their_answers_go_in() -> None:
    stepping = step(add("x", "y"))
    assert asked(stepping) == ["ask /a 'x'"]
    stepping.requests[0].answer(1)
    assert asked(stepping) == ["ask /a 'y'"]
    assert stepping.outcome is None
    stepping.requests[0].answer(2)
    assert stepping.outcome == Succeeded(3)
    assert stepping.requests == ()


def test_a_program_without_operations_has_ended() -> None:
    assert step(gather([pure(1), pure(2)])).outcome == Succeeded([1, 2])


def test_a_request_may_fail_or_die() -> None:
    failing = step(add("x", "y"))
    failing.requests[0].fail("no")
    assert failing.outcome == FailedWith("no")
    dying = step(add("x", "y"))
    error = ValueError("broken")
    dying.requests[0].die(error)
    assert dying.outcome == Died(error)
    assert error.__notes__ == ["in step(program): ask /a 'x'"]


def test_branches_wait_at_the_same_time_and_are_answered_in_any_order() -> None:
    stepping = step(zip_(free_ask(ref, 1), add("x", "y")))
    assert asked(stepping) == ["ask /a 1", "ask /a 'x'"]
    stepping.requests[1].answer("a")
    assert asked(stepping) == ["ask /a 1", "ask /a 'y'"]
    stepping.requests[1].answer("b")
    stepping.requests[0].answer("c")
    assert stepping.outcome == Succeeded(("c", "ab"))


def test_the_losers_request_is_withdrawn() -> None:
    stepping = step(race(free_ask(ref, 1), free_ask(ref, 2)))
    loser, winner = stepping.requests
    withdrawn: list[str] = []
    loser.on_withdraw = lambda: withdrawn.append("loser")
    winner.on_withdraw = lambda: withdrawn.append("winner")
    winner.answer("w")
    assert stepping.outcome == Succeeded("w")
    assert withdrawn == ["loser"]
    assert not loser.is_open
    with pytest.raises(RuntimeError, match="<Request ask /a 1> wants no answer"):
        loser.answer("late")
    with pytest.raises(RuntimeError, match="wants no answer"):
        winner.answer("twice")


def test_time_is_a_request_too() -> None:
    stepping = step(free_ask(ref, 1).timeout(5))
    time, ask = stepping.requests
    assert time.operation == Sleep(5)
    time.answer()
    match stepping.outcome:
        case FailedWith(error):
            assert isinstance(error, Timeout)
        case other:
            pytest.fail(f"{other}")
    assert not ask.is_open
    in_time = step(free_ask(ref, 1).timeout(5))
    in_time.requests[1].answer(7)
    assert in_time.outcome == Succeeded(7)
    assert in_time.requests == ()


def test_an_interrupted_program_asks_for_its_finalisers() -> None:
    stepping = step(never().ensure(free_sleep(1)))
    stepping.interrupt()
    assert asked(stepping) == ["sleep 1 s"]
    stepping.requests[0].answer()
    assert stepping.outcome == Interrupted()


def test_a_program_given_up_performs_nothing_any_more() -> None:
    log: list[str] = []

    @program
    def block() -> Do[None]:
        try:
            yield from free_sleep(1)
        finally:
            log.append("closed")

    stepping = step(block().ensure(free_call(log.append, "ensured")))
    stepping.close()
    assert log == ["closed"]
    assert stepping.outcome == Interrupted()


@pytest.mark.parametrize("raised", [asyncio.CancelledError(), Odd(), ValueError()])
def test_giving_up_closes_every_block_whatever_one_of_them_raises(raised: BaseException) -> None:
    log: list[str] = []

    @program
    def block(name: str) -> Do[None]:
        try:
            yield from free_sleep(1)
        finally:
            log.append(name)
            raise raised

    step(gather([block("first"), block("second")])).close()
    assert log == ["second", "first"]


def test_what_on_withdraw_raises_is_logged_and_the_interrupt_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> None:
        raise ValueError("broken")

    stepping = step(race(free_ask(ref, 1), free_ask(ref, 2), free_ask(ref, 3)))
    winner, loser, other = stepping.requests
    loser.on_withdraw = broken
    winner.answer("won")
    assert stepping.outcome == Succeeded("won")
    assert not other.is_open
    assert "on_withdraw of <Request ask /a 2> raised" in caplog.text
    assert "broken" in caplog.text


@dataclass(frozen=True)
class Sql(Effect[int]):
    text: str


class Own(Operation[int]):
    """An operation that no interpreter has heard of."""

    __slots__ = ()


def test_effects_without_a_handler_and_operations_of_ones_own_are_requests() -> None:
    handled: Program[int] = handle(Sql)(lambda _: 3)(perform(Sql("b")))
    own_operation: Program[int] = Own()
    value: Program[tuple[int, int, int], Never, Sql] = zip_(
        perform(Sql("a")), own_operation, handled
    )
    stepping = step(value)
    sql, own = stepping.requests
    assert sql.operation == perform(Sql("a"))
    assert isinstance(own.operation, Own)
    sql.answer(1)
    own.answer(2)
    assert stepping.outcome == Succeeded((1, 2, 3))


def test_the_same_value_is_stepped_afresh() -> None:
    value = add("x", "y")
    first, second = step(value), step(value)
    first.requests[0].answer(1)
    assert asked(first) == ["ask /a 'y'"]
    assert asked(second) == ["ask /a 'x'"]


def test_a_stepping_shows_what_it_waits_for() -> None:
    stepping = step(free_now())
    assert repr(stepping) == "<Stepping [<Request now>]>"
    assert isinstance(stepping.requests[0], Request)
    stepping.requests[0].answer(0)
    assert repr(stepping) == "<Stepping Succeeded(value=0)>"


def test_only_programs_are_stepped() -> None:
    with pytest.raises(TypeError, match="step: program must be a Program, got 3"):
        step(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert Ask in {type(request.operation) for request in step(add("x", "y")).requests}
