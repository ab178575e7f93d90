"""Programs at once, in time and with resources, beside what asyncio has for the same.

Every alternative asks the same actors. Both sides repeat their one thing in a loop: a
do-block, or a coroutine.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from benchmarks.actors import Awaited, Get, Pause
from benchmarks.lengths import Shape, growth
from benchmarks.measuring import Case, Comparison, Effort, Row, compare, overhead
from effactor import (
    ActorRef,
    ActorSystem,
    Do,
    Program,
    Queue,
    Semaphore,
    bracket,
    fail,
    free_ask,
    free_call,
    free_sleep,
    gather,
    never,
    program,
    pure,
    race,
    recurs,
    traverse,
)

TOPIC = "combinators"

BRANCHES = 1000
LONG = 60.0
"""Seconds that never pass in a benchmark."""

FAILURES = 3


async def rows(effort: Effort) -> list[Row]:
    async with ActorSystem("combinators") as system:
        return [
            *await at_once(effort, system),
            *await first_of_two(effort, system),
            *await limited(effort, system),
            *await forked(effort, system),
            *await secured(effort, system),
            *await coordinated(effort, system),
            *await growth(TOPIC, effort, _SHAPES),
        ]


@program
def again(times: int, part: Callable[[], Program[Any, Any]]) -> Do[None, Any]:
    for _ in range(times):
        yield from part()


async def _repeated(times: int, part: Callable[[], Awaitable[Any]]) -> None:
    for _ in range(times):
        await part()


async def _compared(
    effort: Effort,
    system: ActorSystem,
    operations: int,
    ours: Callable[[], Program[Any, Any]],
    others: dict[str, Callable[[], Coroutine[Any, Any, object]]],
) -> Comparison:
    """Compare a program, as the case "ours", with coroutines that do the same.

    Both sides build what they run anew each time.
    """

    def case(name: str, part: Callable[[], Coroutine[Any, Any, object]]) -> Case:
        return Case(name, operations, partial(_repeated, operations, part))

    return await compare(
        effort,
        Case("ours", operations, lambda: system.run_free(again(operations, ours))),
        *(case(name, part) for name, part in others.items()),
    )


# ------------------------------------------------------------ many at once


async def _pause() -> None:
    await asyncio.sleep(0)


async def at_once(effort: Effort, system: ActorSystem) -> list[Row]:
    rounds = effort.times(10)
    ref = await system.spawn(Awaited)
    message = Get(1)

    def programs(make: Callable[[], Program[Any, Any]]) -> Callable[[], Awaitable[Any]]:
        return lambda: system.run_free(gather([make() for _ in range(BRANCHES)]))

    def coroutines(make: Callable[[], Any]) -> Callable[[], Awaitable[Any]]:
        async def gathered() -> None:
            await asyncio.gather(*[make() for _ in range(BRANCHES)])

        return gathered

    alternatives = {
        "asks": programs(lambda: free_ask(ref, message)),
        "asyncio asks": coroutines(lambda: ref.ask(message)),
        "sleeps": programs(lambda: free_sleep(0)),
        "asyncio sleeps": coroutines(lambda: asyncio.sleep(0)),
        "calls": programs(lambda: free_call(_pause)),
        "asyncio calls": coroutines(_pause),
    }
    measured = await compare(
        effort,
        *(
            Case(name, rounds * BRANCHES, partial(_repeated, rounds, part))
            for name, part in alternatives.items()
        ),
    )
    return [
        overhead(
            TOPIC,
            "gather of 1,000 asks, against asyncio.gather",
            measured,
            "asks",
            "asyncio asks",
            1,
        ),
        overhead(TOPIC, "gather of 1,000 sleeps of 0 s", measured, "sleeps", "asyncio sleeps"),
        overhead(
            TOPIC, "gather of 1,000 free_calls of coroutines", measured, "calls", "asyncio calls"
        ),
    ]


# ------------------------------------------------------------ races


async def _race(*coroutines: Coroutine[Any, Any, Any]) -> Any:
    """Answer what the first answers, when the others have ended too, as `race` does."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in pending:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    return done.pop().result()


