"""Middleware: every message passes it, in order, and it learns of its actor's life."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    AskTimeout,
    Deadlock,
    Directive,
    HandlerFailed,
    MemoryMailbox,
    Message,
    MessageDropped,
    Middleware,
    MiddlewareContext,
    Next,
    OneForOneStrategy,
    Program,
    Unhandled,
    fail,
    free_ask,
    free_spawn,
    handler,
    stash,
    unstash_all,
)
from effactor.interpreters import ActorSystem


@dataclass(frozen=True)
class Say(Message[list[str]]):
    word: str


@dataclass(frozen=True)
class Break(Message[None]):
    pass


@dataclass(frozen=True)
class Buy(Message[str, KeyError]):
    pass


@dataclass(frozen=True)
class Foreign(Message[None]):
    pass


class Log(Middleware):
    """Writes down what it learns."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log

    @override
    async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        self.log.append(f"{self.name}> {message.word if isinstance(message, Say) else message}")
        try:
            return await next_fn(ctx, message)
        finally:
            self.log.append(f"<{self.name}")

    @override
    async def on_started(self, ref: ActorRef[Any]) -> None:
        self.log.append(f"{self.name} started")

    @override
    async def on_stopped(self, ref: ActorRef[Any]) -> None:
        self.log.append(f"{self.name} stopped")

    @override
    async def on_restart(self, ref: ActorRef[Any], error: BaseException) -> None:
        self.log.append(f"{self.name} restarts after {error!r}")


class Echo(Actor[Say | Break | Buy]):
    def __init__(self, log: list[str] | None = None) -> None:
        self.log = [] if log is None else log
        self.words: list[str] = []

    @override
    async def on_started(self) -> None:
        self.log.append("started")

    @override
    async def on_stopped(self) -> None:
        self.log.append("stopped")

    @override
    async def on_restart(self, error: BaseException) -> None:
        self.log.append(f"restart after {error!r}")

    @handler
    async def say(self, message: Say) -> list[str]:
        self.words.append(message.word)
        await asyncio.sleep(0.5 if message.word == "slowly" else 0)
        return list(self.words)

    @handler(Break)
    def broken(self, message: Break) -> None:
        raise ValueError("broken")

    @handler
    def buy(self, message: Buy) -> Program[str, KeyError]:
        return fail(KeyError("tea"))


def test_messages_pass_from_the_first_to_the_last_and_replies_back(world: World) -> None:
    log: list[str] = []

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Echo, middlewares=[Log("a", log), Log("b", log)])
        log.clear()
        assert await ref.ask(Say("hi")) == ["hi"]
        assert log == ["a> hi", "b> hi", "<b", "<a"]

    world.run(body)


def test_a_middleware_changes_messages_and_replies(world: World) -> None:
    class Loud(Middleware):
        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            return [*await next_fn(ctx, Say(message.word.upper())), "!"]

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Echo, middlewares=[Loud()])
        assert await ref.ask(Say("hi")) == ["HI", "!"]
        assert await system.run_free(free_ask(ref, Say("ho"))) == ["HI", "HO", "!"]
        await ref.tell(Say("tell"))
        assert await ref.ask(Say("x")) == ["HI", "HO", "TELL", "X", "!"]

    world.run(body)


def test_a_middleware_replies_in_place_of_the_handler(world: World) -> None:
    class Cached(Middleware):
        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            return ["cached"]

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Echo, middlewares=[Cached()])
        assert await ref.ask(Say("hi")) == ["cached"]

    world.run(body)


class Gate(Middleware):
    """Drops what is not for everybody."""

    @override
    async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        if message == Say("secret"):
            ctx.drop("not here")
        return await next_fn(ctx, message)


def test_a_dropped_ask_fails_and_a_dropped_tell_is_a_dead_letter(world: World) -> None:
    log: list[str] = []

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Echo, middlewares=[Log("a", log), Gate()])
        with pytest.raises(MessageDropped, match="not here"):
            await ref.ask(Say("secret"))
        with pytest.raises(MessageDropped, match="not here"):
            await system.run_free(free_ask(ref, Say("secret")))
        with pytest.raises(MessageDropped, match="not here"):
            await ref.ask_nowait(Say("secret"), timeout=5)
        await ref.tell(Say("secret"))
        assert await ref.ask(Say("hi")) == ["hi"]
        assert [(each.message, each.reason) for each in system.dead_letters] == [
            (Say("secret"), "not here")
        ]
        assert not [each for each in log if "restart" in each]

    world.run(body)


