"""What `retry`, `repeat`, `delayed` and `every` mean, in every world."""

# What a wrong call returns has no type, and neither has the lambda that makes it.
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import asyncio
import pickle
import tracemalloc
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from worlds import World

from effactor import (
    Actor,
    Died,
    Do,
    Effect,
    Livelock,
    Message,
    Program,
    Schedule,
    every,
    exponential,
    fail,
    fixed,
    free_ask,
    free_call,
    free_sleep,
    handle,
    handler,
    perform,
    program,
    pure,
    recurs,
    run_free,
    spaced,
)
from effactor.interpreters import ActorSystem, dry_run
from effactor.programs import operations

if TYPE_CHECKING:
    from collections.abc import Callable

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


class Busy(Exception):
    """A failure of these tests."""


@dataclass(frozen=True)
class Fetch(Message[str, Busy]):
    """Asks for a page."""


class Flaky(Actor[Fetch]):
    """Fails some times, then answers."""

    def __init__(self, failures: int) -> None:
        self.left = failures

    @handler
    def fetch(self, message: Fetch) -> str:
        log.append(asyncio.get_running_loop().time())
        if self.left:
            self.left -= 1
            raise Busy(self.left)
        return "page"


def run(world: World, value: Any) -> Any:
    async def body(system: ActorSystem) -> Any:
        return await system.run_free(value)

    return world.run(body)


def timed(world: World, make: Callable[[Callable[[], float]], Any]) -> tuple[Any, Any]:
    """Run the program that *make* makes of a clock; return its answer and its duration."""

    async def body(system: ActorSystem) -> tuple[Any, Any]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        if not world.name.startswith("simulated"):
            # The loop's clock jumps where a test would wait; the time of day goes along.
            day = datetime(2000, 1, 1, tzinfo=UTC)
            clock: Any = system.world
            clock.now = lambda: day + timedelta(seconds=loop.time() - began)
        answer = await system.run_free(make(lambda: loop.time() - began))
        return answer, loop.time() - began

    return world.run(body)


def about(*seconds: float) -> Any:
    return pytest.approx(seconds, abs=0.5)


def failing(error: Any) -> Program[Any, Any]:
    """Note the attempt and fail."""
    return free_call(log.append, "attempt").then(fail(error))


def taking(clock: Callable[[], float], *durations: float) -> Program[int]:
    """Note when it begins, and take the next of *durations*."""
    left = list(durations)

    @program
    def work() -> Do[int]:
        yield from free_call(log.append, clock())
        yield from free_sleep(left.pop(0))
        return len(left)

    return work()