async def first_of_two(effort: Effort, system: ActorSystem) -> list[Row]:
    n = effort.times(2_000)
    ref = await system.spawn(Awaited)
    message, pause = Get(1), Pause(1)
    at_once = await _compared(
        effort,
        system,
        n,
        lambda: race(free_ask(ref, message), free_sleep(LONG)),
        {"asyncio": lambda: _race(ref.ask(message), asyncio.sleep(LONG))},
    )
    later = await _compared(
        effort,
        system,
        n,
        lambda: race(free_ask(ref, pause), free_sleep(LONG)),
        {"asyncio": lambda: _race(ref.ask(pause), asyncio.sleep(LONG))},
    )
    return [
        overhead(
            TOPIC,
            "race of an ask and a sleep, against asyncio.wait",
            at_once,
            "ours",
            "asyncio",
            2,
        ),
        overhead(TOPIC, "the same if the handler sleeps 0 s", later, "ours", "asyncio", 2),
    ]


# ------------------------------------------------------------ timeouts


async def limited(effort: Effort, system: ActorSystem) -> list[Row]:
    ref = await system.spawn(Awaited)
    return [
        *await _limited(effort, system, ref, Get(1), "timeout of an ask, against asyncio.timeout"),
        *await _limited(effort, system, ref, Pause(1), "the same if the handler sleeps 0 s"),
    ]


async def _limited(
    effort: Effort,
    system: ActorSystem,
    ref: ActorRef[Get | Pause],
    message: Get | Pause,
    what: str,
) -> list[Row]:
    def one() -> Program[Any, Any]:
        return free_ask(ref, message).timeout(LONG)

    async def within() -> None:
        async with asyncio.timeout(LONG):
            await ref.ask(message)

    async def waiting() -> None:
        await asyncio.wait_for(ref.ask(message), LONG)

    async def running() -> None:
        await system.run_free(one())

    measured = await _compared(
        effort,
        system,
        effort.times(2_000),
        one,
        {"timeout": within, "wait_for": waiting, "run_free": running},
    )
    return [
        overhead(TOPIC, what, measured, "ours", "timeout", 2),
        overhead(TOPIC, "... against asyncio.wait_for", measured, "ours", "wait_for"),
        overhead(
            TOPIC,
            "... each in a run_free of its own, against wait_for",
            measured,
            "run_free",
            "wait_for",
        ),
    ]


# ------------------------------------------------------------ forks


@program
def fork_and_join(part: Program[Any, Any]) -> Do[Any, Any]:
    fiber = yield from part.fork()
    return (yield from fiber.join())


async def forked(effort: Effort, system: ActorSystem) -> list[Row]:
    n = effort.times(5_000)
    ref = await system.spawn(Awaited)
    message = Get(1)

    async def task() -> None:
        await asyncio.create_task(ref.ask(message))

    measured = await _compared(
        effort, system, n, lambda: fork_and_join(free_ask(ref, message)), {"asyncio": task}
    )
    return [overhead(TOPIC, "fork and join of an ask, against a task", measured, "ours", "asyncio")]


# ------------------------------------------------------------ retry, bracket


class Refused(Exception):
    """What `refusing` fails with."""


class _Flaky:
    """Refuses a few times before it accepts."""

    def __init__(self) -> None:
        self.left = FAILURES

    def __call__(self) -> int:
        if not self.left:
            self.left = FAILURES
            return 1
        self.left -= 1
        raise Refused


