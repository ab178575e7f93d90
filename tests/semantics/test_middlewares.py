"""Ready-made middleware: the log, retries with keys, timings, rate limits."""

from __future__ import annotations

import asyncio
import itertools
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    AskCancelled,
    AskTimeout,
    CancellationToken,
    MemoryMailbox,
    Message,
    MessageDropped,
    Program,
    SendOptions,
    Unhandled,
    exponential,
    free_ask,
    gather,
    handler,
    recurs,
    spaced,
    stash,
    unstash_all,
)
from effactor.interpreters import (
    ActorSystem,
    LoggingMiddleware,
    RateLimitMiddleware,
    RetryMiddleware,
    TimingMiddleware,
)
from effactor_interpreters.runtime.middlewares import timings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CALLS: list[Any] = []


@dataclass(frozen=True)
class Job(Message[Any, KeyError]):
    """Handled in as many seconds as it says; fails as often as it says."""

    name: str = "job"
    seconds: float = 0.0
    failures: int = 0
    error: type[Exception] = ConnectionError


@dataclass(frozen=True)
class Open(Message[None]):
    pass


@dataclass(frozen=True)
class Count(Message[list[int]]):
    pass


class Worker(Actor[Any]):
    is_open = True

    @handler(Job)
    async def job(self, message: Job) -> Any:
        CALLS.append((message.name, asyncio.get_running_loop().time()))
        if message.seconds:
            await asyncio.sleep(message.seconds)
        tried = len([name for name, _ in CALLS if name == message.name])
        if tried <= message.failures:
            raise message.error(message.name)
        return f"{message.name} {tried}"


class Shop(Actor[Any]):
    def __init__(self) -> None:
        self.is_open = False

    @handler(Job)
    def job(self, message: Job) -> Any:
        CALLS.append((message.name, 0.0))
        return f"{message.name} done" if self.is_open else stash()

    @handler(Open)
    def opens(self, message: Open) -> Program[Any]:
        self.is_open = True
        return unstash_all()


@pytest.fixture(autouse=True)
def calls() -> list[Any]:
    CALLS.clear()
    return CALLS


def names() -> list[str]:
    return [name for name, _ in CALLS]


def pauses() -> list[float]:
    """Seconds between the calls."""
    times = [time for _, time in CALLS]
    return [later - before for before, later in itertools.pairwise(times)]


def inside(middleware: Any) -> Any:
    """Look into a middleware."""
    return middleware


def keyed(key: Any) -> SendOptions:
    return SendOptions(headers={"idempotency-key": key})


# ---------------------------------------------------------------- retries