def test_a_retry_asks_a_flaky_actor_until_it_answers(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        flaky = await system.spawn(lambda: Flaky(3))
        return await system.run_free(free_ask(flaky, Fetch()).retry(exponential(1) & recurs(5)))

    assert world.run(body) == "page"
    began = log[0]
    assert [at - began for at in log] == pytest.approx([0, 1, 3, 7], abs=0.5)


def test_a_retry_that_is_over_fails_with_the_last_failure(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        flaky = await system.spawn(lambda: Flaky(9))
        return await system.run_free(free_ask(flaky, Fetch()).retry(3).attempt())

    assert world.run(body).failure().args == (5,)
    assert len(log) == 4


def test_a_retry_of_success_runs_it_once_and_waits_for_nothing(world: World) -> None:
    answer, seconds = timed(world, lambda _: free_call(log.append, 1).retry(spaced(5)))
    assert answer is None
    assert log == [1]
    assert seconds == pytest.approx(0, abs=0.5)


def test_a_retry_no_times_is_the_program(world: World) -> None:
    assert run(world, failing("x").retry(0).attempt()).failure() == "x"
    assert run(world, failing("x").retry(recurs(0)).attempt()).failure() == "x"
    assert log == ["attempt"] * 2


def test_the_delays_are_really_taken(world: World) -> None:
    def retried(_clock: Any) -> Any:
        return failing("x").retry(exponential(1, cap=3) & recurs(4)).attempt()

    answer, seconds = timed(world, retried)
    assert answer.failure() == "x"
    assert seconds == pytest.approx(1 + 2 + 3 + 3, abs=0.5)
    assert len(log) == 5


def test_defects_are_not_retried(world: World) -> None:
    def broken() -> None:
        log.append("called")
        raise Busy

    with pytest.raises(Busy):
        run(world, free_call(broken).retry(3))
    assert log == ["called"]
    assert isinstance(run(world, free_call(broken).retry(3).exit()), Died)
    assert log == ["called"] * 2
    run(world, free_call(broken).refine(Busy).retry(3).attempt())
    assert log == ["called"] * 6


def test_a_predicate_sees_each_failure_and_ends_the_retry(world: World) -> None:
    seen: list[int] = []

    def is_large(failure: int) -> bool:
        seen.append(failure)
        return failure > 1

    left = [3, 2, 1, 0]
    value = free_call(lambda: left.pop(0)).bind(fail).retry(spaced(1).while_(is_large))
    assert run(world, value.attempt()).failure() == 1
    assert seen == [3, 2, 1]


def test_a_predicate_that_raises_is_a_defect(world: World) -> None:
    def bad(failure: object) -> bool:
        raise ZeroDivisionError

    outcome = run(world, failing("x").retry(spaced(1).while_(bad)).exit())
    assert isinstance(outcome.defect, ZeroDivisionError)
    assert log == ["attempt"]


def test_a_repeat_answers_the_last_answer(world: World) -> None:
    left = [1, 2, 3, 4, 5]
    take = free_call(lambda: left.pop(0))
    assert run(world, take.repeat(2)) == 3
    assert run(world, take.repeat(spaced(1).while_(lambda n: n < 5))) == 5


def test_a_failure_ends_a_repeat(world: World) -> None:
    left = [1, 2]

    @program
    def take() -> Do[int, str]:
        yield from free_call(log.append, "take")
        if not left:
            return (yield from fail("empty"))
        return left.pop()

    assert run(world, take().repeat(spaced(1)).attempt()).failure() == "empty"
    assert log == ["take"] * 3


def test_the_state_of_a_schedule_belongs_to_one_run(world: World) -> None:
    value = failing("x").retry(2).attempt()

    async def body(system: ActorSystem) -> Any:
        await system.run_free(value)
        await asyncio.gather(system.run_free(value), system.run_free(value))
        # A retry within a repeat begins afresh in each round.
        await system.run_free(value.repeat(1))

    world.run(body)
    assert len(log) == 5 * 3


def test_fixed_begins_at_multiples_and_drops_those_it_was_late_for(world: World) -> None:
    timed(world, lambda clock: taking(clock, 3, 25, 0, 1).repeat(fixed(10) & recurs(3)))
    assert log == about(0, 10, 40, 50)


def test_spaced_waits_after_the_end_of_each_round(world: World) -> None:
    timed(world, lambda clock: taking(clock, 3, 25, 0).repeat(spaced(10) & recurs(2)))
    assert log == about(0, 13, 48)


def test_up_to_counts_the_time_that_rounds_take(world: World) -> None:
    answer, seconds = timed(
        world, lambda clock: taking(clock, 3, 3, 3, 3, 3).repeat(spaced(1).up_to(10))
    )
    assert log == about(0, 4, 8)
    assert (answer, seconds) == (2, pytest.approx(11, abs=0.5))


def test_delayed_begins_later(world: World) -> None:
    answer, seconds = timed(world, lambda _: pure("x").delayed(30).delayed(0).delayed(12))
    assert (answer, seconds) == ("x", pytest.approx(42, abs=0.5))


def test_every_begins_now_and_at_each_multiple_until_it_fails(world: World) -> None:
    def ticking(clock: Callable[[], float]) -> Any:
        def tick(left: int) -> Program[int, str]:
            return pure(left) if left else fail("done")

        return every(10, taking(clock, 1, 1, 15, 1).bind(tick)).attempt()

    answer, seconds = timed(world, ticking)
    assert answer.failure() == "done"
    assert log == about(0, 10, 20, 40)
    assert seconds == pytest.approx(41, abs=0.5)


@pytest.mark.parametrize(
    "value",
    [
        failing("x").retry(spaced(100)),
        free_call(log.append, "attempt").repeat(spaced(100)),
        every(100, free_call(log.append, "attempt")),
        free_call(log.append, "attempt").then(pure(1).delayed(100)),
    ],
    ids=["retry", "repeat", "every", "delayed"],
)
def test_an_interrupt_during_a_delay_takes_effect_at_once(world: World, value: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        loop = asyncio.get_running_loop()
        began = loop.time()
        ended = value.ensure(free_call(log.append, "ended"))
        task = asyncio.ensure_future(system.run_free(ended))
        await asyncio.sleep(5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return loop.time() - began

    assert world.run(body) == pytest.approx(5, abs=0.5)
    assert log == ["attempt", "ended"]


def test_an_interrupt_is_not_retried(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        value = free_call(log.append, "attempt").then(free_sleep(100)).retry(5)
        task = asyncio.ensure_future(system.run_free(value))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    world.run(body)
    assert log == ["attempt"]


def test_jitter_shortens_the_delays_by_chance(world: World) -> None:
    value = failing("x").retry(exponential(64, factor=1, jitter=1.0) & recurs(8)).attempt()
    _, seconds = timed(world, lambda _: value)
    assert 0 < seconds < 8 * 64
    assert len(log) == 9


def test_a_repeat_that_never_waits_lets_others_run(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        async def other() -> None:
            await asyncio.sleep(0)
            log.append("other")

        busy = pure(None).repeat(spaced(0).while_(lambda _: not log))
        await asyncio.gather(system.run_free(busy), other())

    world.run(body)
    assert log == ["other"]


@dataclass(frozen=True)
class Draw(Effect[int]):
    """An effect of these tests."""


def test_effects_inside_are_answered_by_the_handler_outside(world: World) -> None:
    drawn = [1, 2, 3]
    value = perform(Draw()).repeat(2).delayed(1)
    assert run(world, handle(Draw)(lambda _: drawn.pop(0))(value)) == 3


def test_a_hundred_thousand_rounds(world: World) -> None:
    left = iter(range(100_000))
    value = free_call(next, left, None).repeat(spaced(0).while_(lambda n: n is not None))
    assert run(world, value) is None
    assert next(left, None) is None


# ------------------------------------------------------------ without a system


def without_waiting() -> dict[type[Any], Callable[[Any], Any]]:
    """Answer each operation at once, and note it."""
    day = [datetime(2000, 1, 1, tzinfo=UTC)]

    def sleep(operation: operations.Sleep) -> None:
        log.append(operation.seconds)
        day[0] += timedelta(seconds=operation.seconds)

    def now(_operation: Any) -> datetime:
        log.append("now")
        return day[0]

    def chance(_operation: Any) -> float:
        log.append("chance")
        return 0.5

    return {operations.Sleep: sleep, operations.Now: now, operations.Random: chance}


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (recurs(2), []),
        (spaced(3) & recurs(2), [3, 3]),
        (spaced(0) & recurs(2), []),
        (fixed(3) & recurs(1), ["now", "now", 3, "now"]),
        (recurs(5).up_to(9), ["now"] * 7),
        (exponential(2, jitter=1) & recurs(1), ["chance", 1, "chance"]),
        (
            exponential(2, jitter=1) & exponential(3, jitter=1) & recurs(1),
            ["chance", 1.5, "chance"],
        ),
        (exponential(2, jitter=1).up_to(1), ["now", "now", "chance", 1, "now", "chance"]),
        (recurs(1).then(spaced(1) & recurs(1)), [1]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("retried", [True, False])
def test_only_what_the_schedule_needs_is_asked_of_the_world(
    schedule: Schedule[object], expected: list[Any], retried: bool
) -> None:
    value = fail("x").retry(schedule).attempt() if retried else pure("x").repeat(schedule)
    run_free(value, without_waiting())
    assert log == expected


def test_a_clock_that_is_set_back_stops_no_schedule() -> None:
    days = iter([datetime(2000, 1, 9, tzinfo=UTC) - timedelta(hours=n) for n in range(20)])
    handlers = without_waiting()
    handlers[operations.Now] = lambda _: next(days)
    run_free(pure(1).repeat(fixed(10).up_to(60)), handlers)
    assert log == [10] * 6


def test_a_million_rounds_leave_nothing_behind() -> None:
    day = datetime(2000, 1, 1, tzinfo=UTC)
    handlers: dict[type[Any], Callable[[Any], Any]] = {
        operations.Now: lambda _: day,
        operations.Random: lambda _: 0.5,
        operations.Sleep: lambda _: None,
    }
    schedule = exponential(1, factor=1, jitter=0.5).up_to(1e12)

    def peak(rounds: int) -> int:
        tracemalloc.start()
        run_free(fail("x").retry(schedule & recurs(rounds)).attempt(), handlers)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    # A frame or a node left behind each round would be megabytes.
    assert peak(20_000) < peak(1000) + 500_000
    assert run_free(pure(1).repeat(1_000_000)) == 1


def test_a_dry_run_shows_the_attempts_and_the_delays() -> None:
    trace = dry_run(
        free_call(int).bind(fail).retry(exponential(1, jitter=1) & recurs(2)).attempt(),
        answers={int: 7},
    )
    assert [(record.kind, record.time) for record in trace.records if record.kind != "reply"] == [
        ("call", 0),
        ("random", 0),
        ("sleep", 0),
        ("call", 0.5),
        ("random", 0.5),
        ("sleep", 0.5),
        ("call", 1.5),
        ("random", 1.5),
        ("end", 1.5),
    ]


def test_a_dry_run_of_what_never_ends_is_refused() -> None:
    with pytest.raises(Livelock):
        dry_run(every(1, pure(1)), limit=100)


def work() -> Program[int, str]:
    return fail("x")


VALUES: list[Program[Any, Any]] = [
    work().retry(3),
    work().retry(recurs(4)),
    work().retry(spaced(1).while_(str.isalpha)),
    work().repeat(3),
    work().delayed(3),
    work().delayed(4),
    every(3, work()),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_node_is_a_value(value: Program[Any, Any]) -> None:
    restored = pickle.loads(pickle.dumps(value))
    assert restored == value
    assert hash(restored) == hash(value)
    assert sum(other == value for other in VALUES) == 1
    assert repr(restored) == repr(value)


def test_a_repr_shows_the_schedule() -> None:
    assert repr(work().retry(3)) == "Retry(schedule=recurs(3), source=Fail(error='x'))"
    assert repr(every(2, work())) == "Every(seconds=2, source=Fail(error='x'))"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: work().retry("x"), "retry: schedule must be a Schedule or a number of repetition"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: work().retry(True), "retry: schedule must be a Schedule .*, got True"),
        (lambda: work().retry(spaced), "call it: it is a function that makes a schedule"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: work().retry(-1), "retry: schedule must be a whole number >= 0, got -1"),
        (lambda: work().repeat(None), "repeat: schedule must be a Schedule"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: work().repeat(2.0), "repetitions, got 2.0"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: work().delayed(-1), "delayed: seconds must be a finite number of seconds >= 0"),
        (lambda: work().delayed(None), "delayed: seconds must be a number of seconds, got None"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: every(0, work()), "every: seconds must be a finite number of seconds >= 1e-06"),
        (lambda: every(1, work), "every: program must be a Program, .*call it"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: every(work(), 1), "every: program must be a Program, got 1"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ],
)
def test_wrong_arguments_are_refused_at_once(call: Any, text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        call()
