"""What time limits mean, in every world: exactness, nesting, finalisers, what asks inherit."""

# Tests look at ends of any type: what isinstance leaves of a generic class has no type
# arguments, and neither have the parameters of lambdas given to programs of type Any.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import logging
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
    AskTimeout,
    Died,
    Do,
    Exit,
    FailedWith,
    HandlerFailed,
    Message,
    Program,
    Succeeded,
    Timeout,
    acquire_release,
    bracket,
    fail,
    free_ask,
    free_call,
    free_sleep,
    gather,
    handler,
    never,
    program,
    pure,
    race,
    scoped,
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


def die(error: BaseException) -> Program[Any]:
    def raise_it() -> Any:
        raise error

    return free_call(raise_it)


def timed(world: World, value: Any) -> tuple[Exit[Any, Any], float]:
    """Run a program; tell how it ended, and how many seconds it took."""

    async def body(system: ActorSystem) -> Any:
        clock = asyncio.get_running_loop().time
        before = clock()
        outcome = await system.run_free(value.exit())
        return outcome, clock() - before

    measured: tuple[Exit[Any, Any], float] = world.run(body)
    return measured


def run(world: World, value: Any) -> Exit[Any, Any]:
    return timed(world, value)[0]


def after_a_while(seconds: float) -> Any:
    return pytest.approx(seconds, abs=0.5)


def with_worker(world: World, make: Callable[[ActorRef[Any]], Any]) -> Any:
    async def body(system: ActorSystem) -> Any:
        worker: ActorRef[Any] = await system.spawn(Worker, "worker")
        outcome = await system.run_free(make(worker).exit())
        await worker.ask(Work("last"))
        return outcome

    return world.run(body)


def failed_in_time(outcome: Exit[Any, Any], seconds: float) -> bool:
    return (
        isinstance(outcome, FailedWith)
        and isinstance(outcome.error, Timeout)
        and outcome.error.seconds == seconds
    )


def limited(kind: str, source: Any, seconds: float) -> Any:
    return source.timeout(seconds) if kind == "timeout" else source.deadline(seconds)


@pytest.fixture(params=["timeout", "deadline"])
def kind(request: pytest.FixtureRequest) -> str:
    one: str = request.param
    return one


# ------------------------------------------------------------ both


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (free_sleep(1).then(pure(1)), Succeeded(1)),
        (free_sleep(1).then(fail("no")), FailedWith("no")),
        (pure(1), Succeeded(1)),
    ],
)
def test_a_program_that_ends_in_time_ends_as_it_does(
    world: World, kind: str, source: Any, expected: Any
) -> None:
    assert run(world, limited(kind, source, 2)) == expected


def test_a_defect_in_time_is_the_wholes(world: World, kind: str) -> None:
    error = Lost("bug")
    assert run(world, limited(kind, die(error), 2)) == Died(error)


def test_a_program_is_interrupted_when_its_time_is_over(world: World, kind: str) -> None:
    slow = free_sleep(99).then(say("never")).ensure(say("cleaned"))
    outcome, took = timed(world, limited(kind, slow.named("slow"), 2.5))
    assert failed_in_time(outcome, 2.5)
    assert took == after_a_while(2.5)
    assert log == ["cleaned"]
    assert isinstance(outcome, FailedWith)
    assert str(outcome.error) == "slow did not end within 2.5 s and was interrupted"


def test_its_finalisers_run_before_it_fails(world: World, kind: str) -> None:
    slow = bracket(
        say("acquire"),
        lambda _: free_sleep(99),
        lambda _: free_sleep(3).then(say("release")),
    )
    outcome, took = timed(world, limited(kind, slow, 1).lash(lambda _: say("failed")))
    assert outcome == Succeeded(None)
    assert log == ["acquire", "release", "failed"]
    assert took == after_a_while(4)


def test_zero_seconds_let_it_run_until_it_first_waits(world: World, kind: str) -> None:
    assert run(world, limited(kind, say("a").then(say("b")).then(pure(1)), 0)) == Succeeded(1)
    assert log == ["a", "b"]
    outcome = run(world, limited(kind, say("c").then(free_sleep(0)).then(say("never")), 0))
    assert failed_in_time(outcome, 0)
    assert log == ["a", "b", "c"]


