"""How actors start, fail, restart and stop, in every world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from typing_extensions import override
from worlds import ImpatientLoop, World

from effactor import (
    Actor,
    ActorNotFound,
    ActorStopped,
    AskFailed,
    Deadlock,
    Directive,
    Do,
    HandlerFailed,
    MemoryMailbox,
    Message,
    NameTaken,
    OneForOneStrategy,
    Timeout,
    events,
    free_ask,
    free_join,
    free_log,
    free_lookup,
    free_sleep,
    free_spawn,
    free_stop,
    free_tell,
    handler,
    program,
)
from effactor.interpreters import ActorSystem

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


@dataclass(frozen=True)
class Job(Message[Any]):
    what: str
    arg: Any = None


class Worker(Actor[Job]):
    """Logs its life."""

    def __init__(self, name: str = "w") -> None:
        self.name = name
        self.count = 0
        log.append(f"{name} made")

    @override
    def on_started(self) -> None:
        log.append(f"{self.name} started")

    @override
    def on_stopped(self) -> None:
        log.append(f"{self.name} stopped")

    @override
    def on_restart(self, error: BaseException) -> None:
        log.append(f"{self.name} restarted after {error}")

    @handler
    async def do(self, message: Job) -> Any:
        match message.what:
            case "count":
                self.count += 1
                return self.count
            case "crash":
                raise ValueError("boom")
            case "sleep":
                try:
                    await asyncio.sleep(message.arg)
                finally:
                    log.append(f"{self.name} slept")
                return "slept"
            case "spawn":
                return await self.context.spawn(lambda: Worker(message.arg), message.arg)
            case "children":
                return list(self.context.children)
            case "stop":
                await self.context.self_ref.stop(message.arg)
                return "stopping"
            case what:
                raise AssertionError(what)


class AsyncWorker(Worker):
    """The same with hooks that wait."""

    @override
    async def on_started(self) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        await asyncio.sleep(1)
        super().on_started()

    @override
    async def on_stopped(self) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        await asyncio.sleep(1)
        super().on_stopped()

    @override
    async def on_restart(self, error: BaseException) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        await asyncio.sleep(1)
        super().on_restart(error)


class FreeWorker(Worker):
    """The same with hooks that are programs."""

    @override
    @program
    def on_started(self) -> Do[None]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        yield from free_log("debug", "started")
        super().on_started()

    @override
    @program
    def on_stopped(self) -> Do[None]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        yield from free_log("debug", "stopped")
        super().on_stopped()


WORKERS = [Worker, AsyncWorker, FreeWorker]


@pytest.fixture(params=WORKERS, ids=lambda worker: worker.__name__)
def worker(request: pytest.FixtureRequest) -> Any:
    """One way to write the hooks."""
    return request.param


def test_hooks_run_once_and_in_order(world: World, worker: Any) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(worker, "a")
        assert log == ["w made", "w started"]
        await ref.tell(Job("count"))
        await ref.stop()
        await ref.join()
        await ref.join()
        await ref.stop()

    world.run(body)
    assert log == ["w made", "w started", "w stopped"]


def test_a_restart_keeps_ref_and_mailbox_and_makes_a_new_instance(
    world: World, worker: Any
) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: worker("x"), "a")
        await ref.ask(Job("count"))
        await ref.tell(Job("crash"))
        counted = await ref.ask(Job("count"))
        assert ref == await system.get_actor("/a") == await system.get_actor("/sim/a")
        return counted

    assert world.run(body) == 1
    assert log[:5] == ["x made", "x started", "x stopped", "x made", "x restarted after boom"] or (
        worker is FreeWorker
    )
    assert log[5] == "x started"


def test_too_many_restarts_stop_the_actor(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Worker)
        for _ in range(4):
            await ref.tell(Job("crash"))
        await ref.join()
        with pytest.raises(ActorStopped, match="stopped after more than 3 restarts in 60 s"):
            await ref.ask(Job("count"))

    world.run(body)
    assert log.count("w started") == 4


def test_restarts_outside_of_the_window_do_not_count(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Worker)
        for _ in range(10):
            await ref.tell(Job("crash"))
            await ref.ask(Job("sleep", 21))
        return await ref.ask(Job("count"))

    if world.name.startswith("simulated"):
        assert world.run(body) == 1


class Boss(Actor[Job]):
    """Supervises a child by a strategy of its own."""

    def __init__(self, directive: Directive) -> None:
        self.directive = directive

    @override
    def supervisor_strategy(self) -> OneForOneStrategy:
        return OneForOneStrategy(decider=lambda _error: self.directive)

    @override
    async def on_started(self) -> None:
        self.child = await self.context.spawn(Worker, "child")

    @handler
    async def forward(self, message: Job) -> Any:
        return await self.child.ask(message)


@pytest.mark.parametrize(
    ("directive", "after"),
    [(Directive.RESUME, 2), (Directive.RESTART, 1), (Directive.STOP, "stopped by its supervisor")],
)
def test_the_parents_strategy_decides(world: World, directive: Directive, after: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        boss = await system.spawn(lambda: Boss(directive), "boss")
        child = await system.get_actor("/boss/child")
        assert await child.ask(Job("count")) == 1
        with pytest.raises(ValueError, match="boom"):
            await child.ask(Job("crash"))
        try:
            return await child.ask(Job("count"))
        except ActorStopped as error:
            assert boss.is_alive
            return error.reason

    found = world.run(body)
    assert found == after or (isinstance(after, str) and after in found)


def test_escalation_stops_the_child_and_restarts_the_parent(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        boss = await system.spawn(lambda: Boss(Directive.ESCALATE), "boss")
        old = await system.get_actor("/boss/child")
        with pytest.raises(ValueError, match="boom"):
            await boss.ask(Job("crash"))
        counted = await boss.ask(Job("count"))
        assert not old.is_alive
        return counted

    assert world.run(body) == 1
    assert log.count("w started") >= 2


def test_stopping_a_parent_stops_its_children_first(world: World, worker: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: worker("parent"), "p")
        for name in ("one", "two"):
            child = await ref.ask(Job("spawn", name))
            assert child.path == f"/p/{name}"
        assert await ref.ask(Job("children")) == ["one", "two"]
        await ref.stop()
        await ref.join()
        assert not child.is_alive
        with pytest.raises(ActorNotFound):
            await system.get_actor("/p/one")

    world.run(body)
    assert log[-1] == "parent stopped"
    assert {"one stopped", "two stopped"} <= set(log)


def test_graceful_stop_handles_what_was_sent_before(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Worker)

        @program
        def sender() -> Do[Any, AskFailed]:
            yield from free_tell(ref, Job("sleep", 5))
            yield from free_tell(ref, Job("count"))
            yield from free_stop(ref)
            yield from free_tell(ref, Job("count"))
            yield from free_join(ref)

        await system.run_free(sender())
        await asyncio.sleep(1)  # in the simulator the last message may still be under way
        return [letter.message for letter in system.dead_letters]

    assert world.run(body) == [Job("count")]
    assert log[-2:] == ["w slept", "w stopped"]


@pytest.mark.parametrize("mode", ["current", "now"])
def test_other_stops_refuse_what_is_queued(world: World, mode: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Worker, "w")
        slow = asyncio.ensure_future(ref.ask(Job("sleep", 50)))
        await asyncio.sleep(1)
        queued = asyncio.ensure_future(ref.ask(Job("count")))
        await asyncio.sleep(1)
        await ref.stop(mode)
        await ref.join()
        ended: tuple[Any, Any] = await asyncio.gather(slow, queued, return_exceptions=True)
        first, second = ended
        assert isinstance(second, ActorStopped)
        assert "was not delivered" in str(second)
        return first

    first = world.run(body)
    if mode == "current":
        assert first == "slept"
    else:
        assert isinstance(first, ActorStopped)
        assert "was being handled" in str(first)
    assert log[-2:] == ["w slept", "w stopped"]


@pytest.mark.parametrize("mode", ["graceful", "current", "now"])
def test_an_actor_may_stop_itself(world: World, mode: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Worker)
        answer = await ref.ask(Job("stop", mode))
        await ref.join()
        return answer

    assert world.run(body) == "stopping"
    assert log[-1] == "w stopped"


def test_an_unknown_stop_mode_is_refused(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Worker)
        with pytest.raises(ValueError, match='mode must be "graceful", "current" or "now"'):
            await ref.stop("later")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    world.run(body)


def test_names_are_unique_and_free_again_once_stopped(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Worker, "a")
        with pytest.raises(NameTaken, match="/sim/a is alive already"):
            await system.spawn(Worker, "a")
        await ref.stop()
        await ref.join()
        again = await system.spawn(Worker, "a")
        one, two = await system.spawn(Worker), await system.spawn(Worker)
        return again.path, one.path, two.path

    assert world.run(body) == ("/a", "/Worker#1", "/Worker#2")


def test_looking_up_nobody_names_the_nearest(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        await system.spawn(Worker, "inventory")
        with pytest.raises(
            ActorNotFound, match=r"no actor at '/inventroy'; did you mean /inventory"
        ):
            await system.get_actor("/inventroy")
        found = await system.run_free(free_lookup("/inventory"))
        lost = await system.run_free(free_lookup("/nobody").attempt())
        return found.name, type(lost.failure())

    assert world.run(body) == ("inventory", ActorNotFound)


class FailsToStart(Actor):
    """Raises in `on_started`."""

    @override
    async def on_started(self) -> None:
        await asyncio.sleep(1)
        raise OSError("no database")


class FailsToBeMade(Actor):
    """Raises in `__init__`."""

    def __init__(self) -> None:
        raise OSError("no memory")


def test_a_failing_start_is_the_spawners_error(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        for actor, text in ((FailsToStart, "no database"), (FailsToBeMade, "no memory")):
            with pytest.raises(OSError, match=text):
                await system.spawn(actor, "a")
            with pytest.raises(OSError, match=text):
                await system.run_free(free_spawn(actor, "a"))
        with pytest.raises(ActorNotFound):
            await system.get_actor("/a")

    world.run(body)


def test_spawning_what_is_no_actor_is_refused(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        with pytest.raises(TypeError, match="must be a class or a function that makes an actor"):
            await system.spawn(Worker())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        with pytest.raises(TypeError, match="must make an Actor, made 3"):
            await system.spawn(lambda: 3)  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
        with pytest.raises(ValueError, match="must not be empty nor contain"):
            await system.spawn(Worker, "a/b")

    world.run(body)


def test_programs_spawn_stop_and_join(world: World, worker: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        @program
        def life() -> Do[tuple[str, Any], AskFailed]:
            ref = yield from free_spawn(worker, "temp")
            counted = yield from free_ask(ref, Job("count"))
            yield from free_stop(ref)
            yield from free_join(ref)
            yield from free_join(ref)
            return ref.path, counted

        return await system.run_free(life())

    assert world.run(body) == ("/temp", 1)
    assert log == ["w made", "w started", "w stopped"]


def test_a_new_actor_is_not_reached_before_it_has_started(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        starting = asyncio.ensure_future(system.spawn(AsyncWorker, "slow"))
        await asyncio.sleep(0)
        early = await system.get_actor("/slow")
        counted = await early.ask(Job("count"))
        assert log == ["w made", "w started"]
        await starting
        return counted

    assert world.run(body) == 1


def test_shutdown_stops_everything_and_refuses_more(world: World, worker: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(worker, "a")
        await ref.ask(Job("spawn", "child"))
        await system.shutdown()
        assert not ref.is_alive
        with pytest.raises(ActorStopped):
            await ref.ask(Job("count"))
        with pytest.raises(ActorStopped, match="/sim has been shut down"):
            await system.spawn(worker)
        await system.shutdown()

    world.run(body)
    assert log.count("w stopped") == 1
    assert "child stopped" in log


def test_shutdown_cancels_a_handler_that_does_not_end(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Worker, "a")
        forever = asyncio.ensure_future(ref.ask(Job("sleep", 1e6)))
        await asyncio.sleep(1)
        await system.shutdown(timeout=5)
        with pytest.raises(ActorStopped):
            await forever

    world.run(body)
    assert log[-2:] == ["w slept", "w stopped"]


def test_cancelling_a_join_or_an_ask_does_not_touch_the_actor(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Worker, "a")
        for waiting in (ref.join(), ref.ask(Job("sleep", 3))):
            task = asyncio.ensure_future(waiting)
            await asyncio.sleep(1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return await ref.ask(Job("count"))

    assert world.run(body) == 1
    assert "w slept" in log


class Cancels(Actor[str]):
    """A handler that is cancelled by something of its own."""

    @handler
    async def cancelled(self, message: str) -> str:
        task = asyncio.ensure_future(asyncio.sleep(10))
        await asyncio.sleep(0)
        task.cancel()
        await task
        return message


def test_a_cancelled_handler_completes_its_ask(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Cancels)
        outcome = await system.run_free(free_ask(ref, "x").attempt())
        failure = outcome.failure()
        assert isinstance(failure, HandlerFailed)
        return type(failure.cause)

    assert world.run(body) is asyncio.CancelledError


class Impatient(Actor):
    """Waits for what can only come after its own handler."""

    @override
    async def on_receive(self, message: str) -> None:
        me = self.context.self_ref
        if message == "join":
            await me.stop()
            await me.join()
        elif message == "free join":
            await self.context.run_free(free_join(me))
        else:
            await self.context.system.shutdown()


@pytest.mark.parametrize("message", ["join", "free join", "shutdown"])
def test_waiting_for_ones_own_end_is_an_error_not_a_hang(world: World, message: str) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Impatient, "me")
        with pytest.raises((Deadlock, RuntimeError)) as caught:
            await ref.ask(message)
        return str(caught.value)

    text = world.run(body)
    assert "shut down from outside" in text or "/sim/me waits for the end of /sim/me" in text


def test_a_plain_asker_is_not_cancelled_by_a_cancelled_handler(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Cancels)
        with pytest.raises(HandlerFailed) as caught:
            await ref.ask("x")
        return type(caught.value.cause)

    assert world.run(body) is asyncio.CancelledError


class StopsIterating(Actor):
    """A handler whose exception no coroutine can carry."""

    @override
    def on_receive(self, message: str) -> Any:
        return next(iter(()))


class StopsIteratingLater(StopsIterating):
    """The same, `async def`."""

    @override
    async def on_receive(self, message: str) -> Any:
        await asyncio.sleep(0)
        raise RuntimeError("async generator raised StopIteration")


class Exits(Actor):
    """A handler whose exception looks as if it were closed."""

    @override
    def on_receive(self, message: str) -> Any:
        raise GeneratorExit


class ExitsLater(Actor):
    """The same, `async def`."""

    @override
    async def on_receive(self, message: str) -> Any:
        await asyncio.sleep(0.1)
        raise GeneratorExit


@pytest.mark.parametrize("how", ["plain", "bounded", "reentrant", "heard"])
@pytest.mark.parametrize("actor", [StopsIterating, StopsIteratingLater, Exits, ExitsLater])
def test_what_looks_like_the_end_of_a_coroutine_completes_its_ask(
    world: World, actor: Any, how: str
) -> None:
    async def body(system: ActorSystem) -> Any:
        seen: list[Any] = []
        if how == "heard":
            system.events.subscribe(seen.append, events.HandlerFailed)
        mailbox = MemoryMailbox(5) if how == "bounded" else None
        ref = await system.spawn(actor, mailbox=mailbox, reentrant=how == "reentrant")
        with pytest.raises(RuntimeError, match=r"raised (StopIteration|GeneratorExit)"):
            await ref.ask("x")
        await ref.tell("x")
        outcome = await system.run_free(free_ask(ref, "x").attempt())
        assert ref.is_alive
        assert len(seen) == (3 if how == "heard" else 0)
        return type(outcome.failure())

    assert world.run(body) is HandlerFailed


class ExitsFromHooks(Exits):
    """A hook that raises the same."""

    def __init__(self, where: str) -> None:
        self.where = where

    @override
    async def on_started(self) -> None:
        if self.where == "on_started":
            raise GeneratorExit

    @override
    def on_stopped(self) -> None:
        log.append("on_stopped")
        raise GeneratorExit


def test_a_hook_that_looks_closed_has_failed_and_no_more(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        with pytest.raises(RuntimeError, match="raised GeneratorExit"):
            await system.spawn(lambda: ExitsFromHooks("on_started"), "a")
        ref = await system.spawn(lambda: ExitsFromHooks(""), "a")
        await ref.stop()
        await ref.join()
        assert log == ["on_stopped"]
        assert not system.cells

    world.run(body)


class Promises(Actor[str]):
    """Returns what is not its reply yet."""

    @override
    def on_receive(self, message: str) -> Any:
        loop = asyncio.get_running_loop()
        if message == "future":
            future: asyncio.Future[str] = loop.create_future()
            loop.call_later(1, future.set_result, "in time")
            return future
        if message == "fails":
            failing: asyncio.Future[str] = loop.create_future()
            loop.call_later(1, failing.set_exception, OSError("no way"))
            return failing
        if message == "coroutine":
            return asyncio.sleep(1, "awaited")
        return self.items()

    async def items(self) -> AsyncIterator[int]:
        """Yield what nobody takes."""
        yield 1


class PromisesLater(Promises):
    """The same, `async def`."""

    @override
    async def on_receive(self, message: str) -> Any:
        return super().on_receive(message)


@pytest.mark.parametrize("how", ["plain", "bounded", "busy"])
@pytest.mark.parametrize("actor", [Promises, PromisesLater])
def test_a_handler_that_returns_a_future_replies_with_its_result(
    world: World, actor: Any, how: str
) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(actor, mailbox=MemoryMailbox(5) if how == "bounded" else None)
        for message, reply in (("future", "in time"), ("coroutine", "awaited")):
            if how == "busy":
                await ref.tell(message)
            assert await ref.ask(message) == reply
            assert await system.run_free(free_ask(ref, message)) == reply
        with pytest.raises(OSError, match="no way"):
            await ref.ask("fails")
        with pytest.raises(TypeError, match=r"for str of .* returned the async generator .*items"):
            await ref.ask("items")
        assert ref.is_alive

    world.run(body)


def test_a_hook_that_is_an_async_generator_is_a_failed_start(world: World) -> None:
    class Yields(Actor):
        @override
        async def on_started(self) -> Any:
            yield 1

    async def body(system: ActorSystem) -> None:
        with pytest.raises(TypeError, match="a hook of /sim/a returned the async generator"):
            await system.spawn(Yields, "a")
        assert not system.cells

    world.run(body)


@pytest.mark.parametrize("actor", [StopsIterating, StopsIteratingLater])
def test_a_stop_iteration_of_a_handler_completes_its_ask(world: World, actor: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(actor)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="raised StopIteration"):
                await ref.ask("x")
        outcome = await system.run_free(free_ask(ref, "x").attempt())
        return type(outcome.failure())

    assert world.run(body) is HandlerFailed


def test_shutdown_lets_the_finalisers_of_runs_use_the_actors(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Worker, "w")
        value = free_sleep(1000).ensure(free_ask(ref, Job("sleep", 2)).attempt())
        task = asyncio.ensure_future(system.run_free(value))
        await asyncio.sleep(1)
        await system.shutdown()
        with pytest.raises(asyncio.CancelledError):
            await task

    world.run(body)
    assert log[-2:] == ["w slept", "w stopped"]


def test_leaving_a_system_by_an_exception_does_not_wait_for_slow_handlers() -> None:
    async def main() -> None:
        async with ActorSystem() as system:
            ref = await system.spawn(Worker, "w")
            await ref.tell(Job("sleep", 1e6))
            await asyncio.sleep(0)
            raise KeyError("body")

    with (
        pytest.raises(KeyError, match="body"),
        asyncio.Runner(loop_factory=ImpatientLoop) as runner,
    ):
        runner.run(main())
    assert log[-2:] == ["w slept", "w stopped"]


def test_a_restart_needs_a_new_instance(world: World) -> None:
    only: list[Worker] = []

    def the_same() -> Worker:
        only[:] = only or [Worker()]
        return only[0]

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(the_same)
        await ref.tell(Job("crash"))
        await ref.join()
        with pytest.raises(ActorStopped, match="it must make a new one"):
            await ref.ask(Job("count"))

    world.run(body)


class BadBoss(Boss):
    """Its strategy fails."""

    @override
    def supervisor_strategy(self) -> OneForOneStrategy:
        def decide(_error: BaseException) -> Directive:
            raise LookupError("no decision")

        return OneForOneStrategy(decider=decide)


def test_a_supervisor_that_fails_stops_the_child(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        boss = await system.spawn(lambda: BadBoss(Directive.STOP), "boss")
        child = await system.get_actor("/boss/child")
        with pytest.raises(ValueError, match="boom"):
            await child.ask(Job("crash"))
        await child.join()
        with pytest.raises(ActorStopped, match="its supervisor failed: LookupError"):
            await child.ask(Job("count"))
        assert boss.is_alive

    world.run(body)
    assert log[-2:] == ["w stopped", "w stopped"] or log.count("w stopped") == 1


def test_a_run_is_not_cancelled_by_a_cancelled_handler(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Cancels)
        with pytest.raises(HandlerFailed):
            await system.run_free(free_ask(ref, "x"))

    world.run(body)


def test_a_kill_hurries_a_graceful_stop_that_lasts(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        parent = await system.spawn(lambda: Worker("parent"), "p")
        child = await parent.ask(Job("spawn", "child"))
        began = asyncio.get_running_loop().time()
        await child.tell(Job("sleep", 1e6))
        await asyncio.sleep(1)
        await parent.stop()
        await asyncio.sleep(1)
        assert not parent.is_alive
        await parent.stop("now")
        await parent.join()
        assert not child.is_alive
        assert asyncio.get_running_loop().time() - began < 100

    world.run(body)
    assert log[-3:] == ["child slept", "child stopped", "parent stopped"]


def test_an_actor_that_is_told_to_stop_now_is_not_alive_any_more(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Worker)
        slow = asyncio.ensure_future(ref.ask(Job("sleep", 5)))
        await asyncio.sleep(1)
        await ref.stop("current")
        await asyncio.sleep(1)
        assert not ref.is_alive
        with pytest.raises(ActorStopped):
            await ref.ask(Job("count"))
        return await slow

    assert world.run(body) == "slept"


class NotAnException(BaseException):
    """As pytest's own outcomes are."""