def test_the_context_says_whose_message_it_is_who_sent_it_and_how(world: World) -> None:
    seen: list[tuple[Any, ...]] = []

    class Look(Middleware):
        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            sender = None if ctx.sender is None else ctx.sender.path
            seen.append((ctx.actor_ref.path, sender, ctx.kind, ctx.deadline is not None))
            return await next_fn(ctx, message)

    class Asks(Actor[Say]):
        def __init__(self, target: ActorRef[Any]) -> None:
            self.target = target

        @handler
        async def say(self, message: Say) -> list[str]:
            await self.target.tell(message)
            answer: list[str] = await self.target.ask(message, timeout=5)
            return answer

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Echo, "echo", middlewares=[Look()])
        asks = await system.spawn(lambda: Asks(ref), "asks")
        await asks.ask(Say("hi"))
        await ref.ask(Say("hi"))

    world.run(body)
    assert seen == [
        ("/echo", "/asks", "tell", False),
        ("/echo", "/asks", "ask", True),
        ("/echo", None, "ask", False),
    ]


def test_a_middleware_sees_what_the_handler_raises(world: World) -> None:
    log: list[str] = []

    class Look(Middleware):
        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            try:
                return await next_fn(ctx, message)
            except BaseException as error:
                log.append(type(error).__name__)
                raise

    async def body(system: ActorSystem) -> None:
        ref: ActorRef[Any] = await system.spawn(Echo, middlewares=[Look()])
        with pytest.raises(ValueError, match="broken"):
            await ref.ask(Break())
        with pytest.raises(KeyError):
            await ref.ask(Buy())
        with pytest.raises(Unhandled):
            await ref.ask(Foreign())
        with pytest.raises(AskTimeout):
            await ref.ask(Say("slowly"), timeout=0.1)
        assert await ref.ask(Say("hi")) == ["slowly", "hi"]

    world.run(body)
    assert log == ["ValueError", "KeyError", "Unhandled"]


def test_a_middleware_that_replies_to_a_failure_keeps_the_actor_going(world: World) -> None:
    log: list[str] = []

    class Forgiving(Middleware):
        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            try:
                return await next_fn(ctx, message)
            except ValueError:
                return "never mind"

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(lambda: Echo(log), middlewares=[Forgiving()])
        assert await ref.ask(Break()) == "never mind"  # type: ignore[func-returns-value]
        assert log == ["started"]

    world.run(body)


def test_what_a_middleware_raises_is_the_actors_own_failure(world: World) -> None:
    log: list[str] = []

    class Broken(Middleware):
        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            if message == Say("break"):
                raise OSError("middleware")
            return await next_fn(ctx, message)

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(lambda: Echo(log), middlewares=[Broken()])
        with pytest.raises(OSError, match="middleware"):
            await ref.ask(Say("break"))
        failure = await system.run_free(free_ask(ref, Say("break")).attempt())
        assert isinstance(failure.failure(), HandlerFailed)
        assert await ref.ask(Say("hi")) == ["hi"]
        assert log.count("started") == 3

    world.run(body)


def test_hooks_run_before_those_of_the_actor_the_outermost_first(world: World) -> None:
    log: list[str] = []

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(lambda: Echo(log), middlewares=[Log("a", log), Log("b", log)])
        assert log == ["a started", "b started", "started"]
        log.clear()
        with pytest.raises(ValueError, match="broken"):
            await ref.ask(Break())
        await ref.ask(Say("hi"))
        assert log == [
            "a> Break()",
            "b> Break()",
            "<b",
            "<a",
            "stopped",
            "a restarts after ValueError('broken')",
            "b restarts after ValueError('broken')",
            "restart after ValueError('broken')",
            "started",
            "a> hi",
            "b> hi",
            "<b",
            "<a",
        ]
        log.clear()
        await ref.stop()
        await ref.join()
        assert log == ["a stopped", "b stopped", "stopped"]

    world.run(body)


