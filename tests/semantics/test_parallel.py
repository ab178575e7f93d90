"""What programs at once mean, in every world: order, ends, losers, finalisers, depth."""

# Tests look at ends of any type: what isinstance leaves of a generic class has no type
# arguments, and neither have the parameters of lambdas given to programs of type Any.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from typing_extensions import override
from worlds import World, in_one_of_each

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    BranchesFailed,
    Died,
    Do,
    Effect,
    Exit,
    Failed,
    FailedWith,
    Message,
    Program,
    Quorum,
    Succeeded,
    at_least,
    fail,
    first_success,
    free_ask,
    free_call,
    free_self,
    free_sleep,
    free_stop,
    gather,
    handle,
    handler,
    never,
    perform,
    program,
    pure,
    race,
    traverse,
    zip_,
)
from effactor.interpreters import ActorSystem

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


class Lost(Exception):
    """A failure of these tests."""


@dataclass(frozen=True)
class Work(Message[str]):
    text: str
    seconds: float = 0


class Worker(Actor[Work]):
    """Works on one thing after another."""

    @handler
    async def work(self, message: Work) -> str:
        log.append(f"begin {message.text}")
        await asyncio.sleep(message.seconds)
        log.append(f"end {message.text}")
        return message.text


def say(text: str) -> Program[None]:
    return free_call(log.append, text)


def after(seconds: float, answer: Any) -> Program[Any, Any, Any]:
    """Log, and answer, or end as the program *answer* does."""
    ending = answer if isinstance(answer, Program) else say(str(answer)).then(pure(answer))
    return free_sleep(seconds).then(ending)


def raises(error: BaseException) -> Program[Any]:
    def raise_it() -> Any:
        raise error

    return free_call(raise_it)


def run(world: World, value: Any) -> Exit[Any, Any]:
    """Run a program in a world and tell how it ended."""

    async def body(system: ActorSystem) -> Any:
        return await system.run_free(value.exit())

    outcome: Exit[Any, Any] = world.run(body)
    return outcome


def timed(world: World, value: Any) -> tuple[Exit[Any, Any], float]:
    """Run a program; tell how it ended, and how many seconds it took."""

    async def body(system: ActorSystem) -> Any:
        clock = asyncio.get_running_loop().time
        before = clock()
        outcome = await system.run_free(value.exit())
        return outcome, clock() - before

    measured: tuple[Exit[Any, Any], float] = world.run(body)
    return measured


def with_worker(world: World, make: Callable[[ActorRef[Any]], Any]) -> Exit[Any, Any]:
    """Run the program that *make* makes of a worker's ref, and let the worker end."""

    async def body(system: ActorSystem) -> Any:
        worker: ActorRef[Any] = await system.spawn(Worker, "worker")
        outcome = await system.run_free(make(worker).exit())
        await worker.ask(Work("last"))
        return outcome

    outcome: Exit[Any, Any] = world.run(body)
    return outcome


def several(*programs: Any) -> dict[str, Any]:
    """Every combinator that ends early, over the same programs."""
    return {
        "zip_": zip_(*programs),
        "gather": gather(programs),
        "traverse": traverse(programs, lambda p: p),
        "race": race(*programs),
        "first_success": first_success(*programs),
        "at_least": at_least(1, *programs),
    }


FAIL_FAST = ["zip_", "gather", "traverse"]
RACES = ["race", "first_success", "at_least"]
ALL = FAIL_FAST + RACES

# ------------------------------------------------------------ order


@pytest.mark.parametrize("name", ALL)
def test_branches_begin_in_order_and_each_runs_until_it_first_waits(
    world: World, name: str
) -> None:
    @program
    def branch(n: int) -> Do[int]:
        yield from say(f"{n} begins")
        yield from say(f"{n} goes on")
        yield from free_sleep(1)
        return n

    run(world, several(branch(1), branch(2))[name])
    assert log == ["1 begins", "1 goes on", "2 begins", "2 goes on"]