def test_zero_seconds_do_so_on_a_busy_loop_too(world: World, kind: str) -> None:
    value = gather([limited(kind, pure(n), 0) for n in range(5000)])
    assert run(world, value) == Succeeded(list(range(5000)))


def test_the_inner_limit_counts_if_it_is_shorter(world: World, kind: str) -> None:
    inner = limited(kind, free_sleep(99), 1)
    outcome, took = timed(world, limited(kind, inner.lash(lambda _: pure("inner")), 2))
    assert outcome == Succeeded("inner")
    assert took == after_a_while(1)


def test_the_outer_limit_counts_if_it_is_shorter(world: World, kind: str) -> None:
    inner = limited(kind, free_sleep(99).ensure(say("cleaned")), 5).lash(lambda _: say("never"))
    outcome, took = timed(world, limited(kind, inner, 1))
    assert failed_in_time(outcome, 1)
    assert took == after_a_while(1)
    assert log == ["cleaned"]


def test_an_uninterruptible_program_runs_to_its_end_and_then_fails(world: World, kind: str) -> None:
    value = limited(kind, free_sleep(3).then(say("saved")).uninterruptible(), 1)
    outcome, took = timed(world, value)
    assert failed_in_time(outcome, 1)
    assert log == ["saved"]
    assert took == after_a_while(3)


def test_an_uninterruptible_failure_that_comes_too_late_is_a_timeout(
    world: World, kind: str
) -> None:
    value = limited(kind, free_sleep(3).then(fail("late")).uninterruptible(), 1)
    assert failed_in_time(run(world, value), 1)


@pytest.mark.parametrize("masked", [True, False])
def test_a_defect_goes_before_the_timeout(
    world: World, kind: str, masked: bool, caplog: pytest.LogCaptureFixture
) -> None:
    error = Lost("late")
    slow = free_sleep(3).then(die(error)).uninterruptible()
    dying = slow if masked else free_sleep(9).ensure(die(error))
    assert run(world, limited(kind, dying, 1)) == Died(error)
    assert caplog.records == []


def test_a_limit_inside_of_an_uninterruptible_program_interrupts(world: World, kind: str) -> None:
    outcome, took = timed(world, limited(kind, free_sleep(99), 1).uninterruptible())
    assert failed_in_time(outcome, 1)
    assert took == after_a_while(1)


def test_a_limit_inside_of_a_finaliser_interrupts(world: World, kind: str) -> None:
    finaliser = limited(kind, free_sleep(99), 1).lash(lambda _: say("gave up"))
    outcome, took = timed(world, race(free_sleep(99).ensure(finaliser), free_sleep(1)))
    assert outcome == Succeeded(None)
    assert log == ["gave up"]
    assert took == after_a_while(2)


def test_all_branches_inside_are_interrupted_together(world: World, kind: str) -> None:
    def branch(n: int) -> Program[Any]:
        return free_sleep(99).ensure(free_sleep(1).then(say(f"cleaned {n}")))

    outcome, took = timed(world, limited(kind, gather([branch(1), branch(2)]), 1))
    assert failed_in_time(outcome, 1)
    assert log == ["cleaned 1", "cleaned 2"]
    assert took == after_a_while(2)