@pytest.mark.parametrize("mode", ["graceful", "current", "now"])
def test_on_stopped_runs_once_however_the_actor_stops(world: World, mode: Any) -> None:
    log: list[str] = []

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(lambda: Echo(log), middlewares=[Log("a", log)])
        busy = asyncio.ensure_future(ref.ask(Say("slowly")))
        await asyncio.sleep(0.1)
        log.clear()
        await ref.stop(mode)
        await ref.stop("now")
        await ref.join()
        await asyncio.wait([busy])
        busy.exception()

    world.run(body)
    assert [each for each in log if "stopped" in each] == ["a stopped", "stopped"]


def test_a_raising_on_started_fails_the_spawn_and_stops_those_before_it(world: World) -> None:
    log: list[str] = []

    class Refusing(Middleware):
        @override
        async def on_started(self, ref: ActorRef[Any]) -> None:
            raise ConnectionError("no broker")

        @override
        async def on_stopped(self, ref: ActorRef[Any]) -> None:
            log.append("never started")

    async def body(system: ActorSystem) -> None:
        middlewares = [Log("a", log), Refusing(), Log("b", log)]
        with pytest.raises(ConnectionError, match="no broker"):
            await system.spawn(lambda: Echo(log), "echo", middlewares=middlewares)
        assert log == ["a started", "a stopped"]
        with pytest.raises(ConnectionError, match="no broker"):
            await system.run_free(free_spawn(lambda: Echo(log), "echo", middlewares=middlewares))
        log.clear()
        await system.spawn(lambda: Echo(log), "echo")  # the name is free again
        assert log == ["started"]

    world.run(body)


def test_middleware_that_has_started_is_stopped_if_the_actor_does_not_start(world: World) -> None:
    log: list[str] = []

    class Stillborn(Echo):
        @override
        async def on_started(self) -> None:
            raise ValueError("stillborn")

    async def body(system: ActorSystem) -> None:
        with pytest.raises(ValueError, match="stillborn"):
            await system.spawn(Stillborn, middlewares=[Log("a", log), Log("b", log)])

    world.run(body)
    assert log == ["a started", "b started", "a stopped", "b stopped"]


def test_a_raising_on_stopped_is_logged_and_the_rest_runs(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []

    class Clumsy(Middleware):
        @override
        async def on_stopped(self, ref: ActorRef[Any]) -> None:
            raise ValueError("clumsy")

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(lambda: Echo(log), middlewares=[Clumsy(), Log("a", log)])
        log.clear()
        await ref.stop()
        await ref.join()

    with caplog.at_level(logging.ERROR, "effactor.actor"):
        world.run(body)
    assert log == ["a stopped", "stopped"]
    assert "Clumsy.on_stopped failed for /sim/Echo#1" in caplog.text


def test_a_raising_on_restart_ends_the_actor(world: World) -> None:
    log: list[str] = []

    class Clumsy(Log):
        @override
        async def on_restart(self, ref: ActorRef[Any], error: BaseException) -> None:
            raise OSError("clumsy")

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(lambda: Echo(log), middlewares=[Clumsy("a", log)])
        with pytest.raises(ValueError, match="broken"):
            await ref.ask(Break())
        await ref.join()

    world.run(body)
    assert log[-2:] == ["stopped", "a stopped"]
    assert "started" not in log[2:]


def test_a_hook_may_wait_and_nothing_is_handled_meanwhile(world: World) -> None:
    log: list[str] = []

    class Patient(Middleware):
        @override
        async def on_started(self, ref: ActorRef[Any]) -> None:
            ref.tell_nowait(Say("early"))
            await asyncio.sleep(2)
            log.append("ready")

        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            log.append(message.word)
            return await next_fn(ctx, message)

    async def body(system: ActorSystem) -> None:
        for mailbox in (None, MemoryMailbox(5)):
            log.clear()
            ref = await system.spawn(Echo, middlewares=[Patient()], mailbox=mailbox)
            await asyncio.sleep(1)
            assert await ref.ask(Say("hi")) == ["early", "hi"]
            assert log == ["ready", "early", "hi"]

    world.run(body)


def test_a_middleware_that_asks_its_own_actor_is_a_deadlock_and_said_so(world: World) -> None:
    class Selfish(Middleware):
        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            return await ctx.actor_ref.ask(message)

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Echo, middlewares=[Selfish()])
        with pytest.raises(Deadlock):
            await ref.ask(Say("hi"))

    world.run(body)