def test_results_are_in_the_order_written_whichever_came_first(world: World) -> None:
    branches = [after(3, "a"), after(1, "b"), after(2, "c")]
    assert run(world, zip_(*branches)) == Succeeded(("a", "b", "c"))
    assert log == ["b", "c", "a"]
    assert run(world, gather(branches)) == Succeeded(["a", "b", "c"])
    assert run(world, traverse([3, 1, 2], lambda n: after(n, n))) == Succeeded([3, 1, 2])


def test_branches_take_as_long_as_the_longest_together(world: World) -> None:
    outcome, took = timed(world, gather([after(n, n) for n in (5, 30, 12)]))
    assert outcome == Succeeded([5, 30, 12])
    assert took == pytest.approx(30, abs=0.5)


def test_nothing_to_do_at_once_answers_an_empty_list(world: World) -> None:
    assert run(world, gather([])) == Succeeded([])
    assert run(world, gather([], 3, mode="collect")) == Succeeded([])
    assert run(world, traverse([], after)) == Succeeded([])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_one_branch_alone_is_like_the_program(world: World) -> None:
    for value, answer in (
        (zip_(after(1, 1)), (1,)),
        (gather([after(1, 1)]), [1]),
        (race(after(1, 1)), 1),
        (first_success(after(1, 1)), 1),
        (at_least(1, after(1, 1)), Quorum((1,), ())),
    ):
        assert run(world, value) == Succeeded(answer)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_never_more_than_the_limit_run_at_a_time_and_all_that_may_do(
    world: World, limit: int
) -> None:
    now = 0
    most = 0

    def begin() -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)

    def end() -> None:
        nonlocal now
        now -= 1

    def branch(n: int) -> Program[int]:
        timed_work = free_call(begin).then(free_sleep(n % 4 + 1)).then(free_call(end))
        return timed_work.then(pure(n))

    assert run(world, traverse(range(20), branch, limit)) == Succeeded(list(range(20)))
    assert (now, most) == (0, min(limit, 20))
    most = 0
    run(world, gather([branch(n) for n in range(20)], concurrency=limit, mode="collect"))
    assert (now, most) == (0, min(limit, 20))


def test_with_a_limit_of_one_each_begins_when_the_one_before_has_ended(world: World) -> None:
    outcome, took = timed(world, gather([after(2, "a"), after(1, "b")], 1))
    assert outcome == Succeeded(["a", "b"])
    assert log == ["a", "b"]
    assert took == pytest.approx(3, abs=0.5)


def test_the_function_of_traverse_is_called_when_the_items_turn_has_come(world: World) -> None:
    def make(n: int) -> Program[Any]:
        log.append(f"made {n}")
        return after(1, n)

    run(world, traverse([1, 2, 3], make, 2))
    assert log == ["made 1", "made 2", "1", "made 3", "2", "3"]


def test_what_the_function_of_traverse_raises_is_the_defect_of_its_branch(world: World) -> None:
    def make(n: int) -> Program[Any]:
        if n == 2:
            raise Lost
        return after(1, n)

    assert isinstance(run(world, traverse([1, 2, 3], make)), Died)
    assert log == []
    outcome = run(world, traverse([1, 2], make, mode="collect"))
    assert isinstance(outcome, Succeeded)
    assert outcome.value[0] == Succeeded(1)
    assert isinstance(outcome.value[1].defect, Lost)


# ------------------------------------------------------------ the first bad end


@pytest.mark.parametrize("name", FAIL_FAST)
def test_the_first_failure_interrupts_the_others_and_is_the_wholes(world: World, name: str) -> None:
    others = after(9, "never").ensure(say("cleaned").then(free_sleep(1)).then(say("up")))
    value = several(others, after(1, fail("first")), after(2, fail("second")), others)[name]
    outcome, took = timed(world, value)
    assert outcome == FailedWith("first")
    assert log == ["cleaned", "cleaned", "up", "up"]
    assert took == pytest.approx(2, abs=0.5)