def test_a_call_inside_is_cancelled_and_awaited(
    world: World, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def slow() -> None:
        try:
            await asyncio.sleep(99)
        finally:
            await asyncio.sleep(1)
            log.append("call ended")

    outcome, took = timed(world, limited(kind, free_call(slow), 1))
    assert failed_in_time(outcome, 1)
    assert log == ["call ended"]
    assert took == after_a_while(2)
    assert caplog.records == []


def test_an_ask_in_the_mailbox_is_never_handled_after_the_time(world: World, kind: str) -> None:
    def make(worker: ActorRef[Any]) -> Any:
        queued = free_sleep(1).then(limited(kind, free_ask(worker, Work("second")), 1).attempt())
        return zip_(free_ask(worker, Work("first", 5)), queued.then(say("gave up")))

    with_worker(world, make)
    assert log == ["begin first", "gave up", "end first", "begin last", "end last"]


def test_an_ask_that_is_being_handled_is_handled_to_its_end(world: World, kind: str) -> None:
    def make(worker: ActorRef[Any]) -> Any:
        return limited(kind, free_ask(worker, Work("first", 5)), 1).attempt().then(say("gave up"))

    with_worker(world, make)
    assert log == ["begin first", "gave up", "end first", "begin last", "end last"]


@pytest.mark.parametrize("stop", ["cancel", "shutdown"])
def test_an_interrupt_from_outside_comes_before_the_timeout(
    world: World, kind: str, stop: str
) -> None:
    async def body(system: ActorSystem) -> float:
        clock = asyncio.get_running_loop().time
        before = clock()
        slow = free_sleep(99).ensure(free_sleep(4).then(say("cleaned")))
        value = limited(kind, slow, 2).lash(lambda _: say("never"))
        task = asyncio.ensure_future(system.run_free(value))
        await asyncio.sleep(1)
        if stop == "cancel":
            task.cancel()
        else:
            await system.shutdown()
        with pytest.raises(asyncio.CancelledError):
            await task
        return clock() - before

    # The time is over while the finaliser runs; that interrupts nothing any more.
    assert world.run(body) == after_a_while(5)
    assert log == ["cleaned"]


def test_stopping_an_actor_interrupts_its_limited_program(world: World, kind: str) -> None:
    class Runs(Actor[str]):
        @handler
        async def run(self, message: str) -> Any:
            slow = free_sleep(99).ensure(say("cleaned"))
            return await self.context.run_free(limited(kind, slow, 50))

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Runs)
        ask = asyncio.ensure_future(ref.ask("go"))
        await asyncio.sleep(1)
        await ref.stop("now")
        await ref.join()
        assert log == ["cleaned"]
        with pytest.raises(AskFailed):
            await ask

    world.run(body)


def test_a_busy_program_is_interrupted_in_its_next_turn(world: World, kind: str) -> None:
    @program
    def busy() -> Do[None]:
        while True:
            yield from pure(None)

    value = race(limited(kind, busy(), 0), never())
    assert failed_in_time(run(world, value), 0)


@pytest.mark.parametrize("end", ["success", "failure", "defect", "loss", "interrupt"])
def test_no_timer_is_left_when_it_has_ended(world: World, kind: str, end: str) -> None:
    endings: dict[str, Any] = {
        "success": free_sleep(1),
        "failure": free_sleep(1).then(fail("no")),
        "defect": free_sleep(1).then(die(Lost())),
        "loss": free_sleep(50),
        "interrupt": free_sleep(50),
    }

    async def body(system: ActorSystem) -> list[Any]:
        loop: Any = asyncio.get_running_loop()
        value = race(limited(kind, endings[end], 70), free_sleep(9))
        task = asyncio.ensure_future(system.run_free(value.exit()))
        await asyncio.sleep(2)
        if end == "interrupt":
            task.cancel()
        await asyncio.wait([task])
        timers = getattr(loop, "_scheduled", None)
        if timers is not None:
            return [timer for timer in timers if not timer.cancelled()]
        simulated: Any = system.world
        return [timer for timer in simulated._timers._heap if not timer.cancelled]

    assert world.run(body) == []


@in_one_of_each
@pytest.mark.parametrize("depth", [10_000])
def test_thousands_of_limits_within_each_other_need_no_recursion(
    world: World, kind: str, depth: int
) -> None:
    # Long times, which nobody waits for: the innermost must have begun before the first is
    # over, also on a slow machine.
    deep: Any = free_sleep(2000).ensure(say("cleaned"))
    for _ in range(depth):
        deep = limited(kind, deep, 50_000)
    assert run(world, deep) == Succeeded(None)
    assert failed_in_time(run(world, limited(kind, deep, 1000)), 1000)
    assert run(world, race(deep, free_sleep(1000).then(pure("won")))) == Succeeded("won")
    assert log == ["cleaned"] * 3


# ------------------------------------------------------------ what a deadline hands on