def test_a_context_of_ones_own_is_refused(world: World) -> None:
    class Wrong(Middleware):
        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            wrong: Any = object()
            return await next_fn(wrong, message)

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Echo, middlewares=[Wrong()])
        with pytest.raises(TypeError, match="next_fn: ctx must be the context that on_receive got"):
            await ref.ask(Say("hi"))

    world.run(body)


@pytest.mark.parametrize("inner", [0, 1])
@pytest.mark.parametrize("given", ["message", "ctx"])
def test_a_wrong_call_of_the_rest_of_the_chain_says_how_to_call_it(
    world: World, inner: int, given: str
) -> None:
    class Wrong(Middleware):
        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            wrong: Any = next_fn
            return await wrong(message if given == "message" else ctx)

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Echo, middlewares=[Wrong(), *[Log("a", [])] * inner])
        with pytest.raises(TypeError, match=r"write await next_fn\(ctx, message\)"):
            await ref.ask(Say("hi"))

    world.run(body)


class Busy(Actor[Say]):
    """Counts how many of its handlers run at once."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0

    @handler
    async def say(self, message: Say) -> list[str]:
        if message.word == "most":
            return [str(self.most)]
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(5)
        finally:
            self.running -= 1
        return [message.word]


async def _rest(next_fn: Next, ctx: MiddlewareContext, message: Any) -> Any:
    return await next_fn(ctx, message)


kept: list[Any] = []


async def _nothing(next_fn: Any, ctx: MiddlewareContext, message: Any) -> Any:
    await next_fn()


async def _too_much(next_fn: Any, ctx: MiddlewareContext, message: Any) -> Any:
    await next_fn(ctx, message, 5)


async def _not_awaited(next_fn: Next, ctx: MiddlewareContext, message: Any) -> Any:
    _ = next_fn(ctx, message)
    return ["mine"]


async def _awaited_twice(next_fn: Next, ctx: MiddlewareContext, message: Any) -> Any:
    rest: Any = next_fn(ctx, message)
    await rest
    return await rest


async def _both_at_once(next_fn: Next, ctx: MiddlewareContext, message: Any) -> Any:
    return await asyncio.gather(next_fn(ctx, message), next_fn(ctx, message))


async def _again_meanwhile(next_fn: Next, ctx: MiddlewareContext, message: Any) -> Any:
    kept.append(asyncio.ensure_future(_rest(next_fn, ctx, message)))
    await asyncio.sleep(1)
    return await next_fn(ctx, message)


async def _left_behind(next_fn: Next, ctx: MiddlewareContext, message: Any) -> Any:
    kept.append(asyncio.ensure_future(_rest(next_fn, ctx, message)))
    await asyncio.sleep(1)
    return ["mine"]


async def _failed_meanwhile(next_fn: Next, ctx: MiddlewareContext, message: Any) -> Any:
    kept.append(asyncio.ensure_future(_rest(next_fn, ctx, message)))
    await asyncio.sleep(1)
    raise LookupError("of the middleware")


async def _context_of_another(next_fn: Next, ctx: MiddlewareContext, message: Any) -> Any:
    kept.append(ctx)
    return await next_fn(kept[0], message)


WRONG_CALLS: dict[Any, tuple[type[Exception], str]] = {
    _nothing: (TypeError, r"got nothing; write await next_fn\(ctx, message\)"),
    _too_much: (TypeError, r"got 3 arguments; write await next_fn\(ctx, message\)"),
    _not_awaited: (TypeError, "did not await next_fn, so no handler has run; write return await"),
    _awaited_twice: (RuntimeError, "cannot reuse already awaited coroutine"),
    _both_at_once: (RuntimeError, "await each call before the next"),
    _again_meanwhile: (RuntimeError, "await each call before the next"),
    _left_behind: (TypeError, "returned before the handler that it called ended; write return"),
    _failed_meanwhile: (LookupError, "of the middleware"),
    _context_of_another: (RuntimeError, "on_receive has returned, and its message is done"),
}


UNHANDLED = {_nothing, _too_much, _not_awaited}


@pytest.mark.parametrize("inner", [0, 1])
@pytest.mark.parametrize("call", WRONG_CALLS, ids=lambda call: call.__name__)
def test_a_call_of_the_rest_at_a_wrong_time_is_explained_and_nothing_overlaps(
    world: World, inner: int, call: Any
) -> None:
    class Wrong(Middleware):
        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            if message.word == "most":
                return await next_fn(ctx, message)
            return await call(next_fn, ctx, message)

    kept.clear()
    kind, says = WRONG_CALLS[call]

    async def body(system: ActorSystem) -> None:
        chain = [Wrong(), *[Log("a", [])] * inner]
        strategy = OneForOneStrategy(decider=lambda _: Directive.RESUME)
        parent = await system.spawn(lambda: Host(strategy), "host")
        ref: ActorRef[Any] = await parent.ask(chain)
        asked = [ref.ask_nowait(Say("a")), ref.ask_nowait(Say("b"))]
        done = await asyncio.gather(*asked, return_exceptions=True)
        failed = done[1:] if call is _context_of_another else done
        for error in failed:
            with pytest.raises(kind, match=says):
                raise error  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
        assert await ref.ask(Say("most")) == [str(int(call not in UNHANDLED))]

    world.run(body)


class Host(Actor[Any]):
    """Spawns one child behind middleware."""

    def __init__(self, strategy: OneForOneStrategy) -> None:
        self.strategy = strategy

    @override
    def supervisor_strategy(self) -> OneForOneStrategy:
        return self.strategy

    @override
    async def on_receive(self, message: Any) -> Any:
        return await self.spawn(Busy, middlewares=message)


def test_a_call_of_the_rest_after_the_end_reaches_no_handler(world: World) -> None:
    class Late(Middleware):
        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            if message.word == "most":
                return await next_fn(ctx, message)

            async def late() -> Any:
                await asyncio.sleep(1)
                return await next_fn(ctx, message)

            kept.append(asyncio.ensure_future(late()))
            return ["early"]

    kept.clear()

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Busy, middlewares=[Late()])
        assert await ref.ask(Say("a")) == ["early"]
        with pytest.raises(RuntimeError, match="on_receive has returned, and its message is done"):
            await kept[0]
        assert await ref.ask(Say("most")) == ["0"]

    world.run(body)


def test_what_a_decorated_hook_returns_must_be_awaitable(world: World) -> None:
    class Ready:
        def __await__(self) -> Any:
            yield from ()
            return ["waited"]

    def returning(value: Callable[[], Any]) -> Callable[[Any], Any]:
        def decorate(hook: Any) -> Any:
            @functools.wraps(hook)
            def instead(self: Any, *_args: Any) -> Any:
                return value()

            return instead

        return decorate

    class Five(Middleware):
        @override
        @returning(lambda: 5)
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any: ...

    class Object(Middleware):
        @override
        @returning(Ready)
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any: ...

    async def body(system: ActorSystem) -> None:
        for outer in ([], [Log("a", [])]):
            five = await system.spawn(Echo, middlewares=[*outer, Five()])
            with pytest.raises(
                TypeError, match=r"Five\.on_receive must be an `async def`.*returned 5"
            ):
                await five.ask(Say("hi"))
            waited = await system.spawn(Echo, middlewares=[*outer, Object()])
            assert await waited.ask(Say("hi")) == ["waited"]

    world.run(body)


@pytest.mark.parametrize("hook", ["on_receive", "on_started", "on_stopped", "on_restart"])
def test_a_hook_that_cannot_be_awaited_is_refused_with_its_class(hook: str) -> None:
    def plain(self: Any, *_args: Any) -> None: ...

    with pytest.raises(
        TypeError, match=rf"^Wrong\.{hook} must be an `async def`.*async def {hook}"
    ):
        type("Wrong", (Middleware,), {hook: plain})


def test_a_decorated_hook_may_return_what_is_awaited(world: World) -> None:
    def twice(hook: Any) -> Any:
        @functools.wraps(hook)
        def both(self: Any, ctx: Any, message: Any, next_fn: Any) -> Any:
            return hook(self, ctx, Say(message.word * 2), next_fn)

        return both

    class Doubling(Middleware):
        @override
        @twice
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            return await next_fn(ctx, message)

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Echo, middlewares=[Doubling()])
        return await ref.ask(Say("hi"))

    assert world.run(body) == ["hihi"]


@dataclass(frozen=True)
class Open(Message[None]):
    pass


class Shop(Actor[Say | Open]):
    def __init__(self) -> None:
        self.open = False
        self.words: list[str] = []

    @handler(Say)
    def say(self, message: Say) -> Any:
        if not self.open:
            return stash()
        self.words.append(message.word)
        return list(self.words)

    @handler(Open)
    def opens(self, message: Open) -> Program[Any]:
        self.open = True
        return unstash_all()


def test_a_message_set_aside_behind_middleware_comes_again(world: World) -> None:
    seen: list[tuple[Any, bool]] = []

    class Wrap(Middleware):
        @override
        async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
            reply = await next_fn(ctx, message)
            seen.append((message, ctx.stashed))
            return ["wrapped", reply]

    async def body(system: ActorSystem) -> None:
        for mailbox in (None, MemoryMailbox(10)):
            seen.clear()
            shop = await system.spawn(Shop, middlewares=[Wrap()], mailbox=mailbox)
            first = asyncio.ensure_future(shop.ask(Say("first")))
            await asyncio.sleep(1)
            await shop.tell(Say("second"))
            await shop.ask(Open())
            assert await first == ["wrapped", ["first"]]
            assert await shop.ask(Say("third")) == ["wrapped", ["first", "second", "third"]]
            assert seen == [
                (Say("first"), True),
                (Say("second"), True),
                (Open(), False),
                (Say("first"), False),
                (Say("second"), False),
                (Say("third"), False),
            ]

    world.run(body)


def test_one_middleware_may_serve_many_actors_of_any_level(world: World) -> None:
    log: list[str] = []

    class Parent(Actor[Say]):
        @handler
        async def say(self, message: Say) -> list[str]:
            child = await self.context.system.run_free(
                free_spawn(Echo, "child", middlewares=[shared])
            )
            answer: list[str] = await child.ask(message)
            return answer

    shared = Log("x", log)

    async def body(system: ActorSystem) -> None:
        parent = await system.spawn(Parent, "parent", middlewares=[shared])
        assert await parent.ask(Say("hi")) == ["hi"]

    world.run(body)
    assert log[:6] == ["x started", "x> hi", "x started", "x> hi", "<x", "<x"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (Log("a", []), r"middlewares must be a list"),
        ([Log], r"write Log\(\)"),
        ([object()], r"must be objects of Middleware"),
    ],
)
def test_what_is_no_middleware_is_refused_at_once(world: World, given: Any, says: str) -> None:
    async def body(system: ActorSystem) -> None:
        with pytest.raises(TypeError, match=says):
            await system.spawn(Echo, middlewares=given)
        with pytest.raises(TypeError, match=says):
            _ = free_spawn(Echo, middlewares=given)

    world.run(body)


def test_a_failure_without_a_restart_tells_nobody_of_one(world: World) -> None:
    log: list[str] = []

    class Resumes(Actor[Say]):
        @override
        def supervisor_strategy(self) -> OneForOneStrategy:
            return OneForOneStrategy(decider=lambda _: Directive.RESUME)

        @handler
        async def say(self, message: Say) -> list[str]:
            child = await self.context.run_free(free_spawn(Echo, middlewares=[Log("a", log)]))
            with pytest.raises(ValueError, match="broken"):
                await child.ask(Break())
            return await child.ask(message)

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Resumes)
        assert await ref.ask(Say("hi")) == ["hi"]

    world.run(body)
    assert not [each for each in log if "restarts" in each]