@pytest.mark.parametrize("name", ALL)
def test_the_first_defect_interrupts_the_others_and_is_the_wholes(world: World, name: str) -> None:
    others = after(9, "never").ensure(say("cleaned"))
    outcome = run(world, several(others, after(1, raises(Lost("bug"))))[name])
    assert isinstance(outcome, Died)
    assert outcome.defect.args == ("bug",)
    assert log == ["cleaned"]


@pytest.mark.parametrize("name", FAIL_FAST)
def test_what_had_not_begun_when_one_failed_never_begins(world: World, name: str) -> None:
    assert run(world, several(fail("at once"), say("second"))[name]) == FailedWith("at once")
    assert log == []


def test_with_a_limit_nothing_more_begins_after_a_failure(world: World) -> None:
    branches = [after(1, "a"), after(2, fail("b")), after(9, "c"), after(1, "d")]
    assert run(world, gather(branches, concurrency=2)) == FailedWith("b")
    assert log == ["a"]


@pytest.mark.parametrize("limit", [None, 1, 2])
def test_collect_answers_how_each_has_ended_and_interrupts_none(
    world: World, limit: int | None
) -> None:
    bug = Lost("bug")
    branches = [fail("no"), after(3, "a"), raises(bug), after(1, "b"), free_sleep(2)]
    expected = [FailedWith("no"), Succeeded("a"), Died(bug), Succeeded("b"), Succeeded(None)]
    assert run(world, gather(branches, limit, mode="collect")) == Succeeded(expected)
    value = traverse(branches, lambda p: p, limit, mode="collect")
    assert run(world, value) == Succeeded(expected)


# ------------------------------------------------------------ races


def test_a_race_ends_as_its_first_branch_to_end_does(world: World) -> None:
    assert run(world, race(after(2, "slow"), after(1, "fast"))) == Succeeded("fast")
    assert run(world, race(after(2, "slow"), after(1, fail("fell")))) == FailedWith("fell")
    assert log == ["fast"]


def test_of_branches_that_never_wait_the_first_one_written_wins(world: World) -> None:
    for value in (
        race(say("a").then(pure(1)), say("b").then(pure(2))),
        first_success(say("a").then(pure(1)), say("b").then(pure(2))),
    ):
        log.clear()
        assert run(world, value) == Succeeded(1)
        assert log == ["a"]
    outcome = run(world, at_least(2, pure(1), fail("x"), pure(3), say("never")))
    assert outcome == Succeeded(Quorum((1, 3), ("x",)))
    assert log == ["a"]


@pytest.mark.parametrize("name", RACES)
def test_losers_are_interrupted_at_once_and_awaited(world: World, name: str) -> None:
    loser = after(9, "never").ensure(free_sleep(3).then(say("cleaned up")))
    value = several(loser, after(1, "won"), loser)[name].tap(lambda _: say("answered"))
    _, took = timed(world, value)
    assert log == ["won", "cleaned up", "cleaned up", "answered"]
    assert took == pytest.approx(4, abs=0.5)


def test_first_success_waits_past_failures_and_keeps_them_all(world: World) -> None:
    value = first_success(fail(1), after(2, "late"), after(1, fail(2)))
    assert run(world, value) == Succeeded("late")
    outcome = run(world, first_success(after(2, fail("a")), after(1, fail(Lost("b")))))
    assert isinstance(outcome, FailedWith)
    error = outcome.error
    assert isinstance(error, BranchesFailed)
    assert (error.needed, error.of, len(error.failures)) == (1, 2, 2)
    assert error.failures[0] == "a"
    assert str(error) == "2 of 2 programs failed where 1 had to succeed: str: a; Lost: b"


def test_a_quorum_comes_with_the_answers_and_failures_in_the_order_written(world: World) -> None:
    branches = [after(4, "never"), after(3, 1), after(2, fail("x")), after(1, 2), fail("y")]
    assert run(world, at_least(2, *branches)) == Succeeded(Quorum((1, 2), ("x", "y")))
    assert log == ["2", "1"]