def ask_ends(worker: ActorRef[Any], text: str) -> Program[None, Any]:
    """Ask for work of 50 s, and log how that ended."""
    return (
        free_ask(worker, Work(text, 50))
        .exit()
        .bind(lambda end: say(type(end.error if isinstance(end, FailedWith) else end).__name__))
    )


def test_an_ask_in_a_fork_that_lives_on_ends_with_the_deadline(world: World) -> None:
    def make(worker: ActorRef[Any]) -> Any:
        return ask_ends(worker, "x").fork().deadline(5).bind(lambda fiber: fiber.join())

    async def body(system: ActorSystem) -> Any:
        clock = asyncio.get_running_loop().time
        before = clock()
        worker: ActorRef[Any] = await system.spawn(Worker)
        await system.run_free(make(worker))
        return clock() - before

    assert world.run(body) == after_a_while(5)
    assert log == ["begin x", "AskTimeout"]


def test_a_timeout_hands_nothing_on(world: World) -> None:
    def make(worker: ActorRef[Any]) -> Any:
        return ask_ends(worker, "x").fork().timeout(5).bind(lambda fiber: fiber.join())

    with_worker(world, make)
    assert log[:3] == ["begin x", "end x", "Succeeded"]


UNLIMITED: dict[str, Callable[[Any], Any]] = {
    "uninterruptible": lambda ask: ask.uninterruptible(),
    "with a deadline of its own": lambda ask: ask.deadline(70).uninterruptible(),
    "branches": lambda ask: gather([ask, pure(1)]).uninterruptible(),
    "acquire": lambda ask: bracket(ask, pure, lambda _: pure(None)),
    "acquire_release": lambda ask: scoped(acquire_release(ask, lambda _: pure(None))),
    "finaliser": lambda ask: free_sleep(0).ensure(ask),
    "finaliser after the deadline": lambda ask: free_sleep(99).ensure(ask),
}


@pytest.mark.parametrize("where", UNLIMITED)
def test_what_must_not_be_interrupted_is_not_limited_by_a_deadline(
    world: World, where: str
) -> None:
    async def body(system: ActorSystem) -> Any:
        worker: ActorRef[Any] = await system.spawn(Worker)
        value = UNLIMITED[where](ask_ends(worker, "x"))
        return await system.run_free(value.deadline(5).exit())

    assert failed_in_time(world.run(body), 5)
    assert log == ["begin x", "end x", "Succeeded"]


