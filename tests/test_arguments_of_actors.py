"""Wrong arguments of what actors offer are refused at once, in words that say the way out.

Each message names the function, the argument, the value, and often what to write instead.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from typing_extensions import override

from effactor import (
    Actor,
    ActorNotFound,
    ActorRef,
    ActorStopped,
    AfterIdle,
    AllForOneStrategy,
    CancellationToken,
    Directive,
    FastMailbox,
    MemoryMailbox,
    Middleware,
    OneForOneStrategy,
    Priority,
    SendOptions,
    ThreadedMailbox,
    UnboundRef,
    When,
    become,
    events,
    free_ask,
    free_ask_stream,
    free_join,
    free_spawn,
    free_stop,
    free_tell,
    free_unwatch,
    free_watch,
    pool,
    pure,
)
from effactor.interpreters import ActorSystem, VirtualActorRegistry

Words = tuple[str, ...]
Value = tuple[Callable[[], Any], type[BaseException], Words]
Use = tuple[Callable[[Any, Any], Any], type[BaseException], Words]

SECOND = timedelta(seconds=1)
AT: ActorRef[Any] = ActorRef.at("/echo")


class Echo(Actor[Any]):
    """Answers a message, or what a function that it gets answers for it."""

    @override
    async def on_receive(self, message: Any) -> Any:
        if not callable(message):
            return message
        answer = message(self)
        return await answer if inspect.isawaitable(answer) else answer


class Picky(Actor[Any]):
    def __init__(self, taste: str) -> None:
        self.taste = taste

    @override
    def on_receive(self, message: Any) -> str:
        return self.taste


async def coroutine_function(*_: Any) -> Any:
    """Be awaited by nobody."""


def check(error: BaseException, kind: type[BaseException], words: tuple[str, ...]) -> None:
    text = str(error)
    assert type(error) is kind, text
    for word in words:
        assert word in text, text


def named(cases: Sequence[tuple[Any, Any, Words]]) -> list[str]:
    """Give each case a name of its own, by its error."""
    return [f"{number} {words[0]}" for number, (_, _, words) in enumerate(cases)]


# ---------------------------------------------------------------- values

# Wrong on purpose, so nothing here has a type.
options: Any = SendOptions
mailbox: Any = MemoryMailbox
threaded: Any = ThreadedMailbox
fast: Any = FastMailbox
strategy: Any = OneForOneStrategy
all_for_one: Any = AllForOneStrategy
stop: Any = free_stop
when: Any = When
token: Any = CancellationToken
system_of: Any = ActorSystem
a_pool: Any = pool
an_echo: Any = Echo
anything: Any = None

VALUES: list[Value] = [
    (lambda: options(id=5), TypeError, ("SendOptions: id must be a text", "5")),
    (lambda: options(id=""), ValueError, ("SendOptions: id", "None makes one")),
    (lambda: options(correlation_id=""), ValueError, ("SendOptions: correlation_id",)),
    (lambda: options(headers=None), TypeError, ("SendOptions: headers", "None")),
    (lambda: options(headers={5: 1}), TypeError, ("SendOptions: headers", "{5: 1}")),
    (lambda: options(priority=1.5), TypeError, ("SendOptions: priority", "1.5")),
    (lambda: options(time_to_live=-1), ValueError, ("SendOptions: time_to_live", "-1")),
    (lambda: options(time_to_live=math.nan), ValueError, ("SendOptions: time_to_live", "nan")),
    (lambda: options(time_to_live=SECOND), TypeError, ("time_to_live", "total_seconds()")),
    (lambda: options(cancellation=5), TypeError, ("SendOptions: cancellation", "5")),
    (
        lambda: options(cancellation=CancellationToken),
        TypeError,
        ("SendOptions: cancellation", "write CancellationToken()"),
    ),
    (lambda: mailbox(capacity=0), ValueError, ("MemoryMailbox: capacity", "0", "None")),
    (lambda: mailbox(capacity=math.nan), TypeError, ("MemoryMailbox: capacity", "nan")),
    (lambda: mailbox(overflow="wait"), ValueError, ("overflow", "block, reject", "'wait'")),
    (lambda: mailbox(order="lifo"), ValueError, ("order", "fifo, priority", "'lifo'")),
    (
        lambda: mailbox(overflow="reject"),
        ValueError,
        ("overflow='reject'", "without a capacity", "MemoryMailbox(100, overflow='reject')"),
    ),
    (
        lambda: threaded(overflow="drop_oldest"),
        ValueError,
        ("ThreadedMailbox: overflow='drop_oldest'", "without a capacity"),
    ),
    (lambda: fast(5), TypeError, ("FastMailbox: it takes no options", "write MemoryMailbox(5)")),
    (lambda: fast(capacity=5), TypeError, ("FastMailbox", "write MemoryMailbox(capacity=5)")),
    (lambda: threaded(overflow="block"), ValueError, ("ThreadedMailbox: overflow", "use 'reject'")),
    (
        lambda: threaded(order="priority"),
        ValueError,
        ("ThreadedMailbox: order", "'priority'", "MemoryMailbox"),
    ),
    (lambda: strategy(max_restarts=-1), ValueError, ("max_restarts", "-1", "None means no limit")),
    (lambda: strategy(within_seconds=math.nan), ValueError, ("within_seconds", "nan")),
    (lambda: strategy(decider=5), TypeError, ("OneForOneStrategy: decider", "5")),
    (
        lambda: all_for_one(decider={ValueError: "stop"}),
        TypeError,
        ("AllForOneStrategy: decider", "Directive.RESTART", "'stop'"),
    ),
    (lambda: strategy(backoff=5), TypeError, ("OneForOneStrategy: backoff", "exponential", "5")),
    (lambda: when(True), TypeError, ("When: condition", "True", "write When(lambda: ...)")),
    (lambda: when(print, poll=0), ValueError, ("When: poll", "0")),
    (lambda: when(print, then="kill"), ValueError, ("When: then", '"drain"', "'kill'")),
    (lambda: AfterIdle(math.nan), ValueError, ("AfterIdle: seconds", "nan")),
    (lambda: AfterIdle(0), ValueError, ("AfterIdle: seconds must be", "> 0", "got 0")),
    (lambda: AfterIdle(anything), TypeError, ("AfterIdle: seconds", "None")),
    (lambda: Priority(True), TypeError, ("Priority: value", "True")),
    (lambda: token(5), TypeError, ("CancellationToken: parent", "5")),
    (lambda: token().on_cancel(5), TypeError, ("on_cancel: callback", "5")),
    (
        lambda: token().on_cancel(coroutine_function),
        TypeError,
        ("on_cancel: callback", "coroutine function", "write a `def`"),
    ),
    (lambda: a_pool(None, 2), TypeError, ("pool: worker", "None")),
    (lambda: a_pool(Echo(), 2), TypeError, ("pool: worker", "instance", "write Echo")),
    (lambda: a_pool(Echo, 0), ValueError, ("pool: size", "0")),
    (lambda: a_pool(Echo, math.nan), TypeError, ("pool: size", "nan")),
    (lambda: free_stop(AT, anything), ValueError, ("free_stop: mode", '"graceful"', "None")),
    (lambda: stop(AT, ["now"]), ValueError, ("free_stop: mode", "['now']")),
    (lambda: free_ask(AT, "x", timeout=-1), ValueError, ("free_ask: timeout", "-1")),
    (lambda: free_ask(AT, "x", options=options), TypeError, ("free_ask: options", "SendOptions(")),
    (lambda: free_tell(AT, "x", options=options), TypeError, ("free_tell: options",)),
    (lambda: free_ask_stream(AT, "x", credits=0), ValueError, ("free_ask_stream: credits", "0")),
    (lambda: free_spawn(Echo, "a/b"), ValueError, ("free_spawn: name", "'a/b'")),
    (become, TypeError, ("become: needs at least one handler", "self.locked")),
    (lambda: become(anything), TypeError, ("become: expected a handler", "None")),
    (lambda: ActorRef.at("echo"), ValueError, ("ActorRef.at: path", "'/inventory'", "'echo'")),
    (lambda: system_of(5), ValueError, ("ActorSystem: name", "5")),
    (lambda: system_of(ask_timeout=-1), ValueError, ("ActorSystem: ask_timeout", "-1")),
    (lambda: system_of(strategy=None), TypeError, ("ActorSystem: strategy", "None")),
    (
        lambda: system_of(strategy=OneForOneStrategy),
        TypeError,
        ("ActorSystem: strategy", "write OneForOneStrategy()"),
    ),
    (lambda: system_of(dispatchers=["io"]), TypeError, ("dispatchers", '{"io": 4}', "['io']")),
    (lambda: system_of(dispatchers=0), TypeError, ("dispatchers", '{"io": 4}', "0")),
    (lambda: system_of(dispatchers={5: 1}), TypeError, ("keys of dispatchers", "5")),
    (lambda: system_of(dispatchers={"io": 0}), ValueError, ("dispatchers['io']", "0")),
    (lambda: system_of(dispatchers={"io": None}), TypeError, ("dispatchers", "None for 'io'")),
]


@pytest.mark.parametrize(("make", "kind", "words"), VALUES, ids=named(VALUES))
def test_a_value_that_makes_no_sense_is_refused_when_it_is_made(
    make: Callable[[], Any], kind: type[BaseException], words: tuple[str, ...]
) -> None:
    with pytest.raises(kind) as caught:
        make()
    check(caught.value, kind, words)


@pytest.mark.parametrize(
    "function",
    [
        free_join,
        free_stop,
        free_unwatch,
        free_watch,
        partial(free_ask, message="x"),
        partial(free_ask_stream, message="x"),
        partial(free_tell, message="x"),
    ],
    ids=["join", "stop", "unwatch", "watch", "ask", "ask_stream", "tell"],
)
@pytest.mark.parametrize(
    ("ref", "hint"),
    [
        (None, "got None"),
        ("/echo", "write ActorRef.at('/echo')"),
        (Echo, "spawn the actor"),
        (Echo(), "spawn the actor"),
        (pure(AT), "yield from"),
    ],
    ids=["None", "path", "class", "instance", "program"],
)
def test_what_is_no_ref_is_refused_with_the_way_to_one(
    function: Callable[[Any], Any], ref: Any, hint: str
) -> None:
    with pytest.raises(TypeError, match=r"^free_\w+: ref must be an ActorRef") as caught:
        function(ref)
    assert hint in str(caught.value)


# ---------------------------------------------------------------- systems and refs

CALLS: list[Use] = [
    (lambda s, r: s.spawn(None), TypeError, ("spawn: actor", "None")),
    (lambda s, r: s.spawn(Echo()), TypeError, ("spawn: actor", "instance", "write Echo")),
    (lambda s, r: s.spawn(int), TypeError, ("spawn", "must make an Actor, made 0")),
    (lambda s, r: s.spawn(Echo, 5), TypeError, ("spawn: name", "5")),
    (lambda s, r: s.spawn(Echo, "a/b"), ValueError, ("spawn: name", "'a/b'")),
    (lambda s, r: s.spawn(Echo, mailbox=5), TypeError, ("spawn: mailbox", "MemoryMailbox(100)")),
    (
        lambda s, r: s.spawn(Echo, mailbox=MemoryMailbox),
        TypeError,
        ("spawn: mailbox", "write MemoryMailbox()"),
    ),
    (lambda s, r: s.spawn(Echo, middlewares=5), TypeError, ("spawn: middlewares", "list", "5")),
    (lambda s, r: s.spawn(Echo, middlewares=None), TypeError, ("middlewares", "list", "None")),
    (
        lambda s, r: s.spawn(Echo, middlewares=Middleware),
        TypeError,
        ("spawn: middlewares", "list", "write [Middleware()]"),
    ),
    (
        lambda s, r: s.spawn(Echo, middlewares=Middleware()),
        TypeError,
        ("spawn: middlewares", "list", "write [Middleware()]"),
    ),
    (
        lambda s, r: s.spawn(Echo, middlewares=[Middleware]),
        TypeError,
        ("spawn: middlewares", "write Middleware()"),
    ),
    (lambda s, r: s.spawn(Echo, dispatcher=5), TypeError, ("spawn: dispatcher", "5")),
    (
        lambda s, r: s.spawn(Echo, dispatcher="io"),
        ValueError,
        ("spawn: dispatcher", "'io'", "ActorSystem(dispatchers={'io': 4})"),
    ),
    (lambda s, r: s.spawn(Echo, concurrency=0), ValueError, ("spawn: concurrency", "0")),
    (lambda s, r: s.spawn(Echo, concurrency=1.5), TypeError, ("spawn: concurrency", "1.5")),
    (
        lambda s, r: s.spawn(Echo, mail_box=5),
        TypeError,
        ("spawn: unknown option 'mail_box'", "mailbox, middlewares"),
    ),
    (lambda s, r: an_echo().start(5), TypeError, ("start: name", "5")),
    (lambda s, r: an_echo().start(foo=5), TypeError, ("start: unknown option 'foo'",)),
    (lambda s, r: s.get_actor(None), TypeError, ("get_actor: path", "None")),
    (lambda s, r: s.get_actor("/ecco"), ActorNotFound, ("'/ecco'", "did you mean /echo")),
    (lambda s, r: s.ask(None, "x"), TypeError, ("ask: target", "path or an ActorRef", "None")),
    (lambda s, r: s.ask(Echo, "x"), TypeError, ("ask: target", "spawn it first")),
    (lambda s, r: s.tell(Echo(), "x"), TypeError, ("tell: target", "spawn it first")),
    (lambda s, r: s.ask("/ecco", "x"), ActorNotFound, ("'/ecco'", "did you mean /echo")),
    (lambda s, r: s.ask(r, "x", timeout="1"), TypeError, ("ask: timeout", "'1'")),
    (lambda s, r: s.stop(r, "kill"), ValueError, ("stop: mode", '"graceful"', "'kill'")),
    (lambda s, r: s.run_free(5), TypeError, ("run_free: program", "5")),
    (lambda s, r: s.run_free(pure), TypeError, ("run_free: program", "call it")),
    (lambda s, r: s.shutdown("kill"), ValueError, ("shutdown: mode", '"drain"', "'kill'")),
    (lambda s, r: s.shutdown(lambda: True), ValueError, ("shutdown: mode", "write When(")),
    (lambda s, r: s.shutdown(timeout=-1), ValueError, ("shutdown: timeout", "-1")),
    (lambda s, r: s.load_state([1]), TypeError, ("load_state: states", "[1]")),
    (lambda s, r: s.load_state({5: 1}), TypeError, ("load_state", "keys", "5")),
    (lambda s, r: s.load_state({}, unknown=None), ValueError, ("load_state: unknown", '"skip"')),
    (lambda s, r: s.load_state({"/echo": 1}), TypeError, ("load_state", "Echo", "define")),
    (lambda s, r: s.events.subscribe(None), TypeError, ("subscribe: listener", "None")),
    (lambda s, r: s.events.subscribe(print, "Sent"), TypeError, ("kinds", "'Sent'")),
    (lambda s, r: s.events.stream(events), TypeError, ("kinds", "module")),
    (lambda s, r: s.events.stream(capacity=0), ValueError, ("stream: capacity", "0")),
    (
        lambda s, r: VirtualActorRegistry(s, idle_seconds=0),
        ValueError,
        ("VirtualActorRegistry: idle_seconds must be > 0",),
    ),
    (lambda s, r: r.stop(None), ValueError, ("stop: mode", '"now"', "None")),
    (lambda s, r: r.stop(["now"]), ValueError, ("stop: mode", "['now']")),
    (lambda s, r: AT.stop(), UnboundRef, ("belongs to no system", "get_actor('/echo')")),
    (lambda s, r: r.ask_threadsafe("x"), RuntimeError, ("ask_threadsafe", "await ref.ask(...)")),
]


def of_messages() -> list[Use]:
    """Give what all that sends messages refuses."""
    cases: list[Use] = []
    for name in ("ask", "ask_nowait", "ask_stream", "ask_threadsafe"):
        for timeout, kind, word in (
            ("1", TypeError, "'1'"),
            (-1, ValueError, "-1"),
            (math.nan, ValueError, "nan"),
            (True, TypeError, "True"),
            (SECOND, TypeError, "total_seconds()"),
        ):

            def call(s: Any, r: Any, name: str = name, timeout: Any = timeout) -> Any:
                ask = partial(getattr(r, name), "x", timeout=timeout)
                return asyncio.to_thread(ask) if name == "ask_threadsafe" else ask()

            cases.append((call, kind, (f"{name}: timeout", word)))
    asks = ("ask", "ask_nowait", "ask_stream", "ask_threadsafe")
    for name in (*asks, "tell", "tell_nowait", "tell_threadsafe"):
        wrong: list[Any] = [5, {}, SendOptions]
        for given in wrong:

            def send(s: Any, r: Any, name: str = name, given: Any = given) -> Any:
                return getattr(r, name)("x", options=given)

            cases.append((send, TypeError, (f"{name}: options", "SendOptions(...)")))
    for ahead in (0, None, 1.5, math.nan):

        def stream(s: Any, r: Any, ahead: Any = ahead) -> Any:
            return r.ask_stream("x", credits=ahead)

        kind = ValueError if ahead == 0 else TypeError
        cases.append((stream, kind, ("ask_stream: credits", repr(ahead))))
    return cases


ALL = [*CALLS, *of_messages()]


async def settled(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


@pytest.mark.parametrize(("call", "kind", "words"), ALL, ids=named(ALL))
async def test_a_call_that_makes_no_sense_is_refused_and_changes_nothing(
    call: Callable[[Any, Any], Any], kind: type[BaseException], words: tuple[str, ...]
) -> None:
    async with ActorSystem("shop") as system:
        ref = await system.spawn(Echo, "echo")
        with pytest.raises(kind) as caught:
            await settled(call(system, ref))
        check(caught.value, kind, words)
        assert list(system.actors()) == ["/echo"]
        assert list(system.dead_letters) == []
        assert await ref.ask("alive", timeout=5) == "alive"


# ---------------------------------------------------------------- what handlers use

INSIDE: list[Use] = [
    (lambda a, r: a.spawn(None), TypeError, ("spawn: actor", "None")),
    (lambda a, r: a.ask(None, "x"), TypeError, ("ask: target", "class of actors", "None")),
    (lambda a, r: a.ask(Echo(), "x"), TypeError, ("ask: actor", "instance", "write Echo")),
    (lambda a, r: a.tell(None, "x"), TypeError, ("tell: target", "class of actors", "None")),
    (lambda a, r: a.tell(Echo(), "x"), TypeError, ("tell: target", "instance", "write Echo")),
    (lambda a, r: a.tell(Echo, "x"), TypeError, ("tell: Echo", "StopMode.ONE_TIME")),
    (lambda a, r: a.tell("/ecco", "x"), ActorNotFound, ("'/ecco'", "did you mean /echo")),
    (lambda a, r: a.ask(r, "x", timeout=-1), ValueError, ("ask: timeout", "-1")),
    (lambda a, r: a.stop_self("kill"), ValueError, ("stop: mode", "'kill'")),
    (lambda a, r: a.start(), RuntimeError, ("start: this Echo runs already", "make a new")),
    (lambda a, r: a.context.ask(r, "x", name="n"), ValueError, ("ask: name", "ephemeral child")),
    (lambda a, r: a.context.ask(Echo, "x", timeout=SECOND), TypeError, ("ask: timeout", "total_")),
    (lambda a, r: a.context.sequence(5), TypeError, ("sequence: asks", "5")),
    (lambda a, r: a.context.sequence([r]), TypeError, ("sequence", "(target, message)")),
    (
        lambda a, r: a.context.sequence([(r, "x")], concurrency=0),
        ValueError,
        ("sequence: concurrency", "0"),
    ),
    (lambda a, r: a.context.race([]), ValueError, ("race: asks", "at least one")),
    (lambda a, r: a.context.race(), ValueError, ("race: asks", "at least one")),
    (lambda a, r: a.context.race((r, "x")), TypeError, ("race", "write [(target, message)]")),
    (
        lambda a, r: a.context.race((r, "x"), (r, "y")),
        TypeError,
        ("race: asks must be one list of pairs, got 2", "race([(target, message)"),
    ),
    (
        lambda a, r: a.context.race(free_ask(r, "x"), free_ask(r, "y")),
        TypeError,
        ("race", "(target, message)", "not an ask that was made of them"),
    ),
    (
        lambda a, r: a.context.race([a.context.run_free]),
        TypeError,
        ("race", "(target, message)"),
    ),
    (
        lambda a, r: a.context.sequence((r, "x"), (r, "y")),
        TypeError,
        ("sequence: asks must be one list of pairs, got 2",),
    ),
    (
        lambda a, r: a.context.sequence(free_ask(r, "x")),
        TypeError,
        ("sequence", "not an ask that was made of them"),
    ),
    (lambda a, r: a.context.race([(None, "x")]), TypeError, ("race: target", "None")),
    (lambda a, r: a.context.traverse(r, ["x"]), TypeError, ("traverse: inputs", "ActorRef")),
    (
        lambda a, r: a.context.traverse(["x"], r, concurrency=1.5),
        TypeError,
        ("traverse: concurrency", "1.5"),
    ),
    (lambda a, r: a.context.zip(r, "x"), TypeError, ("zip", "(target, message)")),
    (lambda a, r: a.context.watch("/echo"), TypeError, ("context.watch: ref", "ActorRef.at(")),
    (lambda a, r: a.context.unwatch(Echo), TypeError, ("context.unwatch: ref", "spawn the actor")),
    (lambda a, r: a.context.become(5), TypeError, ("become: expected a handler", "5")),
    (
        lambda a, r: a.context.schedule_once(1, "x", "/echo"),
        TypeError,
        ("schedule_once: to", "ActorRef.at('/echo')"),
    ),
    (lambda a, r: a.context.schedule_once(-1, "x"), ValueError, ("schedule_once: delay", "-1")),
    (lambda a, r: a.context.every(0, "x"), ValueError, ("every: interval", "0")),
    (lambda a, r: a.context.every(1, "x", Echo), TypeError, ("every: to", "spawn the actor")),
    (lambda a, r: a.context.system.shutdown(), RuntimeError, ("shutdown waits", "outside")),
    (lambda a, r: a.context.system.save_state(), RuntimeError, ("save_state", "outside")),
    (lambda a, r: a.context.system.load_state({}), RuntimeError, ("load_state", "outside")),
]


@pytest.mark.parametrize(("call", "kind", "words"), INSIDE, ids=named(INSIDE))
async def test_a_handler_is_refused_what_makes_no_sense(
    call: Callable[[Any, Any], Any], kind: type[BaseException], words: tuple[str, ...]
) -> None:
    strategy = OneForOneStrategy(decider=lambda _: Directive.RESUME)
    async with ActorSystem("shop", strategy=strategy) as system:
        ref = await system.spawn(Echo, "echo")
        other = await system.spawn(Echo, "other")
        with pytest.raises(kind) as caught:
            await ref.ask(lambda actor: call(actor, other))  # pyright: ignore[reportUnknownLambdaType]
        check(caught.value, kind, words)
        assert list(system.actors()) == ["/echo", "/other"]
        assert await ref.ask("alive", timeout=5) == "alive"


# ---------------------------------------------------------------- at the wrong time


UNSPAWNED: dict[str, Callable[[Any], Any]] = {
    "ask": lambda actor: actor.ask("/echo", "x"),
    "tell": lambda actor: actor.tell("/echo", "x"),
    "spawn": lambda actor: actor.spawn(Echo),
    "stop_self": lambda actor: actor.stop_self(),
    "message": lambda actor: actor.context.message,
}


@pytest.mark.parametrize("use", UNSPAWNED.values(), ids=UNSPAWNED)
async def test_an_actor_that_was_never_spawned_says_so(use: Callable[[Any], Any]) -> None:
    with pytest.raises(RuntimeError, match="Echo has no context yet: it is not spawned"):
        await settled(use(Echo()))


async def test_outside_of_a_handler_what_belongs_to_one_is_refused() -> None:
    async with ActorSystem("shop") as system:
        ref = await system.spawn(Echo, "echo")
        its_context: Callable[[Any], Any] = lambda actor: actor.context  # noqa: E731
        context = await ref.ask(its_context)
        for name, arguments in (("become", (print,)), ("unbecome", ()), ("unstash_all", ())):
            with pytest.raises(RuntimeError, match=f"context.{name}: no handler of /shop/echo"):
                getattr(context, name)(*arguments)
        with pytest.raises(RuntimeError, match="handles no message here"):
            _ = context.message


AFTERWARDS: dict[str, Callable[[Any, Any], Any]] = {
    "spawn": lambda system, ref: system.spawn(Echo),
    "run_free": lambda system, ref: system.run_free(pure(1)),
    "get_actor": lambda system, ref: system.get_actor("/echo"),
    "ask a path": lambda system, ref: system.ask("/echo", "x"),
    "tell a path": lambda system, ref: system.tell("/echo", "x"),
    "ask a ref": lambda system, ref: system.ask(ref, "x"),
    "ask": lambda system, ref: ref.ask("x"),
    "ask_nowait": lambda system, ref: ref.ask_nowait("x"),
    "ask_stream": lambda system, ref: ref.ask_stream("x").__anext__(),
}


@pytest.mark.parametrize("use", AFTERWARDS.values(), ids=AFTERWARDS)
async def test_a_system_that_was_shut_down_says_so(use: Callable[[Any, Any], Any]) -> None:
    async with ActorSystem("shop") as system:
        ref = await system.spawn(Echo, "echo")
    with pytest.raises(ActorStopped, match=r"/shop has been shut down|by the shutdown of /shop"):
        await settled(use(system, ref))


def test_without_a_running_loop_what_needs_one_says_so() -> None:
    system = ActorSystem("shop")
    for use in (
        lambda: system.spawn(Echo),
        lambda: system.ask("/echo", "x"),
        lambda: system.tell("/echo", "x"),
        lambda: system.run_free(pure(1)),
        lambda: Echo().start(),
    ):
        coroutine: Any = use()
        with pytest.raises(RuntimeError, match=r"event loop.*asyncio\.run"):
            coroutine.send(None)


class Hasty(Middleware):
    """Awaits nothing."""

    @override
    async def on_receive(self, ctx: Any, message: Any, next_fn: Any) -> Any:
        return next_fn(ctx, message)


class Patient(Middleware):
    """Awaits what is further in, as it should."""


@pytest.mark.parametrize(
    "middlewares",
    [[Hasty()], [Hasty(), Patient()], [Patient(), Hasty()]],
    ids=["alone", "outside", "inside"],
)
async def test_a_middleware_that_forgets_to_await_is_told_so(middlewares: list[Middleware]) -> None:
    async with ActorSystem("shop") as system:
        ref = await system.spawn(Echo, "echo", middlewares=middlewares)
        with pytest.raises(TypeError, match=r"write return await next_fn\(ctx, message\)"):
            await ref.ask("x")


async def test_a_reply_that_is_a_generator_passes_middleware() -> None:
    generator: Callable[[Any], Any] = lambda _: (n for n in range(3))  # noqa: E731
    async with ActorSystem("shop") as system:
        ref = await system.spawn(Echo, "echo", middlewares=[Patient()])
        assert list(await ref.ask(generator)) == [0, 1, 2]


async def test_an_endless_default_is_one_that_never_ends() -> None:
    async with ActorSystem("shop", ask_timeout=math.inf) as system:
        ref = await system.spawn(Echo, "echo")
        assert await ref.ask("x") == "x"


async def test_a_class_that_wants_arguments_is_refused_as_it_is() -> None:
    async with ActorSystem("shop") as system:
        wanting: Any = Picky
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'taste'"):
            await system.spawn(wanting, "picky")
        assert system.actors() == {}
        ref = await system.spawn(lambda: Picky("sweet"), "picky")
        assert await ref.ask("x") == "sweet"