def test_a_quorum_that_cannot_come_any_more_fails_at_once(world: World) -> None:
    branches = [after(1, fail("a")), after(9, "never"), after(2, fail("b")), after(9, "never")]
    outcome, took = timed(world, at_least(3, *branches))
    assert isinstance(outcome, FailedWith)
    assert outcome.error.failures == ("a", "b")
    assert took == pytest.approx(2, abs=0.5)
    assert log == []


def test_all_of_a_quorum_may_be_needed(world: World) -> None:
    assert run(world, at_least(2, pure(1), after(1, 2))) == Succeeded(Quorum((1, 2), ()))


def test_a_race_with_never_is_the_program(world: World) -> None:
    assert run(world, race(never(), after(1, 1))) == Succeeded(1)
    assert run(world, race(after(1, fail("x")), never())) == FailedWith("x")


def test_branches_failed_is_a_group_of_exceptions_that_pickles() -> None:
    key, value = KeyError("k"), ValueError("v")
    error = BranchesFailed(2, 4, (key, "text", value))
    assert isinstance(error, ExceptionGroup)
    assert error.failures == (key, "text", value)
    assert [type(e) for e in error.exceptions] == [KeyError, Failed, ValueError]
    restored = pickle.loads(pickle.dumps(error))
    assert type(restored) is BranchesFailed
    assert (str(restored), restored.of) == (str(error), 4)
    assert restored.failures[1] == "text"
    matched, rest = error.split(KeyError)
    assert matched is not None
    assert rest is not None
    assert matched.exceptions == (key,)
    assert [type(e) for e in rest.exceptions] == [Failed, ValueError]


def test_a_block_takes_branches_failed_apart_with_except_star(world: World) -> None:
    @program
    def block() -> Do[Any, Any]:
        try:
            yield from first_success(fail(KeyError("k")), fail("text"))
        except* KeyError as group:
            log.append(group.exceptions[0].args)
        except* Failed as group:
            log.append(group.exceptions[0].args)

    assert run(world, block()) == Succeeded(None)
    assert log == [("k",), ("text",)]


def test_what_except_star_does_not_match_stays_a_failure(world: World) -> None:
    @program
    def block() -> Do[Any, Any]:
        try:
            yield from first_success(fail(KeyError("k")))
        except* ValueError:
            log.append("never")

    outcome = run(world, block())
    assert isinstance(outcome, FailedWith)
    assert isinstance(outcome.error, BranchesFailed)
    assert log == []


# ------------------------------------------------------------ losers that die


@program
def dies_in_finally(error: BaseException) -> Do[None]:
    try:
        yield from free_sleep(9)
    finally:
        raise error


DYING: list[tuple[str, Callable[[BaseException], Program[Any, Any]]]] = [
    ("finaliser", lambda error: free_sleep(9).ensure(raises(error))),
    ("masked", lambda error: free_sleep(9).then(raises(error)).uninterruptible()),
    ("block", dies_in_finally),
    ("nested", lambda error: race(free_sleep(9).ensure(raises(error)), free_sleep(9))),
    ("timed", lambda error: free_sleep(9).ensure(raises(error)).timeout(99)),
    ("outer", lambda error: free_sleep(9).ensure(raises(error)).ensure(say("outer"))),
]


@pytest.mark.parametrize(("kind", "dying"), DYING, ids=[kind for kind, _ in DYING])
@pytest.mark.parametrize("name", ALL)
def test_a_loser_that_dies_becomes_the_outcome(
    world: World, name: str, kind: str, dying: Any, caplog: pytest.LogCaptureFixture
) -> None:
    error = Lost("in the end")
    decision = fail("no") if name in FAIL_FAST else say("won")
    value = several(dying(error), after(1, decision), after(9, "never"))[name]
    assert run(world, value) == Died(error)
    assert "never" not in log
    assert ("outer" in log) == (kind == "outer")
    assert caplog.records == []