class Outrageous(Actor):
    """Raises what is no Exception, in every way."""

    @override
    async def on_receive(self, message: str) -> Any:
        if message == "later":
            await asyncio.sleep(1)
        if message == "program":
            return self.dies()
        raise NotAnException(message)

    @program
    def dies(self) -> Do[None]:
        yield from free_sleep(1)
        raise NotAnException("program")


@pytest.mark.parametrize("message", ["now", "later", "program"])
@pytest.mark.parametrize("queued", [False, True])
def test_what_is_no_exception_completes_its_ask_too(
    world: World, message: str, queued: bool
) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Outrageous)
        for _ in range(1 if queued else 2):
            if queued:
                await ref.tell("now")
            with pytest.raises(NotAnException, match=message):
                await ref.ask(message)
        outcome = await system.run_free(free_ask(ref, message).attempt())
        return type(outcome.failure())

    assert world.run(body) is HandlerFailed


class Slow(Actor):
    """Takes five seconds to start, and half a second to leave."""

    @override
    async def on_started(self) -> None:
        try:
            await asyncio.sleep(5)
            log.append("started")
        finally:
            await asyncio.sleep(0.5)
            log.append("left")

    @override
    async def on_stopped(self) -> None:
        log.append("stopped")

    @override
    def on_receive(self, message: Any) -> Any:
        return message