def test_nor_is_it_in_a_fork(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker: ActorRef[Any] = await system.spawn(Worker)
        forking = free_sleep(1).ensure(ask_ends(worker, "x")).fork().deadline(5)
        await system.run_free(forking.bind(lambda fiber: fiber.join()))

    world.run(body)
    assert log == ["begin x", "end x", "Succeeded"]


@pytest.mark.parametrize("inner", [1, 20])
def test_a_deadline_of_a_finalisers_own_limits_it(world: World, inner: float) -> None:
    async def body(system: ActorSystem) -> Any:
        worker: ActorRef[Any] = await system.spawn(Worker)
        release = ask_ends(worker, "x").deadline(inner).attempt()
        clock = asyncio.get_running_loop().time
        before = clock()
        await system.run_free(pure(1).ensure(release).deadline(0.5).exit())
        return clock() - before

    assert world.run(body) == after_a_while(inner)


def test_a_later_deadline_in_a_fork_does_not_lengthen_an_earlier_one(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker: ActorRef[Any] = await system.spawn(Worker)
        forking = ask_ends(worker, "x").deadline(30).fork().deadline(5)
        clock = asyncio.get_running_loop().time
        before = clock()
        await system.run_free(forking.bind(lambda fiber: fiber.join()))
        return clock() - before

    assert world.run(body) == after_a_while(5)
    assert log == ["begin x", "AskTimeout"]


def test_an_earlier_deadline_further_in_interrupts_in_a_fork_of_a_later_one(world: World) -> None:
    forking = free_sleep(50).deadline(2).exit().fork().deadline(5)
    outcome, took = timed(world, forking.bind(lambda fiber: fiber.join()))
    assert isinstance(outcome, Succeeded)
    assert failed_in_time(outcome.value, 2)
    assert took == after_a_while(2)


def test_an_ask_inside_ends_by_the_interrupt_and_not_by_its_own_timeout(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker: ActorRef[Any] = await system.spawn(Worker)
        return await system.run_free(ask_ends(worker, "x").deadline(5).exit())

    assert failed_in_time(world.run(body), 5)
    assert log == ["begin x"]


@pytest.mark.parametrize(("timeout", "expected"), [(2, 2), (20, 5)])
def test_an_asks_own_timeout_counts_if_it_is_shorter(
    world: World, timeout: float, expected: float
) -> None:
    async def body(system: ActorSystem) -> Any:
        worker: ActorRef[Any] = await system.spawn(Worker)
        asking = free_ask(worker, Work("x", 50), timeout=timeout).exit().fork().deadline(5)
        clock = asyncio.get_running_loop().time
        before = clock()
        outcome = await system.run_free(asking.bind(lambda fiber: fiber.join()))
        return outcome, clock() - before

    outcome, took = world.run(body)
    assert took == after_a_while(expected)
    assert isinstance(outcome, FailedWith)
    assert isinstance(outcome.error, AskTimeout)
    assert outcome.error.timeout == after_a_while(expected)


def test_after_the_program_its_deadline_binds_nobody(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker: ActorRef[Any] = await system.spawn(Worker)
        value = free_sleep(1).deadline(5).then(ask_ends(worker, "x"))
        return await system.run_free(value.fork().bind(lambda fiber: fiber.join()))

    world.run(body)
    assert log == ["begin x", "end x", "Succeeded"]


def test_an_interrupt_that_overtakes_a_timeout_logs_what_dies(
    world: World, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(system: ActorSystem) -> None:
        value = limited(kind, free_sleep(99).ensure(die(Lost("late"))), 50)
        task = asyncio.ensure_future(system.run_free(value))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with caplog.at_level(logging.ERROR, "effactor.program"):
        world.run(body)
    assert [str(r.exc_info[1]) for r in caplog.records if r.exc_info] == ["late"]


# ------------------------------------------------------------ from actor to actor


@dataclass(frozen=True)
class Pass(Message[Any]):
    """Passed on so often, then to the worker."""

    hops: int


class Relay(Actor[Pass]):
    """Asks the next one, and says how that ended."""

    def __init__(self, worker: ActorRef[Any]) -> None:
        self.worker = worker

    @handler
    def go(self, message: Pass) -> Program[Any, Any]:
        if not message.hops:
            return ask_ends(self.worker, "x")
        return free_ask(ActorRef.at(f"/relay{message.hops - 1}"), Pass(message.hops - 1))


class AsyncRelay(Relay):
    """The same from an `async def` handler that returns the program."""

    @override
    @handler
    async def go(self, message: Pass) -> Any:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        await asyncio.sleep(0)
        return super().go(message)


@pytest.mark.parametrize("actor", [Relay, AsyncRelay])
@pytest.mark.parametrize("hops", [0, 3])
def test_the_asks_of_a_handlers_program_inherit_the_askers_deadline(
    world: World, actor: Any, hops: int
) -> None:
    async def body(system: ActorSystem) -> Any:
        worker: ActorRef[Any] = await system.spawn(Worker)
        for number in range(hops + 1):
            await system.spawn(lambda: actor(worker), f"relay{number}")
        asking: Any = free_ask(ActorRef.at(f"/relay{hops}"), Pass(hops))
        outcome = await system.run_free(asking.deadline(5).exit())
        await system.run_free(free_sleep(1))
        return outcome, list(log)

    outcome, seen = world.run(body)
    # In the tick in which all of them are over, either may come first.
    assert failed_in_time(outcome, 5) or isinstance(outcome.error, HandlerFailed)
    assert seen == ["begin x", "AskTimeout"]


def test_a_handlers_program_without_a_deadline_is_not_limited(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        worker: ActorRef[Any] = await system.spawn(Worker)
        relay = await system.spawn(lambda: Relay(worker), "relay0")
        await system.run_free(free_ask(relay, Pass(0)).timeout(5).exit())
        await system.run_free(free_sleep(100))

    world.run(body)
    assert log == ["begin x", "end x", "Succeeded"]