def test_several_losers_that_die_become_an_exception_group(world: World) -> None:
    errors = [Lost(1), Lost(2)]
    value = race(after(1, 1), *(free_sleep(9).ensure(raises(e)) for e in errors))
    outcome = run(world, value)
    assert isinstance(outcome, Died)
    assert isinstance(outcome.defect, ExceptionGroup)
    assert outcome.defect.exceptions == tuple(errors)
    outcome = run(world, zip_(after(1, raises(errors[0])), free_sleep(9).ensure(raises(errors[1]))))
    assert isinstance(outcome, Died)
    assert isinstance(outcome.defect, ExceptionGroup)
    assert outcome.defect.exceptions == tuple(errors)


def test_two_finalisers_of_one_loser_that_die_become_an_exception_group(world: World) -> None:
    errors = [Lost(1), Lost(2)]
    loser = free_sleep(9).ensure(raises(errors[0])).ensure(raises(errors[1]))
    outcome = run(world, race(after(1, 1), loser))
    assert isinstance(outcome, Died)
    assert isinstance(outcome.defect, ExceptionGroup)
    assert outcome.defect.exceptions == tuple(errors)


def test_a_failure_that_led_to_a_losers_death_is_its_context(world: World) -> None:
    failure, error = Lost("failure"), Lost("defect")
    value = gather([after(1, fail(failure)), free_sleep(9).ensure(raises(error))])
    assert run(world, value) == Died(error)
    assert error.__context__ is failure