class Spawner(Actor):
    """Spawns for a second only: in a handler, or in its program."""

    @override
    async def on_receive(self, message: str) -> Any:
        if message == "program":
            return free_spawn(Slow, "slow").timeout(1).attempt().map(lambda _: self.left())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await self.context.spawn(Slow, "slow")
        return self.left()

    def left(self) -> list[str]:
        """List its children."""
        return list(self.context.children)


@pytest.mark.parametrize("after", [0, 1.0])
def test_a_cancelled_spawn_has_started_nothing_and_its_name_is_free(
    world: World, after: float
) -> None:
    async def body(system: ActorSystem) -> Any:
        spawning = asyncio.ensure_future(system.spawn(Slow, "slow"))
        await asyncio.sleep(after)
        spawning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await spawning
        assert not system.cells
        # Not before it has cleaned up; in a simulation it may not even have begun.
        assert log in (["left"], [] if after == 0 else ["left"])
        log.clear()
        ref = await system.spawn(Slow, "slow")
        return await ref.ask(1)

    assert world.run(body) == 1
    assert log[:2] == ["started", "left"]


@pytest.mark.parametrize("how", ["handler", "program"])
def test_a_spawn_that_is_interrupted_leaves_no_child(world: World, how: str) -> None:
    async def body(system: ActorSystem) -> Any:
        spawner = await system.spawn(Spawner)
        return await spawner.ask(how), log[:]

    assert world.run(body) == ([], ["left"])