async def secured(effort: Effort, system: ActorSystem) -> list[Row]:
    n = effort.times(5_000)
    ref = await system.spawn(Awaited)
    message = Get(1)
    ours, theirs = _Flaky(), _Flaky()

    async def loop() -> None:
        for _ in range(FAILURES + 1):
            try:
                theirs()
            except Refused:
                continue
            return

    with_retry = await _compared(
        effort,
        system,
        n,
        lambda: free_call(ours).refine(Refused).retry(recurs(FAILURES)),
        {"loop": loop},
    )

    async def finally_() -> None:
        await ref.ask(message)
        try:
            await ref.ask(message)
        finally:
            await ref.ask(message)

    def ask(_: object = None) -> Program[int, Any]:
        return free_ask(ref, message)

    in_brackets = await _compared(
        effort,
        system,
        n,
        lambda: bracket(ask(), ask, lambda _: ask().attempt()),
        {"finally": finally_},
    )
    return [
        overhead(TOPIC, "retry, three failures, against a loop", with_retry, "ours", "loop"),
        overhead(
            TOPIC, "bracket of three asks, against try/finally", in_brackets, "ours", "finally"
        ),
    ]


# ------------------------------------------------------------ coordination


@program
def through(queue: Queue[int], times: int) -> Do[None, Any]:
    for _ in range(times):
        yield from queue.put(1)
        yield from queue.get()


async def through_asyncio(queue: asyncio.Queue[int], times: int) -> None:
    for _ in range(times):
        await queue.put(1)
        await queue.get()


async def coordinated(effort: Effort, system: ActorSystem) -> list[Row]:
    n = effort.times(5_000)
    ref = await system.spawn(Awaited)
    message = Get(1)
    ours, theirs = Semaphore(1), asyncio.Semaphore(1)

    async def with_permit() -> None:
        async with theirs:
            await ref.ask(message)

    permits = await _compared(
        effort,
        system,
        n,
        lambda: ours.with_permit(free_ask(ref, message)),
        {"asyncio": with_permit},
    )
    items: Queue[int] = Queue()
    other: asyncio.Queue[int] = asyncio.Queue()
    passed = await compare(
        effort,
        Case("ours", n, lambda: system.run_free(through(items, n))),
        Case("asyncio", n, lambda: through_asyncio(other, n)),
    )
    return [
        overhead(TOPIC, "with_permit of an ask, against asyncio", permits, "ours", "asyncio"),
        overhead(TOPIC, "put and get, against asyncio.Queue", passed, "ours", "asyncio"),
    ]


# ------------------------------------------------------------ growth


def gathered(size: int) -> Program[int, Any]:
    return gather([pure(1) for _ in range(size)]).map(sum)


def traversed(size: int) -> Program[int, Any]:
    return traverse(range(size), lambda _: pure(1), concurrency=10).map(sum)


def raced(size: int) -> Program[int, Any]:
    made: Program[int, Any] = pure(size)
    for _ in range(size):
        made = race(made, never())
    return made


def timed(size: int) -> Program[int, Any]:
    made: Program[int, Any] = pure(size)
    for _ in range(size):
        made = made.timeout(LONG)
    return made


@program
def joined(size: int) -> Do[int, Any]:
    total = 0
    for _ in range(size):
        total += yield from fork_and_join(pure(1))
    return total


def retried(size: int) -> Program[int, Any]:
    return fail(Refused()).retry(recurs(size)).lash(lambda _: pure(size))


def repeated(size: int) -> Program[int, Any]:
    return pure(size).repeat(recurs(size))


@program
def bracketed(size: int) -> Do[int, Any]:
    total = 0
    for _ in range(size):
        total += yield from bracket(pure(1), pure, pure)
    return total


def brackets(size: int) -> Program[int, Any]:
    made: Program[int, Any] = pure(size)
    for _ in range(size):
        made = bracket(pure(made), _itself, pure)
    return made


def _itself(inner: Program[int, Any]) -> Program[int, Any]:
    return inner


# What is nested holds a fiber and more for each level, so it stops at 100,000.
_SHAPES = {
    "gather": Shape(gathered),
    "traverse, ten at once": Shape(traversed),
    "races in races": Shape(raced, longest=100_000),
    "timeouts in timeouts": Shape(timed, longest=100_000),
    "fork and join": Shape(joined),
    "retry": Shape(retried),
    "repeat": Shape(repeated),
    "brackets, one after another": Shape(bracketed),
    "brackets in brackets": Shape(brackets),
}
