"""Handlers are ordinary asyncio code: the cell is a task like any other. Live and simulated."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

from effactor import Actor, Program, pure
from effactor.interpreters import ActorSystem

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


class Runs(Actor):
    """Runs any coroutine function in its handler, with itself as the argument."""

    @override
    async def on_receive(self, message: Any) -> Any:
        return await message(self)


async def uses_timeout(_self: Any) -> Any:
    try:
        async with asyncio.timeout(1):
            await asyncio.sleep(50)
    except TimeoutError:
        pass
    try:
        await asyncio.wait_for(asyncio.sleep(50), 1)
    except TimeoutError:
        task = asyncio.current_task()
        assert task is not None
        return "timed out", task.cancelling()


async def uses_task_group(_self: Any) -> Any:
    async def child(n: int) -> int:
        await asyncio.sleep(n)
        return n

    async def bad() -> None:
        raise KeyError

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(child(n)) for n in range(3)]
    answer = [task.result() for task in tasks]
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(bad())
            await asyncio.sleep(50)
    except* KeyError:
        answer.append(99)
    return answer


async def uses_queue_and_lock(_self: Any) -> Any:
    queue: asyncio.Queue[int] = asyncio.Queue(1)
    lock = asyncio.Lock()

    async def produce() -> None:
        for n in range(3):
            async with lock:
                await queue.put(n)

    producer = asyncio.ensure_future(produce())
    got = [await queue.get() for _ in range(3)]
    await producer
    return got


async def uses_gather(_self: Any) -> Any:
    return await asyncio.gather(asyncio.sleep(1, "a"), asyncio.sleep(0, "b"))


async def keeps_its_task(_self: Any) -> Any:
    before = asyncio.current_task()
    await asyncio.sleep(0)
    middle = asyncio.current_task()
    await asyncio.sleep(1)
    return before is middle is asyncio.current_task() is not None


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (uses_timeout, ("timed out", 0)),
        (uses_task_group, [0, 1, 2, 99]),
        (uses_queue_and_lock, [0, 1, 2]),
        (uses_gather, ["a", "b"]),
        (keeps_its_task, True),
    ],
)
def test_handlers_use_asyncio(world: World, function: Any, expected: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Runs)
        inline = await ref.ask(function)
        await ref.tell(function)  # the second time from the mailbox
        mine = asyncio.current_task()
        queued = await ref.ask(function)
        assert asyncio.current_task() is mine
        return inline, queued

    assert world.run(body) == (expected, expected)


def test_context_variables_of_an_actor_are_its_own(world: World) -> None:
    async def exchange(_self: Any) -> str:
        before = variable.get()
        variable.set("actor's")
        await asyncio.sleep(0)
        assert variable.get() == "actor's"
        return before

    async def body(system: ActorSystem) -> Any:
        variable.set("spawner's")
        ref = await system.spawn(Runs)
        first = await ref.ask(exchange)
        assert variable.get() == "spawner's"
        return first, await ref.ask(exchange)

    assert world.run(body) == ("spawner's", "actor's")


def test_an_asker_that_is_cancelled_leaves_the_handler_alone(world: World) -> None:
    done: list[str] = []

    async def works(_self: Any) -> None:
        await asyncio.sleep(5)
        done.append("worked")

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Runs)
        asker = await system.spawn(Runs)

        async def asks(_self: Any) -> str:
            try:
                async with asyncio.timeout(1):
                    await ref.ask(works)
            except TimeoutError:
                return "gave up"
            return "waited"

        # Both kinds of asker: a task, and another actor's handler.
        assert await asks(None) == "gave up"
        await asyncio.sleep(10)
        assert await asker.ask(asks) == "gave up"
        await asyncio.sleep(20)

    world.run(body)
    assert done == ["worked", "worked"]


def test_asks_gather(world: World) -> None:
    async def answer(_self: Any) -> int:
        await asyncio.sleep(1)
        return 7

    async def body(system: ActorSystem) -> Any:
        refs = [await system.spawn(Runs) for _ in range(5)]
        gathered = await asyncio.gather(*[ref.ask(answer) for ref in refs])
        futures = await asyncio.gather(*[ref.ask_nowait(answer) for ref in refs])
        return sum(gathered) + sum(futures)

    assert world.run(body) == 70


def test_awaiting_what_is_no_future_is_an_error_in_the_handler(world: World) -> None:
    class Odd:
        def __await__(self) -> Any:
            yield "nonsense"

    async def awaits_nonsense(_self: Any) -> str:
        try:
            await Odd()
        except RuntimeError as error:
            return str(error)
        return "nothing"

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Runs)
        return await ref.ask(awaits_nonsense)

    assert "nonsense" in world.run(body)


async def test_a_system_serves_many_tasks_fairly() -> None:
    """Asks that never wait must not starve the loop."""
    turns = 0
    stop = False

    async def ticker() -> None:
        nonlocal turns
        while not stop:
            turns += 1
            await asyncio.sleep(0)

    class Quick(Actor):
        @override
        def on_receive(self, message: int) -> int:
            return message

    async with ActorSystem() as system:
        ref = await system.spawn(Quick)
        clock = iter(range(10**9))
        # A clock of our own: each look at it takes a millisecond.
        system.world.clock = lambda: next(clock) / 1000  # type: ignore[method-assign]
        ticking = asyncio.ensure_future(ticker())
        for n in range(400):
            assert await ref.ask(n) == n
        stop = True
        await ticking
    assert turns > 20


async def test_self_tells_do_not_starve_the_loop() -> None:
    class Restless(Actor):
        count = 0

        @override
        def on_receive(self, message: int) -> None:
            self.count += 1
            self.context.self_ref.tell_nowait(message)

    async with ActorSystem() as system:
        ref = await system.spawn(Restless)
        await ref.tell(1)
        for _ in range(10):
            await asyncio.sleep(0)
        await ref.stop("now")
        await ref.join()


async def test_an_idle_actor_answers_on_the_askers_stack() -> None:
    """The fast path exists: no turn of the loop passes."""

    class Answers(Actor):
        @override
        async def on_receive(self, message: int) -> int:
            return message

    async with ActorSystem() as system:
        ref = await system.spawn(Answers)
        system.deadline = float("inf")  # whatever the machine is doing
        coroutine = ref.ask(3)
        with pytest.raises(StopIteration) as stop:
            coroutine.send(None)
        assert stop.value.value == 3


async def test_a_system_belongs_to_one_loop() -> None:
    import threading

    system = ActorSystem("mine")
    async with system:
        errors: list[str] = []

        def elsewhere() -> None:
            try:
                asyncio.run(system.spawn(Runs))
            except RuntimeError as error:
                errors.append(str(error))

        thread = threading.Thread(target=elsewhere)
        thread.start()
        await asyncio.to_thread(thread.join)
    assert errors == [
        (
            "the actor system 'mine' belongs to another event loop: call ref.tell_threadsafe or "
            "ref.ask_threadsafe, or make a system for each loop"
        )
    ]


def test_a_system_may_be_made_before_the_loop_runs() -> None:
    system = ActorSystem("early")

    async def main() -> str:
        async with system:
            ref = await system.spawn(Runs, "a")

            async def answer(_self: Any) -> str:
                return "here"

            return str(await ref.ask(answer))

    assert asyncio.run(main()) == "here"


@pytest.mark.parametrize("name", ["", "a/b", 3])
def test_a_bad_system_name_is_refused(name: Any) -> None:
    with pytest.raises(ValueError, match="name must be a text without slashes"):
        ActorSystem(name)


async def test_a_handler_that_exits_the_process_is_not_supervised() -> None:
    class Exits(Actor):
        @override
        def on_receive(self, message: str) -> None:
            raise SystemExit(3)

    async with ActorSystem() as system:
        ref = await system.spawn(Exits)
        system.deadline = float("inf")  # on this stack: in the loop it would end the tests
        with pytest.raises(SystemExit):
            await ref.ask("x")
        assert not ref.is_alive


async def test_a_program_without_waits_ends_with_its_actor_that_crashed() -> None:
    turns = 0

    class Busy(Actor):
        @override
        def on_receive(self, message: str) -> Program[None]:
            def again(_: None) -> Program[None]:
                nonlocal turns
                turns += 1
                return pure(None).bind(again) if turns < 1_000_000 else pure(None)

            return pure(None).bind(again)

    class Exits(Actor):
        @override
        async def on_started(self) -> None:
            await (await self.context.spawn(Busy)).tell("work")

        @override
        def on_receive(self, message: str) -> None:
            raise SystemExit(3)

    async with ActorSystem() as system:
        ref = await system.spawn(Exits)
        for _ in range(3):
            await asyncio.sleep(0)
        system.deadline = float("inf")  # as above
        with pytest.raises(SystemExit):
            await ref.ask("x")
        done = turns
        for _ in range(10):
            await asyncio.sleep(0)
        assert 0 < turns == done < 1_000_000


def test_a_handler_that_cancels_itself_in_its_first_step_is_cancelled(world: World) -> None:
    async def cancels_itself(_self: Runs) -> str:
        task = asyncio.current_task()
        assert task is not None
        for pause in (50, 0):
            task.cancel()
            try:
                await asyncio.sleep(pause)
            except asyncio.CancelledError:
                task.uncancel()
                await asyncio.sleep(1)  # once, and not again
            else:
                return "slept"
        return "cancelled"

    async def cancels_and_ends(_self: Runs) -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return "ended"

    async def sleeps(_self: Runs) -> str:
        await asyncio.sleep(1)
        return "slept"

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Runs)
        if world.name == "tasks":
            return ["cancelled", "slept"]  # a real task, which others may not share
        return [
            await ref.ask(cancels_itself),
            await ref.ask(cancels_and_ends),
            await ref.ask(sleeps),
        ][::2]

    assert world.run(body) == ["cancelled", "slept"]


def test_a_wrong_timeout_is_refused_before_anything_is_sent(world: World) -> None:
    seen: list[str] = []

    async def handles(_self: Runs) -> None:
        seen.append("handled")

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Runs)
        with pytest.raises(ValueError, match="timeout must be a finite number of seconds >= 0"):
            await ref.ask(handles, timeout=-1)
        with pytest.raises(ValueError, match="timeout must be a finite number of seconds >= 0"):
            await ref.ask_nowait(handles, timeout=-1)
        await asyncio.sleep(1)

    world.run(body)
    assert seen == []