def test_an_interrupted_program_goes_on_when_what_it_spawned_has_stopped(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        spawns = free_spawn(Slow, "slow").timeout(1).attempt()
        first = await system.run_free(spawns)
        assert isinstance(first.failure(), Timeout)
        assert log == ["left"]
        assert not system.cells
        ref = await system.run_free(free_spawn(Slow, "slow"))
        return await ref.ask(2)

    assert world.run(body) == 2


class Clinging(Actor):
    """A child that asks its parent at the wrong moment."""

    def __init__(self, when: str) -> None:
        self.when = when

    async def ask_parent(self, when: str) -> None:
        parent = self.context.parent
        if when == self.when and parent is not None:
            await parent.ask("anything")

    @override
    async def on_started(self) -> None:
        await self.ask_parent("start")

    @override
    async def on_stopped(self) -> None:
        await self.ask_parent("stop")


class Parent(Actor):
    """Starts such a child, and crashes on demand."""

    @override
    async def on_receive(self, message: str) -> str:
        if message == "crash":
            raise ValueError(message)
        if message in {"start", "stop"}:
            await self.context.spawn(lambda: Clinging(message), "child")
        return "well"


def test_a_child_that_asks_its_parent_while_it_starts_is_told(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        parent = await system.spawn(Parent, "parent")
        with pytest.raises(
            Deadlock, match=r"/sim/parent waits for /sim/parent/child \(its start\)"
        ):
            await parent.ask("start")
        return await parent.ask("hello")

    assert world.run(body) == "well"


def test_a_child_that_asks_its_parent_while_it_stops_does_not_hold_up_a_restart(
    world: World,
) -> None:
    async def body(system: ActorSystem) -> Any:
        parent = await system.spawn(Parent, "parent")
        await parent.ask("stop")
        with pytest.raises(ValueError, match="crash"):
            await parent.ask("crash")
        return await parent.ask("hello")

    assert world.run(body) == "well"


def test_a_failing_start_makes_no_second_instance(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        with pytest.raises(OSError, match="no database"):
            await system.spawn(CountsItself, "a")
        await asyncio.sleep(5)
        return CountsItself.made

    CountsItself.made = 0
    assert world.run(body) == 1


class CountsItself(Actor):
    """Fails to start, and counts how often it was tried."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1

    @override
    async def on_started(self) -> None:
        raise OSError("no database")


def test_two_shutdowns_at_once_both_end_soon(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        await system.spawn(Worker, "w")
        value = free_sleep(1000).ensure(free_sleep(2))
        task = asyncio.ensure_future(system.run_free(value))
        await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        await asyncio.gather(system.shutdown(timeout=50), system.shutdown(timeout=50))
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.get_running_loop().time() - began

    assert world.run(body) < 10


class EndsBadly(Actor):
    """Raises what is no Exception when it stops."""

    @override
    def on_receive(self, message: str) -> str:
        return message

    @override
    async def on_stopped(self) -> None:
        await asyncio.sleep(1)
        raise NotAnException("stopping")


def test_a_hook_that_raises_what_is_no_exception_ends_all_the_same(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(EndsBadly)
        await ref.stop()
        await ref.join()
        return ref.is_alive

    assert world.run(body) is False


def test_a_killed_actor_still_finishes_its_own_hook(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(AsyncWorker)
        working = asyncio.ensure_future(ref.ask(Job("sleep", 50)))
        await asyncio.sleep(1)
        await ref.stop("now")
        await ref.join()
        with pytest.raises(ActorStopped):
            await working

    world.run(body)
    assert log[-2:] == ["w slept", "w stopped"]