def test_a_handler_is_called_again_as_its_schedule_says(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        retry = RetryMiddleware(exponential(1.0) & recurs(3), on=OSError)
        ref = await system.spawn(Worker, middlewares=[retry])
        assert await ref.ask(Job(failures=3)) == "job 4"
        assert pauses() == pytest.approx([1, 2, 4], abs=0.1)
        CALLS.clear()
        with pytest.raises(ConnectionError):
            await ref.ask(Job(failures=9))
        assert len(CALLS) == 4
        CALLS.clear()
        await ref.tell(Job("told", failures=2))
        assert await ref.ask(Job("last")) == "last 1"
        assert sorted(names()) == ["last", "told", "told", "told"]

    world.run(body)


def test_only_the_errors_that_it_is_for_are_tried_again(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, middlewares=[RetryMiddleware(recurs(5))])
        with pytest.raises(ValueError, match="job"):
            await ref.ask(Job(failures=1, error=ValueError))
        assert len(CALLS) == 1
        with pytest.raises(KeyError):
            await ref.ask(Job("declared", failures=1, error=KeyError))
        assert len(CALLS) == 2
        every = RetryMiddleware(recurs(5), on=(Exception,))
        ref = await system.spawn(Worker, middlewares=[every])
        with pytest.raises(Unhandled):
            await ref.ask("what?")
        assert await ref.ask(Job("declared", failures=2, error=KeyError)) == "declared 3"

    world.run(body)


def test_a_schedule_with_chance_and_time_is_asked_as_in_a_program(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        seen: list[BaseException] = []

        def look(error: BaseException) -> bool:
            seen.append(error)
            return True

        schedule = exponential(1.0, jitter=0.5).while_(look).up_to(5)
        ref = await system.spawn(Worker, middlewares=[RetryMiddleware(schedule)])
        with pytest.raises(ConnectionError):
            await ref.ask(Job(failures=99))
        assert 3 <= len(CALLS) <= 5
        assert len(seen) == len(CALLS)
        assert all(isinstance(each, ConnectionError) for each in seen)

    world.run(body)


def test_nothing_is_tried_again_for_an_asker_who_has_given_up(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, middlewares=[RetryMiddleware(spaced(2))])
        with pytest.raises(ConnectionError):
            await ref.ask(Job(failures=99), timeout=5)
        assert len(CALLS) == 3
        token = CancellationToken()
        options = SendOptions(cancellation=token)
        asked = asyncio.ensure_future(ref.ask(Job("other", failures=99), options=options))
        await asyncio.sleep(3)
        token.cancel()
        with pytest.raises(AskCancelled):
            await asked
        assert await ref.ask(Job("end")) == "end 1"
        assert names().count("other") == 2

    world.run(body)


def test_what_has_succeeded_under_a_key_is_not_done_again(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        retry = RetryMiddleware(recurs(1))
        for mailbox in (None, MemoryMailbox(5)):
            CALLS.clear()
            ref = await system.spawn(Worker, middlewares=[retry], mailbox=mailbox)
            assert await ref.ask(Job("a", failures=1), options=keyed("k")) == "a 2"
            assert await ref.ask(Job("a"), options=keyed("k")) == "a 2"
            ask = free_ask(ref, Job("b"), options=keyed("k"))
            assert await system.run_free(ask) == "a 2"
            assert await ref.ask(Job("a")) == "a 3"
            assert await ref.ask(Job("a"), options=keyed("l")) == "a 4"
            assert names() == ["a"] * 4

    world.run(body)


def test_what_has_failed_under_a_key_may_be_done_again(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, middlewares=[RetryMiddleware(recurs(0))])
        with pytest.raises(ConnectionError):
            await ref.ask(Job("a", failures=1), options=keyed("k"))
        # It was restarted; the memory outlives that.
        assert await ref.ask(Job("a"), options=keyed("k")) == "a 2"
        with pytest.raises(ValueError, match="b"):
            await ref.ask(Job("b", failures=1, error=ValueError))
        assert await ref.ask(Job("a"), options=keyed("k")) == "a 2"

    world.run(body)


def test_one_who_asks_again_after_a_timeout_gets_the_reply_of_the_first_time(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, middlewares=[RetryMiddleware(recurs(1))])
        with pytest.raises(AskTimeout):
            await ref.ask(Job("pay", seconds=5), timeout=1, options=keyed("order 42"))
        assert await ref.ask(Job("pay", seconds=5), options=keyed("order 42")) == "pay 1"
        assert names() == ["pay"]

    world.run(body)


def test_a_key_may_be_found_in_the_message(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        retry = RetryMiddleware(
            recurs(1), key=lambda _, message: message.name if message.name != "any" else None
        )
        ref = await system.spawn(Worker, middlewares=[retry])
        for _ in range(2):
            assert await ref.ask(Job("a")) == "a 1"
        assert await ref.ask(Job("any")) == "any 1"
        assert await ref.ask(Job("any")) == "any 2"

    world.run(body)


def test_the_memory_of_keys_has_a_bound_and_ends_with_the_actor(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        retry = RetryMiddleware(recurs(1), remember=2)
        ref = await system.spawn(Worker, middlewares=[retry])
        for key in ("a", "b", "a", "c"):  # `b` was used least recently
            await ref.ask(Job(key), options=keyed(key))
        for key in ("a", "c", "b"):
            await ref.ask(Job(key), options=keyed(key))
        assert names() == ["a", "b", "c", "b"]
        assert len(inside(retry)._memories) == 1
        await ref.stop()
        await ref.join()
        assert not inside(retry)._memories
        forgetful = RetryMiddleware(recurs(1), remember=0)
        ref = await system.spawn(Worker, middlewares=[forgetful])
        CALLS.clear()
        for _ in range(2):
            await ref.ask(Job("a"), options=keyed("a"))
        assert names() == ["a", "a"]

    world.run(body)


def test_handlers_that_overlap_do_one_key_once(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        retry = RetryMiddleware(recurs(2))
        ref = await system.spawn(Worker, middlewares=[retry], reentrant=True)
        asks = [free_ask(ref, Job("a", seconds=5), options=keyed("k")) for _ in range(4)]
        assert await system.run_free(gather(asks)) == ["a 1"] * 4
        # The first fails; one of the others takes its place.
        job = Job("b", seconds=5, failures=1, error=ValueError)
        answers = await system.run_free(
            gather([free_ask(ref, job, options=keyed("l")).attempt() for _ in range(3)])
        )
        texts = sorted(str(each) for each in answers)
        assert len([each for each in texts if "b 2" in each]) == 2
        assert names().count("b") == 2

    world.run(body)


class Flaky(Actor[Any]):
    """Fails twice: before its first item, and after it."""

    def __init__(self) -> None:
        self.tried = 0

    @handler
    async def count(self, message: Count) -> AsyncIterator[int]:
        self.tried += 1
        if self.tried == 1:
            raise ConnectionError("before")
        yield 1
        if self.tried == 2:
            raise ConnectionError("after")
        yield 2


def test_a_stream_is_tried_again_only_before_its_first_item(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Flaky, middlewares=[RetryMiddleware(recurs(5))])
        items = ref.ask_stream(Count())
        first = await anext(items)
        with pytest.raises(ConnectionError, match="after"):
            await anext(items)
        whole: ActorRef[Any] = await system.spawn(Flaky, middlewares=[RetryMiddleware(recurs(5))])
        return first, await whole.ask(Count())

    assert world.run(body) == (1, [1, 2])


def test_a_stream_is_not_remembered(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Flaky, middlewares=[RetryMiddleware(recurs(5))])
        whole = await ref.ask(Count(), options=keyed("k"))
        items = [item async for item in ref.ask_stream(Count(), options=keyed("k"))]
        return whole, items, await ref.ask(Count(), options=keyed("k"))

    assert world.run(body) == ([1, 2], [1, 2], [1, 2])


def test_a_message_set_aside_is_not_remembered_as_done(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        timing = TimingMiddleware()
        ref = await system.spawn(Shop, "shop", middlewares=[timing, RetryMiddleware(recurs(1))])
        first = asyncio.ensure_future(ref.ask(Job("a"), options=keyed("k")))
        await asyncio.sleep(1)
        await ref.ask(Open())
        assert await first == "a done"
        assert await ref.ask(Job("a"), options=keyed("k")) == "a done"
        assert names() == ["a", "a"]
        assert timing.snapshot()["/shop"][Job].count == 2

    world.run(body)


# ---------------------------------------------------------------- timings


def test_durations_are_measured_by_actor_and_type(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        timing = TimingMiddleware()
        one = await system.spawn(Worker, "one", middlewares=[timing])
        other = await system.spawn(Shop, "other", middlewares=[timing])
        for seconds in (1, 2, 3, 4, 90):
            await one.ask(Job(f"{seconds}", seconds))
        with pytest.raises(ConnectionError):
            await one.ask(Job("broken", 10, failures=1))
        await other.ask(Open())
        before = timing.snapshot()
        await other.ask(Open())
        assert set(before) == {"/one", "/other"}
        jobs = before["/one"][Job]
        assert (jobs.count, jobs.failed) == (6, 1)
        assert jobs.total == pytest.approx(110, abs=1)
        assert jobs.mean == pytest.approx(110 / 6, abs=0.5)
        assert jobs.longest == pytest.approx(90, abs=0.5)
        assert jobs.median == pytest.approx(3, rel=0.06)
        assert jobs.percentile(99) == jobs.longest
        assert jobs.percentile(0) == pytest.approx(1, rel=0.06)
        assert before["/other"][Open].count == 1
        assert timing.snapshot()["/other"][Open].count == 2
        timing.reset()
        assert timing.snapshot() == {}

    world.run(body)


def test_figures_of_actors_unheard_of_for_long_are_forgotten(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        timing = TimingMiddleware(keep=2)
        refs = [await system.spawn(Worker, name, middlewares=[timing]) for name in "abc"]
        for n in (0, 1, 0, 2):
            await refs[n].ask(Job())
        assert list(timing.snapshot()) == ["/a", "/c"]

    world.run(body)


def test_percentiles_are_exact_to_five_per_cent() -> None:
    counts: Any = timings._Counts()  # pyright: ignore[reportPrivateUsage]
    durations = [n**3 * 1e-6 for n in range(1000)]
    for seconds in durations:
        counts.add(seconds, failed=False)
    timing = counts.value()
    for percent in (1, 10, 50, 90, 99, 99.9):
        exact = durations[int(percent / 100 * 1000) - 1]
        assert exact <= timing.percentile(percent) <= exact * 1.051
    assert timing.percentile(0) == 0.0
    assert timing.percentile(100) == durations[-1]
    assert len(timing.buckets) < 500
    with pytest.raises(ValueError, match="percent must be from 0 to 100, got 101"):
        timing.percentile(101)


# ---------------------------------------------------------------- rate limits


def test_messages_pass_at_their_rate_after_a_burst(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        limit = RateLimitMiddleware(2, burst=3)
        ref = await system.spawn(Worker, middlewares=[limit])
        for n in range(7):
            await ref.tell(Job(str(n)))
        await ref.ask(Job("end"))
        await ref.stop()
        await ref.join()
        assert pauses() == pytest.approx([0, 0, 0.5, 0.5, 0.5, 0.5, 0.5], abs=0.1)

    world.run(body)


def test_a_pause_fills_the_bucket_again_up_to_the_burst(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        limit = RateLimitMiddleware(1, burst=2)
        ref = await system.spawn(Worker, middlewares=[limit])
        for _ in range(3):
            await ref.ask(Job())
        await asyncio.sleep(100)
        for _ in range(3):
            await ref.ask(Job())
        first, second, _, *rest = pauses()
        assert (first, second) == pytest.approx((0, 1), abs=0.1)
        assert rest == pytest.approx([0, 1], abs=0.1)

    world.run(body)


def test_excess_is_dropped_if_so_wished(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        limit = RateLimitMiddleware(1, burst=2, on_excess="drop")
        ref = await system.spawn(Worker, middlewares=[limit])
        assert await ref.ask(Job("a")) == "a 1"
        assert await ref.ask(Job("b")) == "b 1"
        with pytest.raises(MessageDropped, match="more than 1 a second, 2 at once"):
            await ref.ask(Job("c"))
        await ref.tell(Job("d"))
        await asyncio.sleep(1.5)
        assert await ref.ask(Job("e")) == "e 1"
        await ref.stop()
        await ref.join()
        assert names() == ["a", "b", "e"]
        assert [letter.message.name for letter in system.dead_letters] == ["d"]

    world.run(body)


def test_one_whose_turn_comes_after_its_deadline_is_dropped_at_once(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, middlewares=[RateLimitMiddleware(0.1)])
        await ref.ask(Job("a"))
        with pytest.raises(MessageDropped, match="its turn would come after its deadline"):
            await ref.ask(Job("b"), timeout=5)
        assert await ref.ask(Job("c"), timeout=50) == "c 1"
        assert pauses() == pytest.approx([10], abs=0.5)

    world.run(body)


def test_a_turn_that_is_given_up_is_anothers(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, middlewares=[RateLimitMiddleware(0.1)])
        await ref.ask(Job("a"))
        token = CancellationToken()
        asked = asyncio.ensure_future(ref.ask(Job("b"), options=SendOptions(cancellation=token)))
        await asyncio.sleep(5)
        token.cancel()
        with pytest.raises(AskCancelled):
            await asked
        assert await ref.ask(Job("c")) == "c 1"
        assert pauses() == pytest.approx([10], abs=0.5)

    world.run(body)


def test_each_actor_has_its_own_rate_unless_it_is_shared(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        for shared in (False, True):
            CALLS.clear()
            limit = RateLimitMiddleware(1, shared=shared)
            refs = [await system.spawn(Worker, middlewares=[limit]) for _ in range(3)]
            await asyncio.gather(*(ref.ask(Job()) for ref in refs))
            assert pauses() == pytest.approx([1, 1] if shared else [0, 0], abs=0.1)
            for ref in refs:
                await ref.stop()
                await ref.join()
            assert len(inside(limit)._due) == shared

    world.run(body)


def test_a_stop_does_not_wait_for_a_turn(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, middlewares=[RateLimitMiddleware(0.001)])
        await ref.ask(Job("a"))
        await ref.tell(Job("b"))
        await asyncio.sleep(1)
        begun = asyncio.get_running_loop().time()
        await ref.stop("now")
        await ref.join()
        assert asyncio.get_running_loop().time() - begun < 1
        assert names() == ["a"]

    world.run(body)


# ---------------------------------------------------------------- the log


def test_each_message_is_logged_with_its_outcome(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(system: ActorSystem) -> None:
        limit = RateLimitMiddleware(1, burst=9, on_excess="drop")
        ref = await system.spawn(Worker, "w", middlewares=[LoggingMiddleware("shop"), limit])
        await ref.ask(Job("fine", 0.5), options=SendOptions(correlation_id="order 42"))
        with pytest.raises(KeyError):
            await ref.ask(Job("declared", 0, 1, KeyError))
        with pytest.raises(Unhandled):
            await ref.ask("what?")
        token = CancellationToken()
        asked = asyncio.ensure_future(
            ref.ask(Job("cancelled", 5), options=SendOptions(cancellation=token))
        )
        await asyncio.sleep(1)
        token.cancel()
        with pytest.raises(AskCancelled):
            await asked
        with pytest.raises(ConnectionError):
            await ref.ask(Job("broken", failures=1))
        await ref.stop()
        await ref.join()

    with caplog.at_level(logging.INFO, "shop"):
        world.run(body)
    logged = [each for each in caplog.records if each.name == "shop"]
    assert [each.levelname for each in logged] == [
        "INFO",  # starts
        "INFO",
        "INFO",  # replied
        "INFO",
        "INFO",  # a declared failure is a reply
        "INFO",
        "WARNING",  # unhandled
        "INFO",
        "WARNING",  # cancelled
        "INFO",
        "ERROR",
        "WARNING",  # restarts
        "INFO",  # stops
    ]
    texts = [each.getMessage() for each in logged]
    assert texts[0] == "/w starts"
    assert texts[1].startswith("/w <- ask Job('fine'")
    assert texts[2].startswith("/w -> 'fine 1' in 0.5")
    assert "failed with KeyError('declared')" in texts[4]
    assert "raised ConnectionError('broken')" in texts[10]
    facts: Any = logged[2]
    assert facts.effactor["outcome"] == "replied"
    assert facts.effactor["correlation_id"] == "order 42"
    assert facts.effactor["seconds"] == pytest.approx(0.5, abs=0.1)


def test_the_level_of_the_log_is_ones_own(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async def body(system: ActorSystem) -> None:
        quiet = LoggingMiddleware(logging.getLogger("quiet"), level="debug")
        ref = await system.spawn(Worker, "w", middlewares=[quiet])
        await ref.ask(Job("fine"))
        with pytest.raises(ConnectionError):
            await ref.ask(Job("broken", failures=1))

    with caplog.at_level(logging.INFO, "quiet"):
        world.run(body)
    logged = [each for each in caplog.records if each.name == "quiet"]
    assert [each.levelname for each in logged] == ["ERROR", "WARNING"]


# ---------------------------------------------------------------- wrong input


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RetryMiddleware(3), r"schedule must be a Schedule such as spaced"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: RetryMiddleware(recurs(1), on="x"), "on must be types of Exception, got 'x'"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: RetryMiddleware(recurs(1), on=BaseException), "types of Exception, got"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: RetryMiddleware(recurs(1), key="id"), "key must be a function of the context"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: RetryMiddleware(recurs(1), remember=-1), "remember must be at least 0, got -1"),
        (lambda: RetryMiddleware(recurs(1), remember=1.5), "remember must be a whole number"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: TimingMiddleware(0), "keep must be a whole number of at least 1, got 0"),
        (lambda: RateLimitMiddleware(0), "rate must be a finite number > 0, got 0"),
        (lambda: RateLimitMiddleware("5"), "rate must be a number of messages a second"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: RateLimitMiddleware(1, 0), "burst must be at least 1, got 0"),
        (lambda: RateLimitMiddleware(1, 1.5), "burst must be a whole number, got 1.5"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: RateLimitMiddleware(1, 1, "queue"), "on_excess must be one of wait, drop"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: LoggingMiddleware(5), "logger must be a logging.Logger or its name"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: LoggingMiddleware(level="loud"), "level must be a level of logging"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(make: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        make()


def test_a_key_that_cannot_be_remembered_is_its_senders_mistake(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, middlewares=[RetryMiddleware(recurs(1))])
        with pytest.raises(MessageDropped, match=r"must be hashable, is \['k'\]"):
            await ref.ask(Job(), options=keyed(["k"]))
        assert not CALLS

    world.run(body)