@pytest.mark.parametrize(
    "value",
    [
        gather([free_sleep(9).ensure(raises(Lost("late"))), free_sleep(9)]),
        gather([after(1, raises(Lost("late"))), free_sleep(9).ensure(free_sleep(9))]),
    ],
    ids=["after the interrupt", "before the interrupt"],
)
def test_a_defect_in_an_interrupted_run_is_logged(
    world: World, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(system: ActorSystem) -> None:
        task = asyncio.ensure_future(system.run_free(value))
        await asyncio.sleep(3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with caplog.at_level(logging.ERROR, "effactor.program"):
        world.run(body)
    assert [str(r.exc_info[1]) for r in caplog.records if r.exc_info] == ["late"]


# ------------------------------------------------------------ asks and calls of losers


def test_a_losers_ask_in_the_mailbox_is_never_handled(world: World) -> None:
    def make(worker: ActorRef[Any]) -> Any:
        busy = free_ask(worker, Work("first", 5))
        queued = free_sleep(1).then(race(free_ask(worker, Work("second")), free_sleep(1)))
        return zip_(busy, queued)

    assert with_worker(world, make) == Succeeded(("first", None))
    assert log == ["begin first", "end first", "begin last", "end last"]


def test_a_losers_ask_that_is_being_handled_is_handled_to_its_end(world: World) -> None:
    def make(worker: ActorRef[Any]) -> Any:
        return race(free_ask(worker, Work("first", 5)), free_sleep(1)).then(say("decided"))

    with_worker(world, make)
    assert log == ["begin first", "decided", "end first", "begin last", "end last"]


def test_replies_decide_a_race_and_their_order_a_gather(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        slow = await system.spawn(Worker, "slow")
        fast = await system.spawn(Worker, "fast")
        value = zip_(
            race(free_ask(slow, Work("a", 5)), free_ask(fast, Work("b", 1))),
            gather([free_ask(slow, Work("c")), free_ask(fast, Work("d"))]),
        )
        return await system.run_free(value)

    assert world.run(body) == ("b", ["c", "d"])


def test_a_losers_call_is_cancelled_and_awaited(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def slow() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(2)
            log.append("call ended")

    _, took = timed(world, race(free_call(slow), free_sleep(1)).then(say("decided")))
    assert log == ["call ended", "decided"]
    assert took == pytest.approx(3, abs=0.5)
    assert caplog.records == []  # its CancelledError is no defect


def test_a_losers_call_is_cancelled_once_however_many_interrupts_come(world: World) -> None:
    async def slow() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(5)
            log.append("call ended")

    async def body(system: ActorSystem) -> None:
        value = race(free_call(slow), free_sleep(1)).timeout(2)
        task = asyncio.ensure_future(system.run_free(value))
        await asyncio.sleep(3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    world.run(body)
    assert log == ["call ended"]


def test_a_losers_call_that_dies_of_its_cancellation_is_a_defect(world: World) -> None:
    async def slow() -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            raise Lost("while cancelled") from None

    outcome = run(world, race(free_call(slow), free_sleep(1)))
    assert isinstance(outcome, Died)
    assert isinstance(outcome.defect, Lost)


def test_a_call_that_is_cancelled_from_elsewhere_is_a_defect(world: World) -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    outcome = run(world, gather([free_call(cancelled), free_sleep(9)]))
    assert isinstance(outcome, Died)
    assert isinstance(outcome.defect, asyncio.CancelledError)


# ------------------------------------------------------------ interrupts from outside


def finally_says(text: str) -> Program[Any]:
    return free_sleep(99).ensure(free_sleep(1).then(say(text)))


def everything() -> Program[Any, Any]:
    """All combinators within each other, each branch with a finaliser."""
    return gather(
        [
            race(finally_says("race 1"), finally_says("race 2")).ensure(say("race")),
            zip_(finally_says("zip"), gather([finally_says("inner")], 1)),
            traverse([1, 2], lambda n: finally_says(f"traverse {n}"), 1),
            first_success(finally_says("success")),
            at_least(1, finally_says("quorum")).timeout(500),
        ]
    )


ENDED = ["inner", "quorum", "race", "race 1", "race 2", "success", "traverse 1", "zip"]


def test_cancelling_a_run_interrupts_all_branches_and_waits_for_them(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        task = asyncio.ensure_future(system.run_free(everything().exit()))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sorted(log) == ENDED

    world.run(body)


class RunsEverything(Actor[str]):
    """Its handler is a program of many branches."""

    @handler
    def run(self, message: str) -> Program[Any, Any]:
        return everything()


class AwaitsEverything(Actor[str]):
    """The same, run by an `async def` handler."""

    @handler
    async def run(self, message: str) -> Any:
        return await self.context.run_free(everything())


@pytest.mark.parametrize("actor", [RunsEverything, AwaitsEverything])
def test_stopping_an_actor_now_interrupts_the_branches_it_runs(world: World, actor: Any) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(actor)
        ask = asyncio.ensure_future(ref.ask("go"))
        await asyncio.sleep(1)
        await ref.stop("now")
        await ref.join()
        assert sorted(log) == ENDED
        with pytest.raises(AskFailed):
            await ask

    world.run(body)


def test_shutdown_interrupts_the_branches_of_runs(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        task = asyncio.ensure_future(system.run_free(everything()))
        await asyncio.sleep(1)
        await system.shutdown()
        assert sorted(log) == ENDED
        with pytest.raises(asyncio.CancelledError):
            await task

    world.run(body)


def test_an_interrupt_while_losers_are_ending_waits_for_them(world: World) -> None:
    async def body(system: ActorSystem) -> float:
        clock = asyncio.get_running_loop().time
        before = clock()
        loser = free_sleep(99).ensure(free_sleep(5).then(say("loser ended")))
        task = asyncio.ensure_future(system.run_free(race(loser, free_sleep(1)).map(log.append)))
        await asyncio.sleep(3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return clock() - before

    assert world.run(body) == pytest.approx(6, abs=0.5)
    assert log == ["loser ended"]


@pytest.mark.parametrize("mode", ["fail_fast", "collect"])
def test_an_interrupt_begins_no_more_branches(world: World, mode: Any) -> None:
    async def body(system: ActorSystem) -> None:
        value = traverse(range(9), lambda n: say(f"begin {n}").then(free_sleep(9)), 2, mode=mode)
        task = asyncio.ensure_future(system.run_free(value))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(99)

    world.run(body)
    assert log == ["begin 0", "begin 1"]


@pytest.mark.parametrize("name", ALL)
def test_uninterruptible_branches_run_to_their_end_after_an_interrupt(
    world: World, name: str
) -> None:
    async def body(system: ActorSystem) -> None:
        value = several(after(5, "a"), after(5, "b"))[name].uninterruptible().map(log.append)
        task = asyncio.ensure_future(system.run_free(value))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    world.run(body)
    assert log[0] == "a"  # what was inside went on


def test_a_race_inside_uninterruptible_still_interrupts_its_losers(world: World) -> None:
    value = race(after(1, "won"), after(9, "never")).uninterruptible()
    outcome, took = timed(world, value)
    assert outcome == Succeeded("won")
    assert took == pytest.approx(1, abs=0.5)


def test_an_uninterruptible_loser_runs_to_its_end(world: World) -> None:
    value = race(after(1, "won"), after(5, "lost").uninterruptible())
    outcome, took = timed(world, value)
    assert outcome == Succeeded("won")
    assert log == ["won", "lost"]
    assert took == pytest.approx(5, abs=0.5)


def test_a_finaliser_may_run_programs_at_once(world: World) -> None:
    finaliser = gather([after(1, "a"), race(after(2, "b"), after(9, "never"))])
    value = race(free_sleep(99).ensure(finaliser), free_sleep(1))
    _, took = timed(world, value)
    assert log == ["a", "b"]
    assert took == pytest.approx(3, abs=0.5)


def test_an_actor_that_stops_itself_ends_in_its_branches(world: World) -> None:
    class StopsItself(Actor[str]):
        @handler
        @program
        def run(self, message: str) -> Do[Any, Any]:
            me = yield from free_self()
            yield from gather([finally_says("other ended"), free_stop(me, "now")])
            log.append("never")

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(StopsItself)
        with pytest.raises(AskFailed):
            await ref.ask("go")
        await ref.join()

    world.run(body)
    assert log == ["other ended"]


# ------------------------------------------------------------ who a branch is


def test_branches_are_the_same_actor(world: World) -> None:
    class Which(Actor[str]):
        @handler
        def run(self, message: str) -> Program[Any, Any]:
            return zip_(free_self(), race(free_self(), never()), free_self().timeout(1))

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Which)
        mine = await system.run_free(zip_(free_self(), gather([free_self()])))
        return ref, await ref.ask("who"), mine

    ref, selves, (one, (two,)) = world.run(body)
    assert selves == (ref, ref, ref)
    assert one == two


@dataclass(frozen=True)
class Price(Effect[int]):
    sku: str


def test_branches_see_the_handlers_of_effects_and_their_own(world: World) -> None:
    doubled = handle(Price)(lambda _: 2)(perform(Price("b")))
    value: Any = gather([perform(Price("a")), doubled, perform(Price("c")), after(1, 0)])
    outer = handle(Price)(lambda effect: free_sleep(1).then(pure(effect.sku)))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    assert run(world, outer(value)) == Succeeded(["a", 2, "c", 0])


def test_an_effects_handler_may_run_programs_at_once(world: World) -> None:
    def price(effect: Price) -> Any:
        return gather([after(1, 1), after(2, 2)]).map(sum)

    value: Any = zip_(perform(Price("a")), perform(Price("b")))
    assert run(world, handle(Price)(price)(value)) == Succeeded((3, 3))


def test_a_defect_says_where_it_arose_through_its_branches(world: World) -> None:
    value = gather([race(free_call(int, "x").named("parse"), never())]).named("whole")
    outcome = run(world, value)
    assert isinstance(outcome, Died)
    notes = outcome.defect.__notes__
    assert notes == ["in /sim/whole#1: call int('x')", "in 'parse'", "in 'whole'"]


# ------------------------------------------------------------ waiting for each other


class Partner(Actor[str]):
    """Asks the other one, in a way of its own, and answers what that does."""

    other: ActorRef[Any]

    def ask_other(self) -> Program[Any, Any]:
        return free_ask(self.other, "ping")

    @handler
    def run(self, message: str) -> Program[Any, Any]:
        return self.ask_other()


class InBranch(Partner):
    """Asks within a race, so that it does not wait for that alone."""

    @override
    def ask_other(self) -> Program[Any, Any]:
        return race(super().ask_other(), free_sleep(5).then(pure("gave up")))


def test_an_ask_cycle_through_a_branch_is_no_deadlock(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        one, two = InBranch(), Partner()
        first, second = await system.spawn(lambda: one, "one"), await system.spawn(lambda: two)
        one.other, two.other = second, first
        return await first.ask("go")

    assert world.run(body) == "gave up"


# ------------------------------------------------------------ depth and size


def wrapped(inner: Program[Any, Any], depth: int, wrap: Callable[[Any], Any]) -> Program[Any, Any]:
    for _ in range(depth):
        inner = wrap(inner)
    return inner


WRAPS: dict[str, Callable[[Any], Any]] = {
    "zip_": zip_,
    "gather": lambda p: gather([p]),
    "limited": lambda p: gather([p], 1),
    "traverse": lambda p: traverse([p], lambda q: q),
    "race": lambda p: race(p, never()),
    "first_success": lambda p: first_success(p, fail(1)),
    "at_least": lambda p: at_least(1, p),
    "fork": lambda p: p.fork().bind(lambda fiber: fiber.join()),
}
DEPTH = 10_000


@in_one_of_each
@pytest.mark.parametrize("name", WRAPS)
def test_thousands_of_branches_within_each_other_need_no_recursion(world: World, name: str) -> None:
    depth = DEPTH // 5 if name == "fork" else DEPTH  # a join looks at all that it is inside of
    # Long times, which nobody waits for: the innermost must have begun before the first is
    # over, also on a slow machine.
    deep = wrapped(free_sleep(2000).ensure(say("cleaned")), depth, WRAPS[name])
    assert isinstance(run(world, deep), Succeeded)
    assert run(world, race(deep, after(1000, "won"))) == Succeeded("won")
    assert log == ["cleaned", "won", "cleaned"]


@in_one_of_each
def test_a_hundred_thousand_branches(world: World) -> None:
    many = 100_000
    value = gather([pure(n) for n in range(many)])
    assert run(world, value) == Succeeded(list(range(many)))
    assert run(world, traverse(range(many), pure, 10)) == Succeeded(list(range(many)))
    assert run(world, race(after(1, "won"), *[never()] * many)) == Succeeded("won")


@pytest.mark.parametrize("name", ALL)
def test_a_busy_branch_lets_the_others_run(world: World, name: str) -> None:
    turns: list[int] = []

    @program
    def busy() -> Do[None]:
        while not log:
            turns.append(1)
            yield from pure(None)

    @program
    def other() -> Do[None]:
        for n in range(5):
            yield from pure(n)
        yield from say("other")

    run(world, several(busy(), other())[name])
    assert log == ["other"]
    assert len(turns) > 100


def test_a_busy_loser_is_interrupted(world: World) -> None:
    @program
    def busy() -> Do[None]:
        while True:
            yield from pure(None)

    assert run(world, race(busy(), pure("won"))) == Succeeded("won")
    assert run(world, gather([busy().ensure(say("cleaned")), fail("no")])) == FailedWith("no")
    assert log == ["cleaned"]


def test_the_same_value_runs_again_and_twice_at_once(world: World) -> None:
    value = gather([after(1, "a"), after(2, "b")])

    async def body(system: ActorSystem) -> Any:
        again = await system.run_free(zip_(value, value))
        return again, await system.run_free(value)

    assert world.run(body) == ((["a", "b"], ["a", "b"]), ["a", "b"])
