"""What queues, deferreds, semaphores and states mean, in every world."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from returns.pipeline import is_successful
from typing_extensions import TypeVar
from worlds import World

from effactor import (
    Actor,
    ActorSystem,
    Deadlock,
    Deferred,
    Died,
    Directive,
    Do,
    FailedWith,
    Message,
    OneForOneStrategy,
    Program,
    Queue,
    Semaphore,
    State,
    Succeeded,
    fail,
    free_ask,
    free_call,
    free_sleep,
    handler,
    program,
    pure,
)
from effactor.interpreters import Simulation, simulate
from effactor.programs.parallel import gather
from effactor.programs.racing import race
from effactor.programs.zipping import zip_

A = TypeVar("A")

log: list[Any] = []
nothing: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


class Lost(Exception):
    """A failure of these tests."""


def note(value: Any) -> Program[None]:
    return free_call(log.append, value)


def started(system: ActorSystem, value: Program[Any, Any]) -> asyncio.Future[Any]:
    """Run a program beside the test, beginning now."""

    async def main() -> Any:
        return await system.run_free(value)

    return asyncio.ensure_future(main())


async def rest(system: ActorSystem) -> None:
    """Let everything go on that can without time passing."""
    await system.run_free(free_sleep(0.001))


def interrupt_latest(system: ActorSystem) -> None:
    """Interrupt the run that began last, before it has another turn."""
    next(reversed(system.runs)).fiber.interrupt()


async def cancelled(task: asyncio.Future[Any]) -> bool:
    """Wait for the end of a run, and say whether it was interrupted."""
    await asyncio.wait([task])
    return task.cancelled()


def finished(world: World, body: Callable[[ActorSystem], Awaitable[A]]) -> A:
    """Run a test to its end, which on a virtual clock is never far away."""

    async def in_time(system: ActorSystem) -> A:
        async with asyncio.timeout(10_000):
            return await body(system)

    # A simulation notices by itself that nothing can go on.
    return world.run(body if world.name.startswith("simulated") else in_time)


def run(world: World, value: Program[Any, Any]) -> Any:
    async def body(system: ActorSystem) -> Any:
        return await system.run_free(value)

    return finished(world, body)


# ------------------------------------------------------------ deferreds


def test_who_gets_a_deferred_waits_for_its_completion(world: World) -> None:
    async def body(system: ActorSystem) -> list[Any]:
        ready: Deferred[int] = Deferred()
        waiters = [started(system, ready.get().tap(note)) for _ in range(3)]
        await rest(system)
        before = list(log)
        answers = [
            await system.run_free(ready.is_done()),
            await system.run_free(ready.succeed(7)),
            await system.run_free(ready.succeed(8)),
            await system.run_free(ready.is_done()),
            await system.run_free(ready.get()),
        ]
        return [before, answers, await asyncio.gather(*waiters)]

    assert finished(world, body) == [[], [False, True, False, True, 7], [7, 7, 7]]


def test_a_deferred_fails_for_everybody_who_gets_it(world: World) -> None:
    async def body(system: ActorSystem) -> list[Any]:
        ready: Deferred[int, Lost] = Deferred()
        error = Lost("gone")
        early = started(system, ready.get().exit())
        await rest(system)
        first = await system.run_free(ready.fail(error))
        second = await system.run_free(ready.succeed(1))
        late = await system.run_free(ready.get().exit())
        assert await early == late == FailedWith(error)
        return [first, second]

    assert finished(world, body) == [True, False]


def test_an_interrupted_waiter_of_a_deferred_is_forgotten(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ready: Deferred[int] = Deferred()
        one, other = started(system, ready.get()), started(system, ready.get())
        await rest(system)
        one.cancel()
        assert await cancelled(one)
        await system.run_free(ready.succeed(1))
        return await other

    assert finished(world, body) == 1


# ------------------------------------------------------------ queues


def test_getters_are_served_in_the_order_they_came(world: World) -> None:
    async def body(system: ActorSystem) -> list[Any]:
        queue: Queue[str] = Queue()
        getters = [started(system, queue.get()) for _ in range(3)]
        await rest(system)
        for item in "abc":
            await system.run_free(queue.put(item))
        return list(await asyncio.gather(*getters))

    assert finished(world, body) == ["a", "b", "c"]


@program
def put_all(queue: Queue[Any], items: Any) -> Do[None]:
    for item in items:
        yield from queue.put(item)
        yield from note(f"put {item}")


@program
def take(queue: Queue[Any], number: int) -> Do[list[Any]]:
    items: list[Any] = []
    for _ in range(number):
        items.append((yield from queue.get()))  # noqa: PERF401 - no comprehension may yield
    return items


def test_a_put_waits_while_the_queue_is_full(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        queue: Queue[int] = Queue(capacity=2)
        putter = started(system, put_all(queue, range(4)))
        await rest(system)
        assert log == ["put 0", "put 1"]
        assert await system.run_free(queue.size()) == 2
        assert await system.run_free(queue.get()) == 0
        await rest(system)
        assert log == ["put 0", "put 1", "put 2"]
        assert await system.run_free(take(queue, 3)) == [1, 2, 3]
        await putter
        assert await system.run_free(queue.empty())

    finished(world, body)


def test_putters_are_let_in_in_the_order_they_came_whatever_their_priority(world: World) -> None:
    async def body(system: ActorSystem) -> list[Any]:
        queue: Queue[str] = Queue(1, "priority")
        putting: list[asyncio.Future[Any]] = []
        await system.run_free(queue.put("first"))
        for item, priority in (("b", 2), ("c", 0), ("a", 1)):
            putting.append(started(system, queue.put(item, priority)))
            await rest(system)
        return await system.run_free(take(queue, 4))

    assert finished(world, body) == ["first", "b", "c", "a"]


def test_the_smallest_priority_is_taken_first_and_equal_ones_in_order(world: World) -> None:
    @program
    def both() -> Do[list[str]]:
        queue: Queue[str] = Queue(order="priority")
        for item, priority in (("late", 9), ("a", 1), ("b", 1), ("now", -1.5)):
            yield from queue.put(item, priority)
        return (yield from take(queue, 4))

    assert run(world, both()) == ["now", "a", "b", "late"]


def test_join_waits_until_every_job_is_done(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        queue: Queue[int] = Queue()
        await system.run_free(queue.join())  # nothing was ever put
        await system.run_free(queue.put(1).then(queue.put(2)))
        joiner = started(system, queue.join().then(note("joined")))
        await system.run_free(take(queue, 2))
        await system.run_free(queue.done())
        await rest(system)
        assert log == []  # the queue is empty, and one job is in hand
        await system.run_free(queue.done())
        await joiner
        assert log == ["joined"]

    finished(world, body)


def test_a_job_counts_as_done_however_it_ends(world: World) -> None:
    def work(job: str) -> Program[str, Lost]:
        if job == "raises at once":
            raise KeyError(job)
        if job == "dies":
            return free_call(nothing.__getitem__, job)
        if job == "fails":
            return fail(Lost(job))
        if job == "hangs":
            return free_sleep(1000).map(str)
        return pure(job)

    async def body(system: ActorSystem) -> None:
        queue: Queue[str] = Queue()
        exits: list[Any] = []
        for job in ("answers", "fails", "dies", "raises at once"):
            await system.run_free(queue.put(job))
            exits.append(await system.run_free(queue.process(work).exit()))
            await system.run_free(queue.join())
        assert exits[0] == Succeeded("answers")
        assert [type(exit_) for exit_ in exits[1:]] == [FailedWith, Died, Died]
        await system.run_free(queue.put("hangs"))
        task = started(system, queue.process(work))
        await rest(system)
        assert await system.run_free(queue.size()) == 0
        task.cancel()
        assert await cancelled(task)
        await system.run_free(queue.join())

    finished(world, body)


@pytest.mark.parametrize("before", [0, 1])
def test_one_done_too_many_is_a_defect_that_says_so(world: World, before: int) -> None:
    @program
    def jobs() -> Do[None]:
        queue: Queue[int] = Queue(name="jobs")
        for number in range(before):
            yield from queue.put(number)
            yield from queue.get()
            yield from queue.done()
        yield from queue.put(1)  # a job that nobody has taken cannot be done
        yield from queue.done()

    with pytest.raises(RuntimeError, match="no item of queue 'jobs' is in hand: call it once for"):
        run(world, jobs())


def test_an_interrupted_getter_leaves_its_items_to_others(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        queue: Queue[int] = Queue()
        one, other = started(system, queue.get()), started(system, queue.get())
        await rest(system)
        one.cancel()
        assert await cancelled(one)
        await system.run_free(queue.put(1))
        return await other

    assert finished(world, body) == 1


def test_an_item_handed_to_an_interrupted_getter_goes_to_the_next_one(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        queue: Queue[int] = Queue()
        other = started(system, free_sleep(0.5).then(queue.get()))
        one = started(system, queue.get())
        await rest(system)
        await system.run_free(queue.put(1))  # it is handed over, and `one` has yet to go on
        assert await system.run_free(queue.size()) == 0
        interrupt_latest(system)
        assert await cancelled(one)
        assert await system.run_free(queue.size()) == 1
        await system.run_free(queue.put(2))
        assert await other == 1  # it is the first again
        assert await system.run_free(queue.get()) == 2

    finished(world, body)


def test_an_interrupted_getter_hands_on_to_one_who_waits_behind_it(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        queue: Queue[int] = Queue()
        one, other = started(system, queue.get()), started(system, queue.get())
        await rest(system)
        first = next(iter(system.runs)).fiber
        await system.run_free(queue.put(1))
        first.interrupt()
        assert await cancelled(one)
        assert await other == 1

    finished(world, body)


def test_an_interrupted_putter_has_put_nothing(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        queue: Queue[int] = Queue(capacity=1)
        await system.run_free(queue.put(0))
        one = started(system, queue.put(1))
        await rest(system)
        one.cancel()
        assert await cancelled(one)
        assert await system.run_free(queue.get()) == 0
        assert await system.run_free(queue.empty())
        await system.run_free(queue.done().then(queue.join()))

    finished(world, body)


def test_a_putter_that_was_let_in_and_interrupted_has_put_nothing(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        queue: Queue[int] = Queue(capacity=1)
        await system.run_free(queue.put(0))
        one = started(system, queue.put(1))
        await rest(system)
        fiber = next(reversed(system.runs)).fiber
        other = started(system, queue.put(2))
        await rest(system)
        await system.run_free(queue.get())  # lets `one` in, which has yet to go on
        fiber.interrupt()
        assert await cancelled(one)
        await other
        assert await system.run_free(queue.get()) == 2

    finished(world, body)


def test_an_item_that_somebody_has_taken_stays_put(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        queue: Queue[int] = Queue(capacity=1)
        await system.run_free(queue.put(0))
        one = started(system, queue.put(1))
        await rest(system)
        fiber = next(reversed(system.runs)).fiber
        assert await system.run_free(take(queue, 2)) == [0, 1]
        fiber.interrupt()
        assert await cancelled(one)
        assert await system.run_free(queue.empty())

    finished(world, body)


def test_a_job_handed_to_an_interrupted_worker_is_there_again(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        queue: Queue[int] = Queue()
        worker = started(system, queue.process(note))
        await rest(system)
        await system.run_free(queue.put(1))
        interrupt_latest(system)
        assert await cancelled(worker)
        assert log == []
        assert await system.run_free(queue.size()) == 1
        await system.run_free(queue.process(note))
        assert log == [1]
        await system.run_free(queue.join())

    finished(world, body)


@pytest.mark.parametrize("when", range(8))
def test_no_job_is_lost_whenever_a_worker_is_interrupted(world: World, when: int) -> None:
    """The worker takes jobs that come at 0.1, 0.3, ... s and take 0.1 s each."""

    @program
    def job(number: int) -> Do[None]:
        yield from note(number)
        yield from free_sleep(0.1)

    @program
    def worker(queue: Queue[int]) -> Do[None]:
        while True:
            yield from queue.process(job)

    @program
    def producer(queue: Queue[int]) -> Do[None]:
        for number in range(4):
            yield from free_sleep(0.1 if number == 0 else 0.2)
            yield from queue.put(number)

    async def body(system: ActorSystem) -> None:
        queue: Queue[int] = Queue(capacity=1)
        first = started(system, worker(queue))
        producing = started(system, producer(queue))
        await system.run_free(free_sleep(0.05 + when / 10))
        first.cancel()
        assert await cancelled(first)
        second = started(system, worker(queue))
        await producing
        await system.run_free(queue.join())
        second.cancel()
        assert await cancelled(second)

    finished(world, body)
    assert log == [0, 1, 2, 3]


# ------------------------------------------------------------ semaphores


def test_no_more_programs_run_at_once_than_there_are_permits(world: World) -> None:
    @program
    def busy(number: int) -> Do[int]:
        log.append(1)
        most.append(len(log))
        yield from free_sleep(0.1)
        log.pop()
        return number

    most: list[int] = []

    async def body(system: ActorSystem) -> list[int]:
        two = Semaphore(2)
        tasks = [started(system, two.with_permit(busy(number))) for number in range(5)]
        answers = await asyncio.gather(*tasks)
        assert await system.run_free(two.available()) == 2
        return list(answers)

    assert finished(world, body) == [0, 1, 2, 3, 4]
    assert max(most) == 2


def test_permits_come_back_however_the_program_ends(world: World) -> None:
    @program
    def ends() -> Do[list[int]]:
        two = Semaphore(2)
        left: list[int] = []
        sources: list[Program[Any, Any]] = [
            pure(1),
            fail(Lost()),
            free_call(nothing.__getitem__, "1"),
            two.with_permit(two.available().tap(note)),
        ]
        for source in sources:
            yield from two.with_permits(1)(source).exit()
            left.append((yield from two.available()))
        return left

    assert run(world, ends()) == [2, 2, 2, 2]
    assert log == [0]


def test_a_large_request_is_not_starved_by_small_ones(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        three = Semaphore(3)
        held: Deferred[None] = Deferred()
        holder = started(system, three.with_permits(2)(held.get()))
        await rest(system)
        large = started(system, three.with_permits(3)(note("large")))
        await rest(system)
        small = started(system, three.with_permit(note("small")))
        await rest(system)
        assert await system.run_free(three.available()) == 1  # and yet `small` waits
        assert log == []
        await system.run_free(held.succeed(None))
        await asyncio.gather(holder, large, small)

    finished(world, body)
    assert log == ["large", "small"]


def test_those_behind_an_interrupted_large_request_need_wait_no_longer(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        two = Semaphore(2)
        held: Deferred[None] = Deferred()
        holder = started(system, two.with_permit(held.get()))
        await rest(system)
        large = started(system, two.with_permits(2)(note("large")))
        await rest(system)
        small = started(system, two.with_permit(note("small")))
        await rest(system)
        large.cancel()
        assert await cancelled(large)
        await small
        assert log == ["small"]
        await system.run_free(held.succeed(None))
        await holder
        assert await system.run_free(two.available()) == 2

    finished(world, body)


def test_permits_handed_to_an_interrupted_program_go_to_the_next_one(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        one = Semaphore(1)
        held: Deferred[None] = Deferred()
        fibers: list[Any] = []

        def interrupt_second() -> None:
            fibers[0].interrupt()

        # Its release hands the permit to `second`, which is interrupted before its turn.
        holding = one.with_permit(held.get()).then(free_call(interrupt_second))
        holder = started(system, holding)
        await rest(system)
        second = started(system, one.with_permit(note("second")))
        await rest(system)
        fibers.append(next(reversed(system.runs)).fiber)
        third = started(system, one.with_permit(note("third")))
        await rest(system)
        await system.run_free(held.succeed(None))
        await holder
        assert await cancelled(second)
        await third
        assert log == ["third"]
        assert await system.run_free(one.available()) == 1

    finished(world, body)


@pytest.mark.parametrize("when", range(10))
def test_no_permit_is_lost_whenever_one_is_interrupted(world: World, when: int) -> None:
    async def body(system: ActorSystem) -> int:
        three = Semaphore(3)
        tasks = [
            started(system, three.with_permits(1 + number % 3)(free_sleep(0.1)))
            for number in range(7)
        ]
        await system.run_free(free_sleep(0.001 + when * 0.05))
        for task in tasks[::2]:
            task.cancel()
        await asyncio.wait(tasks)
        return await system.run_free(three.available())

    assert finished(world, body) == 3


# ------------------------------------------------------------ states

visits = State("visits", 0)
seen = State("seen", 0, per="actor")


def add_one(number: int) -> int:
    return number + 1


def test_a_state_begins_anew_in_each_run(world: World) -> None:
    @program
    def count() -> Do[list[int]]:
        first = yield from visits.get()
        yield from visits.put(10)
        second = yield from visits.modify(add_one)
        return [first, second, (yield from visits.get())]

    async def body(system: ActorSystem) -> list[Any]:
        return [await system.run_free(count()), await system.run_free(count())]

    assert finished(world, body) == [[0, 11, 11], [0, 11, 11]]


def test_outside_of_actors_the_run_is_the_actor(world: World) -> None:
    async def body(system: ActorSystem) -> list[int]:
        twice = seen.modify(add_one).then(seen.modify(add_one))
        return [await system.run_free(twice), await system.run_free(twice)]

    assert finished(world, body) == [2, 2]


def test_states_of_the_same_name_are_the_same_only_if_they_are_equal(world: World) -> None:
    @program
    def count() -> Do[list[int]]:
        yield from State("visits", 0).put(1)
        other = yield from State("visits", 5).get()
        of_actor = yield from State("visits", 0, per="actor").get()
        return [(yield from visits.get()), other, of_actor]

    assert run(world, count()) == [1, 5, 0]


def test_a_failure_or_a_defect_rolls_no_state_back(world: World) -> None:
    @program
    def count() -> Do[int]:
        yield from visits.put(1).then(fail(Lost())).exit()
        yield from visits.modify(lambda n: 1 // (n - 1)).exit()
        return (yield from visits.get())

    assert run(world, count()) == 1


def test_a_function_that_makes_a_program_is_no_modification(world: World) -> None:
    wrong: Any = pure
    with pytest.raises(TypeError, match=r"modify: function must return the new value of state 'vi"):
        run(world, visits.modify(wrong))


@dataclass(frozen=True)
class Visit(Message[tuple[int, int]]):
    pass


@dataclass(frozen=True)
class Break(Message[None]):
    pass


class Counter(Actor[Visit | Break]):
    """Counts visits in states of both kinds."""

    @handler
    @program
    def visit(self, message: Visit) -> Do[tuple[int, int]]:
        here = yield from visits.modify(add_one)
        ever = yield from seen.modify(add_one)
        return here, ever

    @handler
    def break_down(self, message: Break) -> None:
        raise Lost


def test_a_state_of_an_actor_lives_as_long_as_its_instance(world: World) -> None:
    async def body(system: ActorSystem) -> list[Any]:
        one, other = await system.spawn(Counter), await system.spawn(Counter)
        before = [await one.ask(Visit()) for _ in range(3)]
        elsewhere = await other.ask(Visit())
        with pytest.raises(Lost):
            await one.ask(Break())
        return [before, elsewhere, await one.ask(Visit())]

    assert finished(world, body) == [[(1, 1), (1, 2), (1, 3)], (1, 1), (1, 1)]


def test_an_actor_that_resumes_after_an_error_keeps_its_states(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        keep = OneForOneStrategy(decider=lambda _error: Directive.RESUME)
        system.strategy = keep
        one = await system.spawn(Counter)
        await one.ask(Visit())
        with pytest.raises(Lost):
            await one.ask(Break())
        return await one.ask(Visit())

    assert finished(world, body) == (1, 2)


def test_a_program_run_inside_of_a_handler_has_the_states_of_its_actor(world: World) -> None:
    class Runner(Actor[Visit]):
        @handler
        async def visit(self, message: Visit) -> tuple[int, int]:
            first = await self.context.system.run_free(seen.modify(add_one))
            second = await self.context.system.run_free(visits.modify(add_one))
            return second, first

    async def body(system: ActorSystem) -> list[Any]:
        ref = await system.spawn(Runner)
        return [await ref.ask(Visit()), await ref.ask(Visit())]

    assert finished(world, body) == [(1, 1), (1, 2)]


def test_branches_and_forks_share_the_state_of_their_run_and_a_failed_one_rolls_nothing_back(
    world: World,
) -> None:
    @program
    def count() -> Do[list[int]]:
        lost = visits.modify(add_one).then(fail(Lost())).exit()
        slow = free_sleep(0.1).then(visits.modify(add_one))
        yield from gather([lost, slow, seen.put(5)])
        fiber = yield from visits.modify(add_one).fork()
        joined = yield from fiber.join()
        return [joined, (yield from visits.get()), (yield from seen.get())]

    assert run(world, count()) == [3, 3, 5]


# ------------------------------------------------------------ races and timeouts


def test_the_loser_of_a_race_takes_nothing(world: World) -> None:
    @program
    def both() -> Do[list[Any]]:
        one: Queue[int] = Queue()
        other: Queue[int] = Queue()
        feeding = free_sleep(0.1).then(one.put(1)).then(other.put(2))
        gets = [one.get(), other.get()]
        _, first = yield from zip_(feeding, race(*gets))
        return [first, (yield from other.size())]

    assert run(world, both()) == [1, 1]


def test_a_get_that_timed_out_takes_nothing(world: World) -> None:
    @program
    def late() -> Do[list[Any]]:
        queue: Queue[int] = Queue(capacity=1)
        nothing_came = yield from queue.get().timeout(1).attempt()
        yield from queue.put(1)
        no_room = yield from queue.put(2).timeout(1).attempt()
        outcomes = [is_successful(nothing_came), is_successful(no_room)]
        return [*outcomes, (yield from queue.get()), (yield from queue.size())]

    assert run(world, late()) == [False, False, 1, 0]


def test_workers_of_one_program_finish_all_jobs(world: World) -> None:
    @program
    def job(number: int) -> Do[int, Lost]:
        yield from free_sleep(0.1)
        if number % 3 == 0:
            yield from fail(Lost())
        return number

    @program
    def worker(queue: Queue[int]) -> Do[None]:
        while True:
            yield from queue.process(job).tap(note).attempt()

    @program
    def all_jobs() -> Do[int]:
        queue: Queue[int] = Queue(capacity=2)
        for _ in range(3):
            yield from worker(queue).fork()
        for number in range(7):
            yield from queue.put(number)
        yield from queue.join()
        return (yield from queue.size())

    assert run(world, all_jobs()) == 0
    assert sorted(log) == [1, 2, 4, 5]


# ------------------------------------------------------------ among actors and systems


@dataclass(frozen=True)
class Take(Message[int]):
    queue: Queue[int]


class Taker(Actor[Take]):
    """Takes an item, whenever it comes."""

    @handler
    def take(self, message: Take) -> Program[int]:
        return message.queue.get()


def test_actors_and_runs_share_a_queue_that_travels_in_a_message(world: World) -> None:
    async def body(system: ActorSystem) -> int:
        queue: Queue[int] = Queue()
        ref = await system.spawn(Taker)
        asked = started(system, free_ask(ref, Take(queue)))
        await system.run_free(queue.put(5))
        answer: int = await asked
        return answer

    assert finished(world, body) == 5


def test_an_actor_that_is_stopped_while_it_waits_takes_nothing(world: World) -> None:
    async def body(system: ActorSystem) -> int:
        queue: Queue[int] = Queue()
        ref = await system.spawn(Taker)
        asked = started(system, free_ask(ref, Take(queue)).attempt())
        await system.run_free(free_sleep(1))
        await ref.stop("now")
        await ref.join()
        await asked
        await system.run_free(queue.put(5))
        return await system.run_free(queue.size())

    assert finished(world, body) == 1


def test_two_systems_do_not_share_what_is_in_a_queue() -> None:
    queue: Queue[int] = Queue()

    async def body(system: ActorSystem) -> None:
        async with ActorSystem("other") as other:
            await system.run_free(queue.put(1))
            assert await other.run_free(queue.size()) == 0
            assert await system.run_free(queue.size()) == 1

    async def main() -> None:
        async with ActorSystem("one") as system:
            await body(system)

    asyncio.run(main())


def test_the_same_value_simulated_twice_begins_empty() -> None:
    queue: Queue[int] = Queue(capacity=1)
    once = queue.put(1).then(queue.size())
    assert [simulate(once).value, simulate(once).value] == [1, 1]


def test_a_handle_that_nobody_holds_is_forgotten() -> None:
    @program
    def many() -> Do[None]:
        for _ in range(5):
            queue: Queue[int] = Queue()
            yield from queue.put(1)

    async def main() -> int:
        async with ActorSystem("one") as system:
            await system.run_free(many())
            gc.collect()
            return len(system.coordination)

    assert asyncio.run(main()) == 0


# ------------------------------------------------------------ simulated


def test_a_simulation_that_waits_for_ever_says_for_what() -> None:
    queue: Queue[int] = Queue(capacity=1, name="jobs")
    ready: Deferred[int] = Deferred()
    one = Semaphore(1, name="db")
    waits: list[tuple[Program[Any], str]] = [
        (queue.get(), "an item of queue 'jobs'"),
        (queue.put(1).then(queue.put(2)), "room in queue 'jobs'"),
        (queue.put(1).then(queue.join()), "the end of 1 job of queue 'jobs'"),
        (ready.get(), "the completion of a deferred"),
        (one.with_permit(one.with_permit(pure(1))), "1 permit of semaphore 'db'"),
    ]
    for value, text in waits:
        error = simulate(value).error
        assert isinstance(error, Deadlock)
        assert error.waiting[0].endswith(f"waits for {text}")


def test_a_trace_has_what_is_done_with_queues_and_the_like() -> None:
    queue: Queue[int] = Queue(name="jobs")
    run = simulate(queue.put(1).then(queue.get()).then(visits.put(2)))
    said = [r.subject.describe() for r in run.trace.records if r.kind == "coordinate"]
    assert said == [
        "put 1 into queue 'jobs'",
        "get from queue 'jobs'",
        "put 2 into state 'visits'",
    ]
    assert "put 1 into queue" in run.trace.to_mermaid()
    assert '"kind": "coordinate"' in run.trace.to_json()


def test_a_crashed_actor_is_handed_nothing() -> None:
    def scenario(sim: Simulation) -> None:
        queue: Queue[int] = Queue()
        ref = sim.spawn(Taker, "taker")
        ref.tell_nowait(Take(queue))
        sim.advance(1)
        sim.crash(ref)
        sim.run(queue.put(5))
        assert sim.run(queue.get()) == 5

    run = simulate(scenario)
    assert run.error is None
